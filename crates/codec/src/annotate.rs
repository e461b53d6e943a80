//! An annotated hex dump: each field with its bytes, its name, its meaning, and what is wrong with it.

use alloc::{format, string::String, vec::Vec};
use core::fmt::{self, Write};

use crate::{
    Direction, Frame, PacketType, Properties, PropertyValue, QoS, ReasonCode, SubscriptionOptions,
    Text, Version, Violation, connect_return_code, decode, decode_leniently,
    raw::{Form, Raw, RawField},
    variable_byte,
};

/// How a packet is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Up to the first violation.
    Strict,
    /// All violations.
    Lenient,
}

/// A frame taken apart and judged; its `Display` is the dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation<'a> {
    packet_type: Option<PacketType>,
    version: Version,
    direction: Direction,
    raw: Raw<'a>,
    violations: Vec<Violation>,
}

/// Takes a frame apart and judges it.
pub fn annotate(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
    reading: Reading,
) -> Annotation<'_> {
    let mut violations = Vec::new();
    match reading {
        Reading::Strict => violations.extend(decode(frame, version, direction).err()),
        Reading::Lenient => {
            decode_leniently(frame, version, direction, &mut violations);
        }
    }
    violations.sort_by_key(|violation| violation.offset);
    Annotation {
        packet_type: frame.packet_type(),
        version,
        direction,
        raw: Raw::read(frame, version),
        violations,
    }
}

impl Annotation<'_> {
    /// What is wrong, in the order of the wire.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The fields, in the order of the wire.
    pub fn fields(&self) -> &[RawField<'_>] {
        &self.raw.fields
    }

    /// What a field says, in words.
    fn meaning(&self, field: &RawField<'_>) -> String {
        let bytes = field.bytes.as_ref();
        match field.form {
            Form::FirstByte => self.first_byte(bytes),
            Form::Integer => format!("{}", big_endian(bytes)),
            Form::VariableByteInteger => variable(bytes),
            Form::ConnectFlags => {
                connect_flags(bytes.first().copied().unwrap_or_default(), self.version)
            }
            Form::SubscriptionOptions => {
                options(bytes.first().copied().unwrap_or_default(), self.version)
            }
            Form::ReasonCode => self.reason_code(bytes.first().copied().unwrap_or_default()),
            Form::Text => text(bytes.get(2..).unwrap_or_default()),
            Form::Binary => data(bytes.get(2..).unwrap_or_default()),
            Form::Payload => data(bytes),
            Form::Property(_) => property(bytes),
            Form::Unreadable => String::from("unreadable"),
        }
    }

    fn first_byte(&self, bytes: &[u8]) -> String {
        let byte = bytes.first().copied().unwrap_or_default();
        match self.packet_type {
            Some(PacketType::Publish) => {
                let qos = QoS::from_bits(byte >> 1);
                format!(
                    "PUBLISH, dup {}, qos {qos}, retain {}",
                    byte >> 3 & 1,
                    byte & 1
                )
            }
            Some(packet_type) => format!("{packet_type}, flags 0b{:04b}", byte & 0x0F),
            None => format!("reserved type, flags 0b{:04b}", byte & 0x0F),
        }
    }

    fn reason_code(&self, code: u8) -> String {
        let code = ReasonCode(code);
        let name = match (self.packet_type, self.version) {
            (Some(packet_type), Version::V5_0) => code.name(packet_type),
            (Some(PacketType::Connack), _) => connect_return_code::name(code),
            (Some(PacketType::Suback), _) if code == ReasonCode::FAILURE => Some("failure"),
            (Some(PacketType::Suback), _) => code.name(PacketType::Suback),
            _ => None,
        };
        format!("{code} {}", name.unwrap_or("unknown"))
    }
}

/// The bytes of one row of the dump, and the rows after which a field is cut short.
const ROW: usize = 8;
const ROWS: usize = 4;

impl fmt::Display for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self
            .raw
            .fields
            .iter()
            .map(|field| field.bytes.len())
            .sum::<usize>();
        let name = self
            .packet_type
            .map_or("reserved packet type", PacketType::name);
        let bytes = if size == 1 { "byte" } else { "bytes" };
        writeln!(
            f,
            "{name}, {}, {}, {size} {bytes}",
            self.version, self.direction
        )?;
        let width = self
            .raw
            .fields
            .iter()
            .map(|field| field.name.len())
            .max()
            .unwrap_or_default();
        let mut offset = 0;
        let mut violations = self.violations.iter().peekable();
        for field in &self.raw.fields {
            let end = offset + field.bytes.len();
            write_field(f, field, offset, width, &self.meaning(field))?;
            while let Some(violation) = violations.next_if(|violation| violation.offset < end) {
                write_violation(f, violation, violation.offset - offset, self.version)?;
            }
            offset = end;
        }
        for violation in violations {
            write!(f, "{offset:>5}  ")?;
            writeln!(f, "end of the packet")?;
            write_violation(f, violation, 0, self.version)?;
        }
        Ok(())
    }
}

