//! Tenants in the database.
use chrono::{DateTime, Utc};

use super::{Origin, Tenant};
use crate::{
    auth::{
        Actor, Configure, CreateTenants, Grant, ListTenants, Permit, See,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result, is_taken},
    ids::TenantId,
    name::Name,
    sql,
};

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    name: Name,
    enabled: bool,
    cors_origins: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Tenant {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.tenant_id,
            name: row.name,
            enabled: row.enabled,
            cors_origins: serde_json::from_str(&row.cors_origins).map_err(Error::internal)?,
            created_at: row.created_at,
        })
    }
}

/// Creates a tenant; one that moves here brings its `id`.
///
/// # Errors
/// [`Error::Conflict`] when the id is taken; when the database fails.
pub async fn create(
    db: &Db,
    clock: &Clock,
    grant: &Grant<CreateTenants>,
    id: Option<TenantId>,
    name: Name,
) -> Result<Tenant> {
    let tenant = Tenant {
        id: id.unwrap_or_else(|| TenantId::new(clock)),
        name,
        enabled: true,
        cors_origins: Vec::new(),
        created_at: clock.now(),
    };
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            sql!(
                exec tx,
                "INSERT INTO tenants (tenant_id, name, enabled, cors_origins, created_at) VALUES ($1, $2, $3, '[]', $4)",
                tenant.id,
                &tenant.name,
                tenant.enabled,
                tenant.created_at,
            )
            .map_err(|error| {
                if is_taken(&error) {
                    Error::Conflict(format!("there is a tenant with the id {} already", tenant.id))
                } else {
                    error.into()
                }
            })?;
            written(tx, &clock, &actor, "tenant.create", None, &tenant).await?;
            Ok(tenant)
        })
    })
    .await
}

/// All tenants, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, _grant: &Grant<ListTenants>) -> Result<Vec<Tenant>> {
    all(db).await
}

/// The first tenants by name: as many as a menu can hold.
///
/// # Errors
/// When the database fails.
pub async fn first(db: &Db, _grant: &Grant<ListTenants>) -> Result<Vec<Tenant>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, name, enabled, cors_origins, created_at FROM tenants
         ORDER BY lower(name), tenant_id LIMIT 50",
    )?;
    rows.into_iter().map(Tenant::try_from).collect()
}

/// All tenants, by name, without anybody's permission: what the front door keeps in memory. Nothing that answers
/// to a person may call this.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> Result<Vec<Tenant>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, name, enabled, cors_origins, created_at FROM tenants ORDER BY lower(name), tenant_id",
    )?;
    rows.into_iter().map(Tenant::try_from).collect()
}

/// One tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn get(db: &Db, permit: &Permit<See>) -> Result<Tenant> {
    let row = sql!(
        opt Row, db,
        "SELECT tenant_id, name, enabled, cors_origins, created_at FROM tenants WHERE tenant_id = $1",
        permit.tenant(),
    )?;
    row.ok_or(Error::NotFound("tenant"))?.try_into()
}

/// Calls it something else.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn rename(db: &Db, clock: &Clock, permit: &Permit<Configure>, name: Name) -> Result<Tenant> {
    change(db, clock, permit, "tenant.rename", move |tenant| tenant.name = name).await
}

/// Lets the front door accept its events, or refuse them all.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn set_enabled(db: &Db, clock: &Clock, permit: &Permit<Configure>, enabled: bool) -> Result<Tenant> {
    let action = if enabled { "tenant.enable" } else { "tenant.disable" };
    change(db, clock, permit, action, move |tenant| tenant.enabled = enabled).await
}

/// Sets which web pages may post events from a browser.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn set_cors_origins(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    origins: Vec<Origin>,
) -> Result<Tenant> {
    change(db, clock, permit, "tenant.origins", move |tenant| tenant.cors_origins = origins).await
}

