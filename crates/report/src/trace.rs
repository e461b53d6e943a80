//! The trace of an exchange, in the notation of scenarios.
//!
//! A trace is a list of steps that can be pasted under `steps:` of a scenario. What is no step of the language, such as
//! bytes that are no packet, is a comment, and the time of each line stands behind it as a comment too.

use std::fmt::Write as _;
use std::time::Duration;

use runner::event::{Entry, Happening};

use crate::text::{hex, terminal_text};

/// The column of the times; longer lines have theirs two blanks behind.
const TIME_COLUMN: usize = 66;

/// How many bytes of garbage a line shows.
const GARBAGE_SHOWN: usize = 24;

/// One line of a trace.
pub(crate) struct Line {
    /// `  sub -> `, padded so that arrows stand in one column; empty for a comment.
    pub(crate) head: String,
    /// What happened: the rest of the line.
    pub(crate) rest: String,
    /// When, since the case began; empty where it is the same as in the line before.
    pub(crate) at: String,
    /// How it is to be seen.
    pub(crate) tone: Tone,
}

/// How a line is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// From the scenario's clients.
    Sent,
    /// From the scenario's clients, and forbidden.
    Forbidden,
    /// From the target.
    Received,
    /// From the target, and no sound packet.
    Garbled,
    /// About the link or the case.
    Aside,
}

impl Line {
    /// The whole line without colours.
    pub(crate) fn plain(&self) -> String {
        self.with(&self.head, &self.rest)
    }

    /// The whole line with `head` and `rest` as they are given, which must be as wide as this line's own.
    pub(crate) fn with(&self, head: &str, rest: &str) -> String {
        let width = self.head.chars().count() + self.rest.chars().count();
        let padding = TIME_COLUMN.saturating_sub(width).max(2);
        if self.at.is_empty() {
            return format!("{head}{rest}");
        }
        format!("{head}{rest}{:padding$}# {}", "", self.at)
    }
}

/// The lines of a trace.
pub(crate) fn lines(entries: &[Entry]) -> Vec<Line> {
    let widest = entries
        .iter()
        .filter(|entry| !matches!(entry.what, Happening::Remark(_)))
        .map(|entry| entry.client.chars().count())
        .max()
        .unwrap_or(0);
    let mut lines: Vec<Line> = entries.iter().map(|entry| line(entry, widest)).collect();
    // The same time in every line, as where time is virtual, would only be noise.
    let mut last = String::new();
    for line in &mut lines {
        if line.at == last {
            line.at.clear();
        } else {
            last.clone_from(&line.at);
        }
    }
    lines
}

fn line(entry: &Entry, widest: usize) -> Line {
    let client = terminal_text(&entry.client);
    let step = |relation: &str| format!("- {client:widest$} {relation}");
    let (head, rest, tone) = match &entry.what {
        Happening::Sent {
            notation,
            forbidden: false,
            ..
        } => (step("-> "), notation.clone(), Tone::Sent),
        Happening::Sent {
            notation,
            forbidden: true,
            ..
        } => (step("!> "), notation.clone(), Tone::Forbidden),
        Happening::Received { notation, .. } => (step("<- "), notation.clone(), Tone::Received),
        Happening::Garbled { violation, bytes } => (
            format!("# {client:widest$} <- "),
            garbage(bytes, violation),
            Tone::Garbled,
        ),
        Happening::Opened => (step(""), "opens".into(), Tone::Aside),
        Happening::Ended(how) => (step(""), (*how).into(), Tone::Aside),
        Happening::TargetEnded("reset") => {
            (step("<- "), "closed  # by a reset".into(), Tone::Received)
        }
        Happening::TargetEnded(_) => (step("<- "), "closed".into(), Tone::Received),
        Happening::Remark(remark) => ("# ".into(), remark.clone(), Tone::Aside),
    };
    Line {
        head,
        rest: terminal_text(&rest).replace('\n', "\\n"),
        at: seconds(entry.at),
        tone,
    }
}

fn garbage(bytes: &[u8], violation: &str) -> String {
    let shown = bytes.get(..GARBAGE_SHOWN).unwrap_or(bytes);
    let mut text = format!("bytes: {}", hex(shown));
    if shown.len() < bytes.len() {
        let _ = write!(text, " … ({} bytes)", bytes.len());
    }
    let _ = write!(text, ": {violation}");
    text
}

/// Seconds with milliseconds, such as `0.125`.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_trace_reads_as_steps() {
        let text: Vec<String> = lines(&fixture::every_happening())
            .iter()
            .map(Line::plain)
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
