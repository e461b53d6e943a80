//! What a scenario says of a client's link and connection: `link:` options, `<a.id>`, `<a.connack.…>`.

use std::borrow::Cow;
use std::time::Duration;

use codec::Version;
use codec::draft::{Kind, Value};
use scenario::Spanned;
use scenario::ast;

use super::client::Client;
use super::connection::Connection;
use super::scope::Datum;
use super::stage::{Stage, field_datum};
use super::stop::{Outcome, Stop};
use super::value::number;
use crate::link::{Conditions, Frames, LinkKind, LinkOptions, Segments};

/// The options of a link, as `link:` or `opens:` writes them.
pub(super) fn options(stage: &Stage<'_>, written: &Spanned<ast::Value>) -> Outcome<LinkOptions> {
    if let ast::Value::Record(fields) = &written.value {
        return options_of(stage, fields);
    }
    let name = stage.resolve_text(written)?;
    let kind = LinkKind::from_name(&name)
        .ok_or_else(|| Stop::cannot(format!("there is no link of kind `{name}`")))?;
    Ok(LinkOptions {
        conditions: kind.conditions(),
        ..stage.settings.way.options()
    })
}

/// The same, from the fields.
pub(super) fn options_of(stage: &Stage<'_>, fields: &ast::Fields) -> Outcome<LinkOptions> {
    let mut options = stage.settings.way.options();
    let conditions = |options: &LinkOptions| options.conditions.unwrap_or(Conditions::NONE);
    for (name, written) in &fields.0 {
        match name.value.as_str() {
            "transport" => {
                let text = stage.resolve_text(written)?;
                let transport = text
                    .parse()
                    .map_err(|error| Stop::Skip(format!("{error}")))?;
                options.transport = Some(transport);
            }
            "segments" => {
                let text = stage.resolve_text(written)?;
                options.segments = Segments::from_name(&text).ok_or_else(|| {
                    Stop::cannot(format!("there are no segments called `{text}`"))
                })?;
            }
            "frames" => {
                let text = stage.resolve_text(written)?;
                options.frames = Frames::from_name(&text)
                    .ok_or_else(|| Stop::cannot(format!("frames cannot have `{text}` bytes")))?;
            }
            "offer" => options.offer = texts(stage, written)?,
            // What the target must answer is looked at when it has answered.
            "gets" => {}
            "latency" => {
                let seconds = stage.resolve_text(written)?.parse().ok();
                let latency = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
                let latency = latency.ok_or_else(|| Stop::cannot("this is no latency"))?;
                options.conditions = Some(Conditions {
                    latency,
                    ..conditions(&options)
                });
            }
            "bandwidth" => {
                let text = stage.resolve_text(written)?;
                let bandwidth = text.parse().ok().filter(|bandwidth| *bandwidth > 0);
                options.conditions = Some(Conditions {
                    bandwidth: Some(bandwidth.ok_or_else(|| {
                        Stop::cannot(format!("`{text}` bytes a second carry nothing"))
                    })?),
                    ..conditions(&options)
                });
            }
            other => {
                return Err(Stop::cannot(format!("links have no option `{other}`")));
            }
        }
    }
    Ok(options)
}

fn texts(stage: &Stage<'_>, written: &Spanned<ast::Value>) -> Outcome<Option<Vec<String>>> {
    let Some(Value::Texts(texts)) = stage.scope().resolve(written, Kind::Texts)? else {
        return Ok(None);
    };
    let texts = texts.iter().map(|text| String::from_utf8_lossy(text));
    Ok(Some(texts.map(Cow::into_owned).collect()))
}

