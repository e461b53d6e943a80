//! [`Connection`]: one link, kept read at all times, with what both sides said on it.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::error::Error;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clauses::clause;
use codec::draft::{Draft, Value};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, PacketType, Split, Version, Violation};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::inbox::{Arrival, Inbox};
use super::journal::Journal;
use super::late::{Proof, Publications};
use super::protocol::Protocol;
use super::rules;
use super::stage::{ANSWER, Stage};
use super::traffic::Traffic;
use super::unseen::Sight;
use super::value::identifier;
use crate::Namespace;
use crate::event::Happening;
use crate::link::{FrameKind, Link, Turn, Upgraded, WrongFrame};
use crate::overtaking::Order as TargetOrder;

/// The first level of the topics that only the barrier uses.
pub(super) const BARRIER: &[u8] = b"assay-barrier/";

/// More unread packets than any scenario asks for.
const FLOOD: usize = 10_000;

/// One connection of a client, over or not.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: String,
    pub(super) version: Version,
    /// Tells the connections of a client apart.
    pub(super) serial: u64,
    /// What the target said when it opened a WebSocket; none on a plain stream.
    pub(super) upgraded: Option<Upgraded>,
    state: RefCell<State>,
    /// How many bytes the link has got rid of.
    taken: Arc<AtomicU64>,
    /// How many bytes travel for each one that is written, at most.
    overhead: usize,
    orders: mpsc::UnboundedSender<Order>,
    journal: Rc<Journal>,
    traffic: Rc<Traffic>,
    publications: Rc<Publications>,
    order: Rc<TargetOrder>,
    namespace: Namespace,
}

/// What is known of a connection.
#[derive(Debug)]
pub(super) struct State {
    pub(super) protocol: Protocol,
    pub(super) inbox: Inbox,
    pub(super) end: Option<End>,
    /// Whether a step has judged the end.
    pub(super) end_judged: bool,
    /// Whether the client has ended its own side, so that the target may end the other.
    pub(super) leaving: bool,
    /// Whether the barrier's own topic is subscribed to.
    pub(super) watches_barrier: Option<bool>,
    /// Packet Identifiers of requests that the scenario does not see, and the answers to them.
    pub(super) unseen: BTreeSet<u16>,
    pub(super) unseen_answers: Vec<Draft>,
    /// The payloads of sentinels that arrived.
    pub(super) sentinels: Vec<Vec<u8>>,
    /// The last barrier that has passed.
    pub(super) proof: Option<Proof>,
    /// Whether some barrier had to do without a sentinel, so that messages may still be under way.
    pub(super) unproven: bool,
    /// How many commands were given and how many are done.
    asked: u64,
    done: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) by: Ender,
    pub(super) at: Instant,
}

/// Who ended a connection, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ender {
    /// The scenario.
    Scenario,
    /// The target, with a FIN.
    Closed,
    /// The target, with an RST.
    Reset,
    /// The target sent what cannot be read as packets any more.
    Garbled,
    /// The target sent more than anybody would read.
    Flooded,
}

/// What a link is told to do.
#[derive(Debug)]
enum Order {
    /// When all that came before is done.
    Later(Command),
    /// At once; what was put before goes out first, if the target reads it.
    Close,
    /// At once.
    Reset,
}

#[derive(Debug)]
enum Command {
    Write(Vec<u8>, FrameKind),
    HalfClose,
    Stall(Duration),
}

impl Connection {
    /// Takes over a link, and reads it until its end. Needs a [`tokio::task::LocalSet`].
    pub(super) fn start(client: &str, version: Version, link: Link, stage: &Stage<'_>) -> Rc<Self> {
        let journal = &stage.journal;
        let (orders, received) = mpsc::unbounded_channel();
        let connection = Rc::new(Self {
            client: client.to_owned(),
            version,
            serial: journal.number_arrival(),
            upgraded: link.upgraded().cloned(),
            taken: link.taken(),
            overhead: link.overhead(),
            state: RefCell::new(State {
                protocol: Protocol::new(version, stage.leftovers.clone()),
                inbox: Inbox::default(),
                end: None,
                end_judged: false,
                leaving: false,
                watches_barrier: None,
                unseen: BTreeSet::new(),
                unseen_answers: Vec::new(),
                sentinels: Vec::new(),
                proof: None,
                unproven: false,
                asked: 0,
                done: 0,
            }),
            orders,
            journal: journal.clone(),
            traffic: stage.traffic.clone(),
            publications: stage.publications.clone(),
            order: stage.target.order().clone(),
            namespace: stage.namespace.clone(),
        });
        journal.tell(client, Happening::Opened);
        tokio::task::spawn_local(connection.clone().run(link, received));
        connection
    }

