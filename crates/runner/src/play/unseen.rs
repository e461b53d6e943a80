//! What a scenario must not see: the barrier's own packets, and messages of other cases.

use codec::draft::Draft;
use codec::{PacketType, Version};

use super::connection::{BARRIER, State, acknowledgement};
use super::value::{bytes, identifier, number};
use crate::{Namespace, Whose};

/// Whether a scenario may see a packet.
pub(super) enum Sight {
    /// It may.
    Seen,
    /// It may not, and this is the reply that the packet needs, if any.
    Unseen(Option<Draft>),
}

impl State {
    /// Takes what the scenario must not see out of its sight.
    pub(super) fn hide(
        &mut self,
        packet: &Draft,
        version: Version,
        namespace: &Namespace,
    ) -> Sight {
        let id = identifier(packet).unwrap_or(0);
        let reply = |packet_type| Sight::Unseen(Some(acknowledgement(packet_type, version, id)));
        match packet.packet_type() {
            PacketType::Publish if self.hides_message(packet, namespace) => {
                match number(packet, "qos").unwrap_or(0) {
                    0 => Sight::Unseen(None),
                    1 => reply(PacketType::Puback),
                    _ => {
                        self.protocol.session.borrow_mut().unseen.insert(id);
                        reply(PacketType::Pubrec)
                    }
                }
            }
            PacketType::Pubrel if self.protocol.session.borrow_mut().unseen.remove(&id) => {
                reply(PacketType::Pubcomp)
            }
            PacketType::Pubrec
                if self.unseen.contains(&id) && number(packet, "reason").unwrap_or(0) < 0x80 =>
            {
                reply(PacketType::Pubrel)
            }
            PacketType::Suback | PacketType::Puback | PacketType::Pubrec | PacketType::Pubcomp
                if self.unseen.remove(&id) =>
            {
                self.unseen_answers.push(packet.clone());
                Sight::Unseen(None)
            }
            _ => Sight::Seen,
        }
    }

    /// Whether a message is a sentinel, which is remembered, or another case's.
    fn hides_message(&mut self, packet: &Draft, namespace: &Namespace) -> bool {
        let topic = bytes(packet, "topic");
        match namespace.whose(topic) {
            Whose::Mine if topic.starts_with(BARRIER) => {
                self.sentinels.push(bytes(packet, "payload").to_vec());
                true
            }
            Whose::AnotherCase => true,
            Whose::Mine | Whose::Nobody => false,
        }
    }
}
