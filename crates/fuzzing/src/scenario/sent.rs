//! What a client sends, as steps.

use std::fmt::Write as _;

use codec::draft::{Draft, Value};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, Split, Version};

use super::file::quoted;
use super::{Client, Published, Told, Writer};
use crate::observe::What;
use crate::oracle::Missing;
use crate::script::CLIENTS;

impl Writer<'_> {
    pub(super) fn sent(&mut self, client: usize, bytes: &[u8], at: usize) {
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

    pub(super) fn packet_sent(&mut self, client: usize, frame: Frame<'_>, at: usize) {
        if let (false, Ok((version, connect))) =
            (self.clients[client].connected, codec::decode_connect(frame))
        {
            self.published.extend(connect.will.map(|will| Published {
                payload: will.payload.to_vec(),
                expiry: will.properties.message_expiry_interval(),
                at: None,
            }));
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
                    let mut inner = inner.replace(", clean: false", "");
                    if version == Version::V3_1 && self.named {
                        // 3.1 lets a target refuse an empty one.
                        let own = format!("client_id: <t>{name}");
                        inner = inner.replace("client_id: ''", &own);
                    }
                    let _ = write!(all, ", {inner}");
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
            Ok(Packet::Publish(publish)) if !self.clients[client].forbidden => {
                self.published.push(Published {
                    payload: publish.payload.to_vec(),
                    expiry: publish.properties.message_expiry_interval(),
                    at: Some(at),
                });
            }
            Ok(Packet::Subscribe(_)) => self.clients[client].subscribes.push(at),
            _ => {}
        }
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
    pub(super) fn rest_is_sent(&mut self, client: usize) {
        let rest = std::mem::take(&mut self.clients[client].unsent);
        if !rest.is_empty() {
            let why = "the packet is not complete".to_owned();
            self.raw(client, &rest, true, Some(why));
        }
    }

    /// At the end of all, what is not complete can only be followed by the end: who waits for the rest, as a target may,
    /// is told that none comes.
    pub(super) fn rest_is_sent_at_last(&mut self, client: usize) {
        let name = self.name(client);
        let Client {
            unsent,
            open,
            connected,
            version,
            ..
        } = &self.clients[client];
        let split = codec::split(unsent, *version, Direction::ToServer, MAXIMUM_PACKET_SIZE);
        let is_begun = !unsent.is_empty() && matches!(split, Ok(Split::Incomplete { .. }));
        let is_garbled = split.is_err();
        let ends = *open && *connected && self.told.finding.client == Some(client);
        self.rest_is_sent(client);
        if ends && is_begun {
            self.line(format!("{name} half-closes"));
        }
        if ends && (is_begun || is_garbled) && self.missing_close(client) {
            self.line(format!("{name} <- closed"));
        }
    }

    /// Whether nothing else says that the target closes the client's connection.
    fn missing_close(&self, client: usize) -> bool {
        let told =
            |(at, missing): &(usize, Missing)| *at == client && matches!(missing, Missing::Close);
        !self.missing.iter().any(told)
    }

    pub(super) fn raw(
        &mut self,
        client: usize,
        bytes: &[u8],
        forbidden: bool,
        why: Option<String>,
    ) {
        self.clients[client].forbidden |= forbidden;
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
    pub(super) fn fields(&self, draft: &Draft) -> String {
        let text = draft.to_string();
        let fields = text.split_once(": ").map_or("{}", |(_, fields)| fields);
        if !self.named {
            return fields.to_owned();
        }
        let namespace = String::from_utf8_lossy(&self.told.namespace);
        fields.replace(&*namespace, "<t>")
    }

    /// An acknowledgement names the Packet Identifier of what it acknowledges, whatever the target chose.
    pub(super) fn with_identifier(
        &mut self,
        client: usize,
        draft: &Draft,
        fields: String,
    ) -> String {
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
}

/// Whether bytes that no notation fits hold the namespace: then it must stay as it is, since its length is told.
pub(super) fn sends_raw_names(told: &Told<'_>) -> bool {
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
