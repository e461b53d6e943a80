//! Reading a property list against its rules (section 2.2.2).

use super::{DataType, Properties, PropertyId, PropertyOwner};
use crate::{
    Direction, Found, PacketType, ReasonCode, ViolationKind,
    gate::Gate,
    reader::Reader,
    rule::{Rule, rule_of_5_0},
    text_rules,
};

/// Reads Property Length and the properties; before 5.0 there are none.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "most packets have none, and then the reader stays in registers"
)]
pub(crate) fn read<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    owner: PropertyOwner,
) -> Result<Properties<'a>, G::Stop> {
    let mut present = 0;
    let bytes = read_bytes(reader, owner, &mut present)?;
    Ok(Properties::walked(bytes, present))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn read_bytes<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    owner: PropertyOwner,
    present: &mut u64,
) -> Result<&'a [u8], G::Stop> {
    if !reader.version.has_properties() {
        return Ok(&[]);
    }
    if reader.is_at_end() {
        no_property_length(reader)?;
        return Ok(&[]);
    }
    let length = reader.variable_byte_integer("property_length")? as usize;
    if length == 0 {
        return Ok(&[]);
    }
    reader.within(length, "property_length", |reader| {
        read_list(reader, owner, present)
    })
}

#[cold]
fn no_property_length<G: Gate>(reader: &mut Reader<'_, G>) -> Result<(), G::Stop> {
    let rule = rule_of_5_0!("v5.0/MQTT-2.2.2-1");
    reader.malformed(
        rule,
        reader.offset(),
        "property_length",
        "there, if only as 0",
        Found::Nothing,
    )?;
    reader.exhaust();
    Ok(())
}

fn read_list<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    owner: PropertyOwner,
    present: &mut u64,
) -> Result<&'a [u8], G::Stop> {
    let start = reader.offset();
    while !reader.is_at_end() {
        let offset = reader.offset();
        let identifier = reader.variable_byte_integer("property_identifier")?;
        let Some(id) = PropertyId::from_identifier(identifier) else {
            let rule = rule_of_5_0!("v5.0/U50-2.2.2.2-1");
            let found = Found::Number(u64::from(identifier));
            reader.malformed(
                rule,
                offset,
                "property_identifier",
                "one that 5.0 defines",
                found,
            )?;
            reader.exhaust();
            break;
        };
        if !id.is_allowed_in(owner) {
            let rule = rule_of_5_0!("v5.0/U50-2.2.2.2-1");
            let expected = "one that this packet may carry";
            reader.malformed(
                rule,
                offset,
                "property_identifier",
                expected,
                Found::Named(id.name()),
            )?;
        } else if *present & id.bit() != 0 {
            judge_repetition(reader, owner, id, offset)?;
        }
        *present |= id.bit();
        read_value(reader, owner, id, offset)?;
    }
    Ok(reader.since(start))
}

#[inline]
fn read_value<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    id: PropertyId,
    offset: usize,
) -> Result<(), G::Stop> {
    let field = id.field();
    match id.data_type() {
        DataType::Byte => {
            let value = reader.byte(field)?;
            if value > 1 {
                judge_byte(reader, owner, id, value)?;
            }
        }
        DataType::TwoByteInteger => {
            if reader.two_byte_integer(field)? == 0 {
                judge_zero(reader, owner, id, 2)?;
            }
        }
        DataType::FourByteInteger => {
            if reader.four_byte_integer(field)? == 0 {
                judge_zero(reader, owner, id, 4)?;
            }
            if id as u8 == PropertyId::SessionExpiryInterval as u8 {
                judge_session_expiry(reader, owner, offset)?;
            }
        }
        DataType::VariableByteInteger => {
            if reader.variable_byte_integer(field)? == 0 {
                judge_zero(reader, owner, id, 1)?;
            }
            judge_subscription_identifier(reader, owner, offset)?;
        }
        DataType::BinaryData => {
            reader.binary(field)?;
        }
        DataType::Utf8String => match id {
            PropertyId::ResponseTopic => read_response_topic(reader, owner)?,
            PropertyId::ContentType if matches!(owner, PropertyOwner::Packet(_)) => {
                reader.text(field, text_rules::content_type)?;
            }
            _ => {
                reader.text(field, text_rules::any_text)?;
            }
        },
        DataType::Utf8StringPair => {
            reader.text(field, text_rules::string_pair)?;
            reader.text(field, text_rules::string_pair)?;
        }
    }
    Ok(())
}

fn read_response_topic<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
) -> Result<(), G::Stop> {
    let offset = reader.offset();
    let field = PropertyId::ResponseTopic.field();
    let topic = match owner {
        PropertyOwner::Will => reader.topic(field, text_rules::will_response_topic, |_| {
            rule_of_5_0!("v5.0/MQTT-4.7.0-1")
        })?,
        PropertyOwner::Packet(_) => reader.topic(
            field,
            text_rules::response_topic,
            |_| rule_of_5_0!("v5.0/MQTT-3.3.2-14", also "v5.0/MQTT-4.7.0-1"),
        )?,
    };
    if topic.is_empty() {
        let rule = rule_of_5_0!("v5.0/MQTT-4.7.3-1");
        reader.protocol_error(
            rule,
            offset,
            field,
            "at least one character",
            Found::Nothing,
        )?;
    }
    Ok(())
}

