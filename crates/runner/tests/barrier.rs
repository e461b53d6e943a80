//! What proves that nothing arrives: PINGRESP and sentinels, and a quiet period where a target is seen to reorder.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use codec::{Direction, Frame, Packet, Version};
use runner::event::{Happening, Verdict};
use runner::{At, Options};
use support::relay::{Entrance, Nature, Treatment, relay};
use support::{Told, plan, play};

/// How long a message is held up.
const LATE: Duration = Duration::from_millis(80);

/// Which messages a relay holds up, on their way from the broker to a client.
#[derive(Debug, Clone, Copy)]
enum Holds {
    /// None.
    Nothing,
    /// All of them, so that PINGRESP overtakes them.
    Messages,
    /// Those to every other topic, so that sentinels overtake messages.
    EveryOtherTopic,
    /// All of them, once somebody has published `HURRY`.
    MessagesWhenHurried,
}

/// The reference broker, which reorders.
struct Reorders {
    holds: Holds,
    hurried: AtomicBool,
    /// The topics seen so far: as a broker would spread them over its threads.
    topics: Mutex<Vec<Vec<u8>>>,
}

fn reordering(holds: Holds) -> SocketAddr {
    let nature = Reorders {
        holds,
        hurried: AtomicBool::new(false),
        topics: Mutex::default(),
    };
    relay(nature, Entrance::default())
}

impl Nature for Reorders {
    fn provoked(&self, bytes: &[u8]) -> bool {
        let hurries = bytes.windows(5).any(|window| window == b"HURRY");
        self.hurried.fetch_or(hurries, Ordering::Relaxed);
        false
    }

    fn treats(&self, packet: &[u8], version: Version, _: bool) -> Treatment {
        let frame = Frame::new(packet).unwrap();
        let packet = codec::decode(frame, version, Direction::ToClient).unwrap();
        let topic = match &packet {
            Packet::Publish(publish) => Some(publish.topic.as_bytes().to_vec()),
            _ => None,
        };
        let held = match self.holds {
            Holds::Nothing => false,
            Holds::Messages => topic.is_some(),
            Holds::MessagesWhenHurried => topic.is_some() && self.hurried.load(Ordering::Relaxed),
            Holds::EveryOtherTopic => match topic {
                Some(topic) => {
                    let mut topics = self.topics.lock().unwrap();
                    let known = topics.iter().position(|known| *known == topic);
                    let place = known.unwrap_or_else(|| {
                        topics.push(topic);
                        topics.len() - 1
                    });
                    place % 2 == 1
                }
                None => false,
            },
        };
        if held {
            Treatment::Late(LATE)
        } else {
            Treatment::Passes
        }
    }
}

/// A message that the scenario denies, and that every broker rightly delivers.
const DENIED: &str = "title: Nothing comes where something must come
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [pub, sub]
steps:
  - sub subscribes: { filter: <t>/x, qos: 0 }
  - pub publishes: { topic: <t>/x, payload: it comes, qos: 0 }
  - sub <- nothing
";

/// The same, of a client that publishes to itself.
const DENIED_TO_ITSELF: &str = "title: Nothing comes back to who published it
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a subscribes: { filter: <t>/x, qos: 0 }
  - a -> PUBLISH: { topic: <t>/x, payload: it comes, qos: 0 }
  - a <- nothing
";

/// What a broker that reorders does rightly.
const HELD: &str = "title: A message arrives once
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [pub, sub]
steps:
  - sub subscribes: { filter: <t>/x, qos: 1 }
  - pub publishes: { topic: <t>/x, payload: it comes, qos: 1 }
  - sub receives: { topic: <t>/x, payload: it comes, qos: 1 }
  - sub <- nothing
";

/// The barrier passes, and what it should have waited for comes behind it.
const HURRIES: &str = "title: A message comes behind the barrier
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a subscribes: { filter: <t>/x, qos: 0 }
  - a -> PUBLISH: { topic: <t>/x, payload: HURRY, qos: 0 }
  - a <- nothing
  - a <- PUBLISH: { topic: <t>/x }
";

fn played(address: SocketAddr, scenarios: &[(&str, &str)]) -> Told {
    let at = At::Address(format!("mqtt://{address}").parse().unwrap());
    let options = Options {
        jobs: Some(1),
        ..Options::default()
    };
    let (outcome, told) = play(&plan(scenarios), &at, &options);
    outcome.unwrap();
    told
}

