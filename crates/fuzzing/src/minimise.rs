//! [`Minimiser`]: the smallest script that still shows what a larger one showed.
//!
//! It asks again and again whether a smaller script still does, first without whole clients, then without steps, then
//! with smaller packets, until nothing can be left out any more.

use codec::draft::Draft;
use codec::{Direction, Frame, Version};

use crate::script::{CLIENTS, Operation, Pieces, Script};

/// Makes a script smaller, one question at a time.
///
/// ```
/// use fuzzing::minimise::Minimiser;
/// use fuzzing::script::{Mix, Script};
///
/// let script = Script::from_seed(1, &Mix::default());
/// let mut minimiser = Minimiser::new(script);
/// while let Some(smaller) = minimiser.question() {
///     let still_shows_it = smaller.steps.len() >= 3;
///     minimiser.answer(still_shows_it);
/// }
/// assert_eq!(minimiser.into_smallest().steps.len(), 3);
/// ```
#[derive(Debug)]
pub struct Minimiser {
    smallest: Script,
    pass: Pass,
    /// Where in the pass the next question is.
    at: usize,
    /// Whether a question was answered with yes since the first pass began.
    progress: bool,
    asked: Option<Script>,
}

/// What is left out, from the coarse to the fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Clients,
    Chunks(usize),
    Merge,
    Pieces,
    Fields,
    Bytes,
    Done,
}

impl Minimiser {
    /// Begins with a script that shows it.
    pub const fn new(script: Script) -> Self {
        Self {
            smallest: script,
            pass: Pass::Clients,
            at: 0,
            progress: false,
            asked: None,
        }
    }

    /// The next smaller script to be tried; none when nothing can be left out any more.
    pub fn question(&mut self) -> Option<&Script> {
        while self.pass != Pass::Done {
            match self.candidate() {
                Candidate::Try(script) if script != self.smallest => {
                    self.asked = Some(script);
                    return self.asked.as_ref();
                }
                Candidate::Try(_) | Candidate::Nothing => self.at += 1,
                Candidate::EndOfPass => self.next_pass(),
            }
        }
        None
    }

    /// Whether the script that was asked about still shows it.
    pub fn answer(&mut self, shows_it: bool) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        if shows_it {
            // What stood behind what was left out is now at the same place.
            self.smallest = asked;
            self.progress = true;
        } else {
            self.at += 1;
        }
    }

    /// The smallest script that was found so far.
    pub const fn smallest(&self) -> &Script {
        &self.smallest
    }

    /// The smallest script that was found.
    pub fn into_smallest(self) -> Script {
        self.smallest
    }

    fn next_pass(&mut self) {
        self.at = 0;
        self.pass = match self.pass {
            Pass::Clients => Pass::Chunks((self.smallest.steps.len() / 2).max(1)),
            Pass::Chunks(1) => Pass::Merge,
            Pass::Chunks(size) => Pass::Chunks(size / 2),
            Pass::Merge => Pass::Pieces,
            Pass::Pieces => Pass::Fields,
            Pass::Fields => Pass::Bytes,
            // What is smaller in one place may make more superfluous in another.
            Pass::Bytes if std::mem::take(&mut self.progress) => Pass::Clients,
            Pass::Bytes | Pass::Done => Pass::Done,
        };
    }

    fn candidate(&self) -> Candidate {
        let at = self.at;
        let mut script = self.smallest.clone();
        let count = script.steps.len();
        match self.pass {
            Pass::Clients => {
                if at >= CLIENTS {
                    return Candidate::EndOfPass;
                }
                script.steps.retain(|step| step.client != at);
            }
            Pass::Chunks(size) => {
                let begin = at * size;
                if begin >= count {
                    return Candidate::EndOfPass;
                }
                script.steps.drain(begin..count.min(begin + size));
            }
            Pass::Merge => {
                // One client takes the part of another.
                if at >= CLIENTS * CLIENTS {
                    return Candidate::EndOfPass;
                }
                let (from, to) = (at / CLIENTS, at % CLIENTS);
                if to >= from || !script.steps.iter().any(|step| step.client == from) {
                    return Candidate::Nothing;
                }
                for step in &mut script.steps {
                    if step.client == from {
                        step.client = to;
                    }
                }
            }
            Pass::Pieces => {
                let Some(step) = script.steps.get_mut(at) else {
                    return Candidate::EndOfPass;
                };
                match &mut step.operation {
                    Operation::Send { pieces, .. } => *pieces = Pieces::Whole,
                    _ => return Candidate::Nothing,
                }
            }
            Pass::Fields => return self.without_field(script),
            Pass::Bytes => return self.without_byte(script),
            Pass::Done => return Candidate::EndOfPass,
        }
        Candidate::Try(script)
    }

    /// One field of one packet takes its default.
    fn without_field(&self, mut script: Script) -> Candidate {
        let mut at = self.at;
        let versions = versions(&script);
        for (step, version) in script.steps.iter_mut().zip(versions) {
            let Operation::Send { bytes, .. } = &mut step.operation else {
                continue;
            };
            let simpler = simpler_packets(bytes, version);
            if let Some(simpler) = simpler.get(at) {
                bytes.clone_from(simpler);
                return Candidate::Try(script);
            }
            at -= simpler.len();
        }
        Candidate::EndOfPass
    }

    /// One byte less in what is no sound packet, where nothing else is known to be left out.
    fn without_byte(&self, mut script: Script) -> Candidate {
        let mut at = self.at;
        let versions = versions(&script);
        for (step, version) in script.steps.iter_mut().zip(versions) {
            let Operation::Send { bytes, .. } = &mut step.operation else {
                continue;
            };
            if is_sound(bytes, version) {
                continue;
            }
            if at < bytes.len() {
                bytes.remove(at);
                return Candidate::Try(script);
            }
            at -= bytes.len();
        }
        Candidate::EndOfPass
    }
}

