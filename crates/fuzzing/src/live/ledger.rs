//! [`Ledger`]: which classes of finding are known, so that each is looked into once.

use std::collections::BTreeMap;

use super::source::Played;
use crate::observe::Transcript;
use crate::oracle::Finding;

/// How many classes are told apart at most: a target so wrong that it has more is told enough.
const CLASSES: usize = 256;
/// How many scripts of a class are tried before it counts as one that cannot be made to happen again.
const TRIALS: u32 = 4;

/// The classes that were seen.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    classes: BTreeMap<String, Class>,
    /// What is to be looked into, the oldest first.
    open: Vec<Sighting>,
}

/// A finding, and what showed it.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) finding: Finding,
    pub(super) played: Played,
    pub(super) transcript: Transcript,
}

#[derive(Debug, Default)]
struct Class {
    settled: bool,
    waiting: bool,
    trials: u32,
    /// What did not show again.
    fleeting: Vec<Sighting>,
}

/// What a finding is to the ledger.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It will be looked into.
    News,
    /// Its class is known, or as good as.
    Repeated,
}

impl Ledger {
    /// Takes a finding in.
    pub(super) fn enter(
        &mut self,
        finding: Finding,
        played: &Played,
        transcript: &Transcript,
    ) -> Standing {
        let key = finding.class();
        if !self.classes.contains_key(&key) && self.classes.len() >= CLASSES {
            return Standing::Repeated;
        }
        let class = self.classes.entry(key).or_default();
        if class.settled || class.waiting || class.trials >= TRIALS {
            return Standing::Repeated;
        }
        class.waiting = true;
        self.open.push(Sighting {
            finding,
            played: played.clone(),
            transcript: transcript.clone(),
        });
        Standing::News
    }

    /// The next finding to be looked into.
    pub(super) fn next(&mut self) -> Option<Sighting> {
        if self.open.is_empty() {
            return None;
        }
        let sighting = self.open.remove(0);
        let class = self.classes.entry(sighting.finding.class()).or_default();
        class.waiting = false;
        class.trials += 1;
        Some(sighting)
    }

    /// What was looked into did not show again.
    pub(super) fn give_up(&mut self, sighting: Sighting) {
        let class = self.classes.entry(sighting.finding.class()).or_default();
        if !class.settled {
            class.fleeting.push(sighting);
        }
    }

    /// What did not show again, of classes that nothing else made known.
    pub(super) fn fleeting(&mut self) -> Vec<Sighting> {
        let classes = self.classes.values_mut();
        let fleeting = classes.map(|class| std::mem::take(&mut class.fleeting));
        fleeting.flatten().collect()
    }

    /// How much is to be looked into.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether a class is known.
    pub(super) fn is_settled(&self, class: &str) -> bool {
        self.classes.get(class).is_some_and(|class| class.settled)
    }

    /// A class is known from now on; whether it was not before.
    pub(super) fn settle(&mut self, class: &str) -> bool {
        let entry = self.classes.entry(class.to_owned()).or_default();
        entry.fleeting.clear();
        !std::mem::replace(&mut entry.settled, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Script, TOKEN};

    fn finding(rule: &'static str) -> Finding {
        Finding {
            rule,
            clause: None,
            client: None,
            message: String::new(),
        }
    }

    fn played() -> Played {
        Played {
            script: Script::default(),
            name: *TOKEN,
        }
    }

    fn seen() -> Transcript {
        Transcript::default()
    }

    #[test]
    fn a_class_is_looked_into_until_it_is_settled_or_given_up() {
        let mut ledger = Ledger::default();
        let mut looked_into = 0;
        for _ in 0..20 {
            if ledger.enter(finding("a"), &played(), &seen()) == Standing::News {
                assert_eq!(
                    ledger.enter(finding("a"), &played(), &seen()),
                    Standing::Repeated
                );
                assert_eq!(ledger.next().unwrap().finding.rule, "a");
                looked_into += 1;
            }
        }
        assert_eq!(looked_into, TRIALS);
        ledger.enter(finding("b"), &played(), &seen());
        assert_eq!(ledger.open(), 1);
        ledger.next();
        assert!(ledger.settle(&finding("b").class()));
        assert!(!ledger.settle(&finding("b").class()));
        assert_eq!(
            ledger.enter(finding("b"), &played(), &seen()),
            Standing::Repeated
        );
    }

    #[test]
    fn what_did_not_show_again_is_kept_until_its_class_is_known() {
        let mut ledger = Ledger::default();
        for rule in ["a", "b"] {
            ledger.enter(finding(rule), &played(), &seen());
            let sighting = ledger.next().unwrap();
            ledger.give_up(sighting);
        }
        ledger.settle(&finding("b").class());
        let fleeting = ledger.fleeting();
        assert_eq!(fleeting.len(), 1);
        assert_eq!(fleeting[0].finding.rule, "a");
    }
}
