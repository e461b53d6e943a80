//! Clauses: every case speaks for one, every step for one of the scenario's, and none is listed in vain.

use std::collections::BTreeSet;

use clauses::ClauseId;

use super::walk;
use crate::ast::{Scenario, Step};
use crate::diagnostic::Diagnostic;

/// Scenarios that speak for nothing, and steps that speak for a clause of another scenario.
pub(super) fn errors(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    if scenario.versions.is_empty() {
        faults.push(
            Diagnostic::error(
                scenario.title.span,
                "the scenario speaks for no clause, so it is played in no version",
            )
            .help("list the clauses that a failure would speak for"),
        );
    }
    let own: BTreeSet<ClauseId> = all(scenario).map(|clause| clause.value).collect();
    let steps = scenario.control.iter().chain([&scenario.steps]);
    for list in steps {
        walk::each_step(list, &mut |step: &Step| {
            for clause in &step.clause {
                if !own.contains(&clause.value) {
                    faults.push(
                        Diagnostic::error(
                            clause.span,
                            format!("`{}` is no clause of this scenario", clause.value),
                        )
                        .help("list it in `clauses` at the top"),
                    );
                }
            }
        });
    }
}

/// A clause that no version of the scenario plays, and a version that no clause speaks for.
pub(super) fn warnings(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    for clause in all(scenario) {
        let standard = clause.value.standard();
        if !scenario
            .versions
            .iter()
            .any(|version| version.standard() == standard)
        {
            warnings.push(
                Diagnostic::warning(
                    clause.span,
                    format!(
                        "`{}` is played in no version of this scenario",
                        clause.value
                    ),
                )
                .help("add its version to `versions`, or remove it"),
            );
        }
    }
    // A rule that the standard states without a number has no clause, and `why` says where it stands.
    if scenario.why.is_some() {
        return;
    }
    let standards: BTreeSet<_> = all(scenario)
        .map(|clause| clause.value.standard())
        .collect();
    for version in &scenario.versions {
        if !standards.contains(&version.standard()) {
            warnings.push(
                Diagnostic::warning(
                    scenario.title.span,
                    format!("the scenario is played in {version} and names no clause of it"),
                )
                .note("a failure there would speak for nothing")
                .help("where the standard states a rule without a number, say in `why` where"),
            );
        }
    }
}

/// The clauses of a scenario and of its rows.
pub(super) fn all(scenario: &Scenario) -> impl Iterator<Item = &crate::Spanned<ClauseId>> {
    scenario
        .clauses
        .iter()
        .chain(scenario.each.iter().flat_map(|row| &row.clauses))
}
