//! A client as small as can be: packets over a blocking socket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use codec::{
    Connack, Connect, Direction, Packet, Properties, PropertiesBuf, PropertyId, Puback, Pubcomp,
    Publish, Pubrec, Pubrel, QoS, ReasonCode, Split, Subscribe, SubscriptionOptions,
    SubscriptionsBuf, Text, Version,
};

pub(crate) const VERSION: Version = Version::V5_0;

/// How long a broker may be silent that owes an answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    stream: TcpStream,
    input: Vec<u8>,
    /// What came and was not yet asked for is at the front.
    taken: usize,
}

impl Client {
    /// Connects; tells whether the broker knew the Session.
    pub(crate) fn connect(
        address: SocketAddr,
        client_id: &str,
        keep: bool,
    ) -> io::Result<(Self, bool)> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self {
            stream,
            input: Vec::new(),
            taken: 0,
        };
        let mut properties = PropertiesBuf::new();
        if keep {
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, u32::MAX);
        }
        properties.two_byte_integer(PropertyId::ReceiveMaximum, 20);
        client.send(&Packet::Connect(Connect {
            protocol_name: Text::from("MQTT"),
            protocol_version: 5,
            clean_start: !keep,
            reserved_flag: false,
            keep_alive: 0,
            properties: properties.as_properties(),
            client_id: Text::from(client_id),
            will: None,
            user_name: None,
            password: None,
        }))?;
        let present = client.receive(|packet| match packet {
            Packet::Connack(Connack {
                session_present,
                reason_code: ReasonCode::SUCCESS,
                ..
            }) => Ok(session_present),
            other => Err(unexpected(&other)),
        })?;
        Ok((client, present))
    }

    pub(crate) fn subscribe(&mut self, filter: &str, qos: QoS) -> io::Result<()> {
        self.ask_for(filter, qos)?;
        self.receive(|packet| match packet {
            Packet::Suback(_) => Ok(()),
            other => Err(unexpected(&other)),
        })
    }

    /// Subscribes, and leaves the answer to be received.
    pub(crate) fn ask_for(&mut self, filter: &str, qos: QoS) -> io::Result<()> {
        let mut filters = SubscriptionsBuf::new();
        filters.push(filter, SubscriptionOptions::with_qos(qos));
        self.send(&Packet::Subscribe(Subscribe {
            packet_id: 1,
            properties: Properties::EMPTY,
            filters: filters.as_subscriptions(),
        }))
    }

    pub(crate) fn publish(
        &mut self,
        topic: &str,
        payload: &str,
        qos: QoS,
        retain: bool,
        id: (u16, bool),
    ) -> io::Result<()> {
        let (packet_id, dup) = id;
        self.send(&Packet::Publish(Publish {
            dup,
            qos,
            retain,
            topic: Text::from(topic),
            packet_id: Some(packet_id),
            properties: Properties::EMPTY,
            payload: payload.as_bytes(),
        }))
    }

    pub(crate) fn puback(&mut self, packet_id: u16) -> io::Result<()> {
        self.send(&Packet::Puback(Puback {
            packet_id,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }))
    }

    pub(crate) fn pubrec(&mut self, packet_id: u16) -> io::Result<()> {
        self.send(&Packet::Pubrec(Pubrec {
            packet_id,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }))
    }

    pub(crate) fn pubrel(&mut self, packet_id: u16) -> io::Result<()> {
        self.send(&Packet::Pubrel(Pubrel {
            packet_id,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }))
    }

    pub(crate) fn pubcomp(&mut self, packet_id: u16) -> io::Result<()> {
        self.send(&Packet::Pubcomp(Pubcomp {
            packet_id,
            reason_code: ReasonCode::SUCCESS,
            properties: Properties::EMPTY,
        }))
    }

    fn send(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        codec::encode(packet, VERSION, &mut bytes).map_err(io::Error::other)?;
        self.stream.write_all(&bytes)
    }

    /// Waits for the next packet.
    pub(crate) fn receive<T>(
        &mut self,
        take: impl FnOnce(Packet<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.input.drain(..self.taken);
        self.taken = 0;
        loop {
            let split = codec::split(&self.input, VERSION, Direction::ToClient, usize::MAX);
            if let Split::Complete { frame, rest } = split.map_err(io::Error::other)? {
                self.taken = self.input.len() - rest.len();
                let packet = codec::decode(frame, VERSION, Direction::ToClient);
                return take(packet.map_err(io::Error::other)?);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.input.extend_from_slice(&bytes[..count]),
            }
        }
    }
}

pub(crate) fn unexpected(packet: &Packet<'_>) -> io::Error {
    io::Error::other(format!("unexpected {packet:?}"))
}
