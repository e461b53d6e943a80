//! MQTT 3.1, 3.1.1 and 5.0 Control Packets: strict and lenient decoding, correct and malformed encoding.
