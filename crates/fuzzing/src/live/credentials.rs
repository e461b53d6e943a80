//! Credentials for scripts, which know none: a target that wants to know who comes would answer nobody else.

use codec::{Frame, Packet};
use runner::target::Credentials;

/// The CONNECT with these credentials; none where it has some, is no sound CONNECT, or none are needed.
pub(super) fn dress(bytes: &[u8], credentials: Option<&Credentials>) -> Option<Vec<u8>> {
    let credentials = credentials?;
    let (version, mut connect) = codec::decode_connect(Frame::new(bytes)?).ok()?;
    if connect.user_name.is_some() || connect.password.is_some() {
        return None;
    }
    connect.user_name = Some(credentials.user.as_str().into());
    connect.password = credentials.password.as_deref().map(str::as_bytes);
    let mut dressed = Vec::new();
    codec::encode(&Packet::Connect(connect), version, &mut dressed).ok()?;
    Some(dressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";

    #[test]
    fn who_brings_none_gets_those_of_the_target() {
        let credentials = Credentials {
            user: "u".to_owned(),
            password: Some("pw".to_owned()),
        };
        let dressed = dress(CONNECT, Some(&credentials)).unwrap();
        assert_eq!(
            dressed,
            b"\x10\x14\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a\x00\x01u\x00\x02pw"
        );
        assert_eq!(dress(&dressed, Some(&credentials)), None);
        assert_eq!(dress(CONNECT, None), None);
        assert_eq!(dress(b"\xc0\x00", Some(&credentials)), None);
    }
}
