//! Matching: whether a received packet is what a step expects, and what its names are bound to then.

use codec::draft::{self, Draft, FieldSpec, Kind, Value};
use scenario::ast::{self, Expr, Fields, Matcher, Piece};
use scenario::{Span, Spanned};

use super::scope::{Datum, Scope};
use super::stop::Outcome;
use super::value::{as_number, as_text, carried, same};

/// A field that is not what was expected.
#[derive(Debug, Clone)]
pub(super) struct Mismatch {
    /// The place of the expectation.
    pub(super) span: Span,
    /// One sentence.
    pub(super) message: String,
}

impl Scope<'_> {
    /// Compares a packet with the fields that a step expects; binds names only when all of them hold.
    pub(super) fn matches(
        &mut self,
        fields: &Fields,
        packet: &Draft,
    ) -> Outcome<Result<(), Mismatch>> {
        let mark = self.mark();
        for (name, written) in &fields.0 {
            let Some(spec) = draft::field(packet.packet_type(), &name.value) else {
                return Err(self.stage.cannot_at(
                    name.span,
                    format!("{} has no field `{}`", packet.packet_type(), name.value),
                ));
            };
            if let Err(mismatch) = self.field_matches(spec, written, packet)? {
                self.forget(mark);
                return Ok(Err(mismatch));
            }
        }
        Ok(Ok(()))
    }

    fn field_matches(
        &mut self,
        spec: &'static FieldSpec,
        written: &Spanned<ast::Value>,
        packet: &Draft,
    ) -> Outcome<Result<(), Mismatch>> {
        let actual = carried(packet, spec);
        if self.holds(written, actual.as_ref(), spec.kind)? {
            return Ok(Ok(()));
        }
        let expected = self.notation(written);
        let received = match packet.get(spec.name) {
            Some(value) => super::notation::of_value(value),
            None => actual
                .as_ref()
                .map_or("absent".to_owned(), super::notation::of_value),
        };
        Ok(Err(Mismatch {
            span: written.span,
            message: format!("{} is {received}, not {expected}", spec.name),
        }))
    }

    /// Whether a value is what was written. Names that only this would bind stay bound when it holds.
    pub(super) fn holds(
        &mut self,
        written: &Spanned<ast::Value>,
        actual: Option<&Value>,
        kind: Kind,
    ) -> Outcome<bool> {
        match &written.value {
            ast::Value::Absent => Ok(actual.is_none()),
            ast::Value::Scalar(pieces) => self.scalar_holds(pieces, written.span, actual, kind),
            ast::Value::List(items) => self.list_holds(items, actual, kind),
            ast::Value::Record(_) => Err(self
                .stage
                .cannot_at(written.span, "no packet from a server has a map here")),
            ast::Value::Matcher(matcher) => self.matcher_holds(matcher, actual, kind),
        }
    }

    fn scalar_holds(
        &mut self,
        pieces: &[Piece],
        span: Span,
        actual: Option<&Value>,
        kind: Kind,
    ) -> Outcome<bool> {
        if let Some(name) = self.unbound(pieces)? {
            let datum = actual.map_or(Datum::Absent, |value| Datum::Field(value.clone()));
            self.bind(name, datum);
            return Ok(true);
        }
        if let [Piece::Expr(expr)] = pieces {
            return match self.evaluate(&expr.value)? {
                Datum::Absent => Ok(actual.is_none()),
                // An axis may hold anything that can be written in its place.
                Datum::Written(written) => self.holds(&written, actual, kind),
                datum => {
                    let expected = self.of_datum(&datum, span, kind)?;
                    Ok(equal(expected.as_ref(), actual))
                }
            };
        }
        let written = Spanned::new(ast::Value::Scalar(pieces.to_vec()), span);
        let expected = self.resolve(&written, kind)?;
        Ok(equal(expected.as_ref(), actual))
    }

    /// A list holds for a list of the same items in the same order.
    fn list_holds(
        &mut self,
        items: &[Spanned<ast::Value>],
        actual: Option<&Value>,
        kind: Kind,
    ) -> Outcome<bool> {
        let actual = elements(actual);
        if actual.len() != items.len() {
            return Ok(false);
        }
        let mark = self.mark();
        for (item, actual) in items.iter().zip(&actual) {
            if !self.element_holds(item, actual, kind)? {
                self.forget(mark);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn element_holds(
        &mut self,
        item: &Spanned<ast::Value>,
        actual: &Element,
        list: Kind,
    ) -> Outcome<bool> {
        match actual {
            Element::Pair(name, value) => match &item.value {
                ast::Value::List(sides) if sides.len() == 2 => {
                    Ok(self.holds(&sides[0], Some(name), Kind::Text)?
                        && self.holds(&sides[1], Some(value), Kind::Text)?)
                }
                _ => Err(self
                    .stage
                    .cannot_at(item.span, "a pair `[name, value]` was expected here")),
            },
            Element::Single(single) => match &item.value {
                ast::Value::Scalar(pieces)
                    if self.unbound(pieces)?.is_none() && list == Kind::ReasonCodes =>
                {
                    Ok(same(&Value::Number(self.element(item, list)?), single))
                }
                _ => self.holds(item, Some(single), element_kind(list)),
            },
        }
    }

    fn matcher_holds(
        &mut self,
        matcher: &Matcher,
        actual: Option<&Value>,
        kind: Kind,
    ) -> Outcome<bool> {
        match matcher {
            Matcher::AnyOf(choices) => {
                for choice in choices {
                    let mark = self.mark();
                    if self.holds(choice, actual, kind)? {
                        return Ok(true);
                    }
                    self.forget(mark);
                }
                Ok(false)
            }
            Matcher::Not(other) => {
                let mark = self.mark();
                let holds = self.holds(other, actual, kind)?;
                self.forget(mark);
                // A field that is not there is not "another value".
                Ok(actual.is_some() && !holds)
            }
            Matcher::AnyOrder(items) => {
                let actual = elements(actual);
                let items: Vec<_> = items.iter().collect();
                Ok(items.len() == actual.len() && self.permutation_holds(&items, &actual, kind)?)
            }
            Matcher::Contains(item) => self.contains(item, actual, kind),
            Matcher::Exactly(value) => self.holds(value, actual, kind),
            Matcher::Near { near, by } => {
                let by = self.number_of(by)? + self.detour(near);
                let near = self.number_of(near)?;
                Ok(number(actual).is_some_and(|number| (number - near).abs() <= by))
            }
            Matcher::Below(bound) => {
                let bound = self.bound(bound, kind)?;
                Ok(number(actual).is_some_and(|number| number < bound))
            }
            Matcher::Range(low, high) => {
                let (low, high) = (self.bound(low, kind)?, self.bound(high, kind)?);
                Ok(number(actual).is_some_and(|number| (low..=high).contains(&number)))
            }
            Matcher::Size(size) => {
                let size = self.size_of(size)?;
                Ok(actual
                    .and_then(as_text)
                    .is_some_and(|bytes| bytes.len() == size))
            }
            Matcher::Hex(bytes) | Matcher::Base64(bytes) => Ok(actual
                .and_then(as_text)
                .is_some_and(|actual| actual == *bytes)),
        }
    }

    /// How many seconds more than the target's own a time may count: those that packets are under way.
    fn detour(&self, near: &Spanned<ast::Value>) -> f64 {
        let ast::Value::Scalar(pieces) = &near.value else {
            return 0.0;
        };
        let counts = pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Expr(expr) if counts_time(&expr.value)));
        if counts {
            self.stage.traffic.lateness().as_secs_f64()
        } else {
            0.0
        }
    }

    /// A bound may be a Reason Code by name.
    fn bound(&self, written: &Spanned<ast::Value>, kind: Kind) -> Outcome<f64> {
        if kind == Kind::ReasonCode
            && let Some(value) = self.resolve(written, kind)?
            && let Some(number) = as_number(&value)
        {
            return Ok(number);
        }
        self.number_of(written)
    }

    fn permutation_holds(
        &mut self,
        items: &[&Spanned<ast::Value>],
        actual: &[Element],
        kind: Kind,
    ) -> Outcome<bool> {
        let Some((item, items)) = items.split_first() else {
            return Ok(actual.is_empty());
        };
        for (at, element) in actual.iter().enumerate() {
            let mark = self.mark();
            if self.element_holds(item, element, kind)? {
                let mut rest = actual.to_vec();
                rest.remove(at);
                if self.permutation_holds(items, &rest, kind)? {
                    return Ok(true);
                }
            }
            self.forget(mark);
        }
        Ok(false)
    }

    /// Text contains a text; a list contains an item, or every item of a list.
    fn contains(
        &mut self,
        item: &Spanned<ast::Value>,
        actual: Option<&Value>,
        kind: Kind,
    ) -> Outcome<bool> {
        if let Some(Value::Text(text) | Value::Binary(text)) = actual {
            let part = self.bytes_of(item)?;
            return Ok(part.is_empty() || text.windows(part.len()).any(|window| window == part));
        }
        let actual = elements(actual);
        let wanted: Vec<&Spanned<ast::Value>> = match &item.value {
            ast::Value::List(items) if kind != Kind::Pairs || items.iter().all(is_list) => {
                items.iter().collect()
            }
            _ => vec![item],
        };
        for item in wanted {
            let mut found = false;
            for element in &actual {
                let mark = self.mark();
                if self.element_holds(item, element, kind)? {
                    found = true;
                    break;
                }
                self.forget(mark);
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// An item of a list that was received.
#[derive(Debug, Clone)]
enum Element {
    Single(Value),
    Pair(Value, Value),
}

fn elements(actual: Option<&Value>) -> Vec<Element> {
    match actual {
        Some(Value::Numbers(numbers)) => numbers
            .iter()
            .map(|number| Element::Single(Value::Number(*number)))
            .collect(),
        Some(Value::Texts(texts)) => texts
            .iter()
            .map(|text| Element::Single(Value::Text(text.clone())))
            .collect(),
        Some(Value::Pairs(pairs)) => pairs
            .iter()
            .map(|(name, value)| {
                Element::Pair(Value::Text(name.clone()), Value::Text(value.clone()))
            })
            .collect(),
        Some(single) => vec![Element::Single(single.clone())],
        None => Vec::new(),
    }
}

/// Whether an expression has the time since an instant in it.
fn counts_time(expr: &Expr) -> bool {
    match expr {
        Expr::Since(_) => true,
        Expr::Binary(_, left, right) => counts_time(left) || counts_time(right),
        _ => false,
    }
}

fn element_kind(list: Kind) -> Kind {
    scenario::typing::element(list).unwrap_or(list)
}

fn is_list(item: &Spanned<ast::Value>) -> bool {
    matches!(item.value, ast::Value::List(_))
}

fn equal(expected: Option<&Value>, actual: Option<&Value>) -> bool {
    match (expected, actual) {
        (Some(expected), Some(actual)) => same(expected, actual),
        (None, None) => true,
        _ => false,
    }
}

fn number(actual: Option<&Value>) -> Option<f64> {
    actual.and_then(as_number)
}
