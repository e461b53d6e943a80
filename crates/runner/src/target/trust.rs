//! [`WrittenTls`]: what a file says of TLS: whom encrypted links trust, and who the clients are.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Spanned;

use super::Endpoints;
use crate::document::{Document, DocumentError};
use crate::link::{Tls, TlsFiles};

/// The key `tls` of a profile, or of a project's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenTls {
    ca: Option<Spanned<String>>,
    certificate: Option<Spanned<String>>,
    key: Option<Spanned<String>>,
    server_name: Option<Spanned<String>>,
    #[serde(default)]
    unverified: bool,
}

impl WrittenTls {
    /// The same addresses, whose encrypted links are made like this. Files are named as seen from `folder`, and
    /// `text_of` tells what a text stands for.
    ///
    /// # Errors
    /// TLS can make nothing of it, or none of the addresses is encrypted.
    pub fn of(
        written: &Spanned<Self>,
        endpoints: Endpoints,
        document: &Document,
        folder: &Path,
        text_of: &mut dyn FnMut(&Spanned<String>) -> Result<String, DocumentError>,
    ) -> Result<Endpoints, DocumentError> {
        let this = &written.value;
        if !endpoints.are_encrypted() {
            return Err(document.wrong(
                written,
                "`tls` says how encrypted links are made, and no address here is mqtts:// or wss://; add one, or take `tls` out",
            ));
        }
        if this.unverified && (this.ca.is_some() || this.server_name.is_some()) {
            return Err(document.wrong(
                written,
                "who is `unverified` is believed whatever the certificate; take `ca` and `server_name` out, or `unverified`",
            ));
        }
        let mut text =
            |text: &Option<Spanned<String>>| text.as_ref().map(&mut *text_of).transpose();
        let file = |name: Option<String>| name.map(|name| folder.join(PathBuf::from(name)));
        let files = TlsFiles {
            ca: file(text(&this.ca)?),
            certificate: file(text(&this.certificate)?),
            key: file(text(&this.key)?),
            server_name: text(&this.server_name)?,
            unverified: this.unverified,
        };
        let tls = Tls::load(&files).map_err(|error| document.wrong(written, error.to_string()))?;
        Ok(endpoints.with_tls(tls))
    }
}
