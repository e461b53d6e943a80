//! What comes to a client, but for messages: is it sound, is it an answer to something?

use std::time::Duration;

use codec::{
    Connack, Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Properties, PropertyId,
    ReasonCode, ReasonCodes, Split, Version,
};

use super::link::{Kind, Stage, Told};
use super::rule::{self, Rule};
use super::session::{OPEN, State};
use super::{Oracle, shown};

impl Oracle {
    pub(super) fn client_receives(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.tick(at);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let mut unread = std::mem::take(&mut link.unread);
        if unread.is_empty() {
            let taken = self.take_received(client, bytes);
            unread.extend_from_slice(&bytes[taken..]);
        } else {
            unread.extend_from_slice(bytes);
            let taken = self.take_received(client, &unread);
            unread.drain(..taken);
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.unread = unread;
        }
    }

    fn take_received(&mut self, client: usize, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        loop {
            let Some(Some(link)) = self.links.get(client) else {
                return bytes.len();
            };
            match codec::split(rest, link.version, Direction::ToClient, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete { frame, rest: after }) => {
                    self.tick += 1;
                    self.packet_received(client, frame);
                    rest = after;
                }
                Ok(Split::Incomplete { .. }) => return bytes.len() - rest.len(),
                Err(violation) => {
                    let message = format!("what it sent cannot be taken apart: {violation}");
                    let rule = rule::NOT_ONE_STREAM.name;
                    self.note(client, rule, Some(violation.clause), message);
                    return bytes.len();
                }
            }
        }
    }

    fn packet_received(&mut self, client: usize, frame: Frame<'_>) {
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (version, stage, blind) = (link.version, link.stage, link.blind);
        let name = frame.packet_type().map_or("a packet", PacketType::name);
        if stage == Stage::Opened && !link.blind {
            self.find(
                client,
                rule::BEFORE_CONNECT,
                format!("{name} came before CONNECT was sent"),
            );
            return;
        }
        if link.dismissed {
            self.find(
                client,
                rule::AFTER_DISCONNECT,
                format!("{name} came behind its DISCONNECT"),
            );
            return;
        }
        if stage == Stage::Refused {
            self.find(
                client,
                rule::AFTER_REFUSAL,
                format!("{name} came behind a CONNACK that refuses"),
            );
            return;
        }
        let size = frame.as_bytes().len();
        if let Some(maximum) = link.asked.maximum_packet_size
            && size > maximum as usize
        {
            let message = format!("{name} has {size} bytes, and the client takes {maximum}");
            self.find(client, rule::TOO_LARGE, message);
        }
        if blind && stage != Stage::Connected {
            // Nobody knows which version it took the client for.
            let sound = Version::ALL
                .iter()
                .any(|&version| codec::decode(frame, version, Direction::ToClient).is_ok());
            if !sound {
                self.find(
                    client,
                    rule::UNSOUND_PACKET,
                    format!("{name} is sound in no version"),
                );
            }
            return;
        }
        let packet = match codec::decode(frame, version, Direction::ToClient) {
            Ok(packet) => packet,
            // To a version that it does not speak, a target answers as it can.
            Err(_) if stage == Stage::Asking && is_plain_refusal(frame) => {
                if let Some(Some(link)) = self.links.get_mut(client) {
                    link.stage = Stage::Refused;
                }
                return;
            }
            Err(violation) => {
                let message = format!("{name} is unsound: {violation}");
                let rule = rule::UNSOUND_PACKET.name;
                self.note(client, rule, Some(violation.clause), message);
                return;
            }
        };
        if stage == Stage::Asking && !matches!(packet, Packet::Connack(_) | Packet::Auth(_)) {
            let rule = if matches!(packet, Packet::Disconnect(_)) {
                rule::DISCONNECT_BEFORE_CONNACK
            } else {
                rule::FIRST_PACKET
            };
            self.find(client, rule, format!("{name} came before CONNACK"));
        }
        if version.has_properties() {
            self.judge_problem_information(client, &packet);
        }
        self.take(client, &packet);
    }

    fn take(&mut self, client: usize, packet: &Packet<'_>) {
        match packet {
            Packet::Connack(connack) => self.connack(client, connack),
            Packet::Publish(publish) => self.publish_received(client, publish),
            Packet::Puback(packet) => {
                self.publication_answered(
                    client,
                    Kind::Puback,
                    packet.packet_id,
                    packet.reason_code,
                );
            }
            Packet::Pubrec(packet) => {
                self.publication_answered(
                    client,
                    Kind::Pubrec,
                    packet.packet_id,
                    packet.reason_code,
                );
            }
            Packet::Pubrel(packet) => self.pubrel(client, packet.packet_id),
            Packet::Pubcomp(packet) => {
                self.answer(client, Kind::Pubcomp, packet.packet_id, rule::ANSWER_ID);
            }
            Packet::Suback(suback) => self.suback(client, suback.packet_id, suback.codes),
            Packet::Unsuback(packet) => self.unsuback(client, packet.packet_id, packet.codes),
            Packet::Pingresp(_) => {
                self.answer(client, Kind::Pingresp, 0, rule::UNASKED_ANSWER);
            }
            Packet::Disconnect(disconnect) => self.dismissed(client, disconnect.reason_code),
            Packet::Auth(_) => {
                let with_method = self.links[client]
                    .as_ref()
                    .is_some_and(|link| link.asked.authentication);
                if !with_method {
                    self.find(
                        client,
                        rule::UNASKED_AUTH,
                        "AUTH came without a method in CONNECT".into(),
                    );
                }
            }
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq(_) => {}
        }
    }

    fn judge_problem_information(&mut self, client: usize, packet: &Packet<'_>) {
        let unwanted = self.links[client]
            .as_ref()
            .is_some_and(|link| !link.asked.problem_information);
        if !unwanted {
            return;
        }
        let properties = match packet {
            Packet::Puback(packet) => packet.properties,
            Packet::Pubrec(packet) => packet.properties,
            Packet::Pubrel(packet) => packet.properties,
            Packet::Pubcomp(packet) => packet.properties,
            Packet::Suback(packet) => packet.properties,
            Packet::Unsuback(packet) => packet.properties,
            Packet::Auth(packet) => packet.properties,
            _ => Properties::EMPTY,
        };
        if properties.contains(PropertyId::ReasonString)
            || properties.contains(PropertyId::UserProperty)
        {
            let name = packet.packet_type();
            let message = format!("{name} explains itself to a client that does not want it");
            self.find(client, rule::PROBLEM_INFORMATION, message);
        }
    }

    fn connack(&mut self, client: usize, connack: &Connack<'_>) {
        let exact = self.is_exact();
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        if link.stage != Stage::Asking {
            self.find(client, rule::SECOND_CONNACK, "a second CONNACK came".into());
            return;
        }
        if connack.reason_code != ReasonCode::SUCCESS {
            link.stage = Stage::Refused;
            link.will = None;
            if exact && !link.may_close {
                let message = format!(
                    "CONNACK refuses a sound CONNECT with 0x{:02x}",
                    connack.reason_code.0
                );
                self.find(client, rule::REFUSED_FOR_NOTHING, message);
            }
            return;
        }
        link.stage = Stage::Connected;
        link.connected = self.tick;
        let properties = connack.properties;
        link.told = Told {
            receive_maximum: properties.receive_maximum().unwrap_or(u16::MAX),
            maximum_packet_size: properties.maximum_packet_size(),
            alias_maximum: properties.topic_alias_maximum().unwrap_or(0),
            maximum_qos: properties.maximum_qos().unwrap_or(2),
            retain: properties.retain_available() != Some(0),
            keep_alive: properties.server_keep_alive(),
        };
        let (asked, version) = (link.asked, link.version);
        if let Some(interval) = properties.session_expiry_interval() {
            link.asked.expiry = interval;
        }
        let Some(own) = link.session else { return };
        if properties.contains(PropertyId::ResponseInformation) && !asked.response_information {
            self.find(
                client,
                rule::RESPONSE_INFORMATION,
                "CONNACK has Response Information unasked".into(),
            );
        }
        if asked.no_client_id && version.has_properties() {
            match properties.assigned_client_identifier() {
                Some(assigned) => {
                    self.sessions[own].client_id = self.texts.keep(assigned.as_bytes());
                }
                None => self.find(
                    client,
                    rule::NO_CLIENT_ID,
                    "CONNACK assigns no Client Identifier".into(),
                ),
            }
        }
        self.session_begins(client, own, connack.session_present);
        if !exact {
            self.will_may_come_early(client);
        }
    }

    /// Whether the Session is a new one or goes on is known now.
    fn session_begins(&mut self, client: usize, own: usize, present: bool) {
        let exact = self.is_exact();
        let now = self.now;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (clean, version) = (link.asked.clean, link.version);
        if link.asked.authentication {
            // Others may have come and gone meanwhile.
            let client_id = self.sessions[own].client_id;
            let latest = self.latest_session(self.texts.get(client_id));
            self.sessions[own].previous = latest;
        }
        let previous = self.sessions[own].previous;
        let alive = previous.is_some_and(|at| {
            let session = &self.sessions[at];
            !session.gone && session.ends.is_none_or(|ends| ends > now)
        });
        let unsure = previous.is_some_and(|at| self.sessions[at].unsure);
        if present && clean {
            let message = "CONNACK has Session Present after a clean start".to_owned();
            self.find(client, rule::SESSION_PRESENT_CLEAN, message);
        } else if present && (previous.is_none() || exact && !alive && !unsure) {
            let message = "CONNACK has Session Present, and there was no Session".to_owned();
            self.find(client, rule::SESSION_PRESENT, message);
        } else if exact && !present && !clean && alive && !unsure && version != Version::V3_1 {
            let message =
                "CONNACK has no Session Present, and the Session has not ended".to_owned();
            self.find(client, rule::SESSION_LOST, message);
        }
        self.sessions[own].unsure = false;
        self.sessions[own].begun = self.tick;
        for other in self.links.iter_mut().flatten() {
            if other.open
                && other.taken_over
                && other.stage == Stage::Connected
                && other.session.is_some()
                && other.session == previous
            {
                other.must_go = true;
            }
        }
        let Some(previous) = previous else { return };
        // 3.1 does not tell.
        let untold = version == Version::V3_1 && !clean && alive;
        if present || untold {
            let mut earlier = std::mem::take(&mut self.sessions[previous]);
            let sure = !unsure && (present || exact);
            self.sessions[own].absorb(&mut earlier, sure);
            let before = earlier.previous.filter(|_| !exact && unsure);
            self.sessions[previous] = earlier;
            // Where a CONNECT between was not answered, the Session before it may be the one that goes on.
            if let Some(before) = before {
                let mut earlier = std::mem::take(&mut self.sessions[before]);
                self.sessions[own].absorb(&mut earlier, false);
                self.sessions[before] = earlier;
            }
        }
        self.sessions[previous].gone = true;
        self.sessions[previous].due.clear();
    }

    /// Takes the request that this answers, if there is one.
    fn answer(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
        rule: Rule,
    ) -> Option<super::link::Request> {
        let answered = self.links[client].as_mut()?.answered(kind, packet_id);
        if answered.is_none() {
            let message = if kind == Kind::Pingresp {
                "PINGRESP came, and no PINGREQ waits for it".to_owned()
            } else {
                let name = format!("{kind:?}").to_uppercase();
                format!(
                    "{name} has Packet Identifier {packet_id}, which nothing that was sent waits for"
                )
            };
            self.find(client, rule, message);
        }
        answered
    }

    fn publication_answered(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
        code: ReasonCode,
    ) {
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let answered = link.answered(kind, packet_id);
        let Some(own) = link.session else { return };
        let incoming = &mut self.sessions[own].incoming;
        let open = incoming.iter().position(|i| i.packet_id == packet_id);
        let Some(request) = answered else {
            // Before 5.0 nothing forbids to acknowledge once more.
            if !(kind == Kind::Pubrec && open.is_some() && !link.version.has_properties()) {
                self.answer(client, kind, packet_id, rule::ANSWER_ID);
            }
            return;
        };
        if code.is_error() {
            if let (Kind::Pubrec, Some(at)) = (kind, open) {
                incoming.remove(at);
            }
            if let Some(publication) = self.publications.get_mut(request.about) {
                publication.sure = false;
                publication.refused = true;
            }
        }
    }

    fn pubrel(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let answered = link.answered(Kind::Pubrel, packet_id).is_some();
        let (serial, v5) = (link.serial, link.version.has_properties());
        let Some(own) = link.session else { return };
        let session = &mut self.sessions[own];
        let resumed = session.resumed;
        let mut again = false;
        if let Some(delivery) = session.delivery(packet_id) {
            // On another connection it is sent again.
            again = delivery.link != serial || !v5;
            if delivery.state == State::Received || again && delivery.state != State::Completed {
                delivery.state = State::Released;
                delivery.since = tick;
            }
            if delivery.qos == 2 {
                delivery.link = serial;
            }
        } else if resumed {
            again = true;
        }
        if !answered && !again {
            self.answer(client, Kind::Pubrel, packet_id, rule::ANSWER_ID);
        }
    }

    fn suback(&mut self, client: usize, packet_id: u16, codes: ReasonCodes<'_>) {
        let Some(request) = self.answer(client, Kind::Suback, packet_id, rule::REQUEST_ID) else {
            return;
        };
        let tick = self.tick;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (Some(own), wild) = (link.session, link.wild) else {
            return;
        };
        if codes.iter().len() != request.codes {
            if !wild {
                let message = format!(
                    "SUBACK has {} codes for {} Topic Filters",
                    codes.iter().len(),
                    request.codes
                );
                self.find(client, rule::CODES, message);
            }
            return;
        }
        let mut codes = codes.iter();
        let mut granted_more = None;
        for at in 0..self.sessions[own].subscriptions.len() {
            let subscription = &mut self.sessions[own].subscriptions[at];
            if subscription.from != request.sent {
                // What it replaces is over once it is in force.
                continue;
            }
            let Some(code) = codes.next() else { break };
            if code.is_error() {
                subscription.refused = true;
                continue;
            }
            if code.0 > subscription.qos {
                granted_more = Some((subscription.qos, code.0));
            }
            subscription.qos = subscription.qos.min(code.0);
            subscription.sure_from = tick;
            if !wild {
                self.retained_falls_due(own, at);
            }
            let requested = self.sessions[own].subscriptions[at].requested;
            let replaced = self.sessions[own].subscriptions[..at].iter_mut();
            for earlier in replaced.filter(|s| s.ends_with == Some((Kind::Suback, packet_id))) {
                if self.texts.get(earlier.requested) == self.texts.get(requested) {
                    earlier.until = earlier.until.min(tick);
                }
            }
        }
        if let Some((asked, granted)) = granted_more
            && !wild
        {
            let message = format!("QoS {granted} was granted where {asked} was requested");
            self.find(client, rule::GRANTED_MORE, message);
        }
    }

    fn unsuback(&mut self, client: usize, packet_id: u16, codes: ReasonCodes<'_>) {
        let Some(request) = self.answer(client, Kind::Unsuback, packet_id, rule::REQUEST_ID) else {
            return;
        };
        let tick = self.tick;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (Some(own), v5) = (link.session, link.version.has_properties()) else {
            return;
        };
        if v5 && codes.iter().len() != request.codes {
            if !link.wild {
                let message = format!(
                    "UNSUBACK has {} codes for {} Topic Filters",
                    codes.iter().len(),
                    request.codes
                );
                self.find(client, rule::CODES, message);
            }
            return;
        }
        if codes.iter().any(ReasonCode::is_error) {
            return;
        }
        for subscription in &mut self.sessions[own].subscriptions {
            if subscription.ends_with == Some((Kind::Unsuback, packet_id))
                && subscription.sure_until == request.sent
                && subscription.until == OPEN
            {
                subscription.until = tick;
            }
        }
    }

    fn dismissed(&mut self, client: usize, reason_code: ReasonCode) {
        let exact = self.is_exact();
        let now = self.now;
        let restarting = self.restarting || self.is_contested(client);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        link.dismissed = true;
        let late = link
            .keep_alive()
            .is_some_and(|keep_alive| now >= link.last_packet + keep_alive);
        if exact && !(link.may_close || link.taken_over || late || restarting) {
            let message = format!("DISCONNECT with 0x{:02x} came for nothing", reason_code.0);
            self.find(client, rule::CLOSED_FOR_NOTHING, message);
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.may_close = true;
        }
    }

    /// Tells which topic it was about.
    pub(super) fn about(&self, topic: super::Span, payload: super::Span) -> String {
        let topic = shown(self.texts.get(topic));
        let payload = shown(self.texts.get(payload));
        format!("`{payload}` on `{topic}`")
    }
}

/// CONNACK as 3.1.1 has it, with an error.
fn is_plain_refusal(frame: Frame<'_>) -> bool {
    matches!(frame.as_bytes(), [0x20, 2, 0, code] if *code > 0)
}