fn write_field(
    f: &mut fmt::Formatter<'_>,
    field: &RawField<'_>,
    offset: usize,
    width: usize,
    meaning: &str,
) -> fmt::Result {
    let mut rows = field.bytes.chunks(ROW);
    let first = rows.next().unwrap_or_default();
    writeln!(
        f,
        "{offset:>5}  {:<23}  {:<width$}  {meaning}",
        Hex(first),
        field.name
    )?;
    let mut shown = first.len();
    for row in rows.by_ref().take(ROWS - 1) {
        writeln!(f, "{:>5}  {}", offset + shown, Hex(row))?;
        shown += row.len();
    }
    if shown < field.bytes.len() {
        writeln!(
            f,
            "{:>5}  … {} more bytes",
            offset + shown,
            field.bytes.len() - shown
        )?;
    }
    Ok(())
}

/// Points at the byte where the violation begins, if its row is the first, else at the field. Only 5.0 has a Reason Code
/// for it.
fn write_violation(
    f: &mut fmt::Formatter<'_>,
    violation: &Violation,
    place: usize,
    version: Version,
) -> fmt::Result {
    let indent = if place < ROW { 3 * place } else { 0 };
    let Violation {
        offset,
        field,
        expected,
        found,
        kind,
        reason_code,
        ..
    } = violation;
    writeln!(
        f,
        "{:>5}  {:indent$}^^ byte {offset}: {field} must be {expected}, found {found}",
        "", ""
    )?;
    write!(f, "{:>5}  {:indent$}   {kind}", "", "")?;
    if version == Version::V5_0 {
        write!(f, " {reason_code}")?;
    }
    f.write_char(':')?;
    for clause in violation.clauses() {
        write!(f, " {}", clause.name())?;
    }
    f.write_char('\n')
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = String::new();
        for byte in self.0 {
            if !hex.is_empty() {
                hex.push(' ');
            }
            write!(hex, "{byte:02x}")?;
        }
        f.pad(&hex)
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn variable(bytes: &[u8]) -> String {
    match variable_byte::read(bytes) {
        variable_byte::Read::Value { value, width } if width > variable_byte::width(value) => {
            format!(
                "{value}, in {width} bytes instead of {}",
                variable_byte::width(value)
            )
        }
        variable_byte::Read::Value { value, .. } => format!("{value}"),
        _ => String::from("unreadable"),
    }
}

fn connect_flags(flags: u8, version: Version) -> String {
    let clean = if version == Version::V5_0 {
        "clean start"
    } else {
        "clean session"
    };
    let qos = QoS::from_bits(flags >> 3);
    let bit = |place: u8| flags >> place & 1;
    format!(
        "user name {}, password {}, will retain {}, will qos {qos}, will {}, {clean} {}, reserved {}",
        bit(7),
        bit(6),
        bit(5),
        bit(2),
        bit(1),
        bit(0),
    )
}

fn options(byte: u8, version: Version) -> String {
    let options = SubscriptionOptions(byte);
    if version != Version::V5_0 {
        return format!("qos {}, reserved {}", options.qos(), byte >> 2);
    }
    format!(
        "qos {}, no local {}, retain as published {}, retain handling {}, reserved {}",
        options.qos(),
        u8::from(options.is_no_local()),
        u8::from(options.is_retain_as_published()),
        byte >> 4 & 0b11,
        options.reserved(),
    )
}

fn text(bytes: &[u8]) -> String {
    let shown = bytes.get(..64).unwrap_or(bytes);
    match core::str::from_utf8(shown) {
        Ok(readable) => format!("{readable:?}"),
        Err(_) => format!("{:?}", Text::new(shown)),
    }
}

fn data(bytes: &[u8]) -> String {
    let unit = if bytes.len() == 1 { "byte" } else { "bytes" };
    match core::str::from_utf8(bytes) {
        Ok(readable) if !readable.chars().any(char::is_control) => {
            format!("{} {unit}, {}", bytes.len(), text(bytes))
        }
        _ => format!("{} {unit}", bytes.len()),
    }
}

fn property(bytes: &[u8]) -> String {
    match Properties::new(bytes)
        .iter()
        .next()
        .map(|property| property.value)
    {
        Some(PropertyValue::Byte(value)) => format!("{value}"),
        Some(PropertyValue::TwoByteInteger(value)) => format!("{value}"),
        Some(PropertyValue::FourByteInteger(value) | PropertyValue::VariableByteInteger(value)) => {
            format!("{value}")
        }
        Some(PropertyValue::BinaryData(value)) => data(value),
        Some(PropertyValue::Utf8String(value)) => text(value.as_bytes()),
        Some(PropertyValue::Utf8StringPair(name, value)) => {
            format!("{}: {}", text(name.as_bytes()), text(value.as_bytes()))
        }
        None => String::from("unreadable"),
    }
}
