//! A tree of topic levels: things by Topic Filter that are found by topic, or by Topic Name that are found by filter
//! (section 4.7).
//!
//! The nodes stand in one vector and point to each other by index, so that neither a deep filter nor a deep
//! topic can exhaust the stack, and matching walks level by level without recursion.

use smallvec::{SmallVec, smallvec};

use super::few::Few;
use super::topic;

/// A place in a tree.
pub(crate) type NodeIndex = usize;

/// Places in a tree: mostly few, which then need no memory of their own.
pub(crate) type Places = SmallVec<[NodeIndex; 8]>;

/// One level of a topic.
type Level = SmallVec<[u8; 16]>;

/// What stands at a place in a tree, which is given up once there is nothing.
pub(crate) trait Content: Default {
    /// Whether there is nothing.
    fn is_vacant(&self) -> bool;
}

/// The tree.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    /// The root, and often nothing else.
    nodes: SmallVec<[Node<T>; 1]>,
    free: Vec<NodeIndex>,
}

#[derive(Debug, Default)]
struct Node<T> {
    /// What its parent knows it by.
    level: Level,
    parent: NodeIndex,
    children: Few<Level, NodeIndex, 2>,
    content: T,
}

impl<T> Node<T> {
    #[inline]
    fn child(&self, level: &[u8]) -> Option<NodeIndex> {
        self.children.get(level).copied()
    }
}

const ROOT: NodeIndex = 0;

/// So many places there is room for, once there is more than the root.
const FIRST: usize = 3;

impl<T: Content> Default for Tree<T> {
    fn default() -> Self {
        Self {
            nodes: smallvec![Node::default()],
            free: Vec::new(),
        }
    }
}

impl<T: Content> Tree<T> {
    pub(crate) fn at(&self, at: NodeIndex) -> &T {
        &self.nodes[at].content
    }

    pub(crate) fn at_mut(&mut self, at: NodeIndex) -> &mut T {
        &mut self.nodes[at].content
    }

    /// What stands at every place, in no order.
    pub(crate) fn contents(&self) -> impl Iterator<Item = &T> {
        self.nodes.iter().map(|node| &node.content)
    }

    /// The place of this filter or name, level by level as it is written.
    pub(crate) fn find(&self, path: &[u8]) -> Option<NodeIndex> {
        topic::levels(path).try_fold(ROOT, |at, level| self.nodes[at].child(level))
    }

    /// The place of this filter or name, made if it is not there.
    pub(crate) fn make(&mut self, path: &[u8]) -> NodeIndex {
        let mut at = ROOT;
        for level in topic::levels(path) {
            at = if let Some(child) = self.nodes[at].child(level) {
                child
            } else {
                let child = self.place(Node {
                    level: Level::from_slice(level),
                    parent: at,
                    ..Node::default()
                });
                self.nodes[at]
                    .children
                    .insert(Level::from_slice(level), child);
                child
            };
        }
        at
    }

    /// The places of the Topic Filters that match the topic, in an order that the topic and the tree determine.
    pub(crate) fn filters_matching(&self, topic: &[u8]) -> Places {
        let mut found = Places::new();
        let mut reached: Places = smallvec![ROOT];
        let mut beyond = Places::new();
        for level in topic::levels(topic) {
            for &at in &reached {
                let node = &self.nodes[at];
                found.extend(node.child(b"#"));
                beyond.extend(node.child(b"+"));
                if !matches!(level, b"#" | b"+") {
                    beyond.extend(node.child(level));
                }
            }
            reached.clear();
            std::mem::swap(&mut reached, &mut beyond);
            if reached.is_empty() {
                break;
            }
        }
        for at in reached {
            found.push(at);
            found.extend(self.nodes[at].child(b"#"));
        }
        found
    }

    /// The places of the Topic Names that match the filter, sorted level by level. Only the parts of the tree are
    /// visited that the filter leads to.
    pub(crate) fn topics_matching(&self, filter: &[u8]) -> Places {
        let mut reached: Places = smallvec![ROOT];
        let mut beyond = Places::new();
        for level in topic::levels(filter) {
            if level == b"#" {
                return self.with_all_below(&reached);
            }
            for &at in &reached {
                let node = &self.nodes[at];
                if level == b"+" {
                    beyond.extend(node.children.values().copied());
                } else {
                    beyond.extend(node.child(level));
                }
            }
            reached.clear();
            std::mem::swap(&mut reached, &mut beyond);
        }
        reached
    }

    /// Every place, sorted level by level.
    pub(crate) fn all(&self) -> Places {
        self.with_all_below(&[ROOT])
    }

    fn with_all_below(&self, places: &[NodeIndex]) -> Places {
        let mut found = Places::new();
        let mut left: Places = places.iter().rev().copied().collect();
        while let Some(at) = left.pop() {
            found.push(at);
            left.extend(self.nodes[at].children.values().rev().copied());
        }
        found
    }

    /// Takes back the nodes, from `at` upwards, that hold nothing any more.
    pub(crate) fn prune(&mut self, mut at: NodeIndex) {
        while at != ROOT {
            let node = &self.nodes[at];
            if !node.children.is_empty() || !node.content.is_vacant() {
                return;
            }
            let Node { level, parent, .. } = std::mem::take(&mut self.nodes[at]);
            self.nodes[parent].children.remove(&*level);
            self.free.push(at);
            at = parent;
        }
    }

    /// How many nodes hold something, or lead to some that do; the root is one.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    fn place(&mut self, node: Node<T>) -> NodeIndex {
        if let Some(at) = self.free.pop() {
            self.nodes[at] = node;
            return at;
        }
        if !self.nodes.spilled() {
            self.nodes.reserve_exact(FIRST);
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }
}
