//! Blocks that no case plays: a version that the scenario is not played in, a value that no row has.

use std::collections::BTreeSet;

use super::walk;
use crate::ast::{Action, Comparison, Condition, Expr, Piece, Scenario, Step, Value};
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;

/// A condition that compares an axis with a value that no row has: a typo there would never be noticed.
pub(super) fn errors(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    each_step(scenario, &mut |step| {
        if let Action::If { condition, .. } = &step.action.value {
            unknown_values(scenario, &condition.value, faults);
        }
    });
}

/// A block for a version that the scenario is not played in.
pub(super) fn warnings(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    each_step(scenario, &mut |step| {
        if let Action::InVersion { versions, .. } = &step.action.value
            && !versions
                .iter()
                .any(|version| scenario.versions.contains(version))
        {
            let played: Vec<&str> = scenario
                .versions
                .iter()
                .map(|version| version.name())
                .collect();
            warnings.push(
                Diagnostic::warning(step.action.span, "this block is never played").note(format!(
                    "the scenario is played in {}",
                    played.join(" and ")
                )),
            );
        }
    });
}

fn each_step<'a>(scenario: &'a Scenario, see: &mut dyn FnMut(&'a Step)) {
    for steps in scenario.control.iter().chain([&scenario.steps]) {
        walk::each_step(steps, see);
    }
}

fn unknown_values(scenario: &Scenario, condition: &Condition, faults: &mut Vec<Diagnostic>) {
    let Expr::Variable(axis) = &condition.left.value else {
        return;
    };
    let Some(known) = values(scenario, axis) else {
        return;
    };
    let compared: Vec<&Spanned<Value>> = match (&condition.comparison, &condition.right.value) {
        (Comparison::In, Value::List(items)) => items.iter().collect(),
        (Comparison::Equal | Comparison::Unequal, _) => vec![&condition.right],
        _ => return,
    };
    for value in compared {
        let Some(text) = literal(&value.value) else {
            continue;
        };
        if !known.contains(text) {
            faults.push(
                Diagnostic::error(value.span, format!("no row has `{text}` for `<{axis}>`"))
                    .suggest(text, known.iter().copied()),
            );
        }
    }
}

/// The values of an axis, if all of them are literal.
fn values<'a>(scenario: &'a Scenario, axis: &str) -> Option<BTreeSet<&'a str>> {
    let bound: Vec<&Spanned<Value>> = scenario
        .each
        .iter()
        .flat_map(|row| &row.bindings)
        .filter(|(name, _)| name.value == axis)
        .map(|(_, value)| value)
        .collect();
    if bound.is_empty() {
        return None;
    }
    bound
        .into_iter()
        .map(|value| literal(&value.value))
        .collect()
}

fn literal(value: &Value) -> Option<&str> {
    match value {
        Value::Scalar(pieces) => match &pieces[..] {
            [Piece::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}
