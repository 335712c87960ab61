//! Backups: one SQLite file, whichever database it is of, so that one is restored into the other as well.
//!
//! SQLite is copied by `VACUUM INTO`: it reads in one snapshot, so writers are not held up, and it ends, however busy
//! the database is (the page-wise backup API begins anew when another process writes). PostgreSQL is read in one
//! snapshot too.
use std::path::Path;

use anyhow::{Context, bail};

use super::{
    Moved, Told,
    copy::{Choices, Place, into_new_file},
    file::{Partial, exists},
    side::Side,
};
use crate::{
    db::{
        OpenError, Standing,
        file_lock::{self, Use},
        standing,
    },
    error::Error,
};

/// What a backup file holds.
#[derive(Debug)]
pub struct Contents {
    /// The last migration of its tables.
    pub standing: Standing,
    /// Table by table.
    pub tables: Vec<Moved>,
    /// Its size.
    pub bytes: u64,
}

/// Writes a backup of the database at `address` to `to`, which appears when it is complete and verified.
///
/// # Errors
/// When the database cannot be read, the file cannot be written or exists (unless `force`), or the verification fails.
pub async fn backup(address: &str, to: &Path, force: bool, told: Told<'_>) -> anyhow::Result<Contents> {
    if to.exists() && !force {
        return Err(exists(to).into());
    }
    let place = Place::of(address)?;
    if let Place::File(path) = &place
        && same_file(path, to)
    {
        return Err(Error::Refused("this is the database itself".into()).into());
    }
    let partial = Partial::new(to)?;
    match place {
        Place::File(path) => of_file(&path, &partial).await?,
        Place::Server(address) => {
            let mut source = Side::postgres(address).await?;
            source.must_be_current("the database").await?;
            source.begin_snapshot().await?;
            into_new_file(&mut source, &partial, Choices::default(), told).await?;
            source.close().await?;
        }
    }
    let contents = inspect(&partial.path).await?;
    partial.put_in_place(force)?;
    Ok(contents)
}

async fn of_file(path: &Path, partial: &Partial) -> anyhow::Result<()> {
    let mut source = Side::sqlite(path).await?;
    // so that it is not exchanged meanwhile
    let _in_use = match file_lock::take(path, Use::Shared) {
        Ok(None) => return Err(OpenError::Exchanged.into()),
        other => other.ok(),
    };
    source.standing().await?;
    let Some(to) = partial.path.to_str() else { bail!("the name of the file must be UTF-8") };
    let Side::Sqlite(connection) = &mut source else { bail!("this is no file") };
    sqlx::query("VACUUM INTO $1").bind(to).execute(connection).await.context("cannot write the backup")?;
    Ok(source.close().await?)
}

/// Reads a backup from end to end: whether it is whole, and what it holds.
///
/// # Errors
/// When it is no backup, or broken.
pub async fn inspect(path: &Path) -> anyhow::Result<Contents> {
    let mut side = Side::resting(path).await?;
    side.standing().await?;
    let Side::Sqlite(connection) = &mut side else { bail!("this is no file") };
    let last = sqlx::query_scalar::<_, i64>("SELECT MAX(version) FROM _sqlx_migrations WHERE success");
    let standing = standing(last.fetch_one(&mut *connection).await?);
    let found: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check(3)").fetch_all(connection).await.context("the file is broken")?;
    if found != ["ok"] {
        return Err(Error::Refused(format!("{} is broken: {}", path.display(), found.join("; "))).into());
    }
    let mut tables = Vec::new();
    for table in side.tables().await? {
        let rows = side.count(&table).await?;
        tables.push(Moved { table: table.name, rows, checksum: None });
    }
    side.close().await?;
    let bytes = std::fs::metadata(path)?.len();
    Ok(Contents { standing, tables, bytes })
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
