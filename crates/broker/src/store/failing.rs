//! A disk that fails: from some operation on, as one that is full, broken or taken away.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::{FILE, OpenError, Store, builder, refused};

/// A disk that carries out so many more operations that change it, and none afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    left: Arc<AtomicUsize>,
}

impl Disk {
    pub(crate) fn failing_after(operations: usize) -> Self {
        Self {
            left: Arc::new(AtomicUsize::new(operations)),
        }
    }

    /// It fails from now on.
    pub(crate) fn fails(&self) {
        self.left.store(0, Ordering::SeqCst);
    }

    /// Opens the store that there is in a directory of this disk.
    pub(crate) fn open(&self, directory: &Path) -> Result<Store, OpenError> {
        let path = directory.join(FILE);
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let backend = OnDisk {
            file: Mutex::new(file),
            disk: self.clone(),
        };
        let database = builder().create_with_backend(backend);
        Store::held_in(database.map_err(|error| refused(&path, error))?, path)
    }

    fn change(&self) -> io::Result<()> {
        let took = |left: usize| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, took)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

#[derive(Debug)]
struct OnDisk {
    file: Mutex<File>,
    disk: Disk,
}

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().unwrap().metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap();
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.change()?;
        self.file.lock().unwrap().set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        // Nothing here takes the power away, so what is written may stay in memory.
        self.disk.change()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.change()?;
        let mut file = self.file.lock().unwrap();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(data)
    }
}

mod tests {
    use std::time::Duration;

    use codec::QoS;

    use super::*;
    use crate::core::{Message, Persist};

    /// How many commits are tried.
    const COMMITS: usize = 8;

    fn retained(number: usize) -> Persist {
        let message = Message {
            topic: format!("t/{number}").into_bytes().into(),
            payload: vec![0; 10_000].into(),
            qos: QoS::AT_LEAST_ONCE,
            retain: true,
            properties: Box::default(),
            expiry_interval: None,
            received: Duration::ZERO,
            publisher: None,
        };
        Persist::Retained(Arc::new(message))
    }

    /// How many retained messages the store of a directory holds; they must be the first ones.
    fn held(directory: &Path) -> usize {
        let (mut restored, _) = Store::open(directory).unwrap().take_restored();
        let mut expected: Vec<_> = (0..restored.len()).map(retained).collect();
        let name = |change: &Persist| match change {
            Persist::Retained(message) => message.topic.clone(),
            other => panic!("{other:?}"),
        };
        restored.sort_by_key(name);
        expected.sort_by_key(name);
        assert_eq!(restored, expected);
        restored.len()
    }

    /// Wherever the disk begins to fail, it is told, and the store holds what was committed before.
    #[test]
    fn nothing_is_lost_that_a_disk_has_taken_before_it_failed() {
        let (mut unopened, mut cut_off) = (0, 0);
        for operations in 0.. {
            let directory = tempfile::tempdir().unwrap();
            drop(Store::open(directory.path()).unwrap());
            let committed = match Disk::failing_after(operations).open(directory.path()) {
                Ok(mut store) => (0..COMMITS)
                    .take_while(|&number| store.commit(&[retained(number)]).is_ok())
                    .count(),
                Err(OpenError::File { source, .. }) => {
                    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
                    unopened += 1;
                    0
                }
                Err(other) => panic!("{other}"),
            };
            let held = held(directory.path());
            // What was not told to be written may be there all the same.
            let may_be = committed..=committed + usize::from(committed < COMMITS);
            assert!(may_be.contains(&held), "{held}, and {committed} committed");
            cut_off += usize::from(committed > 0 && committed < COMMITS);
            if committed == COMMITS {
                break;
            }
        }
        assert!(unopened > 0 && cut_off > COMMITS, "{unopened} {cut_off}");
    }
}
