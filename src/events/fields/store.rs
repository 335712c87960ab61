//! The SQL of the index: which fields have one, and what stands in it.
use serde::{Deserialize, Serialize};

use super::{FieldIs, fill, value::Digest};
use crate::{
    auth::{Configure, Permit, Right},
    clock::Clock,
    db::{Db, Reach, Tx},
    error::{Error, Result},
    event_types::{EventType, Pointer},
    ids::{EventId, EventTypeId, TaskId, TenantId},
    jobs, sql,
};

/// How the index of a field stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The type.
    pub event_type_id: EventTypeId,
    /// The field, as a JSON pointer.
    pub field: String,
    /// What fills in the events from before; none when the type was made with it.
    pub task_id: Option<TaskId>,
    /// Whether every event is in it.
    pub ready: bool,
}

/// Begins the index of a new type, in the transaction that makes it: there is nothing to be filled in.
///
/// # Errors
/// When the database does.
pub async fn begin(tx: &mut Tx, made: &EventType) -> Result<()> {
    for field in made.details.searchable_fields.pointers() {
        mark(tx, made, field, None).await?;
    }
    Ok(())
}

/// Follows a change of what is searchable, in the transaction that makes it. A field that was not before is filled in
/// by a task; of one that is no longer, nothing new is written down, and what was goes with its events.
///
/// # Errors
/// [`Error::Conflict`] when the tenant has too many tasks open; when the database fails.
pub async fn change(tx: &mut Tx, clock: &Clock, permit: &Permit<Configure>, now: &EventType) -> Result<()> {
    let text = "SELECT field FROM searchable_fields WHERE tenant_id = $1 AND event_type_id = $2";
    let before = sql!(values String, tx, text, now.tenant_id, now.id)?;
    let fields = &now.details.searchable_fields;
    for gone in before.iter().filter(|field| !fields.pointers().any(|kept| kept == *field)) {
        let text = "DELETE FROM searchable_fields WHERE tenant_id = $1 AND event_type_id = $2 AND field = $3";
        sql!(exec tx, text, now.tenant_id, now.id, gone)?;
    }
    let fresh: Vec<String> =
        fields.pointers().filter(|field| !before.iter().any(|known| known == field)).map(str::to_owned).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    // even of a type that seems to have no events: one may just be on its way
    let asked = fill::Asked::new(now.id, now.details.name.as_str(), &fresh);
    let task = jobs::enqueue(tx, clock, permit, fill::KIND.name, &asked, None).await?;
    for field in &fresh {
        mark(tx, now, field, Some(task)).await?;
    }
    Ok(())
}

async fn mark(tx: &mut Tx, of: &EventType, field: &str, task: Option<TaskId>) -> Result<()> {
    let text = "INSERT INTO searchable_fields (tenant_id, event_type_id, field, task_id, ready)
        VALUES ($1, $2, $3, $4, $5)";
    sql!(exec tx, text, of.tenant_id, of.id, field, task, task.is_none())?;
    Ok(())
}

/// Says that a task has filled in all that was there before it. Of fields that were marked anew meanwhile, another
/// task says so.
pub(super) async fn ready(tx: &mut Tx, tenant: TenantId, task: TaskId) -> Result<()> {
    let text = "UPDATE searchable_fields SET ready = TRUE WHERE tenant_id = $1 AND task_id = $2";
    sql!(exec tx, text, tenant, task)?;
    Ok(())
}

/// How the indexes of a tenant stand: of one type, or of all.
///
/// # Errors
/// When the database does.
pub async fn standing<R: Right>(db: &Db, permit: &Permit<R>, of: Option<EventTypeId>) -> Result<Vec<Standing>> {
    Ok(sql!(
        all Standing, db,
        "SELECT event_type_id, field, task_id, ready FROM searchable_fields
         WHERE tenant_id = $1 AND event_type_id = COALESCE($2, event_type_id) ORDER BY event_type_id, field",
        permit.tenant(),
        of,
    )?)
}

/// Whether the index knows every event of a type that holds something in this field.
pub(super) async fn knows(db: &Db, tenant: TenantId, event_type: EventTypeId, asked: &FieldIs) -> Result<bool> {
    let text = "SELECT ready FROM searchable_fields WHERE tenant_id = $1 AND event_type_id = $2 AND field = $3";
    let found = sql!(values bool, db, text, tenant, event_type, asked.field.as_str())?;
    Ok(found.first().copied().unwrap_or(false))
}

/// The types that have searchable fields.
pub(in crate::events) async fn types(tx: &mut Tx) -> Result<Vec<(TenantId, EventTypeId)>> {
    let text = "SELECT DISTINCT tenant_id, event_type_id FROM searchable_fields";
    Ok(sql!(all(TenantId, EventTypeId), tx, text)?)
}

