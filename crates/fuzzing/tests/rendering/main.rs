//! A finding that is rendered is a scenario: it parses, is sound as scenarios go, fails on the broker with the fault, and
//! passes on one without.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod faulty;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use broker::Config;
use broker::core::Core;
use clauses::{ClauseId, clause};
use fuzzing::embedded::Player;
use fuzzing::minimise::minimise;
use fuzzing::observe::{Observer, Transcript};
use fuzzing::oracle::{Oracle, Strictness};
use fuzzing::scenario::{Told, render};
use fuzzing::script::{CLIENTS, Mix, Operation, Script, Step, TOKEN};
use fuzzing::self_test::{self, Fault, Plant, Planted};
use runner::event::{Event, Verdict};
use runner::target::{Address, Endpoints};
use runner::{At, Options, Plan, Selection};

/// Faults whose scenario passes in spite of them, and why.
const UNSEEN: [(Plant, &str); 2] = [
    (
        Plant::LeakPerMalformed,
        "what it holds is seen from inside alone",
    ),
    (
        Plant::LeakPerConnection,
        "what it holds is seen from inside alone",
    ),
];

fn rendered(fault: Fault) -> String {
    let mix = Mix {
        // What a scenario cannot say is not rendered.
        restarts: 0,
        ..Mix::default()
    };
    let outcome = self_test::hunt(fault, &mix, 0, Duration::from_mins(1));
    let found = outcome
        .found
        .unwrap_or_else(|| panic!("{fault} was not found"));
    let class = found.finding.class();
    let smallest = minimise(found.script, |script| {
        self_test::play(fault, script).is_some_and(|finding| finding.class() == class)
    });
    let finding = self_test::play(fault, &smallest).unwrap();
    // Where it shows only when all have left, whoever sees it stays.
    let mut script = smallest;
    let mut oracle = Oracle::new(Strictness::Exact);
    play(fault, &script, &mut oracle);
    if oracle.findings().is_empty() {
        let others = (0..CLIENTS).filter(|client| Some(*client) != finding.client);
        let close = |client| Step::new(client, Operation::Close);
        script.steps.extend(others.map(close));
    }
    let mut transcript = Transcript::default();
    play(fault, &script, &mut transcript);
    render(&Told {
        transcript: &transcript,
        finding: &finding,
        namespace: *TOKEN,
        strictness: Strictness::Exact,
        transports: &[],
        notes: &[format!("{fault}: {finding}")],
    })
}

/// Plays a script on the broker with the fault, as far as it comes.
fn play(fault: Fault, script: &Script, observer: &mut impl Observer) {
    // One that panics is followed up to there.
    let _ = catch_unwind(AssertUnwindSafe(|| match fault {
        Fault::Broken(clause) => {
            Player::new(Core::new(Config::breaking([clause]))).play(script, observer);
        }
        Fault::Planted(plant) => Player::new(Planted::new(plant)).play(script, observer),
    }));
}

/// The plan of a rendered scenario that cites this clause, if it can be said which.
fn plan(text: &str, clause: Option<ClauseId>) -> Result<Plan, String> {
    let mut text_of_it = String::new();
    for line in text.lines() {
        let _ = match clause {
            Some(clause) if line.starts_with("clauses: ") => {
                writeln!(text_of_it, "clauses: [{clause}]")
            }
            _ => writeln!(text_of_it, "{line}"),
        };
    }
    let scenario =
        scenario::parse("found/one.yaml", &text_of_it).map_err(|why| format!("{why:#?}"))?;
    Ok(Plan::new(&[Arc::new(scenario)], &Selection::default()))
}

/// What became of the plan there; that it passed, or how it failed.
fn played(plan: &Plan, at: &At) -> Result<(), String> {
    let mut verdict = Err("it was not played".to_owned());
    let outcome = runner::run(plan, at, &Options::default(), &mut |event| {
        if let Event::CaseFinished(report) = event {
            verdict = match report.verdict {
                Verdict::Pass | Verdict::Note => Ok(()),
                _ => {
                    let findings: Vec<_> = report.findings.iter().map(|f| &f.message).collect();
                    Err(format!("{:?} {findings:?}", report.verdict))
                }
            };
        }
    });
    match outcome {
        Ok(outcome) if outcome.crash.is_some() => Err("it is no more".to_owned()),
        Ok(_) => verdict,
        // It does not even serve who does nothing unusual.
        Err(error) => Err(error.to_string()),
    }
}

fn tell(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n----\n")
    );
}

#[test]
fn the_scenario_of_a_broken_rule_fails_where_it_is_broken_and_nowhere_else() {
    let mut wrong = Vec::new();
    for clause in [
        clause!("v5.0/MQTT-3.3.1-12"),
        clause!("v5.0/MQTT-3.12.4-1"),
        clause!("v5.0/MQTT-3.10.4-1"),
        clause!("v3.1.1/MQTT-3.8.4-6"),
        clause!("v5.0/MQTT-3.8.3-3"),
        clause!("v5.0/MQTT-3.3.4-9"),
        clause!("v5.0/MQTT-3.1.4-3"),
        clause!("v3.1.1/MQTT-3.3.1-8"),
        clause!("v3.1.1/MQTT-4.7.2-1"),
        clause!("v5.0/MQTT-1.5.5-1"),
        clause!("v5.0/MQTT-4.3.3-10"),
    ] {
        let text = rendered(Fault::Broken(clause));
        let plan = match plan(&text, Some(clause)) {
            Ok(plan) => plan,
            Err(why) => {
                wrong.push(format!("{text}\n{why}"));
                continue;
            }
        };
        if let Err(why) = played(&plan, &At::Embedded) {
            wrong.push(format!("{text}\non the sound broker: {why}"));
            continue;
        }
        let proofs = runner::prove(&plan, &Options::default(), &mut |_, _| ());
        let noticed = proofs
            .rules
            .iter()
            .find(|proof| proof.rule == broker::Breakable::Clause(clause));
        if noticed.is_none_or(|proof| proof.noticed.is_empty()) {
            wrong.push(format!("{text}\nit passes where {clause} is broken"));
        }
    }
    tell(&wrong);
}

#[test]
fn the_scenario_of_a_planted_fault_fails_on_it_and_nowhere_else() {
    let mut wrong = Vec::new();
    for plant in Plant::ALL {
        let unseen = UNSEEN.iter().any(|(exception, _)| *exception == plant);
        let text = rendered(Fault::Planted(plant));
        let plan = match plan(&text, None) {
            Ok(plan) => plan,
            Err(why) => {
                wrong.push(format!("{text}\n{why}"));
                continue;
            }
        };
        if let Err(why) = played(&plan, &At::Embedded) {
            wrong.push(format!("{text}\non the sound broker: {why}"));
        }
        let address = faulty::serve(plant).parse::<Address>().unwrap();
        let passes = played(&plan, &At::Address(Endpoints::from(address))).is_ok();
        if passes != unseen {
            wrong.push(format!("{text}\npasses with the fault: {passes}"));
        }
    }
    tell(&wrong);
}
