//! [`Edition`]: which of the scenarios that come with the program are demanded.
//!
//! Each edition is a list of scenarios under `scenarios/editions`: those that it demands beside what earlier ones do, each
//! with its fingerprint, so that a scenario which has come to demand more is noticed before it is released under the
//! old name. What no list names is of no edition yet.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use include_dir::Dir;
use scenario::Scenario;

use crate::failure::Failure;

/// The folder of the lists, in that of the scenarios.
const FOLDER: &str = "editions";

/// Which scenarios are demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    /// All that there are, those of no edition included.
    Latest,
    /// Those of this edition and of the ones before.
    Named(Name),
}

/// The name of an edition: `2026.1` is the first of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    year: u16,
    number: u16,
}

impl FromStr for Edition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        text.parse().map(Self::Named)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "it must be `latest`, or an edition such as `2026.1`".to_owned();
        let (year, number) = text.split_once('.').ok_or_else(form)?;
        Ok(Self {
            year: year.parse().map_err(|_| form())?,
            number: number.parse().map_err(|_| form())?,
        })
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.year, self.number)
    }
}

/// The editions that the program knows, the oldest first.
pub(crate) fn all(scenarios: &Dir<'_>) -> Vec<Name> {
    let lists = scenarios.get_dir(FOLDER).into_iter().flat_map(Dir::files);
    let names = lists.filter_map(|file| file.path().file_stem()?.to_str()?.parse().ok());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The scenarios that are demanded, and the others.
pub(crate) type Divided = (Vec<Arc<Scenario>>, Vec<Arc<Scenario>>);

/// Scenarios of an edition, and those that came later.
///
/// # Errors
///
/// There is no such edition.
pub(crate) fn divide(
    scenarios: &Dir<'_>,
    all_of_them: &[Arc<Scenario>],
    edition: Edition,
) -> Result<Divided, Failure> {
    let Edition::Named(name) = edition else {
        return Ok((all_of_them.to_vec(), Vec::new()));
    };
    let known = all(scenarios);
    if !known.contains(&name) {
        let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        return Err(Failure::new(format!("there is no edition {name}"))
            .note("nothing was played")
            .help(format!("there are {}, and `latest`", known.join(", "))));
    }
    let demanded: BTreeSet<&str> = known
        .into_iter()
        .filter(|other| *other <= name)
        .flat_map(|name| list(scenarios, name))
        .collect();
    Ok(all_of_them
        .iter()
        .cloned()
        .partition(|scenario| demanded.contains(title(&scenario.source.name))))
}

/// The scenarios that a list names, such as `retain/kept`.
fn list<'d>(scenarios: &'d Dir<'_>, name: Name) -> impl Iterator<Item = &'d str> {
    let file = scenarios.get_file(format!("{FOLDER}/{name}.txt"));
    let text = file.and_then(include_dir::File::contents_utf8);
    text.unwrap_or_default()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(' ')?.1))
}

/// `retain/kept` of `scenarios/retain/kept.yaml`.
fn title(source: &str) -> &str {
    let name = source.split_once('/').map_or(source, |(_, name)| name);
    name.rsplit_once('.').map_or(name, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions_have_names_in_an_order() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert!(name("2026.2") < name("2026.10") && name("2026.10") < name("2027.1"));
        assert_eq!("latest".parse(), Ok(Edition::Latest));
        assert_eq!("2026.1".parse::<Edition>().unwrap().to_string(), "2026.1");
        for text in ["", "2026", "newest", "2026.1.1", "-1.2", "v2026.1"] {
            assert!(text.parse::<Edition>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scenario_is_listed_by_its_chapter_and_file() {
        assert_eq!(title("scenarios/retain/kept.yaml"), "retain/kept");
    }
}
