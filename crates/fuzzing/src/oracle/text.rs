//! Topics, payloads and the like, kept in one place, so that a played script costs few allocations.

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// As many bytes as most scripts have, so that the buffer need not grow step by step.
const USUAL: usize = 1024;

/// All texts of one oracle.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
}

impl Span {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0 };
}

impl Texts {
    pub(super) fn keep(&mut self, text: &[u8]) -> Span {
        if self.bytes.is_empty() {
            self.bytes.reserve(USUAL);
        }
        let start = self.end();
        self.bytes.extend_from_slice(text);
        Span {
            start,
            end: self.end(),
        }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, span: Span) -> &[u8] {
        let place = span.start as usize..span.end as usize;
        self.bytes.get(place).unwrap_or_default()
    }
}

/// Whether a Topic Filter matches a Topic Name (section 4.7.1), topics with `$` not set apart.
pub(super) fn matches(mut filter: &[u8], mut topic: &[u8]) -> bool {
    loop {
        let (level, more) = split(filter);
        if level == b"#" {
            return true;
        }
        let (name, names) = split(topic);
        if level != b"+" && level != name {
            return false;
        }
        match (more, names) {
            (None, None) => return true,
            // `a/#` matches `a` as well.
            (Some(rest), None) => return rest == b"#",
            (None, Some(_)) => return false,
            (Some(rest), Some(rest_of_topic)) => (filter, topic) = (rest, rest_of_topic),
        }
    }
}

/// Whether a filter would match but for the dollar that the topic begins with (section 4.7.2).
pub(super) fn hides(filter: &[u8], topic: &[u8]) -> bool {
    topic.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#'))
}

fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'/') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The broker's own matcher was written apart from this one.
        #[test]
        fn it_matches_as_the_broker_does(filter in "[ab/+#]{0,8}", topic in "[ab/]{0,8}") {
            // What is no Topic Filter matches by no rule.
            prop_assume!(codec::TopicFilter::parse_plain(filter.as_str().into()).is_ok());
            let ours = matches(filter.as_bytes(), topic.as_bytes());
            prop_assert_eq!(ours, broker::core::matches(filter.as_bytes(), topic.as_bytes()));
        }
    }
}
