//! The real broker, killed at random moments under load and started again on the same data: nothing that it has
//! acknowledged is lost, and nothing of QoS 2 comes twice.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod client;
mod publisher;
mod subscriber;
mod trial;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use client::Client;
use codec::{Packet, QoS};
use publisher::Published;
use trial::Trial;

const PUBLISHERS: usize = 3;
/// Those that stay connected; one more is away until the end.
const SUBSCRIBERS: usize = 2;

/// The broker's process.
struct Process(Child);

impl Process {
    /// Starts the broker on this data, or without any; tells where it listens.
    fn start(data: Option<&Path>) -> (Self, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"));
        command.args(["broker", "--listen", "127.0.0.1:0"]);
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (_, address) = line.trim_end().rsplit_once("mqtt://").unwrap();
        (Self(child), address.parse().unwrap())
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Numbers that a seed determines (`SplitMix64`).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// Kills the broker so many times; what went wrong.
fn play(data: Option<&Path>, seed: u64, kills: usize) -> Vec<String> {
    let trial = Trial::default();
    let mut random = Random(seed);
    let (mut process, address) = Process::start(data);
    subscriber::leave_session(address, SUBSCRIBERS).unwrap();
    trial.broker_is_at(Some(address));
    let (published, mut received) = thread::scope(|scope| {
        let trial = &trial;
        let subscribers: Vec<_> = (0..SUBSCRIBERS)
            .map(|number| scope.spawn(move || subscriber::receive(trial, number, false)))
            .collect();
        trial.wait_for_subscribers(SUBSCRIBERS);
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|number| scope.spawn(move || publisher::publish(trial, number)))
            .collect();
        for _ in 0..kills {
            if !trial.wait_for_acknowledged(1 + random.below(300)) {
                break;
            }
            trial.broker_is_at(None);
            process.kill();
            let address;
            (process, address) = Process::start(data);
            check_retained(trial, address);
            trial.broker_is_at(Some(address));
        }
        trial.wait_for_acknowledged(30);
        trial.finish();
        let published: Vec<_> = publishers
            .into_iter()
            .flat_map(|publisher| publisher.join().unwrap())
            .collect();
        if trial.faults().is_empty() {
            end(trial);
        }
        let received: Vec<_> = subscribers
            .into_iter()
            .map(|subscriber| subscriber.join().unwrap())
            .collect();
        (published, received)
    });
    if trial.faults().is_empty() {
        received.push(subscriber::receive(&trial, SUBSCRIBERS, true));
    }
    if trial.faults().is_empty() {
        for (number, received) in received.iter().enumerate() {
            check(&trial, number, &published, received);
        }
    }
    trial.faults()
}

/// Publishes the last message, behind all others.
fn end(trial: &Trial) {
    let address = trial.next_broker(&mut 0).unwrap();
    let (mut client, _) = Client::connect(address, "end", false).unwrap();
    client
        .publish(
            "end",
            subscriber::END,
            QoS::AT_LEAST_ONCE,
            false,
            (1, false),
        )
        .unwrap();
    client.receive(|_| Ok(())).unwrap();
}

/// What was retained before the broker was killed, or something later, is retained now.
fn check_retained(trial: &Trial, address: SocketAddr) {
    let mut owed = trial.retained();
    let (mut client, _) = Client::connect(address, "witness", false).unwrap();
    if owed.is_empty() {
        return;
    }
    client.subscribe("r/#", QoS::AT_MOST_ONCE).unwrap();
    // The answer to a SUBSCRIBE that brings nothing stands behind the retained messages.
    client.ask_for("nothing", QoS::AT_MOST_ONCE).unwrap();
    loop {
        let came = client.receive(|packet| match packet {
            Packet::Publish(publish) => {
                let payload = String::from_utf8_lossy(publish.payload);
                Ok(Published::of_payload(&payload))
            }
            _ => Ok(None),
        });
        let Some(message) = came.unwrap() else {
            break;
        };
        if owed
            .get(&message.publisher)
            .is_some_and(|&number| number <= message.number)
        {
            owed.remove(&message.publisher);
        }
    }
    for (publisher, number) in owed {
        trial.fault(format!(
            "message {number} of publisher {publisher} is not retained"
        ));
    }
}

/// What was acknowledged has come, in its order, and with QoS 2 once.
fn check(trial: &Trial, subscriber: usize, published: &[Published], received: &[Published]) {
    let mut times = BTreeMap::<Published, usize>::new();
    let mut last = BTreeMap::new();
    for &message in received {
        let times = times.entry(message).or_default();
        *times += 1;
        if *times > 1 {
            if message.qos == 2 {
                trial.fault(format!("subscriber {subscriber} has {message:?} twice"));
            }
            continue;
        }
        let last = last.entry((message.publisher, message.qos)).or_insert(0);
        if *last > message.number {
            trial.fault(format!(
                "subscriber {subscriber} has {message:?} behind {last}"
            ));
        }
        *last = message.number;
    }
    for message in published {
        if !times.contains_key(message) {
            trial.fault(format!("subscriber {subscriber} lacks {message:?}"));
        }
    }
}

#[test]
fn what_was_acknowledged_survives() {
    for seed in 0..3 {
        let data = tempfile::tempdir().unwrap();
        let faults = play(Some(&data.path().join("store")), seed, 6);
        assert!(faults.is_empty(), "with seed {seed}: {faults:#?}");
    }
}

/// The test can fail: a broker that keeps nothing loses what it acknowledged.
#[test]
fn without_data_it_is_lost_and_noticed() {
    let faults = play(None, 0, 1);
    assert!(!faults.is_empty());
}
