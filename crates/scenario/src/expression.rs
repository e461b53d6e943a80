//! What stands between `<` and `>`: `<t>`, `<window + 1>`, `<a.connack.receive_maximum>`, `<pub min g>`.
//!
//! ```text
//! expression = sum { ("min" | "max") sum }
//! sum        = product { ("+" | "-") product }
//! product    = operand { "*" operand }
//! operand    = number | "(" expression ")" | "since" name | "auth.answer" name
//!            | name "@" (name | number) | name { "." name }
//! ```

use std::ops::Range;

use crate::ast::{Expr, Operator, Piece};
use crate::source::{Span, Spanned};

/// How deep parentheses may nest.
const DEPTH: usize = 16;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    /// Byte offsets in the text.
    pub(crate) range: Range<usize>,
    /// One sentence.
    pub(crate) message: String,
}

/// Turns offsets of a text into a place in the file.
pub(crate) type Place<'a> = &'a dyn Fn(Range<usize>) -> Span;

/// Splits a scalar into literal text and `<…>`; `<<` is a literal `<`.
pub(crate) fn pieces(text: &str, place: Place<'_>) -> Result<Vec<Piece>, ExpressionError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(open) = rest.find('<') else {
            literal.push_str(rest);
            break;
        };
        literal.push_str(&rest[..open]);
        let start = at + open;
        if rest[open + 1..].starts_with('<') {
            literal.push('<');
            at = start + 2;
            continue;
        }
        let Some(length) = rest[open..].find('>') else {
            return Err(ExpressionError {
                range: start..text.len(),
                message: "`<` is not closed by `>`".to_owned(),
            });
        };
        let end = start + length + 1;
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        let expression = parse(&text[start + 1..end - 1]).map_err(|error| ExpressionError {
            range: start + 1 + error.range.start..start + 1 + error.range.end,
            ..error
        })?;
        pieces.push(Piece::Expr(Spanned::new(expression, place(start..end))));
        at = end;
    }
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// Reads a number that stands bare or is a single `<…>`.
pub(crate) fn number(text: &str, place: Place<'_>) -> Result<Spanned<Expr>, ExpressionError> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let range = start..start + trimmed.len();
    if let Some(inner) = trimmed
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        let expression = parse(inner).map_err(|error| ExpressionError {
            range: start + 1 + error.range.start..start + 1 + error.range.end,
            ..error
        })?;
        return Ok(Spanned::new(expression, place(range)));
    }
    match integer(trimmed) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no number of the protocol exceeds 32 bits"
        )]
        Some(number) => Ok(Spanned::new(Expr::Number(number as f64), place(range))),
        None => Err(ExpressionError {
            range,
            message: format!("`{trimmed}` is no number"),
        }),
    }
}

/// Reads an integer in decimal, hex (`0x80`) or binary (`0b0000`).
pub(crate) fn integer(text: &str) -> Option<u64> {
    let digits = |digits: &str, radix| {
        let digits = digits.replace('_', "");
        // `from_str_radix` would take a sign.
        digits
            .starts_with(|first: char| first.is_digit(radix))
            .then(|| u64::from_str_radix(&digits, radix).ok())
            .flatten()
    };
    if let Some(rest) = text.strip_prefix("0x") {
        digits(rest, 16)
    } else if let Some(rest) = text.strip_prefix("0b") {
        digits(rest, 2)
    } else {
        digits(text, 10)
    }
}

