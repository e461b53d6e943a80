//! PUBREL: the sender of a QoS 2 message will not repeat it (section 3.6).

use super::acknowledgement::acknowledgement;

acknowledgement! {
    /// PUBREL.
    Pubrel,
    packet_id: ["v3.1/V31-2.4-1", "v3.1.1/MQTT-2.3.1-6", "v5.0/MQTT-2.2.1-5"],
    reason_code: "v5.0/MQTT-3.6.2-1",
}
