//! [`Oracle`]: judges a target by what its clients see.
//!
//! It is an [`Observer`]: it knows what each client has sent and what came back, and nothing of the target's inside,
//! so that it judges the core in process and a live broker alike. What it is not sure of, it lets pass: a target may
//! be late, may forget what it need not keep, may close for reasons of its own.
//!
//! Everything that happens has a tick. A message may be delivered because of a subscription when the time in which
//! the target could have dealt with the message and the time in which the subscription could have been in force
//! touch; it must be delivered when the one lies within the time in which the other surely was.

mod acknowledging;
mod choice;
mod connecting;
mod delivered;
mod doubtful;
mod due;
mod ended;
mod explain;
mod finding;
mod link;
mod publication;
mod publishing;
mod received;
mod rule;
mod sent;
mod session;
mod subscribing;
mod text;
mod violated;

use std::time::Duration;

use clauses::ClauseId;
use codec::Version;

pub use finding::Finding;

use crate::observe::{End, Observer};
use crate::script::{CLIENTS, TOKEN};
use link::Link;
use publication::Publication;
use rule::Rule;
use session::Session;
use text::{Span, Texts};
use violated::Unreadable;

/// The place of an event in the order of all.
type Tick = u32;

/// How much the oracle asks of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Strictness {
    /// What holds for every target at any time, whatever it chose: it says nothing wrong.
    #[default]
    Safety,
    /// Besides, what holds for a target that does all it can at once and refuses nothing sound, as long as each step
    /// is [settled](Observer::settled) before the next: everything that it owes has come.
    Exact,
}

/// What did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The end of the link.
    Close,
    /// A packet of this type, with this Packet Identifier where it has one.
    Answer(codec::PacketType, u16),
    /// A message.
    Message {
        topic: Vec<u8>,
        payload: Vec<u8>,
        qos: u8,
        /// Whether it comes because it was retained.
        retained: bool,
        /// Whether it was published with RETAIN.
        retain: bool,
    },
}

/// Judges a target.
#[derive(Debug)]
pub struct Oracle {
    strictness: Strictness,
    /// What the topics hold that nobody else uses; without one, nobody else uses the target.
    namespace: Option<[u8; TOKEN.len()]>,
    tick: Tick,
    now: Duration,
    serials: u32,
    /// The target is about to start again, or has just done so.
    restarting: bool,
    links: [Option<Link>; CLIENTS],
    sessions: Vec<Session>,
    publications: Vec<Publication>,
    /// How many publications, from the first, need no more thought at [`Observer::settled`].
    judged: usize,
    texts: Texts,
    /// What cannot be taken apart of what was sent on links that are no more.
    unreadable: Vec<Unreadable>,
    findings: Vec<Finding>,
    /// What did not come, by the finding that says so.
    missing: Vec<(Finding, Missing)>,
}

impl Oracle {
    /// For a target that nobody else uses.
    pub fn new(strictness: Strictness) -> Self {
        Self {
            strictness,
            namespace: None,
            tick: 1,
            now: Duration::ZERO,
            serials: 0,
            restarting: false,
            links: Default::default(),
            sessions: Vec::new(),
            publications: Vec::new(),
            judged: 0,
            texts: Texts::default(),
            unreadable: Vec::new(),
            findings: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// For a target that others use at the same time: messages of topics without `name` are theirs.
    #[must_use]
    pub fn in_namespace(mut self, name: [u8; TOKEN.len()]) -> Self {
        self.namespace = Some(name);
        self
    }

    /// What was found so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes what was found since the last time.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Takes what did not come since the last time, and to whom.
    pub(crate) fn take_missing(&mut self) -> Vec<(Finding, Missing)> {
        std::mem::take(&mut self.missing)
    }

    /// The answers that a client waits for in vain, when its target is no more.
    pub(crate) fn unanswered(&self) -> Vec<(usize, Missing)> {
        let links = self.links.iter().enumerate();
        let waits = links.filter_map(|(client, link)| Some((client, link.as_ref()?)));
        waits
            .flat_map(|(client, link)| {
                let due = link.requests.iter().filter(|request| request.due);
                due.map(move |request| {
                    let packet_type = request.kind.packet_type();
                    (client, Missing::Answer(packet_type, request.packet_id))
                })
            })
            .collect()
    }

    /// Says what the last finding misses.
    fn misses(&mut self, missing: Missing) {
        if let Some(finding) = self.findings.last() {
            self.missing.push((finding.clone(), missing));
        }
    }

    fn is_exact(&self) -> bool {
        self.strictness == Strictness::Exact
    }

    /// Goes on to the next event.
    fn tick(&mut self, at: Duration) -> Tick {
        self.now = self.now.max(at);
        self.tick += 1;
        self.tick
    }

    fn find(&mut self, client: usize, rule: Rule, message: String) {
        let version = self
            .links
            .get(client)
            .and_then(Option::as_ref)
            .map_or(Version::V5_0, |link| link.version);
        self.note(client, rule.name, rule.clause(version), message);
    }

    #[cold]
    fn note(
        &mut self,
        client: usize,
        rule: &'static str,
        clause: Option<ClauseId>,
        message: String,
    ) {
        let finding = Finding {
            rule,
            clause,
            client: Some(client),
            message,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether messages of this topic are none of the oracle's business.
    fn is_foreign(&self, topic: &[u8]) -> bool {
        self.namespace
            .is_some_and(|name| !topic.windows(name.len()).any(|part| part == name))
    }

    /// The latest Session of a Client Identifier; it may be one that nobody was told the identifier of.
    fn latest_session(&self, client_id: &[u8]) -> Option<usize> {
        let is_its = |session: &Session| {
            let known = self.texts.get(session.client_id);
            let untold = known.is_empty() && session.unsure && session.link.is_none();
            known == client_id || untold && is_guessable(client_id)
        };
        let sessions = self.sessions.iter().enumerate();
        sessions
            .filter(|(_, session)| session.begun > 0 && is_its(session))
            .max_by_key(|(_, session)| session.begun)
            .map(|(at, _)| at)
    }
}

/// Whether the reference broker may have assigned this Client Identifier.
fn is_guessable(client_id: &[u8]) -> bool {
    client_id.starts_with(b"assigned")
}

/// A text for people: as it is where it can be read.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl Observer for Oracle {
    fn opened(&mut self, client: usize, at: Duration) {
        self.tick(at);
        self.restarting = false;
        self.serials += 1;
        let serial = self.serials;
        if let Some(place) = self.links.get_mut(client)
            && let Some(earlier) = place.replace(Link::new(serial, at))
        {
            self.unreadable.push(earlier.unreadable);
        }
    }

    fn sent(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.client_sends(client, bytes, at);
    }

    fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.client_receives(client, bytes, at);
    }

    fn stalled(&mut self, client: usize, _: Duration) {
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.stalled = true;
        }
    }

    fn ended(&mut self, client: usize, end: End, at: Duration) {
        self.link_ends(client, end, at);
    }

    fn settled(&mut self, at: Duration) {
        self.tick(at);
        self.settle();
    }

    fn restarted(&mut self, at: Duration) {
        self.tick(at);
        self.restarting = true;
    }
}

/// The place of a text that was kept, for what has none.
const NOWHERE: Span = Span::EMPTY;
