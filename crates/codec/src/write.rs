//! The types that fields are made of, as they are written.

use alloc::vec::Vec;

use crate::{EncodeError, Properties, Version, variable_byte};

/// Appends a length of two bytes and the data. What is beyond 65,535 bytes is left out.
#[inline]
pub(crate) fn binary(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&length(data));
    out.extend_from_slice(data.get(..usize::from(u16::MAX)).unwrap_or(data));
}

/// The length of a text or data as it stands in front of it.
#[inline]
pub(crate) fn length(data: &[u8]) -> [u8; 2] {
    u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes()
}

/// The bytes that a text or data takes together with its length.
#[inline]
pub(crate) fn field_length(field: &'static str, data: &[u8]) -> Result<usize, EncodeError> {
    if data.len() > usize::from(u16::MAX) {
        return Err(EncodeError::FieldTooLong(field));
    }
    Ok(2 + data.len())
}

/// The bytes that properties take together with their Property Length; none before 5.0.
#[inline]
pub(crate) fn properties_length(
    properties: Properties<'_>,
    version: Version,
) -> Result<usize, EncodeError> {
    if !version.has_properties() {
        return Ok(0);
    }
    let length = properties.as_bytes().len();
    match u32::try_from(length) {
        Ok(short) if short <= variable_byte::MAXIMUM => Ok(variable_byte::width(short) + length),
        _ => Err(EncodeError::PacketTooLong),
    }
}

/// Appends Property Length and properties.
#[inline]
pub(crate) fn properties(properties: Properties<'_>, version: Version, out: &mut Vec<u8>) {
    if version.has_properties() {
        let bytes = properties.as_bytes();
        if bytes.is_empty() {
            out.push(0);
            return;
        }
        variable_byte::write(u32::try_from(bytes.len()).unwrap_or(u32::MAX), out);
        out.extend_from_slice(bytes);
    }
}
