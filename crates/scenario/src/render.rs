//! Diagnostics as people read them: rustc's layout, styled or plain.

use annotate_snippets::renderer::{AnsiColor, DecorStyle, Effects};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Source, Span};

/// Whether the text carries ANSI escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With ANSI escapes for a terminal.
    Styled,
}

/// Renders one diagnostic about `source`, without a line break at the end.
pub fn render(diagnostic: &Diagnostic, source: &Source, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    // As long as what it stands for, so that the carets stay in place; the renderer pictures the other controls itself.
    let lines = source
        .text
        .replace(|c| matches!(c, '\u{80}'..='\u{9f}'), "\u{b7}");
    let mut snippet = Snippet::source(lines).path(harmless(&source.name));
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let text = (!label.text.is_empty()).then(|| harmless(&label.text));
        snippet = snippet.annotation(
            kind.span(visible(label.span, &source.text).range())
                .label(text),
        );
    }
    let mut group = level
        .primary_title(harmless(&diagnostic.message))
        .element(snippet);
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(harmless(note)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    let report: [Group<'_>; 1] = [group];
    renderer(style).render(&report)
}

/// Text that quotes a scenario or names its file, without what could steer a terminal or make a line of its own.
fn harmless(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            harmless.extend(c.escape_unicode());
        } else {
            harmless.push(c);
        }
    }
    harmless
}

fn renderer(style: Style) -> Renderer {
    match style {
        Style::Plain => Renderer::plain(),
        Style::Styled => {
            // The default blue of context is hard to read on a dark ground.
            Renderer::styled().line_num(AnsiColor::BrightBlue.on_default().effects(Effects::BOLD))
        }
    }
    .decor_style(DecorStyle::Ascii)
}

/// A place that a caret can stand under: within the text, on character borders, on its first line only.
fn visible(span: Span, text: &str) -> Span {
    let floor = |offset: usize| text.floor_char_boundary(offset.min(text.len()));
    let start = floor(span.start);
    let end = floor(span.end).max(start);
    let line = text[start..end].find('\n').map_or(end, |at| start + at);
    Span { start, end: line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source {
            name: "retain/kept.yaml".to_owned(),
            text: "title: x\nclents: [ä, b]\n".to_owned(),
        }
    }

    #[test]
    fn the_layout_is_that_of_rustc() {
        let diagnostic = Diagnostic::error(Span { start: 9, end: 15 }, "unknown key `clents`")
            .and(Span { start: 0, end: 5 }, "beside this one")
            .note("nothing is ignored")
            .help("did you mean `clients`?");
        insta::assert_snapshot!(render(&diagnostic, &source(), Style::Plain), @r"
        error: unknown key `clents`
         --> retain/kept.yaml:2:1
          |
        1 | title: x
          | ----- beside this one
        2 | clents: [ä, b]
          | ^^^^^^
          |
          = note: nothing is ignored
          = help: did you mean `clients`?
        ");
        assert!(render(&diagnostic, &source(), Style::Styled).contains("\u{1b}["));
    }

    #[test]
    fn no_part_of_it_steers_a_terminal() {
        let hostile = "\u{1b}[2J\u{7}\u{9b}1m\u{202e}\nerror: x";
        let source = Source {
            name: hostile.to_owned(),
            text: hostile.replace('\n', "") + "\n",
        };
        let diagnostic = Diagnostic::error(Span { start: 0, end: 3 }, hostile)
            .label(hostile)
            .note(hostile)
            .help(hostile);
        let text = render(&diagnostic, &source, Style::Plain);
        assert!(
            !text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
            "{text:?}"
        );
        assert!(!text.contains("\nerror"), "{text:?}");
    }

    #[test]
    fn a_place_outside_the_text_does_not_panic() {
        for (start, end) in [(0, 0), (18, 19), (19, 19), (900, 1000), (12, 3), (26, 26)] {
            let diagnostic = Diagnostic::error(Span { start, end }, "x");
            assert!(render(&diagnostic, &source(), Style::Plain).contains("error: x"));
        }
    }
}
