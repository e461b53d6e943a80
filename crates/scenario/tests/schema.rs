//! The JSON Schema: every shipped scenario validates, and what the schema can see of a fault it refuses.

mod shipped;

use std::fs;

use jsonschema::Validator;
use scenario::schema;
use serde_json::Value;

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

fn json(text: &str) -> Value {
    serde_yaml::from_str(text).expect("it is YAML")
}

#[test]
fn every_shipped_scenario_validates() {
    let validator = validator();
    let mut wrong = Vec::new();
    for path in shipped::files("../../scenarios") {
        let value = json(&fs::read_to_string(&path).unwrap());
        // Telling the errors costs far more than to see that there are none.
        if validator.is_valid(&value) {
            continue;
        }
        for error in validator.iter_errors(&value) {
            let mut message = error.to_string();
            message.truncate(message.floor_char_boundary(300));
            wrong.push(format!(
                "{} at {}: {message}",
                path.display(),
                error.instance_path()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_that_a_schema_can_see_is_refused() {
    let validator = validator();
    let top = "title: x\nclauses: [v5.0/MQTT-3.12.4-1]\n";
    assert!(validator.is_valid(&json(&format!("{top}steps: [a pings]"))));
    for wrong in [
        "steps: []",
        "cleints: [a]\nsteps: [a pings]",
        "requires: [qos 3]\nsteps: [a pings]",
        "versions: [v4]\nsteps: [a pings]",
        "clients: [a: { cleen: true }]\nsteps: [a pings]",
        "steps: [a pingz]",
        "steps: [a -> PUBLISH: { topc: x }]",
        "steps: [a -> PUBLISH: { qos: 7 }]",
        "steps: [a -> PUBLSH: {}]",
        "steps: [a -> PUBLISH: { but: { qos: 3 } }]",
        "steps: [a !> PUBLISH: { but: { lenght: 3 } }]",
        "steps: [a -> PUBLISH: { topic: { any_of: [x] } }]",
        "steps: [a <- PUBACK: { reason: unknown }]",
        "steps: [a <- closed: [unknown]]",
        "steps: [a receives: { gets: {} }]",
        "steps: [wait: soon]",
        "steps: [a pings: , wy: because]",
    ] {
        let text = format!("{top}{wrong}");
        assert!(!validator.is_valid(&json(&text)), "{wrong}");
    }
}

#[test]
fn of_the_texts_for_each_diagnostic_the_schema_refuses_what_it_can_see() {
    let validator = validator();
    let (mut refused, mut accepted) = (0, Vec::new());
    for path in shipped::files("tests/diagnostics") {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let is_valid = serde_yaml::from_str::<Value>(&text).map(|value| validator.is_valid(&value));
        match is_valid {
            Ok(true) => accepted.push(name),
            _ => refused += 1,
        }
    }
    assert!(refused > accepted.len(), "{refused} against {accepted:#?}");
    accepted.retain(|name| {
        name.starts_with("unknown-") || name.contains("-is-no-list") || name.contains("-is-no-map")
    });
    assert_eq!(
        accepted,
        [
            "unknown-client-in-an-expression",
            "unknown-field-of-connack",
            "unknown-member-of-a-client",
            "unknown-member-of-the-target"
        ]
    );
}
