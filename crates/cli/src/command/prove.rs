//! `mqtt-assay prove`: shows that the checks can fail, by breaking the reference broker's rules one at a time.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anstream::println;
use broker::Breakable;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use report::terminal_line;
use runner::stub::Stub;
use runner::{Interrupt, Proof, Proofs};

use crate::failure::Failure;
use crate::filter::Which;
use crate::suite::{Suite, count};
use crate::{signal, terminal};

/// Show that the checks can fail: break each rule of the reference broker, and see which scenarios notice.
///
/// A scenario covers a clause only when it fails on the reference broker with exactly that clause broken. Exit status 1
/// when a scenario notices none of the clauses that it cites, or a case passes vacuously: on a broker that does nothing.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Files and folders of scenarios; those that come with the program where none is given.
    paths: Vec<PathBuf>,

    #[command(flatten)]
    which: Which,

    /// How many rules are broken at once; a good number where it is not given.
    #[arg(long, short, value_name = "N", value_parser = super::jobs)]
    jobs: Option<NonZeroUsize>,

    /// One line per rule, whether it was noticed or not.
    #[arg(long, short)]
    verbose: bool,
}

impl Prove {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let suite = Suite::load(&self.paths)?;
        let plan = self.which.plan_of_any_edition(&suite)?;
        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let options = runner::Options {
            jobs: self.jobs.map(NonZeroUsize::get),
            interrupt,
            ..runner::Options::default()
        };
        let bar = bar();
        let mut all = 0;
        let proofs = runner::prove(&plan, &options, &mut |proof, rules| {
            all = rules;
            bar.set_length(rules as u64);
            bar.inc(1);
            bar.set_message(proof.rule.to_string());
        });
        bar.finish_and_clear();
        self.tell(&proofs);
        if proofs.interrupted {
            let left = all.saturating_sub(proofs.rules.len());
            println!("Interrupted: {} not broken.", count(left, "rule"));
        }
        Ok(match &proofs {
            Proofs {
                interrupted: true, ..
            } => 130,
            proofs => {
                let [unsound, blind, vacuous] = [
                    proofs.unsound.is_empty(),
                    proofs.blind().is_empty(),
                    proofs.vacuous().is_empty(),
                ]
                .map(|none| !none);
                u8::from(unsound || blind || vacuous)
            }
        })
    }

    fn tell(&self, proofs: &Proofs) {
        for case in &proofs.unsound {
            println!(
                "not sound: {} does not pass on the reference broker, so it can prove nothing",
                terminal_line(case)
            );
        }
        let blind = proofs.blind();
        for proof in &proofs.rules {
            if self.verbose || !proof.is_noticed() || !proof.missed.is_empty() {
                println!("{}", terminal_line(&line(proof, &blind)));
            }
        }
        for scenario in &blind {
            println!(
                "blind: {} notices none of the clauses that it cites",
                terminal_line(scenario)
            );
        }
        let vacuous = proofs.vacuous();
        for pass in &vacuous {
            println!(
                "vacuous: {} passes on a broker that {}, and notices no broken rule",
                terminal_line(&pass.case),
                pass.stub.conduct()
            );
        }
        if self.verbose {
            for pass in &proofs.on_stubs {
                let why = pass
                    .reason
                    .unwrap_or("it notices a broken rule all the same");
                let case = terminal_line(&pass.case);
                println!(
                    "{case} passes on the stub {}: {}",
                    pass.stub.name(),
                    terminal_line(why)
                );
            }
        }
        let noticed =
            |by: fn(&Proof) -> bool| proofs.rules.iter().filter(|proof| by(proof)).count();
        println!(
            "{} broken ({}, and {} of those that rule several): {} noticed by a scenario that \
             cites the clause, {} by another, {} by none; {}.",
            count(proofs.rules.len(), "rule"),
            count(
                noticed(|proof| matches!(proof.rule, Breakable::Clause(_))),
                "clause"
            ),
            count(
                noticed(|proof| matches!(proof.rule, Breakable::Breach(_))),
                "single place"
            ),
            noticed(|proof| !proof.noticed.is_empty()),
            noticed(|proof| proof.elsewhere.is_some()),
            noticed(|proof| !proof.is_noticed()),
            count(blind.len(), "blind scenario"),
        );
        println!(
            "On {} that are wrong on purpose {} passed, {} of them vacuously.",
            count(Stub::ALL.len(), "stub"),
            count(proofs.on_stubs.len(), "case"),
            vacuous.len(),
        );
    }
}

/// What breaking one rule has shown, on a line.
fn line(proof: &Proof, blind: &BTreeSet<&str>) -> String {
    let names = |names: &BTreeSet<String>| {
        names
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    // A scenario that misses this rule is of use all the same where it notices another.
    let (useless, useful): (BTreeSet<String>, BTreeSet<String>) = proof
        .missed
        .iter()
        .cloned()
        .partition(|scenario| blind.contains(scenario.as_str()));
    let verdict = match (&proof.elsewhere, proof.noticed.len()) {
        (None, 0) => "NOT NOTICED".to_owned(),
        (Some(elsewhere), _) => format!("noticed only by {elsewhere}, which does not cite it"),
        (None, count) => format!("noticed by {count} ({})", names(&proof.noticed)),
    };
    let missed = |by: &BTreeSet<String>, but: &str| match by.len() {
        0 => String::new(),
        count => format!("; cited and not noticed by {count} ({}), {but}", names(by)),
    };
    format!(
        "{}: {verdict}{}{}",
        proof.rule,
        missed(
            &useful,
            "not blind: other clauses that are cited there are noticed"
        ),
        missed(&useless, "blind"),
    )
}

fn bar() -> ProgressBar {
    if !terminal::shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rules broken  {msg}");
    style.map_or_else(
        |_| ProgressBar::hidden(),
        |style| ProgressBar::no_length().with_style(style),
    )
}
