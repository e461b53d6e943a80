//! Ctrl-C: the results so far are not lost.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::assay::Running;
use crate::broker::port;

const LONG: &str = "\
title: A client that waits for long is served afterwards
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a: { keep_alive: 0 }]
steps:
  - wait: 10m
  - a pings
";

const SHORT: &str = "\
title: A PINGREQ is answered
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

#[test]
fn ctrl_c_stops_a_run_with_its_results_so_far() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("ping")).unwrap();
    fs::write(folder.path().join("ping/long.yaml"), LONG).unwrap();
    fs::write(folder.path().join("ping/short.yaml"), SHORT).unwrap();
    let mut broker = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let target = format!("mqtt://127.0.0.1:{}", port(&broker.line()));

    let arguments = [
        "run",
        "ping",
        "--target",
        &target,
        "--json",
        "run.json",
        "--junit",
        "junit.xml",
    ];
    let mut running = Running::start(folder.path(), &arguments);
    assert!(running.line().starts_with("Playing 2 cases"));
    // Both cases have begun when the program says so; the long one cannot end by itself.
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(130), "{said}");
    assert!(said.stdout.contains("not played: interrupted."), "{said}");
    assert!(
        said.stdout
            .contains("Reports, with the results so far: junit.xml, run.json"),
        "{said}"
    );

    let json = fs::read_to_string(folder.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["interrupted"], &json["finished"]),
        (&true.into(), &false.into())
    );
    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let error = document
        .descendants()
        .find(|node| node.has_tag_name("error"));
    assert_eq!(
        error.and_then(|error| error.attribute("type")),
        Some("interrupted"),
        "{xml}"
    );
}
