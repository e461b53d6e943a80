//! MQTT in WebSocket frames: their borders mean nothing.

use std::num::NonZeroUsize;

use runner::link::{Frames, read_frames, write_frames};

/// A client reads the same out of the bytes of a server however they are cut, reads what a server has framed in any
/// way, and frames what it writes so that a naive reader finds it again.
///
/// The first byte chooses sizes, the others are what is framed, or the frames themselves.
///
/// # Panics
/// When it does not.
pub fn websocket(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let size = NonZeroUsize::MIN.saturating_add(usize::from(*choice));
    let pieces = bytes.chunks(size.get());

    let whole = read_frames([bytes]);
    assert_eq!(whole, read_frames(pieces.clone()));
    assert!(whole.0.len() <= bytes.len());

    let served = pieces.clone().flat_map(server_frame).collect::<Vec<_>>();
    assert_eq!(
        read_frames(served.chunks(size.get())),
        (bytes.to_vec(), Ok(()))
    );

    for frames in [Frames::Whole, Frames::Of(size), Frames::Coalesced] {
        let wire = write_frames(bytes, frames);
        assert_eq!(unmask(&wire).as_deref(), Some(bytes), "{frames:?}");
    }
}

/// A binary frame as a server writes it: RFC 6455 section 5.2, without a mask.
fn server_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    frame.extend(length(payload.len(), 0));
    frame.extend(payload);
    frame
}

fn length(length: usize, mask: u8) -> Vec<u8> {
    match length {
        0..=125 => vec![mask | u8::try_from(length).unwrap_or_default()],
        126..=0xFFFF => [
            &[mask | 0x7E][..],
            &u16::try_from(length).unwrap_or_default().to_be_bytes(),
        ]
        .concat(),
        _ => [&[mask | 0x7F][..], &(length as u64).to_be_bytes()].concat(),
    }
}

/// The payloads of a client's binary frames, if they are nothing else.
fn unmask(mut wire: &[u8]) -> Option<Vec<u8>> {
    let mut payloads = Vec::new();
    while let [first, second, rest @ ..] = wire {
        if *first != 0x82 || second & 0x80 == 0 {
            return None;
        }
        let (length, rest) = match second & 0x7F {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
            }
            short => (usize::from(short), rest),
        };
        let (mask, rest) = rest.split_first_chunk::<4>()?;
        let (payload, rest) = rest.split_at_checked(length)?;
        payloads.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        wire = rest;
    }
    wire.is_empty().then_some(payloads)
}
