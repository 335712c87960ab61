//! Files that appear as a whole: written under another name, readable by their owner alone, synced, and put in place
//! in one step. What a killed process has left is cleared away by the next.
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::side::Side;
use crate::{clock::Clock, error::Error};

/// What SQLite lays beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A file on its way to be `goal`. Dropped before it is there, it leaves nothing.
pub(super) struct Partial {
    /// Where it is written.
    pub path: PathBuf,
    goal: PathBuf,
    /// Holds a lock that tells a file being written from one that was left.
    file: File,
    in_place: bool,
}

impl Partial {
    /// An empty file beside `goal`, with mode 0600.
    pub fn new(goal: &Path) -> anyhow::Result<Self> {
        let begin = || -> io::Result<Self> {
            let name = goal.file_name().ok_or_else(|| io::Error::other("this names no file"))?;
            let name = name.to_string_lossy();
            let folder = folder(goal);
            sweep(folder, &name)?;
            let path = folder.join(format!(".{name}.partial-{:016x}", rand::random::<u64>()));
            let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
            let partial = Self { path, goal: goal.to_owned(), file, in_place: false };
            partial.file.try_lock()?;
            Ok(partial)
        };
        begin().with_context(|| format!("cannot write {}", goal.display()))
    }

    /// The same, to become a database: of the owner of the one that is there, or else of its folder, so that a server
    /// can write to what root has restored.
    pub fn of_database(goal: &Path) -> anyhow::Result<Self> {
        let partial = Self::new(goal)?;
        let owner = fs::metadata(goal).or_else(|_| fs::metadata(folder(goal)));
        if let (Ok(owner), Ok(own)) = (owner, partial.file.metadata())
            && owner.uid() != own.uid()
        {
            // only root may, and whoever else restores is the owner already
            let _ = std::os::unix::fs::fchown(&partial.file, Some(owner.uid()), Some(owner.gid()));
        }
        Ok(partial)
    }

    /// Syncs it and gives it its name; without `over`, never in the place of another file.
    pub fn put_in_place(mut self, over: bool) -> anyhow::Result<()> {
        self.file.sync_all().with_context(|| format!("cannot sync {}", self.path.display()))?;
        let placed = if over { fs::rename(&self.path, &self.goal) } else { rename_to_new(&self.path, &self.goal) };
        match placed {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(&self.goal).into()),
            other => other.with_context(|| format!("cannot write {}", self.goal.display()))?,
        }
        self.in_place = true;
        sync_folder(&self.goal).with_context(|| format!("cannot sync the folder of {}", self.goal.display()))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.in_place {
            remove(&self.path);
        }
    }
}

/// Said when `--force` is missing.
pub(super) fn exists(path: &Path) -> Error {
    Error::Refused(format!("{} exists already: choose another name, or add --force", path.display()))
}

/// The folder that a path is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // a file system that cannot do both in one step
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            if to.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    for companion in COMPANIONS {
        let _ = fs::remove_file(beside(path, companion));
    }
}

/// Removes what processes that were killed have left of `name`.
fn sweep(folder: &Path, name: &str) -> io::Result<()> {
    let begin = format!(".{name}.partial-");
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let left = path.file_name().is_some_and(|file| {
            let file = file.to_string_lossy();
            file.strip_prefix(&begin).is_some_and(|rest| rest.len() == 16)
        });
        if left && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            remove(&path);
        }
    }
    Ok(())
}

/// Whether SQLite's log beside a file holds anything, so that the file alone is not the whole database.
pub(super) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Puts a complete database in the place of another, which is kept under a name with the time in it; returns that
/// name. The caller holds the lock of the database alone.
pub(super) async fn exchange(partial: Partial, clock: &Clock) -> anyhow::Result<Option<PathBuf>> {
    let goal = partial.goal.clone();
    if !goal.exists() {
        // a log without its database would be taken for that of the new one
        COMPANIONS.iter().for_each(|companion| drop(fs::remove_file(beside(&goal, companion))));
        partial.put_in_place(false)?;
        return Ok(None);
    }
    let settled = settle(&goal).await?;
    let kept = beside(&goal, &format!(".replaced-{}", clock.now().format("%Y%m%dT%H%M%S%.6fZ")));
    let context = || format!("cannot keep the old database as {}", kept.display());
    fs::hard_link(&goal, &kept).with_context(context)?;
    if !settled {
        // it could not be opened: its log, if any, stays with it
        for companion in COMPANIONS {
            match fs::rename(beside(&goal, companion), beside(&kept, companion)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(context),
                _ => {}
            }
        }
    }
    partial.put_in_place(true)?;
    Ok(Some(kept))
}

/// Moves the log of a database into it and takes it out of the mode that needs one, so that it is one file; false
/// when it is too broken for that.
async fn settle(path: &Path) -> anyhow::Result<bool> {
    let settling = async {
        let mut side = Side::sqlite(path).await?;
        side.run("PRAGMA busy_timeout = 250; PRAGMA journal_mode = DELETE".into()).await?;
        side.close().await?;
        anyhow::Ok(())
    };
    let done = settling.await;
    if let Err(error) = &done
        && let Some(sqlx::Error::Database(database)) = error.downcast_ref()
        // BUSY and LOCKED: not one of ours, since they hold the lock, but some other program
        && database.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xFF, 5 | 6))
    {
        let text = format!("another program has {} open: close it first", path.display());
        return Err(Error::Refused(text).into());
    }
    Ok(done.is_ok() && !has_log(path))
}
