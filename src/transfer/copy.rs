//! Copying an installation from one database to another, with all its ids: counted, and verified by what is read back.
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::sync::mpsc;

use super::{
    Batch, Digest, Moved, Table, Told, Value,
    file::{self, Partial},
    postgres, quoted,
    side::Side,
    sqlite,
};
use crate::{
    clock::Clock,
    db::{
        bring_up_to_date,
        file_lock::{self, Use},
        guard::LIFT,
    },
    error::Error,
};

/// What may be done on the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices {
    /// Delete what the target holds.
    pub wipe_target: bool,
    /// Copy although something uses the source: what it stores from now on is not copied.
    pub live: bool,
    /// Put U+FFFD where a text holds a NUL, which PostgreSQL cannot store.
    pub replace_nul: bool,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Copied {
    /// Table by table.
    pub tables: Vec<Moved>,
    /// In how many texts a NUL was replaced.
    pub nul_replaced: u64,
    /// Where the database that was there before is kept.
    pub kept: Option<PathBuf>,
}

/// Where a database is.
pub(super) enum Place<'a> {
    File(PathBuf),
    Server(&'a str),
}

impl<'a> Place<'a> {
    pub(super) fn of(address: &'a str) -> anyhow::Result<Self> {
        if address.starts_with("sqlite:") {
            let options: sqlx::sqlite::SqliteConnectOptions = address.parse()?;
            Ok(Self::File(options.get_filename().to_owned()))
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            Ok(Self::Server(address))
        } else {
            bail!("an address of a database begins with sqlite:// or postgres://")
        }
    }
}

/// Copies everything at `from` to `to`.
///
/// # Errors
/// When either database cannot be used, the target is not empty, or what is read back is not what was written. The
/// target is as it was then.
pub async fn copy(from: &str, to: &str, choices: Choices, clock: &Clock, told: Told<'_>) -> anyhow::Result<Copied> {
    // held until the end, so that nobody begins to write there meanwhile
    let (mut source, _in_use) = match Place::of(from)? {
        Place::File(path) => {
            let lock = source_lock(&path, choices.live)?;
            (Side::sqlite(&path).await?, lock)
        }
        Place::Server(address) => {
            let mut side = Side::postgres(address).await?;
            if !choices.live && side.is_used().await? {
                return Err(in_use().into());
            }
            (side, None)
        }
    };
    source.must_be_current("the source").await?;
    source.begin_snapshot().await?;
    let copied = match Place::of(to)? {
        Place::File(path) => to_file(&mut source, &path, choices, clock, told).await?,
        Place::Server(address) => to_server(&mut source, address, choices, told).await?,
    };
    source.close().await?;
    Ok(copied)
}

fn in_use() -> Error {
    Error::Refused(
        "a server or another command uses the source: stop it first, or what it stores meanwhile stays behind \
         (--live copies the present state all the same)"
            .into(),
    )
}

fn source_lock(path: &Path, live: bool) -> anyhow::Result<Option<std::fs::File>> {
    if !path.is_file() {
        return Err(Error::Refused(format!("there is no database at {}", path.display())).into());
    }
    let lock = file_lock::take(path, if live { Use::Shared } else { Use::Alone });
    match lock.context("cannot make the lock beside the source")? {
        Some(lock) => Ok(Some(lock)),
        None => Err(in_use().into()),
    }
}

async fn to_file(
    source: &mut Side,
    path: &Path,
    choices: Choices,
    clock: &Clock,
    told: Told<'_>,
) -> anyhow::Result<Copied> {
    std::fs::create_dir_all(file::folder(path)).context("cannot make the folder of the target")?;
    let _alone = target_lock(path)?;
    if path.exists() && !choices.wipe_target {
        let mut target = Side::sqlite(path).await?;
        target.standing().await?;
        must_be_empty(&mut target).await?;
        target.close().await?;
    }
    let partial = Partial::of_database(path)?;
    let mut copied = into_new_file(source, &partial, choices, told).await?;
    copied.kept = file::exchange(partial, clock).await?;
    Ok(copied)
}

/// The lock of a SQLite file that is to be exchanged.
pub(super) fn target_lock(path: &Path) -> anyhow::Result<std::fs::File> {
    let lock = file_lock::take(path, Use::Alone).context("cannot make the lock beside the database")?;
    lock.ok_or_else(|| {
        let text = format!("a server or another command uses {}: stop it first", path.display());
        Error::Refused(text).into()
    })
}

/// Fills a file that is not in its place yet.
pub(super) async fn into_new_file(
    source: &mut Side,
    partial: &Partial,
    choices: Choices,
    told: Told<'_>,
) -> anyhow::Result<Copied> {
    let mut target = sqlite::new_file(&partial.path).await?;
    let tables = same_tables(source, &mut target).await?;
    target.run("BEGIN".into()).await?;
    for table in &tables {
        target.run(format!("DELETE FROM {}", quoted(&table.name))).await?;
    }
    let copied = carry(source, &mut target, &tables, choices, told).await?;
    target.run("COMMIT".into()).await?;
    target.close().await?;
    Ok(copied)
}

