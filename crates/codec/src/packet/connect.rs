//! CONNECT: a client asks for a connection (section 3.1).

use alloc::vec::Vec;

use super::Will;
use crate::{
    EncodeError, Found, PacketType, Properties, PropertyId, PropertyOwner, QoS, ReasonCode, Text,
    Version, ViolationKind,
    gate::Gate,
    plain, property,
    reader::Reader,
    rule::{Rule, rule, rule_of_5_0},
    text_rules, write,
};

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Connect);

const USER_NAME_FLAG: u8 = 1 << 7;
const PASSWORD_FLAG: u8 = 1 << 6;
pub(super) const WILL_RETAIN: u8 = 1 << 5;
const WILL_FLAG: u8 = 1 << 2;
const CLEAN_START: u8 = 1 << 1;
const RESERVED_FLAG: u8 = 1;

/// CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// `MQTT`, or `MQIsdp` in 3.1.
    pub protocol_name: Text<'a>,
    /// Protocol Level in 3.1.1, Protocol Version in 5.0: 3, 4 or 5.
    pub protocol_version: u8,
    /// Clean Start; Clean Session before 5.0.
    pub clean_start: bool,
    /// Bit 0 of the Connect Flags: reserved and 0 from 3.1.1 on, unused in 3.1.
    pub reserved_flag: bool,
    /// Keep Alive in seconds; 0 turns it off.
    pub keep_alive: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// Client Identifier; empty where the server shall assign one.
    pub client_id: Text<'a>,
    /// The Will Message, if the Will Flag is set.
    pub will: Option<Will<'a>>,
    /// User Name, if its flag is set.
    pub user_name: Option<Text<'a>>,
    /// Password, if its flag is set.
    pub password: Option<&'a [u8]>,
}

