//! What must hold for any bytes: the bodies of the fuzz targets, so that their corpora replay in plain tests.
//!
//! Each function panics where its invariant does not hold; that is how libFuzzer and tests hear of it. Packets come as
//! [`Input`](crate::mutate::Input)s, so that one corpus and one mutator serve all targets about packets.

mod framing;
mod packets;
mod scenarios;
mod topics;
#[cfg(feature = "live")]
mod websocket;

pub use framing::{framer, segments};
pub use packets::{lenient, malformed, round_trip, strict, strict_within_lenient};
pub use scenarios::scenario;
pub use topics::topics;
#[cfg(feature = "live")]
pub use websocket::websocket;
