//! Typing: the one way in which a scalar becomes a value of the field that takes it.

use codec::draft::{Kind, Value};
use codec::{ReasonCode, Version, connect_return_code};

use crate::diagnostic::nearest;
use crate::expression::integer;

/// A text that the field cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// One sentence.
    pub message: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

/// Reads a scalar for a field of this kind in this version.
///
/// Names of Reason Codes are those of 5.0. Before 5.0 those that CONNACK has a Return Code for stand for that.
///
/// # Errors
/// The text is no value of the kind; every list and map kind refuses a scalar.
pub fn typed(text: &str, kind: Kind, version: Version) -> Result<Value, TypeError> {
    match kind {
        Kind::Flag => match text {
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => number(text, 0xFF, "`true` or `false`"),
        },
        Kind::Number { maximum } => number(text, maximum, "a number"),
        Kind::QoS => number(text, 3, "a QoS: 0, 1 or 2"),
        Kind::ReasonCode => reason_code(text, version).map(|code| Value::Number(code.0.into())),
        Kind::Text => Ok(Value::Text(text.as_bytes().to_vec())),
        Kind::Binary => Ok(Value::Binary(text.as_bytes().to_vec())),
        Kind::Position => position(text).ok_or_else(|| TypeError {
            message: format!(
                "a number of bytes was expected, negative from the end, and here is `{text}`"
            ),
            suggestion: None,
        }),
        Kind::Numbers { .. }
        | Kind::ReasonCodes
        | Kind::Texts
        | Kind::Pairs
        | Kind::Records(_)
        | Kind::Record(_) => Err(expected(kind.description(), text)),
    }
}

/// Reads an item of a list of this kind: a number of `subscription_ids`, a code of `codes`, a filter of `filters`.
///
/// Before 5.0 every named code from 0x80 up is the single failure code of SUBACK, 0x80.
///
/// # Errors
/// The text is no item of such a list.
pub fn typed_element(text: &str, list: Kind, version: Version) -> Result<Value, TypeError> {
    match list {
        Kind::ReasonCodes => {
            let code = if integer(text).is_some() {
                reason_code(text, version)?
            } else {
                let code = reason_code(text, Version::V5_0)?;
                if code.is_error() && !version.has_properties() {
                    ReasonCode::FAILURE
                } else {
                    code
                }
            };
            Ok(Value::Number(code.0.into()))
        }
        _ => match element(list) {
            Some(kind) => typed(text, kind, version),
            None => Err(expected(list.description(), text)),
        },
    }
}

/// The kind of an item of a list of this kind, where items are scalars.
pub fn element(list: Kind) -> Option<Kind> {
    match list {
        Kind::Numbers { maximum } => Some(Kind::Number { maximum }),
        Kind::ReasonCodes => Some(Kind::ReasonCode),
        Kind::Texts | Kind::Pairs => Some(Kind::Text),
        _ => None,
    }
}

/// Reads a Reason Code by name or number.
pub(crate) fn reason_code(text: &str, version: Version) -> Result<ReasonCode, TypeError> {
    if let Some(code) = integer(text).and_then(|number| u8::try_from(number).ok()) {
        return Ok(ReasonCode(code));
    }
    let named = ReasonCode::from_name(text).ok_or_else(|| TypeError {
        message: format!("`{text}` is no Reason Code"),
        suggestion: nearest(text, ReasonCode::names()).map(str::to_owned),
    });
    if version.has_properties() {
        return named;
    }
    return_code(text).map_or(named, Ok)
}

/// The Return Code that CONNACK has before 5.0 for what 5.0 calls by this name.
fn return_code(name: &str) -> Option<ReasonCode> {
    use connect_return_code as code;
    Some(match name {
        "success" => code::ACCEPTED,
        "unsupported_protocol_version" => code::UNACCEPTABLE_PROTOCOL_VERSION,
        "client_identifier_not_valid" => code::IDENTIFIER_REJECTED,
        "server_unavailable" => code::SERVER_UNAVAILABLE,
        "bad_user_name_or_password" => code::BAD_USER_NAME_OR_PASSWORD,
        "not_authorized" => code::NOT_AUTHORIZED,
        _ => return code::from_name(name),
    })
}

fn number(text: &str, maximum: u64, noun: &str) -> Result<Value, TypeError> {
    match integer(text) {
        Some(number) if number <= maximum => Ok(Value::Number(number)),
        Some(_) => Err(TypeError {
            message: format!("`{text}` does not fit: the field holds at most {maximum}"),
            suggestion: None,
        }),
        None => Err(expected(noun, text)),
    }
}

fn position(text: &str) -> Option<Value> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let number = i64::try_from(integer(digits)?).ok()?;
    Some(Value::Integer(sign * number))
}

fn expected(noun: &str, text: &str) -> TypeError {
    TypeError {
        message: format!("{noun} was expected, and here is `{text}`"),
        suggestion: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: Kind = Kind::Number { maximum: 0xFFFF };

    fn read(text: &str, kind: Kind) -> Result<Value, String> {
        typed(text, kind, Version::V5_0).map_err(|error| error.message)
    }

    #[test]
    fn scalars_are_taken_as_written_and_typed_by_the_field() {
        for text in ["no", "010", "0b0000", "1e3", "~", "null"] {
            assert_eq!(
                read(text, Kind::Text),
                Ok(Value::Text(text.as_bytes().to_vec()))
            );
        }
        assert_eq!(read("010", NUMBER), Ok(Value::Number(10)));
        assert_eq!(read("0b0110", NUMBER), Ok(Value::Number(6)));
        assert!(read("1e3", NUMBER).is_err());
        assert!(read("65536", NUMBER).is_err());
        assert!(read("no", Kind::Flag).is_err());
        assert_eq!(read("2", Kind::Flag), Ok(Value::Number(2)));
        assert_eq!(read("3", Kind::QoS), Ok(Value::Number(3)));
        assert!(read("4", Kind::QoS).is_err());
        assert_eq!(read("-1", Kind::Position), Ok(Value::Integer(-1)));
        assert!(read("x", Kind::Pairs).is_err());
    }

    #[test]
    fn reasons_have_names_and_numbers_in_every_version() {
        let read = |text, version| match typed(text, Kind::ReasonCode, version) {
            Ok(Value::Number(number)) => Some(number),
            _ => None,
        };
        assert_eq!(read("malformed_packet", Version::V5_0), Some(0x81));
        assert_eq!(read("0x81", Version::V5_0), Some(0x81));
        assert_eq!(
            read("unsupported_protocol_version", Version::V5_0),
            Some(0x84)
        );
        assert_eq!(
            read("unsupported_protocol_version", Version::V3_1_1),
            Some(1)
        );
        assert_eq!(read("not_authorized", Version::V3_1_1), Some(5));
        assert_eq!(read("malformed", Version::V5_0), None);
    }

    #[test]
    fn before_5_0_every_refusal_of_a_subscription_is_one_code() {
        let read = |text, version| typed_element(text, Kind::ReasonCodes, version);
        assert_eq!(
            read("not_authorized", Version::V3_1_1),
            Ok(Value::Number(0x80))
        );
        assert_eq!(
            read("not_authorized", Version::V5_0),
            Ok(Value::Number(0x87))
        );
        assert_eq!(read("granted_qos_1", Version::V3_1_1), Ok(Value::Number(1)));
        assert_eq!(read("2", Version::V3_1_1), Ok(Value::Number(2)));
        assert!(typed_element("x", Kind::Pairs, Version::V5_0).is_ok());
        assert!(typed_element("x", Kind::QoS, Version::V5_0).is_err());
    }
}
