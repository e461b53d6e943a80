//! Performs one script against a live target, and takes down what happens.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use clauses::clause;
use codec::{Direction, Frame, Packet, PacketType, Version};
use runner::link::{LinkOptions, Transport};
use runner::target::Target;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::novelty::{Answer, Reply, Sent, State};
use super::outgoing::Due;
use super::source::Played;
use super::traces::Traces;
use super::wire::{Came, Wire};
use crate::duties::Duties;
use crate::observe::{End, Observer, Transcript};
use crate::oracle::{Finding, Oracle, Strictness};
use crate::script::{CLIENTS, Operation, Pieces, Script, Step};

/// The longest that a script lets pass at once: it is played thousands of times.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
/// How long a client that stalls leaves its link unread at least.
const STALL: Duration = Duration::from_millis(5);
/// How long a target may take to accept a connection.
const OPEN: Duration = Duration::from_secs(3);

/// The rule that who sent nothing wrong is served.
pub(super) const UNSERVED: &str = "unserved-client";

/// How long answers are waited for; learnt from the target. Clones learn together.
#[derive(Debug, Clone)]
pub(super) struct Pace(Rc<Cell<Duration>>);

/// Where scripts are performed.
#[derive(Clone)]
pub(super) struct Stage {
    pub(super) target: Target,
    pub(super) pace: Pace,
    /// Which transports the clients of a script take, one after the other; the target's first where there are none.
    pub(super) transports: Vec<Transport>,
    /// How long the target may leave a sound PINGREQ unanswered.
    pub(super) patience: Duration,
}

/// A script that was performed.
#[derive(Debug, Default)]
pub(super) struct Performance {
    pub(super) transcript: Transcript,
    pub(super) answers: Vec<Answer>,
    pub(super) findings: Vec<Finding>,
    /// The script with the bytes of its acknowledgements, and without what was not done.
    pub(super) done: Script,
    /// What was sent last.
    pub(super) last: Sent,
    /// What it left behind on the target.
    pub(super) traces: Traces,
    /// Packets, and bytes that were meant to be some.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Sessions that CONNACK began anew.
    pub(super) sessions: u64,
    /// Why a link could not be opened.
    pub(super) unreached: Option<String>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Duration::from_millis(2))))
    }

    /// Takes in how long an answer took.
    fn learn(&self, took: Duration) {
        self.0.set((self.0.get() * 15 + took) / 16);
    }

    /// How long an answer that is due is waited for.
    fn answer(&self) -> Duration {
        (self.0.get() * 30).clamp(Duration::from_millis(60), Duration::from_secs(1))
    }

    /// How long the end of a connection is waited for that may end or not.
    fn verdict(&self) -> Duration {
        (self.0.get() * 4).clamp(Duration::from_millis(1), Duration::from_millis(100))
    }
}

impl Stage {
    /// Takes back what a performance has left behind.
    pub(super) async fn tidy(&self, performance: &Performance, played: &Played) {
        if performance.unreached.is_none() && !performance.traces.is_empty() {
            let name = String::from_utf8_lossy(&played.name);
            performance
                .traces
                .take_back(&self.target, &format!("{name}-tidy"))
                .await;
        }
    }

    /// Plays the script from its first step to its last, then proves that every client that did nothing wrong is served.
    pub(super) async fn perform(&self, played: &Played) -> Performance {
        let mut act = Act::new(self, played);
        for step in played.on_the_wire().steps {
            act.step(step.client % CLIENTS, step.operation).await;
            act.look_around().await;
            if act.performance.unreached.is_some() {
                break;
            }
        }
        if act.performance.unreached.is_none() {
            act.finale().await;
        }
        let mut performance = act.performance;
        performance.findings.extend(act.oracle.take_findings());
        performance
    }
}

/// A performance that goes on.
struct Act<'s> {
    stage: &'s Stage,
    began: Instant,
    clients: [Client; CLIENTS],
    oracle: Oracle,
    performance: Performance,
}

#[derive(Default)]
struct Client {
    wire: Option<Wire>,
    duties: Duties,
    /// What it sent last, and where it stands.
    sent: Sent,
    state: State,
}

impl<'s> Act<'s> {
    fn new(stage: &'s Stage, played: &Played) -> Self {
        Self {
            stage,
            began: Instant::now(),
            clients: std::array::from_fn(|_| Client::default()),
            oracle: Oracle::new(Strictness::Safety).in_namespace(played.name),
            performance: Performance::default(),
        }
    }

    fn observe(&mut self, tell: impl FnOnce(&mut dyn Observer, Duration)) {
        let at = self.began.elapsed();
        tell(
            &mut (&mut self.performance.transcript, &mut self.oracle),
            at,
        );
    }

