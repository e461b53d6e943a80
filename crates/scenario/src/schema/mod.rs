//! A JSON Schema of the language, for editors: built from the same tables as the parser.
//!
//! It cannot say all that [`parse`](crate::parse) checks (names, versions, what follows what), and refuses nothing that
//! `parse` takes.

mod values;

use clauses::Standard;
use codec::draft::Kind;
use codec::{PacketType, Version};
use serde_json::{Map, Value, json};

use crate::ast::Verb;
use crate::feature::FEATURES;
use crate::parse::{LINK_WORDS, LinkWord, VERBS};
use crate::vocabulary::{self, Slot, Term};
use values::{Definitions, Side};

/// A client or several: `a`, `a, b`, `a | b`, `<who>`.
const SUBJECT: &str = r"(?:[A-Za-z_]\w*(?:\s*[,|]\s*[A-Za-z_]\w*)*|<[A-Za-z_]\w*>)";
/// `as <x>`, `after D`, `within D`, `since <x>`.
const SUFFIXES: &str = r"(?:\s+(?:as|after|within|since)\s+(?:<[^>]+>\w*|[\w.]+))*";
/// The name of a client, a variable or an axis.
const NAME: &str = r"^[A-Za-z_]\w*$";

/// The JSON Schema (draft 2020-12) of a scenario.
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let client = definitions.fields(&vocabulary::client(), Side::Sent);
    let rows = rows();
    let step = step(&mut definitions);
    let clauses: Vec<&str> = clauses::all()
        .filter(|clause| clause.standard() != Standard::Sn1_2)
        .map(clauses::ClauseId::name)
        .collect();
    let features: Vec<&str> = FEATURES.iter().map(|feature| feature.name).collect();
    definitions.add("clause", json!({ "enum": clauses }));
    definitions.add("clauses", one_or_list("clause"));
    definitions.add("feature", json!({ "enum": features }));
    definitions.add("features", one_or_list("feature"));
    definitions.add(
        "version",
        json!({ "enum": Version::ALL.map(Version::name) }),
    );
    definitions.add("versions", one_or_list("version"));
    definitions.add("client", client);
    definitions.add("step", step);
    definitions.add(
        "steps",
        json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/step" } }),
    );
    let text = |description: &str| json!({ "$ref": "#/$defs/scalar", "description": description });
    definitions.add("scalar", json!({ "type": ["string", "number", "boolean"] }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of mqtt-assay",
        "type": "object",
        "required": ["title", "clauses", "steps"],
        "additionalProperties": false,
        "properties": {
            "title": text("One sentence that states the rule."),
            "clauses": { "$ref": "#/$defs/clauses", "description": "The clauses that a failure speaks for." },
            "why": text("Why the standard says so, where that needs saying."),
            "requires": { "$ref": "#/$defs/features", "description": "Features without which the scenario is skipped." },
            "versions": { "$ref": "#/$defs/versions", "description": "Where it is played; by default in the versions of its clauses." },
            "each": rows,
            "alone": { "type": "boolean", "description": "Whether it cannot share the target." },
            "clients": {
                "type": "array",
                "description": "The clients that are connected before the first step and disconnected after the last.",
                "items": { "anyOf": [
                    { "type": "string", "pattern": NAME },
                    {
                        "type": "object",
                        "minProperties": 1,
                        "maxProperties": 1,
                        "propertyNames": { "pattern": NAME },
                        "additionalProperties": { "$ref": "#/$defs/client" },
                    },
                ] },
            },
            "control": { "$ref": "#/$defs/steps", "description": "The twin that must hold, where `!>` does not give it." },
            "steps": { "$ref": "#/$defs/steps", "description": "The exchange." },
        },
        "$defs": definitions.finish(),
    })
}

