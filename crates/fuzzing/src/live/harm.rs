//! What becomes of harm: the target died, or does not serve the witness any more, or late. Which script was it?
//!
//! What was performed last is performed again, newest first, each script by itself; where none does harm at once, more
//! and more of them in their order, with time to do it late, and which of those it was by halves. Whatever does harm is
//! made small then, and the target brought back each time.

use std::time::Duration;

use clauses::{ClauseId, clause};
use codec::Version;
use tokio::time::{Instant, sleep};

use super::event::{Event, Proof};
use super::hall::Hall;
use super::inquiry::Evidence;
use super::perform::Performance;
use super::source::Played;
use crate::minimise::Minimiser;
use crate::oracle::Finding;
use crate::script::Script;

/// How often a target that was brought back is asked whether it serves.
const TRY: Duration = Duration::from_millis(100);
/// For how long.
const BACK: Duration = Duration::from_secs(10);
/// How late a target dies of what it was sent, where it does not at once.
const LATE: Duration = Duration::from_secs(1);
/// How many scripts are performed again each by itself, when one of them did harm.
const BY_THEMSELVES: usize = 512;

/// What the target suffered.
#[derive(Debug, Clone)]
pub(super) struct Harm {
    pub(super) kind: Kind,
    pub(super) seen: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A script found nobody to connect to.
    Unreached,
    /// The witness got no PINGRESP, and could not connect anew.
    Dead,
    /// The witness was thrown out, and could connect anew.
    Dropped,
    /// The witness got a packet that it did not ask for.
    Unasked,
    /// The witness got its PINGRESP too late.
    Late,
}

impl Kind {
    const fn rule(self) -> &'static str {
        match self {
            Self::Unreached | Self::Dead => "target-died",
            Self::Dropped => "witness-dropped",
            Self::Unasked => "witness-not-subscribed",
            Self::Late => "witness-served-late",
        }
    }

    /// The clause in a version. The witness subscribes to nothing: no message may come to it.
    const fn clause(self, version: Version) -> Option<ClauseId> {
        match (self, version) {
            (Self::Unasked, Version::V5_0) => Some(clause!("v5.0/MQTT-3.3.2-3")),
            (Self::Unasked, Version::V3_1_1) => Some(clause!("v3.1.1/MQTT-3.3.2-3")),
            _ => None,
        }
    }
}

