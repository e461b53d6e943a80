//! [`repeat`]: plays a plan again and again, to find out whether the verdicts stay the same.

use crate::admission::AdmissionError;
use crate::event::{Event, Round, RunSummary};
use crate::outcome::Totals;
use crate::plan::Plan;
use crate::run::{At, Options, run};

/// How often a plan is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repetition {
    /// How often at most; at least 1.
    pub rounds: usize,
    /// Whether the first round with a deviation is the last.
    pub until_failure: bool,
}

/// Plays a plan in several rounds and tells of them as of one run: its beginning and its end once, and behind each round
/// [`Event::RoundFinished`].
///
/// # Errors
/// Nothing was played, because the target is not reached or is no MQTT broker. No event has been told then. A target
/// that is not reached any more in a later round ends the run with a notice.
pub fn repeat(
    plan: &Plan,
    at: &At,
    options: &Options,
    repetition: Repetition,
    listener: &mut dyn FnMut(Event),
) -> Result<(), AdmissionError> {
    let rounds = repetition.rounds.max(1);
    if rounds == 1 {
        return run(plan, at, options, listener).map(drop);
    }
    let mut whole = RunSummary::default();
    for number in 1..=rounds {
        let mut totals = Totals::default();
        let mut crashed = false;
        let played = run(plan, at, options, &mut |event| match event {
            Event::RunStarted(mut info) => {
                if number == 1 {
                    info.rounds = rounds;
                    listener(Event::RunStarted(info));
                }
            }
            Event::RunFinished(summary) => {
                whole.elapsed += summary.elapsed;
                whole.interrupted = summary.interrupted;
                whole.unplayed = summary.unplayed;
                whole.stale = summary.stale;
            }
            event => {
                match &event {
                    Event::CaseFinished(report) => totals.count(&report.verdict),
                    Event::TargetCrashed(_) => crashed = true,
                    _ => {}
                }
                listener(event);
            }
        });
        match played {
            Ok(_) => {}
            Err(error) if number == 1 => return Err(error),
            Err(error) => {
                listener(Event::Notice(format!(
                    "round {number} could not be played: {error}"
                )));
                whole.interrupted = true;
                break;
            }
        }
        listener(Event::RoundFinished(Round { number, totals }));
        let failed = totals.failed + totals.untested + totals.crashed > 0;
        if crashed || options.interrupt.is_raised() || (failed && repetition.until_failure) {
            // What an unfinished round has left out, an earlier one has played.
            if number > 1 && options.interrupt.is_raised() {
                whole.interrupted = number < rounds || whole.unplayed > 0;
                whole.unplayed = 0;
            }
            break;
        }
    }
    listener(Event::RunFinished(whole));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plan::Selection;
    use crate::stub::Stub;

    fn play(at: &At, until_failure: bool, stop_at: usize) -> (Vec<&'static str>, RunSummary) {
        let text = "title: t\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a pings\n";
        let scenario = scenario::parse("scenarios/ping/t.yaml", text).unwrap();
        let plan = Plan::new(&[Arc::new(scenario)], &Selection::default());
        let options = Options::default();
        let repetition = Repetition {
            rounds: 3,
            until_failure,
        };
        let mut told = Vec::new();
        let mut end = None;
        repeat(&plan, at, &options, repetition, &mut |event| {
            told.push(match event {
                Event::RunStarted(info) => {
                    assert_eq!(info.rounds, 3);
                    "run"
                }
                Event::CaseStarted(_) => "case",
                Event::CaseFinished(_) => "verdict",
                Event::RoundFinished(round) => {
                    assert_eq!(round.totals.cases(), 1);
                    if round.number == stop_at {
                        options.interrupt.raise();
                    }
                    "round"
                }
                Event::RunFinished(summary) => {
                    end = Some(summary);
                    "end"
                }
                _ => "other",
            });
        })
        .unwrap();
        (told, end.unwrap())
    }

    #[test]
    fn rounds_are_told_as_one_run() {
        let (told, end) = play(&At::Embedded, true, 0);
        let round = ["case", "verdict", "round"];
        let expected = [&["run"][..], &round, &round, &round, &["end"]].concat();
        assert_eq!(told, expected);
        assert!(!end.interrupted);
    }

    #[test]
    fn the_first_failure_ends_it_only_on_request() {
        let at = At::Stub(Stub::Mute);
        let rounds = |until_failure| {
            let (told, _) = play(&at, until_failure, 0);
            told.iter().filter(|event| **event == "round").count()
        };
        assert_eq!((rounds(true), rounds(false)), (1, 3));
    }

    #[test]
    fn an_interrupt_between_rounds_ends_it() {
        let (told, end) = play(&At::Embedded, false, 2);
        assert_eq!(told.iter().filter(|event| **event == "round").count(), 2);
        assert!(end.interrupted && end.unplayed == 0, "{end:?}");
    }
}