    async fn step(&mut self, client: usize, operation: Operation) {
        let Client { wire, duties, .. } = &mut self.clients[client];
        if let Some(wire) = wire {
            wire.stalled = false;
        }
        let operation = match (operation, wire) {
            (Operation::Acknowledge { which, how }, Some(wire)) => {
                let version = wire.outgoing.version().unwrap_or(Version::V5_0);
                let bytes = duties.answer(which, how, version);
                if bytes.is_empty() {
                    return;
                }
                Step::send(client, bytes).operation
            }
            (operation @ (Operation::Open | Operation::Wait(_)), _) | (operation, Some(_)) => {
                operation
            }
            // The rest needs a link.
            (_, None) => return,
        };
        let done = Step::new(client, operation.clone());
        self.performance.done.steps.push(done);
        match operation {
            Operation::Open => self.open(client).await,
            Operation::Send { bytes, pieces } => self.send(client, &bytes, pieces).await,
            Operation::Close => self.leave(client, End::Closed).await,
            Operation::HalfClose => self.half_close(client).await,
            Operation::Cut => self.leave(client, End::Cut).await,
            Operation::Stall => {
                if let Some(wire) = &mut self.clients[client].wire {
                    wire.stalled = true;
                    self.observe(|observer, at| observer.stalled(client, at));
                    sleep(STALL).await;
                }
            }
            Operation::Wait(time) => sleep(time.min(LONGEST_WAIT)).await,
            // A target that others may use is not the script's to restart, and acknowledgements are bytes by now.
            Operation::Restart | Operation::Acknowledge { .. } => {}
        }
    }

    async fn open(&mut self, client: usize) {
        self.leave(client, End::Closed).await;
        let transports = &self.stage.transports;
        let options = LinkOptions {
            transport: transports.get(client % transports.len().max(1)).copied(),
            ..LinkOptions::default()
        };
        match timeout(OPEN, self.stage.target.open(&options)).await {
            Ok(Ok(link)) => {
                self.clients[client] = Client {
                    wire: Some(Wire::new(link)),
                    ..Client::default()
                };
                self.observe(|observer, at| observer.opened(client, at));
            }
            Ok(Err(error)) => self.performance.unreached = Some(error.to_string()),
            Err(_) => {
                let why = format!("no connection within {} s", OPEN.as_secs());
                self.performance.unreached = Some(why);
            }
        }
    }

    async fn send(&mut self, client: usize, bytes: &[u8], pieces: Pieces) {
        let Client {
            wire: Some(wire),
            sent: last,
            state,
            ..
        } = &mut self.clients[client]
        else {
            return;
        };
        if wire.half_closed {
            return;
        }
        let before = wire.outgoing.packets();
        let traces = &mut self.performance.traces;
        let due = wire.outgoing.send(bytes, |sent, packet| {
            *last = sent;
            if let Ok(packet) = packet {
                traces.sent(client, packet);
                if matches!(packet, Packet::Disconnect(_)) {
                    *state = State::Leaving;
                }
            }
        });
        if let Some(begun) = wire.outgoing.begun() {
            *last = begun;
        }
        self.performance.last = *last;
        self.performance.sent += (wire.outgoing.packets() - before).max(1);
        self.observe(|observer, at| observer.sent(client, bytes, at));
        if let Some(wire) = &mut self.clients[client].wire {
            // Nobody is told the credentials, and whoever plays it again has their own.
            let dressed = super::credentials::dress(bytes, self.stage.target.credentials());
            wire.write(pieces.of(dressed.as_deref().unwrap_or(bytes)))
                .await;
        }
        self.settle(client, due).await;
    }

    async fn half_close(&mut self, client: usize) {
        match &mut self.clients[client].wire {
            Some(wire) if !wire.half_closed => wire.half_close().await,
            _ => return,
        }
        self.observe(|observer, at| observer.ended(client, End::HalfClosed, at));
        self.settle(client, Due::Verdict).await;
    }

    /// Ends a link, by FIN or RST; what has come until then is taken in.
    async fn leave(&mut self, client: usize, end: End) {
        self.poll(client).await;
        let Some(wire) = self.clients[client].wire.take() else {
            return;
        };
        self.observe(|observer, at| observer.ended(client, end, at));
        if end == End::Cut {
            wire.cut();
        } else {
            wire.close().await;
        }
    }

    /// Waits for what is due to this client.
    async fn settle(&mut self, client: usize, due: Due) {
        let began = Instant::now();
        let (until, wanted) = match due {
            Due::Nothing => return self.poll(client).await,
            Due::Verdict => (began + self.stage.pace.verdict(), None),
            Due::Reply(wanted) => (began + self.stage.pace.answer(), Some(wanted)),
        };
        while !self.take_in(client, wanted) {
            let Some(wire) = &mut self.clients[client].wire else {
                return;
            };
            if timeout_at(until, wire.wait()).await.is_err() {
                return self.answer(client, Reply::Silence);
            }
        }
        self.stage.pace.learn(began.elapsed());
    }

    /// Reads what has come to all clients, so that the target can go on.
    async fn look_around(&mut self) {
        for client in 0..CLIENTS {
            self.poll(client).await;
        }
    }

    async fn poll(&mut self, client: usize) {
        if let Some(wire) = &mut self.clients[client].wire {
            wire.poll().await;
            self.take_in(client, None);
        }
    }

