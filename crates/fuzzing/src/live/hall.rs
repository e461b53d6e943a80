//! [`Hall`]: the campaign's loop: scripts side by side on one thread, the witness beside them, and what becomes of each.

use std::time::Duration;

use runner::{At, Sign, Witness};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::event::{Event, Outcome};
use super::growth::Growth;
use super::harm::{Harm, Kind};
use super::inquiry::TRIALS;
use super::keeper::Keeper;
use super::ledger::{Ledger, Standing};
use super::novelty::Novelty;
use super::options::Options;
use super::perform::{Performance, Stage};
use super::recent::Recent;
use super::schedule::Schedule;
use super::source::{Played, Source};
use super::sweep::sweep;
use super::tally::Tally;
use super::wake::Wake;
use super::witnesses::Witnesses;

/// How often the witness is looked at, and progress is told.
const LOOK: Duration = Duration::from_secs(1);
/// How often a target is left alone, to be swept and, where its process can be seen, to be looked at: so many times in a
/// campaign, but no more and no less often than this.
const QUIET_MOMENTS: u32 = 30;
const MOST_OFTEN: Duration = Duration::from_secs(2);
const LEAST_OFTEN: Duration = Duration::from_secs(10);
/// How long the scripts in play may go on when no more are begun.
const DRAIN: Duration = Duration::from_secs(20);
/// And when the user wants no more: who is cut off leaves behind what it asked the target to keep.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where a campaign takes place.
pub(super) struct Hall<'a> {
    pub(super) options: &'a Options,
    pub(super) at: &'a At,
    pub(super) stage: Stage,
    pub(super) keeper: Keeper,
    pub(super) witnesses: Witnesses,
    pub(super) witness: Witness,
    pub(super) source: Source,
    pub(super) ledger: Ledger,
    pub(super) recent: Recent,
    pub(super) tally: Tally,
    pub(super) outcome: Outcome,
    pub(super) listener: &'a mut dyn FnMut(Event<'_>),
    novelty: Novelty,
    growth: Growth,
    playing: JoinSet<(Played, Performance)>,
    began: Instant,
    /// What harm was seen that is still to be looked into.
    harmed: Option<Harm>,
    /// Until when what is looked into may take.
    pub(super) due: Instant,
}