/// Changes one tenant; what changes nothing is neither written nor audited.
async fn change(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    action: &'static str,
    apply: impl FnOnce(&mut Tenant) + Send + 'static,
) -> Result<Tenant> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant()).await?;
            let mut after = before.clone();
            apply(&mut after);
            if after != before {
                sql!(
                    exec tx,
                    "UPDATE tenants SET name = $2, enabled = $3, cors_origins = $4 WHERE tenant_id = $1",
                    after.id,
                    &after.name,
                    after.enabled,
                    serde_json::to_string(&after.cors_origins).map_err(Error::internal)?,
                )?;
                written(tx, &clock, permit.actor(), action, Some(&before), &after).await?;
            }
            Ok(after)
        })
    })
    .await
}

/// Reads a tenant inside a transaction that changes it or something of it; no other can change it meanwhile.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn lock(tx: &mut Tx, id: TenantId) -> Result<Tenant> {
    // SQLite has one writer and knows no FOR UPDATE: a change that changes nothing locks the row on both
    sql!(exec tx, "UPDATE tenants SET enabled = enabled WHERE tenant_id = $1", id)?;
    let row = sql!(
        opt Row, tx,
        "SELECT tenant_id, name, enabled, cors_origins, created_at FROM tenants WHERE tenant_id = $1",
        id,
    )?;
    row.ok_or(Error::NotFound("tenant"))?.try_into()
}

async fn written(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    before: Option<&Tenant>,
    after: &Tenant,
) -> Result<()> {
    audit::record(
        tx,
        clock,
        Entry {
            actor,
            tenant: Some(after.id),
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

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    async fn version(db: &Db) -> i64 {
        sql!(value i64, db, "SELECT version FROM configuration").unwrap()
    }

    #[tokio::test]
    async fn a_tenant_is_created_found_changed_and_audited() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let made = create(&db, &clock, &cli.grant().unwrap(), None, name("Acme")).await.unwrap();
            let permit = cli.permit::<Configure>(made.id).unwrap();
            assert_eq!(get(&db, &cli.permit(made.id).unwrap()).await.unwrap(), made);
            assert!(made.enabled);

            rename(&db, &clock, &permit, name("Acme 2")).await.unwrap();
            set_enabled(&db, &clock, &permit, false).await.unwrap();
            let origins = Origin::parse_lines("https://a.example\nhttps://b.example:8443").unwrap();
            let changed = set_cors_origins(&db, &clock, &permit, origins.clone()).await.unwrap();
            assert_eq!((changed.name.as_str(), changed.enabled, &changed.cors_origins), ("Acme 2", false, &origins));
            assert_eq!(list(&db, &cli.grant().unwrap()).await.unwrap(), [changed]);
            assert_eq!(version(&db).await, 5);

            // what changes nothing leaves no trace
            rename(&db, &clock, &permit, name("Acme 2")).await.unwrap();
            assert_eq!(version(&db).await, 5);
            let actions = sql!(values String, &db, "SELECT action FROM audit ORDER BY at, id").unwrap();
            assert_eq!(actions, ["tenant.create", "tenant.rename", "tenant.disable", "tenant.origins"]);
            let before = sql!(values Option<String>, &db, "SELECT before FROM audit WHERE action = 'tenant.rename'");
            assert!(before.unwrap()[0].as_deref().unwrap().contains(r#""name":"Acme""#));
        })
        .await;
    }

    #[tokio::test]
    async fn a_given_id_is_taken_once() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let id: TenantId = "0198C0DE-0000-4000-8000-000000000001".parse().unwrap();
            let grant = cli.grant().unwrap();
            assert_eq!(create(&db, &clock, &grant, Some(id), name("First")).await.unwrap().id, id);
            let again = create(&db, &clock, &grant, Some(id), name("Second")).await;
            assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
            assert_eq!(all(&db).await.unwrap().len(), 1);
            assert_eq!(sql!(value i64, &db, "SELECT COUNT(*) FROM audit").unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_tenant_that_is_not_there_is_not_found() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let nobody = TenantId::new(&clock);
            let read = get(&db, &cli.permit(nobody).unwrap()).await;
            let changed = rename(&db, &clock, &cli.permit(nobody).unwrap(), name("x")).await;
            assert!(matches!(read, Err(Error::NotFound("tenant"))));
            assert!(matches!(changed, Err(Error::NotFound("tenant"))));
        })
        .await;
    }
}
