//! What a target does behind a packet after which it must close: nothing that follows may be dealt with.
//!
//! A packet that is forbidden and still has a length leaves the stream readable: whoever answers a request behind it has
//! not closed. Where nobody knows any more which bytes are a packet, what the target does can only be compared with the
//! bytes themselves.

use clauses::ClauseId;

use super::link::{Kind, Link, Request};
use super::{Oracle, Tick, rule};

/// So much is kept of what no target should read.
const MOST_KEPT: usize = 65_536;

/// A packet that the standard forbids, and after which the target must close.
#[derive(Debug, Clone, Copy)]
pub(super) struct Violated {
    /// When it was sent.
    at: Tick,
    /// Whether it has only begun.
    begun: bool,
    clause: ClauseId,
    /// What it was, for people.
    what: &'static str,
}

/// Bytes that a client sent and that are no packets any more.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    bytes: Vec<u8>,
    /// Why the target should have closed before; none where MQTT 3.1 does not ask for it.
    behind: Option<Violated>,
}

impl Unreadable {
    fn holds(&self, what: &[u8]) -> bool {
        !what.is_empty() && self.bytes.windows(what.len()).any(|part| part == what)
    }
}

impl Link {
    /// The client has sent what the standard forbids: a target of 3.1.1 or 5.0 closes, and deals with nothing that
    /// follows. MQTT 3.1 demands no close.
    pub(super) fn violates(&mut self, clause: ClauseId, what: &'static str, at: Tick) {
        self.wrong(Some(clause), what);
        if self.violated.is_some_and(|violated| violated.begun) {
            self.violated = None;
        }
        self.must_end(clause, what, at, false);
    }

    /// The same where the packet is not whole: a target may wait for its end.
    pub(super) fn begins_wrongly(&mut self, clause: ClauseId, at: Tick) {
        self.must_end(clause, "a packet that begins wrongly", at, true);
    }

    fn must_end(&mut self, clause: ClauseId, what: &'static str, at: Tick, begun: bool) {
        if self.version != codec::Version::V3_1 {
            self.violated.get_or_insert(Violated {
                at,
                begun,
                clause,
                what,
            });
        }
    }

    /// Whether the target may have taken acknowledgements out of what nobody can take apart.
    pub(super) const fn may_hide_acknowledgements(&self) -> bool {
        self.blind || self.violated.is_some()
    }

    /// Keeps what can no longer be taken apart.
    pub(super) fn cannot_be_read(&mut self, bytes: &[u8]) {
        let kept = &mut self.unreadable.bytes;
        let room = MOST_KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.unreadable.behind = self.violated;
    }
}

impl Oracle {
    /// Takes the request that this answers, if there is one.
    pub(super) fn take_request(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
    ) -> Option<Request> {
        let link = self.links.get_mut(client)?.as_mut()?;
        let request = link.answered(kind, packet_id)?;
        let behind = link.violated.filter(|violated| request.sent > violated.at);
        if let Some(violated) = behind {
            self.goes_on(client, violated, &format!("it answers with {kind}"));
        }
        Some(request)
    }

    /// Whether an answer that nothing asked for may come of bytes that no target should read; says so where it must not.
    pub(super) fn answers_the_unreadable(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
    ) -> bool {
        let Some(Some(link)) = self.links.get(client) else {
            return false;
        };
        let mentions: [u8; 2] = match kind {
            Kind::Pingresp => [0xC0, 0],
            _ => packet_id.to_be_bytes(),
        };
        if !link.unreadable.holds(&mentions) {
            return false;
        }
        if let Some(violated) = link.unreadable.behind {
            self.goes_on(client, violated, &format!("it answers with {kind}"));
        }
        true
    }

    /// Whether a message may come of bytes that no target should read. Says so where it can come of nothing else: it was
    /// published by nobody.
    pub(super) fn comes_of_the_unreadable(
        &mut self,
        client: usize,
        (topic, payload): (&[u8], &[u8]),
        by_nobody: bool,
    ) -> bool {
        const SUBSCRIBE: u8 = 0x82;
        let links = self.links.iter().flatten().map(|link| &link.unreadable);
        let mut all = links.chain(&self.unreadable);
        let Some(unreadable) = all.clone().find(|unreadable| unreadable.holds(topic)) else {
            let subscribes = |unreadable: &Unreadable| unreadable.bytes.contains(&SUBSCRIBE);
            let own = self.links[client].as_ref().map(|link| &link.unreadable);
            // The Session may have subscribed on another connection.
            return own.is_some_and(subscribes) || !self.is_exact() && all.any(subscribes);
        };
        if by_nobody
            && (payload.is_empty() || unreadable.holds(payload))
            && let Some(violated) = unreadable.behind
        {
            self.goes_on(client, violated, "a message comes of that");
        }
        true
    }

    /// CONNACK accepts a CONNECT that the standard forbids.
    pub(super) fn lets_in_who_must_not(&mut self, client: usize) {
        // A sound CONNECT began a Session; what came behind it is no reason to refuse.
        let link = self.links[client]
            .as_ref()
            .filter(|link| link.session.is_none());
        if let Some(violated) = link.and_then(|link| link.violated) {
            self.goes_on(client, violated, "it accepts the connection");
        }
    }

    fn goes_on(&mut self, client: usize, violated: Violated, how: &str) {
        let message = format!("it goes on behind {}: {how}", violated.what);
        self.note(client, rule::GOES_ON.name, Some(violated.clause), message);
    }
}
