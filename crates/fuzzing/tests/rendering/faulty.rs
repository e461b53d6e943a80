//! A broker with a planted fault that listens on loopback, in real time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use broker::core::{Action, ConnectionId, Event};
use fuzzing::embedded::Machine;
use fuzzing::self_test::{Plant, Planted};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, interval};

/// How often it looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// What goes out on a connection; dropped where it ends.
type Out = UnboundedSender<Vec<u8>>;

struct Faulty {
    /// None after a panic.
    machine: Option<Planted>,
    began: Instant,
    open: BTreeMap<ConnectionId, Out>,
}

impl Faulty {
    fn handle(&mut self, event: Event<'_>) {
        let Some(mut machine) = self.machine.take() else {
            return;
        };
        let now = self.began.elapsed();
        let mut actions = Vec::new();
        let alive = catch_unwind(AssertUnwindSafe(|| {
            machine.handle(event, now, &mut actions);
            machine
        }));
        let Ok(machine) = alive else {
            self.open.clear();
            return;
        };
        self.machine = Some(machine);
        for action in actions {
            match action {
                Action::Send { connection, bytes } => {
                    if let Some(out) = self.open.get(&connection) {
                        let _ = out.send(bytes);
                    }
                }
                Action::Close { connection, .. } => {
                    self.open.remove(&connection);
                }
                Action::Persist(_) | Action::Note(_) | Action::Verify { .. } => {}
            }
        }
    }
}

/// Serves on a thread of its own until the test's process ends; its address.
pub(crate) fn serve(plant: Plant) -> String {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        LocalSet::new().block_on(&runtime.unwrap(), async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            listen(listener, plant).await;
        });
    });
    format!("mqtt://{}", told.recv().unwrap())
}

async fn listen(listener: TcpListener, plant: Plant) {
    let faulty = Rc::new(RefCell::new(Faulty {
        machine: Some(Planted::new(plant)),
        began: Instant::now(),
        open: BTreeMap::new(),
    }));
    let mut ticks = interval(TICK);
    let mut connections = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let connection = ConnectionId(connections);
                connections += 1;
                spawn_local(attend(accepted.unwrap().0, connection, Rc::clone(&faulty)));
            }
            _ = ticks.tick() => faulty.borrow_mut().handle(Event::TimePassed),
        }
    }
}

async fn attend(mut stream: TcpStream, connection: ConnectionId, faulty: Rc<RefCell<Faulty>>) {
    let (out, mut outgoing) = unbounded_channel();
    {
        let mut faulty = faulty.borrow_mut();
        faulty.open.insert(connection, out);
        faulty.handle(Event::Opened { connection });
    }
    let mut bytes = [0; 4096];
    loop {
        tokio::select! {
            // What it said before it closes goes out first.
            biased;
            sent = outgoing.recv() => match sent {
                Some(sent) if stream.write_all(&sent).await.is_ok() => {}
                _ => break,
            },
            read = stream.read(&mut bytes) => match read {
                Ok(count @ 1..) => {
                    let bytes = &bytes[..count];
                    faulty.borrow_mut().handle(Event::Received { connection, bytes });
                }
                _ => break,
            },
        }
    }
    let mut faulty = faulty.borrow_mut();
    faulty.open.remove(&connection);
    faulty.handle(Event::Ended { connection });
}
