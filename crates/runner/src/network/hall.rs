//! [`Hall`]: the cases in play: many at once, waiting ones first, some alone.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scenario::Case;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::seats::{Seat, Seats};
use super::site::{Origin, Site};
use super::station::{Asker, Station};
use crate::event::{CaseInfo, CaseReport, Crash, Happening, Verdict};
use crate::launch::Instance;
use crate::ledger::Ledger;
use crate::link::Way;
use crate::plan::Plan;
use crate::play;
use crate::post_mortem::Played;
use crate::run::Options;
use crate::settings::{Namespace, Settings};
use crate::target::Target;
use crate::unplayed::{harness_fault, panic_text, skipped, untested};
use crate::waiting::waiting;
use crate::witness::Sign;

/// How many cases that hardly wait are played at once, unless `--jobs` says otherwise. Each one that fails may take its
/// place for some seconds, waiting for what never comes, so there are many more than a broker has cores.
const BUSY: usize = 100;
/// How many connections the cases that wait may hold at once: a third of the file descriptors that a process usually
/// has, on this side and on the target's.
const WAITING_CONNECTIONS: usize = 350;
/// How much longer than beside its target a case may take over a network: hundreds of round trips, one after the other.
const SLOWER: f64 = 20.0;
/// A case that waits longer than this counts as one that waits.
const LONG: f64 = 0.5;
/// How often the witnesses are looked at when nothing else asks for it.
const LOOK: Duration = Duration::from_secs(1);

/// The cases in play, and what they are played with.
pub(super) struct Hall<'a, 'l> {
    pub(super) site: &'a Site,
    pub(super) options: &'a Options,
    pub(super) asker: Arc<Asker>,
    pub(super) ledger: &'a mut Ledger<'l>,
    pub(super) places: Vec<Place>,
    pub(super) playing: JoinSet<Ended>,
    pub(super) in_play: HashMap<Id, InPlay>,
    /// Cases that wait, and are played beside all others.
    patient: VecDeque<Queued>,
    /// Cases that hardly wait, `jobs` of which are played at once.
    busy: VecDeque<Queued>,
    /// Cases one of which has killed the target, the most likely first; each is played again alone.
    pub(super) suspects: VecDeque<Queued>,
    /// Cases that must not share the target, played last and one by one.
    alone: VecDeque<Queued>,
    /// Whether it has been told that the target reorders.
    order_told: bool,
    nonce: u64,
}

/// A configuration of the target, as the hall knows it.
pub(super) struct Place {
    /// None where no case needs it, and once it is dead for good.
    pub(super) station: Option<Station>,
    /// What cases of their own instance know of it.
    pub(super) target: Option<Target>,
    /// How often it died.
    pub(super) deaths: usize,
}

/// A case in the queue.
#[derive(Clone)]
pub(super) struct Queued {
    index: usize,
    case: Arc<Case>,
    way: Way,
    pub(super) info: Arc<CaseInfo>,
    seconds: f64,
    /// How many connections it holds while it waits; 0 for one that takes a place among the busy ones.
    waiting_connections: usize,
    pub(super) seat: Seat,
    /// Whether its beginning has been told.
    told: bool,
}

/// A case in play.
pub(super) struct InPlay {
    pub(super) queued: Queued,
    began: Instant,
    pub(super) task: AbortHandle,
}

/// What became of a case.
pub(super) struct Ended {
    report: CaseReport,
    /// How the instance of its own died, if it did.
    crash: Option<Crash>,
}

/// A case that came to its end, with its place in the queue.
pub(super) struct Done {
    pub(super) queued: Queued,
    pub(super) played: Played,
    pub(super) crash: Option<Crash>,
}

