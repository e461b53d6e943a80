//! `{ file: … }`: the bytes of a file beside the scenario, from wherever the program is started.

use std::fs;

use crate::assay::{assay, assay_in};

const SCENARIO: &str = "\
title: The bytes of a file arrive
clauses: [v5.0/MQTT-4.5.0-1]
clients: [pub, sub]
steps:
  - sub subscribes: { filter: <t>, qos: 1 }
  - pub publishes: { topic: <t>, payload: { file: payloads/odd.bin }, qos: 1 }
  - sub receives: { topic: <t>, payload: { hex: 00 ff 0d 0a } }
";

#[test]
fn a_file_is_found_beside_its_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let chapter = folder.path().join("own/publish");
    fs::create_dir_all(chapter.join("payloads")).unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    fs::write(chapter.join("file.yaml"), SCENARIO).unwrap();
    fs::write(chapter.join("payloads/odd.bin"), b"\x00\xff\r\n").unwrap();
    let whole = chapter.join("file.yaml");
    for (place, path) in [
        (folder.path().to_owned(), "own"),
        (folder.path().join("elsewhere"), "../own/publish/file.yaml"),
        (folder.path().join("elsewhere"), whole.to_str().unwrap()),
        (chapter.clone(), "file.yaml"),
    ] {
        let said = assay_in(&place, &["run", path]);
        assert_eq!(said.status, Some(0), "{path}: {said}");
        assert!(said.stdout.contains("1 passed"), "{path}: {said}");
    }
    fs::write(chapter.join("payloads/odd.bin"), b"another").unwrap();
    let said = assay_in(&chapter, &["run", "file.yaml"]);
    assert_eq!(said.status, Some(1), "{said}");
    fs::remove_file(chapter.join("payloads/odd.bin")).unwrap();
    let said = assay_in(&chapter, &["check", "file.yaml"]);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.contains("payloads/odd.bin"), "{said}");
}

#[test]
fn a_file_comes_with_the_program() {
    let filter = "publish/any-bytes-are-a-payload";
    let said = assay(&["run", "--edition", "latest", "--filter", filter]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("4 passed"), "{said}");
}
