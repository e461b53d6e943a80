//! [`Protocol`]: what both sides have said on one connection.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use super::connection::BARRIER;
use super::session::{Delivery, Leftovers, Session};
use super::value::{bytes, flag, identifier, number};

/// What both sides have said on one connection.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) version: Version,
    pub(super) connect: Option<Draft>,
    pub(super) connack: Option<Draft>,
    pub(super) session: Rc<RefCell<Session>>,
    /// Whether the client has sent bytes that were not understood, so that nothing is known of what they asked for.
    pub(super) obscure: bool,
    /// Requests without their answer: how many codes the answer to SUBSCRIBE or UNSUBSCRIBE must have.
    pub(super) requests: BTreeMap<u16, (PacketType, usize)>,
    /// PUBREL packets without their PUBCOMP.
    pub(super) released: BTreeSet<u16>,
    /// How many PUBLISH packets the client has sent at each QoS.
    pub(super) published: [u64; 3],
    /// Packet Identifiers of PUBLISH packets that the client has sent on this connection.
    sent_here: BTreeSet<u16>,
    pub(super) pings: u64,
    pub(super) pongs: u64,
    /// Deliveries on this connection that count towards the client's Receive Maximum.
    pub(super) in_flight: BTreeSet<u16>,
    /// Topic Aliases that the target has set.
    pub(super) aliases: HashMap<u64, Vec<u8>>,
    /// Topic Aliases that the client has set.
    own_aliases: HashMap<u64, Vec<u8>>,
    pub(super) target_disconnected: bool,
    leftovers: Rc<Leftovers>,
}

impl Protocol {
    pub(super) fn new(version: Version, leftovers: Rc<Leftovers>) -> Self {
        Self {
            version,
            connect: None,
            connack: None,
            session: Rc::default(),
            obscure: false,
            requests: BTreeMap::new(),
            released: BTreeSet::new(),
            published: [0; 3],
            sent_here: BTreeSet::new(),
            pings: 0,
            pongs: 0,
            in_flight: BTreeSet::new(),
            aliases: HashMap::new(),
            own_aliases: HashMap::new(),
            target_disconnected: false,
            leftovers,
        }
    }

    /// A number that CONNECT gave, or its default.
    pub(super) fn announced(&self, field: &str, default: u64) -> u64 {
        self.connect
            .as_ref()
            .and_then(|connect| number(connect, field))
            .unwrap_or(default)
    }

    /// Whether the target has accepted the connection.
    pub(super) fn accepted(&self) -> bool {
        self.connack
            .as_ref()
            .is_some_and(|connack| number(connack, "reason").unwrap_or(0) == 0)
    }

    /// The Packet Identifiers that the client must not choose now.
    pub(super) fn uses(&self, id: u16) -> bool {
        self.requests.contains_key(&id)
            || self.released.contains(&id)
            || self.session.borrow().outstanding.contains_key(&id)
    }

    /// Whether the case has published to this topic, on whatever connection.
    pub(super) fn has_published(&self, topic: &[u8]) -> bool {
        self.leftovers.has_published(topic)
    }

    /// The barrier subscribes to this topic.
    pub(super) fn watch(&self, topic: &[u8]) {
        self.leftovers.watch(topic);
    }

    /// Whether this is a topic of sentinels, of whichever client.
    pub(super) fn is_watched(&self, topic: &[u8]) -> bool {
        self.leftovers.is_watched(topic)
    }

