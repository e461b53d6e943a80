//! Scenarios, paths and options that cannot be used: each is told with its place and what to do, and ends with 2.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::assay::{Said, assay, assay_in};

const SOUND: &str = "\
title: A PINGREQ is answered
clauses: [v3.1.1/MQTT-3.12.4-1, v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a -> PINGREQ
  - a <- PINGRESP
";

/// Plays one file with this text.
fn play(text: impl AsRef<[u8]>) -> Said {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("ping")).unwrap();
    fs::write(folder.path().join("ping/answered.yaml"), text).unwrap();
    assay_in(folder.path(), &["run", "ping"])
}

#[test]
fn a_sound_scenario_is_played() {
    let said = play(SOUND);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout
            .contains("Playing 2 cases on the embedded reference broker."),
        "{said}"
    );
}

#[test]
fn a_typo_in_a_key() {
    insta::assert_snapshot!(play(SOUND.replace("clients", "cleints")));
}

#[test]
fn a_typo_in_a_packet_name() {
    insta::assert_snapshot!(play(SOUND.replace("-> PINGREQ", "-> PINREQ")));
}

#[test]
fn a_typo_in_a_clause() {
    insta::assert_snapshot!(play(
        SOUND.replace("v5.0/MQTT-3.12.4-1", "v5.0/MQTT-3.12.4-11")
    ));
}

#[test]
fn a_typo_in_a_field() {
    insta::assert_snapshot!(play(SOUND.replace(
        "  - a -> PINGREQ\n",
        "  - a publishes: { topci: <t>, payload: x }\n"
    )));
}

#[test]
fn an_empty_file() {
    insta::assert_snapshot!(play(""));
}

#[test]
fn a_file_that_is_no_text() {
    insta::assert_snapshot!(play(b"title: x\n\xff\xfe\0"));
}

#[test]
fn every_error_of_every_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("one.yaml"),
        SOUND.replace("clients", "cleints"),
    )
    .unwrap();
    fs::write(
        folder.path().join("two.yaml"),
        SOUND.replace("title", "titel"),
    )
    .unwrap();
    let said = assay_in(folder.path(), &["run", "."]);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(
        said.stderr.contains("one.yaml") && said.stderr.contains("two.yaml"),
        "{said}"
    );
    assert!(
        said.stderr
            .contains("in 2 scenario files; nothing was played"),
        "{said}"
    );
}

#[test]
fn a_yaml_bomb_is_defused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = level - 1;
        let list = vec![format!("*a{below}"); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{list}]").unwrap();
    }
    let began = Instant::now();
    let said = play(bomb + SOUND);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.contains("ping/answered.yaml"), "{said}");
    assert!(
        said.stderr.contains(" more in ping/answered.yaml\n"),
        "{said}"
    );
    assert!(said.stderr.lines().count() < 100, "{said}");
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_mountain_of_brackets_is_refused() {
    let said = play("[".repeat(100_000));
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.len() < 4_000, "{said}");
}

#[test]
fn a_folder_without_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    insta::assert_snapshot!(assay_in(folder.path(), &["run", "empty"]));
}

#[test]
fn a_path_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("retain")).unwrap();
    insta::assert_snapshot!(assay_in(folder.path(), &["run", "retian"]));
}

#[test]
fn a_filter_that_nothing_fits() {
    insta::assert_snapshot!(assay(&["run", "--filter", "ping/anwsered"]));
}

#[test]
fn a_filter_for_a_clause_that_there_is_not() {
    insta::assert_snapshot!(assay(&["run", "--filter", "v5.0/MQTT-3.12.4-111"]));
}

#[test]
fn an_address_that_is_none() {
    insta::assert_snapshot!(assay(&["run", "--target", "localhost:1883"]));
}

#[test]
fn an_unwritable_report_is_told_before_anything_is_played() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(assay_in(
        folder.path(),
        &["run", "--junit", "missing/junit.xml"]
    ));
    insta::assert_snapshot!(assay_in(folder.path(), &["run", "--json", "."]));
}

#[test]
fn two_reports_in_one_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(assay_in(
        folder.path(),
        &["run", "--json", "same", "--junit", "./same"]
    ));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_was_not_written_is_not_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = assay_in(
        folder.path(),
        &[
            "run",
            "--filter",
            "ping/",
            "--json",
            "/dev/full",
            "--junit",
            "junit.xml",
        ],
    );
    assert_eq!(said.status, Some(2), "{said}");
    assert!(
        said.stderr.contains("cannot write the report `/dev/full`"),
        "{said}"
    );
    assert!(said.stdout.ends_with("\nReports: junit.xml\n"), "{said}");
}

#[test]
fn a_number_of_jobs_that_is_none() {
    for jobs in ["0", "x", "-1"] {
        let said = assay(&["run", &format!("--jobs={jobs}")]);
        assert_eq!(said.status, Some(2), "{said}");
        assert!(
            said.stderr.contains("it must be a whole number from 1 on"),
            "{said}"
        );
    }
}

#[test]
fn a_control_character_in_a_scenario_and_in_its_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a\u{1b}[31m\nb.yaml"),
        SOUND.replace("[a]", "\u{1b}[2J"),
    )
    .unwrap();
    let said = assay_in(folder.path(), &["check", "."]);
    insta::assert_snapshot!(said);
}

#[test]
fn a_baseline_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        &b"- csae: a\n"[..],
        b"case: a\n",
        b"- case: \xff\n",
        b"- { case: a, reason: '' }\n- { case: a, reason: x, clause: v5.0/MQTT-3.1.0-22 }\n",
    ] {
        fs::write(folder.path().join("known.yaml"), text).unwrap();
        insta::assert_snapshot!(assay_in(
            folder.path(),
            &["run", "--baseline", "known.yaml"]
        ));
    }
}

#[test]
fn a_baseline_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let said = assay_in(folder.path(), &["run", "--baseline", "known.yaml"]);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.contains("known.yaml"), "{said}");
}

#[test]
fn check_counts_and_run_agrees() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.yaml"), SOUND).unwrap();
    let said = assay_in(folder.path(), &["check", "good.yaml"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stderr
            .ends_with("1 scenario: nothing to complain about\n"),
        "{said}"
    );

    fs::write(
        folder.path().join("bad.yaml"),
        SOUND.replace("steps", "stepps"),
    )
    .unwrap();
    let said = assay_in(folder.path(), &["check", "."]);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.contains("\n2 scenarios: "), "{said}");
    assert!(said.stderr.contains("bad.yaml"), "{said}");
}

#[test]
fn the_scenarios_that_come_with_the_program_are_sound() {
    let said = assay(&["check", "--deny-warnings"]);
    assert_eq!(said.status, Some(0), "{said}");
}

#[test]
fn two_brokers_at_once() {
    for aims in [
        ["--target", "mqtt://127.0.0.1:1", "--launch", "mosquitto"],
        ["--target", "mqtt://127.0.0.1:1", "--profile", "broker.yaml"],
        ["--profile", "broker.yaml", "--launch", "mosquitto"],
    ] {
        let said = assay(&[&["run"][..], &aims].concat());
        assert_eq!(said.status, Some(2), "{said}");
        assert!(said.stderr.contains("cannot be used with"), "{said}");
    }
}
