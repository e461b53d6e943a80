//! [`Clause`]: what the register tells of one normative statement.

use core::fmt;

/// One normative statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// The full name, such as `v5.0/MQTT-3.1.0-2`.
    pub name: &'static str,
    /// The number within its standard, such as `MQTT-3.1.0-2`.
    pub number: &'static str,
    /// The standard that makes the statement.
    pub standard: Standard,
    /// Whether the number is the standard's own, rather than ours for a statement it left unnumbered.
    pub numbered: bool,
    /// The deepest section in which the statement is printed.
    pub section: &'static str,
    /// That section's title.
    pub section_title: &'static str,
    /// The Control Packet that the section describes.
    pub packet: Option<&'static str>,
    /// Whom the statement obliges.
    pub actor: Actor,
    /// How strongly it obliges.
    pub keyword: Keyword,
    /// The statement in our own words.
    pub summary: &'static str,
    /// Who can see whether it is kept.
    pub testable: Testable,
    /// Why it cannot be seen, where it cannot.
    pub reason: Option<&'static str>,
    /// Numbers, in the same standard, of the rules by which a receiver reacts to a violation.
    pub via: &'static [&'static str],
    /// What an implementation must have, or be configured with, for the statement to apply.
    pub needs: &'static [&'static str],
    /// Whether a check has to wait, and so needs a tolerance.
    pub timing: bool,
    /// The Reason Code that 5.0 prescribes for the violation.
    pub reason_code: Option<u8>,
    /// For MQTT 3.1: the numbers of the 3.1.1 statements it relates to.
    pub compare: &'static [&'static str],
    /// A remark on reading or testing it.
    pub note: Option<&'static str>,
}

/// A document that makes normative statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standard {
    /// MQTT-SN 1.2 (IBM, 2013).
    Sn1_2,
    /// MQTT 3.1 (IBM and Eurotech, 2010).
    V3_1,
    /// MQTT 3.1.1 (OASIS, with Errata 01, 2015).
    V3_1_1,
    /// MQTT 5.0 (OASIS, 2019).
    V5_0,
}

/// Whom a statement obliges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A server.
    Server,
    /// A client.
    Client,
    /// Server and client alike.
    Both,
    /// An MQTT-SN gateway.
    Gateway,
}

/// How strongly a statement obliges, in the words of RFC 2119 where it uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// MUST.
    Must,
    /// MUST NOT.
    MustNot,
    /// SHOULD.
    Should,
    /// SHOULD NOT.
    ShouldNot,
    /// MAY.
    May,
    /// Stated as a fact, without one of those words.
    Stated,
    /// Called a Protocol Error or a Malformed Packet.
    Error,
}

/// Who can see whether a statement is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Testable {
    /// A client can see it of a server.
    Server,
    /// A server can see it of a client.
    Client,
    /// Either can see it of the other.
    Both,
    /// A client can see it of an MQTT-SN gateway.
    Gateway,
    /// Nobody can see it from outside.
    Unobservable,
}

impl Clause {
    /// Whether a server is obliged, in a way that a client can see.
    pub fn binds_a_server(&self) -> bool {
        matches!(self.testable, Testable::Server | Testable::Both)
    }
}

impl Standard {
    /// Every standard of the register, oldest protocol first.
    pub const ALL: [Self; 4] = [Self::Sn1_2, Self::V3_1, Self::V3_1_1, Self::V5_0];

    /// The part of a clause's name before the slash, such as `v5.0`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sn1_2 => "sn-1.2",
            Self::V3_1 => "v3.1",
            Self::V3_1_1 => "v3.1.1",
            Self::V5_0 => "v5.0",
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Keyword {
    /// The keyword as the register writes it, such as `MUST NOT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
            Self::Stated => "STATED",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
