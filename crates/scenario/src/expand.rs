//! From a scenario to its cases: one for each row of `each` in each version.

use std::sync::Arc;

use clauses::ClauseId;
use codec::Version;

use crate::ast::{Row, Scenario};

/// A scenario in one of its rows and versions: what a runner plays. The runner adds the transport.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Which of its rows, from 0.
    pub row: usize,
    /// The protocol version of clients that name none.
    pub version: Version,
    /// `chapter/file[axis=value]@v5.0`.
    pub name: String,
    /// The clauses of this version that it speaks for: the scenario's and the row's.
    pub clauses: Vec<ClauseId>,
    /// The features without which it is skipped: the scenario's and the row's.
    pub requires: Vec<String>,
}

impl Case {
    /// Its row.
    pub fn row(&self) -> &Row {
        static NONE: Row = Row {
            name: String::new(),
            bindings: Vec::new(),
            clauses: Vec::new(),
            requires: Vec::new(),
        };
        self.scenario.each.get(self.row).unwrap_or(&NONE)
    }
}

/// All cases of a scenario: row by row, and in each row the oldest version first.
pub fn expand(scenario: &Arc<Scenario>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, row) in scenario.each.iter().enumerate() {
        for version in versions(scenario, row) {
            cases.push(case(scenario, index, row, version));
        }
    }
    cases
}

fn case(scenario: &Arc<Scenario>, index: usize, row: &Row, version: Version) -> Case {
    let mut clauses: Vec<ClauseId> = Vec::new();
    for clause in scenario.clauses.iter().chain(&row.clauses) {
        if clause.value.standard() == version.standard() && !clauses.contains(&clause.value) {
            clauses.push(clause.value);
        }
    }
    let mut requires: Vec<String> = Vec::new();
    for feature in scenario.requires.iter().chain(&row.requires) {
        if !requires.contains(&feature.value) {
            requires.push(feature.value.clone());
        }
    }
    let axes = if row.name.is_empty() {
        String::new()
    } else {
        format!("[{}]", row.name)
    };
    Case {
        name: format!("{}{axes}@{version}", stem(&scenario.source.name)),
        scenario: Arc::clone(scenario),
        row: index,
        version,
        clauses,
        requires,
    }
}

/// The versions in which a row is played: those of its own clauses, if it has any, among the scenario's.
pub(crate) fn versions(scenario: &Scenario, row: &Row) -> Vec<Version> {
    scenario
        .versions
        .iter()
        .copied()
        .filter(|version| {
            row.clauses.is_empty()
                || row
                    .clauses
                    .iter()
                    .any(|clause| clause.value.standard() == version.standard())
        })
        .collect()
}

/// `chapter/file` of a path such as `scenarios/chapter/file.yaml`.
fn stem(path: &str) -> String {
    let mut parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let file = parts.next().unwrap_or(path);
    let file = file
        .strip_suffix(".yaml")
        .or_else(|| file.strip_suffix(".yml"))
        .unwrap_or(file);
    match parts.next() {
        Some(chapter) if chapter != "." && chapter != ".." => format!("{chapter}/{file}"),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn names(text: &str) -> Vec<String> {
        let scenario = parse("scenarios/will/delay.yaml", text).unwrap();
        expand(&Arc::new(scenario))
            .into_iter()
            .map(|case| case.name)
            .collect()
    }

    const STEPS: &str = "clients: [a]\nsteps: [a -> PINGREQ: {}, a <- PINGRESP]\n";

    #[test]
    fn each_version_of_the_clauses_is_a_case() {
        let text =
            format!("title: x\nclauses: [v5.0/MQTT-3.12.4-1, v3.1.1/MQTT-3.12.4-1]\n{STEPS}");
        assert_eq!(names(&text), ["will/delay@v3.1.1", "will/delay@v5.0"]);
    }

    #[test]
    fn a_map_is_a_product_and_a_list_is_rows() {
        let text = "title: x\nclauses: [v5.0/MQTT-3.12.4-1]\neach: { qos: [0, 1], keep: [yes, no] }\nclients: [a]\nsteps:\n  - a publishes: { topic: <keep>, payload: x, qos: <qos> }\n";
        assert_eq!(
            names(text),
            [
                "will/delay[qos=0,keep=yes]@v5.0",
                "will/delay[qos=0,keep=no]@v5.0",
                "will/delay[qos=1,keep=yes]@v5.0",
                "will/delay[qos=1,keep=no]@v5.0",
            ]
        );
        let text = "title: x\nclauses: []\neach:\n  - { qos: 0, clauses: [v5.0/MQTT-3.12.4-1] }\n  - { qos: 1, clauses: [v3.1.1/MQTT-3.12.4-1], name: low }\nclients: [a]\nsteps:\n  - a publishes: { topic: <t>, payload: x, qos: <qos> }\n";
        assert_eq!(
            names(text),
            ["will/delay[qos=0]@v5.0", "will/delay[low]@v3.1.1"]
        );
    }

    #[test]
    fn the_stem_is_the_last_folder_and_the_file() {
        assert_eq!(stem("scenarios/will/delay.yaml"), "will/delay");
        assert_eq!(stem("./delay.yml"), "delay");
        assert_eq!(stem("delay"), "delay");
        assert_eq!(stem(""), "");
    }
}
