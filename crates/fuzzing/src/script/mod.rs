//! [`Script`]: what up to four clients do to one broker, step by step; the input of every stateful fuzzer here.
//!
//! A script holds what goes on the wire, byte for byte, and no more: a packet is sound, unusual or malformed by what
//! its bytes are. Only an [acknowledgement](Operation::Acknowledge) depends on what the target has sent. Scripts come
//! from the [generator](Script::generate), from other scripts by [mutation](Script::mutate), and from
//! [bytes](Script::from_bytes), of which any make one.
//!
//! Several scripts can be played against one broker at a time: their Topic Names, Topic Filters, Share Names and
//! Client Identifiers hold [`TOKEN`], in whose place each gets [a name of its own](Script::in_namespace).

mod generate;
mod mutate;
mod packets;
#[cfg(feature = "live")]
mod retold;
mod wire;

use std::time::Duration;

use codec::{PacketType, Version};

pub use generate::Mix;
#[cfg(feature = "live")]
pub use retold::from_scenarios;

/// How many clients a script has at most.
pub const CLIENTS: usize = 4;

/// How many steps a script has at most.
pub const STEPS: usize = 64;

/// What stands for the script's own namespace in its packets: the first level of its topics, and the beginning of its
/// Client Identifiers and Share Names.
pub const TOKEN: &[u8; 6] = b"assay0";

/// What up to [`CLIENTS`] clients do, in this order. `B` holds the bytes that they send.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Script<B = Vec<u8>> {
    /// The steps, at most [`STEPS`] of them.
    pub steps: Vec<Step<B>>,
}

/// One thing that one client does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step<B = Vec<u8>> {
    /// Which client, below [`CLIENTS`]. It does not matter to [`Operation::Wait`] and [`Operation::Restart`].
    pub client: usize,
    /// What it does.
    pub operation: Operation<B>,
}

/// What a client does. Whatever needs a link does nothing without one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation<B = Vec<u8>> {
    /// Opens a link; one that it has is closed before.
    Open,
    /// Writes bytes: a packet, several, a part of one, or none at all.
    Send {
        /// The bytes.
        bytes: B,
        /// In which pieces they are written.
        pieces: Pieces,
    },
    /// Answers what the target has sent, as the protocol asks for or otherwise; nothing where nothing is owed.
    Acknowledge {
        /// Which of the answers that the client owes.
        which: Which,
        /// How well.
        how: How,
    },
    /// Ends the link in good order (FIN).
    Close,
    /// Ends its own direction of the link only, and goes on reading.
    HalfClose,
    /// Breaks the link (RST): what was not yet read is lost.
    Cut,
    /// Stops reading until its next step.
    Stall,
    /// Lets time pass for everybody.
    Wait(Duration),
    /// The target ends in good order and starts again.
    Restart,
}

/// In which pieces bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pieces {
    /// In one.
    #[default]
    Whole,
    /// In two: the first has this many bytes, modulo the length.
    Two(u8),
    /// Byte by byte.
    Bytes,
}

/// Which of the answers that a client owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// The one that it owes the longest.
    Oldest,
    /// The one that it owes since a short time.
    Newest,
    /// Each of them, the oldest first.
    All,
}

/// How a client answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// Rightly, with success.
    Rightly,
    /// With a Reason Code of an error, where the version has one.
    WithError,
    /// Rightly, and once more.
    Twice,
    /// With a Packet Identifier that nobody asked about.
    WrongId,
    /// With an acknowledgement that belongs to another QoS.
    WrongType,
}

impl<B> Script<B> {
    /// How many clients take part.
    pub fn clients(&self) -> usize {
        (0..CLIENTS)
            .filter(|&client| self.steps.iter().any(|step| step.client == client))
            .count()
    }
}

impl Script {
    /// The same script with `name` in the place of [`TOKEN`], wherever it stands in its packets.
    #[must_use]
    pub fn in_namespace(&self, name: &[u8; TOKEN.len()]) -> Self {
        let mut script = self.clone();
        for step in &mut script.steps {
            if let Operation::Send { bytes, .. } = &mut step.operation {
                replace(bytes, *TOKEN, *name);
            }
        }
        script
    }
}

impl Step {
    /// Writes bytes in one piece.
    pub fn send(client: usize, bytes: impl Into<Vec<u8>>) -> Self {
        let operation = Operation::Send {
            bytes: bytes.into(),
            pieces: Pieces::Whole,
        };
        Self { client, operation }
    }

    /// Any other operation.
    pub const fn new(client: usize, operation: Operation) -> Self {
        Self { client, operation }
    }
}

impl<B: AsRef<[u8]>> Operation<B> {
    /// The type of the packet that it sends; `None` where it sends nothing, or what is not one whole packet.
    pub fn packet_type(&self) -> Option<PacketType> {
        match self {
            Self::Send { bytes, .. } => codec::Frame::new(bytes.as_ref())?.packet_type(),
            _ => None,
        }
    }

    /// The version that the CONNECT announces that it sends.
    pub fn announces(&self) -> Option<Version> {
        match self {
            Self::Send { bytes, .. } => {
                codec::announced_version(codec::Frame::new(bytes.as_ref())?)
            }
            _ => None,
        }
    }
}

impl Pieces {
    /// The pieces of `bytes`, none of them empty.
    pub fn of(self, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        let first = match self {
            Self::Whole => bytes.len(),
            Self::Two(at) => usize::from(at) % bytes.len().max(1),
            Self::Bytes => 0,
        };
        let (first, rest) = bytes.split_at(first);
        let size = if self == Self::Bytes {
            1
        } else {
            bytes.len().max(1)
        };
        std::iter::once(first)
            .filter(|piece| !piece.is_empty())
            .chain(rest.chunks(size))
    }
}

/// Replaces each occurrence of `old` by `new`, which is as long.
pub(crate) fn replace(bytes: &mut [u8], old: [u8; TOKEN.len()], new: [u8; TOKEN.len()]) {
    let mut at = 0;
    while let Some(place) = bytes.get_mut(at..at + old.len()) {
        if *place == old {
            place.copy_from_slice(&new);
            at += old.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_whole() {
        for pieces in [Pieces::Whole, Pieces::Two(3), Pieces::Two(0), Pieces::Bytes] {
            for bytes in [&b""[..], b"a", b"abcdefg"] {
                assert_eq!(pieces.of(bytes).collect::<Vec<_>>().concat(), bytes);
                assert!(pieces.of(bytes).all(|piece| !piece.is_empty()));
            }
        }
        assert_eq!(Pieces::Two(9).of(b"abcdefg").count(), 2);
        assert_eq!(Pieces::Bytes.of(b"abc").count(), 3);
    }

    #[test]
    fn a_namespace_takes_the_place_of_the_token() {
        let step = Step::send(0, *b"..assay0/assay0assay");
        let script = Script { steps: vec![step] };
        let named = script.in_namespace(b"000001");
        assert_eq!(named.steps, [Step::send(0, *b"..000001/000001assay")]);
    }
}
