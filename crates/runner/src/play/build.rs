//! Building: from a packet as a step writes it to its bytes on the wire, sound or wrong on purpose.

use codec::draft::{self, Draft, FieldSpec, Kind, Malformation, Value};
use codec::{Direction, PacketType, Split, Version};
use scenario::Spanned;
use scenario::ast::{self, But, Fields};
use scenario::bytes::{Part, Width};

use super::client::Client;
use super::connection::Connection;
use super::scope::{Datum, Scope};
use super::stage::Stage;
use super::stop::{Outcome, Stop};
use super::value::number;

/// The Session Expiry Interval of `session: keep`, in seconds.
const KEPT: u64 = 600;
/// The Keep Alive of a client that gives none, in seconds: longer than any scenario is silent.
const KEEP_ALIVE: u64 = 600;

/// What stands in `clients:` and in `connects:` beside the fields of CONNECT.
const OPTIONS: [&str; 3] = ["version", "link", "session"];

impl Stage<'_> {
    /// The sound packet that a step writes.
    pub(super) fn sound(
        &self,
        client: &Client,
        connection: Option<&Connection>,
        packet_type: PacketType,
        fields: &Fields,
    ) -> Outcome<Draft> {
        let scope = self.scope().speaking(client.version);
        let mut packet = Draft::new(packet_type, client.version);
        if packet_type == PacketType::Connect {
            self.prepare_connect(client, fields, &mut packet)?;
        }
        for (name, written) in &fields.0 {
            let option =
                packet_type == PacketType::Connect && OPTIONS.contains(&name.value.as_str());
            if !option {
                set(&scope, &mut packet, name, written)?;
            }
        }
        if packet.get("id").is_none()
            && wants_id(&packet)
            && let Some(connection) = connection
        {
            put(
                &mut packet,
                "id",
                Value::Number(client.packet_id(connection).into()),
            );
        }
        Ok(packet)
    }

    /// What every CONNECT has unless the scenario says otherwise.
    fn prepare_connect(&self, client: &Client, fields: &Fields, packet: &mut Draft) -> Outcome {
        put(
            packet,
            "client_id",
            Value::Text(client.id.clone().into_bytes()),
        );
        put(packet, "keep_alive", Value::Number(KEEP_ALIVE));
        put(packet, "clean", Value::Flag(true));
        if let Some(credentials) = self.target.credentials()
            && fields.get("user_name").is_none()
            && fields.get("password").is_none()
        {
            put(
                packet,
                "user_name",
                Value::Text(credentials.user.clone().into_bytes()),
            );
            if let Some(password) = &credentials.password {
                put(
                    packet,
                    "password",
                    Value::Binary(password.clone().into_bytes()),
                );
            }
        }
        if let Some(session) = fields.get("session") {
            match self.resolve_text(session)?.as_str() {
                "keep" => {
                    put(packet, "clean", Value::Flag(false));
                    if client.version == Version::V5_0 {
                        put(packet, "session_expiry", Value::Number(KEPT));
                    }
                }
                "clean" => {}
                other => {
                    return Err(self.cannot_at(
                        session.span,
                        format!("a session is `keep` or `clean`, not `{other}`"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Turns a sound packet into the wrong one that `but:` describes.
    pub(super) fn spoil(&self, client: &Client, packet: &mut Draft, but: &But) -> Outcome {
        let scope = self.scope().speaking(client.version);
        for (name, written) in &but.fields.0 {
            set(&scope, packet, name, written)?;
        }
        for (name, written) in &but.lies {
            // It is no part of the packet: whoever sends it sees to it.
            if name.value == "frame" {
                continue;
            }
            let Some(spec) = draft::malformations()
                .iter()
                .find(|spec| spec.name == name.value)
            else {
                return Err(self.cannot_at(
                    name.span,
                    format!("there is no malformation `{}`", name.value),
                ));
            };
            let Some(value) = scope.resolve(written, spec.kind)? else {
                continue;
            };
            let value = name_part(packet, value);
            let malformation = Malformation::new(&name.value, value)
                .map_err(|error| self.cannot_at(written.span, error))?;
            packet.malform(malformation);
        }
        Ok(())
    }

    /// The bytes of raw notation.
    pub(super) fn raw(&self, parts: &[Part]) -> Outcome<Vec<u8>> {
        let scope = self.scope();
        let mut bytes = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(literal) => bytes.extend_from_slice(literal),
                Part::Text(pieces) => bytes.extend(scope.scalar(pieces)?),
                Part::Inserted(expr) => bytes.extend(self.inserted(&scope, expr)?),
                Part::String(pieces) => {
                    let text = scope.scalar(pieces)?;
                    let length = u16::try_from(text.len()).map_err(|_| {
                        Stop::cannot("a string of more than 65535 bytes has no length")
                    })?;
                    bytes.extend(length.to_be_bytes());
                    bytes.extend(text);
                }
                Part::Number { width, value } => {
                    let number = scope.number(&value.value)?;
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "out of range is 0 or the largest"
                    )]
                    write_number(*width, number as u32, &mut bytes);
                }
            }
        }
        Ok(bytes)
    }
}

impl Stage<'_> {
    /// The bytes that a name stands for: data as it is, text as raw notation.
    fn inserted(&self, scope: &Scope<'_>, expr: &Spanned<ast::Expr>) -> Outcome<Vec<u8>> {
        let datum = scope.evaluate(&expr.value)?;
        match &datum {
            Datum::Field(Value::Binary(bytes) | Value::Text(bytes)) => return Ok(bytes.clone()),
            Datum::Written(written) if matches!(written.value, ast::Value::Matcher(_)) => {
                return scope.bytes_of(written);
            }
            _ => {}
        }
        let text = scope.text(&datum)?;
        let text = String::from_utf8_lossy(&text);
        let parts = scenario::bytes::parse(&text, &|_| expr.span)
            .map_err(|error| self.cannot_at(expr.span, error))?;
        self.raw(&parts)
    }
}

/// Takes note of raw bytes as of the packets that they hold.
pub(super) fn observe(connection: &Connection, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let version = connection.version;
        let Ok(Split::Complete {
            frame,
            rest: behind,
        }) = codec::split(
            rest,
            version,
            Direction::ToServer,
            codec::MAXIMUM_PACKET_SIZE,
        )
        else {
            break;
        };
        let Ok(packet) = codec::decode(frame, version, Direction::ToServer) else {
            break;
        };
        let packet = Draft::from_packet(&packet, version);
        connection.note(&packet, false);
        rest = behind;
    }
    if !rest.is_empty() {
        connection.look(|state| state.protocol.obscure = true);
    }
}

