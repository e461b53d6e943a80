//! Plays a script on a core: an exchange of packets, one step a line, in the notation of scenarios.
//!
//! ```text
//! a: v5.0 connects { client_id: a }         opens a connection, sends CONNECT, takes the CONNACK
//! a -> PUBLISH: { topic: t, payload: x }    sends
//! a <- PUBLISH: { topic: t, payload: x }    the next packet must be exactly this one
//! a <- CONNACK: { reason: success, .. }     must have these fields
//! a <- closed                               the core has closed the connection
//! a cuts                                    the client's end is lost
//! a is verified                             whoever checks passwords tells the core
//! noted CLAUSE: text                        the core's next note names the clause and has the text
//! wait 10s                                  time passes
//! the broker stops                          and takes leave of its clients
//! ```
//!
//! Every packet of the core is decoded strictly. What a script does not expect fails it, at the latest at its end.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use broker::Config;
use broker::core::{Action, Claim, ConnectionId, Core, Event, Note};
use broker::rules::ClauseSet;
use codec::draft::{Draft, FieldSpec, Kind, Record, Value, field};
use codec::{Direction, PacketType, ReasonCode, Split, Version};

thread_local! {
    /// What the brokers of this thread disobey.
    pub(crate) static BROKEN: Cell<ClauseSet> = const { Cell::new(ClauseSet::EMPTY) };
    /// The rules that the brokers of this thread have consulted.
    pub(crate) static CONSULTED: Cell<ClauseSet> = const { Cell::new(ClauseSet::EMPTY) };
}

/// Plays a script on a broker of its own and returns it for a closer look.
pub(crate) fn play(mut config: Config, script: &str) -> Core {
    config.broken = BROKEN.get();
    config.check().expect("a configuration that can be served");
    let mut player = Player {
        core: Core::new(config).noting(),
        now: Duration::ZERO,
        opened: 0,
        clients: BTreeMap::new(),
        claims: BTreeMap::new(),
        notes: VecDeque::new(),
    };
    for (number, line) in (1..).zip(script.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if !line.is_empty() {
            player.step(line, number);
        }
    }
    let mut consulted = CONSULTED.get();
    player.core.consulted().iter().for_each(|clause| {
        consulted.insert(clause);
    });
    CONSULTED.set(consulted);
    for (name, client) in &player.clients {
        assert!(
            client.inbox.is_empty(),
            "{name} was also sent {:?}",
            client.inbox
        );
    }
    player.core
}

struct Player {
    core: Core,
    now: Duration,
    opened: u64,
    clients: BTreeMap<String, Client>,
    claims: BTreeMap<ConnectionId, Claim>,
    notes: VecDeque<Note>,
}

struct Client {
    version: Version,
    connection: ConnectionId,
    inbox: VecDeque<Draft>,
    closed: bool,
}

impl Player {
    fn step(&mut self, line: &str, number: usize) {
        let at = format!("line {number}: {line}");
        if let Some(time) = line.strip_prefix("wait ") {
            let seconds: f64 = time.trim_end_matches('s').parse().expect(&at);
            return self.wait(self.now + Duration::from_secs_f64(seconds));
        }
        if line == "the broker stops" {
            return self.handle(Event::Stopping);
        }
        if let Some(note) = line.strip_prefix("noted ") {
            let (clause, text) = note.split_once(": ").expect(&at);
            let noted = self.notes.pop_front().expect(&at);
            assert_eq!(noted.clause().name(), clause, "{at}\n{noted}");
            assert!(noted.to_string().contains(text), "{at}\n{noted}");
            return;
        }
        let (name, rest) = line.split_once([' ', ':']).expect(&at);
        let rest = rest.trim_start_matches(':').trim();
        if let Some((version, fields)) = rest.split_once(" connects") {
            self.open(name, version.parse().expect(&at));
            self.send(name, &format!("CONNECT: {}", fields.trim()), &at);
            let answer = self.next(name, &at);
            let reason = answer.get("reason");
            let accepted = reason.is_none_or(|reason| *reason == Value::Number(0));
            assert!(
                answer.packet_type() == PacketType::Connack && accepted,
                "{at}\nwas answered by {answer}"
            );
            return;
        }
        match rest.split_once(' ').unwrap_or((rest, "")) {
            ("opens", version) => self.open(name, version.parse().expect(&at)),
            ("->", packet) => self.send(name, packet, &at),
            ("cuts", _) => {
                let connection = self.client(name, &at).connection;
                self.handle(Event::Ended { connection });
                self.client(name, &at).closed = true;
            }
            ("is", "verified") => {
                let connection = self.client(name, &at).connection;
                let holds = self.claims.remove(&connection).expect(&at).holds();
                self.handle(Event::Verified { connection, holds });
            }
            ("congested", _) => {
                let connection = self.client(name, &at).connection;
                self.handle(Event::Congested { connection });
            }
            ("drained", _) => {
                let connection = self.client(name, &at).connection;
                self.handle(Event::Drained { connection });
            }
            ("<-", "closed") => {
                let client = self.client(name, &at);
                assert!(
                    client.inbox.is_empty(),
                    "{at}\nwas sent before {:?}",
                    client.inbox
                );
                assert!(client.closed, "{at}\nis still open");
            }
            ("<-", "nothing") => {
                let client = self.client(name, &at);
                let unread: Vec<_> = client.inbox.iter().map(ToString::to_string).collect();
                assert!(unread.is_empty(), "{at}\nwas sent {unread:?}");
                assert!(!client.closed, "{at}\nis closed");
            }
            ("<-", packet) => self.expect(name, packet, &at),
            _ => panic!("{at}\nis no step"),
        }
    }

