//! How single values of a configuration are read, each with its own check, so that a mistake is told where it stands.

use std::fmt::Display;
use std::time::Duration;

use codec::QoS;
use serde::de::{Deserialize, Deserializer, Error};

use crate::Breakable;

/// The units of durations, the longer of those that end alike first.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

/// A QoS.
pub(super) fn qos<'de, D: Deserializer<'de>>(from: D) -> Result<QoS, D::Error> {
    let text = String::deserialize(from)?;
    match text.as_str() {
        "0" => Ok(QoS::AT_MOST_ONCE),
        "1" => Ok(QoS::AT_LEAST_ONCE),
        "2" => Ok(QoS::EXACTLY_ONCE),
        _ => Err(D::Error::custom(format_args!(
            "`{text}` is no QoS; write 0, 1 or 2"
        ))),
    }
}

/// A number that must not be 0.
pub(super) fn positive<'de, D, N>(from: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: Deserialize<'de> + Default + PartialEq + Display,
{
    let number = N::deserialize(from)?;
    if number == N::default() {
        return Err(D::Error::custom(
            "0 serves nobody; write a number from 1 on",
        ));
    }
    Ok(number)
}

/// A duration such as `10s`, which is longer than none.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    let milliseconds = UNITS.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*factor)
    });
    match milliseconds {
        Some(0) => Err(D::Error::custom(
            "no time at all serves nobody; write such as 10s",
        )),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err(D::Error::custom(format_args!(
            "`{text}` is no duration; write a whole number and a unit, such as 10s, 500ms or 2m"
        ))),
    }
}

/// A Topic Filter.
pub(super) fn filter<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if crate::core::topic::is_filter(text.as_bytes()) {
        Ok(text)
    } else {
        Err(D::Error::custom(format_args!(
            "`{text}` is no Topic Filter; `+` and `#` stand for whole levels, and `#` stands last"
        )))
    }
}

/// What is to be disobeyed, such as `v5.0/MQTT-3.3.1-9`.
impl<'de> Deserialize<'de> for Breakable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(D::Error::custom)
    }
}
