//! [`Duties`]: the answers that a client owes the target on one link, so that a script can acknowledge what it could
//! not know beforehand.

use codec::{Direction, MAXIMUM_PACKET_SIZE, PacketType, Split, Version};
use smallvec::SmallVec;

use crate::script::{How, Which};

/// The answers that a client owes on one link.
#[derive(Debug, Clone, Default)]
pub struct Duties {
    owed: SmallVec<[Duty; 2]>,
    unread: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Duty {
    answer: Answer,
    packet_id: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    /// AUTH with the challenge sent back.
    Auth(Vec<u8>),
}

impl Answer {
    const fn packet_type(&self) -> PacketType {
        match self {
            Self::Puback => PacketType::Puback,
            Self::Pubrec => PacketType::Pubrec,
            Self::Pubrel => PacketType::Pubrel,
            Self::Pubcomp => PacketType::Pubcomp,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

impl Duties {
    /// Nothing is owed: a link was opened.
    pub fn clear(&mut self) {
        self.owed.clear();
        self.unread.clear();
    }

    /// How many answers are owed.
    pub fn len(&self) -> usize {
        self.owed.len()
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// Bytes have come, in whatever pieces.
    pub fn received(&mut self, bytes: &[u8]) {
        if self.unread.is_empty() {
            let taken = self.take(bytes);
            self.unread.extend_from_slice(&bytes[taken..]);
        } else {
            let mut unread = std::mem::take(&mut self.unread);
            unread.extend_from_slice(bytes);
            let taken = self.take(&unread);
            unread.drain(..taken);
            self.unread = unread;
        }
    }

    /// Reads whole packets; returns how many bytes they are.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Ok(Split::Complete { frame, rest: after }) = codec::split(
            rest,
            Version::V5_0,
            Direction::ToClient,
            MAXIMUM_PACKET_SIZE,
        ) {
            self.owed.extend(duty(frame));
            rest = after;
        }
        bytes.len() - rest.len()
    }

    /// The bytes of an answer, or of several; none where nothing is owed. What was answered is no longer owed.
    pub fn answer(&mut self, which: Which, how: How, version: Version) -> Vec<u8> {
        let mut bytes = Vec::new();
        let answered = match (which, self.owed.len()) {
            (_, 0) => 0..0,
            (Which::Oldest, _) => 0..1,
            (Which::Newest, count) => count - 1..count,
            (Which::All, count) => 0..count,
        };
        for duty in self.owed.drain(answered) {
            duty.write(how, version, &mut bytes);
        }
        bytes
    }
}

/// What a packet from the target asks for.
fn duty(frame: codec::Frame<'_>) -> Option<Duty> {
    let body = frame.body();
    let number = |at: usize| {
        let bytes = body.get(at..at + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let owes = |answer, at| {
        let packet_id = number(at)?;
        Some(Duty { answer, packet_id })
    };
    match frame.packet_type()? {
        PacketType::Publish => {
            let behind_topic = 2 + usize::from(number(0)?);
            match frame.flags() >> 1 & 0b11 {
                1 => owes(Answer::Puback, behind_topic),
                2 => owes(Answer::Pubrec, behind_topic),
                _ => None,
            }
        }
        // A PUBREC that tells of an error ends the exchange.
        PacketType::Pubrec if body.get(2).is_none_or(|code| *code < 0x80) => {
            owes(Answer::Pubrel, 0)
        }
        PacketType::Pubrel => owes(Answer::Pubcomp, 0),
        PacketType::Auth if body.first() == Some(&0x18) => Some(Duty {
            answer: Answer::Auth(body.to_vec()),
            packet_id: 0,
        }),
        _ => None,
    }
}

impl Duty {
    fn write(&self, how: How, version: Version, out: &mut Vec<u8>) {
        if let Answer::Auth(challenge) = &self.answer {
            // The whole body goes back: Continue authentication, the method and the data.
            if let Ok(length @ ..=127) = u8::try_from(challenge.len()) {
                out.extend_from_slice(&[0xF0, length]);
                out.extend_from_slice(challenge);
            }
            return;
        }
        let mut packet_type = self.answer.packet_type();
        let mut packet_id = self.packet_id;
        match how {
            How::WrongId => packet_id = packet_id.wrapping_add(100).max(1),
            How::WrongType => {
                packet_type = match packet_type {
                    PacketType::Puback => PacketType::Pubrec,
                    PacketType::Pubrel => PacketType::Pubcomp,
                    _ => PacketType::Puback,
                }
            }
            _ => {}
        }
        let error = match packet_type {
            PacketType::Puback | PacketType::Pubrec => 0x80,
            _ => 0x92,
        };
        let first = packet_type.value() << 4 | packet_type.reserved_flags().unwrap_or(0);
        let [high, low] = packet_id.to_be_bytes();
        let times = if how == How::Twice { 2 } else { 1 };
        for _ in 0..times {
            if how == How::WithError && version.has_properties() {
                out.extend_from_slice(&[first, 3, high, low, error]);
            } else {
                out.extend_from_slice(&[first, 2, high, low]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QoS 1 PUBLISH with id 7, a QoS 2 PUBLISH with id 8, a PUBREL with id 9.
    const RECEIVED: &[u8] = b"\x32\x05\x00\x01t\x00\x07\x34\x05\x00\x01t\x00\x08\x62\x02\x00\x09";

    #[test]
    fn each_packet_is_answered_in_its_kind() {
        for size in 1..=RECEIVED.len() {
            let mut duties = Duties::default();
            RECEIVED
                .chunks(size)
                .for_each(|piece| duties.received(piece));
            let answers = duties.answer(Which::All, How::Rightly, Version::V3_1_1);
            assert_eq!(answers, b"\x40\x02\x00\x07\x50\x02\x00\x08\x70\x02\x00\x09");
            assert!(duties.is_empty());
        }
    }

    #[test]
    fn the_newest_is_answered_with_an_error_where_there_are_errors() {
        let mut duties = Duties::default();
        duties.received(&RECEIVED[..14]);
        let answer = duties.answer(Which::Newest, How::WithError, Version::V5_0);
        assert_eq!(answer, b"\x50\x03\x00\x08\x80");
        let answer = duties.answer(Which::Newest, How::WithError, Version::V3_1_1);
        assert_eq!(answer, b"\x40\x02\x00\x07");
        assert_eq!(duties.answer(Which::All, How::Rightly, Version::V5_0), b"");
    }
}
