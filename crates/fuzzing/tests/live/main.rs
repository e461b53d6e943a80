//! Campaigns against brokers in this process, over loopback.
#![expect(
    clippy::unwrap_used,
    reason = "what surrounds the campaign must work for a test to mean anything"
)]

mod broker;
mod timing;

use std::time::Duration;

use broker::{Behind, Fate, is_of_the_campaign};
use clauses::clause;
use fuzzing::live::{
    self, Discovery, Event, Folder, Options, Outcome, Played, Proof, Subject, record, run,
};
use fuzzing::script::Operation;
use runner::target::{Address, Endpoints};

/// A campaign against this broker, and what it found.
fn campaign(behind: &Behind, options: &Options) -> (Outcome, Vec<Discovery>, Vec<Played>) {
    campaign_until(behind, options, "what there is not")
}

/// A campaign that ends with the first finding of this rule.
fn campaign_until(
    behind: &Behind,
    options: &Options,
    rule: &str,
) -> (Outcome, Vec<Discovery>, Vec<Played>) {
    let subject = Subject {
        broker: live::Broker::At(Box::new(
            Endpoints::from(behind.address().parse::<Address>().unwrap()).into(),
        )),
        configuration: None,
        pid: None,
        owned: false,
    };
    let mut discoveries = Vec::new();
    let mut performed = Vec::new();
    let outcome = run(&subject, options, &mut |event| match event {
        Event::Found(discovery) | Event::Fleeting(discovery) => {
            if discovery.finding.rule == rule {
                options.interrupt.raise();
            }
            discoveries.push(*discovery);
        }
        Event::Notice(notice) => println!("{notice}"),
        Event::Performed(played) => performed.push(played.clone()),
        _ => {}
    });
    (outcome.unwrap(), discoveries, performed)
}

fn options() -> Options {
    Options {
        seed: 7,
        scripts: Some(60),
        jobs: 4,
        time: Duration::from_secs(30),
        patience: Duration::from_secs(10),
        ..Options::default()
    }
}

#[test]
fn the_reference_broker_does_nothing_wrong() {
    let behind = Behind::start(Fate::Lives);
    let (outcome, discoveries, performed) = campaign(&behind, &options());
    let classes: Vec<_> = discoveries.iter().map(|found| &found.class).collect();
    assert!(classes.is_empty(), "{classes:?}");
    assert_eq!(outcome.exit_status(), 0);
    assert_eq!(performed.len(), 60);
    let tally = outcome.tally;
    assert!(tally.sessions > 60, "{tally:?}");
    assert!(tally.received > tally.sent / 4, "{tally:?}");
    assert!(tally.kinds > 50, "{tally:?}");
    assert!(tally.exercised.len() > 5, "{tally:?}");
}

/// What the scripts of a campaign sent on each connection, in the order in which these were opened.
fn traffic(options: &Options) -> (Vec<Vec<u8>>, Vec<Played>) {
    let behind = Behind::start(Fate::Lives);
    let (_, _, performed) = campaign(&behind, options);
    let of_scripts = |bytes: &Vec<u8>| !is_of_the_campaign(bytes);
    let sent = behind.recordings().into_iter().filter(of_scripts).collect();
    (sent, performed)
}

/// Whether both sent the same; a target that ends a connection may have read more or less of what followed.
fn is_same(left: &[Vec<u8>], right: &[Vec<u8>]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| left.starts_with(right) || right.starts_with(left))
}

#[test]
fn without_feedback_the_same_seed_sends_the_same() {
    let options = |seed| Options {
        seed,
        jobs: 1,
        scripts: Some(25),
        feedback: false,
        ..options()
    };
    let (first, _) = traffic(&options(3));
    assert!(first.len() > 25, "{}", first.len());
    assert!(is_same(&first, &traffic(&options(3)).0));
    assert!(!is_same(&first, &traffic(&options(4)).0));
}

#[test]
fn what_was_recorded_sends_the_same_when_it_is_replayed() {
    let recorded = Options {
        jobs: 1,
        scripts: Some(25),
        ..options()
    };
    let (first, performed) = traffic(&recorded);
    let mut file = Vec::new();
    record::begin(&mut file).unwrap();
    for played in &performed {
        record::write(played, &mut file).unwrap();
    }
    let replayed = Options {
        replay: Some(record::read(&file[..]).unwrap()),
        seed: 99,
        ..recorded
    };
    let (again, performed_again) = traffic(&replayed);
    assert_eq!(performed_again.len(), 25);
    assert!(is_same(&first, &again));
}

/// Whether a step sends the byte that kills.
fn sends_it(step: &fuzzing::script::Step) -> bool {
    matches!(&step.operation, Operation::Send { bytes, .. } if bytes.contains(&0xA2))
}

