//! A message that comes to a client: does it keep to the flow, is it one that was published, and may it come?

use codec::{Publish, Version};
use smallvec::SmallVec;

use super::choice::Fit;
use super::explain::{Arrival, Misfit, Way};
use super::link::Stage;
use super::publication::{Publication, forwarded};
use super::rule::{self, Rule};
use super::session::{Delivery, Last, State};
use super::text::{Span, Texts};
use super::{NOWHERE, Oracle, Strictness, shown};

impl Oracle {
    pub(super) fn publish_received(&mut self, client: usize, publish: &Publish<'_>) {
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let version = link.version;
        // What the target sent before the takeover comes behind the CONNACK that tells of it, on another link.
        let of_the_past = self.strictness != Strictness::Exact && link.taken_over;
        let mut topic = NOWHERE;
        if !publish.topic.is_empty() {
            topic = self.texts.keep(publish.topic.as_bytes());
        }
        if let Some(alias) = publish.properties.topic_alias() {
            let maximum = link.asked.alias_maximum;
            let known = link
                .aliases_in
                .iter_mut()
                .find(|(known, _)| *known == alias);
            let mut unknown = false;
            match (topic == NOWHERE, known) {
                (true, Some((_, known))) => topic = *known,
                (true, None) => unknown = true,
                (false, Some((_, known))) => *known = topic,
                (false, None) => link.aliases_in.push((alias, topic)),
            }
            if alias > maximum {
                let message =
                    format!("PUBLISH has Topic Alias {alias}, and the client takes {maximum}");
                self.find(client, rule::ALIAS_MAXIMUM, message);
            }
            if unknown {
                let message = format!("Topic Alias {alias} stands for nothing on this connection");
                self.find(client, rule::ALIAS_UNKNOWN, message);
                return;
            }
        }
        let payload = self.texts.keep(publish.payload);
        if let Some(packet_id) = publish.packet_id
            && !self.under_way(client, own, publish, packet_id, topic, payload)
        {
            return;
        }
        if of_the_past || self.is_foreign(self.texts.get(topic)) {
            return;
        }
        let mut identifiers = Vec::new();
        identifiers.extend(publish.properties.subscription_identifiers());
        // What came is compared with what is kept, so it is taken out of there for a moment.
        let texts = std::mem::take(&mut self.texts);
        let arrival = Arrival {
            topic: texts.get(topic),
            payload: texts.get(payload),
            qos: publish.qos.value(),
            retain: publish.retain,
            properties: forwarded(publish.properties),
            expiry: publish.properties.message_expiry_interval(),
            identifiers,
            version,
        };
        let judged = self.judge(own, &arrival, &texts);
        if let Err((rule, why)) = judged
            && !self.comes_of_the_unreadable(
                client,
                (arrival.topic, arrival.payload),
                rule == rule::NOBODY_PUBLISHED,
            )
        {
            let (topic, payload) = (shown(arrival.topic), shown(arrival.payload));
            self.find(client, rule, format!("`{payload}` on `{topic}` {why}"));
        }
        self.texts = texts;
    }

