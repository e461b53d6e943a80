//! What is told of a baseline file that cannot be used.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use runner::{Baseline, BaselineError};
use scenario::{Style, render};

fn refusal(text: &str) -> String {
    match Baseline::parse("baseline.yaml", text).unwrap_err() {
        BaselineError::Faulty { file, faults } => {
            let faults = faults
                .iter()
                .map(|fault| render(fault, &file, Style::Plain));
            faults.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

#[test]
fn an_empty_baseline_knows_nothing() {
    assert!(Baseline::parse("baseline.yaml", "").is_ok());
    assert!(Baseline::parse("baseline.yaml", "# none so far\n").is_ok());
    assert!(Baseline::parse("baseline.yaml", "[]").is_ok());
}

#[test]
fn every_fault_is_told_with_its_place() {
    let faults = [
        "- case: a/b\n  reason: x\n  claus: y\n",
        "- case: a/b\n",
        "- csae: a/b\n",
        "- where: a/b\n",
        "- a/b\n",
        "case: a/b\n",
        "- { case: a/b, reason: x\n",
        "- case: a/b\n  reason: ' '\n",
        "- case: a/b\n  reason: x\n  clause: v5.0/MQTT-3.1.0-22\n- { case: '', reason: é } # both are told\n",
    ]
    .map(refusal);
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn a_missing_file_is_told() {
    let error = Baseline::load(Path::new("no/such/baseline.yaml")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read the baseline no/such/baseline.yaml: ")
    );
}
