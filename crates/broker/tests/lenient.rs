//! Rules that the codec judges, broken one at a time: the packet that the broker refuses by such a rule is let through
//! when exactly this rule is broken, everywhere or in this one place, and the connection goes on.
//!
//! The packets are found, not written: every field of every packet with values that no packet may have, and every lie
//! about the wire. One whose lenient reading finds violations of one clause only speaks for that clause.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::core::{Action, ConnectionId, Core, Event};
use broker::{Breach, Breakable, Config};
use clauses::ClauseId;
use codec::draft::{Draft, FieldSpec, Kind, Malformation, Record, Value, fields, sample};
use codec::{Direction, Frame, PacketType, PropertyId, Version, Violation};

const CONNECTION: ConnectionId = ConnectionId(0);

#[test]
fn a_broken_rule_of_the_codec_lets_its_packets_through() {
    let mut judged: BTreeMap<ClauseId, bool> = BTreeMap::new();
    let mut places: BTreeMap<Breach, bool> = BTreeMap::new();
    for version in [Version::V3_1_1, Version::V5_0] {
        for packet_type in PacketType::ALL {
            for packet in packets(packet_type, version) {
                let Some(clause) = only_clause(&packet, version) else {
                    continue;
                };
                let (kept, breaches) = play(&packet, version, Config::default());
                assert!(!kept, "{clause} is not kept: {packet:02x?}");
                let (through, _) = play(&packet, version, Config::breaking([clause]));
                *judged.entry(clause).or_default() |= through;
                for breach in breaches {
                    let mut config = Config::default();
                    config.disobey(Breakable::Breach(breach.to_string().parse().unwrap()));
                    let (through_there, _) = play(&packet, version, config);
                    *places.entry(breach).or_default() |= through_there || !through;
                }
            }
        }
    }
    let refused: Vec<_> = judged.iter().filter(|(_, through)| !**through).collect();
    assert!(refused.is_empty(), "broken, and still refused: {refused:?}");
    assert!(
        judged.len() >= 99,
        "only {} clauses were tried",
        judged.len()
    );
    let refused: Vec<_> = places.iter().filter(|(_, through)| !**through).collect();
    assert!(
        refused.is_empty(),
        "broken there, and still refused: {refused:?}"
    );
    assert!(
        places.len() >= 210,
        "only {} places were tried",
        places.len()
    );
}

/// The clause that the packet breaks, if it breaks one only.
fn only_clause(packet: &[u8], version: Version) -> Option<ClauseId> {
    let frame = Frame::new(packet)?;
    let mut violations: Vec<Violation> = Vec::new();
    let first = if frame.packet_type() == Some(PacketType::Connect) {
        let first = codec::decode_connect(frame).err()?;
        codec::decode_connect_leniently(frame, &mut violations)?;
        first
    } else {
        let first = codec::decode(frame, version, Direction::ToServer).err()?;
        codec::decode_leniently(frame, version, Direction::ToServer, &mut violations)?;
        first
    };
    let one = violations
        .iter()
        .all(|violation| violation.clause == first.clause);
    one.then_some(first.clause)
}

/// Whether a connection is still there after the packet, and served if it is accepted; and where the packet broke what.
fn play(packet: &[u8], version: Version, config: Config) -> (bool, BTreeSet<Breach>) {
    let mut core = Core::new(config);
    let mut actions = Vec::new();
    core.handle(
        Event::Opened {
            connection: CONNECTION,
        },
        Duration::ZERO,
        &mut actions,
    );
    let mut send = |bytes: &[u8]| {
        let received = Event::Received {
            connection: CONNECTION,
            bytes,
        };
        core.handle(received, Duration::ZERO, &mut actions);
    };
    let packet_type = PacketType::from_value(packet[0] >> 4);
    if packet_type == Some(PacketType::Connect) {
        send(packet);
        let survives = !actions
            .iter()
            .any(|action| matches!(action, Action::Close { .. }));
        return (survives, core.breaches());
    }
    send(&connect(version, packet_type == Some(PacketType::Auth)));
    if packet_type == Some(PacketType::Auth) {
        send(&answer());
    }
    send(packet);
    send(&[0xC0, 0]);
    let survives = match actions.last() {
        // A DISCONNECT that is let through ends the connection without a word.
        Some(Action::Close { why: None, .. }) => packet_type == Some(PacketType::Disconnect),
        Some(Action::Send { bytes, .. }) => bytes.ends_with(&[0xD0, 0]),
        _ => false,
    };
    (survives, core.breaches())
}

fn connect(version: Version, authenticates: bool) -> Vec<u8> {
    let mut connect = base(PacketType::Connect, version);
    if version == Version::V5_0 {
        connect.set("session_expiry", Value::Number(100)).unwrap();
    }
    if authenticates && version == Version::V5_0 {
        connect.set("authentication_method", echo()).unwrap();
    }
    connect.encode().unwrap()
}

