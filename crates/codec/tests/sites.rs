//! The sites of clauses in the codec: every file that states one is looked at.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clauses::ClauseId;

fn stating(folder: &Path, name: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy();
        let name = format!("{name}{file}");
        if path.is_dir() {
            stating(&path, &format!("{name}/"), found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let mut lines = code.lines().filter(|line| !line.starts_with("//!"));
        let states = |name: &str| ClauseId::lookup(name).is_some();
        if lines.any(|line| line.split('"').skip(1).step_by(2).any(states)) {
            found.insert(name);
        }
    }
}

#[test]
fn every_file_that_states_a_rule_is_looked_at() {
    let mut found = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    stating(&folder, "", &mut found);
    let known: BTreeSet<_> = codec::sites().map(|site| site.file.to_owned()).collect();
    assert_eq!(found, known);
}
