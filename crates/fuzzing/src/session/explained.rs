//! [`explain`]: bytes that broke the core, told so that a person sees why.

use std::fmt;

use super::{Broken, What, judge};
use crate::embedded::{self, Machine, Player};
use crate::minimise::minimise;
use crate::observe::Transcript;
use crate::oracle::{Finding, Strictness};
use crate::scenario::{Told, render};
use crate::script::{Script, TOKEN};

/// What some bytes brought about that must not be.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The smallest script that still brings it about.
    pub smallest: Script,
    /// What is wrong, and after which of its steps.
    pub message: String,
    /// The script as a scenario: each packet decoded, with what came back.
    pub scenario: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.message, self.scenario)
    }
}

/// What is wrong when these bytes are played as a script on the core and judged so; none where nothing is.
///
/// # Panics
/// When the core does.
pub fn explain(bytes: &[u8], strictness: Strictness) -> Option<Explained> {
    // Hardly ever is anything wrong: nothing is copied before.
    judge(embedded::fresh(), &Script::read(bytes), strictness).err()?;
    explain_on(embedded::fresh, Script::from_bytes(bytes), strictness)
}

fn explain_on<M: Machine>(
    fresh: impl Fn() -> M,
    script: Script,
    strictness: Strictness,
) -> Option<Explained> {
    let first = judge(fresh(), &script, strictness).err()?;
    let smallest = minimise(script, |smaller| {
        judge(fresh(), smaller, strictness).is_err_and(|broken| broken.is_like(&first))
    });
    let broken = judge(fresh(), &smallest, strictness).err().unwrap_or(first);
    let mut transcript = Transcript::default();
    Player::new(fresh()).play(&smallest, &mut transcript);
    let message = broken.to_string();
    let scenario = render(&Told {
        transcript: &transcript,
        finding: &broken.into_finding(),
        namespace: *TOKEN,
        strictness,
        transports: &[],
        notes: &[],
    });
    Some(Explained {
        smallest,
        message,
        scenario,
    })
}

impl Broken {
    /// Whether the same is wrong, wherever it shows.
    fn is_like(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Found(one), What::Found(other)) => one.class() == other.class(),
            (What::Grown(_), What::Grown(_)) => true,
            _ => false,
        }
    }

    fn into_finding(self) -> Finding {
        let message = self.to_string();
        match self.what {
            What::Found(finding) => finding,
            What::Grown(_) => Finding {
                rule: "grown",
                clause: None,
                client: None,
                message,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use broker::Config;
    use broker::core::Core;
    use clauses::clause;

    use super::*;
    use crate::script::{Mix, Operation};
    use crate::self_test::{Plant, Planted};

    /// What a generated script says of a machine, the first that says anything.
    fn explained<M: Machine>(fresh: impl Fn() -> M) -> Explained {
        (0..2_000)
            .find_map(|seed| {
                explain_on(
                    &fresh,
                    Script::from_seed(seed, &Mix::default()),
                    Strictness::Exact,
                )
            })
            .expect("a fault that is found within 2000 scripts")
    }

    #[test]
    fn what_breaks_a_rule_is_told_with_no_more_than_it_takes() {
        let broken = Config::breaking([clause!("v5.0/MQTT-3.12.4-1")]);
        let told = explained(|| Core::new(broken.clone()));
        let packets = told.smallest.steps.iter();
        let packets = packets.filter(|step| matches!(step.operation, Operation::Send { .. }));
        assert_eq!(packets.count(), 2, "CONNECT and PINGREQ: {told}");
        assert!(told.message.contains("3.12.4-1"), "{told}");
        assert!(told.scenario.contains("<- PINGRESP"), "{told}");
        assert!(
            ::scenario::parse("found.yaml", &told.scenario).is_ok(),
            "{told}"
        );
    }

    #[test]
    fn what_leaks_is_told_with_what_is_held() {
        let told = explained(|| Planted::new(Plant::LeakPerMalformed));
        assert!(
            told.message.contains("more is held than was sent"),
            "{told}"
        );
        assert!(told.smallest.steps.len() <= 3, "{told}");
    }
}
