//! The clauses that a client can see kept and that no site states, with the reason for each.

use clauses::ClauseId;

const SURPLUS: &str =
    "a client's; a server sees nothing but a malformed CONNECT, refused by the clause that says so";
const EITHER: &str = "either outcome is allowed; such text is taken";
const SUBACK_FIRST: &str = "a permission that is not used: SUBACK goes first";

const REASONS: &[(&str, &str)] = &[
    (
        "v3.1/V31-2.2-12",
        "the same text says 64 KiB elsewhere, and 3.1.1 agrees with that",
    ),
    (
        "v3.1/V31-3.1-10",
        "a permission; an unknown version is answered in the way of the nearest one, which is later",
    ),
    ("v3.1/V31-3.8-3", SUBACK_FIRST),
    (
        "v3.1/V31-3.8-5",
        "a permission that is not used: the QoS that was asked for is granted",
    ),
    (
        "v3.1/V31-4.2-2",
        "not kept: 3.1.1 does not ask for it and 5.0 forbids it, since a connection loses nothing",
    ),
    (
        "v3.1/V31-A-2",
        "3.1.1 has set such topics apart, and they are in every version here",
    ),
    ("v3.1.1/U311-1.5.3-1", EITHER),
    (
        "v3.1.1/U311-3.1.3.1-1",
        "a permission that is always used: any Client Identifier will do",
    ),
    ("v3.1.1/U311-3.8.4-1", SUBACK_FIRST),
    (
        "v3.1.1/U311-4.4-1",
        "not forbidden otherwise; nothing is delivered again but on a new connection",
    ),
    ("v3.1.1/MQTT-3.1.2-18", SURPLUS),
    ("v3.1.1/MQTT-3.1.2-20", SURPLUS),
    ("v3.1.1/MQTT-3.1.3-1", SURPLUS),
    ("v3.1.1/MQTT-3.1.3-3", SURPLUS),
    ("v5.0/U50-1.5.4-1", EITHER),
    (
        "v5.0/U50-3.15.2.1-1",
        "an AUTH without its method is sound and answers to nothing: section 3.15.2.2.2 wants the method",
    ),
    ("v5.0/U50-3.8.4-1", SUBACK_FIRST),
    (
        "v5.0/U50-4.13.1-3",
        "a permission that is always used: CONNACK tells why",
    ),
    ("v5.0/MQTT-3.1.2-16", SURPLUS),
    ("v5.0/MQTT-3.1.2-18", SURPLUS),
    ("v5.0/MQTT-3.1.3-1", SURPLUS),
    ("v5.0/MQTT-3.1.3-3", SURPLUS),
];

/// Why no site states a clause that a client can see kept; none where one does.
pub fn unstated(clause: ClauseId) -> Option<&'static str> {
    let told = REASONS.iter().find(|(name, _)| *name == clause.name());
    told.map(|&(_, reason)| reason)
}
