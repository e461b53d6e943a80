//! How long a case will wait in real time, as far as its text tells: cases that wait begin first, so that waits overlap.

use scenario::ast::{Action, Expr, LinkAct, Over, Step};
use scenario::{Case, Spanned};

/// How long the case waits by its own steps, in seconds: at least the longest way through it.
///
/// Only what certainly passes counts: `wait`, `stalls`, `nothing for`, `after`, and the upper bound of `closed
/// within`, since a target that closes by the clock does so towards its end. Values that are not known before
/// the case is played count as nothing, loops as often as they are written to turn.
pub(crate) fn waiting(case: &Case) -> f64 {
    let twin = case.scenario.control.as_deref().map_or(0.0, total);
    twin + total(&case.scenario.steps)
}

fn total(steps: &[Step]) -> f64 {
    steps.iter().map(step).sum()
}

fn step(step: &Step) -> f64 {
    match &step.action.value {
        Action::Wait(duration)
        | Action::Link {
            act: LinkAct::Stalls(duration),
            ..
        } => seconds(duration),
        Action::Nothing { period, .. } => period.as_ref().map_or(0.0, seconds),
        Action::Closed { timing, .. } => {
            let bound = timing.within.as_ref().or(timing.after.as_ref());
            bound.map_or(0.0, seconds)
        }
        Action::Expect { timing, .. } | Action::Do { timing, .. } => {
            timing.after.as_ref().map_or(0.0, seconds)
        }
        Action::Any(alternatives) => alternatives
            .iter()
            .map(|(_, steps)| total(steps))
            .fold(0.0, f64::max),
        Action::AtOnce(steps) => steps.iter().map(self::step).fold(0.0, f64::max),
        Action::For { over, steps, .. } => turns(over) * total(steps),
        Action::All(steps)
        | Action::InOrder(steps)
        | Action::Should(steps)
        | Action::If { steps, .. }
        | Action::InVersion { steps, .. } => total(steps),
        _ => 0.0,
    }
}

fn seconds(expr: &Spanned<Expr>) -> f64 {
    number(&expr.value).unwrap_or(0.0).max(0.0)
}

fn turns(over: &Over) -> f64 {
    match over {
        Over::Range(first, last) => match (number(&first.value), number(&last.value)) {
            (Some(first), Some(last)) => (last - first + 1.0).max(0.0),
            _ => 1.0,
        },
        Over::List(values) => f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX)),
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Number(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(steps: &str) -> f64 {
        let text =
            format!("title: t\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n{steps}");
        let scenario = Arc::new(scenario::parse("scenarios/ping/t.yaml", &text).unwrap());
        waiting(&scenario::expand(&scenario)[0])
    }

    #[test]
    fn what_certainly_passes_counts() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        close(of("  - a pings\n"), 0.0);
        close(of("  - wait: 3s\n  - wait: 500ms\n  - a pings\n"), 3.5);
        close(
            of("  - for <i> in 1..4:\n      - wait: 2s\n      - a pings\n"),
            8.0,
        );
        close(of("  - a <- nothing for 4s\n"), 4.0);
        close(
            of(
                "  - any:\n      x:\n        - a <- PINGRESP\n        - wait: 1s\n      y:\n        - a <- PUBLISH\n",
            ),
            1.0,
        );
    }
}
