//! What a broker offers, allows and bounds. The default offers everything, to anyone.
//!
//! All of it can be read from a file: the keys are the names of the fields, and what is left out has its default.

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clauses::ClauseId;
use codec::{QoS, ReasonCode};
use serde::Deserialize;

use crate::Password;
use crate::rules::ClauseSet;
use crate::{Breach, Breakable};

/// The configuration of a broker.
///
/// The limited servers of the standard (a Maximum QoS, no retained messages, no wildcards …) are made by
/// switching off [`Features`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// The clauses that this broker disobeys, each in isolation.
    pub broken: ClauseSet,
    /// Where else this broker takes what a clause forbids: in one field of one Control Packet.
    pub broken_at: BTreeSet<Breach>,
    /// What the broker offers.
    pub features: Features,
    /// What the broker bounds.
    pub limits: Limits,
    /// Who may do what.
    pub access: Access,
    /// What the broker tells its clients.
    pub answers: Answers,
    /// Where clients are sent instead of being served (5.0 section 4.11); nobody by default.
    pub redirection: Option<Redirection>,
    /// Whether nobody will ask which rules were consulted ([`Core::consulted`](crate::core::Core::consulted)): a core that
    /// keeps them all does not note it then, and is faster.
    pub unasked: bool,
    /// Whether the core's actions say what to persist, before what acknowledges it.
    pub persistent: bool,
}

/// The optional parts of MQTT, announced in CONNACK where they are missing (5.0 section 3.2.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a feature of its own, as CONNACK announces them"
)]
pub struct Features {
    /// The highest QoS that a client may publish with.
    #[serde(deserialize_with = "reading::qos")]
    pub maximum_qos: QoS,
    /// Retained messages.
    pub retain: bool,
    /// Wildcards in Topic Filters.
    pub wildcards: bool,
    /// Shared Subscriptions.
    pub shared_subscriptions: bool,
    /// Subscription Identifiers.
    pub subscription_identifiers: bool,
    /// A Client Identifier for a client that brings none.
    pub assigned_client_identifiers: bool,
    /// The methods of enhanced authentication (5.0 section 4.12).
    pub authentication_methods: Vec<AuthenticationMethod>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            maximum_qos: QoS::EXACTLY_ONCE,
            retain: true,
            wildcards: true,
            shared_subscriptions: true,
            subscription_identifiers: true,
            assigned_client_identifiers: true,
            authentication_methods: vec![
                AuthenticationMethod::Echo,
                AuthenticationMethod::ScramSha256,
            ],
        }
    }
}

impl Features {
    /// Whether the method is offered.
    pub(crate) fn authenticates_by(&self, method: AuthenticationMethod) -> bool {
        self.authentication_methods.contains(&method)
    }
}

/// A method of enhanced authentication (5.0 section 4.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum AuthenticationMethod {
    /// [`ECHO`](crate::core::ECHO), for tests: it shows nothing of who the client is.
    #[serde(rename = "ECHO")]
    Echo,
    /// [`SCRAM-SHA-256`](crate::SCRAM_SHA_256), where there are users with passwords.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
}

