//! Sessions, their Wills and the retained messages on disk, for a broker that goes on where it was (section 4.1).
//!
//! The store is one file of typed tables in a directory of its own. What the core persists in one go is committed in
//! one transaction, before anything that acknowledges it happens: so it is there whole or not at all, whenever the
//! process is killed. A commit also waits until the disk has it, so the same holds when the power fails, as far as
//! the file system and the disk keep what they have promised to have written.
//!
//! Nothing else shares the file: it is locked as long as a broker has it open. All of it is checked when it is opened,
//! and it is made smaller then if most of it is free.

mod compact;
#[cfg(test)]
pub(crate) mod failing;
mod ledger;
mod load;
mod tables;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use redb::{Builder, Database, DatabaseError, ReadableDatabase, StorageError};

use crate::core::Persist;
use ledger::{Ledger, Writer};
use tables::{META, Tables};

/// The name of the store's file in its directory.
const FILE: &str = "mqtt-assay.redb";

/// How the name of a file begins that becomes a store.
const BEGUN: &str = "mqtt-assay.begun.";

/// The version of the tables. It rises with every change that an older broker could not read.
const FORMAT: u64 = 1;

/// An open store, and what it held when it was opened.
#[derive(Debug)]
pub struct Store {
    database: Database,
    path: PathBuf,
    ledger: Ledger,
    restored: Vec<Persist>,
    age: Duration,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path is not that of a directory that can be read, and none can be made there.
    #[error("cannot use the directory {path}: {source}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The directory holds other files, and no store.
    #[error("{0} holds other files, but no store of this broker")]
    Foreign(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another broker has the store open.
    #[error("{0} is in use by another broker")]
    InUse(PathBuf),
    /// The file is not a store of this broker.
    #[error("{0} is no store of this broker")]
    NotAStore(PathBuf),
    /// A later version has written the store.
    #[error("{path} has format {found}, and this broker knows none later than {FORMAT}")]
    Later {
        /// The file.
        path: PathBuf,
        /// The format that it has.
        found: u64,
    },
    /// The store is not as it was written.
    #[error("{path} is damaged: {detail}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// Why a store cannot go on: what was to be acknowledged could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct CommitError {
    path: PathBuf,
    source: io::Error,
}

impl CommitError {
    /// Which kind of error the system has told.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl Store {
    /// Opens the store in a directory; makes both where there are none. Reads and checks all of it.
    ///
    /// # Errors
    ///
    /// When the directory is not the store's, the store is in use, damaged or of a later version, or the system does
    /// not let it be used. Then nothing has changed.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(directory).map_err(|source| OpenError::Directory {
            path: directory.into(),
            source,
        })?;
        let path = directory.join(FILE);
        if is_new(directory, &path)? {
            found(directory, &path).map_err(|error| OpenError::File {
                path: path.clone(),
                source: as_told_by_the_system(error),
            })?;
        }
        let database = builder()
            .open(&path)
            .map_err(|error| refused(&path, error))?;
        Self::held_in(database, path)
    }

    /// Reads and checks what a database holds.
    fn held_in(mut database: Database, path: PathBuf) -> Result<Self, OpenError> {
        let epoch = epoch(&database, &path)?;
        let now = since_unix_epoch();
        let (restored, ledger) = load::load(&database).map_err(|error| unread(&path, error))?;
        compact::compact(&mut database, &path).map_err(|error| unread(&path, error))?;
        // A clock that was set back must not make anything younger than it was.
        let age = now.saturating_sub(epoch).max(ledger.latest());
        Ok(Self {
            database,
            path,
            ledger,
            restored,
            age,
        })
    }

    /// What the store held when it was opened, and how long ago, then, it was made: the core's time. Taken once.
    pub fn take_restored(&mut self) -> (Vec<Persist>, Duration) {
        (std::mem::take(&mut self.restored), self.age)
    }

    /// Writes changes, in their order; returns when the disk has them all.
    ///
    /// # Errors
    ///
    /// When the system does not write them. After that the store is of no use.
    pub fn commit(&mut self, changes: &[Persist]) -> Result<(), CommitError> {
        self.write(changes).map_err(|error| CommitError {
            path: self.path.clone(),
            source: as_told_by_the_system(error),
        })
    }

    fn write(&mut self, changes: &[Persist]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut writer = Writer {
                tables: Tables::open(&transaction)?,
                ledger: &mut self.ledger,
            };
            for change in changes {
                writer.apply(change)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

/// Whether a store is to be made: there is none, and nothing else is in its directory.
fn is_new(directory: &Path, path: &Path) -> Result<bool, OpenError> {
    let exists = path.try_exists().map_err(|source| OpenError::File {
        path: path.into(),
        source,
    })?;
    if exists {
        return Ok(false);
    }
    let others = fs::read_dir(directory).map_err(|source| OpenError::Directory {
        path: directory.into(),
        source,
    })?;
    // What another broker has begun that did not come to its end is in nobody's way.
    let is_foreign = |entry: io::Result<fs::DirEntry>| {
        entry.map_or(true, |entry| {
            !entry.file_name().to_string_lossy().starts_with(BEGUN)
        })
    };
    if others.into_iter().any(is_foreign) {
        return Err(OpenError::Foreign(directory.into()));
    }
    Ok(true)
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    // The pages of a reference broker's store fit many times over.
    builder.set_cache_size(64 << 20);
    builder.set_check_integrity_on_open(true);
    builder
}

fn as_told_by_the_system(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(source) => source,
        other => io::Error::other(other),
    }
}

/// Why what a database holds cannot be read.
fn unread(path: &Path, error: redb::Error) -> OpenError {
    let path = path.to_path_buf();
    match error {
        redb::Error::Io(source) => OpenError::File { path, source },
        other => OpenError::Damaged {
            path,
            detail: other.to_string(),
        },
    }
}

fn refused(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_path_buf();
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::InUse(path),
        DatabaseError::UpgradeRequired(_) => OpenError::NotAStore(path),
        DatabaseError::Storage(StorageError::Io(source)) => match source.kind() {
            io::ErrorKind::InvalidData => OpenError::NotAStore(path),
            io::ErrorKind::UnexpectedEof => OpenError::Damaged {
                path,
                detail: "it is cut off".to_owned(),
            },
            _ => OpenError::File { path, source },
        },
        DatabaseError::Storage(StorageError::Corrupted(detail)) => {
            OpenError::Damaged { path, detail }
        }
        other => OpenError::Damaged {
            path,
            detail: other.to_string(),
        },
    }
}

