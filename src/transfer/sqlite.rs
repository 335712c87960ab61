//! Filling a new SQLite file: many rows a statement, and nothing is synced before the end, since a file that is not
//! complete is thrown away.
use std::path::Path;

use sqlx::{
    Connection, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::mpsc;

use super::{Batch, Table, Value, quoted, side::Side};
use crate::db::{Reach, bring_up_to_date};

/// SQLite takes at most 32,766 values a statement.
const VALUES: usize = 30_000;

/// Makes the tables of this version in an empty file.
pub(super) async fn new_file(path: &Path) -> anyhow::Result<Side> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .row_buffer_size(1024);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    bring_up_to_date(Reach::Sqlite(&mut connection)).await?;
    Ok(Side::Sqlite(connection))
}

/// Takes the rows of a table.
pub(super) async fn fill(
    connection: &mut SqliteConnection,
    table: &Table,
    mut from: mpsc::Receiver<Batch>,
) -> anyhow::Result<()> {
    let insert = format!("INSERT INTO {} ({}) ", quoted(&table.name), table.list());
    let at_once = (VALUES / table.columns.len().max(1)).max(1);
    while let Some(batch) = from.recv().await {
        for rows in batch.chunks(at_once) {
            let mut statement: QueryBuilder<Sqlite> = QueryBuilder::new(&insert);
            statement.push_values(rows, |mut row, values| {
                for value in values {
                    match value {
                        Value::Null => row.push("NULL"),
                        Value::Bool(bool) => row.push_bind(*bool),
                        Value::Int(int) => row.push_bind(*int),
                        Value::Float(float) => row.push_bind(*float),
                        Value::Text(text) => row.push_bind(text.clone()),
                        Value::Bytes(bytes) => row.push_bind(bytes.clone()),
                        Value::Id(id) => row.push_bind(*id),
                        Value::Time(time) => row.push_bind(*time),
                    };
                }
            });
            // statements with other numbers of NULL are other texts: kept, they would fill the memory
            statement.build().persistent(false).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
