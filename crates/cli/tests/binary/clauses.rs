//! `clauses`: the register, looked up.

use crate::assay::assay;

#[test]
fn all_that_is_known_of_one() {
    let said = assay(&["clauses", "v5.0/MQTT-3.12.4-1"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout.starts_with("v5.0/MQTT-3.12.4-1: MUST\n"),
        "{said}"
    );
    assert!(
        said.stdout
            .contains("To play them: mqtt-assay run --filter v5.0/MQTT-3.12.4-1\n"),
        "{said}"
    );
}

#[test]
fn where_the_broker_states_it_or_why_nowhere() {
    let stated = |id: &str| {
        let said = assay(&["clauses", id, "--json"]);
        serde_json::from_str::<serde_json::Value>(&said.stdout).unwrap()
    };
    let clause = stated("v5.0/MQTT-3.12.4-1");
    let site = clause["stated"][0].as_str().unwrap();
    assert!(
        site.starts_with("crates/broker/src/core/receive.rs:"),
        "{site}"
    );
    assert!(clause["unstated"].is_null());
    let clause = stated("v3.1.1/MQTT-3.3.2-2");
    let site = clause["stated"][0].as_str().unwrap();
    assert!(
        site.starts_with("crates/codec/src/packet/publish.rs:"),
        "{site}"
    );
    let clause = stated("v3.1.1/U311-4.4-1");
    assert_eq!(clause["stated"].as_array().unwrap().len(), 0);
    assert!(clause["unstated"].is_string());
}

#[test]
fn one_that_there_is_not() {
    insta::assert_snapshot!(assay(&["clauses", "v5.0/MQTT-3.12.4-2"]));
    insta::assert_snapshot!(assay(&["clauses", "nonsense"]));
}

#[test]
fn uncovered_ones_are_those_without_a_scenario() {
    let uncovered = assay(&["clauses", "--standard", "v5.0", "--uncovered", "--json"]);
    let all = assay(&["clauses", "--standard", "v5.0", "--json"]);
    let parse = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap();
    let (uncovered, all) = (parse(&uncovered.stdout), parse(&all.stdout));
    assert_eq!(all.len(), 251 + 104);
    let without = |clause: &&serde_json::Value| {
        clause["testable_on_brokers"] == true && clause["scenarios"].as_array().unwrap().is_empty()
    };
    assert_eq!(uncovered.len(), all.iter().filter(without).count());
}
