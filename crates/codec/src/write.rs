//! The types that fields are made of, as they are written.

use alloc::vec::Vec;

/// Appends a length of two bytes and the data. What is beyond 65,535 bytes is left out.
pub(crate) fn binary(data: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(data.get(..usize::from(length)).unwrap_or(data));
}
