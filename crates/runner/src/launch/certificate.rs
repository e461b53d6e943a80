//! The certificate that a launched broker shows over TLS, made for this instance alone.

use std::io;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};

use super::values::{CERTIFICATE, KEY};
use crate::link::Tls;

/// The names that the broker may be called by.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// Writes a certificate and its key into the instance's folder, and returns the side of clients that trust it.
pub(crate) fn make(folder: &Path) -> io::Result<Tls> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let params = CertificateParams::new(NAMES.map(str::to_owned)).map_err(io::Error::other)?;
    let certificate = params.self_signed(&key).map_err(io::Error::other)?.pem();
    std::fs::write(folder.join(CERTIFICATE), &certificate)?;
    std::fs::write(folder.join(KEY), key.serialize_pem())?;
    Tls::trusting(&certificate).map_err(io::Error::other)
}
