//! [`Segments`]: how writes become segments of the stream.

/// How the bytes that a client writes are cut into segments. A stream has no borders, so none of it may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Segments {
    /// One segment per write, as a client library sends it.
    #[default]
    Whole,
    /// Every byte by itself.
    Bytes,
    /// Writes are joined until the client has to read.
    Coalesced,
}

impl Segments {
    /// The value with this name in a scenario: `whole`, `bytes` or `coalesced`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "whole" => Some(Self::Whole),
            "bytes" => Some(Self::Bytes),
            "coalesced" => Some(Self::Coalesced),
            _ => None,
        }
    }
}
