//! Which hosts there are, and which of this network are allowed.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::Host;
use crate::{
    auth::{Administer, Grant, audit, audit::Entry},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    polling::store::lease::SLOTS,
    sql,
};

/// The most hosts of a list.
const MOST: i64 = 500;

/// A host that sources ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    /// How many sources, of all tenants.
    pub sources: i64,
    /// Windows of it under way.
    pub running: i64,
    /// How many may be, at most.
    pub slots: i64,
    /// Requests a minute, at most; 0 is no limit.
    pub per_minute: i64,
    /// Until when it has asked to be left alone.
    pub not_before: DateTime<Utc>,
}

/// A host inside this network that an administrator has allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    /// Who did.
    pub allowed_by: String,
    /// When.
    pub allowed_at: DateTime<Utc>,
}

/// The hosts that sources ask, or that are limited, by their names.
///
/// # Errors
/// When the database fails.
pub async fn asked(db: &Db, _grant: &Grant<Administer>) -> Result<Vec<Asked>> {
    let leases = db.now().await?;
    Ok(sql!(
        all Asked, db,
        "SELECT all_of.host AS host, CAST(SUM(all_of.sources) AS BIGINT) AS sources,
                CAST(SUM(all_of.running) AS BIGINT) AS running,
                COALESCE(MAX(h.slots), $2) AS slots, COALESCE(MAX(h.per_minute), 0) AS per_minute,
                COALESCE(MAX(h.not_before), $3) AS not_before
         FROM (SELECT host, COUNT(*) AS sources, 0 AS running FROM sources GROUP BY host
               UNION ALL
               SELECT host, 0, COUNT(*) FROM windows WHERE state = 'running' AND held_until > $1 GROUP BY host
               UNION ALL
               SELECT host, 0, 0 FROM poll_hosts) AS all_of
         LEFT JOIN poll_hosts AS h ON h.host = all_of.host
         GROUP BY all_of.host ORDER BY all_of.host LIMIT $4",
        leases,
        SLOTS,
        DateTime::<Utc>::UNIX_EPOCH,
        MOST,
    )?)
}

/// The hosts inside this network that administrators have allowed, by their names.
///
/// # Errors
/// When the database fails.
pub async fn granted(db: &Db, _grant: &Grant<Administer>) -> Result<Vec<Granted>> {
    Ok(sql!(all Granted, db, "SELECT host, allowed_by, allowed_at FROM allowed_hosts ORDER BY host")?)
}

/// Their names, for the client that goes there.
///
/// # Errors
/// When the database fails.
pub async fn names(db: &Db) -> Result<Vec<String>> {
    Ok(sql!(values String, db, "SELECT host FROM allowed_hosts ORDER BY host")?)
}

/// Allows a host inside this network. Running servers go there within a second.
///
/// # Errors
/// [`Error::Conflict`] when it is allowed already; when the database fails.
pub async fn allow(db: &Db, clock: &Clock, grant: &Grant<Administer>, host: Host) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let new = sql!(
                exec tx,
                "INSERT INTO allowed_hosts (host, allowed_by, allowed_at) VALUES ($1, $2, $3) ON CONFLICT (host) DO NOTHING",
                host.as_str(),
                &actor.name,
                clock.now(),
            )?;
            if new == 0 {
                return Err(Error::Conflict(format!("{host} is allowed already")));
            }
            let after = Some(json!({"host": host.as_str()}));
            let (action, object) = ("host.allow", host.to_string());
            let entry = Entry { actor: &actor, tenant: None, action, object, before: None, after };
            audit::record(tx, &clock, entry).await?;
            audit::configuration_changed(tx).await
        })
    })
    .await
}

/// Allows it no longer. What is under way there goes on to its end.
///
/// # Errors
/// [`Error::NotFound`] when nobody has allowed it; when the database fails.
pub async fn withdraw(db: &Db, clock: &Clock, grant: &Grant<Administer>, host: Host) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            if sql!(exec tx, "DELETE FROM allowed_hosts WHERE host = $1", host.as_str())? == 0 {
                return Err(Error::NotFound("allowed host"));
            }
            let before = Some(json!({"host": host.as_str()}));
            let (action, object) = ("host.withdraw", host.to_string());
            let entry = Entry { actor: &actor, tenant: None, action, object, before, after: None };
            audit::record(tx, &clock, entry).await?;
            audit::configuration_changed(tx).await
        })
    })
    .await
}
