//! [`Rounds`]: a run in several rounds, told as one: each case once, with the gravest verdict that it got.

use std::collections::BTreeMap;

use runner::event::{CaseReport, Event, Flaky, RunSummary};

use crate::tally::Kind;

/// What is grave first. A verdict of [`Kind::Skip`] says least.
const BY_GRAVITY: [Kind; 9] = [
    Kind::Crashed,
    Kind::Fail,
    Kind::Untested,
    Kind::Fixed,
    Kind::Warn,
    Kind::Known,
    Kind::Note,
    Kind::Pass,
    Kind::Skip,
];

/// Stands before the listeners of a run that may have several rounds.
///
/// A run of one round passes as it is. Of several, each case is told at the end, as it was where its verdict was gravest;
/// [`RunSummary::flaky`] names those that had more than one verdict.
#[derive(Debug, Default)]
pub struct Rounds {
    several: bool,
    /// The round that is being played, from 1.
    now: usize,
    cases: BTreeMap<String, Case>,
    notices: Vec<String>,
}

#[derive(Debug)]
struct Case {
    gravest: Box<CaseReport>,
    rounds: BTreeMap<usize, Vec<usize>>,
}

impl Rounds {
    /// Before any round.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an event, and passes on what listeners are to hear.
    pub fn on(&mut self, event: Event, listener: &mut dyn FnMut(&Event)) {
        match event {
            Event::RunStarted(info) => {
                self.several = info.rounds > 1;
                self.now = 1;
                listener(&Event::RunStarted(info));
            }
            event if !self.several => listener(&event),
            Event::CaseStarted(info) if self.now == 1 => listener(&Event::CaseStarted(info)),
            Event::CaseStarted(_) => {}
            Event::CaseFinished(report) => self.take(report),
            Event::Notice(text) => {
                if !self.notices.contains(&text) {
                    self.notices.push(text.clone());
                    listener(&Event::Notice(text));
                }
            }
            Event::RoundFinished(round) => {
                self.now = round.number + 1;
                listener(&Event::RoundFinished(round));
            }
            Event::TargetCrashed(crash) => listener(&Event::TargetCrashed(crash)),
            Event::RunFinished(summary) => self.end(summary, listener),
        }
    }

    fn take(&mut self, report: Box<CaseReport>) {
        let gravity = gravity(&report);
        let case = self
            .cases
            .entry(report.case.name.clone())
            .or_insert_with(|| Case {
                gravest: report.clone(),
                rounds: BTreeMap::new(),
            });
        if gravity < self::gravity(&case.gravest) {
            case.gravest = report;
        }
        case.rounds.entry(gravity).or_default().push(self.now);
    }

    fn end(&mut self, mut summary: RunSummary, listener: &mut dyn FnMut(&Event)) {
        for (name, case) in std::mem::take(&mut self.cases) {
            if case.rounds.len() > 1 {
                let verdicts = case
                    .rounds
                    .into_iter()
                    .map(|(gravity, rounds)| (BY_GRAVITY[gravity].name().to_owned(), rounds));
                summary.flaky.push(Flaky {
                    case: name,
                    verdicts: verdicts.collect(),
                });
            }
            listener(&Event::CaseFinished(case.gravest));
        }
        listener(&Event::RunFinished(summary));
    }
}

/// The place among the verdicts, gravest first.
fn gravity(report: &CaseReport) -> usize {
    let kind = Kind::of(&report.verdict);
    BY_GRAVITY
        .iter()
        .position(|other| *other == kind)
        .unwrap_or_default()
}

/// `fail in round 7, pass in 199 rounds`.
pub(crate) fn told(flaky: &Flaky) -> String {
    let verdicts = flaky
        .verdicts
        .iter()
        .map(|(kind, rounds)| match &rounds[..] {
            [one] => format!("{kind} in round {one}"),
            few if few.len() <= 5 => {
                let numbers: Vec<String> = few.iter().map(usize::to_string).collect();
                format!("{kind} in rounds {}", numbers.join(", "))
            }
            many => format!(
                "{kind} in {} rounds, first in round {}",
                many.len(),
                many.first().copied().unwrap_or_default()
            ),
        });
    let verdicts: Vec<String> = verdicts.collect();
    verdicts.join("; ")
}

#[cfg(test)]
mod tests {
    use runner::event::Round;

    use super::*;
    use crate::fixture;

    #[test]
    fn the_gravest_verdict_is_told_and_what_differs_is_named() {
        let mut events = Vec::new();
        let mut rounds = Rounds::new();
        for event in fixture::flaky_run() {
            rounds.on(event, &mut |event| events.push(event.clone()));
        }
        let finished: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::CaseFinished(report) => {
                    Some((&*report.case.name, Kind::of(&report.verdict)))
                }
                _ => None,
            })
            .collect();
        let (steady, shaky) = ("ping/answered@v5.0/tcp", "retain/kept[qos=1]@v5.0/tcp");
        assert_eq!(finished, [(steady, Kind::Pass), (shaky, Kind::Fail)]);
        let numbers = events.iter().filter_map(|event| match event {
            Event::RoundFinished(Round { number, .. }) => Some(*number),
            _ => None,
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
        let Some(Event::RunFinished(summary)) = events.last() else {
            panic!("{events:?}");
        };
        assert_eq!(summary.flaky.len(), 1);
        assert_eq!(summary.flaky[0].case, shaky);
        assert_eq!(
            told(&summary.flaky[0]),
            "fail in round 2; pass in rounds 1, 3"
        );
    }

    #[test]
    fn a_single_round_passes_as_it_is() {
        let mut told = 0;
        let mut rounds = Rounds::new();
        for event in fixture::run() {
            rounds.on(event, &mut |_| told += 1);
        }
        assert_eq!(told, fixture::run().len());
    }
}
