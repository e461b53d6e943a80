//! Faults around a sound core: what goes in is changed, or what comes out, or something is kept.

use std::time::Duration;

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, PacketType, Split, Version};

use crate::embedded::{Held, Machine};

/// A fault that is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A panic on UNSUBSCRIBE with three Topic Filters.
    PanicOnUnsubscribe,
    /// A panic on a retained QoS 2 message without payload.
    PanicOnEmptyRetained,
    /// A panic on a second SUBSCRIBE with the Packet Identifier of the first.
    PanicOnSamePacketId,
    /// Every malformed packet leaves its bytes behind.
    LeakPerMalformed,
    /// Every fourth connection of a client leaves something behind.
    LeakPerConnection,
    /// `+` at the end of a Topic Filter is taken for `#`.
    PlusMatchesAll,
    /// QoS 2 messages from a client that was away are no longer known.
    LostIncoming,
    /// DISCONNECT is taken for a lost connection: the Will is published.
    WillAfterDisconnect,
    /// The third message of one write is lost.
    LosesThird,
    /// Two messages in one write change places.
    SwapsMessages,
    /// A QoS 2 message is sent twice on a connection, with two Packet Identifiers.
    DoublesQos2,
    /// RETAIN is lost on QoS 1 messages.
    LosesRetain,
    /// Packet Identifiers of PUBACK above 3 are one too high.
    WrongPuback,
    /// A packet of more than 127 bytes has a wrong Remaining Length.
    WrongLength,
    /// PINGREQ behind a QoS 2 message is answered twice.
    DoublePingresp,
    /// A client whose place another takes stays connected.
    KeepsTakenOver,
    /// PUBREC for the third QoS 2 message is never sent.
    LosesPubrec,
    /// DUP is set on all that follows a resumed Session.
    AlwaysDup,
    /// Subscriptions made in a SUBSCRIBE of two Topic Filters are granted at QoS 0 and told otherwise.
    GrantsLess,
    /// A Maximum Packet Size of the client is forgotten.
    ForgetsMaximum,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::PanicOnUnsubscribe,
        Self::PanicOnEmptyRetained,
        Self::PanicOnSamePacketId,
        Self::LeakPerMalformed,
        Self::LeakPerConnection,
        Self::PlusMatchesAll,
        Self::LostIncoming,
        Self::WillAfterDisconnect,
        Self::LosesThird,
        Self::SwapsMessages,
        Self::DoublesQos2,
        Self::LosesRetain,
        Self::WrongPuback,
        Self::WrongLength,
        Self::DoublePingresp,
        Self::KeepsTakenOver,
        Self::LosesPubrec,
        Self::AlwaysDup,
        Self::GrantsLess,
        Self::ForgetsMaximum,
    ];

    /// What is wrong, in a few words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::PanicOnUnsubscribe => "panics on UNSUBSCRIBE with three Topic Filters",
            Self::PanicOnEmptyRetained => "panics on an empty retained message of QoS 2",
            Self::PanicOnSamePacketId => "panics on a SUBSCRIBE with an earlier Packet Identifier",
            Self::LeakPerMalformed => "leaks each malformed packet",
            Self::LeakPerConnection => "leaks with every fourth connection",
            Self::PlusMatchesAll => "takes a `+` at the end for `#`",
            Self::LostIncoming => "loses the QoS 2 state of a client that was away",
            Self::WillAfterDisconnect => "publishes the Will after DISCONNECT",
            Self::LosesThird => "loses the third message of one write",
            Self::SwapsMessages => "swaps two messages of one write",
            Self::DoublesQos2 => "sends a QoS 2 message twice",
            Self::LosesRetain => "loses RETAIN at QoS 1",
            Self::WrongPuback => "acknowledges Packet Identifiers above 3 wrongly",
            Self::WrongLength => "writes a wrong Remaining Length above 127",
            Self::DoublePingresp => "answers PINGREQ twice after a QoS 2 message",
            Self::KeepsTakenOver => "keeps a client that was taken over",
            Self::LosesPubrec => "loses the third PUBREC",
            Self::AlwaysDup => "sets DUP on the first sending after a resumed Session",
            Self::GrantsLess => "delivers at QoS 0 what it granted at more",
            Self::ForgetsMaximum => "forgets the Maximum Packet Size of the client",
        }
    }
}

/// A core with a fault.
#[derive(Debug)]
pub struct Planted {
    core: Core,
    plant: Plant,
    /// What the fault counts, or keeps.
    count: usize,
    kept: Vec<u8>,
    seen: Vec<(ConnectionId, u16)>,
}

