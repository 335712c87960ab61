//! What the database itself refuses, whoever asks: changing or deleting what stands in the audit trail.
//!
//! A trigger is written differently in the two databases, so it cannot stand in the migrations, which are one text.
//! It is put there when the database is opened, after them, and left alone when it is there already.
use sqlx::{PgPool, SqliteConnection};

/// The advisory lock of whoever puts the trigger there: two that open a new database at once.
const LOCK: i64 = 0x7472_6967_6172;

/// Takes the guard off in PostgreSQL, for who replaces a whole installation. The next to open it puts it on again.
pub(crate) const LIFT: &str = "DROP TRIGGER IF EXISTS audit_append_only ON audit";

/// Guards the trail in SQLite.
pub(super) async fn sqlite(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    for text in [
        "CREATE TRIGGER IF NOT EXISTS audit_never_updated BEFORE UPDATE ON audit
         BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
        "CREATE TRIGGER IF NOT EXISTS audit_never_deleted BEFORE DELETE ON audit
         BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    ] {
        sqlx::query(text).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Guards the trail in PostgreSQL.
pub(super) async fn postgres(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    let there: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_trigger WHERE tgname = 'audit_append_only' AND tgrelid = 'audit'::regclass",
    )
    .fetch_one(&mut *tx)
    .await?;
    if there == 0 {
        for text in [
            "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
        ] {
            sqlx::query(text).execute(&mut *tx).await?;
        }
    }
    tx.commit().await
}
