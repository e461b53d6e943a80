//! PINGREQ: a client says that it is alive (section 3.12).

/// PINGREQ. It has a fixed header only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pingreq;