/// Fills a PostgreSQL database in one transaction.
pub(super) async fn to_server(
    source: &mut Side,
    address: &str,
    choices: Choices,
    told: Told<'_>,
) -> anyhow::Result<Copied> {
    let mut target = Side::postgres(address).await?;
    // what is reported as done has to be on disk, whatever the server's own setting
    target.run("SET synchronous_commit = on".into()).await?;
    if target.is_used().await? {
        return Err(Error::Refused("a server or another command uses the target: stop it first".into()).into());
    }
    bring_up_to_date(target.reach()).await?;
    let tables = same_tables(source, &mut target).await?;
    let names = tables.iter().map(|table| quoted(&table.name)).collect::<Vec<_>>().join(", ");
    target.run("BEGIN".into()).await?;
    // not at once: the server may not have noticed yet that an earlier attempt was killed
    let lock = format!("SET LOCAL lock_timeout = '5s'; LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE");
    target.run(lock).await.map_err(|error| {
        Error::Refused(format!("the tables of the target are in use: stop whatever uses them first ({error})"))
    })?;
    if !choices.wipe_target {
        must_be_empty(&mut target).await?;
    }
    target.run(LIFT.into()).await?;
    target.run(format!("TRUNCATE {names}")).await?;
    let copied = carry(source, &mut target, &tables, choices, told).await?;
    target.run("COMMIT".into()).await?;
    // so that the first questions are not planned for empty tables
    target.run("ANALYZE".into()).await?;
    target.close().await?;
    Ok(copied)
}

/// The tables of both, which have to be the same.
async fn same_tables(source: &mut Side, target: &mut Side) -> anyhow::Result<Vec<Table>> {
    let (ours, theirs) = (source.tables().await?, target.tables().await?);
    let same = ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(one, other)| one.same_as(other));
    if !same {
        let names = |tables: &[Table]| tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>().join(", ");
        bail!("the two databases differ in their tables: {} there, {} here", names(&ours), names(&theirs));
    }
    Ok(ours)
}

/// Refuses a target that holds more than its migrations have put there.
async fn must_be_empty(target: &mut Side) -> anyhow::Result<()> {
    let mut fresh = sqlite::new_file(Path::new(":memory:")).await?;
    let mut full = Vec::new();
    for table in target.tables().await? {
        let rows = target.count(&table).await?;
        // a table of another version is not there, and empty
        let seeded = fresh.count(&table).await.unwrap_or(0);
        if rows > seeded {
            full.push(format!("{} ({rows})", table.name));
        }
    }
    fresh.close().await?;
    if full.is_empty() {
        return Ok(());
    }
    let text = format!("the target is not empty: it has rows in {}; add --wipe-target to delete them", full.join(", "));
    Err(Error::Refused(text).into())
}

/// Copies table by table and reads back what has arrived.
async fn carry(
    source: &mut Side,
    target: &mut Side,
    tables: &[Table],
    choices: Choices,
    told: Told<'_>,
) -> anyhow::Result<Copied> {
    let nul_is_stored = matches!(target, Side::Sqlite(_));
    let mut copied = Copied::default();
    for table in tables {
        let rows = source.count(table).await?;
        let (to_watch, read) = mpsc::channel(2);
        let (to_fill, watched) = mpsc::channel(2);
        let mut check = Check { table, rows, nul: (!nul_is_stored).then_some(choices.replace_nul), replaced: 0, told };
        let filling = async {
            match &mut *target {
                Side::Sqlite(connection) => sqlite::fill(connection, table, watched).await,
                Side::Postgres(connection) => postgres::fill(connection, table, watched).await,
            }
        };
        let ((), sent, ()) = tokio::try_join!(source.read(table, to_watch), check.pass(read, to_fill), filling)
            .with_context(|| format!("the table {} cannot be copied", table.name))?;
        copied.nul_replaced += check.replaced;
        let arrived = target.digest(table).await?;
        if sent.rows != rows || arrived != sent {
            bail!(
                "the copy of {} is not what was read: {rows} rows counted, {} read, {} arrived, checksums {} and {}",
                table.name,
                sent.rows,
                arrived.rows,
                sent.checksum(),
                arrived.checksum(),
            );
        }
        copied.tables.push(Moved { table: table.name.clone(), rows, checksum: Some(arrived.checksum()) });
    }
    Ok(copied)
}

/// Looks at every row that passes.
struct Check<'t> {
    table: &'t Table,
    rows: u64,
    /// Whether a NUL is replaced; none where it may stay.
    nul: Option<bool>,
    replaced: u64,
    told: Told<'t>,
}

impl Check<'_> {
    async fn pass(&mut self, mut from: mpsc::Receiver<Batch>, to: mpsc::Sender<Batch>) -> anyhow::Result<Digest> {
        let mut digest = Digest::default();
        (self.told)(&self.table.name, 0, self.rows);
        while let Some(mut batch) = from.recv().await {
            for row in &mut batch {
                self.nul(row)?;
                digest.add(row);
            }
            if to.send(batch).await.is_err() {
                // whoever stores them has failed, and says why
                break;
            }
            (self.told)(&self.table.name, digest.rows, self.rows);
        }
        Ok(digest)
    }

    fn nul(&mut self, row: &mut [Value]) -> anyhow::Result<()> {
        let Some(replace) = self.nul else { return Ok(()) };
        for at in 0..row.len() {
            let Value::Text(text) = &mut row[at] else { continue };
            if !text.contains('\0') {
                continue;
            }
            if !replace {
                let ids =
                    row.iter().filter_map(|value| if let Value::Id(id) = value { Some(id.to_string()) } else { None });
                let text = format!(
                    "the column {} of a row of {} ({}) holds a NUL, which PostgreSQL cannot store: mend it, or add \
                     --replace-nul to put U+FFFD in its place",
                    self.table.columns[at].name,
                    self.table.name,
                    ids.collect::<Vec<_>>().join(", "),
                );
                return Err(Error::Refused(text).into());
            }
            *text = text.replace('\0', "\u{FFFD}");
            self.replaced += 1;
        }
        Ok(())
    }
}