/// Judges what the target answered to the opening of a link, by `gets:`.
pub(super) fn judge_opening(
    stage: &Stage<'_>,
    connection: &Connection,
    options: &ast::Fields,
) -> Outcome {
    let Some(ast::Value::Record(gets)) = options.get("gets").map(|gets| &gets.value) else {
        return Ok(());
    };
    let Some(expected) = gets.get("subprotocol") else {
        return Ok(());
    };
    let wanted = stage.resolve_text(expected)?;
    let chosen = connection
        .upgraded
        .as_ref()
        .and_then(|upgraded| upgraded.subprotocol.as_deref());
    if chosen == Some(wanted.as_str()) {
        return Ok(());
    }
    let told = match chosen {
        Some(other) => format!("the target chose the subprotocol `{other}`"),
        None => "the target chose no subprotocol".to_owned(),
    };
    Err(Stop::miss(expected.span, told).expected(format!("subprotocol: {wanted}")))
}

/// What `<a.…>` stands for.
pub(super) fn member(client: &Client, path: &[&str]) -> Outcome<Datum> {
    match path {
        ["id"] => Ok(Datum::Text(client_id(client))),
        ["name"] => Ok(Datum::Text(client.name.clone().into_bytes())),
        ["version"] => Ok(Datum::Text(client.version.name().into())),
        ["keep_alive"] => keep_alive(client),
        ["connack", field] => connack(client, field),
        ["connect", field] => connect(client, field),
        _ => Err(Stop::cannot(format!(
            "`<{}.{}>` means nothing",
            client.name,
            path.join(".")
        ))),
    }
}

/// The Client Identifier: that of CONNECT, the one the target assigned, or the default before any connection.
fn client_id(client: &Client) -> Vec<u8> {
    let said = client.connection().and_then(|connection| {
        connection.look(|state| {
            let protocol = &state.protocol;
            let assigned = protocol
                .connack
                .as_ref()
                .and_then(|connack| connack.get("assigned_client_id"));
            let chosen = protocol
                .connect
                .as_ref()
                .and_then(|connect| connect.get("client_id"));
            match assigned.or(chosen) {
                Some(Value::Text(id) | Value::Binary(id)) if !id.is_empty() => Some(id.clone()),
                _ => None,
            }
        })
    });
    said.unwrap_or_else(|| client.id.clone().into_bytes())
}

/// The Keep Alive in force: the server's where it gave one (5.0 section 3.2.2.3.14).
fn keep_alive(client: &Client) -> Outcome<Datum> {
    let connection = client.any_connection()?;
    Ok(connection.look(|state| {
        let protocol = &state.protocol;
        let servers = protocol
            .connack
            .as_ref()
            .and_then(|connack| number(connack, "server_keep_alive"));
        number_datum(servers.unwrap_or_else(|| protocol.announced("keep_alive", 0)))
    }))
}

fn connect(client: &Client, field: &str) -> Outcome<Datum> {
    let connection = client.any_connection()?;
    Ok(connection.look(|state| {
        state
            .protocol
            .connect
            .as_ref()
            .and_then(|connect| field_datum(connect, field))
            .unwrap_or(Datum::Absent)
    }))
}

/// A field of CONNACK, or what the specification says of a connection without it (5.0 section 3.2.2.3).
fn connack(client: &Client, field: &str) -> Outcome<Datum> {
    let connection = client.any_connection()?;
    connection.look(|state| {
        let protocol = &state.protocol;
        let Some(connack) = &protocol.connack else {
            return Err(Stop::cannot(format!("`{}` got no CONNACK", client.name)));
        };
        if let Some(datum) = field_datum(connack, field) {
            return Ok(datum);
        }
        Ok(match field {
            "receive_maximum" => number_datum(65_535),
            "maximum_qos" => number_datum(2),
            "maximum_packet_size" => number_datum(codec::MAXIMUM_PACKET_SIZE as u64),
            "topic_alias_maximum" => number_datum(0),
            "session_expiry" if client.version == Version::V5_0 => {
                number_datum(protocol.announced("session_expiry", 0))
            }
            "retain_available"
            | "wildcard_available"
            | "subscription_ids_available"
            | "shared_available" => Datum::Field(Value::Flag(true)),
            _ => Datum::Absent,
        })
    })
}

fn number_datum(number: u64) -> Datum {
    Datum::Field(Value::Number(number))
}
