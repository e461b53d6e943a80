//! [`Baseline`]: the deviations of a target that are known, each with its reason.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clauses::ClauseId;
use scenario::{Diagnostic, Source};
use serde::Deserialize;
use serde_yaml::Spanned;
use wildmatch::WildMatch;

use crate::event::{CaseReport, Verdict};
use crate::written;

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
    /// What stands there is no baseline.
    #[error("the baseline {} cannot be used", file.name)]
    Faulty {
        /// The file.
        file: Arc<Source>,
        /// What is wrong with it, with the places.
        faults: Vec<Diagnostic>,
    },
}

impl Baseline {
    /// What the reason of an entry begins with that was written by a program and that nobody has read yet.
    pub const UNREAD: &str = "To be read:";

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
        let source = Arc::new(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let refused = |faults| BaselineError::Faulty {
            file: Arc::clone(&source),
            faults,
        };
        let written: Vec<Written> =
            serde_yaml::from_str(text).map_err(|error| refused(vec![refusal(&error, text)]))?;
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        for written in written {
            match Entry::read(&source, written) {
                Ok(entry) => entries.push(entry),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self { entries })
        } else {
            Err(refused(faults))
        }
    }

    /// How many entries have a reason that begins with [`Self::UNREAD`].
    pub fn unread(&self) -> usize {
        let unread = |entry: &&Entry| entry.reason.starts_with(Self::UNREAD);
        self.entries.iter().filter(unread).count()
    }

    /// The patterns, each with its place, that fit none of the cases and so speak of nothing any more.
    pub fn stale(&self, case_names: &[String]) -> Vec<String> {
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
fn refusal(error: &serde_yaml::Error, text: &str) -> Diagnostic {
    if let Some(fault) = scenario::yaml_fault(text) {
        return fault;
    }
    let sentence = written::sentence(error);
    let start = error.location().map_or(0, |at| written::offset(text, at));
    let unknown = sentence.strip_prefix("unknown field `");
    if let Some((key, _)) = unknown.and_then(|rest| rest.split_once('`')) {
        let span = written::word(text, start, key);
        return Diagnostic::error(span, format!("unknown key `{key}`")).suggest(key, KEYS);
    }
    let missing = sentence.strip_prefix("missing field ");
    let missing = missing.map(|key| format!("the key {key} is missing"));
    let problem = match missing.as_deref().unwrap_or(&sentence) {
        "expected sequence start" => "a list must stand here, each entry behind a `- `",
        "expected mapping start" => "an entry must be a map of keys and values",
        other => other,
    };
    Diagnostic::error(written::word(text, start, ""), problem)
        .help("a baseline is a list of `- { case: …, reason: …, clause: … }`")
}

impl Entry {
    fn read(source: &Source, written: Written) -> Result<Self, Diagnostic> {
        let span = |value: &Spanned<String>| {
            written::word(
                &source.text,
                written::offset(&source.text, value.referenced),
                &value.value,
            )
        };
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
                let fault = Diagnostic::error(span(value), format!("`{field}` is empty"));
                return Err(fault.help(demand));
            }
        }
        let clause = written.clause.map(|clause| {
            ClauseId::parse(&clause.value).map_err(|unknown| {
                let text = unknown.to_string();
                let (what, help) = text.split_once("; ").unwrap_or((&text, ""));
                let fault = Diagnostic::error(span(&clause), what);
                if help.is_empty() {
                    fault
                } else {
                    fault.help(help)
                }
            })
        });
        Ok(Self {
            place: format!("{}:{}", source.name, written.case.referenced.line()),
            pattern: WildMatch::new(&written.case.value),
            written: written.case.value,
            clause: clause.transpose()?,
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
