//! What happens when the target dies: who killed it, who is played again, and whether it comes back.

use std::time::Duration;

use tokio::time::timeout;

use super::hall::{Done, Hall, InPlay};
use super::seats::Seat;
use super::station::Station;
use crate::event::{Crash, Verdict};
use crate::post_mortem;
use crate::unplayed::{bereaved, died_meanwhile, killer};

/// How long the first of the cases in play is given to notice that the target is dead: more than it waits for an answer.
const GRACE: Duration = Duration::from_secs(7);
/// How long the others are given then.
const LAST_GRACE: Duration = Duration::from_millis(500);
/// How often a launched target may die before it is left alone: the first deaths tell enough.
const LIVES: usize = 20;

impl Hall<'_, '_> {
    /// The target is dead. One that the runner has started comes back, and if several cases were in play, each of them
    /// that may have killed it is played again alone, which tells the culprit for sure. Of another one it is said which
    /// case killed it, as far as that can be told.
    pub(super) async fn bury(&mut self, index: usize, seen: String, mut suspects: Vec<Done>) {
        let mut others = Vec::new();
        // Cases whose connections end say so at once, those that wait for an answer when they stop waiting.
        let patience = self.options.patience;
        let _ = timeout(GRACE.mul_f64(patience), async {
            while accuse(&suspects).is_none()
                && self.next_suspect(index, &mut suspects, &mut others).await
            {}
        })
        .await;
        let _ = timeout(LAST_GRACE.mul_f64(patience), async {
            while self.next_suspect(index, &mut suspects, &mut others).await {}
        })
        .await;
        let mut bereft = self.give_up(index);
        let log_tail = self.log_tail(index);
        let returns = self.bring_back(index).await;
        let culprit = match (suspects.len() + bereft.len(), &returns) {
            // Who was alone with the target when it died killed it, whatever else is seen.
            (1, _) => Some(0),
            (_, Ok(())) => None,
            (_, Err(_)) => accuse(&suspects),
        };
        let mut crash = Crash {
            case: None,
            seen,
            log_tail,
        };
        if let Some(culprit) = culprit {
            crash.case = Some(match suspects.get_mut(culprit) {
                Some(done) => {
                    let report = &mut done.played.report;
                    report.findings.clear();
                    report.verdict = Verdict::Crashed {
                        reason: crash.seen.clone(),
                    };
                    let name = report.case.name.clone();
                    let done = suspects.swap_remove(culprit);
                    self.ledger.finished(done.played.report);
                    name
                }
                None => self.condemn(&mut bereft, &crash.seen),
            });
        } else if returns.is_ok() && !suspects.is_empty() {
            crash.seen += "; the cases that were in play are played again one by one";
        }
        self.ledger.crashed(crash);
        match returns {
            Ok(()) if culprit.is_some() => {}
            Ok(()) => self.suspect(suspects, bereft),
            Err(why) => {
                self.mourn(suspects, bereft);
                self.forsake(index);
                if let Some(why) = why {
                    self.ledger.notice(why);
                }
            }
        }
        for done in others {
            Box::pin(self.settle(done)).await;
        }
    }

    /// The only case in play, which did not even come to its end, killed the target.
    fn condemn(&mut self, bereft: &mut Vec<InPlay>, seen: &str) -> String {
        let Some(InPlay { queued, .. }) = bereft.pop() else {
            return String::new();
        };
        self.ledger.finished(killer(&queued.info, seen));
        queued.info.name.clone()
    }

    /// The target is back: cases are played again, those alone that may have killed it.
    fn suspect(&mut self, mut suspects: Vec<Done>, bereft: Vec<InPlay>) {
        while let Some(next) = accuse(&suspects) {
            self.suspects.push_back(suspects.swap_remove(next).queued);
        }
        for done in suspects {
            if done.is_sound() {
                self.ledger.finished(done.played.report);
            } else {
                self.line_up_again(done.queued);
            }
        }
        for InPlay { queued, .. } in bereft {
            self.line_up_again(queued);
        }
    }

    /// The target stays dead: nothing more can be known of the cases that were in play.
    fn mourn(&mut self, suspects: Vec<Done>, bereft: Vec<InPlay>) {
        for mut done in suspects {
            done.played.report.findings.clear();
            done.played.report.verdict = died_meanwhile();
            self.ledger.finished(done.played.report);
        }
        for InPlay { queued, .. } in bereft {
            self.ledger.finished(bereaved(&queued.info));
        }
    }

    /// Waits for one more of the cases in play on this configuration to end; false when there is none.
    async fn next_suspect(
        &mut self,
        index: usize,
        suspects: &mut Vec<Done>,
        others: &mut Vec<Done>,
    ) -> bool {
        let seat = Seat::Shared(index);
        if !self.in_play.values().any(|case| case.queued.seat == seat) {
            return false;
        }
        let Some(joined) = self.playing.join_next_with_id().await else {
            return false;
        };
        match self.take_in(joined) {
            Some(done) if done.queued.seat == seat => suspects.push(done),
            Some(done) => others.push(done),
            None => {}
        }
        true
    }

    /// Ends the cases that are still in play on this configuration.
    fn give_up(&mut self, index: usize) -> Vec<InPlay> {
        let seat = Seat::Shared(index);
        let bereft = self
            .in_play
            .extract_if(|_, case| case.queued.seat == seat)
            .map(|(_, case)| case)
            .collect::<Vec<_>>();
        for case in &bereft {
            case.task.abort();
        }
        bereft
    }

    fn log_tail(&self, index: usize) -> Option<String> {
        let station = self.places.get(index)?.station.as_ref()?;
        station.log_tail()
    }

    /// Launches the target anew.
    ///
    /// # Errors
    /// It stays dead, with what is to be told of that; nothing where the runner has not started it.
    async fn bring_back(&mut self, index: usize) -> Result<(), Option<String>> {
        let (Some(place), Some(source)) =
            (self.places.get_mut(index), self.site.sources.get(index))
        else {
            return Err(None);
        };
        if let Some(dead) = place.station.take() {
            dead.abandon().await;
        }
        place.target = None;
        place.deaths += 1;
        if !source.is_launched() {
            return Err(None);
        }
        if place.deaths >= LIVES {
            return Err(Some(format!(
                "the target died {LIVES} times and is not started again: cases that were still to be played on its configuration `{}` are left out",
                source.name
            )));
        }
        match Station::open(self.site, source, &self.asker).await {
            Ok(station) => {
                place.target = Some(station.target.clone());
                place.station = Some(station);
                Ok(())
            }
            Err(error) => Err(Some(format!(
                "the target died and cannot be started again: {error}"
            ))),
        }
    }
}

fn accuse(suspects: &[Done]) -> Option<usize> {
    post_mortem::accuse(suspects.iter().map(|done| &done.played))
}
