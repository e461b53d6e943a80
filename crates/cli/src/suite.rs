//! [`Suite`]: the scenarios that a command is about: those in the binary, or those in files and folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use report::terminal_line;
use scenario::{Diagnostic, Scenario, Severity, Source, Style};

use crate::edition::{self, Divided, Edition};
use crate::failure::Failure;

/// The scenarios that come with the program.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");

/// The folder that names of embedded scenarios begin with, so that they read as paths of the repository.
const EMBEDDED_NAME: &str = "scenarios";

/// No scenario is nearly as large; what is larger is not read at all.
const LARGEST_FILE: u64 = 1 << 20;

/// More than any broker takes as a payload.
const LARGEST_PAYLOAD: u64 = 256 << 20;

/// So many faults of one file are told in full.
const TOLD_PER_FILE: usize = 10;

/// The texts of scenarios, not yet parsed.
pub(crate) struct Texts {
    sources: Vec<Arc<Source>>,
    whole: bool,
}

/// Scenarios that can be played.
pub(crate) struct Suite {
    /// In the order of their names.
    pub(crate) scenarios: Vec<Arc<Scenario>>,
    /// Whether these are all scenarios that come with the program.
    pub(crate) whole: bool,
}

/// What is wrong with one file.
pub(crate) struct Complaint {
    /// The file.
    pub(crate) source: Arc<Source>,
    /// What is wrong with it.
    pub(crate) diagnostic: Diagnostic,
}

impl Complaint {
    /// The diagnostic in rustc's layout, with colours.
    pub(crate) fn render(&self) -> String {
        scenario::render(&self.diagnostic, &self.source, Style::Styled)
    }

    pub(crate) fn is_error(&self) -> bool {
        self.diagnostic.severity == Severity::Error
    }
}

impl Texts {
    /// The scenarios in these files and folders; those in the binary where no path is given.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        if paths.is_empty() {
            let mut sources = Vec::new();
            gather_embedded(&EMBEDDED, &mut sources);
            sources.sort_by(|left, right| left.name.cmp(&right.name));
            return Ok(Self {
                sources,
                whole: true,
            });
        }
        let mut files = BTreeSet::new();
        for path in paths {
            gather(path, &mut files)?;
        }
        let sources = files
            .iter()
            .map(|file| read(file))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sources,
            whole: false,
        })
    }

    /// The texts, in the order of their names.
    pub(crate) fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Parses and lints each file: the scenarios that can be played, and what is wrong with any.
    pub(crate) fn parse(self) -> (Suite, Vec<Complaint>) {
        let mut scenarios = Vec::new();
        let mut complaints = Vec::new();
        for source in self.sources {
            let folder = Path::new(&source.name).parent().unwrap_or(Path::new(""));
            let files = |name: &str| {
                let path = folder.join(name);
                if self.whole {
                    embedded_file(&path)
                } else {
                    read_bounded(&path, LARGEST_PAYLOAD)
                }
            };
            let diagnostics = match scenario::parse_with(&source.name, &source.text, &files) {
                Ok(scenario) => {
                    let diagnostics = scenario::check(&scenario);
                    if !diagnostics.iter().any(Diagnostic::is_error) {
                        scenarios.push(Arc::new(scenario));
                    }
                    diagnostics
                }
                Err(diagnostics) => diagnostics,
            };
            complaints.extend(diagnostics.into_iter().map(|diagnostic| Complaint {
                source: source.clone(),
                diagnostic,
            }));
        }
        let together = scenario::check_together(&scenarios);
        complaints.extend(
            together
                .into_iter()
                .map(|(source, diagnostic)| Complaint { source, diagnostic }),
        );
        (
            Suite {
                scenarios,
                whole: self.whole,
            },
            complaints,
        )
    }
}

impl Suite {
    /// The newest edition that the program knows; none where the scenarios are the user's own.
    pub(crate) fn stable(&self) -> Option<Edition> {
        let newest = edition::all(&EMBEDDED).last().copied();
        newest.filter(|_| self.whole).map(Edition::Named)
    }

    /// The scenarios of an edition, and those that came later.
    ///
    /// # Errors
    ///
    /// There is no such edition, or the scenarios are the user's own.
    pub(crate) fn divide(&self, edition: Edition) -> Result<Divided, Failure> {
        if !self.whole {
            return Err(Failure::new("scenarios of your own are of no edition")
                .note("nothing was played")
                .help("leave out `--edition`, or the paths"));
        }
        edition::divide(&EMBEDDED, &self.scenarios, edition)
    }

    /// Whether some scenario stands in this chapter.
    pub(crate) fn has_chapter(&self, chapter: &str) -> bool {
        self.scenarios.iter().any(|scenario| {
            let folders = scenario.source.name.rsplit('/').skip(1);
            folders.take(1).any(|folder| folder == chapter)
        })
    }

