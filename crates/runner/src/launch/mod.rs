//! Starts a broker by its recipe, and leaves nothing of it behind.
//!
//! - [`Launch`] is a recipe whose program is on this machine; an [`Instance`] is one process of it, in a folder of its own.
//! - [`supervise`] is what stands between: a process that ends the broker when whoever asked for it is gone, however it
//!   went. `supervised` is its other end.

mod certificate;
mod instance;
mod supervised;
mod supervisor;
mod values;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use instance::Instance;
pub use supervisor::{Charge, supervise};
pub(crate) use values::stand_ins;

use crate::recipe::{Program, ProgramError, Recipe};

/// The hidden command of the binary that calls [`supervise`].
pub const SUPERVISE: &str = "supervise";

/// A recipe whose program is on this machine.
#[derive(Debug)]
pub struct Launch {
    recipe: Arc<Recipe>,
    program: Program,
    name: String,
    /// The binary that knows the command [`SUPERVISE`].
    itself: PathBuf,
}

/// A broker that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// What its recipe needs cannot be made ready.
    #[error("{broker} (configuration `{configuration}`) cannot be started: {what}")]
    Preparation {
        /// The broker.
        broker: String,
        /// Its configuration.
        configuration: String,
        /// What went wrong.
        what: String,
    },
    /// It ended before it served anybody, or never answered.
    #[error(
        "{broker} (configuration `{configuration}`) {what}{}; see whether its recipe fits this version",
        log_text(log)
    )]
    NotReady {
        /// The broker.
        broker: String,
        /// Its configuration.
        configuration: String,
        /// What was seen.
        what: String,
        /// The tail of its log.
        log: String,
    },
}

impl Launch {
    /// Finds the broker of a recipe. `itself` is the binary that knows the command [`SUPERVISE`].
    ///
    /// # Errors
    /// The broker is not installed, or does not work.
    pub fn new(recipe: Recipe, itself: &Path) -> Result<Self, ProgramError> {
        let program = Program::find(&recipe.name, &recipe.find, itself)?;
        let name = match &program.version {
            Some(version) => format!("{} {version}", recipe.name),
            None => recipe.name.clone(),
        };
        Ok(Self {
            recipe: Arc::new(recipe),
            program,
            name,
            itself: itself.to_owned(),
        })
    }

    /// The broker and its version.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }
}

impl LaunchError {
    fn preparing(broker: &str, configuration: &str, what: impl Into<String>) -> Self {
        Self::Preparation {
            broker: broker.to_owned(),
            configuration: configuration.to_owned(),
            what: what.into(),
        }
    }
}

fn log_text(log: &str) -> String {
    if log.is_empty() {
        ", and its log is empty".to_owned()
    } else {
        format!("; its log ends with:\n{log}")
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};

    /// No more of the end is read.
    const BYTES: i64 = 16 * 1024;
    const LINES: usize = 20;

    let mut file = std::fs::File::open(log)?;
    let length = i64::try_from(file.metadata()?.len()).unwrap_or(i64::MAX);
    file.seek(SeekFrom::End(-length.min(BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}
