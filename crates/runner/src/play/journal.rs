//! [`Journal`]: what a case has seen so far, written by its connections and its steps alike.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use clauses::{ClauseId, Keyword};
use scenario::Span;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::event::{Entry, Finding, Happening, Level};

/// What a case has seen so far.
#[derive(Debug)]
pub(super) struct Journal {
    started: Instant,
    trace: RefCell<Vec<Entry>>,
    findings: RefCell<Vec<Finding>>,
    notes: RefCell<Vec<String>>,
    /// The standing rules that were broken.
    breached: RefCell<BTreeSet<ClauseId>>,
    /// Findings about packets that the scenario may still read as raw bytes, by the number of their arrival.
    suspects: RefCell<Vec<(u64, Finding)>>,
    /// The step that is being played.
    step: Cell<Span>,
    arrivals: Cell<u64>,
    changed: Notify,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            trace: RefCell::default(),
            findings: RefCell::default(),
            notes: RefCell::default(),
            breached: RefCell::default(),
            suspects: RefCell::default(),
            step: Cell::default(),
            arrivals: Cell::new(0),
            changed: Notify::new(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Writes down what happened on a client's link.
    pub(super) fn tell(&self, client: &str, what: Happening) {
        self.trace.borrow_mut().push(Entry {
            at: self.started.elapsed(),
            client: client.to_owned(),
            what,
        });
    }

    /// Writes down what the target chose.
    pub(super) fn note(&self, text: String) {
        self.notes.borrow_mut().push(text);
    }

    /// Writes down a rule breach, once.
    pub(super) fn find(&self, finding: Finding) {
        let mut findings = self.findings.borrow_mut();
        let known = findings
            .iter()
            .any(|old| old.clauses == finding.clauses && old.message == finding.message);
        if !known {
            findings.push(finding);
        }
    }

    /// Writes down that a packet broke a rule which holds whatever the scenario is after.
    /// The first breach tells enough: more of the same add nothing.
    pub(super) fn breach(&self, clause: ClauseId, message: String, received: String) {
        if self.breached.borrow_mut().insert(clause) {
            self.find(self.finding(&[clause], message, received));
        }
    }

    /// As [`Journal::breach`], unless the scenario turns out to expect just these bytes.
    pub(super) fn suspect(
        &self,
        arrival: u64,
        clauses: &[ClauseId],
        message: String,
        received: String,
    ) {
        let finding = self.finding(clauses, message, received);
        self.suspects.borrow_mut().push((arrival, finding));
    }

    /// The scenario expected the bytes of this arrival.
    pub(super) fn pardon(&self, arrival: u64) {
        self.suspects
            .borrow_mut()
            .retain(|(number, _)| *number != arrival);
    }

    fn finding(&self, clauses: &[ClauseId], message: String, received: String) -> Finding {
        Finding {
            level: level(clauses),
            clauses: clauses.to_vec(),
            span: self.step.get(),
            message,
            expected: None,
            received: Some(received),
            why: None,
        }
    }

    pub(super) fn enter_step(&self, span: Span) {
        self.step.set(span);
    }

    pub(super) fn step(&self) -> Span {
        self.step.get()
    }

    /// The number of the next arrival: one sequence for all connections.
    pub(super) fn number_arrival(&self) -> u64 {
        let number = self.arrivals.get();
        self.arrivals.set(number + 1);
        number
    }

    /// How many arrivals and ends there were.
    pub(super) fn arrivals(&self) -> u64 {
        self.arrivals.get()
    }

    /// Wakes everyone in [`Journal::until`].
    pub(super) fn announce(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until `look` sees something; `None` when it has not by the deadline.
    ///
    /// What happens at the very instant of the deadline still counts: the clock of a paused runtime moves on only
    /// when every task is idle, so one tick later all of that instant has been seen.
    pub(super) async fn until<T>(
        &self,
        deadline: Instant,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let expiry = tokio::time::sleep_until(deadline + TICK);
        tokio::pin!(expiry);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(seen) = look() {
                return Some(seen);
            }
            tokio::select! {
                biased;
                () = changed => {}
                () = &mut expiry => return look(),
            }
        }
    }

    /// Everything, at the end of the case.
    pub(super) fn close(&self) -> (Vec<Entry>, Vec<Finding>, Vec<String>) {
        for (_, finding) in self.suspects.take() {
            self.find(finding);
        }
        let mut findings = self.findings.take();
        findings.sort_by_key(|finding| finding.level);
        (self.trace.take(), findings, self.notes.take())
    }
}

/// The resolution of the runtime's timers.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// How grave the breach of these clauses is: a SHOULD only when none of them obliges.
pub(super) fn level(clauses: &[ClauseId]) -> Level {
    let lenient = |clause: &ClauseId| {
        matches!(
            clause.clause().keyword,
            Keyword::Should | Keyword::ShouldNot | Keyword::May
        )
    };
    if !clauses.is_empty() && clauses.iter().all(lenient) {
        Level::Should
    } else {
        Level::Must
    }
}
