//! Between the core and the store: what was persisted is written first, and only then does the rest happen.
//!
//! A thread of its own writes, since writing blocks until the disk has it. While it does, the core goes on; whatever
//! it does meanwhile waits, and is written together. So the more there is to do, the more goes into one commit.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch;
use tracing::error;

use super::hub::Hub;
use crate::core::{Action, Persist};
use crate::store::{CommitError, Store};

/// How many bytes may wait for the store before the connections are read no further.
const CROWDED: usize = 8 << 20;

/// What a message or packet costs beyond its own bytes, roughly.
const OVERHEAD: usize = 128;

/// What waits for the store.
#[derive(Debug)]
pub(super) struct Keeping {
    state: Mutex<State>,
    changed: Condvar,
    crowded: watch::Sender<bool>,
    ended: watch::Sender<bool>,
    failure: watch::Sender<Option<Arc<CommitError>>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Batch,
    /// Whether an earlier batch is being written or carried out.
    busy: bool,
    /// Whether nothing comes any more.
    ending: bool,
    failed: bool,
}

/// Changes, and what happens once they are written.
#[derive(Debug, Default)]
struct Batch {
    changes: Vec<Persist>,
    effects: Vec<Action>,
    bytes: usize,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.effects.is_empty()
    }

    fn add(&mut self, actions: &mut Vec<Action>) {
        for action in actions.drain(..) {
            self.bytes += OVERHEAD;
            match action {
                Action::Persist(change) => {
                    self.bytes += change.size();
                    self.changes.push(change);
                }
                other => {
                    if let Action::Send { bytes, .. } = &other {
                        self.bytes += bytes.len();
                    }
                    self.effects.push(other);
                }
            }
        }
    }
}

impl Keeping {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            crowded: watch::Sender::new(false),
            ended: watch::Sender::new(false),
            failure: watch::Sender::new(None),
        }
    }

    /// Takes the actions to be carried out later, unless they need not wait for anything.
    pub(super) fn take(&self, actions: &mut Vec<Action>) {
        if actions.is_empty() {
            return;
        }
        let mut state = self.state();
        if state.failed {
            // Nothing may happen that is not kept.
            actions.clear();
            return;
        }
        let persists = actions
            .iter()
            .any(|action| matches!(action, Action::Persist(_)));
        if !persists && !state.busy && state.waiting.is_empty() {
            return;
        }
        state.waiting.add(actions);
        if state.waiting.bytes > CROWDED {
            self.crowded.send_replace(true);
        }
        self.changed.notify_one();
    }

    /// Waits while too much waits for the store.
    pub(super) async fn room(&self) {
        if *self.crowded.borrow() {
            // The sender lives as long as `self`.
            let _ = self.crowded.subscribe().wait_for(|&crowded| !crowded).await;
        }
    }

    /// Lets the store be closed, once it has everything.
    pub(super) fn end(&self) {
        self.state().ending = true;
        self.changed.notify_one();
    }

    /// Waits until the store is closed.
    pub(super) async fn ended(&self) {
        let _ = self.ended.subscribe().wait_for(|&ended| ended).await;
    }

    /// Waits until the store could not be written, if ever.
    pub(super) async fn failure(&self) -> Arc<CommitError> {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(error) = &*failure.borrow_and_update() {
                return Arc::clone(error);
            }
            if failure.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The next batch, when there is one; none at the end.
    fn next(&self) -> Option<Batch> {
        let mut state = self.state();
        state.busy = false;
        while state.waiting.is_empty() {
            if state.ending {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.busy = true;
        self.crowded.send_replace(false);
        Some(std::mem::take(&mut state.waiting))
    }

    fn fail(&self, error: CommitError) {
        self.state().failed = true;
        self.crowded.send_replace(false);
        self.failure.send_replace(Some(Arc::new(error)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread that writes. It ends with [`Keeping::end`], or when the store cannot be written.
pub(super) fn start(hub: Arc<Hub>, keeping: Arc<Keeping>, mut store: Store) -> std::io::Result<()> {
    thread::Builder::new()
        .name("store".to_owned())
        .spawn(move || {
            while let Some(batch) = keeping.next() {
                if let Err(error) = write(&mut store, &batch.changes) {
                    error!(%error, "the broker cannot go on");
                    keeping.fail(error);
                    hub.abandon();
                    break;
                }
                hub.carry_out(batch.effects);
            }
            drop(store);
            keeping.ended.send_replace(true);
        })?;
    Ok(())
}

fn write(store: &mut Store, changes: &[Persist]) -> Result<(), CommitError> {
    if changes.is_empty() {
        Ok(())
    } else {
        store.commit(changes)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::store::failing::Disk;
    use crate::{Broker, Config};

    const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";
    const CONNACK: &[u8] = b"\x20\x02\x00\x00";

    /// A retained message `payload` on topic `t` with QoS 1.
    fn publish(payload: u8) -> [u8; 8] {
        [0x33, 6, 0, 1, b't', 0, 7, payload]
    }

    fn client(broker: &Broker) -> DuplexStream {
        let (client, server) = duplex(4096);
        broker.attach(server);
        client
    }

    /// A disk fails under a broker that runs: nothing is acknowledged from then on, everybody is cut off, nobody is let
    /// in, and the broker tells. What was acknowledged is there when it starts again.
    #[tokio::test]
    async fn nothing_is_acknowledged_that_the_disk_does_not_take() {
        let directory = tempfile::tempdir().unwrap();
        drop(Store::open(directory.path()).unwrap());
        let disk = Disk::failing_after(usize::MAX);
        let store = disk.open(directory.path()).unwrap();
        let broker = Broker::start_on(Config::default(), store).unwrap();
        let mut publisher = client(&broker);
        publisher.write_all(CONNECT).await.unwrap();
        publisher.write_all(&publish(b'x')).await.unwrap();
        let mut answers = [0; 8];
        publisher.read_exact(&mut answers).await.unwrap();
        assert_eq!(answers, *[CONNACK, b"\x40\x02\x00\x07"].concat());

        disk.fails();
        publisher.write_all(&publish(b'y')).await.unwrap();
        let mut rest = Vec::new();
        publisher.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
        let failure = broker.failure().await.to_string();
        assert!(failure.contains("cannot write"), "{failure}");
        let mut late = client(&broker);
        // It may be cut off before it has sent this.
        let _ = late.write_all(CONNECT).await;
        late.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
        broker.stop().await;
        drop(broker);

        let store = Store::open(directory.path()).unwrap();
        let broker = Broker::start_on(Config::default(), store).unwrap();
        let mut subscriber = client(&broker);
        subscriber.write_all(CONNECT).await.unwrap();
        let subscribe = b"\x82\x06\x00\x01\x00\x01t\x00";
        subscriber.write_all(subscribe).await.unwrap();
        let mut answers = [0; 15];
        subscriber.read_exact(&mut answers).await.unwrap();
        let retained = b"\x31\x04\x00\x01tx";
        assert_eq!(
            answers,
            *[CONNACK, b"\x90\x03\x00\x01\x00", retained].concat()
        );
        broker.stop().await;
    }
}
