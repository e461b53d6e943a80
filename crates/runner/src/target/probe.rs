//! What CONNACK of MQTT 5.0 tells of a target (section 3.2.2.3).

use codec::{Connack, Properties, QoS};

use super::{Credentials, Facts, Features};

/// What is known of a target: what its CONNACK of 5.0 says, or, of a target that does not speak
/// 5.0, what every server of 3.1.1 must have. `why_absent` is the reason for all that it does not tell.
pub(crate) fn learn(
    connack: Option<&Connack<'_>>,
    credentials: Option<Credentials>,
    why_absent: &'static str,
) -> Facts {
    let mut facts = Facts {
        features: Features::none(why_absent),
        credentials,
        ..Facts::default()
    };
    match connack {
        Some(connack) => from_properties(connack.properties, &mut facts),
        None => {
            for feature in ["qos 1", "qos 2", "retain", "wildcard"] {
                facts.features.add(feature);
            }
        }
    }
    facts
}

fn from_properties(properties: Properties<'_>, facts: &mut Facts) {
    let maximum_qos = properties
        .maximum_qos()
        .map_or(QoS::EXACTLY_ONCE, QoS::from_bits);
    let mut either = |has: bool, feature, otherwise, says: &str| {
        let features = &mut facts.features;
        features.add(if has { feature } else { otherwise });
        features.lack(
            if has { otherwise } else { feature },
            format!("CONNACK says {says}"),
        );
    };
    let offers = |available: Option<u8>| available != Some(0);
    let said = |has: bool| {
        if has {
            "it is available"
        } else {
            "it is not available"
        }
    };

    let has = maximum_qos >= QoS::EXACTLY_ONCE;
    either(
        has,
        "qos 2",
        "limited_qos",
        &format!("Maximum QoS {}", maximum_qos.value()),
    );
    let has = offers(properties.retain_available());
    either(has, "retain", "no_retain", said(has));
    let has = offers(properties.wildcard_subscription_available());
    either(has, "wildcard", "no_wildcard", said(has));
    let has = offers(properties.shared_subscription_available());
    either(has, "shared", "no_shared", said(has));
    let has = offers(properties.subscription_identifier_available());
    either(has, "subscription_ids", "no_subscription_ids", said(has));
    let features = &mut facts.features;
    if maximum_qos >= QoS::AT_LEAST_ONCE {
        features.add("qos 1");
    } else {
        features.lack("qos 1", "CONNACK says Maximum QoS 0");
    }
    // Without Topic Alias Maximum the server takes none (5.0 section 3.2.2.3.8).
    if properties.topic_alias_maximum().unwrap_or(0) > 0 {
        features.add("topic_alias");
    } else {
        features.lack("topic_alias", "CONNACK says Topic Alias Maximum 0");
    }

    let limits = [
        (
            "maximum_packet_size",
            "maximum_packet_size",
            properties.maximum_packet_size(),
        ),
        (
            "receive_maximum",
            "receive_maximum",
            properties.receive_maximum().map(u32::from),
        ),
        (
            "server_keep_alive",
            "server_keep_alive",
            properties.server_keep_alive().map(u32::from),
        ),
    ];
    for (feature, name, limit) in limits {
        match limit {
            Some(limit) => {
                facts.features.add(feature);
                facts.values.insert(name, limit.to_string());
            }
            None => facts.features.lack(feature, "CONNACK sets no such limit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use codec::{PropertiesBuf, PropertyId, ReasonCode};

    use super::*;

    fn facts(properties: &PropertiesBuf) -> Facts {
        let connack = Connack {
            session_present: false,
            reason_code: ReasonCode::SUCCESS,
            properties: properties.as_properties(),
        };
        learn(Some(&connack), None, "nobody said so")
    }

    #[test]
    fn what_connack_leaves_out_is_available() {
        let facts = facts(&PropertiesBuf::new());
        for feature in ["qos 1", "qos 2", "retain", "shared"] {
            assert!(facts.features.has(feature), "{feature}");
        }
        assert!(!facts.features.has("topic_alias"));
        assert_eq!(
            facts.features.missing(&["auth"]).unwrap(),
            "requires `auth`: nobody said so"
        );
    }

    #[test]
    fn every_feature_is_one_that_scenarios_can_require() {
        for name in facts(&PropertiesBuf::new()).features.named() {
            assert!(scenario::feature::feature(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_connack_denies_is_absent_and_its_opposite_present() {
        let mut properties = PropertiesBuf::new();
        properties
            .byte(PropertyId::MaximumQoS, 1)
            .byte(PropertyId::RetainAvailable, 0)
            .four_byte_integer(PropertyId::MaximumPacketSize, 2000);
        let facts = facts(&properties);
        assert!(facts.features.has("limited_qos"));
        assert!(facts.features.has("qos 1"));
        assert!(facts.features.has("no_retain"));
        assert_eq!(facts.value("maximum_packet_size").as_deref(), Some("2000"));
        assert_eq!(
            facts.features.missing(&["qos 2"]).unwrap(),
            "requires `qos 2`: CONNACK says Maximum QoS 1"
        );
        assert_eq!(
            facts.features.missing(&["retain"]).unwrap(),
            "requires `retain`: CONNACK says it is not available"
        );
    }
}
