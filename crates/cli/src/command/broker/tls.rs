//! What TLS is served with: files, or a certificate that is made for this run.

use std::fs;
use std::path::{Path, PathBuf};

use broker::shell::{Certificate, Tls, TlsError};
use serde::Deserialize;

use super::listen::Place;
use crate::failure::Failure;

/// The files of TLS.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Files {
    /// The server's certificate, with those that vouch for it behind it.
    pub(super) certificate: Option<PathBuf>,
    /// Its private key.
    pub(super) key: Option<PathBuf>,
    /// Authorities; clients must have a certificate that one of them vouches for.
    pub(super) client_authorities: Option<PathBuf>,
    /// Where to write a certificate that is made at the start, in place of the two above.
    pub(super) self_signed: Option<PathBuf>,
}

/// TLS, ready to be served.
pub(super) struct Served {
    pub(super) tls: Tls,
    /// The certificate, if it was made for this run.
    pub(super) own: Option<Own>,
}

/// A certificate that was made for this run.
pub(super) struct Own {
    pub(super) fingerprint: String,
    pem: String,
    file: PathBuf,
}

impl Served {
    /// Writes a certificate that was made for this run, for clients to trust it by.
    pub(super) fn write_own(&self) -> Result<(), Failure> {
        let Some(Own { pem, file, .. }) = &self.own else {
            return Ok(());
        };
        fs::write(file, pem).map_err(|error| {
            let file = file.display();
            Failure::new(format!("cannot write the certificate to {file}: {error}"))
        })
    }
}

impl Files {
    /// TLS for these places; none where they need none.
    pub(super) fn certificate(&self, places: &[Place]) -> Result<Option<Served>, Failure> {
        let Some(secure) = places.iter().find(|place| place.scheme.is_secure()) else {
            let named = [
                &self.certificate,
                &self.key,
                &self.client_authorities,
                &self.self_signed,
            ];
            return match named.into_iter().flatten().next() {
                Some(file) => Err(Failure::new(format!(
                    "{} is for TLS, and the broker would listen nowhere with TLS",
                    file.display()
                ))
                .help("listen with TLS too, as `--listen mqtts://127.0.0.1:8883` does")),
                None => Ok(None),
            };
        };
        let (certificate, own) = match (&self.certificate, &self.key, &self.self_signed) {
            (Some(certificate), Some(key), None) => (from_files(certificate, key)?, None),
            (None, None, Some(file)) => {
                let certificate = self_signed(places)?;
                let own = Own {
                    fingerprint: certificate.fingerprint(),
                    pem: certificate.as_pem().to_owned(),
                    file: file.clone(),
                };
                (certificate, Some(own))
            }
            (_, _, Some(_)) => {
                return Err(Failure::new(
                    "a certificate cannot be given and be made for this run as well",
                )
                .help("name the files of one, or where to write the other"));
            }
            (Some(_), None, None) => {
                return Err(
                    Failure::new("the private key of the certificate is missing")
                        .help("name its file with `--tls-key FILE`, or as `key` under `tls`"),
                );
            }
            (None, Some(_), None) => {
                return Err(
                    Failure::new("the certificate of the private key is missing").help(
                        "name its file with `--tls-cert FILE`, or as `certificate` under `tls`",
                    ),
                );
            }
            (None, None, None) => {
                let text = format!("there is no certificate for {}", secure.written);
                return Err(Failure::new(text).help(
                    "name one with `--tls-cert FILE --tls-key FILE`, or let one be made for this run with \
                     `--tls-self-signed FILE`",
                ));
            }
        };
        let tls = match &self.client_authorities {
            None => Tls::new(certificate).map_err(|error| self.of_certificate(&error))?,
            Some(file) => {
                let authorities = read(file)?;
                Tls::for_clients_of(certificate, &authorities).map_err(|error| match error {
                    TlsError::KeyMismatch | TlsError::Unusable(_) => self.of_certificate(&error),
                    _ => about(file, &error),
                })?
            }
        };
        Ok(Some(Served { tls, own }))
    }

    /// What is wrong with certificate and key together.
    fn of_certificate(&self, error: &TlsError) -> Failure {
        about(
            self.certificate
                .as_deref()
                .unwrap_or(Path::new("the certificate")),
            error,
        )
    }
}

fn from_files(certificate: &Path, key: &Path) -> Result<Certificate, Failure> {
    Certificate::from_pem(&read(certificate)?, &read(key)?).map_err(|error| match error {
        TlsError::NoKey | TlsError::EncryptedKey | TlsError::Key(_) => about(key, &error),
        _ => about(certificate, &error),
    })
}

/// A certificate for the hosts that are listened on.
fn self_signed(places: &[Place]) -> Result<Certificate, Failure> {
    let secure = places.iter().filter(|place| place.scheme.is_secure());
    let mut hosts: Vec<&str> = secure.filter_map(Place::host).collect();
    hosts.push("localhost");
    hosts.sort_unstable();
    hosts.dedup();
    Certificate::self_signed(&hosts).map_err(|error| Failure::of(&error))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))
}

fn about(file: &Path, error: &TlsError) -> Failure {
    Failure::about(&file.display().to_string(), error)
}
