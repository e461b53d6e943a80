//! A played script as a scenario: what was seen, in the language that `mqtt-assay run` plays again.
//!
//! What the target rightly sent becomes an expectation. What it should not have sent is left unread, what it should
//! have sent is expected, and so the scenario fails on a target that does the same again, and passes on one that does
//! not.

use std::fmt::Write as _;
use std::time::Duration;

use codec::draft::{Draft, Value};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Split, Version};

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
    forbidden: bool,
    identifiers: usize,
    missing: Vec<(usize, Missing)>,
}

/// A line that may still change: a Packet Identifier gets a name when it is used again.
struct Line {
    text: String,
    identifier: Option<Identifier>,
    /// Whether it expects a message of somebody else's, which need not be there the next time.
    foreign: bool,
}

struct Identifier {
    name: String,
    used: bool,
}

#[derive(Clone)]
struct Client {
    version: Version,
    /// The version of its first link.
    first: Option<Version>,
    open: bool,
    ended: bool,
    connected: bool,
    unsent: Vec<u8>,
    unread: Vec<u8>,
    /// The lines whose PUBLISH has this Packet Identifier.
    deliveries: Vec<(u16, usize)>,
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
                unsent: Vec::new(),
                unread: Vec::new(),
                deliveries: Vec::new(),
            }),
            lines: Vec::new(),
            now: Duration::ZERO,
            named: !sends_raw_names(told),
            versions: Vec::new(),
            forbidden: false,
            identifiers: 0,
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
                What::Received(bytes) => return asked && accepts(bytes),
                _ => {}
            }
        }
        false
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: usize) {
        let mut unsent = std::mem::take(&mut self.clients[client].unsent);
        unsent.extend_from_slice(bytes);
        let mut rest = unsent.as_slice();
        let version = Version::V5_0;
        while let Ok(Split::Complete { frame, rest: after }) =
            codec::split(rest, version, Direction::ToServer, MAXIMUM_PACKET_SIZE)
        {
            self.packet_sent(client, frame, at);
            rest = after;
        }
        self.clients[client].unsent = rest.to_vec();
    }

    fn packet_sent(&mut self, client: usize, frame: Frame<'_>, at: usize) {
        if let (false, Ok((version, connect))) =
            (self.clients[client].connected, codec::decode_connect(frame))
        {
            self.clients[client].version = version;
            self.clients[client].first.get_or_insert(version);
            if !self.versions.contains(&version) {
                self.versions.push(version);
            }
            let name = self.name(client);
            let opened = self.told.transcript.entries[..at]
                .iter()
                .rposition(|entry| entry.client == client && entry.what == What::Opened);
            let draft = Draft::from_packet(&Packet::Connect(connect), version);
            if opened.is_some_and(|at| self.is_answered(at)) {
                self.clients[client].connected = true;
                let fields = self.fields(&draft);
                let clean = if connect.clean_start { "true" } else { "false" };
                let mut all = format!("version: {version}, clean: {clean}");
                if connect.keep_alive == 0 {
                    all.push_str(", keep_alive: 0");
                }
                if let Some(transport) = self.transport(client) {
                    let _ = write!(all, ", link: {{ transport: {transport} }}");
                }
                let inner = fields
                    .strip_prefix("{ ")
                    .and_then(|fields| fields.strip_suffix(" }"));
                if let Some(inner) = inner {
                    let _ = write!(all, ", {}", inner.replace(", clean: false", ""));
                }
                self.line(format!("{name} connects: {{ {all} }}"));
                return;
            }
            self.raw(client, frame.as_bytes(), false, None);
            return;
        }
        let name = self.name(client);
        let version = self.clients[client].version;
        match codec::decode(frame, version, Direction::ToServer) {
            Ok(packet)
                if self.clients[client].connected && !matches!(packet, Packet::Connect(_)) =>
            {
                let draft = Draft::from_packet(&packet, version);
                let mut fields = self.fields(&draft);
                if fields.contains("{ size: ") {
                    self.raw(client, frame.as_bytes(), false, None);
                    return;
                }
                if let Packet::Puback(_) | Packet::Pubrec(_) | Packet::Pubcomp(_) = packet {
                    fields = self.with_identifier(client, &draft, fields);
                }
                let packet_type = draft.packet_type();
                let line = if fields == "{}" {
                    format!("{name} -> {packet_type}")
                } else {
                    format!("{name} -> {packet_type}: {fields}")
                };
                self.line(line);
            }
            Ok(packet) => {
                let why = format!("{} does not belong here", packet.packet_type());
                self.raw(client, frame.as_bytes(), true, Some(why));
            }
            Err(violation) => {
                let why = format!("{violation}");
                self.raw(client, frame.as_bytes(), true, Some(why));
            }
        }
    }

    /// What a packet is not complete of goes out as it is.
    fn rest_is_sent(&mut self, client: usize) {
        let rest = std::mem::take(&mut self.clients[client].unsent);
        if !rest.is_empty() {
            let why = "the packet is not complete".to_owned();
            self.raw(client, &rest, true, Some(why));
        }
    }

    fn raw(&mut self, client: usize, bytes: &[u8], forbidden: bool, why: Option<String>) {
        self.forbidden |= forbidden;
        let mut text = format!(
            "{} {} bytes:",
            self.name(client),
            if forbidden { "!>" } else { "->" }
        );
        for byte in bytes {
            let _ = write!(text, " {byte:02x}");
        }
        if let Some(why) = why {
            let _ = write!(text, "\n    why: {}", quoted(&why));
        }
        self.line(text);
    }

    /// The fields of a packet, with `<t>` for the namespace.
    fn fields(&self, draft: &Draft) -> String {
        let text = draft.to_string();
        let fields = text.split_once(": ").map_or("{}", |(_, fields)| fields);
        if !self.named {
            return fields.to_owned();
        }
        let namespace = String::from_utf8_lossy(&self.told.namespace);
        fields.replace(&*namespace, "<t>")
    }

    /// An acknowledgement names the Packet Identifier of what it acknowledges, whatever the target chose.
    fn with_identifier(&mut self, client: usize, draft: &Draft, fields: String) -> String {
        let Some(Value::Number(number)) = draft.get("id") else {
            return fields;
        };
        let known = self.clients[client]
            .deliveries
            .iter()
            .rev()
            .find(|(id, _)| u64::from(*id) == *number);
        let Some(&(_, line)) = known else {
            return fields;
        };
        let Some(identifier) = &mut self.lines[line].identifier else {
            return fields;
        };
        identifier.used = true;
        fields.replacen(
            &format!("id: {number}"),
            &format!("id: <{}>", identifier.name),
            1,
        )
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let mut unread = std::mem::take(&mut self.clients[client].unread);
        unread.extend_from_slice(bytes);
        let mut rest = unread.as_slice();
        let version = Version::V5_0;
        while let Ok(Split::Complete { frame, rest: after }) =
            codec::split(rest, version, Direction::ToClient, MAXIMUM_PACKET_SIZE)
        {
            self.oracle.received(client, frame.as_bytes(), at);
            let wrong = self
                .oracle
                .take_findings()
                .iter()
                .any(|found| found.class() == self.told.finding.class());
            if wrong {
                self.expect_better(client, frame);
            } else {
                self.expect(client, frame, None);
            }
            rest = after;
        }
        self.clients[client].unread = rest.to_vec();
    }

    /// What a target without the fault sends instead.
    fn expect_better(&mut self, client: usize, frame: Frame<'_>) {
        let better = match self.told.finding.rule {
            "dup-on-a-first-sending" => ("dup", false),
            "retain-on-a-forwarded-message" => ("retain", false),
            "no-retain-on-a-retained-message" => ("retain", true),
            "session-present-without-a-session" | "session-present-on-a-clean-start" => {
                return self.expect_session(client, false);
            }
            "session-lost" => return self.expect_session(client, true),
            _ => return,
        };
        // Where all must come that is due, what is missing is told at the end.
        if self.told.strictness == Strictness::Safety || better.0 == "dup" {
            self.expect(client, frame, Some(better));
        }
    }

    /// The client's last CONNECT must be answered with this Session Present.
    fn expect_session(&mut self, client: usize, present: bool) {
        let connects = format!("{} connects: ", self.name(client));
        let mut lines = self.lines.iter_mut().rev();
        if let Some(line) = lines.find(|line| line.text.starts_with(&connects))
            && let Some(open) = line.text.strip_suffix(" }")
        {
            line.text = format!("{open}, gets: {{ session_present: {present} }} }}");
        }
    }

    fn expect(&mut self, client: usize, frame: Frame<'_>, better: Option<(&str, bool)>) {
        let version = self.clients[client].version;
        let Ok(packet) = codec::decode(frame, version, Direction::ToClient) else {
            return;
        };
        let name = self.name(client);
        let packet_type = packet.packet_type();
        let whole = Draft::from_packet(&packet, version);
        let kept: &[&str] = match packet_type {
            PacketType::Connack if self.clients[client].connected => return,
            PacketType::Disconnect => return,
            PacketType::Connack => &["reason"],
            PacketType::Publish => &["topic", "payload", "qos", "retain"],
            PacketType::Suback => &["id", "codes"],
            PacketType::Pingresp | PacketType::Auth => &[],
            _ => &["id"],
        };
        let mut draft = Draft::new(packet_type, version);
        for field in kept {
            if let Some(value) = whole.get(field) {
                let _ = draft.set(field, value.clone());
            }
        }
        let mut fields = self.fields(&draft);
        if let Some((field, value)) = better {
            let other = format!(", {field}: {}", !value);
            fields = fields.replace(&other, "");
            let open = fields.strip_suffix(" }").unwrap_or(&fields);
            fields = format!("{open}, {field}: {value} }}");
        }
        let text = if fields == "{}" {
            format!("{name} <- {packet_type}")
        } else {
            format!("{name} <- {packet_type}: {fields}")
        };
        let (mut identifier, mut foreign) = (None, false);
        if let Packet::Publish(publish) = packet {
            let name = self.told.namespace;
            let mut parts = publish.topic.as_bytes().windows(name.len());
            foreign = self.told.strictness == Strictness::Safety
                && !publish.topic.is_empty()
                && !parts.any(|part| part == name);
        }
        if let Packet::Publish(publish) = packet
            && let Some(number) = publish.packet_id
        {
            self.clients[client]
                .deliveries
                .push((number, self.lines.len()));
            self.identifiers += 1;
            identifier = Some(Identifier {
                name: format!("id{}", self.identifiers),
                used: false,
            });
        } else if let Packet::Pubrel(_) = packet {
            let text = self.with_identifier(client, &whole, text);
            self.line(text);
            return;
        }
        self.lines.push(Line {
            text,
            identifier,
            foreign,
        });
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

    fn finish(mut self) -> String {
        for client in 0..CLIENTS {
            self.rest_is_sent(client);
        }
        let mut missing = std::mem::take(&mut self.missing);
        if matches!(self.told.finding.rule, "panic" | "target-died") {
            missing.extend(self.oracle.unanswered());
        }
        for (client, missing) in missing {
            let name = self.name(client);
            let line = match missing {
                Missing::Close => format!("{name} <- closed"),
                // To connect is to wait for it.
                Missing::Answer(PacketType::Connack, _) if self.clients[client].connected => {
                    continue;
                }
                Missing::Answer(packet_type, 0) => format!("{name} <- {packet_type}"),
                Missing::Answer(packet_type, packet_id) => {
                    format!("{name} <- {packet_type}: {{ id: {packet_id} }}")
                }
                Missing::Message {
                    topic,
                    payload,
                    qos,
                    retained,
                    retain,
                } => {
                    let mut draft = Draft::new(PacketType::Publish, self.clients[client].version);
                    let _ = draft.set("topic", Value::Text(topic));
                    let _ = draft.set("payload", Value::Binary(payload));
                    let fields = self.fields(&draft);
                    let fields = fields.strip_suffix(" }").unwrap_or(&fields);
                    // Retain As Published decides about a message that was published with RETAIN.
                    let told = match self.told.finding.rule {
                        _ if retained => ", retain: true",
                        "retain-on-a-forwarded-message" => ", retain: false",
                        _ if retain => "",
                        _ => ", retain: false",
                    };
                    format!("{name} <- PUBLISH: {fields}, qos: {qos}{told} }}")
                }
            };
            self.line(line);
        }
        let finding = self.told.finding;
        let mut out = String::new();
        for note in self.told.notes {
            for line in note.lines() {
                let _ = writeln!(out, "# {}", visible(line));
            }
        }
        let _ = writeln!(
            out,
            "title: {}",
            quoted(&format!(
                "Found by fuzzing: {}",
                finding.rule.replace('-', " ")
            ))
        );
        let clause = finding
            .clause
            .map(|clause| clause.to_string())
            .unwrap_or_default();
        let _ = writeln!(out, "clauses: [{clause}]");
        let _ = writeln!(out, "why: {}", quoted(&finding.message));
        let own = finding
            .client
            .filter(|_| !self.versions.is_empty())
            .map(|client| self.clients[client % CLIENTS].version);
        let version = own.or_else(|| self.versions.first().copied());
        let version = version.unwrap_or(Version::V5_0);
        let _ = writeln!(out, "versions: [{version}]");
        if !self.named {
            out.push_str("alone: true\n");
        }
        out.push_str("steps:\n");
        for line in &self.lines {
            let needed = line.identifier.as_ref().is_some_and(|id| id.used);
            if line.foreign && !needed {
                continue;
            }
            let mut text = line.text.clone();
            if let Some(identifier) = &line.identifier
                && identifier.used
                && let Some(open) = text.strip_suffix(" }")
            {
                text = format!("{open}, id: <{}> }}", identifier.name);
            }
            let _ = writeln!(out, "  - {text}");
        }
        out
    }
}

