//! What people see of a campaign: a line that tells how far it is, the findings, and the summary.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anstream::println;
use anstyle::{AnsiColor, Style};
use fuzzing::live::{Discovery, Event, Options, Proof, Tally};
use indicatif::{ProgressBar, ProgressStyle};
use report::terminal_line;
use runner::event::Verdict;

use super::Fuzz;
use crate::terminal;

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();

/// Shows a campaign.
pub(super) struct Show {
    bar: ProgressBar,
    quiet: bool,
    seed: u64,
    time: Duration,
    replays: bool,
    /// Where what was not seen again was written.
    unconfirmed: Option<PathBuf>,
}

impl Show {
    pub(super) fn new(fuzz: &Fuzz, options: &Options) -> Self {
        Self {
            bar: bar(fuzz.quiet),
            quiet: fuzz.quiet,
            seed: options.seed,
            time: options.time,
            replays: options.replay.is_some(),
            unconfirmed: None,
        }
    }

    pub(super) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Begun { target, versions } => {
                if !self.quiet {
                    let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
                    let source = if self.replays {
                        "the recorded scripts".to_owned()
                    } else {
                        format!("seed {}", self.seed)
                    };
                    println!(
                        "Fuzzing {} in MQTT {} for {} s with {source}.",
                        terminal_line(target),
                        versions.join(", "),
                        self.time.as_secs()
                    );
                }
            }
            Event::Progress(tally) => self.bar.set_message(progress(tally)),
            Event::Notice(text) => {
                let text = terminal_line(text);
                self.bar.suspend(|| println!("note: {text}"));
            }
            // A finding is shown when it is written, with its place.
            Event::Performed(_) | Event::Found(_) | Event::Fleeting(_) => {}
            Event::Over(tally) => {
                self.bar.finish_and_clear();
                summary(tally);
                self.not_seen_again(tally);
            }
        }
    }

    /// What was not seen again is written there.
    pub(super) fn unconfirmed(&mut self, folder: &Path) {
        self.unconfirmed = Some(folder.to_owned());
    }

    /// Tells what was not seen again, by its rule.
    fn not_seen_again(&self, tally: &Tally) {
        for (class, times) in &tally.unconfirmed {
            println!("  {times} x {}", terminal_line(class));
        }
        if let Some(folder) = &self.unconfirmed {
            println!(
                "their sessions are in {}",
                terminal_line(&folder.display().to_string())
            );
        }
    }

    /// Shows a finding that was written there.
    pub(super) fn found(&self, discovery: &Discovery, folder: &Path) {
        let class = terminal_line(&discovery.class);
        let message = terminal_line(&discovery.finding.message);
        let folder = folder.display().to_string();
        self.bar.suspend(|| {
            println!("{RED}finding{RED:#}{BOLD}: {class}{BOLD:#}\n  {message}");
            if let Some(clause) = discovery.clause() {
                println!("  {clause}: {}", clause.clause().summary);
            }
            println!("  {}", proof(discovery));
            println!("  written to {}", terminal_line(&folder));
        });
    }
}

/// How sure a finding is, and whether its scenario shows it too.
fn proof(discovery: &Discovery) -> String {
    let Proof::Confirmed { .. } = discovery.proof else {
        return "seen once: no script brings it about by itself".to_owned();
    };
    let steps = discovery
        .script
        .as_ref()
        .map_or(0, |played| played.script.steps.len());
    let scenario = match discovery.replay.as_ref().map(|report| &report.verdict) {
        Some(Verdict::Fail | Verdict::Crashed { .. }) if discovery.fair == Some(false) => {
            "; the scenario asks for more than what is wrong (the reference broker fails it, too): replay the recording"
        }
        Some(Verdict::Fail | Verdict::Crashed { .. }) => {
            "; `mqtt-assay run` finds it with the scenario"
        }
        Some(_) => "; the scenario by itself does not show it: replay the recording",
        None => "; there was no time to play the scenario",
    };
    let took = discovery.took.as_secs_f64();
    let small = if discovery.minimal {
        format!("made small in {took:.1} s")
    } else {
        format!("not yet as small as it gets, after {took:.1} s")
    };
    format!("confirmed and {small}: {steps} steps{scenario}")
}

fn progress(tally: &Tally) -> String {
    format!(
        "{} s  {} scripts  {} packets/s  {} kinds of answer  {} findings",
        tally.elapsed.as_secs(),
        tally.scripts,
        tally.packets_per_second(),
        tally.kinds,
        tally.findings
    )
}

fn summary(tally: &Tally) {
    println!(
        "{} scripts in {:.1} s: {} packets sent, {} received and decoded, {} new sessions",
        tally.scripts,
        tally.elapsed.as_secs_f64(),
        tally.sent,
        tally.received,
        tally.sessions
    );
    println!(
        "while performing: {} packets/s, {} new sessions/s",
        tally.packets_per_second(),
        tally.sessions_per_second()
    );
    println!(
        "{} kinds of answer told apart, {} scripts kept for them; {} clauses broken on purpose",
        tally.kinds,
        tally.kept,
        tally.exercised.len()
    );
    let crashes = match tally.crashes {
        0 => String::new(),
        1 => "; the target died once".to_owned(),
        times => format!("; the target died {times} times"),
    };
    let left = match tally.left {
        0 => String::new(),
        left => format!("; {left} not looked into"),
    };
    println!(
        "{}, seen {} more times; {} not seen again{left}{crashes}",
        match tally.findings {
            1 => "1 finding".to_owned(),
            findings => format!("{findings} findings"),
        },
        tally.repeated,
        tally.unconfirmed.values().sum::<u64>()
    );
}

pub(super) fn bar(quiet: bool) -> ProgressBar {
    if quiet || !terminal::shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}");
    style.map_or_else(
        |_| ProgressBar::hidden(),
        |style| ProgressBar::new_spinner().with_style(style),
    )
}
