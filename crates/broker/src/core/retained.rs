//! The retained messages: at most one per topic (section 3.3.1.3).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::message::Message;
use super::tree::{Content, NodeIndex, Tree};
use crate::config::Limits;

/// The retained messages by topic.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    tree: Tree<Option<Arc<Message>>>,
    /// The topics of messages that expire, soonest first.
    expiring: BTreeSet<(Duration, Box<[u8]>)>,
    count: usize,
    bytes: usize,
}

impl Content for Option<Arc<Message>> {
    fn is_vacant(&self) -> bool {
        self.is_none()
    }
}

impl Retained {
    /// Keeps the message as the retained message of its topic.
    pub(crate) fn replace(&mut self, message: Arc<Message>) {
        self.remove(&message.topic);
        self.bytes += message.size();
        self.count += 1;
        if let Some(at) = message.expires() {
            self.expiring.insert((at, message.topic.clone()));
        }
        let at = self.tree.make(&message.topic);
        *self.tree.at_mut(at) = Some(message);
    }

    /// Whether the limits leave room for a message in place of the one of its topic.
    pub(crate) fn has_room(&self, topic: &[u8], size: usize, limits: &Limits) -> bool {
        let earlier = self.get(topic);
        let count = self.count - usize::from(earlier.is_some());
        let bytes = self.bytes - earlier.map_or(0, |earlier| earlier.size());
        count < limits.retained_messages && bytes + size <= limits.retained_bytes
    }

    /// Removes a message that has expired; gives its topic.
    pub(crate) fn take_expired(&mut self, now: Duration) -> Option<Box<[u8]>> {
        let (at, topic) = self.expiring.first()?;
        if *at > now {
            return None;
        }
        let topic = topic.clone();
        self.remove(&topic);
        Some(topic)
    }

    /// Removes the retained message of a topic; tells whether there was one.
    pub(crate) fn remove(&mut self, topic: &[u8]) -> bool {
        let Some(at) = self.tree.find(topic) else {
            return false;
        };
        self.remove_at(at)
    }

    /// The retained messages whose topic matches the filter, sorted by topic, level by level.
    pub(crate) fn matching(&self, filter: &[u8]) -> impl Iterator<Item = &Arc<Message>> {
        let places = self.tree.topics_matching(filter).into_iter();
        places.filter_map(|at| self.tree.at(at).as_ref())
    }

    /// Every retained message, sorted by topic, level by level.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Message>> {
        let places = self.tree.all().into_iter();
        places.filter_map(|at| self.tree.at(at).as_ref())
    }

    /// How many there are, counted one by one.
    pub(crate) fn len(&self) -> usize {
        self.tree.contents().filter(|there| there.is_some()).count()
    }

    /// Removes what this client has published.
    pub(crate) fn remove_those_of(&mut self, client_id: &[u8]) {
        for at in self.tree.all() {
            let message = self.tree.at(at).as_ref();
            if message.is_some_and(|message| message.publisher.as_deref() == Some(client_id)) {
                self.remove_at(at);
            }
        }
    }

    fn get(&self, topic: &[u8]) -> Option<&Arc<Message>> {
        self.tree.at(self.tree.find(topic)?).as_ref()
    }

    fn remove_at(&mut self, at: NodeIndex) -> bool {
        let Some(message) = self.tree.at_mut(at).take() else {
            return false;
        };
        self.bytes -= message.size();
        self.count -= 1;
        if let Some(expires) = message.expires() {
            self.expiring.remove(&(expires, message.topic.clone()));
        }
        self.tree.prune(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use codec::QoS;
    use proptest::prelude::*;

    use super::*;
    use crate::core::topic;

    fn message(topic: &str, expiry_interval: Option<u32>) -> Arc<Message> {
        Arc::new(Message {
            topic: topic.as_bytes().into(),
            payload: b"payload".as_slice().into(),
            qos: QoS::AT_MOST_ONCE,
            retain: true,
            properties: Box::default(),
            expiry_interval,
            received: Duration::ZERO,
            publisher: None,
        })
    }

    fn topics(retained: &Retained, filter: &str) -> Vec<String> {
        retained
            .matching(filter.as_bytes())
            .map(|message| String::from_utf8_lossy(&message.topic).into_owned())
            .collect()
    }

    #[test]
    fn a_filter_finds_its_topics() {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab", "/a", "b/b"] {
            retained.replace(message(topic, None));
        }
        assert_eq!(topics(&retained, "a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(topics(&retained, "+/b"), ["a/b", "b/b"]);
        assert_eq!(topics(&retained, "a/b"), ["a/b"]);
        assert_eq!(topics(&retained, "/+"), ["/a"]);
        assert_eq!(topics(&retained, "#").len(), 6);
        assert!(retained.remove(b"a/b"));
        assert!(!retained.remove(b"a/b"));
        assert_eq!(topics(&retained, "a/+"), [""; 0]);
    }

    #[test]
    fn there_is_room_for_what_replaces_or_follows_an_expired_one() {
        let limits = Limits {
            retained_messages: 2,
            retained_bytes: 20,
            ..Limits::default()
        };
        let mut retained = Retained::default();
        retained.replace(message("a", Some(5)));
        retained.replace(message("b", None));
        assert!(!retained.has_room(b"c", 8, &limits));
        assert!(retained.has_room(b"b", 12, &limits));
        assert!(!retained.has_room(b"b", 13, &limits));
        assert_eq!(retained.take_expired(Duration::from_secs(4)), None);
        let expired = retained.take_expired(Duration::from_secs(5));
        assert_eq!(expired.as_deref(), Some(&b"a"[..]));
        assert_eq!(retained.take_expired(Duration::MAX), None);
        assert!(retained.has_room(b"c", 12, &limits));
        assert_eq!(topics(&retained, "#"), ["b"]);
    }

    proptest! {
        /// The tree finds what a look at every topic finds, and holds nothing once all are removed.
        #[test]
        fn the_tree_agrees_with_matching_one_by_one(
            topics in prop::collection::btree_set("([ab]?/){0,3}[ab]?", 1..12),
            filters in prop::collection::vec("([ab+]?/){0,3}([ab+#]?)", 1..8),
        ) {
            let mut retained = Retained::default();
            for topic in &topics {
                retained.replace(message(topic, None));
            }
            for filter in filters.iter().filter(|filter| topic::is_filter(filter.as_bytes())) {
                let matches = |topic: &&String| topic::matches(filter.as_bytes(), topic.as_bytes());
                let expected: BTreeSet<_> = topics.iter().filter(matches).cloned().collect();
                let found = self::topics(&retained, filter);
                prop_assert_eq!(found.len(), expected.len(), "{}", filter);
                prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected, "{}", filter);
            }
            for topic in &topics {
                prop_assert!(retained.remove(topic.as_bytes()));
            }
            prop_assert_eq!(retained.tree.len(), 1);
            prop_assert_eq!((retained.count, retained.bytes), (0, 0));
        }
    }
}
