//! [`Inbox`]: the packets that arrived on a connection and that no step has read yet.

use std::collections::BTreeSet;
use std::rc::Rc;

use codec::PacketType;
use codec::draft::Draft;
use tokio::time::Instant;

/// One packet that arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// Its place in the order of all arrivals of the case.
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) packet: Draft,
    /// As it stood on the wire.
    pub(super) bytes: Vec<u8>,
    /// Whether it repeats a PUBLISH that the client has not acknowledged, or a PUBREC without its PUBCOMP.
    pub(super) repeat: bool,
}

/// The packets that no step has read: for each packet type a queue, and over all of them the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    unread: Vec<Rc<Arrival>>,
    /// Unread packets that a finding has shown already: within `should:` the case goes on behind it.
    told: BTreeSet<u64>,
}

impl Inbox {
    pub(super) fn push(&mut self, arrival: Arrival) {
        self.unread.push(Rc::new(arrival));
    }

    /// All unread packets, oldest first.
    pub(super) fn unread(&self) -> &[Rc<Arrival>] {
        &self.unread
    }

    /// The unread packets that nobody has been told of, oldest first.
    pub(super) fn untold(&self) -> impl Iterator<Item = &Rc<Arrival>> {
        self.unread
            .iter()
            .filter(|arrival| !self.told.contains(&arrival.number))
    }

    /// A finding shows all that is unread now.
    pub(super) fn tell(&mut self) {
        self.told
            .extend(self.unread.iter().map(|arrival| arrival.number));
    }

    /// The unread packets of one type, oldest first.
    pub(super) fn queue(&self, packet_type: PacketType) -> impl Iterator<Item = &Rc<Arrival>> {
        self.unread
            .iter()
            .filter(move |arrival| arrival.packet.packet_type() == packet_type)
    }

    /// Reads the packet with this number.
    pub(super) fn take(&mut self, number: u64) {
        self.unread.retain(|arrival| arrival.number != number);
    }

    /// Lets go of the packets that `stale` holds for.
    pub(super) fn forget(&mut self, stale: impl Fn(&Arrival) -> bool) {
        self.unread.retain(|arrival| !stale(arrival));
    }

    /// Reads the oldest packet that `wanted` holds for.
    pub(super) fn take_first(&mut self, wanted: impl Fn(&Draft) -> bool) -> Option<Rc<Arrival>> {
        let at = self
            .unread
            .iter()
            .position(|arrival| wanted(&arrival.packet))?;
        Some(self.unread.remove(at))
    }

    /// Reads the newest packet of a type.
    pub(super) fn take_last(&mut self, packet_type: PacketType) -> Option<Rc<Arrival>> {
        let at = self
            .unread
            .iter()
            .rposition(|arrival| arrival.packet.packet_type() == packet_type)?;
        Some(self.unread.remove(at))
    }
}
