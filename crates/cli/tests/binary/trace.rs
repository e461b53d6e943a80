//! `--trace`: the exchange, in the notation of scenarios.

use std::fs;

use crate::assay::{assay, assay_in};

#[test]
fn a_trace_can_be_pasted_back() {
    let case = "retain/established-subscription-sees-no-retain[qos=1]@v5.0";
    let said = assay(&["run", "--trace", "--filter", case]);
    assert_eq!(said.status, Some(0), "{said}");
    let steps: Vec<&str> = said
        .stdout
        .lines()
        .filter(|line| line.starts_with("    - ") || line.starts_with("    # "))
        .collect();
    assert!(steps.len() > 10, "{said}");

    let pasted = format!(
        "title: A trace, pasted\nclauses: [v5.0/MQTT-3.3.1-12]\nsteps:\n{}\n",
        steps.join("\n")
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pasted.yaml"), &pasted).unwrap();
    let said = assay_in(folder.path(), &["check", "pasted.yaml"]);
    assert_eq!(said.status, Some(0), "{pasted}\n{said}");
    let said = assay_in(folder.path(), &["run", "pasted.yaml"]);
    assert_eq!(said.status, Some(0), "{pasted}\n{said}");
}
