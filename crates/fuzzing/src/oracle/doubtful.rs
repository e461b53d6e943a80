//! Text that a target may take for malformed, and need not: control characters and noncharacters (3.1.1 section 1.5.3,
//! 5.0 section 1.5.4).

use codec::{Packet, Properties, PropertyValue, Text};

/// Whether a packet of a client holds such text anywhere.
pub(super) fn holds_doubtful_text(packet: &Packet<'_>) -> bool {
    match packet {
        Packet::Publish(publish) => is_doubtful(publish.topic) || any(publish.properties),
        Packet::Subscribe(subscribe) => {
            let mut filters = subscribe.filters.iter();
            filters.any(|subscription| is_doubtful(subscription.filter))
                || any(subscribe.properties)
        }
        Packet::Unsubscribe(unsubscribe) => {
            unsubscribe.filters.iter().any(is_doubtful) || any(unsubscribe.properties)
        }
        Packet::Puback(puback) => any(puback.properties),
        Packet::Pubrec(pubrec) => any(pubrec.properties),
        Packet::Pubrel(pubrel) => any(pubrel.properties),
        Packet::Pubcomp(pubcomp) => any(pubcomp.properties),
        Packet::Disconnect(disconnect) => any(disconnect.properties),
        Packet::Auth(auth) => any(auth.properties),
        _ => false,
    }
}

fn any(properties: Properties<'_>) -> bool {
    properties.into_iter().any(|property| match property.value {
        PropertyValue::Utf8String(text) => is_doubtful(text),
        PropertyValue::Utf8StringPair(name, value) => is_doubtful(name) || is_doubtful(value),
        _ => false,
    })
}

fn is_doubtful(text: Text<'_>) -> bool {
    let noncharacter =
        |c: char| u32::from(c) & 0xFFFE == 0xFFFE || ('\u{FDD0}'..='\u{FDEF}').contains(&c);
    std::str::from_utf8(text.as_bytes())
        .is_ok_and(|text| text.chars().any(|c| c.is_control() || noncharacter(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_noncharacters_are_doubtful() {
        for text in [
            "\u{1}",
            "a\u{1f}",
            "\u{7f}b",
            "\u{9f}",
            "\u{fdd0}",
            "\u{ffff}",
            "\u{1fffe}",
        ] {
            assert!(is_doubtful(text.into()), "{text:?}");
        }
        for text in [
            "",
            "a b/ä#",
            "\u{a0}",
            "\u{feff}",
            "\u{fdcf}",
            "\u{fffd}",
            "\u{10000}",
        ] {
            assert!(!is_doubtful(text.into()), "{text:?}");
        }
    }
}
