//! A [`Draft`] in the notation of scenarios, on one line: `PUBLISH: { topic: t/x, payload: kept, qos: 1, id: 7 }`.
//!
//! What has its default is left out, so that a trace shows what matters, and what is shown can be
//! pasted back as a scenario.

use core::fmt::{self, Write};

use super::{Draft, FieldSpec, Kind, Malformation, Record, Value};
use crate::{PacketType, ReasonCode, Version, connect_return_code};

/// Text longer than this is told by its size.
const LONGEST_TEXT: usize = 256;
/// Data longer than this is told by its size.
const LONGEST_DATA: usize = 64;

/// What stands first, since it says what the packet is about. In PUBLISH that is not its Packet Identifier.
const FIRST: &[&str] = &[
    "id",
    "client_id",
    "topic",
    "filter",
    "filters",
    "session_present",
    "reason",
    "payload",
    "codes",
];

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = Context {
            packet_type: self.packet_type,
            version: self.version,
        };
        f.write_str(self.packet_type.name())?;
        f.write_str(": ")?;
        let mut entries = Entries::begin(f);
        context.record(&self.fields, &mut entries)?;
        if !self.malformations.is_empty() {
            entries.next("but")?;
            let mut lies = Entries::begin(entries.f);
            for malformation in &self.malformations {
                lies.next(malformation.name())?;
                write_malformation(malformation, lies.f)?;
            }
            lies.end()?;
        }
        entries.end()
    }
}

/// `{ name: value, … }`, or `{}`.
struct Entries<'f, 'b> {
    f: &'f mut fmt::Formatter<'b>,
    any: bool,
}

impl<'f, 'b> Entries<'f, 'b> {
    fn begin(f: &'f mut fmt::Formatter<'b>) -> Self {
        Self { f, any: false }
    }

    fn next(&mut self, name: &str) -> fmt::Result {
        self.f.write_str(if self.any { ", " } else { "{ " })?;
        self.any = true;
        write!(self.f, "{name}: ")
    }

    fn end(self) -> fmt::Result {
        self.f.write_str(if self.any { " }" } else { "{}" })
    }
}

#[derive(Clone, Copy)]
struct Context {
    packet_type: PacketType,
    version: Version,
}

impl Context {
    fn record(self, record: &Record, entries: &mut Entries<'_, '_>) -> fmt::Result {
        let leading = match (self.packet_type, FIRST) {
            (PacketType::Publish, [_, without_id @ ..]) => without_id,
            (_, all) => all,
        };
        let first = leading
            .iter()
            .filter_map(|name| record.iter().find(|(spec, _)| spec.name == *name));
        let others = record
            .iter()
            .filter(|(spec, _)| !leading.contains(&spec.name));
        for (spec, value) in first.chain(others) {
            if self.is_default(spec, value) {
                continue;
            }
            entries.next(self.name(spec))?;
            self.value(spec, value, entries.f)?;
        }
        Ok(())
    }

    fn name(self, spec: &FieldSpec) -> &'static str {
        spec.alias
            .filter(|_| self.version != Version::V5_0)
            .unwrap_or(spec.name)
    }

    /// Whether leaving the field out says the same.
    fn is_default(self, spec: &FieldSpec, value: &Value) -> bool {
        if spec.property.is_some() {
            return false;
        }
        match (spec.name, value) {
            ("protocol_name", Value::Text(name)) => name == self.version.protocol_name().as_bytes(),
            ("protocol_version", Value::Number(level)) => *level == u64::from(self.version.level()),
            ("clean", Value::Flag(on)) => *on,
            ("reason", Value::Number(code)) => {
                *code == 0 && self.packet_type != PacketType::Connack
            }
            ("id" | "session_present", _) => false,
            ("payload", Value::Binary(data) | Value::Text(data)) => data.is_empty(),
            (_, Value::Flag(on)) => !on,
            (_, Value::Number(number)) => *number == 0,
            _ => false,
        }
    }

    fn value(self, spec: &FieldSpec, value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match value {
            Value::Flag(on) => write!(f, "{on}"),
            Value::Number(code) if spec.kind == Kind::ReasonCode => self.reason_code(*code, f),
            Value::Number(number) => write!(f, "{number}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Text(data) | Value::Binary(data) => write_data(data, f),
            Value::Numbers(numbers) => write_list(numbers, f, |number, f| match spec.kind {
                Kind::ReasonCodes => self.reason_code(*number, f),
                _ => write!(f, "{number}"),
            }),
            Value::Texts(texts) => write_list(texts, f, |text, f| write_data(text, f)),
            Value::Pairs(pairs) => write_list(pairs, f, |(name, value), f| {
                f.write_char('[')?;
                write_data(name, f)?;
                f.write_str(", ")?;
                write_data(value, f)?;
                f.write_char(']')
            }),
            Value::Filters(records) => write_list(records, f, |record, f| self.part(record, f)),
            Value::Record(record) => self.part(record, f),
        }
    }

    fn part(self, record: &Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = Entries::begin(f);
        self.record(record, &mut entries)?;
        entries.end()
    }

    /// The code's name; its number where it has none, and in 3.1.1, where numbers are what people know.
    fn reason_code(self, code: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(byte) = u8::try_from(code) else {
            return write!(f, "{code}");
        };
        let code = ReasonCode(byte);
        let name = match (self.version, self.packet_type) {
            (Version::V5_0, packet_type) => code.name(packet_type),
            (_, PacketType::Connack) => connect_return_code::name(code),
            _ => None,
        };
        match name {
            Some(name) => f.write_str(name),
            None if byte < 0x80 => write!(f, "{byte}"),
            None => write!(f, "{code}"),
        }
    }
}

