//! `list`: what there is to play.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::assay::{assay, command};

#[test]
fn the_binary_carries_its_scenarios() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &["list"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    let last = text.lines().last().unwrap();
    let figures: Vec<usize> = last
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    assert!(figures[0] >= figures[1] && figures[1] >= 60, "{last}");
}

#[test]
fn a_version_and_a_clause_choose() {
    let said = assay(&[
        "list",
        "--versions",
        "v5.0",
        "--filter",
        "v5.0/MQTT-3.12.4-1",
        "--json",
    ]);
    let cases: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        assert_eq!(case["version"], "v5.0");
        assert!(
            case["clauses"]
                .as_array()
                .unwrap()
                .contains(&"v5.0/MQTT-3.12.4-1".into()),
            "{case}"
        );
    }
}

#[test]
fn what_reports_and_the_register_print_can_be_pasted() {
    let plain = assay(&["list", "--filter", "ping/answered[keep_alive=60]@v5.0"]);
    assert!(
        plain.stdout.contains("1 case of 1 scenario"),
        "{}",
        plain.stdout
    );
    for transport in ["tcp", "memory"] {
        let name = format!("ping/answered[keep_alive=60]@v5.0/{transport}");
        assert_eq!(assay(&["list", "--filter", &name]).stdout, plain.stdout);
    }
    let clause = assay(&["list", "--filter", "v3.1/V31-3.1-1"]);
    assert!(
        clause.stdout.contains("v3.1/V31-3.1-1"),
        "{}",
        clause.stderr
    );
}

#[test]
fn hostile_titles_and_names_do_not_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a\u{1b}[31m.yaml"),
        "title: \"\\e[31mred \\u202E\"\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a -> PINGREQ\n  - a <- PINGRESP\n",
    )
    .unwrap();
    // JSON escapes on its own; only text meant for people goes through a terminal.
    let output = command(folder.path(), &["list", "."])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r"\u{1b}[31mred \u{202e}"), "{text}");
    assert!(!text.contains("\u{1b}[31m"), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut command = command(Path::new("."), &["clauses"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
