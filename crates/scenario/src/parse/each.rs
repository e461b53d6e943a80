//! `each`: a map is a product of axes, a list is rows.

use super::values::{self, Side};
use super::{Context, top};
use crate::ast::{Name, Row, Value};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Kind, Node};
use crate::source::Spanned;
use crate::vocabulary::Slot;
use crate::{expression, format};

/// How many rows a scenario may have.
const MAXIMUM_ROWS: usize = 256;

/// Reads `each` as rows.
pub(super) fn rows(cx: &mut Context<'_>, node: &Node) -> Vec<Row> {
    let rows = match &node.kind {
        Kind::Map { entries, .. } if !entries.is_empty() => product(cx, node, entries),
        Kind::List { items, .. } if !items.is_empty() && items.len() <= MAXIMUM_ROWS => {
            items.iter().filter_map(|item| row(cx, item)).collect()
        }
        Kind::List { items, .. } if items.len() > MAXIMUM_ROWS => {
            cx.report(too_many_rows(node.span));
            Vec::new()
        }
        _ => {
            cx.report(
                Diagnostic::error(
                    node.span,
                    format!("`each` has axes or rows, and here is {}", node.noun()),
                )
                .help("write `{ axis: [1, 2] }`, or a list of rows `{ axis: 1 }`"),
            );
            Vec::new()
        }
    };
    unique_names(cx, node, &rows);
    rows
}

fn too_many_rows(span: crate::Span) -> Diagnostic {
    Diagnostic::error(span, "`each` makes too many rows")
        .note(format!("the limit is {MAXIMUM_ROWS}"))
}

/// Case names carry the name of the row, so no two may be alike.
fn unique_names(cx: &mut Context<'_>, node: &Node, rows: &[Row]) {
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.array_windows().find(|[one, next]| one == next);
    if let Some([name, _]) = twice {
        cx.report(
            Diagnostic::error(node.span, format!("two rows are named `{name}`"))
                .help("a row may carry a `name` of its own"),
        );
    }
}

/// One row for each combination, the last axis running fastest.
fn product(cx: &mut Context<'_>, node: &Node, entries: &[Entry]) -> Vec<Row> {
    let mut rows = vec![Row::default()];
    for Entry { key, value } in entries {
        let Some(axis) = axis_name(cx, key.value.text.as_str(), key.span) else {
            continue;
        };
        let items = match &value.kind {
            Kind::List { items, .. } if !items.is_empty() => items,
            _ => {
                cx.report(
                    Diagnostic::error(
                        value.span,
                        format!("the axis `{}` wants a list of values", axis.value),
                    )
                    .help("write `[1, 2]`; rows are a list of maps"),
                );
                continue;
            }
        };
        if rows.len().saturating_mul(items.len()) > MAXIMUM_ROWS {
            cx.report(too_many_rows(node.span));
            return Vec::new();
        }
        let values: Vec<(Spanned<Value>, String)> = items
            .iter()
            .filter_map(|item| axis_value(cx, item, &axis.value))
            .collect();
        rows = rows
            .iter()
            .flat_map(|row| {
                values.iter().map(|(value, shown)| {
                    let mut row = row.clone();
                    extend(&mut row.name, &axis.value, shown);
                    row.bindings.push((axis.clone(), value.clone()));
                    row
                })
            })
            .collect();
    }
    rows
}

fn row(cx: &mut Context<'_>, node: &Node) -> Option<Row> {
    let Kind::Map { entries, .. } = &node.kind else {
        cx.report(Diagnostic::error(
            node.span,
            format!("a row is a map, and here is {}", node.noun()),
        ));
        return None;
    };
    let mut row = Row::default();
    let mut name = None;
    for Entry { key, value } in entries {
        match key.value.text.as_str() {
            "clauses" => row.clauses = top::clauses_of(cx, value),
            "requires" => row.requires = top::features(cx, value),
            "name" => name = cx.text(value, "name"),
            axis => {
                let Some(axis) = axis_name(cx, axis, key.span) else {
                    continue;
                };
                if let Some((value, shown)) = axis_value(cx, value, &axis.value) {
                    extend(&mut row.name, &axis.value, &shown);
                    row.bindings.push((axis, value));
                }
            }
        }
    }
    if let Some(name) = name {
        row.name = name.value;
    }
    Some(row)
}

fn axis_name(cx: &mut Context<'_>, text: &str, span: crate::Span) -> Option<Name> {
    if expression::is_name(text) && !matches!(text, "clauses" | "requires" | "name") {
        return Some(Spanned::new(text.to_owned(), span));
    }
    cx.report(
        Diagnostic::error(span, format!("`{text}` cannot name an axis"))
            .help("a name is a letter, then letters, digits and `_`; `clauses`, `requires` and `name` belong to rows"),
    );
    None
}

/// The value, and how the case name shows it.
fn axis_value(cx: &mut Context<'_>, node: &Node, axis: &str) -> Option<(Spanned<Value>, String)> {
    let value = values::read(cx, node, Slot::Untyped, Side::Expected, axis)?;
    let shown = match node.text() {
        Some(text) => text.value.text.clone(),
        None => format::on_one_line(node, &cx.source().text),
    };
    Some((
        value,
        shown.split_whitespace().collect::<Vec<_>>().join(" "),
    ))
}

fn extend(name: &mut String, axis: &str, value: &str) {
    if !name.is_empty() {
        name.push(',');
    }
    name.push_str(axis);
    name.push('=');
    name.push_str(value);
}
