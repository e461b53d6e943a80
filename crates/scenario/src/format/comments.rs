//! The comments that are still to be written.

use crate::node::Comment;
use crate::source::Span;

/// Comments in the order of the text, taken one by one.
pub(super) struct Comments<'a> {
    source: &'a str,
    left: &'a [Comment],
}

impl<'a> Comments<'a> {
    pub(super) fn new(source: &'a str, comments: &'a [Comment]) -> Self {
        Self {
            source,
            left: comments,
        }
    }

    /// Whether a comment that is still to be written stands within a place.
    pub(super) fn any_within(&self, span: Span) -> bool {
        self.left
            .iter()
            .any(|comment| span.start <= comment.span.start && comment.span.start < span.end)
    }

    /// Takes the next comment if it stands before a place.
    pub(super) fn take_before(&mut self, start: usize) -> Option<(Span, String)> {
        let (first, rest) = self.left.split_first()?;
        if first.span.start >= start {
            return None;
        }
        self.left = rest;
        Some((first.span, written(first)))
    }

    /// Takes the next comment if it stands on the same line, with nothing but signs of YAML between. Also its column, from 0.
    pub(super) fn take_behind(&mut self, end: usize) -> Option<(Span, usize, String)> {
        let (first, rest) = self.left.split_first()?;
        let between = self.source.get(end..first.span.start)?;
        if !between.chars().all(|letter| {
            matches!(
                letter,
                ' ' | '\t' | ',' | ':' | '[' | ']' | '{' | '}' | '-' | '~'
            )
        }) {
            return None;
        }
        self.left = rest;
        let line = self.source[..first.span.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let column = self.source[line..first.span.start].chars().count();
        Some((first.span, column, written(first)))
    }
}

/// A comment with a blank behind its `#`.
fn written(comment: &Comment) -> String {
    let text = comment.text.trim_end();
    if text.is_empty() || text.starts_with([' ', '\t', '#', '!']) {
        format!("#{text}")
    } else {
        format!("# {text}")
    }
}
