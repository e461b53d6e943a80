//! The file of a store, made smaller where most of it is free.
//!
//! Pages that are free are written again, so the file is never much larger than what it once held at the most. It does
//! not shrink by itself: that is done when it is opened, before anybody waits.

use std::fs;
use std::path::Path;

use redb::Database;

/// From which size on it is worth the time, in bytes.
const WORTHWHILE: u64 = 16 << 20;

/// How many times larger than what it holds the file may be.
const SPARE: u64 = 4;

/// Makes the file smaller, if that is worth the time.
pub(super) fn compact(database: &mut Database, path: &Path) -> Result<(), redb::Error> {
    let size = fs::metadata(path)?.len();
    if size < WORTHWHILE {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    let stored = transaction.stats()?.stored_bytes();
    transaction.abort()?;
    if stored.saturating_mul(SPARE) <= size {
        database.compact()?;
        let smaller = fs::metadata(path)?.len();
        tracing::info!("the store has shrunk from {size} to {smaller} bytes");
    }
    Ok(())
}
