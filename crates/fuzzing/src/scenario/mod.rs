//! A played script as a scenario: what was seen, in the language that `mqtt-assay run` plays again.
//!
//! What the target rightly sent becomes an expectation. What it should not have sent is left unread, what it should
//! have sent is expected, and so the scenario fails on a target that does the same again, and passes on one that does
//! not.

mod file;
mod received;
mod sent;

use std::time::Duration;

use codec::{Frame, Version};

use crate::observe::{End, Observer, Transcript, What};
use crate::oracle::{Finding, Missing, Oracle, Strictness};
use crate::script::{CLIENTS, TOKEN};

const NAMES: [&str; CLIENTS] = ["a", "b", "c", "d"];

/// Pauses of a real network below this are no part of the scenario.
const SHORTEST_WAIT: Duration = Duration::from_millis(400);

/// What is told.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// What was seen when the script was played.
    pub transcript: &'a Transcript,
    /// What was found then.
    pub finding: &'a Finding,
    /// What stood in place of [`TOKEN`].
    pub namespace: [u8; TOKEN.len()],
    /// How the target was judged.
    pub strictness: Strictness,
    /// The transports that the clients took, one after the other; whatever the run takes where there are none.
    pub transports: &'a [&'a str],
    /// More to be told at the top, as comments.
    pub notes: &'a [String],
}

/// The scenario, as a file.
pub fn render(told: &Told<'_>) -> String {
    let mut writer = Writer::new(told);
    for at in 0..told.transcript.entries.len() {
        writer.entry(at);
    }
    writer.finish()
}

struct Writer<'a> {
    told: &'a Told<'a>,
    /// Judges once more, packet by packet, to know which of them was wrong.
    oracle: Oracle,
    clients: [Client; CLIENTS],
    lines: Vec<Line>,
    now: Duration,
    /// Whether packets are written with `<t>` in place of the namespace.
    named: bool,
    versions: Vec<Version>,
    identifiers: usize,
    /// What clients have published.
    published: Vec<Published>,
    missing: Vec<(usize, Missing)>,
}

/// A line that may still change: a Packet Identifier gets a name when it is used again.
struct Line {
    text: String,
    identifier: Option<Identifier>,
    /// Whether it expects a message of somebody else's, which need not be there the next time.
    foreign: bool,
}

/// A message that may come to clients.
struct Published {
    payload: Vec<u8>,
    /// In seconds.
    expiry: Option<u32>,
    /// Which entry of the transcript sends it; none where the target does so itself, as a Will.
    at: Option<usize>,
}

/// A message that is expected.
#[derive(Clone)]
struct Expected {
    payload: Vec<u8>,
    retain: bool,
    /// Which of the lines does.
    line: usize,
}

struct Identifier {
    name: String,
    used: bool,
}

