//! What is wrong with a scenario that reads well: names, connections, versions, verdicts that would mean nothing.

mod acknowledgements;
mod clauses;
mod closed;
mod connections;
mod dead;
mod exercised;
mod members;
mod names;
mod sound;
mod together;
mod versions;
mod walk;

pub use together::check_together;

use crate::ast::Scenario;
use crate::diagnostic::Diagnostic;

/// The warnings about a scenario that can be played, in the order of the text.
pub fn check(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    names::check(scenario, &mut warnings);
    warnings.retain(|warning| !warning.is_error());
    acknowledgements::check(scenario, &mut warnings);
    closed::warnings(scenario, &mut warnings);
    clauses::warnings(scenario, &mut warnings);
    dead::warnings(scenario, &mut warnings);
    exercised::warnings(scenario, &mut warnings);
    warnings.sort_by_key(|warning| warning.span().start);
    warnings
}

/// What keeps a scenario from being played although each of its parts reads well.
pub(crate) fn errors(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    names::check(scenario, &mut faults);
    connections::check(scenario, &mut faults);
    closed::errors(scenario, &mut faults);
    clauses::errors(scenario, &mut faults);
    dead::errors(scenario, &mut faults);
    versions::check(scenario, &mut faults);
    faults.retain(Diagnostic::is_error);
    faults
}
