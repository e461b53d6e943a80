//! What the broker holds, counted: for those who watch that it does not grow without bound.

use super::Core;

/// What a broker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
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
}

impl Core {
    /// Counts what the broker holds. It walks all Sessions.
    pub fn census(&self) -> Census {
        Census {
            connections: self.connections.len(),
            sessions: self.sessions.len(),
            retained: self.retained.len(),
            messages: self
                .sessions
                .all()
                .map(|session| session.outgoing.waiting.len() + session.outgoing.in_flight.len())
                .sum(),
            deadlines: self.deadlines.len(),
        }
    }
}
