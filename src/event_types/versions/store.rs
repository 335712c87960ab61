//! Versions and drafts in the database. Every change first locks the tenant, so that two consultants take turns and
//! the second is told what the first has done.
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Draft, Fingerprint, Made, Version};
use crate::{
    auth::{
        Actor, Configure, Permit, ReadConfiguration,
        audit::{self, Entry},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    event_types::{Contract, EventType, store as types},
    ids::{EventTypeId, TenantId},
    sql, tenants,
};

#[derive(sqlx::FromRow)]
struct DraftRow {
    contract: String,
    base: i64,
    active: i64,
    updated_at: DateTime<Utc>,
    updated_by: String,
}

impl From<DraftRow> for Draft {
    fn from(row: DraftRow) -> Self {
        Self {
            contract: Contract::stored(row.contract),
            base: row.base,
            active: row.active,
            updated_at: row.updated_at,
            updated_by: row.updated_by,
        }
    }
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    #[sqlx(flatten)]
    made: Made,
    contract: String,
}

impl From<VersionRow> for Version {
    fn from(row: VersionRow) -> Self {
        Self { made: row.made, contract: Contract::stored(row.contract) }
    }
}

/// The versions of a type, newest first: so many of those before a number. Their texts may be long, and are had one by
/// one.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; when the database fails.
pub async fn list(
    db: &Db,
    permit: &Permit<ReadConfiguration>,
    id: EventTypeId,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Made>> {
    let made = sql!(
        all Made, db,
        "SELECT number, made_at, made_by, note, restores FROM contract_versions
         WHERE tenant_id = $1 AND event_type_id = $2 AND number < $3 ORDER BY number DESC LIMIT $4",
        permit.tenant(),
        id,
        before.unwrap_or(i64::MAX),
        i64::try_from(limit).unwrap_or(i64::MAX),
    )?;
    if made.is_empty() {
        types::get(db, permit, id).await?;
    }
    Ok(made)
}

/// One version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type, or the type no such version; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadConfiguration>, id: EventTypeId, number: i64) -> Result<Version> {
    let row = sql!(
        opt VersionRow, db,
        "SELECT number, made_at, made_by, note, restores, contract FROM contract_versions
         WHERE tenant_id = $1 AND event_type_id = $2 AND number = $3",
        permit.tenant(),
        id,
        number,
    )?;
    Ok(row.ok_or(Error::NotFound("version of this contract"))?.into())
}

/// The version that is active.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; when the database fails.
pub async fn active(db: &Db, permit: &Permit<ReadConfiguration>, id: EventTypeId) -> Result<Version> {
    let row = sql!(
        opt VersionRow, db,
        "SELECT number, made_at, made_by, note, restores, contract FROM contract_versions
         WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY number DESC LIMIT 1",
        permit.tenant(),
        id,
    )?;
    Ok(row.ok_or(Error::NotFound("event type"))?.into())
}

/// The draft of a type, if there is one.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; when the database fails.
pub async fn draft(db: &Db, permit: &Permit<ReadConfiguration>, id: EventTypeId) -> Result<Option<Draft>> {
    let row = sql!(
        opt DraftRow, db,
        "SELECT contract, base, updated_at, updated_by,
            (SELECT MAX(v.number) FROM contract_versions v WHERE v.tenant_id = $1 AND v.event_type_id = $2) AS active
         FROM contract_drafts WHERE tenant_id = $1 AND event_type_id = $2",
        permit.tenant(),
        id,
    )?;
    if row.is_none() {
        types::get(db, permit, id).await?;
    }
    Ok(row.map(Draft::from))
}

/// The types of a tenant that have a draft.
///
/// # Errors
/// When the database fails.
pub async fn drafted(db: &Db, permit: &Permit<ReadConfiguration>) -> Result<Vec<EventTypeId>> {
    let text = "SELECT event_type_id FROM contract_drafts WHERE tenant_id = $1 ORDER BY event_type_id";
    Ok(sql!(values EventTypeId, db, text, permit.tenant())?)
}

/// Makes `contract` the draft, in place of the one before. Saving the same text again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; when the database fails.
pub async fn save_draft(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: EventTypeId,
    contract: Contract,
) -> Result<Draft> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = permit.tenant();
            tenants::store::lock(tx, tenant).await?;
            let active = latest(tx, tenant, id).await?;
            let before = draft_in(tx, tenant, id).await?;
            if let Some(same) = before.as_ref().filter(|before| before.contract == contract) {
                return Ok(same.clone());
            }
            let after = Draft {
                contract,
                base: before.as_ref().map_or(active, |before| before.base),
                active,
                updated_at: clock.now(),
                updated_by: permit.actor().name.clone(),
            };
            sql!(
                exec tx,
                "INSERT INTO contract_drafts (tenant_id, event_type_id, contract, base, updated_at, updated_by)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (tenant_id, event_type_id) DO UPDATE
                 SET contract = excluded.contract, base = excluded.base, updated_at = excluded.updated_at,
                    updated_by = excluded.updated_by",
                tenant,
                id,
                after.contract.text(),
                after.base,
                after.updated_at,
                &after.updated_by,
            )?;
            let texts = (before.as_ref().map(of_draft), Some(of_draft(&after)));
            written(tx, &clock, &permit, "contract.draft", id, texts).await?;
            Ok(after)
        })
    })
    .await
}

