//! Enhanced authentication (5.0 section 4.12), whatever the method.

use codec::{Auth, Frame, Packet, PacketType, PropertiesBuf, PropertyId, ReasonCode};

use super::connection::Stage;
use super::method::{Exchange, Step};
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rule, Rules, rule};

/// An Authentication Method for tests: the server sends a challenge as Authentication Data, and who sends the
/// same data back has passed. It shows the course of an authentication and protects nothing.
pub const ECHO: &str = "ECHO";

/// The enhanced authentication of a connection.
#[derive(Debug)]
pub(crate) struct Authentication {
    method: Box<[u8]>,
    /// The one that is under way.
    exchange: Option<Box<dyn Exchange>>,
    /// How many were begun.
    rounds: u32,
    /// What CONNACK brings as Authentication Data.
    last_data: Option<Vec<u8>>,
}

/// What a client has shown at the end of an authentication.
#[derive(Debug, Default)]
struct Shown {
    data: Option<Vec<u8>>,
    user: Option<String>,
}

impl Core {
    /// CONNECT names an Authentication Method. Tells whether it has to be gone through first.
    pub(super) fn begin_authentication(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        (method, data): (&[u8], Option<&[u8]>),
        frame: Frame<'_>,
    ) -> Result<bool, Refusal> {
        let supported = self
            .methods
            .iter()
            .any(|known| known.name().as_bytes() == method);
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
            exchange: None,
            rounds: 0,
            last_data: None,
        });
        if !supported {
            return Ok(false);
        }
        connection.stage = Stage::Authenticating {
            connect: frame.as_bytes().into(),
        };
        self.begin_exchange(id);
        if let Some(shown) = self.advance(id, rules, data, rule!("v5.0/MQTT-4.12.0-4"))? {
            self.let_in(id, rules, shown)?;
        }
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
        let data = auth.properties.authentication_data();
        match self.advance(id, rules, data, rule!("v5.0/MQTT-4.12.0-4"))? {
            Some(shown) => self.let_in(id, rules, shown),
            None => Ok(()),
        }
    }

    /// Accepts the CONNECT that the authentication was about. A method that tells no user leaves it to the User Name
    /// and Password to do so.
    fn let_in(&mut self, id: ConnectionId, rules: &Rules, shown: Shown) -> Result<(), Refusal> {
        let Some(connection) = self.connections.get_mut(&id) else {
            return Ok(());
        };
        let Stage::Authenticating { connect } = &mut connection.stage else {
            return Ok(());
        };
        let connect = std::mem::take(connect);
        if let Some(authentication) = &mut connection.authentication {
            authentication.last_data = shown.data;
        }
        let identified = shown.user.is_some();
        if let Some(user) = shown.user {
            connection.user = Some(user.as_bytes().into());
        }
        // It was read before; a broken rule may have let it through.
        let frame = Frame::new(&connect);
        let read = frame.and_then(|frame| codec::decode_connect_leniently(frame, &mut Vec::new()));
        let Some((_, connect)) = read else {
            return Ok(());
        };
        if !identified
            && let Some(claim) = self.check_credentials(rules, &connect)?
            && let Some(frame) = frame
        {
            self.let_verify(id, claim, frame);
            return Ok(());
        }
        self.accept(id, rules, &connect)
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
            ReasonCode::RE_AUTHENTICATE => self.begin_exchange(id),
            ReasonCode::CONTINUE_AUTHENTICATION => {}
            // The codec lets nothing else through, unless its rule is broken.
            _ => return Ok(()),
        }
        let data = auth.properties.authentication_data();
        if let Some(shown) = self.advance(id, rules, data, rule!("v5.0/MQTT-4.12.1-2"))? {
            if let Some(user) = shown.user
                && let Some(connection) = self.connections.get_mut(&id)
            {
                connection.user = Some(user.as_bytes().into());
            }
            self.send_auth(id, rules, ReasonCode::SUCCESS, shown.data.as_deref());
        }
        Ok(())
    }

    /// Begins an authentication by the method of the connection, in place of one that is under way.
    fn begin_exchange(&mut self, id: ConnectionId) {
        let Some(authentication) = self
            .connections
            .get_mut(&id)
            .and_then(|connection| connection.authentication.as_mut())
        else {
            return;
        };
        authentication.rounds += 1;
        authentication.exchange = self
            .methods
            .iter()
            .find(|method| method.name().as_bytes() == &*authentication.method)
            .map(|method| method.begin(id, authentication.rounds));
    }

    /// Lets the method take the client's data; what the client has shown, once it has. A failure is refused by
    /// `rule`.
    fn advance(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        data: Option<&[u8]>,
        rule: Rule,
    ) -> Result<Option<Shown>, Refusal> {
        let Some(authentication) = self
            .connections
            .get_mut(&id)
            .and_then(|connection| connection.authentication.as_mut())
        else {
            return Ok(None);
        };
        let step = match &mut authentication.exchange {
            Some(exchange) => exchange.step(data),
            None => Step::Failed,
        };
        match step {
            Step::Continue(data) => {
                let reason = rules.must(
                    rule!("v5.0/MQTT-4.12.0-2"),
                    ReasonCode::CONTINUE_AUTHENTICATION,
                    ReasonCode::SUCCESS,
                );
                self.send_auth(id, rules, reason, Some(&data));
                Ok(None)
            }
            Step::Done { data, user } => {
                authentication.exchange = None;
                Ok(Some(Shown { data, user }))
            }
            Step::Failed => {
                authentication.exchange = None;
                rules.refuse_if(true, rule, ReasonCode::NOT_AUTHORIZED)?;
                Ok(Some(Shown::default()))
            }
        }
    }

    fn check_method(
        &self,
        id: ConnectionId,
        rules: &Rules,
        auth: &Auth<'_>,
        rule: Rule,
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
    fn name_authentication_method(
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

    /// What the CONNACK that accepts brings of the authentication: the method, and the last data of the exchange.
    pub(super) fn conclude_authentication(
        &self,
        id: ConnectionId,
        rules: &Rules,
        properties: &mut PropertiesBuf,
    ) {
        self.name_authentication_method(id, rules, properties);
        let data = self
            .connections
            .get(&id)
            .and_then(|connection| connection.authentication.as_ref())
            .and_then(|authentication| authentication.last_data.as_deref());
        if let Some(data) = data {
            properties.binary_data(PropertyId::AuthenticationData, data);
        }
    }
}