impl<'a> Connect<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let protocol_name = read_protocol_name(reader)?;
        let protocol_version = read_protocol_version(reader)?;
        let flags_offset = reader.offset();
        let flags = reader.byte("connect_flags")?;
        judge_flags(reader, flags, flags_offset)?;
        let keep_alive = reader.two_byte_integer("keep_alive")?;
        let properties = property::read(reader, OWNER)?;
        if properties.authentication_data().is_some()
            && properties.authentication_method().is_none()
        {
            let rule = rule_of_5_0!("v5.0/U50-3.1.2.11.10-1");
            let expected = "there only beside an Authentication Method";
            reader.protocol_error(
                rule,
                flags_offset + 3,
                "authentication_data",
                expected,
                Found::Named("it alone"),
            )?;
        }
        let client_id = reader.text("client_id", text_rules::client_id)?;
        let will = if flags & WILL_FLAG == 0 {
            None
        } else {
            Some(Will::read(reader, flags)?)
        };
        let user_name = if flags & USER_NAME_FLAG == 0 || is_left_out(reader) {
            None
        } else {
            expect_field(
                reader,
                rule!(
                    version,
                    "v3.1/V31-2.5-1",
                    "v3.1.1/MQTT-3.1.2-19",
                    "v5.0/MQTT-3.1.2-17"
                ),
                "user_name",
            )?;
            Some(reader.text("user_name", text_rules::user_name)?)
        };
        let password = if flags & PASSWORD_FLAG == 0 || is_left_out(reader) {
            None
        } else {
            expect_field(
                reader,
                rule!(
                    version,
                    "v3.1/V31-2.5-1",
                    "v3.1.1/MQTT-3.1.2-21",
                    "v5.0/MQTT-3.1.2-19"
                ),
                "password",
            )?;
            Some(read_password(reader)?)
        };
        reader.finish()?;
        Ok(Self {
            protocol_name,
            protocol_version,
            clean_start: flags & CLEAN_START != 0,
            reserved_flag: flags & RESERVED_FLAG != 0,
            keep_alive,
            properties,
            client_id,
            will,
            user_name,
            password,
        })
    }

    /// Whether it is sound at a glance. 3.1 asks for texts where others take data, so it is never.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        let properties = self.properties;
        version != Version::V3_1
            && self.protocol_name == version.protocol_name()
            && self.protocol_version == version.level()
            && !self.reserved_flag
            && plain::is_text(self.client_id.as_bytes())
            && self.will.is_none_or(|will| will.is_plain(version))
            && self
                .user_name
                .is_none_or(|user_name| plain::is_text(user_name.as_bytes()))
            && (self.password.is_none() || self.user_name.is_some())
            && plain::is_list(properties, OWNER, version)
            && !properties.contains(PropertyId::AuthenticationData)
    }

    /// The Connect Flags that tell what the other fields hold.
    pub(crate) fn flags(&self) -> u8 {
        let mut flags = 0;
        let mut set = |flag, on| flags |= if on { flag } else { 0 };
        set(RESERVED_FLAG, self.reserved_flag);
        set(CLEAN_START, self.clean_start);
        set(USER_NAME_FLAG, self.user_name.is_some());
        set(PASSWORD_FLAG, self.password.is_some());
        if let Some(will) = &self.will {
            set(WILL_FLAG, true);
            set(will.qos.value() << 3, true);
            set(WILL_RETAIN, will.retain);
        }
        flags
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        let mut length = write::field_length("protocol_name", self.protocol_name.as_bytes())?
            + 4
            + write::properties_length(self.properties, version)?
            + write::field_length("client_id", self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            length += will.length(version)?;
        }
        if let Some(user_name) = self.user_name {
            length += write::field_length("user_name", user_name.as_bytes())?;
        }
        if let Some(password) = self.password {
            length += write::field_length("password", password)?;
        }
        Ok(length)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        write::binary(self.protocol_name.as_bytes(), out);
        out.push(self.protocol_version);
        out.push(self.flags());
        out.extend_from_slice(&self.keep_alive.to_be_bytes());
        write::properties(self.properties, version, out);
        write::binary(self.client_id.as_bytes(), out);
        if let Some(will) = &self.will {
            will.write(version, out);
        }
        if let Some(user_name) = self.user_name {
            write::binary(user_name.as_bytes(), out);
        }
        if let Some(password) = self.password {
            write::binary(password, out);
        }
    }
}

fn read_protocol_name<'a, G: Gate>(reader: &mut Reader<'a, G>) -> Result<Text<'a>, G::Stop> {
    let version = reader.version;
    let offset = reader.offset();
    let name = reader.binary("protocol_name")?;
    if name != version.protocol_name().as_bytes() {
        let rule = rule!(
            version,
            "v3.1/V31-2.2-1",
            "v3.1.1/MQTT-3.1.2-1",
            "v5.0/MQTT-3.1.2-1"
        );
        reader.report(
            rule,
            offset,
            "protocol_name",
            ViolationKind::UnsupportedProtocolVersion,
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            version.protocol_name(),
            Found::Named("another name"),
        )?;
    }
    Ok(Text::new(name))
}

fn read_protocol_version<G: Gate>(reader: &mut Reader<'_, G>) -> Result<u8, G::Stop> {
    let version = reader.version;
    let offset = reader.offset();
    let level = reader.byte("protocol_version")?;
    if level != version.level() {
        let rule = rule!(
            version,
            "v3.1/V31-2.2-2",
            "v3.1.1/MQTT-3.1.2-2",
            "v5.0/MQTT-3.1.2-2"
        );
        reader.report(
            rule,
            offset,
            "protocol_version",
            ViolationKind::UnsupportedProtocolVersion,
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            match version {
                Version::V3_1 => "3",
                Version::V3_1_1 => "4",
                Version::V5_0 => "5",
            },
            Found::Number(u64::from(level)),
        )?;
    }
    Ok(level)
}