#[test]
fn who_kills_the_target_is_found_and_made_small() {
    let behind = Behind::start(Fate::DiesOf {
        byte: 0xA2,
        late: Duration::ZERO,
        back: true,
    });
    let (outcome, discoveries, _) = campaign_until(&behind, &options(), "target-died");
    let died: Vec<_> = discoveries
        .iter()
        .filter(|found| found.finding.rule == "target-died")
        .collect();
    let [died, ..] = died[..] else {
        panic!("{outcome:?}");
    };
    assert_eq!(outcome.exit_status(), 3);
    assert!(matches!(died.proof, Proof::Confirmed { .. }));
    // A link and the packet are all that it takes.
    let steps = &died.script.as_ref().unwrap().script.steps;
    assert!(steps.len() <= 2, "{steps:?}");
    assert!(steps.iter().any(sends_it), "{steps:?}");
}

#[test]
fn what_is_not_seen_again_is_told_with_what_was_seen() {
    let behind = Behind::start(Fate::SlipsOnce { byte: 0xA2 });
    let (outcome, discoveries, _) = campaign(&behind, &options());
    let [seen] = &discoveries[..] else {
        panic!("{outcome:?}: {discoveries:#?}");
    };
    assert_eq!(seen.finding.rule, "answer-to-nothing");
    assert!(matches!(seen.proof, Proof::Fleeting { tried: 1.. }));
    let times = outcome.tally.unconfirmed.get(&seen.class);
    assert_eq!(times, Some(&1), "{outcome:?}");
    assert_eq!(outcome.exit_status(), 0, "it is no finding");
    let folder = tempfile::tempdir().unwrap();
    let place = Folder::new(folder.path()).write(seen).unwrap();
    assert!(place.starts_with(folder.path().join("unconfirmed")));
    let recorded = std::fs::read(place.join("replay.txt")).unwrap();
    let scripts = record::read(&recorded[..]).unwrap();
    assert!(scripts[0].script.steps.iter().any(sends_it));
    let told = std::fs::read_to_string(place.join("finding.txt")).unwrap();
    assert!(
        told.contains("did not show again in 3 performances"),
        "{told}"
    );
    assert!(told.contains("PINGRESP: {}"), "{told}");
}

#[test]
fn a_target_that_stays_away_ends_the_campaign() {
    let behind = Behind::start(Fate::DiesOf {
        byte: 0xA2,
        late: Duration::ZERO,
        back: false,
    });
    let options = Options {
        // Three times as long is waited for it.
        patience: Duration::from_secs(1),
        ..options()
    };
    let (outcome, discoveries, _) = campaign(&behind, &options);
    assert!(outcome.gone);
    assert_eq!(outcome.tally.crashes, 1);
    assert_eq!(outcome.exit_status(), 3);
    let [found] = &discoveries[..] else {
        panic!("{discoveries:?}");
    };
    assert_eq!(found.proof, Proof::Seen);
    assert!(!found.before.is_empty(), "what came before is kept");
}

#[test]
fn who_does_nothing_wrong_must_be_served() {
    let behind = Behind::start(Fate::FallsSilentAfter { first_byte: 0xA2 });
    let options = Options {
        patience: Duration::from_millis(400),
        scripts: Some(6),
        ..options()
    };
    let (outcome, discoveries, _) = campaign_until(&behind, &options, "unserved-client");
    let found = discoveries
        .iter()
        .find(|found| found.finding.rule == "unserved-client")
        .unwrap_or_else(|| panic!("{outcome:?}"));
    let script = &found.script.as_ref().unwrap().script;
    assert!(script.steps.len() <= 3, "{script:?}");
}

#[test]
fn who_brings_messages_to_those_that_asked_for_none_is_found() {
    let behind = Behind::start(Fate::Gossips { byte: 0xA2 });
    let (outcome, discoveries, _) = campaign_until(&behind, &options(), "witness-not-subscribed");
    let [found] = &discoveries[..] else {
        panic!("{outcome:?}: {discoveries:#?}");
    };
    assert_eq!(found.clause(), Some(clause!("v5.0/MQTT-3.3.2-3")));
    assert!(matches!(found.proof, Proof::Confirmed { .. }));
    let steps = &found.script.as_ref().unwrap().script.steps;
    assert!(steps.iter().any(sends_it), "{steps:?}");
    assert!(
        !outcome.crashed && outcome.tally.crashes == 0,
        "{outcome:?}"
    );
}

#[test]
fn who_kills_the_target_late_is_found_too() {
    let behind = Behind::start(Fate::DiesOf {
        byte: 0xA2,
        late: Duration::from_millis(300),
        back: true,
    });
    let patient = Options {
        scripts: None,
        inquiry: Duration::from_secs(90),
        time: Duration::from_mins(2),
        ..options()
    };
    // Not every script sends it: the first death ends the campaign.
    let (outcome, discoveries, _) = campaign_until(&behind, &patient, "target-died");
    let died = discoveries
        .iter()
        .find(|found| found.finding.rule == "target-died")
        .unwrap_or_else(|| panic!("{outcome:?}"));
    assert!(
        matches!(died.proof, Proof::Confirmed { .. }),
        "{}",
        died.class
    );
    let script = &died.script.as_ref().unwrap().script;
    assert!(script.steps.iter().any(sends_it), "{script:?}");
}
