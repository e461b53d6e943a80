//! From the node tree to a typed [`Scenario`], collecting all that is wrong on the way.

mod blocks;
mod each;
mod head;
mod packets;
mod steps;
mod top;
mod values;
mod words;

use std::io;
use std::sync::Arc;

pub(crate) use head::{LINK_WORDS, LinkWord, RESERVED, VERBS};
pub(crate) use values::{literal_fault, sole_expression};

use crate::ast::Scenario;
use crate::check;
use crate::diagnostic::{Diagnostic, MAXIMUM_FAULTS};
use crate::node::{Kind, Node, Scalar};
use crate::source::{Source, Spanned};
use crate::yaml;

/// Reads a scenario. `name` is the path under which people know the file; its last folder is the chapter.
///
/// # Errors
///
/// All that keeps the scenario from being played, in the order of the text; at most 100 faults.
pub fn parse(name: &str, text: &str) -> Result<Scenario, Vec<Diagnostic>> {
    parse_with(name, text, &|_| {
        Err(io::Error::other("this text stands in no folder"))
    })
}

/// Reads the file of this name beside a scenario.
pub type Files<'a> = dyn Fn(&str) -> io::Result<Vec<u8>> + 'a;

/// The same, of a scenario that has files beside it: those that `{ file: … }` names.
///
/// # Errors
///
/// As for [`parse`], and for a file that cannot be read.
pub fn parse_with(name: &str, text: &str, files: &Files<'_>) -> Result<Scenario, Vec<Diagnostic>> {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    let document = yaml::read(text)?;
    let mut cx = Context {
        source,
        files,
        faults: Vec::new(),
    };
    let scenario = top::scenario(&mut cx, &document.root);
    let mut faults = cx.faults;
    if let Some(scenario) = &scenario
        && faults.is_empty()
    {
        faults = check::errors(scenario);
    }
    faults.sort_by_key(|fault| fault.span().start);
    if faults.len() > MAXIMUM_FAULTS {
        faults.truncate(MAXIMUM_FAULTS);
    }
    match scenario {
        Some(scenario) if faults.is_empty() => Ok(scenario),
        _ => Err(faults),
    }
}

/// What is being read, and what was wrong with it so far.
struct Context<'a> {
    source: Arc<Source>,
    files: &'a Files<'a>,
    faults: Vec<Diagnostic>,
}

impl Context<'_> {
    fn report(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// Whether so much is wrong that looking on would help nobody.
    fn is_full(&self) -> bool {
        self.faults.len() >= MAXIMUM_FAULTS
    }

    fn source(&self) -> Arc<Source> {
        Arc::clone(&self.source)
    }

    /// A text that is taken as it is.
    fn text(&mut self, node: &Node, field: &str) -> Option<Spanned<String>> {
        match &node.kind {
            Kind::Scalar(Scalar { text, .. }) if !text.trim().is_empty() => {
                Some(Spanned::new(text.clone(), node.span))
            }
            _ => {
                self.report(Diagnostic::error(
                    node.span,
                    format!("`{field}` wants text, and here is {}", node.noun()),
                ));
                None
            }
        }
    }

    /// A list of texts, or a single one.
    fn texts(&mut self, node: &Node, field: &str) -> Vec<Spanned<String>> {
        match &node.kind {
            Kind::List { items, .. } => {
                let mut texts = Vec::new();
                for item in items {
                    if self.is_full() {
                        break;
                    }
                    texts.extend(self.text(item, field));
                }
                texts
            }
            Kind::Scalar(_) => self.text(node, field).into_iter().collect(),
            _ => {
                self.report(Diagnostic::error(
                    node.span,
                    format!("`{field}` wants a list, and here is {}", node.noun()),
                ));
                Vec::new()
            }
        }
    }
}
