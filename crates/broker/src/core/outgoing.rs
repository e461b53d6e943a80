//! What is on its way to one client: what waits, what is in flight, what the client has taken over (section 4.1).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use codec::QoS;

use super::message::Message;
use crate::config::Limits;

/// A message for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message.
    pub message: Arc<Message>,
    /// The QoS that it is delivered with.
    pub qos: QoS,
    /// RETAIN as it is sent.
    pub retain: bool,
    /// The Subscription Identifiers that it carries.
    pub identifiers: Vec<u32>,
    /// The Shared Subscription that it comes from, as its client requested it.
    pub share: Option<Arc<[u8]>>,
}

/// What is on its way to a client.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// QoS 1 and 2 messages that were never sent.
    pub(crate) waiting: VecDeque<Delivery>,
    held: Held,
    /// Messages that were sent and are not acknowledged, in the order of their first sending.
    pub(crate) in_flight: VecDeque<InFlight>,
    /// Packet Identifiers of QoS 2 messages that the client has taken over, in the order that it did.
    pub(crate) released: VecDeque<u16>,
    last_id: u16,
}

/// How much is on its way to one client, or to all.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Tally {
    fn add(&self, message: &Message) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(message.size(), Ordering::Relaxed);
    }

    fn subtract(&self, messages: usize, bytes: usize) {
        self.messages.fetch_sub(messages, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether a message of this size goes beyond these limits.
    pub(crate) fn is_full(&self, size: usize, messages: usize, bytes: usize) -> bool {
        self.messages.load(Ordering::Relaxed) >= messages
            || self.bytes.load(Ordering::Relaxed) + size > bytes
    }
}

/// The messages that wait or are in flight, counted for their client and for all. They count until they are dropped,
/// however that comes about.
#[derive(Debug, Default)]
struct Held {
    own: Tally,
    all: Arc<Tally>,
}

impl Held {
    fn add(&self, delivery: &Delivery) {
        self.own.add(&delivery.message);
        self.all.add(&delivery.message);
    }

    fn subtract(&self, delivery: &Delivery) {
        let size = delivery.message.size();
        self.own.subtract(1, size);
        self.all.subtract(1, size);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (messages, bytes) = (self.own.messages.get_mut(), self.own.bytes.get_mut());
        self.all.subtract(*messages, *bytes);
    }
}

/// A message that was sent and is not acknowledged.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) packet_id: u16,
    pub(crate) delivery: Delivery,
    /// Whether it was sent on the present connection.
    pub(crate) sent: bool,
}

impl Outgoing {
    /// Nothing, counted with what is on its way to the others.
    pub(crate) fn counted_in(all: &Arc<Tally>) -> Self {
        Self {
            waiting: VecDeque::new(),
            held: Held {
                own: Tally::default(),
                all: Arc::clone(all),
            },
            in_flight: VecDeque::new(),
            released: VecDeque::new(),
            last_id: 0,
        }
    }

    /// The connection has ended: what is in flight must be sent again on the next one.
    pub(crate) fn interrupted(&mut self) {
        for message in &mut self.in_flight {
            message.sent = false;
        }
    }

    /// How many messages of the present connection the client has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.first_unsent().unwrap_or(self.in_flight.len()) + self.released.len()
    }

    /// Where in flight the messages begin that are to be sent again. They are sent in their order, so those that
    /// were come first.
    pub(crate) fn first_unsent(&self) -> Option<usize> {
        let unsent = self
            .in_flight
            .iter()
            .rev()
            .take_while(|message| !message.sent)
            .count();
        (unsent > 0).then(|| self.in_flight.len() - unsent)
    }

    /// How many messages could be sent at once, under this many unacknowledged ones.
    pub(crate) fn room(&self, quota: usize) -> usize {
        let unacknowledged = self.in_flight.len() + self.released.len();
        if self.waiting.is_empty() {
            quota.saturating_sub(unacknowledged)
        } else {
            0
        }
    }

    pub(crate) fn is_in_use(&self, packet_id: u16) -> bool {
        self.in_flight
            .iter()
            .any(|message| message.packet_id == packet_id)
            || self.released.contains(&packet_id)
    }

    /// A Packet Identifier that is not in use: the next one after the last.
    pub(crate) fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.is_in_use(self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Whether a message of this size goes beyond the limits of one client, if it waits or is in flight at once.
    pub(crate) fn is_full(&self, size: usize, waits: bool, limits: &Limits) -> bool {
        waits && self.waiting.len() >= limits.queued_messages
            || self.held.own.is_full(size, usize::MAX, limits.queued_bytes)
    }

    /// The bytes of the messages that wait or are in flight.
    pub(crate) fn bytes_held(&self) -> usize {
        self.held.own.bytes.load(Ordering::Relaxed)
    }

    /// A message waits, behind the others.
    pub(crate) fn queue(&mut self, delivery: Delivery) {
        self.held.add(&delivery);
        self.waiting.push_back(delivery);
    }

    /// Takes the first message that waits.
    pub(crate) fn take_waiting(&mut self) -> Option<Delivery> {
        let delivery = self.waiting.pop_front()?;
        self.held.subtract(&delivery);
        Some(delivery)
    }

    /// A message was sent for the first time.
    pub(crate) fn sent(&mut self, packet_id: u16, delivery: Delivery) {
        self.last_id = packet_id;
        self.held.add(&delivery);
        self.in_flight.push_back(InFlight {
            packet_id,
            delivery,
            sent: true,
        });
    }

    /// Where in flight the message with this Packet Identifier and QoS is.
    pub(crate) fn position(&self, packet_id: u16, qos: QoS) -> Option<usize> {
        self.in_flight
            .iter()
            .position(|message| message.packet_id == packet_id && message.delivery.qos == qos)
    }

    /// Takes a message that is in flight no longer.
    pub(crate) fn take_in_flight(&mut self, at: usize) -> Option<Delivery> {
        let delivery = self.in_flight.remove(at)?.delivery;
        self.held.subtract(&delivery);
        Some(delivery)
    }

    /// Forgets the messages in flight that are not to be kept.
    pub(crate) fn keep_in_flight(&mut self, keep: impl Fn(&Delivery) -> bool) {
        for at in (0..self.in_flight.len()).rev() {
            if !keep(&self.in_flight[at].delivery) {
                self.take_in_flight(at);
            }
        }
    }

    /// A delivery is complete, or its message taken over.
    pub(crate) fn finish(&mut self, packet_id: u16) {
        let in_flight = self
            .in_flight
            .iter()
            .position(|message| message.packet_id == packet_id);
        if let Some(at) = in_flight {
            self.take_in_flight(at);
        }
        self.released.retain(|&id| id != packet_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packet_identifiers_in_use_are_passed_over() {
        let mut outgoing = Outgoing {
            last_id: u16::MAX - 1,
            released: [1, 2].into(),
            ..Outgoing::default()
        };
        assert_eq!(outgoing.next_id(), u16::MAX);
        assert_eq!(outgoing.next_id(), 3);
        assert_eq!(outgoing.next_id(), 4);
    }
}
