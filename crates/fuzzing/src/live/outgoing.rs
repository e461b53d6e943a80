//! [`Outgoing`]: what the target must make of the bytes that a client has sent.

use codec::{
    Direction, MAXIMUM_PACKET_SIZE, Packet, PacketType, QoS, Split, Version, Violation,
    announced_version,
};

use super::novelty::Sent;

/// The stream that a client sends, as packets.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// What is not yet a whole packet.
    pending: Vec<u8>,
    version: Option<Version>,
    lost: bool,
    sound: bool,
    /// Whole packets so far.
    packets: u64,
}

/// What bytes that were just sent ask of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A packet of this type, or the end of the connection.
    Reply(PacketType),
    /// Whatever the target makes of something wrong: most often the end of the connection.
    Verdict,
    /// Nothing.
    Nothing,
}

impl Outgoing {
    /// A connection on which nothing was sent.
    pub(super) fn new() -> Self {
        Self {
            sound: true,
            ..Self::default()
        }
    }

    /// The version that the first CONNECT announced.
    pub(super) fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whole packets sent so far.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Whether everything sent so far is whole packets without a violation.
    pub(super) fn is_sound(&self) -> bool {
        self.sound && self.pending.is_empty()
    }

    /// The class of the packet that has begun and is not whole.
    pub(super) fn begun(&self) -> Option<Sent> {
        self.pending.first().map(|first| class(*first, None))
    }

    /// Takes in what is sent; `see` is shown each packet that is whole by now, with its violation.
    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        mut see: impl FnMut(Sent, Result<&Packet<'_>, &Violation>),
    ) -> Due {
        if self.lost {
            return Due::Verdict;
        }
        self.pending.extend_from_slice(bytes);
        let mut due = Due::Nothing;
        let mut taken = 0;
        loop {
            let version = self.version.unwrap_or(Version::V5_0);
            let rest = self.pending.get(taken..).unwrap_or_default();
            match codec::split(rest, version, Direction::ToServer, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete { frame, .. }) => {
                    taken += frame.as_bytes().len();
                    self.packets += 1;
                    let version = *self
                        .version
                        .get_or_insert_with(|| announced_version(frame).unwrap_or(version));
                    let first_byte = frame.first_byte();
                    let packet = codec::decode(frame, version, Direction::ToServer);
                    let sent = class(first_byte, packet.as_ref().err());
                    self.sound &= packet.is_ok();
                    due = packet.as_ref().map_or(Due::Verdict, reply);
                    see(sent, packet.as_ref());
                }
                Ok(Split::Incomplete { .. }) => {
                    self.pending.drain(..taken);
                    return due;
                }
                Err(violation) => {
                    see(
                        class(rest.first().copied().unwrap_or_default(), Some(&violation)),
                        Err(&violation),
                    );
                    self.lost = true;
                    self.sound = false;
                    self.pending = Vec::new();
                    return Due::Verdict;
                }
            }
        }
    }
}

fn class(first_byte: u8, violation: Option<&Violation>) -> Sent {
    let packet_type = first_byte >> 4;
    Sent {
        packet_type,
        qos: if packet_type == 3 {
            first_byte >> 1 & 3
        } else {
            0
        },
        violation: violation.map(|violation| violation.clause),
    }
}

/// What a sound packet asks for.
fn reply(packet: &Packet<'_>) -> Due {
    Due::Reply(match packet {
        Packet::Connect(_) => PacketType::Connack,
        Packet::Publish(publish) if publish.qos == QoS::AT_LEAST_ONCE => PacketType::Puback,
        Packet::Publish(publish) if publish.qos == QoS::EXACTLY_ONCE => PacketType::Pubrec,
        Packet::Pubrel(_) => PacketType::Pubcomp,
        Packet::Subscribe(_) => PacketType::Suback,
        Packet::Unsubscribe(_) => PacketType::Unsuback,
        Packet::Pingreq(_) => PacketType::Pingresp,
        // Who sends these is told to leave, or has taken leave.
        Packet::Auth(_) | Packet::Disconnect(_) => return Due::Verdict,
        _ => return Due::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &[u8] = &[
        0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b'a',
    ];

    fn due(outgoing: &mut Outgoing, bytes: &[u8]) -> Due {
        outgoing.send(bytes, |_, _| ())
    }

    #[test]
    fn what_is_due_is_told_when_the_packet_is_whole() {
        let mut outgoing = Outgoing::new();
        assert_eq!(due(&mut outgoing, &CONNECT[..5]), Due::Nothing);
        assert!(!outgoing.is_sound(), "a part of a packet is none");
        assert_eq!(
            due(&mut outgoing, &CONNECT[5..]),
            Due::Reply(PacketType::Connack)
        );
        assert_eq!(outgoing.version(), Some(Version::V3_1_1));
        assert_eq!(
            due(&mut outgoing, &[0xC0, 0, 0xE0, 0]),
            Due::Verdict,
            "the last of them counts"
        );
        assert!(outgoing.is_sound());
        assert_eq!(outgoing.packets(), 3);
    }

    #[test]
    fn what_is_malformed_is_sound_no_more() {
        let mut outgoing = Outgoing::new();
        due(&mut outgoing, CONNECT);
        let mut violations = 0;
        let due = outgoing.send(&[0xC1, 0], |_, packet| {
            violations += usize::from(packet.is_err());
        });
        assert_eq!((due, violations), (Due::Verdict, 1));
        assert!(!outgoing.is_sound());
    }

    #[test]
    fn behind_a_length_that_is_none_there_are_no_packets() {
        let mut outgoing = Outgoing::new();
        assert_eq!(
            due(&mut outgoing, &[0x10, 0xFF, 0xFF, 0xFF, 0xFF]),
            Due::Verdict
        );
        assert_eq!(due(&mut outgoing, CONNECT), Due::Verdict);
        assert_eq!(outgoing.version(), None);
        assert!(!outgoing.is_sound());
    }
}
