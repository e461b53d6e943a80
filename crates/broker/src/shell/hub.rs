//! The one place where events meet the core and its actions are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::keeping::{self, Keeping};
use super::log;
use super::metered::Account;
use super::outbox::Outbox;
use super::trace::{Sink, Tracer};
use super::verifying::Verifying;
use crate::Breach;
use crate::config::{AuthenticationMethod, Config, ConfigError, Limits};
use crate::core::{Action, ConnectionId, Core, Event, Persist};
use crate::rules::{ClauseSet, RuleBook};
use crate::scram::ScramSha256;
use crate::store::{CommitError, Store};

/// The core and the outboxes of its connections.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    rules: Arc<RuleBook>,
    limits: Limits,
    clock: Clock,
    keeping: Option<Arc<Keeping>>,
    verifying: Verifying,
    partial_frames: Arc<Account>,
    deadline_moved: Notify,
    stopping: watch::Sender<bool>,
    abandoned: watch::Sender<bool>,
    connections: watch::Sender<usize>,
    handshakes: Arc<Semaphore>,
}

/// The core's time. It goes on where an earlier broker's ended.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Instant,
    /// What the time was at the start.
    before: Duration,
}

impl Clock {
    fn from(before: Duration) -> Self {
        Self {
            start: Instant::now(),
            before,
        }
    }

    fn now(&self) -> Duration {
        self.before + self.start.elapsed()
    }

    fn instant(&self, time: Duration) -> Instant {
        self.start + time.saturating_sub(self.before)
    }
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
    clock: Clock,
}

impl Hub {
    pub(super) fn new(config: Config) -> Result<Arc<Self>, ConfigError> {
        let core = with_methods(Core::new(config))?;
        Ok(Self::around(core, Clock::from(Duration::ZERO), None))
    }

    /// A hub whose core goes on with what an earlier one has kept. Its time goes on as well, since messages and
    /// Sessions have aged meanwhile.
    pub(super) fn again(config: Config, kept: Kept) -> Result<Arc<Self>, ConfigError> {
        let core = with_methods(Core::restore(config, kept.changes, kept.clock.now()))?;
        let hub = Self::around(core, kept.clock, None);
        hub.handle(Event::TimePassed);
        Ok(hub)
    }

    /// A hub whose core goes on with what the store has, and that keeps there whatever is to be kept.
    pub(super) fn keeping(config: Config, mut store: Store) -> Result<Arc<Self>, ConfigError> {
        let (changes, age) = store.take_restored();
        let core = with_methods(Core::restore(config, changes, age))?;
        let keeping = Arc::new(Keeping::new());
        let hub = Self::around(core, Clock::from(age), Some(Arc::clone(&keeping)));
        keeping::start(Arc::clone(&hub), keeping, store)
            .map_err(|error| ConfigError::Thread(error.kind()))?;
        hub.handle(Event::TimePassed);
        Ok(hub)
    }

    fn around(core: Core, clock: Clock, keeping: Option<Arc<Keeping>>) -> Arc<Self> {
        let limits = core.config().limits.clone();
        Arc::new(Self {
            rules: Arc::clone(core.rules()),
            handshakes: Arc::new(Semaphore::new(
                limits.connections.min(Semaphore::MAX_PERMITS),
            )),
            state: Mutex::new(State {
                core,
                outboxes: BTreeMap::new(),
                tasks: BTreeMap::new(),
                opened: 0,
                actions: Vec::new(),
                tracer: None,
            }),
            clock,
            keeping,
            verifying: Verifying::default(),
            partial_frames: Account::of(limits.all_partial_bytes),
            limits,
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
        self.verifying.forget(connection);
        self.connections.send_modify(|count| *count -= 1);
    }

    /// Brings an event to the core and carries its actions out.
    pub(super) fn handle(&self, event: Event<'_>) {
        let mut state = self.state();
        let before = state.core.next_deadline();
        let now = self.clock.now();
        let mut actions = std::mem::take(&mut state.actions);
        if let Some(tracer) = &mut state.tracer {
            tracer.event(now, &event);
        }
        state.core.handle(event, now, &mut actions);
        if let Some(keeping) = &self.keeping {
            keeping.take(&mut actions);
        }
        self.perform(&mut state, &mut actions);
        state.actions = actions;
        if state.core.next_deadline() != before {
            self.deadline_moved.notify_one();
        }
    }

    /// Tells what goes over connections that are opened from now on.
    pub(super) fn trace(&self, sink: Sink) {
        self.state().tracer = Some(Tracer::new(sink));
    }

    /// Carries out what waited for the store.
    pub(super) fn carry_out(&self, mut effects: Vec<Action>) {
        self.perform(&mut self.state(), &mut effects);
    }

    fn perform(&self, state: &mut State, actions: &mut Vec<Action>) {
        let now = self.clock.now();
        let mut congested = state.perform(actions, now, &self.verifying);
        while let Some(connection) = congested.pop() {
            state
                .core
                .handle(Event::Congested { connection }, now, actions);
            if let Some(keeping) = &self.keeping {
                keeping.take(actions);
            }
            congested.extend(state.perform(actions, now, &self.verifying));
        }
    }

    /// Waits while the store does not keep up with the connections.
    pub(super) async fn room(&self) {
        if let Some(keeping) = &self.keeping {
            keeping.room().await;
        }
    }

    /// Waits until the store has everything and is closed.
    pub(super) async fn end_keeping(&self) {
        if let Some(keeping) = &self.keeping {
            keeping.end();
            keeping.ended().await;
        }
    }

    /// Waits until the store could not be written, if ever.
    pub(super) async fn failure(&self) -> Arc<CommitError> {
        match &self.keeping {
            Some(keeping) => keeping.failure().await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn consulted(&self) -> ClauseSet {
        self.state().core.consulted()
    }

    pub(super) fn breaches(&self) -> BTreeSet<Breach> {
        self.state().core.breaches()
    }

    /// The rules, for what is met before the core sees a byte.
    pub(super) fn rules(&self) -> Arc<RuleBook> {
        Arc::clone(&self.rules)
    }

    /// The bytes of WebSocket frames that have come in part.
    pub(super) fn partial_frames(&self) -> Arc<Account> {
        Arc::clone(&self.partial_frames)
    }

    pub(super) fn verifying(&self) -> &Verifying {
        &self.verifying
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
            clock: self.clock,
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
        if let Some(keeping) = &self.keeping {
            keeping.end();
        }
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

/// The core, telling what it refuses, with the methods of enhanced authentication that draw lots, and so are not its
/// own.
fn with_methods(core: Core) -> Result<Core, ConfigError> {
    let mut core = core.noting();
    let config = core.config();
    if config
        .features
        .authenticates_by(AuthenticationMethod::ScramSha256)
        && !config.access.passwords.is_empty()
    {
        let scram = ScramSha256::new(&config.access.passwords).map_err(ConfigError::Scram)?;
        core.offer(scram);
    }
    Ok(core)
}

impl State {
    /// Does what the core says; tells which connections that has made congested.
    fn perform(
        &mut self,
        actions: &mut Vec<Action>,
        now: Duration,
        verifying: &Verifying,
    ) -> Vec<ConnectionId> {
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
                    log::closing(connection, why.as_ref());
                    if let Some(outbox) = self.outboxes.get(&connection) {
                        outbox.close();
                    }
                }
                Action::Verify { connection, claim } => verifying.add(connection, claim),
                Action::Note(note) => log::note(&note),
                // The store has it, or there is none.
                Action::Persist(_) => {}
            }
        }
        congested
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
                    Some(deadline) => sleep_until(hub.clock.instant(deadline)).await,
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
