//! Which clause states a rule in which version.
//!
//! MQTT 3.1 leaves much unsaid. Where its register has no statement and yet a packet makes no sense,
//! the statement by which 3.1.1 spelled the rule out is named.

/// The clause that states a rule in the version at hand: 3.1, 3.1.1, 5.0.
///
/// `also` gives the more general statement that is broken with it.
macro_rules! rule {
    ($version:expr, $v3_1:literal, $v3_1_1:literal, $v5_0:literal $(, also $also_3_1:literal, $also_3_1_1:literal, $also_5_0:literal)?) => {
        match $version {
            $crate::Version::V3_1 => $crate::rule::Rule {
                clause: clauses::clause!($v3_1),
                also: $crate::rule::also!($($also_3_1)?),
            },
            $crate::Version::V3_1_1 => $crate::rule::Rule {
                clause: clauses::clause!($v3_1_1),
                also: $crate::rule::also!($($also_3_1_1)?),
            },
            $crate::Version::V5_0 => $crate::rule::Rule {
                clause: clauses::clause!($v5_0),
                also: $crate::rule::also!($($also_5_0)?),
            },
        }
    };
}

/// The clauses of a rule that only 5.0 has.
macro_rules! rule_of_5_0 {
    ($clause:literal $(, also $also:literal)?) => {
        $crate::rule::Rule { clause: clauses::clause!($clause), also: $crate::rule::also!($($also)?) }
    };
}

macro_rules! also {
    () => {
        None
    };
    ($clause:literal) => {
        Some(clauses::clause!($clause))
    };
}

pub(crate) use {also, rule, rule_of_5_0};

use clauses::ClauseId;

use crate::Version;

/// What a violation cites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) clause: ClauseId,
    pub(crate) also: Option<ClauseId>,
}

/// The rule for what no statement names: bytes that make no packet, or a packet out of place.
pub(crate) const fn general(version: Version) -> Rule {
    rule!(
        version,
        "v3.1.1/MQTT-4.8.0-1",
        "v3.1.1/MQTT-4.8.0-1",
        "v5.0/MQTT-4.13.1-1"
    )
}
