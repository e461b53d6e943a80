//! Golden files: beside each `NAME.yaml` of a folder stands in `NAME.stderr` what people read of it.
//!
//! With `UPDATE_GOLDEN=1` the latter are written anew; read the difference.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use scenario::{Diagnostic, Source, Style, render};

/// What is wrong with a file.
pub(crate) type Faults = Vec<(Source, Diagnostic)>;

/// The files of a folder with this extension, in the order of their names.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|its| its == extension));
    files.sort();
    files
}

/// Holds each file of a folder against its golden file; returns all that was told, as `src/file.rs:line` of who told it.
pub(crate) fn compare(folder: &Path, faults: impl Fn(&Path) -> Faults) -> BTreeSet<String> {
    let update = env::var_os("UPDATE_GOLDEN").is_some();
    let mut origins = BTreeSet::new();
    let mut wrong = Vec::new();
    for file in files(folder, "yaml") {
        let found = faults(&file);
        assert!(!found.is_empty(), "{} is told to be sound", file.display());
        let texts: Vec<String> = found
            .iter()
            .map(|(source, fault)| render(fault, source, Style::Plain) + "\n")
            .collect();
        // Where the checkout stands is nobody's business.
        let told = texts
            .join("\n")
            .replace(&format!("{}/", folder.display()), "");
        let golden = file.with_extension("stderr");
        if update {
            fs::write(&golden, &told).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", file.display()));
        }
        origins.extend(found.iter().map(|(_, fault)| {
            let (_, place) = fault.origin.file().rsplit_once("src/").unwrap_or_default();
            format!("src/{place}:{}", fault.origin.line())
        }));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    origins
}

/// Where in these sources of a crate one of the words stands that tell a fault, as `src/file.rs:line`.
pub(crate) fn places(manifest: &str, sources: &[&str], words: &[&str]) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(Path::new(manifest).join(source)).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (line, content) in (1..).zip(text.lines()) {
            if words.iter().any(|word| content.contains(word)) {
                places.insert(format!("{source}:{line}"));
            }
        }
    }
    places
}
