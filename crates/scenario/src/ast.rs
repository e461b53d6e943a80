//! The typed tree of a scenario: what a file says, with the place of everything it says.
//!
//! Scalars stay as they were written; the field that takes a value types it, when the value is known.
//! `LANGUAGE.md` beside this crate explains each form; the names here are its names.

use std::sync::Arc;

use clauses::ClauseId;
use codec::{PacketType, ReasonCode, Version};

use crate::bytes::Part;
use crate::source::{Source, Spanned};

/// A name in the scenario: of a client, a variable, an axis or a field.
pub type Name = Spanned<String>;

/// One scenario file.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file it was read from.
    pub source: Arc<Source>,
    /// One sentence that states the rule.
    pub title: Spanned<String>,
    /// Why the text says so, where that needs saying.
    pub why: Option<Spanned<String>>,
    /// The clauses that a failure speaks for.
    pub clauses: Vec<Spanned<ClauseId>>,
    /// Features without which the scenario is skipped.
    pub requires: Vec<Spanned<String>>,
    /// The protocol versions it is played in: those it names, or those of its clauses.
    pub versions: Vec<Version>,
    /// The rows it is expanded into; a single empty row when the file has no `each`.
    pub each: Vec<Row>,
    /// The clients that are connected before the first step and disconnected after the last.
    pub clients: Vec<Client>,
    /// The twin that must hold, where it cannot be derived from `!>`.
    pub control: Option<Vec<Step>>,
    /// The exchange.
    pub steps: Vec<Step>,
    /// Whether it cannot share the target with another case.
    pub alone: bool,
}

/// One expansion of `each`.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The part of the case name in brackets, such as `qos=1`; empty for a scenario without `each`.
    pub name: String,
    /// The variables it binds.
    pub bindings: Vec<(Name, Spanned<Value>)>,
    /// Clauses beside those of the scenario.
    pub clauses: Vec<Spanned<ClauseId>>,
    /// Features beside those of the scenario.
    pub requires: Vec<Spanned<String>>,
}

/// A client that is connected before the first step.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name in the scenario.
    pub name: Name,
    /// Fields of its CONNECT, and the options `version`, `link` and `session`.
    pub options: Fields,
}

/// One step, with what stands beside it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What happens.
    pub action: Spanned<Action>,
    /// `why:` beside the step.
    pub why: Option<Spanned<String>>,
    /// `clause:` beside the step: which of the scenario's clauses it speaks for.
    pub clause: Vec<Spanned<ClauseId>>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// `a -> PACKET: {fields}`, and `a !> PACKET: {fields, but: {…}}` when `forbidden`.
    Send {
        /// Who sends.
        who: Subject,
        /// What is sent.
        packet: Packet,
        /// Whether the specification forbids it (`!>`).
        forbidden: bool,
        /// `as <x>`.
        capture: Option<Name>,
    },
    /// `a -> together: [PACKETs]`, one write; with `!>` some of the packets may carry `but`.
    Together {
        /// Who sends.
        who: Subject,
        /// What is sent, in order.
        packets: Vec<Packet>,
        /// Whether the specification forbids it (`!>`).
        forbidden: bool,
    },
    /// `a -> bytes: …`, and `a !> bytes: …` when `forbidden`.
    SendBytes {
        /// Who sends.
        who: Subject,
        /// The bytes: hex digits and one-line field notation; see [`crate::bytes`].
        bytes: Spanned<Vec<Part>>,
        /// Whether the specification forbids it (`!>`).
        forbidden: bool,
    },
    /// `a <- bytes: …`: exactly these bytes are the next that arrive, undecoded.
    ExpectBytes {
        /// Who receives.
        who: Subject,
        /// The bytes, in the notation of [`crate::bytes`].
        bytes: Spanned<Vec<Part>>,
        /// `as`, `after`, `within`, `since`.
        timing: Timing,
    },
    /// `a <- PACKET: {fields}`.
    Expect {
        /// Who receives.
        who: Subject,
        /// What the oldest unread packet of the type must look like.
        packet: Packet,
        /// `as`, `after`, `within`, `since`.
        timing: Timing,
    },
    /// `a <- closed: [reasons]`.
    Closed {
        /// Whose connection ends.
        who: Subject,
        /// In 5.0 the reasons that a CONNACK or DISCONNECT before the end may give; empty: any or none.
        reasons: Vec<Spanned<ReasonCode>>,
        /// `as`, `after`, `within`, `since`.
        timing: Timing,
    },
    /// `a <- nothing` (proven by a barrier) and `a <- nothing for D` (passive).
    Nothing {
        /// Who receives nothing.
        who: Subject,
        /// How long, for the passive form.
        period: Option<Spanned<Expr>>,
        /// `since`.
        timing: Timing,
    },
    /// `a connects / publishes / …`: a whole handshake, acknowledgements included.
    Do {
        /// Who acts.
        who: Subject,
        /// Which handshake.
        verb: Verb,
        /// Fields of the packet that starts it (or, for `receives`, that is expected).
        fields: Fields,
        /// `gets`: what the answer must look like.
        gets: Fields,
        /// `as`, `after`, `within`, `since`.
        timing: Timing,
    },
    /// `a opens / closes / half-closes / cuts / stalls`.
    Link {
        /// Whose link.
        who: Subject,
        /// What happens to it.
        act: LinkAct,
        /// `as <x>`.
        capture: Option<Name>,
    },
    /// `wait: D`, in seconds.
    Wait(Spanned<Expr>),
    /// `target restarts`.
    TargetRestarts,
    /// `target dies`.
    TargetDies,
    /// `skip: reason`.
    Skip(Spanned<String>),
    /// `note: text`.
    Note(Spanned<Value>),
    /// `any: {name: [steps], …}`.
    Any(Vec<(Name, Vec<Step>)>),
    /// `all: [steps]`, in any order.
    All(Vec<Step>),
    /// `in order: [steps]`: the order of arrival is compared across packet types.
    InOrder(Vec<Step>),
    /// `at once: [steps]`: verbs overlap.
    AtOnce(Vec<Step>),
    /// `should: [steps]`: a miss is a warning.
    Should(Vec<Step>),
    /// `for <i> in 1..n: [steps]` and `for <i> in a, b: [steps]`.
    For {
        /// The loop variable.
        variable: Name,
        /// What it runs over.
        over: Over,
        /// The body.
        steps: Vec<Step>,
    },
    /// `if <x> = v: [steps]`.
    If {
        /// When the body is played.
        condition: Spanned<Condition>,
        /// The body.
        steps: Vec<Step>,
    },
    /// `in v5.0: [steps]`.
    InVersion {
        /// The versions in which the body is played.
        versions: Vec<Version>,
        /// The body.
        steps: Vec<Step>,
    },
}

