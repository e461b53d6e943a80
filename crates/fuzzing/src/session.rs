//! What must hold for any script on the broker's core: the body of the fuzz target `session`.

mod explained;

use std::fmt;

pub use explained::{Explained, explain};

use crate::embedded::{Held, Machine, Player};
use crate::oracle::{Finding, Oracle, Strictness};
use crate::script::{CLIENTS, Mix, Operation, Script};

/// The core stands any script: it does not panic, and after every step the oracle has nothing to find and no more is held
/// than was sent; nothing is held for clients that are gone for good.
///
/// # Panics
/// When it does not.
pub fn holds(bytes: &[u8]) {
    if let Some(explained) = explain(bytes, Strictness::Exact) {
        panic!("{explained}");
    }
}

/// Another script, one or a few steps away: what a fuzzer that follows coverage tries next.
pub fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    Script::from_bytes(bytes)
        .mutate(seed, &Mix::default())
        .to_bytes()
}

/// The beginning of one script and the end of another.
pub fn joined(left: &[u8], right: &[u8], seed: u64) -> Vec<u8> {
    Script::from_bytes(left)
        .splice(&Script::from_bytes(right), seed)
        .to_bytes()
}

/// What a machine did wrong.
#[derive(Debug)]
struct Broken {
    /// The step after which it showed; none where all clients had left.
    step: Option<usize>,
    what: What,
}

#[derive(Debug)]
enum What {
    Found(Finding),
    /// More is held than the clients have asked for.
    Grown(Held),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "after step {step}: ")?,
            None => write!(f, "when all have left: ")?,
        }
        match &self.what {
            What::Found(finding) => finding.fmt(f),
            What::Grown(held) => write!(f, "more is held than was sent: {held:?}"),
        }
    }
}

/// Plays the script on a fresh machine and stops at the first thing that is wrong.
fn judge<B: AsRef<[u8]>>(
    machine: impl Machine,
    script: &Script<B>,
    strictness: Strictness,
) -> Result<(), Broken> {
    let mut oracle = Oracle::new(strictness);
    let mut player = Player::new(machine);
    let mut asked = Asked::default();
    let found = |oracle: &Oracle| oracle.findings().first().cloned().map(What::Found);
    for (at, step) in script.steps.iter().enumerate() {
        asked.grow(&step.operation);
        player.step(step, &mut oracle);
        let held = player.machine().held();
        let grown = (!asked.allows(held)).then_some(What::Grown(held));
        if let Some(what) = found(&oracle).or(grown) {
            let step = Some(at);
            return Err(Broken { step, what });
        }
    }
    let left = player.leave(&mut oracle);
    match found(&oracle).or_else(|| left.leaks().map(What::Found)) {
        Some(what) => Err(Broken { step: None, what }),
        None => Ok(()),
    }
}

/// What the clients have sent so far, which bounds what may be held for them.
#[derive(Debug, Default)]
struct Asked {
    opens: usize,
    /// As many as the bytes can be: several may stand in one step, and the smallest has two bytes.
    packets: usize,
}

impl Asked {
    fn grow<B: AsRef<[u8]>>(&mut self, operation: &Operation<B>) {
        match operation {
            Operation::Open => self.opens += 1,
            Operation::Send { bytes, .. } => self.packets += 1 + bytes.as_ref().len() / 2,
            _ => {}
        }
    }

    /// Whether no more is held than was sent.
    fn allows(&self, held: Held) -> bool {
        // A connection can publish a Will besides.
        let publications = self.packets + self.opens;
        held.connections <= CLIENTS
            && held.sessions <= self.opens
            && held.retained <= publications
            && held.messages <= publications * self.opens.max(1)
            && held.deadlines <= 2 * held.sessions + held.connections
            && held.extra == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::fresh;
    use crate::script::{Pieces, Step};
    use crate::self_test::{Plant, Planted};

    #[test]
    fn generated_scripts_hold() {
        // The oracle was once wrong about those at the end.
        let wronged = [
            90_590,
            343_225,
            101_182_506,
            872_546_150,
            515_723,
            535_836,
            553_240,
            2_026_508,
            2_070_388,
            2_090_794,
            2_098_837,
            3_066_471,
            301_072_470,
            301_277_675,
            501_380_243,
        ];
        for seed in (0..3_000).chain(wronged) {
            holds(&Script::from_seed(seed, &Mix::default()).to_bytes());
        }
    }

    #[test]
    fn what_grows_is_noticed() {
        let asked = Asked {
            opens: 2,
            packets: 5,
        };
        let held = Held {
            connections: 2,
            sessions: 2,
            retained: 7,
            messages: 14,
            deadlines: 6,
            extra: 0,
        };
        assert!(asked.allows(held));
        let too_many: [fn(&mut Held) -> &mut usize; 6] = [
            |held| &mut held.connections,
            |held| &mut held.sessions,
            |held| &mut held.retained,
            |held| &mut held.messages,
            |held| &mut held.deadlines,
            |held| &mut held.extra,
        ];
        for more in too_many {
            let mut held = held;
            *more(&mut held) += CLIENTS;
            assert!(!asked.allows(held), "{held:?}");
        }
    }

    /// A connection that sends a malformed packet, and one more.
    fn one_that_is_malformed() -> Script {
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
        let send = |bytes: &[u8]| {
            let (bytes, pieces) = (bytes.to_vec(), Pieces::Whole);
            Step::new(0, Operation::Send { bytes, pieces })
        };
        let open = |client| Step::new(client, Operation::Open);
        let steps = vec![
            open(0),
            send(connect),
            send(b"\x30\x01\x00"),
            open(1),
            open(2),
            open(3),
            open(0),
        ];
        Script { steps }
    }

    #[test]
    fn a_leak_is_noticed_at_the_step_that_leaks() {
        let script = one_that_is_malformed();
        assert!(judge(fresh(), &script, Strictness::Exact).is_ok());
        for (plant, leaking) in [
            (Plant::LeakPerMalformed, 2),
            // The fourth connection.
            (Plant::LeakPerConnection, 5),
        ] {
            let broken = judge(Planted::new(plant), &script, Strictness::Exact).unwrap_err();
            assert_eq!(broken.step, Some(leaking), "{plant:?}: {broken}");
            assert!(matches!(broken.what, What::Grown(_)), "{plant:?}: {broken}");
        }
    }
}
