//! Topic seeds: the Topic Names and Topic Filters of the packet seeds, put together.

use std::collections::BTreeSet;

use codec::{Frame, Packet, Version};

use super::Seed;
use crate::mutate::Input;

/// So many filters stand beside a topic: as many as the target looks at.
const FILTERS: usize = 6;

/// So many topics at most: scenarios have a namespace each, and else many of theirs are alike.
const TOPICS: usize = 200;

/// For each Topic Name a line with it, and lines with filters: each filter stands beside some topic, and those with
/// which it shares its first letters.
pub fn topic_seeds(packets: &[Seed]) -> Vec<Seed> {
    let mut topics = BTreeSet::new();
    let mut filters = BTreeSet::new();
    for seed in packets {
        let input = Input::from_bytes(&seed.bytes);
        for packet in &input.packets {
            gather(packet, input.version, &input, &mut topics, &mut filters);
        }
    }
    let filters = filters.into_iter().collect::<Vec<_>>();
    let every = topics.len().div_ceil(TOPICS).max(1);
    topics
        .into_iter()
        .step_by(every)
        .enumerate()
        .map(|(at, topic)| {
            let near = filters
                .iter()
                .filter(|filter| filter.get(..1) == topic.get(..1))
                .take(FILTERS / 2);
            let others = filters
                .iter()
                .cycle()
                .skip(at * 3)
                .take(filters.len().min(FILTERS / 2));
            let lines = std::iter::once(&topic).chain(near).chain(others);
            Seed {
                bytes: lines.cloned().collect::<Vec<_>>().join("\n").into_bytes(),
                name: String::new(),
            }
        })
        .collect()
}

fn gather(
    packet: &[u8],
    version: Version,
    input: &Input,
    topics: &mut BTreeSet<String>,
    filters: &mut BTreeSet<String>,
) {
    let Some(frame) = Frame::new(packet) else {
        return;
    };
    let read = codec::decode_leniently(frame, version, input.direction, &mut Vec::new());
    let text = |bytes: &[u8]| {
        let text = str::from_utf8(bytes).ok()?;
        (!text.contains('\n') && text.len() < 100).then(|| text.to_owned())
    };
    match read {
        Some(Packet::Publish(publish)) => topics.extend(text(publish.topic.as_bytes())),
        Some(Packet::Subscribe(subscribe)) => {
            filters.extend(
                subscribe
                    .filters
                    .iter()
                    .filter_map(|one| text(one.filter.as_bytes())),
            );
        }
        Some(Packet::Unsubscribe(unsubscribe)) => {
            filters.extend(
                unsubscribe
                    .filters
                    .iter()
                    .filter_map(|filter| text(filter.as_bytes())),
            );
        }
        _ => {}
    }
}
