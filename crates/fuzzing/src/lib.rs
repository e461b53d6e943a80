//! Packet generators for property tests and fuzz targets, and the invariants that both hold them to.
//!
//! A generator turns bytes without meaning into a packet with one, so that whoever chooses the bytes, a property test or a
//! fuzzer that follows coverage, chooses among packets. [`sound`] makes packets that the standard allows;
//! [`malformed`] makes one of these and lies about it. Generators only write [`Draft`](codec::draft::Draft)s; what must
//! hold for them, and for any bytes at all, is said in [`invariant`].

pub mod dictionary;
pub mod duties;
pub mod embedded;
pub mod invariant;
#[cfg(feature = "live")]
pub mod live;
mod malformed;
pub mod minimise;
pub mod mutate;
pub mod observe;
pub mod oracle;
pub mod scenario;
pub mod script;
pub mod seeds;
pub mod self_test;
pub mod session;
mod sound;

pub use malformed::malformed;
pub use sound::sound;
