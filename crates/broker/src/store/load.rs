//! From rows to changes: what a store holds, as the core restores it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};

use super::ledger::{Kept, Ledger};
use super::tables::{
    DELIVERIES, MESSAGES, Place, RECEIVED, RELEASED, RETAINED, SENT, SESSIONS, SUBSCRIPTIONS,
    WILLS, delivery, message, subscription, terms,
};
use crate::core::{Message, Persist, SessionChange, Will};

/// Reads all of a store: the changes that give what it holds, and the ledger of it.
pub(super) fn load(database: &Database) -> Result<(Vec<Persist>, Ledger), redb::Error> {
    let transaction = database.begin_read()?;
    let mut loading = Loading {
        messages: messages(&transaction)?,
        ledger: Ledger::default(),
        changes: Vec::new(),
    };
    for entry in transaction.open_table(RETAINED)?.iter()? {
        let (_, number) = entry?;
        let message = loading.used(number.value())?;
        loading.ledger.add_retained(&message);
        loading.changes.push(Persist::Retained(message));
    }
    for entry in transaction.open_table(SESSIONS)?.iter()? {
        let (client_id, row) = entry?;
        let row = row.value();
        let terms = terms(&row).ok_or_else(|| corrupted("a Session has no version"))?;
        let kept = Kept::new(row.0, terms, row.4.map(Duration::from_millis));
        loading.session(&transaction, client_id.value().into(), kept)?;
    }
    Ok((loading.changes, loading.ledger))
}

struct Loading {
    messages: BTreeMap<u64, Arc<Message>>,
    ledger: Ledger,
    changes: Vec<Persist>,
}

impl Loading {
    /// One of the messages, which is used once more.
    fn used(&mut self, number: u64) -> Result<Arc<Message>, redb::Error> {
        let found = self.messages.get(&number);
        let message = found.ok_or_else(|| corrupted("a message is missing"))?;
        self.ledger.add_use(message, number);
        Ok(Arc::clone(message))
    }

    fn session(
        &mut self,
        transaction: &ReadTransaction,
        client_id: Arc<[u8]>,
        mut kept: Kept,
    ) -> Result<(), redb::Error> {
        let number = kept.number;
        let places = || (number, 0)..(number + 1, 0);
        let mut changes = vec![SessionChange::Begun(kept.terms.clone())];
        if let Some(row) = transaction.open_table(WILLS)?.get(number)? {
            let (message, delay) = row.value();
            let message = self.used(message)?;
            kept.will = Some(Arc::clone(&message));
            changes.push(SessionChange::Will(Some(Will { message, delay })));
        }
        let filters = (number, &b""[..])..(number + 1, &b""[..]);
        for entry in transaction.open_table(SUBSCRIPTIONS)?.range(filters)? {
            let (key, row) = entry?;
            changes.push(SessionChange::Subscribed {
                filter: key.value().1.into(),
                subscription: subscription(&row.value()),
            });
        }
        let ids = (number, 0)..(number + 1, 0);
        for entry in transaction.open_table(RECEIVED)?.range(ids)? {
            let (_, packet_id) = entry?.0.value();
            changes.push(SessionChange::Received { packet_id });
        }
        for entry in transaction.open_table(RELEASED)?.range(places())? {
            let (place, packet_id) = entry?;
            let ((_, at), packet_id) = (place.value(), packet_id.value());
            kept.released.push((packet_id, at));
            kept.next = kept.next.max(at);
            changes.push(SessionChange::Released { packet_id });
        }
        let sent: BTreeMap<Place, u16> = transaction
            .open_table(SENT)?
            .range(places())?
            .map(|entry| entry.map(|(place, packet_id)| (place.value(), packet_id.value())))
            .collect::<Result<_, _>>()?;
        let mut waiting = Vec::new();
        for entry in transaction.open_table(DELIVERIES)?.range(places())? {
            let (place, row) = entry?;
            let (place, row) = (place.value(), row.value());
            let (_, at) = place;
            let message = self.used(row.0)?;
            kept.next = kept.next.max(at);
            let queued = SessionChange::Queued(delivery(&row, Arc::clone(&message)));
            if let Some(&packet_id) = sent.get(&place) {
                kept.in_flight.push_back((packet_id, at, message));
                changes.extend([queued, SessionChange::Sent { packet_id }]);
            } else {
                kept.waiting.push_back((at, message));
                waiting.push(queued);
            }
        }
        changes.append(&mut waiting);
        changes.extend(kept.left.map(|at| SessionChange::Left { at }));
        let told = changes.into_iter().map(|change| Persist::Session {
            client_id: Arc::clone(&client_id),
            change,
        });
        self.changes.extend(told);
        self.ledger.add_session(client_id, kept);
        Ok(())
    }
}

fn messages(transaction: &ReadTransaction) -> Result<BTreeMap<u64, Arc<Message>>, redb::Error> {
    let mut messages = BTreeMap::new();
    for entry in transaction.open_table(MESSAGES)?.iter()? {
        let (number, row) = entry?;
        messages.insert(number.value(), Arc::new(message(&row.value())));
    }
    Ok(messages)
}

fn corrupted(what: &str) -> redb::Error {
    redb::Error::Corrupted(what.to_owned())
}
