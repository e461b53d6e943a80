//! [`sweep`]: takes away the retained messages that scripts left behind without anybody's knowing.
//!
//! What a script asks the target to retain is taken back with it ([`super::traces`]). A target that deals with what it
//! should not also retains what nobody can know of; in a day these pile up, and every subscription to `#` brings them.

use std::time::Duration;

use codec::{Direction, Frame, Packet, Version};
use runner::target::Target;
use tokio::time::timeout;

use super::source::is_name;
use super::traces::{clear, connect, disconnect};
use super::wire::{Came, Wire};
use crate::script::TOKEN;

/// How long it may take.
const WITHIN: Duration = Duration::from_secs(3);
/// SUBSCRIBE to `#` at QoS 0 with Packet Identifier 1.
const SUBSCRIBE: &[u8] = &[0x82, 6, 0, 1, 0, 1, b'#', 0];
const PINGREQ: &[u8] = &[0xC0, 0];

/// Clears what is retained on topics that hold a namespace of scripts. Nothing may be performed meanwhile.
pub(super) async fn sweep(target: &Target) {
    // Whatever does not succeed is tried again the next time.
    let _ = timeout(WITHIN, visit(target)).await;
}

async fn visit(target: &Target) -> std::io::Result<()> {
    let version = Version::V3_1_1;
    let mut wire = Wire::new(target.open(&runner::link::LinkOptions::default()).await?);
    let hello = connect(version, b"assay-sweep", target.credentials());
    wire.write([hello.as_slice(), SUBSCRIBE, PINGREQ].into_iter())
        .await;
    let mut left = Vec::new();
    let mut swept = false;
    loop {
        while let Some(came) = wire.take() {
            let Came::Packet(bytes) = came else {
                return Ok(());
            };
            let packet = Frame::new(&bytes)
                .and_then(|frame| codec::decode(frame, version, Direction::ToClient).ok());
            match packet {
                Some(Packet::Publish(publish)) if publish.retain && is_ours(&publish) => {
                    left.extend(clear(version, publish.topic.as_bytes()));
                }
                // By now all that is retained has come.
                Some(Packet::Pingresp(_)) if !swept => {
                    swept = true;
                    let bye = disconnect(version);
                    wire.write([left.as_slice(), &bye].into_iter()).await;
                }
                _ => {}
            }
        }
        wire.wait().await;
    }
}

fn is_ours(publish: &codec::Publish<'_>) -> bool {
    let mut parts = publish.topic.as_bytes().windows(TOKEN.len());
    parts.any(is_name)
}
