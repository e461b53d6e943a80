//! What can only be seen when all scenarios lie side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ast::Scenario;
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// Titles that two scenarios share; each warning comes with the source that it points into.
pub fn check_together(scenarios: &[Arc<Scenario>]) -> Vec<(Arc<Source>, Diagnostic)> {
    let mut titles: BTreeMap<&str, &Scenario> = BTreeMap::new();
    let mut warnings = Vec::new();
    for scenario in scenarios {
        let title = scenario.title.value.as_str();
        match titles.get(title) {
            None => {
                titles.insert(title, scenario);
            }
            Some(first) => warnings.push((
                Arc::clone(&scenario.source),
                Diagnostic::warning(scenario.title.span, "another scenario has the same title")
                    .note(format!(
                        "first at {}",
                        first.source.locate(first.title.span)
                    ))
                    .help("say what this one shows beside the other"),
            )),
        }
    }
    warnings
}
