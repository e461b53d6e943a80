//! The rules that the oracle holds a target to, each with the clauses that state it.

use clauses::{ClauseId, clause};
use codec::Version;

/// What a target must do or must not do, as far as its clients can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: &'static str,
    v3_1_1: Option<ClauseId>,
    v5_0: Option<ClauseId>,
}

impl Rule {
    /// The clause in a version. MQTT 3.1 has few rules about servers, and those of 3.1.1 do not bind there.
    pub(super) const fn clause(self, version: Version) -> Option<ClauseId> {
        match version {
            Version::V3_1 => None,
            Version::V3_1_1 => self.v3_1_1,
            Version::V5_0 => self.v5_0,
        }
    }
}

macro_rules! rules {
    ($($constant:ident = $name:literal $(, 3.1.1: $old:literal)? $(, 5.0: $new:literal)?;)*) => {
        $(pub(super) const $constant: Rule = Rule {
            name: $name,
            v3_1_1: rules!(@ $($old)?),
            v5_0: rules!(@ $($new)?),
        };)*
    };
    (@ $clause:literal) => { Some(clause!($clause)) };
    (@) => { None };
}

rules! {
    // What is sent at all.
    UNSOUND_PACKET = "unsound-packet";
    NOT_ONE_STREAM = "bytes-that-are-no-packet";
    BEFORE_CONNECT = "packet-before-connect";
    FIRST_PACKET = "first-packet-is-no-connack", 3.1.1: "v3.1.1/MQTT-3.2.0-1", 5.0: "v5.0/MQTT-3.2.0-1";
    SECOND_CONNACK = "second-connack", 3.1.1: "v3.1.1/MQTT-3.2.0-1", 5.0: "v5.0/MQTT-3.2.0-2";
    AFTER_REFUSAL = "packet-behind-a-refusal", 3.1.1: "v3.1.1/MQTT-3.2.2-5", 5.0: "v5.0/MQTT-3.2.2-7";
    AFTER_DISCONNECT = "packet-behind-disconnect", 5.0: "v5.0/MQTT-3.14.4-1";
    DISCONNECT_BEFORE_CONNACK = "disconnect-before-connack", 5.0: "v5.0/MQTT-3.14.0-1";
    UNASKED_AUTH = "auth-without-a-method", 5.0: "v5.0/MQTT-4.12.0-6";
    TOO_LARGE = "packet-above-maximum-packet-size", 5.0: "v5.0/MQTT-3.1.2-24";
    PROBLEM_INFORMATION = "unwanted-problem-information", 5.0: "v5.0/MQTT-3.1.2-29";
    RESPONSE_INFORMATION = "unasked-response-information", 5.0: "v5.0/MQTT-3.1.2-28";

    // Answers.
    UNASKED_ANSWER = "answer-to-nothing";
    ANSWER_ID = "acknowledgement-for-another-id", 3.1.1: "v3.1.1/MQTT-2.3.1-6", 5.0: "v5.0/MQTT-2.2.1-5";
    REQUEST_ID = "answer-for-another-id", 3.1.1: "v3.1.1/MQTT-2.3.1-7", 5.0: "v5.0/MQTT-2.2.1-6";
    CODES = "codes-per-filter", 3.1.1: "v3.1.1/MQTT-3.8.4-5", 5.0: "v5.0/MQTT-3.8.4-6";
    SESSION_PRESENT_CLEAN = "session-present-on-a-clean-start", 3.1.1: "v3.1.1/MQTT-3.2.2-1", 5.0: "v5.0/MQTT-3.2.2-2";
    SESSION_PRESENT = "session-present-without-a-session", 3.1.1: "v3.1.1/MQTT-3.2.2-3", 5.0: "v5.0/MQTT-3.2.2-3";
    SESSION_LOST = "session-lost", 3.1.1: "v3.1.1/MQTT-3.2.2-2", 5.0: "v5.0/MQTT-3.2.2-3";
    NO_CLIENT_ID = "no-assigned-client-identifier", 5.0: "v5.0/MQTT-3.2.2-16";
    NO_PINGRESP = "no-pingresp", 3.1.1: "v3.1.1/MQTT-3.12.4-1", 5.0: "v5.0/MQTT-3.12.4-1";
    NO_SUBACK = "no-suback", 3.1.1: "v3.1.1/MQTT-3.8.4-1", 5.0: "v5.0/MQTT-3.8.4-1";
    NO_UNSUBACK = "no-unsuback", 3.1.1: "v3.1.1/MQTT-3.10.4-4", 5.0: "v5.0/MQTT-3.10.4-4";
    NO_PUBACK = "no-puback", 3.1.1: "v3.1.1/MQTT-3.3.4-1", 5.0: "v5.0/MQTT-4.3.2-4";
    NO_PUBREC = "no-pubrec", 3.1.1: "v3.1.1/MQTT-3.3.4-1", 5.0: "v5.0/MQTT-4.3.3-8";
    NO_PUBREL = "no-pubrel", 3.1.1: "v3.1.1/MQTT-4.3.3-1", 5.0: "v5.0/MQTT-4.3.3-4";
    NO_PUBCOMP = "no-pubcomp", 3.1.1: "v3.1.1/MQTT-4.3.3-2", 5.0: "v5.0/MQTT-4.3.3-11";
    NO_CONNACK = "no-connack", 3.1.1: "v3.1.1/MQTT-3.1.4-4", 5.0: "v5.0/MQTT-3.1.4-5";
    GRANTED_MORE = "granted-more-than-asked", 5.0: "v5.0/MQTT-3.8.4-7";

    // Links.
    STAYS_OPEN = "stays-open";
    GOES_ON = "goes-on-behind-what-is-forbidden";
    OPEN_AFTER_DISCONNECT = "open-after-its-own-disconnect", 5.0: "v5.0/MQTT-3.14.4-2";
    OPEN_AFTER_REFUSAL = "open-after-a-refusal", 3.1.1: "v3.1.1/MQTT-3.2.2-5", 5.0: "v5.0/MQTT-3.2.2-7";
    OPEN_AFTER_TAKEOVER = "open-after-a-takeover", 3.1.1: "v3.1.1/MQTT-3.1.4-2", 5.0: "v5.0/MQTT-3.1.4-3";
    OPEN_AFTER_KEEP_ALIVE = "open-after-keep-alive", 3.1.1: "v3.1.1/MQTT-3.1.2-24", 5.0: "v5.0/MQTT-3.1.2-22";
    CLOSED_FOR_NOTHING = "closed-for-nothing";
    REFUSED_FOR_NOTHING = "refused-for-nothing", 3.1.1: "v3.1.1/MQTT-3.1.4-4", 5.0: "v5.0/MQTT-3.1.4-5";

    // Flow of messages to a client.
    ID_IN_USE = "packet-identifier-in-use", 3.1.1: "v3.1.1/MQTT-2.3.1-4", 5.0: "v5.0/MQTT-2.2.1-4";
    DUP_FIRST = "dup-on-a-first-sending", 3.1.1: "v3.1.1/MQTT-3.3.1-3", 5.0: "v5.0/MQTT-3.3.1-3";
    DUP_AGAIN = "no-dup-on-a-second-sending", 3.1.1: "v3.1.1/MQTT-3.3.1-1", 5.0: "v5.0/MQTT-3.3.1-1";
    SENT_AGAIN = "sent-again-on-the-same-connection", 5.0: "v5.0/MQTT-4.4.0-1";
    PUBLISH_AFTER_PUBREL = "publish-after-pubrel", 3.1.1: "v3.1.1/MQTT-4.3.3-1", 5.0: "v5.0/MQTT-4.3.3-6";
    PUBLISH_AFTER_ACK = "publish-after-its-acknowledgement", 3.1.1: "v3.1.1/MQTT-4.3.2-1", 5.0: "v5.0/MQTT-4.4.0-2";
    NOT_SENT_AGAIN = "not-sent-again", 3.1.1: "v3.1.1/MQTT-4.4.0-1", 5.0: "v5.0/MQTT-4.4.0-1";
    RECEIVE_MAXIMUM = "above-receive-maximum", 5.0: "v5.0/MQTT-3.3.4-9";
    ALIAS_MAXIMUM = "alias-above-its-maximum", 5.0: "v5.0/MQTT-3.1.2-26";
    ALIAS_UNKNOWN = "unknown-alias", 5.0: "v5.0/MQTT-3.3.2-7";

    // What is delivered.
    NOBODY_PUBLISHED = "nobody-published-it", 3.1.1: "v3.1.1/MQTT-3.3.2-3", 5.0: "v5.0/MQTT-3.3.2-3";
    NOT_SUBSCRIBED = "not-subscribed", 3.1.1: "v3.1.1/MQTT-3.3.2-3", 5.0: "v5.0/MQTT-3.3.2-3";
    UNSUBSCRIBED = "after-unsuback", 3.1.1: "v3.1.1/MQTT-3.10.4-2", 5.0: "v5.0/MQTT-3.10.4-2";
    DOLLAR = "wildcard-matches-a-dollar-topic", 3.1.1: "v3.1.1/MQTT-4.7.2-1", 5.0: "v5.0/MQTT-4.7.2-1";
    NO_LOCAL = "own-message-in-spite-of-no-local", 5.0: "v5.0/MQTT-3.8.3-3";
    QOS = "delivered-at-another-qos", 3.1.1: "v3.1.1/MQTT-3.8.4-6", 5.0: "v5.0/MQTT-3.8.4-8";
    RETAIN_SET = "retain-on-a-forwarded-message", 3.1.1: "v3.1.1/MQTT-3.3.1-9", 5.0: "v5.0/MQTT-3.3.1-12";
    RETAIN_CLEAR = "no-retain-on-a-retained-message", 3.1.1: "v3.1.1/MQTT-3.3.1-8", 5.0: "v5.0/MQTT-3.3.1-13";
    RETAIN_HANDLING = "retained-in-spite-of-retain-handling", 5.0: "v5.0/MQTT-3.3.1-11";
    RETAINED_OLD = "retained-message-of-earlier", 3.1.1: "v3.1.1/MQTT-3.3.1-6", 5.0: "v5.0/MQTT-3.3.1-5";
    PROPERTIES = "properties-changed", 5.0: "v5.0/MQTT-3.3.2-17";
    EXPIRY = "message-expiry-wrong", 5.0: "v5.0/MQTT-3.3.2-6";
    SUBSCRIPTION_ID = "wrong-subscription-identifier", 5.0: "v5.0/U50-3.3.4-1";
    NO_SUBSCRIPTION_ID = "no-subscription-identifier", 5.0: "v5.0/MQTT-3.3.4-3";
    TWICE = "delivered-twice", 3.1.1: "v3.1.1/MQTT-4.3.3-2", 5.0: "v5.0/MQTT-4.3.3-10";
    TWICE_BELOW_QOS_2 = "delivered-twice";
    RETAINED_SHARED = "retained-message-on-a-shared-subscription";
    SHARED_TWICE = "shared-message-to-several", 5.0: "v5.0/U50-4.8.2-2";
    ORDER = "out-of-order", 3.1.1: "v3.1.1/MQTT-4.6.0-6", 5.0: "v5.0/MQTT-4.6.0-5";
    LOST = "message-lost", 3.1.1: "v3.1.1/MQTT-3.3.5-1", 5.0: "v5.0/MQTT-3.3.4-2";
    RETAINED_LOST = "retained-message-lost", 3.1.1: "v3.1.1/MQTT-3.3.1-6", 5.0: "v5.0/MQTT-3.3.1-9";
    WILL_LOST = "will-lost", 3.1.1: "v3.1.1/MQTT-3.1.2-8", 5.0: "v5.0/MQTT-3.1.2-8";
}
