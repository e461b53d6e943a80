//! [`prove`]: shows that checks can fail, by breaking the reference broker's rules one at a time.
//!
//! Every case is played once on the sound broker, which notes the rules that it consulted. Then each rule is broken, and the
//! cases that consulted it are played again: those that cite its clause all of them, since each claims to notice; when none
//! of them does, the others too, until one does. What MAY be done or left cannot be broken, and is left out. Of a part of
//! the suite only those rules are broken that its cases cite.
//!
//! At last the cases are played on the stubs: what passes there and notices no broken rule proves nothing.
//!
//! A clause that cases break in several fields or packets is broken in each of these places as well: a broker that
//! forgets one of them must be found out too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use broker::Breakable;
use broker::rules::ClauseSet;
use clauses::{ClauseId, Keyword};
use scenario::Case;

use crate::embedded::furnish_breaking;
use crate::event::{Breach, CaseReport, Event, Verdict};
use crate::interrupt::Interrupt;
use crate::ledger::Ledger;
use crate::memory;
use crate::plan::Plan;
use crate::run::Options;
use crate::secrets::Secrets;
use crate::vacuous::{self, PassOnStub};

/// What breaking one rule has shown.
#[derive(Debug, Clone)]
pub struct Proof {
    /// What was broken: a clause, or one place of a clause that has several.
    pub rule: Breakable,
    /// Scenarios that cite the clause, and of which a case failed.
    pub noticed: BTreeSet<String>,
    /// Scenarios that cite the clause, consulted the rule, and of which every case passed.
    pub missed: BTreeSet<String>,
    /// A scenario that does not cite the clause and failed, looked for where none that cites it did.
    pub elsewhere: Option<String>,
}

/// What breaking every rule has shown.
#[derive(Debug, Clone, Default)]
pub struct Proofs {
    /// One for each clause that a case consulted, in the order of the register, then those for single places; of a part of the suite only for clauses
    /// that its cases cite, since who notices the others may lie outside.
    pub rules: Vec<Proof>,
    /// Cases that do not even pass on the sound broker, so that they can prove nothing.
    pub unsound: Vec<String>,
    /// Cases that pass on a stub.
    pub on_stubs: Vec<PassOnStub>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

impl Proof {
    /// Whether some scenario fails when the rule is broken.
    pub fn is_noticed(&self) -> bool {
        !self.noticed.is_empty() || self.elsewhere.is_some()
    }
}

impl Proofs {
    /// Scenarios that cite clauses which can be broken, and that noticed none of them.
    pub fn blind(&self) -> BTreeSet<&str> {
        let missing = self.rules.iter().flat_map(|proof| &proof.missed);
        let missing: BTreeSet<&str> = missing.map(String::as_str).collect();
        missing.difference(&self.noticing()).copied().collect()
    }

    /// The cases that pass on a stub without a written reason, of scenarios that notice no broken rule either.
    pub fn vacuous(&self) -> Vec<&PassOnStub> {
        let noticing = self.noticing();
        let passed = self.on_stubs.iter();
        let unexplained = passed.filter(|pass| pass.reason.is_none());
        unexplained
            .filter(|pass| !noticing.contains(scenario_of(&pass.case).as_str()))
            .collect()
    }

    fn noticing(&self) -> BTreeSet<&str> {
        let noticing = self.rules.iter().flat_map(|proof| &proof.noticed);
        noticing.map(String::as_str).collect()
    }
}

/// Breaks each rule that the plan's cases consult. `told` hears of each proof when it is there, with how many there will be.
pub fn prove(plan: &Plan, options: &Options, told: &mut dyn FnMut(&Proof, usize)) -> Proofs {
    let mut proofs = Proofs::default();
    let mut exhibits = Vec::new();
    let by_name: BTreeMap<&str, &Arc<Case>> = plan
        .cases()
        .iter()
        .map(|case| (case.name.as_str(), case))
        .collect();
    play(plan, None, options, &mut |report| {
        let name = name_of(report);
        if !passed(&report.verdict) {
            if !matches!(report.verdict, Verdict::Skip { .. }) {
                proofs.unsound.push(name.to_owned());
            }
        } else if let Some(case) = by_name.get(name) {
            exhibits.push(Exhibit {
                case: Arc::clone(case),
                consulted: report.consulted.iter().copied().collect(),
                breaches: report.breaches.iter().cloned().collect(),
            });
        }
    });
    exhibits.sort_by(|left, right| left.case.name.cmp(&right.case.name));
    let rules: Vec<Breakable> = rules(&exhibits)
        .into_iter()
        .filter(|rule| rule.clause().clause().keyword != Keyword::May)
        .filter(|rule| {
            plan.is_whole_suite() || exhibits.iter().any(|exhibit| exhibit.cites(rule.clause()))
        })
        .collect();

    let next = AtomicUsize::new(0);
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1);
    let (tell, hear) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let tell = tell.clone();
            scope.spawn(|| {
                let tell = tell;
                while let Some(rule) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let proof = prove_rule(rule, &exhibits, options);
                    if options.interrupt.is_raised() || tell.send(proof).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        for proof in hear {
            told(&proof, rules.len());
            proofs.rules.push(proof);
        }
    });
    proofs.on_stubs = vacuous::on_stubs(plan, options);
    proofs.interrupted = options.interrupt.is_raised();
    proofs
        .rules
        .sort_by(|left, right| left.rule.cmp(&right.rule));
    proofs
}

