//! Enhanced authentication (5.0 section 4.12), with a method that shows its course and protects nothing.

use codec::{Auth, Frame, Packet, PacketType, PropertiesBuf, PropertyId, ReasonCode};

use super::connection::Stage;
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

/// An Authentication Method for tests: the server sends a challenge as Authentication Data, and who sends the
/// same data back is let in.
pub const ECHO: &str = "ECHO";

/// The enhanced authentication of a connection.
#[derive(Debug)]
pub(crate) struct Authentication {
    method: Box<[u8]>,
    /// What the client has to send back; none while no authentication is under way.
    challenge: Option<Box<[u8]>>,
    /// How many challenges this connection was sent.
    rounds: u32,
}

impl Core {
    /// CONNECT names an Authentication Method. Tells whether it has to be gone through first.
    pub(super) fn begin_authentication(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        method: &[u8],
        frame: Frame<'_>,
    ) -> Result<bool, Refusal> {
        let supported = self.config.features.enhanced_authentication && method == ECHO.as_bytes();
        rules.refuse_if(
            !supported,
            rule!("v5.0/MQTT-4.12.0-1"),
            ReasonCode::BAD_AUTHENTICATION_METHOD,
        )?;
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(false);
        };
        connection.authentication = Some(Authentication {
            method: method.into(),
            challenge: None,
            rounds: 0,
        });
        if !supported {
            return Ok(false);
        }
        connection.stage = Stage::Authenticating {
            connect: frame.as_bytes().into(),
        };
        self.challenge(id, rules);
        Ok(true)
    }

    /// AUTH before CONNACK.
    pub(super) fn continue_authentication(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        auth: &Auth<'_>,
    ) -> Result<(), Refusal> {
        rules.refuse_if(
            auth.reason_code != ReasonCode::CONTINUE_AUTHENTICATION,
            rule!("v5.0/MQTT-4.12.0-3"),
            ReasonCode::PROTOCOL_ERROR,
        )?;
        self.check_method(id, rules, auth, rule!("v5.0/U50-3.15-1"))?;
        let right = self.answers_challenge(id, auth);
        rules.refuse_if(
            !right,
            rule!("v5.0/MQTT-4.12.0-4"),
            ReasonCode::NOT_AUTHORIZED,
        )?;
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(());
        };
        let Stage::Authenticating { connect } = &mut connection.stage else {
            return Ok(());
        };
        let connect = std::mem::take(connect);
        // It was read before; a broken rule may have let it through.
        let frame = Frame::new(&connect);
        let read = frame.and_then(|frame| codec::decode_connect_leniently(frame, &mut Vec::new()));
        match read {
            Some((_, connect)) => self.accept(id, rules, &connect),
            None => Ok(()),
        }
    }

    /// AUTH on a connection that is accepted: the client authenticates again, or answers to that.
    pub(super) fn authenticate_again(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        auth: &Auth<'_>,
    ) -> Result<(), Refusal> {
        let asked_for = self
            .connections
            .get(&id)
            .is_some_and(|connection| connection.authentication.is_some());
        rules.refuse_if(
            !asked_for,
            rule!("v5.0/MQTT-4.12.0-7"),
            ReasonCode::PROTOCOL_ERROR,
        )?;
        if !asked_for {
            return Ok(());
        }
        self.check_method(
            id,
            rules,
            auth,
            rule!("v5.0/MQTT-4.12.1-1", "v5.0/U50-3.15-1"),
        )?;
        match auth.reason_code {
            ReasonCode::RE_AUTHENTICATE => self.challenge(id, rules),
            ReasonCode::CONTINUE_AUTHENTICATION => {
                let right = self.answers_challenge(id, auth);
                rules.refuse_if(
                    !right,
                    rule!("v5.0/MQTT-4.12.1-2"),
                    ReasonCode::NOT_AUTHORIZED,
                )?;
                self.send_auth(id, rules, ReasonCode::SUCCESS, None);
            }
            // The codec lets nothing else through, unless its rule is broken.
            _ => {}
        }
        Ok(())
    }

    fn check_method(
        &self,
        id: ConnectionId,
        rules: &Rules,
        auth: &Auth<'_>,
        rule: crate::rules::Rule,
    ) -> Result<(), Refusal> {
        let named = auth
            .properties
            .authentication_method()
            .map(codec::Text::as_bytes);
        let agreed = self
            .connections
            .get(&id)
            .and_then(|connection| connection.authentication.as_ref())
            .map(|authentication| &*authentication.method);
        rules.refuse_if(named != agreed, rule, ReasonCode::PROTOCOL_ERROR)
    }

    /// Sends a challenge. It is the number of the connection and of the round: the same exchange, the same bytes.
    fn challenge(&mut self, id: ConnectionId, rules: &Rules) {
        let Some(authentication) = self
            .connections
            .get_mut(&id)
            .and_then(|connection| connection.authentication.as_mut())
        else {
            return;
        };
        authentication.rounds += 1;
        let challenge = format!("challenge {}.{}", id.0, authentication.rounds);
        authentication.challenge = Some(challenge.as_bytes().into());
        let reason = rules.must(
            rule!("v5.0/MQTT-4.12.0-2"),
            ReasonCode::CONTINUE_AUTHENTICATION,
            ReasonCode::SUCCESS,
        );
        self.send_auth(id, rules, reason, Some(challenge.as_bytes()));
    }

    fn answers_challenge(&mut self, id: ConnectionId, auth: &Auth<'_>) -> bool {
        let challenge = self
            .connections
            .get_mut(&id)
            .and_then(|connection| connection.authentication.as_mut())
            .and_then(|authentication| authentication.challenge.take());
        challenge.is_some() && challenge.as_deref() == auth.properties.authentication_data()
    }

    fn send_auth(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        reason: ReasonCode,
        data: Option<&[u8]>,
    ) {
        let mut properties = PropertiesBuf::new();
        self.name_authentication_method(id, rules, &mut properties);
        if let Some(data) = data {
            properties.binary_data(PropertyId::AuthenticationData, data);
        }
        properties.extend(self.explanation(id, PacketType::Auth, None).as_properties());
        let reason_code = rules.must(rule!("v5.0/MQTT-3.15.2-1"), reason, ReasonCode(0x7F));
        self.send_explained(
            id,
            &Packet::Auth(Auth {
                reason_code,
                properties: properties.as_properties(),
            }),
        );
    }

    /// AUTH to a client that named no method: what a broker sends that breaks the rule against it.
    pub(super) fn send_auth_unasked(&mut self, id: ConnectionId, rules: &Rules) {
        if rules.is_v5() && rules.breaks(rule!("v5.0/MQTT-4.12.0-6")) {
            self.send_auth(id, rules, ReasonCode::CONTINUE_AUTHENTICATION, None);
        }
    }

    /// Repeats CONNECT's Authentication Method, in AUTH and in the CONNACK that accepts.
    pub(super) fn name_authentication_method(
        &self,
        id: ConnectionId,
        rules: &Rules,
        properties: &mut PropertiesBuf,
    ) {
        let authentication = self
            .connections
            .get(&id)
            .and_then(|connection| connection.authentication.as_ref());
        match authentication {
            Some(authentication) => {
                if rules.keeps(rule!("v5.0/MQTT-4.12.0-5")) {
                    properties
                        .utf8_string(PropertyId::AuthenticationMethod, &*authentication.method);
                }
            }
            None => {
                if rules.is_v5() && rules.breaks(rule!("v5.0/MQTT-4.12.0-6")) {
                    properties.utf8_string(PropertyId::AuthenticationMethod, ECHO);
                }
            }
        }
    }
}