fn write_list<T>(
    items: &[T],
    f: &mut fmt::Formatter<'_>,
    mut write: impl FnMut(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_char('[')?;
    for (item, separator) in items
        .iter()
        .zip(core::iter::once("").chain(core::iter::repeat(", ")))
    {
        f.write_str(separator)?;
        write(item, f)?;
    }
    f.write_char(']')
}

/// Text as it is or quoted; other data as `{ hex: … }`; what is too long for a line as `{ size: … }`.
fn write_data(data: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match core::str::from_utf8(data) {
        Ok(text) if text.chars().all(is_printable) && data.len() <= LONGEST_TEXT => {
            write_text(text, f)
        }
        _ if data.len() <= LONGEST_DATA => write_hex(data, f),
        _ => write!(f, "{{ size: {} }}", data.len()),
    }
}

/// Characters that show themselves: no controls, no separators of lines, no marks of byte order.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{FEFF}')
        && !matches!(u32::from(character) & 0xFFFF, 0xFFFE | 0xFFFF)
}

/// Plain where YAML and the language take it for the very same text, else in single quotes.
fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_plain_scalar(text) {
        return f.write_str(text);
    }
    f.write_char('\'')?;
    for character in text.chars() {
        if character == '\'' || character == '<' {
            // `''` is a quote to YAML, `<<` a literal `<` to the language.
            f.write_char(character)?;
        }
        f.write_char(character)?;
    }
    f.write_char('\'')
}

fn is_plain_scalar(text: &str) -> bool {
    let begins_well = text.starts_with(|first: char| {
        first.is_alphanumeric() || matches!(first, '/' | '$' | '_' | '+' | '.')
    });
    begins_well
        && text.chars().all(|character| {
            character.is_alphanumeric()
                || matches!(character, '/' | '$' | '_' | '+' | '-' | '.' | '(' | ')')
        })
}

fn write_malformation(malformation: &Malformation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match malformation {
        Malformation::Flags(flags) => write!(f, "0b{flags:04b}"),
        Malformation::PacketType(value)
        | Malformation::LengthWidth(value)
        | Malformation::PropertyLengthWidth(value) => {
            write!(f, "{value}")
        }
        Malformation::Length(claim) | Malformation::PropertyLength(claim) => write!(f, "{claim}"),
        Malformation::Cut(at) | Malformation::Short(at) => write!(f, "{at}"),
        Malformation::Extra(bytes) | Malformation::Property(bytes) | Malformation::Bytes(bytes) => {
            write_hex(bytes, f)
        }
        Malformation::Twice(name) | Malformation::Without(name) => f.write_str(name),
        Malformation::Swap(left, right) => write!(f, "[{left}, {right}]"),
        Malformation::Order(names) => {
            f.write_str("[")?;
            for (place, name) in names.iter().enumerate() {
                let separator = if place == 0 { "" } else { ", " };
                write!(f, "{separator}{name}")?;
            }
            f.write_str("]")
        }
        Malformation::FieldLength(name, claim) => write!(f, "[[{name}, {claim}]]"),
    }
}

/// Every byte, however many.
fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{ hex: ")?;
    for (byte, separator) in bytes
        .iter()
        .zip(core::iter::once("").chain(core::iter::repeat(" ")))
    {
        write!(f, "{separator}{byte:02x}")?;
    }
    f.write_str(" }")
}
