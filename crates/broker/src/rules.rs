//! The device by which the core states a rule where it is obeyed, and by which the rule can be broken.
//!
//! A [`Rule`] names the clauses of one obligation, version by version. `Rules` is the book of a broker as
//! one connection sees it, in the version that its client speaks. Its verbs are:
//!
//! - `refuse_if` for guards: what a peer does wrong is refused;
//! - `must` for values: the right one, or the wrong one when the rule is broken;
//! - `keeps` for duties: whether the rule is obeyed at all; `breaks` for what only a broker does that disobeys.
//!
//! A rule that a version does not have is not kept by the guards and duties of that version, and `must` takes
//! the right value. Each rule that is consulted is noted, so that a prover knows which cases a broken rule can
//! concern.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use clauses::{ClauseId, Standard};
use codec::{PacketType, ReasonCode, Version, Violation};

use crate::core::Refusal;
use crate::{Breach, Config};

const WORDS: usize = 16;

/// A set of clauses, as a bit per clause of the register.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ClauseSet([u64; WORDS]);

impl ClauseSet {
    /// The set without members.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Adds a clause; tells whether it was new.
    pub fn insert(&mut self, clause: ClauseId) -> bool {
        let (word, bit) = place(clause);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Whether the clause is a member.
    pub fn contains(&self, clause: ClauseId) -> bool {
        let (word, bit) = place(clause);
        self.0[word] & bit != 0
    }

    /// The members of both sets.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self
    }

    /// Whether the set has no member.
    pub fn is_empty(&self) -> bool {
        self.0 == [0; WORDS]
    }

    /// The members, in the order of the register.
    pub fn iter(&self) -> impl Iterator<Item = ClauseId> + use<'_> {
        clauses::all().filter(|&clause| self.contains(clause))
    }
}

impl FromIterator<ClauseId> for ClauseSet {
    fn from_iter<I: IntoIterator<Item = ClauseId>>(clauses: I) -> Self {
        let mut set = Self::EMPTY;
        set.extend(clauses);
        set
    }
}

impl Extend<ClauseId> for ClauseSet {
    fn extend<I: IntoIterator<Item = ClauseId>>(&mut self, clauses: I) {
        for clause in clauses {
            self.insert(clause);
        }
    }
}

impl fmt::Debug for ClauseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[inline]
fn place(clause: ClauseId) -> (usize, u64) {
    let index = clause.index();
    (index / 64 % WORDS, 1 << (index % 64))
}

/// One obligation: the clauses that state it, for each version that has it. Written with `rule!`.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    clauses: &'static [ClauseId],
    v3_1_1: usize,
    v5_0: usize,
}

impl Rule {
    /// Sorts the clauses into versions; they stand in the order 3.1, 3.1.1, 5.0.
    pub(crate) const fn new(names: &[&str], clauses: &'static [ClauseId]) -> Self {
        let (mut v3_1_1, mut v5_0) = (0, 0);
        let mut at = 0;
        while at < names.len() {
            match standard(names[at]) {
                Standard::V3_1 => {
                    assert!(v3_1_1 == at, "clauses of 3.1 stand first");
                    v3_1_1 = at + 1;
                    v5_0 = at + 1;
                }
                Standard::V3_1_1 => {
                    assert!(v5_0 == at, "clauses of 3.1.1 stand before those of 5.0");
                    v5_0 = at + 1;
                }
                Standard::V5_0 => {}
                Standard::Sn1_2 => panic!("the broker does not speak MQTT-SN"),
            }
            at += 1;
        }
        Self {
            clauses,
            v3_1_1,
            v5_0,
        }
    }

    /// Whether the version has it.
    #[inline]
    const fn binds(&self, version: Version) -> bool {
        match version {
            Version::V3_1 => self.v5_0 > 0,
            Version::V3_1_1 => self.v5_0 > self.v3_1_1,
            Version::V5_0 => self.clauses.len() > self.v5_0,
        }
    }

    /// The clauses that state this obligation in a version. MQTT 3.1 takes those of 3.1.1 where the rule names
    /// none of its own: the later standard made the earlier one precise.
    #[inline]
    pub fn clauses(&self, version: Version) -> &'static [ClauseId] {
        match version {
            Version::V3_1 if self.v3_1_1 > 0 => &self.clauses[..self.v3_1_1],
            Version::V3_1 | Version::V3_1_1 => &self.clauses[self.v3_1_1..self.v5_0],
            Version::V5_0 => &self.clauses[self.v5_0..],
        }
    }
}