    /// Looks at the state; must not be held across an await.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.borrow_mut())
    }

    pub(super) fn end(&self) -> Option<End> {
        self.state.borrow().end
    }

    /// Sends a packet, which its journal entry and the standing rules know as `packet`.
    pub(super) fn send(&self, packet: &Draft, encoded: Vec<u8>, forbidden: bool) {
        self.write(encoded, packet.to_string(), forbidden);
        self.note(packet, forbidden);
    }

    /// Sends a packet in a text frame.
    pub(super) fn send_as_text(&self, packet: &Draft, encoded: Vec<u8>, forbidden: bool) {
        self.put(
            encoded,
            in_text_frame(&packet.to_string()),
            forbidden,
            FrameKind::Text,
        );
        self.note(packet, forbidden);
    }

    /// Takes note of a packet that is sent, in whatever way.
    pub(super) fn note(&self, packet: &Draft, forbidden: bool) {
        let state = &mut *self.state.borrow_mut();
        if packet.packet_type() == PacketType::Publish && self.version != Version::V5_0 {
            state.forget_repeated_pubrecs();
        }
        state.protocol.sent(packet);
        self.publications.sent(packet, self.serial);
        state.protocol.obscure |= forbidden;
        state.leaving |= packet.packet_type() == PacketType::Disconnect;
    }

    /// Whether the answer to a request that the scenario does not see is still to come.
    pub(super) fn waits_unseen(&self, id: u16) -> bool {
        self.state.borrow().unseen.contains(&id)
    }

    /// Sends bytes that stand for themselves.
    pub(super) fn write(&self, encoded: Vec<u8>, notation: String, forbidden: bool) {
        self.put(encoded, notation, forbidden, FrameKind::Binary);
    }

    fn put(&self, encoded: Vec<u8>, notation: String, forbidden: bool, kind: FrameKind) {
        self.journal.tell(
            &self.client,
            Happening::Sent {
                notation,
                bytes: encoded.clone(),
                forbidden,
            },
        );
        self.traffic.carries(encoded.len() * self.overhead);
        self.order(Order::Later(Command::Write(encoded, kind)));
    }

    /// Sends a packet that the scenario does not see; so are the answers to its Packet Identifier.
    pub(super) fn send_unseen(&self, packet: &Draft) {
        if let (Some(id), false) = (identifier(packet), is_answer(packet)) {
            self.state.borrow_mut().unseen.insert(id);
        }
        if let Ok(encoded) = packet.encode() {
            self.send(packet, encoded, false);
        }
    }

    /// Waits until everything is written, or cannot be any more; false when nothing is taken until a deadline. A large
    /// packet in single bytes takes its time, on this side too.
    pub(super) async fn flush(&self, deadline: impl Fn() -> Instant) -> bool {
        loop {
            let taken = self.taken.load(Ordering::Relaxed);
            let flushed = self.journal.until(deadline(), || {
                let state = self.state.borrow();
                (state.done >= state.asked || state.end.is_some()).then_some(())
            });
            if flushed.await.is_some() {
                return true;
            }
            if self.taken.load(Ordering::Relaxed) == taken {
                return false;
            }
        }
    }

    /// Waits until the link has done all that it was told to, even where the scenario is through with it.
    pub(super) async fn settle(&self, deadline: Instant) {
        self.journal
            .until(deadline, || {
                let state = self.state.borrow();
                (state.done >= state.asked).then_some(())
            })
            .await;
    }

    pub(super) fn half_close(&self) {
        self.journal
            .tell(&self.client, Happening::Ended("half-closes"));
        self.state.borrow_mut().leaving = true;
        self.order(Order::Later(Command::HalfClose));
    }

    pub(super) fn close(&self) {
        self.journal.tell(&self.client, Happening::Ended("closes"));
        self.state.borrow_mut().end_judged = true;
        self.order(Order::Close);
        self.finish(Ender::Scenario);
    }

    pub(super) fn cut(&self) {
        self.journal.tell(&self.client, Happening::Ended("cuts"));
        self.state.borrow_mut().end_judged = true;
        self.order(Order::Reset);
        self.finish(Ender::Scenario);
    }

    pub(super) fn stall(&self, period: Duration) {
        self.order(Order::Later(Command::Stall(period)));
    }

    /// From here on the connection is over for the scenario, whatever becomes of the link.
    pub(super) fn disown(&self) {
        self.finish(Ender::Scenario);
    }

    /// Lets go of a connection that the end of the case or a restart of the target leaves behind.
    pub(super) fn abandon(&self) {
        self.order(Order::Close);
        self.finish(Ender::Scenario);
    }

    fn order(&self, order: Order) {
        self.state.borrow_mut().asked += 1;
        // Fails only when the link is gone, and then there is nothing to command.
        let _ = self.orders.send(order);
    }

    fn finish(&self, by: Ender) {
        let state = &mut *self.state.borrow_mut();
        if state.end.is_none() {
            state.end = Some(End {
                by,
                at: Instant::now(),
            });
            // An end is an arrival too: it takes a place in their order.
            self.journal.number_arrival();
        }
        self.journal.announce();
    }

    async fn run(self: Rc<Self>, link: Link, orders: mpsc::UnboundedReceiver<Order>) {
        self.serve(link, orders).await;
        // Whatever was not done by now never will be.
        self.state.borrow_mut().done = u64::MAX;
        self.journal.announce();
    }

    async fn serve(&self, mut link: Link, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut buffer = Vec::new();
        let mut waiting = VecDeque::new();
        let mut stalled_until: Option<Instant> = None;
        let mut reads = true;
        let mut sends = false;
        loop {
            if !sends
                && stalled_until.is_none()
                && let Some(command) = waiting.pop_front()
            {
                match command {
                    Command::Write(bytes, kind) => link.put(&bytes, kind),
                    Command::HalfClose => link.put_end(),
                    Command::Stall(period) => stalled_until = Some(Instant::now() + period),
                }
                if stalled_until.is_none() {
                    sends = true;
                } else {
                    self.done();
                }
            }
            let stalled = stalled_until.is_some();
            let wakes = stalled_until.unwrap_or_else(Instant::now);
            let turn = async {
                if reads {
                    return link.turn(&mut buffer).await;
                }
                // After the target has ended its side, the client can still write. What fails has shown in what was read.
                let _ = link.send().await;
                Ok(Turn::Sent)
            };
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Later(command)) => waiting.push_back(command),
                    Some(Order::Reset) => {
                        let _ = link.reset();
                        return;
                    }
                    Some(Order::Close) => {
                        for command in waiting {
                            if let Command::Write(bytes, kind) = command && !stalled {
                                link.put(&bytes, kind);
                            }
                        }
                        // Whoever does not read for so long is not waited for.
                        let _ = timeout(ANSWER, link.close()).await;
                        return;
                    }
                },
                turn = turn, if !stalled && (reads || sends) => match turn {
                    Ok(Turn::Sent) => {
                        sends = false;
                        self.done();
                    }
                    Ok(Turn::Read(count)) => reads = self.arrive(&Ok(count), &mut buffer),
                    Err(error) => reads = self.arrive(&Err(error), &mut buffer),
                },
                () = sleep_until(wakes), if stalled => stalled_until = None,
            }
        }
    }

    /// One more command is carried out.
    fn done(&self) {
        self.state.borrow_mut().done += 1;
        self.journal.announce();
    }

    /// Takes what was read. Says whether reading goes on.
    fn arrive(&self, read: &io::Result<usize>, buffer: &mut Vec<u8>) -> bool {
        match read {
            Ok(0) => {
                if !buffer.is_empty() {
                    let left = std::mem::take(buffer);
                    self.tell_garbled("the connection ended within a packet".into(), left);
                }
                self.journal
                    .tell(&self.client, Happening::TargetEnded("closed"));
                self.finish(Ender::Closed);
                false
            }
            Ok(_) => {
                let intact = self.split(buffer);
                let flooded = self.state.borrow().inbox.unread().len() > FLOOD;
                if !intact {
                    self.finish(Ender::Garbled);
                } else if flooded {
                    self.finish(Ender::Flooded);
                }
                self.journal.announce();
                intact && !flooded
            }
            Err(error)
                if error
                    .get_ref()
                    .is_some_and(<dyn Error + Send + Sync>::is::<WrongFrame>) =>
            {
                let clause = match self.version {
                    Version::V3_1 | Version::V3_1_1 => clause!("v3.1.1/MQTT-6.0.0-1"),
                    Version::V5_0 => clause!("v5.0/MQTT-6.0.0-1"),
                };
                let seen = error.to_string();
                self.tell_garbled(seen.clone(), Vec::new());
                self.journal.breach(clause, seen, String::new());
                self.finish(Ender::Garbled);
                false
            }
            Err(error) => {
                if error
                    .get_ref()
                    .is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
                {
                    let remark = format!("TLS says: {error}");
                    self.journal.tell(&self.client, Happening::Remark(remark));
                }
                self.journal
                    .tell(&self.client, Happening::TargetEnded("reset"));
                self.finish(Ender::Reset);
                false
            }
        }
    }

    /// Takes every whole packet off the buffer. Says whether the stream can still be read.
    fn split(&self, buffer: &mut Vec<u8>) -> bool {
        let mut taken = 0;
        let intact = loop {
            let rest = buffer.get(taken..).unwrap_or_default();
            match codec::split(rest, self.version, Direction::ToClient, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete { frame, .. }) => {
                    taken += frame.as_bytes().len();
                    self.decode(frame);
                }
                Ok(Split::Incomplete { .. }) => break true,
                Err(violation) => {
                    self.tell_garbled(violation.to_string(), rest.to_vec());
                    self.suspect(self.journal.number_arrival(), &violation, rest);
                    break false;
                }
            }
        };
        buffer.drain(..taken);
        intact
    }

    fn tell_garbled(&self, violation: String, bytes: Vec<u8>) {
        self.journal
            .tell(&self.client, Happening::Garbled { violation, bytes });
    }

    /// A violation stands unless the scenario reads the packet as raw bytes.
    fn suspect(&self, number: u64, violation: &Violation, bytes: &[u8]) {
        self.journal.suspect(
            number,
            &violation.clauses().collect::<Vec<_>>(),
            format!("the target sent what no receiver accepts: {violation}"),
            hex(bytes),
        );
    }

    fn decode(&self, frame: Frame<'_>) {
        let bytes = frame.as_bytes();
        let number = self.journal.number_arrival();
        let packet = match codec::decode(frame, self.version, Direction::ToClient) {
            Ok(packet) => {
                let packet = Draft::from_packet(&packet, self.version);
                self.journal.tell(
                    &self.client,
                    Happening::Received {
                        notation: packet.to_string(),
                        bytes: bytes.to_vec(),
                    },
                );
                Some(packet)
            }
            Err(violation) => {
                self.tell_garbled(violation.to_string(), bytes.to_vec());
                self.suspect(number, &violation, bytes);
                codec::decode_leniently(frame, self.version, Direction::ToClient, &mut Vec::new())
                    .map(|packet| Draft::from_packet(&packet, self.version))
            }
        };
        if let Some(packet) = packet {
            self.take(packet, number, bytes);
        }
    }

    fn take(&self, mut packet: Draft, number: u64, bytes: &[u8]) {
        let mut state = self.state.borrow_mut();
        for breach in rules::judge(&packet, bytes.len(), &state.protocol) {
            self.journal
                .breach(breach.clause, breach.message, packet.to_string());
        }
        let repeat = state.protocol.received(&mut packet);
        if let Sight::Unseen(reply) = state.hide(&packet, self.version, &self.namespace) {
            drop(state);
            if let Some(reply) = reply {
                self.send_unseen(&reply);
            }
            return;
        }
        if let Some(overtaking) = self.publications.overtaken(&packet, &state) {
            self.order.broken(overtaking);
            let remark = Happening::Remark(overtaking.seen.to_owned());
            self.journal.tell(&self.client, remark);
        }
        state.inbox.push(Arrival {
            number,
            at: Instant::now(),
            packet,
            bytes: bytes.to_vec(),
            repeat,
        });
    }
}

