//! Event types in the database.
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Contract, Details, EventType, Policy, SearchableFields, UniqueFields, versions};
use crate::{
    auth::{
        Actor, Configure, Grant, ListTenants, Permit, ReadConfiguration,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result, is_taken},
    events::fields,
    ids::{EventTypeId, TenantId},
    name::Name,
    sql, tenants,
};

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    id: EventTypeId,
    name: Name,
    description: String,
    contract: String,
    policy: Policy,
    unique_fields: String,
    searchable_fields: String,
    anonymous: bool,
    enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for EventType {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let pointers = |text: &str| serde_json::from_str::<Vec<String>>(text).map_err(Error::internal);
        let stored = |why: String| Error::internal(anyhow::anyhow!("stored fields: {why}"));
        Ok(Self {
            tenant_id: row.tenant_id,
            id: row.id,
            details: Details {
                name: row.name,
                description: row.description,
                contract: Contract::stored(row.contract),
                policy: row.policy,
                unique_fields: UniqueFields::parse(pointers(&row.unique_fields)?).map_err(stored)?,
                searchable_fields: SearchableFields::parse(pointers(&row.searchable_fields)?).map_err(stored)?,
                anonymous: row.anonymous,
                enabled: row.enabled,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Creates an event type; one that moves here brings its `id`.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken; [`Error::NotFound`] when there is no such tenant; when the database
/// fails.
pub async fn create(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: Option<EventTypeId>,
    details: Details,
) -> Result<EventType> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| Box::pin(async move { create_in(tx, &clock, &permit, id, details).await })).await
}

/// The same inside a transaction, for what makes more than a type.
///
/// # Errors
/// As [`create`].
pub async fn create_in(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: Option<EventTypeId>,
    details: Details,
) -> Result<EventType> {
    let now = clock.now();
    let made = EventType {
        tenant_id: permit.tenant(),
        id: id.unwrap_or_else(|| EventTypeId::new(clock)),
        details,
        created_at: now,
        updated_at: now,
    };
    tenants::store::lock(tx, made.tenant_id).await?;
    insert(tx, permit.actor(), &made).await?;
    written(tx, clock, permit.actor(), "event-type.create", None, &made).await?;
    Ok(made)
}

/// Adds a new type with its first version, inside a transaction that has locked its tenant.
pub(super) async fn insert(tx: &mut Tx, actor: &Actor, event_type: &EventType) -> Result<()> {
    let details = &event_type.details;
    sql!(
        exec tx,
        "INSERT INTO event_types (tenant_id, id, name, description, contract, policy, unique_fields,
            searchable_fields, anonymous, enabled, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        event_type.tenant_id,
        event_type.id,
        &details.name,
        &details.description,
        details.contract.text(),
        details.policy,
        json(&details.unique_fields)?,
        json(&details.searchable_fields)?,
        details.anonymous,
        details.enabled,
        event_type.created_at,
    )
    .map_err(|error| {
        if is_taken(&error) {
            Error::Conflict(format!("there is an event type with the id {} already", event_type.id))
        } else {
            error.into()
        }
    })?;
    fields::store::begin(tx, event_type).await?;
    versions::append(tx, actor, event_type, None, None).await?;
    Ok(())
}

/// The event types of a tenant, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, permit: &Permit<ReadConfiguration>) -> Result<Vec<EventType>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, id, name, description, contract, policy, unique_fields, searchable_fields, anonymous, enabled,
            created_at, updated_at
         FROM event_types WHERE tenant_id = $1 ORDER BY lower(name), id",
        permit.tenant(),
    )?;
    rows.into_iter().map(EventType::try_from).collect()
}

/// What the event types of a tenant are called, by name; without their contracts, which may be long.
///
/// # Errors
/// When the database fails.
pub async fn names(db: &Db, tenant: TenantId) -> Result<Vec<(EventTypeId, Name)>> {
    Ok(sql!(
        all(EventTypeId, Name),
        db,
        "SELECT id, name FROM event_types WHERE tenant_id = $1 ORDER BY lower(name), id",
        tenant,
    )?)
}

