//! The features that a target may lack: what `requires` and target profiles can name.

/// A feature under the name that scenarios and profiles give it.
#[derive(Debug, PartialEq, Eq)]
pub struct Feature {
    /// The name, such as `qos 2`.
    pub name: &'static str,
    /// What a target that has it does, in a few words.
    pub summary: &'static str,
}

/// All features.
pub const FEATURES: &[Feature] = &[
    of("qos 1", "takes and grants QoS 1"),
    of("qos 2", "takes and grants QoS 2"),
    of("retain", "keeps retained messages"),
    of("shared", "has shared subscriptions"),
    of("subscription_ids", "has subscription identifiers"),
    of("wildcard", "has wildcard subscriptions"),
    of("topic_alias", "takes topic aliases"),
    of("websocket", "serves MQTT over WebSocket"),
    of("restart", "can be restarted by the runner"),
    of(
        "persistence",
        "keeps sessions and retained messages across a restart",
    ),
    of(
        "auth",
        "wants a user name and a password, which its profile gives",
    ),
    of(
        "authz",
        "refuses some topics to some users, which its profile gives",
    ),
    of(
        "enhanced_auth",
        "has an authentication method, which its profile gives",
    ),
    of(
        "client_id_policy",
        "refuses the client id that its profile gives",
    ),
    of(
        "maximum_packet_size",
        "has a Maximum Packet Size that can be exceeded",
    ),
    of(
        "receive_maximum",
        "has a Receive Maximum that can be exceeded",
    ),
    of("server_keep_alive", "sets a keep alive of its own"),
    of("no_retain", "keeps no retained messages, and says so"),
    of(
        "limited_qos",
        "takes no QoS above the maximum that it announces",
    ),
    of("no_wildcard", "has no wildcard subscriptions, and says so"),
    of("no_shared", "has no shared subscriptions, and says so"),
    of("no_topic_alias", "takes no topic aliases, and says so"),
    of(
        "no_subscription_ids",
        "has no subscription identifiers, and says so",
    ),
];

const fn of(name: &'static str, summary: &'static str) -> Feature {
    Feature { name, summary }
}

/// The feature of this name.
pub fn feature(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}