    /// Follows the exchange of a message of QoS 1 or 2; tells whether it is a new message.
    fn under_way(
        &mut self,
        client: usize,
        own: usize,
        publish: &Publish<'_>,
        packet_id: u16,
        topic: Span,
        payload: Span,
    ) -> bool {
        let tick = self.tick;
        let exact = self.is_exact();
        let Some(Some(link)) = self.links.get(client) else {
            return false;
        };
        let (serial, version, maximum) = (link.serial, link.version, link.asked.receive_maximum);
        let unreadable = link.may_hide_acknowledgements();
        let quota_known = exact || !(link.quota_doubtful || unreadable);
        let settled = link.stage == Stage::Connected;
        let delivery = Delivery {
            packet_id,
            qos: publish.qos.value(),
            topic,
            payload,
            state: State::Published,
            foreign: self.is_foreign(self.texts.get(topic)),
            link: serial,
            since: tick,
            odd: !exact && link.early.contains(&packet_id),
        };
        let texts = &self.texts;
        let looks_the_same = |publication: &&Publication| {
            texts.get(publication.topic) == texts.get(topic)
                && texts.get(publication.payload) == texts.get(payload)
        };
        let session = &mut self.sessions[own];
        let resumed = session.resumed || !settled;
        let mut broken: Option<Rule> = None;
        let mut is_new = true;
        if let Some(known) = session.delivery(packet_id) {
            let same = texts.get(known.topic) == texts.get(topic)
                && texts.get(known.payload) == texts.get(payload)
                && known.qos == delivery.qos;
            let under_way = known.state != State::Completed && !known.odd;
            if known.link == serial {
                if under_way {
                    let repeated = publish.dup && same && known.state == State::Published;
                    is_new = !repeated;
                    if !repeated {
                        broken = Some(rule::ID_IN_USE);
                    } else if version.has_properties() {
                        broken = Some(rule::SENT_AGAIN);
                    }
                } else if publish.dup && !known.odd {
                    broken = Some(rule::DUP_FIRST);
                }
            } else if publish.dup {
                is_new = !same;
                if same && matches!(known.state, State::Released) && !known.odd {
                    broken = Some(rule::PUBLISH_AFTER_PUBREL);
                } else if same && known.state == State::Completed && exact && !known.odd {
                    broken = Some(rule::PUBLISH_AFTER_ACK);
                }
            } else if same
                && known.state == State::Published
                && !known.odd
                // What was retained can come anew, and 3.1 does not tell whether the Session went on.
                && (exact
                    || version != Version::V3_1
                        && !publish.retain
                        && self.publications.iter().filter(looks_the_same).count() == 1)
            {
                is_new = false;
                broken = Some(rule::DUP_AGAIN);
            } else if under_way && exact {
                broken = Some(rule::ID_IN_USE);
            }
            *known = delivery;
        } else {
            if publish.dup && (!resumed || exact) {
                broken = Some(rule::DUP_FIRST);
            }
            session.deliveries.push(delivery);
        }
        let count = session.under_way(serial);
        if let Some(rule) = broken
            && !unreadable
        {
            let message = format!(
                "PUBLISH {} with Packet Identifier {packet_id} and DUP {}",
                self.about(topic, payload),
                u8::from(publish.dup),
            );
            self.find(client, rule, message);
        }
        if count > usize::from(maximum) && quota_known {
            let message =
                format!("{count} messages are under way, and Receive Maximum is {maximum}");
            self.find(client, rule::RECEIVE_MAXIMUM, message);
        }
        is_new
    }

    /// Looks for a publication that explains the arrival; otherwise tells what comes nearest to it.
    fn judge(
        &mut self,
        own: usize,
        arrival: &Arrival<'_>,
        texts: &Texts,
    ) -> Result<(), (Rule, &'static str)> {
        let mut nearest = Misfit::new(0, rule::NOBODY_PUBLISHED, "was published by nobody");
        let mut fits: SmallVec<[Fit; 2]> = SmallVec::new();
        let mut found: Option<(u8, Fit)> = None;
        let mut candidates = 0;
        for at in 0..self.publications.len() {
            let publication = &self.publications[at];
            if publication.topic == NOWHERE
                || texts.get(publication.topic) != arrival.topic
                || texts.get(publication.payload) != arrival.payload
            {
                continue;
            }
            candidates += 1;
            let sure = publication.sure;
            match self.explains(own, at, arrival, texts) {
                Ok(ways) => {
                    let session = &self.sessions[own];
                    if let Some(&fit) = ways.iter().find(|fit| session.has_room(fit)) {
                        // The likeliest of those that look the same.
                        let likelihood = u8::from(session.is_due(&fit)) << 2
                            | u8::from(sure) << 1
                            | u8::from(session.came(&fit) == 0);
                        if found.is_none_or(|(least, _)| likelihood > least) {
                            found = Some((likelihood, fit));
                        }
                    }
                    fits.extend(ways);
                }
                Err(misfit) if misfit.nearness >= nearest.nearness => nearest = misfit,
                Err(_) => {}
            }
        }
        let session = &mut self.sessions[own];
        let taken = found.map(|(_, fit)| fit);
        let taken = taken.or_else(|| fits.iter().copied().find(|fit| session.makes_room(fit)));
        let Some(taken) = taken else {
            if fits.iter().any(|fit| fit.beside_shared) {
                nearest = Misfit::RETAINED_SHARED;
            } else if !fits.is_empty() {
                nearest = Misfit::too_often(arrival.qos);
            }
            return Err((nearest.rule, nearest.why));
        };
        session.chose(taken, &fits);
        // What has come in another way, or of another message, need not have come in this one.
        let unique = candidates == 1 && fits.len() == 1;
        self.count(own, &taken, arrival, texts, unique)
    }

