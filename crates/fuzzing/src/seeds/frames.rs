//! WebSocket seeds: packets in the frames of a server, sound and wrong.

use super::Seed;

/// The first byte of a frame and the mask bit of its second: a binary frame, its beginning and end, a text frame, the
/// control frames, a masked one, a reserved bit, a reserved opcode.
const HEADS: &[(&str, u8, u8)] = &[
    ("binary", 0x82, 0),
    ("beginning", 0x02, 0),
    ("end", 0x80, 0),
    ("text", 0x81, 0),
    ("ping", 0x89, 0),
    ("pong", 0x8A, 0),
    ("close", 0x88, 0),
    ("masked", 0x82, 0x80),
    ("reserved_bit", 0xC2, 0),
    ("reserved_opcode", 0x83, 0),
];

/// A handful of packets in each kind of frame, behind the byte that chooses sizes.
pub fn frame_seeds(packets: &[Seed]) -> Vec<Seed> {
    let few = packets.iter().step_by((packets.len() / 5).max(1)).take(5);
    few.enumerate()
        .flat_map(|(number, seed)| {
            HEADS.iter().map(move |(name, first, mask)| {
                let packet = seed.bytes.get(1..).unwrap_or_default();
                let packet = &packet[..packet.len().min(100)];
                let length = u8::try_from(packet.len()).unwrap_or_default();
                let size = u8::try_from(number * 3).unwrap_or_default();
                Seed {
                    bytes: [&[size, *first, mask | length], packet, &[0x82, 1, b'x']].concat(),
                    name: (*name).to_owned(),
                }
            })
        })
        .collect()
}
