//! What the names in a recipe's templates stand for in one instance.

use std::path::Path;

use crate::link::Transport;
use crate::recipe::Values;
use crate::target::Credentials;

/// The files of TLS, and a Unix socket, in the instance's folder.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
pub(crate) const KEY: &str = "key.pem";
pub(crate) const SOCKET: &str = "mqtt.sock";

/// The port that a transport listens on, in one instance; 0 for a Unix socket.
pub(crate) type Ports = Vec<(Transport, u16)>;

/// The names that every instance of a configuration has, with what they stand for.
pub(crate) fn values(
    itself: &Path,
    program: &Path,
    folder: &Path,
    ports: &Ports,
    credentials: Option<&Credentials>,
) -> Values {
    let mut values = Values::default();
    let here = std::env::current_dir().unwrap_or_default();
    for (name, path) in [
        ("itself", itself),
        ("program", program),
        ("folder", folder),
        ("here", here.as_path()),
    ] {
        values.set(name, path.to_string_lossy());
    }
    for (transport, port) in ports {
        match transport {
            Transport::Unix => values.set("unix.path", folder.join(SOCKET).to_string_lossy()),
            _ => values.set(&format!("{transport}.port"), port.to_string()),
        }
        if transport.is_encrypted() {
            values.set("certificate", folder.join(CERTIFICATE).to_string_lossy());
            values.set("key", folder.join(KEY).to_string_lossy());
        }
    }
    if let Some(credentials) = credentials {
        values.set("user", credentials.user.clone());
        values.set("password", credentials.password.clone().unwrap_or_default());
    }
    values
}

/// The same names, standing for anything: to see whether templates use others.
pub(crate) fn stand_ins(transports: &[Transport], credentials: Option<&Credentials>) -> Values {
    let ports = transports.iter().map(|transport| (*transport, 0)).collect();
    let nowhere = Path::new("");
    values(nowhere, nowhere, nowhere, &ports, credentials)
}
