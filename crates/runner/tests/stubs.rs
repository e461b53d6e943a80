//! Plays the whole suite on brokers that are wrong on purpose: what passes there proves nothing, unless it is listed
//! in `src/stub/rightly_passing.yaml` with the reason why it passes rightly.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner::event::Verdict;
use runner::stub::Stub;
use runner::{At, Options, Plan, Selection};
use support::play;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(path);
        }
    }
}

/// Every case of the suite.
fn suite() -> Plan {
    let mut paths = Vec::new();
    files(&root().join("scenarios"), &mut paths);
    paths.sort();
    let scenarios: Vec<_> = paths
        .iter()
        .map(|path| {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let text = fs::read_to_string(path).unwrap();
            let beside = |file: &str| fs::read(path.with_file_name(file));
            Arc::new(
                scenario::parse_with(&name, &text, &beside)
                    .unwrap_or_else(|faults| panic!("{name}: {faults:#?}")),
            )
        })
        .collect();
    Plan::new(&scenarios, &Selection::default())
}

fn nothing_passes_unless_listed(stub: Stub) {
    let plan = suite();
    assert!(plan.len() > 60, "the suite is there");
    let listed = stub.rightly_passing().iter();
    let listed: Vec<_> = listed.map(|entry| &entry.cases).collect();
    // A warning has noticed what is wrong; strictly, it is a failure.
    let options = Options {
        strict: true,
        ..Options::default()
    };
    let (outcome, told) = play(&plan, &At::Stub(stub), &options);
    assert_eq!(
        outcome.unwrap().totals.cases(),
        plan.len(),
        "every case got a verdict"
    );

    let mut faults = String::new();
    let mut used = vec![false; listed.len()];
    for report in &told.reports {
        let name = &report.case.name;
        let passes = matches!(
            report.verdict,
            Verdict::Pass | Verdict::Note | Verdict::Warn
        );
        let entry = listed.iter().position(|filter| filter.matches(name));
        if let Some(entry) = entry {
            used[entry] |= passes;
        }
        match (passes, entry) {
            (true, None) => writeln!(faults, "passes and is not listed: {name}").unwrap(),
            (false, Some(entry)) if !matches!(report.verdict, Verdict::Skip { .. }) => writeln!(
                faults,
                "listed as {} and does not pass ({:?}): {name}",
                listed[entry].as_str(),
                report.verdict
            )
            .unwrap(),
            _ => {}
        }
        if let Verdict::Untested { reason } = &report.verdict
            && reason.contains("fault of the harness")
        {
            writeln!(faults, "{name}: {reason}").unwrap();
        }
    }
    for (filter, used) in listed.iter().zip(used) {
        if !used {
            writeln!(
                faults,
                "listed, and fits no case that passes: {}",
                filter.as_str()
            )
            .unwrap();
        }
    }
    assert!(faults.is_empty(), "on the stub {}:\n{faults}", stub.name());
}

#[test]
fn nothing_passes_on_a_broker_that_closes_at_once() {
    nothing_passes_unless_listed(Stub::Closer);
}

#[test]
fn nothing_passes_on_a_broker_that_never_writes() {
    nothing_passes_unless_listed(Stub::Mute);
}

#[test]
fn nothing_passes_on_a_broker_that_answers_connect_only() {
    nothing_passes_unless_listed(Stub::ConnackOnly);
}

#[test]
fn only_what_is_listed_passes_on_a_broker_that_says_yes_to_everything() {
    nothing_passes_unless_listed(Stub::YesMan);
}
