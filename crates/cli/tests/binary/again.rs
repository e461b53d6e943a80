//! `--record`, `report`, `--repeat`, `--partition` and `--write-baseline`: a run told again, in rounds, in parts.

use std::fs;
use std::path::Path;

use crate::assay::{Said, assay_in};

const BOTH: &str = "\
title: A PINGREQ is answered, and a message is not
clauses: [v3.1.1/MQTT-3.12.4-1, v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
  - a publishes: { topic: <t>, payload: x }
  - in v5.0:
      - a <- PUBLISH within 1s: { topic: <t> }
";

/// The text without what says how long it took.
fn without_times(text: &str) -> String {
    let line = |line: &str| match line.split_once(" cases in ") {
        Some((cases, rest)) => {
            let (_, counts) = rest.split_once("): ").unwrap();
            format!("{cases} cases: {counts}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn in_folder(folder: &Path, arguments: &str) -> Said {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    assay_in(folder, &arguments)
}

#[test]
fn what_was_recorded_is_reported_as_the_run_was() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("both.yaml"), BOTH).unwrap();
    let reports =
        |prefix: &str| format!("--json {prefix}.json --junit {prefix}.xml --html {prefix}.html");
    let run = in_folder(
        folder.path(),
        &format!("run both.yaml --record run.jsonl {}", reports("run")),
    );
    assert_eq!(run.status, Some(1), "{run}");
    let again = in_folder(
        folder.path(),
        &format!("report run.jsonl {}", reports("again")),
    );
    assert_eq!(again.status, run.status, "{again}");
    let told = |said: &Said| said.stdout.split("\nReports: ").next().unwrap().to_owned();
    assert_eq!(told(&again), told(&run));
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for kind in ["json", "xml", "html"] {
        assert_eq!(
            text(&format!("again.{kind}")),
            text(&format!("run.{kind}")),
            "{kind}"
        );
    }
}

#[test]
fn parts_are_reported_as_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    // An entry of the baseline that fits a case of another part is not stale, and one that fits none is, in each part.
    fs::write(
        folder.path().join("known.yaml"),
        "- { case: 'will/*', reason: x }\n- { case: 'gone/*', reason: x }\n",
    )
    .unwrap();
    let run = "run --filter ping/";
    for number in 1..=2 {
        let part = in_folder(
            folder.path(),
            &format!("{run} --partition {number}/2 --record {number}.jsonl"),
        );
        assert_eq!(part.status, Some(0), "{part}");
    }
    let whole = in_folder(folder.path(), run);
    let merged = in_folder(folder.path(), "merge 1.jsonl 2.jsonl");
    assert_eq!(merged.status, Some(0), "{merged}");
    assert_eq!(without_times(&merged.stdout), without_times(&whole.stdout));

    let half = in_folder(folder.path(), "report 1.jsonl 1.jsonl");
    assert_eq!(half.status, Some(2), "{half}");
    assert!(half.stderr.contains("are both part 1/2"), "{half}");
}

#[test]
fn a_draft_baseline_accepts_what_was_seen_and_says_that_nobody_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("both.yaml"), BOTH).unwrap();
    let first = in_folder(folder.path(), "run both.yaml --write-baseline known.yaml");
    assert_eq!(first.status, Some(1), "{first}");
    let known = fs::read_to_string(folder.path().join("known.yaml")).unwrap();
    assert!(known.contains("@v5.0/*"), "{known}");
    let second = in_folder(folder.path(), "run both.yaml --baseline known.yaml");
    assert_eq!(second.status, Some(0), "{second}");
    assert!(
        second
            .stdout
            .contains("1 entry of the baseline still says `To be read:`"),
        "{second}"
    );
    let third = in_folder(folder.path(), "run both.yaml --write-baseline known.yaml");
    assert_eq!(third.status, Some(2), "{third}");
    assert!(
        third.stderr.contains("there is a baseline already"),
        "{third}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("known.yaml")).unwrap(),
        known
    );
}

#[test]
fn rounds_end_at_the_first_failure_on_request() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("both.yaml"), BOTH).unwrap();
    let said = in_folder(folder.path(), "run both.yaml --repeat 5 --until-failure");
    assert_eq!(said.status, Some(1), "{said}");
    assert!(
        said.stdout.contains("Round 1 of 5: 1 passed, 1 failed.\n"),
        "{said}"
    );
    assert!(!said.stdout.contains("Round 2"), "{said}");
    let said = in_folder(
        folder.path(),
        "run both.yaml --repeat 3 -v --versions v3.1.1",
    );
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("Round 3 of 3: 1 passed.\n"), "{said}");
}

#[test]
fn a_line_and_a_chapter_choose_cases() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("both.yaml"), BOTH).unwrap();
    let names = |arguments: &str| {
        let said = in_folder(folder.path(), arguments);
        let names = said
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("  "));
        names
            .map(|line| line.split("  ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let both = names("list both.yaml --filter both.yaml:5");
    assert_eq!(both.len(), 2);
    assert_eq!(names("list both.yaml --filter both.yaml:8:9"), both[1..]);
    // `subscribe/` is a part of `unsubscribe/` too.
    let chapter = names("list --filter subscribe/");
    assert!(!chapter.is_empty());
    assert!(
        chapter.iter().all(|name| name.starts_with("subscribe/")),
        "{chapter:?}"
    );
    for (filter, told) in [
        ("both.yaml:99", "has 8 lines"),
        ("none.yaml:1", "no scenario is in"),
    ] {
        let said = in_folder(folder.path(), &format!("run both.yaml --filter {filter}"));
        assert_eq!(said.status, Some(2), "{said}");
        assert!(said.stderr.contains(told), "{said}");
    }
}
