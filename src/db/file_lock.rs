//! Who uses a SQLite file: every Tributary that has it open shares a lock on a small file beside it, and whoever
//! exchanges the database as a whole holds that lock alone. The system gives it back when a process ends, however.
//!
//! SQLite's own locks would not do: they belong to the file that is exchanged, and whoever waited for them would go
//! on with the old one.
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// How a database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// With others.
    Shared,
    /// By nobody else.
    Alone,
}

/// Takes the lock of the database at `path`; `None` when somebody else's use forbids it.
///
/// # Errors
/// When the lock's file cannot be made.
pub fn take(path: &Path, wanted: Use) -> io::Result<Option<File>> {
    let name = beside(path);
    // one that another user has made can be locked too, if not written
    let file = match File::open(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().create(true).truncate(false).write(true).open(&name)?
        }
        opened => opened?,
    };
    let taken = match wanted {
        Use::Shared => file.try_lock_shared(),
        Use::Alone => file.try_lock(),
    };
    match taken {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The name of the lock's file.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_share_and_one_is_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let (one, two) = (take(&path, Use::Shared).unwrap(), take(&path, Use::Shared).unwrap());
        assert!(one.is_some() && two.is_some());
        assert!(take(&path, Use::Alone).unwrap().is_none());
        drop(one);
        assert!(take(&path, Use::Alone).unwrap().is_none());
        drop(two);
        let alone = take(&path, Use::Alone).unwrap();
        assert!(alone.is_some() && take(&path, Use::Shared).unwrap().is_none());
    }
}
