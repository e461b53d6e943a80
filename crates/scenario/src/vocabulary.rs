//! The names that a map of fields may hold at each place of the language.
//!
//! The fields of packets come from the codec's table; what stands here is what the language adds to it.

use codec::draft::{self, FieldSpec, Kind};
use codec::{PacketType, Version};

use crate::ast::Verb;

/// A name that a map may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    /// The name.
    pub(crate) name: &'static str,
    /// What value it takes.
    pub(crate) slot: Slot,
    /// The versions in which it means something.
    pub(crate) versions: &'static [Version],
    /// What it is, in a few words.
    pub(crate) summary: &'static str,
}

/// What value a name takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot {
    /// A value of the codec's kind.
    Field(Kind),
    /// A scalar or list whose user types it, such as the value of an axis.
    Untyped,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a number.
    WordOrNumber(&'static [&'static str]),
    /// A duration.
    Duration,
    /// A map with these names.
    Map(fn() -> Vec<Term>),
    /// One of these words, or a map with these names.
    WordOrMap(&'static [&'static str], fn() -> Vec<Term>),
}

const fn term(name: &'static str, slot: Slot, summary: &'static str) -> Term {
    Term {
        name,
        slot,
        versions: &Version::ALL,
        summary,
    }
}

const fn own(spec: &'static FieldSpec) -> Term {
    Term {
        name: spec.name,
        slot: Slot::Field(spec.kind),
        versions: spec.versions,
        summary: spec.summary,
    }
}

/// `success` where a packet leaves it out or the version lacks it, so it may be asked for in every version.
fn expected(term: Term) -> Term {
    if matches!(term.slot, Slot::Field(Kind::ReasonCode)) {
        Term {
            versions: &Version::ALL,
            ..term
        }
    } else {
        term
    }
}

/// The names that a record of the codec's table may hold.
pub(crate) fn record(specs: &'static [FieldSpec]) -> Vec<Term> {
    specs.iter().flat_map(with_alias).collect()
}

fn with_alias(spec: &'static FieldSpec) -> impl Iterator<Item = Term> {
    let alias = spec.alias.map(|name| Term { name, ..own(spec) });
    std::iter::once(own(spec)).chain(alias)
}

/// `a -> PACKET: {…}`.
pub(crate) fn packet_sent(packet_type: PacketType) -> Vec<Term> {
    record(draft::fields(packet_type))
}

/// `a <- PACKET: {…}`.
pub(crate) fn packet_expected(packet_type: PacketType) -> Vec<Term> {
    packet_sent(packet_type).into_iter().map(expected).collect()
}

/// `but: {…}`: what can be forbidden on a packet, in every version: its own fields and any property.
pub(crate) fn forbidden(packet_type: PacketType) -> Vec<Term> {
    let properties = PacketType::ALL
        .into_iter()
        .flat_map(draft::fields)
        .filter(|spec| spec.property.is_some())
        .filter_map(|spec| draft::field(packet_type, spec.name));
    let mut terms: Vec<Term> = packet_sent(packet_type);
    for spec in properties {
        if !terms.iter().any(|term| term.name == spec.name) {
            terms.push(own(spec));
        }
    }
    for term in &mut terms {
        term.versions = &Version::ALL;
    }
    terms
}

/// `but: {…}`: lies about the wire.
pub(crate) fn lies() -> Vec<Term> {
    let mut terms: Vec<Term> = draft::malformations()
        .iter()
        .map(|spec| term(spec.name, Slot::Field(spec.kind), spec.summary))
        .collect();
    terms.push(term(
        "frame",
        Slot::Word(&["text"]),
        "the WebSocket frame that carries it is a text frame",
    ));
    terms
}

