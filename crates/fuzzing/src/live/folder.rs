//! [`Folder`]: where findings are written, each into a folder of its own.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `finding.txt` | what is wrong, with the clause, and the exchange, packet by packet and field by field |
//! | `scenario.yaml` | the smallest exchange that shows it, for `mqtt-assay run` |
//! | `replay.txt` | the same as a recording, for `mqtt-assay fuzz --replay` |
//! | `original.txt` | the script that showed it first, as a recording |
//! | `before.txt` | where no script shows it by itself: what was performed before, as a recording |
//! | `client-a.bin` | what client `a` has sent over all its links, byte for byte |
//! | `target.log` | the end of the target's log, when the fuzzer launched it |
//!
//! What broke a rule and did not show again is in `unconfirmed`: the script as it was performed, and what was seen then.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::event::{Discovery, Proof};
use super::source::Played;
use super::text;
use super::{record, text::client_name};
use crate::observe::What;
use crate::script::CLIENTS;

/// How many folders may have a name with the same beginning.
const NAMESAKES: usize = 10_000;
/// Where in it what did not show again is.
const UNCONFIRMED: &str = "unconfirmed";

/// Where findings are written. It is made when there is one.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Findings are written there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where that is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tries whether findings can be written there, and leaves nothing behind.
    ///
    /// # Errors
    /// They cannot.
    pub fn try_out(&self) -> io::Result<()> {
        let mut place = self.path.as_path();
        while let Err(error) = fs::metadata(place) {
            match (error.kind(), place.parent()) {
                // What is missing is made when there is a finding.
                (io::ErrorKind::NotFound, Some(above)) if above.as_os_str().is_empty() => {
                    place = Path::new(".");
                }
                (io::ErrorKind::NotFound, Some(above)) => place = above,
                _ => return Err(error),
            }
        }
        let attempt = place.join(format!(".{}-{}", UNCONFIRMED, std::process::id()));
        fs::create_dir(&attempt)?;
        fs::remove_dir(attempt)
    }

    /// Where what did not show again is written.
    pub fn unconfirmed(&self) -> PathBuf {
        self.path.join(UNCONFIRMED)
    }

    /// Writes a finding; the folder that it has now.
    pub fn write(&self, discovery: &Discovery) -> io::Result<PathBuf> {
        let path = match discovery.proof {
            Proof::Fleeting { .. } => self.unconfirmed(),
            Proof::Confirmed { .. } | Proof::Seen => self.path.clone(),
        };
        fs::create_dir_all(&path)?;
        let folder = make(&path, &slug(&discovery.class))?;
        fs::write(folder.join("finding.txt"), text::finding(discovery))?;
        if let Some(scenario) = &discovery.scenario {
            fs::write(folder.join("scenario.yaml"), scenario)?;
        }
        if let Some(script) = &discovery.script {
            recording(&folder.join("replay.txt"), std::slice::from_ref(script))?;
        }
        if let Some(original) = &discovery.original {
            recording(&folder.join("original.txt"), std::slice::from_ref(original))?;
        }
        if !discovery.before.is_empty() {
            recording(&folder.join("before.txt"), &discovery.before)?;
        }
        for client in 0..CLIENTS {
            let sent = sent(discovery, client);
            if !sent.is_empty() {
                let name = format!("client-{}.bin", client_name(client));
                fs::write(folder.join(name), sent)?;
            }
        }
        if let Some(log) = &discovery.log_tail {
            fs::write(folder.join("target.log"), log)?;
        }
        Ok(folder)
    }
}

/// A new folder; what an earlier campaign has found stays.
fn make(path: &Path, name: &str) -> io::Result<PathBuf> {
    for number in 1..NAMESAKES {
        let folder = match number {
            1 => path.join(name),
            _ => path.join(format!("{name}-{number}")),
        };
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn recording(path: &Path, scripts: &[Played]) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    record::begin(&mut out)?;
    for script in scripts {
        record::write(script, &mut out)?;
    }
    out.flush()
}

fn sent(discovery: &Discovery, client: usize) -> Vec<u8> {
    let entries = discovery.transcript.entries.iter();
    let of_client = entries.filter(|entry| entry.client == client);
    let sent = of_client.filter_map(|entry| match &entry.what {
        What::Sent(bytes) => Some(bytes.as_slice()),
        _ => None,
    });
    sent.collect::<Vec<_>>().concat()
}

/// A class as the name of a folder: letters, digits, dots and hyphens.
fn slug(class: &str) -> String {
    let words = class.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(100);
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_tried_out_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| Folder::new(folder.path().join(path)).try_out();
        assert!(at("").is_ok());
        assert!(at("not/there/yet").is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(at("file").is_err());
        assert!(at("file/below").is_err());
    }

    #[test]
    fn a_class_makes_a_name_that_every_file_system_takes() {
        assert_eq!(
            slug("target-died after PUBLISH with QoS 1 that breaks v5.0/MQTT-3.3.1-4"),
            "target-died-after-PUBLISH-with-QoS-1-that-breaks-v5.0-MQTT-3.3.1-4"
        );
        assert_eq!(slug("../x"), "..-x");
    }
}