impl Hall<'_> {
    /// Looks for the script that did the harm.
    pub(super) async fn pursue(&mut self, harm: Harm) {
        let began = Instant::now();
        let harm = match (harm.kind, self.harm().await) {
            (Kind::Unreached, None) => {
                self.tally.only_once("connection-not-opened".to_owned());
                let notice = format!("{}; it was only once", harm.seen);
                return (self.listener)(Event::Notice(notice));
            }
            (_, Some(worse)) if worse.kind == Kind::Dead => worse,
            _ => harm,
        };
        let is_dead = harm.kind == Kind::Dead;
        let seen = match self.keeper.death() {
            Some(death) => format!("{}: {death}", harm.seen),
            None => harm.seen.clone(),
        };
        let log_tail = self.keeper.log_tail();
        let finding = Finding {
            rule: harm.kind.rule(),
            clause: harm.kind.clause(self.witnesses.version()),
            client: None,
            message: seen.clone(),
        };
        let suspects = self.recent.take();
        if is_dead {
            self.tally.crashes += 1;
            self.outcome.crashed = true;
            let next = if self.keeper.is_launched() {
                "it is started again".to_owned()
            } else {
                let seconds = self.keeper.revival().as_secs_f32();
                format!("waiting up to {seconds} s until somebody has started it again")
            };
            (self.listener)(Event::Notice(format!(
                "the target died ({seen}); {next}, and what came before is performed again, newest first"
            )));
            if !self.revive().await {
                self.recent.put_back(suspects);
                return self.tell_seen(&finding, log_tail);
            }
        }
        let mut late = Duration::ZERO;
        let mut culprit = self.culprit(&suspects).await;
        let mut together = None;
        if culprit.is_none() && is_dead {
            late = LATE;
            together = self.together(&suspects).await;
            if let Some(few) = &together {
                culprit = self.by_halves(few).await;
            }
        }
        let Some((played, shown)) = culprit else {
            match together {
                Some(few) => self.recent.put_back(few),
                None if is_dead => self.recent.put_back(suspects),
                None => {
                    self.tally.only_once(finding.class());
                    let notice = format!("{seen}; it did not happen again");
                    return (self.listener)(Event::Notice(notice));
                }
            }
            return self.tell_seen(&finding, log_tail);
        };
        if harm.kind == Kind::Dropped {
            self.outcome.crashed = true;
        }
        if self.ledger.is_settled(&class(&finding, &shown.1)) {
            self.tally.repeated += 1;
            return;
        }
        let ((script, performance), minimal) = self.least_harmful(&played, shown, late).await;
        let finding = Finding {
            message: format!("{seen}, after {}", performance.last),
            ..finding
        };
        let evidence = Evidence {
            class: class(&finding, &performance),
            proof: Proof::Confirmed { shown: 1, tried: 1 },
            script,
            minimal,
            original: played,
            transcript: performance.transcript,
            log_tail: self.keeper.log_tail().or(log_tail),
        };
        self.tell(finding, evidence, began).await;
        // The scenario may have killed it once more.
        self.recover().await;
    }

    /// Performs a script by itself; what it was, if it did harm. The target serves again then, or is gone.
    async fn harms(&mut self, script: &Script, late: Duration) -> Option<(Played, Performance)> {
        let shown = self.alone(script).await;
        self.recover_within(late).await.then_some(shown)
    }

    /// Whether the target is harmed within this time.
    async fn recover_within(&mut self, late: Duration) -> bool {
        let until = Instant::now() + late;
        loop {
            if self.recover().await {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            sleep(TRY).await;
        }
    }

    /// What harm comes within the time in which a target dies of what it was sent.
    pub(super) async fn late_harm(&mut self) -> Option<Harm> {
        let until = Instant::now() + LATE;
        loop {
            let harm = self.harm().await;
            if harm.is_some() || Instant::now() >= until || self.options.interrupt.is_raised() {
                return harm;
            }
            sleep(TRY).await;
        }
    }

    /// Waits until the target has died of all that it was sent.
    async fn calm(&mut self) {
        while self.recover_within(LATE).await && !self.is_late() {}
    }

    /// Whether the target is harmed; it serves again then, or is gone.
    pub(super) async fn recover(&mut self) -> bool {
        let harmed = self.harm().await.is_some();
        if harmed {
            self.revive().await;
        }
        harmed
    }

    async fn culprit(&mut self, suspects: &[Played]) -> Option<(Played, (Played, Performance))> {
        for suspect in suspects.iter().take(BY_THEMSELVES) {
            if self.is_late() {
                return None;
            }
            if self.harms(&suspect.script, Duration::ZERO).await.is_none() {
                continue;
            }
            // It may have died late of another.
            let again = self.harms(&suspect.script, Duration::ZERO).await;
            return again.map(|shown| (suspect.clone(), shown));
        }
        None
    }

    /// The fewest of the suspects, newest first, that do harm when they are performed one after the other.
    async fn together(&mut self, suspects: &[Played]) -> Option<Vec<Played>> {
        self.calm().await;
        let mut count = 2;
        loop {
            let newest = suspects.get(..count).unwrap_or(suspects);
            for played in newest.iter().rev() {
                self.alone(&played.script).await;
            }
            if self.recover_within(LATE).await {
                return Some(newest.to_vec());
            }
            if count >= suspects.len() || self.is_late() {
                return None;
            }
            count *= 4;
        }
    }

    /// Which one of these it was, if it was one, for a target that dies late.
    async fn by_halves(&mut self, suspects: &[Played]) -> Option<(Played, (Played, Performance))> {
        let mut suspects = suspects;
        self.calm().await;
        while suspects.len() > 1 && !self.is_late() {
            let (newer, older) = suspects.split_at(suspects.len() / 2);
            for played in newer.iter().rev() {
                self.alone(&played.script).await;
            }
            suspects = if self.recover_within(LATE).await {
                self.calm().await;
                newer
            } else {
                older
            };
        }
        let [suspect] = suspects else { return None };
        let shown = self.harms(&suspect.script, LATE).await?;
        Some((suspect.clone(), shown))
    }

    /// The smallest script that still does harm, and whether all that could be left out was tried.
    async fn least_harmful(
        &mut self,
        played: &Played,
        mut shown: (Played, Performance),
        late: Duration,
    ) -> ((Played, Performance), bool) {
        let mut minimiser = Minimiser::new(played.script.clone());
        while let Some(smaller) = minimiser.question().cloned() {
            if self.is_late() {
                return (shown, false);
            }
            let mut harmed = self.harms(&smaller, late).await;
            if harmed.is_some() {
                // It may have died late of the one before.
                harmed = self.harms(&smaller, late).await;
            }
            minimiser.answer(harmed.is_some());
            if let Some(again) = harmed {
                shown = again;
            }
        }
        (shown, true)
    }

    /// Whether what is looked into has taken as long as it may.
    pub(super) fn is_late(&self) -> bool {
        self.outcome.gone || self.options.interrupt.is_raised() || Instant::now() >= self.due
    }

    /// Brings the target back, and the witness; whether it serves.
    async fn revive(&mut self) -> bool {
        self.forget_growth();
        if self.call_witness(Duration::ZERO).await {
            return true;
        }
        let back =
            self.keeper.revive(&self.options.interrupt).await && self.call_witness(BACK).await;
        if !back {
            self.outcome.gone = true;
            if !self.options.interrupt.is_raised() {
                let notice = "the target does not come back: the campaign ends here".to_owned();
                (self.listener)(Event::Notice(notice));
            }
        }
        back
    }

    /// Starts a target anew that was launched; whether it serves.
    pub(super) async fn restart(&mut self) -> bool {
        self.keeper.restart().await && self.call_witness(BACK).await
    }

    /// Calls a new witness, again and again for this long.
    async fn call_witness(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        loop {
            match self.witnesses.call().await {
                Ok(witness) => {
                    self.witness = witness;
                    return true;
                }
                Err(_) if Instant::now() < until && !self.options.interrupt.is_raised() => {
                    sleep(TRY).await;
                }
                Err(_) => return false,
            }
        }
    }
}

/// Harm that the same kind of packet does is taken for the same.
fn class(finding: &Finding, performance: &Performance) -> String {
    format!("{} after {}", finding.class(), performance.last)
}