fn one_or_list(item: &str) -> Value {
    let item = json!({ "$ref": format!("#/$defs/{item}") });
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

/// `each`: axes or rows.
fn rows() -> Value {
    json!({
        "description": "A map is a product of axes, a list is rows: one case for each.",
        "anyOf": [
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "type": "array", "minItems": 1 },
            },
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "propertyNames": { "pattern": NAME },
                    "properties": {
                        "clauses": { "$ref": "#/$defs/clauses" },
                        "requires": { "$ref": "#/$defs/features" },
                        "name": { "$ref": "#/$defs/scalar" },
                    },
                },
            },
        ],
    })
}

/// A step: a head alone, or a head with its value and what stands beside it.
fn step(definitions: &mut Definitions) -> Value {
    let heads = heads(definitions);
    let bare: Vec<&str> = heads
        .iter()
        .filter(|head| head.bare)
        .map(|head| head.pattern.as_str())
        .collect();
    let patterns: Map<String, Value> = heads
        .iter()
        .map(|head| (head.pattern.clone(), head.value.clone()))
        .collect();
    json!({
        "anyOf": [
            { "type": "string", "pattern": bare.join("|") },
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 3,
                "properties": {
                    "why": { "$ref": "#/$defs/scalar", "description": "Why the standard says so." },
                    "clause": { "$ref": "#/$defs/clauses", "description": "Which of the scenario's clauses this step speaks for." },
                },
                "patternProperties": patterns,
                "additionalProperties": false,
            },
        ],
    })
}

/// A form of head, and what its value looks like.
struct Head {
    pattern: String,
    value: Value,
    /// Whether it may stand without a value.
    bare: bool,
}

fn heads(definitions: &mut Definitions) -> Vec<Head> {
    let mut heads = packet_heads(definitions);
    heads.extend(other_heads_of_clients(definitions));
    heads.extend(word_heads(definitions));
    heads
}

impl Head {
    fn new(pattern: &str, value: Value) -> Self {
        Self {
            pattern: format!("^{pattern}$"),
            value,
            bare: false,
        }
    }

    /// A head that may stand without a value.
    fn bare(pattern: &str, value: Value) -> Self {
        Self {
            bare: true,
            ..Self::new(pattern, value)
        }
    }
}

/// `a -> PACKET`, `a !> PACKET`, `a <- PACKET`, and several in one write.
fn packet_heads(definitions: &mut Definitions) -> Vec<Head> {
    let mut heads = Vec::new();
    for packet_type in PacketType::ALL {
        let sent = vocabulary::packet_sent(packet_type);
        let expected = vocabulary::packet_expected(packet_type);
        let name = packet_type.name();
        let forms = [
            ("sent", "->", definitions.fields(&sent, Side::Sent)),
            (
                "forbidden",
                "!>",
                forbidden(definitions, packet_type, &sent),
            ),
            (
                "expected",
                "<-",
                definitions.fields(&expected, Side::Expected),
            ),
        ];
        for (form, sign, value) in forms {
            let reference = definitions.add(&format!("{form}_{name}"), or_nothing(&value));
            let pattern = format!(r"{SUBJECT}\s+{sign}\s+{name}{SUFFIXES}");
            heads.push(Head::bare(&pattern, reference));
        }
    }
    for (form, sign) in [("sent", "->"), ("forbidden", "!>")] {
        let pattern = format!(r"{SUBJECT}\s+{sign}\s+together");
        heads.push(Head::new(&pattern, together(form)));
    }
    heads
}

