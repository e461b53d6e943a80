//! A crate imports only from floors below it; what ARCHITECTURE.md draws is what the manifests say.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Each crate of the house, with all that it may import from the house.
const HOUSE: [(&str, &[&str]); 8] = [
    ("clauses", &[]),
    ("codec", &["clauses"]),
    ("broker", &["clauses", "codec"]),
    ("scenario", &["clauses", "codec"]),
    ("runner", &["clauses", "codec", "broker", "scenario"]),
    (
        "fuzzing",
        &["clauses", "codec", "broker", "scenario", "runner"],
    ),
    ("report", &["clauses", "codec", "scenario", "runner"]),
    (
        "cli",
        &[
            "clauses", "codec", "broker", "scenario", "runner", "fuzzing", "report",
        ],
    ),
];

/// Outside crates that must stay out of the ground floors, which do no input or output.
const NO_IO: [(&str, &[&str]); 3] = [
    ("clauses", &["tokio", "serde_yaml"]),
    ("codec", &["tokio", "bytes", "serde_yaml"]),
    ("scenario", &["tokio"]),
];

fn manifests() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The short name of a package of the house: `mqtt-assay-codec` is `codec`, `mqtt-assay` is `cli`.
fn short(package: &str) -> Option<&str> {
    match package {
        "mqtt-assay" => Some("cli"),
        _ => package.strip_prefix("mqtt-assay-"),
    }
}

/// What a package needs to be built, tests left aside.
fn imports(manifest: &Value) -> BTreeSet<&str> {
    manifest["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| dependency["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_crate_imports_only_from_floors_below_it() {
    let manifests = manifests();
    assert_eq!(manifests.len(), HOUSE.len(), "a crate without a floor");
    for manifest in &manifests {
        let name = short(manifest["name"].as_str().unwrap()).unwrap();
        let (_, below) = HOUSE.iter().find(|(known, _)| *known == name).unwrap();
        for import in imports(manifest).into_iter().filter_map(short) {
            assert!(below.contains(&import), "{name} must not import {import}");
        }
    }
}

#[test]
fn the_ground_floors_do_no_input_or_output() {
    for manifest in &manifests() {
        let name = short(manifest["name"].as_str().unwrap()).unwrap();
        let Some((_, outside)) = NO_IO.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        for import in imports(manifest) {
            // serde_yaml names serde-saphyr in the manifests.
            let import = if import == "serde-saphyr" {
                "serde_yaml"
            } else {
                import
            };
            assert!(
                !outside.contains(&import),
                "{name} must not import {import}"
            );
        }
    }
}
