//! [`Source`]: a scenario's text, and places in it.

use std::ops::Range;

/// A scenario's text under the name that people know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as it is shown, such as `scenarios/retain/kept.yaml`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A place in a [`Source`]: byte offsets, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// A value with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// Line and column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Source {
    /// The line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// `file:line:column` of a place.
    pub fn locate(&self, span: Span) -> String {
        let Position { line, column } = self.position(span.start);
        format!("{}:{line}:{column}", self.name)
    }
}

impl Span {
    /// The byte range.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl<T> Spanned<T> {
    /// A value at a place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned {
            value: change(self.value),
            span: self.span,
        }
    }
}