/// Zero means nothing to some properties; `width` is that of the value just read.
#[cold]
fn judge_zero<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    id: PropertyId,
    width: usize,
) -> Result<(), G::Stop> {
    let (rule, reason_code) = match (id, owner) {
        (PropertyId::TopicAlias, PropertyOwner::Packet(PacketType::Publish)) => (
            Some(rule_of_5_0!("v5.0/MQTT-3.3.2-8", also "v5.0/U50-3.3.4-2")),
            ReasonCode::TOPIC_ALIAS_INVALID,
        ),
        (PropertyId::SubscriptionIdentifier, PropertyOwner::Packet(PacketType::Publish)) => (
            Some(rule_of_5_0!("v5.0/U50-3.3.2.3.8-1")),
            ReasonCode::PROTOCOL_ERROR,
        ),
        (
            PropertyId::ReceiveMaximum
            | PropertyId::MaximumPacketSize
            | PropertyId::SubscriptionIdentifier,
            _,
        ) => (at_most_once(owner, id), ReasonCode::PROTOCOL_ERROR),
        _ => (None, ReasonCode::SUCCESS),
    };
    if let Some(rule) = rule {
        let offset = reader.offset().saturating_sub(width);
        let kind = ViolationKind::ProtocolError;
        reader.report(
            rule,
            offset,
            id.field(),
            kind,
            reason_code,
            "above 0",
            Found::Number(0),
        )?;
    }
    Ok(())
}

/// All properties of one byte but the Payload Format Indicator are 0 or 1 by an explicit statement.
#[cold]
fn judge_byte<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    id: PropertyId,
    value: u8,
) -> Result<(), G::Stop> {
    if id == PropertyId::PayloadFormatIndicator {
        return Ok(());
    }
    match at_most_once(owner, id) {
        Some(rule) => {
            let offset = reader.offset().saturating_sub(1);
            reader.protocol_error(
                rule,
                offset,
                id.field(),
                "0 or 1",
                Found::Number(u64::from(value)),
            )
        }
        None => Ok(()),
    }
}

fn judge_session_expiry<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    offset: usize,
) -> Result<(), G::Stop> {
    if owner == PropertyOwner::Packet(PacketType::Disconnect)
        && reader.direction == Direction::ToClient
    {
        let rule = rule_of_5_0!("v5.0/MQTT-3.14.2-2");
        let found = Found::Named("it in a DISCONNECT to a client");
        reader.protocol_error(
            rule,
            offset,
            "session_expiry",
            "sent by clients only",
            found,
        )?;
    }
    Ok(())
}

fn judge_subscription_identifier<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    offset: usize,
) -> Result<(), G::Stop> {
    if owner == PropertyOwner::Packet(PacketType::Publish)
        && reader.direction == Direction::ToServer
    {
        let rule = rule_of_5_0!("v5.0/MQTT-3.3.4-6");
        let found = Found::Named("it in a PUBLISH to a server");
        reader.protocol_error(
            rule,
            offset,
            "subscription_ids",
            "sent by servers only",
            found,
        )?;
    }
    Ok(())
}

#[cold]
fn judge_repetition<G: Gate>(
    reader: &mut Reader<'_, G>,
    owner: PropertyOwner,
    id: PropertyId,
    offset: usize,
) -> Result<(), G::Stop> {
    match at_most_once(owner, id) {
        Some(rule) => reader.protocol_error(
            rule,
            offset,
            id.field(),
            "there once",
            Found::Named("it again"),
        ),
        None => Ok(()),
    }
}

