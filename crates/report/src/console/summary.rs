//! The end of a run: the table by chapter and version, the totals, what to do next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use codec::Version;
use runner::event::{CaseReport, Crash, Round, RunInfo, RunSummary};

use super::{Detail, Options};
use crate::rounds;
use crate::tally::{Kind, Tally};
use crate::text::{terminal_line, terminal_text};

const BOLD: Style = Style::new().bold();

/// What will be played, and where.
pub(super) fn start(out: &mut dyn Write, info: &RunInfo) -> io::Result<()> {
    let noun = if info.cases == 1 { "case" } else { "cases" };
    write!(out, "Playing {} {noun}", info.cases)?;
    if let Some(part) = info.part {
        write!(out, " (part {part} of {})", info.cases_of_all_parts)?;
    }
    if let Some(edition) = &info.edition {
        write!(out, " of edition {}", terminal_line(edition))?;
    }
    if info.rounds > 1 {
        write!(out, " up to {} times", info.rounds)?;
    }
    writeln!(out, " on {}.", terminal_text(&info.target))
}

/// `Round 3 of 200: 812 passed, 1 failed.`
pub(super) fn round(out: &mut dyn Write, round: &Round, of: usize) -> io::Result<()> {
    let tally = Tally::from(&round.totals);
    writeln!(out, "Round {} of {of}: {}.", round.number, counts(&tally))?;
    out.flush()
}

/// `812 passed, 1 failed`.
fn counts(tally: &Tally) -> String {
    let counts: Vec<String> = Kind::ALL
        .into_iter()
        .filter(|kind| tally[*kind] > 0)
        .map(|kind| {
            let style = style(kind);
            format!("{style}{} {}{style:#}", tally[kind], past(kind))
        })
        .collect();
    counts.join(", ")
}

/// One row per chapter and version, one column per verdict that occurred.
pub(super) fn table(
    out: &mut dyn Write,
    tallies: &BTreeMap<(String, Version), Tally>,
) -> io::Result<()> {
    if tallies.is_empty() {
        return Ok(());
    }
    let mut total = Tally::default();
    for tally in tallies.values() {
        total += *tally;
    }
    let columns: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| total[*kind] > 0 || matches!(kind, Kind::Pass | Kind::Fail))
        .collect();
    let widest = tallies
        .keys()
        .map(|(chapter, _)| chapter.chars().count())
        .max();
    let widest = widest.unwrap_or(0).max("chapter".len());

    let mut heading = format!("{:widest$}  version", "chapter");
    for kind in &columns {
        let _ = write!(heading, "  {:>width$}", kind.name(), width = column(*kind));
    }
    writeln!(out, "{BOLD}{heading}{BOLD:#}")?;
    let mut last = "";
    for ((chapter, version), tally) in tallies {
        let shown = if chapter == last { "" } else { chapter };
        last = chapter;
        row(
            out,
            &format!("{shown:widest$}  {:7}", version.name()),
            tally,
            &columns,
        )?;
    }
    row(
        out,
        &format!("{:widest$}  {:7}", "all", ""),
        &total,
        &columns,
    )?;
    writeln!(out)
}

fn row(out: &mut dyn Write, head: &str, tally: &Tally, columns: &[Kind]) -> io::Result<()> {
    write!(out, "{head}")?;
    for kind in columns {
        let style = if tally[*kind] == 0 {
            Style::new().dimmed()
        } else {
            style(*kind)
        };
        let figure = if tally[*kind] == 0 {
            "-".to_owned()
        } else {
            tally[*kind].to_string()
        };
        write!(
            out,
            "  {style}{figure:>width$}{style:#}",
            width = column(*kind)
        )?;
    }
    writeln!(out)
}

/// How wide the column of a verdict is.
const fn column(kind: Kind) -> usize {
    if kind.name().len() < 5 {
        5
    } else {
        kind.name().len()
    }
}

/// A target that died: which case, what was seen, its last words.
pub(super) fn crash(out: &mut dyn Write, crash: &Crash) -> io::Result<()> {
    let red = AnsiColor::Red.on_default().bold();
    write!(out, "{red}The target stopped serving{red:#}")?;
    if let Some(case) = &crash.case {
        write!(out, " during {}", terminal_text(case))?;
    }
    writeln!(out, ": {}", terminal_text(&crash.seen))?;
    if let Some(log) = &crash.log_tail {
        writeln!(out, "The end of its log:")?;
        for line in log.lines() {
            writeln!(out, "    {}", terminal_text(line))?;
        }
    }
    writeln!(out)
}

/// How many cases, how long, and the verdict on the target as a whole.
pub(super) fn totals(
    out: &mut dyn Write,
    target: &str,
    total: &Tally,
    crashed: bool,
    summary: &RunSummary,
) -> io::Result<()> {
    let cases = total.cases();
    if cases > 0 {
        let noun = if cases == 1 { "case" } else { "cases" };
        let (elapsed, each) = (human(summary.elapsed), human(each(summary.elapsed, cases)));
        writeln!(
            out,
            "{cases} {noun} in {elapsed} ({each} a case): {}",
            counts(total)
        )?;
    }
    if summary.unplayed > 0 {
        let why = if summary.interrupted {
            "interrupted"
        } else {
            "the run ended early"
        };
        writeln!(out, "{} not played: {why}.", summary.unplayed)?;
    }
    for flaky in &summary.flaky {
        let case = terminal_line(&flaky.case);
        writeln!(out, "Flaky: {case}: {}.", rounds::told(flaky))?;
    }
    for entry in &summary.stale {
        writeln!(
            out,
            "The baseline's entry {} matches no case; take it out.",
            terminal_text(entry)
        )?;
    }
    writeln!(
        out,
        "{}",
        verdict(&terminal_text(target), total, crashed, summary)
    )
}

