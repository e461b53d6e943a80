//! From a [`Draft`] to the parts of its packet.

use alloc::{vec, vec::Vec};

use super::{
    Draft, DraftError, FieldSpec, Malformation, Record, Value,
    field::property_field,
    layout::{Layout, Part, Piece, PropertyList},
    sample,
};
use crate::{DataType, PacketType, PropertyId, PropertyOwner, Version, variable_byte};

/// What a sound packet holds where nothing was said and something must stand.
const SOME_TOPIC: &[u8] = b"t";
const SOME_PACKET_ID: u64 = 1;

pub(super) fn layout(draft: &Draft) -> Result<Layout, DraftError> {
    let version = draft.version;
    if let Some((spec, _)) = draft
        .fields
        .iter()
        .find(|(spec, _)| !spec.exists_in(version))
    {
        return Err(DraftError::NotInVersion {
            field: spec.name,
            version,
        });
    }
    let fields = &draft.fields;
    let packet_type = draft.packet_type;
    let flags = match packet_type {
        PacketType::Publish => {
            bits(fields, "dup", 0) << 3 | bits(fields, "qos", 0) << 1 | bits(fields, "retain", 0)
        }
        _ => packet_type.reserved_flags().unwrap_or_default(),
    };
    let mut layout = Layout::new(packet_type.value() << 4 | flags & 0x0F);
    match packet_type {
        PacketType::Connect => connect(draft, &mut layout)?,
        PacketType::Connack => {
            layout.field(Piece::new(
                "session_present",
                vec![bits(fields, "session_present", 0)],
            ));
            layout.field(Piece::new("reason", vec![bits(fields, "reason", 0)]));
            properties(draft, &mut layout)?;
        }
        PacketType::Publish => publish(draft, &mut layout)?,
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
            layout.field(packet_id(fields));
            reason_and_properties(draft, &mut layout)?;
        }
        PacketType::Subscribe => {
            layout.field(packet_id(fields));
            properties(draft, &mut layout)?;
            subscriptions(fields, version, &mut layout)?;
        }
        PacketType::Suback => {
            layout.field(packet_id(fields));
            properties(draft, &mut layout)?;
            codes(fields, &mut layout);
        }
        PacketType::Unsubscribe => {
            layout.field(packet_id(fields));
            properties(draft, &mut layout)?;
            topic_filters(fields, &mut layout)?;
        }
        PacketType::Unsuback => {
            layout.field(packet_id(fields));
            properties(draft, &mut layout)?;
            if version.has_properties() {
                codes(fields, &mut layout);
            }
        }
        PacketType::Pingreq | PacketType::Pingresp => {}
        PacketType::Disconnect | PacketType::Auth => reason_and_properties(draft, &mut layout)?,
    }
    Ok(layout)
}

fn connect(draft: &Draft, layout: &mut Layout) -> Result<(), DraftError> {
    let (fields, version) = (&draft.fields, draft.version);
    let will = match fields.get("will") {
        Some(Value::Record(will)) => Some(will),
        _ => None,
    };
    let name = data(fields, "protocol_name").unwrap_or(version.protocol_name().as_bytes());
    layout.field(Piece::with_length("protocol_name", &[], name)?);
    let level = bits(fields, "protocol_version", version.level());
    layout.field(Piece::new("protocol_version", vec![level]));
    let mut flags = bits(fields, "reserved_flag", 0) | bits(fields, "clean", 1) << 1;
    if let Some(will) = will {
        flags |= 1 << 2 | bits(will, "qos", 0) << 3 | bits(will, "retain", 0) << 5;
    }
    flags |= u8::from(fields.get("password").is_some()) << 6;
    flags |= u8::from(fields.get("user_name").is_some()) << 7;
    layout.field(Piece::new(
        "connect_flags",
        vec![bits(fields, "connect_flags", flags)],
    ));
    let keep_alive = number(fields, "keep_alive", 0);
    layout.field(Piece::new(
        "keep_alive",
        low_bytes::<2>(keep_alive).to_vec(),
    ));
    properties(draft, layout)?;
    layout.field(Piece::with_length(
        "client_id",
        &[],
        data(fields, "client_id").unwrap_or_default(),
    )?);
    if let Some(will) = will {
        if version.has_properties() {
            let pieces = property_pieces(will)?;
            layout
                .parts
                .push(Part::Properties(PropertyList::new(pieces)));
        }
        layout.field(Piece::with_length(
            "will.topic",
            &[],
            data(will, "topic").unwrap_or(SOME_TOPIC),
        )?);
        layout.field(Piece::with_length(
            "will.payload",
            &[],
            data(will, "payload").unwrap_or_default(),
        )?);
    }
    for name in ["user_name", "password"] {
        if let Some(value) = data(fields, name) {
            layout.field(Piece::with_length(name, &[], value)?);
        }
    }
    Ok(())
}

