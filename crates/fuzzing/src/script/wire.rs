//! A script as bytes: any bytes are one, and every script has its bytes.
//!
//! A step is a byte that tells operation and client, and what the operation needs. A whole packet needs nothing more:
//! it stands there as it goes on the wire, so that a fuzzer that changes bytes changes packets, and a dictionary of
//! packets finds its places.

use std::time::Duration;

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};

use super::{CLIENTS, How, Operation, Pieces, STEPS, Script, Step, Which};

/// The largest piece of bytes that a step sends.
const LARGEST: usize = 0xFFFF;

const PACKET: u8 = 0;
const BYTES: u8 = 1;
const PACKET_IN_TWO: u8 = 2;
const PACKET_IN_BYTES: u8 = 3;
const OPEN: u8 = 4;
const ACKNOWLEDGE: u8 = 5;
const WAIT: u8 = 6;
const CLOSE: u8 = 7;
const CUT: u8 = 8;
const HALF_CLOSE: u8 = 9;
const STALL: u8 = 10;
const RESTART: u8 = 11;
const BYTES_IN_TWO: u8 = 12;
const BYTES_IN_BYTES: u8 = 13;
/// Answers each packet rightly: the most frequent acknowledgement.
const ACKNOWLEDGE_ALL: u8 = 14;

const WHICH: [Which; 3] = [Which::Oldest, Which::Newest, Which::All];
const HOW: [How; 5] = [
    How::Rightly,
    How::WithError,
    How::Twice,
    How::WrongId,
    How::WrongType,
];

impl<'a> Script<&'a [u8]> {
    /// Reads a script that is only played: what is sent stays where it stands. What is missing at the end is taken as
    /// absent, and what is beyond [`STEPS`] is left out.
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut rest = bytes;
        let mut steps = Vec::with_capacity(STEPS.min(bytes.len() / 8 + 1));
        while let Some((&head, after)) = rest.split_first()
            && steps.len() < STEPS
        {
            rest = after;
            steps.push(Step {
                client: usize::from(head >> 4) % CLIENTS,
                operation: operation(head & 0x0F, &mut rest),
            });
        }
        Self { steps }
    }
}

impl Script {
    /// Reads a script as [`read`](Script::read) does.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let steps = Script::read(bytes).steps.into_iter();
        Self {
            steps: steps.map(Step::into_owned).collect(),
        }
    }

    /// The bytes that [`from_bytes`](Self::from_bytes) reads as this script, as long as it keeps the bounds of its
    /// steps and of time (whole milliseconds, about 49 days at most).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for step in &self.steps {
            write(step, &mut out);
        }
        out
    }
}

impl Step<&[u8]> {
    fn into_owned(self) -> Step {
        let operation = match self.operation {
            Operation::Send { bytes, pieces } => Operation::Send {
                bytes: bytes.to_vec(),
                pieces,
            },
            Operation::Open => Operation::Open,
            Operation::Acknowledge { which, how } => Operation::Acknowledge { which, how },
            Operation::Close => Operation::Close,
            Operation::HalfClose => Operation::HalfClose,
            Operation::Cut => Operation::Cut,
            Operation::Stall => Operation::Stall,
            Operation::Wait(time) => Operation::Wait(time),
            Operation::Restart => Operation::Restart,
        };
        Step::new(self.client, operation)
    }
}

fn operation<'a>(code: u8, rest: &mut &'a [u8]) -> Operation<&'a [u8]> {
    let send = |bytes, pieces| Operation::Send { bytes, pieces };
    match code {
        OPEN => Operation::Open,
        BYTES => send(counted(rest), Pieces::Whole),
        BYTES_IN_TWO => {
            let at = byte(rest);
            send(counted(rest), Pieces::Two(at))
        }
        BYTES_IN_BYTES => send(counted(rest), Pieces::Bytes),
        PACKET_IN_TWO => {
            let at = byte(rest);
            send(packet(rest), Pieces::Two(at))
        }
        PACKET_IN_BYTES => send(packet(rest), Pieces::Bytes),
        ACKNOWLEDGE => {
            let choice = usize::from(byte(rest));
            Operation::Acknowledge {
                which: WHICH[choice % WHICH.len()],
                how: HOW[choice / WHICH.len() % HOW.len()],
            }
        }
        ACKNOWLEDGE_ALL => Operation::Acknowledge {
            which: Which::All,
            how: How::Rightly,
        },
        WAIT => {
            let milliseconds = [byte(rest), byte(rest), byte(rest), byte(rest)];
            Operation::Wait(Duration::from_millis(
                u32::from_be_bytes(milliseconds).into(),
            ))
        }
        CLOSE => Operation::Close,
        CUT => Operation::Cut,
        HALF_CLOSE => Operation::HalfClose,
        STALL => Operation::Stall,
        RESTART => Operation::Restart,
        _ => send(packet(rest), Pieces::Whole),
    }
}