fn verdict(target: &str, total: &Tally, crashed: bool, summary: &RunSummary) -> String {
    let deviations = total[Kind::Fail];
    let (style, text) = if crashed || total[Kind::Crashed] > 0 {
        (
            style(Kind::Crashed),
            format!("Not conforming: {target} stopped serving."),
        )
    } else if deviations > 0 {
        let noun = if deviations == 1 {
            "case deviates"
        } else {
            "cases deviate"
        };
        (
            style(Kind::Fail),
            format!("Not conforming: {deviations} {noun} on {target}."),
        )
    } else if total[Kind::Untested] > 0 && !summary.interrupted {
        let noun = if total[Kind::Untested] == 1 {
            "case"
        } else {
            "cases"
        };
        (
            style(Kind::Warn),
            format!(
                "Not proven: {} {noun} could not be tested on {target}.",
                total[Kind::Untested]
            ),
        )
    } else if !summary.flaky.is_empty() {
        (
            style(Kind::Warn),
            format!("Not proven: verdicts differ from round to round on {target}."),
        )
    } else if total[Kind::Fixed] > 0 || !summary.stale.is_empty() {
        (
            style(Kind::Fixed),
            "No new deviation, but the baseline is stale.".into(),
        )
    } else if summary.interrupted {
        (
            style(Kind::Warn),
            "Interrupted: no deviation so far.".into(),
        )
    } else if total[Kind::Pass] + total[Kind::Warn] + total[Kind::Note] == 0 {
        (
            style(Kind::Warn),
            "Nothing was proven: no case could be judged.".into(),
        )
    } else if total[Kind::Known] > 0 {
        (style(Kind::Pass), format!("No new deviation on {target}."))
    } else {
        (style(Kind::Pass), format!("No deviation on {target}."))
    };
    format!("{style}{text}{style:#}")
}

/// What to do with what was found.
pub(super) fn next(out: &mut dyn Write, told: &[CaseReport], options: &Options) -> io::Result<()> {
    let failed = told
        .iter()
        .find(|report| matches!(Kind::of(&report.verdict), Kind::Fail | Kind::Crashed));
    if let Some(report) = failed {
        writeln!(out, "\nTo play one case again, with its whole exchange:")?;
        writeln!(
            out,
            "  {} --trace --filter '{}'",
            terminal_line(&options.replay),
            terminal_text(without_transport(&report.case.name))
        )?;
        if let Some(clause) = report
            .findings
            .first()
            .and_then(|finding| finding.clauses.first())
        {
            writeln!(out, "To read about a clause:")?;
            writeln!(out, "  mqtt-assay clauses {clause}")?;
        }
    }
    let more = told.iter().any(|report| {
        matches!(
            Kind::of(&report.verdict),
            Kind::Note | Kind::Skip | Kind::Untested | Kind::Known
        )
    });
    if more && options.detail < Detail::Verbose {
        writeln!(
            out,
            "\n`-v` tells what the target chose where it may, and each case not judged."
        )?;
    }
    Ok(())
}

/// The part of a case's name that chooses it: the target, not the plan, says over which transport it is played.
fn without_transport(name: &str) -> &str {
    match name.rsplit_once('/') {
        Some((case, _)) if case.contains('@') => case,
        _ => name,
    }
}

fn style(kind: Kind) -> Style {
    match kind {
        Kind::Pass => AnsiColor::Green.on_default(),
        Kind::Fail | Kind::Crashed => AnsiColor::Red.on_default().bold(),
        Kind::Warn | Kind::Fixed => AnsiColor::Yellow.on_default(),
        Kind::Note | Kind::Skip | Kind::Untested | Kind::Known => Style::new(),
    }
}

const fn past(kind: Kind) -> &'static str {
    match kind {
        Kind::Pass => "passed",
        Kind::Fail => "failed",
        Kind::Warn => "warned",
        Kind::Note => "noted",
        Kind::Skip => "skipped",
        Kind::Untested => "untested",
        Kind::Known => "known",
        Kind::Fixed => "fixed",
        Kind::Crashed => "crashed",
    }
}

fn each(elapsed: Duration, cases: usize) -> Duration {
    u32::try_from(cases)
        .ok()
        .and_then(|cases| elapsed.checked_div(cases))
        .unwrap_or_default()
}

/// A duration with a unit that leaves it two or three figures: `42.1 s`, `3.21 ms`, `85 µs`.
fn human(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds >= 10.0 {
        format!("{seconds:.1} s")
    } else if seconds >= 0.1 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.2} ms", seconds * 1e3)
    } else {
        format!("{:.0} µs", seconds * 1e6)
    }
}
