//! An Application Message while the server owns it: what a PUBLISH or a Will brought, ready to be passed on.

use std::sync::Arc;
use std::time::Duration;

use codec::QoS;

/// An Application Message. Its content never changes; the deliveries of it share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The Topic Name.
    pub topic: Box<[u8]>,
    /// The Application Message itself.
    pub payload: Box<[u8]>,
    /// The QoS that it was published with.
    pub qos: QoS,
    /// Whether it was published with RETAIN.
    pub retain: bool,
    /// The properties that reach subscribers unaltered, encoded and in the order they came in (5.0 section 3.3.2.3).
    pub properties: Box<[u8]>,
    /// The Message Expiry Interval in seconds, as it was published.
    pub expiry_interval: Option<u32>,
    /// When the server received it.
    pub received: Duration,
    /// The Client Identifier of the publisher, for No Local; none for the server's own messages.
    pub publisher: Option<Arc<[u8]>>,
}

impl Message {
    /// When its Message Expiry Interval passes.
    pub(crate) fn expires(&self) -> Option<Duration> {
        let interval = Duration::from_secs(self.expiry_interval?.into());
        Some(self.received + interval)
    }

    /// Whether its Message Expiry Interval has passed.
    pub(crate) fn has_expired(&self, now: Duration) -> bool {
        self.expires().is_some_and(|at| now >= at)
    }

    /// The Message Expiry Interval less the time that the message has waited here, in whole seconds.
    pub(crate) fn remaining_expiry(&self, now: Duration) -> Option<u32> {
        let interval = self.expiry_interval?;
        let waited = now.saturating_sub(self.received).as_secs();
        Some(interval.saturating_sub(u32::try_from(waited).unwrap_or(u32::MAX)))
    }

    /// The bytes it occupies, for the limits.
    pub(crate) fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_counts_from_reception() {
        let message = Message {
            topic: b"t".as_slice().into(),
            payload: Box::default(),
            qos: QoS::AT_LEAST_ONCE,
            retain: false,
            properties: Box::default(),
            expiry_interval: Some(10),
            received: Duration::from_secs(100),
            publisher: None,
        };
        assert!(!message.has_expired(Duration::from_millis(109_999)));
        assert!(message.has_expired(Duration::from_secs(110)));
        assert_eq!(message.remaining_expiry(Duration::from_secs(103)), Some(7));
        assert_eq!(
            message.remaining_expiry(Duration::from_millis(103_900)),
            Some(7)
        );
        assert_eq!(message.remaining_expiry(Duration::from_secs(500)), Some(0));
    }
}
