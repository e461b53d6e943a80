//! The file: what is missing is expected last, and the head says what was found.

use std::fmt::Write as _;

use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use super::Writer;
use crate::oracle::Missing;
use crate::script::CLIENTS;

impl Writer<'_> {
    pub(super) fn finish(mut self) -> String {
        for client in 0..CLIENTS {
            self.rest_is_sent_at_last(client);
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
        let over_websocket = |transport: &&str| matches!(*transport, "ws" | "wss");
        if self.told.transports.iter().any(over_websocket) {
            out.push_str("requires: [websocket]\n");
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
pub(super) fn quoted(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    format!("'{}'", text.replace('\'', "''").replace('<', "<<"))
}
