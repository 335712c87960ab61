//! Opens a database, refuses the wrong ones, and brings its tables up to date.
use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool, SqliteConnection,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Db, Reach, SqliteWriter, amend,
    file_lock::{self, Use},
    guard,
};
use crate::error::{Unavailable, unavailable};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The oldest SQLite without the corruption of a log that is reset while it is read (fixed in 3.51.3).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// Why a database cannot be used. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address of either database.
    #[error("DATABASE_URL must begin with sqlite:// or postgres://")]
    UnknownKind,
    /// Its tables were made by a later Tributary.
    #[error(
        "the database was written by a newer version of Tributary (its migration {0} is unknown here): start that version, or restore a backup"
    )]
    Newer(i64),
    /// The SQLite library is too old.
    #[error("SQLite {0} can corrupt its write-ahead log; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// PostgreSQL would acknowledge a commit that is not on disk.
    #[error("PostgreSQL answers commits before they are on disk (synchronous_commit = {0}): set it to on")]
    NotDurable(String),
    /// There is none, and none is to be made.
    #[error("there is {0}: look at DATABASE_URL, or make a new one with tributary migrate")]
    None(String),
    /// It is being exchanged as a whole.
    #[error("the database is being restored or copied: wait until that is done")]
    Exchanged,
    /// A migration failed.
    #[error("bringing the tables up to date failed: {0}")]
    Migrate(#[source] MigrateError),
    /// The database cannot be reached or opened.
    #[error("cannot open the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The folder of the SQLite file cannot be made.
    #[error("cannot make the folder of the database: {0}")]
    Folder(#[from] std::io::Error),
}

impl Db {
    /// Opens the database at `address` (`sqlite://path` or `postgres://…`) and brings its tables up to date.
    /// A SQLite file and its folder are made when missing.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(address: &str) -> Result<Self, OpenError> {
        Self::open_as(address, New::Made).await
    }

    /// The same, but only a database that somebody has made: an address with a mistake in it makes none.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_existing(address: &str) -> Result<Self, OpenError> {
        Self::open_as(address, New::Refused).await
    }

    async fn open_as(address: &str, new: New) -> Result<Self, OpenError> {
        if address.starts_with("sqlite:") {
            open_sqlite(address, new).await
        } else if address.starts_with("postgres:") || address.starts_with("postgresql:") {
            open_postgres(address, new).await
        } else {
            Err(OpenError::UnknownKind)
        }
    }
}

/// What becomes of an address where nothing is yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum New {
    Made,
    Refused,
}

/// Makes a file that is not there yet so that its owner alone can read it: it holds accounts, digests and payloads. What
/// SQLite puts beside it has the same mode.
fn make_private(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn open_sqlite(address: &str, new: New) -> Result<Db, OpenError> {
    let options = SqliteConnectOptions::from_str(address)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", "67108864");
    if new == New::Refused && !std::fs::metadata(options.get_filename()).is_ok_and(|file| file.len() > 0) {
        return Err(OpenError::None(format!("no database at {}", options.get_filename().display())));
    }
    if let Some(folder) = Path::new(options.get_filename()).parent() {
        std::fs::create_dir_all(folder)?;
    }
    make_private(options.get_filename())?;
    let in_use = match file_lock::take(options.get_filename(), Use::Shared) {
        Ok(Some(lock)) => Some(lock),
        Ok(None) => return Err(OpenError::Exchanged),
        // a disk that is full or read-only is good enough for reading
        Err(error) => {
            tracing::warn!(%error, "the lock beside the database cannot be made; a restore would not see this process");
            None
        }
    };
    // about 8 MiB: a checkpoint that is neither constant nor long
    let writing = options.clone().pragma("wal_autocheckpoint", "2000").row_buffer_size(1024);
    let mut writer = SqliteConnection::connect_with(&writing).await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut writer).await?;
    if !new_enough(&version) {
        return Err(OpenError::OldSqlite(version));
    }
    // whoever opens a database first settles its log; a busy one is open elsewhere, and was settled there
    sqlx::query("PRAGMA busy_timeout = 250").execute(&mut writer).await?;
    let settled = match settle_log(&mut writer).await {
        Ok(_) => true,
        // still good for reading; the first to write tries again
        Err(error) if unavailable(&error) == Some(Unavailable::DiskFull) => false,
        Err(error) => return Err(error.into()),
    };
    sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut writer).await?;
    bring_up_to_date(Reach::Sqlite(&mut writer)).await?;
    guard::sqlite(&mut writer).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options.read_only(true).create_if_missing(false))
        .await?;
    Ok(Db::Sqlite { read, write: SqliteWriter::new(settled.then_some(writer), writing, in_use) })
}

