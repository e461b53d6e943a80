//! `broker --data`: a store that cannot be used is told before anything listens.

use std::fs;
use std::path::Path;

use crate::assay::{Running, assay_in};

const FILE: &str = "store/mqtt-assay.redb";

fn start(folder: &Path) -> String {
    let arguments = ["broker", "--listen", "127.0.0.1:0", "--data", "store"];
    assay_in(folder, &arguments).to_string()
}

#[test]
fn a_directory_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("store"), "text").unwrap();
    insta::with_settings!({ filters => vec![(r"\(os error \d+\)", "(os error)")] }, {
        insta::assert_snapshot!(start(folder.path()));
    });
    fs::remove_file(place("store")).unwrap();
    fs::create_dir(place("store")).unwrap();
    fs::write(place("store/letter.txt"), "text").unwrap();
    insta::assert_snapshot!(start(folder.path()));
    fs::write(place(FILE), "text").unwrap();
    insta::assert_snapshot!(start(folder.path()));
}

#[cfg(unix)]
#[test]
fn a_store_in_use_or_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["broker", "--listen", "127.0.0.1:0", "--data", "store"];
    let mut running = Running::start(folder.path(), &arguments);
    running.line();
    insta::assert_snapshot!(start(folder.path()));
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(0), "{said}");
    let bytes = fs::read(folder.path().join(FILE)).unwrap();
    fs::write(folder.path().join(FILE), &bytes[..bytes.len() / 2]).unwrap();
    let said = start(folder.path());
    assert!(
        said.contains("store/mqtt-assay.redb is damaged: "),
        "{said}"
    );
    assert!(said.ends_with("exit status 2 ---"), "{said}");
}