/// What the broker bounds, so that no client can exhaust it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at one time, those that have not sent CONNECT included.
    #[serde(deserialize_with = "reading::positive")]
    pub connections: usize,
    /// Sessions, connected or stored.
    #[serde(deserialize_with = "reading::positive")]
    pub sessions: usize,
    /// Subscriptions of one Session.
    pub subscriptions: usize,
    /// Subscriptions of all Sessions.
    pub all_subscriptions: usize,
    /// Levels of a Topic Name or Topic Filter.
    #[serde(deserialize_with = "reading::positive")]
    pub topic_levels: usize,
    /// Retained messages, whoever published them.
    pub retained_messages: usize,
    /// Bytes of all retained messages, topics included.
    pub retained_bytes: usize,
    /// Messages that wait for one Session, beyond those in flight. With one more the Session ends: none is left out in
    /// silence. A subscription that matches more retained messages is refused.
    pub queued_messages: usize,
    /// Bytes of the messages that wait for one Session or are in flight to it, and of the retained messages that
    /// one SUBSCRIBE brings at once.
    pub queued_bytes: usize,
    /// Messages that wait or are in flight, over all Sessions; one for several counts for each.
    pub all_queued_messages: usize,
    /// Bytes of the messages that wait or are in flight, over all Sessions; one for several counts for each.
    pub all_queued_bytes: usize,
    /// Bytes of packets that have come in part, over all connections.
    pub all_partial_bytes: usize,
    /// QoS 1 and 2 messages in flight to one client; its Receive Maximum may be lower.
    #[serde(deserialize_with = "reading::positive")]
    pub in_flight: u16,
    /// QoS 2 messages in flight from one client: the server's Receive Maximum (5.0 section 3.2.2.3.3).
    #[serde(deserialize_with = "reading::positive")]
    pub receive_maximum: u16,
    /// Bytes of a Control Packet from a client (5.0 section 3.2.2.3.6).
    #[serde(deserialize_with = "reading::positive")]
    pub maximum_packet_size: u32,
    /// Bytes of the first packet of a connection, while nobody has shown who they are.
    #[serde(deserialize_with = "reading::positive")]
    pub first_packet_size: u32,
    /// Topic Aliases that a client may use (5.0 section 3.2.2.3.8).
    pub topic_alias_maximum: u16,
    /// Topic Aliases that the broker itself uses towards one client, if the client lets it.
    pub topic_aliases_used: u16,
    /// The longest Session Expiry Interval in seconds that is granted; none by default.
    pub session_expiry: Option<u32>,
    /// The Keep Alive in seconds that is given in place of the client's (5.0 section 3.2.2.3.14). A client of
    /// 3.1.1 cannot be told and keeps its own.
    pub server_keep_alive: Option<u16>,
    /// Time from opening a connection to its CONNECT, and for all of an authentication.
    #[serde(deserialize_with = "reading::duration")]
    pub connect_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            sessions: 100_000,
            subscriptions: 10_000,
            all_subscriptions: 1_000_000,
            topic_levels: 200,
            retained_messages: 100_000,
            retained_bytes: 256 << 20,
            queued_messages: 10_000,
            queued_bytes: 16 << 20,
            all_queued_messages: 1_000_000,
            all_queued_bytes: 512 << 20,
            all_partial_bytes: 64 << 20,
            in_flight: 1_000,
            receive_maximum: 32,
            maximum_packet_size: 4 << 20,
            first_packet_size: 1 << 20,
            topic_alias_maximum: 16,
            topic_aliases_used: 16,
            session_expiry: None,
            server_keep_alive: None,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Who may connect, and who may publish and subscribe to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whether a client may connect without a User Name.
    pub anonymous: bool,
    /// The Password of each User Name. When there are none, any User Name is let in.
    pub passwords: BTreeMap<String, Password>,
    /// Client Identifiers that are refused.
    pub refused_client_ids: Vec<String>,
    /// What is permitted; the first entry that fits decides, and without one everything is.
    pub permissions: Vec<Permission>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            anonymous: true,
            passwords: BTreeMap::new(),
            refused_client_ids: Vec::new(),
            permissions: Vec::new(),
        }
    }
}

/// What is permitted to one user, or to all, in the topics of one Topic Filter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// The User Name; none speaks of everybody.
    #[serde(default)]
    pub user: Option<String>,
    /// The topics.
    #[serde(deserialize_with = "reading::filter")]
    pub filter: String,
    /// Whether publishing there is allowed.
    pub publish: bool,
    /// Whether subscribing, and receiving, is allowed there.
    pub subscribe: bool,
}

/// What the broker tells its clients beyond what it must.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// Whether refusals carry a Reason String that names the clause.
    pub reason_strings: bool,
    /// The Response Information for clients that request it (5.0 section 3.2.2.3.15).
    pub response_information: Option<String>,
    /// User Properties on every answer that may carry some.
    pub user_properties: Vec<(String, String)>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            reason_strings: true,
            response_information: Some("response".into()),
            user_properties: Vec::new(),
        }
    }
}

/// Where clients are sent, and when (5.0 section 4.11).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirection {
    /// The Server Reference, such as `other.example:1883`.
    pub server_reference: String,
    /// Whether the move is for good (Server moved) or for now (Use another server).
    #[serde(default)]
    pub permanent: bool,
    /// When clients are sent there.
    #[serde(default)]
    pub when: RedirectedWhen,
}

