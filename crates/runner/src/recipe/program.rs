//! [`Program`]: the program of a broker on this machine, found by its recipe.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Find;

/// The program of a broker on this machine.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, if it tells one.
    pub version: Option<String>,
}

/// A broker that is not there, or not whole.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// None of its programs is found.
    #[error(
        "{broker} is not installed: {} not found; {install}",
        looked_for(programs)
    )]
    NotInstalled {
        /// The broker.
        broker: String,
        /// What was looked for.
        programs: Vec<String>,
        /// What to do.
        install: String,
    },
    /// The program is there, and the broker is not: its version cannot be told.
    #[error("{broker} does not work: `{command}` {seen}; {install}")]
    Broken {
        /// The broker.
        broker: String,
        /// What was tried.
        command: String,
        /// What it said.
        seen: String,
        /// What to do.
        install: String,
    },
}

impl Program {
    /// Finds the program; `itself` is this program, which can be a broker too.
    ///
    /// # Errors
    /// It is not installed, or its version command fails.
    pub(crate) fn find(broker: &str, find: &Find, itself: &Path) -> Result<Self, ProgramError> {
        let path = find
            .programs
            .iter()
            .find_map(|name| {
                if name == "{{itself}}" {
                    Some(itself.to_owned())
                } else {
                    which(name)
                }
            })
            .ok_or_else(|| ProgramError::NotInstalled {
                broker: broker.to_owned(),
                programs: find.programs.clone(),
                install: find.install.clone(),
            })?;
        let version = match &find.version {
            Some((arguments, behind)) => {
                let told =
                    version(&path, arguments, behind).map_err(|seen| ProgramError::Broken {
                        broker: broker.to_owned(),
                        command: format!("{} {}", path.display(), arguments.join(" ")),
                        seen,
                        install: find.install.clone(),
                    })?;
                Some(told)
            }
            None => None,
        };
        Ok(Self { path, version })
    }
}

/// Where a program is: a name is looked for on the `PATH`, a path is taken as it is.
fn which(name: &str) -> Option<PathBuf> {
    if name.contains(['/', '\\']) {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

/// What stands behind `behind` in what the program says; some programs say it with a status that tells of failure.
fn version(program: &Path, arguments: &[String], behind: &str) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let version = match said.split_once(behind) {
        Some((_, rest)) => rest.split_whitespace().next(),
        None => None,
    };
    version.map(str::to_owned).ok_or_else(|| {
        let line = said
            .lines()
            .map(str::trim)
            .rfind(|line| line.contains("rror"))
            .or_else(|| said.lines().next());
        format!("tells no version: {}", line.unwrap_or("it says nothing"))
    })
}

fn looked_for(programs: &[String]) -> String {
    let quoted: Vec<_> = programs.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [one] => format!("{one} was"),
        several => format!("{} were", several.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_installed_is_told_with_what_to_do() {
        let find = Find {
            programs: vec!["no-such-broker".into()],
            version: None,
            install: "install it with apt-get".into(),
        };
        let error = Program::find("Nobody", &find, Path::new("x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Nobody is not installed: `no-such-broker` was not found; install it with apt-get"
        );
    }

    #[test]
    fn the_version_is_the_word_behind_a_text() {
        let itself = env::current_exe().unwrap();
        let told = version(&itself, &["--help".into()], "Usage: ").unwrap();
        assert!(!told.is_empty());
        let error = version(&itself, &["--help".into()], "no such text").unwrap_err();
        assert!(error.starts_with("tells no version"), "{error}");
    }
}