impl<'a> Hall<'a> {
    pub(super) fn new(
        options: &'a Options,
        at: &'a At,
        stage: Stage,
        keeper: Keeper,
        (witnesses, witness): (Witnesses, Witness),
        listener: &'a mut dyn FnMut(Event<'_>),
    ) -> Self {
        Self {
            options,
            at,
            stage,
            keeper,
            witnesses,
            witness,
            source: Source::new(options),
            ledger: Ledger::default(),
            recent: Recent::default(),
            tally: Tally::default(),
            outcome: Outcome::default(),
            listener,
            novelty: Novelty::default(),
            growth: Growth::default(),
            playing: JoinSet::new(),
            began: Instant::now(),
            harmed: None,
            due: Instant::now(),
        }
    }

    /// Performs scripts until the time is over, there are no more, or the user wants no more.
    pub(super) async fn campaign(mut self) -> Outcome {
        let mut looking = interval(LOOK);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let interrupt = self.options.interrupt.clone();
        let interrupted = interrupt.raised();
        tokio::pin!(interrupted);
        let mut schedule = Schedule::new(self.began, self.options.time, self.options.inquiry);
        let between = self.options.time / QUIET_MOMENTS;
        let between = between.clamp(MOST_OFTEN, LEAST_OFTEN);
        let between = self.options.watch.unwrap_or(between);
        let mut quiet = Instant::now() + between;
        let mut resumed = Instant::now();
        let mut exhausted = false;
        let mut stayed = false;
        loop {
            let over = exhausted || schedule.is_over() || self.outcome.gone;
            let open = self.ledger.open();
            let gone = self.outcome.gone;
            let inquiring = open > 0 && !gone && (over || schedule.inquires(resumed.elapsed()));
            let pausing = self.harmed.is_some() || inquiring || Instant::now() >= quiet;
            while !pausing && !over && !exhausted && self.playing.len() < self.options.jobs.max(1) {
                match self.source.next() {
                    Some(played) => self.begin(played),
                    None => exhausted = true,
                }
            }
            if self.playing.is_empty() {
                schedule.performed(resumed.elapsed());
                self.tally.performing = schedule.performing();
                let paused = Instant::now();
                self.due = schedule.due(open);
                let wake = || Wake::begin(self.witnesses.others());
                if !gone && let Some(harm) = self.harmed.take() {
                    let _wake = wake();
                    self.pursue(harm).await;
                    schedule.inquired(paused.elapsed());
                } else if inquiring && let Some(sighting) = self.ledger.next() {
                    let _wake = wake();
                    self.inquire(sighting).await;
                    schedule.inquired(paused.elapsed());
                } else if Instant::now() >= quiet && !over {
                    sweep(&self.stage.target).await;
                    self.look_at_process().await;
                    schedule.inquired(paused.elapsed());
                    quiet = Instant::now() + between;
                } else if stayed || gone {
                    break;
                } else if over {
                    // What dies late dies now.
                    stayed = true;
                    self.harmed = self.late_harm().await;
                }
                resumed = Instant::now();
                if interrupt.is_raised() {
                    break;
                }
                continue;
            }
            tokio::select! {
                Some(joined) = self.playing.join_next() => self.take(joined),
                _ = looking.tick() => self.look().await,
                () = &mut interrupted => break,
                () = sleep_until(schedule.until()), if !over => {}
            }
        }
        self.outcome.interrupted = interrupt.is_raised();
        self.drain().await;
        self.tell_left();
        self.close().await
    }

    fn begin(&mut self, played: Played) {
        let stage = self.stage.clone();
        self.playing.spawn_local(async move {
            let performance = stage.perform(&played).await;
            stage.tidy(&performance, &played).await;
            (played, performance)
        });
    }

    /// Takes in a script that was performed.
    fn take(&mut self, joined: Result<(Played, Performance), JoinError>) {
        let (played, mut performance) = match joined {
            Ok(performed) => performed,
            Err(error) => {
                let notice = format!("a fault of the fuzzer itself, please report it: {error}");
                return (self.listener)(Event::Notice(notice));
            }
        };
        self.tally.take(&performance);
        let done = Played {
            script: std::mem::take(&mut performance.done),
            name: played.name,
        };
        (self.listener)(Event::Performed(&done));
        self.suspect(&performance);
        if self.novelty.take(performance.answers) > 0 {
            self.source.keep(played.script.clone());
        }
        for finding in performance.findings {
            if self.ledger.enter(finding, &played, &performance.transcript) == Standing::Repeated {
                self.tally.repeated += 1;
            }
        }
        self.recent.add(played);
    }

    /// A script that found nobody to connect to is a reason to look after the target.
    pub(super) fn suspect(&mut self, performance: &Performance) {
        if let Some(why) = &performance.unreached {
            self.harmed.get_or_insert_with(|| Harm {
                kind: Kind::Unreached,
                seen: format!("a connection could not be opened: {why}"),
            });
        }
    }

    /// Whether there is harm that is still to be looked into.
    pub(super) fn is_harmed(&self) -> bool {
        self.harmed.is_some()
    }

    /// Looks whether the target serves the witness, and tells how far things are.
    async fn look(&mut self) {
        if let Some(harm) = self.harm().await {
            self.harmed.get_or_insert(harm);
        }
        self.count();
        (self.listener)(Event::Progress(&self.tally));
    }

    /// What harm the target has come to, if any: it does not serve who did nothing to it, or not in time.
    pub(super) async fn harm(&mut self) -> Option<Harm> {
        let asked = Instant::now();
        let (kind, seen) = match self.witness.look().await {
            Sign::Served if asked.elapsed() < self.stage.patience / 2 => return None,
            Sign::Served => {
                let took = asked.elapsed().as_millis();
                let seen = format!(
                    "a client that takes part in no script got its PINGRESP after {took} ms"
                );
                (Kind::Late, seen)
            }
            Sign::Replaced(seen) => (Kind::Dropped, seen),
            Sign::Unasked(seen) => (Kind::Unasked, seen),
            Sign::Dead(seen) => (Kind::Dead, seen),
        };
        Some(Harm { kind, seen })
    }

    /// Looks at the target's process when nobody is connected.
    async fn look_at_process(&mut self) {
        let Some((vitals, busy)) = self.keeper.quiet().await else {
            return;
        };
        let news = self.growth.quiet(vitals, busy, self.tally.sent);
        for (resource, message) in news {
            self.trace(resource, message).await;
        }
    }

    /// The target was started anew.
    pub(super) fn forget_growth(&mut self) {
        self.growth.restart();
    }

    /// Waits for the scripts in play.
    async fn drain(&mut self) {
        let within = if self.outcome.interrupted {
            FAREWELL
        } else {
            DRAIN
        };
        let until = Instant::now() + within;
        while !self.playing.is_empty() {
            tokio::select! {
                Some(joined) = self.playing.join_next() => self.take(joined),
                () = sleep_until(until) => break,
            }
        }
        self.playing.abort_all();
    }

    /// Tells what did not show again, and what was seen and not looked into: the user wanted no more, or the target is gone.
    fn tell_left(&mut self) {
        let mut classes = Vec::new();
        for sighting in self.ledger.fleeting() {
            self.tell_fleeting(sighting, TRIALS);
        }
        while let Some(sighting) = self.ledger.next() {
            classes.push(sighting.finding.class());
            self.tell_fleeting(sighting, 0);
        }
        if !classes.is_empty() {
            self.tally.left = classes.len();
            let classes = classes.join("; ");
            let notice = format!("seen, and not looked into, since it ended before: {classes}");
            (self.listener)(Event::Notice(notice));
        }
    }

    fn count(&mut self) {
        self.tally.elapsed = self.began.elapsed();
        self.tally.kinds = self.novelty.kinds();
        self.tally.kept = self.source.kept();
    }

    async fn close(mut self) -> Outcome {
        self.count();
        if !self.outcome.gone {
            self.witness.leave().await;
        }
        (self.listener)(Event::Over(&self.tally));
        self.outcome.tally = self.tally;
        self.outcome
    }
}
