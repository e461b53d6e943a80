//! [`Corpus`]: the scripts that are worth changing, since they brought news.

use fastrand::Rng;

/// How many scripts are kept. Each is some hundred bytes, so that a day's run stays small.
const MOST: usize = 2048;

/// What brought news, newest last.
#[derive(Debug)]
pub(super) struct Corpus<S> {
    kept: Vec<S>,
}

impl<S> Default for Corpus<S> {
    fn default() -> Self {
        Self { kept: Vec::new() }
    }
}

impl<S> Corpus<S> {
    /// Keeps a script. Where there are too many, one of the older half makes room.
    pub(super) fn keep(&mut self, script: S, rng: &mut Rng) {
        if self.kept.len() >= MOST {
            self.kept.remove(rng.usize(..MOST / 2));
        }
        self.kept.push(script);
    }

    /// One of them; every second time one of the newest, which have been changed the least.
    pub(super) fn choose(&self, rng: &mut Rng) -> Option<&S> {
        let kept = self.kept.len();
        let from = if rng.bool() { kept - kept / 8 } else { 0 };
        let range = if from < kept { from..kept } else { 0..kept };
        if range.is_empty() {
            return None;
        }
        self.kept.get(rng.usize(range))
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_grows_beyond_its_bound_and_keeps_the_news() {
        let mut rng = Rng::with_seed(1);
        let mut corpus = Corpus::default();
        assert_eq!(corpus.choose(&mut rng), None::<&usize>);
        for script in 0..10 * MOST {
            corpus.keep(script, &mut rng);
            assert!(corpus.len() <= MOST);
            assert!(corpus.choose(&mut rng).is_some());
        }
        assert!(corpus.kept.contains(&(10 * MOST - 1)));
    }
}
