//! [`Client`]: a client of the scenario, by name, with its current connection.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use codec::Version;

use super::connection::Connection;
use super::stop::{Outcome, Stop};
use crate::link::LinkOptions;

/// The first Packet Identifier of handshakes that verbs play.
const VERBS: u16 = 40_000;
/// The first Packet Identifier of what the barrier sends.
const BARRIER: u16 = 50_000;

/// A client of the scenario.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) name: String,
    /// Its Client Identifier where the scenario gives none.
    pub(super) id: String,
    pub(super) version: Version,
    pub(super) link: RefCell<LinkOptions>,
    connection: RefCell<Option<Rc<Connection>>>,
    next_id: Cell<u16>,
    next_barrier_id: Cell<u16>,
    /// Up to which PUBLISH of each connection, at each QoS, the barrier has proven that nothing is under way.
    settled: RefCell<HashMap<(u64, usize), u64>>,
}

impl Client {
    pub(super) fn new(name: &str, id: String, version: Version, link: LinkOptions) -> Self {
        Self {
            name: name.to_owned(),
            id,
            version,
            link: RefCell::new(link),
            connection: RefCell::default(),
            next_id: Cell::new(VERBS),
            next_barrier_id: Cell::new(BARRIER),
            settled: RefCell::default(),
        }
    }

    /// Its latest connection, over or not.
    pub(super) fn connection(&self) -> Option<Rc<Connection>> {
        self.connection.borrow().clone()
    }

    /// Its latest connection.
    pub(super) fn any_connection(&self) -> Outcome<Rc<Connection>> {
        self.connection()
            .ok_or_else(|| Stop::cannot(format!("`{}` was never connected", self.name)))
    }

    /// Its connection, if that is not over.
    pub(super) fn open_connection(&self) -> Option<Rc<Connection>> {
        self.connection()
            .filter(|connection| connection.end().is_none())
    }

    pub(super) fn attach(&self, connection: Rc<Connection>) {
        *self.connection.borrow_mut() = Some(connection);
        self.settled.borrow_mut().clear();
    }

    /// A Packet Identifier for a verb, in use by nobody.
    pub(super) fn packet_id(&self, connection: &Connection) -> u16 {
        free_id(&self.next_id, VERBS..BARRIER, connection)
    }

    /// A Packet Identifier for the barrier, in use by nobody.
    pub(super) fn barrier_id(&self, connection: &Connection) -> u16 {
        free_id(&self.next_barrier_id, BARRIER..u16::MAX, connection)
    }

    /// How many PUBLISH packets of a connection, at a QoS, are known to be under way no more.
    pub(super) fn settled(&self, publisher: &Connection, qos: usize) -> u64 {
        self.settled
            .borrow()
            .get(&(publisher.serial, qos))
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn settle(&self, publisher: &Connection, qos: usize, count: u64) {
        self.settled
            .borrow_mut()
            .insert((publisher.serial, qos), count);
    }
}

fn free_id(next: &Cell<u16>, range: std::ops::Range<u16>, connection: &Connection) -> u16 {
    loop {
        let id = next.get();
        next.set(if id + 1 < range.end {
            id + 1
        } else {
            range.start
        });
        if !connection.look(|state| state.protocol.uses(id)) {
            return id;
        }
    }
}
