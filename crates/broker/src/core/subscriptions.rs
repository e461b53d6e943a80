//! All subscriptions of a broker, by Topic Filter (sections 4.7 and 4.8).

use std::collections::BTreeMap;
use std::sync::Arc;

use codec::QoS;

use super::few::Few;
use super::session::SessionKey;
use super::topic::{self, Requested};
use super::tree::{Content, NodeIndex, Places, Tree};

/// What a client asked for with one Topic Filter (5.0 section 3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// The granted QoS: the highest that messages are delivered with.
    pub maximum_qos: QoS,
    /// No Local: the client's own messages do not come back to it.
    pub no_local: bool,
    /// Retain As Published: messages keep the RETAIN that the publisher set.
    pub retain_as_published: bool,
    /// The Subscription Identifier.
    pub identifier: Option<u32>,
    /// Whether it is a Shared Subscription, whose filter starts with `$share/` and a Share Name. To a client of
    /// 3.1.1 such a filter is like any other.
    pub shared: bool,
}

impl Subscription {
    /// The Topic Filter as it was requested, taken apart.
    pub(crate) fn requested(self, text: &[u8]) -> Requested<'_> {
        if self.shared {
            Requested::of(text)
        } else {
            Requested {
                share: None,
                filter: text,
            }
        }
    }
}

/// The sessions that subscribed to one Topic Filter.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Whether the Topic Filter starts with a wildcard.
    pub(crate) starts_with_wildcard: bool,
    /// The subscriptions of this filter, by session.
    pub(crate) subscribers: Few<SessionKey, Subscription, 2>,
    /// The Shared Subscriptions of this filter, by Share Name.
    pub(crate) shares: BTreeMap<Box<[u8]>, Share>,
}

impl Content for Node {
    fn is_vacant(&self) -> bool {
        self.subscribers.is_empty() && self.shares.is_empty()
    }
}

/// One Shared Subscription: each message goes to one of its sessions.
#[derive(Debug)]
pub(crate) struct Share {
    filter: Arc<[u8]>,
    members: Vec<(SessionKey, Subscription)>,
    next: usize,
}

impl Share {
    fn of(requested: Requested<'_>) -> Self {
        let share = requested.share.unwrap_or_default();
        Self {
            filter: [b"$share/", share, b"/", requested.filter].concat().into(),
            members: Vec::new(),
            next: 0,
        }
    }