/// The options of a client, and the fields of `connects`.
pub(crate) fn client() -> Vec<Term> {
    let mut terms = vec![
        term(
            "session",
            Slot::Word(&["keep"]),
            "`keep`: Clean Session 0, or Clean Start 0 with an expiry",
        ),
        term(
            "version",
            Slot::Word(&["v3.1", "v3.1.1", "v5.0"]),
            "the protocol version, where it is not the case's",
        ),
        term(
            "link",
            Slot::WordOrMap(&["lan", "satellite", "2g", "lossy"], link),
            "the conditions of the link",
        ),
    ];
    terms.extend(packet_sent(PacketType::Connect));
    terms
}

/// The options of `opens`.
pub(crate) fn opens() -> Vec<Term> {
    let mut terms = link();
    terms.push(term(
        "gets",
        Slot::Map(opened),
        "what the target must answer to the opening",
    ));
    terms
}

fn opened() -> Vec<Term> {
    vec![term(
        "subprotocol",
        Slot::Field(Kind::Text),
        "the WebSocket subprotocol that the target chose",
    )]
}

/// The options of a link.
pub(crate) fn link() -> Vec<Term> {
    vec![
        term(
            "transport",
            Slot::Word(&["tcp", "tls", "ws", "wss", "unix"]),
            "how packets travel",
        ),
        term(
            "segments",
            Slot::Word(&["whole", "bytes", "coalesced"]),
            "how writes are cut",
        ),
        term(
            "frames",
            Slot::WordOrNumber(&["coalesced"]),
            "bytes in each WebSocket frame, or several packets in one",
        ),
        term(
            "offer",
            Slot::Field(Kind::Texts),
            "the WebSocket subprotocols offered",
        ),
        term("latency", Slot::Duration, "how long each byte is under way"),
        term(
            "bandwidth",
            Slot::Field(Kind::Number {
                maximum: u64::from(u32::MAX),
            }),
            "bytes a second",
        ),
    ]
}

/// The fields of a verb.
pub(crate) fn verb(verb: Verb) -> Vec<Term> {
    let without = |packet_type, left_out: &[&str]| {
        packet_sent(packet_type)
            .into_iter()
            .filter(|term| !left_out.contains(&term.name))
            .collect::<Vec<_>>()
    };
    match verb {
        Verb::Connects => client(),
        Verb::Publishes => without(PacketType::Publish, &["id"]),
        Verb::Subscribes => {
            let mut terms = without(PacketType::Subscribe, &["id"]);
            terms.extend(subscription());
            terms
        }
        Verb::Unsubscribes => {
            let mut terms = without(PacketType::Unsubscribe, &["id"]);
            terms.push(term(
                "filter",
                Slot::Field(Kind::Text),
                "the only Topic Filter",
            ));
            terms
        }
        Verb::Receives => packet_expected(PacketType::Publish),
        Verb::Disconnects => packet_sent(PacketType::Disconnect),
        Verb::Pings => Vec::new(),
        Verb::Authenticates => packet_sent(PacketType::Auth),
    }
}

/// The fields of the only entry of `filters`, which `subscribes` takes directly.
fn subscription() -> Vec<Term> {
    draft::fields(PacketType::Subscribe)
        .iter()
        .find_map(|spec| match spec.kind {
            Kind::Records(specs) => Some(record(specs)),
            _ => None,
        })
        .unwrap_or_default()
}

/// The fields of a verb's `gets`; `None` where nothing answers.
pub(crate) fn gets(verb: Verb) -> Option<Vec<Term>> {
    let answer = |packet_type| {
        packet_expected(packet_type)
            .into_iter()
            .filter(|term| term.name != "id")
            .collect::<Vec<_>>()
    };
    Some(match verb {
        Verb::Connects => answer(PacketType::Connack),
        Verb::Publishes => answer(PacketType::Puback),
        Verb::Subscribes => {
            let mut terms = answer(PacketType::Suback);
            terms.push(term(
                "granted",
                Slot::Field(Kind::QoS),
                "the QoS granted for the only Topic Filter",
            ));
            terms
        }
        Verb::Unsubscribes => answer(PacketType::Unsuback),
        Verb::Authenticates => answer(PacketType::Auth),
        Verb::Receives | Verb::Disconnects | Verb::Pings => return None,
    })
}
