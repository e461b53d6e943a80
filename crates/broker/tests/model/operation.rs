//! What clients do, at random.

use proptest::prelude::*;
use proptest::sample::select;

/// How many clients there are, named by number. Client 0 is the one that leaves Wills.
pub(crate) const CLIENTS: usize = 3;

/// How many messages may be in flight to one client, whatever its Receive Maximum.
pub(crate) const IN_FLIGHT: usize = 3;

const TOPICS: [&str; 4] = ["a", "a/b", "a/c", "$x/b"];
/// The first of the Shared Subscriptions more often, so that some share it.
const FILTERS: [&str; 11] = [
    "a",
    "a/b",
    "a/+",
    "a/#",
    "#",
    "+/b",
    "$x/+",
    "$share/g/a/#",
    "$share/g/a/#",
    "$share/g/a/#",
    "$share/h/a/#",
];

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Connect(Connect),
    /// A client takes leave, or loses its connection.
    Leave {
        client: usize,
        how: Leave,
    },
    Subscribe {
        client: usize,
        filter: &'static str,
        options: Options,
    },
    Unsubscribe {
        client: usize,
        filter: &'static str,
    },
    Publish(Publish),
    /// A client releases its QoS 2 message with this Packet Identifier.
    Release {
        client: usize,
        packet_id: u16,
    },
    /// A client answers the oldest PUBREL or the oldest message that it has not answered: which of them first.
    Acknowledge {
        client: usize,
        pubrel_first: bool,
    },
    /// So many seconds pass.
    Wait {
        seconds: u32,
    },
    /// The broker fails, and starts again from what it persisted.
    Restart {
        from: From,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Connect {
    pub(crate) client: usize,
    /// Whether it speaks 5.0 rather than 3.1.1.
    pub(crate) is_v5: bool,
    pub(crate) clean: bool,
    pub(crate) expiry: Expiry,
    pub(crate) receive_maximum: usize,
    pub(crate) will: Option<Will>,
}

/// How long a Session outlives its connection. Clients of 3.1.1 say it by Clean Session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    AtOnce,
    /// Ten seconds and one for each lower client: no two Sessions expire at the same instant.
    Soon,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) topic: &'static str,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    /// In seconds.
    pub(crate) delay: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// DISCONNECT.
    Orderly,
    /// DISCONNECT with Will Message; a client of 3.1.1 loses its connection.
    WithWill,
    /// DISCONNECT with Session Expiry Interval 0; a client of 3.1.1 just takes leave.
    Forgetting,
    /// The connection is lost.
    Lost,
}

/// Subscription Options. Clients of 3.1.1 have the QoS alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Options {
    pub(crate) qos: u8,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: u8,
    pub(crate) identifier: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Publish {
    pub(crate) client: usize,
    pub(crate) topic: &'static str,
    pub(crate) qos: u8,
    /// Of a QoS 2 message: one of two.
    pub(crate) packet_id: u16,
    pub(crate) retain: bool,
    pub(crate) empty: bool,
    /// The Message Expiry Interval in seconds.
    pub(crate) expiry: Option<u32>,
}

/// What a broker starts again from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// Every change that there was.
    History,
    /// The changes that give the state that it has, and no more.
    Snapshot,
    /// A store that was written and is opened again.
    Store,
}

impl Operation {
    pub(crate) fn any() -> BoxedStrategy<Self> {
        let client = || 0..CLIENTS;
        let filter = || select(&FILTERS[..]);
        prop_oneof![
            4 => Connect::any().prop_map(Self::Connect),
            2 => (client(), leave()).prop_map(|(client, how)| Self::Leave { client, how }),
            5 => (client(), filter(), Options::any())
                .prop_map(|(client, filter, options)| Self::Subscribe { client, filter, options }),
            1 => (client(), filter()).prop_map(|(client, filter)| Self::Unsubscribe { client, filter }),
            10 => Publish::any().prop_map(Self::Publish),
            3 => (client(), packet_id())
                .prop_map(|(client, packet_id)| Self::Release { client, packet_id }),
            6 => (client(), any::<bool>())
                .prop_map(|(client, pubrel_first)| Self::Acknowledge { client, pubrel_first }),
            2 => select(vec![1, 3, 8, 20]).prop_map(|seconds| Self::Wait { seconds }),
            1 => prop_oneof![
                // The disk takes its time.
                6 => Just(From::History),
                6 => Just(From::Snapshot),
                1 => Just(From::Store),
            ].prop_map(|from| Self::Restart { from }),
        ]
        .boxed()
    }
}

impl Connect {
    fn any() -> impl Strategy<Value = Self> {
        let expiry = select(vec![Expiry::AtOnce, Expiry::Soon, Expiry::Never]);
        let will = prop::option::of(Will::any());
        let is_v5 = prop::bool::weighted(0.8);
        let clean = prop::bool::weighted(0.3);
        (0..CLIENTS, is_v5, clean, expiry, 1..4_usize, will).prop_map(
            |(client, is_v5, clean, expiry, receive_maximum, will)| Self {
                client,
                is_v5,
                clean,
                expiry,
                receive_maximum,
                will: will.filter(|_| client == 0),
            },
        )
    }
}

impl Will {
    fn any() -> impl Strategy<Value = Self> {
        let topic = select(&TOPICS[..]);
        let delay = select(vec![0, 4, 100]);
        (topic, 0..3_u8, any::<bool>(), delay).prop_map(|(topic, qos, retain, delay)| Self {
            topic,
            qos,
            retain,
            delay,
        })
    }
}

impl Options {
    fn any() -> impl Strategy<Value = Self> {
        let identifier = prop::option::of(1..4_u32);
        let no_local = prop::bool::weighted(0.2);
        (0..3_u8, no_local, any::<bool>(), 0..3_u8, identifier).prop_map(
            |(qos, no_local, retain_as_published, retain_handling, identifier)| Self {
                qos,
                no_local,
                retain_as_published,
                retain_handling,
                identifier,
            },
        )
    }
}

impl Publish {
    fn any() -> impl Strategy<Value = Self> {
        let topic = select(&TOPICS[..]);
        let expiry = prop::option::weighted(0.3, select(vec![2, 7]));
        let empty = prop::bool::weighted(0.2);
        let retain = any::<bool>();
        (
            0..CLIENTS,
            topic,
            0..3_u8,
            packet_id(),
            retain,
            empty,
            expiry,
        )
            .prop_map(
                |(client, topic, qos, packet_id, retain, empty, expiry)| Self {
                    client,
                    topic,
                    qos,
                    packet_id,
                    retain,
                    empty,
                    expiry,
                },
            )
    }
}

fn packet_id() -> impl Strategy<Value = u16> {
    select(vec![7, 9])
}

fn leave() -> impl Strategy<Value = Leave> {
    select(vec![
        Leave::Orderly,
        Leave::WithWill,
        Leave::Forgetting,
        Leave::Lost,
        Leave::Lost,
    ])
}