    /// Takes note of a packet that the client sends.
    pub(super) fn sent(&mut self, packet: &Draft) {
        let id = identifier(packet).unwrap_or(0);
        match packet.packet_type() {
            PacketType::Connect if self.connect.is_none() => self.connect(packet),
            PacketType::Publish => self.publish(packet, id),
            PacketType::Puback | PacketType::Pubcomp => self.finish_delivery(id),
            PacketType::Pubrec if number(packet, "reason").unwrap_or(0) >= 0x80 => {
                self.finish_delivery(id);
            }
            PacketType::Pubrel => {
                self.released.insert(id);
            }
            PacketType::Subscribe | PacketType::Unsubscribe => {
                let codes = match packet.get("filters") {
                    Some(Value::Filters(filters)) => filters.len(),
                    Some(Value::Texts(filters)) => filters.len(),
                    _ => 0,
                };
                self.requests.insert(id, (packet.packet_type(), codes));
                self.subscribe(packet);
            }
            PacketType::Pingreq => self.pings += 1,
            PacketType::Disconnect => {
                if let Some(expiry) = number(packet, "session_expiry") {
                    self.session.borrow_mut().kept = expiry > 0;
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self, packet: &Draft) {
        let clean = packet.get("clean").is_none() || flag(packet, "clean");
        self.session = self
            .leftovers
            .session(bytes(packet, "client_id"), self.version);
        self.session.borrow_mut().kept = match self.version {
            Version::V5_0 => number(packet, "session_expiry").unwrap_or(0) > 0,
            Version::V3_1 | Version::V3_1_1 => !clean,
        };
        if let Some(Value::Record(will)) = packet.get("will")
            && let Some(Value::Text(topic)) = will.get("topic")
        {
            self.leftovers.publish(topic);
            if matches!(
                will.get("retain"),
                Some(Value::Flag(true) | Value::Number(1))
            ) {
                self.leftovers.retain(topic);
            }
        }
        self.connect = Some(packet.clone());
    }

    fn publish(&mut self, packet: &Draft, id: u16) {
        let qos = number(packet, "qos").unwrap_or(0);
        let sentinel = bytes(packet, "topic").starts_with(BARRIER);
        if !sentinel
            && let Some(count) = usize::try_from(qos)
                .ok()
                .and_then(|qos| self.published.get_mut(qos))
        {
            *count += 1;
        }
        if qos > 0 {
            let mut session = self.session.borrow_mut();
            session.outstanding.insert(id, qos);
            if !flag(packet, "dup") {
                session.recorded.remove(&id);
            }
            self.sent_here.insert(id);
        }
        let mut topic = bytes(packet, "topic").to_vec();
        if let Some(alias) = number(packet, "topic_alias") {
            if topic.is_empty() {
                topic = self.own_aliases.get(&alias).cloned().unwrap_or_default();
            } else {
                self.own_aliases.insert(alias, topic.clone());
            }
        }
        self.leftovers.publish(&topic);
        if flag(packet, "retain") && !bytes(packet, "payload").is_empty() {
            self.leftovers.retain(&topic);
        }
    }

    fn subscribe(&mut self, packet: &Draft) {
        if packet.packet_type() == PacketType::Subscribe
            && let Some(Value::Filters(filters)) = packet.get("filters")
        {
            let filters = filters
                .iter()
                .filter_map(|filter| match filter.get("filter") {
                    Some(Value::Text(filter) | Value::Binary(filter)) => Some(filter.clone()),
                    _ => None,
                });
            self.session.borrow_mut().filters.extend(filters);
        }
    }

    fn finish_delivery(&mut self, id: u16) {
        self.in_flight.remove(&id);
        self.session.borrow_mut().deliveries.remove(&id);
    }

    /// Takes note of a packet that arrived, after the rules have judged it; says whether it repeats a PUBLISH or
    /// PUBREC whose delivery is unfinished, and puts the topic in the place of a Topic Alias.
    pub(super) fn received(&mut self, packet: &mut Draft) -> bool {
        let id = identifier(packet).unwrap_or(0);
        let reason = number(packet, "reason").unwrap_or(0);
        match packet.packet_type() {
            PacketType::Connack if self.connack.is_none() => {
                if reason == 0 && !self.resumes(packet) {
                    let mut session = self.session.borrow_mut();
                    // What was sent behind CONNECT belongs to the session that begins here.
                    let mut outstanding = std::mem::take(&mut session.outstanding);
                    outstanding.retain(|id, _| self.sent_here.contains(id));
                    let kept = session.kept;
                    let filters = std::mem::take(&mut session.filters);
                    *session = Session {
                        outstanding,
                        filters,
                        kept,
                        ..Session::default()
                    };
                }
                if packet.get("assigned_client_id").is_some() {
                    self.leftovers.assign(
                        bytes(packet, "assigned_client_id"),
                        self.version,
                        &self.session,
                    );
                }
                if reason == 0
                    && let Some(expiry) = number(packet, "session_expiry")
                {
                    self.session.borrow_mut().kept = expiry > 0;
                }
                self.connack = Some(packet.clone());
            }
            PacketType::Publish => return self.deliver(packet, id),
            PacketType::Puback => {
                self.session.borrow_mut().outstanding.remove(&id);
            }
            PacketType::Pubrec if reason >= 0x80 => {
                self.session.borrow_mut().outstanding.remove(&id);
            }
            PacketType::Pubrec => return self.record(id),
            PacketType::Pubcomp => {
                self.released.remove(&id);
                self.session.borrow_mut().outstanding.remove(&id);
            }
            PacketType::Suback | PacketType::Unsuback => {
                self.requests.remove(&id);
            }
            PacketType::Pingresp => self.pongs += 1,
            PacketType::Disconnect => self.target_disconnected = true,
            _ => {}
        }
        false
    }

    /// Whether the target has said PUBREC to this unfinished delivery before.
    fn record(&self, id: u16) -> bool {
        let mut session = self.session.borrow_mut();
        session.outstanding.contains_key(&id) && !session.recorded.insert(id)
    }

    fn deliver(&mut self, packet: &mut Draft, id: u16) -> bool {
        if let Some(alias) = number(packet, "topic_alias") {
            let topic = bytes(packet, "topic").to_vec();
            if topic.is_empty() {
                if let Some(known) = self.aliases.get(&alias) {
                    // The alias stands for the topic: what a scenario says of the topic is said of that.
                    let _ = packet.set("topic", Value::Text(known.clone()));
                }
            } else {
                self.aliases.insert(alias, topic);
            }
        }
        if number(packet, "qos").unwrap_or(0) == 0 {
            return false;
        }
        self.in_flight.insert(id);
        let mut session = self.session.borrow_mut();
        session.delivered.insert(id);
        session
            .deliveries
            .insert(id, Delivery::of(packet))
            .is_some()
            && flag(packet, "dup")
    }

    /// Whether the target goes on with the session. CONNACK of 3.1 does not tell: there it may, unless a clean one
    /// was asked for.
    fn resumes(&self, connack: &Draft) -> bool {
        match self.version {
            Version::V3_1 => self
                .connect
                .as_ref()
                .is_some_and(|connect| connect.get("clean").is_some() && !flag(connect, "clean")),
            Version::V3_1_1 | Version::V5_0 => flag(connack, "session_present"),
        }
    }

    /// How many more PUBLISH packets at QoS 1 and 2 the client may send.
    pub(super) fn send_quota(&self) -> usize {
        let maximum = self
            .connack
            .as_ref()
            .and_then(|connack| number(connack, "receive_maximum"))
            .unwrap_or(65_535);
        usize::try_from(maximum)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.session.borrow().outstanding.len())
    }
}
