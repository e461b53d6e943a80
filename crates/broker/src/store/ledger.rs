//! From changes to rows: what is where in the tables, kept beside them so that a commit only writes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::tables::{Tables, delivery_row, message_row, session_row, subscription_row};
use crate::core::{Message, Persist, SessionChange, Terms, Will};

/// What is in the tables.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    sessions: BTreeMap<Arc<[u8]>, Kept>,
    messages: Messages,
    retained: BTreeMap<Box<[u8]>, Arc<Message>>,
    /// The number that the next Session or message gets.
    next: u64,
    latest: Duration,
}

/// A Session in the tables.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) terms: Terms,
    pub(super) left: Option<Duration>,
    pub(super) will: Option<Arc<Message>>,
    pub(super) waiting: VecDeque<(u64, Arc<Message>)>,
    pub(super) in_flight: VecDeque<(u16, u64, Arc<Message>)>,
    pub(super) released: Vec<(u16, u64)>,
    /// The next place of a delivery or a release.
    pub(super) next: u64,
}

impl Kept {
    pub(super) fn new(number: u64, terms: Terms, left: Option<Duration>) -> Self {
        Self {
            number,
            terms,
            left,
            will: None,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            released: Vec::new(),
            next: 0,
        }
    }

    fn place(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The messages in the tables, by their address: deliveries, Wills and topics share them, as they do in the core.
#[derive(Debug, Default)]
struct Messages(HashMap<usize, Held>);

#[derive(Debug)]
struct Held {
    number: u64,
    times: usize,
    /// As long as it is here, nothing else has its address.
    _message: Arc<Message>,
}

fn address(message: &Arc<Message>) -> usize {
    Arc::as_ptr(message).addr()
}

impl Ledger {
    pub(super) fn add_session(&mut self, client_id: Arc<[u8]>, kept: Kept) {
        self.next = self.next.max(kept.number + 1);
        self.latest = self.latest.max(kept.left.unwrap_or_default());
        self.sessions.insert(client_id, kept);
    }

    /// Notes one use of a message that is in the tables under this number.
    pub(super) fn add_use(&mut self, message: &Arc<Message>, number: u64) {
        self.next = self.next.max(number + 1);
        self.latest = self.latest.max(message.received);
        self.messages.add(message, number);
    }

    pub(super) fn add_retained(&mut self, message: &Arc<Message>) {
        let topic = message.topic.clone();
        self.retained.insert(topic, Arc::clone(message));
    }

    /// The latest time that anything speaks of.
    pub(super) fn latest(&self) -> Duration {
        self.latest
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

impl Messages {
    fn add(&mut self, message: &Arc<Message>, number: u64) {
        let held = self.0.entry(address(message)).or_insert_with(|| Held {
            number,
            times: 0,
            _message: Arc::clone(message),
        });
        held.times += 1;
    }
}

/// A transaction that brings the tables and the ledger from one state to the next.
pub(super) struct Writer<'l, 't> {
    pub(super) tables: Tables<'t>,
    pub(super) ledger: &'l mut Ledger,
}

type Written = Result<(), redb::Error>;

impl Writer<'_, '_> {
    pub(super) fn apply(&mut self, change: &Persist) -> Written {
        match change {
            Persist::Retained(message) => {
                let number = self.hold(message)?;
                self.tables.retained.insert(&*message.topic, number)?;
                let topic = message.topic.clone();
                match self.ledger.retained.insert(topic, Arc::clone(message)) {
                    Some(earlier) => self.release(&earlier),
                    None => Ok(()),
                }
            }
            Persist::RetainedRemoved { topic } => {
                self.tables.retained.remove(&**topic)?;
                match self.ledger.retained.remove(topic) {
                    Some(earlier) => self.release(&earlier),
                    None => Ok(()),
                }
            }
            Persist::Session { client_id, change } => self.apply_to_session(client_id, change),
        }
    }

    fn apply_to_session(&mut self, client_id: &Arc<[u8]>, change: &SessionChange) -> Written {
        // The Session leaves the ledger while it is changed, so that both can be.
        let kept = self.ledger.sessions.remove(client_id);
        let kept = match (change, kept) {
            (SessionChange::Begun(terms), earlier) => {
                if let Some(earlier) = earlier {
                    self.erase(&earlier)?;
                }
                let kept = Kept::new(self.ledger.number(), terms.clone(), None);
                self.write_terms(client_id, &kept)?;
                kept
            }
            (SessionChange::Ended, Some(ended)) => {
                self.tables.sessions.remove(&**client_id)?;
                return self.erase(&ended);
            }
            (_, None) => return Ok(()),
            (_, Some(mut kept)) => {
                self.change(client_id, &mut kept, change)?;
                kept
            }
        };
        self.ledger.sessions.insert(Arc::clone(client_id), kept);
        Ok(())
    }

    fn change(&mut self, client_id: &[u8], kept: &mut Kept, change: &SessionChange) -> Written {
        let number = kept.number;
        match change {
            SessionChange::Begun(_) | SessionChange::Ended => {}
            SessionChange::Kept(terms) => {
                kept.terms = terms.clone();
                kept.left = None;
                self.write_terms(client_id, kept)?;
            }
            SessionChange::Left { at } => {
                kept.left = Some(*at);
                self.write_terms(client_id, kept)?;
            }
            SessionChange::Will(will) => self.change_will(kept, will.as_ref())?,
            SessionChange::Subscribed {
                filter,
                subscription,
            } => {
                let row = subscription_row(subscription);
                self.tables.subscriptions.insert((number, &**filter), row)?;
            }
            SessionChange::Unsubscribed { filter } => {
                self.tables.subscriptions.remove((number, &**filter))?;
            }
            SessionChange::Queued(delivery) => {
                let message = self.hold(&delivery.message)?;
                let at = kept.place();
                let row = delivery_row(delivery, message);
                self.tables.deliveries.insert((number, at), row)?;
                kept.waiting.push_back((at, Arc::clone(&delivery.message)));
            }
            SessionChange::Dropped => {
                if let Some((at, message)) = kept.waiting.pop_front() {
                    self.tables.deliveries.remove((number, at))?;
                    self.release(&message)?;
                }
            }
            &SessionChange::Sent { packet_id } => {
                if let Some((at, message)) = kept.waiting.pop_front() {
                    self.tables.sent.insert((number, at), packet_id)?;
                    kept.in_flight.push_back((packet_id, at, message));
                }
            }
            &SessionChange::Released { packet_id } => {
                self.finish(kept, packet_id)?;
                let at = kept.place();
                self.tables.released.insert((number, at), packet_id)?;
                kept.released.push((packet_id, at));
            }
            &SessionChange::Completed { packet_id } => self.finish(kept, packet_id)?,
            &SessionChange::Received { packet_id } => {
                self.tables.received.insert((number, packet_id), ())?;
            }
            &SessionChange::ReceivedReleased { packet_id } => {
                self.tables.received.remove((number, packet_id))?;
            }
        }
        Ok(())
    }

    fn change_will(&mut self, kept: &mut Kept, will: Option<&Will>) -> Written {
        let earlier = kept.will.take();
        match will {
            Some(Will { message, delay }) => {
                let row = (self.hold(message)?, *delay);
                self.tables.wills.insert(kept.number, row)?;
                kept.will = Some(Arc::clone(message));
            }
            None => {
                self.tables.wills.remove(kept.number)?;
            }
        }
        match earlier {
            Some(earlier) => self.release(&earlier),
            None => Ok(()),
        }
    }

    /// A delivery is complete, or its message taken over.
    fn finish(&mut self, kept: &mut Kept, packet_id: u16) -> Written {
        let number = kept.number;
        let in_flight = kept.in_flight.iter().position(|(id, ..)| *id == packet_id);
        if let Some((_, at, message)) = in_flight.and_then(|found| kept.in_flight.remove(found)) {
            self.tables.deliveries.remove((number, at))?;
            self.tables.sent.remove((number, at))?;
            self.release(&message)?;
        }
        let released = kept.released.iter().position(|(id, _)| *id == packet_id);
        if let Some((_, at)) = released.map(|found| kept.released.remove(found)) {
            self.tables.released.remove((number, at))?;
        }
        Ok(())
    }

    /// Removes everything of a Session but its own row.
    fn erase(&mut self, kept: &Kept) -> Written {
        let number = kept.number;
        let (places, filters) = (
            (number, 0)..(number + 1, 0),
            (number, &b""[..])..(number + 1, &b""[..]),
        );
        self.tables
            .deliveries
            .retain_in(places.clone(), |_, _| false)?;
        self.tables.sent.retain_in(places.clone(), |_, _| false)?;
        self.tables.released.retain_in(places, |_, _| false)?;
        self.tables.subscriptions.retain_in(filters, |_, _| false)?;
        let ids = (number, 0)..(number + 1, 0);
        self.tables.received.retain_in(ids, |_, ()| false)?;
        self.tables.wills.remove(number)?;
        let waiting = kept.waiting.iter().map(|(_, message)| message);
        let in_flight = kept.in_flight.iter().map(|(.., message)| message);
        for message in waiting.chain(in_flight).chain(&kept.will) {
            self.release(message)?;
        }
        Ok(())
    }

    fn write_terms(&mut self, client_id: &[u8], kept: &Kept) -> Written {
        let row = session_row(kept.number, &kept.terms, kept.left);
        self.tables.sessions.insert(client_id, row)?;
        Ok(())
    }

    /// Writes a message unless it is there already; gives its number.
    fn hold(&mut self, message: &Arc<Message>) -> Result<u64, redb::Error> {
        let number = if let Some(held) = self.ledger.messages.0.get(&address(message)) {
            held.number
        } else {
            let number = self.ledger.number();
            self.tables.messages.insert(number, message_row(message))?;
            number
        };
        self.ledger.messages.add(message, number);
        Ok(number)
    }

    /// Removes a message that nothing uses any more.
    fn release(&mut self, message: &Arc<Message>) -> Written {
        let address = address(message);
        let Some(held) = self.ledger.messages.0.get_mut(&address) else {
            return Ok(());
        };
        held.times -= 1;
        if held.times == 0 {
            self.tables.messages.remove(held.number)?;
            self.ledger.messages.0.remove(&address);
        }
        Ok(())
    }
}
