//! [`Oracle`]: judges a target by what its clients see.
//!
//! It is an [`Observer`]: it knows what each client has sent and what came back, and nothing of the target's inside,
//! so that it judges the core in process and a live broker alike. What it is not sure of, it lets pass: a target may
//! be late, may forget what it need not keep, may close for reasons of its own.

mod finding;
mod link;

use std::time::Duration;

pub use finding::Finding;

use crate::observe::{End, Observer};
use crate::script::{CLIENTS, TOKEN};
use link::Link;

/// How much the oracle asks of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Strictness {
    /// What holds for every target at any time, whatever it chose: it says nothing wrong.
    #[default]
    Safety,
    /// Besides, what holds for a target that does all it can at once and refuses nothing sound: everything that it owes
    /// has come when it is [settled](Observer::settled).
    Exact,
}

/// Judges a target.
#[derive(Debug)]
pub struct Oracle {
    strictness: Strictness,
    /// What the topics begin with that nobody else uses; without one, nobody else uses the target.
    namespace: Option<[u8; TOKEN.len()]>,
    links: [Option<Link>; CLIENTS],
    findings: Vec<Finding>,
}

impl Oracle {
    /// For a target that nobody else uses.
    pub fn new(strictness: Strictness) -> Self {
        Self {
            strictness,
            namespace: None,
            links: Default::default(),
            findings: Vec::new(),
        }
    }

    /// For a target that others use at the same time: messages of topics without `name` are theirs.
    #[must_use]
    pub fn in_namespace(mut self, name: [u8; TOKEN.len()]) -> Self {
        self.namespace = Some(name);
        self
    }

    /// What was found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes what was found since the last time.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}

impl Observer for Oracle {
    fn opened(&mut self, client: usize, at: Duration) {
        let _ = (client, at);
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let _ = (client, bytes, at);
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let _ = (client, bytes, at);
    }

    fn ended(&mut self, client: usize, end: End, at: Duration) {
        let _ = (client, end, at);
    }

    fn settled(&mut self, at: Duration) {
        let _ = at;
    }
}