    fn open(&mut self, name: &str, version: Version) {
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        let client = Client {
            version,
            connection,
            inbox: VecDeque::new(),
            closed: false,
        };
        self.clients.insert(name.into(), client);
        self.handle(Event::Opened { connection });
    }

    fn send(&mut self, name: &str, packet: &str, at: &str) {
        let client = self.client(name, at);
        let connection = client.connection;
        let bytes: Vec<u8> = if let Some(hex) = packet.strip_prefix("bytes ") {
            hex.split(' ')
                .map(|byte| u8::from_str_radix(byte, 16).expect(at))
                .collect()
        } else {
            let (draft, _) = parse(packet, client.version);
            draft.encode().expect(at)
        };
        self.handle(Event::Received {
            connection,
            bytes: &bytes,
        });
    }

    fn next(&mut self, name: &str, at: &str) -> Draft {
        let client = self.client(name, at);
        let closed = client.closed;
        client
            .inbox
            .pop_front()
            .unwrap_or_else(|| panic!("{at}\nwas sent nothing, closed: {closed}"))
    }

    fn expect(&mut self, name: &str, packet: &str, at: &str) {
        let received = self.next(name, at);
        let (expected, open) = parse(packet, received.version());
        assert_eq!(
            received.packet_type(),
            expected.packet_type(),
            "{at}\nreceived {received}"
        );
        let mut surplus = received.clone();
        for (spec, value) in expected.fields().iter() {
            let held = surplus.remove(spec.name);
            assert_eq!(held.as_ref(), Some(value), "{at}\nreceived {received}");
        }
        // What has its default is not told.
        let nothing = Draft::new(received.packet_type(), received.version());
        let surplus = surplus.to_string();
        assert!(
            open || surplus == nothing.to_string(),
            "{at}\nreceived {received}"
        );
    }

    fn wait(&mut self, until: Duration) {
        while let Some(deadline) = self
            .core
            .next_deadline()
            .filter(|&deadline| deadline <= until)
        {
            self.now = deadline;
            self.handle(Event::TimePassed);
        }
        self.now = until;
    }

    fn client(&mut self, name: &str, at: &str) -> &mut Client {
        self.clients
            .get_mut(name)
            .unwrap_or_else(|| panic!("{at}\nnames nobody"))
    }

    fn handle(&mut self, event: Event<'_>) {
        let mut actions = Vec::new();
        self.core.handle(event, self.now, &mut actions);
        for action in actions {
            match action {
                Action::Send { connection, bytes } => self.sent(connection, &bytes),
                Action::Close { connection, .. } => self.of(connection).closed = true,
                Action::Verify { connection, claim } => {
                    self.claims.insert(connection, claim);
                }
                Action::Note(note) => self.notes.push_back(note),
                Action::Persist(_) => {}
            }
        }
    }

