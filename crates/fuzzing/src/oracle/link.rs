//! One Network Connection as its client sees it.

use std::fmt;
use std::time::Duration;

use clauses::ClauseId;
use codec::{PacketType, Version};
use smallvec::SmallVec;

use super::Tick;
use super::text::Span;
use super::violated::{Unreadable, Violated};

/// A Network Connection.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Link {
    /// A number that no other link has.
    pub(super) serial: u32,
    /// Whether the client has it still.
    pub(super) open: bool,
    pub(super) half_closed: bool,
    pub(super) stage: Stage,
    pub(super) version: Version,
    pub(super) opened: Duration,
    /// The Session, from CONNECT on.
    pub(super) session: Option<usize>,
    pub(super) asked: Asked,
    pub(super) told: Told,
    /// What was sent and is no whole packet yet.
    pub(super) unsent: Vec<u8>,
    /// What has come and is no whole packet yet.
    pub(super) unread: Vec<u8>,
    /// What is sent is no longer taken apart: nobody knows how the target reads it.
    pub(super) blind: bool,
    /// The client has sent what the target may take in different ways: nothing that follows is sure.
    pub(super) wild: bool,
    /// The client has done what lets the target close.
    pub(super) may_close: bool,
    /// The client has done what the target must close for: the clause, and what it was.
    pub(super) must_close: Option<(Option<ClauseId>, &'static str)>,
    /// The first packet that leaves the target no choice but to close.
    pub(super) violated: Option<Violated>,
    /// What was sent and cannot be taken apart.
    pub(super) unreadable: Unreadable,
    /// Another connection asks for the Client Identifier.
    pub(super) taken_over: bool,
    /// Another connection has it now.
    pub(super) must_go: bool,
    /// When CONNACK came.
    pub(super) connected: Tick,
    /// The client has sent DISCONNECT.
    pub(super) left: bool,
    /// The target has sent DISCONNECT.
    pub(super) dismissed: bool,
    pub(super) stalled: bool,
    /// When the client last sent anything, and a whole packet.
    pub(super) last_sent: Duration,
    pub(super) last_packet: Duration,
    /// How many steps of its authentication the client has taken that no AUTH has answered.
    pub(super) proofs: u32,
    /// Requests without an answer yet.
    pub(super) requests: SmallVec<[Request; 2]>,
    /// Topic Aliases, both ways.
    pub(super) aliases_out: Vec<(u16, Span)>,
    pub(super) aliases_in: Vec<(u16, Span)>,
    pub(super) will: Option<Will>,
    /// DISCONNECT has taken the Will back.
    pub(super) will_recalled: bool,
    /// A DISCONNECT that the standard forbids may have done so.
    pub(super) will_doubtful: bool,
    /// The client has acknowledged what it was not asked to: how many messages may be under way is not known.
    pub(super) quota_doubtful: bool,
    /// The Packet Identifiers that it has acknowledged when nothing had come with them: what comes later may have been
    /// on its way.
    pub(super) early: Vec<u16>,
    /// The Will as a publication that may come before the link is seen to end.
    pub(super) early_will: Option<usize>,
}

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was sent.
    Opened,
    /// CONNECT was sent.
    Asking,
    /// CONNACK said yes.
    Connected,
    /// CONNACK said no.
    Refused,
}

/// What the client asked for in CONNECT.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Asked {
    pub(super) clean: bool,
    pub(super) no_client_id: bool,
    pub(super) keep_alive: u16,
    pub(super) expiry: u32,
    pub(super) receive_maximum: u16,
    pub(super) maximum_packet_size: Option<u32>,
    pub(super) alias_maximum: u16,
    pub(super) problem_information: bool,
    pub(super) response_information: bool,
    pub(super) authentication: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            clean: true,
            no_client_id: false,
            keep_alive: 0,
            expiry: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            alias_maximum: 0,
            problem_information: true,
            response_information: false,
            authentication: false,
        }
    }
}

