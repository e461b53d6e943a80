//! [`Growth`]: whether a target's memory, open files or CPU grow without bound.
//!
//! A broker at work may use what it likes. So it is looked at when it is *quiet*: no client of the fuzzer's is connected,
//! and what the sessions left behind has been taken back. What still grows from one quiet moment to the next is held by
//! nothing that a client can see.

use super::vitals::Vitals;

/// Quiet moments before anything counts: caches fill, pools are made.
const WARM_UP: usize = 3;
/// Quiet moments that a judgement needs, those of the warm-up aside.
const LEAST: usize = 16;
/// How many quiet moments are remembered. When they are too many, every other one is forgotten.
const MOST: usize = 64;
/// Growth of memory below this is no finding, in bytes.
const MEMORY: u64 = 32 << 20;
/// Growth of the number of open files below this is no finding.
const OPEN_FILES: u64 = 64;
/// Quiet moments in a row with more than that.
const BUSY_MOMENTS: usize = 4;

/// A quiet moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    vitals: Vitals,
    packets: u64,
}

/// What the target used at quiet moments.
#[derive(Debug, Default)]
pub(super) struct Growth {
    seen: usize,
    moments: Vec<Moment>,
    busy: usize,
    told: Vec<Resource>,
}

/// What can grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// Resident memory.
    Memory,
    /// Open file descriptors.
    OpenFiles,
    /// CPU time while nobody is connected.
    Cpu,
}

impl Resource {
    /// The rule that its growth breaks.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Memory => "memory-grows",
            Self::OpenFiles => "open-files-grow",
            Self::Cpu => "computes-for-nobody",
        }
    }
}

impl Growth {
    /// Takes in a quiet moment: what the target uses then, whether it never came to rest in it, and how many packets it
    /// has been sent so far. Each resource that grows without bound is told once.
    pub(super) fn quiet(
        &mut self,
        vitals: Vitals,
        busy: bool,
        packets: u64,
    ) -> Vec<(Resource, String)> {
        self.seen += 1;
        self.busy = if busy { self.busy + 1 } else { 0 };
        if self.seen > WARM_UP {
            self.moments.push(Moment { vitals, packets });
        }
        if self.moments.len() > MOST {
            let mut index = 0;
            self.moments.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        let judged = [
            (Resource::Memory, self.grows(|vitals| vitals.memory, MEMORY)),
            (
                Resource::OpenFiles,
                self.grows(|vitals| vitals.open_files, OPEN_FILES),
            ),
            (
                Resource::Cpu,
                (self.busy >= BUSY_MOMENTS).then(|| {
                    format!(
                        "nobody is connected, and it computes all the time, for the {}th time",
                        self.busy
                    )
                }),
            ),
        ];
        let mut news = Vec::new();
        for (resource, seen) in judged {
            if let Some(seen) = seen
                && !self.told.contains(&resource)
            {
                self.told.push(resource);
                news.push((resource, seen));
            }
        }
        news
    }

    /// Forgets everything: the target was started anew.
    pub(super) fn restart(&mut self) {
        let told = std::mem::take(&mut self.told);
        *self = Self {
            told,
            ..Self::default()
        };
    }

    /// Growth of more than `bound` that does not flatten: its later half is at least three quarters as steep as its earlier one.
    fn grows(&self, of: impl Fn(&Vitals) -> u64, bound: u64) -> Option<String> {
        if self.moments.len() < LEAST {
            return None;
        }
        let first = self.moments.first()?;
        let last = self.moments.last()?;
        let half_way = first.packets + (last.packets - first.packets) / 2;
        let middle = self
            .moments
            .iter()
            .find(|moment| moment.packets >= half_way)?;
        let growth = |from: &Moment, to: &Moment| {
            let grown = of(&to.vitals).saturating_sub(of(&from.vitals));
            (u128::from(grown), u128::from(to.packets - from.packets))
        };
        let (early, early_packets) = growth(first, middle);
        let (late, late_packets) = growth(middle, last);
        let grown = of(&last.vitals).saturating_sub(of(&first.vitals));
        let steady = 4 * late * early_packets >= 3 * early * late_packets;
        (grown >= bound && steady).then(|| {
            format!(
                "with nobody connected it had {} and has {} now, after {} more packets",
                of(&first.vitals),
                of(&last.vitals),
                last.packets - first.packets
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What is told when memory and open files take these values at quiet moments a million packets apart.
    fn told(values: impl IntoIterator<Item = (u64, u64)>) -> Vec<Resource> {
        let mut growth = Growth::default();
        let mut told = Vec::new();
        for (index, (megabytes, open_files)) in values.into_iter().enumerate() {
            let vitals = Vitals {
                memory: megabytes << 20,
                open_files,
                cpu: Duration::ZERO,
            };
            let news = growth.quiet(vitals, false, index as u64 * 1_000_000);
            told.extend(news.into_iter().map(|(resource, _)| resource));
            assert!(growth.moments.len() <= MOST);
        }
        told
    }

    #[test]
    fn a_leak_is_told_once() {
        assert_eq!(
            told((0..1000).map(|i| (20 + 2 * i, 10))),
            [Resource::Memory]
        );
        assert_eq!(
            told((0..60).map(|i| (20, 10 + 3 * i))),
            [Resource::OpenFiles]
        );
    }

    #[test]
    fn what_flattens_is_no_leak() {
        // A pool that doubles up to a size and stays there; the warm-up; a store of a few files.
        assert_eq!(
            told((0..200).map(|i| (20 + 300 * i / (i + 20), 10 + i.min(20)))),
            []
        );
        assert_eq!(
            told(
                [(20, 9), (90, 50), (200, 90)]
                    .into_iter()
                    .chain([(200, 90); 40])
            ),
            []
        );
    }

    #[test]
    fn a_target_that_computes_for_nobody_is_told() {
        let mut growth = Growth::default();
        let mut quiet = |busy| growth.quiet(Vitals::default(), busy, 0);
        for _ in 0..3 {
            assert_eq!(quiet(true), []);
        }
        assert_eq!(quiet(false), [], "it came to rest");
        let told: Vec<_> = (0..9).flat_map(|_| quiet(true)).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, Resource::Cpu);
    }
}
