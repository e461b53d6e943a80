//! [`Stop`]: why the steps of a case did not go on to their end.

use clauses::ClauseId;
use codec::Version;
use scenario::ast::Step;
use scenario::{Span, Spanned};

use super::journal;
use crate::Namespace;
use crate::event::{Finding, Level};

/// Why the steps of a case did not go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// An expectation did not hold.
    Miss(Box<Finding>),
    /// The case does not apply to the target.
    Skip(String),
    /// The exchange could not be brought to the point where something is judged.
    Untested(String),
}

/// The result of a step.
pub(super) type Outcome<T = ()> = Result<T, Stop>;

impl Stop {
    /// An expectation at `span` did not hold. The clauses are filled in by the steps around it.
    pub(super) fn miss(span: Span, message: impl Into<String>) -> Self {
        Self::Miss(Box::new(Finding {
            level: Level::Must,
            clauses: Vec::new(),
            span,
            message: message.into(),
            expected: None,
            received: None,
            why: None,
        }))
    }

    /// The scenario asks for what cannot be done: nothing is known about the target.
    pub(super) fn cannot(message: impl Into<String>) -> Self {
        Self::Untested(message.into())
    }

    /// No step says so: it is what holds at the end of every case.
    pub(super) fn at_the_end(mut self) -> Self {
        if let Self::Miss(finding) = &mut self {
            finding.message.push_str(" (at the end of the case)");
        }
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        if let Self::Miss(finding) = &mut self {
            finding.expected = Some(expected.into());
        }
        self
    }

    pub(super) fn received(mut self, received: impl Into<Option<String>>) -> Self {
        if let Self::Miss(finding) = &mut self {
            finding.received = received.into();
        }
        self
    }

    /// The same, with what stands for the names of the case in place of them.
    pub(super) fn in_notation(mut self, namespace: &Namespace) -> Self {
        if let Self::Miss(finding) = &mut self {
            super::notation::generalise_finding(namespace, finding);
        }
        self
    }

    /// Lets a finding speak for the clauses beside the step, and tell its `why:`.
    pub(super) fn beside(mut self, step: &Step, version: Version) -> Self {
        if let Self::Miss(finding) = &mut self {
            if finding.clauses.is_empty() {
                finding.clauses = of_version(&step.clause, version);
            }
            if finding.why.is_none() {
                finding.why = step.why.as_ref().map(|why| why.value.clone());
            }
        }
        self
    }

    /// Lets a finding that no step speaks for speak for the case.
    pub(super) fn of_case(mut self, clauses: &[ClauseId], why: Option<&Spanned<String>>) -> Self {
        if let Self::Miss(finding) = &mut self {
            if finding.clauses.is_empty() {
                finding.clauses = clauses.to_vec();
            }
            if finding.why.is_none() {
                finding.why = why.map(|why| why.value.clone());
            }
            finding.level = finding.level.max(journal::level(&finding.clauses));
        }
        self
    }
}

/// The clauses among these that a version's standard states.
fn of_version(clauses: &[Spanned<ClauseId>], version: Version) -> Vec<ClauseId> {
    clauses
        .iter()
        .map(|clause| clause.value)
        .filter(|clause| clause.standard() == version.standard())
        .collect()
}
