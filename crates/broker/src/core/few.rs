//! [`Few`]: a map that is mostly short, and needs no memory of its own then.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use smallvec::SmallVec;

/// A map in the order of its keys. Up to `SHORT` entries stand side by side, where the map itself is; from one more on it
/// is a [`BTreeMap`], and stays one.
#[derive(Debug)]
pub(crate) enum Few<K, V, const SHORT: usize> {
    Short(SmallVec<[(K, V); SHORT]>),
    Long(BTreeMap<K, V>),
}

impl<K, V, const SHORT: usize> Default for Few<K, V, SHORT> {
    fn default() -> Self {
        Self::Short(SmallVec::new())
    }
}

impl<K: Ord, V, const SHORT: usize> Few<K, V, SHORT> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Short(entries) => entries.len(),
            Self::Long(map) => map.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Short(entries) => entries
                .iter()
                .find_map(|(known, value)| (known.borrow() == key).then_some(value)),
            Self::Long(map) => map.get(key),
        }
    }

    #[inline]
    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Short(entries) => entries
                .iter_mut()
                .find_map(|(known, value)| ((*known).borrow() == key).then_some(value)),
            Self::Long(map) => map.get_mut(key),
        }
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Adds or replaces; gives what was replaced.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let entries = match self {
            Self::Short(entries) => entries,
            Self::Long(map) => return map.insert(key, value),
        };
        if let Some((_, old)) = entries.iter_mut().find(|(known, _)| *known == key) {
            return Some(std::mem::replace(old, value));
        }
        if entries.len() == SHORT {
            let mut map: BTreeMap<K, V> = std::mem::take(entries).into_iter().collect();
            map.insert(key, value);
            *self = Self::Long(map);
            return None;
        }
        let before = entries.iter().take_while(|(known, _)| *known < key);
        let at = before.count();
        entries.insert(at, (key, value));
        None
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self {
            Self::Short(entries) => {
                let at = entries
                    .iter()
                    .position(|(known, _)| known.borrow() == key)?;
                Some(entries.remove(at).1)
            }
            Self::Long(map) => map.remove(key),
        }
    }

    pub(crate) fn first(&self) -> Option<(&K, &V)> {
        match self {
            Self::Short(entries) => entries.first().map(|(key, value)| (key, value)),
            Self::Long(map) => map.first_key_value(),
        }
    }

    /// Every entry, in the order of the keys.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let (short, long) = match self {
            Self::Short(entries) => (entries.as_slice(), None),
            Self::Long(map) => (&[][..], Some(map)),
        };
        let short = short.iter().map(|(key, value)| (key, value));
        short.chain(long.into_iter().flatten())
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// It is a map like any other, short or long.
        #[test]
        fn it_is_a_map(changes in prop::collection::vec((any::<bool>(), 0..6_u8, any::<u16>()), 0..40)) {
            let mut few = Few::<u8, u16, 3>::default();
            let mut map = BTreeMap::new();
            for (insert, key, value) in changes {
                if insert {
                    prop_assert_eq!(few.insert(key, value), map.insert(key, value));
                } else {
                    prop_assert_eq!(few.remove(&key), map.remove(&key));
                }
                prop_assert_eq!(few.len(), map.len());
                prop_assert_eq!(few.is_empty(), map.is_empty());
                prop_assert_eq!(few.first(), map.first_key_value());
                prop_assert_eq!(few.iter().rev().collect::<Vec<_>>(), map.iter().rev().collect::<Vec<_>>());
                for key in 0..6 {
                    prop_assert_eq!(few.get(&key), map.get(&key));
                    prop_assert_eq!(few.get_mut(&key), map.get_mut(&key));
                    prop_assert_eq!(few.contains_key(&key), map.contains_key(&key));
                }
            }
        }
    }
}
