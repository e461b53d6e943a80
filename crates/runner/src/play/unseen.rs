//! What a scenario must not see: the barrier's own packets, and messages of other cases.

use codec::draft::Draft;
use codec::{PacketType, Version};

use super::connection::{State, acknowledgement};
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
        // Who has said DISCONNECT says nothing more; the target repeats in the next connection what is left open.
        let leaving = self.leaving;
        let reply = |packet_type| {
            Sight::Unseen((!leaving).then(|| acknowledgement(packet_type, version, id)))
        };
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
            PacketType::Pubrel if self.protocol.session.borrow().unseen.contains(&id) => {
                if !leaving {
                    self.protocol.session.borrow_mut().unseen.remove(&id);
                }
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
            // Where the client has subscribed to everything, those for other clients come as well. In a trace that was
            // pasted back, sentinels are steps.
            Whose::Mine if self.protocol.is_watched(topic) => {
                self.sentinels.push(bytes(packet, "payload").to_vec());
                true
            }
            Whose::AnotherCase => true,
            Whose::Mine => false,
            Whose::Nobody => self.asks_for_anything(topic, namespace),
        }
    }

    /// Whether a filter without the token of the case, such as `#`, brings a message of nobody's: a target may hold
    /// messages of its own. Those that the case itself has published there it does want to see.
    fn asks_for_anything(&self, topic: &[u8], namespace: &Namespace) -> bool {
        if self.protocol.has_published(topic) {
            return false;
        }
        let session = self.protocol.session.borrow();
        session
            .filters
            .iter()
            .filter(|filter| namespace.whose(filter) == Whose::Nobody)
            .any(|filter| matches(filter, topic))
    }
}

/// Whether a Topic Filter, shared or not, matches a topic (5.0 section 4.7).
fn matches(filter: &[u8], topic: &[u8]) -> bool {
    let filter = match filter.strip_prefix(b"$share/") {
        Some(shared) => match shared.iter().position(|byte| *byte == b'/') {
            Some(slash) => &shared[slash + 1..],
            None => return false,
        },
        None => filter,
    };
    if topic.starts_with(b"$") && matches!(filter.first(), Some(b'#' | b'+')) {
        return false;
    }
    let mut levels = topic.split(|byte| *byte == b'/');
    for wanted in filter.split(|byte| *byte == b'/') {
        if wanted == b"#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == b"+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_matches_as_the_specification_says() {
        for (filter, topic, expected) in [
            ("#", "a", true),
            ("#", "a/b", true),
            ("#", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("+", "a", true),
            ("+", "a/b", false),
            ("+/+", "a/b", true),
            ("/+", "/a", true),
            ("+/#", "a", true),
            ("a/#", "a", true),
            ("a/#", "b", false),
            ("$share/g/#", "a/b", true),
            ("$share/g/a", "b", false),
            ("a", "a/b", false),
        ] {
            let matched = matches(filter.as_bytes(), topic.as_bytes());
            assert_eq!(matched, expected, "{filter} and {topic}");
        }
    }
}
