//! A campaign ends when it should, and its findings are small by then.

use std::time::Duration;

use fuzzing::live::{Options, Played};

use crate::broker::{Behind, Fate, is_of_the_campaign};
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

/// How many scripts were performed once more and left unanswered: each takes as long as the target's patience, on
/// however fast a machine.
fn unanswered_again(behind: &Behind, performed: &[Played]) -> usize {
    let recordings = behind.recordings();
    let of_questions = recordings.iter().filter(|sent| {
        let names = |played: &Played| {
            sent.windows(played.name.len())
                .any(|name| name == played.name)
        };
        !is_of_the_campaign(sent) && !performed.iter().any(names)
    });
    of_questions.filter(|sent| sent.contains(&0xA2)).count()
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
    let (outcome, discoveries, performed) = campaign(&behind, &options);
    let questions = unanswered_again(&behind, &performed);
    // What is begun is finished, and what was seen last is tried once.
    assert!(questions <= 8, "{questions}: {outcome:?}");
    assert!(!discoveries.is_empty(), "{outcome:?}");
    assert!(discoveries.iter().all(|found| !found.minimal));
}