impl State {
    /// With a new message, a PUBREC that only repeats what is finished answers nothing any more.
    fn forget_repeated_pubrecs(&mut self) {
        let session = self.protocol.session.borrow();
        self.inbox.forget(|arrival| {
            let finished = |id| !session.outstanding.contains_key(&id);
            arrival.repeat
                && arrival.packet.packet_type() == PacketType::Pubrec
                && identifier(&arrival.packet).is_some_and(finished)
        });
    }
}

/// The notation of a packet that is sent in a text frame.
fn in_text_frame(notation: &str) -> String {
    if let Some(spoilt) = notation.strip_suffix(" } }")
        && spoilt.contains("but: {")
    {
        return format!("{spoilt}, frame: text }} }}");
    }
    match notation.strip_suffix(" }") {
        Some(fields) => format!("{fields}, but: {{ frame: text }} }}"),
        None => format!("{notation}: {{ but: {{ frame: text }} }}"),
    }
}

/// A PUBACK, PUBREC, PUBREL or PUBCOMP without a Reason Code.
pub(super) fn acknowledgement(packet_type: PacketType, version: Version, id: u16) -> Draft {
    let mut packet = Draft::new(packet_type, version);
    // The field exists in all four packets and takes any number of two bytes.
    let _ = packet.set("id", Value::Number(id.into()));
    packet
}

fn is_answer(packet: &Draft) -> bool {
    matches!(
        packet.packet_type(),
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp
    )
}

/// Bytes as a scenario writes them, cut where nobody would read on.
pub(super) fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 64;
    let text = bytes
        .iter()
        .take(SHOWN)
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ");
    if bytes.len() > SHOWN {
        return format!("{text} … ({} bytes)", bytes.len());
    }
    text
}
