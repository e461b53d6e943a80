//! YAML text to a node tree, within a budget.
//!
//! The part of YAML that scenarios use: one document of maps, lists and scalars. Anchors, aliases, tags and directives are
//! refused, so that what is read is what stands there, and no text can grow while it is read.

use std::collections::HashMap;

use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, options};

use crate::diagnostic::{Diagnostic, MAXIMUM_FAULTS};
use crate::node::{Comment, Document, Entry, Kind, Node, Scalar, Style};
use crate::source::{Span, Spanned};
use crate::yaml_errors;

/// The largest scenario, in bytes.
pub(crate) const MAXIMUM_SIZE: usize = 1 << 18;
/// How many values a scenario may hold, keys included.
pub(crate) const MAXIMUM_NODES: usize = 10_000;
/// How deep lists and maps may nest.
pub(crate) const MAXIMUM_DEPTH: usize = 64;

/// Reads a document; all that can be told of what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Document, Vec<Diagnostic>> {
    if text.len() > MAXIMUM_SIZE {
        return Err(vec![
            Diagnostic::error(Span::default(), "the file is too large for a scenario")
                .note(format!("{} bytes; the limit is {MAXIMUM_SIZE}", text.len())),
        ]);
    }
    let mut builder = Builder {
        text,
        open: Vec::new(),
        root: None,
        comments: Vec::new(),
        nodes: 0,
        faults: Vec::new(),
    };
    for event in Parser::new_from_str_with_options(text, parser_options(text)) {
        match event {
            Ok((event, span)) => {
                let span = span.byte_range().map_or_else(Span::default, |range| Span {
                    start: range.start,
                    end: range.end,
                });
                if !builder.take(event, span) {
                    break;
                }
            }
            Err(error) => {
                builder.faults.push(yaml_errors::explain(&error, text));
                break;
            }
        }
    }
    builder.finish()
}

/// Why a text is no YAML, with a hint where the cause is a known trap; nothing where it is.
pub fn yaml_fault(text: &str) -> Option<Diagnostic> {
    let mut events = Parser::new_from_str_with_options(text, parser_options(text));
    let error = events.find_map(Result::err)?;
    Some(yaml_errors::explain(&error, text))
}

/// Comments are bounded by the size of the text already.
fn parser_options(text: &str) -> Options {
    options! {
        max_buffered_comment_events: text.len().max(1),
        emit_unresolved_aliases: true,
        disallow_directives: true,
    }
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    root: Option<Node>,
    comments: Vec<Comment>,
    nodes: usize,
    faults: Vec<Diagnostic>,
}

/// A list or map that is being read.
struct Open {
    start: usize,
    flow: bool,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<Spanned<Scalar>>,
        seen: HashMap<String, Span>,
    },
}

