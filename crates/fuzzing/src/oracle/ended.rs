//! A link ends: may it, and what comes of it?

use std::time::Duration;

use super::link::{Link, Stage, Will};
use super::publication::Publication;
use super::rule;
use super::session::OPEN;
use super::{NOWHERE, Oracle};
use crate::observe::End;

/// How long a client has for its CONNECT, at least.
const CONNECT_TIME: Duration = Duration::from_secs(5);

impl Oracle {
    pub(super) fn link_ends(&mut self, client: usize, end: End, at: Duration) {
        let tick = self.tick(at);
        let exact = self.is_exact();
        let restarting = self.restarting;
        let now = self.now;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        if !link.open {
            return;
        }
        let over_before = link.half_closed;
        if end == End::HalfClosed {
            link.half_closed = true;
        } else {
            link.open = false;
        }
        if over_before {
            return;
        }
        let excused = link.excuses_close(now);
        if end.is_by_target() && exact && !restarting && !excused && !self.is_contested(client) {
            let connected = self.links[client]
                .as_ref()
                .is_some_and(|link| link.stage == Stage::Connected);
            let message = if connected {
                "the link was closed for nothing"
            } else {
                "the link was closed without a CONNACK"
            };
            self.find(client, rule::CLOSED_FOR_NOTHING, message.to_owned());
        }
        self.will_of(client, end);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let proves_itself = link.asked.authentication;
        // Whoever is known to have begun a clean Session has no other.
        let begins_anew = exact && link.asked.clean && !proves_itself;
        // A CONNACK that does not fit is not sent, and the Session may have begun; not where the target has asked for
        // more.
        let may_begin = !proves_itself || link.proofs > 0;
        let exact = exact && !(may_begin && link.asked.maximum_packet_size.is_some());
        let lasts = Duration::from_secs(link.asked.expiry.into());
        let forever = link.asked.expiry == u32::MAX;
        let connected = link.stage == Stage::Connected;
        let wild = link.wild;
        let perhaps_acknowledged = link.may_hide_acknowledgements() && !self.is_exact();
        // While it was asked to prove who it is, others may have come and gone.
        if !connected && proves_itself {
            let client_id = self.sessions[own].client_id;
            self.sessions[own].previous = self.latest_session(self.texts.get(client_id));
        }
        let previous = self.sessions[own].previous;
        let follows = previous.is_some_and(|at| self.sessions[at].lasts(now));
        let session = &mut self.sessions[own];
        session.link = None;
        session.unsure |= !connected || wild;
        session.unanswered = !connected && !begins_anew && follows;
        for delivery in &mut session.deliveries {
            delivery.odd |= perhaps_acknowledged;
        }
        // It may have begun although nobody saw it.
        if !exact && session.begun == 0 {
            session.begun = tick;
        }
        session.ends = (!forever).then(|| now + lasts);
        // What waits at QoS 0 is not kept for a client that is away.
        session.due.retain(|due| due.qos > 0);
        if exact && connected && !wild && !forever && lasts.is_zero() {
            session.gone = true;
        }
        if !exact
            && !connected
            && let Some(previous) = session.previous
        {
            let client_id = self.texts.get(self.sessions[previous].client_id).to_vec();
            self.blur(&client_id);
        }
    }

    /// Whether another link asks for the Client Identifier and has no answer yet.
    pub(super) fn is_contested(&self, client: usize) -> bool {
        let client_id = |link: &Link| Some(self.texts.get(self.sessions[link.session?].client_id));
        let own = self.links[client].as_ref().and_then(client_id);
        self.links.iter().enumerate().any(|(other, link)| {
            other != client
                && link.as_ref().is_some_and(|link| {
                    link.open && link.stage == Stage::Asking && client_id(link) == own
                })
        })
    }

    /// The Will of a link that ends, unless DISCONNECT took it back.
    fn will_of(&mut self, client: usize, end: End) {
        let exact = self.is_exact();
        if let Some(Some(link)) = self.links.get_mut(client)
            && let Some(early) = link.early_will.take()
        {
            self.publications[early].topic = NOWHERE;
        }
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (Some(will), Some(own)) = (link.will, link.session) else {
            return;
        };
        // What the client sent last may not have come; and who closes a link breaks it for a target that still sends,
        // which may see that before it reads what came last.
        let lost = matches!(end, End::Cut | End::Reset | End::Closed) && !exact;
        let taken_back = link.will_recalled && !lost;
        if taken_back || link.stage == Stage::Refused {
            return;
        }
        let delay = will.delay.min(link.asked.expiry);
        let sure = exact
            && link.stage == Stage::Connected
            && !link.wild
            && !link.will_doubtful
            && !self.restarting
            && (!link.taken_over || delay == 0)
            && !self.texts.get(will.topic).starts_with(b"$SYS/");
        // A clean start by another connection ends the Session, and publishes it now.
        let due = if link.taken_over {
            self.now
        } else {
            self.now + Duration::from_secs(delay.into())
        };
        let publication = self.published(&will, link.serial, own);
        self.publications.push(Publication {
            sure,
            due,
            ..publication
        });
    }
}

impl Oracle {
    /// A target that ends a link may publish its Will before the client sees the end, or even the CONNACK.
    pub(super) fn will_may_come_early(&mut self, client: usize) {
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let (Some(will), Some(own)) = (link.will, link.session) else {
            return;
        };
        link.early_will = Some(self.publications.len());
        let serial = link.serial;
        let publication = self.published(&will, serial, own);
        self.publications.push(publication);
    }

    /// A Will as a message that may be published from now on.
    fn published(&self, will: &Will, publisher: u32, own: usize) -> Publication {
        Publication {
            topic: will.topic,
            payload: will.payload,
            qos: will.qos,
            retain: will.retain,
            properties: will.properties,
            expiry: will.expiry,
            publisher,
            client_id: self.sessions[own].client_id,
            sent: self.tick,
            handled: OPEN,
            released: OPEN,
            sure: false,
            refused: false,
            will: true,
            due: self.now,
            recalled: false,
        }
    }
}

impl Link {
    /// Whether the target has a reason to close.
    fn excuses_close(&self, now: Duration) -> bool {
        let silent = self
            .keep_alive()
            .is_some_and(|keep_alive| now >= self.last_packet + keep_alive);
        let late = self.stage != Stage::Connected && now >= self.opened + CONNECT_TIME;
        self.may_close
            || self.taken_over
            || self.left
            || self.dismissed
            || self.half_closed
            || self.stage == Stage::Refused
            || silent
            || late
    }
}
