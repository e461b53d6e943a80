//! `--junit` and `--json`: the same run, three times told.

use std::fs;

use crate::assay::assay_in;

#[test]
fn console_junit_and_json_count_alike() {
    let folder = tempfile::tempdir().unwrap();
    let said = assay_in(
        folder.path(),
        &[
            "run",
            "--filter",
            "ping/",
            "--junit",
            "junit.xml",
            "--json",
            "run.json",
        ],
    );
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout.ends_with("Reports: junit.xml, run.json\n"),
        "{said}"
    );

    let json = fs::read_to_string(folder.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["finished"], true);
    let cases = json["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    assert!(
        said.stdout.contains(&format!("{} cases in ", cases.len())),
        "{said}"
    );

    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let mut names: Vec<_> = document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .map(|node| node.attribute("name").unwrap())
        .collect();
    names.sort_unstable();
    let json_names: Vec<_> = cases
        .iter()
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, json_names);
    // Every packet of a case stands in the report as it stood on the wire.
    let trace = cases[0]["trace"].as_array().unwrap();
    assert!(
        trace
            .iter()
            .any(|entry| entry["bytes"] == "c0 00" && entry["event"] == "sent"),
        "{trace:?}"
    );
}

#[test]
fn a_run_on_the_reference_broker_is_told_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        let said = assay_in(folder.path(), &["run", "--filter", "subscribe/"]);
        // Only the wall time differs.
        let lines = said
            .stdout
            .lines()
            .map(|line| line.split(" cases in ").next().unwrap().to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
