//! Plays the cases on a broker at an address: many at once on one thread, waiting ones first, some alone.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use codec::Version;
use scenario::Case;
use tokio::runtime;
use tokio::task::{Id, JoinError, JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::admission::{self, AdmissionError};
use crate::event::{CaseInfo, CaseReport, Crash, Happening, Verdict};
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::play;
use crate::post_mortem::{self, Played};
use crate::run::Options;
use crate::settings::{Namespace, Settings};
use crate::target::{Address, Target};
use crate::unplayed::{bereaved, died_meanwhile, harness_fault, panic_text, skipped};
use crate::waiting::waiting;
use crate::witness::{Sign, Witness};

/// How many cases that hardly wait are played at once, unless `--jobs` says otherwise. Each one that fails may take its
/// place for some seconds, waiting for what never comes, so there are many more than a broker has cores.
const BUSY: usize = 100;
/// How many connections the cases that wait may hold at once: a third of the file descriptors that a process usually
/// has, on this side and on the target's.
const WAITING_CONNECTIONS: usize = 350;
/// How many file descriptors this process asks for; some systems begin with far fewer.
const FILE_DESCRIPTORS: u64 = 1024;
/// A case that waits longer than this counts as one that waits.
const LONG: f64 = 0.5;
/// How often the witness is looked at when nothing else asks for it.
const LOOK: Duration = Duration::from_secs(1);
/// How long the first of the cases in play is given to notice that the target is dead: more than it waits for an answer.
const GRACE: Duration = Duration::from_secs(7);
/// How long the others are given then.
const LAST_GRACE: Duration = Duration::from_millis(500);

/// The number whose token is the runner's own, and so is the one before it; no plan has so many cases.
const NUMBERS_OF_OUR_OWN: usize = 799_999;

/// A case in the queue.
#[derive(Clone)]
struct Queued {
    index: usize,
    case: Arc<Case>,
    info: Arc<CaseInfo>,
    seconds: f64,
    /// How many connections it holds while it waits; 0 for one that takes a place among the busy ones.
    waiting_connections: usize,
}

/// Plays all cases of the plan.
pub(crate) fn run(
    plan: &Plan,
    address: &Address,
    options: &Options,
    ledger: &mut Ledger<'_>,
) -> Result<(), AdmissionError> {
    // Without more, the connections have to do with what there is.
    let _ = rlimit::increase_nofile_limit(FILE_DESCRIPTORS);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdmissionError::Runtime)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let nonce = nonce();
        let infos = plan.infos(address.transport);
        let within = options.answer.mul_f64(options.patience);
        let mut versions: Vec<_> = plan.cases().iter().map(|case| case.version).collect();
        versions.sort_unstable();
        versions.dedup();
        let token = |number| Namespace::new(nonce, number).token;
        let stranger = token(NUMBERS_OF_OUR_OWN);
        let admitting = admission::admit(address, &versions, &stranger, within);
        let facts = tokio::select! {
            facts = admitting => facts?,
            () = options.interrupt.raised() => {
                ledger.open(&address.to_string(), &infos);
                return Ok(());
            }
        };
        let version = [Version::V3_1_1, Version::V5_0]
            .into_iter()
            .find(|version| {
                !facts
                    .unspoken
                    .iter()
                    .any(|(unspoken, _)| unspoken == version)
            })
            .unwrap_or(Version::V3_1_1);
        let target = Target::at(address, Arc::new(facts));
        let witness = Witness::call(
            target.clone(),
            version,
            token(NUMBERS_OF_OUR_OWN - 1),
            within,
        )
        .await
        .map_err(|trouble| AdmissionError::DeliversNothing {
            address: address.to_string(),
            seen: trouble.to_string(),
        })?;
        ledger.open(target.name(), &infos);
        let hall = Hall {
            target,
            options,
            nonce,
            witness,
            ledger,
            playing: JoinSet::new(),
            in_play: HashMap::new(),
        };
        hall.play_all(plan, infos).await;
        Ok(())
    }))
}

/// What tells this run's topics from those of an earlier one.
fn nonce() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mixed = now.as_nanos() ^ (u128::from(std::process::id()) << 40);
    u64::try_from(mixed & u128::from(u64::MAX)).unwrap_or_default()
}

