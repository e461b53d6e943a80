//! One golden file for each mistake in an `mqtt-assay.yaml`, in `tests/project`.

#[path = "../../../runner/tests/support/golden.rs"]
mod files;

use std::fs;
use std::path::Path;

use runner::document::{Document, DocumentError};

use super::Project;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn of_a_project(path: &Path) -> files::Faults {
    let variable = |name: &str| (name == "SECRET").then(|| "hush-hush".to_owned());
    let name = path.file_name().unwrap().to_string_lossy();
    let document = Document::of(&name, &fs::read_to_string(path).unwrap());
    match Project::of(&document, Path::new("ci"), false, &variable) {
        Err(DocumentError::Wrong { file, fault }) => vec![((*file).clone(), *fault)],
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_mistake_reads_as_its_golden_file() {
    let told = files::compare(&Path::new(HERE).join("tests/project"), of_a_project);
    let words = ["document.wrong(", "document.lacks("];
    let mut untold = files::places(HERE, &["src/project.rs"], &words);
    assert!(untold.len() > 5, "{untold:?}");
    untold.retain(|place| !told.contains(place));
    assert!(untold.is_empty(), "no golden file shows {untold:#?}");
}