/// Whether a CONNACK that accepts comes first.
fn accepts(bytes: &[u8]) -> bool {
    let (version, direction) = (Version::V5_0, Direction::ToClient);
    let split = codec::split(bytes, version, direction, MAXIMUM_PACKET_SIZE);
    matches!(split, Ok(Split::Complete { frame, .. })
        if frame.packet_type() == Some(PacketType::Connack)
            && bytes.get(frame.header_length() + 1) == Some(&0))
}

/// Whether bytes that no notation fits hold the namespace: then it must stay as it is, since its length is told.
fn sends_raw_names(told: &Told<'_>) -> bool {
    let name = told.namespace;
    let mut versions = [Version::V5_0; CLIENTS];
    told.transcript.entries.iter().any(|entry| {
        let What::Sent(bytes) = &entry.what else {
            return false;
        };
        let version = &mut versions[entry.client % CLIENTS];
        let sound = Frame::new(bytes).is_some_and(|frame| {
            if let Some(announced) = codec::announced_version(frame) {
                *version = announced;
            }
            // What the notation tells by its size alone goes out byte by byte, too.
            codec::decode(frame, *version, Direction::ToServer).is_ok_and(|packet| {
                let draft = Draft::from_packet(&packet, *version);
                !draft.to_string().contains("{ size: ")
            })
        });
        !sound && bytes.windows(name.len()).any(|part| part == name)
    })
}

/// Without characters that no comment can hold.
fn visible(text: &str) -> String {
    let mut visible = String::new();
    for character in text.chars() {
        if character.is_control() {
            visible.extend(character.escape_unicode());
        } else {
            visible.push(character);
        }
    }
    visible
}

/// A text between single quotes, as YAML has them, with nothing that the language interprets.
fn quoted(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    format!("'{}'", text.replace('\'', "''").replace('<', "<<"))
}
