//! The broker's topic matching against a naive one.

use std::time::Duration;

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};
use codec::draft::{Draft, Kind, Record, Value, field};
use codec::{Frame, Packet, PacketType, Text, TopicFilter, Version};

/// So many filters at most: each is subscribed to on a broker of its own making.
const FILTERS: usize = 6;

/// Lines of text: the first is a Topic Name, the others Topic Filters. What the broker delivers, because of a
/// subscription and out of its retained messages, is what a naive matcher would.
///
/// # Panics
/// When it is not.
pub fn topics(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.split('\n');
    let topic = lines.next().unwrap_or_default();
    let filters = lines.take(FILTERS).collect::<Vec<_>>();
    for filter in &filters {
        let sound = TopicFilter::parse_plain(Text::from(*filter)).is_ok();
        assert_eq!(sound, is_filter(filter), "{filter:?}");
        if sound {
            let matches = matches(&levels(filter), &levels(topic));
            assert_eq!(
                broker::core::matches(filter.as_bytes(), topic.as_bytes()),
                matches,
                "{filter:?} {topic:?}"
            );
        }
    }
    if topic.is_empty()
        || topic.contains(['+', '#', '\0'])
        || topic.starts_with("$SYS/")
        || topic.len() > 200
    {
        return;
    }
    let filters = filters.into_iter().filter(|filter| {
        is_filter(filter)
            && !filter.contains('\0')
            && !filter.starts_with("$share/")
            && filter.len() < 200
    });
    for filter in filters {
        // Wildcards at the beginning do not stand for topics that begin with `$` (MQTT-4.7.2-1).
        let set_apart = topic.starts_with('$') && filter.starts_with(['+', '#']);
        let expected = !set_apart && matches(&levels(filter), &levels(topic));
        let mut client = Client::connected();
        client.subscribe(filter);
        assert_eq!(
            client.receives(&publish(topic)),
            expected,
            "{filter:?} {topic:?}"
        );
        let mut client = Client::connected();
        client.receives(&publish(topic));
        assert_eq!(
            client.subscribe(filter),
            expected,
            "retained: {filter:?} {topic:?}"
        );
    }
}

fn levels(text: &str) -> Vec<&str> {
    text.split('/').collect()
}

/// Section 4.7.1.1 and 4.7.1.2, word for word.
fn matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => matches(filter, topic),
        ([level, filter @ ..], [same, topic @ ..]) if level == same => matches(filter, topic),
        _ => false,
    }
}

/// Section 4.7.1 and MQTT-4.7.3-1, word for word.
fn is_filter(filter: &str) -> bool {
    let levels = levels(filter);
    !filter.is_empty()
        && levels.iter().enumerate().all(|(at, level)| match *level {
            "#" => at + 1 == levels.len(),
            "+" => true,
            _ => !level.contains(['+', '#']),
        })
}

fn publish(topic: &str) -> Vec<u8> {
    let mut draft = Draft::new(PacketType::Publish, Version::V3_1_1);
    let set = draft.set("topic", Value::Text(topic.into())).is_ok()
        && draft.set("retain", Value::Flag(true)).is_ok()
        && draft.set("payload", Value::Text(b"x".to_vec())).is_ok();
    assert!(set, "a PUBLISH has a topic");
    draft.encode().expect("a sound PUBLISH")
}

/// The only client of a broker.
struct Client {
    core: Core,
}

const CONNECTION: ConnectionId = ConnectionId(1);

impl Client {
    fn connected() -> Self {
        let mut client = Self {
            core: Core::new(Config::default()),
        };
        client.handle(Event::Opened {
            connection: CONNECTION,
        });
        let mut connect = Draft::new(PacketType::Connect, Version::V3_1_1);
        let set = connect.set("client_id", Value::Text(b"c".to_vec())).is_ok();
        assert!(set, "a CONNECT has a Client Identifier");
        let connack = client.sends(&connect.encode().expect("a sound CONNECT"));
        assert_eq!(connack, b"\x20\x02\x00\x00");
        client
    }

    /// Whether a message came with the answer.
    fn subscribe(&mut self, filter: &str) -> bool {
        let mut draft = Draft::new(PacketType::Subscribe, Version::V3_1_1);
        let mut subscription = Record::new();
        let Some(Kind::Records([name, ..])) =
            field(PacketType::Subscribe, "filters").map(|spec| spec.kind)
        else {
            unreachable!("filters are records, and the first field of one is its filter");
        };
        subscription.set(name, Value::Text(filter.into()));
        let set = draft
            .set("filters", Value::Filters(vec![subscription]))
            .is_ok();
        assert!(set, "a SUBSCRIBE has filters");
        let subscribe = draft.encode().expect("a sound SUBSCRIBE");
        self.receives(&subscribe)
    }

    /// Whether a PUBLISH is among what the broker answers. It never closes.
    fn receives(&mut self, bytes: &[u8]) -> bool {
        let mut answer = &self.sends(bytes)[..];
        let mut received = false;
        while let Ok(codec::Split::Complete { frame, rest }) = codec::split(
            answer,
            Version::V3_1_1,
            codec::Direction::ToClient,
            codec::MAXIMUM_PACKET_SIZE,
        ) {
            received |= is_publish(frame);
            answer = rest;
        }
        received
    }

    fn sends(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.handle(Event::Received {
            connection: CONNECTION,
            bytes,
        })
    }

    fn handle(&mut self, event: Event<'_>) -> Vec<u8> {
        let mut actions = Vec::new();
        self.core.handle(event, Duration::ZERO, &mut actions);
        let mut sent = Vec::new();
        for action in actions {
            match action {
                Action::Send { bytes, .. } => sent.extend(bytes),
                Action::Close { why, .. } => panic!("closed: {why:?}"),
                Action::Persist(_) | Action::Verify { .. } | Action::Note(_) => {}
            }
        }
        sent
    }
}

fn is_publish(frame: Frame<'_>) -> bool {
    matches!(
        codec::decode(frame, Version::V3_1_1, codec::Direction::ToClient),
        Ok(Packet::Publish(_))
    )
}
