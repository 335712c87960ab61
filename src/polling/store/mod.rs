//! The SQL of polling: reading ([`self`]), what people do ([`change`]), what the schedule does ([`plan`]), the leases of
//! windows ([`lease`]), what pages show of them ([`look`]), and what keeps the tables small ([`tidy`]).
pub mod change;
pub mod lease;
pub mod look;
pub mod plan;
#[cfg(test)]
mod tests;
pub mod tidy;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Attempt, Entry, Health, Lateness, Origin, Reconciliation, Source, State};
use crate::{
    auth::{Grant, ListTenants, Permit, Right},
    crypto::seal::Place,
    db::Db,
    error::{Error, Result},
    ids::{EventId, EventTypeId, SourceId, TenantId, WindowId},
    sql,
};

/// Most windows that one page lists.
pub const LISTED: i64 = 500;

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    id: SourceId,
    event_type_id: EventTypeId,
    name: String,
    definition: String,
    host: String,
    has_secret: bool,
    old_secret_until: Option<DateTime<Utc>>,
    state: State,
    reason: Option<String>,
    starts_at: DateTime<Utc>,
    watermark: DateTime<Utc>,
    interval_seconds: i64,
    next_run_at: DateTime<Utc>,
    skew_millis: i64,
    health: Health,
    health_since: DateTime<Utc>,
    reconcile: bool,
    checked_windows: i64,
    checked_records: i64,
    missed_records: i64,
    lateness: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Source {
    fn from(row: Row) -> Self {
        Self {
            tenant: row.tenant_id,
            id: row.id,
            event_type: row.event_type_id,
            name: row.name,
            definition: row.definition,
            host: row.host,
            has_secret: row.has_secret,
            old_secret_until: row.old_secret_until,
            state: row.state,
            reason: row.reason,
            starts_at: row.starts_at,
            watermark: row.watermark,
            interval: TimeDelta::seconds(row.interval_seconds),
            next_run_at: row.next_run_at,
            skew: TimeDelta::milliseconds(row.skew_millis),
            health: row.health,
            health_since: row.health_since,
            reconciliation: Reconciliation {
                on: row.reconcile,
                windows: row.checked_windows,
                records: row.checked_records,
                missed: row.missed_records,
            },
            // figures that cannot be read are gathered anew
            lateness: serde_json::from_str::<Lateness>(&row.lateness).unwrap_or_default(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

macro_rules! columns {
    () => {
        "tenant_id, id, event_type_id, name, definition, host, secret IS NOT NULL AS has_secret, old_secret_until, \
         state, reason, starts_at, watermark, interval_seconds, next_run_at, skew_millis, health, health_since, \
         reconcile, checked_windows, checked_records, missed_records, lateness, created_at, updated_at"
    };
}
use columns;

macro_rules! entry {
    () => {
        "id, kind, state, from_at, until_at, ask_from, planned_at, done_at, next_try_at, failures, fault, merged, \
         requests, bytes, records, fresh, duplicates, quarantined"
    };
}
use entry;

macro_rules! standings {
    ($rest:literal) => {
        concat!("SELECT tenant_id, id, event_type_id, name, state, health, health_since, reason FROM sources ", $rest)
    };
}

/// Where a source's secret is sealed for.
fn place(row: &str) -> Place<'_> {
    Place { column: "sources.secret", row }
}

/// The row that a secret is sealed for.
fn row_of(tenant: TenantId, id: SourceId) -> String {
    format!("{tenant}/{id}")
}

/// The tenant's sources, by name.
///
/// # Errors
/// When the database does.
pub async fn list<R: Right>(db: &Db, permit: &Permit<R>) -> Result<Vec<Source>> {
    let text = concat!(
        "SELECT ",
        columns!(),
        " FROM sources WHERE tenant_id = $1 AND state <> 'removed' ORDER BY lower(name), id"
    );
    Ok(sql!(all Row, db, text, permit.tenant())?.into_iter().map(Source::from).collect())
}

/// One source.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another tenant's; when the database fails.
pub async fn get<R: Right>(db: &Db, permit: &Permit<R>, id: SourceId) -> Result<Source> {
    let text = concat!("SELECT ", columns!(), " FROM sources WHERE tenant_id = $1 AND id = $2 AND state <> 'removed'");
    Ok(sql!(opt Row, db, text, permit.tenant(), id)?.ok_or(Error::NotFound("source"))?.into())
}

/// The tenant that a source belongs to: for those who name it by its id alone.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn tenant_of(db: &Db, _grant: &Grant<ListTenants>, id: SourceId) -> Result<TenantId> {
    let text = "SELECT tenant_id FROM sources WHERE id = $1 AND state <> 'removed'";
    sql!(values TenantId, db, text, id)?.first().copied().ok_or(Error::NotFound("source"))
}

/// The windows of a source that touch `[from, until)`, oldest first, at most `limit`; beyond `after`, if that is given.
///
/// # Errors
/// When the database does.
pub async fn windows<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    source: SourceId,
    within: super::Window,
    after: Option<(DateTime<Utc>, WindowId)>,
    limit: i64,
) -> Result<Vec<Entry>> {
    let (from, id) = after.unwrap_or((DateTime::UNIX_EPOCH, WindowId(Uuid::nil())));
    Ok(sql!(
        all Entry, db,
        concat!(
            "SELECT ", entry!(), " FROM windows
             WHERE tenant_id = $1 AND source_id = $2 AND from_at < $4 AND until_at > $3 AND (from_at, id) > ($5, $6)
             ORDER BY from_at, id LIMIT $7"
        ),
        permit.tenant(),
        source,
        within.from,
        within.until,
        from,
        id,
        limit,
    )?)
}

/// One window of a source.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn window<R: Right>(db: &Db, permit: &Permit<R>, source: SourceId, id: WindowId) -> Result<Entry> {
    let text = concat!("SELECT ", entry!(), " FROM windows WHERE tenant_id = $1 AND source_id = $2 AND id = $3");
    sql!(opt Entry, db, text, permit.tenant(), source, id)?.ok_or(Error::NotFound("window"))
}

