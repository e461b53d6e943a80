//! CONNECT and its CONNACK (sections 3.1 and 3.2).

use std::sync::Arc;

use codec::{Connack, Connect, Frame, Packet, PropertiesBuf, PropertyId, QoS, ReasonCode, Version};

use super::access::Admission;
use super::connection::Stage;
use super::session::SessionKey;
use super::verify::{Claim, refuse_credentials_if};
use super::{ConnectionId, Core, Refusal, topic};
use crate::rules::{Rules, rule};

impl Core {
    /// A client asks to be connected.
    pub(super) fn connect(
        &mut self,
        id: ConnectionId,
        version: Version,
        connect: &Connect<'_>,
        frame: Frame<'_>,
    ) -> Result<(), Refusal> {
        let rules = self.rules.of(version);
        let aliases = self.outgoing_aliases(
            &rules,
            connect.properties.topic_alias_maximum().unwrap_or(0),
        );
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(());
        };
        connection.rules = rules.clone();
        // The codec refuses 0 here, unless its rule is broken: then it is as good as none.
        let sized = |value: &u32| *value > 0;
        connection.maximum_packet_size = connect.properties.maximum_packet_size().filter(sized);
        let receive_maximum = connect.properties.receive_maximum();
        connection.receive_maximum = receive_maximum.filter(|&n| n > 0).unwrap_or(u16::MAX);
        connection.problem_information =
            connect.properties.request_problem_information() != Some(0);
        connection.outgoing_aliases = aliases;
        connection.user = connect.user_name.map(|name| name.as_bytes().into());

