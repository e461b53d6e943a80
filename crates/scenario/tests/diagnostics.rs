//! One golden file for each diagnostic: `diagnostics/NAME.yaml` and, beside it, what people read in `NAME.stderr`.
//!
//! `UPDATE_GOLDEN=1 cargo test -p mqtt-assay-scenario --test diagnostics` writes the latter anew; read the difference.

mod shipped;

use std::{env, fs};

use scenario::{Source, Style, check, parse, render};

/// Everything that is told about a file.
fn told(name: &str, text: &str) -> String {
    let source = Source {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let diagnostics = match parse(name, text) {
        Ok(scenario) => check(&scenario),
        Err(faults) => faults,
    };
    diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, &source, Style::Plain) + "\n")
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn each_diagnostic_reads_as_its_golden_file() {
    let update = env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for path in shipped::files("tests/diagnostics") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = told(&name, &fs::read_to_string(&path).unwrap());
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
    for path in shipped::files("tests/diagnostics") {
        let text = fs::read_to_string(&path).unwrap();
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
