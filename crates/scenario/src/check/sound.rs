//! What the standard forbids of a packet that a scenario writes as sound, where the text alone shows it.

use codec::draft::{Draft, FieldSpec, Kind, Record, Value};
use codec::{Direction, MAXIMUM_PACKET_SIZE, PacketType, Split, Version, Violation, draft};

use crate::ast::{self, Fields, Matcher, Piece, Row};
use crate::condition;
use crate::expression::integer;
use crate::source::Spanned;
use crate::typing::{typed, typed_element};

/// What a client's options and `connects` hold beside the fields of CONNECT.
const OPTIONS: [&str; 3] = ["version", "link", "session"];

/// Stands for a text that only the case knows.
const UNKNOWN: &str = "x";

/// The rule that a packet with these fields breaks whatever comes before it; `None` also where that cannot be seen yet.
pub(super) fn violation(
    packet_type: PacketType,
    fields: &Fields,
    row: &Row,
    version: Version,
) -> Option<Violation> {
    let reading = Reading { row, version };
    let mut packet = Draft::new(packet_type, version);
    let mut subscription = Record::new();
    for (name, written) in &fields.0 {
        if packet_type == PacketType::Connect && OPTIONS.contains(&name.value.as_str()) {
            continue;
        }
        let Some(spec) = draft::field(packet_type, &name.value) else {
            reading.subscription(packet_type, name, written, &mut subscription)?;
            continue;
        };
        match reading.value(written, spec.kind) {
            Known::Value(value) => {
                packet.set(&name.value, value).ok()?;
            }
            Known::Absent => {
                packet.remove(&name.value);
            }
            Known::Later => return None,
        }
    }
    if !subscription.is_empty() {
        packet
            .set("filters", Value::Filters(vec![subscription]))
            .ok()?;
    }
    let bytes = packet.encode().ok()?;
    match codec::split(&bytes, version, Direction::ToServer, MAXIMUM_PACKET_SIZE) {
        Ok(Split::Complete { frame, .. }) => {
            codec::decode(frame, version, Direction::ToServer).err()
        }
        Ok(Split::Incomplete { .. }) => None,
        Err(violation) => Some(violation),
    }
}

/// What is known of a value before the case is played.
enum Known {
    Value(Value),
    Absent,
    /// Only the case knows.
    Later,
}

/// The values of one row in one version.
struct Reading<'a> {
    row: &'a Row,
    version: Version,
}

impl Reading<'_> {
    /// The value that a field of this kind takes.
    fn value(&self, written: &Spanned<ast::Value>, kind: Kind) -> Known {
        let known = |value: Option<Value>| value.map_or(Known::Later, Known::Value);
        match &written.value {
            ast::Value::Absent => Known::Absent,
            ast::Value::Scalar(pieces) => match condition::axis(pieces, self.row) {
                Some((_, bound)) => self.value(bound, kind),
                None => known(self.scalar(pieces, kind)),
            },
            ast::Value::List(items) => known(self.list(items, kind)),
            ast::Value::Record(fields) => match kind {
                Kind::Record(specs) => known(self.record(fields, specs).map(Value::Record)),
                _ => Known::Later,
            },
            ast::Value::Matcher(matcher) => match &**matcher {
                Matcher::Hex(bytes) | Matcher::Base64(bytes) => Known::Value(of_bytes(bytes, kind)),
                Matcher::Size(size) => known(self.filler(size, kind)),
                _ => Known::Later,
            },
        }
    }

    fn filler(&self, size: &Spanned<ast::Value>, kind: Kind) -> Option<Value> {
        let size = integer(condition::literal(&size.value, self.row)?)?;
        let filler = vec![b'x'; usize::try_from(size).ok()?];
        Some(of_bytes(&filler, kind))
    }

    /// A field of the only subscription, which `subscribes` takes beside those of SUBSCRIBE.
    fn subscription(
        &self,
        packet_type: PacketType,
        name: &ast::Name,
        written: &Spanned<ast::Value>,
        record: &mut Record,
    ) -> Option<()> {
        let Kind::Records(specs) = draft::field(packet_type, "filters")?.kind else {
            return None;
        };
        let spec = specs.iter().find(|spec| spec.name == name.value)?;
        self.put(spec, written, record)
    }

    fn scalar(&self, pieces: &[Piece], kind: Kind) -> Option<Value> {
        let is_text = matches!(kind, Kind::Text | Kind::Binary | Kind::Texts);
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Expr(_) if is_text => text.push_str(UNKNOWN),
                Piece::Expr(_) => return None,
            }
        }
        match kind {
            Kind::Text | Kind::Binary => Some(of_bytes(text.as_bytes(), kind)),
            Kind::Texts => Some(Value::Texts(vec![text.into_bytes()])),
            Kind::Numbers { .. } | Kind::ReasonCodes => {
                match typed_element(&text, kind, self.version).ok()? {
                    Value::Number(number) => Some(Value::Numbers(vec![number])),
                    _ => None,
                }
            }
            _ => typed(&text, kind, self.version).ok(),
        }
    }

    fn list(&self, items: &[Spanned<ast::Value>], kind: Kind) -> Option<Value> {
        Some(match kind {
            Kind::Numbers { .. } | Kind::ReasonCodes => {
                let numbers = items.iter().map(|item| match self.value(item, kind) {
                    Known::Value(Value::Numbers(numbers)) => numbers.first().copied(),
                    _ => None,
                });
                Value::Numbers(numbers.collect::<Option<_>>()?)
            }
            Kind::Texts => {
                let texts = items.iter().map(|item| self.bytes(item));
                Value::Texts(texts.collect::<Option<_>>()?)
            }
            Kind::Pairs => {
                let pairs = items.iter().map(|item| match &item.value {
                    ast::Value::List(sides) => match &sides[..] {
                        [name, value] => Some((self.bytes(name)?, self.bytes(value)?)),
                        _ => None,
                    },
                    _ => None,
                });
                Value::Pairs(pairs.collect::<Option<_>>()?)
            }
            Kind::Records(specs) => {
                let records = items.iter().map(|item| match &item.value {
                    ast::Value::Record(fields) => self.record(fields, specs),
                    _ => None,
                });
                Value::Filters(records.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn record(&self, fields: &Fields, specs: &'static [FieldSpec]) -> Option<Record> {
        let mut record = Record::new();
        for (name, written) in &fields.0 {
            let spec = specs.iter().find(|spec| spec.name == name.value)?;
            self.put(spec, written, &mut record)?;
        }
        Some(record)
    }

    /// Puts a field into a record; `None` where only the case knows its value.
    fn put(
        &self,
        spec: &'static FieldSpec,
        written: &Spanned<ast::Value>,
        record: &mut Record,
    ) -> Option<()> {
        match self.value(written, spec.kind) {
            Known::Value(value) => record.set(spec, value),
            Known::Absent => {}
            Known::Later => return None,
        }
        Some(())
    }

    fn bytes(&self, written: &Spanned<ast::Value>) -> Option<Vec<u8>> {
        match self.value(written, Kind::Text) {
            Known::Value(Value::Text(bytes) | Value::Binary(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

fn of_bytes(bytes: &[u8], kind: Kind) -> Value {
    match kind {
        Kind::Text => Value::Text(bytes.to_vec()),
        _ => Value::Binary(bytes.to_vec()),
    }
}
