//! What is known of a condition or value before a case is played: all that its row says.

use crate::ast::{Comparison, Condition, Expr, Piece, Row, Value};
use crate::expression::integer;
use crate::source::Spanned;

/// Whether a condition holds, if the row alone decides it.
pub(crate) fn decide(condition: &Condition, row: &Row) -> Option<bool> {
    let left = match &condition.left.value {
        Expr::Variable(name) => bound(name, row)?,
        _ => return None,
    };
    if condition.comparison == Comparison::In {
        let Value::List(items) = &condition.right.value else {
            return None;
        };
        let mut found = Some(false);
        for item in items {
            match equal(&left.value, &item.value, row) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => found = None,
            }
        }
        return found;
    }
    let right = &condition.right.value;
    match condition.comparison {
        Comparison::Equal => equal(&left.value, right, row),
        Comparison::Unequal => equal(&left.value, right, row).map(|equal| !equal),
        _ => {
            let left = integer(literal(&left.value, row)?)?;
            let right = integer(literal(right, row)?)?;
            Some(match condition.comparison {
                Comparison::Less => left < right,
                Comparison::LessOrEqual => left <= right,
                Comparison::Greater => left > right,
                _ => left >= right,
            })
        }
    }
}

/// Equal as texts, or as numbers when both are numbers.
fn equal(left: &Value, right: &Value, row: &Row) -> Option<bool> {
    match (left, right) {
        (Value::Absent, Value::Absent) => Some(true),
        (Value::Absent, Value::Scalar(_)) | (Value::Scalar(_), Value::Absent) => Some(false),
        _ => {
            let (left, right) = (literal(left, row)?, literal(right, row)?);
            Some(match (integer(left), integer(right)) {
                (Some(left), Some(right)) => left == right,
                _ => left == right,
            })
        }
    }
}

/// The text of a value that is literal, or an axis whose value is.
pub(crate) fn literal<'a>(value: &'a Value, row: &'a Row) -> Option<&'a str> {
    let Value::Scalar(pieces) = value else {
        return None;
    };
    match &pieces[..] {
        [Piece::Text(text)] => Some(text),
        pieces => match &axis(pieces, row)?.1.value {
            Value::Scalar(pieces) => match &pieces[..] {
                [Piece::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        },
    }
}

/// The axis that a scalar is, and its value in the row.
pub(crate) fn axis<'a>(pieces: &'a [Piece], row: &'a Row) -> Option<(&'a str, &'a Spanned<Value>)> {
    match pieces {
        [Piece::Expr(expression)] => axis_of(expression, row),
        _ => None,
    }
}

/// The axis that an expression is, and its value in the row.
pub(crate) fn axis_of<'a>(
    expression: &'a Spanned<Expr>,
    row: &'a Row,
) -> Option<(&'a str, &'a Spanned<Value>)> {
    match &expression.value {
        Expr::Variable(name) => Some((name, bound(name, row)?)),
        _ => None,
    }
}

fn bound<'a>(name: &str, row: &'a Row) -> Option<&'a Spanned<Value>> {
    row.bindings
        .iter()
        .find(|(axis, _)| axis.value == name)
        .map(|(_, value)| value)
}
