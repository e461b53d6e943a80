//! What the tests of runs share: plans made from text, and runs that keep what was told.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod relay;

use std::sync::Arc;
use std::time::Duration;

use runner::event::{CaseReport, Crash, Event, RunSummary, Verdict};
use runner::{AdmissionError, At, Options, Outcome, Plan, Selection};

/// A plan of scenarios written here: (name such as `chapter/file`, text).
pub fn plan(scenarios: &[(&str, &str)]) -> Plan {
    let scenarios: Vec<_> = scenarios
        .iter()
        .map(|(name, text)| {
            let parsed = scenario::parse(&format!("scenarios/{name}.yaml"), text);
            Arc::new(parsed.unwrap_or_else(|faults| panic!("{name}: {faults:?}")))
        })
        .collect();
    let selection = Selection {
        whole_suite: true,
        ..Selection::default()
    };
    Plan::new(&scenarios, &selection)
}

/// What a run told.
#[derive(Debug, Default)]
pub struct Told {
    pub started: Vec<String>,
    pub reports: Vec<CaseReport>,
    pub crashes: Vec<Crash>,
    pub notices: Vec<String>,
    pub summary: Option<RunSummary>,
}

impl Told {
    pub fn hear(&mut self, event: Event) {
        match event {
            Event::RunStarted(_) | Event::RoundFinished(_) => {}
            Event::CaseStarted(info) => self.started.push(info.name.clone()),
            Event::CaseFinished(report) => {
                assert!(
                    self.started.contains(&report.case.name),
                    "finished before it started"
                );
                self.reports.push(*report);
            }
            Event::Notice(text) => self.notices.push(text),
            Event::TargetCrashed(crash) => self.crashes.push(crash),
            Event::RunFinished(summary) => {
                assert!(self.summary.is_none(), "the run finished twice");
                self.summary = Some(summary);
            }
        }
    }

    /// The verdict on the one case whose name begins like this.
    pub fn verdict(&self, name: &str) -> &Verdict {
        let mut fitting = self
            .reports
            .iter()
            .filter(|report| report.case.name.starts_with(name));
        let report = fitting
            .next()
            .unwrap_or_else(|| panic!("no report of {name}"));
        assert!(fitting.next().is_none(), "two reports of {name}");
        &report.verdict
    }
}

/// Plays a plan and keeps what was told.
pub fn play(plan: &Plan, at: &At, options: &Options) -> (Result<Outcome, AdmissionError>, Told) {
    let mut told = Told::default();
    let outcome = runner::run(plan, at, options, &mut |event| told.hear(event));
    (outcome, told)
}

/// Options for targets that answer at once or never.
pub fn brisk() -> Options {
    Options {
        answer: Duration::from_millis(300),
        ..Options::default()
    }
}
