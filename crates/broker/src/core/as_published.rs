//! What reaches subscribers as it was published: the topic, and properties (sections 3.3.2.3 and 4.7.3).

use std::borrow::Cow;

use codec::{Properties, PropertiesBuf, PropertyId, PropertyValue};

use crate::rules::{Rules, rule};

/// The topic, neither normalised nor stripped of a byte order mark.
pub(super) fn as_it_is<'t>(rules: &Rules, topic: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
    if rules.breaks(rule!(
        "v3.1/V31-A-3",
        "v3.1.1/MQTT-4.7.3-4",
        "v5.0/MQTT-4.7.3-4"
    )) {
        return Cow::Owned(topic.to_ascii_lowercase());
    }
    let mark = "\u{FEFF}".as_bytes();
    if topic.starts_with(mark) && rules.breaks(rule!("v3.1.1/MQTT-1.5.3-3", "v5.0/MQTT-1.5.4-3")) {
        return Cow::Owned(topic[mark.len()..].to_vec());
    }
    topic
}

/// The properties that reach subscribers as the publisher set them, and in their order (section 3.3.2.3).
pub(super) fn forwarded(rules: &Rules, properties: Properties<'_>) -> Box<[u8]> {
    if properties.is_empty() {
        return Box::default();
    }
    let mut kept = PropertiesBuf::new();
    for property in properties {
        let reaches = match property.id {
            PropertyId::PayloadFormatIndicator => rules.keeps(rule!("v5.0/MQTT-3.3.2-4")),
            PropertyId::ResponseTopic => rules.keeps(rule!("v5.0/MQTT-3.3.2-15")),
            PropertyId::CorrelationData => rules.keeps(rule!("v5.0/MQTT-3.3.2-16")),
            PropertyId::UserProperty => rules.keeps(rule!("v5.0/MQTT-3.3.2-17")),
            PropertyId::ContentType => rules.keeps(rule!("v5.0/MQTT-3.3.2-20")),
            _ => false,
        };
        if reaches {
            kept.push(property);
        }
    }
    let kept: Box<[u8]> = kept.as_properties().as_bytes().into();
    if properties.contains(PropertyId::UserProperty) && rules.breaks(rule!("v5.0/MQTT-3.3.2-18")) {
        return with_user_properties_reversed(&kept);
    }
    kept
}

/// What a broker makes of User Properties that does not keep their order.
pub(super) fn with_user_properties_reversed(properties: &[u8]) -> Box<[u8]> {
    let properties = Properties::new(properties);
    let is_user = |value: &PropertyValue<'_>| matches!(value, PropertyValue::Utf8StringPair(..));
    let (mut user, other): (Vec<_>, Vec<_>) = properties
        .iter()
        .partition(|property| is_user(&property.value));
    user.reverse();
    let reversed: PropertiesBuf = other.into_iter().chain(user).collect();
    reversed.as_properties().as_bytes().into()
}
