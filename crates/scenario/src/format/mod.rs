//! The formatter: one way to write a scenario, whatever way it was written.
//!
//! It decides indentation, blanks, the length of lines and how quotes are written. It keeps the order of everything, whether
//! a short list stands in brackets or on lines, comments, and single blank lines.

mod comments;
mod scalars;

use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Kind, Node, Scalar, Style};
use crate::source::Span;
use crate::yaml;
use comments::Comments;

/// The longest line that a list or map in brackets may make.
const WIDTH: usize = 140;

/// Formats a scenario's text. Text that is formatted already stays as it is.
///
/// # Errors
///
/// What is wrong with a text that is no YAML, or not the part of it that scenarios use. A text that is no sound scenario is
/// formatted all the same.
pub fn fmt(text: &str) -> Result<String, Vec<Diagnostic>> {
    let document = yaml::read(text)?;
    let mut writer = Writer {
        source: text,
        comments: Comments::new(text, &document.comments),
        out: String::new(),
        line: String::new(),
        written_to: 0,
    };
    writer.root(&document.root);
    writer.comments_before(text.len() + 1, 0);
    Ok(writer.out)
}

/// A node on one line, whatever lines it was written in.
pub(crate) fn on_one_line(node: &Node, source: &str) -> String {
    let writer = Writer {
        source,
        comments: Comments::new(source, &[]),
        out: String::new(),
        line: String::new(),
        written_to: 0,
    };
    writer.inline(node, true)
}

struct Writer<'a> {
    source: &'a str,
    comments: Comments<'a>,
    /// The lines that are finished.
    out: String,
    /// The line that is being written.
    line: String,
    /// Where in the source the last thing written ended.
    written_to: usize,
}

impl<'a> Writer<'a> {
    fn root(&mut self, root: &'a Node) {
        if self.is_block(root, 0) {
            self.block(root, 0);
        } else {
            self.begin(root.span.start, 0);
            self.scalar_or_flow(root, 0);
        }
    }

    /// Writes a list or map with an item on each line. The first may go on with the line that is begun.
    fn block(&mut self, node: &'a Node, indent: usize) {
        match &node.kind {
            Kind::Map { entries, .. } => {
                for entry in entries {
                    self.begin(entry.key.span.start, indent);
                    self.entry(entry, indent);
                }
            }
            Kind::List { items, .. } => {
                for item in items {
                    self.begin(item.span.start, indent);
                    self.line.push('-');
                    if matches!(item.kind, Kind::Null) {
                        self.end_line(item.span.start);
                        continue;
                    }
                    self.line.push(' ');
                    if self.is_block(item, indent + 2) {
                        self.block(item, indent + 2);
                    } else {
                        self.scalar_or_flow(item, indent + 2);
                    }
                }
            }
            _ => self.scalar_or_flow(node, indent),
        }
    }

    fn entry(&mut self, Entry { key, value }: &'a Entry, indent: usize) {
        self.line.push_str(&scalars::inline(&key.value, false));
        self.line.push(':');
        if matches!(value.kind, Kind::Null) {
            self.end_line(key.span.end);
        } else if self.is_block(value, indent + 2) {
            self.end_line(key.span.end);
            self.block(value, indent + 2);
        } else {
            self.line.push(' ');
            self.scalar_or_flow(value, indent + 2);
        }
    }

    /// Writes what fits on the line, or a text in lines of its own, and ends the line.
    fn scalar_or_flow(&mut self, node: &'a Node, indent: usize) {
        if let Kind::Scalar(
            scalar @ Scalar {
                style: Style::Block,
                ..
            },
        ) = &node.kind
            && let Some((header, lines)) = scalars::block(&scalar.text, indent)
        {
            self.line.push_str(header);
            self.finish_line();
            for line in lines {
                if !line.is_empty() {
                    self.line.push_str(&" ".repeat(indent.max(2)));
                    self.line.push_str(&line);
                }
                self.finish_line();
            }
            self.written_to = node.span.end;
            return;
        }
        let inline = self.inline(node, false);
        self.line.push_str(&inline);
        self.end_line(node.span.end);
    }

    /// Whether a node is written with an item on each line.
    fn is_block(&self, node: &Node, indent: usize) -> bool {
        let (flow, empty) = match &node.kind {
            Kind::List { flow, items } => (*flow, items.is_empty()),
            Kind::Map { flow, entries } => (*flow, entries.is_empty()),
            _ => return false,
        };
        if empty {
            return false;
        }
        let begun = self.line.chars().count().max(indent);
        !flow
            || self.is_pair(node)
            || self.comments.any_within(node.span)
            || begun + 1 + self.inline(node, false).chars().count() > WIDTH
    }

    /// `name: value` in a list in brackets, without braces of its own.
    fn is_pair(&self, node: &Node) -> bool {
        matches!(&node.kind, Kind::Map { flow: true, entries } if entries.len() == 1)
            && !self.source[node.span.start..].starts_with('{')
    }