/// The answer to the first challenge of the first connection.
fn answer() -> Vec<u8> {
    let mut auth = base(PacketType::Auth, Version::V5_0);
    let challenge = Value::Binary(b"challenge 0.1".to_vec());
    auth.set("reason", Value::Number(0x18)).unwrap();
    auth.set("authentication_data", challenge).unwrap();
    auth.encode().unwrap()
}

fn echo() -> Value {
    Value::Text(broker::core::ECHO.into())
}

/// A packet that the broker takes, unless what is changed about it is wrong.
fn base(packet_type: PacketType, version: Version) -> Draft {
    let mut base = Draft::new(packet_type, version);
    let field = match packet_type {
        PacketType::Connect => Some(("client_id", Value::Text(b"c".to_vec()))),
        PacketType::Publish => Some(("topic", Value::Text(b"t".to_vec()))),
        PacketType::Auth => Some(("authentication_method", echo())),
        _ => None,
    };
    if let Some((name, value)) = field {
        base.set(name, value).unwrap();
    }
    base
}

/// Packets of a type that are wrong in one place.
fn packets(packet_type: PacketType, version: Version) -> Vec<Vec<u8>> {
    let base = base(packet_type, version);
    let mut drafts = Vec::new();
    for spec in fields(packet_type) {
        for value in wrong_values(spec) {
            let mut draft = base.clone();
            if draft.set(spec.name, value).is_ok() {
                drafts.push(draft);
            }
        }
    }
    for lie in lies() {
        let mut draft = base.clone();
        draft.malform(lie);
        drafts.push(draft);
    }
    for property in PropertyId::ALL {
        let mut draft = base.clone();
        let value = match property {
            PropertyId::AuthenticationMethod => echo(),
            _ => sample(property),
        };
        if draft.set(property.field(), value).is_ok() {
            let mut twice = draft.clone();
            twice.malform(Malformation::Twice(property.field()));
            drafts.extend([draft, twice]);
        }
    }
    drafts
        .iter()
        .filter_map(|draft| draft.encode().ok())
        .collect()
}

fn lies() -> Vec<Malformation> {
    let mut lies: Vec<_> = (0..16).map(Malformation::Flags).collect();
    lies.extend((2..5).map(Malformation::LengthWidth));
    lies.extend((2..5).map(Malformation::PropertyLengthWidth));
    lies.extend([
        Malformation::Extra(vec![0]),
        Malformation::Without("user_name"),
        Malformation::Without("client_id"),
        Malformation::Without("filters"),
        Malformation::Without("id"),
        Malformation::Property(vec![0x7E, 0]),
    ]);
    lies
}

fn wrong_values(spec: &FieldSpec) -> Vec<Value> {
    let texts = [&b"\xFF"[..], b"\0", b"", b"a/#", b"+", b"\xED\xA0\x80"];
    match spec.kind {
        Kind::Flag => vec![Value::Flag(true), Value::Flag(false), Value::Number(2)],
        Kind::Number { maximum } => vec![Value::Number(0), Value::Number(maximum)],
        Kind::QoS => (0..4).map(Value::Number).collect(),
        Kind::ReasonCode => vec![Value::Number(0x7F), Value::Number(0x80)],
        Kind::Text => texts
            .iter()
            .map(|text| Value::Text(text.to_vec()))
            .collect(),
        Kind::Texts => texts
            .iter()
            .map(|text| Value::Texts(vec![text.to_vec()]))
            .chain([Value::Texts(vec![])])
            .collect(),
        Kind::Binary => vec![Value::Binary(b"data".to_vec())],
        Kind::Numbers { .. } => vec![Value::Numbers(vec![0]), Value::Numbers(vec![1])],
        Kind::ReasonCodes => vec![Value::Numbers(vec![0x7F])],
        Kind::Pairs => texts
            .iter()
            .map(|text| Value::Pairs(vec![(text.to_vec(), b"value".to_vec())]))
            .collect(),
        Kind::Records(fields) => records(fields)
            .into_iter()
            .map(|record| Value::Filters(vec![record]))
            .chain([Value::Filters(vec![])])
            .collect(),
        Kind::Record(fields) => records(fields).into_iter().map(Value::Record).collect(),
        Kind::Position => Vec::new(),
    }
}

/// Records with one field that is wrong; the others have their defaults.
fn records(fields: &'static [FieldSpec]) -> Vec<Record> {
    fields
        .iter()
        .flat_map(|spec| {
            wrong_values(spec)
                .into_iter()
                .map(move |value| (spec, value))
        })
        .map(|(spec, value)| {
            let mut record = Record::new();
            record.set(spec, value);
            record
        })
        .collect()
}