/// The cases in play, and what they are played with.
struct Hall<'a, 'l> {
    target: Target,
    options: &'a Options,
    nonce: u64,
    witness: Witness,
    ledger: &'a mut Ledger<'l>,
    playing: JoinSet<CaseReport>,
    in_play: HashMap<Id, InPlay>,
}

/// A case in play.
struct InPlay {
    info: Arc<CaseInfo>,
    began: Instant,
    /// How many connections it holds while it waits; 0 for one that does not.
    waiting_connections: usize,
}

/// Why playing came to an end.
enum End {
    AllPlayed,
    Interrupted,
    Dead(String, Vec<Played>),
}

impl Hall<'_, '_> {
    async fn play_all(mut self, plan: &Plan, infos: Vec<Arc<CaseInfo>>) {
        let mut sociable = Vec::new();
        let mut alone = VecDeque::new();
        for (index, (case, info)) in plan.cases().iter().cloned().zip(infos).enumerate() {
            let requires: Vec<_> = case.requires.iter().map(String::as_str).collect();
            if let Some(reason) = self.target.reason_to_skip(case.version, &requires) {
                self.ledger.started(&info);
                self.ledger.finished(skipped(&info, reason));
                continue;
            }
            let is_alone = case.scenario.alone;
            let seconds = waiting(&case);
            let waits = seconds > LONG && !is_alone;
            let queued = Queued {
                // Those that the scenario opens by itself are seldom more than one at a time.
                waiting_connections: if waits {
                    case.scenario.clients.len() + 1
                } else {
                    0
                },
                index,
                case,
                info,
                seconds,
            };
            if is_alone {
                alone.push_back(queued);
            } else {
                sociable.push(queued);
            }
        }
        // Stable, so that cases that do not wait keep their order.
        sociable.sort_by(|left, right| right.seconds.total_cmp(&left.seconds));
        let patient = sociable
            .iter()
            .take_while(|case| case.seconds > LONG)
            .count();
        let busy: VecDeque<_> = sociable.split_off(patient).into();
        let mut end = self
            .play_queues(sociable.into(), busy, self.options.jobs.unwrap_or(BUSY))
            .await;
        if matches!(end, End::AllPlayed) {
            end = self.play_queues(VecDeque::new(), alone, 1).await;
        }
        match end {
            End::AllPlayed => match self.witness.look().await {
                Sign::Served => self.witness.leave().await,
                Sign::Replaced(notice) => self.ledger.notice(notice),
                Sign::Dead(seen) => self.bury(seen, Vec::new()).await,
            },
            End::Interrupted => self.playing.abort_all(),
            End::Dead(seen, suspects) => self.bury(seen, suspects).await,
        }
    }

    /// Plays both queues side by side: `patient` cases that wait, and `busy` ones, `jobs` at a time.
    async fn play_queues(
        &mut self,
        mut patient: VecDeque<Queued>,
        mut busy: VecDeque<Queued>,
        jobs: usize,
    ) -> End {
        let mut looking = interval(LOOK);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let interrupt = self.options.interrupt.clone();
        let interrupted = interrupt.raised();
        tokio::pin!(interrupted);
        loop {
            while self.waiting_connections() < WAITING_CONNECTIONS
                && let Some(case) = patient.pop_front()
            {
                self.begin(case);
            }
            while self.busy() < jobs.max(1)
                && let Some(case) = busy.pop_front()
            {
                self.begin(case);
            }
            if self.playing.is_empty() {
                return End::AllPlayed;
            }
            let over = tokio::select! {
                Some(joined) = self.playing.join_next_with_id() => self.settle(joined).await,
                _ = looking.tick() => self.look_after(Vec::new()).await,
                () = &mut interrupted => Some(End::Interrupted),
            };
            if let Some(end) = over {
                return end;
            }
        }
    }

    fn waiting_connections(&self) -> usize {
        self.in_play
            .values()
            .map(|case| case.waiting_connections)
            .sum()
    }

    fn busy(&self) -> usize {
        self.in_play
            .values()
            .filter(|case| case.waiting_connections == 0)
            .count()
    }

