//! [`Destination`]: a file that a report is written to, tried before the run and written at once after it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that a report goes to.
#[derive(Debug, Clone)]
pub struct Destination {
    path: PathBuf,
}

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report `{}`: {problem}", path.display())]
pub struct Unwritable {
    /// The path as it was given.
    pub path: PathBuf,
    /// What stands against it.
    pub problem: String,
}

impl Destination {
    /// A destination that can be written to as things stand: its folder exists and takes a new file, and what is
    /// there already may be replaced. Nothing is left behind and nothing is changed by trying.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] with what stands against it.
    pub fn try_out(path: &Path) -> Result<Self, Unwritable> {
        // A link is followed, so that the report goes where it points and the link stays.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let destination = Self { path: real };
        match destination.attempt() {
            Ok(()) => Ok(destination),
            Err(problem) => Err(Unwritable {
                path: path.to_path_buf(),
                problem,
            }),
        }
    }

    /// Whether both lead to the same file, so that the one report would overwrite the other. Several may go to a pipe, a
    /// terminal or `/dev/null`.
    pub fn is_same_file(&self, other: &Self) -> bool {
        !self.is_special() && self.place() == other.place()
    }

    /// The path from the root of the file system, also where no file stands there yet.
    fn place(&self) -> Option<PathBuf> {
        let folder = fs::canonicalize(self.folder()).ok()?;
        Some(folder.join(self.path.file_name()?))
    }

    fn attempt(&self) -> Result<(), String> {
        match fs::metadata(&self.path) {
            Ok(meta) if meta.is_dir() => return Err("it is a folder; name a file in it".into()),
            Ok(_) => {
                OpenOptions::new()
                    .append(true)
                    .open(&self.path)
                    .map_err(|error| error.to_string())?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.to_string()),
        }
        if self.is_special() {
            return Ok(());
        }
        let folder = self.folder();
        if !folder.exists() {
            return Err(format!(
                "there is no folder `{}`; make it first",
                folder.display()
            ));
        }
        temporary(folder)
            .map(drop)
            .map_err(|error| format!("no file can be made in `{}`: {error}", folder.display()))
    }

    /// Writes the whole report: either all of it stands at the path afterwards, or what stood there before.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when the path has stopped being writable, or the disk is full.
    pub fn write(
        &self,
        contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Unwritable> {
        self.replace(contents).map_err(|error| Unwritable {
            path: self.path.clone(),
            problem: error.to_string(),
        })
    }

    fn replace(&self, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.is_special() {
            return fill(OpenOptions::new().append(true).open(&self.path)?, contents).map(drop);
        }
        let (file, path) = temporary(self.folder())?.into_parts();
        if let Ok(meta) = fs::metadata(&self.path) {
            file.set_permissions(meta.permissions())?;
        }
        fill(file, contents)?.sync_all()?;
        path.persist(&self.path).map_err(|error| error.error)
    }

    /// A pipe, a terminal or `/dev/null`, which cannot be replaced by another file.
    fn is_special(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|meta| !meta.is_file())
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }
}

fn fill(file: File, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<File> {
    let mut writer = BufWriter::new(file);
    contents(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mqtt-assay-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask takes from it what the user wants taken: a report is for others to read.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_leaves_nothing_and_writing_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        let destination = Destination::try_out(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        destination.write(|out| out.write_all(b"first")).unwrap();
        destination.write(|out| out.write_all(b"next")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "next");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_report_that_fails_half_way_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        fs::write(&path, "old").unwrap();
        let destination = Destination::try_out(&path).unwrap();
        let failed = destination.write(|out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(
            failed
                .unwrap_err()
                .to_string()
                .ends_with("the disk is full")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let problem = |path: &Path| Destination::try_out(path).unwrap_err().problem;
        assert_eq!(problem(folder.path()), "it is a folder; name a file in it");
        let missing = folder.path().join("missing");
        assert_eq!(
            problem(&missing.join("report.xml")),
            format!("there is no folder `{}`; make it first", missing.display())
        );
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Destination::try_out(&file.join("report.xml")).is_err());
    }

    #[test]
    fn two_ways_to_one_file_are_seen_through() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let at = |path: &str| Destination::try_out(&folder.path().join(path)).unwrap();
        assert!(at("report").is_same_file(&at("report")));
        assert!(at("report").is_same_file(&at("in/../report")));
        assert!(!at("report").is_same_file(&at("in/report")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        Destination::try_out(&link)
            .unwrap()
            .write(|out| out.write_all(b"new"))
            .unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");

        let null = Path::new("/dev/null");
        Destination::try_out(null)
            .unwrap()
            .write(|out| out.write_all(b"x"))
            .unwrap();
        assert!(!null.metadata().unwrap().is_file());
    }
}
