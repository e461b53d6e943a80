//! Scenario files that the tests read.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Every YAML file below a folder of the crate, in the order of their names.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    files_with(folder, "yaml")
}

/// Every file below a folder of the crate whose name ends so, in the order of their names.
pub(crate) fn files_with(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    below(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        extension,
        &mut found,
    )
    .unwrap_or_else(|error| panic!("{folder}: {error}"));
    found.sort();
    found
}

fn below(folder: &Path, wanted: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, wanted, found)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == wanted)
        {
            found.push(path);
        }
    }
    Ok(())
}
