//! [`Place`]: a line of a scenario's file, as reports and editors write it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use codec::Version;
use scenario::ast::{Action, Step};
use scenario::{Case, Source, Span};

/// A line of a scenario's file: `scenarios/retain/kept.yaml:12`; a column behind it means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, or the end of its path.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A text that names no line of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no line; write it as `retain/kept.yaml:12`")]
pub struct NoPlace {
    /// The text.
    pub text: String,
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let no_place = || NoPlace {
            text: text.to_owned(),
        };
        let is_file = |file: &str| {
            Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml")
        };
        let (mut file, mut line) = text.rsplit_once(':').ok_or_else(no_place)?;
        if !is_file(file) {
            (file, line) = file.rsplit_once(':').ok_or_else(no_place)?;
        }
        let line = line.parse().map_err(|_| no_place())?;
        if is_file(file) && line > 0 {
            let file = file.strip_prefix("./").unwrap_or(file).to_owned();
            Ok(Self { file, line })
        } else {
            Err(no_place())
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Place {
    /// Whether it is of this file, which may be longer or shorter than the line's number.
    pub fn is_of(&self, source: &Source) -> bool {
        let rest = source.name.strip_suffix(&self.file);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }

    /// Whether a case plays what stands there: each case of the file, unless the line belongs to some rows or some versions.
    pub(crate) fn is_played_by(&self, case: &Case) -> bool {
        let source = &case.scenario.source;
        if !self.is_of(source) || self.line > source.text.lines().count() {
            return false;
        }
        let stands_here = |span: Span| {
            let end = span.end.saturating_sub(1).max(span.start);
            (source.position(span.start).line..=source.position(end).line).contains(&self.line)
        };
        let rows: Vec<usize> = case
            .scenario
            .each
            .iter()
            .enumerate()
            .filter(|(_, row)| {
                row.bindings
                    .iter()
                    .any(|(_, value)| stands_here(value.span))
            })
            .map(|(index, _)| index)
            .collect();
        let versions = self.versions(case);
        (rows.is_empty() || rows.contains(&case.row))
            && versions.is_none_or(|versions| versions.contains(&case.version))
    }

    /// The versions in which the step at the line is played, where a block says so.
    fn versions<'c>(&self, case: &'c Case) -> Option<&'c [Version]> {
        let source = &case.scenario.source;
        let mut found = None;
        let mut look = |step: &'c Step, versions: Option<&'c [Version]>| {
            if source.position(step.action.span.start).line <= self.line {
                found = versions;
            }
        };
        let control = case.scenario.control.as_deref().unwrap_or_default();
        // In the order of the text: the last step that begins above the line is the one it belongs to.
        let mut lists = [control, &case.scenario.steps];
        lists.sort_by_key(|steps| steps.first().map(|step| step.action.span.start));
        for steps in lists {
            walk(steps, None, &mut look);
        }
        found
    }
}

fn walk<'c>(
    steps: &'c [Step],
    versions: Option<&'c [Version]>,
    look: &mut impl FnMut(&'c Step, Option<&'c [Version]>),
) {
    for step in steps {
        let versions = match &step.action.value {
            Action::InVersion { versions, .. } => Some(versions.as_slice()),
            _ => versions,
        };
        look(step, versions);
        for block in step.action.value.blocks() {
            walk(block, versions, look);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const TEXT: &str = "\
title: t
clauses: [v3.1.1/MQTT-3.12.4-1, v5.0/MQTT-3.12.4-1]
each:
  - { qos: 0 }
  - { qos: 1 }
clients: [a]
steps:
  - a pings
  - in v5.0:
      - a pings
  - a subscribes: { filter: <t>, qos: <qos> }
";

    #[test]
    fn a_place_is_a_file_and_a_line() {
        let place = |file: &str, line| {
            let file = file.to_owned();
            Ok(Place { file, line })
        };
        assert_eq!("ping/a.yaml:3".parse(), place("ping/a.yaml", 3));
        assert_eq!("./ping/a.yaml:3:7".parse(), place("ping/a.yaml", 3));
        for text in [
            "ping/a.yaml",
            "a.yaml:",
            "a.yaml:0",
            "a:3",
            "ping/answered",
            ":3",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    fn played_at(line: usize) -> Vec<String> {
        let scenario = Arc::new(scenario::parse("scenarios/ping/a.yaml", TEXT).unwrap());
        let place: Place = format!("ping/a.yaml:{line}").parse().unwrap();
        let cases = scenario::expand(&scenario).into_iter();
        cases
            .filter(|case| place.is_played_by(case))
            .map(|case| case.name.replace("ping/a", ""))
            .collect()
    }

    #[test]
    fn the_cases_that_play_a_line() {
        let all = [
            "[qos=0]@v3.1.1",
            "[qos=0]@v5.0",
            "[qos=1]@v3.1.1",
            "[qos=1]@v5.0",
        ];
        assert_eq!(played_at(1), all);
        assert_eq!(played_at(4), all[..2]);
        assert_eq!(played_at(8), all);
        assert_eq!(played_at(10), ["[qos=0]@v5.0", "[qos=1]@v5.0"]);
        assert_eq!(played_at(11), all);
        assert_eq!(played_at(99), [""; 0]);
    }

    #[test]
    fn the_end_of_a_path_names_the_file() {
        let source = Source {
            name: "scenarios/ping/a.yaml".into(),
            text: String::new(),
        };
        let is_of = |text: &str| text.parse::<Place>().unwrap().is_of(&source);
        assert!(is_of("a.yaml:1") && is_of("ping/a.yaml:1") && is_of("scenarios/ping/a.yaml:1"));
        assert!(!is_of("ng/a.yaml:1") && !is_of("b.yaml:1"));
    }
}
