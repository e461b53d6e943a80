//! PUBLISH: an Application Message on its way (section 3.3).

use crate::{Properties, QoS, Text};

/// PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// DUP: this may be a repeated delivery.
    pub dup: bool,
    /// The level of delivery.
    pub qos: QoS,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name; empty in 5.0 where a Topic Alias stands for it.
    pub topic: Text<'a>,
    /// Packet Identifier; there if the QoS is above 0.
    pub packet_id: Option<u16>,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// The Application Message itself, neither copied nor looked at.
    pub payload: &'a [u8],
}
