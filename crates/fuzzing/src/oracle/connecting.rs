//! CONNECT and its CONNACK, DISCONNECT of either side: who has which Session from when on.

use clauses::{ClauseId, clause};
use codec::{Connack, Connect, Disconnect, Frame, PropertyId, ReasonCode, Version};

use super::link::{Asked, Link, Stage, Told, Will};
use super::publication::forwarded;
use super::rule;
use super::session::{OPEN, Session, Spoken};
use super::{Oracle, is_guessable};

impl Oracle {
    pub(super) fn connect_sent(&mut self, client: usize, version: Version, connect: &Connect<'_>) {
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
            self.may_take_over_the_nameless(client_id);
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
            spoken: if v5 { Spoken::V5 } else { Spoken::Earlier },
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
        link.proofs = u32::from(asked.authentication);
        link.will = will;
        // A server may have its own idea of who may connect, and of such identifiers.
        link.may_close |= asked.authentication
            || connect.user_name.is_some()
            || connect.password.is_some()
            // An answer that does not fit leaves nothing but to close.
            || asked.maximum_packet_size.is_some()
            || (asked.no_client_id && !(asked.clean && version != Version::V3_1))
            || client_id.len() > 23;
        if !exact {
            self.will_may_come_early(client);
        }
    }

    pub(super) fn unsound_connect_sent(
        &mut self,
        client: usize,
        frame: Frame<'_>,
        clause: ClauseId,
    ) {
        let tick = self.tick;
        let mut violations = Vec::new();
        let read = codec::decode_connect_leniently(frame, &mut violations);
        // Nobody comes back without a Client Identifier.
        if let Some((_, connect)) = read
            && !connect.client_id.is_empty()
        {
            self.blur(connect.client_id.as_bytes());
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            let what = "a CONNECT that the standard forbids";
            link.stage = Stage::Asking;
            // Of whatever is no MQTT, another standard may say what becomes.
            if let Some((version, _)) = read {
                link.version = version;
                link.violates(clause, what, tick);
            } else {
                link.wrong(Some(clause), what);
            }
            link.blind = true;
        }
    }

    /// Whether others, of whom nothing is seen here, may use this Client Identifier too, and with it its Session.
    pub(super) fn is_shared(&self, client_id: &[u8]) -> bool {
        !self.is_exact() && !client_id.is_empty() && self.is_foreign(client_id)
    }

    /// What comes on this link nobody can judge who does not see the others.
    pub(super) fn shared_connect_sent(
        &mut self,
        client: usize,
        frame: Frame<'_>,
        version: Version,
    ) {
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.stage = Stage::Asking;
            link.version = version;
            link.blind = true;
            link.may_close = true;
            link.cannot_be_read(frame.as_bytes());
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

    fn serial_of(&self, client: usize) -> u32 {
        self.links
            .get(client)
            .and_then(Option::as_ref)
            .map_or(0, |link| link.serial)
    }

    /// Whoever uses the Session now is sent away.
    pub(super) fn take_over(&mut self, client: usize, session: Option<usize>) {
        let exact = self.is_exact();
        for (other, link) in self.links.iter_mut().enumerate() {
            if let Some(link) = link
                && other != client
                && link.open
                && session.is_some()
                && link.session == session
            {
                link.taken_over = true;
                // Its DISCONNECT may be read later than the other's CONNECT.
                if link.will_recalled && !exact {
                    link.will_recalled = false;
                    link.will_doubtful = true;
                }
            }
        }
    }

    /// Before 5.0 nobody is told which Client Identifier the target has assigned, and others may use it: the reference
    /// broker's can be guessed.
    fn may_take_over_the_nameless(&mut self, client_id: &[u8]) {
        if !is_guessable(client_id) {
            return;
        }
        for link in self.links.iter_mut().flatten() {
            link.may_close |= link.asked.no_client_id && !link.version.has_properties();
        }
    }

    /// The client is back before its Will was published. With a Clean Start the standard says both, that it is
    /// published and that it is not.
    pub(super) fn recall_wills(&mut self, client_id: &[u8], asked: Asked, exact: bool) {
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

    pub(super) fn connack(&mut self, client: usize, connack: &Connack<'_>) {
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
    }

    /// Whether the Session is a new one or goes on is known now.
    fn session_begins(&mut self, client: usize, own: usize, present: bool) {
        let exact = self.is_exact();
        let now = self.now;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (clean, version) = (link.asked.clean, link.version);
        let unknown = !exact && self.sessions[own].previous.is_none();
        if link.asked.authentication || unknown {
            // Others may have come and gone meanwhile, and who asked before may have got its CONNACK only now.
            let client_id = self.sessions[own].client_id;
            let latest = self.latest_session(self.texts.get(client_id));
            self.sessions[own].previous = latest;
        }
        let previous = self.sessions[own].previous;
        let alive = previous.is_some_and(|at| self.sessions[at].lasts(now));
        let unsure = previous.is_some_and(|at| self.sessions[at].unsure);
        if present && clean {
            let message = "CONNACK has Session Present after a clean start".to_owned();
            self.find(client, rule::SESSION_PRESENT_CLEAN, message);
        } else if present
            && (previous.is_none() && (exact || !self.was_asked_for_before(own))
                || exact && !alive && !unsure)
        {
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
        let untold = version == Version::V3_1 && !clean && (alive || unsure && !exact);
        if present || untold {
            let mut earlier = std::mem::take(&mut self.sessions[previous]);
            let sure = !unsure && (present || exact);
            self.sessions[own].absorb(&mut earlier, sure);
            let perhaps_the_same =
                |earlier: &Session| if exact { earlier.unanswered } else { unsure };
            // Where a CONNECT between was not answered, the Session before it may be the one that goes on.
            let mut before = earlier.previous.filter(|_| perhaps_the_same(&earlier));
            self.sessions[previous] = earlier;
            while let Some(at) = before {
                let mut earlier = std::mem::take(&mut self.sessions[at]);
                for delivery in &mut earlier.deliveries {
                    delivery.odd = true;
                }
                self.sessions[own].absorb(&mut earlier, false);
                before = earlier.previous.filter(|_| earlier.unanswered);
                self.sessions[at] = earlier;
            }
        }
        self.sessions[previous].gone = true;
        self.sessions[previous].due.clear();
    }

    /// Whether somebody has asked for the Session before, with or without a CONNACK so far.
    fn was_asked_for_before(&self, own: usize) -> bool {
        let client_id = self.texts.get(self.sessions[own].client_id);
        let mut before = self.sessions[..own].iter();
        before.any(|session| self.texts.get(session.client_id) == client_id)
    }

    pub(super) fn disconnect_sent(
        link: &mut Link,
        version: Version,
        disconnect: &Disconnect<'_>,
        exact: bool,
    ) {
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
            // Who cannot take the packet as it is may not take it at all.
            link.asked.expiry = if link.wild {
                interval.max(link.asked.expiry)
            } else {
                interval
            };
        }
        if !version.has_properties() || disconnect.reason_code == ReasonCode::SUCCESS {
            // A target may have closed before, for an acknowledgement of nothing or because another client came.
            if link.wild || !exact && (link.quota_doubtful || link.taken_over) {
                link.will_doubtful = true;
            } else {
                link.will_recalled = true;
            }
        }
    }

    pub(super) fn dismissed(&mut self, client: usize, reason_code: ReasonCode) {
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
}
