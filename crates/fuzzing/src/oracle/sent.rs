//! What a client sends, taken apart into packets; what each means stands with its subject.

use std::time::Duration;

use clauses::{ClauseId, clause};
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Split, Version};

use super::Oracle;
use super::doubtful::holds_doubtful_text;
use super::link::{Kind, Stage};

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
        if link.blind {
            link.cannot_be_read(bytes);
            return;
        }
        if !link.open {
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
            let tick = self.tick;
            let Some(Some(link)) = self.links.get_mut(client) else {
                return bytes.len();
            };
            if link.blind {
                link.cannot_be_read(rest);
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
                    // Whoever takes what follows for packets need not have closed, and must. Before CONNECT is whole,
                    // nobody knows the version.
                    if link.stage != Stage::Opened
                        && let Some(clause) = wrong_from_the_start(rest, link.version)
                    {
                        link.begins_wrongly(clause, tick);
                        link.cannot_be_read(rest);
                    }
                    return bytes.len() - rest.len();
                }
                Err(violation) => {
                    link.violates(
                        violation.clause,
                        "what cannot be taken apart as packets",
                        tick,
                    );
                    link.blind = true;
                }
            }
        }
    }

    fn packet_sent(&mut self, client: usize, frame: Frame<'_>) {
        let (tick, now) = (self.tick, self.now);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        match link.stage {
            Stage::Opened if frame.packet_type() == Some(PacketType::Connect) => {
                match codec::decode_connect(frame) {
                    Ok((version, connect)) if self.is_shared(connect.client_id.as_bytes()) => {
                        self.shared_connect_sent(client, frame, version);
                    }
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
                        link.violates(violation.clause, "a malformed packet", tick);
                        // Who takes it nevertheless may do with it what it seems to say.
                        let mut violations = Vec::new();
                        if let Some(packet) = codec::decode_leniently(
                            frame,
                            version,
                            Direction::ToServer,
                            &mut violations,
                        ) {
                            self.sound_packet_sent(client, version, &packet);
                        } else {
                            link.cannot_be_read(frame.as_bytes());
                        }
                        if frame.packet_type().is_none() {
                            // Who goes on behind a packet of no type need not take its length for one.
                            if let Some(Some(link)) = self.links.get_mut(client) {
                                link.blind = true;
                            }
                        }
                    }
                }
            }
        }
    }

    fn sound_packet_sent(&mut self, client: usize, version: Version, packet: &Packet<'_>) {
        let tick = self.tick;
        let exact = self.is_exact();
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
        // Who takes it for malformed closes, and who does not goes on.
        if !exact && holds_doubtful_text(packet) {
            link.goes_wild();
        }
        match packet {
            Packet::Connect(_) => {
                let clause = if version.has_properties() {
                    clause!("v5.0/MQTT-3.1.0-2")
                } else {
                    clause!("v3.1.1/MQTT-3.1.0-2")
                };
                link.violates(clause, "a second CONNECT", tick);
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
            Packet::Disconnect(disconnect) => {
                Self::disconnect_sent(link, version, disconnect, exact);
            }
            Packet::Auth(_) => {
                if link.asked.authentication {
                    link.may_close = true;
                    link.proofs += 1;
                    let (asked, own) = (link.asked, link.session);
                    if let (Stage::Asking, Some(own)) = (link.stage, own) {
                        // Others may have come and gone since CONNECT; with this packet the client may be back.
                        let client_id = self.sessions[own].client_id;
                        let client_id = self.texts.get(client_id).to_vec();
                        self.take_over(client, self.latest_session(&client_id));
                        self.recall_wills(&client_id, asked, exact);
                    }
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
}

/// The clause that the first byte of a packet breaks, whatever follows.
fn wrong_from_the_start(begun: &[u8], version: Version) -> Option<ClauseId> {
    let frame = [*begun.first()?, 0];
    let violation = codec::decode(Frame::new(&frame)?, version, Direction::ToServer).err()?;
    (violation.offset == 0).then_some(violation.clause)
}
