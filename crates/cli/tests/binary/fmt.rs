//! `fmt` and `schema`: the form of scenarios.

use std::fs;

use crate::assay::{assay, assay_in};

const CROOKED: &str = "\
title:   A PINGREQ is answered
clauses: [ v5.0/MQTT-3.12.4-1 ]
# Who asks.
clients: [a]
steps:
    - a pings
";

#[test]
fn check_names_what_fmt_would_change_and_fmt_changes_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ping.yaml");
    fs::write(&path, CROOKED).unwrap();

    let said = assay_in(folder.path(), &["fmt", "--check", "ping.yaml"]);
    assert_eq!(
        (said.status, said.stdout.as_str()),
        (Some(1), "ping.yaml\n"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), CROOKED);

    let said = assay_in(folder.path(), &["fmt", "."]);
    assert_eq!(said.status, Some(0), "{said}");
    let straight = fs::read_to_string(&path).unwrap();
    assert_ne!(straight, CROOKED);
    assert!(straight.contains("# Who asks."), "{straight}");

    let said = assay_in(folder.path(), &["fmt", "--check", "."]);
    assert_eq!(said.status, Some(0), "{said}");
}

#[test]
fn what_is_no_yaml_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.yaml");
    fs::write(&path, "title: [\n").unwrap();
    let said = assay_in(folder.path(), &["fmt", "."]);
    assert_eq!(said.status, Some(2), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "title: [\n");
}

#[test]
fn the_schema_is_json() {
    let said = assay(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(
        schema["$schema"]
            .as_str()
            .unwrap()
            .contains("json-schema.org")
    );
}
