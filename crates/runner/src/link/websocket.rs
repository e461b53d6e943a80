//! [`WebSocket`]: the client's side of MQTT over WebSocket (section 6), which sees every frame and may send wrong ones.
//!
//! It does no I/O: bytes of MQTT become frames, bytes of the wire become bytes of MQTT.

use std::io::Cursor;
use std::num::NonZeroUsize;

use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

/// Masks hide what is sent from intermediaries, and there are none; a server has to undo whichever it is.
const MASK: [u8; 4] = [0x5A, 0xC3, 0x3C, 0xA5];
/// The most bytes a control frame carries (RFC 6455 section 5.5).
const CONTROL_LIMIT: u64 = 125;

/// How the bytes that a client writes become binary frames. Frames have borders, and none of them may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frames {
    /// A frame per write, as a client library sends it.
    #[default]
    Whole,
    /// Frames of so many bytes; the last of a write may be shorter.
    Of(NonZeroUsize),
    /// What is written within 5 ms in one.
    Coalesced,
}

impl Frames {
    /// The value that a scenario writes: `coalesced`, or a number of bytes.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "coalesced" => Some(Self::Coalesced),
            _ => name.parse().ok().map(Self::Of),
        }
    }
}

/// What kind of data frame a packet goes out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrameKind {
    /// The right one.
    #[default]
    Binary,
    /// A wrong one.
    Text,
}

/// What no server may send (5.0 section 6, RFC 6455 section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongFrame {
    /// Data in a text frame.
    #[error("the target sent a text frame")]
    Text,
    /// A frame with a mask, which only clients use.
    #[error("the target sent a masked frame")]
    Masked,
    /// A reserved bit is set, and no extension was agreed on.
    #[error("the target sent a frame with a reserved bit")]
    Reserved,
    /// An opcode that means nothing, or a control frame that is too long or in fragments.
    #[error("the target sent what is no WebSocket frame")]
    NoFrame,
    /// A fragment that continues nothing, or a message begun within another.
    #[error("the target sent fragments of a message that do not fit together")]
    Fragments,
}

/// What came of the bytes that have arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// More bytes of MQTT, none as long as no frame is complete.
    Bytes(usize),
    /// The server has closed.
    Closed,
}

/// The frames of one connection in both directions.
#[derive(Debug)]
pub(super) struct WebSocket {
    frames: Frames,
    /// What [`Frames::Coalesced`] holds back.
    joined: Vec<u8>,
    /// Frames of the connection's own, to be sent when it is read next.
    replies: Vec<u8>,
    /// Bytes of the wire that are no whole frame yet.
    pub(super) incoming: Vec<u8>,
    within_message: bool,
    closing: bool,
    closed: bool,
}

impl WebSocket {
    /// A connection whose upgrade is done; `incoming` is what came behind the answer to it.
    pub(super) fn new(frames: Frames, incoming: Vec<u8>) -> Self {
        Self {
            frames,
            joined: Vec::new(),
            replies: Vec::new(),
            incoming,
            within_message: false,
            closing: false,
            closed: false,
        }
    }

    /// The frames that these bytes are to be sent in, now.
    pub(super) fn wrap(&mut self, bytes: &[u8], kind: FrameKind) -> Vec<u8> {
        let mut wire = Vec::new();
        match (kind, self.frames) {
            (FrameKind::Text, _) => {
                wire = self.release();
                frame(OpCode::Data(Data::Text), bytes, &mut wire);
            }
            (FrameKind::Binary, Frames::Whole) => {
                frame(OpCode::Data(Data::Binary), bytes, &mut wire);
            }
            (FrameKind::Binary, Frames::Of(size)) => {
                for part in bytes.chunks(size.get()) {
                    frame(OpCode::Data(Data::Binary), part, &mut wire);
                }
            }
            (FrameKind::Binary, Frames::Coalesced) => self.joined.extend_from_slice(bytes),
        }
        wire
    }

