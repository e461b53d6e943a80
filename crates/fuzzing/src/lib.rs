//! Packet generators and oracles for fuzzing MQTT.