enum Candidate {
    Try(Script),
    /// There is nothing to leave out at this place, but there may be behind it.
    Nothing,
    EndOfPass,
}

/// The smallest script that is found by asking, in one go.
pub fn minimise(script: Script, mut shows_it: impl FnMut(&Script) -> bool) -> Script {
    let mut minimiser = Minimiser::new(script);
    while let Some(smaller) = minimiser.question() {
        let yes = shows_it(smaller);
        minimiser.answer(yes);
    }
    minimiser.into_smallest()
}

/// The version in which each step speaks: that of its client's last CONNECT.
pub(crate) fn versions(script: &Script) -> Vec<Version> {
    let mut spoken = [Version::V5_0; CLIENTS];
    let steps = script.steps.iter();
    steps
        .map(|step| {
            let spoken = &mut spoken[step.client % CLIENTS];
            if let Some(version) = step.operation.announces() {
                *spoken = version;
            }
            *spoken
        })
        .collect()
}

fn is_sound(bytes: &[u8], version: Version) -> bool {
    Frame::new(bytes)
        .is_some_and(|frame| codec::decode(frame, version, Direction::ToServer).is_ok())
}

/// The packet with one field less, in every way in which it gets shorter or plainer and stays sound.
fn simpler_packets(bytes: &[u8], version: Version) -> Vec<Vec<u8>> {
    let Some(frame) = Frame::new(bytes) else {
        return Vec::new();
    };
    let Ok(packet) = codec::decode(frame, version, Direction::ToServer) else {
        return Vec::new();
    };
    let draft = Draft::from_packet(&packet, version);
    let names: Vec<_> = draft.fields().iter().map(|(spec, _)| spec.name).collect();
    let mut simpler = Vec::new();
    for name in names {
        // Their defaults are no plainer than what stands there.
        if matches!(
            name,
            "protocol_name" | "protocol_version" | "topic" | "filters" | "id"
        ) {
            continue;
        }
        let mut without = draft.clone();
        without.remove(name);
        let Ok(written) = without.encode() else {
            continue;
        };
        if written.len() <= bytes.len() && written != bytes && is_sound(&written, version) {
            simpler.push(written);
        }
    }
    simpler
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Mix, Step};

    #[test]
    fn what_does_not_matter_is_left_out() {
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
        let mut script = Script::from_seed(3, &Mix::default());
        script.steps.insert(5, Step::send(2, *b"\xc0\x00"));
        script.steps.insert(2, Step::new(2, Operation::Open));
        script.steps.insert(3, Step::send(2, *connect));
        script.steps.truncate(20);
        let shows_it = |script: &Script| {
            let ping = script.steps.iter().any(|step| {
                matches!(&step.operation, Operation::Send { bytes, .. } if bytes == b"\xc0\x00")
            });
            let opens = script
                .steps
                .iter()
                .any(|step| step.operation == Operation::Open);
            ping && opens
        };
        assert!(shows_it(&script));
        let smallest = minimise(script, shows_it);
        assert_eq!(
            smallest.steps,
            [Step::new(0, Operation::Open), Step::send(0, *b"\xc0\x00")]
        );
    }

    #[test]
    fn fields_are_left_out_one_by_one() {
        // CONNECT of 5.0 with a Keep Alive, a Will and a Receive Maximum.
        let connect =
            b"\x10\x1d\x00\x04MQTT\x05\x06\x00\x05\x03\x21\x00\x02\x00\x01a\x00\x00\x01t\x00\x01p";
        let connect = &mut connect.to_vec();
        connect[1] = u8::try_from(connect.len() - 2).unwrap_or(0);
        let script = Script {
            steps: vec![Step::send(0, connect.clone())],
        };
        let has_will = |bytes: &[u8]| bytes.get(9).is_some_and(|flags| flags & 4 != 0);
        let smallest = minimise(script, |script| {
            script.steps.iter().any(|step| {
                matches!(&step.operation, Operation::Send { bytes, .. }
                    if is_sound(bytes, Version::V5_0) && has_will(bytes))
            })
        });
        let Operation::Send { bytes, .. } = &smallest.steps[0].operation else {
            panic!("{smallest:?}");
        };
        assert!(bytes.len() < connect.len(), "{bytes:02x?}");
        assert!(
            !bytes.windows(3).any(|at| at == [0x21, 0, 2]),
            "{bytes:02x?}"
        );
    }
}