    /// The scenarios in these files and folders, or in the binary, all of them sound. Tells every error there is.
    pub(crate) fn load(paths: &[PathBuf]) -> Result<Self, Failure> {
        let (suite, complaints) = Texts::read(paths)?.parse();
        let errors: Vec<_> = complaints
            .iter()
            .filter(|complaint| complaint.is_error())
            .collect();
        if errors.is_empty() {
            return Ok(suite);
        }
        tell(errors.iter().copied());
        let files: BTreeSet<_> = errors.iter().map(|error| &error.source.name).collect();
        Err(Failure::new(format!(
            "{} in {}; nothing was played",
            count(errors.len(), "error"),
            count(files.len(), "scenario file")
        )))
    }
}

/// Tells what is wrong with each file on standard error, errors first; of a file with many faults only the first few,
/// since the others often follow from them.
pub(crate) fn tell<'a>(complaints: impl IntoIterator<Item = &'a Complaint>) {
    let mut files: BTreeMap<&str, Vec<&Complaint>> = BTreeMap::new();
    for complaint in complaints {
        let file = files.entry(&complaint.source.name).or_default();
        file.push(complaint);
    }
    for (file, mut complaints) in files {
        complaints.sort_by_key(|complaint| !complaint.is_error());
        for complaint in complaints.iter().take(TOLD_PER_FILE) {
            anstream::eprintln!("{}\n", complaint.render());
        }
        if let Some(more @ 1..) = complaints.len().checked_sub(TOLD_PER_FILE) {
            anstream::eprintln!("… and {more} more in {}\n", terminal_line(file));
        }
    }
}

/// `1 case`, `2 cases`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn gather_embedded(folder: &Dir<'static>, sources: &mut Vec<Arc<Source>>) {
    for file in folder.files().filter(|file| is_scenario(file.path())) {
        if let Some(text) = file.contents_utf8() {
            let path = file.path().iter().map(|part| part.to_string_lossy());
            let path: Vec<_> = path.collect();
            sources.push(Arc::new(Source {
                name: format!("{EMBEDDED_NAME}/{}", path.join("/")),
                text: text.to_owned(),
            }));
        }
    }
    for folder in folder.dirs() {
        gather_embedded(folder, sources);
    }
}

/// A file that comes with the program.
fn embedded_file(path: &Path) -> io::Result<Vec<u8>> {
    let path = path.strip_prefix(EMBEDDED_NAME).unwrap_or(path);
    let file = EMBEDDED.get_file(path);
    file.map(|file| file.contents().to_vec())
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// A file of at most so many bytes.
fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

fn gather(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
    let meta = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !meta.is_dir() {
        files.insert(path.to_path_buf());
        return Ok(());
    }
    let before = files.len();
    gather_folder(path, files)?;
    if files.len() == before {
        return Err(Failure::new(format!("`{}` holds no scenarios", path.display()))
            .note("a scenario is a file whose name ends in `.yaml` or `.yml`; folders are searched to the bottom")
            .help("leave the path out to play the scenarios that come with the program"));
    }
    Ok(())
}

fn gather_folder(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        // A link to a folder is not followed: it may lead back up.
        if path.is_dir() && !path.is_symlink() {
            gather_folder(&path, files)?;
        } else if is_scenario(&path) && path.is_file() {
            files.insert(path);
        }
    }
    Ok(())
}

fn is_scenario(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read(path: &Path) -> Result<Arc<Source>, Failure> {
    let size = fs::metadata(path)
        .map_err(|error| unreadable(path, &error))?
        .len();
    if size > LARGEST_FILE {
        return Err(Failure::new(format!(
            "`{}` is no scenario: it has {size} bytes",
            path.display()
        ))
        .note("a scenario of more than 1 MiB is not read"));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error
            .as_bytes()
            .iter()
            .take(at)
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        Failure::new(format!(
            "`{}` is no scenario: line {line} is not UTF-8 (byte {at})",
            path.display()
        ))
        .help("save the file as UTF-8; write other bytes as `{ hex: … }`")
    })?;
    Ok(Arc::new(Source {
        name: shown(path),
        text,
    }))
}

/// The path with `/` on every system and without a leading `./`, as it stands in case names and reports.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot read `{}`: {error}", path.display()));
    match nearest_sibling(path) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure,
    }
}

/// What stands in the same folder under nearly the same name.
fn nearest_sibling(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    let siblings = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let near = siblings
        .map(|sibling| (strsim::damerau_levenshtein(name, &sibling), sibling))
        .filter(|(distance, _)| (1..=3).contains(distance))
        .min()?;
    Some(shown(&folder.join(near.1)))
}
