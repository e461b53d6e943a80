//! The definitions of values: one for each kind of field and each way that a value goes.

use codec::ReasonCode;
use codec::draft::Kind;
use serde_json::{Map, Value, json};

use crate::typing;
use crate::vocabulary::{self, Slot, Term};

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Sent,
    Expected,
}

/// The definitions that the schema refers to.
#[derive(Debug, Default)]
pub(super) struct Definitions(Map<String, Value>);

impl Definitions {
    pub(super) fn finish(self) -> Value {
        Value::Object(self.0)
    }

    /// Adds a definition; gives the reference to it.
    pub(super) fn add(&mut self, name: &str, definition: Value) -> Value {
        self.0.insert(name.to_owned(), definition);
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// A map with these names and no others.
    pub(super) fn fields(&mut self, terms: &[Term], side: Side) -> Value {
        let properties: Map<String, Value> = terms
            .iter()
            .map(|term| {
                let mut value = self.reference(term.slot, side);
                value["description"] = json!(term.summary);
                (term.name.to_owned(), value)
            })
            .collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    }

    /// The reference to the definition of what a slot takes.
    pub(super) fn reference(&mut self, slot: Slot, side: Side) -> Value {
        let side_name = match side {
            Side::Sent => "sent",
            Side::Expected => "expected",
        };
        let name = format!("{side_name}_{}", slot_name(slot));
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        if !self.0.contains_key(&name) {
            // Matchers hold values of the same slot: the name must be there before they are written.
            self.0.insert(name.clone(), Value::Null);
            let mut forms = self.forms(slot, side);
            if matches!(slot, Slot::Field(_)) {
                forms.extend(Self::matchers(&reference, side));
            }
            self.0.insert(name, json!({ "anyOf": forms }));
        }
        reference
    }

    /// The forms of a value that are no matcher.
    fn forms(&mut self, slot: Slot, side: Side) -> Vec<Value> {
        let expression = json!({ "type": "string", "pattern": "<[^<>]+>" });
        let range = json!({ "type": "string", "pattern": r"\.\." });
        let number = |maximum: u64| {
            vec![
                json!({ "type": "integer", "minimum": 0, "maximum": maximum }),
                json!({ "type": "string", "pattern": "^(?:0b[01_]+|0x[0-9A-Fa-f_]+|[0-9_]+)$" }),
                expression.clone(),
                range.clone(),
            ]
        };
        let list = |definitions: &mut Self, item: Kind| {
            let items = definitions.reference(Slot::Field(item), side);
            vec![
                json!({ "type": "array", "items": items }),
                expression.clone(),
            ]
        };
        match slot {
            Slot::Untyped => vec![json!({})],
            Slot::Word(words) => vec![json!({ "enum": words }), expression],
            Slot::WordOrNumber(words) => {
                vec![
                    json!({ "enum": words }),
                    json!({ "type": "integer", "minimum": 1 }),
                    expression,
                ]
            }
            Slot::Duration => {
                vec![json!({ "type": "string", "pattern": r"^(?:[\d.]+|<[^>]+>)(?:ms|s|m)$" })]
            }
            Slot::Map(terms) => vec![self.fields(&terms(), Side::Expected)],
            Slot::WordOrMap(words, terms) => {
                vec![
                    json!({ "enum": words }),
                    self.fields(&terms(), side),
                    expression,
                ]
            }
            Slot::Field(kind) => match kind {
                Kind::Flag => {
                    let mut forms = number(0xFF);
                    forms.push(json!({ "type": "boolean" }));
                    forms.push(json!({ "enum": ["true", "false"] }));
                    forms
                }
                Kind::Number { maximum } => number(maximum),
                Kind::QoS => number(3),
                Kind::ReasonCode => {
                    let mut forms = number(0xFF);
                    let names: Vec<&str> = names_of_codes();
                    forms.push(json!({ "enum": names }));
                    forms
                }
                Kind::Position => vec![json!({ "type": "integer" }), json!({ "type": "string" })],
                Kind::Text | Kind::Binary => {
                    vec![json!({ "$ref": "#/$defs/scalar" })]
                }
                Kind::Numbers { .. } | Kind::ReasonCodes | Kind::Texts => {
                    match typing::element(kind) {
                        Some(item) => list(self, item),
                        None => Vec::new(),
                    }
                }
                Kind::Pairs => {
                    let text = self.reference(Slot::Field(Kind::Text), side);
                    let pair =
                        json!({ "type": "array", "items": text, "minItems": 2, "maxItems": 2 });
                    vec![json!({ "type": "array", "items": pair }), expression]
                }
                Kind::Record(specs) => {
                    vec![self.fields(&vocabulary::record(specs), side), expression]
                }
                Kind::Records(specs) => list(self, Kind::Record(specs)),
            },
        }
    }

    /// The maps that the language interprets.
    fn matchers(value: &Value, side: Side) -> Vec<Value> {
        let one = |name: &str, value: Value| {
            json!({
                "type": "object",
                "properties": { name: value },
                "required": [name],
                "additionalProperties": false,
            })
        };
        let number = json!({ "type": ["integer", "string"] });
        let mut forms = vec![
            one("size", number.clone()),
            one("hex", json!({ "type": ["string", "number", "null"] })),
            one("base64", json!({ "$ref": "#/$defs/scalar" })),
            one("file", json!({ "type": "string" })),
        ];
        if side == Side::Expected {
            let several = json!({ "type": "array", "items": value });
            forms.extend([
                one("any_of", several),
                one("not", value.clone()),
                one("any_order", value.clone()),
                one("contains", value.clone()),
                one("exactly", value.clone()),
                one("below", json!({ "type": ["integer", "string"] })),
                json!({
                    "type": "object",
                    "properties": { "near": number, "by": number },
                    "required": ["near", "by"],
                    "additionalProperties": false,
                }),
            ]);
        }
        forms
    }
}

/// The names of Reason Codes, and those of the Return Codes before 5.0.
fn names_of_codes() -> Vec<&'static str> {
    let mut names: Vec<&str> = ReasonCode::names().collect();
    for code in 0..=u8::MAX {
        if let Some(name) = codec::connect_return_code::name(ReasonCode(code))
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// A name for the definition of a slot.
fn slot_name(slot: Slot) -> String {
    match slot {
        Slot::Untyped => "any".to_owned(),
        Slot::Word(words) | Slot::WordOrNumber(words) | Slot::WordOrMap(words, _) => {
            format!("word_{}", words.join("_"))
        }
        Slot::Duration => "duration".to_owned(),
        Slot::Map(terms) => {
            let names: Vec<&str> = terms().iter().map(|term| term.name).collect();
            format!("map_{}", names.join("_"))
        }
        Slot::Field(kind) => match kind {
            Kind::Flag => "flag".to_owned(),
            Kind::Number { maximum } => format!("number_to_{maximum}"),
            Kind::QoS => "qos".to_owned(),
            Kind::ReasonCode => "reason_code".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Binary => "binary".to_owned(),
            Kind::Numbers { maximum } => format!("numbers_to_{maximum}"),
            Kind::ReasonCodes => "reason_codes".to_owned(),
            Kind::Texts => "texts".to_owned(),
            Kind::Pairs => "pairs".to_owned(),
            Kind::Position => "position".to_owned(),
            Kind::Record(specs) => format!("record_{}", first_name(specs)),
            Kind::Records(specs) => format!("records_{}", first_name(specs)),
        },
    }
}

fn first_name(specs: &[codec::draft::FieldSpec]) -> &'static str {
    specs.first().map_or("", |spec| spec.name)
}
