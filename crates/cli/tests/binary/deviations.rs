//! A broker that breaks one rule: the deviation as people see it, and what options make of it.

use std::fs;
use std::path::Path;

use crate::assay::{Running, Said, assay_in};
use crate::broker::port;

/// A message is passed on with RETAIN 0 to a subscription that was there before it.
const CLAUSE: &str = "v5.0/MQTT-3.3.1-12";

const SCENARIO: &str = "\
title: A message to a subscription that was there before it has RETAIN 0
clauses: [v3.1.1/MQTT-3.3.1-9, v5.0/MQTT-3.3.1-12]
clients: [a]
steps:
  - a subscribes: { filter: <t> }
  - a publishes: { topic: <t>, payload: news, retain: true, qos: 1 }
  - a receives: { topic: <t>, payload: news, retain: false }
    why: RETAIN 1 would say that the message was kept for this subscription.
";

/// Plays the scenario on a broker with the clause broken.
fn play(folder: &Path, options: &[&str]) -> Said {
    let mut broker = Running::start(
        folder,
        &["broker", "--listen", "127.0.0.1:0", "--break", CLAUSE],
    );
    let target = format!("mqtt://127.0.0.1:{}", port(&broker.line()));
    fs::create_dir_all(folder.join("retain")).unwrap();
    fs::write(folder.join("retain/news.yaml"), SCENARIO).unwrap();
    assay_in(
        folder,
        &[&["run", "retain", "--target", &target], options].concat(),
    )
}

fn assert_told(name: &str, said: &Said) {
    let filters = vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
        (r" +# \d+\.\d{3}", ""),
        (r"in [\d.]+ .?s \([\d.]+ .?s a case\)", "in [time]"),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(name, said); });
}

#[test]
fn a_deviation_shows_the_line_the_clause_and_the_exchange() {
    let folder = tempfile::tempdir().unwrap();
    assert_told("a_deviation", &play(folder.path(), &[]));
}

#[test]
fn quietly() {
    let folder = tempfile::tempdir().unwrap();
    assert_told("quietly", &play(folder.path(), &["--quiet"]));
}

#[test]
fn a_baseline_knows_it_and_tells_what_is_stale() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("known.yaml");
    fs::write(
        &baseline,
        "- case: retain/news@v5.0*\n  reason: It passes the flag on.\n",
    )
    .unwrap();
    let said = play(folder.path(), &["--baseline", "known.yaml"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout.contains("  1× It passes the flag on."),
        "{said}"
    );
    assert!(
        said.stdout.contains("No new deviation on mqtt://"),
        "{said}"
    );

    fs::write(
        &baseline,
        "- case: retain/news@*\n  reason: It passes the flag on.\n",
    )
    .unwrap();
    let said = play(folder.path(), &["--baseline", "known.yaml"]);
    assert_eq!(said.status, Some(1), "{said}");
    assert!(
        said.stdout
            .contains("Fixed: the baseline lists them, and they passed."),
        "{said}"
    );
    assert!(said.stdout.contains("  retain/news@v3.1.1/tcp\n"), "{said}");
}

#[test]
fn the_first_failure_can_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let axis = SCENARIO.replace(
        "clients:",
        "each: { x: [1, 2, 3, 4, 5, 6, 7, 8] }\nclients:",
    );
    fs::create_dir_all(folder.path().join("more")).unwrap();
    fs::write(
        folder.path().join("more/news.yaml"),
        axis.replace("payload: news", "payload: <x>"),
    )
    .unwrap();
    let said = play(
        folder.path(),
        &["more", "--versions", "v5.0", "--jobs", "1", "--fail-fast"],
    );
    assert_eq!(said.status, Some(1), "{said}");
    assert!(
        said.stdout.contains(" not played: the run ended early."),
        "{said}"
    );
}

#[test]
fn a_clause_that_is_broken_in_one_place_is_kept_in_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let place = "v5.0/MQTT-2.2.1-3/UNSUBSCRIBE.id";
    let mut broker = Running::start(
        folder.path(),
        &["broker", "--listen", "127.0.0.1:0", "--break", place],
    );
    let target = format!("mqtt://127.0.0.1:{}", port(&broker.line()));
    assert_eq!(broker.line(), format!("It disobeys {place}"));
    let run = [
        "run",
        "--filter",
        "malformed/packet-id-0",
        "--versions",
        "v5.0",
        "--target",
        &target,
    ];
    let told = assay_in(folder.path(), &run).to_string();
    assert!(told.contains("4 cases"), "{told}");
    assert!(told.contains("3 passed, 1 failed"), "{told}");
    assert!(told.contains("packet-id-0[packet=UNSUBSCRIBE"), "{told}");
}
