//! [`Breakable`]: what the broker can be told to disobey, a clause or one [`Breach`] of it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use clauses::{ClauseId, UnknownClause};
use codec::draft::{FieldSpec, Kind, fields};
use codec::{PacketType, Violation};

/// What a violation is told of that is no field of the scenario language.
const BESIDE_FIELDS: [&str; 8] = [
    "connect_flags",
    "flags",
    "packet",
    "packet_type",
    "property_identifier",
    "property_length",
    "remaining_length",
    "reserved_flag",
];

/// A clause, and the field of the one Control Packet that it is broken in: `v5.0/MQTT-1.5.4-1/PUBLISH.topic`.
///
/// Many a clause rules several packets or fields, and a broker may well forget one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// The clause.
    pub clause: ClauseId,
    /// The Control Packet.
    pub packet: PacketType,
    /// The field, as [`Violation::field`] has it.
    pub field: Cow<'static, str>,
}

/// A text that names no place where a clause could be broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownBreach {
    /// The clause is unknown.
    #[error(transparent)]
    Clause(#[from] UnknownClause),
    /// No Control Packet has the name.
    #[error(
        "`{0}` is no MQTT Control Packet; behind a clause may stand one and its field, such as `/PUBLISH.topic`"
    )]
    Packet(String),
    /// The field is not named.
    #[error("{0} has many fields; write which, such as `/PUBLISH.topic`")]
    NoField(PacketType),
    /// The packet has no such field.
    #[error("{packet} has no field `{field}`; it has {}", known(*.packet))]
    Field {
        /// The packet.
        packet: PacketType,
        /// What was written.
        field: String,
    },
}

/// What the broker can be told to disobey.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breakable {
    /// A clause, wherever it rules.
    Clause(ClauseId),
    /// A clause in one place.
    Breach(Breach),
}

impl Breakable {
    /// The clause that is disobeyed.
    pub fn clause(&self) -> ClauseId {
        match self {
            Self::Clause(clause) => *clause,
            Self::Breach(breach) => breach.clause,
        }
    }
}

impl fmt::Display for Breakable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clause(clause) => clause.fmt(f),
            Self::Breach(breach) => breach.fmt(f),
        }
    }
}

impl FromStr for Breakable {
    type Err = UnknownBreach;

    fn from_str(text: &str) -> Result<Self, UnknownBreach> {
        // The name of a clause has one slash.
        if text.matches('/').count() < 2 {
            return Ok(Self::Clause(ClauseId::parse(text)?));
        }
        text.parse().map(Self::Breach)
    }
}

impl Breach {
    /// The place where a packet does what its first clause forbids.
    pub(crate) fn of(violation: &Violation, packet: PacketType) -> Self {
        Self {
            clause: violation.clause,
            packet,
            field: Cow::Borrowed(violation.field),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.clause, self.packet, self.field)
    }
}

impl FromStr for Breach {
    type Err = UnknownBreach;

    fn from_str(text: &str) -> Result<Self, UnknownBreach> {
        let (clause, place) = match text.match_indices('/').nth(1) {
            Some((at, _)) => (&text[..at], &text[at + 1..]),
            None => (text, ""),
        };
        let clause = ClauseId::parse(clause)?;
        let (packet, field) = place.split_once('.').unwrap_or((place, ""));
        let packet: PacketType = packet
            .parse()
            .map_err(|_| UnknownBreach::Packet(packet.to_owned()))?;
        if field.is_empty() {
            return Err(UnknownBreach::NoField(packet));
        }
        if !names(packet).any(|name| name == field) {
            let field = field.to_owned();
            return Err(UnknownBreach::Field { packet, field });
        }
        Ok(Self {
            clause,
            packet,
            field: Cow::Owned(field.to_owned()),
        })
    }
}

/// What a violation in this packet may be told of.
fn names(packet: PacketType) -> impl Iterator<Item = Cow<'static, str>> {
    let own = fields(packet).iter().flat_map(|spec| {
        let inner: &[FieldSpec] = match spec.kind {
            Kind::Record(fields) | Kind::Records(fields) => fields,
            _ => &[],
        };
        let inner = inner.iter().map(|inner| match inner.property {
            // A property is told under its own name, wherever it stands.
            Some(_) => Cow::Borrowed(inner.name),
            None => Cow::Owned(format!("{}.{}", spec.name, inner.name)),
        });
        [Cow::Borrowed(spec.name)].into_iter().chain(inner)
    });
    own.chain(BESIDE_FIELDS.into_iter().map(Cow::Borrowed))
}

fn known(packet: PacketType) -> String {
    names(packet).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_again() {
        for name in [
            "v5.0/MQTT-1.5.4-1/PUBLISH.topic",
            "v3.1.1/MQTT-3.1.2-14/CONNECT.will.qos",
            "v5.0/MQTT-3.8.3-5/SUBSCRIBE.filters.reserved",
            "v5.0/U50-2.1.3-1/PUBREL.flags",
        ] {
            let breach: Breach = name.parse().unwrap();
            assert_eq!(breach.to_string(), name);
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let refused = |name: &str| name.parse::<Breach>().unwrap_err().to_string();
        assert!(refused("v5.0/MQTT-1.5.4-99/PUBLISH.topic").contains("MQTT-1.5.4-99"));
        assert!(refused("v5.0/MQTT-1.5.4-1/Publish.topic").contains("`Publish`"));
        assert!(refused("v5.0/MQTT-1.5.4-1/PINGREQ.topic").starts_with(
            "PINGREQ has no field `topic`; it has connect_flags, flags, packet, packet_type"
        ));
        assert!(refused("v5.0/MQTT-1.5.4-1/PUBLISH").starts_with("PUBLISH has many fields;"));
    }
}
