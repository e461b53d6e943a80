//! A refusal, and how a connection ends because of one (5.0 section 4.13, 3.1.1 section 4.8).

use std::fmt;

use clauses::ClauseId;
use codec::{
    Connack, Disconnect, Packet, PacketType, PropertiesBuf, PropertyId, ReasonCode, Version,
    Violation, connect_return_code,
};

use super::connection::Stage;
use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

/// Why the broker refuses what a client did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that the client broke, or that has the broker end the connection.
    pub clause: ClauseId,
    /// The Reason Code that 5.0 gives it.
    pub reason: ReasonCode,
    /// What the codec found, where it was the codec that refused.
    pub violation: Option<Violation>,
    /// Why, where the clause does not tell it.
    pub because: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(clause: ClauseId, reason: ReasonCode) -> Self {
        Self {
            clause,
            reason,
            violation: None,
            because: None,
        }
    }

    /// Tells why, where the clause does not.
    pub(crate) fn because(self, because: &'static str) -> Self {
        Self {
            because: Some(because),
            ..self
        }
    }

    /// The Connect Return Code of 3.1.1 that says the same, if one does (section 3.2.2.3).
    fn connect_return_code(&self) -> Option<ReasonCode> {
        match self.reason {
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => {
                Some(connect_return_code::UNACCEPTABLE_PROTOCOL_VERSION)
            }
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => {
                Some(connect_return_code::IDENTIFIER_REJECTED)
            }
            ReasonCode::SERVER_UNAVAILABLE
            | ReasonCode::SERVER_BUSY
            | ReasonCode::QUOTA_EXCEEDED
            | ReasonCode::USE_ANOTHER_SERVER
            | ReasonCode::SERVER_MOVED => Some(connect_return_code::SERVER_UNAVAILABLE),
            ReasonCode::BAD_USER_NAME_OR_PASSWORD => {
                Some(connect_return_code::BAD_USER_NAME_OR_PASSWORD)
            }
            ReasonCode::NOT_AUTHORIZED | ReasonCode::BANNED => {
                Some(connect_return_code::NOT_AUTHORIZED)
            }
            _ => None,
        }
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self {
            clause: violation.clause,
            reason: violation.reason_code,
            violation: Some(violation),
            because: None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.violation {
            Some(violation) => violation.fmt(f),
            None => write!(
                f,
                "{} ({}, {})",
                self.because.unwrap_or(self.clause.clause().summary),
                self.reason,
                self.clause.name()
            ),
        }
    }
}