/// Reads the inside of `<…>`.
pub(crate) fn parse(text: &str) -> Result<Expr, ExpressionError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let expression = reader.choice()?;
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(reader.fault("an operator (`+`, `-`, `*`, `min`, `max`) was expected here"));
    }
    Ok(expression)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn fault(&self, message: &str) -> ExpressionError {
        let end = self.rest().chars().next().map_or(0, char::len_utf8);
        ExpressionError {
            range: self.at..self.at + end,
            message: message.to_owned(),
        }
    }

    /// Takes a sign such as `+`.
    fn sign(&mut self, sign: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len_utf8();
        }
        found
    }

    /// The word that comes next, without taking it.
    fn peek_word(&mut self) -> &'a str {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    fn choice(&mut self) -> Result<Expr, ExpressionError> {
        let mut left = self.sum()?;
        loop {
            let operator = if self.word("min") {
                Operator::Min
            } else if self.word("max") {
                Operator::Max
            } else {
                return Ok(left);
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> Result<Expr, ExpressionError> {
        let mut left = self.product()?;
        loop {
            let operator = if self.sign('+') {
                Operator::Add
            } else if self.sign('-') {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            left = Expr::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, ExpressionError> {
        let mut left = self.operand()?;
        while self.sign('*') {
            left = Expr::Binary(
                Operator::Multiply,
                Box::new(left),
                Box::new(self.operand()?),
            );
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr, ExpressionError> {
        if self.sign('(') {
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(self.fault("parentheses nest too deep"));
            }
            let inner = self.choice()?;
            self.depth -= 1;
            return if self.sign(')') {
                Ok(inner)
            } else {
                Err(self.fault("`)` was expected here"))
            };
        }
        self.skip_blanks();
        if self
            .rest()
            .starts_with(|first: char| first.is_ascii_digit())
        {
            return self.number();
        }
        let first = self.name()?;
        if first == "since" {
            return Ok(Expr::Since(self.name()?));
        }
        if self.rest().starts_with('@') {
            self.at += 1;
            let index = if self.rest().starts_with(|next: char| next.is_ascii_digit()) {
                self.number()?
            } else {
                Expr::Variable(self.name()?)
            };
            return Ok(Expr::Indexed(first, Box::new(index)));
        }
        let mut path = vec![first];
        while self.rest().starts_with('.') {
            self.at += 1;
            path.push(self.name()?);
        }
        if path == ["auth", "answer"] {
            return Ok(Expr::AuthAnswer(self.name()?));
        }
        Ok(if path.len() == 1 {
            Expr::Variable(path.remove(0))
        } else {
            Expr::Member(path)
        })
    }

    fn number(&mut self) -> Result<Expr, ExpressionError> {
        let rest = self.rest();
        let end = rest
            .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '.'))
            .unwrap_or(rest.len());
        let text = &rest[..end];
        #[expect(
            clippy::cast_precision_loss,
            reason = "no number of the protocol exceeds 32 bits"
        )]
        let number = integer(text)
            .map(|number| number as f64)
            .or_else(|| decimal(text))
            .ok_or_else(|| ExpressionError {
                range: self.at..self.at + end,
                message: format!("`{text}` is no number"),
            })?;
        self.at += end;
        Ok(Expr::Number(number))
    }

    fn name(&mut self) -> Result<String, ExpressionError> {
        let word = self.peek_word();
        if is_name(word) {
            self.at += word.len();
            Ok(word.to_owned())
        } else {
            Err(self.fault("a name or a number was expected here"))
        }
    }
}

/// Digits with one point; no exponent, no sign.
fn decimal(text: &str) -> Option<f64> {
    text.chars()
        .all(|letter| letter.is_ascii_digit() || letter == '.')
        .then(|| text.parse().ok())
        .flatten()
}

/// Whether a text may name a variable or a client: a letter, then letters, digits and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(expression) => show(&expression),
            Err(error) => format!("{}: {}", error.range.start, error.message),
        }
    }

    fn show(expression: &Expr) -> String {
        match expression {
            Expr::Number(number) => number.to_string(),
            Expr::Variable(name) => name.clone(),
            Expr::Indexed(name, index) => format!("{name}@{}", show(index)),
            Expr::Member(path) => path.join("."),
            Expr::Since(name) => format!("since({name})"),
            Expr::AuthAnswer(name) => format!("answer({name})"),
            Expr::Binary(operator, left, right) => {
                format!("({} {operator:?} {})", show(left), show(right))
            }
        }
    }

    #[test]
    fn products_bind_tighter_than_sums_and_sums_than_choices() {
        assert_eq!(shown("a + 2 * b min c"), "((a Add (2 Multiply b)) Min c)");
        assert_eq!(shown("600 - since sent"), "(600 Subtract since(sent))");
        assert_eq!(shown("(a + 1) * 2"), "((a Add 1) Multiply 2)");
    }

    #[test]
    fn each_operand_is_read() {
        assert_eq!(
            shown("a.connack.receive_maximum"),
            "a.connack.receive_maximum"
        );
        assert_eq!(shown("id@i"), "id@i");
        assert_eq!(shown("id@1"), "id@1");
        assert_eq!(shown("auth.answer c1"), "answer(c1)");
        assert_eq!(shown("auth.first"), "auth.first");
        assert_eq!(shown("1.4 * a.keep_alive"), "(1.4 Multiply a.keep_alive)");
        assert_eq!(shown("0x80"), "128");
    }

    #[test]
    fn a_fault_has_its_place() {
        assert_eq!(shown(""), "0: a name or a number was expected here");
        assert!(shown("a b").starts_with("2: an operator"));
        assert!(shown("a + ").starts_with("4: a name"));
        assert!(shown("1e3").starts_with("0: `1e3` is no number"));
        assert!(shown(&"(".repeat(40)).contains("too deep"));
    }

    #[test]
    fn text_and_expressions_alternate() {
        let read = |text| pieces(text, &|_| Span::default()).unwrap();
        assert_eq!(read("$share/<g>/<t>").len(), 4);
        assert!(matches!(&read("a<<b")[..], [Piece::Text(text)] if text == "a<b"));
        assert!(matches!(&read("")[..], [Piece::Text(text)] if text.is_empty()));
        assert!(pieces("a<b", &|_| Span::default()).is_err());
    }

    #[test]
    fn integers_are_read_as_written() {
        assert_eq!(integer("010"), Some(10));
        assert_eq!(integer("0b1010"), Some(10));
        assert_eq!(integer("0xFF"), Some(255));
        assert_eq!(integer("+1"), None);
        assert_eq!(integer("-1"), None);
        assert_eq!(integer("0x+1"), None);
        assert_eq!(integer(""), None);
    }
}
