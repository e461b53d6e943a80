//! [`Client`]: the house's own plain client, for what is asked of a target before and beside the cases.

use std::error::Error;
use std::io;
use std::time::Duration;

use codec::{
    Connack, Connect, Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Properties,
    ReasonCode, Split, Text, Version, connect_return_code,
};
use tokio::time::timeout;

use crate::link::{HandshakeError, Link, LinkOptions};
use crate::target::Target;

/// A connection that has sent CONNECT, and got a CONNACK.
pub(crate) struct Client {
    link: Link,
    version: Version,
    buffer: Vec<u8>,
    within: Duration,
}

/// What went wrong between the client and the target.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The connection could not be opened.
    #[error("the connection cannot be opened: {0}")]
    Unreachable(io::Error),
    /// Nothing came in time.
    #[error("no {waited_for} within {} s", within.as_secs_f32())]
    Silent {
        /// The packet that was waited for.
        waited_for: &'static str,
        /// How long.
        within: Duration,
    },
    /// The target closed the connection.
    #[error("the connection was {how} where {waited_for} was expected")]
    Ended {
        /// The packet that was waited for.
        waited_for: &'static str,
        /// `closed` or `reset`.
        how: &'static str,
    },
    /// What came is no MQTT.
    #[error(
        "what came is no MQTT packet: {violation}; the first bytes were {} ({:?})",
        hex(bytes),
        String::from_utf8_lossy(bytes)
    )]
    Garbled {
        /// What the decoder says.
        violation: String,
        /// The first of the bytes.
        bytes: Vec<u8>,
    },
    /// Another packet came.
    #[error("{came} came where {waited_for} was expected")]
    Unexpected {
        /// The packet that was waited for.
        waited_for: &'static str,
        /// The packet that came.
        came: &'static str,
    },
    /// CONNACK refused the connection.
    #[error("CONNACK refused the connection with {}", code_text(*code, *version))]
    Refused {
        /// Its code.
        code: u8,
        /// The version that tells what the code means.
        version: Version,
    },
}

impl Trouble {
    /// Whether the target serves, and sent what it was not asked for.
    pub(crate) fn is_unasked(&self) -> bool {
        // A DISCONNECT ends the connection, which is another trouble.
        matches!(self, Self::Unexpected { came, .. } if *came != PacketType::Disconnect.name())
    }
}

