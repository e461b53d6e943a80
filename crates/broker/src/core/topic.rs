//! Topic Names and Topic Filters (section 4.7) and the share of a filter (5.0 section 4.8.2).
//!
//! They are bytes here: the codec has judged them, and a broker that breaks one of the codec's rules goes on
//! with what the client sent. Matching is byte for byte, so nothing is normalised (MQTT-4.7.3-4).

/// The levels of a Topic Name or Topic Filter.
pub(crate) fn levels(topic: &[u8]) -> impl Iterator<Item = &[u8]> {
    topic.split(|&byte| byte == b'/')
}

/// Whether `topic` matches `filter`, read as section 4.7.1 has it, one level after the other.
///
/// Topics that start with `$` are not set apart here: that is a rule of its own, asked where messages are routed.
pub fn matches(filter: &[u8], topic: &[u8]) -> bool {
    let mut topic_levels = levels(topic);
    for level in levels(filter) {
        match (level, topic_levels.next()) {
            (b"#", _) => return true,
            (b"+", Some(_)) => {}
            (literal, Some(level)) if literal == level => {}
            _ => return false,
        }
    }
    topic_levels.next().is_none()
}

/// Whether the filter has a wildcard.
pub(crate) fn has_wildcard(filter: &[u8]) -> bool {
    filter.iter().any(|byte| matches!(byte, b'+' | b'#'))
}

/// Whether the filter starts with a wildcard.
pub(crate) fn starts_with_wildcard(filter: &[u8]) -> bool {
    matches!(filter.first(), Some(b'+' | b'#'))
}

/// Whether `filter` is a Topic Filter: not empty, and wildcards stand alone in their level, `#` in the last one.
pub(crate) fn is_filter(filter: &[u8]) -> bool {
    let mut levels = levels(filter).peekable();
    while let Some(level) = levels.next() {
        let wildcard = has_wildcard(level);
        if wildcard && level.len() > 1 || level == b"#" && levels.peek().is_some() {
            return false;
        }
    }
    !filter.is_empty()
}

/// A Topic Filter as a SUBSCRIBE names it, taken apart into its Share Name, if it has one, and what is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requested<'a> {
    /// The Share Name of a Shared Subscription.
    pub(crate) share: Option<&'a [u8]>,
    /// The Topic Filter that topics are matched against.
    pub(crate) filter: &'a [u8],
}

impl<'a> Requested<'a> {
    /// Reads `$share/{ShareName}/{filter}`; everything else is an ordinary Topic Filter.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let shared = text.strip_prefix(b"$share/").and_then(|rest| {
            let slash = rest.iter().position(|&byte| byte == b'/')?;
            Some((&rest[..slash], &rest[slash + 1..]))
        });
        match shared {
            Some((share, filter)) => Self {
                share: Some(share),
                filter,
            },
            None => Self {
                share: None,
                filter: text,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_shows() {
        let rows: &[(&str, &str, bool)] = &[
            ("sport/tennis/#", "sport/tennis", true),
            ("sport/tennis/#", "sport/tennis/", true),
            ("sport/tennis/#", "sport/tennis/a/b", true),
            ("sport/#", "sports", false),
            ("#", "sport", true),
            ("#", "/", true),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("sport/+", "sport/a/b", false),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("+/monitor/#", "$SYS/monitor/x", true),
            ("ACCOUNTS", "Accounts", false),
            ("a/+/#", "a/b", true),
            ("a/+/#", "a", false),
        ];
        for &(filter, topic, expected) in rows {
            assert_eq!(
                matches(filter.as_bytes(), topic.as_bytes()),
                expected,
                "{filter} against {topic}"
            );
        }
    }

    #[test]
    fn wildcards_stand_alone_in_their_level() {
        for sound in ["#", "+", "a/+/b", "a/#", "/", "+/+/#", "$SYS/#"] {
            assert!(is_filter(sound.as_bytes()), "{sound}");
        }
        for wrong in ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+"] {
            assert!(!is_filter(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_taken_off_its_filter() {
        let shared = Requested::of(b"$share/g/a/+");
        assert_eq!(shared.share, Some(b"g".as_slice()));
        assert_eq!(shared.filter, b"a/+");
        for text in ["$share", "$share/g", "$sharex/g/a", "a/$share/g"] {
            assert_eq!(Requested::of(text.as_bytes()).share, None, "{text}");
        }
    }
}