/// What one is called, for what happens by itself.
///
/// # Errors
/// When the database fails.
pub async fn name_of(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<Option<Name>> {
    let text = "SELECT name FROM event_types WHERE tenant_id = $1 AND id = $2";
    Ok(sql!(opt(Name,), tx, text, tenant, id)?.map(|(name,)| name))
}

/// What all are called: for pages about all tenants.
///
/// # Errors
/// When the database fails.
pub async fn names_of_all(db: &Db, _grant: &Grant<ListTenants>) -> Result<Vec<(TenantId, EventTypeId, Name)>> {
    Ok(sql!(all(TenantId, EventTypeId, Name), db, "SELECT tenant_id, id, name FROM event_types")?)
}

/// The event types of all tenants, without anybody's permission: what the front door keeps in memory. Nothing that
/// answers to a person may call this. Contracts are compiled when they are first asked; one whose text has not
/// changed is best taken over from the snapshot before (`==` compares the texts).
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> Result<Vec<EventType>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, id, name, description, contract, policy, unique_fields, searchable_fields, anonymous, enabled,
            created_at, updated_at
         FROM event_types",
    )?;
    rows.into_iter().map(EventType::try_from).collect()
}

/// One event type.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadConfiguration>, id: EventTypeId) -> Result<EventType> {
    let row = sql!(
        opt Row, db,
        "SELECT tenant_id, id, name, description, contract, policy, unique_fields, searchable_fields, anonymous, enabled,
            created_at, updated_at
         FROM event_types WHERE tenant_id = $1 AND id = $2",
        permit.tenant(),
        id,
    )?;
    row.ok_or(Error::NotFound("event type"))?.try_into()
}

/// One event type, inside a transaction that has locked its tenant.
pub(super) async fn get_in(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<EventType> {
    let row = sql!(
        opt Row, tx,
        "SELECT tenant_id, id, name, description, contract, policy, unique_fields, searchable_fields, anonymous, enabled,
            created_at, updated_at
         FROM event_types WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
    )?;
    row.ok_or(Error::NotFound("event type"))?.try_into()
}

/// Writes what people decide about a type. Whoever changes its contract adds a version too.
pub(super) async fn store_details(tx: &mut Tx, event_type: &EventType) -> Result<()> {
    let details = &event_type.details;
    sql!(
        exec tx,
        "UPDATE event_types
         SET name = $3, description = $4, contract = $5, policy = $6, unique_fields = $7,
            searchable_fields = $8, anonymous = $9, enabled = $10, updated_at = $11
         WHERE tenant_id = $1 AND id = $2",
        event_type.tenant_id,
        event_type.id,
        &details.name,
        &details.description,
        details.contract.text(),
        details.policy,
        json(&details.unique_fields)?,
        json(&details.searchable_fields)?,
        details.anonymous,
        details.enabled,
        event_type.updated_at,
    )?;
    Ok(())
}

/// Changes what `change` changes; what changes nothing is neither written nor audited. Another contract becomes the
/// next version.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn update(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: EventTypeId,
    change: impl FnOnce(&mut Details) + Send + 'static,
) -> Result<EventType> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, permit.tenant()).await?;
            let before = get_in(tx, permit.tenant(), id).await?;
            let mut after = before.clone();
            change(&mut after.details);
            if after.details == before.details {
                return Ok(after);
            }
            after.updated_at = clock.now();
            store_details(tx, &after).await?;
            if after.details.searchable_fields != before.details.searchable_fields {
                fields::store::change(tx, &clock, &permit, &after).await?;
            }
            if after.details.contract != before.details.contract {
                versions::append(tx, permit.actor(), &after, None, None).await?;
            }
            let action = match (before.details.enabled, after.details.enabled) {
                (true, false) => "event-type.disable",
                (false, true) => "event-type.enable",
                _ => "event-type.change",
            };
            written(tx, &clock, permit.actor(), action, Some(&before), &after).await?;
            Ok(after)
        })
    })
    .await
}

