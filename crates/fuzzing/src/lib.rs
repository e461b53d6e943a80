//! Packet generators for property tests and fuzz targets.
//!
//! A generator turns bytes without meaning into a packet with one, so that whoever chooses the bytes, a property test or a
//! fuzzer that follows coverage, chooses among packets. [`sound`] makes packets that the standard allows;
//! [`malformed`] makes one of these and lies about it.
//!
//! Generators only write [`Draft`](codec::draft::Draft)s. What must hold for them is said by those who use them.

mod malformed;
mod sound;

pub use malformed::malformed;
pub use sound::sound;