    /// Whether something is held back.
    pub(super) fn holds(&self) -> bool {
        !self.joined.is_empty()
    }

    /// What the connection itself has to say.
    pub(super) fn replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    /// What was held back, and what the connection itself has to say.
    pub(super) fn release(&mut self) -> Vec<u8> {
        let mut wire = std::mem::take(&mut self.replies);
        if !self.joined.is_empty() {
            let joined = std::mem::take(&mut self.joined);
            frame(OpCode::Data(Data::Binary), &joined, &mut wire);
        }
        wire
    }

    /// Begins the closing handshake, or answers the server's.
    pub(super) fn close(&mut self) {
        if !self.closing {
            self.closing = true;
            let joined = self.release();
            self.replies = joined;
            frame(OpCode::Control(Control::Close), &[], &mut self.replies);
        }
    }

    /// Takes every whole frame off what has arrived, and appends the bytes of MQTT to `buffer`.
    ///
    /// # Errors
    /// The first frame that no server may send.
    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>) -> Result<Received, WrongFrame> {
        let before = buffer.len();
        while !self.closed {
            let mut cursor = Cursor::new(self.incoming.as_slice());
            let header = FrameHeader::parse(&mut cursor).map_err(|_| WrongFrame::NoFrame)?;
            let Some((header, length)) = header else {
                break;
            };
            self.judge(&header, length)?;
            let start = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
            let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            let Some(payload) = self.incoming.get(start..end) else {
                break;
            };
            match header.opcode {
                OpCode::Data(_) => {
                    buffer.extend_from_slice(payload);
                    self.within_message = !header.is_final;
                }
                OpCode::Control(Control::Ping) => {
                    frame(OpCode::Control(Control::Pong), payload, &mut self.replies);
                }
                OpCode::Control(Control::Close) => {
                    self.closed = true;
                    self.close();
                }
                OpCode::Control(_) => {}
            }
            self.incoming.drain(..end);
        }
        match buffer.len() - before {
            0 if self.closed => Ok(Received::Closed),
            count => Ok(Received::Bytes(count)),
        }
    }

    fn judge(&self, header: &FrameHeader, length: u64) -> Result<(), WrongFrame> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(WrongFrame::Reserved);
        }
        if header.mask.is_some() {
            return Err(WrongFrame::Masked);
        }
        match header.opcode {
            OpCode::Data(Data::Text) => Err(WrongFrame::Text),
            OpCode::Data(data) if (data == Data::Continue) != self.within_message => {
                Err(WrongFrame::Fragments)
            }
            OpCode::Control(_) if !header.is_final || length > CONTROL_LIMIT => {
                Err(WrongFrame::NoFrame)
            }
            _ => Ok(()),
        }
    }
}

/// The frames that a client writes these bytes in.
pub fn write_frames(bytes: &[u8], frames: Frames) -> Vec<u8> {
    let mut socket = WebSocket::new(frames, Vec::new());
    let mut wire = socket.wrap(bytes, FrameKind::Binary);
    wire.append(&mut socket.release());
    wire
}

/// The bytes of MQTT that a client reads out of what a server has written, which arrives in these pieces; and the first
/// frame that no server may send, behind which nothing is read.
pub fn read_frames<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Result<(), WrongFrame>) {
    let mut socket = WebSocket::new(Frames::default(), Vec::new());
    let mut buffer = Vec::new();
    for piece in pieces {
        socket.incoming.extend_from_slice(piece);
        if let Err(wrong) = socket.receive(&mut buffer) {
            return (buffer, Err(wrong));
        }
    }
    (buffer, Ok(()))
}

