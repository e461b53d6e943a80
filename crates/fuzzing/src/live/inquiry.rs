//! What becomes of a finding: it is made to happen again, made small, written as a scenario, and played by the runner.

use std::time::Duration;

use runner::At;
use runner::event::Verdict;
use tokio::time::Instant;

use super::event::{Discovery, Event, Proof};
use super::hall::Hall;
use super::ledger::Sighting;
use super::perform::Performance;
use super::replay;
use super::source::Played;
use crate::minimise::Minimiser;
use crate::observe::Transcript;
use crate::oracle::Finding;
use crate::script::Script;

/// How often a script is performed to make a finding happen again.
pub(super) const TRIALS: u32 = 3;

impl Hall<'_> {
    /// Performs a script by itself.
    pub(super) async fn alone(&mut self, script: &Script) -> (Played, Performance) {
        let played = self.source.again(script.clone());
        let performance = self.stage.perform(&played).await;
        self.stage.tidy(&performance, &played).await;
        (played, performance)
    }

    /// Whether a script shows the class when it is performed by itself. Should it kill the target, that comes next.
    async fn try_alone(&mut self, script: &Script, class: &str) -> Option<(Played, Performance)> {
        let (played, performance) = self.alone(script).await;
        self.recent.add(played.clone());
        self.suspect(&performance);
        shows(&performance, class).then_some((played, performance))
    }

    /// Looks into a finding that a script has shown.
    pub(super) async fn inquire(&mut self, sighting: Sighting) {
        let began = Instant::now();
        let class = sighting.finding.class();
        let Some((tried, shown)) = self.confirm(&class, &sighting.played.script).await else {
            self.tally.only_once(class);
            return self.ledger.give_up(sighting);
        };
        let Sighting {
            finding, played, ..
        } = sighting;
        let ((script, performance), minimal) = self.minimise(&class, shown, tried).await;
        let finding = performance
            .findings
            .iter()
            .find(|finding| finding.class() == class)
            .cloned()
            .unwrap_or(finding);
        let proof = Proof::Confirmed { shown: 1, tried };
        let evidence = Evidence {
            class,
            proof,
            script,
            minimal,
            original: played,
            transcript: performance.transcript,
            log_tail: self.keeper.log_tail(),
        };
        self.tell(finding, evidence, began).await;
    }

    /// Performs the script until it shows the class again; after how many times, and what was seen then.
    async fn confirm(
        &mut self,
        class: &str,
        script: &Script,
    ) -> Option<(u32, (Played, Performance))> {
        for tried in 1..=TRIALS {
            if let Some(shown) = self.try_alone(script, class).await {
                return Some((tried, shown));
            }
        }
        None
    }

    /// The smallest script that shows it, and whether all that could be left out was tried. What shows seldom is tried as
    /// often as it took to see it again, and everything twice: a network has its moods.
    async fn minimise(
        &mut self,
        class: &str,
        mut shown: (Played, Performance),
        tries: u32,
    ) -> ((Played, Performance), bool) {
        let mut minimiser = Minimiser::new(shown.0.script.clone());
        while let Some(smaller) = minimiser.question().cloned() {
            if self.is_late() || self.is_harmed() {
                return (shown, false);
            }
            let mut again = None;
            for _ in 0..tries.max(2) {
                if again.is_none() {
                    again = self.try_alone(&smaller, class).await;
                }
            }
            minimiser.answer(again.is_some());
            if let Some(again) = again {
                shown = again;
            }
        }
        (shown, true)
    }

    /// Writes the scenario, plays it, and tells it all.
    pub(super) async fn tell(&mut self, finding: Finding, evidence: Evidence, began: Instant) {
        if !self.ledger.settle(&evidence.class) {
            self.tally.repeated += 1;
            return;
        }
        self.tally.findings += 1;
        self.tally.unconfirmed.remove(&finding.class());
        let scenario = replay::scenario(&evidence, &finding, &self.stage.transports);
        let replay = if self.is_late() {
            None
        } else {
            replay::play(&scenario, self.at, self.options).await
        };
        let on_reference = replay::play(&scenario, &At::Embedded, self.options).await;
        let fair = on_reference.and_then(|report| match report.verdict {
            Verdict::Pass | Verdict::Note | Verdict::Warn => Some(true),
            Verdict::Fail => Some(false),
            _ => None,
        });
        let discovery = Discovery {
            class: evidence.class,
            finding,
            proof: evidence.proof,
            script: Some(evidence.script),
            minimal: evidence.minimal,
            original: Some(evidence.original),
            before: Vec::new(),
            transcript: evidence.transcript,
            scenario: Some(scenario),
            replay,
            fair,
            log_tail: evidence.log_tail,
            took: began.elapsed(),
        };
        (self.listener)(Event::Found(Box::new(discovery)));
    }

    /// Tells what broke a rule and did not do so again, with what was seen then.
    pub(super) fn tell_fleeting(&mut self, sighting: Sighting, tried: u32) {
        let Sighting {
            finding,
            played,
            transcript,
        } = sighting;
        let discovery = Discovery {
            class: finding.class(),
            finding,
            proof: Proof::Fleeting { tried },
            script: Some(played),
            minimal: false,
            original: None,
            before: Vec::new(),
            transcript,
            scenario: None,
            replay: None,
            fair: None,
            log_tail: None,
            took: Duration::ZERO,
        };
        (self.listener)(Event::Fleeting(Box::new(discovery)));
    }

    /// Tells a finding that no single script shows.
    pub(super) fn tell_seen(&mut self, finding: &Finding, log_tail: Option<String>) {
        let class = finding.class();
        if !self.ledger.settle(&class) {
            self.tally.repeated += 1;
            return;
        }
        self.tally.findings += 1;
        let mut before = self.recent.take();
        before.reverse();
        let discovery = Discovery {
            class,
            finding: finding.clone(),
            proof: Proof::Seen,
            script: None,
            minimal: false,
            original: None,
            before,
            transcript: Transcript::default(),
            scenario: None,
            replay: None,
            fair: None,
            log_tail,
            took: Duration::ZERO,
        };
        (self.listener)(Event::Found(Box::new(discovery)));
    }
}

/// What shows a finding.
pub(super) struct Evidence {
    pub(super) class: String,
    pub(super) proof: Proof,
    pub(super) script: Played,
    pub(super) minimal: bool,
    pub(super) original: Played,
    pub(super) transcript: Transcript,
    pub(super) log_tail: Option<String>,
}

fn shows(performance: &Performance, class: &str) -> bool {
    performance
        .findings
        .iter()
        .any(|finding| finding.class() == class)
}
