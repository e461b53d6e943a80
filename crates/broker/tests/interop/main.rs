//! Other people's clients against the broker, over TCP, TLS and WebSocket: Mosquitto's `mosquitto_pub` and
//! `mosquitto_sub`, Paho for Python, mqtt.js, and rumqttc. They must be installed; these tests fail where they are not.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod mosquitto;
mod rumqttc;
mod scripts;

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use broker::shell::{Certificate, Tls, Transport};
use broker::{Broker, Config};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;

/// Long enough for a busy machine; nothing waits for it when all goes well.
const PATIENCE: Duration = Duration::from_mins(1);

async fn serve_over(transport: Transport) -> (Broker, SocketAddr) {
    serve_as(Config::default(), transport).await
}

async fn serve_as(config: Config, transport: Transport) -> (Broker, SocketAddr) {
    let broker = Broker::start(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    broker.listen(listener, transport);
    (broker, address)
}

/// TLS, and the file of the certificate by which clients trust it.
fn tls() -> (Tls, NamedTempFile) {
    let certificate = Certificate::self_signed(&["127.0.0.1"]).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.as_pem().as_bytes()).unwrap();
    (Tls::new(certificate).unwrap(), file)
}
