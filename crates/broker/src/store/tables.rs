//! The tables of a store. Their types are the format: a table with others is refused when it is opened.
//!
//! Sessions and messages are numbered by the store, and the rows of a Session begin with its number. Times are
//! milliseconds since the store was made, as the core counts them.

use std::sync::Arc;
use std::time::Duration;

use codec::Version;
use redb::{Table, TableDefinition, WriteTransaction};

use crate::core::{Delivery, Message, Subscription, Terms};

type Bytes = &'static [u8];

/// Of Session `.0`, what stands at place `.1` in an order of its own.
pub(super) type Place = (u64, u64);

/// Number, Session Expiry Interval, version, User Name, and when the client left.
pub(super) type SessionRow<'a> = (u64, u32, u8, Option<&'a [u8]>, Option<u64>);
/// Maximum QoS, No Local, Retain As Published, Subscription Identifier, whether it is shared.
pub(super) type SubscriptionRow = (u8, bool, bool, Option<u32>, bool);
/// Topic, payload, QoS, RETAIN, properties, Message Expiry Interval, when it was received, publisher.
pub(super) type MessageRow<'a> = (
    &'a [u8],
    &'a [u8],
    u8,
    bool,
    &'a [u8],
    Option<u32>,
    u64,
    Option<&'a [u8]>,
);
/// Message, QoS, RETAIN, Subscription Identifiers, the Shared Subscription.
pub(super) type DeliveryRow<'a> = (u64, u8, bool, Vec<u32>, Option<&'a [u8]>);

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const SESSIONS: TableDefinition<'_, Bytes, SessionRow<'static>> =
    TableDefinition::new("sessions");
/// Message and Will Delay Interval by Session.
pub(super) const WILLS: TableDefinition<'_, u64, (u64, u32)> = TableDefinition::new("wills");
pub(super) const SUBSCRIPTIONS: TableDefinition<'_, (u64, Bytes), SubscriptionRow> =
    TableDefinition::new("subscriptions");
pub(super) const MESSAGES: TableDefinition<'_, u64, MessageRow<'static>> =
    TableDefinition::new("messages");
pub(super) const DELIVERIES: TableDefinition<'_, Place, DeliveryRow<'static>> =
    TableDefinition::new("deliveries");
/// The Packet Identifiers of the deliveries that are in flight; the others wait.
pub(super) const SENT: TableDefinition<'_, Place, u16> = TableDefinition::new("sent");
/// The Packet Identifiers that a client has taken over, in the order that it did.
pub(super) const RELEASED: TableDefinition<'_, Place, u16> = TableDefinition::new("released");
/// The Packet Identifiers of a client's QoS 2 messages that it has not released.
pub(super) const RECEIVED: TableDefinition<'_, (u64, u16), ()> = TableDefinition::new("received");
/// Message by topic.
pub(super) const RETAINED: TableDefinition<'_, Bytes, u64> = TableDefinition::new("retained");

/// All tables of a transaction that writes.
pub(super) struct Tables<'t> {
    pub(super) sessions: Table<'t, Bytes, SessionRow<'static>>,
    pub(super) wills: Table<'t, u64, (u64, u32)>,
    pub(super) subscriptions: Table<'t, (u64, Bytes), SubscriptionRow>,
    pub(super) messages: Table<'t, u64, MessageRow<'static>>,
    pub(super) deliveries: Table<'t, Place, DeliveryRow<'static>>,
    pub(super) sent: Table<'t, Place, u16>,
    pub(super) released: Table<'t, Place, u16>,
    pub(super) received: Table<'t, (u64, u16), ()>,
    pub(super) retained: Table<'t, Bytes, u64>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            wills: transaction.open_table(WILLS)?,
            subscriptions: transaction.open_table(SUBSCRIPTIONS)?,
            messages: transaction.open_table(MESSAGES)?,
            deliveries: transaction.open_table(DELIVERIES)?,
            sent: transaction.open_table(SENT)?,
            released: transaction.open_table(RELEASED)?,
            received: transaction.open_table(RECEIVED)?,
            retained: transaction.open_table(RETAINED)?,
        })
    }
}

pub(super) fn session_row(number: u64, terms: &Terms, left: Option<Duration>) -> SessionRow<'_> {
    (
        number,
        terms.expiry_interval,
        terms.version.level(),
        terms.user.as_deref(),
        left.map(millis),
    )
}

/// The terms of a row; none where its version is none.
pub(super) fn terms(row: &SessionRow<'_>) -> Option<Terms> {
    Some(Terms {
        expiry_interval: row.1,
        version: Version::ALL
            .into_iter()
            .find(|version| version.level() == row.2)?,
        user: row.3.map(Into::into),
    })
}

pub(super) fn message_row(message: &Message) -> MessageRow<'_> {
    (
        &message.topic,
        &message.payload,
        message.qos.value(),
        message.retain,
        &message.properties,
        message.expiry_interval,
        millis(message.received),
        message.publisher.as_deref(),
    )
}

pub(super) fn message(row: &MessageRow<'_>) -> Message {
    Message {
        topic: row.0.into(),
        payload: row.1.into(),
        qos: codec::QoS::from_bits(row.2),
        retain: row.3,
        properties: row.4.into(),
        expiry_interval: row.5,
        received: Duration::from_millis(row.6),
        publisher: row.7.map(Into::into),
    }
}

pub(super) fn subscription_row(subscription: &Subscription) -> SubscriptionRow {
    (
        subscription.maximum_qos.value(),
        subscription.no_local,
        subscription.retain_as_published,
        subscription.identifier,
        subscription.shared,
    )
}

pub(super) fn subscription(row: &SubscriptionRow) -> Subscription {
    Subscription {
        maximum_qos: codec::QoS::from_bits(row.0),
        no_local: row.1,
        retain_as_published: row.2,
        identifier: row.3,
        shared: row.4,
    }
}

pub(super) fn delivery_row(delivery: &Delivery, message: u64) -> DeliveryRow<'_> {
    (
        message,
        delivery.qos.value(),
        delivery.retain,
        delivery.identifiers.clone(),
        delivery.share.as_deref(),
    )
}

pub(super) fn delivery(row: &DeliveryRow<'_>, message: Arc<Message>) -> Delivery {
    Delivery {
        message,
        qos: codec::QoS::from_bits(row.1),
        retain: row.2,
        identifiers: row.3.clone(),
        share: row.4.map(Into::into),
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
