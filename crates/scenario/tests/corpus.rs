//! The scenarios that the project ships: each of them parses, without a warning, and expands into cases of its own.

mod shipped;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use scenario::{
    Scenario, Source, Style, check, check_together, expand, fmt, parse_with, render, twin,
};

/// Every shipped scenario, or what is wrong with those that do not parse.
fn corpus() -> Vec<Arc<Scenario>> {
    let mut wrong = Vec::new();
    let mut scenarios = Vec::new();
    for path in shipped::files("../../scenarios") {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).expect("it can be read");
        let beside = |file: &str| fs::read(path.with_file_name(file));
        match parse_with(&name, &text, &beside) {
            Ok(scenario) => scenarios.push(Arc::new(scenario)),
            Err(faults) => {
                let source = Source { name, text };
                wrong.extend(
                    faults
                        .iter()
                        .map(|fault| render(fault, &source, Style::Plain)),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!scenarios.is_empty());
    scenarios
}

#[test]
fn every_scenario_parses_without_a_warning() {
    let corpus = corpus();
    let mut told = Vec::new();
    for scenario in &corpus {
        for warning in check(scenario) {
            told.push(render(&warning, &scenario.source, Style::Plain));
        }
    }
    for (source, warning) in check_together(&corpus) {
        told.push(render(&warning, &source, Style::Plain));
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_case_has_a_name_of_its_own_and_no_file_is_without_cases() {
    let mut names = BTreeSet::new();
    for scenario in corpus() {
        let cases = expand(&scenario);
        assert!(!cases.is_empty(), "{} has no case", scenario.source.name);
        for case in cases {
            assert!(
                names.insert(case.name.clone()),
                "{} is there twice",
                case.name
            );
        }
    }
}

#[test]
fn a_twin_forbids_nothing() {
    fn forbids(steps: &[scenario::ast::Step]) -> bool {
        use scenario::ast::Action;
        steps.iter().any(|step| {
            matches!(
                step.action.value,
                Action::Send {
                    forbidden: true,
                    ..
                } | Action::Together {
                    forbidden: true,
                    ..
                } | Action::SendBytes {
                    forbidden: true,
                    ..
                }
            ) || step.action.value.blocks().into_iter().any(forbids)
        })
    }
    for scenario in corpus() {
        for case in expand(&scenario) {
            if let Some(steps) = twin(&case) {
                assert!(!steps.is_empty(), "{} has an empty twin", case.name);
                assert!(!forbids(&steps), "{} has a twin that forbids", case.name);
            }
        }
    }
}

#[test]
fn formatting_changes_no_case_and_is_stable() {
    for scenario in corpus() {
        let text = &scenario.source.text;
        let once = fmt(text).unwrap();
        assert_eq!(fmt(&once).unwrap(), once, "{}", scenario.source.name);
        let beside = |file: &str| fs::read(Path::new(&scenario.source.name).with_file_name(file));
        let again = Arc::new(parse_with(&scenario.source.name, &once, &beside).unwrap());
        let names = |scenario: &Arc<Scenario>| -> Vec<String> {
            expand(scenario).into_iter().map(|case| case.name).collect()
        };
        assert_eq!(names(&scenario), names(&again));
        assert_eq!(
            text.matches('#').count(),
            once.matches('#').count(),
            "{}",
            scenario.source.name
        );
    }
}

#[test]
fn line_ends_marks_and_blanks_at_the_end_are_made_alike() {
    for scenario in corpus() {
        let (name, text) = (&scenario.source.name, &scenario.source.text);
        let straight = fmt(text).expect("it is YAML");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(fmt(&windows).unwrap(), straight, "{name}");
        assert_eq!(fmt(&format!("\u{feff}{text}")).unwrap(), straight, "{name}");
        assert_eq!(fmt(&format!("{text}\n \n\n")).unwrap(), straight, "{name}");
    }
}

#[test]
fn comments_stay_before_what_they_speak_of() {
    for scenario in corpus() {
        let name = &scenario.source.name;
        let straight = fmt(&scenario.source.text).unwrap();
        let mut commented = String::new();
        for (number, line) in straight.lines().enumerate() {
            let begins = line.trim_start();
            let column = line.len() - begins.len();
            if begins.starts_with("- ") || begins.starts_with("steps:") {
                writeln!(commented, "{:column$}# comment {number}", "").expect("it is memory");
            }
            commented += line;
            commented.push('\n');
        }
        assert_eq!(fmt(&commented).unwrap(), commented, "{name}");
    }
}
