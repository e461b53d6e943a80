//! SUBSCRIBE, UNSUBSCRIBE and their answers: which subscriptions are in force, and from when to when.

use clauses::clause;
use codec::{ReasonCode, ReasonCodes, Subscribe, Text, TopicFilter, Unsubscribe, Version};

use super::Oracle;
use super::link::Kind;
use super::rule;
use super::session::{OPEN, Subscription};

impl Oracle {
    pub(super) fn subscribe_sent(
        &mut self,
        client: usize,
        version: Version,
        subscribe: &Subscribe<'_>,
    ) {
        let tick = self.tick;
        let exact = self.is_exact();
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut count = 0;
        for subscription in subscribe.filters.iter() {
            count += 1;
            let options = subscription.options;
            let parsed = parse(version, subscription.filter);
            let Ok(filter) = parsed else {
                link.wrong(None, "a malformed Topic Filter");
                // A refusal in SUBACK is as good as a close.
                link.must_close = None;
                continue;
            };
            if filter.share_name.is_some() && options.is_no_local() {
                link.wrong(
                    Some(clause!("v5.0/MQTT-3.8.3-4")),
                    "No Local on a Shared Subscription",
                );
            }
            let mut brings = filter.filter;
            // Before 5.0 the dollar is the server's (3.1.1 section 4.7.2): many share subscriptions there, too.
            if !exact
                && !version.has_properties()
                && let Ok(shared) = TopicFilter::parse(subscription.filter)
            {
                brings = shared.filter;
            }
            let requested = self.texts.keep(subscription.filter.as_bytes());
            let session = &mut self.sessions[own];
            let mut replaces = false;
            for earlier in &mut session.subscriptions {
                if earlier.until == OPEN
                    && !earlier.refused
                    && self.texts.get(earlier.requested) == subscription.filter.as_bytes()
                {
                    earlier.sure_until = earlier.sure_until.min(tick);
                    earlier.ends_with = Some((Kind::Suback, subscribe.packet_id));
                    replaces = true;
                }
            }
            let v5 = version.has_properties();
            session.subscriptions.push(Subscription {
                requested,
                filter: self.texts.keep(brings),
                share: filter.share_name.map(|name| self.texts.keep(name)),
                qos: options.qos().value(),
                no_local: v5 && options.is_no_local(),
                retain_as_published: v5 && options.is_retain_as_published(),
                retain_handling: if v5 { options.0 >> 4 & 0b11 } else { 0 },
                identifier: subscribe.properties.subscription_identifier(),
                replaces,
                from: tick,
                sure_from: OPEN,
                until: OPEN,
                sure_until: if link.wild { 0 } else { OPEN },
                ends_with: None,
                refused: false,
            });
        }
        link.ask(Kind::Suback, subscribe.packet_id, count, tick);
    }

    pub(super) fn unsubscribe_sent(&mut self, client: usize, unsubscribe: &Unsubscribe<'_>) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let mut count = 0;
        for filter in unsubscribe.filters.iter() {
            count += 1;
            if parse(link.version, filter).is_err() {
                link.wrong(None, "a malformed Topic Filter");
                link.must_close = None;
            }
            for subscription in &mut self.sessions[own].subscriptions {
                if subscription.until == OPEN
                    && self.texts.get(subscription.requested) == filter.as_bytes()
                {
                    subscription.sure_until = subscription.sure_until.min(tick);
                    subscription.ends_with = Some((Kind::Unsuback, unsubscribe.packet_id));
                }
            }
        }
        link.ask(Kind::Unsuback, unsubscribe.packet_id, count, tick);
    }

    pub(super) fn suback(&mut self, client: usize, packet_id: u16, codes: ReasonCodes<'_>) {
        let Some(request) = self.answer(client, Kind::Suback, packet_id, rule::REQUEST_ID) else {
            return;
        };
        let tick = self.tick;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (Some(own), wild) = (link.session, link.wild) else {
            return;
        };
        if codes.iter().len() != request.codes {
            if !wild {
                let message = format!(
                    "SUBACK has {} codes for {} Topic Filters",
                    codes.iter().len(),
                    request.codes
                );
                self.find(client, rule::CODES, message);
            }
            return;
        }
        let mut codes = codes.iter();
        let mut granted_more = None;
        for at in 0..self.sessions[own].subscriptions.len() {
            let subscription = &mut self.sessions[own].subscriptions[at];
            if subscription.from != request.sent {
                // What it replaces is over once it is in force.
                continue;
            }
            let Some(code) = codes.next() else { break };
            if code.is_error() {
                subscription.refused = true;
                continue;
            }
            if code.0 > subscription.qos {
                granted_more = Some((subscription.qos, code.0));
            }
            subscription.qos = subscription.qos.min(code.0);
            subscription.sure_from = tick;
            if !wild {
                self.retained_falls_due(own, at);
            }
            let requested = self.sessions[own].subscriptions[at].requested;
            let replaced = self.sessions[own].subscriptions[..at].iter_mut();
            for earlier in replaced.filter(|s| s.ends_with == Some((Kind::Suback, packet_id))) {
                if self.texts.get(earlier.requested) == self.texts.get(requested) {
                    earlier.until = earlier.until.min(tick);
                }
            }
        }
        if let Some((asked, granted)) = granted_more
            && !wild
        {
            let message = format!("QoS {granted} was granted where {asked} was requested");
            self.find(client, rule::GRANTED_MORE, message);
        }
    }

    pub(super) fn unsuback(&mut self, client: usize, packet_id: u16, codes: ReasonCodes<'_>) {
        let Some(request) = self.answer(client, Kind::Unsuback, packet_id, rule::REQUEST_ID) else {
            return;
        };
        let tick = self.tick;
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (Some(own), v5) = (link.session, link.version.has_properties()) else {
            return;
        };
        if v5 && codes.iter().len() != request.codes {
            if !link.wild {
                let message = format!(
                    "UNSUBACK has {} codes for {} Topic Filters",
                    codes.iter().len(),
                    request.codes
                );
                self.find(client, rule::CODES, message);
            }
            return;
        }
        if codes.iter().any(ReasonCode::is_error) {
            return;
        }
        for subscription in &mut self.sessions[own].subscriptions {
            if subscription.ends_with == Some((Kind::Unsuback, packet_id))
                && subscription.sure_until == request.sent
                && subscription.until == OPEN
            {
                subscription.until = tick;
            }
        }
    }
}

fn parse(version: Version, filter: Text<'_>) -> Result<TopicFilter<'_>, codec::InvalidTopicFilter> {
    if version.has_properties() {
        TopicFilter::parse(filter)
    } else {
        TopicFilter::parse_plain(filter)
    }
}
