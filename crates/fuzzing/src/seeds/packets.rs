//! Packet seeds: what clients and broker say to each other when the scenarios are played on the reference broker.
//!
//! Many packets differ in nothing that a decoder sees. So packets are told apart by their [shape](shape), and of each
//! shape the shortest one stays.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use codec::draft::{Draft, Kind, Record, Value};
use codec::{Direction, Frame, Version};
use runner::event::{CaseReport, Event, Happening};
use runner::{At, Options, Plan, Selection};
use scenario::Scenario;

use super::Seed;
use crate::mutate::Input;

/// No seed is longer: a fuzzer would make too few of them in a second.
const LONGEST: usize = 512;

/// Plays the scenarios and keeps a packet of each shape, and a stream of each order in which packets follow each other.
///
/// Seeds are [`Input`]s: a byte for version and direction, then the packet.
pub fn packet_seeds(scenarios: &[Arc<Scenario>]) -> Vec<Seed> {
    let plan = Plan::new(scenarios, &Selection::default());
    let mut kept = BTreeMap::new();
    let played = runner::run(&plan, &At::Embedded, &Options::default(), &mut |event| {
        if let Event::CaseFinished(report) = event {
            gather(&report, &mut kept);
        }
    });
    // The embedded broker admits everybody.
    debug_assert!(played.is_ok());
    kept.into_values().collect()
}

fn gather(report: &CaseReport, kept: &mut BTreeMap<String, Seed>) {
    let version = report.case.version;
    let place = report
        .case
        .name
        .split(['[', '@'])
        .next()
        .unwrap_or_default();
    let mut streams: BTreeMap<(&str, bool), Vec<u8>> = BTreeMap::new();
    for entry in &report.trace {
        let (direction, bytes) = match &entry.what {
            Happening::Sent { bytes, .. } => (Direction::ToServer, bytes),
            Happening::Received { bytes, .. } | Happening::Garbled { bytes, .. } => {
                (Direction::ToClient, bytes)
            }
            _ => continue,
        };
        let is_server = direction == Direction::ToClient;
        let stream = streams.entry((&entry.client, is_server)).or_default();
        stream.extend_from_slice(bytes);
        for packet in taken_apart(bytes, version, direction).packets {
            let shape = shape(&packet, version, direction);
            let input = Input {
                version,
                direction,
                packets: vec![packet],
            };
            offer(shape, input.to_bytes(), place, kept);
        }
    }
    for ((_, is_server), stream) in streams {
        let direction = Direction::ALL[usize::from(is_server)];
        let input = taken_apart(&stream, version, direction);
        if input.packets.len() > 1 {
            offer(outline(&input), input.to_bytes(), place, kept);
        }
    }
}

/// What is sent at once may be several packets.
fn taken_apart(bytes: &[u8], version: Version, direction: Direction) -> Input {
    let whole = Input {
        version,
        direction,
        packets: vec![bytes.to_vec()],
    };
    Input::from_bytes(&whole.to_bytes())
}

/// Which packets follow each other, and about how long each of them is.
fn outline(input: &Input) -> String {
    let mut outline = format!("{} {} stream", input.version, input.direction);
    for packet in &input.packets {
        let first = packet.first().copied().unwrap_or_default();
        let _ = write!(outline, " {first:02x}{}", packet.len().ilog2());
    }
    outline
}

/// The shorter one stays, and of two as long the one that comes first in the order of bytes.
fn offer(shape: String, bytes: Vec<u8>, place: &str, kept: &mut BTreeMap<String, Seed>) {
    if bytes.len() > LONGEST {
        return;
    }
    let seed = Seed {
        bytes,
        name: place.to_owned(),
    };
    let order = |seed: &Seed| (seed.bytes.len(), seed.clone());
    match kept.get_mut(&shape) {
        Some(old) if order(old) <= order(&seed) => {}
        Some(old) => *old = seed,
        None => drop(kept.insert(shape, seed)),
    }
}

/// What a decoder sees of a packet: its flags, which fields it has, of which size their values are, which rules it
/// breaks, and in which form it is written.
pub fn shape(packet: &[u8], version: Version, direction: Direction) -> String {
    let first = packet.first().copied().unwrap_or_default();
    let mut shape = format!("{version} {direction} {first:02x}");
    let Some(frame) = Frame::new(packet) else {
        let _ = write!(shape, " unframed {}", size(packet.len() as u64));
        return shape;
    };
    let mut violations = Vec::new();
    let read = codec::decode_leniently(frame, version, direction, &mut violations);
    if let Some(packet) = read {
        let draft = Draft::from_packet(&packet, version);
        describe(draft.fields(), &mut shape);
        let again = draft.encode().unwrap_or_default();
        if again != frame.as_bytes() {
            shape.push_str(" unusual");
        }
    }
    for violation in violations {
        let _ = write!(shape, " {} {}", violation.clause.name(), violation.field);
    }
    shape
}