fn set(
    scope: &Scope<'_>,
    packet: &mut Draft,
    name: &ast::Name,
    written: &Spanned<ast::Value>,
) -> Outcome {
    let Some(spec) = draft::field(packet.packet_type(), &name.value) else {
        let message = format!("{} has no field `{}`", packet.packet_type(), name.value);
        return Err(scope.stage.cannot_at(name.span, message));
    };
    match scope.resolve(written, spec.kind)? {
        Some(value) => {
            packet
                .set(&name.value, value)
                .map_err(|error| scope.stage.cannot_at(written.span, error))?;
        }
        None => {
            packet.remove(&name.value);
        }
    }
    Ok(())
}

/// Sets a field that is known to exist and to take the value.
pub(super) fn put(packet: &mut Draft, name: &str, value: Value) {
    let set = packet.set(name, value);
    debug_assert!(set.is_ok(), "{set:?}");
}

fn wants_id(packet: &Draft) -> bool {
    match packet.packet_type() {
        PacketType::Subscribe | PacketType::Unsubscribe => true,
        PacketType::Publish => number(packet, "qos").unwrap_or(0) > 0,
        _ => false,
    }
}

/// The name that the codec knows a part of the packet by. A property of the Will is to be there before it is
/// repeated or left out, so it gets a value that is sound by itself.
fn name_part(packet: &mut Draft, name: Value) -> Value {
    let (Value::Text(text), Some(Value::Record(will))) = (&name, packet.get("will")) else {
        return name;
    };
    let part = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.strip_prefix("will."));
    let Some((part, spec)) = part.and_then(|part| Some((part, will_field(part)?))) else {
        return name;
    };
    let Some(property) = spec.property else {
        return name;
    };
    let mut will = will.clone();
    if will.get(part).is_none() {
        will.set(spec, draft::sample(property));
    }
    put(packet, "will", Value::Record(will));
    Value::Text(part.as_bytes().to_vec())
}

/// A field of the Will.
fn will_field(name: &str) -> Option<&'static FieldSpec> {
    match draft::field(PacketType::Connect, "will")?.kind {
        Kind::Record(specs) => specs.iter().find(|spec| spec.name == name),
        _ => None,
    }
}

fn write_number(width: Width, number: u32, bytes: &mut Vec<u8>) {
    match width {
        Width::U8 => bytes.extend_from_slice(&number.to_be_bytes()[3..]),
        Width::U16 => bytes.extend_from_slice(&number.to_be_bytes()[2..]),
        Width::U32 => bytes.extend_from_slice(&number.to_be_bytes()),
        Width::Variable => {
            let mut rest = number;
            loop {
                let low = rest.to_le_bytes()[0] & 0x7F;
                rest >>= 7;
                bytes.push(if rest > 0 { low | 0x80 } else { low });
                if rest == 0 {
                    break;
                }
            }
        }
    }
}
