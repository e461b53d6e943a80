//! A script played on the broker's core, in virtual time and without any I/O.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};
use codec::Version;

use crate::duties::Duties;
use crate::observe::{End, Observer};
use crate::script::{CLIENTS, Operation, Script, Step};

/// Something that takes events like a broker's core: the core itself, or one with a fault planted into it.
pub trait Machine {
    /// Takes an event; see [`Core::handle`].
    fn handle(&mut self, event: Event<'_>, now: Duration, actions: &mut Vec<Action>);

    /// Takes back what was sent; see [`Core::recycle`].
    fn recycle(&mut self, bytes: Vec<u8>) {
        drop(bytes);
    }

    /// When it has next something to do; see [`Core::next_deadline`].
    fn next_deadline(&self) -> Option<Duration>;

    /// Starts again with what a store has kept. Whoever was connected has been told.
    fn restart(&mut self, now: Duration);

    /// What it holds.
    fn held(&self) -> Held;
}

/// What a machine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Network Connections.
    pub connections: usize,
    /// Sessions, connected or stored.
    pub sessions: usize,
    /// Retained messages.
    pub retained: usize,
    /// Messages that wait for Sessions or are under way to them.
    pub messages: usize,
    /// What falls due some time.
    pub deadlines: usize,
    /// Whatever else nobody needs.
    pub extra: usize,
}

impl Machine for Core {
    fn handle(&mut self, event: Event<'_>, now: Duration, actions: &mut Vec<Action>) {
        Self::handle(self, event, now, actions);
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        Self::recycle(self, bytes);
    }

    fn next_deadline(&self) -> Option<Duration> {
        Self::next_deadline(self)
    }

    fn restart(&mut self, now: Duration) {
        *self = Self::restore(Arc::clone(self.config()), self.snapshot(), now);
    }

    fn held(&self) -> Held {
        let census = self.census();
        Held {
            connections: census.connections,
            sessions: census.sessions,
            retained: census.retained,
            messages: census.messages,
            deadlines: census.deadlines,
            extra: 0,
        }
    }
}

/// A fresh core in the default configuration, to be played on and not to be [asked](Config::unasked) afterwards. All such
/// cores share that configuration, and nothing else.
pub fn fresh() -> Core {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        Arc::new(Config {
            unasked: true,
            ..Config::default()
        })
    });
    Core::new(Arc::clone(&CONFIG))
}

/// Plays a script on a fresh core that nobody else uses, and tells the observer. All that a step brings about has
/// happened when the next one begins.
pub fn play(script: &Script, config: impl Into<Arc<Config>>, observer: &mut impl Observer) {
    Player::new(Core::new(config)).play(script, observer);
}

/// Plays scripts on a machine.
#[derive(Debug)]
pub struct Player<M> {
    machine: M,
    now: Duration,
    clients: [Client; CLIENTS],
    connections: u64,
    actions: Vec<Action>,
}

#[derive(Debug)]
struct Client {
    connection: Option<ConnectionId>,
    /// It has ended its own direction: it reads, and writes no more.
    half_closed: bool,
    stalled: bool,
    version: Version,
    duties: Duties,
}

impl<M: Machine> Player<M> {
    /// A player whose clients have no links yet.
    pub fn new(machine: M) -> Self {
        Self {
            machine,
            now: Duration::ZERO,
            clients: std::array::from_fn(|_| Client {
                connection: None,
                half_closed: false,
                stalled: false,
                version: Version::V5_0,
                duties: Duties::default(),
            }),
            connections: 0,
            actions: Vec::new(),
        }
    }

    /// The machine.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// Plays a script.
    pub fn play<B: AsRef<[u8]>>(&mut self, script: &Script<B>, observer: &mut impl Observer) {
        for step in &script.steps {
            self.step(step, observer);
        }
    }

    /// Ends every link; what is held after that is held for nobody, or for Sessions that last.
    pub fn leave(&mut self, observer: &mut impl Observer) -> Held {
        for client in 0..CLIENTS {
            self.go_on(client, observer);
            self.end(client, End::Closed, observer);
        }
        observer.settled(self.now);
        self.machine.held()
    }