impl Redirection {
    /// The Reason Code by which clients are told.
    pub(crate) fn reason(&self) -> ReasonCode {
        if self.permanent {
            ReasonCode::SERVER_MOVED
        } else {
            ReasonCode::USE_ANOTHER_SERVER
        }
    }
}

/// When clients are sent to another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedirectedWhen {
    /// As soon as they connect, by CONNACK: nobody is served.
    #[default]
    Connecting,
    /// When the broker stops, by DISCONNECT: until then they are served.
    Stopping,
}

/// A configuration that cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A limit is 0 where the standard forbids it or where nothing could be served.
    #[error("`{name}` must be greater than 0")]
    Zero {
        /// The limit.
        name: &'static str,
    },
    /// The highest QoS is no QoS.
    #[error("`maximum_qos` must be 0, 1 or 2, not {0}")]
    MaximumQoS(u8),
    /// A permission's Topic Filter is none.
    #[error("`{0}` in `permissions` is no Topic Filter")]
    Filter(String),
    /// The system lets the broker have no thread for its store.
    #[error("no thread can be started for the store: {0}")]
    Thread(std::io::ErrorKind),
    /// SCRAM-SHA-256 cannot be offered.
    #[error("SCRAM-SHA-256 cannot be offered: {0}")]
    Scram(String),
    /// A rule is to be broken that the broker does not have.
    #[error("`{0}` cannot be broken: the broker has no such rule (MQTT-SN is another protocol)")]
    Unbreakable(ClauseId),
}

impl Config {
    /// A broker that disobeys exactly these clauses.
    pub fn breaking(broken: impl IntoIterator<Item = ClauseId>) -> Self {
        Self {
            broken: broken.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Disobeys this as well.
    pub fn disobey(&mut self, rule: Breakable) {
        match rule {
            Breakable::Clause(clause) => {
                self.broken.insert(clause);
            }
            Breakable::Breach(breach) => {
                self.broken_at.insert(breach);
            }
        }
    }

    /// All that this broker disobeys.
    pub fn disobeyed(&self) -> impl Iterator<Item = Breakable> + use<'_> {
        let places = self.broken_at.iter().cloned().map(Breakable::Breach);
        self.broken.iter().map(Breakable::Clause).chain(places)
    }

    /// Checks the values that cannot be served.
    ///
    /// # Errors
    ///
    /// The first such value.
    pub fn check(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let nonzero = [
            ("connections", limits.connections != 0),
            ("sessions", limits.sessions != 0),
            ("topic_levels", limits.topic_levels != 0),
            ("in_flight", limits.in_flight != 0),
            ("receive_maximum", limits.receive_maximum != 0),
            ("maximum_packet_size", limits.maximum_packet_size != 0),
            ("first_packet_size", limits.first_packet_size != 0),
            ("connect_timeout", !limits.connect_timeout.is_zero()),
        ];
        if let Some(&(name, _)) = nonzero.iter().find(|(_, sound)| !sound) {
            return Err(ConfigError::Zero { name });
        }
        if self.features.maximum_qos > QoS::EXACTLY_ONCE {
            return Err(ConfigError::MaximumQoS(self.features.maximum_qos.value()));
        }
        if let Some(permission) = self
            .access
            .permissions
            .iter()
            .find(|permission| !crate::core::topic::is_filter(permission.filter.as_bytes()))
        {
            return Err(ConfigError::Filter(permission.filter.clone()));
        }
        match self
            .disobeyed()
            .map(|rule| rule.clause())
            .find(|clause| clause.standard() == clauses::Standard::Sn1_2)
        {
            Some(clause) => Err(ConfigError::Unbreakable(clause)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_can_be_served() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_served_is_told() {
        let mut config = Config::default();
        config.limits.receive_maximum = 0;
        let error = config.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`receive_maximum` must be greater than 0"
        );
        let mut config = Config::default();
        config.access.permissions.push(Permission {
            user: None,
            filter: "a/#/b".into(),
            publish: false,
            subscribe: true,
        });
        assert_eq!(config.check(), Err(ConfigError::Filter("a/#/b".into())));
        let config = Config::breaking([clauses::all().next().unwrap()]);
        assert!(matches!(config.check(), Err(ConfigError::Unbreakable(_))));
    }
}
