//! The broker itself, as a pure state machine: events and the time go in, actions come out.
//!
//! It has no sockets, no clock and no randomness, so the same events give the same actions. What draws lots is handed in
//! ([`Core::offer`]): SCRAM-SHA-256 is the shell's, with nonces of its library's own. [`ECHO`], the core's own method,
//! has none. Each concern of the specification has its file, and each obligation stands with its clause where it is met.
//!
//! Where the standard leaves a choice, this broker takes the one that shows most:
//!
//! - A QoS 2 message is passed on when it is published, not when it is released.
//! - Overlapping subscriptions give one copy, at the highest QoS and with all Subscription Identifiers.
//! - Messages of QoS 0 are not kept for a client that is away, or that does not keep up.
//! - A retained message of QoS 0 is kept like any other.
//! - A publisher is told when nobody subscribed (No matching subscribers), and a Payload Format Indicator is checked.
//! - `$SYS` is the server's own; other topics with a dollar are left to the clients.
//! - A malformed Topic Filter closes the connection in every version; `$share` means nothing to 3.1.1.
//! - A CONNECT of 5.0 that is refused gets its CONNACK, and Reason Strings name the clause.
//! - A Shared Subscription takes turns among the sessions that are ready to receive.
//! - No Local concerns what is published meanwhile, not the retained messages that a subscription brings.
//! - Permissions also hold for what waits or is in flight: a Session that goes on with another user is sent none of it
//!   that this one may not receive.
//! - Topic Aliases are used towards a client that takes them, for the topics that come first.
//! - When the broker stops, Wills wait until it is restored.
//! - A Session ends, rather than lose messages, when more waits for it than may.
//!
//! ```
//! use std::time::Duration;
//! use broker::core::{Action, ConnectionId, Core, Event};
//!
//! let mut core = Core::new(broker::Config::default());
//! let (connection, mut actions) = (ConnectionId(0), Vec::new());
//! let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
//! core.handle(Event::Opened { connection }, Duration::ZERO, &mut actions);
//! core.handle(Event::Received { connection, bytes: connect }, Duration::ZERO, &mut actions);
//! assert_eq!(actions, [Action::Send { connection, bytes: vec![0x20, 2, 0, 0] }]);
//! ```

mod accept;
mod access;
mod acknowledge;
mod admit;
mod alias;
mod as_published;
mod authentication;
mod brought;
mod census;
mod connack;
mod connect;
mod connection;
mod deadlines;
mod delivery;
mod disconnect;
mod few;
mod flow_control;
mod keep_alive;
mod message;
pub(crate) mod method;
mod note;
mod objection;
mod outgoing;
mod overflow;
mod persist;
mod publish;
mod receive;
mod refusal;
mod restore;
mod retained;
mod routing;
mod send;
mod send_publish;
mod session;
mod shared;
mod subscribe;
mod subscriptions;
pub(crate) mod topic;
mod tree;
mod unsubscribe;
mod verify;
mod will;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

pub use authentication::ECHO;
pub use census::Census;
pub use message::Message;
pub use method::{Exchange, Method, Step};
pub use note::Note;
pub use outgoing::Delivery;
pub use persist::{Persist, SessionChange, Terms};
pub use refusal::Refusal;
pub use subscriptions::Subscription;
pub use topic::matches;
pub use verify::Claim;
pub use will::Will;

use crate::Breach;
use crate::config::{AuthenticationMethod, Config};
use crate::rules::{ClauseSet, RuleBook};
use connection::Connection;
use deadlines::{Deadline, Deadlines};
use few::Few;
use method::Echo;
use retained::Retained;
use session::{SessionKey, Sessions};
use subscriptions::Subscriptions;

/// A Network Connection. Whoever drives the core numbers them and never uses a number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What happens to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A client has opened a Network Connection.
    Opened {
        /// The connection.
        connection: ConnectionId,
    },
    /// Bytes have come, in whatever pieces.
    Received {
        /// The connection.
        connection: ConnectionId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The Network Connection has ended; also told after [`Action::Close`], where it changes nothing.
    Ended {
        /// The connection.
        connection: ConnectionId,
    },
    /// The time has come that [`Core::next_deadline`] told, or a later one.
    TimePassed,
    /// The client reads more slowly than it is sent to: messages are held back until [`Event::Drained`].
    Congested {
        /// The connection.
        connection: ConnectionId,
    },
    /// A congestion has ended.
    Drained {
        /// The connection.
        connection: ConnectionId,
    },
    /// What [`Action::Verify`] asked for is known.
    Verified {
        /// The connection.
        connection: ConnectionId,
        /// Whether the claim holds.
        holds: bool,
    },
    /// The broker is to take leave of its clients.
    Stopping,
}

