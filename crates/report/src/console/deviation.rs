//! One deviation as a diagnostic: the scenario's line, what was expected and received, the clause, the exchange.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Element, Level as Severity, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use runner::event::{CaseReport, Finding, Level};
use scenario::Span;

use super::Options;
use crate::tally::{self, Kind};
use crate::text::terminal_text;
use crate::trace::{self, Line, Tone};

/// How many lines of a long exchange are shown at its beginning.
const FIRST_LINES: usize = 12;

/// How many are shown at its end, where the deviation mostly is.
const LAST_LINES: usize = 28;

/// `file:line:column: message [clause]`, or the reason where a case has no findings.
pub(super) fn one_line(out: &mut dyn Write, report: &CaseReport) -> io::Result<()> {
    let kind = Kind::of(&report.verdict);
    if !matches!(kind, Kind::Fail | Kind::Warn | Kind::Crashed | Kind::Fixed) {
        return Ok(());
    }
    let case = &report.case;
    let name = terminal_text(&case.name);
    for finding in &report.findings {
        let clause = finding.clauses.first().map_or("no clause", |id| id.name());
        let place = case.source.locate(finding.span);
        let message = terminal_text(&finding.message).replace('\n', " ");
        writeln!(
            out,
            "{place}: {}: {message} [{clause}] (case {name})",
            kind.name()
        )?;
    }
    if report.findings.is_empty() {
        let reason =
            tally::reason(&report.verdict).unwrap_or("the baseline lists it, and it passed");
        writeln!(
            out,
            "{}: {}: {} (case {name})",
            case.source.name,
            kind.name(),
            terminal_text(reason)
        )?;
    }
    Ok(())
}

/// Whether two cases deviate in the same way at the same place, so that one of them tells all.
pub(super) fn alike(left: &CaseReport, right: &CaseReport) -> bool {
    let ways = |report: &CaseReport| -> Vec<(Span, String)> {
        let findings = report.findings.iter();
        findings
            .map(|finding| (finding.span, finding.message.clone()))
            .collect()
    };
    !left.findings.is_empty()
        && left.verdict == right.verdict
        && left.case.source.name == right.case.source.name
        && ways(left) == ways(right)
}

/// The whole diagnostic of a case, every finding and the exchange; `others` are the cases that it speaks for too.
pub(super) fn write(
    out: &mut dyn Write,
    report: &CaseReport,
    others: &[&str],
    options: &Options,
) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}\n", diagnostic(report, finding, others, options))?;
    }
    if report.findings.is_empty() {
        writeln!(out, "{}\n", verdict_alone(report))?;
    }
    exchange(out, report, options)
}

/// The trace of a case's whole exchange.
pub(super) fn exchange(
    out: &mut dyn Write,
    report: &CaseReport,
    options: &Options,
) -> io::Result<()> {
    if report.trace.is_empty() {
        return Ok(());
    }
    let name = terminal_text(&report.case.name);
    writeln!(
        out,
        "  The exchange of {name}, with seconds since it began:\n"
    )?;
    let lines = trace::lines(&report.trace);
    let hidden = lines.len().saturating_sub(FIRST_LINES + LAST_LINES);
    for (index, line) in lines.iter().enumerate() {
        let shown =
            options.trace || hidden == 0 || index < FIRST_LINES || index >= FIRST_LINES + hidden;
        if shown {
            writeln!(out, "    {}", coloured(line))?;
        } else if index == FIRST_LINES {
            writeln!(out, "    # {hidden} lines more; `--trace` shows them all")?;
        }
    }
    writeln!(out)
}

fn coloured(line: &Line) -> String {
    let style = match line.tone {
        Tone::Sent => Style::new(),
        Tone::Forbidden => AnsiColor::Yellow.on_default(),
        Tone::Received => AnsiColor::Cyan.on_default(),
        Tone::Garbled => AnsiColor::Red.on_default(),
        Tone::Aside => Style::new().dimmed(),
    };
    let paint = |text: &str| format!("{style}{text}{style:#}");
    line.with(&paint(&line.head), &paint(&line.rest))
}

fn diagnostic(
    report: &CaseReport,
    finding: &Finding,
    others: &[&str],
    options: &Options,
) -> String {
    let severity = severity(report, finding.level);
    let source = &report.case.source;
    let message = terminal_text(&finding.message);
    let title = match finding.clauses.first() {
        Some(clause) => severity.primary_title(message).id(clause.name()),
        None => severity.primary_title(message),
    };
    let span = within(&source.text, finding.span.start, finding.span.end);
    let snippet = Snippet::source(source.text.as_str())
        .path(source.name.as_str())
        .annotation(AnnotationKind::Primary.span(span));
    let group = title
        .element(snippet)
        .elements(remarks(report, finding, others, options));
    Renderer::styled()
        .term_width(options.width)
        .render(&[group])
}

fn severity(report: &CaseReport, level: Level) -> Severity<'static> {
    match (Kind::of(&report.verdict), level) {
        (Kind::Known, _) => Severity::NOTE.with_name("known"),
        (Kind::Untested, _) => Severity::NOTE.with_name("untested"),
        (Kind::Warn, _) | (_, Level::Should) => Severity::WARNING,
        (_, Level::Must) => Severity::ERROR,
    }
}

/// What stands below the source: `= expected: …` and its like, names of one width so that values stand in one column.
fn remarks(
    report: &CaseReport,
    finding: &Finding,
    others: &[&str],
    options: &Options,
) -> Vec<Element<'static>> {
    let mut remarks = Vec::new();
    let mut remark = |name: &'static str, text: &str| {
        let text = terminal_text(text).into_owned();
        remarks.push(Element::from(Severity::NOTE.with_name(name).message(text)));
    };
    let wrapped = |text: String| textwrap::fill(&text, options.width.saturating_sub(14).max(40));
    if let Some(expected) = &finding.expected {
        remark("expected", expected);
    }
    if let Some(received) = &finding.received {
        remark("received", received);
    }
    for id in &finding.clauses {
        let clause = id.clause();
        let text = format!(
            "{id} ({}, section {}): {}",
            clause.keyword, clause.section, clause.summary
        );
        remark("clause", &wrapped(text));
    }
    if let Some(why) = &finding.why {
        remark("why", &wrapped(why.clone()));
    }
    if let Some(reason) = tally::reason(&report.verdict) {
        remark(
            Kind::of(&report.verdict).name(),
            &wrapped(reason.to_owned()),
        );
    }
    remark(
        "case",
        &format!("{} ({})", report.case.name, report.case.title),
    );
    if !others.is_empty() {
        remark("also", &others.join("\n"));
    }
    remarks
}

fn verdict_alone(report: &CaseReport) -> String {
    let kind = Kind::of(&report.verdict);
    let severity = match kind {
        Kind::Crashed | Kind::Fail => Severity::ERROR.with_name(kind.name()),
        Kind::Warn => Severity::WARNING,
        _ => Severity::NOTE.with_name(kind.name()),
    };
    let reason = tally::reason(&report.verdict).unwrap_or("no finding says why");
    let case = &report.case;
    let about = format!("{} ({}), {}", case.name, case.title, case.source.name);
    let group = severity
        .primary_title(terminal_text(reason).into_owned())
        .element(
            Severity::NOTE
                .with_name("case")
                .message(terminal_text(&about).into_owned()),
        );
    Renderer::styled().render(&[group])
}

/// A byte range that can be cut from the text, whatever the span says: a wrong span must not lose a deviation.
fn within(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let start = text.floor_char_boundary(start.min(text.len()));
    let end = text.ceil_char_boundary(end.clamp(start, text.len()));
    start..end
}
