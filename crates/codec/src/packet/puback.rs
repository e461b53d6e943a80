//! PUBACK: the receiver of a QoS 1 message has taken it over (section 3.4).

use super::acknowledgement::acknowledgement;

acknowledgement! {
    /// PUBACK.
    Puback,
    packet_id: ["v3.1/V31-2.4-1", "v3.1.1/MQTT-2.3.1-6", "v5.0/MQTT-2.2.1-5"],
    reason_code: "v5.0/MQTT-3.4.2-1",
}
