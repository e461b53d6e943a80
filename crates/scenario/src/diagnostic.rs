//! [`Diagnostic`]: what is wrong with a scenario, where, and what to do about it.

use std::panic::Location;

use crate::source::Span;

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The scenario can be played, but may not mean what its author meant.
    Warning,
    /// The scenario cannot be played.
    Error,
}

/// A place, and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words; may be empty for the first label of a diagnostic.
    pub text: String,
}

/// One thing that is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// One sentence without a full stop.
    pub message: String,
    /// The places: the first is the one to look at, the others give context.
    pub labels: Vec<Label>,
    /// Why it matters.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Where in our source it is told: each such place has a golden file in `tests/diagnostics`.
    pub origin: &'static Location<'static>,
}

impl Diagnostic {
    /// Something that keeps the scenario from being played.
    #[track_caller]
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message.into())
    }

    /// Something that may not be what the author meant.
    #[track_caller]
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message.into())
    }

    #[track_caller]
    fn new(severity: Severity, span: Span, message: String) -> Self {
        Self {
            severity,
            message,
            labels: vec![Label {
                span,
                text: String::new(),
            }],
            notes: Vec::new(),
            help: None,
            origin: Location::caller(),
        }
    }

    /// Says something at the first place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// Points at another place as well.
    #[must_use]
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds why it matters.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Suggests the nearest of the names that are known, if one is near; else lists them when they are few.
    #[must_use]
    pub fn suggest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(written, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if (1..=LISTED).contains(&known.len()) => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                let known = if list.len() == 1 {
                    "known is"
                } else {
                    "known are"
                };
                self.help(format!("{known} {}", list.join(", ")))
            }
            None => self,
        }
    }

    /// Suggests the nearest of the known names where one is near; else what the help says already stands.
    #[must_use]
    pub(crate) fn suggest_only<'a>(
        self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match nearest(written, known) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self,
        }
    }

    /// Where it is.
    pub fn span(&self) -> Span {
        self.labels
            .first()
            .map_or_else(Span::default, |label| label.span)
    }

    /// Whether it keeps the scenario from being played.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// After so many faults nothing more is looked for.
pub(crate) const MAXIMUM_FAULTS: usize = 100;
/// How many known names are still worth listing.
const LISTED: usize = 24;

/// The name nearest to a misspelt one, if it is near enough to have been meant; or the only one that begins so.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let slips = match written.chars().count() {
        0 | 1 => 0,
        2..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                *name,
            )
        })
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name);
    near.or_else(|| {
        let mut begin = known.iter().filter(|name| name.starts_with(&lower));
        match (begin.next(), begin.next()) {
            (Some(only), None) if lower.len() >= 3 => Some(*only),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let known = ["clean", "client_id", "keep_alive"];
        assert_eq!(nearest("cliend_id", known), Some("client_id"));
        assert_eq!(nearest("keepalive", known), Some("keep_alive"));
        assert_eq!(nearest("CLEAN", known), Some("clean"));
        assert_eq!(nearest("topic", known), None);
        assert_eq!(nearest("keep", known), Some("keep_alive"));
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("i", ["t"]), None);
    }
}
