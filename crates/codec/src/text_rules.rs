//! What the rules ask of a text, field by field.

use crate::{
    Version,
    rule::{Rule, rule, rule_of_5_0},
};

/// The rules for a UTF-8 Encoded String in a certain field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRules {
    /// The rule against ill-formed UTF-8.
    pub(crate) ill_formed: Rule,
    /// The rule against U+0000; 3.1 has one for topics only.
    pub(crate) null: Option<Rule>,
}

/// A text that no statement names in particular.
pub(crate) const fn any_text(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version,
            "v3.1/V31-2.5-1",
            "v3.1.1/MQTT-1.5.3-1",
            "v5.0/MQTT-1.5.4-1"
        ),
        null: null(version),
    }
}

const fn null(version: Version) -> Option<Rule> {
    match version {
        Version::V3_1 => None,
        _ => Some(rule!(
            version,
            "v3.1/V31-2.5-1",
            "v3.1.1/MQTT-1.5.3-2",
            "v5.0/MQTT-1.5.4-2"
        )),
    }
}

const fn null_in_topic(version: Version) -> Rule {
    rule!(
        version, "v3.1.1/MQTT-4.7.3-2", "v3.1.1/MQTT-4.7.3-2", "v5.0/MQTT-4.7.3-2",
        also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-2", "v5.0/MQTT-1.5.4-2"
    )
}

/// The Client Identifier.
pub(crate) const fn client_id(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.1.3-4", "v5.0/MQTT-3.1.3-4",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: null(version),
    }
}

/// The User Name.
pub(crate) const fn user_name(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.1.3-11", "v5.0/MQTT-3.1.3-12",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: null(version),
    }
}

/// The Will Topic.
pub(crate) const fn will_topic(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.1.3-10", "v5.0/MQTT-3.1.3-11",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: Some(null_in_topic(version)),
    }
}

/// The Topic Name of PUBLISH.
pub(crate) const fn topic_name(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.3.2-1", "v5.0/MQTT-3.3.2-1",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: Some(null_in_topic(version)),
    }
}

/// A Topic Filter of SUBSCRIBE.
pub(crate) const fn subscribe_filter(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.8.3-1", "v5.0/MQTT-3.8.3-1",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: Some(null_in_topic(version)),
    }
}

/// A Topic Filter of UNSUBSCRIBE.
pub(crate) const fn unsubscribe_filter(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule!(
            version, "v3.1/V31-2.5-1", "v3.1.1/MQTT-3.10.3-1", "v5.0/MQTT-3.10.3-1",
            also "v3.1/V31-2.5-1", "v3.1.1/MQTT-1.5.3-1", "v5.0/MQTT-1.5.4-1"
        ),
        null: Some(null_in_topic(version)),
    }
}

/// The Response Topic of PUBLISH.
pub(crate) const fn response_topic(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule_of_5_0!("v5.0/MQTT-3.3.2-13", also "v5.0/MQTT-1.5.4-1"),
        null: Some(null_in_topic(version)),
    }
}

/// The Response Topic of a Will Message.
pub(crate) const fn will_response_topic(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule_of_5_0!("v5.0/MQTT-1.5.4-1"),
        null: Some(null_in_topic(version)),
    }
}

/// The Content Type of PUBLISH.
pub(crate) const fn content_type(version: Version) -> TextRules {
    TextRules {
        ill_formed: rule_of_5_0!("v5.0/MQTT-3.3.2-19", also "v5.0/MQTT-1.5.4-1"),
        null: null(version),
    }
}

/// Name and value of a User Property.
pub(crate) const fn string_pair(_: Version) -> TextRules {
    TextRules {
        ill_formed: rule_of_5_0!("v5.0/MQTT-1.5.7-1", also "v5.0/MQTT-1.5.4-1"),
        null: Some(rule_of_5_0!("v5.0/MQTT-1.5.4-2", also "v5.0/MQTT-1.5.7-1")),
    }
}
