//! [`Document`]: a YAML file that people write about a target or a run, and [`DocumentError`]: what is wrong with it.

use std::fmt;
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use scenario::{Diagnostic, Span};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_yaml::{Error, Location, Spanned};

use crate::secrets::Secrets;

/// A YAML file, read.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file as messages name it.
    pub name: String,
    text: String,
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
    /// Something in it is wrong.
    #[error("{place}: {problem}")]
    Wrong {
        /// `file:line:column`.
        place: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl Document {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let name = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| DocumentError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = error.as_bytes().iter().take(at);
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            DocumentError::Wrong {
                place: format!("{name}:{line}"),
                problem: format!("byte {at} of the file is not UTF-8; save it as UTF-8"),
            }
        })?;
        Ok(Self { name, text })
    }

    /// A file that is part of the program.
    pub fn of(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Its contents.
    ///
    /// # Errors
    /// It is not YAML, or says something that a `T` has no place for.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        serde_yaml::from_str(&self.text).map_err(|error| {
            let place = match error.location() {
                Some(at) => self.place(at),
                None => self.name.clone(),
            };
            let problem = sentence(error.without_snippet());
            DocumentError::Wrong { place, problem }
        })
    }

    /// What is wrong at a value.
    pub fn wrong<T>(&self, at: &Spanned<T>, problem: impl Into<String>) -> DocumentError {
        DocumentError::Wrong {
            place: self.place(at.referenced),
            problem: problem.into(),
        }
    }

    /// What is wrong with the file as a whole.
    pub fn lacks(&self, problem: impl Into<String>) -> DocumentError {
        DocumentError::Wrong {
            place: self.name.clone(),
            problem: problem.into(),
        }
    }

    fn place(&self, at: Location) -> String {
        format!("{}:{}:{}", self.name, at.line(), at.column())
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

/// The parser's sentence in our words, without its own place.
fn sentence(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => unknown("key", field, expected.iter().copied()),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => unknown("word", variant, expected.iter().copied()),
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` stands here twice; keep one of them")
        }
        error => {
            let text = error.to_string();
            let text = text.lines().next().unwrap_or_default();
            let text = text
                .rsplit_once(" at line ")
                .map_or(text, |(sentence, _)| sentence);
            match text {
                "expected sequence start" => "a list must stand here, such as [a, b]".to_owned(),
                "expected mapping start" => {
                    "a map of keys and values must stand here, such as { key: value }".to_owned()
                }
                "invalid boolean" => "`true` or `false` must stand here".to_owned(),
                other => match other.strip_prefix("invalid ").and_then(largest) {
                    Some(largest) => format!("a whole number from 0 to {largest} must stand here"),
                    None => other.to_owned(),
                },
            }
        }
    }
}

/// The largest number of a type that holds no negative ones.
fn largest(type_name: &str) -> Option<u64> {
    match type_name {
        "u8" => Some(u8::MAX.into()),
        "u16" => Some(u16::MAX.into()),
        "u32" => Some(u32::MAX.into()),
        "u64" | "usize" => Some(u64::MAX),
        _ => None,
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
