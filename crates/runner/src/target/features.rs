//! [`Features`]: what a target has of the features that scenarios can require.

use std::collections::{BTreeMap, BTreeSet};

/// What a target has, and why it has not got the rest. The names are those of [`scenario::feature::FEATURES`].
#[derive(Debug, Clone, Default)]
pub struct Features {
    present: BTreeSet<String>,
    absent: BTreeMap<String, String>,
    why_else: &'static str,
}

impl Features {
    /// No feature at all; `why` is the reason for each that nothing else is said of.
    pub fn none(why: &'static str) -> Self {
        Self {
            why_else: why,
            ..Self::default()
        }
    }

    /// Says that the target has it.
    pub fn add(&mut self, feature: &str) {
        self.absent.remove(feature);
        self.present.insert(feature.to_owned());
    }

    /// Says that the target has it not, and how that is known.
    pub fn lack(&mut self, feature: &str, why: impl Into<String>) {
        self.present.remove(feature);
        self.absent.insert(feature.to_owned(), why.into());
    }

    /// Whether the target has it.
    pub fn has(&self, feature: &str) -> bool {
        self.present.contains(feature)
    }

    /// Whether anything is known of the feature, that it is there or that it is not.
    pub(crate) fn speaks_of(&self, feature: &str) -> bool {
        self.has(feature) || self.absent.contains_key(feature)
    }

    /// Why a scenario that requires these cannot be played; none when it can.
    pub fn missing(&self, requires: &[&str]) -> Option<String> {
        let feature = requires.iter().find(|feature| !self.has(feature))?;
        let why = self
            .absent
            .get(*feature)
            .map_or(self.why_else, String::as_str);
        Some(format!("requires `{feature}`: {why}"))
    }

    /// The features that something is said of.
    #[cfg(test)]
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        self.present
            .iter()
            .chain(self.absent.keys())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_how_it_is_known() {
        let mut features = Features::none("not known of a plain address");
        features.add("retain");
        features.lack("shared", "CONNACK says so");
        assert_eq!(features.missing(&["retain"]), None);
        assert_eq!(
            features.missing(&["retain", "shared"]).as_deref(),
            Some("requires `shared`: CONNACK says so")
        );
        assert_eq!(
            features.missing(&["restart"]).as_deref(),
            Some("requires `restart`: not known of a plain address")
        );
    }
}
