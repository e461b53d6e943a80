//! From bytes to packets: framing, decoding, and which packet may come when (sections 2.1, 3.1.0, 4.13).
//!
//! What a packet may hold is the codec's to judge; its strict decoder refuses by clause. A broker that breaks one
//! of those clauses goes on with the packet as it could be read, if nothing else is wrong with it.

use clauses::Standard;
use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Pingresp, ReasonCode, Split,
    Version, ViolationKind,
};

use super::connection::Stage;
use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal, accept};
use crate::rules::{Rules, rule};

impl Core {
    /// Bytes have come on a connection.
    pub(super) fn received(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut input = std::mem::take(&mut connection.input);
        self.partial_bytes -= input.len();
        if input.is_empty() {
            let rest = self.take_frames(id, bytes);
            input.extend_from_slice(rest);
        } else {
            input.extend_from_slice(bytes);
            let left = self.take_frames(id, &input).len();
            input.drain(..input.len() - left);
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        self.partial_bytes += input.len();
        // Nobody has shown yet who they are.
        let waits = matches!(connection.stage, Stage::Verifying { .. });
        let too_early = waits && input.len() > self.config.limits.first_packet_size as usize;
        connection.input = input;
        if let Some(refusal) = connection.closes_later.take() {
            self.close(id, Some(refusal));
        } else if too_early || self.partial_bytes > self.config.limits.all_partial_bytes {
            self.refuse_partial(id);
        }
    }

    /// Handles every whole packet at the front of `bytes`; returns what is left of them.
    fn take_frames<'a>(&mut self, id: ConnectionId, mut bytes: &'a [u8]) -> &'a [u8] {
        loop {
            let Some(connection) = self.connections.get(&id) else {
                return &[];
            };
            let maximum = match connection.stage {
                Stage::Verifying { .. } => return bytes,
                Stage::Opened => self.config.limits.first_packet_size,
                _ => self.config.limits.maximum_packet_size,
            };
            let version = connection.rules.version();
            let maximum = usize::try_from(maximum).unwrap_or(MAXIMUM_PACKET_SIZE);
            let mut split = codec::split(bytes, version, Direction::ToServer, maximum);
            if let Err(violation) = split {
                let mut broken = self.rules.forgives(&violation, None);
                if violation.kind == ViolationKind::PacketTooLarge {
                    broken |= connection.rules.breaks(rule!("v5.0/MQTT-3.2.2-15"));
                    split = codec::split(bytes, version, Direction::ToServer, MAXIMUM_PACKET_SIZE);
                }
                if !broken {
                    self.refuse_framing(id, violation.into());
                    return &[];
                }
            }
            match split {
                Ok(Split::Complete { frame, rest }) => {
                    let first = matches!(connection.stage, Stage::Opened);
                    self.handle_frame(id, frame);
                    if first && self.ignores_what_follows_connect(id) {
                        return &[];
                    }
                    bytes = rest;
                }
                Ok(Split::Incomplete { .. }) => return bytes,
                // Without a length nobody can tell where the next packet begins.
                Err(_) => return &[],
            }
        }
    }

    /// All connections together have sent more than may wait for the rest of its packets. It is this one's turn to
    /// go: it sends, and does not complete what it sends.
    fn refuse_partial(&mut self, id: ConnectionId) {
        let rule = rule!("v3.1.1/MQTT-4.8.0-2", "v5.0/U50-4.13.1-2");
        let version = self
            .connections
            .get(&id)
            .map_or(Version::V5_0, |connection| connection.rules.version());
        let refusal = Refusal::new(rule.clauses(version)[0], ReasonCode::QUOTA_EXCEEDED);
        self.refuse_framing(id, refusal.because("too much has come in part"));
    }

    /// What cannot be taken apart as packets ends the connection. Before CONNECT there is no version to say why in.
    fn refuse_framing(&mut self, id: ConnectionId, refusal: Refusal) {
        let opened = self
            .connections
            .get(&id)
            .is_some_and(|connection| matches!(connection.stage, Stage::Opened));
        if opened {
            self.close(id, Some(refusal));
        } else {
            self.refuse(id, refusal);
        }
    }

    /// A client need not wait for CONNACK: what it sends behind its CONNECT is handled.
    fn ignores_what_follows_connect(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(|connection| {
            matches!(connection.stage, Stage::Connected(_))
                && connection
                    .rules
                    .breaks(rule!("v3.1.1/U311-3.1.4-3", "v5.0/U50-3.1.4-2"))
        })
    }

    fn handle_frame(&mut self, id: ConnectionId, frame: Frame<'_>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.last_received = self.now;
        let rules = connection.rules.clone();
        let handled = match connection.stage {
            Stage::Opened => self.handle_first(id, frame),
            Stage::Authenticating { .. } => self.handle_while_authenticating(id, &rules, frame),
            Stage::Connected(session) => self
                .read(&rules, frame)
                .and_then(|packet| self.handle_packet(id, &rules, session, packet)),
            // No frame is taken while it lasts.
            Stage::Verifying { .. } => Ok(()),
            Stage::Refused => {
                self.handle_refused(id, &rules, frame);
                Ok(())
            }
        };
        if let Err(refusal) = handled {
            self.refuse(id, refusal);
        }
    }

    fn handle_first(&mut self, id: ConnectionId, frame: Frame<'_>) -> Result<(), Refusal> {
        if frame.packet_type() != Some(PacketType::Connect) {
            // What comes before CONNECT has no version: either clause asks for the same.
            let rule = rule!("v3.1.1/MQTT-3.1.0-1", "v5.0/MQTT-3.1.0-1");
            if self.rules.keeps_in_every_version(rule) {
                self.close(
                    id,
                    Some(Refusal::new(
                        rule.clauses(Version::V5_0)[0],
                        ReasonCode::PROTOCOL_ERROR,
                    )),
                );
            } else if frame.packet_type() == Some(PacketType::Pingreq) {
                self.send(id, &Packet::Pingresp(Pingresp));
            }
            return Ok(());
        }
        let violation = match codec::decode_connect(frame) {
            Ok((version, connect)) => {
                accept::check_connect(&self.rules.of(version), &connect, frame)?;
                return self.connect(id, version, &connect, frame);
            }
            Err(violation) => violation,
        };
        if violation.kind == ViolationKind::UnsupportedProtocolVersion {
            return self.handle_unsupported(id, frame, violation);
        }
        if !self.rules.forgives(&violation, frame.packet_type()) {
            if let Some(version) = announced(frame)
                && let Some(connection) = self.connections.get_mut(&id)
            {
                connection.rules = self.rules.of(version);
            }
            return Err(violation.into());
        }
        let mut violations = Vec::new();
        let read = codec::decode_connect_leniently(frame, &mut violations);
        self.forgive(&violations, frame.packet_type())?;
        let (version, connect) = read.ok_or(violation)?;
        self.connect(id, version, &connect, frame)
    }

    /// CONNECT names a protocol or a version that is not spoken here. It is read as each that is, and refused in
    /// the way of the one that it would be sound in.
    fn handle_unsupported(
        &mut self,
        id: ConnectionId,
        frame: Frame<'_>,
        violation: codec::Violation,
    ) -> Result<(), Refusal> {
        let misnamed = violation.field == "protocol_name";
        // Either the name or the version is that of 3.1.
        let half = violation.clause.standard() == Standard::V3_1
            || misnamed && protocol_version(frame) == Some(Version::V3_1.level());
        let version = if half {
            Version::V3_1
        } else if as_version(frame, Version::V5_0).is_some_and(|bytes| is_sound(&bytes)) {
            Version::V5_0
        } else {
            Version::V3_1_1
        };
        let rules = self.rules.of(version);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.rules = rules.clone();
        }
        if misnamed {
            let reason = if rules.is_v5() {
                ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            } else {
                // 3.1.1 has no Return Code for it.
                ReasonCode::PROTOCOL_ERROR
            };
            rules.refuse_if(
                true,
                rule!("v3.1/V31-2.2-1", "v3.1.1/MQTT-3.1.2-1", "v5.0/MQTT-3.1.2-1"),
                reason,
            )?;
        } else {
            let reason = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
            rules.refuse_if(
                true,
                rule!("v3.1/V31-2.2-2", "v3.1.1/MQTT-3.1.2-2", "v5.0/MQTT-3.1.2-2"),
                reason,
            )?;
        }
        // A broker that breaks the rule serves the client as if it had named the version.
        let bytes = as_version(frame, version).unwrap_or_default();
        let frame = Frame::new(&bytes).ok_or(violation)?;
        let (version, connect) = codec::decode_connect(frame)?;
        self.connect(id, version, &connect, frame)
    }

    fn handle_while_authenticating(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        frame: Frame<'_>,
    ) -> Result<(), Refusal> {
        match self.read(rules, frame)? {
            Packet::Auth(auth) => self.continue_authentication(id, rules, &auth),
            Packet::Disconnect(_) => {
                self.close(id, None);
                Ok(())
            }
            _ => rules.refuse_if(
                true,
                rule!("v5.0/MQTT-3.1.2-30"),
                ReasonCode::PROTOCOL_ERROR,
            ),
        }
    }

    /// What a broker does that processes what was sent behind a CONNECT that it refused.
    fn handle_refused(&mut self, id: ConnectionId, rules: &Rules, frame: Frame<'_>) {
        match self.read(rules, frame) {
            Ok(Packet::Pingreq(_)) => {
                self.send(id, &Packet::Pingresp(Pingresp));
            }
            Ok(Packet::Publish(publish)) => self.publish_of_nobody(rules, &publish),
            _ => {}
        }
    }

    fn handle_packet(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        session: SessionKey,
        packet: Packet<'_>,
    ) -> Result<(), Refusal> {
        match packet {
            Packet::Connect(_) => rules.refuse_if(
                true,
                rule!("v3.1.1/MQTT-3.1.0-2", "v5.0/MQTT-3.1.0-2"),
                ReasonCode::PROTOCOL_ERROR,
            ),
            Packet::Publish(publish) => self.publish(id, rules, session, &publish),
            Packet::Puback(puback) => {
                self.acknowledged(rules, session, puback.packet_id, puback.reason_code);
                Ok(())
            }
            Packet::Pubrec(pubrec) => {
                self.received_by_client(id, rules, session, &pubrec);
                Ok(())
            }
            Packet::Pubrel(pubrel) => {
                self.released(id, rules, session, pubrel.packet_id);
                Ok(())
            }
            Packet::Pubcomp(pubcomp) => {
                self.completed(session, pubcomp.packet_id);
                Ok(())
            }
            Packet::Subscribe(subscribe) => self.subscribe(id, rules, session, &subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                self.unsubscribe(id, rules, session, &unsubscribe);
                Ok(())
            }
            Packet::Pingreq(_) => {
                // A full send window holds back nothing but PUBLISH.
                if self.is_window_full(session)
                    && rules.breaks(rule!("v5.0/MQTT-3.3.4-10", "v5.0/MQTT-4.9.0-3"))
                {
                    return Ok(());
                }
                // The Session State lasts as long as the connection at least.
                if rules.breaks(rule!("v3.1.1/MQTT-4.1.0-2", "v5.0/MQTT-4.1.0-1")) {
                    self.forget_subscriptions(session);
                }
                if rules.keeps(rule!("v3.1.1/MQTT-3.12.4-1", "v5.0/MQTT-3.12.4-1")) {
                    self.send(id, &Packet::Pingresp(Pingresp));
                }
                Ok(())
            }
            Packet::Disconnect(disconnect) => self.disconnected(id, rules, session, &disconnect),
            Packet::Auth(auth) if rules.is_v5() => self.authenticate_again(id, rules, &auth),
            // The codec lets these through only where the rule of their version or direction is broken.
            Packet::Auth(_)
            | Packet::Connack(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp(_) => Ok(()),
        }
    }

    /// Decodes a packet; a broken rule of the codec lets it through as it could be read.
    fn read<'a>(&self, rules: &Rules, frame: Frame<'a>) -> Result<Packet<'a>, Refusal> {
        let violation = match codec::decode(frame, rules.version(), Direction::ToServer) {
            Ok(packet) => {
                accept::check(rules, &packet, frame)?;
                return Ok(packet);
            }
            Err(violation) => violation,
        };
        if !self.rules.forgives(&violation, frame.packet_type()) {
            return Err(violation.into());
        }
        let mut violations = Vec::new();
        let packet =
            codec::decode_leniently(frame, rules.version(), Direction::ToServer, &mut violations);
        self.forgive(&violations, frame.packet_type())?;
        // Who does not mind what is no packet at all passes it over, like a PINGRESP.
        Ok(packet.unwrap_or(Packet::Pingresp(Pingresp)))
    }

    /// Refuses the first violation whose rule is not broken.
    fn forgive(
        &self,
        violations: &[codec::Violation],
        packet: Option<PacketType>,
    ) -> Result<(), Refusal> {
        match violations
            .iter()
            .find(|violation| !self.rules.forgives(violation, packet))
        {
            Some(&violation) => Err(violation.into()),
            None => Ok(()),
        }
    }
}

