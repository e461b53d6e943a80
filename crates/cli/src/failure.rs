//! [`Failure`]: what kept a command from doing its work, as people are told of it.

use std::io;
use std::process::ExitCode;

use annotate_snippets::{Element, Level, Renderer};
use runner::document::DocumentError;
use scenario::Style;

/// Bad arguments or scenario.
pub(crate) const BAD_INPUT: u8 = 2;

/// The target is not reachable or crashed.
pub(crate) const NO_TARGET: u8 = 3;

/// The user wanted no more.
pub(crate) const INTERRUPTED: u8 = 130;

/// What kept a command from doing its work: what, why, what to do, and the exit status that says so.
#[derive(Debug)]
pub(crate) struct Failure {
    status: u8,
    what: String,
    notes: Vec<String>,
    help: Option<String>,
    /// The place in a file that it is about, with the message, as people read it.
    shown: Option<String>,
}

impl Failure {
    /// Bad arguments or a bad file; one sentence without a full stop.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            status: BAD_INPUT,
            what: what.into(),
            notes: Vec::new(),
            help: None,
            shown: None,
        }
    }

    /// What is wrong with a file that people write: where it can be, it is shown at its place.
    pub(crate) fn in_document(error: &DocumentError) -> Self {
        let DocumentError::Wrong { file, fault } = error else {
            return Self::of(error);
        };
        Self {
            shown: Some(scenario::render(fault, file, Style::Styled)),
            ..Self::of(error)
        }
    }

    /// What a crate below says of it. Behind the last semicolon such errors say what to do.
    pub(crate) fn of(error: &impl std::error::Error) -> Self {
        let text = error.to_string();
        match text.rsplit_once("; ") {
            Some((what, help)) => Self::new(what).help(help),
            None => Self::new(text),
        }
    }

    /// What a crate below says of this file.
    pub(crate) fn about(file: &str, error: &impl std::error::Error) -> Self {
        let mut failure = Self::of(error);
        failure.what = format!("{file}: {}", failure.what);
        failure
    }

    /// A failure that has been told already, in more detail than this could.
    pub(crate) fn told(status: u8) -> Self {
        Self {
            status,
            ..Self::new("")
        }
    }

    /// With another exit status.
    pub(crate) fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// Why.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What to do, in place of what was said before.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Tells it on standard error.
    pub(crate) fn tell(&self) -> ExitCode {
        if !self.what.is_empty() {
            anstream::eprintln!("{}", self.render());
        }
        ExitCode::from(self.status)
    }

    fn render(&self) -> String {
        if let Some(shown) = &self.shown {
            return shown.clone();
        }
        let text = |text: &str| report::terminal_text(text).into_owned();
        let notes = self
            .notes
            .iter()
            .map(|note| Element::from(Level::NOTE.message(text(note))));
        let help = self
            .help
            .iter()
            .map(|help| Element::from(Level::HELP.message(text(help))));
        let elements: Vec<_> = notes.chain(help).collect();
        let group = Level::ERROR
            .primary_title(text(&self.what))
            .elements(elements);
        Renderer::styled().render(&[group])
    }
}

/// Standard output that nobody reads any more (`… | head`) ends the command without a word.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::told(0)
        } else {
            Self::new(format!("cannot write to standard output: {error}"))
        }
    }
}