impl<'a, 'l> Hall<'a, 'l> {
    pub(super) fn new(
        site: &'a Site,
        options: &'a Options,
        nonce: u64,
        asker: Arc<Asker>,
        ledger: &'a mut Ledger<'l>,
    ) -> Self {
        Self {
            site,
            options,
            asker,
            ledger,
            places: Vec::new(),
            playing: JoinSet::new(),
            in_play: HashMap::new(),
            patient: VecDeque::new(),
            busy: VecDeque::new(),
            suspects: VecDeque::new(),
            alone: VecDeque::new(),
            order_told: false,
            nonce,
        }
    }

    pub(super) async fn play_all(mut self, plan: &Plan, infos: Vec<Arc<CaseInfo>>, seats: Seats) {
        let places = seats.stations.into_iter().map(|station| Place {
            target: station.as_ref().map(|station| station.target.clone()),
            station,
            deaths: 0,
        });
        self.places = places.collect();
        self.tell_of_order();
        self.line_up(plan, infos, seats.of_cases);
        let jobs = self.options.jobs.or(self.site.jobs).unwrap_or(BUSY);
        let interrupted = loop {
            if self.play_queues(jobs).await {
                break true;
            }
            if !self.suspects.is_empty() {
                if self.confront().await {
                    break true;
                }
            } else if self.alone.is_empty() {
                break false;
            } else {
                self.busy = std::mem::take(&mut self.alone);
                if self.play_queues(1).await {
                    break true;
                }
            }
        };
        if interrupted {
            self.playing.abort_all();
        } else {
            for index in 0..self.places.len() {
                self.look_after(index, Vec::new()).await;
            }
        }
        let stations = self.places.into_iter().filter_map(|place| place.station);
        let mut closing = JoinSet::new();
        for station in stations {
            closing.spawn_local(station.close());
        }
        while closing.join_next().await.is_some() {}
    }