    /// Plays one step.
    pub fn step<B: AsRef<[u8]>>(&mut self, step: &Step<B>, observer: &mut impl Observer) {
        let client = step.client % CLIENTS;
        if !matches!(step.operation, Operation::Wait(_) | Operation::Restart) {
            self.go_on(client, observer);
        }
        match &step.operation {
            Operation::Open => self.open(client, observer),
            Operation::Send { bytes, pieces } => {
                if let Some(version) = step.operation.announces() {
                    self.clients[client].version = version;
                }
                for piece in pieces.of(bytes.as_ref()) {
                    self.send(client, piece, observer);
                }
            }
            Operation::Acknowledge { which, how } => {
                let version = self.clients[client].version;
                let bytes = self.clients[client].duties.answer(*which, *how, version);
                if !bytes.is_empty() {
                    self.send(client, &bytes, observer);
                }
            }
            Operation::Close => self.end(client, End::Closed, observer),
            Operation::HalfClose => self.half_close(client, observer),
            Operation::Cut => self.end(client, End::Cut, observer),
            Operation::Stall => self.stall(client, observer),
            Operation::Wait(time) => self.wait(*time, observer),
            Operation::Restart => self.restart(observer),
        }
        observer.settled(self.now);
    }

    fn handle(&mut self, event: Event<'_>, observer: &mut impl Observer) {
        let mut actions = std::mem::take(&mut self.actions);
        self.machine.handle(event, self.now, &mut actions);
        for action in actions.drain(..) {
            self.happen(action, observer);
        }
        self.actions = actions;
    }

    fn happen(&mut self, action: Action, observer: &mut impl Observer) {
        let (Action::Send { connection, .. } | Action::Close { connection, .. }) = action else {
            return;
        };
        let clients = &mut self.clients;
        let Some(client) = clients
            .iter()
            .position(|client| client.connection == Some(connection))
        else {
            return;
        };
        if let Action::Send { bytes, .. } = action {
            self.clients[client].duties.received(&bytes);
            observer.received(client, &bytes, self.now);
            self.machine.recycle(bytes);
        } else {
            self.clients[client].connection = None;
            observer.ended(client, End::ByTarget, self.now);
        }
    }

    fn open(&mut self, client: usize, observer: &mut impl Observer) {
        self.end(client, End::Closed, observer);
        let connection = ConnectionId(self.connections);
        self.connections += 1;
        let opening = &mut self.clients[client];
        opening.connection = Some(connection);
        opening.half_closed = false;
        opening.duties.clear();
        observer.opened(client, self.now);
        self.handle(Event::Opened { connection }, observer);
    }

    fn send(&mut self, client: usize, bytes: &[u8], observer: &mut impl Observer) {
        if let Some(connection) = self.clients[client].connection
            && !self.clients[client].half_closed
        {
            observer.sent(client, bytes, self.now);
            self.handle(Event::Received { connection, bytes }, observer);
        }
    }

    fn end(&mut self, client: usize, end: End, observer: &mut impl Observer) {
        let half_closed = self.clients[client].half_closed;
        if let Some(connection) = self.clients[client].connection.take() {
            observer.ended(client, end, self.now);
            if !half_closed {
                self.handle(Event::Ended { connection }, observer);
            }
        }
    }

    /// To the core a connection whose client has ended its direction is over; the shell flushes and closes.
    fn half_close(&mut self, client: usize, observer: &mut impl Observer) {
        if let Some(connection) = self.clients[client].connection
            && !self.clients[client].half_closed
        {
            self.clients[client].half_closed = true;
            observer.ended(client, End::HalfClosed, self.now);
            self.handle(Event::Ended { connection }, observer);
            self.clients[client].connection = None;
            observer.ended(client, End::ByTarget, self.now);
        }
    }

    fn stall(&mut self, client: usize, observer: &mut impl Observer) {
        if let Some(connection) = self.clients[client].connection
            && !self.clients[client].stalled
        {
            self.clients[client].stalled = true;
            observer.stalled(client, self.now);
            self.handle(Event::Congested { connection }, observer);
        }
    }

    fn go_on(&mut self, client: usize, observer: &mut impl Observer) {
        if std::mem::take(&mut self.clients[client].stalled)
            && let Some(connection) = self.clients[client].connection
        {
            self.handle(Event::Drained { connection }, observer);
        }
    }

    fn wait(&mut self, time: Duration, observer: &mut impl Observer) {
        let until = self.now.saturating_add(time);
        while let Some(due) = self.machine.next_deadline().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            self.handle(Event::TimePassed, observer);
            observer.settled(self.now);
        }
        self.now = until;
        self.handle(Event::TimePassed, observer);
    }

    fn restart(&mut self, observer: &mut impl Observer) {
        observer.restarted(self.now);
        self.handle(Event::Stopping, observer);
        for client in 0..CLIENTS {
            if self.clients[client].connection.take().is_some() {
                observer.ended(client, End::ByTarget, self.now);
            }
        }
        self.machine.restart(self.now);
    }
}