    fn sent(&mut self, connection: ConnectionId, mut bytes: &[u8]) {
        let client = self.of(connection);
        assert!(!client.closed, "sent to a closed connection: {bytes:02x?}");
        while !bytes.is_empty() {
            let split = codec::split(bytes, client.version, Direction::ToClient, usize::MAX);
            let Ok(Split::Complete { frame, rest }) = split else {
                panic!("no whole packets: {bytes:02x?}");
            };
            match codec::decode(frame, client.version, Direction::ToClient) {
                Ok(packet) => client
                    .inbox
                    .push_back(Draft::from_packet(&packet, client.version)),
                Err(violation) => panic!("the core sent {bytes:02x?}: {violation}"),
            }
            // The codec lets the unused bits of 3.1 be what they are.
            let unused = frame.packet_type() == Some(PacketType::Connack) && frame.flags() != 0;
            assert!(!unused, "the core sent unused bits: {bytes:02x?}");
            bytes = rest;
        }
    }

    fn of(&mut self, connection: ConnectionId) -> &mut Client {
        self.clients
            .values_mut()
            .find(|client| client.connection == connection)
            .expect("the connection of a client")
    }
}

/// Reads `PACKET: { field: value, … }`; tells whether `..` leaves other fields open.
fn parse(text: &str, version: Version) -> (Draft, bool) {
    let (name, fields) = text.split_once(':').unwrap_or((text, ""));
    let packet_type: PacketType = name.trim().parse().expect("a packet");
    let mut draft = Draft::new(packet_type, version);
    let fields = fields.trim();
    if fields.is_empty() {
        return (draft, false);
    }
    let mut open = false;
    for (name, value) in entries(fields) {
        if name == ".." {
            open = true;
            continue;
        }
        let spec =
            field(packet_type, name).unwrap_or_else(|| panic!("{packet_type} has no {name}"));
        draft
            .set(name, read(spec, value))
            .expect("a value of its kind");
    }
    (draft, open)
}

fn read(spec: &FieldSpec, text: &str) -> Value {
    let texts = || items(text).map(bytes).collect();
    match spec.kind {
        Kind::Flag => match text {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            number => Value::Number(number.parse().expect("a flag")),
        },
        Kind::ReasonCode => Value::Number(code(text)),
        Kind::Number { .. } | Kind::QoS => Value::Number(text.parse().expect("a number")),
        Kind::Position => Value::Integer(text.parse().expect("a number")),
        Kind::Text => Value::Text(bytes(text)),
        Kind::Binary => Value::Binary(bytes(text)),
        Kind::Numbers { .. } => Value::Numbers(
            items(text)
                .map(|item| item.parse().expect("a number"))
                .collect(),
        ),
        Kind::ReasonCodes => Value::Numbers(items(text).map(code).collect()),
        Kind::Texts => Value::Texts(texts()),
        Kind::Pairs => Value::Pairs(
            items(text)
                .map(|pair| {
                    let pair: Vec<_> = items(pair).collect();
                    (bytes(pair[0]), bytes(pair[1]))
                })
                .collect(),
        ),
        Kind::Records(fields) => {
            Value::Filters(items(text).map(|item| record(fields, item)).collect())
        }
        Kind::Record(fields) => Value::Record(record(fields, text)),
    }
}

fn record(fields: &'static [FieldSpec], text: &str) -> Record {
    let mut record = Record::new();
    for (name, value) in entries(text) {
        let spec = fields
            .iter()
            .find(|spec| spec.name == name)
            .unwrap_or_else(|| panic!("no field {name}"));
        record.set(spec, read(spec, value));
    }
    record
}

fn code(text: &str) -> u64 {
    let number = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let named = || {
        ReasonCode::from_name(text)
            .or_else(|| codec::connect_return_code::from_name(text))
            .map(|code| u64::from(code.0))
    };
    number
        .or_else(named)
        .unwrap_or_else(|| panic!("no Reason Code {text}"))
}

fn bytes(text: &str) -> Vec<u8> {
    text.trim_matches('\'').as_bytes().to_vec()
}

/// The entries of `{ name: value, … }`.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or_else(|| panic!("no map: {text}"));
    split(inner).map(|entry| {
        let (name, value) = entry.split_once(':').unwrap_or((entry, ""));
        (name.trim(), value.trim())
    })
}

/// The items of `[a, b, …]`.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or_else(|| panic!("no list: {text}"));
    split(inner)
}

/// The parts between commas that stand outside of brackets and quotes.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quoted) = (0, false);
    text.split(move |character| {
        match character {
            '\'' => quoted = !quoted,
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0 && !quoted
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}
