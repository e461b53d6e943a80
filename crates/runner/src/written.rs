//! Where values stand in a YAML file that people write, and what its parser says of it.

use scenario::Span;
use serde_yaml::{Error, Location};

/// The byte at which a place begins; columns count characters.
pub(crate) fn offset(text: &str, at: Location) -> usize {
    let nth = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let before = text
        .split_inclusive('\n')
        .take(nth(at.line()))
        .map(str::len);
    let start: usize = before.sum();
    let rest = text.get(start..).unwrap_or_default();
    let columns = rest.chars().take(nth(at.column())).map(char::len_utf8);
    start + columns.sum::<usize>()
}

/// What is written at a place: this text where it stands there, else what the line has left.
pub(crate) fn word(text: &str, start: usize, written: &str) -> Span {
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let quote = rest
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'));
    let closing = quote.and_then(|quote| line.get(1..)?.find(quote));
    let length = match closing {
        Some(closing) => closing + 2,
        None if !written.is_empty() && rest.starts_with(written) => written.len(),
        None => {
            let before = text.get(..start).unwrap_or_default();
            let before = before.rsplit('\n').next().unwrap_or_default();
            let is_item = before.contains(['{', '[']) && !line.starts_with(['{', '[']);
            let rest = line.split(" #").next().unwrap_or(line);
            let rest = if is_item {
                rest.split([',', '}', ']']).next().unwrap_or(rest)
            } else {
                rest
            };
            rest.trim_end().len()
        }
    };
    Span {
        start,
        end: start + length,
    }
}

/// The parser's sentence without its own place, which is told in our form.
pub(crate) fn sentence(error: &Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or_default();
    text.rsplit_once(" at line ")
        .map_or(text, |(sentence, _)| sentence)
        .to_owned()
}

/// The text with each byte of a password covered, for showing where something stands beside one; places stay.
pub(crate) fn covered(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let Some((key, rest)) = line.split_once("password:") else {
            shown.push_str(line);
            continue;
        };
        shown.push_str(key);
        shown.push_str("password:");
        let is_named = rest.contains("${");
        for character in rest.chars() {
            if is_named || character.is_whitespace() || matches!(character, ',' | '}') {
                shown.push(character);
            } else {
                shown.extend(std::iter::repeat_n('*', character.len_utf8()));
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_where_its_value_does() {
        let written = |text: &str, start: usize| text[word(text, start, "").range()].to_owned();
        assert_eq!(written("a: [b, c]", 4), "b");
        assert_eq!(written("a: [b, c]", 7), "c");
        assert_eq!(written("a: [b, c]", 3), "[b, c]");
        assert_eq!(written("a: b, c # d", 3), "b, c");
        assert_eq!(written("{ a: 'b, c' }", 5), "'b, c'");
    }

    #[test]
    fn a_password_is_covered() {
        assert_eq!(
            covered("{ user: a, password: hüsh }\nnext: x\n"),
            "{ user: a, password: ***** }\nnext: x\n"
        );
        assert_eq!(covered("password: '${NAME}'\n"), "password: '${NAME}'\n");
    }
}