impl Action {
    /// The lists of steps that it holds: one, or one for each alternative of `any`.
    pub fn blocks(&self) -> Vec<&[Step]> {
        match self {
            Self::Any(alternatives) => alternatives
                .iter()
                .map(|(_, steps)| steps.as_slice())
                .collect(),
            Self::All(steps)
            | Self::InOrder(steps)
            | Self::AtOnce(steps)
            | Self::Should(steps)
            | Self::For { steps, .. }
            | Self::If { steps, .. }
            | Self::InVersion { steps, .. } => vec![steps],
            _ => Vec::new(),
        }
    }

    /// Who it is about, if it is about clients.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Send { who, .. }
            | Self::Together { who, .. }
            | Self::SendBytes { who, .. }
            | Self::ExpectBytes { who, .. }
            | Self::Expect { who, .. }
            | Self::Closed { who, .. }
            | Self::Nothing { who, .. }
            | Self::Do { who, .. }
            | Self::Link { who, .. } => Some(who),
            _ => None,
        }
    }
}

/// Who a step is about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// `a` or `a, b`: each of them.
    Each(Vec<Name>),
    /// `a | b`: exactly one of them.
    OneOf(Vec<Name>),
    /// `<who>`: a client that an earlier `as` named.
    Captured(Name),
}

impl Subject {
    /// The clients that it names; none for `<who>`.
    pub fn names(&self) -> &[Name] {
        match self {
            Self::Each(names) | Self::OneOf(names) => names,
            Self::Captured(_) => &[],
        }
    }
}

/// `as <x>`, `after D`, `within D`, `since <x>` of a step's head. Durations are in seconds.
#[derive(Debug, Clone, Default)]
pub struct Timing {
    /// `as <x>`: names the instant of the step, and of a `|` subject the client.
    pub capture: Option<Name>,
    /// Not earlier than this.
    pub after: Option<Spanned<Expr>>,
    /// Not later than this; stretched by `--patience`.
    pub within: Option<Spanned<Expr>>,
    /// What both count from; the previous step where absent.
    pub since: Option<Name>,
}

/// A packet as a step writes it.
#[derive(Debug, Clone)]
pub struct Packet {
    /// Its type.
    pub packet_type: Spanned<PacketType>,
    /// Its fields, by the names of the codec's field table.
    pub fields: Fields,
    /// `but:`: what the wire gets instead.
    pub but: Option<Spanned<But>>,
}

