//! Scripts out of other scripts: steps left out, doubled, moved, changed, and two scripts joined.

use fastrand::Rng;

use super::generate::{Mix, Writer};
use super::{CLIENTS, Operation, Pieces, STEPS, Script};

impl Script {
    /// A script that is a little different. The same seed gives the same.
    #[must_use]
    pub fn mutate(&self, seed: u64, mix: &Mix) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut script = self.clone();
        for _ in 0..random.usize(1..=3) {
            script = script.mutated_once(&mut random, mix);
        }
        script
    }

    /// The beginning of this script and the end of another one.
    #[must_use]
    pub fn splice(&self, other: &Self, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let head = random.usize(0..=self.steps.len());
        let tail = random.usize(0..=other.steps.len());
        let mut steps = self.steps[..head].to_vec();
        steps.extend_from_slice(&other.steps[tail..]);
        steps.truncate(STEPS);
        Self { steps }
    }

    fn mutated_once(mut self, random: &mut Rng, mix: &Mix) -> Self {
        let count = self.steps.len();
        if count == 0 {
            return Self::from_seed(random.u64(..), mix);
        }
        let at = random.usize(..count);
        match random.u8(0..10) {
            0 => drop(self.steps.remove(at)),
            1 => {
                let end = random.usize(at..count.min(at + 4)) + 1;
                drop(self.steps.drain(at..end));
            }
            2 => {
                let step = self.steps[at].clone();
                self.steps.insert(random.usize(..=count), step);
            }
            3 => self.steps.swap(at, random.usize(..count)),
            4 => self.steps[at].client = random.usize(..CLIENTS),
            5 => {
                if let Operation::Send { pieces, .. } = &mut self.steps[at].operation {
                    *pieces = match random.u8(0..3) {
                        0 => Pieces::Whole,
                        1 => Pieces::Two(random.u8(..)),
                        _ => Pieces::Bytes,
                    };
                }
            }
            6 => {
                if let Operation::Send { bytes, .. } = &mut self.steps[at].operation {
                    change_bytes(bytes, random);
                }
            }
            _ => {
                // A step that the generator would have made here.
                let mut choices = [0; 256];
                random.fill(&mut choices);
                let tail = self.steps.split_off(at);
                let mut u = arbitrary::Unstructured::new(&choices);
                self = Writer::after(self, mix).extend(&mut u);
                self.steps.extend(tail);
            }
        }
        self.steps.truncate(STEPS);
        self
    }
}

fn change_bytes(bytes: &mut Vec<u8>, random: &mut Rng) {
    const BORDERS: [u8; 6] = [0, 1, 2, 0x7F, 0x80, 0xFF];
    if bytes.is_empty() {
        bytes.push(random.u8(..));
        return;
    }
    let at = random.usize(..bytes.len());
    match random.u8(0..5) {
        0 => bytes[at] ^= 1 << random.u8(0..8),
        1 => bytes[at] = BORDERS[random.usize(..BORDERS.len())],
        2 => bytes[at] = bytes[at].wrapping_add(1),
        3 => bytes.insert(at, random.u8(..)),
        _ => drop(bytes.remove(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_changes_the_script_and_keeps_its_bounds() {
        let mix = Mix::default();
        let mut script = Script::from_seed(7, &mix);
        let mut changed = 0;
        for seed in 0..500 {
            let next = script.mutate(seed, &mix);
            assert_eq!(next, script.mutate(seed, &mix));
            assert!(next.steps.len() <= STEPS);
            assert!(next.steps.iter().all(|step| step.client < CLIENTS));
            changed += usize::from(next != script);
            script = next;
        }
        assert!(changed > 450, "{changed}");
    }
}
