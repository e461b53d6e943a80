//! A campaign ends when it should, and its findings are small by then.

use std::time::{Duration, Instant};

use fuzzing::live::Options;

use crate::broker::{Behind, Fate};
use crate::{campaign, campaign_until, options};

#[test]
fn a_target_that_dozes_is_kept_awake_while_a_finding_is_made_small() {
    let behind = Behind::start(Fate::Dozes {
        byte: 0xA2,
        between: Duration::from_millis(200),
    });
    let options = Options {
        // More than it takes, and a fraction of what it took if each connection waited.
        inquiry: Duration::from_secs(15),
        ..options()
    };
    let (outcome, discoveries, _) = campaign_until(&behind, &options, "answer-to-nothing");
    let [found] = &discoveries[..] else {
        panic!("{outcome:?}: {discoveries:#?}");
    };
    assert!(found.minimal, "{:?}", found.took);
}

#[test]
fn findings_that_take_long_do_not_prolong_a_campaign() {
    let behind = Behind::start(Fate::FallsSilentAfter { first_byte: 0xA2 });
    let options = Options {
        time: Duration::from_secs(2),
        inquiry: Duration::from_secs(3),
        // So long does each question take.
        patience: Duration::from_secs(1),
        scripts: None,
        ..options()
    };
    let began = Instant::now();
    let (outcome, discoveries, _) = campaign(&behind, &options);
    let took = began.elapsed();
    // What is begun is finished: performances, and the scenario of a finding that had time for it.
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(!discoveries.is_empty(), "{outcome:?}");
    assert!(discoveries.iter().all(|found| !found.minimal));
}