    /// Finds the member whose turn it is: the next of those with the lowest rank, where 0 is the lowest there is.
    /// Members without a rank are passed over.
    pub(crate) fn next_in_turn(
        &self,
        mut rank: impl FnMut(SessionKey, &Subscription) -> Option<u8>,
    ) -> Option<usize> {
        let count = self.members.len();
        let mut best = None;
        for at in (0..count).map(|offset| (self.next + offset) % count) {
            let (session, subscription) = &self.members[at];
            let Some(rank) = rank(*session, subscription) else {
                continue;
            };
            if rank == 0 {
                return Some(at);
            }
            if best.is_none_or(|(lowest, _)| rank < lowest) {
                best = Some((rank, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// The member has taken its turn; the next message begins behind it.
    pub(crate) fn took_turn(&mut self, member: usize) {
        self.next = (member + 1) % self.members.len().max(1);
    }

    /// The Topic Filter as clients request it, with `$share/` and the Share Name.
    pub(crate) fn filter(&self) -> &Arc<[u8]> {
        &self.filter
    }

    /// Every session of the share with what it asked for.
    pub(crate) fn members(&self) -> impl Iterator<Item = (SessionKey, Subscription)> + '_ {
        self.members.iter().copied()
    }

    /// Adds or replaces what a session asks for; tells whether it is new.
    fn insert(&mut self, session: SessionKey, subscription: Subscription) -> bool {
        let member = self
            .members
            .iter_mut()
            .find(|(member, _)| *member == session);
        let Some((_, old)) = member else {
            self.members.push((session, subscription));
            return true;
        };
        *old = subscription;
        false
    }

    fn remove(&mut self, session: SessionKey) -> bool {
        let position = self
            .members
            .iter()
            .position(|&(member, _)| member == session);
        let Some(at) = position else {
            return false;
        };
        self.members.remove(at);
        if at < self.next {
            self.next -= 1;
        }
        true
    }
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    tree: Tree<Node>,
    count: usize,
}

impl Subscriptions {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Adds a subscription, or replaces the one that the session has with the identical filter.
    pub(crate) fn insert(
        &mut self,
        requested: Requested<'_>,
        session: SessionKey,
        subscription: Subscription,
    ) {
        let at = self.tree.make(requested.filter);
        let node = self.tree.at_mut(at);
        node.starts_with_wildcard = topic::starts_with_wildcard(requested.filter);
        let new = match requested.share {
            None => node.subscribers.insert(session, subscription).is_none(),
            Some(share) => node
                .shares
                .entry(share.into())
                .or_insert_with(|| Share::of(requested))
                .insert(session, subscription),
        };
        self.count += usize::from(new);
    }

    /// Removes the subscription that the session has with this filter.
    pub(crate) fn remove(&mut self, requested: Requested<'_>, session: SessionKey) {
        let Some(at) = self.tree.find(requested.filter) else {
            return;
        };
        let node = self.tree.at_mut(at);
        let removed = match requested.share {
            None => node.subscribers.remove(&session).is_some(),
            Some(name) => {
                let share = node.shares.get_mut(name);
                let removed = share.is_some_and(|share| share.remove(session));
                node.shares.retain(|_, share| !share.members.is_empty());
                removed
            }
        };
        self.count -= usize::from(removed);
        self.tree.prune(at);
    }

    /// The places whose Topic Filter matches the topic, in an order that the topic and the filters determine.
    pub(crate) fn matching(&self, topic: &[u8]) -> Places {
        self.tree.filters_matching(topic)
    }

    pub(crate) fn node(&self, at: NodeIndex) -> &Node {
        self.tree.at(at)
    }

    /// The Shared Subscription of this name and filter.
    pub(crate) fn share_mut(&mut self, at: NodeIndex, name: &[u8]) -> Option<&mut Share> {
        self.tree.at_mut(at).shares.get_mut(name)
    }

    /// The place of this Topic Filter.
    pub(crate) fn find(&self, filter: &[u8]) -> Option<NodeIndex> {
        self.tree.find(filter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Subscription = Subscription {
        maximum_qos: QoS::AT_MOST_ONCE,
        no_local: false,
        retain_as_published: false,
        identifier: None,
        shared: false,
    };

    fn plain(filter: &[u8]) -> Requested<'_> {
        PLAIN.requested(filter)
    }

    fn subscribers(tree: &Subscriptions, topic: &[u8]) -> Vec<SessionKey> {
        let mut found: Vec<_> = tree
            .matching(topic)
            .into_iter()
            .flat_map(|at| tree.node(at).subscribers.keys().copied())
            .collect();
        found.sort_unstable();
        found
    }

    proptest! {
        /// The tree finds what a look at every filter finds, and holds nothing once all are removed.
        #[test]
        fn the_tree_agrees_with_matching_one_by_one(
            filters in prop::collection::vec("([ab+]?/){0,3}([ab+#]?)", 1..12),
            topics in prop::collection::vec("([ab$]?/){0,3}[ab]?", 1..8),
        ) {
            let filters: Vec<_> = filters.iter().filter(|f| topic::is_filter(f.as_bytes())).collect();
            let mut tree = Subscriptions::default();
            for (number, filter) in (0..).zip(&filters) {
                tree.insert(plain(filter.as_bytes()), SessionKey(number), PLAIN);
            }
            for topic in &topics {
                let expected: Vec<_> = (0..).zip(&filters)
                    .filter(|(_, filter)| topic::matches(filter.as_bytes(), topic.as_bytes()))
                    .map(|(number, _)| SessionKey(number))
                    .collect();
                prop_assert_eq!(subscribers(&tree, topic.as_bytes()), expected, "{}", topic);
            }
            for (number, filter) in (0..).zip(&filters) {
                tree.remove(plain(filter.as_bytes()), SessionKey(number));
            }
            prop_assert_eq!(tree.tree.len(), 1);
            prop_assert_eq!(tree.len(), 0);
        }
    }

    #[test]
    fn a_share_takes_turns_among_those_that_are_ready() {
        let mut share = Share::of(Requested::of(b"$share/g/a"));
        for number in 0..3 {
            share.insert(SessionKey(number), PLAIN);
        }
        let mut turn = |first: &[u64], second: &[u64]| {
            let rank = |key: SessionKey, _: &Subscription| match key.0 {
                number if first.contains(&number) => Some(0),
                number if second.contains(&number) => Some(1),
                _ => None,
            };
            let member = share.next_in_turn(rank)?;
            share.took_turn(member);
            Some(share.members[member].0.0)
        };
        assert_eq!(turn(&[0, 1, 2], &[]), Some(0));
        assert_eq!(turn(&[0, 1, 2], &[]), Some(1));
        assert_eq!(turn(&[0, 1], &[2]), Some(0));
        assert_eq!(turn(&[], &[0, 2]), Some(2));
        assert_eq!(turn(&[], &[]), None);
    }

    #[test]
    fn a_filter_of_many_levels_needs_no_stack() {
        let deep = vec![b'/'; 65_535];
        let mut tree = Subscriptions::default();
        tree.insert(plain(&deep), SessionKey(1), PLAIN);
        assert_eq!(subscribers(&tree, &deep), [SessionKey(1)]);
        tree.remove(plain(&deep), SessionKey(1));
        assert!(subscribers(&tree, &deep).is_empty());
    }
}
