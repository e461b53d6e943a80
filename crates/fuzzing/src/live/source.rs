//! [`Source`]: which script is performed next.

use fastrand::Rng;

use super::corpus::Corpus;
use super::options::Options;
use crate::script::{Mix, Script, TOKEN};

/// How many namespaces there are.
const NAMES: u64 = 36_u64.pow(5);
/// How many out of ten scripts are made of one that brought news, if there are any.
const CHANGED: u8 = 6;

/// Where scripts come from.
#[derive(Debug)]
pub(super) struct Source {
    seed: u64,
    mix: Mix,
    feedback: bool,
    replay: Option<std::vec::IntoIter<Played>>,
    limit: Option<u64>,
    taken: u64,
    /// The number of the first namespace. Each seed has its own: a target that goes on keeps what a campaign that was
    /// killed has left behind.
    first: u64,
    /// How many namespaces were given to scripts that are performed again.
    again: u64,
    rng: Rng,
    corpus: Corpus<Script>,
}

impl Source {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            mix: options.mix(),
            feedback: options.feedback,
            replay: options.replay.clone().map(Vec::into_iter),
            limit: options.scripts,
            taken: 0,
            first: mixed(options.seed, u64::MAX - 1) % NAMES,
            again: 0,
            rng: Rng::with_seed(mixed(options.seed, u64::MAX)),
            corpus: Corpus::default(),
        }
    }

    /// The next script, in a namespace of its own; none when there are no more.
    ///
    /// Without feedback it depends on the seed and its own number alone.
    pub(super) fn next(&mut self) -> Option<Played> {
        if self.limit.is_some_and(|limit| self.taken >= limit) {
            return None;
        }
        if let Some(replay) = &mut self.replay {
            self.taken += 1;
            return replay.next();
        }
        let number = self.taken;
        self.taken += 1;
        let seed = mixed(self.seed, number);
        let script = if self.feedback {
            self.changed(seed)
        } else {
            None
        };
        let script = script.unwrap_or_else(|| Script::from_seed(seed, &self.mix));
        Some(Played {
            script,
            name: name(self.first + number),
        })
    }

    /// A script that is performed again, in a namespace that no other has had. These are counted from the other end: how
    /// often something is performed again is not the seed's to say.
    pub(super) fn again(&mut self, script: Script) -> Played {
        let name = name(self.first + NAMES - 1 - self.again % NAMES);
        self.again += 1;
        Played { script, name }
    }

    /// Keeps a script that brought news.
    pub(super) fn keep(&mut self, script: Script) {
        if self.feedback {
            self.corpus.keep(script, &mut self.rng);
        }
    }

    /// How many scripts are kept.
    pub(super) fn kept(&self) -> usize {
        self.corpus.len()
    }

    fn changed(&mut self, seed: u64) -> Option<Script> {
        if self.rng.u8(..10) >= CHANGED {
            return None;
        }
        let parent = self.corpus.choose(&mut self.rng)?.clone();
        if self.rng.u8(..8) == 0 {
            let other = self.corpus.choose(&mut self.rng)?;
            return Some(parent.splice(other, seed));
        }
        Some(parent.mutate(seed, &self.mix))
    }
}

/// A script, and the namespace that it is performed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// The script, with [`TOKEN`] where its names are.
    pub script: Script,
    /// What stands there on the wire.
    pub name: [u8; TOKEN.len()],
}

impl Played {
    /// The script as it goes on the wire.
    pub fn on_the_wire(&self) -> Script {
        self.script.in_namespace(&self.name)
    }
}

/// A seed that looks nothing like that of the next number (`SplitMix64`).
fn mixed(seed: u64, number: u64) -> u64 {
    let mut mixed = seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The namespace with this number: `f` and five digits to the base 36, which a day does not exhaust.
fn name(mut number: u64) -> [u8; TOKEN.len()] {
    let mut name = [b'f'; TOKEN.len()];
    for place in name[1..].iter_mut().rev() {
        let digit = u8::try_from(number % 36).unwrap_or_default();
        *place = digit + if digit < 10 { b'0' } else { b'a' - 10 };
        number /= 36;
    }
    name
}

/// Whether this may be a namespace that [`name`] gave.
pub(super) fn is_name(text: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    matches!(text, [b'f', digits @ ..] if digits.len() + 1 == TOKEN.len() && digits.iter().all(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_another_s_neighbours_and_no_other_s() {
        assert_eq!(&name(0), b"f00000");
        assert_eq!(&name(36 * 36 + 35), b"f0010z");
        assert_ne!(&name(u64::MAX), TOKEN);
        assert!(is_name(&name(0)) && is_name(&name(u64::MAX)));
        assert!(!is_name(TOKEN) && !is_name(b"f/0000"));
    }

    #[test]
    fn without_feedback_the_seed_alone_decides() {
        let scripts = |seed, news: bool| {
            let mut source = Source::new(&Options {
                seed,
                feedback: false,
                scripts: Some(40),
                ..Options::default()
            });
            let mut scripts = Vec::new();
            while let Some(played) = source.next() {
                if news {
                    source.keep(played.script.clone());
                }
                scripts.push(played.on_the_wire());
            }
            scripts
        };
        let first = scripts(7, false);
        assert_eq!(first.len(), 40);
        assert_eq!(first, scripts(7, true), "whatever the target answers");
        let other = scripts(8, false);
        assert!(first.iter().all(|script| !other.contains(script)));
    }

    #[test]
    fn what_is_performed_again_changes_no_name() {
        let options = Options::default();
        let (mut plain, mut inquired) = (Source::new(&options), Source::new(&options));
        let again = inquired.again(Script::default()).name;
        assert_eq!(again, name(inquired.first + NAMES - 1));
        assert_ne!(again, inquired.again(Script::default()).name);
        assert_eq!(plain.next(), inquired.next());
    }

    #[test]
    fn with_feedback_what_brought_news_is_changed() {
        let mut source = Source::new(&Options::default());
        let fresh = source.next().unwrap().script;
        for _ in 0..50 {
            source.keep(fresh.clone());
        }
        let related = (0..50)
            .filter(|_| {
                let script = source.next().unwrap().script;
                script.steps.iter().any(|step| fresh.steps.contains(step))
            })
            .count();
        assert!(related > 20, "{related} of 50");
    }
}