/// Throws the draft away. `expected` is the draft that whoever does so has seen; without it, whichever there is.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; [`Error::Conflict`] when there is no draft, or another than
/// expected; when the database fails.
pub async fn discard_draft(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: EventTypeId,
    expected: Option<Fingerprint>,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, permit.tenant()).await?;
            latest(tx, permit.tenant(), id).await?;
            let draft = reviewed(tx, permit.tenant(), id, expected.as_ref()).await?;
            remove_draft(tx, permit.tenant(), id).await?;
            written(tx, &clock, &permit, "contract.discard", id, (Some(of_draft(&draft)), None)).await
        })
    })
    .await
}

/// Makes the draft the active contract, as the next version. `expected` is the fingerprint of the draft that was
/// reviewed.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; [`Error::Conflict`] when the draft or the active version has
/// changed since it was reviewed; when the database fails.
pub async fn activate(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: EventTypeId,
    note: Option<String>,
    expected: Fingerprint,
) -> Result<EventType> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = permit.tenant();
            tenants::store::lock(tx, tenant).await?;
            latest(tx, tenant, id).await?;
            let draft = reviewed(tx, tenant, id, Some(&expected)).await?;
            let before = types::get_in(tx, tenant, id).await?;
            if before.details.contract == draft.contract {
                return Err(Error::Conflict("the draft is the same as the active contract: discard it".into()));
            }
            remove_draft(tx, tenant, id).await?;
            renew(tx, &clock, &permit, "contract.activate", before, (draft.contract, note, None)).await
        })
    })
    .await
}

/// Makes the contract of an earlier version active again, as a new version on top. `active` is the version that was
/// active when this was decided.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type, or the type no such version; [`Error::Conflict`] when another
/// version is active by now, or the one that is holds the same contract; when the database fails.
pub async fn roll_back(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: EventTypeId,
    to: i64,
    active: i64,
    note: Option<String>,
) -> Result<EventType> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = permit.tenant();
            tenants::store::lock(tx, tenant).await?;
            let latest = latest(tx, tenant, id).await?;
            let text = sql!(
                opt(String,),
                tx,
                "SELECT contract FROM contract_versions
                 WHERE tenant_id = $1 AND event_type_id = $2 AND number = $3",
                tenant,
                id,
                to,
            )?;
            let (text,) = text.ok_or(Error::NotFound("version of this contract"))?;
            if latest != active {
                return Err(Error::Conflict(format!(
                    "version {latest} has become active meanwhile: look at it before you roll back"
                )));
            }
            let before = types::get_in(tx, tenant, id).await?;
            let contract = Contract::stored(text);
            if before.details.contract == contract {
                return Err(Error::Conflict(format!("the active contract is the same as that of version {to}")));
            }
            renew(tx, &clock, &permit, "contract.roll-back", before, (contract, note, Some(to))).await
        })
    })
    .await
}

