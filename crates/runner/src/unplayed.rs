//! The reports of cases that were not played to their end.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{CaseInfo, CaseReport, Verdict};

/// The target cannot be asked.
pub(crate) fn skipped(info: &Arc<CaseInfo>, reason: String) -> CaseReport {
    report(info, Verdict::Skip { reason })
}

/// Nothing is known of the target, for want of something that comes before it.
pub(crate) fn untested(info: &Arc<CaseInfo>, reason: String) -> CaseReport {
    report(info, Verdict::Untested { reason })
}

/// Nothing is known of the target, by the harness's fault.
pub(crate) fn harness_fault(info: &Arc<CaseInfo>, what: &str) -> CaseReport {
    let reason = format!("a fault of the harness, please report it: {what}");
    report(info, Verdict::Untested { reason })
}

/// The target stopped serving before anything could be known.
pub(crate) fn bereaved(info: &Arc<CaseInfo>) -> CaseReport {
    report(info, died_meanwhile())
}

/// The target stopped serving, and nobody else was there.
pub(crate) fn killer(info: &Arc<CaseInfo>, seen: &str) -> CaseReport {
    let reason = seen.to_owned();
    report(info, Verdict::Crashed { reason })
}

/// The verdict on a case during which the target stopped serving by another's hand.
pub(crate) fn died_meanwhile() -> Verdict {
    Verdict::Untested {
        reason: "the target stopped serving while this was played".to_owned(),
    }
}

/// What the player panicked with.
pub(crate) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(
            || "for an unknown reason".to_owned(),
            |text| (*text).to_owned(),
        ),
    };
    format!("the player panicked: {text}")
}

fn report(info: &Arc<CaseInfo>, verdict: Verdict) -> CaseReport {
    CaseReport {
        case: Arc::clone(info),
        verdict,
        findings: Vec::new(),
        notes: Vec::new(),
        trace: Vec::new(),
        elapsed: Duration::ZERO,
        consulted: Vec::new(),
        breaches: Vec::new(),
    }
}
