//! Our verdicts against those of independent codecs: every difference is explained, by clause.
//!
//! The packets are the rows of the table, and each sound row with each of its bytes changed in several ways.
//! A difference that no explanation covers is a bug: ours, or one of theirs that belongs on the list.

mod peers;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use codec::{
    Direction, Frame, Packet, Properties, PropertyId, ReasonCode, TopicFilter, Version, decode,
};
use peers::{NOT_CHECKED, Peer};
use rows::rows;

/// Why a peer refuses what no clause forbids.
struct Refusal {
    peers: &'static [Peer],
    why: &'static str,
    applies: fn(&Packet<'_>, Version) -> bool,
}

const REFUSALS: &[Refusal] = &[
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

#[derive(Default)]
struct Differences {
    compared: usize,
    unexplained: BTreeMap<String, Vec<String>>,
    /// The explanations that were needed: of what a peer refuses, and of what it lets pass.
    refused: BTreeSet<&'static str>,
    passed: BTreeSet<(Peer, &'static str)>,
}

impl Differences {
    fn look(&mut self, bytes: &[u8], version: Version, direction: Direction, place: &str) {
        let Some(frame) = Frame::new(bytes) else {
            return;
        };
        let ours = decode(frame, version, direction);
        for peer in Peer::ALL {
            let Some(theirs) = peer.accepts(bytes, version) else {
                continue;
            };
            self.compared += 1;
            let unexplained = match &ours {
                Ok(packet) if !theirs => {
                    let refusal = REFUSALS.iter().find(|refusal| {
                        refusal.peers.contains(&peer) && (refusal.applies)(packet, version)
                    });
                    self.refused.extend(refusal.map(|refusal| refusal.why));
                    refusal
                        .is_none()
                        .then(|| format!("{peer:?} refuses what is sound in {version}"))
                }
                Err(violation) if theirs => {
                    let clause = violation.clause.name();
                    self.passed.insert((peer, clause));
                    let known = NOT_CHECKED
                        .iter()
                        .any(|(known, clauses)| *known == peer && clauses.contains(&clause));
                    (!known).then(|| format!("{peer:?} accepts what {clause} forbids"))
                }
                _ => None,
            };
            if let Some(what) = unexplained {
                self.unexplained
                    .entry(what)
                    .or_default()
                    .push(format!("{place} {bytes:02x?}"));
            }
        }
    }
}

#[test]
fn every_difference_is_explained_and_every_explanation_needed() {
    // Some of the peers panic on malformed packets; their traces are no news.
    std::panic::set_hook(Box::new(|_| {}));
    let mut differences = Differences::default();
    for row in rows() {
        differences.look(&row.bytes, row.version, row.direction, &row.place);
        if row.verdict != "ok" {
            continue;
        }
        for place in (0..row.bytes.len()).filter(|place| *place != 1) {
            for change in [
                0,
                1,
                2,
                0x20,
                0x7F,
                0x80,
                0xFF,
                row.bytes[place] ^ 1,
                row.bytes[place] ^ 4,
            ] {
                let mut bytes = row.bytes.clone();
                bytes[place] = change;
                let place = format!("{}, byte {place}", row.place);
                differences.look(&bytes, row.version, row.direction, &place);
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(differences.compared > 50_000, "{}", differences.compared);
    let report = differences.unexplained.iter().map(|(what, places)| {
        format!(
            "{what}: {} times, such as\n      {}",
            places.len(),
            places[..places.len().min(4)].join("\n      ")
        )
    });
    let report = report.collect::<Vec<_>>();
    assert!(
        report.is_empty(),
        "{} kinds:\n{}",
        report.len(),
        report.join("\n")
    );
    for refusal in REFUSALS {
        assert!(
            differences.refused.contains(refusal.why),
            "not needed: {}",
            refusal.why
        );
    }
    for (peer, clauses) in NOT_CHECKED {
        for clause in *clauses {
            assert!(
                differences.passed.contains(&(*peer, clause)),
                "not needed: {peer:?} {clause}"
            );
        }
    }
}
