//! The acts on a link, and what a target sees of them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::peer::{Peer, Stand, play};
use crate::event::Verdict;

fn steps(steps: &str) -> String {
    format!("clauses: [v3.1.1/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n{steps}")
}

#[test]
fn a_stalled_link_neither_writes_nor_reads() {
    let report = play(
        &Stand::default(),
        &steps("  - a stalls: 3s\n  - a pings\n"),
        |mut peer| async move {
            peer.serve().await;
        },
    );
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    assert_eq!(report.elapsed, Duration::from_secs(3));
}

/// What a target sees behind CONNECT: the packets, then how the connection ends.
fn seen(text: &str) -> Vec<String> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = seen.clone();
    let report = play(&Stand::default(), &steps(text), move |mut peer: Peer| {
        let log = log.clone();
        async move {
            peer.accept().await;
            while let Some(packet) = peer.next().await {
                log.borrow_mut().push(format!("{:02x}", packet[0]));
            }
            log.borrow_mut().push(peer.end_seen().to_owned());
        }
    });
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    seen.take()
}

#[test]
fn closing_is_a_fin_and_cutting_is_a_reset() {
    assert_eq!(seen("  - a closes\n  - wait: 1s\n"), ["fin"]);
    assert_eq!(seen("  - a half-closes\n  - a <- closed\n"), ["fin"]);
    assert_eq!(seen("  - a cuts\n  - wait: 1s\n"), ["rst"]);
    assert_eq!(seen("  - a disconnects\n  - wait: 1s\n"), ["e0", "fin"]);
}

#[test]
fn single_byte_segments_make_the_same_packets() {
    let text = "clauses: [v3.1.1/MQTT-3.12.4-1]\nclients: [a: { link: { segments: bytes } }]\nsteps:\n  - a pings\n";
    let report = play(&Stand::default(), text, |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
}

#[test]
fn handshakes_overlap_within_at_once() {
    let text = "  - at once:\n      - for <i> in 1..3:\n          - a publishes: { topic: <t>, payload: <i>, qos: 1 }\n";
    let together = Rc::new(RefCell::new(false));
    let seen = together.clone();
    let report = play(&Stand::default(), &steps(text), move |mut peer: Peer| {
        let seen = seen.clone();
        async move {
            peer.accept().await;
            // All three come before the first is answered.
            let mut ids = Vec::new();
            while ids.len() < 3 {
                let Some(packet) = peer.next().await else {
                    return;
                };
                let topic = usize::from(packet[3]);
                ids.push([packet[4 + topic], packet[5 + topic]]);
            }
            *seen.borrow_mut() = true;
            for [high, low] in ids {
                peer.send(&format!("40 02 {high:02x} {low:02x}")).await;
            }
            while peer.answer().await {}
        }
    });
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    assert!(together.take());
}
