//! [`Segments`]: how writes become segments of the stream.

/// How the bytes that a client writes are cut into segments. A stream has no borders, so none of it may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Segments {
    /// One segment per write, as a client library sends it.
    #[default]
    Whole,
    /// Every byte by itself; over TLS, in a record by itself.
    Bytes,
    /// What is written within 5 ms in one.
    Coalesced,
}

impl Segments {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Bytes, Self::Coalesced];

    /// The name, as the command line, scenarios and case names write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Bytes => "bytes",
            Self::Coalesced => "coalesced",
        }
    }

    /// The value with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|segments| segments.name() == name)
    }
}