    /// A node on one line.
    fn inline(&self, node: &Node, in_flow: bool) -> String {
        match &node.kind {
            Kind::Null => "~".to_owned(),
            Kind::Scalar(scalar) => scalars::inline(scalar, in_flow),
            Kind::List { items, .. } => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item, true)).collect();
                format!("[{}]", items.join(", "))
            }
            Kind::Map { entries, .. } => {
                let pairs: Vec<String> = entries
                    .iter()
                    .map(|Entry { key, value }| {
                        let key = scalars::inline(&key.value, true);
                        format!("{key}: {}", self.inline(value, true))
                    })
                    .collect();
                match &pairs[..] {
                    [] => "{}".to_owned(),
                    [pair] if self.is_pair(node) => pair.clone(),
                    pairs => format!("{{ {} }}", pairs.join(", ")),
                }
            }
        }
    }

    /// Goes to where a new item is written: the comments before it, a blank line if there was one, and the indentation.
    fn begin(&mut self, start: usize, indent: usize) {
        if !self.line.is_empty() {
            return;
        }
        self.comments_before(start, indent);
        self.blank_line(start);
        self.line.push_str(&" ".repeat(indent));
    }

    /// Writes the comments that stand before a place, each on a line of its own.
    fn comments_before(&mut self, start: usize, indent: usize) {
        while let Some((span, text)) = self.comments.take_before(start) {
            self.blank_line(span.start);
            self.line.push_str(&" ".repeat(indent));
            self.line.push_str(&text);
            self.finish_line();
            self.written_to = span.end;
        }
    }

    /// Keeps one of the blank lines that stood before a place.
    fn blank_line(&mut self, start: usize) {
        let between = self.source.get(self.written_to..start).unwrap_or_default();
        // The first piece ends the line before, the last begins the line that comes next.
        let mut lines: Vec<&str> = between.split('\n').skip(1).collect();
        lines.pop();
        if !self.out.is_empty() && lines.iter().any(|line| line.trim().is_empty()) {
            self.out.push('\n');
        }
    }

    /// Ends a line whose content ended at `end` in the source, with the comment that stood behind it.
    fn end_line(&mut self, end: usize) {
        self.written_to = self.written_to.max(end);
        if let Some((Span { end, .. }, column, text)) = self.comments.take_behind(end) {
            let length = self.line.chars().count();
            let pad = if column > length { column - length } else { 2 };
            self.line.push_str(&" ".repeat(pad));
            self.line.push_str(&text);
            self.written_to = end;
        }
        self.finish_line();
    }

    fn finish_line(&mut self) {
        self.out.push_str(self.line.trim_end());
        self.out.push('\n');
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = fmt(text).unwrap();
        assert_eq!(fmt(&once).unwrap(), once, "not stable:\n{once}");
        once
    }

    #[test]
    fn blanks_indentation_and_quotes_are_made_alike() {
        let text = "title:   x\nclauses: [ a,b ,  c]\nsteps:\n- a   -> X: {id:   1,topic: \"t\"}\n-   a <- nothing\n";
        insta::assert_snapshot!(formatted(text), @r"
        title: x
        clauses: [a, b, c]
        steps:
          - a   -> X: { id: 1, topic: 't' }
          - a <- nothing
        ");
    }

    #[test]
    fn comments_and_single_blank_lines_stay() {
        let text = "# head\n\n\ntitle: x      # behind\nsteps: # behind a key\n\n    # before a step\n    - a   # one\n    - b: [x, # in a list\n        y]\n\n# last\n";
        insta::assert_snapshot!(formatted(text), @r"
        # head

        title: x      # behind
        steps: # behind a key

          # before a step
          - a     # one
          - b:
              - x    # in a list
              - y

        # last
        ");
    }

    #[test]
    fn a_list_too_long_for_a_line_gets_lines() {
        let items = ["v5.0/MQTT-3.1.0-1"; 9].join(", ");
        let text = formatted(&format!(
            "clauses: [{items}]\nclients: [a, b: {{ c: d }}]\n"
        ));
        assert_eq!(text.lines().count(), 11);
        assert!(text.ends_with("clients: [a, b: { c: d }]\n"));
        let items = format!("[a, b: {{ c: {} }}]", "d".repeat(140));
        insta::assert_snapshot!(formatted(&format!("clients: {items}\n")).replace(&"d".repeat(140), "d"), @r"
        clients:
          - a
          - b:
              c: d
        ");
    }

    #[test]
    fn long_texts_are_folded_at_blanks() {
        let text = format!("why: >\n  {}\n", vec!["word"; 40].join(" "));
        let text = formatted(&text);
        assert!(text.starts_with("why: >\n  word word"));
        assert_eq!(text.lines().count(), 3);
        assert_eq!(formatted("why: |\n  a\n  b\n"), "why: |\n  a\n  b\n");
        assert_eq!(
            formatted("why: |\n  a  b \n"),
            "why: \"a  b \\n\"\n".replace('\'', "\"")
        );
    }

    #[test]
    fn a_text_is_quoted_where_it_must_be() {
        let text = "a: '#'\nb: \"\\uFEFFx\"\nc: \"it's\"\nd: ''\ne: <t>/#\nf: '~'\ng: ~\nh: [a]\n";
        assert_eq!(
            formatted(text),
            "a: '#'\nb: \"\\uFEFFx\"\nc: \"it's\"\nd: ''\ne: <t>/#\nf: '~'\ng:\nh: [a]\n"
        );
    }

    #[test]
    fn the_first_item_goes_on_behind_the_dash() {
        let text = "- - a\n  - b\n-\n  c: d\n  e:\n  - f\n";
        assert_eq!(formatted(text), "- - a\n  - b\n- c: d\n  e:\n    - f\n");
    }
}
