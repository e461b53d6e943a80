//! [`Recent`]: what was performed last, for the target that dies later than what kills it.

use std::collections::VecDeque;

use super::source::Played;

/// How many scripts are remembered.
const MOST: usize = 4096;

/// The scripts that were performed last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    played: VecDeque<Played>,
}

impl Recent {
    /// Takes in that a script was performed.
    pub(super) fn add(&mut self, played: Played) {
        if self.played.len() >= MOST {
            self.played.pop_front();
        }
        self.played.push_back(played);
    }

    /// Takes back what [`take`](Self::take) gave.
    pub(super) fn put_back(&mut self, newest_first: Vec<Played>) {
        self.played.extend(newest_first.into_iter().rev());
    }

    /// All of them, the newest first; they are remembered no more.
    pub(super) fn take(&mut self) -> Vec<Played> {
        std::mem::take(&mut self.played).into_iter().rev().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Script, TOKEN};

    #[test]
    fn the_newest_comes_first_and_the_oldest_is_forgotten() {
        let mut recent = Recent::default();
        for number in 0..u16::try_from(MOST).unwrap() + 5 {
            let mut name = *TOKEN;
            name[..2].copy_from_slice(&number.to_be_bytes());
            let script = Script::default();
            recent.add(Played { script, name });
        }
        let taken = recent.take();
        assert_eq!(taken.len(), MOST);
        assert_eq!(
            taken[0].name[..2],
            u16::try_from(MOST + 4).unwrap().to_be_bytes()
        );
        assert!(recent.take().is_empty());
    }
}