/// What the target told in CONNACK.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) receive_maximum: u16,
    pub(super) maximum_packet_size: Option<u32>,
    pub(super) alias_maximum: u16,
    pub(super) maximum_qos: u8,
    pub(super) retain: bool,
    pub(super) keep_alive: Option<u16>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            alias_maximum: 0,
            maximum_qos: 2,
            retain: true,
            keep_alive: None,
        }
    }
}

/// The Will that CONNECT left with the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Will {
    pub(super) topic: Span,
    pub(super) payload: Span,
    pub(super) qos: u8,
    pub(super) retain: bool,
    pub(super) properties: u64,
    pub(super) expiry: Option<u32>,
    pub(super) delay: u32,
}

/// What the client has sent that is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) packet_id: u16,
    /// How many codes the answer has.
    pub(super) codes: usize,
    pub(super) sent: Tick,
    /// Whether the target must answer, or only may.
    pub(super) due: bool,
    /// The publication that it carried, if any.
    pub(super) about: usize,
}

/// What answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pingresp,
    Suback,
    Unsuback,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.packet_type().fmt(f)
    }
}

impl Kind {
    pub(super) const fn packet_type(self) -> PacketType {
        match self {
            Self::Pingresp => PacketType::Pingresp,
            Self::Suback => PacketType::Suback,
            Self::Unsuback => PacketType::Unsuback,
            Self::Puback => PacketType::Puback,
            Self::Pubrec => PacketType::Pubrec,
            Self::Pubrel => PacketType::Pubrel,
            Self::Pubcomp => PacketType::Pubcomp,
        }
    }
}

impl Link {
    pub(super) fn new(serial: u32, at: Duration) -> Self {
        Self {
            serial,
            open: true,
            half_closed: false,
            stage: Stage::Opened,
            version: Version::V5_0,
            opened: at,
            session: None,
            asked: Asked::default(),
            told: Told::default(),
            unsent: Vec::new(),
            unread: Vec::new(),
            blind: false,
            wild: false,
            may_close: false,
            must_close: None,
            violated: None,
            unreadable: Unreadable::default(),
            taken_over: false,
            must_go: false,
            connected: Tick::MAX,
            left: false,
            dismissed: false,
            stalled: false,
            last_sent: at,
            last_packet: at,
            proofs: 0,
            requests: SmallVec::new(),
            aliases_out: Vec::new(),
            aliases_in: Vec::new(),
            will: None,
            will_recalled: false,
            will_doubtful: false,
            quota_doubtful: false,
            early: Vec::new(),
            early_will: None,
        }
    }

    /// The client has sent what the target must close for.
    pub(super) fn wrong(&mut self, clause: Option<ClauseId>, what: &'static str) {
        if self.must_close.is_none() && !self.may_close {
            self.must_close = Some((clause, what));
        }
        self.goes_wild();
    }

    /// The client has sent what nobody can take in one way only.
    pub(super) fn goes_wild(&mut self) {
        self.wild = true;
        self.may_close = true;
    }

    /// How many requests of the kind have no answer yet.
    pub(super) fn unanswered(&self, kind: Kind) -> usize {
        self.requests.iter().filter(|r| r.kind == kind).count()
    }

    /// What is asked is due only while all before it was plain.
    pub(super) fn ask(&mut self, kind: Kind, packet_id: u16, codes: usize, sent: Tick) {
        let due = !self.wild && !self.left;
        self.requests.push(Request {
            kind,
            packet_id,
            codes,
            sent,
            due,
            about: usize::MAX,
        });
    }

    /// Takes the oldest request that this answers.
    pub(super) fn answered(&mut self, kind: Kind, packet_id: u16) -> Option<Request> {
        let at = self
            .requests
            .iter()
            .position(|request| request.kind == kind && request.packet_id == packet_id)?;
        Some(self.requests.remove(at))
    }

    /// The Keep Alive in force, none where it is off.
    pub(super) fn keep_alive(&self) -> Option<Duration> {
        let seconds = self.told.keep_alive.unwrap_or(self.asked.keep_alive);
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }
}
