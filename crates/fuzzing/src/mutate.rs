//! A mutator that understands packets: for fuzzers that would otherwise spend their time on wrong lengths.
//!
//! An input is a byte that chooses version and direction, and a stream of packets: see [`Input`]. A mutation takes a
//! packet apart into its [`Draft`], changes a field and writes it again; or it changes bytes and then repairs the
//! Remaining Length, or leaves it lying; or it moves whole packets about. All of it is pure: the same seed does the
//! same. [`splice`] joins two inputs where their packets meet.

use arbitrary::Unstructured;
use codec::draft::{Draft, FieldSpec, Kind, Record, Value, fields, property_field};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, PropertyId, PropertyOwner, Split, Version};
use fastrand::Rng;

use crate::{dictionary, malformed, sound};

/// So many packets an input has at most; more would only slow the fuzzer down.
const PACKETS: usize = 32;

/// What the bytes of an input mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The version in which the packets are read.
    pub version: Version,
    /// Which way they travel.
    pub direction: Direction,
    /// Packet by packet; the last may be anything that the framer does not take for one.
    pub packets: Vec<Vec<u8>>,
}

/// The version and direction that the first byte of an input chooses.
pub fn choice(byte: u8) -> (Version, Direction) {
    let versions = Version::ALL;
    let direction = if byte & 1 == 0 {
        Direction::ToServer
    } else {
        Direction::ToClient
    };
    let at = usize::from(byte >> 1) % versions.len();
    (versions[at], direction)
}

/// What an input means, without a copy: version, direction, and packet by packet what [`Input::packets`] would hold.
pub fn packets(bytes: &[u8]) -> (Version, Direction, impl Iterator<Item = &[u8]>) {
    let (first, mut rest) = bytes
        .split_first()
        .map_or((0, bytes), |(first, rest)| (*first, rest));
    let (version, direction) = choice(first);
    let packets = std::iter::from_fn(move || {
        let split = codec::split(rest, version, direction, MAXIMUM_PACKET_SIZE);
        let (packet, after) = match split {
            Ok(Split::Complete { frame, rest: after }) => (frame.as_bytes(), after),
            _ if rest.is_empty() => return None,
            _ => (rest, &[][..]),
        };
        rest = after;
        Some(packet)
    });
    (version, direction, packets)
}

impl Input {
    /// Takes an input apart. Every input means something; an empty one has no packets.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (version, direction, packets) = packets(bytes);
        let packets = packets.map(<[u8]>::to_vec).collect();
        Self {
            version,
            direction,
            packets,
        }
    }

    /// The bytes of the input.
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = Version::ALL
            .iter()
            .position(|known| *known == self.version)
            .unwrap_or_default();
        let direction = usize::from(self.direction == Direction::ToClient);
        let mut bytes = vec![u8::try_from(version << 1 | direction).unwrap_or_default()];
        for packet in &self.packets {
            bytes.extend_from_slice(packet);
        }
        bytes
    }
}

/// Changes an input of at most `maximum` bytes into another.
pub fn mutate(bytes: &[u8], seed: u64, maximum: usize) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let mut input = Input::from_bytes(bytes);
    for _ in 0..=rng.usize(..3) {
        change(&mut rng, &mut input);
        input.packets.retain(|packet| !packet.is_empty());
    }
    let mut bytes = input.to_bytes();
    bytes.truncate(maximum);
    bytes
}

/// Joins the beginning of one input with the end of another, at borders of their packets.
pub fn splice(left: &[u8], right: &[u8], seed: u64, maximum: usize) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let mut input = Input::from_bytes(left);
    let other = Input::from_bytes(right);
    input.packets.truncate(rng.usize(..=input.packets.len()));
    let from = rng.usize(..=other.packets.len());
    input.packets.extend_from_slice(&other.packets[from..]);
    input.packets.truncate(PACKETS);
    let mut bytes = input.to_bytes();
    bytes.truncate(maximum);
    bytes
}

fn change(rng: &mut Rng, input: &mut Input) {
    let (version, direction) = (input.version, input.direction);
    if input.packets.is_empty() || (input.packets.len() < PACKETS && rng.u8(..16) == 0) {
        let at = rng.usize(..=input.packets.len());
        input
            .packets
            .insert(at, any_packet(rng, version, direction));
        return;
    }
    let at = rng.usize(..input.packets.len());
    match rng.u8(..16) {
        0..=6 => change_draft(rng, &mut input.packets[at], version, direction),
        7 => tell_a_lie(rng, &mut input.packets[at], version, direction),
        8..=10 => change_body(rng, &mut input.packets[at]),
        11 => input.packets[at][0] ^= 1 << rng.u8(..8),
        12 => change_length(rng, &mut input.packets[at]),
        13 if input.packets.len() > 1 => {
            let other = rng.usize(..input.packets.len());
            match rng.u8(..3) {
                0 => input.packets.swap(at, other),
                1 => drop(input.packets.remove(at)),
                _ => {
                    let copy = input.packets[other].clone();
                    input.packets[at] = copy;
                }
            }
        }
        14 if input.packets.len() < PACKETS => {
            let copy = input.packets[at].clone();
            input.packets.insert(at, copy);
        }
        _ => (input.version, input.direction) = choice(rng.u8(..6)),
    }
}