/// The searchable fields of a type, in a form that finds them in payloads.
pub(super) async fn fields(db: &Db, tenant: TenantId, event_type: EventTypeId) -> Result<Vec<Pointer>> {
    let text = "SELECT field FROM searchable_fields WHERE tenant_id = $1 AND event_type_id = $2";
    let fields = sql!(values String, db, text, tenant, event_type)?;
    let parsed = fields.iter().map(|field| Pointer::parse(field));
    parsed.collect::<Result<_, _>>().map_err(|why| Error::internal(anyhow::anyhow!("a stored field: {why}")))
}

/// Writes values down; those that are there already stay.
pub(super) async fn insert(tx: &mut Tx, tenant: TenantId, values: &[(EventId, Digest)]) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    match tx.reach() {
        // one call for all of them: a call for each would be most of the work
        Reach::Sqlite(on) => {
            let mut records = Vec::with_capacity(values.len() * 32);
            for (event, digest) in values {
                records.extend_from_slice(event.0.as_bytes());
                records.extend_from_slice(digest);
            }
            sqlx::query(SQLITE_INSERT)
                .bind(tenant)
                .bind(records)
                .bind(format!("[{}]", vec!["0"; values.len()].join(",")))
                .execute(on)
                .await?;
        }
        Reach::Postgres(on) => {
            let (events, digests): (Vec<uuid::Uuid>, Vec<Vec<u8>>) =
                values.iter().map(|(event, digest)| (event.0, digest.to_vec())).unzip();
            sqlx::query(POSTGRES_INSERT).bind(tenant).bind(events).bind(digests).execute(on).await?;
        }
    }
    Ok(())
}

const SQLITE_INSERT: &str = "INSERT INTO field_values (tenant_id, event_id, digest)
    SELECT $1, substr($2, key * 32 + 1, 16), substr($2, key * 32 + 17, 16) FROM json_each($3) WHERE TRUE
    ON CONFLICT (tenant_id, event_id, digest) DO NOTHING";

const POSTGRES_INSERT: &str = "INSERT INTO field_values (tenant_id, event_id, digest)
    SELECT $1, event_id, digest FROM UNNEST($2::uuid[], $3::bytea[]) AS given (event_id, digest)
    ON CONFLICT (tenant_id, event_id, digest) DO NOTHING";

/// Removes the values of the accepted events of a range, before they go themselves.
///
/// # Errors
/// When the database does.
pub async fn forget_accepted(tx: &mut Tx, tenant: TenantId, low: EventId, high: EventId) -> Result<()> {
    sql!(exec tx, FORGET_ACCEPTED, tenant, low, high)?;
    Ok(())
}

pub(in crate::events) const FORGET_ACCEPTED: &str =
    "DELETE FROM field_values WHERE tenant_id = $1 AND event_id >= $2 AND event_id < $3 AND event_id IN
        (SELECT id FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND verdict = 'accepted')";

/// Removes the values of the events in quarantine, or once in it, that are the next to go.
///
/// # Errors
/// When the database does.
pub async fn forget_broken(tx: &mut Tx, tenant: TenantId, end: EventId, at_once: i64, mended: bool) -> Result<()> {
    sql!(exec tx, if mended { FORGET_MENDED } else { FORGET_QUARANTINED }, tenant, end, at_once)?;
    Ok(())
}

macro_rules! forget {
    ($verdict:literal) => {
        concat!(
            "DELETE FROM field_values WHERE tenant_id = $1 AND event_id IN
            (SELECT id FROM events WHERE tenant_id = $1 AND id < $2 AND verdict = '",
            $verdict,
            "' ORDER BY id LIMIT $3)"
        )
    };
}
pub(in crate::events) const FORGET_QUARANTINED: &str = forget!("quarantined");
pub(in crate::events) const FORGET_MENDED: &str = forget!("mended");

/// Removes some values of events before `end`, whether these are still there or not; how many.
///
/// # Errors
/// When the database does.
pub async fn forget_before(tx: &mut Tx, tenant: TenantId, end: EventId, at_once: i64) -> Result<u64> {
    Ok(sql!(exec tx, FORGET_BEFORE, tenant, end, at_once)?)
}

pub(in crate::events) const FORGET_BEFORE: &str = "DELETE FROM field_values WHERE tenant_id = $1 AND event_id IN
    (SELECT event_id FROM field_values WHERE tenant_id = $1 AND event_id < $2 ORDER BY event_id LIMIT $3)";
