//! One golden file for each diagnostic: `diagnostics/NAME.yaml` and, beside it, what people read in `NAME.stderr`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p mqtt-assay-scenario --test diagnostics` writes the latter anew; read the difference.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod shipped;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use scenario::{Diagnostic, Source, Style, check, check_together, parse, render};

/// Texts that nobody wants to have in a file of their own, by their names.
fn generated() -> [(&'static str, String); 3] {
    let head = "title: x\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n";
    [
        (
            "too-many-values",
            head.to_owned() + &"  - a pings\n".repeat(11_000),
        ),
        (
            "too-many-bytes",
            format!("{head}  - note: {}\n", "x".repeat(300_000)),
        ),
        ("control-character", format!("{head}  - note: a \u{1} b\n")),
    ]
}

/// The files, and the texts that are made here, with the places of their golden files.
fn mistakes() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let made = generated().map(|(name, text)| (folder.join(name).with_extension("yaml"), text));
    shipped::files("tests/diagnostics")
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .chain(made)
        .collect()
}

/// Everything that is wrong with a file.
fn faults(name: &str, text: &str) -> Vec<Diagnostic> {
    match parse(name, text) {
        Ok(scenario) => check(&scenario),
        Err(faults) => faults,
    }
}

/// Everything that is told about a file.
fn told(name: &str, text: &str) -> String {
    let source = Source {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    faults(name, text)
        .iter()
        .map(|diagnostic| render(diagnostic, &source, Style::Plain) + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

/// What is told about two files that are sound each by itself.
fn told_together() -> Vec<(Arc<Source>, Diagnostic)> {
    let scenarios: Vec<_> = shipped::files("tests/together")
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let scenario = parse(&name, &fs::read_to_string(path).unwrap()).unwrap();
            assert!(check(&scenario).is_empty(), "{name} is not sound by itself");
            Arc::new(scenario)
        })
        .collect();
    check_together(&scenarios)
}

#[test]
fn two_titles_that_are_the_same_read_as_the_golden_file() {
    let told: Vec<String> = told_together()
        .iter()
        .map(|(source, fault)| render(fault, source, Style::Plain) + "\n")
        .collect();
    let golden = include_str!("together/two-of-one-title.stderr");
    assert_eq!(told.join("\n"), golden);
}

#[test]
fn each_diagnostic_reads_as_its_golden_file() {
    let update = env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (path, text) in mistakes() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = told(&name, &text);
        assert!(!told.is_empty(), "{name} is told to be sound");
        let golden = path.with_extension("stderr");
        if update {
            fs::write(&golden, &told).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != told {
            wrong.push(format!("{name}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_diagnostic_has_a_place_in_its_file() {
    for (path, text) in mistakes() {
        let Err(faults) = parse("x", &text) else {
            continue;
        };
        for fault in faults {
            let span = fault.span();
            assert!(
                span.start <= span.end && span.end <= text.len(),
                "{}: {fault:?}",
                path.display()
            );
        }
    }
}

/// Every place of the source where a diagnostic is made, as `src/file.rs:line`.
fn places_that_tell() -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for path in shipped::files_with("src", "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let source = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (line, content) in source.lines().enumerate() {
            if content.contains("Diagnostic::error(") || content.contains("Diagnostic::warning(") {
                let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                places.insert(format!("{}:{}", path.display(), line + 1));
            }
        }
    }
    places
}

#[test]
fn each_diagnostic_has_a_golden_file() {
    let mut untold = places_that_tell();
    assert!(untold.len() > 100);
    let told = mistakes().into_iter().map(|(_, text)| faults("x", &text));
    let together = told_together().into_iter().map(|(_, fault)| fault);
    for fault in told.flatten().chain(together) {
        let origin = fault.origin;
        let file = origin.file().trim_start_matches("crates/scenario/");
        untold.remove(&format!("{file}:{}", origin.line()));
    }
    assert!(untold.is_empty(), "no golden file shows {untold:#?}");
}
