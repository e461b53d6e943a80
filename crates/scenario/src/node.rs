//! The node tree: a YAML document with the place, the style and the comments of everything in it.

use std::ops::Range;

use crate::source::{Span, Spanned};

/// A document.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its single node.
    pub(crate) root: Node,
    /// Its comments, in the order of the text.
    pub(crate) comments: Vec<Comment>,
}

/// `# text`.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    /// From the `#` to the end of the line.
    pub(crate) span: Span,
    /// What stands behind the `#`.
    pub(crate) text: String,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The value.
    pub(crate) kind: Kind,
    /// From its first to behind its last byte.
    pub(crate) span: Span,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Nothing stands where a value could.
    Null,
    /// Text.
    Scalar(Scalar),
    /// A list.
    List {
        /// In brackets, or one item a line.
        flow: bool,
        /// The items.
        items: Vec<Node>,
    },
    /// A map.
    Map {
        /// In braces, or one entry a line.
        flow: bool,
        /// The entries, in the order of the text.
        entries: Vec<Entry>,
    },
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Spanned<Scalar>,
    /// The value.
    pub(crate) value: Node,
}

/// Text as YAML reads it.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    /// The text.
    pub(crate) text: String,
    /// How it is written.
    pub(crate) style: Style,
    /// Where the text's first byte stands in the file, if all of the text stands there as it is.
    verbatim: Option<usize>,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// `'…'` or `"…"`.
    Quoted,
    /// `|` or `>`.
    Block,
}

impl Scalar {
    /// A scalar that stands at `span` of `source`.
    pub(crate) fn new(text: String, style: Style, span: Span, source: &str) -> Self {
        let written = source.get(span.range()).unwrap_or_default();
        let verbatim = if written == text {
            Some(span.start)
        } else if style == Style::Quoted
            && written.get(1..written.len().saturating_sub(1)) == Some(&text)
        {
            Some(span.start + 1)
        } else {
            None
        };
        Self {
            text,
            style,
            verbatim,
        }
    }

    /// The place in the file of a part of the text; all of `whole` when escapes or folds stand between.
    pub(crate) fn place(&self, range: Range<usize>, whole: Span) -> Span {
        match self.verbatim {
            Some(start) => Span {
                start: start + range.start,
                end: start + range.end,
            },
            None => whole,
        }
    }
}

impl Node {
    /// The text, if it is a scalar.
    pub(crate) fn text(&self) -> Option<Spanned<&Scalar>> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(Spanned::new(scalar, self.span)),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::List { items, .. } if items.is_empty() => "an empty list",
            Kind::Map { entries, .. } if entries.is_empty() => "an empty map",
            Kind::List { .. } => "a list",
            Kind::Map { .. } => "a map",
        }
    }
}
