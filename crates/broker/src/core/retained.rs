//! The retained messages: at most one per topic (section 3.3.1.3).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::message::Message;
use super::topic;

/// The retained messages by topic.
#[derive(Debug, Default)]
pub(crate) struct Retained {
    messages: BTreeMap<Box<[u8]>, Arc<Message>>,
    bytes: usize,
}

impl Retained {
    /// Keeps the message as the retained message of its topic. Where the limits leave no room for a further
    /// one, those that have expired make way; tells whether it is kept.
    pub(crate) fn replace(
        &mut self,
        message: Arc<Message>,
        maximum_messages: usize,
        maximum_bytes: usize,
        now: Duration,
    ) -> bool {
        self.remove(&message.topic);
        let full = |retained: &Self| {
            retained.messages.len() >= maximum_messages
                || retained.bytes + message.size() > maximum_bytes
        };
        if full(self) {
            self.drop_expired(now);
        }
        if full(self) {
            return false;
        }
        self.bytes += message.size();
        self.messages.insert(message.topic.clone(), message);
        true
    }

    /// Removes the retained message of a topic; tells whether there was one.
    pub(crate) fn remove(&mut self, topic: &[u8]) -> bool {
        match self.messages.remove(topic) {
            Some(message) => {
                self.bytes -= message.size();
                true
            }
            None => false,
        }
    }

    /// The retained messages whose topic matches the filter, in the order of their topics.
    pub(crate) fn matching<'a>(
        &'a self,
        filter: &'a [u8],
    ) -> Box<dyn Iterator<Item = &'a Arc<Message>> + 'a> {
        if !topic::has_wildcard(filter) {
            return Box::new(self.messages.get(filter).into_iter());
        }
        let prefix = literal_prefix(filter);
        let range = self
            .messages
            .range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        Box::new(
            range
                .take_while(move |(topic, _)| topic.starts_with(prefix))
                .filter(move |(topic, _)| topic::matches(filter, topic))
                .map(|(_, message)| message),
        )
    }

    /// Every retained message, in the order of their topics.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.messages.values()
    }

    /// Removes what this client has published.
    pub(crate) fn remove_those_of(&mut self, client_id: &[u8]) {
        let mut bytes = 0;
        self.messages.retain(|_, message| {
            let stays = message.publisher.as_deref() != Some(client_id);
            bytes += if stays { message.size() } else { 0 };
            stays
        });
        self.bytes = bytes;
    }

    fn drop_expired(&mut self, now: Duration) {
        let mut bytes = 0;
        self.messages.retain(|_, message| {
            let lives = !message.has_expired(now);
            bytes += if lives { message.size() } else { 0 };
            lives
        });
        self.bytes = bytes;
    }
}

/// What every topic starts with that matches the filter: its levels before the first wildcard, without the
/// separator behind them, since `a/#` matches `a` too.
fn literal_prefix(filter: &[u8]) -> &[u8] {
    let wildcard = filter
        .iter()
        .position(|byte| matches!(byte, b'+' | b'#'))
        .unwrap_or(filter.len());
    &filter[..wildcard.saturating_sub(1)]
}

#[cfg(test)]
mod tests {
    use codec::QoS;

    use super::*;

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
            assert!(retained.replace(message(topic, None), 10, 1000, Duration::ZERO));
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
    fn a_full_store_keeps_what_it_has_and_lets_the_expired_go() {
        let mut retained = Retained::default();
        assert!(retained.replace(message("a", Some(5)), 2, 1000, Duration::ZERO));
        assert!(retained.replace(message("b", None), 2, 1000, Duration::ZERO));
        assert!(!retained.replace(message("c", None), 2, 1000, Duration::ZERO));
        assert!(retained.replace(message("b", None), 2, 1000, Duration::ZERO));
        assert!(retained.replace(message("c", None), 2, 1000, Duration::from_secs(5)));
        assert_eq!(topics(&retained, "#"), ["b", "c"]);
        assert!(!retained.replace(message("d", None), 10, 20, Duration::from_secs(5)));
    }
}
