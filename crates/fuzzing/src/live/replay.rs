//! The scenario of a finding, and what the runner says when it plays it.

use std::sync::Arc;

use runner::event::{CaseReport, Event};
use runner::target::Address;
use runner::{At, Options, Plan, Selection};

use super::inquiry::Evidence;
use crate::oracle::Finding;

/// The scenario that shows the finding.
pub(super) fn scenario(evidence: &Evidence, finding: &Finding) -> Option<String> {
    let _ = (evidence, finding);
    None
}

/// Plays a scenario as `mqtt-assay run` does.
pub(super) async fn play(scenario: &str, address: &Address) -> Option<Box<CaseReport>> {
    let scenario = scenario::parse("finding.yaml", scenario).ok()?;
    let plan = Plan::new(&[Arc::new(scenario)], &Selection::default());
    let at = At::Address(address.clone().into());
    // The runner has a runtime of its own.
    let playing = tokio::task::spawn_blocking(move || {
        let mut played = None;
        let outcome = runner::run(&plan, &at, &Options::default(), &mut |event| {
            if let Event::CaseFinished(report) = event {
                played = Some(report);
            }
        });
        outcome.ok().and(played)
    });
    playing.await.ok().flatten()
}
