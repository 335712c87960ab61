//! Writing outside the lane: one transaction a change, on a task of its own, so that a client that goes away
//! cannot cut a commit in half.
use std::{fs::File, future::Future, path::Path, pin::Pin, sync::Arc};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Db, Tx, open::settle_log};
use crate::{
    error::{Error, Result},
    log,
};

/// What the closure of [`Db::write`] returns.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 't>>;

/// The one connection that writes to a SQLite file, shared by the write lane and by everything else that writes.
/// Whoever holds the lock holds the database; the lock is fair.
#[derive(Clone)]
pub struct SqliteWriter {
    connection: Arc<Mutex<Option<SqliteConnection>>>,
    /// Shared, since handlers clone what they are given with every request.
    options: Arc<SqliteConnectOptions>,
    /// Says that the file is in use; none where no lock could be made.
    in_use: Option<Arc<File>>,
}

impl SqliteWriter {
    /// Without a connection, the first to write opens one.
    pub(super) fn new(
        connection: Option<SqliteConnection>,
        options: SqliteConnectOptions,
        in_use: Option<File>,
    ) -> Self {
        let connection = Arc::new(Mutex::new(connection));
        Self { connection, options: Arc::new(options), in_use: in_use.map(Arc::new) }
    }

    /// The file it writes to.
    pub(super) fn file(&self) -> &Path {
        self.options.get_filename()
    }

    /// Waits for the connection; opens it again if a failure closed it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn lock(&self) -> sqlx::Result<OwnedMutexGuard<Option<SqliteConnection>>> {
        let mut guard = self.connection.clone().lock_owned().await;
        if guard.is_none() {
            let mut connection = SqliteConnection::connect_with(&self.options).await?;
            if !settle_log(&mut connection).await? {
                tracing::warn!("readers kept the log from being emptied; trying again");
                return Err(sqlx::Error::Io(std::io::Error::other("the write-ahead log is still in use")));
            }
            tracing::info!("database opened again after a failed write");
            *guard = Some(connection);
        }
        Ok(guard)
    }
}

impl SqliteWriter {
    /// Lets whoever holds the connection end, and closes it.
    pub(super) async fn close(&self) {
        let connection = self.connection.lock().await.take();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database was not closed in order; it will recover when opened");
        }
        if let Some(in_use) = &self.in_use {
            // the end of the process would do the same
            let _ = in_use.unlock();
        }
    }
}

impl Db {
    /// Runs `work` in one write transaction and commits it; an error rolls it back.
    ///
    /// # Errors
    /// What `work` returns, or [`Error::Database`] when the commit fails.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, T> + Send + 'static,
    {
        let db = self.clone();
        let task = tokio::spawn(log::carried(async move {
            let mut tx = db.begin().await?;
            match work(&mut tx).await {
                Ok(done) => {
                    tx.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    tx.roll_back().await;
                    Err(error)
                }
            }
        }));
        task.await.map_err(|join| Error::internal(anyhow::Error::new(join)))?
    }

    async fn begin(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { write, .. } => {
                let mut guard = write.lock().await?;
                if let Some(connection) = guard.as_mut() {
                    sqlx::query("BEGIN IMMEDIATE").execute(connection).await?;
                }
                Ok(Tx::Sqlite(guard))
            }
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }
}

impl Tx {
    async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(mut guard) => {
                let Some(connection) = guard.as_mut() else { return Ok(()) };
                if let Err(error) = sqlx::query("COMMIT").execute(connection).await {
                    // closed without a further word; the next one to write opens it again and verifies
                    *guard = None;
                    return Err(error.into());
                }
                Ok(())
            }
            Self::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    async fn roll_back(self) {
        match self {
            Self::Sqlite(mut guard) => {
                let Some(connection) = guard.as_mut() else { return };
                if sqlx::query("ROLLBACK").execute(connection).await.is_err() {
                    *guard = None;
                }
            }
            Self::Postgres(tx) => {
                // dropping it would do the same, later
                let _ = tx.rollback().await;
            }
        }
    }
}