/// Raw bytes, `closed`, `nothing`, the verbs and what happens to a link.
fn other_heads_of_clients(definitions: &mut Definitions) -> Vec<Head> {
    let nothing = json!({ "type": "null" });
    let reasons = definitions.reference(Slot::Field(Kind::ReasonCodes), Side::Sent);
    let mut heads = vec![
        Head::new(
            &format!(r"{SUBJECT}\s+(?:->|!>|<-)\s+bytes{SUFFIXES}"),
            json!({ "$ref": "#/$defs/scalar" }),
        ),
        Head::bare(
            &format!(r"{SUBJECT}\s+<-\s+closed{SUFFIXES}"),
            or_nothing(&reasons),
        ),
        Head::bare(
            &format!(r"{SUBJECT}\s+<-\s+nothing(?:\s+for\s+(?:<[^>]+>\w*|[\w.]+))?{SUFFIXES}"),
            nothing.clone(),
        ),
    ];
    for (word, verb) in VERBS {
        let value = definitions.verb(verb);
        let reference = definitions.add(word, or_nothing(&value));
        let pattern = format!(r"{SUBJECT}\s+{word}{SUFFIXES}");
        heads.push(Head::bare(&pattern, reference));
    }
    for (word, act) in LINK_WORDS {
        let pattern = format!(r"{SUBJECT}\s+{word}{SUFFIXES}");
        heads.push(match act {
            LinkWord::Opens => {
                let options = definitions.fields(&vocabulary::opens(), Side::Sent);
                Head::bare(&pattern, or_nothing(&options))
            }
            LinkWord::Stalls => {
                Head::new(&pattern, definitions.reference(Slot::Duration, Side::Sent))
            }
            LinkWord::Closes | LinkWord::HalfCloses | LinkWord::Cuts => {
                Head::bare(&pattern, nothing.clone())
            }
        });
    }
    heads
}

/// The words that stand alone, and what holds steps.
fn word_heads(definitions: &mut Definitions) -> Vec<Head> {
    let steps = json!({ "$ref": "#/$defs/steps" });
    let alternatives =
        json!({ "type": "object", "minProperties": 1, "additionalProperties": steps });
    let duration = definitions.reference(Slot::Duration, Side::Sent);
    vec![
        Head::new("wait", duration),
        Head::new("skip", json!({ "$ref": "#/$defs/scalar" })),
        Head::new("note", json!({})),
        Head::new("any", alternatives),
        Head::new("(?:all|in order|at once|should)", steps.clone()),
        Head::new(r"for\s+<[A-Za-z_]\w*>\s+in\s+\S.*", steps.clone()),
        Head::new(
            r"if\s+<[^>]+>\s+(?:=|!=|<|<=|>|>=|in)\s+\S.*",
            steps.clone(),
        ),
        Head::new(r"in\s+v[\d.]+(?:\s*,\s*v[\d.]+)*", steps),
        Head::bare(r"target\s+(?:restarts|dies)", json!({ "type": "null" })),
    ]
}

/// The fields of a packet with `but`.
fn forbidden(definitions: &mut Definitions, packet_type: PacketType, sent: &[Term]) -> Value {
    let mut defects = vocabulary::lies();
    defects.extend(
        vocabulary::forbidden(packet_type)
            .into_iter()
            .filter(|term| !vocabulary::lies().iter().any(|lie| lie.name == term.name)),
    );
    let mut but = definitions.fields(&defects, Side::Sent);
    but["minProperties"] = json!(1);
    but["description"] = json!("What the wire gets instead.");
    let mut value = definitions.fields(sent, Side::Sent);
    value["properties"]["but"] = but;
    value
}

/// Packets in one write.
fn together(form: &str) -> Value {
    let packets: Map<String, Value> = PacketType::ALL
        .into_iter()
        .map(|packet_type| {
            let name = packet_type.name();
            (
                name.to_owned(),
                json!({ "$ref": format!("#/$defs/{form}_{name}") }),
            )
        })
        .collect();
    json!({
        "type": "array",
        "items": { "anyOf": [
            { "enum": PacketType::ALL.map(PacketType::name) },
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "properties": packets,
                "additionalProperties": false,
            },
        ] },
    })
}

fn or_nothing(value: &Value) -> Value {
    json!({ "anyOf": [{ "type": "null" }, value] })
}

impl Definitions {
    /// The fields of a verb with `gets`.
    fn verb(&mut self, verb: Verb) -> Value {
        let side = if verb == Verb::Receives {
            Side::Expected
        } else {
            Side::Sent
        };
        let mut value = self.fields(&vocabulary::verb(verb), side);
        if let Some(terms) = vocabulary::gets(verb) {
            let mut gets = self.fields(&terms, Side::Expected);
            gets["description"] = json!("What the answer must look like.");
            value["properties"]["gets"] = gets;
        }
        value
    }
}
