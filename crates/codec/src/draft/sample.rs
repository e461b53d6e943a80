//! [`sample`]: a sound value for each property, for drafts that need one whatever it is.

use alloc::{vec, vec::Vec};

use super::Value;
use crate::{DataType, PropertyId};

/// A sound value of the property, and the same each time.
pub fn sample(property: PropertyId) -> Value {
    match property {
        PropertyId::ResponseTopic => Value::Text(b"response/topic".to_vec()),
        PropertyId::AuthenticationMethod => Value::Text(b"method".to_vec()),
        PropertyId::ContentType => Value::Text(b"text/plain".to_vec()),
        PropertyId::MaximumPacketSize => Value::Number(65_536),
        PropertyId::ReceiveMaximum | PropertyId::TopicAliasMaximum => Value::Number(10),
        PropertyId::ServerKeepAlive | PropertyId::SessionExpiryInterval => Value::Number(60),
        _ => match property.data_type() {
            DataType::Byte
            | DataType::TwoByteInteger
            | DataType::FourByteInteger
            | DataType::VariableByteInteger => Value::Number(1),
            DataType::BinaryData => Value::Binary(vec![0, 1, 2, 0xFF]),
            DataType::Utf8String => Value::Text(b"sample".to_vec()),
            DataType::Utf8StringPair => {
                Value::Pairs(vec![(b"name".to_vec(), b"value".to_vec())] as Vec<_>)
            }
        },
    }
}
