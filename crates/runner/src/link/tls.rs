//! [`Tls`]: how links are encrypted, and which targets they trust.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::wire::{Stream, Wire};

/// The protocol that a client names in the handshake (RFC 7301; registered for MQTT).
const MQTT: &[u8] = b"mqtt";
/// The same for a WebSocket, whose upgrade is a request of HTTP/1.1.
const HTTP: &[u8] = b"http/1.1";

/// What a command line says of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates in PEM that the target's must be signed by; those that the system trusts where absent.
    pub ca: Option<PathBuf>,
    /// The client's own certificate in PEM, followed by those between it and its CA.
    pub certificate: Option<PathBuf>,
    /// The private key of that certificate in PEM; in the certificate's file where absent.
    pub key: Option<PathBuf>,
    /// The name that the target's certificate must have; the host of its address where absent.
    pub server_name: Option<String>,
    /// Whether any certificate is taken, so that whoever answers is believed.
    pub unverified: bool,
}

/// How links are encrypted, and which targets they trust.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    server_name: Option<ServerName<'static>>,
    files: Arc<TlsFiles>,
}

/// Why there can be no TLS as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not read.
    #[error("cannot read {}: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A file without what it should hold.
    #[error("{} holds no {what} in PEM", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
    },
    /// A key without a certificate.
    #[error("the key {} has no certificate to go with", .0.display())]
    KeyAlone(PathBuf),
    /// Certificates or a key that TLS cannot use.
    #[error("{} cannot be used: {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: rustls::Error,
    },
    /// A text that no server is called.
    #[error("`{0}` is no name of a server: write a host name or an IP address")]
    ServerName(String),
    /// The provider of cryptography has none of the versions of TLS.
    #[error("TLS cannot be set up: {0}")]
    Provider(rustls::Error),
}

/// A handshake that came to nothing, inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the TLS handshake fails: {0}")]
pub struct HandshakeError(io::Error);

impl HandshakeError {
    /// An error of I/O that has such a one inside.
    pub(crate) fn wrap(error: io::Error) -> io::Error {
        io::Error::other(Self(error))
    }

    /// Whether an error of I/O has such a one inside.
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(<dyn Error + Send + Sync>::is::<Self>)
    }
}

impl Tls {
    /// What these files say.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Provider)?;
        let builder = if files.unverified {
            let anything = Arc::new(Anything(provider));
            builder
                .dangerous()
                .with_custom_certificate_verifier(anything)
        } else {
            builder.with_root_certificates(roots(files.ca.as_deref())?)
        };
        let config = match (&files.certificate, &files.key) {
            (None, None) => builder.with_no_client_auth(),
            (None, Some(key)) => return Err(TlsError::KeyAlone(key.clone())),
            (Some(certificate), key) => {
                let chain = certificates(certificate)?;
                let key = private_key(key.as_ref().unwrap_or(certificate))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|problem| TlsError::Unusable {
                        path: certificate.clone(),
                        problem,
                    })?
            }
        };
        let server_name = files
            .server_name
            .as_deref()
            .map(|name| server_name(name).ok_or_else(|| TlsError::ServerName(name.to_owned())))
            .transpose()?;
        Ok(Self {
            config: Arc::new(config),
            server_name,
            files: Arc::new(files.clone()),
        })
    }

    /// The files that it was made of.
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// TLS that trusts this one certificate in PEM and what it has signed.
    pub(crate) fn trusting(certificate: &str) -> Result<Self, TlsError> {
        let unusable = |problem: String| TlsError::Unusable {
            path: PathBuf::new(),
            problem: rustls::Error::General(problem),
        };
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|problem| unusable(problem.to_string()))?;
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate)
            .map_err(|problem| unusable(problem.to_string()))?;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Provider)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            server_name: None,
            files: Arc::default(),
        })
    }

    /// Encrypts a wire to the server that is called `host`.
    ///
    /// # Errors
    /// A [`HandshakeError`] inside.
    pub(super) async fn encrypt(
        &self,
        wire: Wire,
        host: &str,
        websocket: bool,
    ) -> io::Result<Stream> {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = vec![if websocket { HTTP } else { MQTT }.to_vec()];
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host).ok_or_else(|| {
                HandshakeError::wrap(io::Error::other(TlsError::ServerName(host.to_owned())))
            })?,
        };
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, wire).await;
        stream
            .map(|stream| Stream::Tls(Box::new(stream)))
            .map_err(HandshakeError::wrap)
    }
}

/// A server name from a host: a DNS name, which the handshake tells the server, or an IP address, which it does not.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).ok()
}

/// The one provider of cryptography.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        // A system without any makes the handshake fail, which says so.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    for certificate in certificates(path)? {
        roots
            .add(certificate)
            .map_err(|problem| TlsError::Unusable {
                path: path.to_owned(),
                problem,
            })?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |problem: rustls::pki_types::pem::Error| TlsError::Unreadable {
        path: path.to_owned(),
        problem: problem.to_string(),
    };
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect();
    let certificates = read.map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(TlsError::Nothing {
            path: path.to_owned(),
            what: "certificate",
        });
    }
    Ok(certificates)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    use rustls::pki_types::pem::Error;
    PrivateKeyDer::from_pem_file(path).map_err(|problem| match problem {
        Error::NoItemsFound => TlsError::Nothing {
            path: path.to_owned(),
            what: "private key",
        },
        problem => TlsError::Unreadable {
            path: path.to_owned(),
            problem: problem.to_string(),
        },
    })
}

/// Takes any certificate, but checks that whoever shows it has its key.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether both are one and the same: what two configurations of TLS say cannot be compared.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.server_name == other.server_name
    }
}

impl Eq for Tls {}

/// Without the keys.
impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}
