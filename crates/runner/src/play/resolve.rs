//! Resolving: from a value as the scenario writes it to the value that a field takes.

use codec::draft::{FieldSpec, Kind, Record, Value};
use scenario::ast::{self, Matcher, Piece};
use scenario::typing::{typed, typed_element};
use scenario::{Span, Spanned};

use super::scope::{Datum, Scope};
use super::stage::Stage;
use super::stop::{Outcome, Stop};
use super::value;

impl Stage<'_> {
    /// A scalar of the language itself as text.
    pub(super) fn resolve_text(&self, written: &Spanned<ast::Value>) -> Outcome<String> {
        let text = match &written.value {
            ast::Value::Scalar(pieces) => self.scope().scalar(pieces)?,
            _ => return Err(self.cannot_at(written.span, "a single value was expected here")),
        };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The scenario asks for what cannot be done, at a place.
    pub(super) fn cannot_at(&self, span: Span, message: impl std::fmt::Display) -> Stop {
        Stop::cannot(format!(
            "{}: {message}",
            self.case.scenario.source.locate(span)
        ))
    }
}

impl Scope<'_> {
    /// The value that a field of this kind takes; `None` for `<absent>`.
    pub(super) fn resolve(
        &self,
        written: &Spanned<ast::Value>,
        kind: Kind,
    ) -> Outcome<Option<Value>> {
        let cannot = |message: &str| self.stage.cannot_at(written.span, message);
        match &written.value {
            ast::Value::Absent => Ok(None),
            ast::Value::Scalar(pieces) => self.resolve_scalar(pieces, written.span, kind),
            ast::Value::List(items) => self.resolve_list(items, written.span, kind).map(Some),
            ast::Value::Record(fields) => match kind {
                Kind::Record(specs) => Ok(Some(Value::Record(self.resolve_record(fields, specs)?))),
                Kind::Records(specs) => Ok(Some(Value::Filters(vec![
                    self.resolve_record(fields, specs)?,
                ]))),
                _ => Err(cannot(&format!(
                    "{} was expected here, not a map",
                    kind.description()
                ))),
            },
            ast::Value::Matcher(matcher) => match &**matcher {
                Matcher::Size(size) => self.filler(size, kind).map(Some),
                Matcher::Hex(bytes) | Matcher::Base64(bytes) => {
                    Ok(Some(of_bytes(bytes.clone(), kind)))
                }
                _ => Err(cannot("this says what to expect, not what to send")),
            },
        }
    }

    fn resolve_scalar(&self, pieces: &[Piece], span: Span, kind: Kind) -> Outcome<Option<Value>> {
        if let [Piece::Expr(expr)] = pieces {
            let datum = self.evaluate(&expr.value)?;
            return self.of_datum(&datum, span, kind);
        }
        self.of_text(&self.scalar(pieces)?, span, kind).map(Some)
    }

    /// What a name stands for, as a value of this kind.
    pub(super) fn of_datum(&self, datum: &Datum, span: Span, kind: Kind) -> Outcome<Option<Value>> {
        match datum {
            Datum::Absent => Ok(None),
            Datum::Written(written) => self.resolve(written, kind),
            Datum::Field(field) if !matches!(field, Value::Text(_) | Value::Binary(_)) => {
                match (field, kind) {
                    (Value::Number(_) | Value::Flag(_), Kind::Text | Kind::Binary) => Ok(Some(
                        of_bytes(value::as_text(field).unwrap_or_default(), kind),
                    )),
                    (Value::Number(number), Kind::Numbers { .. } | Kind::ReasonCodes) => {
                        Ok(Some(Value::Numbers(vec![*number])))
                    }
                    _ => Ok(Some(field.clone())),
                }
            }
            _ => {
                let text = self.text(datum)?;
                self.of_text(&text, span, kind).map(Some)
            }
        }
    }

    fn of_text(&self, text: &[u8], span: Span, kind: Kind) -> Outcome<Value> {
        if matches!(kind, Kind::Text | Kind::Binary) {
            return Ok(of_bytes(text.to_vec(), kind));
        }
        let text = String::from_utf8_lossy(text);
        let read = match kind {
            Kind::Numbers { .. } | Kind::ReasonCodes => typed_element(&text, kind, self.version)
                .map(|item| match item {
                    Value::Number(number) => Value::Numbers(vec![number]),
                    other => other,
                }),
            Kind::Texts => Ok(Value::Texts(vec![text.as_bytes().to_vec()])),
            _ => typed(&text, kind, self.version),
        };
        read.map_err(|error| self.stage.cannot_at(span, error))
    }

    fn resolve_list(
        &self,
        items: &[Spanned<ast::Value>],
        span: Span,
        kind: Kind,
    ) -> Outcome<Value> {
        match kind {
            Kind::Numbers { .. } | Kind::ReasonCodes => {
                let numbers = items.iter().map(|item| self.element(item, kind));
                Ok(Value::Numbers(numbers.collect::<Outcome<_>>()?))
            }
            Kind::Texts => {
                let texts = items.iter().map(|item| self.bytes_of(item));
                Ok(Value::Texts(texts.collect::<Outcome<_>>()?))
            }
            Kind::Pairs => {
                let pairs = items.iter().map(|item| self.pair(item));
                Ok(Value::Pairs(pairs.collect::<Outcome<_>>()?))
            }
            Kind::Records(specs) => {
                let records = items.iter().map(|item| match &item.value {
                    ast::Value::Record(fields) => self.resolve_record(fields, specs),
                    _ => Err(self.stage.cannot_at(item.span, "a map was expected here")),
                });
                Ok(Value::Filters(records.collect::<Outcome<_>>()?))
            }
            _ => Err(self.stage.cannot_at(
                span,
                format!("{} was expected here, not a list", kind.description()),
            )),
        }
    }

    /// An item of a list of numbers.
    pub(super) fn element(&self, item: &Spanned<ast::Value>, list: Kind) -> Outcome<u64> {
        match self.resolve(item, list)? {
            Some(Value::Numbers(numbers)) if numbers.len() == 1 => Ok(numbers[0]),
            _ => Err(self
                .stage
                .cannot_at(item.span, "a number was expected here")),
        }
    }

    /// A pair `[name, value]` of User Properties.
    pub(super) fn pair(&self, item: &Spanned<ast::Value>) -> Outcome<(Vec<u8>, Vec<u8>)> {
        match &item.value {
            ast::Value::List(sides) if sides.len() == 2 => {
                Ok((self.bytes_of(&sides[0])?, self.bytes_of(&sides[1])?))
            }
            _ => Err(self
                .stage
                .cannot_at(item.span, "a pair `[name, value]` was expected here")),
        }
    }

    /// Text or data as bytes.
    pub(super) fn bytes_of(&self, item: &Spanned<ast::Value>) -> Outcome<Vec<u8>> {
        match self.resolve(item, Kind::Binary)? {
            Some(Value::Text(bytes) | Value::Binary(bytes)) => Ok(bytes),
            _ => Err(self.stage.cannot_at(item.span, "text was expected here")),
        }
    }

    pub(super) fn resolve_record(
        &self,
        fields: &ast::Fields,
        specs: &'static [FieldSpec],
    ) -> Outcome<Record> {
        let mut record = Record::new();
        for (name, written) in &fields.0 {
            let Some(spec) = specs.iter().find(|spec| spec.name == name.value) else {
                return Err(self.stage.cannot_at(
                    name.span,
                    format!("there is no field `{}` here", name.value),
                ));
            };
            if let Some(value) = self.resolve(written, spec.kind)? {
                record.set(spec, value);
            }
        }
        Ok(record)
    }

    /// As many bytes as asked for, which nobody could take for a short text.
    fn filler(&self, size: &Spanned<ast::Value>, kind: Kind) -> Outcome<Value> {
        Ok(of_bytes(
            (0..self.size_of(size)?)
                .map(|at| b'a' + u8::try_from(at % 26).unwrap_or(0))
                .collect(),
            kind,
        ))
    }

    /// A size in bytes.
    pub(super) fn size_of(&self, size: &Spanned<ast::Value>) -> Outcome<usize> {
        let number = self.number_of(size)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the bounds are checked"
        )]
        if (0.0..=268_435_455.0).contains(&number) {
            return Ok(number as usize);
        }
        Err(self
            .stage
            .cannot_at(size.span, format!("{number} is no size in bytes")))
    }

    /// A scalar as a number.
    pub(super) fn number_of(&self, written: &Spanned<ast::Value>) -> Outcome<f64> {
        let number = match &written.value {
            // What is computed, such as seconds on a real clock, need not be whole.
            ast::Value::Scalar(pieces) if matches!(pieces.as_slice(), [Piece::Expr(_)]) => {
                self.as_number(&Datum::Written(written.clone()))?
            }
            _ => self
                .resolve(written, Kind::Number { maximum: u64::MAX })?
                .and_then(|value| value::as_number(&value)),
        };
        number.ok_or_else(|| {
            self.stage
                .cannot_at(written.span, "a number was expected here")
        })
    }
}

/// Bytes as text, or as data where the field takes data.
fn of_bytes(bytes: Vec<u8>, kind: Kind) -> Value {
    if kind == Kind::Text {
        Value::Text(bytes)
    } else {
        Value::Binary(bytes)
    }
}
