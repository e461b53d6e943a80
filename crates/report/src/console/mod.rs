//! [`Console`]: what people see of a run: progress, each deviation with its exchange, a summary, what to do next.

mod deviation;
mod progress;
mod reasons;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use codec::Version;
use runner::Totals;
use runner::event::{CaseReport, Crash, Event, Round, RunInfo, RunSummary};

use crate::tally::{Kind, Tally};
use crate::text::{terminal_line, terminal_text};
use crate::{Listener, trace};
use progress::Progress;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// One line per deviation, and the totals.
    Quiet,
    /// Deviations with their exchange, grouped reasons of what was not tested, a summary, the totals.
    #[default]
    Normal,
    /// Beside that one line per case, every reason with its cases, what the target chose, and the known deviations.
    Verbose,
}

/// How the console tells.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much is told.
    pub detail: Detail,
    /// Whether the exchange of every case is shown, not only of those that deviate.
    pub trace: bool,
    /// How many columns there are.
    pub width: usize,
    /// Whether a bar shows the progress on standard error: only where a person looks at it.
    pub progress: bool,
    /// The command that plays a case again; `--filter` and the name are put behind it.
    pub replay: String,
}

/// Tells people of a run. Writes colours; the writer strips them where nobody could see them.
///
/// What it found it tells at the end and in the order of the cases' names, so that two runs with the same findings read
/// the same.
#[derive(Debug)]
pub struct Console<W> {
    out: W,
    options: Options,
    target: String,
    progress: Progress,
    tallies: BTreeMap<(String, Version), Tally>,
    told: Vec<CaseReport>,
    crashes: Vec<Crash>,
    notices: Vec<String>,
    interrupted: bool,
    rounds: usize,
    last_round: Option<Totals>,
}

impl<W: Write> Console<W> {
    /// A console that writes to `out`.
    pub fn new(out: W, options: Options) -> Self {
        Self {
            out,
            options,
            target: String::new(),
            progress: Progress::hidden(),
            tallies: BTreeMap::new(),
            told: Vec::new(),
            crashes: Vec::new(),
            notices: Vec::new(),
            interrupted: false,
            rounds: 1,
            last_round: None,
        }
    }

    /// Names the reports in files, once they are written.
    pub fn written(&mut self, reports: &[String]) {
        if reports.is_empty() || self.options.detail == Detail::Quiet {
            return;
        }
        let partial = if self.interrupted {
            ", with the results so far"
        } else {
            ""
        };
        // As with events: nobody may read any more.
        let _ = writeln!(
            self.out,
            "\nReports{partial}: {}",
            terminal_line(&reports.join(", "))
        );
    }

