//! What types are watched for.
use std::collections::HashMap;

use super::super::Rules;
use crate::{
    auth::{
        Configure, Permit, ReadConfiguration,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::Db,
    error::{Error, Result},
    ids::{EventTypeId, TenantId},
    sql,
};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) tenant_id: TenantId,
    pub(super) event_type_id: EventTypeId,
    #[sqlx(flatten)]
    pub(super) rules: Rules,
}

/// What the types of a tenant are watched for, where somebody has said so.
///
/// # Errors
/// When the database does.
pub async fn rules_of(db: &Db, permit: &Permit<ReadConfiguration>) -> Result<HashMap<EventTypeId, Rules>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, event_type_id, silence, failures, rejections, percent, hours, minimum
         FROM alert_rules WHERE tenant_id = $1",
        permit.tenant(),
    )?;
    Ok(rows.into_iter().map(|row| (row.event_type_id, row.rules)).collect())
}

/// Says what a type is watched for. What is so already is neither written nor audited.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has no such type; when the database fails.
pub async fn set_rules(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    event_type: EventTypeId,
    rules: Rules,
) -> Result<()> {
    let (clock, permit) = (clock.clone(), permit.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = permit.tenant();
            let text = "UPDATE event_types SET enabled = enabled WHERE tenant_id = $1 AND id = $2";
            if sql!(exec tx, text, tenant, event_type)? == 0 {
                return Err(Error::NotFound("event type"));
            }
            let text = "SELECT silence, failures, rejections, percent, hours, minimum FROM alert_rules
                WHERE tenant_id = $1 AND event_type_id = $2";
            let before = sql!(opt Rules, tx, text, tenant, event_type)?.unwrap_or_default();
            if before == rules {
                return Ok(());
            }
            sql!(
                exec tx,
                "INSERT INTO alert_rules
                    (tenant_id, event_type_id, silence, failures, rejections, percent, hours, minimum)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (tenant_id, event_type_id) DO UPDATE SET silence = excluded.silence,
                    failures = excluded.failures, rejections = excluded.rejections, percent = excluded.percent,
                    hours = excluded.hours, minimum = excluded.minimum",
                tenant,
                event_type,
                rules.silence,
                rules.failures,
                rules.rejections,
                rules.percent,
                rules.hours,
                rules.minimum,
            )?;
            let entry = Entry {
                actor: permit.actor(),
                tenant: Some(tenant),
                action: "alert-rules.change",
                object: event_type.to_string(),
                before: snapshot(&before),
                after: snapshot(&rules),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}
