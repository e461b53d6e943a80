//! What the core will have to do at a time to come.

use std::time::Duration;

use super::ConnectionId;
use super::few::Few;
use super::session::SessionKey;

/// Something that falls due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// The connection has not completed its CONNECT, authentication included.
    Connect(ConnectionId),
    /// The client may have been silent for one and a half times its Keep Alive.
    KeepAlive(ConnectionId),
    /// The Will Delay Interval of a session has passed.
    Will(SessionKey),
    /// The Session Expiry Interval of a session has passed.
    SessionExpiry(SessionKey),
}

/// All that falls due, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(Few<(Duration, Deadline), (), 4>);

impl Deadlines {
    pub(crate) fn set(&mut self, at: Duration, deadline: Deadline) {
        self.0.insert((at, deadline), ());
    }

    pub(crate) fn clear(&mut self, at: Duration, deadline: Deadline) {
        self.0.remove(&(at, deadline));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// When the next one falls due.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.0.first().map(|(&(at, _), ())| at)
    }

    /// Takes one that is due.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Deadline> {
        let (&(at, deadline), ()) = self.0.first()?;
        if at > now {
            return None;
        }
        self.clear(at, deadline);
        Some(deadline)
    }
}