        self.check_what_is_served(&rules, connect)?;
        if let Some(method) = connect.properties.authentication_method()
            && self.begin_authentication(
                id,
                &rules,
                (method.as_bytes(), connect.properties.authentication_data()),
                frame,
            )?
        {
            return Ok(());
        }
        match self.check_credentials(&rules, connect)? {
            Some(claim) => {
                self.let_verify(id, claim, frame);
                Ok(())
            }
            None => self.accept(id, &rules, connect),
        }
    }

    /// What the server does not serve, whoever asks (section 3.1.4, step 2).
    fn check_what_is_served(&self, rules: &Rules, connect: &Connect<'_>) -> Result<(), Refusal> {
        if let Some(redirection) = &self.config.redirection {
            let reason = if redirection.permanent {
                ReasonCode::SERVER_MOVED
            } else {
                ReasonCode::USE_ANOTHER_SERVER
            };
            rules
                .refuse_if(
                    true,
                    rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2"),
                    reason,
                )
                .map_err(|refusal| refusal.because("clients are served elsewhere"))?;
        }
        self.check_client_id(rules, connect)?;
        if let Some(will) = &connect.will {
            let levels = topic::levels(will.topic.as_bytes()).count();
            rules
                .refuse_if(
                    levels > self.config.limits.topic_levels,
                    rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2"),
                    ReasonCode::TOPIC_NAME_INVALID,
                )
                .map_err(|refusal| refusal.because("the Will Topic has too many levels"))?;
            rules.refuse_if(
                will.qos > self.config.features.maximum_qos && will.qos.is_valid(),
                rule!("v5.0/MQTT-3.2.2-12"),
                ReasonCode::QOS_NOT_SUPPORTED,
            )?;
            rules.refuse_if(
                will.retain && !self.config.features.retain,
                rule!("v5.0/MQTT-3.2.2-13"),
                ReasonCode::RETAIN_NOT_SUPPORTED,
            )?;
        }
        Ok(())
    }

    fn check_client_id(&self, rules: &Rules, connect: &Connect<'_>) -> Result<(), Refusal> {
        let client_id = connect.client_id.as_bytes();
        let reason = ReasonCode::CLIENT_IDENTIFIER_NOT_VALID;
        if client_id.is_empty() {
            // 3.1 has no Client Identifiers that the server assigns.
            rules.refuse_if(
                rules.version() == Version::V3_1,
                rule!("v3.1/V31-3.1-2"),
                reason,
            )?;
            rules.refuse_if(
                !rules.is_v5() && !connect.clean_start,
                rule!("v3.1.1/MQTT-3.1.3-7", "v3.1.1/MQTT-3.1.3-8"),
                reason,
            )?;
            return rules.refuse_if(
                !self.config.features.assigned_client_identifiers,
                rule!("v3.1.1/MQTT-3.1.3-9", "v5.0/MQTT-3.1.3-8"),
                reason,
            );
        }
        rules.refuse_if(
            rules.version() == Version::V3_1 && client_id.len() > 23,
            rule!("v3.1/V31-3.1-1"),
            reason,
        )?;
        let plain = client_id.len() <= 23 && client_id.iter().all(u8::is_ascii_alphanumeric);
        let allowed = !plain
            || rules.must(
                rule!("v3.1.1/MQTT-3.1.3-5", "v5.0/MQTT-3.1.3-5"),
                true,
                false,
            );
        rules.refuse_if(
            !allowed || self.config.access.refuses(client_id),
            rule!("v3.1.1/MQTT-3.1.3-9", "v5.0/MQTT-3.1.3-8"),
            reason,
        )
    }

    /// Asks for who the client is by its User Name and Password; tells what has to be verified first, if anything.
    pub(super) fn check_credentials(
        &self,
        rules: &Rules,
        connect: &Connect<'_>,
    ) -> Result<Option<Claim>, Refusal> {
        let user_name = connect.user_name.map(codec::Text::as_bytes);
        let denied = match self.config.access.admits(user_name, connect.password) {
            Admission::If(claim) => return Ok(Some(claim)),
            Admission::Granted => false,
            Admission::Denied => true,
        };
        refuse_credentials_if(denied, rules, connect)?;
        Ok(None)
    }

    /// Accepts the client: its Session, its Will, the CONNACK, and what waits for it.
    pub(super) fn accept(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
    ) -> Result<(), Refusal> {
        let assigned = connect
            .client_id
            .is_empty()
            .then(|| self.assign_client_id(rules));
        let client_id: Arc<[u8]> = match &assigned {
            Some(assigned) => assigned.as_bytes().into(),
            None => connect.client_id.as_bytes().into(),
        };
        let expiry = self.granted_expiry(rules, connect);
        let (session, present) =
            self.take_session(id, rules, &client_id, connect.clean_start, expiry)?;
        self.keep_will(rules, session, connect);
        let keep_alive = self.granted_keep_alive(rules, connect);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = Stage::Connected(session);
            connection.session_expiry = expiry;
            if let Some(session) = self.sessions.get_mut(session) {
                connection.incoming_aliases = std::mem::take(&mut session.stale_aliases);
            }
        }
        self.disarm(id);
        self.watch_keep_alive(id, keep_alive);
        let properties = self.capabilities(id, rules, connect, assigned.as_deref(), expiry);
        self.send_connack(id, rules, connect, present, &properties);
        self.resume_deliveries(session);
        Ok(())
    }

    /// A Client Identifier that no Session has. A count is as good as chance here, and can be repeated.
    fn assign_client_id(&mut self, rules: &Rules) -> String {
        loop {
            self.sessions.assigned += 1;
            let number = rules.must(
                rule!("v3.1.1/MQTT-3.1.3-6", "v5.0/MQTT-3.1.3-6"),
                self.sessions.assigned,
                0,
            );
            let client_id = format!("assigned{number}");
            if number == 0 || self.sessions.find(client_id.as_bytes()).is_none() {
                return client_id;
            }
        }
    }

    /// The Session Expiry Interval: what the client asks for, within the limit; before 5.0 all or nothing.
    fn granted_expiry(&self, rules: &Rules, connect: &Connect<'_>) -> u32 {
        // Clean Start decides how the Session begins, and not when it ends.
        let ends_with_connection = connect.clean_start && rules.breaks(rule!("v5.0/U50-3.1.2.4-1"));
        let asked = if ends_with_connection {
            0
        } else if rules.is_v5() {
            connect.properties.session_expiry_interval().unwrap_or(0)
        } else if connect.clean_start {
            0
        } else {
            u32::MAX
        };
        asked.min(self.config.limits.session_expiry.unwrap_or(u32::MAX))
    }

    /// The Keep Alive that holds: the server's own, where the client can be told.
    fn granted_keep_alive(&self, rules: &Rules, connect: &Connect<'_>) -> u16 {
        match self.config.limits.server_keep_alive {
            Some(seconds) if rules.is_v5() => seconds,
            _ => rules.must(rule!("v5.0/MQTT-3.2.2-22"), connect.keep_alive, 0),
        }
    }

    /// The properties by which CONNACK tells what this server can and cannot do (section 3.2.2.3).
    fn capabilities(
        &self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
        assigned: Option<&str>,
        expiry: u32,
    ) -> PropertiesBuf {
        let mut properties = PropertiesBuf::new();
        if !rules.is_v5() {
            return properties;
        }
        let (features, limits) = (&self.config.features, &self.config.limits);
        if expiry != connect.properties.session_expiry_interval().unwrap_or(0) {
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, expiry);
        }
        properties.two_byte_integer(PropertyId::ReceiveMaximum, limits.receive_maximum);
        if features.maximum_qos < QoS::EXACTLY_ONCE && rules.keeps(rule!("v5.0/MQTT-3.2.2-9")) {
            properties.byte(PropertyId::MaximumQoS, features.maximum_qos.value());
        }
        properties.four_byte_integer(PropertyId::MaximumPacketSize, limits.maximum_packet_size);
        if let Some(assigned) = assigned
            && rules.keeps(rule!("v5.0/MQTT-3.1.3-7", "v5.0/MQTT-3.2.2-16"))
        {
            properties.utf8_string(PropertyId::AssignedClientIdentifier, assigned);
        }
        if limits.topic_alias_maximum > 0 {
            properties.two_byte_integer(PropertyId::TopicAliasMaximum, limits.topic_alias_maximum);
        }
        for (offered, property) in [
            (features.retain, PropertyId::RetainAvailable),
            (
                features.wildcards,
                PropertyId::WildcardSubscriptionAvailable,
            ),
            (
                features.subscription_identifiers,
                PropertyId::SubscriptionIdentifierAvailable,
            ),
            (
                features.shared_subscriptions,
                PropertyId::SharedSubscriptionAvailable,
            ),
        ] {
            if !offered {
                properties.byte(property, 0);
            }
        }
        if let Some(seconds) = limits.server_keep_alive {
            properties.two_byte_integer(PropertyId::ServerKeepAlive, seconds);
        }
        let requested = connect.properties.request_response_information() == Some(1);
        if let Some(information) = &self.config.answers.response_information
            && (requested || rules.breaks(rule!("v5.0/MQTT-3.1.2-28")))
        {
            properties.utf8_string(PropertyId::ResponseInformation, information.as_str());
        }
        self.conclude_authentication(id, rules, &mut properties);
        properties.extend(
            self.explanation(id, codec::PacketType::Connack, None)
                .as_properties(),
        );
        properties
    }

    fn send_connack(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
        present: bool,
        properties: &PropertiesBuf,
    ) {
        if rules.breaks(rule!("v3.1.1/MQTT-3.1.4-4", "v5.0/MQTT-3.1.4-5")) {
            return;
        }
        let session_present = match (rules.version(), connect.clean_start) {
            // The byte is unused in 3.1.
            (Version::V3_1, _) => false,
            (_, true) => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-1", "v5.0/MQTT-3.2.2-2"),
                present,
                true,
            ),
            (_, false) if present => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-2", "v5.0/MQTT-3.2.2-3"),
                true,
                false,
            ),
            (_, false) => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-3", "v5.0/MQTT-3.2.2-3"),
                false,
                true,
            ),
        };
        if rules.breaks(rule!("v3.1.1/MQTT-3.2.0-1", "v5.0/MQTT-3.2.0-1")) {
            self.send(id, &Packet::Pingresp(codec::Pingresp));
        }
        let copies = rules.must(rule!("v5.0/MQTT-3.2.0-2"), 1, 2);
        for _ in 0..copies {
            self.send_explained(
                id,
                &Packet::Connack(Connack {
                    session_present,
                    reason_code: ReasonCode::SUCCESS,
                    properties: properties.as_properties(),
                }),
            );
        }
        if connect.properties.authentication_method().is_none() {
            self.send_auth_unasked(id, rules);
        }
    }

    /// Finds or makes the Session of the client (section 3.1.2.4); tells whether it existed.
    fn take_session(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        client_id: &Arc<[u8]>,
        clean_start: bool,
        expiry: u32,
    ) -> Result<(SessionKey, bool), Refusal> {
        if let Some(connected) = self.sessions.connection_of(client_id) {
            self.take_over(connected);
        }
        let clean = clean_start
            && rules.keeps(rule!(
                "v3.1/V31-2.2-5",
                "v3.1.1/MQTT-3.1.2-6",
                "v3.1.1/MQTT-3.1.4-3",
                "v5.0/MQTT-3.1.2-4",
                "v5.0/MQTT-3.1.4-4"
            ));
        let stored = if rules.keeps(rule!("v3.1.1/MQTT-3.1.3-2", "v5.0/MQTT-3.1.3-2")) {
            self.sessions.find(client_id)
        } else {
            self.sessions.any()
        };
        let resumed = match stored {
            Some(session) if clean => {
                self.end_session(session);
                None
            }
            Some(session) => rules
                .keeps(rule!(
                    "v3.1/V31-2.2-4",
                    "v3.1.1/MQTT-3.1.2-4",
                    "v5.0/MQTT-3.1.2-5"
                ))
                .then_some(session),
            None => None,
        };
        if let Some(session) = resumed {
            self.resume(session, id, rules, expiry);
            return Ok((session, true));
        }
        if let Some(session) = self.sessions.find(client_id) {
            self.end_session(session);
        }
        if !clean_start && rules.breaks(rule!("v5.0/MQTT-3.1.2-6")) {
            let clause = clauses::clause!("v5.0/MQTT-3.1.2-6");
            return Err(Refusal::new(clause, ReasonCode::SERVER_UNAVAILABLE));
        }
        if self.sessions.len() >= self.config.limits.sessions {
            let rule = rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2");
            let clause = rule.clauses(rules.version())[0];
            let refusal = Refusal::new(clause, ReasonCode::QUOTA_EXCEEDED);
            return Err(refusal.because("there are as many sessions as there may be"));
        }
        let user = self.connections.get(&id).and_then(|c| c.user.clone());
        let session = self
            .sessions
            .begin(client_id, Some(id), rules.clone(), user, expiry);
        self.persist_begin(session);
        Ok((session, false))
    }

    /// A second connection has come with the Client Identifier of this one.
    fn take_over(&mut self, connected: ConnectionId) {
        let Some(connection) = self.connections.get(&connected) else {
            return;
        };
        let rules = connection.rules.clone();
        let rule = rule!("v3.1/V31-3.1-8", "v3.1.1/MQTT-3.1.4-2", "v5.0/MQTT-3.1.4-3");
        if rules.keeps(rule) {
            let clause = rule.clauses(rules.version())[0];
            self.refuse(
                connected,
                Refusal::new(clause, ReasonCode::SESSION_TAKEN_OVER),
            );
        }
        if let Some(session) = self.session_of(connected) {
            self.detach(session, connected);
        }
    }
}
