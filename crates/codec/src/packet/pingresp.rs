//! PINGRESP: the server's answer to PINGREQ (section 3.13).

/// PINGRESP. It has a fixed header only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pingresp;