fn publish(draft: &Draft, layout: &mut Layout) -> Result<(), DraftError> {
    let fields = &draft.fields;
    let has_alias = fields.get(PropertyId::TopicAlias.field()).is_some();
    let topic = data(fields, "topic").unwrap_or(if has_alias { b"" } else { SOME_TOPIC });
    layout.field(Piece::with_length("topic", &[], topic)?);
    if bits(fields, "qos", 0) > 0 || fields.get("id").is_some() {
        layout.field(packet_id(fields));
    }
    properties(draft, layout)?;
    layout.field(Piece::new(
        "payload",
        data(fields, "payload").unwrap_or_default().to_vec(),
    ));
    Ok(())
}

/// Reason Code and properties where a short form leaves out what was not said.
fn reason_and_properties(draft: &Draft, layout: &mut Layout) -> Result<(), DraftError> {
    if !draft.version.has_properties() {
        return Ok(());
    }
    let needs_properties = lies_about_properties(draft)
        || draft.fields.iter().any(|(spec, _)| spec.property.is_some());
    // AUTH has no form that ends behind its Reason Code: alone, success is told by an empty packet.
    let is_auth = draft.packet_type == PacketType::Auth;
    let has_reason = match draft.fields.get("reason") {
        Some(reason) => !(is_auth && *reason == Value::Number(0)),
        None => false,
    };
    if has_reason || needs_properties {
        layout.field(Piece::new("reason", vec![bits(&draft.fields, "reason", 0)]));
    }
    if needs_properties || (has_reason && is_auth) {
        properties(draft, layout)?;
    }
    Ok(())
}

fn lies_about_properties(draft: &Draft) -> bool {
    draft
        .malformations
        .iter()
        .any(|malformation| match malformation {
            Malformation::Property(_)
            | Malformation::PropertyLength(_)
            | Malformation::PropertyLengthWidth(_) => true,
            Malformation::Twice(name) => property_named(name).is_some(),
            _ => false,
        })
}

/// The properties that were set, and any that is to stand twice without having been set.
fn properties(draft: &Draft, layout: &mut Layout) -> Result<(), DraftError> {
    if !draft.version.has_properties() {
        return Ok(());
    }
    let mut pieces = property_pieces(&draft.fields)?;
    for malformation in &draft.malformations {
        if let Malformation::Twice(name) = malformation
            && let Some(property) = property_named(name)
            && !carries(&draft.fields, property)
            && let Some(spec) = property_field(PropertyOwner::Packet(draft.packet_type), property)
        {
            property_value(spec, property, &sample(property), &mut pieces)?;
        }
    }
    layout
        .parts
        .push(Part::Properties(PropertyList::new(pieces)));
    Ok(())
}

fn property_named(name: &str) -> Option<PropertyId> {
    if name == "subscription_ids" {
        return Some(PropertyId::SubscriptionIdentifier);
    }
    PropertyId::ALL
        .into_iter()
        .find(|property| property.field() == name)
}

/// Whether the packet or its Will holds the property.
fn carries(fields: &Record, property: PropertyId) -> bool {
    fields.iter().any(|(spec, value)| match value {
        Value::Record(will) => carries(will, property),
        _ => spec.property == Some(property),
    })
}

fn property_pieces(fields: &Record) -> Result<Vec<Piece>, DraftError> {
    let mut pieces = Vec::new();
    for (spec, value) in fields.iter() {
        if let Some(property) = spec.property {
            property_value(spec, property, value, &mut pieces)?;
        }
    }
    Ok(pieces)
}

