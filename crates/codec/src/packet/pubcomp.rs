//! PUBCOMP: a QoS 2 delivery is complete (section 3.7).

use super::acknowledgement::acknowledgement;

acknowledgement! {
    /// PUBCOMP.
    Pubcomp,
    packet_id: ["v3.1/V31-2.4-1", "v3.1.1/MQTT-4.3.3-2", "v5.0/MQTT-2.2.1-5"],
    reason_code: "v5.0/MQTT-3.7.2-1",
}
