//! MQTT over WebSocket (section 6 of 3.1.1 and 5.0): the upgrade, and a stream of bytes out of binary frames.
//!
//! Which version a client speaks is known only once it sends CONNECT, within the frames that these rules are about;
//! so a rule is broken here for every version as soon as it is broken for one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::metered::{Account, Metered};
use crate::config::Limits;
use crate::rules::{RuleBook, rule};

/// The subprotocol of MQTT, whatever its version.
const SUBPROTOCOL: &str = "mqtt";

/// How large a frame may be at least, in bytes: it may hold several packets.
const LARGEST_FRAME: usize = 16 << 20;

/// What the upgrade and the header of a frame may take beside the first packet, in bytes.
const BESIDE_FIRST_PACKET: usize = 64 << 10;

/// How much is read at a time. Each connection holds as much all the time.
const READ: usize = 4 << 10;

/// A WebSocket connection as the stream of bytes that its binary frames carry.
///
/// What is written becomes a frame per write and is sent when it is flushed. Until the broker writes for the first
/// time, which is its answer to CONNECT, a frame is bounded like the first packet of any connection.
#[derive(Debug)]
pub(super) struct WebSocket<S> {
    frames: WebSocketStream<Metered<S>>,
    /// What is left of the message that is being read.
    message: Bytes,
    rules: Arc<RuleBook>,
}

/// Answers the client's upgrade.
///
/// # Errors
///
/// What the client sent is no upgrade, or does not offer MQTT; it has been told so.
#[expect(
    clippy::result_large_err,
    reason = "the library's callback has this signature"
)]
pub(super) async fn accept<S>(
    stream: S,
    rules: Arc<RuleBook>,
    limits: Limits,
    partial: Arc<Account>,
) -> io::Result<WebSocket<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
    let largest = size(limits.maximum_packet_size).max(LARGEST_FRAME);
    let first = size(limits.first_packet_size).saturating_add(BESIDE_FIRST_PACKET);
    let stream = Metered::new(stream, first, partial);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ)
        .max_frame_size(Some(largest))
        .max_message_size(Some(largest));
    let choosing = |request: &Request, response| choose_subprotocol(request, response, &rules);
    let frames = accept_hdr_async_with_config(stream, choosing, Some(config))
        .await
        .map_err(of_link)?;
    Ok(WebSocket {
        frames,
        message: Bytes::new(),
        rules,
    })
}

#[expect(
    clippy::result_large_err,
    reason = "the library's callback has this signature"
)]
fn choose_subprotocol(
    request: &Request,
    mut response: Response,
    rules: &RuleBook,
) -> Result<Response, ErrorResponse> {
    let offers = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let offered = offers
        .iter()
        .filter_map(|names| names.to_str().ok())
        .flat_map(|names| names.split(','))
        .any(|name| name.trim() == SUBPROTOCOL);
    if offered {
        if rules.keeps_in_every_version(rule!("v3.1.1/MQTT-6.0.0-4", "v5.0/MQTT-6.0.0-4")) {
            let chosen = HeaderValue::from_static(SUBPROTOCOL);
            response
                .headers_mut()
                .insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        }
    } else if rules.keeps_in_every_version(rule!("v3.1.1/MQTT-6.0.0-3", "v5.0/MQTT-6.0.0-3")) {
        let told = "This is an MQTT broker: offer `mqtt` in Sec-WebSocket-Protocol.\n";
        let mut refusal = ErrorResponse::new(Some(told.to_owned()));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    Ok(response)
}

impl<S> WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    /// The bytes that a message carries; none for one that is not the client's data.
    fn carried(&self, message: Message) -> io::Result<Bytes> {
        let carried = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => {
                let rule = rule!("v3.1.1/MQTT-6.0.0-1", "v5.0/MQTT-6.0.0-1");
                if self.rules.keeps_in_every_version(rule) {
                    return Err(refused("a text frame (v5.0/MQTT-6.0.0-1)"));
                }
                text.into()
            }
            // The library answers pings and the closing handshake.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
                return Ok(Bytes::new());
            }
        };
        let borders_are_free = rule!("v3.1.1/MQTT-6.0.0-2", "v5.0/MQTT-6.0.0-2");
        if !self.rules.keeps_in_every_version(borders_are_free) && !is_one_packet(&carried) {
            return Err(refused("a frame that is not one packet"));
        }
        Ok(carried)
    }
}

/// Whether the bytes are one Control Packet from end to end.
fn is_one_packet(bytes: &[u8]) -> bool {
    // The version only chooses the clause that a violation names.
    let split = codec::split(
        bytes,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    );
    matches!(split, Ok(Split::Complete { rest: [], .. }))
}

fn refused(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the client sent {what}"),
    )
}

/// The library's error as one of a link.
fn of_link(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

impl<S> AsyncRead for WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.message.is_empty() {
            match ready!(Pin::new(&mut self.frames).poll_next(context)) {
                Some(Ok(message)) => {
                    self.frames.get_mut().settle();
                    self.message = self.carried(message)?;
                }
                Some(Err(error)) => return Poll::Ready(Err(of_link(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = buffer.remaining().min(self.message.len());
        buffer.put_slice(&self.message.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<S> AsyncWrite for WebSocket<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.frames.get_mut().allow(usize::MAX);
        ready!(Pin::new(&mut self.frames).poll_ready(context)).map_err(of_link)?;
        let frame = Message::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.frames)
            .start_send(frame)
            .map_err(of_link)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames)
            .poll_flush(context)
            .map_err(of_link)
    }

    /// Begins the closing handshake.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames)
            .poll_close(context)
            .map_err(of_link)
    }
}