fn property_value(
    spec: &'static FieldSpec,
    property: PropertyId,
    value: &Value,
    pieces: &mut Vec<Piece>,
) -> Result<(), DraftError> {
    let field = spec.name;
    let head = [property.identifier()];
    let numeric = |value: u64| {
        let mut bytes = head.to_vec();
        match property.data_type() {
            DataType::TwoByteInteger => bytes.extend(low_bytes::<2>(value)),
            DataType::FourByteInteger => bytes.extend(low_bytes::<4>(value)),
            DataType::VariableByteInteger => {
                variable_byte::write(u32::try_from(value).unwrap_or(u32::MAX), &mut bytes);
            }
            _ => bytes.extend(low_bytes::<1>(value)),
        }
        Piece::new(field, bytes)
    };
    match value {
        Value::Flag(on) => pieces.push(numeric(u64::from(*on))),
        Value::Number(value) => pieces.push(numeric(*value)),
        Value::Numbers(values) => pieces.extend(values.iter().map(|value| numeric(*value))),
        Value::Text(data) | Value::Binary(data) => {
            pieces.push(Piece::with_length(field, &head, data)?);
        }
        Value::Pairs(pairs) => {
            for (name, value) in pairs {
                let mut piece = Piece::with_length(field, &head, name)?;
                let Ok(length) = u16::try_from(value.len()) else {
                    return Err(DraftError::TooLong(field));
                };
                piece.extend(&length.to_be_bytes());
                piece.extend(value);
                pieces.push(piece);
            }
        }
        Value::Integer(_) | Value::Texts(_) | Value::Filters(_) | Value::Record(_) => {
            return Err(DraftError::WrongKind {
                field,
                expected: spec.kind.description(),
            });
        }
    }
    Ok(())
}

fn subscriptions(fields: &Record, version: Version, layout: &mut Layout) -> Result<(), DraftError> {
    let default = [Record::new()];
    let filters = match fields.get("filters") {
        Some(Value::Filters(filters)) => filters.as_slice(),
        _ => &default,
    };
    for subscription in filters {
        let filter = data(subscription, "filter").unwrap_or(SOME_TOPIC);
        layout.field(Piece::with_length("filters.filter", &[], filter)?);
        let reserved = bits(subscription, "reserved", 0);
        let options = bits(subscription, "qos", 0)
            | bits(subscription, "no_local", 0) << 2
            | bits(subscription, "retain_as_published", 0) << 3
            | bits(subscription, "retain_handling", 0) << 4;
        // The reserved bits are the upper ones: two in 5.0, six before.
        let shift = if version.has_properties() { 6 } else { 2 };
        layout.field(Piece::new(
            "filters.options",
            vec![options | reserved << shift],
        ));
    }
    Ok(())
}

fn topic_filters(fields: &Record, layout: &mut Layout) -> Result<(), DraftError> {
    match fields.get("filters") {
        Some(Value::Texts(filters)) => {
            for filter in filters {
                layout.field(Piece::with_length("filters", &[], filter)?);
            }
        }
        _ => layout.field(Piece::with_length("filters", &[], SOME_TOPIC)?),
    }
    Ok(())
}

fn codes(fields: &Record, layout: &mut Layout) {
    match fields.get("codes") {
        Some(Value::Numbers(codes)) => {
            for code in codes {
                layout.field(Piece::new("codes", low_bytes::<1>(*code).to_vec()));
            }
        }
        _ => layout.field(Piece::new("codes", vec![0])),
    }
}

fn packet_id(fields: &Record) -> Piece {
    Piece::new(
        "id",
        low_bytes::<2>(number(fields, "id", SOME_PACKET_ID)).to_vec(),
    )
}

fn number(fields: &Record, name: &str, default: u64) -> u64 {
    match fields.get(name) {
        Some(Value::Number(number)) => *number,
        Some(Value::Flag(on)) => u64::from(*on),
        _ => default,
    }
}

/// A number that its table entry keeps within one byte.
fn bits(fields: &Record, name: &str, default: u8) -> u8 {
    let [byte] = low_bytes(number(fields, name, u64::from(default)));
    byte
}

fn data<'r>(fields: &'r Record, name: &str) -> Option<&'r [u8]> {
    match fields.get(name)? {
        Value::Text(data) | Value::Binary(data) => Some(data),
        _ => None,
    }
}

/// The lowest bytes of a number, the highest of them first.
fn low_bytes<const N: usize>(number: u64) -> [u8; N] {
    let bytes = number.to_be_bytes();
    bytes.last_chunk().copied().unwrap_or([0; N])
}
