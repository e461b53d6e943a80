//! `mqtt-assay decode`: explains the bytes of Control Packets, or says which rule they break.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use anstyle::Style;
use clap::{Args, ValueEnum};
use clauses::ClauseId;
use codec::annotate::{Reading, annotate};
use codec::{Direction, Frame, PacketType, Split, Version, Violation};

use crate::failure::Failure;
use crate::suite::count;
use crate::terminal;

const BOLD: Style = Style::new().bold();

/// Explain the bytes of Control Packets, or say which rule they break.
///
/// Takes one packet or several, one behind the other. Exit status 0 only when all of them are valid and whole.
#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// Hex digits; blanks, commas, colons and `0x` may stand between bytes. `-` reads them from standard input.
    #[arg(required = true, value_name = "HEX")]
    hex: Vec<String>,

    /// The version of MQTT; that of the CONNECT where the bytes begin with one, else 5.0.
    #[arg(long)]
    version: Option<Version>,

    /// Who sends; where it is not given, whoever may send the first packet.
    #[arg(long, value_enum)]
    from: Option<Sender>,

    /// Tell only the violation at which strict reading ends, not all there are.
    #[arg(long)]
    strict: bool,
}

/// Who sends a packet.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Sender {
    Client,
    Server,
}

impl Decode {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let bytes = parse_hex(&self.text()?)?;
        if bytes.is_empty() {
            return Err(Failure::new("there are no bytes to decode")
                .help("write them as hex digits, such as `mqtt-assay decode c0 00`"));
        }
        let (version, direction) = self.context(&bytes);
        let mut out = anstream::stdout().lock();
        let reading = if self.strict {
            Reading::Strict
        } else {
            Reading::Lenient
        };
        let valid = explain(&mut out, &bytes, version, direction, reading)?;
        Ok(u8::from(!valid))
    }

    fn text(&self) -> Result<String, Failure> {
        let mut text = String::new();
        for part in &self.hex {
            if part == "-" {
                io::stdin().read_to_string(&mut text).map_err(|error| {
                    Failure::new(format!("cannot read standard input: {error}"))
                        .help("hex digits are expected there, not the bytes themselves; `xxd -p` makes them")
                })?;
            } else {
                text.push_str(part);
                text.push(' ');
            }
        }
        Ok(text)
    }

    fn context(&self, bytes: &[u8]) -> (Version, Direction) {
        let first = bytes
            .first()
            .and_then(|byte| PacketType::from_value(byte >> 4));
        let direction = match self.from {
            Some(Sender::Client) => Direction::ToServer,
            Some(Sender::Server) => Direction::ToClient,
            None => match first {
                Some(
                    PacketType::Connack
                    | PacketType::Suback
                    | PacketType::Unsuback
                    | PacketType::Pingresp,
                ) => Direction::ToClient,
                _ => Direction::ToServer,
            },
        };
        let version = self
            .version
            .or_else(|| announced(bytes))
            .unwrap_or(Version::V5_0);
        (version, direction)
    }
}

/// The version that a CONNECT at the beginning announces.
fn announced(bytes: &[u8]) -> Option<Version> {
    let Ok(Split::Complete { frame, .. }) =
        codec::split(bytes, Version::V5_0, Direction::ToServer, usize::MAX)
    else {
        return None;
    };
    if frame.packet_type() != Some(PacketType::Connect) {
        return None;
    }
    let (version, _) = codec::decode_connect_leniently(frame, &mut Vec::new())?;
    Some(version)
}