impl Builder<'_> {
    /// Takes an event; false when reading on would tell nothing.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        if event.is_node() {
            self.nodes += 1;
        }
        if self.nodes > MAXIMUM_NODES || self.faults.len() >= MAXIMUM_FAULTS {
            if self.faults.is_empty() {
                self.faults.push(
                    Diagnostic::error(span, "the file holds too many values for a scenario")
                        .note(format!("the limit is {MAXIMUM_NODES}")),
                );
            }
            return false;
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(anchor != 0, tag.is_some(), span);
                self.scalar(&text, style, span);
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_properties(anchor != 0, tag.is_some(), span);
                return self.open(span, style, Content::List(Vec::new()));
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_properties(anchor != 0, tag.is_some(), span);
                let entries = Vec::new();
                let content = Content::Map {
                    entries,
                    key: None,
                    seen: HashMap::new(),
                };
                return self.open(span, style, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.faults.push(
                    Diagnostic::error(span, "an alias is not part of the scenario language")
                        .help("quote a text that begins with `*`, or write the value out"),
                );
                self.node(Node {
                    kind: Kind::Null,
                    span,
                });
            }
            Event::Comment(text, _) => self.comments.push(Comment {
                span,
                text: text.into_owned(),
            }),
            Event::DocumentStart(..) if self.root.is_some() => {
                self.faults.push(
                    Diagnostic::error(span, "a second document begins here")
                        .help("a file holds one scenario: remove the line `---`"),
                );
                return false;
            }
            _ => {}
        }
        true
    }

    fn refuse_properties(&mut self, anchor: bool, tag: bool, span: Span) {
        for (found, what, sign) in [(anchor, "an anchor", '&'), (tag, "a tag", '!')] {
            if found {
                self.faults.push(
                    Diagnostic::error(span, format!("{what} is not part of the scenario language"))
                        .help(format!("quote a text that begins with `{sign}`")),
                );
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        let nothing = style == ScalarStyle::Plain
            && self
                .text
                .get(span.range())
                .is_none_or(|written| written.is_empty() || written == "~");
        let kind = if nothing {
            Kind::Null
        } else {
            let style = match style {
                ScalarStyle::Plain => Style::Plain,
                ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                _ => Style::Block,
            };
            Kind::Scalar(Scalar::new(text.to_owned(), style, span, self.text))
        };
        self.node(Node { kind, span });
    }

    fn open(&mut self, span: Span, style: StructureStyle, content: Content) -> bool {
        if self.open.len() >= MAXIMUM_DEPTH {
            self.faults.push(
                Diagnostic::error(span, "lists and maps nest too deep")
                    .note(format!("the limit is {MAXIMUM_DEPTH} levels")),
            );
            return false;
        }
        self.open.push(Open {
            start: span.start,
            flow: style == StructureStyle::Flow,
            content,
        });
        true
    }

    fn close(&mut self, span: Span) {
        let Some(Open {
            start,
            flow,
            content,
        }) = self.open.pop()
        else {
            return;
        };
        let (kind, last) = match content {
            Content::List(items) => {
                let last = items.last().map(|item| item.span.end);
                (Kind::List { flow, items }, last)
            }
            Content::Map { entries, .. } => {
                let last = entries
                    .last()
                    .map(|entry| entry.value.span.end.max(entry.key.span.end));
                (Kind::Map { flow, entries }, last)
            }
        };
        // The end of a block is only known once the next line has been read, so its last child says where it ends.
        let end = if span.end > span.start {
            span.end
        } else {
            last.unwrap_or(span.end)
        };
        let span = Span {
            start,
            end: end.max(start),
        };
        self.node(Node { kind, span });
    }

    /// Puts a finished node where it belongs.
    fn node(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, seen } => match key.take() {
                None => match node.kind {
                    Kind::Scalar(scalar) => *key = Some(Spanned::new(scalar, node.span)),
                    other => {
                        let noun = Node {
                            kind: other,
                            span: node.span,
                        };
                        self.faults.push(
                            Diagnostic::error(
                                node.span,
                                format!("a key is text, and here is {}", noun.noun()),
                            )
                            .help("quote a text that begins with `{`, `[` or `?`"),
                        );
                        *key = Some(Spanned::new(
                            Scalar::new(String::new(), Style::Plain, node.span, self.text),
                            node.span,
                        ));
                    }
                },
                Some(key) => {
                    if let Some(first) = seen.get(&key.value.text) {
                        self.faults.push(
                            Diagnostic::error(
                                key.span,
                                format!("the key `{}` is given twice", key.value.text),
                            )
                            .and(*first, "first here"),
                        );
                    } else {
                        seen.insert(key.value.text.clone(), key.span);
                    }
                    entries.push(Entry { key, value: node });
                }
            },
        }
    }

    fn finish(mut self) -> Result<Document, Vec<Diagnostic>> {
        if self.root.is_none() && self.faults.is_empty() {
            let end = Span {
                start: self.text.len(),
                end: self.text.len(),
            };
            self.faults.push(
                Diagnostic::error(end, "the file is empty")
                    .help("a scenario has at least `title`, `clauses` and `steps`"),
            );
        }
        match self.root {
            Some(root) if self.faults.is_empty() => Ok(Document {
                root,
                comments: self.comments,
            }),
            _ => Err(self.faults),
        }
    }
}
