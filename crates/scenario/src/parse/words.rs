//! The words of a head, and where each stands in its text.

use std::ops::Range;

/// A word of a head. `<…>` is one word, blanks included, and so is what touches it, as in `<t>s`; `,` and `|` are words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// The word.
    pub(super) text: &'a str,
    /// Where it stands.
    pub(super) range: Range<usize>,
}

/// Splits a head into its words.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut letters = text.char_indices();
    let mut cut = |start: &mut Option<usize>, end: usize| {
        if let Some(start) = start.take() {
            words.push(Word {
                text: &text[start..end],
                range: start..end,
            });
        }
    };
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter.is_whitespace() => cut(&mut start, at),
            ',' | '|' => {
                cut(&mut start, at);
                cut(&mut Some(at), at + 1);
            }
            '<' if opens_expression(&text[at + 1..]) => {
                start.get_or_insert(at);
                letters.find(|(_, letter)| *letter == '>');
            }
            _ => {
                start.get_or_insert(at);
            }
        }
    }
    cut(&mut start, text.len());
    words
}

/// `<` begins an expression unless it is part of `<-` or a comparison.
fn opens_expression(rest: &str) -> bool {
    rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_' || next == '(')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn an_expression_is_one_word_with_what_touches_it() {
        assert_eq!(
            split("a <- closed within <2.5 * a.keep_alive>s since <last>"),
            [
                "a",
                "<-",
                "closed",
                "within",
                "<2.5 * a.keep_alive>s",
                "since",
                "<last>"
            ]
        );
        assert_eq!(
            split("for <i> in 1..<w + 1>"),
            ["for", "<i>", "in", "1..<w + 1>"]
        );
    }

    #[test]
    fn separators_and_comparisons_are_words() {
        assert_eq!(
            split("s1, s2|s3 <- x"),
            ["s1", ",", "s2", "|", "s3", "<-", "x"]
        );
        assert_eq!(split("if <x> <= 5"), ["if", "<x>", "<=", "5"]);
        assert_eq!(split("if <x> < 5"), ["if", "<x>", "<", "5"]);
        assert_eq!(split("<x"), ["<x"]);
        assert_eq!(split(" ä  ö "), ["ä", "ö"]);
    }
}
