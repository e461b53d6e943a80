//! The server's side of TLS: its certificate, and what it asks of clients.

use std::io;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use ring::digest;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The ALPN protocol of MQTT over TLS.
const MQTT: &[u8] = b"mqtt";
/// The ALPN protocol below a WebSocket.
const HTTP: &[u8] = b"http/1.1";

/// A server's certificate with those that vouch for it, and its private key.
#[derive(Debug)]
pub struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pem: String,
}

impl Certificate {
    /// Reads a chain of certificates, the server's own first, and its private key (PKCS #8, PKCS #1 or SEC 1),
    /// all in PEM.
    ///
    /// # Errors
    ///
    /// The text holds none, or none that can be read.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let certificates = certificates(chain)?;
        for certificate in &certificates {
            ParsedCertificate::try_from(certificate)
                .map_err(|_| TlsError::Certificate("its encoding is damaged".into()))?;
        }
        Ok(Self {
            chain: certificates,
            key: private_key(key)?,
            pem: String::from_utf8_lossy(chain).into_owned(),
        })
    }

    /// Makes a certificate that vouches for itself, for these host names and addresses.
    ///
    /// # Errors
    ///
    /// A name that no certificate can hold.
    pub fn self_signed(names: &[&str]) -> Result<Self, TlsError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let key = KeyPair::generate().map_err(|error| TlsError::Names(error.to_string()))?;
        let certificate = CertificateParams::new(names)
            .and_then(|params| params.self_signed(&key))
            .map_err(|error| TlsError::Names(error.to_string()))?;
        Ok(Self {
            pem: certificate.pem(),
            chain: vec![certificate.into()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// The chain in PEM: what a client needs that is to trust a self-signed certificate.
    pub fn as_pem(&self) -> &str {
        &self.pem
    }

    /// The SHA-256 fingerprint of the server's own certificate, as `openssl x509 -fingerprint` writes it.
    pub fn fingerprint(&self) -> String {
        let bytes = self.chain.first().map_or(&[][..], AsRef::as_ref);
        let digest = digest::digest(&digest::SHA256, bytes);
        let pairs: Vec<String> = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        pairs.join(":")
    }
}

/// TLS as a server speaks it: 1.2 and 1.3, with the ALPN protocol of what is carried.
#[derive(Debug, Clone)]
pub struct Tls {
    carrying_mqtt: Arc<ServerConfig>,
    carrying_websocket: Arc<ServerConfig>,
}

impl Tls {
    /// TLS with this certificate, for any client.
    ///
    /// # Errors
    ///
    /// The private key is not the certificate's, or of a kind that is not supported.
    pub fn new(certificate: Certificate) -> Result<Self, TlsError> {
        Self::verifying(certificate, WebPkiClientVerifier::no_client_auth())
    }

    /// TLS with this certificate, for clients with a certificate that one of these authorities (in PEM) vouches for.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and where the authorities cannot be read.
    pub fn for_clients_of(certificate: Certificate, authorities: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(authorities)? {
            roots
                .add(authority)
                .map_err(|error| TlsError::Authority(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| TlsError::Authority(error.to_string()))?;
        Self::verifying(certificate, verifier)
    }

    fn verifying(
        certificate: Certificate,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::of(&error))?
            .with_client_cert_verifier(clients)
            .with_single_cert(certificate.chain, certificate.key)
            .map_err(|error| TlsError::of(&error))?;
        let mut websocket = config.clone();
        config.alpn_protocols = vec![MQTT.to_vec()];
        websocket.alpn_protocols = vec![HTTP.to_vec()];
        Ok(Self {
            carrying_mqtt: Arc::new(config),
            carrying_websocket: Arc::new(websocket),
        })
    }

    /// Does the server's part of the handshake.
    ///
    /// # Errors
    ///
    /// The client does not speak TLS, or they do not agree; it has been told so.
    pub(super) async fn accept<S>(self, stream: S, websocket: bool) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = if websocket {
            self.carrying_websocket
        } else {
            self.carrying_mqtt
        };
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Certificates that cannot be served with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate.
    #[error("it holds no certificate in PEM; one begins with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// A certificate cannot be read.
    #[error("a certificate in it cannot be read: {0}")]
    Certificate(String),
    /// There is no private key.
    #[error("it holds no private key in PEM; one begins with `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// The private key cannot be read without its password.
    #[error("its private key is encrypted; decrypt it, as `openssl pkey -in KEY -out PLAIN` does")]
    EncryptedKey,
    /// The private key cannot be read.
    #[error("a private key in it cannot be read: {0}")]
    Key(String),
    /// The key belongs to another certificate.
    #[error("the private key is not the certificate's; give the two that were made together")]
    KeyMismatch,
    /// A name that no certificate can hold.
    #[error("no certificate can be made: {0}")]
    Names(String),
    /// The certificates that are to vouch for clients cannot.
    #[error("its certificates cannot vouch for clients: {0}")]
    Authority(String),
    /// Certificate and key cannot be used for another reason.
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
}

impl TlsError {
    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InconsistentKeys(_) => Self::KeyMismatch,
            other => Self::Unusable(other.to_string()),
        }
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Certificate(error.to_string()))?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate);
    }
    Ok(certificates)
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    use rustls::pki_types::pem::Error;
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) => {
            let known = any_supported_type(&key);
            known.map_err(|_| TlsError::Key("it is no RSA, ECDSA or EdDSA key".into()))?;
            Ok(key)
        }
        Err(Error::NoItemsFound) if holds(text, b"ENCRYPTED PRIVATE KEY") => {
            Err(TlsError::EncryptedKey)
        }
        Err(Error::NoItemsFound) => Err(TlsError::NoKey),
        Err(error) => Err(TlsError::Key(error.to_string())),
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_that_of_the_certificate() {
        let certificate = Certificate {
            chain: vec![b"abc".to_vec().into()],
            key: PrivatePkcs8KeyDer::from(Vec::new()).into(),
            pem: String::new(),
        };
        // SHA-256 of `abc`, from FIPS 180-2.
        assert_eq!(
            certificate.fingerprint().replace(':', "").to_lowercase(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn what_cannot_be_served_with_is_told() {
        let one = KeyPair::generate().unwrap().serialize_pem();
        let other = Certificate::self_signed(&["localhost"]).unwrap();
        let chain = other.as_pem().to_owned();
        let from = |chain: &str, key: &str| Certificate::from_pem(chain.as_bytes(), key.as_bytes());
        assert_eq!(from("", &one).unwrap_err(), TlsError::NoCertificate);
        assert_eq!(from(&one, &one).unwrap_err(), TlsError::NoCertificate);
        assert_eq!(from(&chain, &chain).unwrap_err(), TlsError::NoKey);
        let encrypted = one.replace("PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(
            from(&chain, &encrypted).unwrap_err(),
            TlsError::EncryptedKey
        );
        let mismatched = from(&chain, &one).unwrap();
        assert_eq!(Tls::new(mismatched).unwrap_err(), TlsError::KeyMismatch);
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(from(garbage, &one), Err(TlsError::Certificate(_))));
        let unknown = garbage.replace("CERTIFICATE", "PRIVATE KEY");
        assert!(matches!(from(&chain, &unknown), Err(TlsError::Key(_))));
        assert!(matches!(
            Tls::for_clients_of(other, garbage.as_bytes()),
            Err(TlsError::Authority(_))
        ));
    }
}