fn json(fields: &impl Serialize) -> Result<String> {
    serde_json::to_string(fields).map_err(Error::internal)
}

async fn written(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    before: Option<&EventType>,
    after: &EventType,
) -> Result<()> {
    audit::record(
        tx,
        clock,
        Entry {
            actor,
            tenant: Some(after.tenant_id),
            action,
            object: after.id.to_string(),
            before: before.and_then(snapshot),
            after: snapshot(after),
        },
    )
    .await?;
    audit::configuration_changed(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::each;

    async fn tenant(db: &Db) -> TenantId {
        let cli = Actor::cli();
        let made = tenants::create(db, &Clock::system(), &cli.grant().unwrap(), None, "Acme".parse().unwrap()).await;
        made.unwrap().id
    }

    #[tokio::test]
    async fn an_event_type_reads_back_as_it_was_written() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let tenant = tenant(&db).await;
            let permit = cli.permit::<Configure>(tenant).unwrap();
            let read = cli.permit::<ReadConfiguration>(tenant).unwrap();
            let details = Details {
                description: "What a shop sells.\nIn lines.".into(),
                contract: Contract::parse(r#"{"required":["Order ID"]}"#).unwrap(),
                policy: Policy::Warn,
                unique_fields: UniqueFields::parse(["Order ID", "/a~1b"]).unwrap(),
                searchable_fields: SearchableFields::parse(["E-mail"]).unwrap(),
                anonymous: true,
                ..Details::named("Sale".parse().unwrap())
            };
            let made = create(&db, &clock, &permit, None, details).await.unwrap();
            assert_eq!(get(&db, &read, made.id).await.unwrap(), made);
            assert_eq!(list(&db, &read).await.unwrap(), std::slice::from_ref(&made));
            assert_eq!(all(&db).await.unwrap(), std::slice::from_ref(&made));
            assert_eq!(made.details.contract.check(&serde_json::json!({})).len(), 1);

            let again = create(&db, &clock, &permit, Some(made.id), made.details.clone()).await;
            assert!(matches!(again, Err(Error::Conflict(_))));

            clock.advance(60);
            let changed = update(&db, &clock, &permit, made.id, |details| details.enabled = false).await.unwrap();
            assert!(!changed.details.enabled && changed.updated_at > made.updated_at);
            assert_eq!(get(&db, &read, made.id).await.unwrap(), changed);
            let same = update(&db, &clock, &permit, made.id, |details| details.enabled = false).await.unwrap();
            assert_eq!(same, changed);
            let actions = sql!(values String, &db, "SELECT action FROM audit WHERE object_id <> $1 ORDER BY at, id", tenant.to_string());
            assert_eq!(actions.unwrap(), ["event-type.create", "event-type.disable"]);
            assert_eq!(sql!(value i64, &db, "SELECT version FROM configuration").unwrap(), 4);
        })
        .await;
    }

    #[tokio::test]
    async fn what_belongs_to_another_tenant_is_not_found() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let (own, other) = (tenant(&db).await, tenant(&db).await);
            let details = Details::named("Sale".parse().unwrap());
            let made = create(&db, &clock, &cli.permit(own).unwrap(), None, details.clone()).await.unwrap();
            let foreign = get(&db, &cli.permit(other).unwrap(), made.id).await;
            assert!(matches!(foreign, Err(Error::NotFound("event type"))));
            let changed = update(&db, &clock, &cli.permit(other).unwrap(), made.id, |d| d.enabled = false).await;
            assert!(matches!(changed, Err(Error::NotFound("event type"))));
            assert!(list(&db, &cli.permit(other).unwrap()).await.unwrap().is_empty());
            // the same id may stand in two tenants
            assert!(create(&db, &clock, &cli.permit(other).unwrap(), Some(made.id), details.clone()).await.is_ok());
            let nobody = cli.permit(TenantId::new(&clock)).unwrap();
            assert!(matches!(create(&db, &clock, &nobody, None, details).await, Err(Error::NotFound("tenant"))));
        })
        .await;
    }
}
