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
            Diagnostic::error(at, "a quote is not closed")
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => {
            Diagnostic::error(at, "a tab cannot indent").help("indent with blanks")
        }
        ErrorKind::RecursionLimitExceeded => Diagnostic::error(at, "lists and maps nest too deep"),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            Diagnostic::error(at, "the indentation fits no list or map that is open here")
                .note(format!("the YAML parser says: {}", error.info()))
        }
        ErrorKind::BlockSequenceEntryNotAllowed => {
            Diagnostic::error(at, "`- ` cannot begin a list here")
                .help("begin the list on a line of its own")
        }
        ErrorKind::DirectiveDisallowed => {
            Diagnostic::error(at, "a directive is not part of the scenario language")
                .help("remove the line that begins with `%`")
        }
        _ => Diagnostic::error(at, "this is no YAML")
            .note(format!("the YAML parser says: {}", error.info())),
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

fn line_at(text: &str, offset: usize) -> Span {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..]
        .find('\n')
        .map_or(text.len(), |at| offset + at);
    Span { start, end }
}

/// An unquoted `#` behind a blank makes a comment of the rest of the line, the closing bracket included.
fn unclosed(text: &str, offset: usize, open: char) -> Diagnostic {
    let line = line_at(text, offset);
    let within = &text[offset..line.end];
    let hash = within
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|&at| at > 0 && within[..at].ends_with([' ', '\t']) && !in_quotes(&within[..at]));
    let bracket = place(text, offset);
    match hash {
        Some(at) => {
            let hash = Span {
                start: offset + at,
                end: offset + at + 1,
            };
            Diagnostic::error(hash, "`#` behind a blank begins a comment")
                .label("from here on the line is a comment")
                .and(bracket, "so this is never closed")
                .help("a topic filter that is `#` alone wants quotes: '#'")
        }
        None => Diagnostic::error(bracket, format!("`{open}` is never closed")),
    }
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
