//! A finding that is rendered is a scenario: it parses, is sound as scenarios go, and passes on a broker without the fault.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use broker::Config;
use broker::core::Core;
use clauses::clause;
use fuzzing::embedded::Player;
use fuzzing::minimise::minimise;
use fuzzing::observe::Transcript;
use fuzzing::oracle::Strictness;
use fuzzing::scenario::{Told, render};
use fuzzing::script::{Mix, TOKEN};
use fuzzing::self_test::{self, Fault, Plant, Planted};
use runner::event::{Event, Verdict};
use runner::{At, Options, Plan, Selection};

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
    let mut transcript = Transcript::default();
    match fault {
        Fault::Broken(clause) => {
            Player::new(Core::new(Config::breaking([clause]))).play(&smallest, &mut transcript);
        }
        Fault::Planted(plant) => {
            Player::new(Planted::new(plant)).play(&smallest, &mut transcript);
        }
    }
    render(&Told {
        transcript: &transcript,
        finding: &finding,
        namespace: *TOKEN,
        strictness: Strictness::Exact,
        notes: &[format!("{fault}: {finding}")],
    })
}

#[test]
fn findings_become_scenarios_that_pass_where_nothing_is_wrong() {
    let faults = [
        Fault::Broken(clause!("v5.0/MQTT-3.3.1-12")),
        Fault::Broken(clause!("v5.0/MQTT-3.12.4-1")),
        Fault::Broken(clause!("v5.0/MQTT-3.10.4-1")),
        Fault::Broken(clause!("v3.1.1/MQTT-3.8.4-6")),
        Fault::Planted(Plant::DoublesQos2),
        Fault::Planted(Plant::WillAfterDisconnect),
        Fault::Planted(Plant::PlusMatchesAll),
        Fault::Planted(Plant::KeepsTakenOver),
        Fault::Planted(Plant::LosesPubrec),
    ];
    let mut wrong = Vec::new();
    for fault in faults {
        let text = rendered(fault);
        let scenario = match scenario::parse("found/one.yaml", &text) {
            Ok(scenario) => Arc::new(scenario),
            Err(diagnostics) => {
                wrong.push(format!("{text}\n{diagnostics:#?}"));
                continue;
            }
        };
        let plan = Plan::new(&[scenario], &Selection::default());
        let played = runner::run(&plan, &At::Embedded, &Options::default(), &mut |event| {
            if let Event::CaseFinished(report) = event
                && !matches!(report.verdict, Verdict::Pass | Verdict::Note)
            {
                let findings: Vec<_> = report.findings.iter().map(|f| &f.message).collect();
                wrong.push(format!("{text}\n{:?} {findings:?}", report.verdict));
            }
        });
        assert!(played.is_ok());
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n----\n")
    );
}
