//! What is told of a baseline file that cannot be used.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use runner::Baseline;

fn refusal(text: &str) -> String {
    Baseline::parse("baseline.yaml", text)
        .unwrap_err()
        .to_string()
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
        "- case: a/b\n  reason: x\n  clause: v5.0/MQTT-3.1.0-22\n",
    ]
    .map(refusal);
    insta::assert_snapshot!(faults.join("\n"), @r"
    baseline.yaml:3:3: unknown key `claus`; did you mean `clause`?
    baseline.yaml:1:3: missing field `reason`; a baseline is a list of `- { case: …, reason: …, clause: … }`
    baseline.yaml:1:3: unknown key `csae`; did you mean `case`?
    baseline.yaml:1:3: unknown key `where`; known are `case`, `reason`, `clause`
    baseline.yaml:1:3: an entry must be a map of keys and values; a baseline is a list of `- { case: …, reason: …, clause: … }`
    baseline.yaml:1:1: a list must stand here, each entry behind a `- `; a baseline is a list of `- { case: …, reason: …, clause: … }`
    baseline.yaml:1:3: unclosed bracket '{'; a baseline is a list of `- { case: …, reason: …, clause: … }`
    baseline.yaml:2:11: `reason` is empty; say in a sentence why the deviation is accepted
    baseline.yaml:3:11: the register has no clause `v5.0/MQTT-3.1.0-22`; did you mean `v5.0/MQTT-3.1.0-2`?
    ");
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