/// Adds the next version of a type, inside the transaction that changes its contract; tells its number.
pub(in crate::event_types) async fn append(
    tx: &mut Tx,
    actor: &Actor,
    event_type: &EventType,
    note: Option<&str>,
    restores: Option<i64>,
) -> Result<i64> {
    Ok(sql!(
        value i64, tx,
        "INSERT INTO contract_versions (tenant_id, event_type_id, number, contract, made_at, made_by, note, restores)
         VALUES ($1, $2,
            1 + (SELECT COALESCE(MAX(v.number), 0) FROM contract_versions v
                 WHERE v.tenant_id = $1 AND v.event_type_id = $2),
            $3, $4, $5, $6, $7)
         RETURNING number",
        event_type.tenant_id,
        event_type.id,
        event_type.details.contract.text(),
        event_type.updated_at,
        &actor.name,
        note,
        restores,
    )?)
}

/// Gives a type another contract: the text, a note, and the version that it restores.
async fn renew(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    action: &'static str,
    before: EventType,
    (contract, note, restores): (Contract, Option<String>, Option<i64>),
) -> Result<EventType> {
    let was = latest(tx, before.tenant_id, before.id).await?;
    let mut after = before.clone();
    after.details.contract = contract;
    after.updated_at = clock.now();
    types::store_details(tx, &after).await?;
    let number = append(tx, permit.actor(), &after, note.as_deref(), restores).await?;
    let version =
        |number: i64, event_type: &EventType| json!({"version": number, "contract": event_type.details.contract});
    let mut now = version(number, &after);
    for (key, value) in [("note", note.map(Value::from)), ("restores", restores.map(Value::from))] {
        if let Some(value) = value {
            now[key] = value;
        }
    }
    written(tx, clock, permit, action, after.id, (Some(version(was, &before)), Some(now))).await?;
    audit::configuration_changed(tx).await?;
    Ok(after)
}

/// The number of the active version.
async fn latest(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<i64> {
    let latest = sql!(
        value Option<i64>, tx,
        "SELECT MAX(number) FROM contract_versions WHERE tenant_id = $1 AND event_type_id = $2",
        tenant,
        id,
    )?;
    latest.ok_or(Error::NotFound("event type"))
}

async fn draft_in(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<Option<Draft>> {
    let row = sql!(
        opt DraftRow, tx,
        "SELECT contract, base, updated_at, updated_by,
            (SELECT MAX(v.number) FROM contract_versions v WHERE v.tenant_id = $1 AND v.event_type_id = $2) AS active
         FROM contract_drafts WHERE tenant_id = $1 AND event_type_id = $2",
        tenant,
        id,
    )?;
    Ok(row.map(Draft::from))
}

/// The draft, if it is the one that was seen.
async fn reviewed(tx: &mut Tx, tenant: TenantId, id: EventTypeId, expected: Option<&Fingerprint>) -> Result<Draft> {
    let Some(draft) = draft_in(tx, tenant, id).await? else {
        return Err(Error::Conflict("there is no draft: it was activated or discarded meanwhile".into()));
    };
    if expected.is_some_and(|expected| *expected != draft.fingerprint()) {
        return Err(Error::Conflict(format!(
            "the draft or the active version has changed since you looked: the draft was last saved by {}, and version \
             {} is active; look at the difference again",
            draft.updated_by, draft.active
        )));
    }
    Ok(draft)
}

async fn remove_draft(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<()> {
    sql!(exec tx, "DELETE FROM contract_drafts WHERE tenant_id = $1 AND event_type_id = $2", tenant, id)?;
    Ok(())
}

fn of_draft(draft: &Draft) -> Value {
    json!({"base": draft.base, "contract": draft.contract})
}

async fn written(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    action: &'static str,
    id: EventTypeId,
    (before, after): (Option<Value>, Option<Value>),
) -> Result<()> {
    let entry =
        Entry { actor: permit.actor(), tenant: Some(permit.tenant()), action, object: id.to_string(), before, after };
    audit::record(tx, clock, entry).await
}

#[cfg(test)]
mod tests;
