//! Migrations that were changed after they had gone out, and what a database that knows their first text lacks.
//!
//! No migration is changed any more (a test holds their checksums); these two are owed to whoever took the first text.
use sqlx::{Connection, PgConnection, SqliteConnection};

/// The number of a migration; the SHA-384 of its first text, and of the text that it has now; and what to run in between.
type Amendment = (i64, &'static str, &'static str, &'static str);

const AMENDMENTS: [Amendment; 2] = [
    (
        10,
        "cc09546add2dc083f7cbddffc404c39a4fa673d0bfdfdcef296bd0934d2e82e2d084f1b5eadfaf85637bfbb19caf8de6",
        "64bb69fdb818a370429c52f9cc7ee7e3e784e235498c30fcfa62060cb7ff0dc5a77208eba38c06191c83f8a7de7ace5c",
        "ALTER TABLE intake_evidence ADD COLUMN definition TEXT",
    ),
    (
        11,
        "9d164ec992e1e1092545d36a18b3551dcf52cfe58d7b94c58fe2b88fb2d0c1d25b23f668b9ea27b98ab612ac0b35fefb",
        "0e3eeef69a5ade193a73247d0fc5ae0cf979ee56b3a02a2af44a39d3a46f1997b37c7320e6e5307999420e33440cde83",
        "CREATE TABLE allowed_hosts (host TEXT NOT NULL PRIMARY KEY, allowed_by TEXT NOT NULL, allowed_at TIMESTAMPTZ NOT NULL)",
    ),
];

/// Brings a SQLite database whose migrations have their first text to the text of today.
pub(super) async fn sqlite(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    for (version, first, now, sql) in AMENDMENTS {
        let mut tx = connection.begin().await?;
        let text = "UPDATE _sqlx_migrations SET checksum = unhex($1) WHERE version = $2 AND checksum = unhex($3)";
        let known = sqlx::query(text).bind(now).bind(version).bind(first).execute(&mut *tx).await?;
        if known.rows_affected() == 1 {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The same for PostgreSQL. Of several processes at once, one finds the first text.
pub(super) async fn postgres(connection: &mut PgConnection) -> sqlx::Result<()> {
    // the migrator that found the first text has left its lock behind: it would keep every other process waiting
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut *connection).await?;
    for (version, first, now, sql) in AMENDMENTS {
        let mut tx = connection.begin().await?;
        let text = "UPDATE _sqlx_migrations SET checksum = decode($1, 'hex') WHERE version = $2 AND checksum = decode($3, 'hex')";
        let known = sqlx::query(text).bind(now).bind(version).bind(first).execute(&mut *tx).await?;
        if known.rows_affected() == 1 {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::AMENDMENTS;
    use crate::db::{Db, Reach, testing::each_address};

    #[tokio::test]
    async fn a_database_of_the_first_text_gets_what_it_lacks() {
        each_address(async |address| {
            let db = Db::open(&address).await.unwrap();
            undo(&db).await;
            close(db).await;
            let db = Db::open(&address).await.unwrap();
            // another process beside it is not kept waiting
            let beside = tokio::time::timeout(Duration::from_secs(20), Db::open(&address));
            close(beside.await.expect("the first one has let go of the tables").unwrap()).await;
            for sql in
                ["SELECT definition FROM intake_evidence", "SELECT host, allowed_by, allowed_at FROM allowed_hosts"]
            {
                match db.reach() {
                    Reach::Sqlite(on) => drop(sqlx::query(sql).fetch_all(on).await.unwrap()),
                    Reach::Postgres(on) => drop(sqlx::query(sql).fetch_all(on).await.unwrap()),
                }
            }
            close(db).await;
        })
        .await;
    }

    /// Makes the tables as the first texts did.
    async fn undo(db: &Db) {
        let mut steps = vec![
            "ALTER TABLE intake_evidence DROP COLUMN definition".to_owned(),
            "DROP TABLE allowed_hosts".to_owned(),
        ];
        for (version, first, ..) in AMENDMENTS {
            let hex =
                if matches!(db, Db::Postgres(_)) { format!("decode('{first}', 'hex')") } else { format!("x'{first}'") };
            steps.push(format!("UPDATE _sqlx_migrations SET checksum = {hex} WHERE version = {version}"));
        }
        for step in steps {
            db.write(move |tx| {
                Box::pin(async move {
                    crate::sql!(exec tx, sqlx::AssertSqlSafe(step))?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
    }

    async fn close(db: Db) {
        match db {
            Db::Sqlite { read, .. } => read.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }
}