/// All that these cases can have a say in.
fn rules(exhibits: &[Exhibit]) -> Vec<Breakable> {
    let consulted = exhibits.iter().fold(ClauseSet::EMPTY, |all, exhibit| {
        all.union(exhibit.consulted)
    });
    let breaches: BTreeSet<&Breach> = exhibits
        .iter()
        .flat_map(|exhibit| &exhibit.breaches)
        .collect();
    let mut places: BTreeMap<ClauseId, usize> = BTreeMap::new();
    for breach in &breaches {
        *places.entry(breach.clause).or_default() += 1;
    }
    // The only place of a clause is the clause.
    let breaches = breaches
        .into_iter()
        .filter(|breach| places[&breach.clause] > 1);
    let breaches = breaches.cloned().map(Breakable::Breach);
    consulted
        .iter()
        .map(Breakable::Clause)
        .chain(breaches)
        .collect()
}

/// A case that passes on the sound broker, and the rules that it consulted there.
struct Exhibit {
    case: Arc<Case>,
    consulted: ClauseSet,
    breaches: BTreeSet<Breach>,
}

impl Exhibit {
    fn cites(&self, clause: ClauseId) -> bool {
        self.case.clauses.contains(&clause)
    }

    fn consulted(&self, rule: &Breakable) -> bool {
        match rule {
            Breakable::Clause(clause) => self.consulted.contains(*clause),
            Breakable::Breach(breach) => self.breaches.contains(breach),
        }
    }
}

fn prove_rule(rule: &Breakable, exhibits: &[Exhibit], options: &Options) -> Proof {
    let (citing, others): (Vec<_>, Vec<_>) = exhibits
        .iter()
        .filter(|exhibit| exhibit.consulted(rule))
        .map(|exhibit| Arc::clone(&exhibit.case))
        .partition(|case| case.clauses.contains(&rule.clause()));
    let cited: BTreeSet<String> = citing.iter().map(|case| scenario_of(&case.name)).collect();
    let mut noticed = BTreeSet::new();
    play(&Plan::of(citing), Some(rule), options, &mut |report| {
        if !passed(&report.verdict) {
            noticed.insert(scenario_of(&report.case.name));
        }
    });
    let mut elsewhere = None;
    if noticed.is_empty() {
        let found = Interrupt::new();
        let options = Options {
            interrupt: found.clone(),
            ..options.clone()
        };
        play(&Plan::of(others), Some(rule), &options, &mut |report| {
            if elsewhere.is_none() && !passed(&report.verdict) {
                elsewhere = Some(scenario_of(&report.case.name));
                found.raise();
            }
        });
    }
    Proof {
        rule: rule.clone(),
        missed: cited.difference(&noticed).cloned().collect(),
        noticed,
        elsewhere,
    }
}

/// Plays cases on the embedded broker with this rule broken; a single thread then, since rules are proven side by side.
fn play(
    plan: &Plan,
    broken: Option<&Breakable>,
    options: &Options,
    each: &mut dyn FnMut(&CaseReport),
) {
    let options = Options {
        jobs: if broken.is_none() {
            options.jobs
        } else {
            Some(1)
        },
        baseline: None,
        ..options.clone()
    };
    let mut listener = |event| {
        if let Event::CaseFinished(report) = event {
            each(&report);
        }
    };
    let mut ledger = Ledger::new(plan, &options, Secrets::default(), &mut listener);
    let broken = broken.cloned();
    let furnish = move |requires: &[&str]| furnish_breaking(broken.as_ref(), requires);
    memory::run(plan, furnish, &options, &mut ledger);
    ledger.close();
}

