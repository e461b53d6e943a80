//! SUBSCRIBE: a client asks for messages (section 3.8).

use alloc::vec::Vec;

use super::{
    listing::{self, Empty, Listing},
    subscription::{SubscriptionOptions, Subscriptions},
};
use crate::{
    EncodeError, Found, PacketType, Properties, Version,
    gate::Gate,
    plain,
    reader::Reader,
    rule::{rule, rule_of_5_0},
    text_rules,
};

/// SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Packet Identifier.
    pub packet_id: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// The Topic Filters with their options.
    pub filters: Subscriptions<'a>,
}

impl<'a> Subscribe<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let packet_id = rule!(
            version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-1",
            "v5.0/MQTT-2.2.1-3"
        );
        let empty = Empty {
            rule: rule!(
                version, "v3.1/V31-3.8-1", "v3.1.1/MQTT-3.8.3-3", "v5.0/MQTT-3.8.3-2",
                also "v3.1/V31-3.8-1", "v3.1.1/MQTT-3.8.3-3", "v5.0/U50-3.8.3-1"
            ),
            field: "filters",
            expected: "at least one",
        };
        let empty = (version != Version::V3_1).then_some(&empty);
        let Listing {
            packet_id,
            properties,
            list,
        } = listing::read(reader, PacketType::Subscribe, packet_id, empty, |reader| {
            reader.text("filters.filter", text_rules::subscribe_filter)?;
            let offset = reader.offset();
            let options = SubscriptionOptions(reader.byte("filters.qos")?);
            judge_options(reader, options, offset)
        })?;
        Ok(Self {
            packet_id,
            properties,
            filters: Subscriptions::new(list),
        })
    }

    /// Whether it is sound at a glance.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        let fields = self.fields();
        fields.is_plain(PacketType::Subscribe, version, |list| {
            let (options, rest) = plain::text(list)?.split_first()?;
            SubscriptionOptions(*options)
                .is_sound(version)
                .then_some(rest)
        })
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        self.fields().length(version)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        self.fields().write(version, out);
    }

    const fn fields(&self) -> Listing<'a> {
        Listing {
            packet_id: self.packet_id,
            properties: self.properties,
            list: self.filters.as_bytes(),
        }
    }
}

/// 3.1 has six unused bits, 3.1.1 six reserved ones, 5.0 two.
fn judge_options<G: Gate>(
    reader: &mut Reader<'_, G>,
    options: SubscriptionOptions,
    offset: usize,
) -> Result<(), G::Stop> {
    let version = reader.version;
    if version == Version::V5_0 {
        return judge_options_of_5_0(reader, options, offset);
    }
    let rule = rule!(
        version,
        "v3.1/V31-3.8-2",
        "v3.1.1/MQTT-3.8.3-4",
        "v5.0/MQTT-3.8.3-5"
    );
    if version == Version::V3_1_1 && options.0 & !0b11 != 0 {
        let found = Found::Byte(options.0);
        reader.malformed(rule, offset, "filters.reserved", "six bits of 0", found)?;
    }
    if !options.qos().is_valid() {
        reader.malformed(rule, offset, "filters.qos", "0, 1 or 2", Found::Number(3))?;
    }
    Ok(())
}

fn judge_options_of_5_0<G: Gate>(
    reader: &mut Reader<'_, G>,
    options: SubscriptionOptions,
    offset: usize,
) -> Result<(), G::Stop> {
    if options.reserved() != 0 {
        let rule = rule_of_5_0!("v5.0/MQTT-3.8.3-5");
        let found = Found::Byte(options.0);
        reader.malformed(rule, offset, "filters.reserved", "two bits of 0", found)?;
    }
    if !options.qos().is_valid() {
        let rule = rule_of_5_0!("v5.0/U50-3.8.3.1-1");
        reader.protocol_error(rule, offset, "filters.qos", "0, 1 or 2", Found::Number(3))?;
    }
    if options.handling_of_retained().is_none() {
        let rule = rule_of_5_0!("v5.0/U50-3.8.3.1-2");
        reader.protocol_error(
            rule,
            offset,
            "filters.retain_handling",
            "0, 1 or 2",
            Found::Number(3),
        )?;
    }
    Ok(())
}
