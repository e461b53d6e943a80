//! CONNECT: a client asks for a connection (section 3.1).

use crate::{Properties, QoS, Text};

/// CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// `MQTT`, or `MQIsdp` in 3.1.
    pub protocol_name: Text<'a>,
    /// Protocol Level in 3.1.1, Protocol Version in 5.0: 3, 4 or 5.
    pub protocol_version: u8,
    /// Clean Start; Clean Session before 5.0.
    pub clean_start: bool,
    /// Bit 0 of the Connect Flags: reserved and 0 from 3.1.1 on, unused in 3.1.
    pub reserved_flag: bool,
    /// Keep Alive in seconds; 0 turns it off.
    pub keep_alive: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// Client Identifier; empty where the server shall assign one.
    pub client_id: Text<'a>,
    /// The Will Message, if the Will Flag is set.
    pub will: Option<Will<'a>>,
    /// User Name, if its flag is set.
    pub user_name: Option<Text<'a>>,
    /// Password, if its flag is set.
    pub password: Option<&'a [u8]>,
}

/// The Will Message inside CONNECT (section 3.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain.
    pub retain: bool,
    /// Will Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// Will Topic.
    pub topic: Text<'a>,
    /// Will Payload; Will Message before 5.0.
    pub payload: &'a [u8],
}