/// The defect that `but:` describes.
#[derive(Debug, Clone, Default)]
pub struct But {
    /// Forbidden values of fields.
    pub fields: Fields,
    /// Lies about the wire, by the names of [`codec::draft::Malformation`] and `frame: text`.
    pub lies: Vec<(Name, Spanned<Value>)>,
}

/// Named values, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(Name, Spanned<Value>)>);

impl Fields {
    /// The value of a field, if the file gives one.
    pub fn get(&self, name: &str) -> Option<&Spanned<Value>> {
        self.0
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, value)| value)
    }
}

/// A value as written.
#[derive(Debug, Clone)]
pub enum Value {
    /// A scalar: literal text and `<…>` in turn. A single literal piece is a plain scalar.
    Scalar(Vec<Piece>),
    /// `[a, b]`.
    List(Vec<Spanned<Self>>),
    /// A map that is a record of fields, such as a `will` or an entry of `filters`.
    Record(Fields),
    /// A map that the language interprets.
    Matcher(Box<Matcher>),
    /// `<absent>`.
    Absent,
}

/// A part of a scalar.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Text that means itself.
    Text(String),
    /// `<…>`.
    Expr(Spanned<Expr>),
}

/// A map that the language interprets, or a range.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// `{ any_of: [a, b] }`.
    AnyOf(Vec<Spanned<Value>>),
    /// `{ not: a }`.
    Not(Spanned<Value>),
    /// `{ any_order: [a, b] }`.
    AnyOrder(Vec<Spanned<Value>>),
    /// `{ contains: a }`.
    Contains(Spanned<Value>),
    /// `{ exactly: a }`: this and nothing beside it.
    Exactly(Spanned<Value>),
    /// `{ near: n, by: d }`.
    Near {
        /// The number.
        near: Spanned<Value>,
        /// The tolerance on both sides.
        by: Spanned<Value>,
    },
    /// `{ below: n }`.
    Below(Spanned<Value>),
    /// `1..5`, both ends included.
    Range(Spanned<Value>, Spanned<Value>),
    /// `{ size: n }`: that many bytes (sent: a filler; received: any bytes of that size).
    Size(Spanned<Value>),
    /// `{ hex: 00 ff }`.
    Hex(Vec<u8>),
    /// `{ base64: AP8= }`.
    Base64(Vec<u8>),
}

/// What stands between `<` and `>`.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A number; durations are in seconds.
    Number(f64),
    /// A variable: an axis, a loop variable or a capture; also `t` and `g`.
    Variable(String),
    /// `id@i`: one binding per value of the loop variable.
    Indexed(String, Box<Self>),
    /// `a.id`, `a.keep_alive`, `a.connack.receive_maximum`, `target.user`.
    Member(Vec<String>),
    /// `since x`: seconds since a named instant.
    Since(String),
    /// `auth.answer c1`: the answer to an authentication challenge.
    AuthAnswer(String),
    /// `x + y` and the like.
    Binary(Operator, Box<Self>, Box<Self>),
}

/// An operator between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `min`
    Min,
    /// `max`
    Max,
}

/// What a loop runs over.
#[derive(Debug, Clone)]
pub enum Over {
    /// `1..n`, both ends included.
    Range(Spanned<Expr>, Spanned<Expr>),
    /// `a, b, c`.
    List(Vec<Spanned<Value>>),
}

/// The condition of `if`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The left side.
    pub left: Spanned<Expr>,
    /// How they are compared.
    pub comparison: Comparison,
    /// The right side; a list for `in`.
    pub right: Spanned<Value>,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in [a, b]`
    In,
}

/// A whole handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// CONNECT, AUTH where needed, CONNACK.
    Connects,
    /// PUBLISH and its acknowledgements.
    Publishes,
    /// SUBSCRIBE, SUBACK.
    Subscribes,
    /// UNSUBSCRIBE, UNSUBACK.
    Unsubscribes,
    /// PUBLISH from the server, and its acknowledgements.
    Receives,
    /// DISCONNECT, end of the connection.
    Disconnects,
    /// PINGREQ, PINGRESP.
    Pings,
    /// AUTH until success.
    Authenticates,
}

/// What happens to a link.
#[derive(Debug, Clone)]
pub enum LinkAct {
    /// Connects the transport, with options such as `transport`, `frames`, `segments`, `offer`, `gets`.
    Opens(Fields),
    /// FIN in both directions.
    Closes,
    /// FIN for the write side only.
    HalfCloses,
    /// RST.
    Cuts,
    /// Neither reads nor writes for a time, in seconds.
    Stalls(Spanned<Expr>),
}
