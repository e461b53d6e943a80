//! The scenario of a finding, and what the runner says when it plays it.

use std::fmt::Write as _;
use std::sync::Arc;

use runner::event::{CaseReport, Event};
use runner::link::Transport;
use runner::{At, Plan, Selection};

use super::inquiry::Evidence;
use super::options::Options;
use super::perform::UNSERVED;
use super::text::client_name;
use crate::oracle::{Finding, Strictness};
use crate::scenario::{Told, render};

/// The scenario that shows the finding.
pub(super) fn scenario(evidence: &Evidence, finding: &Finding, transports: &[Transport]) -> String {
    let mut notes = vec![
        format!("Found by fuzzing: {}.", evidence.class),
        finding.message.clone(),
    ];
    if let Some(clause) = finding.clause {
        notes.push(format!("{clause}: {}.", clause.clause().summary));
    }
    let mut text = render(&Told {
        transcript: &evidence.transcript,
        finding,
        namespace: evidence.script.name,
        strictness: Strictness::Safety,
        transports: &transports
            .iter()
            .map(|each| each.name())
            .collect::<Vec<_>>(),
        notes: &notes,
    });
    if let (UNSERVED, Some(client)) = (finding.rule, finding.client) {
        // The last thing that the client sent was a PINGREQ.
        let _ = writeln!(text, "  - {} <- PINGRESP", client_name(client));
    }
    if ::scenario::parse("finding.yaml", &text).is_err() {
        // Where nothing forbidden was sent, the language takes no close for an answer; the finding is another one.
        text = text
            .split_inclusive('\n')
            .filter(|line| !line.ends_with(" <- closed\n"))
            .collect();
    }
    text
}

/// Plays a scenario as `mqtt-assay run` does.
pub(super) async fn play(scenario: &str, at: &At, options: &Options) -> Option<Box<CaseReport>> {
    let scenario = ::scenario::parse("finding.yaml", scenario).ok()?;
    let plan = Plan::new(&[Arc::new(scenario)], &Selection::default());
    let at = at.clone();
    let options = runner::Options {
        answer: options.patience,
        interrupt: options.interrupt.clone(),
        ..runner::Options::default()
    };
    // The runner has a runtime of its own.
    let playing = tokio::task::spawn_blocking(move || {
        let mut played = None;
        let outcome = runner::run(&plan, &at, &options, &mut |event| {
            if let Event::CaseFinished(report) = event {
                played = Some(report);
            }
        });
        outcome.ok().and(played)
    });
    playing.await.ok().flatten()
}
