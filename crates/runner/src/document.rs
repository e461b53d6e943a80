//! [`Document`]: a YAML file that people write about a target or a run, and [`DocumentError`]: what is wrong with it.

use std::fmt;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use scenario::{Diagnostic, Source, Span};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_yaml::{Error, Spanned};

use crate::secrets::Secrets;
use crate::written;

/// A YAML file, read.
#[derive(Debug, Clone)]
pub struct Document {
    source: Arc<Source>,
}

/// A map whose keys have their places, in the order of the file.
#[derive(Debug, Clone)]
pub struct Entries<V>(pub Vec<(Spanned<String>, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for InOrder<V> {
            type Value = Entries<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of keys and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

/// A file that cannot be used. Behind the last semicolon of its text stands what to do.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no text.
    #[error("{}:{line}: byte {at} of the file is not UTF-8; save it as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The byte, from 0.
        at: usize,
    },
    /// There is nothing of this name.
    #[error("{0}")]
    Unknown(String),
    /// Something in it is wrong.
    #[error("{}", told(file, fault))]
    Wrong {
        /// The file, passwords covered.
        file: Arc<Source>,
        /// What is wrong with it, and where.
        fault: Box<Diagnostic>,
    },
}

/// A fault on one line, behind `file:line:column`.
fn told(file: &Source, fault: &Diagnostic) -> String {
    let place = file.locate(fault.span());
    match &fault.help {
        Some(help) => format!("{place}: {}; {help}", fault.message),
        None => format!("{place}: {}", fault.message),
    }
}

impl Document {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let bytes = fs::read(path).map_err(|source| DocumentError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = error.as_bytes().iter().take(at);
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            DocumentError::NotUtf8 {
                path: path.to_owned(),
                line,
                at,
            }
        })?;
        Ok(Self::of(&path.display().to_string(), &text))
    }

    /// A file that is part of the program.
    pub fn of(name: &str, text: &str) -> Self {
        Self {
            source: Arc::new(Source {
                name: name.to_owned(),
                text: text.to_owned(),
            }),
        }
    }

    /// The file as messages name it.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// Its contents.
    ///
    /// # Errors
    /// It is not YAML, or says something that a `T` has no place for.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        let text = &self.source.text;
        serde_yaml::from_str(text).map_err(|error| {
            if let Some(fault) = scenario::yaml_fault(text) {
                return self.refused(fault);
            }
            let start = error.location().map_or(0, |at| written::offset(text, at));
            let error = error.without_snippet();
            let sentence = Sentence::of(error);
            self.fault(written::word(text, start, named(error)), &sentence)
        })
    }

    /// What is wrong at a value. Behind the last semicolon stands what to do.
    #[track_caller]
    pub fn wrong<T>(&self, at: &Spanned<T>, problem: impl AsRef<str>) -> DocumentError {
        let start = written::offset(&self.source.text, at.referenced);
        let span = written::word(&self.source.text, start, "");
        self.fault(span, &Sentence::new(problem.as_ref()))
    }

    /// What is wrong with the file as a whole. Behind the last semicolon stands what to do.
    #[track_caller]
    pub fn lacks(&self, problem: impl AsRef<str>) -> DocumentError {
        let span = written::word(&self.source.text, 0, "");
        self.fault(span, &Sentence::new(problem.as_ref()))
    }

    fn fault(&self, place: Span, Sentence { text, origin }: &Sentence) -> DocumentError {
        let (what, help) = match text.rsplit_once("; ") {
            Some((what, help)) => (what, Some(help.to_owned())),
            None => (text.as_str(), None),
        };
        self.refused(Diagnostic {
            help,
            origin,
            ..Diagnostic::error(place, what)
        })
    }

    fn refused(&self, fault: Diagnostic) -> DocumentError {
        DocumentError::Wrong {
            file: Arc::new(Source {
                name: self.source.name.clone(),
                text: written::covered(&self.source.text),
            }),
            fault: Box::new(fault),
        }
    }
}