/// A packet of the generators, sound or not.
fn any_packet(rng: &mut Rng, version: Version, direction: Direction) -> Vec<u8> {
    let mut choices = [0; 256];
    rng.fill(&mut choices);
    let mut u = Unstructured::new(&choices);
    let draft = if rng.bool() {
        sound(&mut u, version, direction)
    } else {
        malformed(&mut u, version, direction)
    };
    let packet = draft.ok().and_then(|draft| draft.encode().ok());
    packet
        .filter(|bytes| !bytes.is_empty())
        .unwrap_or(vec![0xC0, 0])
}

/// The packet as a draft, if there is anything to read.
fn draft(packet: &[u8], version: Version, direction: Direction) -> Option<Draft> {
    let frame = Frame::new(packet)?;
    let packet = codec::decode_leniently(frame, version, direction, &mut Vec::new())?;
    Some(Draft::from_packet(&packet, version))
}

/// Changes a field and writes the packet again, with lengths that fit.
fn change_draft(rng: &mut Rng, packet: &mut Vec<u8>, version: Version, direction: Direction) {
    let Some(mut draft) = draft(packet, version, direction) else {
        return change_body(rng, packet);
    };
    let set = draft.fields().len();
    let present = (set > 0)
        .then(|| draft.fields().iter().nth(rng.usize(..set)))
        .flatten();
    match (rng.u8(..8), present) {
        (0, Some((spec, _))) => drop(draft.remove(spec.name)),
        (1..=2, _) | (_, None) => {
            if let Some(spec) = any_field(rng, &draft) {
                let value = any_value(rng, spec);
                let _ = draft.set(spec.name, value);
            }
        }
        (_, Some((spec, value))) => {
            let mut value = value.clone();
            change_value(rng, spec, &mut value);
            let _ = draft.set(spec.name, value);
        }
    }
    if let Ok(bytes) = draft.encode()
        && !bytes.is_empty()
    {
        *packet = bytes;
    }
}

/// A field that the packet has, or now and then a property that it must not have.
fn any_field(rng: &mut Rng, draft: &Draft) -> Option<&'static FieldSpec> {
    let specs = fields(draft.packet_type());
    if specs.is_empty() || (draft.version().has_properties() && rng.u8(..4) == 0) {
        let id = rng.choice(PropertyId::ALL)?;
        return property_field(PropertyOwner::Packet(draft.packet_type()), id);
    }
    let spec = rng.choice(specs)?;
    spec.exists_in(draft.version()).then_some(spec)
}

/// A value that the field's bits can hold, at its edges more often than chance would have it.
fn any_value(rng: &mut Rng, spec: &FieldSpec) -> Value {
    match spec.kind {
        Kind::Flag => Value::Flag(rng.bool()),
        Kind::QoS => Value::Number(rng.u64(..4)),
        Kind::ReasonCode => Value::Number(rng.u64(..=0xFF)),
        Kind::Number { maximum } => Value::Number(number(rng, maximum)),
        Kind::Numbers { maximum } => Value::Numbers(some(rng, |rng| number(rng, maximum))),
        Kind::ReasonCodes => Value::Numbers(some(rng, |rng| number(rng, 0xFF))),
        Kind::Text => Value::Text(text(rng)),
        Kind::Binary | Kind::Position => Value::Binary(text(rng)),
        Kind::Texts => Value::Texts(some(rng, text)),
        Kind::Pairs => Value::Pairs(some(rng, |rng| (text(rng), text(rng)))),
        Kind::Records(specs) => Value::Filters(some(rng, |rng| record(rng, specs))),
        Kind::Record(specs) => Value::Record(record(rng, specs)),
    }
}

fn record(rng: &mut Rng, specs: &'static [FieldSpec]) -> Record {
    let mut record = Record::new();
    for spec in specs {
        if rng.u8(..3) == 0 {
            record.set(spec, any_value(rng, spec));
        }
    }
    record
}

fn some<T>(rng: &mut Rng, mut item: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    (0..rng.u8(..4)).map(|_| item(rng)).collect()
}

