//! [`Recipe`]: a data file that tells how to start a known broker, in each configuration that clauses need.

mod program;
mod read;
mod template;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use include_dir::{Dir, include_dir};

pub use program::{Program, ProgramError};
pub(crate) use template::{TemplateError, Values};

use crate::document::{Document, DocumentError, unknown};
use crate::link::Transport;
use crate::target::Declared;

/// The recipes that come with the program.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../recipes");

/// How to start a known broker.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The broker as people know it.
    pub name: String,
    /// How its program is found, and its version.
    pub(crate) find: Find,
    /// The arguments of the program, as templates.
    pub(crate) run: Vec<String>,
    /// How many cases it stands at once, if that is few.
    pub(crate) jobs: Option<usize>,
    /// How long it may take until it answers.
    pub(crate) ready_within: Duration,
    /// How long it may take to stop before it is killed.
    pub(crate) grace: Duration,
    /// The ways in which it is set up, the plain one first.
    pub configurations: Vec<Configuration>,
}

/// How the program of a broker is found.
#[derive(Debug, Clone)]
pub(crate) struct Find {
    /// Names on the `PATH`, and paths; the first that exists is taken. `{{itself}}` is this program.
    pub(crate) programs: Vec<String>,
    /// What tells the version: the arguments of the program, and the text that the version stands behind.
    pub(crate) version: Option<(Vec<String>, String)>,
    /// What to do when it is not found.
    pub(crate) install: String,
}

/// One way in which a broker is set up.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// What it is called.
    pub name: String,
    /// What is said of the broker when it is set up like this.
    pub declared: Declared,
    /// What it listens for, the one first that is played unless another is asked for.
    pub transports: Vec<Transport>,
    /// The path of its WebSocket.
    pub(crate) websocket_path: String,
    /// Further arguments of the program, as templates.
    pub(crate) arguments: Vec<String>,
    /// Files that are written before it starts: names in the instance's folder, and their templates.
    pub(crate) files: BTreeMap<String, String>,
    /// Commands that run to their end before it starts, as templates.
    pub(crate) prepare: Vec<Vec<String>>,
    /// Environment variables, as templates.
    pub(crate) environment: BTreeMap<String, String>,
    /// What names of templates stand for, beside those that every instance has.
    pub(crate) set: BTreeMap<String, String>,
}

impl Recipe {
    /// The recipe that is meant: one that comes with the program, by its name, or a file.
    ///
    /// # Errors
    /// There is no such recipe, or it cannot be used.
    pub fn load(name_or_path: &str) -> Result<Self, DocumentError> {
        let looks_like_path = name_or_path.contains(['/', '\\', '.']);
        if looks_like_path {
            return Self::of(&Document::read(Path::new(name_or_path))?);
        }
        match EMBEDDED.get_file(format!("{name_or_path}.yaml")) {
            Some(file) => {
                let text = file.contents_utf8().unwrap_or_default();
                Self::of(&Document::of(&format!("recipes/{name_or_path}.yaml"), text))
            }
            None => Err(DocumentError::Unknown(format!(
                "--launch: {}; a recipe of your own is given as a path, such as ./{name_or_path}.yaml",
                unknown("recipe", name_or_path, Self::names()).replace("; ", ", ")
            ))),
        }
    }

    /// The names of the recipes that come with the program.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED
            .files()
            .filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".yaml"))
    }

    /// A recipe from its text.
    ///
    /// # Errors
    /// The text cannot be used.
    pub fn of(document: &Document) -> Result<Self, DocumentError> {
        read::recipe(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_that_comes_along_can_be_used() {
        let mut names: Vec<_> = Recipe::names().collect();
        names.sort_unstable();
        assert_eq!(names, ["aedes", "amqtt", "mosquitto", "reference"]);
        for name in names {
            let recipe = Recipe::load(name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(recipe.configurations.first().unwrap().name, "plain");
        }
    }

    #[test]
    fn a_recipe_that_there_is_not_is_told_with_those_that_there_are() {
        let error = Recipe::load("mosqito").unwrap_err().to_string();
        assert!(error.contains("did you mean `mosquitto`?"), "{error}");
    }
}