    /// Puts every case that can be played into its queue, and tells of the others why not.
    fn line_up(&mut self, plan: &Plan, infos: Vec<Arc<CaseInfo>>, seats: Vec<Seat>) {
        let mut sociable = Vec::new();
        let cases = plan.played().zip(infos).zip(seats);
        for (index, (((case, way), info), seat)) in cases.enumerate() {
            let case = Arc::clone(case);
            let unplayed = match &seat {
                Seat::Skipped(reason) => Some(skipped(&info, reason.clone())),
                Seat::Untested(reason) => Some(untested(&info, reason.clone())),
                Seat::Shared(_) | Seat::OfItsOwn(_) => None,
            };
            if let Some(report) = unplayed {
                self.ledger.started(&info);
                self.ledger.finished(report);
                continue;
            }
            let has_its_own = matches!(seat, Seat::OfItsOwn(_));
            let is_alone = case.scenario.alone && !has_its_own;
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
                way,
                info,
                seconds,
                seat,
                told: false,
            };
            if is_alone {
                self.alone.push_back(queued);
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
        self.busy = sociable.split_off(patient).into();
        self.patient = sociable.into();
    }

    /// Plays both queues side by side: cases that wait, and busy ones, `jobs` at a time. Whether it was interrupted.
    async fn play_queues(&mut self, jobs: usize) -> bool {
        let mut looking = interval(LOOK);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let interrupt = self.options.interrupt.clone();
        let interrupted = interrupt.raised();
        tokio::pin!(interrupted);
        loop {
            while self.waiting_connections() < WAITING_CONNECTIONS
                && let Some(case) = self.patient.pop_front()
            {
                self.begin(case);
            }
            while self.busy_ones() < jobs.max(1)
                && let Some(case) = self.busy.pop_front()
            {
                self.begin(case);
            }
            if self.playing.is_empty() {
                return false;
            }
            tokio::select! {
                Some(joined) = self.playing.join_next_with_id() => {
                    if let Some(done) = self.take_in(joined) {
                        self.settle(done).await;
                    }
                }
                _ = looking.tick() => {
                    for index in 0..self.places.len() {
                        self.look_after(index, Vec::new()).await;
                    }
                }
                () = &mut interrupted => return true,
            }
        }
    }

    /// Plays the suspects one by one, until one of them kills the target again. Whether it was interrupted.
    async fn confront(&mut self) -> bool {
        let deaths = |hall: &Self| hall.places.iter().map(|place| place.deaths).sum::<usize>();
        let before = deaths(self);
        let count = self.suspects.len();
        while let Some(suspect) = self.suspects.pop_front() {
            self.busy.push_back(suspect);
            if self.play_queues(1).await {
                return true;
            }
            if deaths(self) > before {
                for innocent in std::mem::take(&mut self.suspects) {
                    self.line_up_again(innocent);
                }
                return false;
            }
        }
        self.ledger.notice(format!(
            "none of the {count} cases that were in play when the target died kills it alone: it takes several of them, or chance"
        ));
        false
    }

    /// Puts a case back into its queue.
    pub(super) fn line_up_again(&mut self, queued: Queued) {
        if queued.case.scenario.alone {
            self.alone.push_back(queued);
        } else if queued.waiting_connections > 0 {
            self.patient.push_back(queued);
        } else {
            self.busy.push_back(queued);
        }
    }

    fn waiting_connections(&self) -> usize {
        let in_play = self.in_play.values();
        in_play.map(|case| case.queued.waiting_connections).sum()
    }

    fn busy_ones(&self) -> usize {
        let in_play = self.in_play.values();
        in_play
            .filter(|case| case.queued.waiting_connections == 0)
            .count()
    }

    fn begin(&mut self, mut queued: Queued) {
        let (Seat::Shared(index) | Seat::OfItsOwn(index)) = queued.seat else {
            return;
        };
        let place = self.places.get(index);
        // Of a target that is dead for good nothing more can be known.
        let Some(target) = place.and_then(|place| place.target.clone()) else {
            return;
        };
        if !queued.told {
            self.ledger.started(&queued.info);
            queued.told = true;
        }
        let origin = self
            .site
            .sources
            .get(index)
            .map(|source| source.origin.clone());
        let own = match (&queued.seat, origin) {
            (Seat::OfItsOwn(_), Some(origin)) => Some(origin),
            _ => None,
        };
        let settings = Settings {
            patience: self.options.patience,
            strict: self.options.strict,
            way: queued.way,
            namespace: Namespace::new(self.nonce, queued.index),
        };
        // Everything in a case is bounded; what exceeds all bounds together is stuck.
        let is_slow = settings.way.options().conditions.is_some();
        let patience = self.options.patience * if is_slow { SLOWER } else { 1.0 };
        let bound = self.options.watchdog.mul_f64(patience)
            + Duration::from_secs_f64(queued.seconds).mul_f64(2.0 * patience);
        let (case, info) = (Arc::clone(&queued.case), Arc::clone(&queued.info));
        let task = self.playing.spawn_local(async move {
            match own {
                Some(origin) => {
                    play_on_its_own(&case, &info, &target, &settings, bound, origin).await
                }
                None => Ended {
                    report: play_within(&case, &info, &target, &settings, bound).await,
                    crash: None,
                },
            }
        });
        let case = InPlay {
            queued,
            began: Instant::now(),
            task: task.clone(),
        };
        self.in_play.insert(task.id(), case);
    }

    /// What became of a case that has ended; none of one that was given up.
    pub(super) fn take_in(&mut self, joined: Result<(Id, Ended), JoinError>) -> Option<Done> {
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let InPlay { queued, began, .. } = self.in_play.remove(&id)?;
        let (report, crash) = match joined {
            Ok((_, Ended { report, crash })) => (report, crash),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => (harness_fault(&queued.info, &panic_text(panic)), None),
                Err(_) => return None,
            },
        };
        Some(Done {
            queued,
            played: Played { report, began },
            crash,
        })
    }

    /// Tells that the target is seen to reorder: once, since its configurations are one broker.
    fn tell_of_order(&mut self) {
        let targets = self.places.iter().filter_map(|place| place.target.as_ref());
        let mut news = targets.filter_map(|target| target.order().news());
        if let Some(news) = news.next().filter(|_| !self.order_told) {
            self.order_told = true;
            self.ledger.notice(news);
        }
    }

