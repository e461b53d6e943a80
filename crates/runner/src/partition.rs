//! [`Part`]: one of several runs that together play a plan, for CI systems that have more than one machine.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use scenario::Case;

use crate::waiting::waiting;

/// What a case costs beside its waits, in seconds: about what it takes on a broker across a network.
const EACH: f64 = 0.01;

/// More parts than this are a slip of the pen.
const MOST_PARTS: usize = 1000;

/// One of several runs that together play every case of a plan once: `2/4` is the second of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// Which one, from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// A text that names no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPart {
    /// It is not two numbers.
    #[error("a part is written as `2/4`: the second of four")]
    Form,
    /// It is none of so many.
    #[error("parts are numbered from 1 to {of}")]
    Outside {
        /// How many there are.
        of: usize,
    },
    /// Nobody has so many machines.
    #[error("at most {MOST_PARTS} parts can be made")]
    TooMany,
}

impl FromStr for Part {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        let (number, of) = text.split_once('/').ok_or(NoPart::Form)?;
        let number: usize = number.trim().parse().map_err(|_| NoPart::Form)?;
        let of: NonZeroUsize = of.trim().parse().map_err(|_| NoPart::Form)?;
        match of.get() {
            of if of > MOST_PARTS => Err(NoPart::TooMany),
            of if (1..=of).contains(&number) => Ok(Self { number, of }),
            of => Err(NoPart::Outside { of }),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// Shares cases out: those of the part, and those of the others, both in their order.
///
/// The longest are dealt out first, each to the part that has the least to do so far, so that waits are spread; only the
/// cases' texts decide, so that every machine comes to the same result.
pub(crate) fn share_out(cases: Vec<Arc<Case>>, part: Part) -> (Vec<Arc<Case>>, Vec<Arc<Case>>) {
    let mut order: Vec<(usize, f64)> = cases.iter().map(|case| waiting(case)).enumerate().collect();
    order.sort_by(|left, right| right.1.total_cmp(&left.1));
    let mut loads = vec![0.0; part.of];
    let mut mine = vec![false; cases.len()];
    for (index, seconds) in order {
        let mut least = 0;
        for (number, load) in loads.iter().enumerate() {
            if *load < loads[least] {
                least = number;
            }
        }
        loads[least] += seconds + EACH;
        mine[index] = least + 1 == part.number;
    }
    let mut mine = mine.into_iter();
    cases
        .into_iter()
        .partition(|_| mine.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_number_of_so_many() {
        assert_eq!("2/4".parse(), Ok(Part { number: 2, of: 4 }));
        assert_eq!("1/1".parse::<Part>().unwrap().to_string(), "1/1");
        for text in ["", "2", "2/", "/4", "a/b", "-1/4", "1/0", "2/4/6"] {
            assert_eq!(text.parse::<Part>(), Err(NoPart::Form), "{text}");
        }
        assert_eq!("0/4".parse::<Part>(), Err(NoPart::Outside { of: 4 }));
        assert_eq!("5/4".parse::<Part>(), Err(NoPart::Outside { of: 4 }));
        assert_eq!("1/100000".parse::<Part>(), Err(NoPart::TooMany));
    }

    fn cases() -> Vec<Arc<Case>> {
        let waits = [60, 0, 30, 0, 30, 0, 0, 20, 0, 20, 20, 0, 0];
        let cases = waits.into_iter().enumerate().map(|(number, seconds)| {
            let text = format!(
                "title: t\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - wait: {seconds}s\n  - a pings\n"
            );
            let name = format!("scenarios/ping/n{number:02}.yaml");
            let scenario = Arc::new(scenario::parse(&name, &text).unwrap());
            scenario::expand(&scenario).remove(0)
        });
        cases.map(Arc::new).collect()
    }

    #[test]
    fn parts_hold_every_case_once_and_wait_about_as_long() {
        let mut names = Vec::new();
        for number in 1..=3 {
            let (mine, others) = share_out(cases(), Part { number, of: 3 });
            assert_eq!(mine.len() + others.len(), 13);
            assert!(mine.is_sorted_by(|left, right| left.name < right.name));
            let seconds: f64 = mine.iter().map(|case| waiting(case)).sum();
            assert!((50.0..=70.0).contains(&seconds), "{seconds}");
            names.extend(mine.iter().map(|case| case.name.clone()));
        }
        names.sort();
        let all: Vec<_> = cases().iter().map(|case| case.name.clone()).collect();
        assert_eq!(names, all);
    }
}
