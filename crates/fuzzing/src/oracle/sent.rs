//! What a client sends: what may come of it, and what must.

use std::time::Duration;

use clauses::{ClauseId, clause};
use codec::{
    Connect, Direction, Disconnect, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Publish, QoS,
    ReasonCode, Split, Subscribe, Text, TopicFilter, Unsubscribe, Version,
};

use super::link::{Asked, Kind, Link, Stage, Will};
use super::publication::{Publication, forwarded};
use super::session::{Incoming, OPEN, Session, State, Subscription};
use super::text::{Span, Texts};
use super::{NOWHERE, Oracle};

/// A packet that is larger than this may be refused before it is whole.
const LARGEST_WAITED_FOR: usize = 65_536;

impl Oracle {
    pub(super) fn client_sends(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.tick(at);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        link.last_sent = at;
        link.stalled = false;
        if link.blind || !link.open {
            return;
        }
        let mut unsent = std::mem::take(&mut link.unsent);
        if unsent.is_empty() {
            let taken = self.take_sent(client, bytes);
            unsent.extend_from_slice(&bytes[taken..]);
        } else {
            unsent.extend_from_slice(bytes);
            let taken = self.take_sent(client, &unsent);
            unsent.drain(..taken);
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.unsent = unsent;
        }
    }

    /// Takes whole packets; returns how many bytes they are.
    fn take_sent(&mut self, client: usize, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        loop {
            let Some(Some(link)) = self.links.get_mut(client) else {
                return bytes.len();
            };
            if link.blind {
                return bytes.len();
            }
            let maximum = link.told.maximum_packet_size.map(|size| size as usize);
            let maximum = maximum.unwrap_or(MAXIMUM_PACKET_SIZE);
            match codec::split(rest, link.version, Direction::ToServer, maximum) {
                Ok(Split::Complete { frame, rest: after }) => {
                    self.tick += 1;
                    self.packet_sent(client, frame);
                    rest = after;
                }
                Ok(Split::Incomplete { size }) => {
                    // Nobody need wait for so much.
                    if size.is_some_and(|size| size > LARGEST_WAITED_FOR) {
                        link.goes_wild();
                    }
                    return bytes.len() - rest.len();
                }
                Err(violation) => {
                    link.wrong(
                        Some(violation.clause),
                        "what cannot be taken apart as packets",
                    );
                    link.blind = true;
                    return bytes.len();
                }
            }
        }
    }

    fn packet_sent(&mut self, client: usize, frame: Frame<'_>) {
        let now = self.now;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        match link.stage {
            Stage::Opened if frame.packet_type() == Some(PacketType::Connect) => {
                match codec::decode_connect(frame) {
                    Ok((version, connect)) => self.connect_sent(client, version, &connect),
                    Err(violation) => self.unsound_connect_sent(client, frame, violation.clause),
                }
            }
            Stage::Opened => {
                link.wrong(
                    Some(clause!("v5.0/MQTT-3.1.0-1")),
                    "a first packet that is no CONNECT",
                );
                link.blind = true;
            }
            Stage::Refused => {}
            Stage::Asking | Stage::Connected => {
                let version = link.version;
                link.last_packet = now;
                if link.left {
                    link.wild = true;
                }
                match codec::decode(frame, version, Direction::ToServer) {
                    Ok(packet) => self.sound_packet_sent(client, version, &packet),
                    Err(violation) => {
                        link.wrong(Some(violation.clause), "a malformed packet");
                        // Who takes it nevertheless may do with it what it seems to say.
                        let mut violations = Vec::new();
                        if let Some(packet) = codec::decode_leniently(
                            frame,
                            version,
                            Direction::ToServer,
                            &mut violations,
                        ) {
                            self.sound_packet_sent(client, version, &packet);
                        }
                    }
                }
            }
        }
    }

    fn unsound_connect_sent(&mut self, client: usize, frame: Frame<'_>, clause: ClauseId) {
        let mut violations = Vec::new();
        let read = codec::decode_connect_leniently(frame, &mut violations);
        if let Some((_, connect)) = read {
            self.blur(connect.client_id.as_bytes());
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            if let Some((version, _)) = read {
                link.version = version;
            }
            link.stage = Stage::Asking;
            link.wrong(Some(clause), "a CONNECT that the standard forbids");
            link.blind = true;
        }
    }

