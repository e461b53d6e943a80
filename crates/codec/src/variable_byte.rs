//! Variable Byte Integers: seven bits a byte, lowest first, four bytes at most (section 1.5.5 in 5.0, 2.2.3 in 3.1.1).

use alloc::vec::Vec;

/// The largest value that four bytes hold.
pub(crate) const MAXIMUM: u32 = 268_435_455;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// A value and the number of bytes that hold it, 1 to 4.
    Value {
        /// 0 to [`MAXIMUM`].
        value: u32,
        /// The bytes it takes here, which need not be the fewest.
        width: usize,
    },
    /// The bytes end before the value does.
    Cut,
    /// The fourth byte says that a fifth follows.
    TooLong,
}

/// Reads the integer at the beginning of `bytes`.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Read {
    match bytes {
        [value @ 0..=0x7F, ..] => Read::Value {
            value: u32::from(*value),
            width: 1,
        },
        _ => read_long(bytes),
    }
}

fn read_long(bytes: &[u8]) -> Read {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Read::Value {
                value,
                width: place + 1,
            };
        }
    }
    if bytes.len() < 4 {
        Read::Cut
    } else {
        Read::TooLong
    }
}

/// The fewest bytes that hold `value`.
#[inline]
pub(crate) const fn width(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// Appends `value` in the fewest bytes. A value above [`MAXIMUM`] takes five, which no receiver may take.
#[inline]
pub(crate) fn write(value: u32, out: &mut Vec<u8>) {
    write_wide(value, 1, out);
}

/// Appends `value` in at least `width` bytes: more than it needs break \[MQTT-1.5.5-1\].
pub(crate) fn write_wide(mut value: u32, width: usize, out: &mut Vec<u8>) {
    let mut written = 1;
    loop {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 && written >= width {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
        written += 1;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn values_come_back_in_their_fewest_bytes() {
        let edges = [
            0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, MAXIMUM,
        ];
        for value in (0..70_000).chain(edges) {
            let mut bytes = vec![];
            write(value, &mut bytes);
            assert_eq!(bytes.len(), width(value), "{value}");
            assert_eq!(
                read(&bytes),
                Read::Value {
                    value,
                    width: width(value)
                }
            );
        }
    }

    #[test]
    fn wide_forms_hold_the_same_value() {
        for value in [0, 1, 127, 128, MAXIMUM] {
            for wide in width(value)..=4 {
                let mut bytes = vec![];
                write_wide(value, wide, &mut bytes);
                assert_eq!(read(&bytes), Read::Value { value, width: wide });
            }
        }
        let mut bytes = vec![];
        write_wide(0, 5, &mut bytes);
        assert_eq!((read(&bytes), bytes.len()), (Read::TooLong, 5));
        bytes.clear();
        write(MAXIMUM + 1, &mut bytes);
        assert_eq!((read(&bytes), bytes.len()), (Read::TooLong, 5));
    }
}
