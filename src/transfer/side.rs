//! One of the two databases of a move, by one connection: what tables it has, and reading them.
use std::{collections::BTreeMap, path::Path, str::FromStr, time::Duration};

use anyhow::{Context, bail};
use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use tokio::sync::mpsc;

use super::{Batch, Column, Digest, Kind, Table, Value, quoted};
use crate::{
    db::{Reach, Standing, standing},
    error::Error,
    sql,
};

/// Most rows of a batch.
const ROWS: usize = 500;
/// About the most bytes of a batch.
const BYTES: usize = 1 << 20;
/// What the connections of a move call themselves, to be told from those of a server.
const NAME: &str = "tributary transfer";

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.type FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> '_sqlx_migrations'
    ORDER BY m.name, c.cid";
const POSTGRES_COLUMNS: &str = "SELECT c.table_name::text, c.column_name::text, c.data_type::text
    FROM information_schema.columns AS c
    JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name <> '_sqlx_migrations'
    ORDER BY c.table_name, c.ordinal_position";
const POSTGRES_USERS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'tributary'";

/// A connection to either database.
pub enum Side {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

impl Side {
    /// A SQLite file, without touching its tables. What an ended server left in its log is read along.
    pub async fn sqlite(path: &Path) -> anyhow::Result<Self> {
        if !path.is_file() {
            return Err(Error::Refused(format!("there is no database at {}", path.display())).into());
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(Duration::from_secs(5))
            .row_buffer_size(1024);
        Ok(Self::Sqlite(SqliteConnection::connect_with(&options).await.context("cannot open the database")?))
    }

    /// A SQLite file that nobody writes to, such as a backup: nothing is written beside it.
    pub async fn resting(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().filename(path).immutable(true).read_only(true).row_buffer_size(1024);
        let opened = SqliteConnection::connect_with(&options).await;
        Ok(Self::Sqlite(opened.with_context(|| format!("cannot open {}", path.display()))?))
    }

    /// A PostgreSQL database, without touching its tables.
    pub async fn postgres(address: &str) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(address)?.application_name(NAME);
        Ok(Self::Postgres(PgConnection::connect_with(&options).await.context("cannot open the database")?))
    }

