//! The core alone, without sockets: deliveries a second, and a topic among 100,000 filters.
//!
//! `cargo bench -p mqtt-assay-broker` prints a table. Each figure is the best of some rounds: what the core can do
//! when the machine lets it.

use std::time::{Duration, Instant};

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(200);

struct Bench {
    core: Core,
    actions: Vec<Action>,
}

impl Bench {
    fn new(config: Config) -> Self {
        Self {
            core: Core::new(config),
            actions: Vec::new(),
        }
    }

    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) {
        self.core.handle(
            Event::Received { connection, bytes },
            Duration::ZERO,
            &mut self.actions,
        );
    }

    fn connect(&mut self, number: u64) -> ConnectionId {
        let connection = ConnectionId(number);
        self.core.handle(
            Event::Opened { connection },
            Duration::ZERO,
            &mut self.actions,
        );
        let client_id = format!("{number:08}");
        let mut connect = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x00\x00\x08".to_vec();
        connect.extend(client_id.as_bytes());
        self.send(connection, &connect);
        connection
    }

    fn subscribe(&mut self, connection: ConnectionId, filter: &str, qos: u8) {
        let mut packet = vec![
            0x82,
            u8::try_from(filter.len() + 5).unwrap_or(u8::MAX),
            0,
            1,
            0,
        ];
        packet.push(u8::try_from(filter.len()).unwrap_or(u8::MAX));
        packet.extend(filter.as_bytes());
        packet.push(qos);
        self.send(connection, &packet);
        self.actions.clear();
    }
}

fn publish(topic: &str, qos: u8, packet_id: u16) -> Vec<u8> {
    let payload = [b'x'; 64];
    let id = if qos > 0 { 2 } else { 0 };
    let length = 2 + topic.len() + id + payload.len();
    let mut packet = vec![0x30 | qos << 1, u8::try_from(length).unwrap_or(u8::MAX), 0];
    packet.push(u8::try_from(topic.len()).unwrap_or(u8::MAX));
    packet.extend(topic.as_bytes());
    if qos > 0 {
        packet.extend(packet_id.to_be_bytes());
    }
    packet.extend(payload);
    packet
}

/// Runs `round`, which handles `count` things, again and again; the seconds that one of them takes.
fn best(count: usize, mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let (start, mut rounds) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            round();
            rounds += 1;
        }
        let each = start.elapsed().as_secs_f64() / f64::from(rounds);
        best = best.min(each);
    }
    best / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// One publisher, `subscribers` that all answer at once.
fn deliveries(subscribers: u64, qos: u8) -> f64 {
    let mut bench = Bench::new(Config::default());
    let publisher = bench.connect(0);
    for number in 1..=subscribers {
        let subscriber = bench.connect(number);
        bench.subscribe(subscriber, "some/topic", qos);
    }
    let packet = publish("some/topic", qos, 1);
    let mut answers = Vec::new();
    best(usize::try_from(subscribers).unwrap_or(1), || {
        bench.send(publisher, &packet);
        while !bench.actions.is_empty() {
            for action in bench.actions.drain(..) {
                let Action::Send { connection, bytes } = action else {
                    continue;
                };
                let id = |at: usize| bytes.get(at..at + 2).unwrap_or_default().to_vec();
                let (first, packet_id) = match bytes[0] >> 4 {
                    3 if qos == 1 => (0x40, id(14)),
                    3 if qos == 2 => (0x50, id(14)),
                    5 => (0x62, id(2)),
                    6 => (0x70, id(2)),
                    _ => continue,
                };
                answers.push((connection, [vec![first, 2], packet_id].concat()));
            }
            for (connection, answer) in answers.drain(..) {
                bench.send(connection, &answer);
            }
        }
    })
}

/// The time that a PUBLISH takes which three of 100,000 filters match, some of them with wildcards.
fn among_many_filters() -> f64 {
    let mut config = Config::default();
    config.limits.subscriptions = usize::MAX;
    let mut bench = Bench::new(config);
    let publisher = bench.connect(0);
    let subscriber = bench.connect(1);
    for number in 0..100_000 {
        let (site, device) = (number / 100, number % 100);
        let filter = match number % 10 {
            0 => format!("site/{site}/+/{device}/state"),
            1 => format!("site/{site}/{device}/#"),
            _ => format!("site/{site}/line/{device}/state"),
        };
        bench.subscribe(subscriber, &filter, 0);
    }
    let packet = publish("site/500/line/50/state", 0, 1);
    best(1, || {
        bench.send(publisher, &packet);
        bench.actions.clear();
    })
}

fn main() {
    for (name, subscribers, qos) in [
        ("QoS 0, one to one", 1, 0),
        ("QoS 1, one to one", 1, 1),
        ("QoS 2, one to one", 1, 2),
        ("QoS 0, one to 100", 100, 0),
        ("QoS 1, one to 100", 100, 1),
    ] {
        let each = deliveries(subscribers, qos);
        println!(
            "{name:<24} {:>10.0} deliveries/s {:>8.0} ns each",
            1.0 / each,
            each * 1e9
        );
    }
    println!(
        "{:<24} {:>24} {:>8.0} ns",
        "PUBLISH, 100,000 filters",
        "",
        among_many_filters() * 1e9
    );
    let start = best(1, || drop(Core::new(Config::default())));
    println!(
        "{:<24} {:>24} {:>8.0} ns",
        "a core of its own",
        "",
        start * 1e9
    );
}