const fn standard(name: &str) -> Standard {
    match name.as_bytes() {
        [b'v', b'3', b'.', b'1', b'/', ..] => Standard::V3_1,
        [b'v', b'3', b'.', b'1', b'.', b'1', b'/', ..] => Standard::V3_1_1,
        [b'v', b'5', b'.', b'0', b'/', ..] => Standard::V5_0,
        _ => panic!("not a clause of MQTT 3.1, 3.1.1 or 5.0"),
    }
}

/// Names a rule by its clauses, those of 3.1.1 before those of 5.0; an unknown clause does not compile.
macro_rules! rule {
    ($($name:literal),+ $(,)?) => {{
        const RULE: $crate::rules::Rule =
            $crate::rules::Rule::new(&[$($name),+], &[$(::clauses::clause!($name)),+]);
        RULE
    }};
}
pub(crate) use rule;

/// The rules of one broker: which are broken, and which were consulted so far.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    /// Every rule is kept, and nobody asks which were consulted.
    unasked: bool,
    broken: ClauseSet,
    broken_at: BTreeSet<Breach>,
    consulted: [AtomicU64; WORDS],
    /// Where packets broke a clause. Places are as many as the codec's sources tell of, whatever peers send.
    breaches: Mutex<BTreeSet<Breach>>,
}

impl RuleBook {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            unasked: config.unasked && config.broken.is_empty() && config.broken_at.is_empty(),
            broken: config.broken,
            broken_at: config.broken_at.clone(),
            consulted: Default::default(),
            breaches: Mutex::default(),
        })
    }

    /// Notes that a clause was consulted. One thread at a time has the core, and notes: no locked instruction is needed.
    #[inline]
    fn note(&self, clause: ClauseId) {
        let (word, bit) = place(clause);
        let seen = self.consulted[word].load(Ordering::Relaxed);
        if seen & bit == 0 {
            self.consulted[word].store(seen | bit, Ordering::Relaxed);
        }
    }

    #[inline]
    fn breaks(&self, clause: ClauseId) -> bool {
        self.broken.contains(clause)
    }

    /// Whether what the codec found in a packet is let through, because a rule that forbids it is broken, everywhere or
    /// in this place. What is no packet has no place.
    pub(crate) fn forgives(&self, violation: &Violation, packet: Option<PacketType>) -> bool {
        let everywhere = violation.clauses().fold(false, |forgiven, clause| {
            self.note(clause);
            forgiven | self.breaks(clause)
        });
        packet.is_some_and(|packet| self.forgives_at(Breach::of(violation, packet))) || everywhere
    }

    fn forgives_at(&self, breach: Breach) -> bool {
        let forgiven = self.broken_at.contains(&breach);
        let mut breaches = self.breaches.lock().unwrap_or_else(PoisonError::into_inner);
        breaches.insert(breach);
        forgiven
    }

    /// Whether none of the clauses is broken.
    #[inline(never)]
    fn keeps(&self, clauses: &[ClauseId]) -> bool {
        let mut kept = true;
        for &clause in clauses {
            self.note(clause);
            kept &= !self.breaks(clause);
        }
        kept
    }

    /// Whether the duty is done towards a client whose version nobody knows yet.
    pub(crate) fn keeps_in_every_version(&self, rule: Rule) -> bool {
        self.unasked || self.keeps(rule.clauses)
    }

    pub(crate) fn consulted(&self) -> ClauseSet {
        let mut set = ClauseSet::EMPTY;
        for (word, noted) in set.0.iter_mut().zip(&self.consulted) {
            *word = noted.load(Ordering::Relaxed);
        }
        set
    }

    pub(crate) fn breaches(&self) -> BTreeSet<Breach> {
        let breaches = self.breaches.lock().unwrap_or_else(PoisonError::into_inner);
        breaches.clone()
    }

    pub(crate) fn of(self: &Arc<Self>, version: Version) -> Rules {
        Rules {
            book: (!self.unasked).then(|| Arc::clone(self)),
            version,
        }
    }
}

/// The rules as they bind the broker towards one client, by the version that the client speaks.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// None where every rule is kept, and nobody asks which were consulted.
    book: Option<Arc<RuleBook>>,
    version: Version,
}

