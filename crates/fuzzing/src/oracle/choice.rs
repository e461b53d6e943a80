//! Which of several messages that look the same has come: what was taken for one may turn out to have been another.

use smallvec::SmallVec;

use super::explain::Way;
use super::session::{Copies, Session};

/// A publication that explains an arrival in one way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) publication: usize,
    pub(super) way: Way,
    /// How often it may come in this way; [`u16::MAX`] where any number of times.
    pub(super) limit: u16,
    /// Whether it is retained, and a Shared Subscription would bring it if it brought any such.
    pub(super) beside_shared: bool,
}

/// An arrival that may have come of several publications, or of one in two ways.
#[derive(Debug)]
pub(super) struct Choice {
    taken: Fit,
    others: SmallVec<[Fit; 1]>,
}

impl Fit {
    fn is(&self, other: &Self) -> bool {
        self.publication == other.publication && self.way == other.way
    }
}

impl Copies {
    pub(super) const fn by(&mut self, way: Way) -> &mut u16 {
        match way {
            Way::Forwarded => &mut self.forwarded,
            Way::Retained => &mut self.retained,
        }
    }
}

impl Session {
    /// Remembers what an arrival was taken for, and what else it may have been.
    pub(super) fn chose(&mut self, taken: Fit, all: &[Fit]) {
        if all.len() > 1 {
            let others = all.iter().filter(|fit| !fit.is(&taken)).copied().collect();
            self.choices.push(Choice { taken, others });
        }
    }

    fn due(&self, fit: &Fit) -> Option<usize> {
        self.due.iter().position(|due| {
            due.publication == fit.publication && due.retained == (fit.way == Way::Retained)
        })
    }

    /// Whether it must come still.
    pub(super) fn is_due(&self, fit: &Fit) -> bool {
        self.due(fit).is_some()
    }

    /// It has come.
    pub(super) fn no_longer_due(&mut self, fit: &Fit) {
        if let Some(at) = self.due(fit) {
            self.due.swap_remove(at);
        }
    }

    /// How often it came.
    pub(super) fn came(&self, fit: &Fit) -> u16 {
        let mut copies = self.copies.iter();
        let known = copies.find(|copies| copies.publication == fit.publication);
        known.map_or(0, |copies| match fit.way {
            Way::Forwarded => copies.forwarded,
            Way::Retained => copies.retained,
        })
    }

    /// Whether one more may come of this.
    pub(super) fn has_room(&self, fit: &Fit) -> bool {
        self.came(fit) < fit.limit
    }

    /// Takes an arrival for something else that it may have been, so that one more may come of this.
    pub(super) fn makes_room(&mut self, wanted: &Fit) -> bool {
        self.gives_way(wanted, &mut Vec::new())
    }

    fn gives_way(&mut self, wanted: &Fit, tried: &mut Vec<Fit>) -> bool {
        tried.push(*wanted);
        for at in 0..self.choices.len() {
            if !self.choices[at].taken.is(wanted) {
                continue;
            }
            for place in 0..self.choices[at].others.len() {
                let other = self.choices[at].others[place];
                if tried.iter().any(|fit| fit.is(&other)) {
                    continue;
                }
                if self.has_room(&other) || self.gives_way(&other, tried) {
                    let choice = &mut self.choices[at];
                    std::mem::swap(&mut choice.taken, &mut choice.others[place]);
                    *self.copies(wanted.publication).by(wanted.way) -= 1;
                    *self.copies(other.publication).by(other.way) += 1;
                    self.no_longer_due(&other);
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that comes once.
    const fn once(publication: usize) -> Fit {
        Fit {
            publication,
            way: Way::Forwarded,
            limit: 1,
            beside_shared: false,
        }
    }

    fn arrives(session: &mut Session, fits: &[Fit]) -> bool {
        let free = fits.iter().find(|fit| session.has_room(fit)).copied();
        let taken = free.or_else(|| fits.iter().find(|fit| session.makes_room(fit)).copied());
        if let Some(taken) = taken {
            session.chose(taken, fits);
            *session.copies(taken.publication).by(taken.way) += 1;
        }
        taken.is_some()
    }

    #[test]
    fn what_was_taken_for_one_gives_way_to_what_can_be_no_other() {
        let mut session = Session::default();
        assert!(arrives(&mut session, &[once(0), once(1)]));
        assert!(arrives(&mut session, &[once(1), once(2)]));
        // The first was 1, then, and the second 2.
        assert!(arrives(&mut session, &[once(0)]));
        assert_eq!([0, 1, 2].map(|at| session.came(&once(at))), [1, 1, 1]);
        assert!(!arrives(&mut session, &[once(0), once(1), once(2)]));
    }

    #[test]
    fn a_retained_message_may_come_once_in_each_way() {
        let retained = Fit {
            way: Way::Retained,
            ..once(0)
        };
        let mut session = Session::default();
        assert!(arrives(&mut session, &[once(0), retained]));
        assert!(arrives(&mut session, &[once(0)]));
        assert!(!arrives(&mut session, &[retained]));
    }
}