impl Core {
    /// Refuses what a client did: tells it why, where its version can, and closes the connection.
    pub(super) fn refuse(&mut self, id: ConnectionId, refusal: Refusal) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let rules = connection.rules.clone();
        match connection.stage {
            Stage::Opened | Stage::Authenticating { .. } | Stage::Verifying { .. } => {
                self.refuse_connect(id, &rules, refusal);
            }
            Stage::Connected(_) => self.refuse_connected(id, &rules, refusal),
            // It was refused before, and only a broken rule keeps it open.
            Stage::Refused => {}
        }
    }

    fn refuse_connect(&mut self, id: ConnectionId, rules: &Rules, refusal: Refusal) {
        // Where CONNECT cannot be read, the clause tells as which version it was tried.
        let rules = match refusal.clause.standard() {
            clauses::Standard::V5_0 => self.rules.of(Version::V5_0),
            _ if rules.is_v5() => self.rules.of(Version::V3_1_1),
            _ => rules.clone(),
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.rules = rules.clone();
            connection.stage = Stage::Refused;
        }
        // DISCONNECT is for connections that CONNACK has accepted.
        if rules.breaks(rule!("v5.0/MQTT-3.14.0-1")) {
            self.disconnect(id, &rules, refusal);
            return;
        }
        let told = self.refuse_with_connack(id, &rules, refusal);
        let closes = if told {
            rules.keeps(rule!(
                "v3.1.1/MQTT-3.2.2-5",
                "v5.0/MQTT-3.2.2-7",
                "v5.0/MQTT-4.13.2-1"
            ))
        } else {
            true
        };
        // Each of these has the connection closed on its own; a broker with one of them broken does not.
        let closes = closes
            && rules.keeps(match refusal.reason {
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => {
                    rule!("v3.1.1/MQTT-3.1.2-2", "v5.0/MQTT-3.1.2-2")
                }
                ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => {
                    rule!("v3.1.1/MQTT-3.1.3-9", "v5.0/MQTT-3.1.3-8")
                }
                ReasonCode::BAD_AUTHENTICATION_METHOD => {
                    rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-4.12.0-1")
                }
                ReasonCode::BAD_USER_NAME_OR_PASSWORD | ReasonCode::NOT_AUTHORIZED => {
                    rule!(
                        "v3.1.1/U311-3.1.4-2",
                        "v5.0/MQTT-3.1.4-2",
                        "v5.0/MQTT-4.12.0-4"
                    )
                }
                _ => rule!(
                    "v3.1/V31-3.1-9",
                    "v3.1.1/MQTT-3.1.4-1",
                    "v3.1.1/MQTT-4.8.0-1",
                    "v5.0/MQTT-3.1.4-1",
                    "v5.0/MQTT-4.13.1-1"
                ),
            });
        if !closes {
            return;
        }
        // What was sent behind the CONNECT is not processed. A broker that breaks this closes after it.
        if rules.breaks(rule!("v3.1.1/MQTT-3.1.4-5", "v5.0/MQTT-3.1.4-6")) {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.closes_later = Some(refusal);
            }
        } else {
            self.close(id, Some(refusal));
        }
    }

    /// Sends the CONNACK that refuses, if the version has one for the reason.
    fn refuse_with_connack(&mut self, id: ConnectionId, rules: &Rules, refusal: Refusal) -> bool {
        let reason_code = if rules.is_v5() {
            // 5.0 leaves the choice to send CONNACK (U50-4.13.1-3); sending it shows more.
            let listed = refusal.reason.is_allowed_in(
                PacketType::Connack,
                codec::Direction::ToClient,
                Version::V5_0,
            );
            rules.must(
                rule!("v5.0/MQTT-3.2.2-8"),
                if listed {
                    refusal.reason
                } else {
                    ReasonCode::UNSPECIFIED_ERROR
                },
                ReasonCode(0x7F),
            )
        } else {
            match refusal.connect_return_code() {
                Some(code) if rules.keeps(rule!("v3.1.1/U311-3.2.2.3-1")) => code,
                Some(_) => return false,
                // A CONNECT that breaks section 3.1, and every reason without a code, gets no CONNACK.
                None if rules.keeps(rule!("v3.1.1/MQTT-3.1.4-1", "v3.1.1/MQTT-3.2.2-6")) => {
                    return false;
                }
                None => connect_return_code::SERVER_UNAVAILABLE,
            }
        };
        let session_present = rules.must(
            rule!("v3.1.1/MQTT-3.2.2-4", "v5.0/MQTT-3.2.2-6"),
            false,
            true,
        );
        let mut properties = self.explanation(id, PacketType::Connack, Some(refusal));
        self.refer_elsewhere(refusal.reason, &mut properties);
        self.send_explained(
            id,
            &Packet::Connack(Connack {
                session_present,
                reason_code,
                properties: properties.as_properties(),
            }),
        );
        true
    }

    /// Names the server that clients are sent to, if that is why they are refused (section 4.11).
    fn refer_elsewhere(&self, reason: ReasonCode, properties: &mut PropertiesBuf) {
        if let Some(redirection) = &self.config.redirection
            && matches!(
                reason,
                ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED
            )
        {
            let server = redirection.server_reference.as_str();
            properties.utf8_string(PropertyId::ServerReference, server);
        }
    }

    fn refuse_connected(&mut self, id: ConnectionId, rules: &Rules, refusal: Refusal) {
        let erred = !matches!(
            refusal.reason,
            ReasonCode::KEEP_ALIVE_TIMEOUT
                | ReasonCode::SESSION_TAKEN_OVER
                | ReasonCode::SERVER_SHUTTING_DOWN
                | ReasonCode::USE_ANOTHER_SERVER
                | ReasonCode::SERVER_MOVED
        );
        if !erred || rules.keeps(rule!("v3.1.1/MQTT-4.8.0-1", "v5.0/MQTT-4.13.1-1")) {
            self.disconnect(id, rules, refusal);
        }
    }

    /// Sends DISCONNECT with the reason, where the version has it, and closes the connection.
    pub(super) fn disconnect(&mut self, id: ConnectionId, rules: &Rules, refusal: Refusal) {
        if rules.keeps(rule!("v5.0/U50-4.13.1-2")) {
            let listed = refusal.reason.is_allowed_in(
                PacketType::Disconnect,
                codec::Direction::ToClient,
                Version::V5_0,
            );
            let reason_code = rules.must(
                rule!("v5.0/MQTT-3.14.2-1"),
                if listed {
                    refusal.reason
                } else {
                    ReasonCode::UNSPECIFIED_ERROR
                },
                ReasonCode(0x7F),
            );
            let mut properties = self.explanation(id, PacketType::Disconnect, Some(refusal));
            self.refer_elsewhere(refusal.reason, &mut properties);
            if rules.breaks(rule!("v5.0/MQTT-3.14.2-2")) {
                properties.four_byte_integer(PropertyId::SessionExpiryInterval, 0);
            }
            self.send_explained(
                id,
                &Packet::Disconnect(Disconnect {
                    reason_code,
                    properties: properties.as_properties(),
                }),
            );
            if rules.breaks(rule!("v5.0/MQTT-3.14.4-1")) {
                self.send(id, &Packet::Pingresp(codec::Pingresp));
            }
            // The Network Connection is closed behind a DISCONNECT, and behind any code of 0x80 and above.
            if rules.breaks(rule!("v5.0/MQTT-3.14.4-2", "v5.0/MQTT-4.13.2-1")) {
                return;
            }
        }
        self.close(id, Some(refusal));
    }
}