    /// Takes a finished case in, once it is known that the target is still there.
    pub(super) async fn settle(&mut self, done: Done) {
        self.tell_of_order();
        let Seat::Shared(index) = done.queued.seat else {
            self.ledger.finished(done.played.report);
            if let Some(crash) = done.crash {
                self.ledger.crashed(crash);
            }
            return;
        };
        if done.is_sound() {
            self.ledger.finished(done.played.report);
        } else {
            // A dead target closes its connections as well: whether this was an answer, the witness tells.
            self.look_after(index, vec![done]).await;
        }
    }

    /// Looks whether the target still serves before these reports count.
    async fn look_after(&mut self, index: usize, done: Vec<Done>) {
        let place = self.places.get_mut(index);
        let Some(station) = place.and_then(|place| place.station.as_mut()) else {
            // It died meanwhile; who was in play then has been told of.
            return;
        };
        match station.look().await {
            Sign::Dead(seen) => return self.bury(index, seen, done).await,
            Sign::Replaced(notice) | Sign::Unasked(notice) => self.ledger.notice(notice),
            Sign::Served => {}
        }
        for done in done {
            self.ledger.finished(done.played.report);
        }
    }

    /// Takes the cases that wait for a dead target out of the queues.
    pub(super) fn forsake(&mut self, index: usize) {
        let queues = [
            &mut self.patient,
            &mut self.busy,
            &mut self.suspects,
            &mut self.alone,
        ];
        for queue in queues {
            queue.retain(|queued| {
                queued.seat != Seat::Shared(index) && queued.seat != Seat::OfItsOwn(index)
            });
        }
    }
}

async fn play_within(
    case: &Case,
    info: &Arc<CaseInfo>,
    target: &Target,
    settings: &Settings,
    bound: Duration,
) -> CaseReport {
    let playing = play::play(case, Arc::clone(info), target, settings);
    timeout(bound, playing).await.unwrap_or_else(|_| {
        let text = format!("it was still being played after {} s", bound.as_secs());
        harness_fault(info, &text)
    })
}

/// Launches the target for this case alone, which may restart it.
async fn play_on_its_own(
    case: &Case,
    info: &Arc<CaseInfo>,
    target: &Target,
    settings: &Settings,
    bound: Duration,
    origin: Origin,
) -> Ended {
    let started = match origin {
        Origin::Launched(launch, index) => Instance::start(&launch, index).await,
        Origin::Running(_) => {
            return Ended::of(untested(info, "it has no target of its own".to_owned()));
        }
    };
    let instance = match started {
        Ok(instance) => Rc::new(instance),
        Err(error) => return Ended::of(untested(info, error.to_string())),
    };
    let own = target.of_its_own(Rc::clone(&instance));
    let mut report = play_within(case, info, &own, settings, bound).await;
    let crash = instance.ended().map(|how| Crash {
        case: Some(info.name.clone()),
        seen: format!("its process ended: {how}"),
        log_tail: Some(instance.log_tail()),
    });
    if let Some(crash) = &crash {
        report.verdict = Verdict::Crashed {
            reason: crash.seen.clone(),
        };
        report.findings.clear();
    }
    instance.stop().await;
    Ended { report, crash }
}

impl Done {
    /// Whether the case says nothing of a target that dies: it passed, and nobody ended its links.
    pub(super) fn is_sound(&self) -> bool {
        let report = &self.played.report;
        let passed = matches!(
            report.verdict,
            Verdict::Pass | Verdict::Note | Verdict::Skip { .. }
        );
        let mut trace = report.trace.iter();
        passed && !trace.any(|entry| matches!(entry.what, Happening::TargetEnded(_)))
    }
}

impl Ended {
    fn of(report: CaseReport) -> Self {
        Self {
            report,
            crash: None,
        }
    }
}