fn number(rng: &mut Rng, maximum: u64) -> u64 {
    let number = match rng.u8(..5) {
        0 => 0,
        1 => 1,
        2 => maximum,
        3 => rng.u64(..=maximum.min(16)),
        _ => rng.u64(..=maximum),
    };
    number.min(maximum)
}

/// A text out of the dictionary, or bytes.
fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.choice(dictionary::TEXTS) {
        Some((_, text)) if rng.u8(..4) > 0 => text.to_vec(),
        _ => (0..rng.u8(..8)).map(|_| rng.u8(..)).collect(),
    }
}

/// Changes a value a little.
fn change_value(rng: &mut Rng, spec: &FieldSpec, value: &mut Value) {
    match value {
        Value::Flag(on) => *on = !*on,
        Value::Text(data) | Value::Binary(data) => change_bytes(rng, data),
        Value::Number(old) => {
            let changed = match rng.u8(..4) {
                0 => old.wrapping_add(1),
                1 => old.wrapping_sub(1),
                2 => *old ^ 1 << rng.u8(..16),
                _ => return *value = any_value(rng, spec),
            };
            *old = changed;
        }
        Value::Numbers(items) => change_list(rng, items, |rng, item| *item = rng.u64(..=0xFF)),
        Value::Texts(items) => change_list(rng, items, change_bytes),
        Value::Pairs(items) => change_list(rng, items, |rng, (name, value)| {
            let part = if rng.bool() { name } else { value };
            change_bytes(rng, part);
        }),
        Value::Filters(records) => {
            change_list(rng, records, |rng, record| change_record(rng, spec, record));
        }
        Value::Record(record) => change_record(rng, spec, record),
        Value::Integer(_) => *value = any_value(rng, spec),
    }
}

fn change_record(rng: &mut Rng, spec: &FieldSpec, record: &mut Record) {
    let (Kind::Record(specs) | Kind::Records(specs)) = spec.kind else {
        return;
    };
    let Some(spec) = rng.choice(specs) else {
        return;
    };
    match record.get_mut(spec.name) {
        Some(_) if rng.u8(..4) == 0 => drop(record.remove(spec.name)),
        Some(value) => change_value(rng, spec, value),
        None => record.set(spec, any_value(rng, spec)),
    }
}

/// Doubles an item, drops one, or changes one.
fn change_list<T: Clone>(rng: &mut Rng, items: &mut Vec<T>, change: impl Fn(&mut Rng, &mut T)) {
    if items.is_empty() {
        return;
    }
    let at = rng.usize(..items.len());
    match rng.u8(..4) {
        0 => {
            let copy = items[at].clone();
            items.insert(at, copy);
        }
        1 => drop(items.remove(at)),
        _ => change(rng, &mut items[at]),
    }
}

fn tell_a_lie(rng: &mut Rng, packet: &mut Vec<u8>, version: Version, direction: Direction) {
    let Some(mut draft) = draft(packet, version, direction) else {
        return;
    };
    let mut choices = [0; 64];
    rng.fill(&mut choices);
    if let Ok(lie) = malformed::lie(&mut Unstructured::new(&choices), &draft) {
        draft.malform(lie);
    }
    if let Ok(bytes) = draft.encode()
        && !bytes.is_empty()
    {
        *packet = bytes;
    }
}

/// Changes bytes behind the fixed header; mostly the Remaining Length is made to fit again.
fn change_body(rng: &mut Rng, packet: &mut Vec<u8>) {
    let Some(frame) = Frame::new(packet) else {
        return change_bytes(rng, packet);
    };
    let (header, mut body) = (frame.header_length(), frame.body().to_vec());
    change_bytes(rng, &mut body);
    if rng.u8(..4) == 0 {
        packet.truncate(header);
        packet.append(&mut body);
    } else {
        *packet = framed(packet[0], body);
    }
}

/// Lets the Remaining Length claim something else, or the same in more bytes.
fn change_length(rng: &mut Rng, packet: &mut Vec<u8>) {
    let Some(frame) = Frame::new(packet) else {
        return;
    };
    let body = frame.body().to_vec();
    let mut claim = body.len();
    let mut width = 1;
    match rng.u8(..4) {
        0 => claim = claim.saturating_sub(rng.usize(1..=4)),
        1 => claim += rng.usize(1..=4),
        2 => claim = rng.usize(..MAXIMUM_PACKET_SIZE),
        _ => width = rng.usize(2..=5),
    }
    let mut lying = vec![packet[0]];
    lying.extend(variable_byte_integer(claim, width));
    lying.extend(body);
    *packet = lying;
}