/// Moves the write-ahead log into the database, syncs that, and begins a new log; false when others are reading it.
///
/// What a process wrote before it died, or before a sync failed, reads back from the system's cache as if it were on
/// disk. Built upon, it would take later commits with it when the power goes: a log counts up to its first gap.
pub(super) async fn settle_log(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let (busy, ..): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    Ok(busy == 0)
}

async fn open_postgres(address: &str, new: New) -> Result<Db, OpenError> {
    let options = PgConnectOptions::from_str(address)?.application_name("tributary");
    let mut first = PgConnection::connect_with(&options).await?;
    let durability: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut first).await?;
    if durability == "off" {
        return Err(OpenError::NotDurable(durability));
    }
    let standing: bool =
        sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL").fetch_one(&mut first).await?;
    first.close().await?;
    if new == New::Refused && !standing {
        return Err(OpenError::None("no tables in this database".into()));
    }
    // what holds now holds as long as this process runs, whatever the server is told later
    let options = options.options([("synchronous_commit", durability)]);
    let pool: PgPool =
        PgPoolOptions::new().max_connections(24).acquire_timeout(Duration::from_secs(5)).connect_with(options).await?;
    bring_up_to_date(Reach::Postgres(&mut *pool.acquire().await?)).await?;
    guard::postgres(&pool).await?;
    Ok(Db::Postgres(pool))
}

/// How the tables of a database stand to this version of Tributary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As this version makes them.
    Current,
    /// Of an earlier version; this is their last migration.
    Older(i64),
    /// Of a later version; this is their last migration.
    Newer(i64),
}

/// The last migration that this version knows.
pub fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// What `last`, the last migration of a database, says about its tables.
pub(crate) fn standing(last: i64) -> Standing {
    match last.cmp(&newest_migration()) {
        std::cmp::Ordering::Less => Standing::Older(last),
        std::cmp::Ordering::Equal => Standing::Current,
        std::cmp::Ordering::Greater => Standing::Newer(last),
    }
}

/// Makes the tables of this version by a connection of one's own.
///
/// # Errors
/// When they are of a newer version, or a migration fails.
pub(crate) async fn bring_up_to_date(
    connection: Reach<&mut SqliteConnection, &mut PgConnection>,
) -> Result<(), OpenError> {
    let done = match connection {
        Reach::Sqlite(connection) => match MIGRATIONS.run(&mut *connection).await {
            Err(MigrateError::VersionMismatch(_)) => {
                amend::sqlite(connection).await?;
                MIGRATIONS.run(connection).await
            }
            done => done,
        },
        Reach::Postgres(connection) => match MIGRATIONS.run(&mut *connection).await {
            Err(MigrateError::VersionMismatch(_)) => {
                amend::postgres(connection).await?;
                MIGRATIONS.run(connection).await
            }
            done => done,
        },
    };
    done.map_err(migration_error)
}

fn migration_error(error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(version) => OpenError::Newer(version),
        other => OpenError::Migrate(other),
    }
}

fn new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, new_enough};

    /// How the checksums of the migrations that have gone out begin, in order.
    const RELEASED: [&str; 16] = [
        "ec7dbd042b5d89da",
        "6b10b0e9f2453e22",
        "87d92d60138dd8d7",
        "8d890c9e75e98043",
        "744f59c60e54c6a7",
        "832d7b458818dce3",
        "233e50d507db8f26",
        "30a7df72c47ea672",
        "38da39465c6c2398",
        "64bb69fdb818a370",
        "0e3eeef69a5ade19",
        "eaac1b21ae10e76c",
        "1e3b4963af4efa44",
        "3b1b94f96bbde5c9",
        "8888a3fb9f110148",
        "0a1bc1b0e05b6ae0",
    ];

    fn begins(checksum: &[u8]) -> String {
        format!("{:016x}", checksum.first_chunk().map_or(0, |first| u64::from_be_bytes(*first)))
    }

    #[test]
    fn a_migration_that_has_gone_out_is_never_changed() {
        let now = MIGRATIONS.iter().map(|migration| begins(&migration.checksum)).collect::<Vec<_>>();
        assert_eq!(now[..RELEASED.len()], RELEASED, "put what is new into a migration of its own");
    }

    #[test]
    fn sqlite_before_3_51_3_is_refused() {
        assert!(!new_enough("3.51.2"));
        assert!(!new_enough("3.40.1"));
        assert!(new_enough("3.51.3"));
        assert!(new_enough("3.52.0"));
    }
}