    /// Takes in what has come to a client; whether a packet of the wanted type was among it, or the end.
    fn take_in(&mut self, client: usize, wanted: Option<PacketType>) -> bool {
        let mut met = false;
        while let Some(wire) = &mut self.clients[client].wire {
            let Some(came) = wire.take() else {
                return met;
            };
            match came {
                Came::Packet(bytes) => {
                    let packet_type = Frame::new(&bytes).and_then(Frame::packet_type);
                    met |= wanted.is_some() && packet_type == wanted;
                    self.clients[client].duties.received(&bytes);
                    self.receive(client, &bytes);
                    self.observe(|observer, at| observer.received(client, &bytes, at));
                }
                Came::Garbled(bytes) => {
                    let first = bytes.first().copied().unwrap_or_default();
                    self.answer(client, Reply::Refused(first >> 4));
                    self.observe(|observer, at| observer.received(client, &bytes, at));
                    // Where one packet has no end, no other begins.
                    if let Some(wire) = self.clients[client].wire.take() {
                        self.observe(|observer, at| observer.ended(client, End::Cut, at));
                        wire.cut();
                    }
                }
                Came::Ended(end) => {
                    self.answer(client, Reply::Ended(end));
                    self.observe(|observer, at| observer.ended(client, end, at));
                    self.clients[client].wire = None;
                }
            }
        }
        true
    }

    /// What a packet means for novelty and the tallies; whether it may come is the oracle's to say.
    fn receive(&mut self, client: usize, bytes: &[u8]) {
        self.performance.received += 1;
        let Some(frame) = Frame::new(bytes) else {
            return;
        };
        let Client { wire, state, .. } = &mut self.clients[client];
        let version = wire.as_ref().and_then(|wire| wire.outgoing.version());
        let version = version.unwrap_or(Version::V5_0);
        let Ok(packet) = codec::decode(frame, version, Direction::ToClient) else {
            return self.answer(client, Reply::Refused(frame.first_byte() >> 4));
        };
        if let Packet::Connack(connack) = &packet
            && connack.reason_code.0 == 0
        {
            self.performance.traces.let_in(client, connack);
            self.performance.sessions += u64::from(!connack.session_present);
            *state = if connack.session_present {
                State::Resumed
            } else {
                State::Connected
            };
        }
        self.answer(client, Reply::of(frame, &packet));
    }

    fn answer(&mut self, client: usize, reply: Reply) {
        let Client {
            wire, sent, state, ..
        } = &self.clients[client];
        let version = wire.as_ref().and_then(|wire| wire.outgoing.version());
        self.performance.answers.push(Answer {
            version,
            sent: *sent,
            reply,
            state: *state,
        });
    }

    /// Whoever is connected and sent nothing wrong must get a PINGRESP, or be told to leave. It is the barrier as well:
    /// what the target has sent before it has come by then. The links are cut then.
    async fn finale(&mut self) {
        for client in 0..CLIENTS {
            let Client {
                wire: Some(wire),
                state,
                ..
            } = &mut self.clients[client]
            else {
                continue;
            };
            wire.stalled = false;
            let connected = matches!(state, State::Connected | State::Resumed);
            if connected && wire.outgoing.is_sound() && !wire.half_closed {
                self.ping(client).await;
            }
        }
        self.look_around().await;
        for client in &mut self.clients {
            if let Some(wire) = client.wire.take() {
                wire.cut();
            }
        }
    }

    async fn ping(&mut self, client: usize) {
        const PINGREQ: &[u8] = &[0xC0, 0];
        self.performance.sent += 1;
        self.observe(|observer, at| observer.sent(client, PINGREQ, at));
        if let Some(wire) = &mut self.clients[client].wire {
            wire.outgoing.send(PINGREQ, |_, _| ());
            wire.write(std::iter::once(PINGREQ)).await;
        }
        let until = Instant::now() + self.stage.patience;
        while !self.take_in(client, Some(PacketType::Pingresp)) {
            let Some(wire) = &mut self.clients[client].wire else {
                return;
            };
            if timeout_at(until, wire.wait()).await.is_err() {
                let version = wire.outgoing.version();
                let finding = unserved(client, version, self.stage.patience);
                self.performance.findings.push(finding);
                return self.answer(client, Reply::Silence);
            }
        }
    }
}

/// A client that did nothing wrong gets no PINGRESP.
fn unserved(client: usize, version: Option<Version>, patience: Duration) -> Finding {
    let clause = match version {
        Some(Version::V5_0) => Some(clause!("v5.0/MQTT-3.12.4-1")),
        Some(Version::V3_1_1) => Some(clause!("v3.1.1/MQTT-3.12.4-1")),
        // MQTT 3.1 tells what PINGRESP is, and demands none.
        Some(Version::V3_1) | None => None,
    };
    Finding {
        rule: UNSERVED,
        clause,
        client: Some(client),
        message: format!(
            "who sent nothing wrong got neither PINGRESP nor the end of its connection within {} s",
            patience.as_secs_f32()
        ),
    }
}
