//! What is told of a baseline file that cannot be used.

use std::path::Path;

use runner::Baseline;

fn refusal(text: &str) -> String {
    Baseline::parse("baseline.yaml", text).unwrap_err().to_string()
}

#[test]
fn an_empty_baseline_knows_nothing() {
    assert!(Baseline::parse("baseline.yaml", "").is_ok());
    assert!(Baseline::parse("baseline.yaml", "# none so far\n").is_ok());
    assert!(Baseline::parse("baseline.yaml", "[]").is_ok());
}

#[test]
fn every_fault_is_told_with_its_place() {
    insta::assert_snapshot!(refusal("- case: a/b\n  reason: x\n  claus: y\n"), @"");
    insta::assert_snapshot!(refusal("- case: a/b\n"), @"");
    insta::assert_snapshot!(refusal("case: a/b\n"), @"");
    insta::assert_snapshot!(refusal("- { case: a/b, reason: x\n"), @"");
    insta::assert_snapshot!(refusal("- case: a/b\n  reason: ' '\n"), @"");
    insta::assert_snapshot!(refusal("- case: a/b\n  reason: x\n  clause: v5.0/MQTT-3.1.0-22\n"), @"");
}

#[test]
fn a_missing_file_is_told() {
    let error = Baseline::load(Path::new("no/such/baseline.yaml")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read the baseline no/such/baseline.yaml: "));
}
