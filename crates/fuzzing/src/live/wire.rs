//! [`Wire`]: one client's link to a live target, with packets on it.

use std::io;
use std::time::Duration;

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};
use runner::link::Link;
use tokio::time::timeout;

use super::outgoing::Outgoing;
use crate::observe::End;

/// How long a target may take to take bytes in before they are given up.
const WRITE: Duration = Duration::from_secs(2);
/// How much is read before the target is told to speak slower: nothing that a script asks for is as long.
const MOST: usize = 32 << 20;

/// One client's link.
#[derive(Debug)]
pub(super) struct Wire {
    link: Link,
    incoming: Vec<u8>,
    /// How much of `incoming` was taken.
    taken: usize,
    /// What went out.
    pub(super) outgoing: Outgoing,
    /// Whether the client does not read.
    pub(super) stalled: bool,
    /// Whether the client has ended its own direction.
    pub(super) half_closed: bool,
    ended: Option<End>,
}

/// What comes on a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// One whole packet.
    Packet(Vec<u8>),
    /// Bytes that can never become one, or did not before the end.
    Garbled(Vec<u8>),
    /// The end, by the target. Nothing follows.
    Ended(End),
}

impl Wire {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            incoming: Vec::new(),
            taken: 0,
            outgoing: Outgoing::new(),
            stalled: false,
            half_closed: false,
            ended: None,
        }
    }

    /// Writes piece by piece. What the target does not want any more shows when the link is read.
    pub(super) async fn write<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) {
        for piece in pieces {
            if self.ended.is_some() || self.half_closed {
                return;
            }
            match timeout(WRITE, self.link.write(piece)).await {
                Ok(Ok(())) => {}
                // It may have said something before it ended the link.
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// The next thing that has come, if it is here.
    pub(super) fn take(&mut self) -> Option<Came> {
        let rest = self.incoming.get(self.taken..).unwrap_or_default();
        let version = self.outgoing.version().unwrap_or(Version::V5_0);
        match codec::split(rest, version, Direction::ToClient, MAXIMUM_PACKET_SIZE) {
            Ok(Split::Complete { frame, .. }) => {
                let packet = frame.as_bytes().to_vec();
                self.taken += packet.len();
                Some(Came::Packet(packet))
            }
            Err(_) => Some(self.garbled()),
            Ok(Split::Incomplete { .. }) => match self.ended {
                Some(_) if !rest.is_empty() => Some(self.garbled()),
                Some(end) => Some(Came::Ended(end)),
                None => {
                    self.incoming.drain(..self.taken);
                    self.taken = 0;
                    None
                }
            },
        }
    }

    fn garbled(&mut self) -> Came {
        Came::Garbled(self.incoming.split_off(self.taken))
    }

    /// Reads what is there, without waiting.
    pub(super) async fn poll(&mut self) {
        while !self.stalled && self.ended.is_none() && self.incoming.len() < MOST {
            tokio::select! {
                biased;
                read = self.link.read(&mut self.incoming) => self.account(&read),
                () = std::future::ready(()) => return,
            }
        }
    }

    /// Waits until more has come, or the end.
    pub(super) async fn wait(&mut self) {
        if self.stalled || self.ended.is_some() || self.incoming.len() >= MOST {
            return std::future::pending().await;
        }
        let read = self.link.read(&mut self.incoming).await;
        self.account(&read);
    }

    fn account(&mut self, read: &io::Result<usize>) {
        match read {
            Ok(0) => self.ended = Some(End::ByTarget),
            Ok(_) => {}
            Err(_) => self.ended = Some(End::Reset),
        }
    }

    /// Ends the client's own direction.
    pub(super) async fn half_close(&mut self) {
        self.half_closed = true;
        let _ = timeout(WRITE, self.link.half_close()).await;
    }

    /// Ends it (FIN).
    pub(super) async fn close(mut self) {
        let _ = timeout(WRITE, self.link.close()).await;
    }

    /// Breaks it (RST).
    pub(super) fn cut(mut self) {
        let _ = self.link.reset();
    }
}
