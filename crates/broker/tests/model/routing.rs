//! From a message to those who subscribed: one filter after the other.

use crate::broker::Model;
use crate::operation::CLIENTS;
use crate::session::Message;

/// Who shares a subscription, and whose turn it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Share {
    pub(crate) members: Vec<usize>,
    pub(crate) next: usize,
}

impl Model {
    /// Takes a message over: retains it if it says so, and passes it on.
    pub(crate) fn take(&mut self, message: &Message) {
        if message.retain && message.payload.is_empty() {
            self.retained.remove(message.topic);
        } else if message.retain {
            self.retained.insert(message.topic, message.clone());
        }
        for client in 0..CLIENTS {
            self.forward(client, message);
        }
        for filter in self.shares.keys().copied().collect::<Vec<_>>() {
            let (_, plain) = share_name_and_filter(filter);
            if matches(plain, message.topic) {
                self.share(filter, message);
            }
        }
    }

    /// One copy for a client, whatever subscriptions of it match.
    pub(crate) fn forward(&mut self, client: usize, message: &Message) {
        let now = self.now;
        let is_shared = |filter: &&str| {
            let members = self.shares.get(*filter).map(|share| &share.members);
            members.is_some_and(|members| members.contains(&client))
        };
        let Some(session) = &self.sessions[client] else {
            return;
        };
        let fitting: Vec<_> = session
            .subscriptions
            .iter()
            .filter(|(filter, _)| !is_shared(filter) && matches(filter, message.topic))
            .filter(|(_, options)| !(options.no_local && message.publisher == client))
            .map(|(_, options)| *options)
            .collect();
        let Some(granted) = fitting.iter().map(|options| options.qos).max() else {
            return;
        };
        let as_published = fitting.iter().any(|options| options.retain_as_published);
        let identifiers = fitting.iter().filter_map(|options| options.identifier);
        let message = Message {
            qos: message.qos.min(granted),
            retain: message.retain && as_published && session.is_v5,
            identifiers: identifiers.collect(),
            ..message.clone()
        };
        if let Some(session) = &mut self.sessions[client] {
            session.deliver(message, now);
        }
    }

    /// One copy for one of those who share: for the next who can be sent it at once, or else for the next who is
    /// there, or else for the next who will get it later.
    pub(crate) fn share(&mut self, filter: &'static str, message: &Message) {
        let now = self.now;
        let Some(share) = self.shares.get(filter) else {
            return;
        };
        let turns = (0..share.members.len()).map(|turn| (share.next + turn) % share.members.len());
        let ranked = turns.filter_map(|at| {
            let session = self.sessions[share.members[at]].as_ref()?;
            let later = message.qos.min(session.subscriptions[filter].qos) > 0;
            match (session.is_ready(), session.connected) {
                (true, _) => Some((0, at)),
                (_, true) => Some((1, at)),
                _ => later.then_some((2, at)),
            }
        });
        let Some((_, at)) = ranked.min_by_key(|(rank, _)| *rank) else {
            return;
        };
        let (client, members) = (share.members[at], share.members.len());
        if let Some(share) = self.shares.get_mut(filter) {
            share.next = (at + 1) % members;
        }
        if let Some(session) = &mut self.sessions[client] {
            let options = session.subscriptions[filter];
            let retain = message.retain && options.retain_as_published && session.is_v5;
            let copy = Message {
                qos: message.qos.min(options.qos),
                retain,
                identifiers: options.identifier.into_iter().collect(),
                share: Some((filter, Box::new(message.clone()))),
                ..message.clone()
            };
            session.deliver(copy, now);
        }
    }

    pub(crate) fn leave_share(&mut self, client: usize, filter: &'static str) {
        if let Some(share) = self.shares.get_mut(filter) {
            share.leave(client);
            if share.members.is_empty() {
                self.shares.remove(filter);
            }
        }
    }
}

impl Share {
    pub(crate) fn join(&mut self, client: usize) {
        if !self.members.contains(&client) {
            self.members.push(client);
        }
    }

    fn leave(&mut self, client: usize) {
        if let Some(at) = self.members.iter().position(|&member| member == client) {
            self.members.remove(at);
            if at < self.next {
                self.next -= 1;
            }
        }
    }
}

fn share_name_and_filter(filter: &'static str) -> (&'static str, &'static str) {
    filter
        .strip_prefix("$share/")
        .and_then(|rest| rest.split_once('/'))
        .expect("a Shared Subscription")
}

pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && !filter.starts_with('$') {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) =
        (filter.split('/').collect(), topic.split('/').collect());
    match filter.iter().position(|level| *level == "#") {
        Some(at) => topic.len() >= at && same(&filter[..at], &topic[..at]),
        None => filter.len() == topic.len() && same(&filter, &topic),
    }
}

fn same(filter: &[&str], topic: &[&str]) -> bool {
    filter
        .iter()
        .zip(topic)
        .all(|(level, name)| level == name || *level == "+")
}
