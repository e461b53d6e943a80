//! [`Traces`]: what a script leaves behind on the target, and how it is taken back.
//!
//! A day of scripts would leave millions of sessions and retained messages behind; a target that keeps them, as it must,
//! would look like one that leaks.

use std::collections::BTreeSet;
use std::time::Duration;

use codec::{
    Connack, Connect, Disconnect, Packet, Properties, Publish, QoS, ReasonCode, Text, Version,
};
use runner::link::LinkOptions;
use runner::target::{Credentials, Target};
use tokio::time::{Instant, timeout_at};

use super::wire::{Came, Wire};
use crate::script::CLIENTS;

/// How long it may take to take everything back.
const WITHIN: Duration = Duration::from_secs(2);

/// What the clients of a script asked the target to keep.
#[derive(Debug, Clone, Default)]
pub(super) struct Traces {
    clients: [Client; CLIENTS],
    /// The Client Identifiers of sessions that may outlive their connections.
    sessions: BTreeSet<(Version, Vec<u8>)>,
    /// Topics that may have a retained message.
    retained: BTreeSet<Vec<u8>>,
}

/// The connection that a client asked for last.
#[derive(Debug, Clone, Default)]
struct Client {
    version: Option<Version>,
    id: Vec<u8>,
    lasts: bool,
}

impl Traces {
    /// Takes in a sound packet that a client sends.
    pub(super) fn sent(&mut self, client: usize, packet: &Packet<'_>) {
        let Some(client) = self.clients.get_mut(client) else {
            return;
        };
        match packet {
            Packet::Connect(connect) => {
                let name = connect.protocol_name.as_bytes();
                let version = Version::announced_by(name, connect.protocol_version);
                let expiry = connect.properties.session_expiry_interval().unwrap_or(0);
                *client = Client {
                    version,
                    id: connect.client_id.as_bytes().to_vec(),
                    lasts: match version {
                        Some(Version::V5_0) => expiry > 0,
                        _ => !connect.clean_start,
                    },
                };
                // Its CONNACK may come when the script is over.
                if client.lasts {
                    let (version, id) = (client.version, client.id.clone());
                    self.remember(version, id);
                }
                if let Some(will) = &connect.will
                    && will.retain
                {
                    self.retained.insert(will.topic.as_bytes().to_vec());
                }
            }
            Packet::Publish(publish)
                if publish.retain || publish.properties.topic_alias().is_some() =>
            {
                // With an alias, a later packet can retain without saying the topic.
                self.retained.insert(publish.topic.as_bytes().to_vec());
            }
            Packet::Disconnect(disconnect) => {
                let expiry = disconnect.properties.session_expiry_interval();
                if expiry.is_some_and(|expiry| expiry > 0) {
                    let (version, id) = (client.version, client.id.clone());
                    self.remember(version, id);
                }
            }
            _ => {}
        }
    }

    /// Takes in that CONNACK let a client in.
    pub(super) fn let_in(&mut self, client: usize, connack: &Connack<'_>) {
        let Some(Client { version, id, lasts }) = self.clients.get(client).cloned() else {
            return;
        };
        let assigned = connack.properties.assigned_client_identifier();
        let id = assigned.map_or(id, |id| id.as_bytes().to_vec());
        let expiry = connack.properties.session_expiry_interval();
        if expiry.map_or(lasts, |expiry| expiry > 0) {
            self.remember(version, id);
        }
    }

    fn remember(&mut self, version: Option<Version>, id: Vec<u8>) {
        if let Some(version) = version
            && !id.is_empty()
        {
            self.sessions.insert((version, id));
        }
    }

    /// Whether there is nothing to take back.
    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.retained.iter().all(Vec::is_empty)
    }

    /// Ends the sessions and clears the retained messages, as far as the target lets it; `name` is a Client Identifier
    /// that nobody uses.
    pub(super) async fn take_back(&self, target: &Target, name: &str) {
        let until = Instant::now() + WITHIN;
        let nobody = (Version::V3_1_1, name.as_bytes().to_vec());
        let sessions = self.sessions.iter();
        let mut retained = self.retained.iter().filter(|topic| !topic.is_empty());
        let visits = if self.sessions.is_empty() {
            vec![&nobody]
        } else {
            sessions.collect()
        };
        for (version, id) in visits {
            let hello = connect(*version, id, target.credentials());
            let mut then = Vec::new();
            for topic in retained.by_ref() {
                then.extend(clear(*version, topic));
            }
            then.extend(disconnect(*version));
            // Whatever does not succeed has been tried.
            let _ = timeout_at(until, visit(target, &hello, &then)).await;
        }
    }
}