fn passed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Note)
}

/// The case's name without the transport, as the plan has it.
fn name_of(report: &CaseReport) -> &str {
    let name = report.case.name.as_str();
    name.rsplit_once('/').map_or(name, |(case, _)| case)
}

/// The scenario of a case: its name up to the row and the version.
fn scenario_of(case_name: &str) -> String {
    case_name
        .split(['[', '@'])
        .next()
        .unwrap_or(case_name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use clauses::clause;

    use super::*;
    use crate::plan::Selection;

    const KEEPS: &str = "\
title: PINGREQ is answered
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";
    const LOOKS_AWAY: &str = "\
title: PINGREQ is answered, but nobody looks
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a -> PINGREQ
  - a closes
";

    #[test]
    fn a_broken_rule_tells_who_looks_from_who_looks_away() {
        let scenarios = [("keeps", KEEPS), ("looks-away", LOOKS_AWAY)].map(|(name, text)| {
            Arc::new(scenario::parse(&format!("scenarios/ping/{name}.yaml"), text).unwrap())
        });
        let plan = Plan::new(&scenarios, &Selection::default());
        let proofs = prove(&plan, &Options::default(), &mut |_, _| {});
        assert_eq!(proofs.unsound, [""; 0]);
        let answered = clause!("v5.0/MQTT-3.12.4-1");
        let proof = proofs
            .rules
            .iter()
            .find(|proof| proof.rule == Breakable::Clause(answered));
        let proof = proof.expect("the rule was consulted");
        assert!(proof.is_noticed());
        assert!(proof.noticed.contains("ping/keeps"), "{proof:?}");
        assert_eq!(proofs.blind(), ["ping/looks-away"].into());
        // Who notices the others is no part of this plan.
        assert_eq!(proofs.rules.len(), 1, "{:?}", proofs.rules);
    }

    #[test]
    fn what_passes_on_a_stub_and_notices_nothing_is_vacuous() {
        let scenarios = [("keeps", KEEPS), ("looks-away", LOOKS_AWAY)].map(|(name, text)| {
            Arc::new(scenario::parse(&format!("scenarios/ping/{name}.yaml"), text).unwrap())
        });
        let plan = Plan::new(&scenarios, &Selection::default());
        let proofs = prove(&plan, &Options::default(), &mut |_, _| {});
        let on_stubs = proofs.on_stubs.iter();
        assert!(on_stubs.clone().any(|pass| pass.case == "ping/keeps@v5.0"));
        let vacuous = proofs.vacuous();
        let cases: BTreeSet<_> = vacuous.iter().map(|pass| pass.case.as_str()).collect();
        assert_eq!(cases, ["ping/looks-away@v5.0"].into());
    }

    const PACKET_ID_0: &str = "\
title: A packet id of 0 closes the connection
clauses: [v5.0/MQTT-2.2.1-3]
each: { packet: [SUBSCRIBE, UNSUBSCRIBE] }
clients: [a]
steps:
  - if <packet> = SUBSCRIBE:
      - a !> SUBSCRIBE: { id: 1, filters: [{ filter: <t>, qos: 0 }], but: { id: 0 } }
  - if <packet> = UNSUBSCRIBE:
      - a !> UNSUBSCRIBE: { id: 1, filters: [<t>], but: { id: 0 } }
  - a <- closed: [malformed_packet, protocol_error]
";

    #[test]
    fn a_clause_of_several_places_is_broken_in_each() {
        let parsed = scenario::parse("scenarios/malformed/id.yaml", PACKET_ID_0).unwrap();
        let plan = Plan::new(&[Arc::new(parsed)], &Selection::default());
        let proofs = prove(&plan, &Options::default(), &mut |_, _| {});
        let broken: Vec<_> = proofs
            .rules
            .iter()
            .map(|proof| (proof.rule.to_string(), proof.is_noticed()))
            .collect();
        let noticed = |rule: &str| (rule.to_owned(), true);
        assert_eq!(
            broken,
            [
                noticed("v5.0/MQTT-2.2.1-3"),
                noticed("v5.0/MQTT-2.2.1-3/SUBSCRIBE.id"),
                noticed("v5.0/MQTT-2.2.1-3/UNSUBSCRIBE.id"),
            ]
        );
    }
}
