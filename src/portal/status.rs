//! Links by which anybody sees how one integration fares, and nothing else of it. Its customer shares them and takes them
//! back; whatever is the matter with one that does not work, nobody is told.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::{Actor, AnswerTasks, Permit, Right, Role, SeePortal},
    clock::Clock,
    crypto::Secret,
    db::Db,
    error::{Error, Result},
    ids::{IntegrationId, TenantId, new_id},
    intake::store as intake,
    sql,
};

/// The most links of one integration that work at once.
const MOST: i64 = 20;

/// A link that was shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its id.
    pub id: Uuid,
    /// Who shared it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// The links of an integration that work, newest first.
///
/// # Errors
/// When the database fails.
pub async fn links<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Link>> {
    Ok(sql!(
        all Link, db,
        "SELECT id, made_by, made_at FROM status_links
         WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL ORDER BY id DESC",
        permit.tenant(),
        id,
    )?)
}

/// Shares how an integration fares: the secret of the link, which is shown this once.
///
/// # Errors
/// [`Error::Conflict`] when there are too many already; [`Error::NotFound`] when the tenant has none such; when the
/// database fails.
pub async fn share(db: &Db, clock: &Clock, permit: &Permit<AnswerTasks>, id: IntegrationId) -> Result<Secret> {
    let secret = Secret::random();
    let (permit, clock, digest) = (permit.clone(), clock.clone(), secret.digest());
    db.write(move |tx| {
        Box::pin(async move {
            let of = intake::lock(tx, permit.tenant(), id).await?;
            let text = "SELECT COUNT(*) FROM status_links
                WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL";
            if sql!(value i64, tx, text, of.tenant_id, id)? >= MOST {
                return Err(Error::Conflict(format!("{MOST} links are shared already: take one back first")));
            }
            sql!(
                exec tx,
                "INSERT INTO status_links (tenant_id, integration_id, id, digest, made_by, made_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                of.tenant_id,
                id,
                new_id(&clock),
                digest.to_vec(),
                &permit.actor().name,
                clock.now(),
            )?;
            intake::audit::written(tx, &clock, permit.actor(), &of, "integration.share-status", None, json!({})).await
        })
    })
    .await?;
    Ok(secret)
}

/// Takes a link back: it works no longer.
///
/// # Errors
/// [`Error::NotFound`] when there is none such that works; when the database fails.
pub async fn revoke(db: &Db, clock: &Clock, permit: &Permit<AnswerTasks>, id: IntegrationId, link: Uuid) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = intake::lock(tx, permit.tenant(), id).await?;
            let gone = sql!(
                exec tx,
                "UPDATE status_links SET revoked_at = $4
                 WHERE tenant_id = $1 AND integration_id = $2 AND id = $3 AND revoked_at IS NULL",
                of.tenant_id,
                id,
                link,
                clock.now(),
            )?;
            if gone == 0 {
                return Err(Error::NotFound("link"));
            }
            intake::audit::written(tx, &clock, permit.actor(), &of, "integration.unshare-status", None, json!({})).await
        })
    })
    .await
}

/// What a link is good for: to see one integration. None when it does not work. The secret is the authority.
///
/// # Errors
/// When the database fails.
pub async fn opened(db: &Db, secret: &Secret) -> Result<Option<(Permit<SeePortal>, IntegrationId)>> {
    let found = sql!(
        opt(TenantId, IntegrationId),
        db,
        "SELECT tenant_id, integration_id FROM status_links WHERE digest = $1 AND revoked_at IS NULL",
        secret.digest().to_vec(),
    )?;
    let Some((tenant, id)) = found else { return Ok(None) };
    let anybody = Actor { role: Role::Customer, tenant: Some(tenant), name: "status page".into(), ..Actor::cli() };
    Ok(Some((anybody.permit(tenant)?, id)))
}
