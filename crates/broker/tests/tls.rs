//! MQTT over TLS: handshakes that succeed and fail, on links in memory and in virtual time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use broker::pipe::{End, pipe};
use broker::shell::{Certificate, Tls, Transport};
use broker::{Broker, Config};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const CONNACK: &[u8] = &[0x20, 2, 0, 0];

fn start() -> Broker {
    Broker::start(Config::default()).unwrap()
}

/// The transport of a server, and what a client trusts to reach it.
fn server() -> (Transport, RootCertStore) {
    let certificate = Certificate::self_signed(&["broker.test"]).unwrap();
    let roots = trust(&certificate);
    let tls = Tls::new(certificate).unwrap();
    (Transport::PLAIN.over(tls), roots)
}

fn trust(certificate: &Certificate) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(certificate.as_pem().as_bytes()).unwrap())
        .unwrap();
    roots
}

fn client(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn open(config: ClientConfig, link: End) -> std::io::Result<TlsStream<End>> {
    let name = ServerName::try_from("broker.test").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, link)
        .await
}

fn attach(broker: &Broker, transport: &Transport) -> End {
    let (client, server) = pipe();
    broker.attach_over(server, transport);
    client
}

async fn is_connected(stream: &mut TlsStream<End>) {
    stream.write_all(CONNECT).await.unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).await.unwrap();
    assert_eq!(connack, CONNACK);
}

#[tokio::test(start_paused = true)]
async fn mqtt_is_agreed_on() {
    let (broker, (transport, roots)) = (start(), server());
    let mut config = client(roots);
    config.alpn_protocols = vec![b"other".to_vec(), b"mqtt".to_vec()];
    let mut stream = open(config, attach(&broker, &transport)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"mqtt"[..]));
    is_connected(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_need_not_name_a_protocol() {
    let (broker, (transport, roots)) = (start(), server());
    let mut stream = open(client(roots), attach(&broker, &transport))
        .await
        .unwrap();
    is_connected(&mut stream).await;
    stream.write_all(&[0xE0, 0]).await.unwrap();
    // The end of TLS is told, or this would be an error.
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn another_protocol_is_refused() {
    let (broker, (transport, roots)) = (start(), server());
    let mut config = client(roots);
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(open(config, attach(&broker, &transport)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_not_trusted_serves_others() {
    let (broker, (transport, roots)) = (start(), server());
    let stranger = client(RootCertStore::empty());
    assert!(open(stranger, attach(&broker, &transport)).await.is_err());
    let mut plain = attach(&broker, &transport);
    plain.write_all(CONNECT).await.unwrap();
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer[0], 21, "a TLS alert");
    let mut stream = open(client(roots), attach(&broker, &transport))
        .await
        .unwrap();
    is_connected(&mut stream).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_given_up() {
    let (broker, (transport, _)) = (start(), server());
    let mut silent = attach(&broker, &transport);
    let began = Instant::now();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn clients_can_be_asked_for_a_certificate() {
    let broker = start();
    let certificate = Certificate::self_signed(&["broker.test"]).unwrap();
    let roots = trust(&certificate);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["client.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let tls = Tls::for_clients_of(certificate, own.pem().as_bytes()).unwrap();
    let transport = Transport::PLAIN.over(tls);

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let known = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_client_auth_cert(
            vec![own.into()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    let mut stream = open(known, attach(&broker, &transport)).await.unwrap();
    is_connected(&mut stream).await;

    // In TLS 1.3 the client learns of it with the first read.
    let mut stranger = open(client(roots), attach(&broker, &transport))
        .await
        .unwrap();
    let error = stranger.read(&mut [0; 1]).await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_websocket_stands_on_it() {
    let (broker, (transport, roots)) = (start(), server());
    let transport = Transport {
        websocket: true,
        ..transport
    };
    let mut config = client(roots);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = open(config, attach(&broker, &transport)).await.unwrap();
    let mut request = "wss://broker.test/mqtt".into_client_request().unwrap();
    let offer = HeaderValue::from_static("mqtt");
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", offer);
    let (_, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), 101);
}