impl Planted {
    /// A fresh core with the fault.
    pub fn new(plant: Plant) -> Self {
        Self {
            core: Core::new(Config::default()),
            plant,
            count: 0,
            kept: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// What the core gets instead of a packet.
    fn taken(&mut self, connection: ConnectionId, frame: Frame<'_>) -> Vec<u8> {
        let mut bytes = frame.as_bytes().to_vec();
        let body = frame.header_length();
        let packet_type = frame.packet_type();
        match (self.plant, packet_type) {
            (Plant::PanicOnUnsubscribe, Some(PacketType::Unsubscribe)) => {
                for version in [Version::V3_1_1, Version::V5_0] {
                    if let Ok(codec::Packet::Unsubscribe(unsubscribe)) =
                        codec::decode(frame, version, Direction::ToServer)
                    {
                        assert!(unsubscribe.filters.iter().count() != 3, "planted");
                    }
                }
            }
            (Plant::PanicOnEmptyRetained, Some(PacketType::Publish)) => {
                let packet = codec::decode(frame, Version::V5_0, Direction::ToServer);
                if let Ok(codec::Packet::Publish(publish)) = packet {
                    let rare =
                        publish.retain && publish.payload.is_empty() && publish.qos.value() == 2;
                    assert!(!rare, "planted");
                }
            }
            (Plant::PanicOnSamePacketId, Some(PacketType::Subscribe)) if bytes.len() > body + 2 => {
                let entry = (
                    connection,
                    u16::from_be_bytes([bytes[body], bytes[body + 1]]),
                );
                assert!(!self.seen.contains(&entry), "planted");
                self.seen.push(entry);
            }
            (Plant::PlusMatchesAll, Some(PacketType::Subscribe)) => {
                for at in 1..bytes.len().saturating_sub(1) {
                    if bytes[at - 1..=at] == *b"/+" && bytes[at + 1] != b'/' {
                        bytes[at] = b'#';
                    }
                }
            }
            (Plant::GrantsLess, Some(PacketType::Subscribe)) => {
                let packet = codec::decode(frame, Version::V3_1_1, Direction::ToServer);
                if let Ok(codec::Packet::Subscribe(subscribe)) = packet
                    && subscribe.filters.iter().count() > 1
                    && let Some(last) = bytes.last_mut()
                {
                    self.count = usize::from(*last);
                    *last = 0;
                }
            }
            (Plant::LostIncoming, Some(PacketType::Publish | PacketType::Pubrel))
                if connection.0 >= 4 =>
            {
                let at = if packet_type == Some(PacketType::Pubrel) {
                    Some(body)
                } else if frame.flags() & 0b110 == 0b100 && bytes.len() > body + 2 {
                    let topic = u16::from_be_bytes([bytes[body], bytes[body + 1]]);
                    Some(body + 2 + usize::from(topic))
                } else {
                    None
                };
                if let Some(high) = at.and_then(|at| bytes.get_mut(at)) {
                    *high |= 0x40;
                }
            }
            (Plant::WillAfterDisconnect, Some(PacketType::Disconnect)) => bytes.clear(),
            (Plant::ForgetsMaximum, Some(PacketType::Connect)) => {
                for at in 0..bytes.len().saturating_sub(4) {
                    if bytes[at..at + 4] == [0x27, 0, 0, 0] {
                        bytes[at + 1] = 1;
                    }
                }
            }
            _ => {}
        }
        bytes
    }

    /// What goes out instead of a packet.
    fn sent(&mut self, connection: ConnectionId, frame: Frame<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(frame.as_bytes());
        let body = start + frame.header_length();
        let packet_type = frame.packet_type();
        let qos = frame.flags() >> 1 & 0b11;
        match (self.plant, packet_type) {
            (Plant::DoublesQos2, Some(PacketType::Publish)) if qos == 2 => {
                let again = out[start..].to_vec();
                out.extend_from_slice(&again);
                let topic = start + again.len() + frame.header_length();
                if let Some(&[high, low]) = out.get(topic..topic + 2) {
                    let id = topic + 2 + usize::from(u16::from_be_bytes([high, low]));
                    if let Some(high) = out.get_mut(id) {
                        *high ^= 0x20;
                    }
                }
            }
            (Plant::LosesRetain, Some(PacketType::Publish)) if qos == 1 => out[start] &= !1,
            (Plant::WrongPuback, Some(PacketType::Puback)) if out.get(body + 1) > Some(&3) => {
                out[body + 1] += 1;
            }
            (Plant::WrongLength, Some(PacketType::Publish)) if frame.header_length() == 3 => {
                out[start + 1] ^= 1;
            }
            (Plant::DoublePingresp, Some(PacketType::Pubrec)) => self.count = 1,
            (Plant::DoublePingresp, Some(PacketType::Pingresp)) if self.count == 1 => {
                out.extend_from_slice(frame.as_bytes());
            }
            (Plant::LosesPubrec, Some(PacketType::Pubrec)) => {
                self.count += 1;
                if self.count == 3 {
                    out.truncate(start);
                }
            }
            (Plant::AlwaysDup, Some(PacketType::Publish)) if qos > 0 && connection.0 >= 4 => {
                out[start] |= 0b1000;
            }
            (Plant::GrantsLess, Some(PacketType::Suback)) => {
                if let Some(last) = out.last_mut()
                    && self.count > 0
                    && *last == 0
                {
                    *last = u8::try_from(self.count).unwrap_or(0).min(2);
                }
                self.count = 0;
            }
            (Plant::LostIncoming, Some(PacketType::Pubrec | PacketType::Pubcomp)) => {
                if let Some(high) = out.get_mut(body) {
                    *high &= !0x40;
                }
            }
            _ => {}
        }
    }

    fn spoil(&mut self, actions: &mut Vec<Action>) {
        for action in actions.iter_mut() {
            let Action::Send { connection, bytes } = action else {
                continue;
            };
            let mut frames = Vec::new();
            let mut rest = bytes.as_slice();
            while let Ok(Split::Complete { frame, rest: after }) = codec::split(
                rest,
                Version::V5_0,
                Direction::ToClient,
                MAXIMUM_PACKET_SIZE,
            ) {
                frames.push(frame);
                rest = after;
            }
            let is_publish = |frame: &Frame<'_>| frame.packet_type() == Some(PacketType::Publish);
            match self.plant {
                Plant::SwapsMessages => {
                    if let Some(at) = frames
                        .windows(2)
                        .position(|pair| pair.iter().all(is_publish))
                    {
                        frames.swap(at, at + 1);
                    }
                }
                Plant::LosesThird => {
                    let third = frames
                        .iter()
                        .enumerate()
                        .filter(|(_, frame)| is_publish(frame))
                        .map(|(at, _)| at)
                        .nth(2);
                    if let Some(at) = third {
                        frames.remove(at);
                    }
                }
                _ => {}
            }
            let connection = *connection;
            let mut out = Vec::with_capacity(bytes.len());
            for frame in frames {
                self.sent(connection, frame, &mut out);
            }
            *bytes = out;
        }
        if self.plant == Plant::KeepsTakenOver {
            actions.retain(|action| match action {
                Action::Close { why: Some(why), .. } => {
                    !why.to_string().contains("in-use client id")
                }
                _ => true,
            });
        }
        if self.plant == Plant::LeakPerMalformed {
            let malformed = actions
                .iter()
                .any(|action| matches!(action, Action::Close { why: Some(why), .. } if why.to_string().contains("0x81")));
            if malformed {
                self.kept.push(0);
            }
        }
    }
}

impl Machine for Planted {
    fn handle(&mut self, event: Event<'_>, now: Duration, actions: &mut Vec<Action>) {
        match event {
            Event::Received { connection, bytes } => {
                // Packets that come in pieces pass as they are.
                let mut taken = Vec::with_capacity(bytes.len());
                let mut rest = bytes;
                while let Ok(Split::Complete { frame, rest: after }) = codec::split(
                    rest,
                    Version::V5_0,
                    Direction::ToServer,
                    MAXIMUM_PACKET_SIZE,
                ) {
                    taken.extend(self.taken(connection, frame));
                    rest = after;
                }
                taken.extend_from_slice(rest);
                let bytes = taken.as_slice();
                self.core
                    .handle(Event::Received { connection, bytes }, now, actions);
            }
            Event::Opened { connection } => {
                if self.plant == Plant::LeakPerConnection && connection.0 % 4 == 3 {
                    self.kept.push(0);
                }
                self.core.handle(event, now, actions);
            }
            _ => self.core.handle(event, now, actions),
        }
        self.spoil(actions);
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.core.next_deadline()
    }

    fn restart(&mut self, now: Duration) {
        Machine::restart(&mut self.core, now);
    }

    fn held(&self) -> Held {
        Held {
            extra: self.kept.len(),
            ..self.core.held()
        }
    }
}
