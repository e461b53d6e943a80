//! Durations: `3s`, `250ms`, `1m`, `<1.4 * a.keep_alive>s`.

use std::time::Duration;

use crate::ast::{Expr, Operator};
use crate::expression::{self, ExpressionError, Place};
use crate::source::Spanned;

/// The units, the longer of those that end alike first.
const UNITS: [(&str, f64); 3] = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];

/// Reads a literal such as `3s`, `250ms` or `1m`.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, factor) = split(text)?;
    Duration::try_from_secs_f64(decimal(number)? * factor).ok()
}

/// Reads a duration that may hold `<…>`, as an expression in seconds.
pub(crate) fn expression(text: &str, place: Place<'_>) -> Result<Spanned<Expr>, ExpressionError> {
    let fault = || ExpressionError {
        range: 0..text.len(),
        message: format!("`{text}` is no duration"),
    };
    let (amount, factor) = split(text).ok_or_else(fault)?;
    let span = place(0..text.len());
    if amount.starts_with('<') {
        let amount = expression::number(amount, place)?.value;
        #[expect(clippy::float_cmp, reason = "the factor is a constant of this file")]
        let seconds = if factor == 1.0 {
            amount
        } else {
            Expr::Binary(
                Operator::Multiply,
                Box::new(amount),
                Box::new(Expr::Number(factor)),
            )
        };
        return Ok(Spanned::new(seconds, span));
    }
    let seconds = duration(text).ok_or_else(fault)?.as_secs_f64();
    Ok(Spanned::new(Expr::Number(seconds), span))
}

fn split(text: &str) -> Option<(&str, f64)> {
    UNITS.iter().find_map(|(unit, factor)| {
        text.strip_suffix(unit)
            .filter(|amount| amount.ends_with(|last: char| last.is_ascii_digit() || last == '>'))
            .map(|amount| (amount, *factor))
    })
}

fn decimal(text: &str) -> Option<f64> {
    text.chars()
        .all(|letter| letter.is_ascii_digit() || letter == '.')
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read() {
        assert_eq!(duration("3s"), Some(Duration::from_secs(3)));
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("1m"), Some(Duration::from_mins(1)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        for wrong in ["3", "s", "-3s", "3 s", "1e3s", "3h", "", "<x>s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_expression_is_in_seconds() {
        let read = |text| expression(text, &|_| crate::Span::default()).map(|read| read.value);
        assert!(
            matches!(read("250ms"), Ok(Expr::Number(seconds)) if (seconds - 0.25).abs() < 1e-9)
        );
        assert!(matches!(read("<x>s"), Ok(Expr::Variable(_))));
        assert!(matches!(
            read("<x>ms"),
            Ok(Expr::Binary(Operator::Multiply, ..))
        ));
        assert!(read("<x>").is_err());
        assert!(read("<x> s").is_err());
    }
}