/// The rules that the Connect Flags can break by themselves. 3.1 disregards what it does not use.
fn judge_flags<G: Gate>(
    reader: &mut Reader<'_, G>,
    flags: u8,
    offset: usize,
) -> Result<(), G::Stop> {
    let version = reader.version;
    let will_qos = QoS::from_bits(flags >> 3);
    if flags & RESERVED_FLAG != 0 && version != Version::V3_1 {
        let rule = rule!(
            version, "v3.1/V31-2.2-3", "v3.1.1/MQTT-3.1.2-3", "v5.0/MQTT-3.1.2-3",
            also "v3.1/V31-2.2-3", "v3.1.1/MQTT-3.1.2-3", "v5.0/U50-3.1.2.3-1"
        );
        reader.malformed(rule, offset, "reserved_flag", "0", Found::Number(1))?;
    }
    if flags & WILL_FLAG != 0 {
        if !will_qos.is_valid() {
            let rule = rule!(
                version, "v3.1.1/MQTT-3.1.2-14", "v3.1.1/MQTT-3.1.2-14", "v5.0/MQTT-3.1.2-12",
                also "v3.1.1/MQTT-3.1.2-14", "v3.1.1/MQTT-3.1.2-14", "v5.0/U50-3.1.2.6-1"
            );
            reader.malformed(rule, offset, "will.qos", "0, 1 or 2", Found::Number(3))?;
        }
    } else if version != Version::V3_1 {
        if will_qos.is_acknowledged() {
            let rule = rule!(
                version, "v3.1/V31-2.2-7", "v3.1.1/MQTT-3.1.2-13", "v5.0/MQTT-3.1.2-11",
                also "v3.1/V31-2.2-7", "v3.1.1/MQTT-3.1.2-11", "v5.0/MQTT-3.1.2-11"
            );
            let found = Found::Number(u64::from(will_qos.value()));
            reader.protocol_error(rule, offset, "will.qos", "0 without a Will", found)?;
        }
        if flags & WILL_RETAIN != 0 {
            let rule = rule!(
                version, "v3.1/V31-2.2-7", "v3.1.1/MQTT-3.1.2-15", "v5.0/MQTT-3.1.2-13",
                also "v3.1/V31-2.2-7", "v3.1.1/MQTT-3.1.2-11", "v5.0/MQTT-3.1.2-13"
            );
            reader.protocol_error(
                rule,
                offset,
                "will.retain",
                "0 without a Will",
                Found::Number(1),
            )?;
        }
    }
    if flags & PASSWORD_FLAG != 0 && flags & USER_NAME_FLAG == 0 && version != Version::V5_0 {
        let rule = rule!(
            version,
            "v3.1/V31-2.2-8",
            "v3.1.1/MQTT-3.1.2-22",
            "v5.0/MQTT-4.13.1-1"
        );
        reader.protocol_error(
            rule,
            offset,
            "password",
            "there only beside a User Name",
            Found::Named("it alone"),
        )?;
    }
    Ok(())
}

/// Whether 3.1 takes the end of the packet for a field left out, whatever its flag says.
fn is_left_out<G: Gate>(reader: &Reader<'_, G>) -> bool {
    reader.version == Version::V3_1 && reader.is_at_end()
}

pub(super) fn expect_field<G: Gate>(
    reader: &mut Reader<'_, G>,
    rule: Rule,
    field: &'static str,
) -> Result<(), G::Stop> {
    if reader.is_at_end() {
        reader.malformed(
            rule,
            reader.offset(),
            field,
            "there, as its flag says",
            Found::Nothing,
        )?;
        reader.exhaust();
    }
    Ok(())
}

/// Data since 3.1.1; in 3.1 a text.
fn read_password<'a, G: Gate>(reader: &mut Reader<'a, G>) -> Result<&'a [u8], G::Stop> {
    if reader.version == Version::V3_1 {
        return reader
            .text("password", text_rules::any_text)
            .map(Text::as_bytes);
    }
    reader.binary("password")
}
