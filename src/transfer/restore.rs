//! Putting a backup in the place of a database. What was there is kept (SQLite) or deleted in the same transaction
//! (PostgreSQL).
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{
    Moved, Told,
    backup::inspect,
    copy::{Choices, Place, target_lock, to_server},
    file::{self, Partial},
    side::Side,
};
use crate::{clock::Clock, db::Standing, error::Error};

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Table by table.
    pub tables: Vec<Moved>,
    /// Where the database that was there before is kept.
    pub kept: Option<PathBuf>,
}

/// Restores the backup `from` as the database at `address`.
///
/// # Errors
/// When the backup is broken or of a newer version, the database is in use, or it holds something (unless `force`). The
/// database is as it was then.
pub async fn restore(
    from: &Path,
    address: &str,
    force: bool,
    clock: &Clock,
    told: Told<'_>,
) -> anyhow::Result<Restored> {
    if !from.is_file() {
        return Err(Error::Refused(format!("there is no backup at {}", from.display())).into());
    }
    if file::has_log(from) {
        let text = format!("{} is a database in use, not a backup: make one with tributary backup", from.display());
        return Err(Error::Refused(text).into());
    }
    match Place::of(address)? {
        Place::File(path) => to_file(from, &path, force, clock).await,
        Place::Server(address) => {
            inspect(from).await?;
            let mut source = Side::resting(from).await?;
            source.must_be_current("the backup").await?;
            source.begin_snapshot().await?;
            let choices = Choices { wipe_target: force, ..Choices::default() };
            let copied = to_server(&mut source, address, choices, told).await?;
            Ok(Restored { tables: copied.tables, kept: None })
        }
    }
}

async fn to_file(from: &Path, path: &Path, force: bool, clock: &Clock) -> anyhow::Result<Restored> {
    std::fs::create_dir_all(file::folder(path)).context("cannot make the folder of the database")?;
    let _alone = target_lock(path)?;
    if path.exists() && !force {
        return Err(file::exists(path).into());
    }
    let partial = Partial::of_database(path)?;
    let (original, copy) = (from.to_owned(), partial.path.clone());
    // into the file that exists already, so that its mode stays
    let copying = move || -> std::io::Result<u64> {
        let mut copy = std::fs::OpenOptions::new().write(true).open(copy)?;
        std::io::copy(&mut std::fs::File::open(original)?, &mut copy)
    };
    tokio::task::spawn_blocking(copying).await?.context("the backup cannot be copied")?;
    // the copy, and not the original: what is verified is what is put in place
    let contents = inspect(&partial.path).await?;
    if let Standing::Newer(last) = contents.standing {
        let text =
            format!("the backup was written by a newer version of Tributary (migration {last}): use that version");
        return Err(Error::Refused(text).into());
    }
    let kept = file::exchange(partial, clock).await?;
    Ok(Restored { tables: contents.tables, kept })
}