/// What the broker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sends bytes: one or several whole Control Packets.
    Send {
        /// The connection.
        connection: ConnectionId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Closes the Network Connection, once what was sent before is written.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Why, where the client is to blame.
        why: Option<Refusal>,
    },
    /// Persists a change, before any action that follows (only with [`Config::persistent`]).
    Persist(Persist),
    /// Finds out whether a claim holds, which takes a while, and tells it by [`Event::Verified`].
    Verify {
        /// The connection.
        connection: ConnectionId,
        /// The claim.
        claim: Claim,
    },
    /// Nothing to be done: what was refused or dropped, for a log (only after [`Core::noting`]).
    Note(Note),
}

/// More memory than this is not kept for what is sent next.
const MOST_SPARED: usize = 1024;

/// The broker.
#[derive(Debug)]
pub struct Core {
    config: Arc<Config>,
    rules: Arc<RuleBook>,
    methods: SmallVec<[Box<dyn Method>; 2]>,
    connections: Few<ConnectionId, Box<Connection>, 4>,
    sessions: Sessions,
    subscriptions: Subscriptions,
    retained: Retained,
    deadlines: Deadlines,
    /// Bytes of packets that have come in part, over all connections.
    partial_bytes: usize,
    now: Duration,
    actions: Vec<Action>,
    /// Memory for what is sent next.
    spare: Vec<u8>,
    /// The Sessions that more was to wait for than may: they end with the event.
    overflowing: Vec<SessionKey>,
    noting: bool,
    stopping: bool,
}

impl Core {
    /// A broker that nobody is connected to. Several can share a configuration.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let config = config.into();
        let echo: Box<dyn Method> = Box::new(Echo);
        let offers_echo = config.features.authenticates_by(AuthenticationMethod::Echo);
        Self {
            rules: RuleBook::new(&config),
            methods: offers_echo.then_some(echo).into_iter().collect(),
            config,
            connections: Few::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            deadlines: Deadlines::default(),
            partial_bytes: 0,
            now: Duration::ZERO,
            actions: Vec::new(),
            spare: Vec::new(),
            overflowing: Vec::new(),
            noting: false,
            stopping: false,
        }
    }

    /// Lets the actions tell what was refused or dropped ([`Action::Note`]).
    #[must_use]
    pub fn noting(mut self) -> Self {
        self.noting = true;
        self
    }

    /// Offers a method of enhanced authentication, beside [`ECHO`].
    pub fn offer(&mut self, method: impl Method + 'static) {
        self.methods.push(Box::new(method));
    }

    /// Takes an event that happens at `now`, counted from the broker's start, and appends what the broker does.
    ///
    /// What has fallen due by then is done first. A time before that of an earlier event counts as that one.
    pub fn handle(&mut self, event: Event<'_>, now: Duration, actions: &mut Vec<Action>) {
        self.now = self.now.max(now);
        if !self.actions.is_empty() {
            actions.append(&mut self.actions);
        }
        std::mem::swap(&mut self.actions, actions);
        while let Some(deadline) = self.deadlines.take_due(self.now) {
            self.fall_due(deadline);
        }
        match event {
            Event::Opened { connection } => self.opened(connection),
            Event::Received { connection, bytes } => self.received(connection, bytes),
            Event::Ended { connection } => self.ended(connection),
            Event::TimePassed => {}
            Event::Congested { connection } => self.congested(connection),
            Event::Drained { connection } => self.drained(connection),
            Event::Verified { connection, holds } => self.verified(connection, holds),
            Event::Stopping => self.stop(),
        }
        self.end_overflowing();
        std::mem::swap(&mut self.actions, actions);
    }

    /// Takes the bytes of an [`Action::Send`] back once they are sent, whose memory serves the next.
    pub fn recycle(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() <= MOST_SPARED {
            bytes.clear();
            self.spare = bytes;
        }
    }

    /// When the broker has next something to do of its own accord, counted from its start.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.next()
    }

    /// The rules of this broker.
    pub(crate) fn rules(&self) -> &Arc<RuleBook> {
        &self.rules
    }

    /// The rules that were consulted so far.
    pub fn consulted(&self) -> ClauseSet {
        self.rules.consulted()
    }

    /// Where packets broke a clause so far, as the codec judges them.
    pub fn breaches(&self) -> BTreeSet<Breach> {
        self.rules.breaches()
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    fn fall_due(&mut self, deadline: Deadline) {
        match deadline {
            Deadline::Connect(connection) => self.connect_timed_out(connection),
            Deadline::KeepAlive(connection) => self.keep_alive_due(connection),
            Deadline::Will(session) => self.will_due(session),
            Deadline::SessionExpiry(session) => self.session_expired(session),
        }
    }
}