    /// Somebody may have taken this Client Identifier over, or not.
    pub(super) fn blur(&mut self, client_id: &[u8]) {
        for at in 0..self.sessions.len() {
            if self.texts.get(self.sessions[at].client_id) != client_id {
                continue;
            }
            let session = &mut self.sessions[at];
            session.unsure = true;
            session.due.clear();
            for subscription in &mut session.subscriptions {
                subscription.sure_until = 0;
            }
            for link in self.links.iter_mut().flatten() {
                if link.session == Some(at) {
                    link.goes_wild();
                }
            }
        }
    }

    fn connect_sent(&mut self, client: usize, version: Version, connect: &Connect<'_>) {
        let exact = self.is_exact();
        let properties = connect.properties;
        let client_id = connect.client_id.as_bytes();
        let v5 = version.has_properties();
        let asked = Asked {
            clean: connect.clean_start,
            no_client_id: client_id.is_empty(),
            keep_alive: connect.keep_alive,
            expiry: match (v5, connect.clean_start) {
                (true, _) => properties.session_expiry_interval().unwrap_or(0),
                (false, true) => 0,
                (false, false) => u32::MAX,
            },
            receive_maximum: properties.receive_maximum().unwrap_or(u16::MAX),
            maximum_packet_size: properties.maximum_packet_size(),
            alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            problem_information: properties.request_problem_information() != Some(0),
            response_information: properties.request_response_information() == Some(1),
            authentication: properties.authentication_method().is_some(),
        };
        let mut previous = None;
        if !client_id.is_empty() {
            previous = self.latest_session(client_id);
            self.take_over(client, previous);
            self.recall_wills(client_id, asked, exact);
        }
        let kept = self.texts.keep(client_id);
        let own = self.sessions.len();
        let serial = self.serial_of(client);
        self.sessions.push(Session {
            client_id: kept,
            unsure: true,
            previous,
            link: Some(serial),
            ..Session::default()
        });
        let will = connect.will.map(|will| Will {
            topic: self.texts.keep(will.topic.as_bytes()),
            payload: self.texts.keep(will.payload),
            qos: will.qos.value(),
            retain: will.retain,
            properties: forwarded(will.properties),
            expiry: will.properties.message_expiry_interval(),
            delay: will.properties.will_delay_interval().unwrap_or(0),
        });
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        link.stage = Stage::Asking;
        link.version = version;
        link.session = Some(own);
        link.asked = asked;
        link.will = will;
        // A server may have its own idea of who may connect, and of such identifiers.
        link.may_close |= asked.authentication
            || connect.user_name.is_some()
            || connect.password.is_some()
            // An answer that does not fit leaves nothing but to close.
            || asked.maximum_packet_size.is_some()
            || (asked.no_client_id && !(asked.clean && version != Version::V3_1))
            || client_id.len() > 23;
    }

    fn serial_of(&self, client: usize) -> u32 {
        self.links
            .get(client)
            .and_then(Option::as_ref)
            .map_or(0, |link| link.serial)
    }

    /// Whoever uses the Session now is sent away.
    fn take_over(&mut self, client: usize, session: Option<usize>) {
        for (other, link) in self.links.iter_mut().enumerate() {
            if let Some(link) = link
                && other != client
                && link.open
                && session.is_some()
                && link.session == session
            {
                link.taken_over = true;
            }
        }
    }

    /// The client is back before its Will was published. With a Clean Start the standard says both, that it is
    /// published and that it is not.
    fn recall_wills(&mut self, client_id: &[u8], asked: Asked, exact: bool) {
        let now = self.now;
        for publication in &mut self.publications {
            if publication.will
                && publication.handled == OPEN
                && publication.due > now
                && self.texts.get(publication.client_id) == client_id
            {
                publication.sure = false;
                // An authentication may come to nothing.
                publication.recalled = exact && !asked.clean && !asked.authentication;
                if asked.clean && !asked.authentication {
                    publication.due = now;
                }
            }
        }
    }

