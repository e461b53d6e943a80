//! The one place where events meet the core and its actions are carried out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::outbox::Outbox;
use super::trace::{Sink, Tracer};
use crate::config::{AuthenticationMethod, Config, Limits};
use crate::core::{Action, ConnectionId, Core, Event, Persist};
use crate::rules::{ClauseSet, RuleBook};
use crate::scram::ScramSha256;

/// The core and the outboxes of its connections.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    rules: Arc<RuleBook>,
    limits: Limits,
    start: Instant,
    deadline_moved: Notify,
    stopping: watch::Sender<bool>,
    abandoned: watch::Sender<bool>,
    connections: watch::Sender<usize>,
    handshakes: Arc<Semaphore>,
}

#[derive(Debug)]
struct State {
    core: Core,
    outboxes: BTreeMap<ConnectionId, Arc<Outbox>>,
    tasks: BTreeMap<ConnectionId, AbortHandle>,
    opened: u64,
    actions: Vec<Action>,
    tracer: Option<Tracer>,
}

/// What a broker keeps when it ends, and another one can go on with.
#[derive(Debug, Clone)]
pub struct Kept {
    changes: Vec<Persist>,
    start: Instant,
}

impl Hub {
    pub(super) fn new(config: Config) -> Arc<Self> {
        let limits = config.limits.clone();
        Self::around(with_methods(Core::new(config)), limits, Instant::now())
    }

    /// A hub whose core goes on with what an earlier one has kept. Its time goes on as well, since messages and
    /// Sessions have aged meanwhile.
    pub(super) fn again(config: Config, kept: Kept) -> Arc<Self> {
        let now = Instant::now().duration_since(kept.start);
        let limits = config.limits.clone();
        let core = Core::restore(config, kept.changes, now);
        Self::around(with_methods(core), limits, kept.start)
    }

    fn around(core: Core, limits: Limits, start: Instant) -> Arc<Self> {
        Arc::new(Self {
            rules: Arc::clone(core.rules()),
            handshakes: Arc::new(Semaphore::new(
                limits.connections.min(Semaphore::MAX_PERMITS),
            )),
            limits,
            state: Mutex::new(State {
                core,
                outboxes: BTreeMap::new(),
                tasks: BTreeMap::new(),
                opened: 0,
                actions: Vec::new(),
                tracer: None,
            }),
            start,
            deadline_moved: Notify::new(),
            stopping: watch::Sender::new(false),
            abandoned: watch::Sender::new(false),
            connections: watch::Sender::new(0),
        })
    }

    /// Opens a connection.
    pub(super) fn open(&self) -> (ConnectionId, Arc<Outbox>) {
        let outbox = Arc::new(Outbox::default());
        let connection = {
            let mut state = self.state();
            let connection = ConnectionId(state.opened);
            state.opened += 1;
            state.outboxes.insert(connection, Arc::clone(&outbox));
            connection
        };
        self.connections.send_modify(|count| *count += 1);
        self.handle(Event::Opened { connection });
        (connection, outbox)
    }

    /// Learns which task serves a connection.
    pub(super) fn is_served_by(&self, connection: ConnectionId, task: AbortHandle) {
        if *self.abandoned.borrow() {
            task.abort();
            return;
        }
        let mut state = self.state();
        if state.outboxes.contains_key(&connection) {
            state.tasks.insert(connection, task);
        }
    }

    /// Forgets a connection whose task ends.
    pub(super) fn close(&self, connection: ConnectionId) {
        {
            let mut state = self.state();
            state.outboxes.remove(&connection);
            state.tasks.remove(&connection);
        }
        self.connections.send_modify(|count| *count -= 1);
    }

    /// Brings an event to the core and carries its actions out.
    pub(super) fn handle(&self, event: Event<'_>) {
        let mut state = self.state();
        let before = state.core.next_deadline();
        state.handle(event, self.start);
        if state.core.next_deadline() != before {
            self.deadline_moved.notify_one();
        }
    }

    /// Tells what goes over connections that are opened from now on.
    pub(super) fn trace(&self, sink: Sink) {
        self.state().tracer = Some(Tracer::new(sink));
    }

    pub(super) fn consulted(&self) -> ClauseSet {
        self.state().core.consulted()
    }

    /// The rules, for what is met before the core sees a byte.
    pub(super) fn rules(&self) -> Arc<RuleBook> {
        Arc::clone(&self.rules)
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place among those whose TLS or WebSocket is not open yet; none when all are taken.
    pub(super) fn place_for_a_handshake(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.handshakes).try_acquire_owned().ok()
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            changes: self.state().core.snapshot(),
            start: self.start,
        }
    }

    /// Takes leave of every client and lets the listeners end.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
        self.handle(Event::Stopping);
    }

    /// Ends every task of the broker.
    pub(super) fn abandon(&self) {
        self.stopping.send_replace(true);
        self.abandoned.send_replace(true);
        self.state().tasks.values().for_each(AbortHandle::abort);
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(super) fn abandoned(&self) -> watch::Receiver<bool> {
        self.abandoned.subscribe()
    }

    /// Waits until no connection is left.
    pub(super) async fn all_ended(&self) {
        let mut connections = self.connections.subscribe();
        // The sender lives as long as `self`.
        let _ = connections.wait_for(|&count| count == 0).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The core with the methods of enhanced authentication that draw lots, and so are not its own.
fn with_methods(mut core: Core) -> Core {
    let config = core.config();
    if config
        .features
        .authenticates_by(AuthenticationMethod::ScramSha256)
        && !config.access.passwords.is_empty()
    {
        match ScramSha256::new(&config.access.passwords) {
            Ok(scram) => core.offer(scram),
            Err(error) => warn!(%error, "SCRAM-SHA-256 is not offered"),
        }
    }
    core
}

impl State {
    fn handle(&mut self, event: Event<'_>, start: Instant) {
        let now = Instant::now().duration_since(start);
        let mut actions = std::mem::take(&mut self.actions);
        if let Some(tracer) = &mut self.tracer {
            tracer.event(now, &event);
        }
        self.core.handle(event, now, &mut actions);
        let mut congested = Vec::new();
        for action in actions.drain(..) {
            if let Some(tracer) = &mut self.tracer {
                tracer.action(now, &action);
            }
            match action {
                Action::Send { connection, bytes } => {
                    if let Some(outbox) = self.outboxes.get(&connection)
                        && outbox.push(&bytes)
                    {
                        congested.push(connection);
                    }
                }
                Action::Close { connection, why } => {
                    if let Some(refusal) = why {
                        info!(connection = connection.0, %refusal, "closing");
                    } else {
                        debug!(connection = connection.0, "closing");
                    }
                    if let Some(outbox) = self.outboxes.get(&connection) {
                        outbox.close();
                    }
                }
                // Sessions and retained messages live in memory: there is no store to persist to.
                Action::Persist(_) => {}
            }
        }
        self.actions = actions;
        for connection in congested {
            self.handle(Event::Congested { connection }, start);
        }
    }
}

/// Lets the core do what falls due, exactly when it does.
pub(super) async fn keep_time(hub: Arc<Hub>) {
    let mut abandoned = hub.abandoned();
    let keeping = async {
        loop {
            let deadline = hub.state().core.next_deadline();
            let due = async {
                match deadline {
                    Some(deadline) => sleep_until(hub.start + deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = hub.deadline_moved.notified() => {}
                () = due => hub.handle(Event::TimePassed),
            }
        }
    };
    tokio::select! {
        () = keeping => {}
        _ = abandoned.wait_for(|&abandoned| abandoned) => {}
    }
}