#[expect(
    clippy::inline_always,
    reason = "which rule it is, is known where it is asked for: little is left to do there"
)]
impl Rules {
    /// Whether the duty that `rule` states is done: the version has it, and it is not broken.
    #[inline(always)]
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        rule.binds(self.version)
            && self
                .book
                .as_ref()
                .is_none_or(|book| book.keeps(rule.clauses(self.version)))
    }

    /// Whether `rule` binds in this version and is broken: for what only a broker does that disobeys.
    #[inline(always)]
    pub(crate) fn breaks(&self, rule: Rule) -> bool {
        self.must(rule, false, true)
    }

    /// The right value, or the wrong one where the version has the rule and it is broken.
    #[inline(always)]
    pub(crate) fn must<T>(&self, rule: Rule, right: T, wrong: T) -> T {
        if !rule.binds(self.version) || self.keeps(rule) {
            right
        } else {
            wrong
        }
    }

    /// Refuses what breaks `rule`, with the Reason Code that 5.0 prescribes.
    #[inline(always)]
    pub(crate) fn refuse_if(
        &self,
        violated: bool,
        rule: Rule,
        reason: ReasonCode,
    ) -> Result<(), Refusal> {
        if violated && self.keeps(rule) {
            return Err(Refusal::new(rule.clauses(self.version)[0], reason));
        }
        Ok(())
    }

    /// Whether every rule is kept, and nobody asks which were consulted: then only what keeps them need be done.
    pub(crate) fn are_kept_unasked(&self) -> bool {
        self.book.is_none()
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn is_v5(&self) -> bool {
        self.version == Version::V5_0
    }
}

#[cfg(test)]
mod tests {
    use clauses::clause;

    use super::*;

    const SECOND_CONNECT: Rule = rule!("v3.1.1/MQTT-3.1.0-2", "v5.0/MQTT-3.1.0-2");
    const WILDCARD_DOLLAR: Rule = rule!("v5.0/MQTT-3.3.1-13");

    #[test]
    fn the_register_fits_into_the_set() {
        assert!(clauses::all().len() <= 64 * WORDS);
        let all: ClauseSet = clauses::all().collect();
        assert_eq!(all.iter().count(), clauses::all().len());
    }

    #[test]
    fn a_rule_binds_by_the_clauses_of_the_version() {
        let book = RuleBook::new(&Config::breaking([clause!("v5.0/MQTT-3.1.0-2")]));
        assert!(book.of(Version::V3_1_1).keeps(SECOND_CONNECT));
        assert!(book.of(Version::V3_1).keeps(SECOND_CONNECT));
        assert!(!book.of(Version::V5_0).keeps(SECOND_CONNECT));
        assert_eq!(book.of(Version::V5_0).must(SECOND_CONNECT, 1, 2), 2);
        assert_eq!(book.of(Version::V3_1_1).must(SECOND_CONNECT, 1, 2), 1);
    }

    #[test]
    fn a_version_without_the_rule_does_no_duty_and_takes_the_right_value() {
        let book = RuleBook::new(&Config::default());
        let rules = book.of(Version::V3_1_1);
        assert!(!rules.keeps(WILDCARD_DOLLAR));
        assert_eq!(rules.must(WILDCARD_DOLLAR, 1, 2), 1);
        assert!(
            rules
                .refuse_if(true, WILDCARD_DOLLAR, ReasonCode::PROTOCOL_ERROR)
                .is_ok()
        );
    }

    #[test]
    fn what_was_consulted_is_noted() {
        let book = RuleBook::new(&Config::default());
        let rules = book.of(Version::V5_0);
        assert!(book.consulted().is_empty());
        assert!(
            rules
                .refuse_if(true, SECOND_CONNECT, ReasonCode::PROTOCOL_ERROR)
                .is_err()
        );
        let noted: Vec<_> = book.consulted().iter().collect();
        assert_eq!(noted, [clause!("v5.0/MQTT-3.1.0-2")]);
    }

    #[test]
    fn unasked_rules_bind_all_the_same() {
        let mut config = Config::breaking([clause!("v5.0/MQTT-3.1.0-2")]);
        config.unasked = true;
        let broken = RuleBook::new(&config).of(Version::V5_0);
        assert!(broken.breaks(SECOND_CONNECT));
        config.broken = ClauseSet::EMPTY;
        let book = RuleBook::new(&config);
        let rules = book.of(Version::V5_0);
        assert!(rules.keeps(SECOND_CONNECT) && !rules.breaks(SECOND_CONNECT));
        assert!(!book.of(Version::V3_1_1).keeps(WILDCARD_DOLLAR));
        assert!(book.consulted().is_empty());
    }
}