/// Explains packet after packet; whether all of them are valid and whole.
fn explain(
    out: &mut dyn Write,
    bytes: &[u8],
    version: Version,
    direction: Direction,
    reading: Reading,
) -> io::Result<bool> {
    let mut rest = bytes;
    let mut packets = 0;
    let mut valid = true;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        if packets > 0 {
            writeln!(out)?;
        }
        packets += 1;
        match codec::split(rest, version, direction, codec::MAXIMUM_PACKET_SIZE) {
            Ok(Split::Complete {
                frame,
                rest: behind,
            }) => {
                valid &= explain_frame(out, frame, version, direction, reading)?;
                rest = behind;
            }
            Ok(Split::Incomplete { size }) => {
                let size = match size {
                    Some(size) => format!("{} of {size} bytes are here", rest.len()),
                    None => "its Remaining Length is not all here".to_owned(),
                };
                writeln!(
                    out,
                    "Incomplete: the packet at byte {at} is cut off; {size}"
                )?;
                valid = false;
                break;
            }
            Err(violation) => {
                tell(out, at, &violation, version)?;
                valid = false;
                break;
            }
        }
    }
    if packets > 1 {
        let verdict = if valid { "all valid" } else { "not all valid" };
        writeln!(out, "\n{}, {verdict}", count(packets, "packet"))?;
    }
    Ok(valid)
}

/// Explains one packet; whether it is valid.
fn explain_frame(
    out: &mut dyn Write,
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
    reading: Reading,
) -> io::Result<bool> {
    let annotation = annotate(frame, version, direction, reading);
    write!(out, "{}", report::terminal_text(&annotation.to_string()))?;
    let violations = annotation.violations();
    let broken: BTreeSet<ClauseId> = violations.iter().flat_map(Violation::clauses).collect();
    for id in broken {
        writeln!(out, "\n{}", statement(id))?;
    }
    Ok(violations.is_empty())
}

/// What a clause says, as a paragraph.
fn statement(id: ClauseId) -> String {
    let clause = id.clause();
    let text = format!(
        "{id} ({}, section {}): {}",
        clause.keyword, clause.section, clause.summary
    );
    textwrap::fill(
        &text,
        textwrap::Options::new(terminal::width()).subsequent_indent("    "),
    )
}

/// A violation of the framing, which leaves no packet to annotate.
fn tell(out: &mut dyn Write, at: usize, violation: &Violation, version: Version) -> io::Result<()> {
    let Violation {
        offset,
        field,
        expected,
        found,
        kind,
        reason_code,
        clause,
        ..
    } = violation;
    // Before 5.0 there is no code for it.
    let code = match version {
        Version::V5_0 => format!(" {reason_code}"),
        Version::V3_1 | Version::V3_1_1 => String::new(),
    };
    writeln!(
        out,
        "{BOLD}Malformed{BOLD:#}: the packet at byte {at}: byte {offset}: {field} must be {expected}, found {found} ({kind}{code}, {clause})"
    )?;
    writeln!(out, "\n{}", statement(violation.clause))?;
    writeln!(
        out,
        "What follows cannot be read: nobody knows where the next packet begins"
    )
}

/// Reads hex digits, in pairs, with whatever people put between bytes.
fn parse_hex(text: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';'));
    for word in words.filter(|word| !word.is_empty()) {
        let digits = word
            .strip_prefix("0x")
            .or_else(|| word.strip_prefix("0X"))
            .unwrap_or(word);
        if let Some((at, wrong)) = digits
            .chars()
            .enumerate()
            .find(|(_, c)| !c.is_ascii_hexdigit())
        {
            return Err(Failure::new(format!(
                "`{word}` is not hex: `{wrong}` (character {}) is no hex digit",
                at + 1
            ))
            .help("write bytes as pairs of 0-9 and a-f, such as `10 0c 00 04`"));
        }
        if digits.len() % 2 == 1 {
            return Err(
                Failure::new(format!("`{word}` has an odd number of hex digits"))
                    .help("write every byte with two digits, such as `0c` for 12"),
            );
        }
        let pairs = digits.as_bytes().chunks(2);
        let pairs =
            pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        bytes.extend(pairs);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_as_people_write_it() {
        for text in [
            "c000",
            "c0 00",
            "0xC0,0x00",
            "C0:00",
            "0xc000",
            "c0\n00\n",
            " c0;00 ",
        ] {
            assert_eq!(parse_hex(text).unwrap(), [0xc0, 0x00], "{text}");
        }
        assert!(parse_hex(" ").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_hex_is_told() {
        assert!(parse_hex("c0 0g").is_err());
        assert!(parse_hex("c0 0").is_err());
        assert!(parse_hex("0x").unwrap().is_empty());
    }
}
