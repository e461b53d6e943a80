//! What `--replay` writes plays: each case of the suite, replayed as a scenario, meets on the reference broker what it met
//! before.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[cfg(target_os = "linux")]
mod shell;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use runner::event::{CaseReport, Event, Verdict};
use runner::{At, Options, Plan, Selection};
use scenario::{Scenario, Style};

/// What an exchange cannot show, and in which cases, by the beginnings of their names.
const BEYOND: [(&str, &[&str]); 8] = [
    (
        "the level that tells cases apart stands among bytes that are written in hex",
        &[
            "topics/byte-order-mark-is-kept",
            "malformed/disallowed-characters",
        ],
    ),
    ("a challenge is another each time", &["authentication/"]),
    (
        "that the target was restarted is no packet",
        &["retain/outlives-a-restart-in-3-1", "session/restart"],
    ),
    (
        "what the sound CONNECT would have held beside the fault was never sent",
        &[
            "connect/no-credentials",
            "connect/password-without-user-name",
            "connect/will-property-twice",
        ],
    ),
    (
        "a client that is not listed speaks the version of the case",
        &[
            "session/takeover[was=",
            "session/retain-as-published-ends-with-5-0",
        ],
    ),
    (
        "a scenario may hold only so many values",
        &["qos/messages-arrive-in-order"],
    ),
    (
        "what frames packets came in, and what was written to a connection that had ended",
        &[
            "websocket/only-binary-frames",
            "keep-alive/half-a-packet-does-not-count",
        ],
    ),
    (
        "a topic that an alias stands for, and a case that speaks for no clause of its own",
        &[
            "publish/topic-alias-from-the-server",
            "shared-subscriptions/no-retained-messages",
        ],
    ),
];

fn suite() -> Vec<Arc<Scenario>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut scenarios = Vec::new();
    for chapter in fs::read_dir(folder).unwrap() {
        let chapter = chapter.unwrap().path();
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(&chapter).unwrap() {
            let file = file.unwrap().path();
            if file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let text = fs::read_to_string(&file).unwrap();
                let part = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
                let name = format!("scenarios/{}/{}", part(&chapter), part(&file));
                let beside = |other: &str| fs::read(file.with_file_name(other));
                let parsed = scenario::parse_with(&name, &text, &beside);
                scenarios.push(Arc::new(parsed.unwrap()));
            }
        }
    }
    scenarios
}

fn play(plan: &Plan) -> Vec<CaseReport> {
    play_at(plan, &At::Embedded)
}

fn play_at(plan: &Plan, at: &At) -> Vec<CaseReport> {
    let mut reports = Vec::new();
    let told = runner::run(plan, at, &Options::default(), &mut |event| {
        if let Event::CaseFinished(report) = event {
            reports.push(*report);
        }
    });
    told.unwrap();
    reports
}

fn passed(report: &CaseReport) -> bool {
    matches!(report.verdict, Verdict::Pass | Verdict::Note)
}

#[test]
fn what_was_replayed_is_met_again() {
    let plan = Plan::new(&suite(), &Selection::default());
    let cases: BTreeMap<&str, _> = plan
        .cases()
        .iter()
        .map(|case| (case.name.as_str(), case))
        .collect();
    let mut scenarios = Vec::new();
    let mut originals = BTreeMap::new();
    let mut wrong = Vec::new();
    for report in play(&plan)
        .into_iter()
        .filter(|report| passed(report) && !report.trace.is_empty())
    {
        let name = report.case.name.rsplit_once('/').unwrap().0.to_owned();
        let case = cases[name.as_str()];
        let text = report::replay_as_scenario(&report, &case.requires, case.scenario.alone);
        let file = format!("scenarios/replay/{}.yaml", originals.len());
        originals.insert(file.clone(), name.clone());
        let complain = |faults: &[scenario::Diagnostic]| {
            let source = scenario::Source {
                name: name.clone(),
                text: text.clone(),
            };
            let faults = faults
                .iter()
                .map(|fault| scenario::render(fault, &source, Style::Plain));
            faults.collect::<Vec<_>>().join("\n")
        };
        match scenario::parse(&file, &text) {
            Ok(parsed) => {
                let faults = scenario::check(&parsed);
                let errors: Vec<_> = faults
                    .into_iter()
                    .filter(scenario::Diagnostic::is_error)
                    .collect();
                if errors.is_empty() {
                    scenarios.push(Arc::new(parsed));
                } else {
                    wrong.push(complain(&errors));
                }
            }
            Err(faults) => wrong.push(complain(&faults)),
        }
    }
    let all = originals.len();
    let replayed = Plan::new(&scenarios, &Selection::default());
    for report in play(&replayed).iter().filter(|report| !passed(report)) {
        let name = &originals[&report.case.source.name];
        let told = match report.findings.first() {
            Some(finding) => format!(
                "{}: {}",
                report.case.source.locate(finding.span),
                finding.message
            ),
            None => format!("{:?}", report.verdict),
        };
        wrong.push(format!("{name}: {told}"));
    }
    wrong.retain(|told| {
        !BEYOND
            .iter()
            .any(|(_, names)| names.iter().any(|name| told.contains(name)))
    });
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
