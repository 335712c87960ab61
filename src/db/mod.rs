//! The database: SQLite in one file, or PostgreSQL. Slices write their SQL once, with [`sql!`](crate::sql), and
//! never learn which of the two they stand on.
mod amend;
pub mod file_lock;
pub(crate) mod guard;
pub mod lane;
mod open;
mod sql;
#[cfg(test)]
pub mod testing;
mod write;

use std::path::Path;

use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool};

pub use open::{OpenError, Standing, newest_migration};
pub(crate) use open::{bring_up_to_date, standing};
pub use write::{SqliteWriter, Work};

/// An open database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// One file: a pool of readers, and one connection that writes.
    Sqlite {
        /// Connections that only read.
        read: SqlitePool,
        /// The connection that writes.
        write: SqliteWriter,
    },
    /// A server that any number of processes share.
    Postgres(PgPool),
}

/// Which of the two databases a statement runs on: what [`sql!`](crate::sql) matches on.
pub enum Reach<S, P> {
    /// SQLite, by a pool or a connection.
    Sqlite(S),
    /// PostgreSQL, by a pool or a connection.
    Postgres(P),
}

impl Db {
    /// Where a statement that only reads is run.
    pub fn reach(&self) -> Reach<&SqlitePool, &PgPool> {
        match self {
            Self::Sqlite { read, .. } => Reach::Sqlite(read),
            Self::Postgres(pool) => Reach::Postgres(pool),
        }
    }

    /// What time it is for the database. Processes that share it agree about this clock alone, so leases go by it;
    /// everything else takes a [`Clock`](crate::clock::Clock).
    ///
    /// # Errors
    /// When the database does.
    pub async fn now(&self) -> sqlx::Result<DateTime<Utc>> {
        let now: DateTime<Utc> = match self.reach() {
            Reach::Sqlite(on) => {
                sqlx::query_scalar("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')").fetch_one(on).await?
            }
            Reach::Postgres(on) => sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(on).await?,
        };
        Ok(now.trunc_subsecs(6))
    }

    /// Lets the write under way end, and closes all connections. SQLite's log is moved into the database.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// The file of SQLite.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { write, .. } => Some(write.file()),
            Self::Postgres(_) => None,
        }
    }

    /// How many bytes it takes on the disk; SQLite's log included.
    ///
    /// # Errors
    /// When the database does not tell.
    pub async fn bytes(&self) -> sqlx::Result<u64> {
        match self {
            Self::Sqlite { write, .. } => {
                let mut log = write.file().as_os_str().to_owned();
                log.push("-wal");
                let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
                Ok(size(write.file()) + size(Path::new(&log)))
            }
            Self::Postgres(pool) => {
                let size: i64 =
                    sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(pool).await?;
                Ok(u64::try_from(size).unwrap_or(0))
            }
        }
    }

    /// Whether this is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }
}

/// A write transaction, lent to the closure of [`Db::write`].
pub enum Tx {
    /// The writing connection, after `BEGIN IMMEDIATE`.
    Sqlite(tokio::sync::OwnedMutexGuard<Option<SqliteConnection>>),
    /// A connection of the pool, in a transaction.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Tx {
    /// Where a statement of this transaction is run.
    ///
    /// # Panics
    /// Never: whoever begins a transaction has opened the connection.
    pub fn reach(&mut self) -> Reach<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Self::Sqlite(guard) => Reach::Sqlite(guard.as_mut().expect("a transaction holds an open connection")),
            Self::Postgres(tx) => Reach::Postgres(tx),
        }
    }

    /// Whether this transaction is the only one, in all processes, that does the work of this number: it stays so until
    /// its end. SQLite has one writer anyway.
    ///
    /// # Errors
    /// When the database does.
    pub async fn is_alone(&mut self, work: i32) -> sqlx::Result<bool> {
        match self.reach() {
            Reach::Sqlite(_) => Ok(true),
            // two numbers: apart from the locks of one that others take
            Reach::Postgres(connection) => {
                sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
                    .bind(0x0074_7269)
                    .bind(work)
                    .fetch_one(connection)
                    .await
            }
        }
    }
}
