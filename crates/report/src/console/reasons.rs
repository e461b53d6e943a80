//! What was not tested, and why; what the target chose; what the baseline knows.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use runner::event::CaseReport;

use super::{Detail, Options};
use crate::tally::{self, Kind};
use crate::text::terminal_text;

const BOLD: Style = Style::new().bold();

/// The sections for the verdicts that say their reasons themselves, each reason with the number of its cases.
pub(super) fn write(out: &mut dyn Write, told: &[CaseReport], options: &Options) -> io::Result<()> {
    for (kind, heading) in [
        (
            Kind::Skip,
            "Skipped, since they do not apply to this target",
        ),
        (Kind::Untested, "Untested, since what they rest on failed"),
        (Kind::Known, "Failed, as the baseline knows"),
    ] {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for report in told
            .iter()
            .filter(|report| Kind::of(&report.verdict) == kind)
        {
            let reason = tally::reason(&report.verdict).unwrap_or_default();
            groups.entry(reason).or_default().push(&report.case.name);
        }
        section(out, heading, &groups, options)?;
    }
    let fixed = told
        .iter()
        .filter(|report| Kind::of(&report.verdict) == Kind::Fixed);
    let fixed: Vec<&str> = fixed.map(|report| report.case.name.as_str()).collect();
    if !fixed.is_empty() {
        writeln!(
            out,
            "{BOLD}Fixed: the baseline lists them, and they passed. Take them out of it:{BOLD:#}"
        )?;
        for name in fixed {
            writeln!(out, "  {}", terminal_text(name))?;
        }
        writeln!(out)?;
    }
    if options.detail == Detail::Verbose {
        chosen(out, told)?;
    }
    Ok(())
}

fn section(
    out: &mut dyn Write,
    heading: &str,
    groups: &BTreeMap<&str, Vec<&str>>,
    options: &Options,
) -> io::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out, "{BOLD}{heading}:{BOLD:#}")?;
    let mut groups: Vec<_> = groups.iter().collect();
    groups.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    for (reason, names) in groups {
        let wrap = textwrap::Options::new(options.width.max(40))
            .initial_indent("  ")
            .subsequent_indent("       ");
        let text = format!("{:>3}× {}", names.len(), terminal_text(reason));
        // A single line break, so that a list of several causes stays a list.
        for line in textwrap::wrap(&text, wrap) {
            writeln!(out, "{line}")?;
        }
        if options.detail == Detail::Verbose {
            for name in names {
                writeln!(out, "         {}", terminal_text(name))?;
            }
        }
    }
    writeln!(out)
}

fn chosen(out: &mut dyn Write, told: &[CaseReport]) -> io::Result<()> {
    let mut noted = told
        .iter()
        .filter(|report| !report.notes.is_empty())
        .peekable();
    if noted.peek().is_none() {
        return Ok(());
    }
    writeln!(
        out,
        "{BOLD}What the target chose where it may choose:{BOLD:#}"
    )?;
    for report in noted {
        for note in &report.notes {
            writeln!(
                out,
                "  {}: {}",
                terminal_text(&report.case.name),
                terminal_text(note)
            )?;
        }
    }
    writeln!(out)
}
