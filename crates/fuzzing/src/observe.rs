//! What can be seen of a target from its clients' side, as whoever plays a script tells it.

use std::time::Duration;

/// Who is told what the clients send and what they get.
///
/// Times count from the beginning of the script and never run backwards. The order of the calls says what could have
/// caused what: what a client is told to have [received](Self::received) before another is told to have
/// [sent](Self::sent) something was not caused by it.
pub trait Observer {
    /// A client has opened a link.
    fn opened(&mut self, client: usize, at: Duration) {
        let _ = (client, at);
    }

    /// A client is about to write these bytes. Told before they leave.
    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let _ = (client, bytes, at);
    }

    /// Bytes have come to a client, in whatever pieces.
    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let _ = (client, bytes, at);
    }

    /// A client no longer reads, until it sends or closes.
    fn stalled(&mut self, client: usize, at: Duration) {
        let _ = (client, at);
    }

    /// A link has ended; after [`End::HalfClosed`] the client still reads.
    fn ended(&mut self, client: usize, end: End, at: Duration) {
        let _ = (client, end, at);
    }

    /// The target has handled all that was sent so far, and all that it sent of its own accord has been received.
    fn settled(&mut self, at: Duration) {
        let _ = at;
    }

    /// The target is about to end, in good order, and to start again. Its links end after this.
    fn restarted(&mut self, at: Duration) {
        let _ = at;
    }
}

/// How a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The client closes it (FIN); told before it does.
    Closed,
    /// The client ends its own direction.
    HalfClosed,
    /// The client breaks it (RST): what was on its way is lost, in both directions.
    Cut,
    /// The target has closed it (FIN).
    ByTarget,
    /// The target has broken it (RST): what it sent last may be lost.
    Reset,
}

impl End {
    /// Whether the target ended it.
    pub const fn is_by_target(self) -> bool {
        matches!(self, Self::ByTarget | Self::Reset)
    }
}

/// Everything that was seen, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// What happened.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// To which client; 0 where it concerns all.
    pub client: usize,
    /// When, from the beginning of the script.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A link was opened.
    Opened,
    /// The client wrote bytes.
    Sent(Vec<u8>),
    /// Bytes came to the client.
    Received(Vec<u8>),
    /// The link ended.
    Ended(End),
    /// All that was sent so far was handled.
    Settled,
    /// The target started again.
    Restarted,
}

impl Transcript {
    fn note(&mut self, client: usize, at: Duration, what: What) {
        self.entries.push(Entry { client, at, what });
    }
}

impl Observer for Transcript {
    fn opened(&mut self, client: usize, at: Duration) {
        self.note(client, at, What::Opened);
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.note(client, at, What::Sent(bytes.to_vec()));
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.note(client, at, What::Received(bytes.to_vec()));
    }

    fn ended(&mut self, client: usize, end: End, at: Duration) {
        self.note(client, at, What::Ended(end));
    }

    fn settled(&mut self, at: Duration) {
        if !matches!(self.entries.last(), Some(entry) if entry.what == What::Settled) {
            self.note(0, at, What::Settled);
        }
    }

    fn restarted(&mut self, at: Duration) {
        self.note(0, at, What::Restarted);
    }
}

/// Two observers are told the same, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn opened(&mut self, client: usize, at: Duration) {
        self.0.opened(client, at);
        self.1.opened(client, at);
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.0.sent(client, bytes, at);
        self.1.sent(client, bytes, at);
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.0.received(client, bytes, at);
        self.1.received(client, bytes, at);
    }

    fn stalled(&mut self, client: usize, at: Duration) {
        self.0.stalled(client, at);
        self.1.stalled(client, at);
    }

    fn ended(&mut self, client: usize, end: End, at: Duration) {
        self.0.ended(client, end, at);
        self.1.ended(client, end, at);
    }

    fn settled(&mut self, at: Duration) {
        self.0.settled(at);
        self.1.settled(at);
    }

    fn restarted(&mut self, at: Duration) {
        self.0.restarted(at);
        self.1.restarted(at);
    }
}

impl<O: Observer> Observer for &mut O {
    fn opened(&mut self, client: usize, at: Duration) {
        (**self).opened(client, at);
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        (**self).sent(client, bytes, at);
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        (**self).received(client, bytes, at);
    }

    fn stalled(&mut self, client: usize, at: Duration) {
        (**self).stalled(client, at);
    }

    fn ended(&mut self, client: usize, end: End, at: Duration) {
        (**self).ended(client, end, at);
    }

    fn settled(&mut self, at: Duration) {
        (**self).settled(at);
    }

    fn restarted(&mut self, at: Duration) {
        (**self).restarted(at);
    }
}
