//! The profile that `mqtt-assay probe --write` writes: what was found, and comments on what cannot be found.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use runner::link::TlsFiles;
use runner::probe::Found;
use runner::target::Address;

use crate::target::Aim;

/// The environment variable that the password is read from.
pub(crate) const PASSWORD: &str = "ASSAY_PASSWORD";

/// Nobody can guess these: the comments say what they are for.
const UNKNOWN: &str = "
# What nobody can find out from outside. Each line makes more cases play.
#
# Who the client is, where the broker wants to know. A secret stands in an environment variable and in no report.
# credentials: { user: assay, password: '${ASSAY_PASSWORD}' }
#
# Whom mqtts:// and wss:// are to trust, where that is not what the system trusts, and who the client is there.
# tls: { ca: ca.pem, certificate: client.pem, key: client-key.pem, server_name: broker.example.org }
#
# A topic that this client may neither publish nor subscribe to, and a client id that the broker refuses.
# refused_topic: forbidden/to/everybody
# refused_client_id: refused
#
# How enhanced authentication goes: the method, what CONNECT carries, and what answers the server (<echo>: the same).
# authentication: { method: ECHO, first: hello, answer: <echo> }
#
# Features that the broker says it has and that are not to be played, with the reason.
# lacks: { shared: switched off in this build }
#
# The deviations that are known (`mqtt-assay run --write-baseline FILE` begins such a file).
# baseline: baseline.yaml
#
# The same broker set up differently, at other addresses: what a case requires decides where it is played.
# configurations:
#   password:
#     addresses: [mqtt://localhost:1884]
#     credentials: { user: assay, password: '${ASSAY_PASSWORD}' }
#     features: [auth]
";

/// The text of a profile of what was found.
///
/// Files are named in it as they are seen from the folder of `file`, where it will stand.
pub(crate) fn of(aim: &Aim, found: &[Found], file: &Path) -> String {
    let mut text = String::new();
    let named = aim.words().join(" ");
    let _ = writeln!(text, "# What `mqtt-assay probe {named}` found.");
    let mut configurations = found.iter();
    if let Some(plain) = configurations.next() {
        describe(&mut text, plain, aim, "", file);
    }
    let mut others = configurations.peekable();
    if others.peek().is_some() {
        text.push_str("\nconfigurations:\n");
    }
    for other in others {
        let _ = writeln!(text, "  {}:", other.configuration);
        describe(&mut text, other, aim, "    ", file);
    }
    text.push_str(UNKNOWN);
    text
}

fn describe(text: &mut String, found: &Found, aim: &Aim, indent: &str, file: &Path) {
    if aim.launch.is_some() {
        let _ = writeln!(
            text,
            "{indent}# The launched broker is gone: write the addresses of yours."
        );
    }
    let addresses: Vec<String> = found.endpoints.all().map(quoted).collect();
    let _ = writeln!(text, "{indent}addresses: [{}]", addresses.join(", "));
    if let Some(tls) = found.endpoints.tls().filter(|_| aim.launch.is_none()) {
        let _ = writeln!(text, "{indent}tls: {{ {} }}", tls_of(tls.files(), file));
    }
    if let Some(credentials) = &found.credentials {
        let user = credentials.user.replace('\'', "''");
        let password = credentials
            .password
            .as_ref()
            .map(|_| format!(", password: '${{{PASSWORD}}}'"));
        let _ = writeln!(
            text,
            "{indent}credentials: {{ user: '{user}'{} }}",
            password.unwrap_or_default()
        );
    }
    let spoken = found.versions.iter().filter(|(_, spoken)| spoken.is_ok());
    let spoken: Vec<&str> = spoken.map(|(version, _)| version.name()).collect();
    let _ = writeln!(text, "{indent}versions: [{}]", spoken.join(", "));
    let has = found.features.iter().filter(|(_, has)| has.is_ok());
    let has: Vec<&str> = has.map(|(feature, _)| *feature).collect();
    let _ = writeln!(text, "{indent}features: [{}]", has.join(", "));
    for (feature, why) in &found.features {
        if let Err(why) = why {
            let _ = writeln!(text, "{indent}# without `{feature}`: {}", one_line(why));
        }
    }
    for contradiction in &found.contradictions {
        let _ = writeln!(text, "{indent}# {}", one_line(contradiction));
    }
    if !found.limits.is_empty() {
        let limits = found.limits.iter();
        let limits: Vec<String> = limits
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let _ = writeln!(text, "{indent}limits: {{ {} }}", limits.join(", "));
    }
}

fn tls_of(files: &TlsFiles, file: &Path) -> String {
    let beside = file.parent().is_none_or(|folder| folder == Path::new(""));
    let named = |file: &PathBuf| {
        let absolute = std::path::absolute(file).ok().filter(|_| !beside);
        absolute.as_ref().unwrap_or(file).display().to_string()
    };
    let mut keys = Vec::new();
    for (key, text) in [
        ("ca", files.ca.as_ref().map(named)),
        ("certificate", files.certificate.as_ref().map(named)),
        ("key", files.key.as_ref().map(named)),
        ("server_name", files.server_name.clone()),
    ] {
        keys.extend(text.map(|text| format!("{key}: '{}'", text.replace('\'', "''"))));
    }
    if files.unverified {
        keys.push("unverified: true".to_owned());
    }
    keys.join(", ")
}

/// Quoted, since an address may hold what YAML reads otherwise.
fn quoted(address: &Address) -> String {
    format!("'{}'", address.to_string().replace('\'', "''"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
