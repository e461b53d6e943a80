//! [`Value`] and [`Record`]: what a field holds.

use alloc::vec::Vec;

use super::FieldSpec;

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A number, a Reason Code, a QoS.
    Number(u64),
    /// A number that may count from the end; only malformations take it.
    Integer(i64),
    /// Text, well-formed or not.
    Text(Vec<u8>),
    /// Data.
    Binary(Vec<u8>),
    /// Numbers: Reason Codes, Subscription Identifiers.
    Numbers(Vec<u64>),
    /// Texts: the Topic Filters of UNSUBSCRIBE.
    Texts(Vec<Vec<u8>>),
    /// Name and value of each User Property.
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    /// Records: the subscriptions of SUBSCRIBE.
    Filters(Vec<Record>),
    /// Named fields: the Will Message.
    Record(Record),
}

/// Named fields with their values, in the order in which they were first set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    entries: Vec<(&'static FieldSpec, Value)>,
}

impl Record {
    /// Nothing set.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Sets a field, in its old place if it was set before.
    pub fn set(&mut self, spec: &'static FieldSpec, value: Value) {
        match self
            .entries
            .iter_mut()
            .find(|(known, _)| known.name == spec.name)
        {
            Some((_, old)) => *old = value,
            None => self.entries.push((spec, value)),
        }
    }

    /// The value of a field, if it was set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(spec, _)| spec.name == name)
            .map(|(_, value)| value)
    }

    /// The value of a field, if it was set, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.entries
            .iter_mut()
            .find(|(spec, _)| spec.name == name)
            .map(|(_, value)| value)
    }

    /// Takes a value away.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self
            .entries
            .iter()
            .position(|(spec, _)| spec.name == name)?;
        Some(self.entries.remove(at).1)
    }

    /// Walks the fields that were set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static FieldSpec, &Value)> + Clone {
        self.entries.iter().map(|(spec, value)| (*spec, value))
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of fields that were set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}