/// The version that a CONNECT names.
fn announced(frame: Frame<'_>) -> Option<Version> {
    let body = frame.body();
    let length = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    let name = body.get(2..2 + length)?;
    Version::announced_by(name, *body.get(2 + length)?)
}

/// The CONNECT with the Protocol Name and version of a protocol that is spoken; `None` where it is too short.
fn as_version(frame: Frame<'_>, version: Version) -> Option<Vec<u8>> {
    let body = frame.body();
    let length = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    let rest = body.get(2 + length + 1..)?;
    let name = version.protocol_name().as_bytes();
    let mut remaining = vec![0, u8::try_from(name.len()).ok()?];
    remaining.extend_from_slice(name);
    remaining.push(version.level());
    remaining.extend_from_slice(rest);
    let mut bytes = vec![frame.first_byte()];
    let mut size = remaining.len();
    loop {
        let byte = u8::try_from(size % 128).ok()?;
        size /= 128;
        bytes.push(if size > 0 { byte | 0x80 } else { byte });
        if size == 0 {
            break;
        }
    }
    bytes.append(&mut remaining);
    Some(bytes)
}

fn protocol_version(frame: Frame<'_>) -> Option<u8> {
    let body = frame.body();
    let length = usize::from(u16::from_be_bytes(*body.first_chunk()?));
    body.get(2 + length).copied()
}

fn is_sound(bytes: &[u8]) -> bool {
    Frame::new(bytes).is_some_and(|frame| codec::decode_connect(frame).is_ok())
}
