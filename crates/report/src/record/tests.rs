//! What is recorded reads back as it was, and what is no recording is told with its line.

use std::path::Path;

use runner::Part;
use runner::event::Event;

use super::*;
use crate::{Console, Detail, Html, Json, Junit, Listener, Options, Report, fixture};

const COMMAND: &str = "mqtt-assay run --target mqtt://localhost";

fn record(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut recorder = Recorder::new(&mut bytes, COMMAND);
    for event in events {
        recorder.on(event);
    }
    recorder.finish().unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<Recording, Unreadable> {
    Recording::parse("run.jsonl", bytes)
}

/// All reports of a run, one behind the other.
fn reports(events: &[Event]) -> String {
    let options = Options {
        detail: Detail::Verbose,
        trace: true,
        width: 80,
        progress: false,
        replay: COMMAND.into(),
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| crate::Destination::try_out(&folder.path().join(name)).unwrap();
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let mut out = Vec::new();
    let mut console = Console::new(&mut out, options);
    let mut junit = Junit::new(std::time::SystemTime::now());
    let (mut json, mut html) = (Json::new(), Html::new());
    for event in events {
        console.on(event);
        junit.on(event);
        json.on(event);
        html.on(event);
    }
    junit.write(&at("junit.xml")).unwrap();
    json.write(&at("run.json")).unwrap();
    html.write(&at("run.html")).unwrap();
    let files = ["junit.xml", "run.json", "run.html"].map(text).concat();
    String::from_utf8(out).unwrap() + &files
}

#[test]
fn what_is_recorded_is_reported_as_the_run_was() {
    for events in [
        fixture::run(),
        fixture::hostile_run(),
        fixture::interrupted_run(),
    ] {
        let read = merge(vec![read(&record(&events)).unwrap()]).unwrap();
        assert_eq!(format!("{read:?}"), format!("{events:?}"));
        assert_eq!(reports(&read), reports(&events));
    }
}

#[test]
fn rounds_are_recorded_and_told_as_one() {
    let recording = read(&record(&fixture::flaky_run())).unwrap();
    let events = merge(vec![recording]).unwrap();
    assert!(reports(&events).contains("fail in round 2; pass in rounds 1, 3"));
}

#[test]
fn wherever_a_recording_is_cut_what_there_is_can_be_read() {
    let bytes = record(&fixture::run());
    let begun = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let begun = begun.map(|(at, _)| at + 1).nth(1).unwrap();
    // Without its last line break alone it is whole.
    for end in (0..bytes.len() - 1).step_by(7) {
        match read(&bytes[..end]) {
            Ok(recording) => {
                let events = recording.in_one_round();
                let Some(Event::RunFinished(summary)) = events.last() else {
                    panic!("{end}: {events:?}");
                };
                assert!(summary.interrupted, "{end}");
            }
            Err(error) => assert!(end < begun, "{end}: {error}"),
        }
    }
}

#[test]
fn a_recording_that_ends_early_says_what_was_played() {
    let events = fixture::run();
    let bytes = record(&events[..5]);
    let events = read(&bytes[..bytes.len() - 10]).unwrap().in_one_round();
    let [.., Event::Notice(notice), Event::RunFinished(summary)] = &events[..] else {
        panic!("{events:?}");
    };
    insta::assert_snapshot!(notice, @"`run.jsonl` ends before the run did, in the middle of line 9; being played: ping/answered@v5.0/tcp");
    assert_eq!(summary.unplayed, 11);
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let told = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let sound = String::from_utf8(record(&fixture::conforming_run())).unwrap();
    let with = |line: usize, text: &str| {
        let mut lines: Vec<&str> = sound.lines().collect();
        lines[line - 1] = text;
        told((lines.join("\n") + "\n").as_bytes())
    };
    let mut all = vec![
        told(b""),
        told(b"<?xml version=\"1.0\"?>"),
        told(b"\xff\xfe\n"),
        told(b"{\"format\": 1}\n"),
        told(&record(&[])),
        with(1, r#"{"record":{"format":7,"tool":"mqtt-assay 9.0"}}"#),
        with(1, r#"{"record":{"format":1}}"#),
        with(2, r#"{"notice":"too soon"}"#),
        with(3, "no JSON"),
        with(4, r#"{"surprise":1}"#),
        with(5, r#"{"started":5}"#),
    ];
    all.push(told((sound.clone() + "{\"notice\":\"late\"}\n").as_bytes()));
    let mut recorder_of_nothing = Vec::new();
    let mut recorder = Recorder::new(&mut recorder_of_nothing, COMMAND);
    recorder.not_played("connection refused");
    all.push(told(&recorder_of_nothing));
    all.push(
        Recording::read(Path::new("/nowhere/run.jsonl"))
            .unwrap_err()
            .to_string(),
    );
    insta::assert_snapshot!(all.join("\n"));
}

/// The run of the fixture, of which this is a part with every `of`th case.
fn part(number: usize, of: usize, target: &str) -> Recording {
    let mut index = 0;
    let mut names = Vec::new();
    let mut events = fixture::run();
    events.retain_mut(|event| match event {
        Event::RunStarted(info) => {
            target.clone_into(&mut info.target);
            info.part = Some(Part { number, of });
            info.cases_of_all_parts = info.cases;
            info.cases = 4;
            true
        }
        Event::CaseStarted(info) => {
            index += 1;
            let mine = index % of + 1 == number;
            if mine {
                names.push(info.name.clone());
            }
            mine
        }
        Event::CaseFinished(report) => names.contains(&report.case.name),
        Event::TargetCrashed(_) => number == 1,
        _ => true,
    });
    Recording::parse(&format!("{number}.jsonl"), &record(&events)).unwrap()
}

#[test]
fn parts_are_told_as_one_run() {
    let whole = |events: &[Event]| {
        let mut lines: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
        lines.sort();
        lines
    };
    let at = "mqtt://localhost:1883";
    let merged = merge(vec![part(1, 3, at), part(2, 3, at), part(3, 3, at)]).unwrap();
    let mut expected = fixture::run();
    if let Some(Event::RunFinished(summary)) = expected.last_mut() {
        // Three cases were not played in each part.
        summary.unplayed = 9;
    }
    let (merged, expected) = (whole(&merged), whole(&expected));
    assert_eq!(merged.len(), expected.len());
    for (line, expected) in merged.iter().zip(&expected) {
        assert_eq!(line, expected);
    }
}

#[test]
fn a_missing_part_leaves_the_run_unfinished() {
    let at = "mqtt://localhost:1883";
    let merged = merge(vec![part(1, 3, at), part(3, 3, at)]).unwrap();
    assert!(merged.iter().any(
        |event| matches!(event, Event::Notice(text) if text == "part 2/3 of the run is missing")
    ));
    let Some(Event::RunFinished(summary)) = merged.last() else {
        panic!("{merged:?}");
    };
    assert!(summary.interrupted);
    assert_eq!(summary.unplayed, 3 + 3 + 4);
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let at = "mqtt://localhost:1883";
    let told = |recordings| merge(recordings).unwrap_err().to_string();
    let whole = || read(&record(&fixture::run())).unwrap();
    insta::assert_snapshot!(
        [
            told(vec![part(1, 2, at), part(2, 2, "mqtt://localhost:1884")]),
            told(vec![part(1, 2, at), part(1, 2, at)]),
            told(vec![part(1, 2, at), part(2, 3, at)]),
            told(vec![whole(), whole()]),
        ]
        .join("\n")
    );
}
