//! `--tls-…`: whom encrypted links trust, and who the clients are.

use std::path::PathBuf;

use clap::Args;
use runner::link::{Tls, TlsFiles};
use runner::target::Endpoints;

use crate::failure::Failure;

/// Whom encrypted links trust, and who the clients are.
#[derive(Debug, Clone, Default, Args)]
#[expect(
    clippy::struct_field_names,
    reason = "they are the names of the options"
)]
pub(crate) struct Trust {
    /// The certificates in PEM that the broker's must be signed by; those that the system trusts where none is given.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_ca: Option<PathBuf>,

    /// The client's own certificate in PEM, for a broker that wants to see one.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    tls_cert: Option<PathBuf>,

    /// The private key of the client's certificate in PEM; in the certificate's file where none is given.
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "TLS")]
    tls_key: Option<PathBuf>,

    /// The name that the broker's certificate must have; the host of its address where none is given.
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    tls_name: Option<String>,

    /// Believe whoever answers, whatever the certificate.
    #[arg(long, conflicts_with_all = ["tls_ca", "tls_name"], help_heading = "TLS")]
    tls_unverified: bool,
}

impl Trust {
    /// The same addresses, whose encrypted links are made like this.
    ///
    /// # Errors
    ///
    /// Files of which TLS can make nothing.
    pub(crate) fn of(&self, endpoints: Endpoints) -> Result<Endpoints, Failure> {
        if !endpoints.are_encrypted() {
            return Ok(endpoints);
        }
        let tls = Tls::load(&self.files())
            .map_err(|error| Failure::of(&error).note("nothing was played"))?;
        Ok(endpoints.with_tls(tls))
    }

    /// Refuses options that say nothing where no address is given beside them.
    ///
    /// # Errors
    ///
    /// One of them is given.
    pub(crate) fn must_be_absent(&self) -> Result<(), Failure> {
        match self.words().first().and_then(|words| words.split(' ').next()) {
            None => Ok(()),
            Some(option) => Err(Failure::new(format!(
                "`{option}` goes with `--target`, and there is none"
            ))
            .note("nothing was played")
            .help("a profile and mqtt-assay.yaml name such files under `tls: { ca, certificate, key, server_name }`")),
        }
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            ca: self.tls_ca.clone(),
            certificate: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            server_name: self.tls_name.clone(),
            unverified: self.tls_unverified,
        }
    }

    /// The words of a command line that say the same.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let files = [
            ("--tls-ca", &self.tls_ca),
            ("--tls-cert", &self.tls_cert),
            ("--tls-key", &self.tls_key),
        ];
        for (option, file) in files {
            words.extend(
                file.iter()
                    .map(|file| format!("{option} {}", file.display())),
            );
        }
        words.extend(
            self.tls_name
                .iter()
                .map(|name| format!("--tls-name {name}")),
        );
        if self.tls_unverified {
            words.push("--tls-unverified".to_owned());
        }
        words
    }
}
