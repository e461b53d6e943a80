//! One golden file for each mistake in a profile, a recipe or a baseline: `documents/KIND/NAME.yaml` and, beside it, what
//! people read in `NAME.stderr`.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "support/golden.rs"]
mod golden;

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use golden::Faults;
use runner::document::{Document, DocumentError};
use runner::recipe::Recipe;
use runner::target::Profile;
use runner::{Baseline, BaselineError};
use serde::Deserialize;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Every source that tells what is wrong with a profile, a recipe or a baseline.
const SOURCES: [&str; 6] = [
    "src/baseline.rs",
    "src/document.rs",
    "src/recipe/read.rs",
    "src/target/declared.rs",
    "src/target/profile.rs",
    "src/target/trust.rs",
];

/// How they tell it.
const WORDS: [&str; 5] = [
    "document.wrong(",
    "document.lacks(",
    "Self::new(",
    "Diagnostic::error(written::",
    "Diagnostic::error(span",
];

fn document(path: &Path) -> Document {
    let name = path.file_name().unwrap().to_string_lossy();
    Document::of(&name, &fs::read_to_string(path).unwrap())
}

fn wrong(error: DocumentError) -> Faults {
    let DocumentError::Wrong { file, fault } = error else {
        panic!("{error}");
    };
    vec![((*file).clone(), *fault)]
}

fn of_a_profile(path: &Path) -> Faults {
    let variable = |name: &str| (name == "TOKEN").then(|| "hush-hush".to_owned());
    let read = Profile::of(&document(path), path.parent().unwrap(), &variable);
    wrong(read.unwrap_err())
}

fn of_a_recipe(path: &Path) -> Faults {
    wrong(Recipe::of(&document(path)).unwrap_err())
}

fn of_a_baseline(path: &Path) -> Faults {
    let name = path.file_name().unwrap().to_string_lossy();
    match Baseline::parse(&name, &fs::read_to_string(path).unwrap()) {
        Err(BaselineError::Faulty { file, faults }) => faults
            .into_iter()
            .map(|fault| ((*file).clone(), fault))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// What no profile and no recipe has, and other files of the house do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its errors are looked at")]
struct Thing {
    #[serde(default)]
    count: u8,
    #[serde(default)]
    weight: f64,
    #[serde(default)]
    shape: Option<Shape>,
    #[serde(default)]
    address: Option<IpAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Round,
    Square,
}

fn of_a_thing(path: &Path) -> Faults {
    wrong(document(path).parse::<Thing>().unwrap_err())
}

#[test]
fn each_mistake_reads_as_its_golden_file() {
    let folder = |kind: &str| Path::new(HERE).join("tests/documents").join(kind);
    let mut untold = golden::places(HERE, &SOURCES, &WORDS);
    assert!(untold.len() > 30, "{untold:?}");
    for told in [
        golden::compare(&folder("profile"), of_a_profile),
        golden::compare(&folder("recipe"), of_a_recipe),
        golden::compare(&folder("baseline"), of_a_baseline),
        golden::compare(&folder("thing"), of_a_thing),
    ] {
        untold.retain(|place| !told.contains(place));
    }
    assert!(untold.is_empty(), "no golden file shows {untold:#?}");
}
