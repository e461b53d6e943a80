//! [`Identity`]: the certificate that the embedded broker shows, and whom its clients trust for it.

use std::io;
use std::sync::OnceLock;

use broker::shell;

use crate::link::Tls;

/// The host of the embedded broker.
const NAME: &str = "localhost";

/// Who the embedded broker is, over TLS.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The broker's side.
    pub(crate) tls: shell::Tls,
    /// The side of clients that trust this broker and none else.
    pub(crate) trust: Tls,
}

impl Identity {
    /// The one that all brokers of this process show; no two processes have the same.
    pub(crate) fn of_this_process() -> io::Result<Self> {
        static IDENTITY: OnceLock<Result<Identity, String>> = OnceLock::new();
        IDENTITY
            .get_or_init(|| Self::new().map_err(|error| error.to_string()))
            .clone()
            .map_err(|error| io::Error::other(format!("no certificate can be made: {error}")))
    }

    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let certificate = shell::Certificate::self_signed(&[NAME])?;
        Ok(Self {
            trust: Tls::trusting(certificate.as_pem())?,
            tls: shell::Tls::new(certificate)?,
        })
    }
}
