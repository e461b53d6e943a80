//! What stands between a link and the bytes of MQTT.

use super::Tls;

/// The layers on a link: none, TLS, a WebSocket (section 6), or a WebSocket over TLS.
#[derive(Debug, Clone, Default)]
pub struct Transport {
    /// TLS, on the link itself.
    pub tls: Option<Tls>,
    /// Whether MQTT travels in the frames of a WebSocket. Any path of its URL will do.
    pub websocket: bool,
}

impl Transport {
    /// MQTT on the link itself.
    pub const PLAIN: Self = Self {
        tls: None,
        websocket: false,
    };

    /// MQTT in the frames of a WebSocket.
    pub const WEBSOCKET: Self = Self {
        tls: None,
        websocket: true,
    };

    /// The same over TLS.
    #[must_use]
    pub fn over(self, tls: Tls) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }
}
