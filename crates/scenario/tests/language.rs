//! The language's own description: its examples parse, and its tables are those of the code.

use std::fs;
use std::path::Path;

use scenario::feature::FEATURES;
use scenario::{Source, Style, parse, render};

const BEGIN: &str = "<!-- features -->\n";
const END: &str = "<!-- end of features -->";

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("LANGUAGE.md");
    fs::read_to_string(path).expect("the description is there")
}

#[test]
fn every_example_parses() {
    let text = text();
    let blocks: Vec<&str> = text
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect();
    assert!(blocks.len() > 5);
    for block in blocks {
        let scenario = if block.starts_with("title:") {
            block.to_owned()
        } else {
            let steps = format!("  {}\n", block.trim_end().replace('\n', "\n  "));
            format!("title: x\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n{steps}")
        };
        if let Err(faults) = parse("example", &scenario) {
            let source = Source {
                name: "example".to_owned(),
                text: scenario,
            };
            let told: Vec<String> = faults
                .iter()
                .map(|fault| render(fault, &source, Style::Plain))
                .collect();
            panic!("{}", told.join("\n"));
        }
    }
}

#[test]
fn the_table_of_features_is_that_of_the_code() {
    let rows: Vec<String> = FEATURES
        .iter()
        .map(|feature| format!("| `{}` | {} |\n", feature.name, feature.summary))
        .collect();
    let table = format!("| feature | the target |\n| --- | --- |\n{}", rows.concat());
    let text = text();
    let written = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END))
        .map(|(table, _)| table);
    assert_eq!(written, Some(table.as_str()));
}