    fn begin(&mut self, queued: Queued) {
        let Queued {
            index,
            case,
            info,
            seconds,
            waiting_connections,
        } = queued;
        self.ledger.started(&info);
        let settings = Settings {
            patience: self.options.patience,
            strict: self.options.strict,
            namespace: Namespace::new(self.nonce, index),
        };
        let target = self.target.clone();
        // Everything in a case is bounded; what exceeds all bounds together is stuck.
        let bound = self.options.watchdog.mul_f64(self.options.patience)
            + Duration::from_secs_f64(seconds).mul_f64(2.0 * self.options.patience);
        let played = Arc::clone(&info);
        let handle = self.playing.spawn_local(async move {
            let playing = play::play(&case, Arc::clone(&played), &target, &settings);
            match timeout(bound, playing).await {
                Ok(report) => report,
                Err(_) => harness_fault(
                    &played,
                    &format!("it was still being played after {} s", bound.as_secs()),
                ),
            }
        });
        let case = InPlay {
            info,
            began: Instant::now(),
            waiting_connections,
        };
        self.in_play.insert(handle.id(), case);
    }

    /// Takes a finished case in. The end of the run is returned when the target is found dead.
    async fn settle(&mut self, joined: Result<(Id, CaseReport), JoinError>) -> Option<End> {
        let played = self.played(joined)?;
        let sound = matches!(
            played.report.verdict,
            Verdict::Pass | Verdict::Note | Verdict::Skip { .. }
        );
        let target_ended_a_link = played
            .report
            .trace
            .iter()
            .any(|entry| matches!(entry.what, Happening::TargetEnded(_)));
        if sound && !target_ended_a_link {
            self.ledger.finished(played.report);
            return None;
        }
        // A dead target closes its connections as well: whether this was an answer, the witness tells.
        self.look_after(vec![played]).await
    }

    fn played(&mut self, joined: Result<(Id, CaseReport), JoinError>) -> Option<Played> {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let InPlay { info, began, .. } = self.in_play.remove(&id)?;
        let report = match joined {
            Ok((_, report)) => report,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => harness_fault(&info, &panic_text(panic)),
                Err(_) => return None,
            },
        };
        Some(Played { report, began })
    }

    /// Looks whether the target still serves before these reports count.
    async fn look_after(&mut self, played: Vec<Played>) -> Option<End> {
        match self.witness.look().await {
            Sign::Dead(seen) => return Some(End::Dead(seen, played)),
            Sign::Replaced(notice) => self.ledger.notice(notice),
            Sign::Served => {}
        }
        for played in played {
            self.ledger.finished(played.report);
        }
        None
    }

    /// Waits for one more of the cases in play to end; false when there is none.
    async fn next_suspect(&mut self, suspects: &mut Vec<Played>) -> bool {
        match self.playing.join_next_with_id().await {
            Some(joined) => {
                suspects.extend(self.played(joined));
                true
            }
            None => false,
        }
    }

    /// The target is dead: says which case killed it, as far as that can be told.
    async fn bury(mut self, seen: String, mut suspects: Vec<Played>) {
        // Cases whose connections end say so at once, those that wait for an answer when they stop waiting.
        let patience = self.options.patience;
        let _ = timeout(GRACE.mul_f64(patience), async {
            while post_mortem::accuse(&suspects).is_none() && self.next_suspect(&mut suspects).await
            {
            }
        })
        .await;
        let _ = timeout(LAST_GRACE.mul_f64(patience), async {
            while self.next_suspect(&mut suspects).await {}
        })
        .await;
        let culprit = post_mortem::accuse(&suspects);
        let mut case = None;
        for (index, Played { mut report, .. }) in suspects.into_iter().enumerate() {
            report.verdict = if Some(index) == culprit {
                case = Some(report.case.name.clone());
                Verdict::Crashed {
                    reason: seen.clone(),
                }
            } else {
                died_meanwhile()
            };
            report.findings.clear();
            self.ledger.finished(report);
        }
        for InPlay { info, .. } in std::mem::take(&mut self.in_play).into_values() {
            self.ledger.finished(bereaved(&info));
        }
        self.playing.abort_all();
        self.ledger.crashed(Crash {
            case,
            seen,
            log_tail: None,
        });
    }
}
