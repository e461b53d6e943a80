//! PUBREC: the receiver of a QoS 2 message has taken it over (section 3.5).

use super::acknowledgement::acknowledgement;

acknowledgement! {
    /// PUBREC.
    Pubrec,
    packet_id: ["v3.1/V31-2.4-1", "v3.1.1/MQTT-2.3.1-6", "v5.0/MQTT-2.2.1-5"],
    reason_code: "v5.0/MQTT-3.5.2-1",
}
