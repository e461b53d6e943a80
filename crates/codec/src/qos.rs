//! [`QoS`]: the Quality of Service level, as its two bits.

use core::fmt;

/// A Quality of Service level. Two bits hold it, so 3 can be written although no version allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct QoS(u8);

impl QoS {
    /// QoS 0.
    pub const AT_MOST_ONCE: Self = Self(0);
    /// QoS 1.
    pub const AT_LEAST_ONCE: Self = Self(1);
    /// QoS 2.
    pub const EXACTLY_ONCE: Self = Self(2);
    /// Both bits set: no packet may carry it.
    pub const RESERVED: Self = Self(3);

    /// The level held by the two low bits of `bits`; the others do not matter.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b11)
    }

    /// 0, 1, 2, or the forbidden 3.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether it is one of the three levels.
    pub const fn is_valid(self) -> bool {
        self.0 < 3
    }

    /// Whether packets of this level are acknowledged and so carry a Packet Identifier.
    pub const fn is_acknowledged(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for QoS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
