//! [`Conditions`]: what a network does to the bytes of a connection.

use std::time::Duration;

/// What a network does to the bytes of a connection. Both directions suffer alike; nothing is lost for good, nothing
/// is reordered, and nothing is left to chance: the same bytes always meet the same fate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// How long each byte is under way, beyond the time that sending it takes.
    pub latency: Duration,
    /// How many bytes of one direction leave in a second; as many as there are where absent.
    pub bandwidth: Option<u32>,
    /// The most bytes that travel together; the rest comes in further segments.
    pub segment: usize,
    /// What gets lost on the way, and is sent again.
    pub loss: Option<Loss>,
}

/// What gets lost on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Of so many segments of a direction, the last is lost once.
    pub every: u32,
    /// How long it takes until a lost segment is sent again. What follows it waits, as TCP has it.
    pub timeout: Duration,
    /// Of so many connections of a case, the last is lost before it is used: the target sees one that opens and
    /// breaks off.
    pub opening: u32,
    /// How long it takes until a lost connection is opened again.
    pub reopened: Duration,
}

/// A kind of network that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum LinkKind {
    /// None between the client and the target.
    #[default]
    Direct,
    /// A local network.
    Lan,
    /// A geostationary satellite: far away.
    Satellite,
    /// A mobile phone of the second generation: far away and narrow.
    SecondGeneration,
    /// A radio link that loses segments, and connections before they are used.
    Lossy,
}

/// The segment that a network carries for sure (RFC 9293 section 3.7.1).
const SMALL_SEGMENT: usize = 536;
/// The segment that Ethernet carries.
const LARGE_SEGMENT: usize = 1460;

impl LinkKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Direct,
        Self::Lan,
        Self::Satellite,
        Self::SecondGeneration,
        Self::Lossy,
    ];

    /// The name, as the command line, scenarios and case names write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Lan => "lan",
            Self::Satellite => "satellite",
            Self::SecondGeneration => "2g",
            Self::Lossy => "lossy",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What such a network does; none without one.
    pub fn conditions(self) -> Option<Conditions> {
        let of = |milliseconds, bandwidth, segment, loss| {
            Some(Conditions {
                latency: Duration::from_millis(milliseconds),
                bandwidth: Some(bandwidth),
                segment,
                loss,
            })
        };
        match self {
            Self::Direct => None,
            Self::Lan => of(1, 12_500_000, LARGE_SEGMENT, None),
            Self::Satellite => of(300, 125_000, LARGE_SEGMENT, None),
            Self::SecondGeneration => of(350, 5_000, SMALL_SEGMENT, None),
            Self::Lossy => of(
                20,
                125_000,
                SMALL_SEGMENT,
                Some(Loss {
                    every: 5,
                    timeout: Duration::from_millis(250),
                    opening: 2,
                    reopened: Duration::from_millis(100),
                }),
            ),
        }
    }
}

impl Conditions {
    /// Nothing at all, to be made worse.
    pub(crate) const NONE: Self = Self {
        latency: Duration::ZERO,
        bandwidth: None,
        segment: LARGE_SEGMENT,
        loss: None,
    };

    /// How long so many bytes take to leave.
    pub(crate) fn transmission(&self, bytes: usize) -> Duration {
        match self.bandwidth {
            // As precise as any clock, for less than the 2^53 bytes that nobody sends.
            #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^53 bytes")]
            Some(bandwidth) => Duration::from_secs_f64(bytes as f64 / f64::from(bandwidth.max(1))),
            None => Duration::ZERO,
        }
    }

    /// The longest that so many bytes can take until they are all there, if nothing is under way before them.
    pub fn longest(&self, bytes: usize) -> Duration {
        let lost = self.loss.map_or(Duration::ZERO, |loss| {
            let segments = u32::try_from(bytes.div_ceil(self.segment.max(1))).unwrap_or(u32::MAX);
            loss.timeout
                .saturating_mul(segments / loss.every.max(1) + 1)
        });
        self.transmission(bytes) + self.latency + lost
    }

    /// How much longer a request and its answer can take, small as they are, than on no network at all; those of a
    /// handshake that need another of each are in it.
    pub fn round_trips(&self) -> Duration {
        let lost = self.loss.map_or(Duration::ZERO, |loss| loss.timeout);
        (self.latency + lost).saturating_mul(6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in LinkKind::ALL {
            assert_eq!(LinkKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(LinkKind::from_name("5g"), None);
    }

    #[test]
    fn the_longest_time_counts_bandwidth_latency_and_losses() {
        let seconds =
            |kind: LinkKind, bytes| kind.conditions().unwrap().longest(bytes).as_secs_f64();
        assert!((seconds(LinkKind::SecondGeneration, 5_000) - 1.35).abs() < 1e-9);
        // Two segments: at most one of them is lost.
        assert!((seconds(LinkKind::Lossy, 1_000) - (0.008 + 0.02 + 0.25)).abs() < 1e-9);
    }
}
