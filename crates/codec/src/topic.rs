//! Topic Filters (sections 4.7 and 4.8.2): are their wildcards where they may be, is the subscription shared?
//!
//! A decoder does not refuse a bad filter: in 5.0 the answer may be SUBACK 0x8F, so it is for the
//! session logic to choose. This classification is what it chooses by.

use crate::Text;

/// A sound Topic Filter, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicFilter<'a> {
    /// The Share Name, if it is a shared subscription of 5.0: `$share/{name}/{filter}`.
    pub share_name: Option<&'a [u8]>,
    /// The filter that topics are compared with: what stands behind the Share Name.
    pub filter: &'a [u8],
    /// Whether it has wildcards.
    pub has_wildcards: bool,
}

/// Why a Topic Filter is unsound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidTopicFilter {
    /// It has no characters: \[MQTT-4.7.3-1\].
    #[error("a Topic Filter has at least one character")]
    Empty,
    /// A `#` is not the whole last level: \[MQTT-4.7.1-2\] in 3.1.1, \[MQTT-4.7.1-1\] in 5.0.
    #[error("`#` stands alone or behind a `/`, as the last character")]
    MultiLevelWildcard,
    /// A `+` is not a whole level: \[MQTT-4.7.1-3\] in 3.1.1, \[MQTT-4.7.1-2\] in 5.0.
    #[error("`+` fills a whole level")]
    SingleLevelWildcard,
    /// A shared subscription has no Share Name: \[MQTT-4.8.2-1\].
    #[error("a shared subscription has a Share Name of at least one character")]
    ShareNameEmpty,
    /// A Share Name has a wildcard in it: \[MQTT-4.8.2-2\].
    #[error("a Share Name has no `+` and no `#`")]
    ShareNameWildcard,
    /// No filter follows the Share Name: \[MQTT-4.8.2-2\].
    #[error("behind the Share Name follow a `/` and a Topic Filter")]
    ShareWithoutFilter,
}

impl<'a> TopicFilter<'a> {
    /// Takes a filter of 5.0 apart.
    pub fn parse(filter: Text<'a>) -> Result<Self, InvalidTopicFilter> {
        let Some(shared) = filter.as_bytes().strip_prefix(b"$share/") else {
            return Self::parse_plain(filter);
        };
        let mut parts = shared.splitn(2, |byte| *byte == b'/');
        let share_name = parts.next().unwrap_or_default();
        if share_name.is_empty() {
            return Err(InvalidTopicFilter::ShareNameEmpty);
        }
        if share_name.iter().any(|byte| matches!(byte, b'+' | b'#')) {
            return Err(InvalidTopicFilter::ShareNameWildcard);
        }
        match parts.next() {
            None | Some([]) => Err(InvalidTopicFilter::ShareWithoutFilter),
            Some(rest) => Ok(Self {
                share_name: Some(share_name),
                ..Self::parse_plain(Text::new(rest))?
            }),
        }
    }

    /// Looks at a filter of 3.1 or 3.1.1, where `$share` means nothing.
    pub fn parse_plain(filter: Text<'a>) -> Result<Self, InvalidTopicFilter> {
        let filter = filter.as_bytes();
        if filter.is_empty() {
            return Err(InvalidTopicFilter::Empty);
        }
        let mut has_wildcards = false;
        let mut levels = filter.split(|byte| *byte == b'/').peekable();
        while let Some(level) = levels.next() {
            if level.contains(&b'#') && (level.len() > 1 || levels.peek().is_some()) {
                return Err(InvalidTopicFilter::MultiLevelWildcard);
            }
            if level.contains(&b'+') && level.len() > 1 {
                return Err(InvalidTopicFilter::SingleLevelWildcard);
            }
            has_wildcards |= matches!(level, b"#" | b"+");
        }
        Ok(Self {
            share_name: None,
            filter,
            has_wildcards,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_where_they_may() {
        use InvalidTopicFilter::{Empty, MultiLevelWildcard, SingleLevelWildcard};
        for (filter, expected) in [
            ("a", Ok(false)),
            ("/", Ok(false)),
            ("//", Ok(false)),
            ("#", Ok(true)),
            ("/#", Ok(true)),
            ("a/b/#", Ok(true)),
            ("+", Ok(true)),
            ("/+", Ok(true)),
            ("+/+/#", Ok(true)),
            ("a/+/b", Ok(true)),
            ("$SYS/#", Ok(true)),
            ("", Err(Empty)),
            ("a#", Err(MultiLevelWildcard)),
            ("a/b#", Err(MultiLevelWildcard)),
            ("#/", Err(MultiLevelWildcard)),
            ("#/a", Err(MultiLevelWildcard)),
            ("##", Err(MultiLevelWildcard)),
            ("a+", Err(SingleLevelWildcard)),
            ("+a/b", Err(SingleLevelWildcard)),
            ("a/++", Err(SingleLevelWildcard)),
        ] {
            let parsed = TopicFilter::parse_plain(filter.into()).map(|filter| filter.has_wildcards);
            assert_eq!(parsed, expected, "{filter}");
            assert_eq!(
                TopicFilter::parse(filter.into()).map(|filter| filter.has_wildcards),
                expected,
                "{filter}"
            );
        }
    }

    #[test]
    fn shared_subscriptions_have_a_name_and_a_filter() {
        use InvalidTopicFilter::{
            MultiLevelWildcard, ShareNameEmpty, ShareNameWildcard, ShareWithoutFilter,
        };
        for (filter, expected) in [
            ("$share/g/t", Ok((Some("g"), "t"))),
            ("$share/g/a/+/#", Ok((Some("g"), "a/+/#"))),
            ("$share/g//", Ok((Some("g"), "/"))),
            ("$share", Ok((None, "$share"))),
            ("$shared/g/t", Ok((None, "$shared/g/t"))),
            ("a/$share/g/t", Ok((None, "a/$share/g/t"))),
            ("$share/", Err(ShareNameEmpty)),
            ("$share//t", Err(ShareNameEmpty)),
            ("$share/g", Err(ShareWithoutFilter)),
            ("$share/g/", Err(ShareWithoutFilter)),
            ("$share/+/t", Err(ShareNameWildcard)),
            ("$share/g#/t", Err(ShareNameWildcard)),
            ("$share/g/a#", Err(MultiLevelWildcard)),
        ] {
            let parsed =
                TopicFilter::parse(filter.into()).map(|filter| (filter.share_name, filter.filter));
            let expected =
                expected.map(|(name, filter)| (name.map(str::as_bytes), filter.as_bytes()));
            assert_eq!(parsed, expected, "{filter}");
            assert!(
                TopicFilter::parse_plain(filter.into()).is_ok() || filter.contains(['#', '+']),
                "{filter}"
            );
        }
    }
}
