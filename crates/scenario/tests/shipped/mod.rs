//! Scenario files that the tests read.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Every YAML file below a folder of the crate, in the order of their names.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    below(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        &mut found,
    )
    .unwrap_or_else(|error| panic!("{folder}: {error}"));
    found.sort();
    found
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(path);
        }
    }
    Ok(())
}