/// Puts in what the environment variables `${NAME}` hold, which `variable` tells; what they hold is secret.
///
/// # Errors
/// A variable is not set, or its name not closed.
pub fn expand(
    document: &Document,
    text: &Spanned<String>,
    variable: &dyn Fn(&str) -> Option<String>,
    secrets: &mut Secrets,
) -> Result<String, DocumentError> {
    let mut expanded = String::new();
    let mut rest = text.value.as_str();
    while let Some((before, behind)) = rest.split_once("${") {
        expanded.push_str(before);
        let Some((name, behind)) = behind.split_once('}') else {
            return Err(document.wrong(
                text,
                "`${` is not closed; write an environment variable as ${NAME}",
            ));
        };
        let Some(value) = variable(name) else {
            return Err(document.wrong(
                text,
                format!("the environment variable `{name}` is not set; set it before the run"),
            ));
        };
        secrets.add(&value);
        expanded.push_str(&value);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// That there is no such `noun`, with the name that was meant, or those that there are.
pub fn unknown<'a>(noun: &str, written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let suggestion = Diagnostic::error(Span::default(), "").suggest(written, known);
    match suggestion.help {
        Some(help) => format!("unknown {noun} `{written}`; {help}"),
        None => format!("unknown {noun} `{written}`"),
    }
}

/// What is said of a file. Behind the last semicolon stands what to do.
struct Sentence {
    text: String,
    /// Where in our source it is said: each such place has a golden file in `tests/documents`.
    origin: &'static panic::Location<'static>,
}

impl Sentence {
    #[track_caller]
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            origin: panic::Location::caller(),
        }
    }

    /// The parser's sentence in our words, without its own place.
    fn of(error: &Error) -> Self {
        match error {
            Error::SerdeUnknownField {
                field, expected, ..
            } => Self::new(unknown("key", field, expected.iter().copied())),
            Error::SerdeUnknownVariant {
                variant, expected, ..
            } => Self::new(unknown("word", variant, expected.iter().copied())),
            Error::SerdeMissingField { field, .. } => {
                Self::new(format!("the key `{field}` is missing"))
            }
            Error::DuplicateMappingKey { key: Some(key), .. } => Self::new(format!(
                "the key `{key}` stands here twice; keep one of them"
            )),
            error => Self::of_value(&written::sentence(error)),
        }
    }

    /// The same, of a value that is not of its type.
    fn of_value(sentence: &str) -> Self {
        match sentence {
            "expected sequence start" => Self::new("a list must stand here, such as [a, b]"),
            "expected mapping start" => {
                Self::new("a map of keys and values must stand here, such as { key: value }")
            }
            "invalid boolean" => Self::new("`true` or `false` must stand here"),
            "invalid floating point" => Self::new("a number must stand here, such as 2 or 1.5"),
            other => match other.strip_prefix("invalid ") {
                Some("u8") => Self::new("a whole number from 0 to 255 must stand here"),
                Some("u16") => Self::new("a whole number from 0 to 65535 must stand here"),
                Some("u32") => Self::new("a whole number from 0 to 4294967295 must stand here"),
                Some("u64" | "usize") => Self::new("a whole number must stand here, 0 or above"),
                // What the readers of single values say.
                _ => Self::new(other),
            },
        }
    }
}

/// The word that an error is about, as it is written.
fn named(error: &Error) -> &str {
    match error {
        Error::SerdeUnknownField { field, .. } => field,
        Error::SerdeUnknownVariant { variant, .. } => variant,
        Error::DuplicateMappingKey { key: Some(key), .. } => key,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Thing {
        colour: String,
        #[serde(default)]
        parts: Vec<String>,
        #[serde(default)]
        count: u8,
        #[serde(default)]
        shiny: bool,
        #[serde(default)]
        shape: Option<Shape>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Round,
        Square,
    }

    fn told(text: &str) -> String {
        let error = Document::of("thing.yaml", text).parse::<Thing>();
        error.unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
        assert_eq!(
            told("colour: red\ncolor: blue\n"),
            "thing.yaml:2:1: unknown key `color`; did you mean `colour`?"
        );
        assert_eq!(
            told("parts: []\n"),
            "thing.yaml:1:1: the key `colour` is missing"
        );
        assert_eq!(
            told("colour: red\nparts: none\n"),
            "thing.yaml:2:8: a list must stand here, such as [a, b]"
        );
        assert_eq!(
            told("colour: red\ncolour: blue\n"),
            "thing.yaml:2:1: the key `colour` stands here twice; keep one of them"
        );
        assert_eq!(
            told("colour: red\ncount: 256\n"),
            "thing.yaml:2:8: a whole number from 0 to 255 must stand here"
        );
        assert_eq!(
            told("colour: red\nshiny: very\n"),
            "thing.yaml:2:8: `true` or `false` must stand here"
        );
        assert_eq!(
            told("colour: red\nshape: rond\n"),
            "thing.yaml:2:8: unknown word `rond`; did you mean `round`?"
        );
    }
}