/// The evidence of a window: how often it was taken, and what was asked and answered; oldest first.
///
/// # Errors
/// When the database does.
pub async fn attempts<R: Right>(db: &Db, permit: &Permit<R>, window: WindowId) -> Result<Vec<Attempt>> {
    Ok(sql!(
        all Attempt, db,
        "SELECT number, started_at, ended_at, requests, fault FROM attempts
         WHERE tenant_id = $1 AND window_id = $2 ORDER BY number",
        permit.tenant(),
        window,
    )?)
}

/// Where an event came from; none when it was not polled, or nobody knows any more.
///
/// # Errors
/// When the database does.
pub async fn origin<R: Right>(db: &Db, permit: &Permit<R>, event: EventId) -> Result<Option<Origin>> {
    Ok(sql!(
        opt Origin, db,
        "SELECT p.source_id, s.name, p.window_id, p.attempt, p.request
         FROM polled AS p JOIN sources AS s ON s.tenant_id = p.tenant_id AND s.id = p.source_id
         WHERE p.tenant_id = $1 AND p.receipt_id = $2",
        permit.tenant(),
        event.receipt(),
    )?)
}

/// How the windows of a source stand: how many are in each state that still wants something, and where the first of
/// them begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Not begun, or to be tried again.
    pub open: i64,
    /// Under way.
    pub running: i64,
    /// Not to be read until somebody has mended something.
    pub failed: i64,
    /// Up to here, everything is stored.
    #[serde(rename = "completeUntil")]
    pub complete_until: DateTime<Utc>,
}

/// What of a source's ledger is not stored yet.
///
/// # Errors
/// When the database does.
pub async fn undone<R: Right>(db: &Db, permit: &Permit<R>, source: &Source) -> Result<Undone> {
    let rows = sql!(
        all(super::ledger::State, i64, DateTime<Utc>),
        db,
        "SELECT state, COUNT(*), MIN(from_at) FROM windows
         WHERE tenant_id = $1 AND source_id = $2 AND done_at IS NULL
           AND kind IN ('scheduled', 'backfill')
         GROUP BY state",
        permit.tenant(),
        source.id,
    )?;
    let mut undone = Undone { open: 0, running: 0, failed: 0, complete_until: source.watermark };
    for (state, count, first) in rows {
        match state {
            super::ledger::State::Open => undone.open = count,
            super::ledger::State::Running => undone.running = count,
            super::ledger::State::Failed => undone.failed = count,
            super::ledger::State::Done | super::ledger::State::Split => {}
        }
        undone.complete_until = undone.complete_until.min(first);
    }
    Ok(undone)
}

/// How a source stands against its schedule: what alerts are told by. It changes at most every few seconds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub id: SourceId,
    /// What its records become.
    pub event_type_id: EventTypeId,
    /// What people call it.
    pub name: String,
    /// Whether it is asked.
    pub state: State,
    /// How it stands.
    pub health: Health,
    /// Since when.
    pub health_since: DateTime<Utc>,
    /// Why, if that is known in words.
    pub reason: Option<String>,
}

/// How all sources stand, of all tenants: for what watches over the installation, and has no session.
///
/// # Errors
/// When the database does.
pub async fn health(db: &Db) -> Result<Vec<Standing>> {
    Ok(sql!(all Standing, db, standings!("WHERE state <> 'removed' ORDER BY tenant_id, id"))?)
}

/// Those of them that do not stand as they should.
///
/// # Errors
/// When the database does.
pub async fn astray(db: &Db) -> Result<Vec<Standing>> {
    let text = standings!("WHERE health <> 'fresh' AND state <> 'removed' ORDER BY tenant_id, id");
    Ok(sql!(all Standing, db, text)?)
}

/// One of them, unless it was removed.
///
/// # Errors
/// When the database does.
pub async fn standing(db: &Db, tenant: TenantId, id: SourceId) -> Result<Option<Standing>> {
    let text = standings!("WHERE tenant_id = $1 AND id = $2 AND state <> 'removed'");
    Ok(sql!(opt Standing, db, text, tenant, id)?)
}
