//! Removing the demo: every row that carries its id, in small transactions, so that a server that runs beside it is
//! not held up. The audit trail alone stays, as it always does.
use std::time::Duration;

use serde_json::json;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{NAME, TENANT, settle};
use crate::{
    auth::{
        Actor, Administer, Configure, Grant, Permit,
        audit::{self, Entry},
    },
    clock::Clock,
    db::{Db, Reach, Tx},
    error::{Error, Result},
    sql, tenants,
};

/// How many rows one transaction removes.
const AT_ONCE: u16 = 2_000;
/// How long a running server takes to notice that the tenant is disabled, and to write down what it remembers of it.
const NOTICE: Duration = Duration::from_secs(1);

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// Rows of all tables.
    pub rows: u64,
}

/// Removes the demo, whole or half filled. Killed in between, it is gone on with by the next.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn erase(db: &Db, clock: &Clock, grant: &Grant<Administer>) -> Result<Erased> {
    let actor = grant.actor();
    let configure: Permit<Configure> = actor.permit(TENANT)?;
    let disabled = tenants::set_enabled(db, clock, &configure, false).await.map_err(|error| match error {
        Error::NotFound(_) => Error::NotFound("demo"),
        other => other,
    })?;
    tracing::info!(tenant = %disabled.id, "removing the demo");
    tokio::time::sleep(NOTICE).await;
    settle(db, &actor.permit(TENANT)?, clock.now()).await?;
    let before = impact(db, grant).await?;
    let mut rows = people(db).await?;
    let tables = tables(db).await?;
    // what a server still remembers of it may be written down while this runs: until nothing is left
    loop {
        let so_far = rows;
        for table in &tables {
            rows += empty(db, table).await?;
        }
        if rows == so_far {
            break;
        }
    }
    forget(db, clock, actor, before).await?;
    Ok(Erased { rows: rows + 1 })
}

/// What belongs to the accounts that are bound to the demo, and to their invitations: it names them, not the tenant. The
/// accounts themselves go with the tenant's rows.
async fn people(db: &Db) -> Result<u64> {
    const OF_ACCOUNTS: &[&str] = &[
        "DELETE FROM sessions WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)",
        "DELETE FROM half_logins WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)",
        "DELETE FROM password_resets WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)",
        "DELETE FROM recovery_codes WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)",
        "DELETE FROM second_factors WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)",
    ];
    db.write(|tx| {
        Box::pin(async move {
            let mut rows = 0;
            for text in OF_ACCOUNTS {
                rows += sql!(exec tx, *text, TENANT)?;
            }
            for (kind, text) in [
                ("user", "SELECT id FROM users WHERE tenant_id = $1"),
                ("invitation", "SELECT id FROM invitations WHERE tenant_id = $1"),
            ] {
                for id in sql!(values Uuid, tx, text, TENANT)? {
                    rows += sql!(exec tx, "DELETE FROM outbox WHERE about = $1", format!("{kind}:{id}"))?;
                }
            }
            Ok(rows)
        })
    })
    .await
}

/// What goes with the demo.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Events of any verdict.
    pub events: i64,
    /// Event types.
    pub event_types: i64,
    /// Tokens.
    pub tokens: i64,
    /// The e-mail addresses of the accounts that see nothing but the demo: they go too.
    pub people: Vec<String>,
}

/// Says what would go.
///
/// # Errors
/// When the database fails.
pub async fn impact(db: &Db, _grant: &Grant<Administer>) -> Result<Impact> {
    Ok(Impact {
        events: sql!(value i64, db, "SELECT COUNT(*) FROM events WHERE tenant_id = $1", TENANT)?,
        event_types: sql!(value i64, db, "SELECT COUNT(*) FROM event_types WHERE tenant_id = $1", TENANT)?,
        tokens: sql!(value i64, db, "SELECT COUNT(*) FROM tokens WHERE tenant_id = $1", TENANT)?,
        people: sql!(values String, db, "SELECT email FROM users WHERE tenant_id = $1 ORDER BY email", TENANT)?,
    })
}

/// The tables that hold rows of tenants, in an order that leaves the tenant to the end. They are read from the database,
/// so those of later migrations are emptied without a line here.
pub(super) async fn tables(db: &Db) -> Result<Vec<String>> {
    const SQLITE: &str = "SELECT m.name FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c
        WHERE m.type = 'table' AND c.name = 'tenant_id' ORDER BY m.name";
    const POSTGRES: &str = "SELECT c.table_name::text FROM information_schema.columns AS c
        JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.column_name = 'tenant_id'
        ORDER BY c.table_name";
    let names: Vec<String> = match db.reach() {
        Reach::Sqlite(on) => sqlx::query_scalar(SQLITE).fetch_all(on).await?,
        Reach::Postgres(on) => sqlx::query_scalar(POSTGRES).fetch_all(on).await?,
    };
    Ok(names.into_iter().filter(|name| !matches!(name.as_str(), "audit" | "tenants")).collect())
}

/// Empties one table of the demo's rows; returns how many there were.
async fn empty(db: &Db, table: &str) -> Result<u64> {
    let mut rows = 0;
    loop {
        let table = table.to_owned();
        let gone = db.write(move |tx| Box::pin(async move { some(tx, &table).await })).await?;
        rows += gone;
        if gone < u64::from(AT_ONCE) {
            return Ok(rows);
        }
        tokio::task::yield_now().await;
    }
}

async fn some(tx: &mut Tx, table: &str) -> Result<u64> {
    // the name is one of the schema, and the place of a row is called otherwise in each database
    let statement = |place: &str| {
        AssertSqlSafe(format!(
            "DELETE FROM \"{table}\" WHERE {place} IN (SELECT {place} FROM \"{table}\" WHERE tenant_id = $1 LIMIT {AT_ONCE})"
        ))
    };
    Ok(match tx.reach() {
        Reach::Sqlite(on) => sqlx::query(statement("rowid")).bind(TENANT).execute(on).await?.rows_affected(),
        Reach::Postgres(on) => sqlx::query(statement("ctid")).bind(TENANT).execute(on).await?.rows_affected(),
    })
}

/// The tenant itself, and what the trail says of it.
async fn forget(db: &Db, clock: &Clock, actor: &Actor, before: Impact) -> Result<()> {
    let (actor, clock) = (actor.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            if sql!(exec tx, "DELETE FROM tenants WHERE tenant_id = $1", TENANT)? == 0 {
                // somebody else was at it
                return Ok(());
            }
            let entry = Entry {
                actor: &actor,
                tenant: Some(TENANT),
                action: "demo.remove",
                object: TENANT.to_string(),
                before: Some(json!({"name": NAME, "held": before})),
                after: None,
            };
            audit::record(tx, &clock, entry).await?;
            audit::configuration_changed(tx).await
        })
    })
    .await
}