fn byte(rest: &mut &[u8]) -> u8 {
    let Some((&first, after)) = rest.split_first() else {
        return 0;
    };
    *rest = after;
    first
}

/// As many bytes as the two bytes in front of them say.
fn counted<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let count = usize::from(u16::from_be_bytes([byte(rest), byte(rest)]));
    let (taken, after) = rest.split_at(count.min(rest.len()));
    *rest = after;
    taken
}

/// One whole packet, or everything where none is whole.
fn packet<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let size = split(rest).unwrap_or(LARGEST.min(rest.len()));
    let (taken, after) = rest.split_at(size);
    *rest = after;
    taken
}

/// The size of the packet that `bytes` begin with, if it is whole and fits into a step.
fn split(bytes: &[u8]) -> Option<usize> {
    let direction = Direction::ToServer;
    match codec::split(bytes, Version::V5_0, direction, MAXIMUM_PACKET_SIZE) {
        Ok(Split::Complete { frame, .. }) => {
            Some(frame.as_bytes().len()).filter(|&size| size <= LARGEST)
        }
        _ => None,
    }
}

fn write(step: &Step, out: &mut Vec<u8>) {
    let client = u8::try_from(step.client % CLIENTS).unwrap_or(0) << 4;
    let mut head = |code: u8| out.push(client | code);
    match &step.operation {
        Operation::Open => head(OPEN),
        Operation::Send { bytes, pieces } => {
            let bytes = &bytes[..bytes.len().min(LARGEST)];
            let whole = split(bytes) == Some(bytes.len());
            let (as_packet, as_bytes) = match pieces {
                Pieces::Whole => (PACKET, BYTES),
                Pieces::Two(_) => (PACKET_IN_TWO, BYTES_IN_TWO),
                Pieces::Bytes => (PACKET_IN_BYTES, BYTES_IN_BYTES),
            };
            head(if whole { as_packet } else { as_bytes });
            if let Pieces::Two(at) = pieces {
                out.push(*at);
            }
            if !whole {
                let count = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
                out.extend_from_slice(&count.to_be_bytes());
            }
            out.extend_from_slice(bytes);
        }
        Operation::Acknowledge {
            which: Which::All,
            how: How::Rightly,
        } => head(ACKNOWLEDGE_ALL),
        Operation::Acknowledge { which, how } => {
            head(ACKNOWLEDGE);
            let which_at = WHICH.iter().position(|one| one == which).unwrap_or(0);
            let how_at = HOW.iter().position(|one| one == how).unwrap_or(0);
            out.push(u8::try_from(which_at + how_at * WHICH.len()).unwrap_or(0));
        }
        Operation::Close => head(CLOSE),
        Operation::HalfClose => head(HALF_CLOSE),
        Operation::Cut => head(CUT),
        Operation::Stall => head(STALL),
        Operation::Wait(time) => {
            head(WAIT);
            let milliseconds = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
            out.extend_from_slice(&milliseconds.to_be_bytes());
        }
        Operation::Restart => head(RESTART),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Mix;
    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_script_and_its_bytes_are_the_same_script(bytes: Vec<u8>) {
            let script = Script::from_bytes(&bytes);
            prop_assert_eq!(Script::from_bytes(&script.to_bytes()), script);
        }

        #[test]
        fn what_is_generated_has_its_bytes(seed: u64) {
            let script = Script::from_seed(seed, &Mix::default());
            prop_assert!(!script.steps.is_empty());
            prop_assert_eq!(Script::from_bytes(&script.to_bytes()), script);
        }
    }
}
