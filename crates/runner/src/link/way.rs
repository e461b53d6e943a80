//! [`Way`]: by which transport, in which segments and over which network a case is played.

use std::collections::BTreeSet;

use super::LinkOptions;
use super::conditions::LinkKind;
use super::segments::Segments;
use super::transport::Transport;

/// How the bytes of a case travel. What a scenario says of a link itself comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Way {
    /// The transport; the target's own where absent.
    pub transport: Option<Transport>,
    /// How writes become segments.
    pub segments: Segments,
    /// The network.
    pub link: LinkKind,
}

/// The ways that every case is played on: each combination of these. An axis without values has its usual one.
#[derive(Debug, Clone, Default)]
pub struct Axes {
    /// The transports.
    pub transports: Vec<Transport>,
    /// How writes become segments.
    pub segments: Vec<Segments>,
    /// The networks.
    pub links: Vec<LinkKind>,
}

impl Axes {
    /// Every combination, each once.
    pub fn ways(&self) -> Vec<Way> {
        let transports = self.transports.iter().copied().map(Some);
        let transports = distinct(transports, None);
        let segments = distinct(self.segments.iter().copied(), Segments::default());
        let links = distinct(self.links.iter().copied(), LinkKind::default());
        let mut ways = Vec::new();
        for &transport in &transports {
            for &segments in &segments {
                for &link in &links {
                    ways.push(Way {
                        transport,
                        segments,
                        link,
                    });
                }
            }
        }
        ways
    }
}

/// The values without repetition, or the usual one where there is none.
fn distinct<T: Copy + PartialEq>(values: impl Iterator<Item = T>, usual: T) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    if distinct.is_empty() {
        distinct.push(usual);
    }
    distinct
}

impl Way {
    /// What a case name says of it behind its last slash, such as `tcp` or `ws+bytes+2g`: the transport, and what is
    /// not usual.
    pub fn suffix(self, usual: Transport) -> String {
        let mut suffix = self.transport.unwrap_or(usual).name().to_owned();
        if self.segments != Segments::default() {
            suffix.push('+');
            suffix.push_str(self.segments.name());
        }
        if self.link != LinkKind::default() {
            suffix.push('+');
            suffix.push_str(self.link.name());
        }
        suffix
    }

    /// Whether a text is what [`Self::suffix`] could have written.
    pub fn is_suffix(text: &str) -> bool {
        let mut words = text.split('+');
        let transport = words
            .next()
            .is_some_and(|word| word.parse::<Transport>().is_ok());
        let rest: Vec<&str> = words.collect();
        let distinct: BTreeSet<_> = rest.iter().collect();
        let known = |word: &&str| {
            Segments::from_name(word).is_some() || LinkKind::from_name(word).is_some()
        };
        transport && rest.len() <= 2 && distinct.len() == rest.len() && rest.iter().all(known)
    }

    /// The links of clients of whose link the scenario says nothing.
    pub(crate) fn options(self) -> LinkOptions {
        LinkOptions {
            transport: self.transport,
            segments: self.segments,
            conditions: self.link.conditions(),
            ..LinkOptions::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_the_product_of_the_axes() {
        assert_eq!(Axes::default().ways(), [Way::default()]);
        let axes = Axes {
            transports: vec![Transport::Tcp, Transport::WebSocket, Transport::Tcp],
            segments: Vec::new(),
            links: vec![LinkKind::Direct, LinkKind::SecondGeneration],
        };
        let suffixes: Vec<_> = axes
            .ways()
            .into_iter()
            .map(|way| way.suffix(Transport::Memory))
            .collect();
        assert_eq!(suffixes, ["tcp", "tcp+2g", "ws", "ws+2g"]);
    }

    #[test]
    fn a_suffix_tells_what_is_not_usual_and_is_known_again() {
        let way = Way {
            transport: None,
            segments: Segments::Bytes,
            link: LinkKind::Lossy,
        };
        assert_eq!(way.suffix(Transport::Unix), "unix+bytes+lossy");
        assert!(Way::is_suffix("unix+bytes+lossy"));
        assert!(Way::is_suffix("memory"));
        assert!(!Way::is_suffix("bytes"));
        assert!(!Way::is_suffix("tcp+bytes+bytes"));
        assert!(!Way::is_suffix("kept@v5.0"));
    }
}
