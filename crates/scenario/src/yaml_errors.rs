//! YAML syntax errors in the words of the scenario language, with a hint where the cause is a known trap.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Says what is wrong with text that is no YAML.
pub(crate) fn explain(error: &ScanError, text: &str) -> Diagnostic {
    let offset = error
        .marker()
        .byte_offset()
        .unwrap_or(text.len())
        .min(text.len());
    let at = place(text, offset);
    match error.kind() {
        ErrorKind::UnclosedFlowCollection { open } => unclosed(text, offset, *open),
        ErrorKind::MissingAnchorOrAliasName => {
            let sign = &text[at.range()];
            Diagnostic::error(at, format!("`{sign}` cannot begin a value unquoted"))
                .help(format!("write '{sign}'"))
        }
        ErrorKind::MappingValueNotAllowed => mapping_value(text, offset, at),
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            let code = u32::from(*character);
            Diagnostic::error(
                at,
                format!("the control character U+{code:04X} cannot stand in YAML"),
            )
            .help(format!("in double quotes it is written `\\u{code:04x}`"))
        }
        ErrorKind::UnexpectedCharacter { character } => {
            Diagnostic::error(at, format!("`{character}` cannot begin a value unquoted"))
                .help(format!("put the value in quotes: '{character}…'"))
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            Diagnostic::error(opening_quote(text, offset).unwrap_or(at), "a quote is not closed")
                .help("close it with the sign that opens it; what goes on in a further line stands indented there")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => {
            Diagnostic::error(at, "a tab cannot indent").help("indent with blanks")
        }
        ErrorKind::ExpectedBlockMappingKey if is_behind_fields(text, offset) => Diagnostic::error(
            at,
            "here the step has ended",
        )
        .help(
            "write `as`, `after`, `within` and `since` before the colon: `a pings as <x>: { … }`",
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            Diagnostic::error(at, "the indentation fits no list or map that is open here")
                .note(format!("the YAML parser says: {}", error.info()))
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            cut_off_before(text, offset).unwrap_or_else(|| {
                Diagnostic::error(at, "`- ` cannot begin a list here")
                    .help("begin the list on a line of its own")
            })
        }
        ErrorKind::DirectiveDisallowed => {
            Diagnostic::error(at, "a directive is not part of the scenario language")
                .help("remove the line that begins with `%`")
        }
        _ => cut_off_before(text, offset).unwrap_or_else(|| {
            Diagnostic::error(at, "this is no YAML")
                .note(format!("the YAML parser says: {}", error.info()))
        }),
    }
}

/// The quote that opens a value before an offset and is not closed in its line.
fn opening_quote(text: &str, offset: usize) -> Option<Span> {
    let mut end = offset;
    loop {
        let line = line_at(text, end);
        let within = &text[line.start..line.end];
        for quote in ['"', '\''] {
            let mut quotes = within.match_indices(quote);
            if let Some((at, _)) = quotes.next()
                && quotes.count() % 2 == 0
                && within[..at].ends_with([' ', '[', '{', ',', ':', '-'])
            {
                return Some(place(text, line.start + at));
            }
        }
        end = line.start.checked_sub(1)?;
    }
}

/// The character at an offset.
fn place(text: &str, offset: usize) -> Span {
    let start = text.floor_char_boundary(offset);
    let length = text[start..].chars().next().map_or(0, char::len_utf8);
    Span {
        start,
        end: start + length,
    }
}

/// Whether a suffix of a step stands here, behind the bracket that closes its fields.
fn is_behind_fields(text: &str, offset: usize) -> bool {
    let line = line_at(text, offset);
    let word = text[offset..line.end].split(' ').next();
    let is_suffix = matches!(word, Some("as" | "after" | "within" | "since"));
    is_suffix && text[line.start..offset].trim_end().ends_with(['}', ']'])
}

fn line_at(text: &str, offset: usize) -> Span {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..]
        .find('\n')
        .map_or(text.len(), |at| offset + at);
    Span { start, end }
}

/// A bracket that is never closed, perhaps because a comment has swallowed the closing one.
fn unclosed(text: &str, offset: usize, open: char) -> Diagnostic {
    let line = line_at(text, offset);
    let bracket = place(text, offset);
    comment_behind(text, offset, line.end).map_or_else(
        || Diagnostic::error(bracket, format!("`{open}` is never closed")),
        |hash| swallowed(hash, bracket),
    )
}

/// A bracket in the line before that nothing closes, perhaps because a comment has swallowed the closing one: what comes
/// next is a surprise to the parser.
fn cut_off_before(text: &str, offset: usize) -> Option<Diagnostic> {
    let line = line_at(text, text[..offset].trim_end().len());
    if let Some(hash) = comment_behind(text, line.start, line.end)
        && let Some(bracket) = left_open(text, line.start, hash.start)
    {
        return Some(swallowed(hash, bracket));
    }
    let here = line_at(text, offset);
    let line = line_at(text, text[..here.start].trim_end().len());
    let indent = |line: Span| text[line.range()].len() - text[line.range()].trim_start().len();
    if line == here || indent(here) > indent(line) {
        return None;
    }
    let bracket = left_open(text, line.start, line.end)?;
    let fault = Diagnostic::error(
        bracket,
        format!("`{}` is not closed", &text[bracket.range()]),
    );
    Some(fault.and(place(text, offset), "so this is a surprise"))
}

/// The last bracket that is opened here and not closed.
fn left_open(text: &str, start: usize, end: usize) -> Option<Span> {
    let mut open = Vec::new();
    for (at, sign) in text[start..end].char_indices() {
        match sign {
            '{' | '[' => open.push(start + at),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
    }
    open.last().map(|at| place(text, *at))
}

/// The `#` with which a comment begins behind `start`: an unquoted one behind a blank.
fn comment_behind(text: &str, start: usize, end: usize) -> Option<Span> {
    let within = &text[start..end];
    let mut signs = within.match_indices('#').map(|(at, _)| at);
    let at = signs.find(|&at| within[..at].ends_with([' ', '\t']) && !in_quotes(&within[..at]))?;
    Some(Span {
        start: start + at,
        end: start + at + 1,
    })
}

fn swallowed(hash: Span, bracket: Span) -> Diagnostic {
    Diagnostic::error(hash, "`#` behind a blank begins a comment")
        .label("from here on the line is a comment")
        .and(bracket, "so this is never closed")
        .help("a topic filter that is `#` alone wants quotes: '#'")
}

fn in_quotes(text: &str) -> bool {
    text.matches('\'').count() % 2 == 1 || text.matches('"').count() % 2 == 1
}

/// `PUBLISH:{` without a blank is one long word to YAML, and the next `: ` comes as a surprise.
fn mapping_value(text: &str, offset: usize, at: Span) -> Diagnostic {
    let line = line_at(text, offset);
    let before = &text[line.start..offset.min(line.end)];
    if let Some(found) = [":{", ":["].iter().find_map(|pair| before.find(pair)) {
        return missing_blank(line.start + found);
    }
    Diagnostic::error(at, "a second `: ` in one value")
        .help("put a value that holds `: ` in quotes")
}

/// The hint for `PUBLISH:{`, where the colon stands at `colon`.
pub(crate) fn missing_blank(colon: usize) -> Diagnostic {
    let place = Span {
        start: colon,
        end: colon + 2,
    };
    Diagnostic::error(place, "a blank is missing behind the colon").help("write `: {`")
}
