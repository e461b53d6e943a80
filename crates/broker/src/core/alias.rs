//! Topic Aliases, both ways (5.0 sections 3.3.2.3.4 and 3.3.4).

use std::borrow::Cow;
use std::collections::BTreeMap;

use codec::{Publish, ReasonCode};

use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

/// The Topic Aliases that the broker has given on one connection. An alias is kept for the topic that came
/// first, which saves most where few topics repeat.
#[derive(Debug, Default)]
pub(crate) struct OutgoingAliases {
    maximum: u16,
    given: BTreeMap<Box<[u8]>, u16>,
}

/// How a delivery names its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By its Topic Name.
    Name,
    /// By its Topic Name, which the alias stands for from now on.
    NameAndAlias(u16),
    /// By an alias that the client knows.
    Alias(u16),
}

impl OutgoingAliases {
    pub(crate) fn up_to(maximum: u16) -> Self {
        Self {
            maximum,
            given: BTreeMap::new(),
        }
    }

    /// How a topic is to be named. Nothing changes yet: the packet may prove too large to be sent.
    pub(crate) fn name(&self, topic: &[u8]) -> Naming {
        if let Some(&alias) = self.given.get(topic) {
            return Naming::Alias(alias);
        }
        match u16::try_from(self.given.len() + 1) {
            Ok(next) if next <= self.maximum => Naming::NameAndAlias(next),
            _ => Naming::Name,
        }
    }

    /// The client was sent the topic with this alias.
    pub(crate) fn give(&mut self, topic: &[u8], alias: u16) {
        self.given.insert(topic.into(), alias);
    }
}

impl Core {
    /// The aliases to be used towards a client that has announced this Topic Alias Maximum.
    pub(super) fn outgoing_aliases(&self, rules: &Rules, announced: u16) -> OutgoingAliases {
        let used = self.config.limits.topic_aliases_used;
        let within = if announced == 0 {
            rules.must(rule!("v5.0/MQTT-3.1.2-27"), 0, used)
        } else {
            rules.must(
                rule!("v5.0/MQTT-3.1.2-26", "v5.0/MQTT-3.3.2-11"),
                used.min(announced),
                announced.saturating_add(1),
            )
        };
        OutgoingAliases::up_to(if rules.is_v5() { within } else { 0 })
    }

    /// The Topic Name of a client's PUBLISH, its Topic Alias resolved.
    pub(super) fn topic_of<'p>(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        publish: &Publish<'p>,
    ) -> Result<Cow<'p, [u8]>, Refusal> {
        let topic = publish.topic.as_bytes();
        let Some(alias) = publish.properties.topic_alias() else {
            return Ok(Cow::Borrowed(topic));
        };
        let maximum = self.config.limits.topic_alias_maximum;
        if maximum == 0 {
            rules.refuse_if(
                true,
                rule!("v5.0/MQTT-3.2.2-18", "v5.0/U50-3.3.4-2"),
                ReasonCode::TOPIC_ALIAS_INVALID,
            )?;
        } else {
            rules.refuse_if(
                alias > maximum,
                rule!(
                    "v5.0/MQTT-3.2.2-17",
                    "v5.0/MQTT-3.3.2-9",
                    "v5.0/U50-3.3.4-2"
                ),
                ReasonCode::TOPIC_ALIAS_INVALID,
            )?;
        }
        // Every alias up to the announced maximum is accepted.
        let accepted = rules.must(rule!("v5.0/MQTT-3.3.2-12"), true, false);
        if !accepted {
            let clause = clauses::clause!("v5.0/U50-3.3.4-2");
            return Err(Refusal::new(clause, ReasonCode::TOPIC_ALIAS_INVALID));
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(Cow::Borrowed(topic));
        };
        if !topic.is_empty() {
            // A known alias stands for the new topic from now on.
            let replaces = rules.keeps(rule!("v5.0/U50-3.3.4-3"));
            if replaces || !connection.incoming_aliases.contains_key(&alias) {
                connection.incoming_aliases.insert(alias, topic.into());
            }
            return Ok(Cow::Borrowed(topic));
        }
        if let Some(known) = connection.incoming_aliases.get(&alias) {
            return Ok(Cow::Owned(known.to_vec()));
        }
        rules.refuse_if(true, rule!("v5.0/U50-3.3.4-4"), ReasonCode::PROTOCOL_ERROR)?;
        Ok(Cow::Borrowed(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_given_to_the_first_topics() {
        let mut aliases = OutgoingAliases::up_to(2);
        assert_eq!(aliases.name(b"a"), Naming::NameAndAlias(1));
        assert_eq!(aliases.name(b"a"), Naming::NameAndAlias(1));
        aliases.give(b"a", 1);
        assert_eq!(aliases.name(b"a"), Naming::Alias(1));
        aliases.give(b"b", 2);
        assert_eq!(aliases.name(b"c"), Naming::Name);
        assert_eq!(aliases.name(b"b"), Naming::Alias(2));
        assert_eq!(OutgoingAliases::default().name(b"a"), Naming::Name);
    }
}