impl Client {
    /// Connects; `look` sees the CONNACK.
    pub(crate) async fn connect<T>(
        target: &Target,
        version: Version,
        client_id: &str,
        within: Duration,
        look: impl FnOnce(&Connack<'_>) -> T,
    ) -> Result<(Self, T), Trouble> {
        let link = timeout(within, target.open(&LinkOptions::default()))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(Trouble::Unreachable)?;
        let mut client = Self {
            link,
            version,
            buffer: Vec::new(),
            within,
        };
        let credentials = target.credentials();
        client
            .send(&Packet::Connect(Connect {
                protocol_name: Text::from(if version == Version::V3_1 {
                    "MQIsdp"
                } else {
                    "MQTT"
                }),
                protocol_version: version.level(),
                clean_start: true,
                reserved_flag: false,
                keep_alive: 0,
                properties: Properties::EMPTY,
                client_id: Text::from(client_id),
                will: None,
                user_name: credentials.map(|credentials| Text::from(credentials.user.as_str())),
                password: credentials
                    .and_then(|credentials| credentials.password.as_deref())
                    .map(str::as_bytes),
            }))
            .await;
        let seen = client
            .receive("CONNACK", |packet| match packet {
                Packet::Connack(connack) if connack.reason_code.0 == 0 => Some(Ok(look(connack))),
                Packet::Connack(connack) => Some(Err(Trouble::Refused {
                    code: connack.reason_code.0,
                    version,
                })),
                _ => None,
            })
            .await??;
        Ok((client, seen))
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Sends a packet. A failure to do so shows in the next [`Self::receive`].
    pub(crate) async fn send(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        if codec::encode(packet, self.version, &mut bytes).is_ok() {
            let _ = timeout(self.within, self.link.write(&bytes)).await;
        }
    }

    /// Sends packets in one write. A failure to do so shows in the next [`Self::receive`].
    pub(crate) async fn send_together(&mut self, packets: &[Packet<'_>]) {
        let mut bytes = Vec::new();
        for packet in packets {
            if codec::encode(packet, self.version, &mut bytes).is_err() {
                return;
            }
        }
        let _ = timeout(self.within, self.link.write(&bytes)).await;
    }

    /// Waits for the next packet and has `take` look whether it is the one.
    pub(crate) async fn receive<T>(
        &mut self,
        waited_for: &'static str,
        take: impl FnOnce(&Packet<'_>) -> Option<T>,
    ) -> Result<T, Trouble> {
        let within = self.within;
        let frame = match timeout(within, self.frame(waited_for)).await {
            Ok(frame) => frame?,
            Err(_) if self.buffer.is_empty() => {
                return Err(Trouble::Silent { waited_for, within });
            }
            Err(_) => {
                return Err(Trouble::Garbled {
                    violation: format!("it is not whole after {} s", within.as_secs_f32()),
                    bytes: head(&self.buffer),
                });
            }
        };
        let garbled = |violation: String| Trouble::Garbled {
            violation,
            bytes: head(&frame),
        };
        let whole = Frame::new(&frame).ok_or_else(|| garbled("it is no whole packet".into()))?;
        let packet = codec::decode(whole, self.version, Direction::ToClient)
            .map_err(|violation| garbled(violation.to_string()))?;
        let came = packet.packet_type().name();
        take(&packet).ok_or(Trouble::Unexpected { waited_for, came })
    }

    /// PINGREQ, PINGRESP.
    pub(crate) async fn ping(&mut self) -> Result<(), Trouble> {
        self.send(&Packet::Pingreq(codec::Pingreq)).await;
        self.receive("PINGRESP", |packet| {
            matches!(packet, Packet::Pingresp(_)).then_some(())
        })
        .await
    }

    /// Takes leave.
    pub(crate) async fn disconnect(mut self) {
        self.send(&Packet::Disconnect(codec::Disconnect {
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }))
        .await;
        let _ = self.link.close().await;
    }

    /// The bytes of the next packet.
    async fn frame(&mut self, waited_for: &'static str) -> Result<Vec<u8>, Trouble> {
        loop {
            match codec::split(
                &self.buffer,
                self.version,
                Direction::ToClient,
                MAXIMUM_PACKET_SIZE,
            ) {
                Ok(Split::Complete { frame, rest }) => {
                    let (frame, rest) = (frame.as_bytes().to_vec(), rest.to_vec());
                    self.buffer = rest;
                    return Ok(frame);
                }
                Ok(Split::Incomplete { .. }) => {}
                Err(violation) => {
                    return Err(Trouble::Garbled {
                        violation: violation.to_string(),
                        bytes: head(&self.buffer),
                    });
                }
            }
            let how = match self.link.read(&mut self.buffer).await {
                Ok(0) => "closed",
                Ok(_) => continue,
                // Such as an alert: the target wants to see a certificate.
                Err(error)
                    if error
                        .get_ref()
                        .is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>) =>
                {
                    return Err(Trouble::Unreachable(HandshakeError::wrap(error)));
                }
                Err(_) => "reset",
            };
            // Bytes that never became a packet tell more than the end behind them.
            return Err(if self.buffer.is_empty() {
                Trouble::Ended { waited_for, how }
            } else {
                Trouble::Garbled {
                    violation: format!("the connection was {how} within it"),
                    bytes: head(&self.buffer),
                }
            });
        }
    }
}

/// A code of CONNACK with its name.
pub(crate) fn code_text(code: u8, version: Version) -> String {
    let code = ReasonCode(code);
    let name = if version.has_properties() {
        code.name(PacketType::Connack)
    } else {
        connect_return_code::name(code)
    };
    name.map_or_else(|| code.to_string(), |name| format!("{code} ({name})"))
}

fn head(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take(16).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}
