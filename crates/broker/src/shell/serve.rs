//! One connection: bytes from the link to the core, bytes from the outbox to the link.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tracing::{Instrument, Span, info, info_span, warn};

use super::Broker;
use super::hub::Hub;
use super::outbox::Outbox;
use super::{Transport, websocket};
use crate::core::{ConnectionId, Event};

/// How many bytes are read at a time.
const READ: usize = 16 * 1024;

/// Serves the link in a task of its own.
pub(super) fn spawn<S>(hub: &Arc<Hub>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (connection, outbox) = hub.open();
    // One span for a connection: each costs memory as long as it lasts.
    let current = Span::current();
    let span = if current.has_field("number") {
        current.record("number", connection.0);
        current
    } else {
        info_span!("connection", number = connection.0)
    };
    let open = Open {
        hub: Arc::clone(hub),
        connection,
    };
    let served = async move {
        serve(&open.hub, connection, &outbox, stream).await;
    };
    let task = tokio::spawn(served.instrument(span));
    hub.is_served_by(connection, task.abort_handle());
}

/// A connection that is open; forgotten when its task ends, in whatever way.
struct Open {
    hub: Arc<Hub>,
    connection: ConnectionId,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.hub.close(self.connection);
    }
}

/// Serves the link in a task of its own, once the transport stands on it.
pub(super) fn spawn_over<S>(hub: &Arc<Hub>, stream: S, transport: &Transport)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match (transport.tls.clone(), transport.websocket) {
        (None, false) => spawn(hub, stream),
        (None, true) => upgrade(hub, stream),
        (Some(tls), websocket) => {
            let serve = if websocket { upgrade } else { spawn };
            shake_hands(hub, "TLS", tls.accept(stream, websocket), serve);
        }
    }
}

/// Answers a WebSocket client's upgrade and serves it, in a task of its own.
fn upgrade<S>(hub: &Arc<Hub>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = hub.limits().clone();
    let accepting = websocket::accept(stream, hub.rules(), limits, hub.partial_frames());
    shake_hands(hub, "WebSocket", accepting, spawn);
}

/// Goes through a handshake in a task of its own, as long as it may take, and then serves the link.
///
/// There are at most as many at a time as there may be connections.
fn shake_hands<S>(
    hub: &Arc<Hub>,
    layer: &'static str,
    handshake: impl Future<Output = io::Result<S>> + Send + 'static,
    serve: fn(&Arc<Hub>, S),
) where
    S: Send + 'static,
{
    let hub = Arc::clone(hub);
    let Some(place) = hub.place_for_a_handshake() else {
        warn!("no {layer} is opened: as many clients as there may be are about to connect");
        return;
    };
    let shaken = async move {
        let handshake = timeout(hub.limits().connect_timeout, handshake);
        let mut stopping = hub.stopping();
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = stopping.wait_for(|&stopping| stopping) => return,
        };
        drop(place);
        match shaken {
            Ok(Ok(stream)) => serve(&hub, stream),
            Ok(Err(error)) => info!(%error, "no {layer} is opened"),
            Err(_) => info!("no {layer} is opened: the client is silent"),
        }
    };
    tokio::spawn(shaken.in_current_span());
}

async fn serve<S>(hub: &Hub, connection: ConnectionId, outbox: &Outbox, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (reader, writer) = tokio::io::split(stream);
    let reading = read(hub, connection, outbox, reader);
    let writing = write(hub, connection, outbox, writer);
    tokio::pin!(reading, writing);
    tokio::select! {
        biased;
        () = &mut reading => {
            hub.handle(Event::Ended { connection });
            outbox.close();
            writing.await;
        }
        // What the client still sends is read and dropped: closing a socket with unread bytes would reset
        // it, and the client could lose the packet that tells it why.
        () = &mut writing => {
            hub.handle(Event::Ended { connection });
            // On the heap, since few connections ever come here.
            let _ = Box::pin(timeout(Broker::LINGER, reading)).await;
        }
    }
}

/// Brings what the client sends to the core, until the link ends. The bytes stand on the stack while they are
/// handled, so an idle connection holds no buffer.
async fn read(
    hub: &Hub,
    connection: ConnectionId,
    outbox: &Outbox,
    mut reader: impl AsyncRead + Unpin,
) {
    loop {
        outbox.room().await;
        hub.room().await;
        let read = poll_fn(|context| {
            let mut bytes = [const { MaybeUninit::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            ready!(Pin::new(&mut reader).poll_read(context, &mut buffer))?;
            let bytes = buffer.filled();
            if !bytes.is_empty() {
                hub.handle(Event::Received { connection, bytes });
            }
            Poll::Ready(io::Result::Ok(bytes.len()))
        });
        match read.await {
            Ok(0) => return,
            Ok(_) => {}
            // The layer below has refused what came, rather than lost the link.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                info!(connection = connection.0, "closing: {error}");
                return;
            }
            Err(_) => return,
        }
    }
}

/// Writes what the core sends, until it closes the connection or the link ends.
async fn write(
    hub: &Hub,
    connection: ConnectionId,
    outbox: &Outbox,
    mut writer: impl AsyncWrite + Unpin,
) {
    let writing = async {
        let mut buffer = Vec::new();
        while outbox.next(&mut buffer).await.is_some() {
            let written = async {
                writer.write_all(&buffer).await?;
                writer.flush().await
            };
            if written.await.is_err() {
                return;
            }
            if outbox.written() {
                hub.handle(Event::Drained { connection });
            }
        }
        let _ = writer.shutdown().await;
    };
    tokio::select! {
        biased;
        () = writing => {}
        () = outbox.overdue() => {}
    }
}