/// Whether the trace of a case has the message behind the last PINGRESP: only quiet could notice it.
fn came_behind_pingresp(told: &Told, name: &str) -> bool {
    let report = told
        .reports
        .iter()
        .find(|report| report.case.name.starts_with(name))
        .unwrap();
    let at = |wanted: &str| {
        report.trace.iter().rposition(|entry| match &entry.what {
            Happening::Received { notation, .. } => notation.contains(wanted),
            Happening::Remark(text) => text.contains(wanted),
            _ => false,
        })
    };
    assert!(at("a quiet period of").is_some(), "{:#?}", report.trace);
    at("it comes").unwrap() > at("PINGRESP").unwrap()
}

#[test]
fn a_target_that_keeps_order_pays_nothing() {
    let address = reordering(Holds::Nothing);
    let began = Instant::now();
    let told = played(address, &[("a/denied", DENIED), ("a/held", HELD)]);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "no period is waited for"
    );
    assert_eq!(told.verdict("a/held"), &Verdict::Pass);
    assert_eq!(told.verdict("a/denied"), &Verdict::Fail);
    assert_eq!(told.notices, [""; 0]);
}

#[test]
fn a_pingresp_that_overtakes_messages_proves_nothing_without_quiet() {
    let scenarios = [
        ("a/denied", DENIED),
        ("a/itself", DENIED_TO_ITSELF),
        ("a/held", HELD),
    ];
    let told = played(reordering(Holds::Messages), &scenarios);
    assert_eq!(told.verdict("a/itself"), &Verdict::Fail);
    assert!(came_behind_pingresp(&told, "a/itself"));
    assert_eq!(told.verdict("a/denied"), &Verdict::Fail);
    assert_eq!(told.verdict("a/held"), &Verdict::Pass);
    let [notice] = told.notices.as_slice() else {
        panic!("{:?}", told.notices);
    };
    assert!(
        notice.contains("a PINGRESP came before messages") && notice.contains("s of quiet"),
        "{notice}"
    );
}

#[test]
fn a_sentinel_that_overtakes_messages_proves_nothing_without_quiet() {
    let scenarios = [("a/denied", DENIED), ("a/held", HELD)];
    let told = played(reordering(Holds::EveryOtherTopic), &scenarios);
    assert_eq!(told.verdict("a/denied"), &Verdict::Fail);
    assert!(came_behind_pingresp(&told, "a/denied"));
    assert_eq!(told.verdict("a/held"), &Verdict::Pass);
    let [notice] = told.notices.as_slice() else {
        panic!("{:?}", told.notices);
    };
    assert!(notice.contains("the target reorders: "), "{notice}");
}

#[test]
fn a_target_that_begins_to_reorder_is_noticed_in_the_midst_of_the_run() {
    let address = reordering(Holds::MessagesWhenHurried);
    let told = played(address, &[("a/held", HELD)]);
    assert_eq!(told.verdict("a/held"), &Verdict::Pass);
    assert_eq!(told.notices, [""; 0], "so far all is in order");
    let told = played(address, &[("a/hurries", HURRIES)]);
    assert_eq!(told.verdict("a/hurries"), &Verdict::Pass, "one is deceived");
    let [notice] = told.notices.as_slice() else {
        panic!("{:?}", told.notices);
    };
    assert!(notice.contains("came behind the barrier"), "{notice}");
}

/// The topics of sentinels are within `#`, and so are those of other clients.
const LISTENS_TO_EVERYTHING: &str = "title: Who listens to everything hears no sentinel
clauses: [v3.1.1/MQTT-4.7.1-2]
alone: true
clients: [pub, near, sub]
steps:
  - sub subscribes: { filter: '#', qos: 2 }
  - pub publishes: { topic: <t>/x, payload: heard, qos: 1 }
  - near <- nothing
  - sub receives: { topic: <t>/x, payload: heard, qos: 1 }
  - sub <- nothing
";

#[test]
fn the_sentinels_of_other_clients_are_not_seen() {
    let scenarios = [("a/everything", LISTENS_TO_EVERYTHING)];
    let (outcome, told) = play(&plan(&scenarios), &At::Embedded, &Options::default());
    outcome.unwrap();
    assert_eq!(told.verdict("a/everything"), &Verdict::Pass, "{told:#?}");
}