    /// Notes that the publication came, and asks whether it may come to this client, and now.
    fn count(
        &mut self,
        own: usize,
        taken: &Fit,
        arrival: &Arrival<'_>,
        texts: &Texts,
        unique: bool,
    ) -> Result<(), (Rule, &'static str)> {
        let at = taken.publication;
        let publication = self.publications[at];
        let session = &mut self.sessions[own];
        session.no_longer_due(taken);
        let came = session.copies(at).by(taken.way);
        *came += 1;
        let first = *came == 1;
        if taken.way == Way::Retained {
            return Ok(());
        }
        let (mut plain, mut groups, mut shared) = (0, 0, None);
        // What another client leaves behind may come late, even to one that has subscribed since (5.0 section 4.8.2).
        let mut left_behind = false;
        for subscription in &self.sessions[own].subscriptions {
            if !subscription.matches(texts, arrival.topic) {
                continue;
            }
            let may_see = subscription.may_see(publication.sent, publication.handled);
            match subscription.share {
                None => plain += usize::from(may_see),
                Some(share) => {
                    left_behind = true;
                    if may_see {
                        groups += 1;
                        shared = Some((share, subscription.filter));
                    }
                }
            }
        }
        // Of several messages that look the same, each client may have got another.
        if unique
            && let (0, 1, Some((share, filter))) = (plain, groups, shared)
            && self.another_has_it(own, at, texts.get(share), texts.get(filter), texts)
        {
            return Err((
                rule::SHARED_TWICE,
                "went to two clients of a Shared Subscription",
            ));
        }
        // A new subscription brings what was retained, which may be older than what came through another one.
        let retained = arrival.retain && publication.retain;
        if !left_behind && first && unique && !publication.will && !retained {
            return self.keep_order(own, at, arrival, texts);
        }
        Ok(())
    }

    /// Whether another client of the Shared Subscription, connected all the time, got this message by nothing else.
    fn another_has_it(
        &self,
        own: usize,
        publication: usize,
        share: &[u8],
        filter: &[u8],
        texts: &Texts,
    ) -> bool {
        let topic = texts.get(self.publications[publication].topic);
        self.sessions.iter().enumerate().any(|(other, session)| {
            other != own
                && !session.gone
                && !session.resumed
                && session.link.is_some()
                && session
                    .copies
                    .iter()
                    .any(|copies| copies.publication == publication && copies.forwarded > 0)
                && session.subscriptions.iter().any(|s| {
                    s.share.is_some_and(|name| texts.get(name) == share)
                        && texts.get(s.filter) == filter
                })
                && !session.subscriptions.iter().any(|s| {
                    let same = s.share.is_some_and(|name| texts.get(name) == share)
                        && texts.get(s.filter) == filter;
                    !same && s.matches(texts, topic)
                })
        })
    }

    /// Messages of one publisher, topic and QoS come in the order in which they were published.
    fn keep_order(
        &mut self,
        own: usize,
        at: usize,
        arrival: &Arrival<'_>,
        texts: &Texts,
    ) -> Result<(), (Rule, &'static str)> {
        let publication = self.publications[at];
        let stream = Last {
            publisher: publication.publisher,
            topic: publication.topic,
            published_qos: publication.qos,
            qos: arrival.qos,
            publication: at,
        };
        let last = self.sessions[own].last.iter_mut().find(|last| {
            last.publisher == stream.publisher
                && last.published_qos == stream.published_qos
                && last.qos == stream.qos
                && texts.get(last.topic) == arrival.topic
        });
        let Some(last) = last else {
            self.sessions[own].last.push(stream);
            return Ok(());
        };
        let earlier = self.publications[last.publication];
        let told_apart = self.strictness == Strictness::Exact || publication.sure && earlier.sure;
        if at < last.publication && told_apart {
            // What the client released in another order may come in that one.
            if publication.released <= earlier.released {
                return Err((
                    rule::ORDER,
                    "came behind a message that was published after it",
                ));
            }
            return Ok(());
        }
        last.publication = at;
        Ok(())
    }
}
