//! Walks over steps and values.

use crate::ast::{Action, Expr, Fields, Matcher, Piece, Step, Value};
use crate::source::{Span, Spanned};

/// Calls `see` for each step, those within blocks included, in the order of the text.
pub(super) fn each_step<'a>(steps: &'a [Step], see: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        see(step);
        for block in step.action.value.blocks() {
            each_step(block, see);
        }
    }
}

/// Whether any step, those within blocks included, is like this.
pub(super) fn any_step(steps: &[Step], like: &dyn Fn(&Action) -> bool) -> bool {
    steps.iter().any(|step| {
        like(&step.action.value)
            || step
                .action
                .value
                .blocks()
                .into_iter()
                .any(|block| any_step(block, like))
    })
}

/// Calls `see` for each expression of a value.
pub(super) fn each_expression<'a>(value: &'a Spanned<Value>, see: &mut dyn FnMut(&'a Expr, Span)) {
    match &value.value {
        Value::Scalar(pieces) => {
            for piece in pieces {
                if let Piece::Expr(expression) = piece {
                    see(&expression.value, expression.span);
                }
            }
        }
        Value::List(items) => {
            for item in items {
                each_expression(item, see);
            }
        }
        Value::Record(fields) => each_field_expression(fields, see),
        Value::Matcher(matcher) => {
            for part in matcher_parts(matcher) {
                each_expression(part, see);
            }
        }
        Value::Absent => {}
    }
}

/// Calls `see` for each expression of a map of fields.
pub(super) fn each_field_expression<'a>(fields: &'a Fields, see: &mut dyn FnMut(&'a Expr, Span)) {
    for (_, value) in &fields.0 {
        each_expression(value, see);
    }
}

/// The values that a matcher holds.
pub(super) fn matcher_parts(matcher: &Matcher) -> Vec<&Spanned<Value>> {
    match matcher {
        Matcher::AnyOf(values) | Matcher::AnyOrder(values) => values.iter().collect(),
        Matcher::Not(value)
        | Matcher::Contains(value)
        | Matcher::Exactly(value)
        | Matcher::Below(value)
        | Matcher::Size(value) => vec![value],
        Matcher::Near { near, by } => vec![near, by],
        Matcher::Range(low, high) => vec![low, high],
        Matcher::Hex(_) | Matcher::Base64(_) => Vec::new(),
    }
}
