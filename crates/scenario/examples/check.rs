//! Checks the scenarios below the given paths.
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scenario::{Source, Style, check, check_together, expand, parse, render};

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let mut entries: Vec<_> = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for entry in entries {
            files(&entry, found);
        }
    } else if path
        .extension()
        .is_some_and(|extension| extension == "yaml")
    {
        found.push(path.to_owned());
    }
}

fn main() {
    let mut paths = Vec::new();
    for argument in std::env::args().skip(1) {
        files(Path::new(&argument), &mut paths);
    }
    let (mut bad, mut cases) = (0, 0);
    let mut good = Vec::new();
    for path in &paths {
        let name = path.display().to_string();
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        match parse(&name, &text) {
            Ok(scenario) => {
                for warning in check(&scenario) {
                    println!("{}\n", render(&warning, &scenario.source, Style::Plain));
                }
                let scenario = Arc::new(scenario);
                cases += expand(&scenario).len();
                good.push(scenario);
            }
            Err(faults) => {
                bad += 1;
                let source = Source { name, text };
                for fault in faults {
                    println!("{}\n", render(&fault, &source, Style::Plain));
                }
            }
        }
    }
    for (source, warning) in check_together(&good) {
        println!("{}\n", render(&warning, &source, Style::Plain));
    }
    println!("{} files, {bad} with errors, {cases} cases", paths.len());
    if bad > 0 {
        std::process::exit(2);
    }
}