    fn sound_packet_sent(&mut self, client: usize, version: Version, packet: &Packet<'_>) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        if link.asked.authentication
            && link.stage == Stage::Asking
            && !matches!(packet, Packet::Auth(_) | Packet::Disconnect(_))
        {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.1.2-30")),
                "a packet before the authentication's end",
            );
        }
        match packet {
            Packet::Connect(_) => {
                let clause = if version.has_properties() {
                    clause!("v5.0/MQTT-3.1.0-2")
                } else {
                    clause!("v3.1.1/MQTT-3.1.0-2")
                };
                link.wrong(Some(clause), "a second CONNECT");
            }
            Packet::Publish(publish) => self.publish_sent(client, version, publish),
            Packet::Subscribe(subscribe) => self.subscribe_sent(client, version, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe_sent(client, unsubscribe),
            Packet::Pingreq(_) => link.ask(Kind::Pingresp, 0, 0, tick),
            Packet::Puback(puback) => self.puback_sent(client, puback.packet_id),
            Packet::Pubrec(pubrec) => {
                self.pubrec_sent(client, pubrec.packet_id, pubrec.reason_code);
            }
            Packet::Pubrel(pubrel) => self.pubrel_sent(client, pubrel.packet_id),
            Packet::Pubcomp(pubcomp) => self.pubcomp_sent(client, pubcomp.packet_id),
            Packet::Disconnect(disconnect) => Self::disconnect_sent(link, version, disconnect),
            Packet::Auth(_) => {
                if link.asked.authentication {
                    link.may_close = true;
                } else {
                    link.wrong(
                        Some(clause!("v5.0/U50-3.15-1")),
                        "AUTH without a method in CONNECT",
                    );
                }
            }
            Packet::Connack(_) | Packet::Suback(_) | Packet::Unsuback(_) | Packet::Pingresp(_) => {}
        }
    }

    fn disconnect_sent(link: &mut Link, version: Version, disconnect: &Disconnect<'_>) {
        link.left = true;
        link.may_close = true;
        if let Some(interval) = disconnect.properties.session_expiry_interval() {
            if link.asked.expiry == 0 && interval != 0 {
                let clause = clause!("v5.0/U50-3.14.2.2.2-2");
                link.wrong(
                    Some(clause),
                    "a Session Expiry Interval after none in CONNECT",
                );
                return;
            }
            link.asked.expiry = interval;
        }
        if !version.has_properties() || disconnect.reason_code == ReasonCode::SUCCESS {
            if link.wild {
                link.will_doubtful = true;
            } else {
                link.will_recalled = true;
            }
        }
    }

