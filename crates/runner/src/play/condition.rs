//! Conditions: what stands behind `if`.

use scenario::Span;
use scenario::ast::{self, Comparison, Condition};

use super::scope::{Datum, Scope};
use super::stage::Stage;
use super::stop::Outcome;

impl Stage<'_> {
    /// Whether a condition holds now.
    pub(super) fn condition_holds(&self, condition: &Condition, span: Span) -> Outcome<bool> {
        let scope = self.scope();
        let left = scope.evaluate(&condition.left.value)?;
        if condition.comparison == Comparison::In {
            return match &condition.right.value {
                ast::Value::List(items) => {
                    for item in items {
                        if equal(&scope, &left, &item.value)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
                single => equal(&scope, &left, single),
            };
        }
        match condition.comparison {
            Comparison::Equal => equal(&scope, &left, &condition.right.value),
            Comparison::Unequal => Ok(!equal(&scope, &left, &condition.right.value)?),
            comparison => {
                let right = datum(&scope, &condition.right.value)?;
                let (Some(left), Some(right)) = (scope.as_number(&left)?, scope.as_number(&right)?)
                else {
                    return Err(self.cannot_at(span, "only numbers are less or greater"));
                };
                Ok(match comparison {
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Greater => left > right,
                    _ => left >= right,
                })
            }
        }
    }
}

/// A value as a datum.
fn datum(scope: &Scope<'_>, value: &ast::Value) -> Outcome<Datum> {
    match value {
        ast::Value::Absent => Ok(Datum::Absent),
        ast::Value::Scalar(pieces) => match pieces.as_slice() {
            [ast::Piece::Expr(expr)] => scope.evaluate(&expr.value),
            _ => Ok(Datum::Text(scope.scalar(pieces)?)),
        },
        other => Ok(Datum::Written(scenario::Spanned::new(
            other.clone(),
            Span::default(),
        ))),
    }
}

fn equal(scope: &Scope<'_>, left: &Datum, right: &ast::Value) -> Outcome<bool> {
    let right = datum(scope, right)?;
    match (absent(scope, left)?, absent(scope, &right)?) {
        (false, false) => {}
        (left, right) => return Ok(left == right),
    }
    if let (Some(left), Some(right)) = (scope.as_number(left)?, scope.as_number(&right)?) {
        return Ok((left - right).abs() < f64::EPSILON);
    }
    Ok(scope.text(left)? == scope.text(&right)?)
}

/// Whether a datum is, or is written as, `<absent>`.
fn absent(scope: &Scope<'_>, datum: &Datum) -> Outcome<bool> {
    match datum {
        Datum::Absent => Ok(true),
        Datum::Written(written) => match &written.value {
            ast::Value::Absent => Ok(true),
            ast::Value::Scalar(pieces) => match pieces.as_slice() {
                [ast::Piece::Expr(expr)] => absent(scope, &scope.evaluate(&expr.value)?),
                _ => Ok(false),
            },
            _ => Ok(false),
        },
        _ => Ok(false),
    }
}
