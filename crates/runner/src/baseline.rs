//! [`Baseline`]: the deviations of a target that are known, each with its reason.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clauses::ClauseId;
use scenario::{Diagnostic, Span};
use serde::Deserialize;
use serde_yaml::Spanned;
use wildmatch::WildMatch;

use crate::event::{CaseReport, Verdict};

/// The deviations of a target that are known.
///
/// The file is a YAML list of `{ case, reason, clause }`: a pattern of case names (`*` is any text, `?` any
/// character), why the deviation is accepted, and optionally the one clause that may be deviated from.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// `file:line` of the entry.
    place: String,
    written: String,
    pattern: WildMatch,
    clause: Option<ClauseId>,
    reason: String,
}

/// The keys of an entry.
const KEYS: [&str; 3] = ["case", "reason", "clause"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    case: Spanned<String>,
    reason: Spanned<String>,
    clause: Option<Spanned<String>>,
}

/// A baseline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read the baseline {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no text.
    #[error("{}:{line}: byte {at} of the file is not UTF-8; save it as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte, from 0.
        at: usize,
    },
    /// An entry has a key that there is not.
    #[error("{place}: unknown key `{key}`; {suggestion}")]
    UnknownKey {
        /// `file:line:column`.
        place: String,
        /// The key.
        key: String,
        /// The key that was meant, or those that there are.
        suggestion: String,
    },
    /// The file is not YAML, or not a list of entries.
    #[error("{place}: {problem}; a baseline is a list of `- {{ case: …, reason: …, clause: … }}`")]
    Malformed {
        /// `file:line:column`.
        place: String,
        /// What the YAML parser says.
        problem: String,
    },
    /// An entry says nothing where something must stand.
    #[error("{place}: `{field}` is empty; {demand}")]
    Empty {
        /// `file:line:column`.
        place: String,
        /// The field.
        field: &'static str,
        /// What must stand there.
        demand: &'static str,
    },
    /// An entry names a clause that there is not.
    #[error("{place}: {problem}")]
    UnknownClause {
        /// `file:line:column`.
        place: String,
        /// What is wrong with it, with a suggestion.
        problem: String,
    },
}

impl Baseline {
    /// Reads a baseline file.
    pub fn load(path: &Path) -> Result<Self, BaselineError> {
        let bytes = fs::read(path).map_err(|source| BaselineError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = error.as_bytes().iter().take(at);
            BaselineError::NotUtf8 {
                path: path.to_owned(),
                line: before.filter(|byte| **byte == b'\n').count() + 1,
                at,
            }
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads a baseline from its text; `name` is the file in messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, BaselineError> {
        if text.lines().all(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#')
        }) {
            return Ok(Self::default());
        }
        let written: Vec<Written> = serde_yaml::from_str(text).map_err(|error| {
            let place = error.location().map_or_else(
                || name.to_owned(),
                |at| format!("{name}:{}:{}", at.line(), at.column()),
            );
            refusal(place, &plain(&error))
        })?;
        let entries = written
            .into_iter()
            .map(|entry| Entry::read(name, entry))
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The patterns, each with its place, that fit none of the cases and so speak of nothing any more.
    pub fn stale(&self, case_names: &[&str]) -> Vec<String> {
        self.entries
            .iter()
            .filter(|entry| !case_names.iter().any(|name| entry.pattern.matches(name)))
            .map(|entry| format!("{} `{}`", entry.place, entry.written))
            .collect()
    }

    /// Says of a verdict what the baseline knows of it: a deviation becomes known, a listed pass is fixed.
    pub fn judge(&self, report: &mut CaseReport) {
        let mut entries = self
            .entries
            .iter()
            .filter(|entry| entry.pattern.matches(&report.case.name));
        match report.verdict {
            Verdict::Fail | Verdict::Warn | Verdict::Untested { .. } => {
                if let Some(entry) = entries.find(|entry| entry.covers(report)) {
                    report.verdict = Verdict::Known {
                        reason: entry.reason.clone(),
                    };
                }
            }
            Verdict::Pass | Verdict::Note => {
                if entries.next().is_some() {
                    report.verdict = Verdict::Fixed;
                }
            }
            Verdict::Skip { .. }
            | Verdict::Known { .. }
            | Verdict::Fixed
            | Verdict::Crashed { .. } => {}
        }
    }
}

/// What the parser's sentence means to whoever wrote the file.
fn refusal(place: String, sentence: &str) -> BaselineError {
    let unknown = sentence.strip_prefix("unknown field `");
    if let Some((key, _)) = unknown.and_then(|rest| rest.split_once('`')) {
        let suggestion = Diagnostic::error(Span::default(), "")
            .suggest(key, KEYS)
            .help
            .unwrap_or_default();
        return BaselineError::UnknownKey {
            place,
            key: key.to_owned(),
            suggestion,
        };
    }
    let problem = match sentence {
        "expected sequence start" => "a list must stand here, each entry behind a `- `",
        "expected mapping start" => "an entry must be a map of keys and values",
        other => other,
    };
    BaselineError::Malformed {
        place,
        problem: problem.to_owned(),
    }
}

/// The parser's sentence without its own place, which is told in our form.
fn plain(error: &serde_yaml::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    text.rsplit_once(" at line ")
        .map_or(text, |(sentence, _)| sentence)
        .to_owned()
}

impl Entry {
    fn read(file: &str, written: Written) -> Result<Self, BaselineError> {
        let place = |at: serde_yaml::Location| format!("{file}:{}:{}", at.line(), at.column());
        for (value, field, demand) in [
            (
                &written.case,
                "case",
                "give a case name or a pattern of them",
            ),
            (
                &written.reason,
                "reason",
                "say in a sentence why the deviation is accepted",
            ),
        ] {
            if value.value.trim().is_empty() {
                return Err(BaselineError::Empty {
                    place: place(value.referenced),
                    field,
                    demand,
                });
            }
        }
        let clause = written
            .clause
            .map(|clause| {
                ClauseId::parse(&clause.value).map_err(|unknown| BaselineError::UnknownClause {
                    place: place(clause.referenced),
                    problem: unknown.to_string(),
                })
            })
            .transpose()?;
        Ok(Self {
            place: format!("{file}:{}", written.case.referenced.line()),
            pattern: WildMatch::new(&written.case.value),
            written: written.case.value,
            clause,
            reason: written.reason.value,
        })
    }

    /// Whether the deviation is the one meant: without a clause any is, else every finding must speak for it.
    fn covers(&self, report: &CaseReport) -> bool {
        self.clause.is_none_or(|clause| {
            report
                .findings
                .iter()
                .all(|finding| finding.clauses.contains(&clause))
        })
    }
}