/// Opens a link, sends CONNECT, and once that is answered the rest, and waits until the target has ended the
/// connection, as DISCONNECT asks it to. By the time of the answer it has seen the script's links end, and has published
/// their Wills.
async fn visit(target: &Target, hello: &[u8], then: &[u8]) -> std::io::Result<()> {
    let mut wire = Wire::new(target.open(&LinkOptions::default()).await?);
    wire.write(std::iter::once(hello)).await;
    let mut answered = false;
    loop {
        while let Some(came) = wire.take() {
            match came {
                Came::Packet(_) if !answered => {
                    answered = true;
                    wire.write(std::iter::once(then)).await;
                }
                Came::Packet(_) => {}
                Came::Ended(_) | Came::Garbled(_) => return Ok(()),
            }
        }
        wire.wait().await;
    }
}

/// A CONNECT that begins a new session, which ends with its connection.
pub(super) fn connect(version: Version, id: &[u8], credentials: Option<&Credentials>) -> Vec<u8> {
    encode(
        &Packet::Connect(Connect {
            protocol_name: version.protocol_name().into(),
            protocol_version: version.level(),
            clean_start: true,
            reserved_flag: false,
            keep_alive: 0,
            properties: Properties::EMPTY,
            client_id: Text::new(id),
            will: None,
            user_name: credentials.map(|credentials| credentials.user.as_str().into()),
            password: credentials
                .and_then(|credentials| credentials.password.as_deref())
                .map(str::as_bytes),
        }),
        version,
    )
}

/// A retained message without payload, which takes the place of any other (3.3.1.3).
pub(super) fn clear(version: Version, topic: &[u8]) -> Vec<u8> {
    encode(
        &Packet::Publish(Publish {
            dup: false,
            qos: QoS::AT_MOST_ONCE,
            retain: true,
            topic: Text::new(topic),
            packet_id: None,
            properties: Properties::EMPTY,
            payload: &[],
        }),
        version,
    )
}

pub(super) fn disconnect(version: Version) -> Vec<u8> {
    encode(
        &Packet::Disconnect(Disconnect {
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }),
        version,
    )
}

fn encode(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    // All of these can be written in every version.
    let _ = codec::encode(packet, version, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use codec::{PropertiesBuf, PropertyId};

    use super::*;

    fn connects(traces: &mut Traces, version: Version, clean: bool, expiry: Option<u32>) {
        let mut properties = PropertiesBuf::new();
        if let Some(expiry) = expiry {
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, expiry);
        }
        let bytes = connect(version, b"a", None);
        let frame = codec::Frame::new(&bytes).unwrap();
        let (_, mut packet) = codec::decode_connect(frame).unwrap();
        packet.clean_start = clean;
        packet.properties = properties.as_properties();
        traces.sent(0, &Packet::Connect(packet));
        let connack = Connack {
            session_present: false,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        };
        traces.let_in(0, &connack);
    }

    #[test]
    fn sessions_that_outlive_their_connection_are_remembered() {
        let lasts = |version, clean, expiry| {
            let mut traces = Traces::default();
            connects(&mut traces, version, clean, expiry);
            !traces.is_empty()
        };
        assert!(!lasts(Version::V3_1_1, true, None));
        assert!(lasts(Version::V3_1_1, false, None));
        assert!(!lasts(Version::V5_0, false, None));
        assert!(lasts(Version::V5_0, true, Some(7)));
    }

    #[test]
    fn a_session_whose_connack_has_not_come_is_remembered() {
        let mut traces = Traces::default();
        let bytes = connect(Version::V3_1_1, b"a", None);
        let frame = codec::Frame::new(&bytes).unwrap();
        let (_, mut packet) = codec::decode_connect(frame).unwrap();
        traces.sent(0, &Packet::Connect(packet));
        assert!(traces.is_empty());
        packet.clean_start = false;
        traces.sent(0, &Packet::Connect(packet));
        assert!(!traces.is_empty());
    }

    #[test]
    fn what_is_retained_is_remembered() {
        let mut traces = Traces::default();
        for bytes in [
            &[0x31, 5, 0, 2, b't', b'/', b'x'][..],
            &[0x30, 4, 0, 1, b'u', b'y'],
        ] {
            let frame = codec::Frame::new(bytes).unwrap();
            let direction = codec::Direction::ToServer;
            let packet = codec::decode(frame, Version::V3_1_1, direction).unwrap();
            traces.sent(0, &packet);
        }
        assert_eq!(traces.retained, BTreeSet::from([b"t/".to_vec()]));
    }
}
