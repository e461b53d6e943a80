//! CONNECT, and whether its client is served (section 3.1).

use codec::{Connect, Frame, ReasonCode, Version};

use super::access::Admission;
use super::verify::{Claim, refuse_credentials_if};
use super::{ConnectionId, Core, Refusal, topic};
use crate::config::RedirectedWhen;
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
        if let Some(redirection) = &self.config.redirection
            && redirection.when == RedirectedWhen::Connecting
        {
            rules
                .refuse_if(
                    true,
                    rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2"),
                    redirection.reason(),
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
}