    /// The topic that a PUBLISH names, itself or by its Topic Alias; [`NOWHERE`] where it names none.
    fn topic_sent(link: &mut Link, texts: &mut Texts, publish: &Publish<'_>) -> Span {
        if publish.qos.value() > link.told.maximum_qos {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.2.2-11")),
                "a QoS above Maximum QoS",
            );
        }
        if publish.retain && !link.told.retain {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.2.2-14")),
                "RETAIN where it is not available",
            );
        }
        let mut topic = NOWHERE;
        if !publish.topic.is_empty() {
            topic = texts.keep(publish.topic.as_bytes());
        }
        if let Some(alias) = publish.properties.topic_alias() {
            let known = link
                .aliases_out
                .iter_mut()
                .find(|(known, _)| *known == alias);
            if alias == 0 || alias > link.told.alias_maximum {
                link.wrong(
                    Some(clause!("v5.0/MQTT-3.3.2-9")),
                    "a Topic Alias above the maximum",
                );
            } else if topic == NOWHERE {
                match known {
                    Some((_, known)) => topic = *known,
                    None => link.wrong(None, "a Topic Alias that stands for nothing"),
                }
            } else if let Some((_, known)) = known {
                *known = topic;
            } else {
                link.aliases_out.push((alias, topic));
            }
        }
        topic
    }

    /// Which message a Packet Identifier stands for that is released by PUBREL, if the target has it already; and whether
    /// that is sure.
    fn identified(
        &mut self,
        client: usize,
        own: usize,
        publish: &Publish<'_>,
        packet_id: u16,
        topic: Span,
    ) -> (Option<usize>, bool) {
        let exact = self.is_exact();
        let (mut known, mut sure) = (None, true);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return (known, sure);
        };
        let serial = link.serial;
        let session = &mut self.sessions[own];
        let unreleased = session
            .incoming
            .iter()
            .position(|i| i.packet_id == packet_id);
        match (publish.qos.value(), unreleased) {
            (2, Some(at)) => {
                // The same message once more, whatever it looks like, where the first one has arrived.
                let first = &mut session.incoming[at];
                let known_as = &mut self.publications[first.publication];
                let arrived = known_as.handled != OPEN;
                let same = self.texts.get(known_as.topic) == self.texts.get(topic)
                    && self.texts.get(known_as.payload) == publish.payload;
                if !exact && !same {
                    // An identifier for two messages: no sentence says which of them is meant.
                    known_as.sure = false;
                    sure = false;
                } else if first.link == serial || exact || arrived {
                    first.link = serial;
                    known = Some(first.publication);
                } else {
                    sure = false;
                    self.publications[first.publication].sure = false;
                }
            }
            (1, Some(_)) => sure = false,
            (2, None) => {
                let under_way = session.incoming.iter().filter(|i| i.link == serial);
                if under_way.count() >= usize::from(link.told.receive_maximum) {
                    link.wrong(
                        Some(clause!("v5.0/MQTT-3.3.4-7")),
                        "more than Receive Maximum",
                    );
                    sure = false;
                }
                session.incoming.push(Incoming {
                    packet_id,
                    publication: self.publications.len(),
                    link: serial,
                });
            }
            _ => {}
        }
        (known, sure)
    }

    fn publish_sent(&mut self, client: usize, version: Version, publish: &Publish<'_>) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let topic = Self::topic_sent(link, &mut self.texts, publish);
        let properties = publish.properties;
        let not_text = properties.payload_format_indicator() == Some(1)
            && std::str::from_utf8(publish.payload).is_err();
        if not_text {
            link.may_close = true;
        }
        if topic == NOWHERE {
            if let Some(packet_id) = publish.packet_id {
                link.ask(answer_to(publish.qos), packet_id, 0, tick);
                link.requests
                    .iter_mut()
                    .for_each(|request| request.due &= request.sent != tick);
            }
            return;
        }
        let mut sure = !link.wild
            && link.stage == Stage::Connected
            && properties.message_expiry_interval() != Some(0)
            && !not_text;
        let serial = link.serial;
        let mut known = None;
        if let Some(packet_id) = publish.packet_id {
            let (earlier, is_plain) = self.identified(client, own, publish, packet_id, topic);
            known = earlier;
            sure &= is_plain;
            let Some(Some(link)) = self.links.get_mut(client) else {
                return;
            };
            link.ask(answer_to(publish.qos), packet_id, 0, tick);
            if let Some(request) = link.requests.last_mut() {
                request.about = known.unwrap_or(self.publications.len());
            }
        }
        if known.is_some() {
            return;
        }
        sure &= !self.texts.get(topic).starts_with(b"$SYS/");
        let payload = self.texts.keep(publish.payload);
        self.publications.push(Publication {
            topic,
            payload,
            qos: publish.qos.value(),
            retain: publish.retain,
            properties: if version.has_properties() {
                forwarded(properties)
            } else {
                0
            },
            expiry: properties.message_expiry_interval(),
            publisher: serial,
            client_id: self.sessions[own].client_id,
            sent: tick,
            handled: OPEN,
            released: OPEN,
            sure,
            refused: false,
            will: false,
            due: self.now,
            recalled: false,
        });
    }

    fn subscribe_sent(&mut self, client: usize, version: Version, subscribe: &Subscribe<'_>) {
        let tick = self.tick;
        let exact = self.is_exact();
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut count = 0;
        for subscription in subscribe.filters.iter() {
            count += 1;
            let options = subscription.options;
            let parsed = parse(version, subscription.filter);
            let Ok(filter) = parsed else {
                link.wrong(None, "a malformed Topic Filter");
                // A refusal in SUBACK is as good as a close.
                link.must_close = None;
                continue;
            };
            if filter.share_name.is_some() && options.is_no_local() {
                link.wrong(
                    Some(clause!("v5.0/MQTT-3.8.3-4")),
                    "No Local on a Shared Subscription",
                );
            }
            let mut brings = filter.filter;
            // Before 5.0 the dollar is the server's (3.1.1 section 4.7.2): many share subscriptions there, too.
            if !exact
                && !version.has_properties()
                && let Ok(shared) = TopicFilter::parse(subscription.filter)
            {
                brings = shared.filter;
            }
            let requested = self.texts.keep(subscription.filter.as_bytes());
            let session = &mut self.sessions[own];
            let mut replaces = false;
            for earlier in &mut session.subscriptions {
                if earlier.until == OPEN
                    && !earlier.refused
                    && self.texts.get(earlier.requested) == subscription.filter.as_bytes()
                {
                    earlier.sure_until = earlier.sure_until.min(tick);
                    earlier.ends_with = Some((Kind::Suback, subscribe.packet_id));
                    replaces = true;
                }
            }
            let v5 = version.has_properties();
            session.subscriptions.push(Subscription {
                requested,
                filter: self.texts.keep(brings),
                share: filter.share_name.map(|name| self.texts.keep(name)),
                qos: options.qos().value(),
                no_local: v5 && options.is_no_local(),
                retain_as_published: v5 && options.is_retain_as_published(),
                retain_handling: if v5 { options.0 >> 4 & 0b11 } else { 0 },
                identifier: subscribe.properties.subscription_identifier(),
                replaces,
                from: tick,
                sure_from: OPEN,
                until: OPEN,
                sure_until: if link.wild { 0 } else { OPEN },
                ends_with: None,
                refused: false,
            });
        }
        link.ask(Kind::Suback, subscribe.packet_id, count, tick);
    }

    fn unsubscribe_sent(&mut self, client: usize, unsubscribe: &Unsubscribe<'_>) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut count = 0;
        for filter in unsubscribe.filters.iter() {
            count += 1;
            if parse(link.version, filter).is_err() {
                link.wrong(None, "a malformed Topic Filter");
                link.must_close = None;
            }
            for subscription in &mut self.sessions[own].subscriptions {
                if subscription.until == OPEN
                    && self.texts.get(subscription.requested) == filter.as_bytes()
                {
                    subscription.sure_until = subscription.sure_until.min(tick);
                    subscription.ends_with = Some((Kind::Unsuback, unsubscribe.packet_id));
                }
            }
        }
        link.ask(Kind::Unsuback, unsubscribe.packet_id, count, tick);
    }

    fn puback_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        self.quota_returned(client, packet_id, State::Published);
        let Some(Some(Link {
            session: Some(own),
            wild,
            ..
        })) = self.links.get(client)
        else {
            return;
        };
        if let Some(delivery) = self.sessions[*own].delivery(packet_id) {
            delivery.odd |= wild;
            if delivery.qos == 1 && delivery.state == State::Published {
                delivery.state = State::Completed;
                delivery.since = tick;
            } else if delivery.state != State::Completed {
                delivery.odd = true;
            }
        }
    }

    /// Whether the target asked for the acknowledgement that ends this exchange. It may send one message more for each
    /// that comes, asked for or not (5.0 section 4.9).
    fn quota_returned(&mut self, client: usize, packet_id: u16, state: State) {
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let asked = link.session.is_some_and(|own| {
            let delivery = self.sessions[own].delivery(packet_id);
            delivery.is_some_and(|delivery| delivery.state == state && !delivery.odd)
        });
        link.quota_doubtful |= !asked;
    }

    fn pubrec_sent(&mut self, client: usize, packet_id: u16, reason_code: ReasonCode) {
        let tick = self.tick;
        if reason_code.is_error() {
            self.quota_returned(client, packet_id, State::Published);
        }
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut due = false;
        if let Some(delivery) = self.sessions[own].delivery(packet_id) {
            delivery.odd |= link.wild;
            if delivery.qos == 2 && delivery.state == State::Published && !delivery.odd {
                delivery.since = tick;
                if reason_code.is_error() {
                    delivery.state = State::Completed;
                } else {
                    delivery.state = State::Received;
                    due = delivery.link == link.serial;
                }
            } else if delivery.state != State::Completed
                && (delivery.qos != 2 || reason_code.is_error())
            {
                delivery.odd = true;
            }
        }
        if !reason_code.is_error() {
            link.ask(Kind::Pubrel, packet_id, 0, tick);
            if let Some(request) = link.requests.last_mut() {
                request.due &= due;
            }
        }
    }

    fn pubrel_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        link.ask(Kind::Pubcomp, packet_id, 0, tick);
        let incoming = &mut self.sessions[own].incoming;
        if let Some(at) = incoming.iter().position(|i| i.packet_id == packet_id) {
            let released = incoming.remove(at);
            self.publications[released.publication].released = tick;
        }
    }

    fn pubcomp_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        self.quota_returned(client, packet_id, State::Released);
        let Some(Some(Link {
            session: Some(own),
            wild,
            ..
        })) = self.links.get(client)
        else {
            return;
        };
        if let Some(delivery) = self.sessions[*own].delivery(packet_id) {
            delivery.odd |= wild;
            if delivery.state == State::Released {
                delivery.state = State::Completed;
                delivery.since = tick;
            } else if delivery.state != State::Completed {
                delivery.odd = true;
            }
        }
    }
}

impl Link {
    /// The client has sent what the target must close for.
    fn wrong(&mut self, clause: Option<ClauseId>, what: &'static str) {
        if self.must_close.is_none() && !self.may_close {
            self.must_close = Some((clause, what));
        }
        self.goes_wild();
    }
}

const fn answer_to(qos: QoS) -> Kind {
    match qos.value() {
        2 => Kind::Pubrec,
        _ => Kind::Puback,
    }
}

fn parse(version: Version, filter: Text<'_>) -> Result<TopicFilter<'_>, codec::InvalidTopicFilter> {
    if version.has_properties() {
        TopicFilter::parse(filter)
    } else {
        TopicFilter::parse_plain(filter)
    }
}
