//! [`Novelty`]: which kinds of answer the target has given so far.
//!
//! A foreign broker shows no coverage. What it shows is how it answers: an [`Answer`] that was not seen before means that
//! a packet reached code that none had reached.

use std::collections::HashSet;
use std::fmt;

use clauses::ClauseId;
use codec::{Frame, Packet, PacketType, ReasonCode, Version};

use crate::observe::End;

/// How many kinds of answer are told apart at most; what the standard allows and forbids makes some thousands.
const MOST: usize = 1 << 16;

/// One answer, as coarse as novelty looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Answer {
    /// The version of the connection; none before a CONNECT that is one.
    pub(super) version: Option<Version>,
    /// What the client had sent last.
    pub(super) sent: Sent,
    /// What came.
    pub(super) reply: Reply,
    /// Where the client stood when it came.
    pub(super) state: State,
}

/// The class of a packet that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Sent {
    /// Its packet type, 0 to 15; 0 also where nothing was sent yet.
    pub(super) packet_type: u8,
    /// Its QoS, where it is a PUBLISH.
    pub(super) qos: u8,
    /// The clause that it violates, as strict decoding says; none where it is sound.
    pub(super) violation: Option<ClauseId>,
}

/// The class of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reply {
    /// A packet: its first byte, and its first Reason Code.
    Packet(u8, u8),
    /// Bytes that strict decoding refuses, of this packet type.
    Refused(u8),
    /// The end of the connection.
    Ended(End),
    /// Nothing, where an answer was due.
    Silence,
}

/// Where a client stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum State {
    /// The connection is open and CONNECT has not been answered.
    #[default]
    Opened,
    /// CONNACK let it in, to a new session.
    Connected,
    /// CONNACK let it in, to a session that was there.
    Resumed,
    /// DISCONNECT has been sent.
    Leaving,
}

/// The answers seen so far.
#[derive(Debug, Default)]
pub(super) struct Novelty {
    seen: HashSet<Answer>,
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PacketType::from_value(self.packet_type) {
            Some(PacketType::Publish) => write!(f, "PUBLISH with QoS {}", self.qos)?,
            Some(packet_type) => f.write_str(packet_type.name())?,
            None => f.write_str("what is no packet")?,
        }
        match self.violation {
            Some(clause) => write!(f, " that breaks {clause}"),
            None => Ok(()),
        }
    }
}

impl Reply {
    /// The class of a packet.
    pub(super) fn of(frame: Frame<'_>, packet: &Packet<'_>) -> Self {
        let first = |codes: codec::ReasonCodes<'_>| codes.iter().next();
        let (flags, code) = match packet {
            // Session Present tells as much as a flag.
            Packet::Connack(packet) => (u8::from(packet.session_present), Some(packet.reason_code)),
            Packet::Puback(packet) => (0, Some(packet.reason_code)),
            Packet::Pubrec(packet) => (0, Some(packet.reason_code)),
            Packet::Pubrel(packet) => (0, Some(packet.reason_code)),
            Packet::Pubcomp(packet) => (0, Some(packet.reason_code)),
            Packet::Disconnect(packet) => (0, Some(packet.reason_code)),
            Packet::Auth(packet) => (0, Some(packet.reason_code)),
            Packet::Suback(packet) => (0, first(packet.codes)),
            Packet::Unsuback(packet) => (0, first(packet.codes)),
            _ => (0, None),
        };
        let code = code.unwrap_or(ReasonCode::SUCCESS);
        Self::Packet(frame.first_byte() | flags, code.0)
    }
}

impl Novelty {
    /// Takes answers in and says how many of them are of a kind that was not seen before.
    pub(super) fn take(&mut self, answers: impl IntoIterator<Item = Answer>) -> usize {
        let mut news = 0;
        for answer in answers {
            if self.seen.len() < MOST && self.seen.insert(answer) {
                news += 1;
            }
        }
        news
    }

    /// How many kinds were seen.
    pub(super) fn kinds(&self) -> usize {
        self.seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_answer_is_news_once() {
        let answer = |reply| Answer {
            version: Some(Version::V5_0),
            sent: Sent {
                packet_type: 3,
                qos: 1,
                violation: None,
            },
            reply,
            state: State::Connected,
        };
        let mut novelty = Novelty::default();
        let puback = answer(Reply::Packet(0x40, 0));
        assert_eq!(
            novelty.take([puback, puback, answer(Reply::Ended(End::ByTarget))]),
            2
        );
        assert_eq!(novelty.take([puback, answer(Reply::Packet(0x40, 0x10))]), 1);
        assert_eq!(novelty.kinds(), 3);
    }
}
