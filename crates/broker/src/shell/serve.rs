//! One connection: bytes from the link to the core, bytes from the outbox to the link.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tracing::Instrument;

use super::Broker;
use super::hub::Hub;
use super::outbox::Outbox;
use crate::core::{ConnectionId, Event};

const READ: usize = 16 * 1024;

/// Serves the link in a task of its own.
pub(super) fn spawn<S>(hub: &Arc<Hub>, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (connection, outbox) = hub.open();
    let hub = Arc::clone(hub);
    let span = tracing::info_span!("connection", number = connection.0);
    let served = async move {
        let mut abandoned = hub.abandoned();
        tokio::select! {
            () = serve(&hub, connection, &outbox, stream) => {}
            _ = abandoned.wait_for(|&abandoned| abandoned) => {}
        }
        hub.close(connection);
    };
    tokio::spawn(served.instrument(span));
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
            let _ = timeout(Broker::LINGER, reading).await;
        }
    }
}

/// Brings what the client sends to the core, until the link ends.
async fn read(
    hub: &Hub,
    connection: ConnectionId,
    outbox: &Outbox,
    mut reader: impl AsyncRead + Unpin,
) {
    let mut buffer = Vec::with_capacity(READ);
    loop {
        outbox.room().await;
        buffer.clear();
        match reader.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => hub.handle(Event::Received {
                connection,
                bytes: &buffer,
            }),
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
            if writer.write_all(&buffer).await.is_err() {
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
