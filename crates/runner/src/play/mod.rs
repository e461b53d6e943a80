//! The player: one case played against a target and judged.
//!
//! A case is an exchange on a `stage`; its control twin, which must hold before anything is said about the
//! target, is another one. `steps` plays steps in their order and hands each to the file that knows it: `send`,
//! `expect` with `reading` and `matching`, `verbs` and their `answers`, `quiet` (`nothing`) with its `barrier`,
//! `closed`, `choice` (`any`), `group` (`all`, `at once`). Each link belongs to a `connection`, which reads it all
//! the time, decodes strictly, and judges every packet by the standing `rules`; what nobody has read yet waits in
//! its `inbox`. The `journal` knows what was seen.
//!
//! All times are those of the tokio runtime, so a paused runtime makes them virtual, and every wait has an end.

mod answers;
mod barrier;
mod build;
mod choice;
mod client;
mod closed;
mod condition;
mod connection;
mod expect;
mod group;
mod inbox;
mod journal;
mod late;
mod links;
mod matching;
mod notation;
mod premise;
mod protocol;
mod quiet;
mod reading;
mod resolve;
mod rules;
mod scope;
mod send;
mod session;
mod stage;
mod steps;
mod stop;
#[cfg(test)]
mod tests;
mod tidy;
mod traffic;
mod unseen;
mod value;
mod verbs;

use std::sync::Arc;
use std::time::Duration;

use scenario::Case;
use scenario::ast::{Fields, Step, Verb};
use tokio::task::LocalSet;

use crate::event::{CaseInfo, CaseReport, Entry, Finding, Happening, Level, Verdict};
use crate::target::Target;
use crate::{Namespace, Settings};
use stage::Stage;
use stop::{Outcome, Stop};

/// Plays a case and judges the target by it.
///
/// Needs a current-thread tokio runtime with time enabled; on a paused one, waiting takes no time.
/// The features that the case requires are taken to be there.
pub async fn play(
    case: &Case,
    info: Arc<CaseInfo>,
    target: &Target,
    settings: &Settings,
) -> CaseReport {
    let played = LocalSet::new()
        .run_until(play_with_twin(case, target, settings))
        .await;
    let verdict = played.verdict(settings);
    CaseReport {
        case: info,
        verdict,
        findings: played.findings,
        notes: played.notes,
        trace: played.trace,
        elapsed: played.elapsed,
        consulted: target.consulted().iter().collect(),
        breaches: target.breaches().into_iter().collect(),
    }
}

/// What playing an exchange has shown.
struct Played {
    outcome: Outcome,
    findings: Vec<Finding>,
    notes: Vec<String>,
    trace: Vec<Entry>,
    elapsed: Duration,
}

impl Played {
    fn verdict(&self, settings: &Settings) -> Verdict {
        match self.findings.first().map(|finding| finding.level) {
            Some(Level::Must) => return Verdict::Fail,
            Some(Level::Should) if settings.strict => return Verdict::Fail,
            _ => {}
        }
        match &self.outcome {
            Err(Stop::Skip(reason)) => Verdict::Skip {
                reason: reason.clone(),
            },
            Err(Stop::Untested(reason)) => Verdict::Untested {
                reason: reason.clone(),
            },
            _ if !self.findings.is_empty() => Verdict::Warn,
            _ if !self.notes.is_empty() => Verdict::Note,
            _ => Verdict::Pass,
        }
    }
}

/// The control twin first: when that fails, nothing is known of the case.
async fn play_with_twin(case: &Case, target: &Target, settings: &Settings) -> Played {
    let Some(twin) = scenario::twin(case) else {
        return play_case(case, target, settings).await;
    };
    let namespace = Namespace {
        token: settings.namespace.twin.clone(),
        twin: settings.namespace.token.clone(),
    };
    let stage = Stage::new(case, target, settings, namespace, false);
    let mut control = play_exchange(&stage, &twin).await;
    control.notes.clear();
    match &control.outcome {
        Ok(()) => {}
        Err(Stop::Skip(_)) => return control,
        Err(Stop::Untested(reason)) => {
            control.outcome = Err(Stop::Untested(format!(
                "the control twin could not be played: {reason}"
            )));
            return control;
        }
        Err(Stop::Miss(finding)) => {
            control.outcome = Err(Stop::Untested(format!(
                "the control twin failed: {}",
                finding.message
            )));
            return control;
        }
    }
    let mut played = play_case(case, target, settings).await;
    played.elapsed += control.elapsed;
    if !control.findings.is_empty() {
        let later = control.elapsed;
        control.trace.push(remark(
            later,
            "here the control twin ends and the case begins",
        ));
        control
            .trace
            .extend(played.trace.into_iter().map(|entry| Entry {
                at: entry.at + later,
                ..entry
            }));
        played.trace = control.trace;
        played.findings.extend(control.findings);
        played.findings.sort_by_key(|finding| finding.level);
    }
    played
}

async fn play_case(case: &Case, target: &Target, settings: &Settings) -> Played {
    let stage = Stage::new(case, target, settings, settings.namespace.clone(), true);
    let mut played = play_exchange(&stage, &case.scenario.steps).await;
    if let Err(Stop::Miss(finding)) = played.outcome {
        played.findings.push(*finding);
        played.findings.sort_by_key(|finding| finding.level);
        played.outcome = Ok(());
    }
    played
}

/// Plays steps between the implicit handshakes, and cleans up.
async fn play_exchange(stage: &Stage<'_>, steps: &[Step]) -> Played {
    let outcome = play_judged(stage, steps).await;
    let outcome =
        outcome.map_err(|stop| stop.of_case(&stage.case.clauses, stage.case.scenario.why.as_ref()));
    let elapsed = stage.journal.elapsed();
    // What follows is not part of the exchange: it is neither told nor judged.
    let (mut trace, mut findings, mut notes) = stage.journal.close();
    let outcome = outcome.map_err(|stop| stop.in_notation(&stage.namespace));
    notation::generalise(&stage.namespace, &mut trace, &mut findings, &mut notes);
    stage.leave_all().await;
    if !stage.target.virtual_time() {
        stage.clear().await;
    }
    Played {
        outcome,
        findings,
        notes,
        trace,
        elapsed,
    }
}

async fn play_judged(stage: &Stage<'_>, steps: &[Step]) -> Outcome {
    for client in &stage.case.scenario.clients {
        connect(stage, &client.name.value, &client.options)
            .await
            .map_err(|stop| prerequisite(&client.name.value, stop))?;
    }
    stage.happened(scope::Moment::now());
    stage.play_steps(steps).await?;
    stage.judge_end().await
}

async fn connect(stage: &Stage<'_>, name: &str, options: &Fields) -> Outcome {
    let client = stage.admit(name, options)?;
    let span = scenario::Span::default();
    let handshake = stage.begin(Verb::Connects, &client, options, span).await?;
    let bounds = stage.bounds(&scenario::ast::Timing::default())?;
    stage.finish(&handshake, &Fields::default(), bounds).await
}

/// A handshake that no step asked for says nothing about the clauses of the case.
fn prerequisite(client: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Miss(finding) => {
            let received = finding
                .received
                .map_or(String::new(), |received| format!(" ({received})"));
            Stop::Untested(format!(
                "`{client}` cannot connect: {}{received}",
                finding.message
            ))
        }
        other => other,
    }
}

fn remark(at: Duration, text: &str) -> Entry {
    Entry {
        at,
        client: String::new(),
        what: Happening::Remark(text.to_owned()),
    }
}