/// Makes a new store. It has its name once it is whole, so a broker that is killed leaves no part of one under it; nor
/// does it take the place of one that another broker has made meanwhile.
fn found(directory: &Path, path: &Path) -> Result<(), redb::Error> {
    let begun = directory.join(format!("{BEGUN}{}", std::process::id()));
    // One that an earlier process of this number has left may be anything; where there is none, that is as good.
    let _ = fs::remove_file(&begun);
    let made = Database::create(&begun)
        .map_err(redb::Error::from)
        .and_then(|database| make_tables(&database))
        .and_then(|()| match fs::hard_link(&begun, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
            _ => Ok(()),
        });
    let _ = fs::remove_file(&begun);
    made
}

fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let _ = Tables::open(&transaction)?;
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", FORMAT)?;
        meta.insert("epoch", tables::millis(since_unix_epoch()))?;
    }
    transaction.commit()?;
    Ok(())
}

/// When the store was made, which is where its time begins; refuses what is no store, or a later one.
fn epoch(database: &Database, path: &Path) -> Result<Duration, OpenError> {
    let read = || -> Result<Option<(u64, u64)>, redb::Error> {
        let meta = database.begin_read()?.open_table(META)?;
        let value = |name| meta.get(name).map(|found| found.map(|found| found.value()));
        Ok(value("format")?.zip(value("epoch")?))
    };
    match read() {
        Ok(Some((found, _))) if found > FORMAT => Err(OpenError::Later {
            path: path.into(),
            found,
        }),
        Ok(Some((_, epoch))) => Ok(Duration::from_millis(epoch)),
        Err(error @ redb::Error::Io(_)) => Err(unread(path, error)),
        Ok(None) | Err(_) => Err(OpenError::NotAStore(path.into())),
    }
}

/// In whole milliseconds, as the tables have them.
fn since_unix_epoch() -> Duration {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Duration::from_millis(tables::millis(now))
}