/// Appends a masked frame, complete in itself.
fn frame(opcode: OpCode, payload: &[u8], wire: &mut Vec<u8>) {
    let header = FrameHeader {
        opcode,
        mask: Some(MASK),
        ..FrameHeader::default()
    };
    let written = Frame::from_payload(header, payload.to_vec().into()).format(wire);
    debug_assert!(written.is_ok(), "a vector takes all that is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINARY: u8 = 0x82;

    /// The opcode byte and the unmasked payload of each frame of a client.
    fn sent(mut wire: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut frames = Vec::new();
        while let [first, length, rest @ ..] = wire {
            assert_eq!(length & 0x80, 0x80, "a client masks");
            let length = usize::from(length & 0x7F);
            assert!(length < 126, "no test sends more");
            let (mask, rest) = rest.split_at(4);
            let (payload, rest) = rest.split_at(length);
            let unmasked = payload.iter().zip(mask.iter().cycle());
            frames.push((*first, unmasked.map(|(byte, mask)| byte ^ mask).collect()));
            wire = rest;
        }
        frames
    }

    fn arrived(wire: &[u8]) -> WebSocket {
        WebSocket::new(Frames::Whole, wire.to_vec())
    }

    #[test]
    fn writes_become_the_frames_that_were_asked_for() {
        let mut whole = WebSocket::new(Frames::Whole, Vec::new());
        let binary = |bytes: &[u8]| (BINARY, bytes.to_vec());
        assert_eq!(
            sent(&whole.wrap(b"abc", FrameKind::Binary)),
            [binary(b"abc")]
        );
        assert_eq!(
            sent(&whole.wrap(b"abc", FrameKind::Text)),
            [(0x81, b"abc".to_vec())]
        );

        let mut pairs = WebSocket::new(Frames::from_name("2").unwrap(), Vec::new());
        let wire = pairs.wrap(b"abc", FrameKind::Binary);
        assert_eq!(sent(&wire), [binary(b"ab"), binary(b"c")]);

        let mut joined = WebSocket::new(Frames::Coalesced, Vec::new());
        assert_eq!(joined.wrap(b"ab", FrameKind::Binary), b"");
        assert_eq!(joined.wrap(b"c", FrameKind::Binary), b"");
        assert_eq!(sent(&joined.release()), [binary(b"abc")]);
        assert_eq!(joined.release(), b"");
        assert_eq!(Frames::from_name("0"), None);
    }

    #[test]
    fn the_bytes_of_frames_are_joined_whatever_their_borders() {
        let mut buffer = Vec::new();
        // A message in two fragments with a ping between them, and the beginning of another.
        let mut socket = arrived(b"\x02\x02ab\x89\x01!\x80\x01c\x82\x02d");
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Bytes(3)));
        assert_eq!(buffer, b"abc");
        assert_eq!(sent(&socket.release()), [(0x8A, b"!".to_vec())]);
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Bytes(0)));
        socket.incoming.push(b'e');
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Bytes(2)));
        assert_eq!(buffer, b"abcde");
    }

    #[test]
    fn a_closing_server_is_answered_once() {
        let mut socket = arrived(b"\x82\x01a\x88\x02\x03\xE8");
        let mut buffer = Vec::new();
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Bytes(1)));
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Closed));
        socket.close();
        assert_eq!(sent(&socket.release()), [(0x88, Vec::new())]);
        assert_eq!(socket.receive(&mut buffer), Ok(Received::Closed));
    }

    #[test]
    fn what_no_server_may_send_is_told() {
        let wrong = |wire: &[u8]| arrived(wire).receive(&mut Vec::new()).unwrap_err();
        assert_eq!(wrong(b"\x81\x01a"), WrongFrame::Text);
        assert_eq!(wrong(b"\x82\x81\0\0\0\0a"), WrongFrame::Masked);
        assert_eq!(wrong(b"\xC2\x01a"), WrongFrame::Reserved);
        assert_eq!(wrong(b"\x83\x00"), WrongFrame::NoFrame);
        assert_eq!(wrong(b"\x09\x00"), WrongFrame::NoFrame);
        assert_eq!(wrong(b"\x80\x01a"), WrongFrame::Fragments);
        assert_eq!(wrong(b"\x02\x01a\x82\x01b"), WrongFrame::Fragments);
    }
}
