//! The acknowledgements of messages that come to a client, and the releases of those that it has sent.

use codec::ReasonCode;

use super::Oracle;
use super::link::{Kind, Link};
use super::rule;
use super::session::State;

impl Oracle {
    pub(super) fn puback_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        self.quota_returned(client, packet_id, State::Published);
        let Some(Some(Link {
            session: Some(own),
            wild,
            ..
        })) = self.links.get(client)
        else {
            return;
        };
        if let Some(delivery) = self.sessions[*own].delivery(packet_id) {
            delivery.odd |= wild;
            if delivery.qos == 1 && delivery.state == State::Published {
                delivery.state = State::Completed;
                delivery.since = tick;
            } else if delivery.state != State::Completed {
                delivery.odd = true;
            }
        }
    }

    pub(super) fn pubrec_sent(&mut self, client: usize, packet_id: u16, reason_code: ReasonCode) {
        let tick = self.tick;
        if reason_code.is_error() {
            self.quota_returned(client, packet_id, State::Published);
        }
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut due = false;
        if let Some(delivery) = self.sessions[own].delivery(packet_id) {
            delivery.odd |= link.wild;
            if delivery.qos == 2 && delivery.state == State::Published && !delivery.odd {
                delivery.since = tick;
                if reason_code.is_error() {
                    delivery.state = State::Completed;
                } else {
                    delivery.state = State::Received;
                    due = delivery.link == link.serial;
                }
            } else if delivery.state != State::Completed
                && (delivery.qos != 2 || reason_code.is_error())
            {
                delivery.odd = true;
            }
        } else {
            link.early.push(packet_id);
        }
        if !reason_code.is_error() {
            link.ask(Kind::Pubrel, packet_id, 0, tick);
            if let Some(request) = link.requests.last_mut() {
                request.due &= due;
            }
        }
    }

    pub(super) fn pubrel_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        link.ask(Kind::Pubcomp, packet_id, 0, tick);
        let incoming = &mut self.sessions[own].incoming;
        if let Some(at) = incoming.iter().position(|i| i.packet_id == packet_id) {
            let released = incoming.remove(at);
            self.publications[released.publication].released = tick;
        }
    }

    pub(super) fn pubcomp_sent(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        self.quota_returned(client, packet_id, State::Released);
        let Some(Some(Link {
            session: Some(own),
            wild,
            ..
        })) = self.links.get(client)
        else {
            return;
        };
        if let Some(delivery) = self.sessions[*own].delivery(packet_id) {
            delivery.odd |= wild;
            if delivery.state == State::Released {
                delivery.state = State::Completed;
                delivery.since = tick;
            } else if delivery.state != State::Completed {
                delivery.odd = true;
            }
        }
    }

    /// Whether the target asked for the acknowledgement that ends this exchange. It may send one message more for each
    /// that comes, asked for or not (5.0 section 4.9).
    fn quota_returned(&mut self, client: usize, packet_id: u16, state: State) {
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let asked = link.session.is_some_and(|own| {
            let delivery = self.sessions[own].delivery(packet_id);
            delivery.is_some_and(|delivery| delivery.state == state && !delivery.odd)
        });
        if !asked {
            link.quota_doubtful = true;
            link.early.push(packet_id);
        }
    }

    pub(super) fn pubrel(&mut self, client: usize, packet_id: u16) {
        let tick = self.tick;
        let taken = self.take_request(client, Kind::Pubrel, packet_id);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let (serial, v5) = (link.serial, link.version.has_properties());
        let Some(own) = link.session else { return };
        let session = &mut self.sessions[own];
        let resumed = session.resumed;
        let mut again = false;
        if let Some(delivery) = session.delivery(packet_id) {
            // On another connection it is sent again.
            again = delivery.link != serial || !v5;
            if delivery.state == State::Received || again && delivery.state != State::Completed {
                delivery.state = State::Released;
                delivery.since = tick;
            }
            if delivery.qos == 2 {
                delivery.link = serial;
            } else {
                // It answers a PUBREC for what nothing but PUBACK acknowledges.
                delivery.odd = true;
            }
        } else if resumed {
            again = true;
        }
        if taken.is_none() && !again {
            self.is_unasked(client, Kind::Pubrel, packet_id, rule::ANSWER_ID);
        }
    }
}
