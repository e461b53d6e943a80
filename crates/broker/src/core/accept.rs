//! What a client may send, and a server must take. Only a broker that breaks one of these rules refuses it.

use std::collections::BTreeSet;

use codec::{Connect, Frame, Packet, Properties, PropertyId, PropertyValue, ReasonCode, Version};

use super::Refusal;
use crate::rules::{Rule, Rules, rule};

/// Takes a sound CONNECT for what it is.
pub(super) fn check_connect(
    rules: &Rules,
    connect: &Connect<'_>,
    frame: Frame<'_>,
) -> Result<(), Refusal> {
    if rules.are_kept_unasked() {
        return Ok(());
    }
    in_any_order(rules, connect.properties)?;
    let repeats = repeats_a_name(connect.properties);
    refuse(rules, repeats, rule!("v5.0/U50-3.1.2.11.8-1"))?;
    if rules.version() == Version::V3_1 {
        // In 3.1 the end of the packet outweighs the flags. They stand behind the name and the version.
        let flags = frame.body().get(9).copied().unwrap_or_default();
        let without = |flag: u8, field: bool| flags & flag != 0 && !field;
        let user_name = without(0x80, connect.user_name.is_some());
        refuse(rules, user_name, rule!("v3.1/V31-3.1-4"))?;
        let password = without(0x40, connect.password.is_some());
        refuse(rules, password, rule!("v3.1/V31-3.1-5"))?;
        // Without a Will its QoS and its RETAIN mean nothing.
        let idle = flags & 0b0000_0100 == 0 && flags & 0b0011_1000 != 0;
        refuse(rules, idle, rule!("v3.1/V31-2.2-7"))?;
    }
    Ok(())
}

/// Takes any other sound packet for what it is.
pub(super) fn check(rules: &Rules, packet: &Packet<'_>, frame: Frame<'_>) -> Result<(), Refusal> {
    if rules.are_kept_unasked() {
        return Ok(());
    }
    let length = frame.body().len();
    // In 3.1 these have a QoS, and so may be sent again.
    let repeated = rules.version() == Version::V3_1 && frame.first_byte() & 0b1000 != 0;
    match packet {
        Packet::Publish(publish) => {
            in_any_order(rules, publish.properties)?;
            let empty = rules.version() == Version::V3_1 && publish.payload.is_empty();
            refuse(rules, empty, rule!("v3.1/V31-3.3-2"))
        }
        Packet::Subscribe(subscribe) => {
            refuse(rules, repeated, rule!("v3.1/V31-3.8-1"))?;
            in_any_order(rules, subscribe.properties)
        }
        Packet::Unsubscribe(unsubscribe) => {
            refuse(rules, repeated, rule!("v3.1/V31-3.10-1"))?;
            in_any_order(rules, unsubscribe.properties)
        }
        // What is left out at the end of these has a meaning.
        Packet::Puback(_) => refuse(rules, length == 2, rule!("v5.0/U50-3.4.2.1-1")),
        Packet::Pubrec(_) => refuse(rules, length == 2, rule!("v5.0/U50-3.5.2.1-1")),
        Packet::Pubrel(_) => {
            refuse(rules, repeated, rule!("v3.1/V31-3.6-1"))?;
            refuse(rules, length == 2, rule!("v5.0/U50-3.6.2.1-1"))
        }
        Packet::Pubcomp(_) => refuse(rules, length == 2, rule!("v5.0/U50-3.7.2.1-1")),
        Packet::Disconnect(_) => refuse(rules, length == 0, rule!("v5.0/U50-3.14.2.1-1")),
        _ => Ok(()),
    }
}

/// Properties come in any order.
fn in_any_order(rules: &Rules, properties: Properties<'_>) -> Result<(), Refusal> {
    if properties.is_empty() {
        return Ok(());
    }
    let mut ids = properties.iter().map(|property| property.id);
    let unsorted = ids.next().is_some_and(|first| {
        ids.try_fold(first, |before, id| (before <= id).then_some(id))
            .is_none()
    });
    refuse(rules, unsorted, rule!("v5.0/U50-2.2.2.2-2"))
}

fn repeats_a_name(properties: Properties<'_>) -> bool {
    let mut names = BTreeSet::new();
    properties
        .iter()
        .filter(|property| property.id == PropertyId::UserProperty)
        .any(|property| match property.value {
            PropertyValue::Utf8StringPair(name, _) => !names.insert(name.as_bytes()),
            _ => false,
        })
}

fn refuse(rules: &Rules, concerned: bool, rule: Rule) -> Result<(), Refusal> {
    if concerned && rules.breaks(rule) {
        let clause = rule.clauses(rules.version())[0];
        return Err(Refusal::new(clause, ReasonCode::MALFORMED_PACKET));
    }
    Ok(())
}