    pub fn reach(&mut self) -> Reach<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Self::Sqlite(connection) => Reach::Sqlite(connection),
            Self::Postgres(connection) => Reach::Postgres(connection),
        }
    }

    /// Runs statements that were built from names of the schema.
    pub async fn run(&mut self, statement: String) -> sqlx::Result<()> {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        match self.reach() {
            Reach::Sqlite(connection) => statement.execute(connection).await.map(drop),
            Reach::Postgres(connection) => statement.execute(connection).await.map(drop),
        }
    }

    /// From here on, everything is read as of one moment.
    pub async fn begin_snapshot(&mut self) -> anyhow::Result<()> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN",
            Self::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        Ok(self.run(begin.into()).await?)
    }

    /// Refuses what is no database of Tributary, and says how its tables stand to this version.
    pub async fn standing(&mut self) -> anyhow::Result<Standing> {
        let found = match self.reach() {
            Reach::Sqlite(connection) => {
                let text = "SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
                sqlx::query_scalar::<_, i64>(text).fetch_one(connection).await
            }
            Reach::Postgres(connection) => {
                let text = "SELECT COUNT(*) FROM information_schema.tables
                    WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations'";
                sqlx::query_scalar::<_, i64>(text).fetch_one(connection).await
            }
        };
        let none = "is no database of Tributary";
        match found {
            Ok(0) => return Err(Error::Refused(format!("this {none}: it has no tables of one")).into()),
            Err(sqlx::Error::Database(error)) => return Err(Error::Refused(format!("this {none}: {error}")).into()),
            other => other?,
        };
        let last = sql!(value Option<i64>, self, "SELECT MAX(version) FROM _sqlx_migrations WHERE success")?;
        Ok(standing(last.unwrap_or(0)))
    }

    /// Refuses tables of another version.
    pub async fn must_be_current(&mut self, what: &str) -> anyhow::Result<()> {
        let refused = match self.standing().await? {
            Standing::Current => return Ok(()),
            Standing::Older(last) => {
                format!(
                    "{what} is of an earlier version (migration {last}): bring it up to date first, with tributary migrate"
                )
            }
            Standing::Newer(last) => {
                format!("{what} was written by a newer version of Tributary (migration {last}): use that version")
            }
        };
        Err(Error::Refused(refused).into())
    }

    /// All tables but the list of migrations, by name.
    pub async fn tables(&mut self) -> anyhow::Result<Vec<Table>> {
        type Columns = Vec<(String, String, String)>;
        let columns: Columns = match self.reach() {
            Reach::Sqlite(connection) => sqlx::query_as(SQLITE_COLUMNS).fetch_all(connection).await?,
            Reach::Postgres(connection) => sqlx::query_as(POSTGRES_COLUMNS).fetch_all(connection).await?,
        };
        let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for (table, name, declared) in columns {
            let Some(kind) = Kind::of(&declared) else {
                bail!("column {name} of table {table} is of the type {declared}, which cannot be moved");
            };
            tables.entry(table).or_default().push(Column { name, kind });
        }
        Ok(tables.into_iter().map(|(name, columns)| Table { name, columns }).collect())
    }

    /// How many rows a table has.
    pub async fn count(&mut self, table: &Table) -> sqlx::Result<u64> {
        let text = AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", quoted(&table.name)));
        let count: i64 = match self.reach() {
            Reach::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
            Reach::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await?,
        };
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Whether a server or a command has a PostgreSQL database open. One that has just ended gets a moment to leave.
    pub async fn is_used(&mut self) -> sqlx::Result<bool> {
        let Self::Postgres(connection) = self else { return Ok(false) };
        for _ in 0..20 {
            if sqlx::query_scalar::<_, i64>(POSTGRES_USERS).fetch_one(&mut *connection).await? == 0 {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(true)
    }

    /// Sends a whole table, in batches that keep memory constant however many rows there are.
    pub async fn read(&mut self, table: &Table, to: mpsc::Sender<Batch>) -> anyhow::Result<()> {
        let text = AssertSqlSafe(format!("SELECT {} FROM {}", table.list(), quoted(&table.name)));
        macro_rules! send {
            ($connection:expr) => {{
                let mut rows = sqlx::query(text).fetch($connection);
                let (mut batch, mut bytes) = (Batch::new(), 0);
                while let Some(row) = rows.try_next().await? {
                    let values = table.columns.iter().enumerate();
                    let values = values.map(|(at, column)| Value::read(&row, at, column.kind));
                    let values = values.collect::<sqlx::Result<Vec<_>>>();
                    let values = values.with_context(|| format!("a row of {} cannot be read", table.name))?;
                    bytes += values.iter().map(Value::size).sum::<usize>();
                    batch.push(values);
                    if batch.len() >= ROWS || bytes >= BYTES {
                        bytes = 0;
                        if to.send(std::mem::take(&mut batch)).await.is_err() {
                            // whoever took them has failed, and says why
                            return Ok(());
                        }
                    }
                }
                if !batch.is_empty() {
                    let _ = to.send(batch).await;
                }
            }};
        }
        match self.reach() {
            Reach::Sqlite(connection) => send!(connection),
            Reach::Postgres(connection) => send!(connection),
        }
        Ok(())
    }

    /// What a table holds, as one sum.
    pub async fn digest(&mut self, table: &Table) -> anyhow::Result<Digest> {
        let (to, mut from) = mpsc::channel::<Batch>(2);
        let adding = async {
            let mut digest = Digest::default();
            while let Some(batch) = from.recv().await {
                batch.iter().for_each(|row| digest.add(row));
            }
            anyhow::Ok(digest)
        };
        let ((), digest) = tokio::try_join!(self.read(table, to), adding)?;
        Ok(digest)
    }

    pub async fn close(self) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}