#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Client {
    version: Version,
    /// The version of its first link.
    first: Option<Version>,
    open: bool,
    ended: bool,
    connected: bool,
    /// Whether it has sent what is forbidden: a sound target answers nothing that comes behind it.
    forbidden: bool,
    unsent: Vec<u8>,
    unread: Vec<u8>,
    /// The lines whose PUBLISH has this Packet Identifier.
    deliveries: Vec<(u16, usize)>,
    /// The messages that are expected.
    expected: Vec<Expected>,
    /// Which entries of the transcript send SUBSCRIBE.
    subscribes: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(told: &'a Told<'a>) -> Self {
        Self {
            oracle: Oracle::new(told.strictness).in_namespace(told.namespace),
            clients: std::array::from_fn(|_| Client {
                version: Version::V5_0,
                first: None,
                open: false,
                ended: false,
                connected: false,
                forbidden: false,
                unsent: Vec::new(),
                unread: Vec::new(),
                deliveries: Vec::new(),
                expected: Vec::new(),
                subscribes: Vec::new(),
            }),
            lines: Vec::new(),
            now: Duration::ZERO,
            named: !sent::sends_raw_names(told),
            versions: Vec::new(),
            identifiers: 0,
            published: Vec::new(),
            missing: Vec::new(),
            told,
        }
    }

    fn entry(&mut self, at: usize) {
        let entry = &self.told.transcript.entries[at];
        let (client, time) = (entry.client % CLIENTS, entry.at);
        let pause = time.saturating_sub(self.now);
        self.now = self.now.max(time);
        if pause >= SHORTEST_WAIT {
            let milliseconds = pause.as_millis();
            let wait = if milliseconds.is_multiple_of(1000) {
                format!("wait: {}s", milliseconds / 1000)
            } else {
                format!("wait: {milliseconds}ms")
            };
            self.line(wait);
        }
        match &entry.what {
            What::Opened => {
                self.oracle.opened(client, time);
                let state = &mut self.clients[client];
                if state.ended && state.connected {
                    self.line(format!("{} closes", self.name(client)));
                }
                let state = &mut self.clients[client];
                (state.open, state.ended, state.connected) = (true, false, false);
                state.forbidden = false;
                state.unsent.clear();
                state.unread.clear();
                state.deliveries.clear();
                if !self.is_answered(at) {
                    let opens = match self.transport(client) {
                        Some(transport) => format!("opens: {{ transport: {transport} }}"),
                        None => "opens".to_owned(),
                    };
                    self.line(format!("{} {opens}", self.name(client)));
                }
            }
            What::Sent(bytes) => {
                self.oracle.sent(client, bytes, time);
                self.sent(client, bytes, at);
            }
            What::Received(bytes) => self.received(client, bytes, time),
            What::Ended(end) => {
                self.rest_is_sent(client);
                self.oracle.ended(client, *end, time);
                self.ended(client, *end);
            }
            What::Settled => self.oracle.settled(time),
            What::Restarted => {
                self.oracle.restarted(time);
                self.line("target restarts".to_owned());
                for state in &mut self.clients {
                    state.ended |= state.open;
                    state.connected = false;
                }
            }
        }
        // A target without the fault sends it, whatever the finding is about.
        for (finding, missing) in self.oracle.take_missing() {
            self.missing
                .push((finding.client.unwrap_or(client), missing));
        }
        self.oracle.take_findings();
    }

    /// What the client is called: a client of a scenario keeps its version for good.
    fn name(&self, client: usize) -> String {
        let state = &self.clients[client];
        match state.first {
            Some(first) if first != state.version => {
                format!("{}{}", NAMES[client], state.version.level())
            }
            _ => NAMES[client].to_owned(),
        }
    }

    fn transport(&self, client: usize) -> Option<&'a str> {
        let transports = self.told.transports;
        transports.get(client % transports.len().max(1)).copied()
    }

    fn line(&mut self, text: String) {
        self.lines.push(Line {
            text,
            identifier: None,
            foreign: false,
        });
    }

    /// Whether the link that was opened here gets a CONNACK that accepts.
    fn is_answered(&self, at: usize) -> bool {
        let entries = &self.told.transcript.entries;
        let client = entries[at].client;
        let mut asked = false;
        for entry in entries[at + 1..]
            .iter()
            .filter(|entry| entry.client == client)
        {
            match &entry.what {
                What::Opened | What::Ended(_) => return false,
                What::Sent(bytes) if !asked => {
                    let Some(frame) = Frame::new(bytes) else {
                        return false;
                    };
                    if codec::decode_connect(frame).is_err() {
                        return false;
                    }
                    asked = true;
                }
                What::Received(bytes) => return asked && received::accepts(bytes),
                _ => {}
            }
        }
        false
    }

    fn ended(&mut self, client: usize, end: End) {
        let name = self.name(client);
        let state = &mut self.clients[client];
        if !state.open || state.ended {
            return;
        }
        if end != End::HalfClosed {
            state.ended = true;
            state.open = false;
        }
        let line = match end {
            End::Closed => "closes",
            End::HalfClosed => "half-closes",
            End::Cut => "cuts",
            End::ByTarget | End::Reset => {
                let found = self.oracle.take_findings();
                if found
                    .iter()
                    .any(|found| found.class() == self.told.finding.class())
                {
                    self.line(format!("{name} pings"));
                } else {
                    self.line(format!("{name} <- closed"));
                }
                return;
            }
        };
        state.connected = false;
        self.line(format!("{name} {line}"));
    }
}