fn describe(fields: &Record, shape: &mut String) {
    for (spec, value) in fields.iter() {
        let _ = write!(shape, " {}", spec.name);
        match value {
            Value::Flag(on) => shape.push(if *on { '+' } else { '-' }),
            Value::Number(number) if is_code(spec.kind) => {
                let _ = write!(shape, "={number}");
            }
            Value::Number(number) => shape.push_str(size(*number)),
            Value::Integer(number) => shape.push_str(size(number.unsigned_abs())),
            Value::Text(data) | Value::Binary(data) => describe_text(data, shape),
            Value::Numbers(numbers) if is_code(spec.kind) => {
                let _ = write!(shape, "={numbers:?}");
            }
            Value::Numbers(numbers) => numbers
                .iter()
                .for_each(|number| shape.push_str(size(*number))),
            Value::Texts(texts) => texts.iter().for_each(|text| describe_text(text, shape)),
            Value::Pairs(pairs) => {
                for (name, value) in pairs {
                    describe_text(name, shape);
                    describe_text(value, shape);
                }
            }
            Value::Filters(records) => records.iter().for_each(|record| describe(record, shape)),
            Value::Record(record) => describe(record, shape),
        }
    }
}

/// Whether each value of the field is something of its own.
const fn is_code(kind: Kind) -> bool {
    match kind {
        Kind::ReasonCode | Kind::ReasonCodes | Kind::QoS => true,
        Kind::Number { maximum } | Kind::Numbers { maximum } => maximum <= 0xFF,
        _ => false,
    }
}

/// Numbers that are treated alike.
const fn size(number: u64) -> &'static str {
    match number {
        0 => "0",
        1 => "1",
        2 => "2",
        3..=0x7F => "s",
        0x80..=0xFF => "b",
        0x100..=0xFFFE => "w",
        0xFFFF => "W",
        0x1_0000..=0xFFFF_FFFE => "d",
        _ => "D",
    }
}

fn describe_text(text: &[u8], shape: &mut String) {
    let lengths = match text.len() {
        0 => "''",
        1 => "one",
        2..=7 => "few",
        8..=31 => "short",
        32..=127 => "long",
        _ => "vast",
    };
    shape.push_str(lengths);
    for (mark, holds) in [
        ('#', text.contains(&b'#')),
        ('+', text.contains(&b'+')),
        ('$', text.starts_with(b"$")),
        ('/', text.contains(&b'/')),
        ('0', text.contains(&0)),
        ('u', !text.is_ascii()),
        ('x', str::from_utf8(text).is_err()),
    ] {
        if holds {
            shape.push(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(packet: &[u8]) -> String {
        shape(packet, Version::V5_0, Direction::ToServer)
    }

    #[test]
    fn shapes_tell_apart_what_a_decoder_tells_apart() {
        let plain = of(b"\x30\x04\x00\x01t\x00");
        assert_eq!(plain, of(b"\x30\x04\x00\x01u\x00"), "another letter");
        for other in [
            &b"\x31\x04\x00\x01t\x00"[..],
            b"\x30\x84\x00\x00\x01t\x00",
            b"\x30\x04\x00\x01#\x00",
            b"\x30\x04\x00\x01\xFF\x00",
            b"\x30\x07\x00\x01t\x03\x23\x00\x01",
            b"\x30\x05\x00\x01t\x00x",
            b"\x30\x03\x00\x01t",
            b"\x30\x04\x00\x01t",
        ] {
            assert_ne!(plain, of(other), "{other:02x?}");
        }
    }

    #[test]
    fn of_one_shape_the_shortest_stays() {
        let mut kept = BTreeMap::new();
        for packet in [
            &b"\x30\x05\x00\x02ab\x00"[..],
            b"\x30\x06\x00\x03abc\x00",
            b"\x30\x05\x00\x02aa\x00",
        ] {
            let bytes = [&[4][..], packet].concat();
            offer(of(packet), bytes, "here", &mut kept);
        }
        let seeds = kept.into_values().collect::<Vec<_>>();
        assert_eq!(seeds.len(), 1);
        assert_eq!(seeds[0].bytes, b"\x04\x30\x05\x00\x02aa\x00");
    }
}
