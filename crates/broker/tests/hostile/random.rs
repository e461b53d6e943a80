//! Random and mutated bytes on several connections.

use std::time::Duration;

use broker::Config;
use broker::core::Event;
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};
use proptest::prelude::*;

use crate::driver::{Driver, connect};

/// Packets to begin with: each type in each version, with fields of the drafts' own choice.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let sound = (
        prop::sample::select(&PacketType::ALL[..]),
        prop::sample::select(&Version::ALL[..]),
        0..3_u8,
        any::<bool>(),
    )
        .prop_map(|(packet_type, version, qos, retain)| {
            let mut draft = Draft::new(packet_type, version);
            // Fields that the packet does not have are passed over.
            let _ = draft.set("qos", Value::Number(qos.into()));
            let _ = draft.set("retain", Value::Flag(retain));
            let _ = draft.set("client_id", Value::Text(vec![b'a' + qos]));
            let _ = draft.set("topic", Value::Text(b"t".to_vec()));
            draft.encode().unwrap_or_default()
        });
    prop_oneof![
        4 => sound,
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Send(usize, Vec<u8>),
    Flip(usize, Vec<u8>, prop::sample::Index, u8),
    Cut(usize, Vec<u8>, prop::sample::Index),
    End(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..4_usize;
    let step = prop_oneof![
        6 => (who(), packets()).prop_map(|(who, bytes)| Step::Send(who, bytes)),
        2 => (who(), packets(), any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(who, bytes, at, value)| Step::Flip(who, bytes, at, value)),
        1 => (who(), packets(), any::<prop::sample::Index>())
            .prop_map(|(who, bytes, at)| Step::Cut(who, bytes, at)),
        1 => who().prop_map(Step::End),
        1 => (0..100_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

fn perform(driver: &mut Driver, steps: Vec<Step>) {
    let mut connections: [_; 4] = std::array::from_fn(|_| driver.open());
    let version = |number: usize| Version::ALL[number % 3];
    for (number, &connection) in connections.iter().enumerate() {
        driver.send(connection, &connect(version(number), &number.to_string()));
    }
    for step in steps {
        match step {
            Step::Send(who, bytes) => {
                driver.send(connections[who], &bytes);
            }
            Step::Flip(who, mut bytes, at, value) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= value;
                }
                driver.send(connections[who], &bytes);
            }
            Step::Cut(who, bytes, at) => {
                let at = at.index(bytes.len() + 1);
                driver.send(connections[who], &bytes[..at]);
            }
            Step::End(who) => {
                let connection = connections[who];
                driver.handle(Event::Ended { connection });
                connections[who] = driver.open();
                driver.send(connections[who], &connect(version(who), &who.to_string()));
            }
            Step::Wait(seconds) => {
                driver.now += Duration::from_secs(seconds);
                driver.handle(Event::TimePassed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_bring_it_down(steps in steps()) {
        let mut driver = Driver::new(Config::default());
        perform(&mut driver, steps);
        driver.serves_a_witness();
    }

    /// What is read leniently because a rule is broken brings it down no more, whichever rule it is.
    #[test]
    fn no_bytes_bring_it_down_with_every_rule_broken(steps in steps()) {
        let broken = clauses::all().filter(|clause| clause.standard() != clauses::Standard::Sn1_2);
        let mut driver = Driver::new(Config::breaking(broken));
        perform(&mut driver, steps);
    }
}