/// A packet with a Remaining Length that fits.
fn framed(first_byte: u8, body: Vec<u8>) -> Vec<u8> {
    let mut packet = vec![first_byte];
    packet.extend(variable_byte_integer(body.len(), 1));
    packet.extend(body);
    packet
}

fn variable_byte_integer(mut value: usize, width: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).unwrap_or_default();
        value >>= 7;
        if value == 0 && bytes.len() + 1 >= width {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn change_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.usize(..=bytes.len());
    match (rng.u8(..6), bytes.get_mut(at)) {
        (0, Some(byte)) => *byte = rng.u8(..),
        (1, Some(byte)) => *byte ^= 1 << rng.u8(..8),
        (2, Some(_)) => {
            let end = (at + rng.usize(1..=4)).min(bytes.len());
            bytes.drain(at..end);
        }
        (3, _) => {
            if let Some(entry) = rng.choice(dictionary::entries()) {
                bytes.splice(at..at, entry.bytes.iter().copied());
            }
        }
        (4, Some(_)) => {
            let end = (at + rng.usize(1..=8)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        _ => bytes.insert(at, rng.u8(..)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use codec::PacketType;

    use super::*;

    fn connect() -> Vec<u8> {
        let packet = Draft::new(PacketType::Connect, Version::V5_0)
            .encode()
            .unwrap();
        [vec![4], packet, vec![0xC0, 0]].concat()
    }

    #[test]
    fn an_input_is_taken_apart_and_put_together() {
        for bytes in [
            &connect()[..],
            &[0],
            &[5, 0x30],
            &[2, 0xC0, 0, 0xC0],
            &[1, 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1],
        ] {
            assert_eq!(Input::from_bytes(bytes).to_bytes(), bytes);
        }
        let input = Input::from_bytes(&connect());
        assert_eq!(
            (input.version, input.direction),
            (Version::V5_0, Direction::ToServer)
        );
        assert_eq!(input.packets.len(), 2);
        for byte in 0..=u8::MAX {
            let input = Input::from_bytes(&[byte, 0xC0, 0]);
            assert_eq!(choice(input.to_bytes()[0]), choice(byte));
        }
    }

    #[test]
    fn the_same_seed_does_the_same_and_others_do_otherwise() {
        let start = connect();
        let mut seen = BTreeSet::new();
        for seed in 0..500 {
            let changed = mutate(&start, seed, 4096);
            assert_eq!(changed, mutate(&start, seed, 4096));
            assert!(changed.len() <= 4096);
            seen.insert(changed);
        }
        assert!(seen.len() > 300, "{}", seen.len());
        assert!(mutate(&start, 1, 5).len() <= 5);
        assert!(!mutate(&[], 1, 4096).is_empty());
    }

    /// After a dozen changes many inputs must still be packets throughout: otherwise bytes at random would do as well.
    #[test]
    fn much_of_what_comes_out_is_packets_sound_and_unsound() {
        let (mut framed, mut sound, mut unsound) = (0, 0, 0);
        let mut types = BTreeSet::new();
        for seed in 0..2_000 {
            let mut bytes = connect();
            for step in 0..4 {
                bytes = mutate(&bytes, seed * 4 + step, 4096);
            }
            let input = Input::from_bytes(&bytes);
            let taken = input.packets.iter().filter_map(|packet| Frame::new(packet));
            let verdicts = taken
                .inspect(|frame| types.extend(frame.packet_type()))
                .map(|frame| codec::decode(frame, input.version, input.direction).is_ok())
                .collect::<Vec<_>>();
            framed += usize::from(verdicts.len() == input.packets.len());
            sound += verdicts.iter().filter(|verdict| **verdict).count();
            unsound += verdicts.iter().filter(|verdict| !**verdict).count();
        }
        assert!(
            framed > 900,
            "{framed} of 2000 inputs are packets throughout"
        );
        assert!(
            sound > 1_000 && unsound > 1_000,
            "{sound} sound, {unsound} unsound"
        );
        assert!(types.len() > 12, "{types:?}");
    }

    #[test]
    fn inputs_are_joined_where_packets_meet() {
        let left = connect();
        let right = [&[4][..], &[0x40, 2, 0, 1, 0x40, 2, 0, 2]].concat();
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let spliced = splice(&left, &right, seed, 4096);
            let input = Input::from_bytes(&spliced);
            let known = [
                Input::from_bytes(&left).packets,
                Input::from_bytes(&right).packets,
            ]
            .concat();
            assert!(
                input.packets.iter().all(|packet| known.contains(packet)),
                "{input:?}"
            );
            seen.insert(spliced);
        }
        assert_eq!(seen.len(), 9, "three beginnings, three ends");
    }
}
