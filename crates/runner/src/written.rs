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
    text.split_inclusive('\n')
        .map(|line| {
            let line = cover(line, "password:", &[',', '}', '\n', '\r']);
            match line.find("://").and_then(|at| line.get(at..)?.find('@')) {
                Some(_) => cover_in_address(&line),
                None => line,
            }
        })
        .collect()
}

/// Covers what stands between a mark and the first of these ends, unless it names an environment variable.
fn cover(line: &str, mark: &str, ends: &[char]) -> String {
    let Some((before, behind)) = line.split_once(mark) else {
        return line.to_owned();
    };
    let end = behind.find(ends).unwrap_or(behind.len());
    let (secret, rest) = behind.split_at(end);
    let covered: String = if secret.contains("${") {
        secret.to_owned()
    } else {
        secret.chars().map(mask).collect()
    };
    format!("{before}{mark}{covered}{rest}")
}

/// `mqtt://user:password@host`.
fn cover_in_address(line: &str) -> String {
    let Some((scheme, rest)) = line.split_once("://") else {
        return line.to_owned();
    };
    format!("{scheme}://{}", cover(rest, ":", &['@', '\n', '\r']))
}

/// As many stars as the character has bytes; blanks stay.
fn mask(character: char) -> String {
    if character.is_whitespace() {
        character.to_string()
    } else {
        "*".repeat(character.len_utf8())
    }
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
        for open in [
            "password: '${NAME}'\n",
            "target: mqtt://a:${X}@h\n",
            "target: mqtt://h:1\n",
        ] {
            assert_eq!(covered(open), open);
        }
        assert_eq!(
            covered("target: mqtt://a:hush@h:1\n"),
            "target: mqtt://a:****@h:1\n"
        );
    }
}
