//! [`Scope`]: what the names in `<…>` stand for at one moment of a case.

use std::collections::HashMap;

use codec::Version;
use codec::draft::Value;
use scenario::Spanned;
use scenario::ast::{self, Expr, Operator, Piece};
use tokio::time::Instant;

use super::stage::Stage;
use super::stop::{Outcome, Stop};
use super::value;

/// When something happened: from the first of it to the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// No later than the target could know of it. Lower bounds count from here.
    pub(super) begun: Instant,
    /// When it was over. Upper bounds count from here.
    pub(super) done: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self::since(Instant::now())
    }

    /// From `begun` to now.
    pub(super) fn since(begun: Instant) -> Self {
        Self {
            begun,
            done: Instant::now(),
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Datum {
    /// The field is not there.
    Absent,
    Number(f64),
    Text(Vec<u8>),
    /// What a field of a packet held.
    Field(Value),
    Moment(Moment),
    /// A client, by its name.
    Client(String),
    /// What the scenario wrote, such as the value of an axis.
    Written(Spanned<ast::Value>),
}

/// The names that are bound.
pub(super) type Bindings = HashMap<String, Datum>;

/// The bindings of a case, with those that an expectation would add if it held.
pub(super) struct Scope<'a> {
    pub(super) stage: &'a Stage<'a>,
    tentative: Vec<(String, Datum)>,
    /// The instant that `since` counts to.
    pub(super) now: Instant,
    /// The version that names of Reason Codes are read in.
    pub(super) version: Version,
}

impl<'a> Scope<'a> {
    pub(super) fn new(stage: &'a Stage<'a>) -> Self {
        Self {
            stage,
            tentative: Vec::new(),
            now: Instant::now(),
            version: stage.version(),
        }
    }

    /// The same for a client of another version.
    pub(super) fn speaking(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// What a name is bound to.
    pub(super) fn lookup(&self, name: &str) -> Option<Datum> {
        let tentative = self.tentative.iter().rev().find(|(known, _)| known == name);
        match tentative {
            Some((_, datum)) => Some(datum.clone()),
            None => self.stage.lookup(name),
        }
    }

    /// Binds a name for as long as the expectation is not given up.
    pub(super) fn bind(&mut self, name: String, datum: Datum) {
        self.tentative.push((name, datum));
    }

    /// A place to go back to with [`Scope::forget`].
    pub(super) fn mark(&self) -> usize {
        self.tentative.len()
    }

    /// Gives up what was bound since `mark`.
    pub(super) fn forget(&mut self, mark: usize) {
        self.tentative.truncate(mark);
    }

    /// Keeps all that was bound.
    pub(super) fn commit(self) {
        for (name, datum) in self.tentative {
            self.stage.bind(name, datum);
        }
    }

    /// The name that a scalar would bind: it consists of one unbound variable.
    pub(super) fn unbound(&self, pieces: &[Piece]) -> Outcome<Option<String>> {
        let [Piece::Expr(expr)] = pieces else {
            return Ok(None);
        };
        let name = match &expr.value {
            Expr::Variable(name) => name.clone(),
            Expr::Indexed(name, index) => self.indexed(name, index)?,
            _ => return Ok(None),
        };
        Ok(self.lookup(&name).is_none().then_some(name))
    }

    fn indexed(&self, name: &str, index: &Expr) -> Outcome<String> {
        let index = self.text(&self.evaluate(index)?)?;
        Ok(format!("{name}@{}", String::from_utf8_lossy(&index)))
    }

    /// What an expression comes to.
    pub(super) fn evaluate(&self, expr: &Expr) -> Outcome<Datum> {
        Ok(match expr {
            Expr::Number(number) => Datum::Number(*number),
            Expr::Variable(name) => self.known(name)?,
            Expr::Indexed(name, index) => self.known(&self.indexed(name, index)?)?,
            Expr::Member(path) => self.stage.member(path)?,
            Expr::Since(name) => match self.known(name)? {
                Datum::Moment(moment) => Datum::Number(
                    self.now
                        .saturating_duration_since(moment.begun)
                        .as_secs_f64(),
                ),
                _ => return Err(Stop::cannot(format!("`<{name}>` names no instant"))),
            },
            Expr::AuthAnswer(name) => {
                let challenge = self.text(&self.known(name)?)?;
                let Some(authentication) = self.stage.target.authentication() else {
                    return Err(Stop::Skip(
                        "the target's authentication method is not known".into(),
                    ));
                };
                Datum::Field(Value::Binary(authentication.answer.to(&challenge)))
            }
            Expr::Binary(operator, left, right) => {
                let left = self.number(left)?;
                let right = self.number(right)?;
                Datum::Number(match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Min => left.min(right),
                    Operator::Max => left.max(right),
                })
            }
        })
    }

    fn known(&self, name: &str) -> Outcome<Datum> {
        self.lookup(name)
            .ok_or_else(|| Stop::cannot(format!("`<{name}>` was never bound")))
    }

    /// An expression as a number.
    pub(super) fn number(&self, expr: &Expr) -> Outcome<f64> {
        let datum = self.evaluate(expr)?;
        self.as_number(&datum)?
            .ok_or_else(|| Stop::cannot(format!("{} is no number", describe(&datum))))
    }

    /// A datum as a number, if it is one.
    pub(super) fn as_number(&self, datum: &Datum) -> Outcome<Option<f64>> {
        Ok(match datum {
            Datum::Number(number) => Some(*number),
            Datum::Field(field) => value::as_number(field),
            Datum::Text(text) => parse_number(text),
            Datum::Written(written) => match &written.value {
                ast::Value::Scalar(pieces) => match pieces.as_slice() {
                    [Piece::Expr(expr)] => {
                        let inner = self.evaluate(&expr.value)?;
                        self.as_number(&inner)?
                    }
                    _ => parse_number(&self.scalar(pieces)?),
                },
                _ => None,
            },
            Datum::Absent | Datum::Moment(_) | Datum::Client(_) => None,
        })
    }

    /// A datum as text.
    pub(super) fn text(&self, datum: &Datum) -> Outcome<Vec<u8>> {
        match datum {
            Datum::Number(number) => Ok(number.to_string().into_bytes()),
            Datum::Text(text) => Ok(text.clone()),
            Datum::Client(name) => Ok(name.clone().into_bytes()),
            Datum::Field(field) => value::as_text(field)
                .ok_or_else(|| Stop::cannot("a list cannot stand within a text")),
            Datum::Written(written) => match &written.value {
                ast::Value::Scalar(pieces) => self.scalar(pieces),
                _ => Err(Stop::cannot("a list or map cannot stand within a text")),
            },
            Datum::Absent => Err(Stop::cannot("an absent field cannot stand within a text")),
            Datum::Moment(_) => Err(Stop::cannot("an instant cannot stand within a text")),
        }
    }

    /// The text of a scalar.
    pub(super) fn scalar(&self, pieces: &[Piece]) -> Outcome<Vec<u8>> {
        let mut text = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(literal) => text.extend_from_slice(literal.as_bytes()),
                Piece::Expr(expr) => text.extend(self.text(&self.evaluate(&expr.value)?)?),
            }
        }
        Ok(text)
    }
}

fn parse_number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn describe(datum: &Datum) -> &'static str {
    match datum {
        Datum::Absent => "an absent field",
        Datum::Moment(_) => "an instant",
        Datum::Client(_) => "a client",
        _ => "a text",
    }
}
