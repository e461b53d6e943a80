//! What goes over the connections, packet by packet, in the notation of scenarios.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use codec::draft::Draft;
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Split, Version};

use crate::core::{Action, ConnectionId, Event};

/// How many bytes of what is no packet are shown.
const SHOWN: usize = 64;

/// Something that happened on a connection. Displays as a step of a scenario, with what is no step as a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// When, since the broker's start.
    pub at: Duration,
    /// On which connection.
    pub connection: ConnectionId,
    /// What.
    pub what: String,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "- c{} {}", self.connection.0, self.what)
    }
}

/// Takes what is traced.
pub(super) type Sink = Box<dyn FnMut(&Traced) + Send>;

/// Follows every connection.
pub(super) struct Tracer {
    sink: Sink,
    links: BTreeMap<ConnectionId, Link>,
}

#[derive(Default)]
struct Link {
    /// The version of its CONNECT.
    version: Option<Version>,
    /// What has come of a packet that is not whole yet.
    input: Vec<u8>,
    /// Where the packets begin can no longer be told.
    lost: bool,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tracer({} connections)", self.links.len())
    }
}

impl Tracer {
    pub(super) fn new(sink: Sink) -> Self {
        Self {
            sink,
            links: BTreeMap::new(),
        }
    }

    /// An event that the core is about to take.
    pub(super) fn event(&mut self, at: Duration, event: &Event<'_>) {
        match *event {
            Event::Opened { connection } => {
                self.links.insert(connection, Link::default());
                self.tell(at, connection, "opens");
            }
            Event::Received { connection, bytes } => self.received(at, connection, bytes),
            Event::Ended { connection } => {
                let closed_already = self.links.remove(&connection).is_none();
                if !closed_already {
                    self.tell(at, connection, "closes");
                }
            }
            _ => {}
        }
    }

    /// An action that is about to be carried out.
    pub(super) fn action(&mut self, at: Duration, action: &Action) {
        match action {
            Action::Send { connection, bytes } => {
                let Some(link) = self.links.get(connection) else {
                    return;
                };
                let version = link.version.unwrap_or(Version::V5_0);
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (told, left) = first_packet(rest, version, Direction::ToClient);
                    self.tell(at, *connection, &format!("<- {told}"));
                    rest = left;
                }
            }
            Action::Close { connection, why } => {
                if self.links.remove(connection).is_some() {
                    let why = why.map_or(String::new(), |refusal| format!("  # {refusal}"));
                    self.tell(at, *connection, &format!("<- closed{why}"));
                }
            }
            Action::Persist(_) | Action::Verify { .. } | Action::Note(_) => {}
        }
    }

    fn received(&mut self, at: Duration, connection: ConnectionId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&connection) else {
            return;
        };
        let mut input = std::mem::take(&mut link.input);
        input.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let mut rest = &input[..];
        while !rest.is_empty() {
            if link.lost {
                lines.push(raw(rest));
                rest = &[];
                break;
            }
            let version = link.version.unwrap_or(Version::V5_0);
            match codec::split(rest, version, Direction::ToServer, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete { frame, rest: left }) => {
                    if link.version.is_none() {
                        link.version = codec::announced_version(frame);
                    }
                    let version = link.version.unwrap_or(Version::V5_0);
                    lines.push(packet(frame, version, Direction::ToServer));
                    rest = left;
                }
                Ok(Split::Incomplete { .. }) => break,
                Err(_) => link.lost = true,
            }
        }
        link.input = rest.to_vec();
        for line in lines {
            self.tell(at, connection, &format!("-> {line}"));
        }
    }

    fn tell(&mut self, at: Duration, connection: ConnectionId, what: &str) {
        (self.sink)(&Traced {
            at,
            connection,
            what: what.to_owned(),
        });
    }
}

/// The first packet of the bytes, and what is left of them.
fn first_packet(bytes: &[u8], version: Version, direction: Direction) -> (String, &[u8]) {
    match codec::split(bytes, version, direction, MAXIMUM_PACKET_SIZE) {
        Ok(Split::Complete { frame, rest }) => (packet(frame, version, direction), rest),
        _ => (raw(bytes), &[]),
    }
}

/// A packet in the notation of scenarios; its bytes, and what is wrong with them, where it is none.
fn packet(frame: Frame<'_>, version: Version, direction: Direction) -> String {
    match codec::decode(frame, version, direction) {
        Ok(packet) => Draft::from_packet(&packet, version).to_string(),
        Err(violation) => format!("{}  # {violation}", raw(frame.as_bytes())),
    }
}

fn raw(bytes: &[u8]) -> String {
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let digits: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = match bytes.len() - shown.len() {
        0 => String::new(),
        more => format!("  # and {more} bytes more"),
    };
    format!("bytes: {}{more}", digits.join(" "))
}