/// The statement that forbids to repeat a property, and in the same breath its impossible values.
///
/// None speaks of the Payload Format Indicator and the Message Expiry Interval in PUBLISH: there
/// the standard leaves a repetition open. User Properties repeat, and so do the Subscription
/// Identifiers of a PUBLISH.
#[rustfmt::skip]
const fn at_most_once(owner: PropertyOwner, id: PropertyId) -> Option<Rule> {
    use PropertyId as P;
    Some(match owner {
        PropertyOwner::Will => match id {
            P::WillDelayInterval => rule_of_5_0!("v5.0/U50-3.1.3.2.2-1"),
            P::PayloadFormatIndicator => rule_of_5_0!("v5.0/U50-3.1.3.2.3-1"),
            P::MessageExpiryInterval => rule_of_5_0!("v5.0/U50-3.1.3.2.4-1"),
            P::ContentType => rule_of_5_0!("v5.0/U50-3.1.3.2.5-1"),
            P::ResponseTopic => rule_of_5_0!("v5.0/U50-3.1.3.2.6-1"),
            P::CorrelationData => rule_of_5_0!("v5.0/U50-3.1.3.2.7-1"),
            _ => return None,
        },
        PropertyOwner::Packet(packet_type) => match (packet_type, id) {
            (PacketType::Connect, P::SessionExpiryInterval) => rule_of_5_0!("v5.0/U50-3.1.2.11.2-1"),
            (PacketType::Connect, P::ReceiveMaximum) => rule_of_5_0!("v5.0/U50-3.1.2.11.3-1"),
            (PacketType::Connect, P::MaximumPacketSize) => rule_of_5_0!("v5.0/U50-3.1.2.11.4-1"),
            (PacketType::Connect, P::TopicAliasMaximum) => rule_of_5_0!("v5.0/U50-3.1.2.11.5-1"),
            (PacketType::Connect, P::RequestResponseInformation) => rule_of_5_0!("v5.0/U50-3.1.2.11.6-1"),
            (PacketType::Connect, P::RequestProblemInformation) => rule_of_5_0!("v5.0/U50-3.1.2.11.7-1"),
            (PacketType::Connect, P::AuthenticationMethod) => rule_of_5_0!("v5.0/U50-3.1.2.11.9-1"),
            (PacketType::Connect, P::AuthenticationData) => rule_of_5_0!("v5.0/U50-3.1.2.11.10-1"),
            (PacketType::Connack, P::SessionExpiryInterval) => rule_of_5_0!("v5.0/U50-3.2.2.3.2-1"),
            (PacketType::Connack, P::ReceiveMaximum) => rule_of_5_0!("v5.0/U50-3.2.2.3.3-1"),
            (PacketType::Connack, P::MaximumQoS) => rule_of_5_0!("v5.0/U50-3.2.2.3.4-1"),
            (PacketType::Connack, P::RetainAvailable) => rule_of_5_0!("v5.0/U50-3.2.2.3.5-1"),
            (PacketType::Connack, P::MaximumPacketSize) => rule_of_5_0!("v5.0/U50-3.2.2.3.6-1"),
            (PacketType::Connack, P::AssignedClientIdentifier) => rule_of_5_0!("v5.0/U50-3.2.2.3.7-1"),
            (PacketType::Connack, P::TopicAliasMaximum) => rule_of_5_0!("v5.0/U50-3.2.2.3.8-1"),
            (PacketType::Connack, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.2.2.3.9-1"),
            (PacketType::Connack, P::WildcardSubscriptionAvailable) => rule_of_5_0!("v5.0/U50-3.2.2.3.11-1"),
            (PacketType::Connack, P::SubscriptionIdentifierAvailable) => rule_of_5_0!("v5.0/U50-3.2.2.3.12-1"),
            (PacketType::Connack, P::SharedSubscriptionAvailable) => rule_of_5_0!("v5.0/U50-3.2.2.3.13-1"),
            (PacketType::Connack, P::ServerKeepAlive) => rule_of_5_0!("v5.0/U50-3.2.2.3.14-1"),
            (PacketType::Connack, P::ResponseInformation) => rule_of_5_0!("v5.0/U50-3.2.2.3.15-1"),
            (PacketType::Connack, P::ServerReference) => rule_of_5_0!("v5.0/U50-3.2.2.3.16-1"),
            (PacketType::Connack, P::AuthenticationMethod) => rule_of_5_0!("v5.0/U50-3.2.2.3.17-1"),
            (PacketType::Connack, P::AuthenticationData) => rule_of_5_0!("v5.0/U50-3.2.2.3.18-1"),
            (PacketType::Publish, P::TopicAlias) => rule_of_5_0!("v5.0/U50-3.3.2.3.4-1"),
            (PacketType::Publish, P::ResponseTopic) => rule_of_5_0!("v5.0/U50-3.3.2.3.5-1"),
            (PacketType::Publish, P::CorrelationData) => rule_of_5_0!("v5.0/U50-3.3.2.3.6-1"),
            (PacketType::Publish, P::ContentType) => rule_of_5_0!("v5.0/U50-3.3.2.3.9-1"),
            (PacketType::Puback, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.4.2.2.2-1"),
            (PacketType::Pubrec, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.5.2.2.2-1"),
            (PacketType::Pubrel, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.6.2.2.2-1"),
            (PacketType::Pubcomp, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.7.2.2.2-1"),
            (PacketType::Subscribe, P::SubscriptionIdentifier) => rule_of_5_0!("v5.0/U50-3.8.2.1.2-1"),
            (PacketType::Suback, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.9.2.1.2-1"),
            (PacketType::Unsuback, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.11.2.1.2-1"),
            (PacketType::Disconnect, P::SessionExpiryInterval) => rule_of_5_0!("v5.0/U50-3.14.2.2.2-1"),
            (PacketType::Disconnect, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.14.2.2.3-1"),
            (PacketType::Disconnect, P::ServerReference) => rule_of_5_0!("v5.0/U50-3.14.2.2.5-1"),
            (PacketType::Auth, P::AuthenticationMethod) => rule_of_5_0!("v5.0/U50-3.15.2.2.2-1"),
            (PacketType::Auth, P::AuthenticationData) => rule_of_5_0!("v5.0/U50-3.15.2.2.3-1"),
            (PacketType::Auth, P::ReasonString) => rule_of_5_0!("v5.0/U50-3.15.2.2.4-1"),
            _ => return None,
        },
    })
}
