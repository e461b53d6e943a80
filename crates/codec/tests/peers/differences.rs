//! Where an independent codec and ours come to different verdicts, and why: by clause.

use codec::{
    Direction, Frame, Packet, Properties, PropertyId, ReasonCode, TopicFilter, Version, decode,
};

use super::{NOT_CHECKED, Peer};

/// A difference between our verdict and a peer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference {
    /// It refuses what no clause forbids, for this reason.
    Refused(&'static str),
    /// It lets pass what this clause forbids, which it is known not to check.
    Passed(&'static str),
    /// It is a bug: ours, or one of theirs that belongs among the explanations.
    Unexplained(String),
}

/// What each peer that speaks the version says to these bytes; `None` where it says the same as we.
pub(crate) fn compare(
    bytes: &[u8],
    version: Version,
    direction: Direction,
) -> Vec<(Peer, Option<Difference>)> {
    let Some(frame) = Frame::new(bytes) else {
        return Vec::new();
    };
    // A CONNECT says itself of which version it is, and peers that speak several go by that.
    let version = codec::announced_version(frame).unwrap_or(version);
    let ours = decode(frame, version, direction);
    let verdicts = Peer::ALL
        .into_iter()
        .filter_map(|peer| Some((peer, peer.accepts(bytes, version)?)));
    verdicts
        .map(|(peer, accepted)| {
            let difference = match &ours {
                Ok(packet) if !accepted => Some(explain_refusal(peer, packet, version)),
                Err(violation) if accepted => Some(explain_pass(peer, violation.clause.name())),
                _ => None,
            };
            (peer, difference)
        })
        .collect()
}

fn explain_refusal(peer: Peer, packet: &Packet<'_>, version: Version) -> Difference {
    let refusal = REFUSALS
        .iter()
        .find(|refusal| refusal.peers.contains(&peer) && (refusal.applies)(packet, version));
    match refusal {
        Some(refusal) => Difference::Refused(refusal.why),
        None => Difference::Unexplained(format!("{peer:?} refuses what is sound in {version}")),
    }
}

fn explain_pass(peer: Peer, clause: &'static str) -> Difference {
    let known = NOT_CHECKED
        .iter()
        .any(|(known, clauses)| *known == peer && clauses.contains(&clause));
    if known {
        Difference::Passed(clause)
    } else {
        Difference::Unexplained(format!("{peer:?} accepts what {clause} forbids"))
    }
}

/// Why a peer refuses what no clause forbids.
pub(crate) struct Refusal {
    peers: &'static [Peer],
    pub(crate) why: &'static str,
    applies: fn(&Packet<'_>, Version) -> bool,
}

pub(crate) const REFUSALS: &[Refusal] = &[
    Refusal {
        peers: &[Peer::MqttProto, Peer::RmqttCodec, Peer::MqttProtocolCore],
        why: "a Payload Format Indicator beyond 1: sections 3.1.3.2.3 and 3.3.2.3.2 call nothing an error",
        applies: |packet, _| {
            any_properties(packet, |list| list.payload_format_indicator() > Some(1))
        },
    },
    Refusal {
        peers: &[Peer::MqttProto, Peer::RmqttCodec, Peer::MqttProtocolCore],
        why: "a repeated property that no statement forbids to repeat",
        applies: |packet, _| {
            any_properties(packet, |list| {
                let repeats = |id| list.iter().filter(|property| property.id == id).count() > 1;
                repeats(PropertyId::PayloadFormatIndicator)
                    || repeats(PropertyId::MessageExpiryInterval)
            })
        },
    },
    Refusal {
        peers: &[Peer::MqttProto],
        why: "v5.0/U50-3.3.2.3.2-1: it may look whether the payload is text",
        applies: |packet, _| match packet {
            Packet::Publish(publish) => {
                publish.properties.payload_format_indicator() == Some(1)
                    && str::from_utf8(publish.payload).is_err()
            }
            Packet::Connect(connect) => connect.will.is_some_and(|will| {
                will.properties.payload_format_indicator() == Some(1)
                    && str::from_utf8(will.payload).is_err()
            }),
            _ => false,
        },
    },
    Refusal {
        peers: &[Peer::MqttProto],
        why: "v5.0/MQTT-3.3.4-4 lets a PUBLISH carry many Subscription Identifiers",
        applies: |packet, _| matches!(packet, Packet::Publish(publish) if publish.properties.subscription_identifiers().count() > 1),
    },
    Refusal {
        peers: &[Peer::MqttProto, Peer::MqttProtocolCore],
        why: "bad Topic Filters are left to the session logic, which may answer with SUBACK",
        applies: |packet, version| {
            let bad = |filter| match version {
                Version::V5_0 => TopicFilter::parse(filter).is_err(),
                _ => {
                    TopicFilter::parse(filter).is_err() || TopicFilter::parse_plain(filter).is_err()
                }
            };
            match packet {
                Packet::Subscribe(subscribe) => subscribe
                    .filters
                    .iter()
                    .any(|subscription| bad(subscription.filter)),
                Packet::Unsubscribe(unsubscribe) => unsubscribe.filters.iter().any(bad),
                _ => false,
            }
        },
    },
    Refusal {
        peers: &[Peer::MqttProto, Peer::MqttProtocolCore],
        why: "0x8C in DISCONNECT: table 2-6 has it, table 3-10 has not",
        applies: |packet, _| {
            matches!(packet, Packet::Disconnect(disconnect)
                if disconnect.reason_code == ReasonCode::BAD_AUTHENTICATION_METHOD)
        },
    },
    Refusal {
        peers: &[Peer::MqttProtocolCore],
        why: "5.0 section 3.1.2.9 allows a password without a user name",
        applies: |packet, _| matches!(packet, Packet::Connect(connect) if connect.password.is_some() && connect.user_name.is_none()),
    },
    Refusal {
        peers: &[Peer::RmqttCodec],
        why: "no statement forbids a Message Expiry Interval of 0",
        applies: |packet, _| {
            any_properties(packet, |list| list.message_expiry_interval() == Some(0))
        },
    },
    Refusal {
        peers: &[Peer::RmqttCodec],
        why: "an empty Client Identifier with Clean Start 0 is for the session logic (and sound in 5.0)",
        applies: |packet, _| matches!(packet, Packet::Connect(connect) if connect.client_id.is_empty() && !connect.clean_start),
    },
    Refusal {
        peers: &[Peer::RumqttcV4Next],
        why: "v3.1.1/MQTT-3.2.2-4, Session Present beside an error, is for the session logic",
        applies: |packet, _| {
            matches!(packet, Packet::Connack(connack)
                if connack.session_present && connack.reason_code != ReasonCode::SUCCESS)
        },
    },
];

fn any_properties(packet: &Packet<'_>, test: impl Fn(Properties<'_>) -> bool) -> bool {
    match packet {
        Packet::Publish(publish) => test(publish.properties),
        Packet::Connect(connect) => connect.will.is_some_and(|will| test(will.properties)),
        _ => false,
    }
}