    /// The totals so far.
    pub fn tally(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total += *tally;
        }
        total
    }

    fn start(&mut self, info: &RunInfo) -> io::Result<()> {
        info.target.clone_into(&mut self.target);
        self.rounds = info.rounds;
        if self.options.detail > Detail::Quiet {
            summary::start(&mut self.out, info)?;
            self.out.flush()?;
        }
        if self.options.progress {
            self.progress = if info.rounds > 1 {
                Progress::shown(info.rounds, "rounds")
            } else {
                Progress::shown(info.cases, "cases")
            };
        }
        Ok(())
    }

    /// Tells of the first round, and of each that is not like the one before.
    fn round(&mut self, round: &Round) -> io::Result<()> {
        self.progress.step(&Tally::from(&round.totals));
        if self.last_round.replace(round.totals) == Some(round.totals)
            && self.options.detail < Detail::Verbose
        {
            return Ok(());
        }
        if self.options.detail > Detail::Quiet {
            let (out, rounds) = (&mut self.out, self.rounds);
            self.progress.aside(|| summary::round(out, round, rounds))?;
        }
        Ok(())
    }

    fn take(&mut self, report: &CaseReport) {
        let kind = Kind::of(&report.verdict);
        let key = (report.case.chapter.clone(), report.case.version);
        self.tallies.entry(key).or_default().count(kind);
        if self.rounds == 1 {
            self.progress.step(&self.tally());
        }
        if kind != Kind::Pass || self.options.trace || self.options.detail == Detail::Verbose {
            self.told.push(report.clone());
        }
    }

    fn finish(&mut self, summary: &RunSummary) -> io::Result<()> {
        self.progress.end();
        self.interrupted = summary.interrupted;
        self.told
            .sort_by(|left, right| left.case.name.cmp(&right.case.name));
        if self.options.detail == Detail::Quiet {
            for report in &self.told {
                deviation::one_line(&mut self.out, report)?;
            }
        } else {
            self.tell_cases()?;
            reasons::write(&mut self.out, &self.told, &self.options)?;
            summary::table(&mut self.out, &self.tallies)?;
        }
        for notice in &self.notices {
            writeln!(self.out, "note: {}", terminal_text(notice))?;
        }
        for crash in &self.crashes {
            summary::crash(&mut self.out, crash)?;
        }
        let total = self.tally();
        let crashed = !self.crashes.is_empty();
        summary::totals(&mut self.out, &self.target, &total, crashed, summary)?;
        if self.options.detail > Detail::Quiet {
            summary::next(&mut self.out, &self.told, &self.options)?;
        }
        self.out.flush()
    }

    fn tell_cases(&mut self) -> io::Result<()> {
        let verbose = self.options.detail == Detail::Verbose;
        let every_one = verbose || self.options.trace;
        let mut told_with_another = BTreeSet::new();
        for (index, report) in self.told.iter().enumerate() {
            let kind = Kind::of(&report.verdict);
            let deviates = matches!(kind, Kind::Fail | Kind::Warn | Kind::Crashed)
                || (verbose && matches!(kind, Kind::Known | Kind::Untested));
            if deviates && !told_with_another.contains(&index) {
                let alike: Vec<usize> = if every_one {
                    Vec::new()
                } else {
                    let later = (index + 1)..self.told.len();
                    later
                        .filter(|other| deviation::alike(report, &self.told[*other]))
                        .collect()
                };
                let names: Vec<&str> = alike
                    .iter()
                    .map(|other| self.told[*other].case.name.as_str())
                    .collect();
                deviation::write(&mut self.out, report, &names, &self.options)?;
                told_with_another.extend(alike);
            } else if !deviates && every_one {
                let name = terminal_text(&report.case.name);
                // Where time is virtual most cases take none.
                let elapsed = match report.elapsed.as_millis() {
                    0 => String::new(),
                    _ => format!("  ({} s)", trace::seconds(report.elapsed)),
                };
                writeln!(self.out, "{:<8} {name}{elapsed}", kind.name())?;
            }
            if self.options.trace && !deviates {
                deviation::exchange(&mut self.out, report, &self.options)?;
            }
        }
        if every_one {
            writeln!(self.out)?;
        }
        Ok(())
    }
}

impl<W: Write> Listener for Console<W> {
    fn on(&mut self, event: &Event) {
        let told = match event {
            Event::RunStarted(info) => self.start(info),
            Event::RoundFinished(round) => self.round(round),
            Event::CaseStarted(_) => Ok(()),
            Event::CaseFinished(report) => {
                self.take(report);
                Ok(())
            }
            Event::Notice(text) => {
                self.notices.push(text.clone());
                Ok(())
            }
            Event::TargetCrashed(crash) => {
                self.crashes.push(crash.clone());
                Ok(())
            }
            Event::RunFinished(summary) => self.finish(summary),
        };
        // Nobody reads any more (`… | head`): the run and its reports go on all the same.
        let _ = told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn console(detail: Detail, trace: bool, events: &[Event]) -> String {
        let options = Options {
            detail,
            trace,
            width: 80,
            progress: false,
            replay: "mqtt-assay run --target mqtt://localhost".into(),
        };
        let mut out = Vec::new();
        let mut console = Console::new(&mut out, options);
        for event in events {
            console.on(event);
        }
        console.written(&["junit.xml".into()]);
        fixture::without_colours(&String::from_utf8(out).unwrap())
    }

    #[test]
    fn all_verdicts() {
        insta::assert_snapshot!(console(Detail::Normal, false, &fixture::run()));
    }

    #[test]
    fn all_verdicts_briefly() {
        insta::assert_snapshot!(console(Detail::Quiet, false, &fixture::run()));
    }

    #[test]
    fn all_verdicts_at_length() {
        insta::assert_snapshot!(console(Detail::Verbose, true, &fixture::run()));
    }

    #[test]
    fn a_run_without_deviations() {
        insta::assert_snapshot!(console(Detail::Normal, false, &fixture::conforming_run()));
    }

    #[test]
    fn an_interrupted_run() {
        insta::assert_snapshot!(console(Detail::Normal, false, &fixture::interrupted_run()));
    }

    #[test]
    fn rounds_that_differ() {
        let mut events = Vec::new();
        let mut rounds = crate::Rounds::new();
        for event in fixture::flaky_run() {
            rounds.on(event, &mut |event| events.push(event.clone()));
        }
        insta::assert_snapshot!(console(Detail::Normal, false, &events));
    }

    #[test]
    fn a_broker_cannot_steer_the_terminal() {
        let text = console(Detail::Verbose, true, &fixture::hostile_run());
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "{text}");
    }
}
