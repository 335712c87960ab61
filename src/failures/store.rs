//! The SQL of groups, and of what events in quarantine became.
mod events;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

pub use self::events::{count, oldest, page};
use super::{Brief, Group, State};
use crate::{
    auth::{
        Configure, Grant, ListTenants, Permit, ReadPayloads,
        audit::{self, Entry},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{EventId, EventTypeId, FailureGroupId, TenantId},
    sql,
};

#[derive(sqlx::FromRow)]
struct Row {
    id: FailureGroupId,
    event_type_id: EventTypeId,
    rule: String,
    path: String,
    message: String,
    failures: i64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    samples: String,
    state: State,
    changed_by: Option<String>,
    changed_at: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    reopened_at: Option<DateTime<Utc>>,
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            event_type_id: row.event_type_id,
            rule: row.rule,
            path: row.path,
            message: row.message,
            failures: row.failures,
            first_at: row.first_at,
            last_at: row.last_at,
            samples: serde_json::from_str(&row.samples).unwrap_or_default(),
            state: row.state,
            changed_by: row.changed_by,
            changed_at: row.changed_at,
            resolved_at: row.resolved_at,
            reopened_at: row.reopened_at,
        }
    }
}

macro_rules! groups {
    ($rest:literal) => {
        concat!(
            "SELECT id, event_type_id, rule, path, message, failures, first_at, last_at, samples, state, changed_by,
                changed_at, resolved_at, reopened_at
             FROM failure_groups WHERE tenant_id = $1 ",
            $rest
        )
    };
}

/// Which groups are asked for, and in which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Which {
    /// In this state; none: open or acknowledged.
    pub states: States,
    /// Of this type.
    pub event_type: Option<EventTypeId>,
    /// The largest first, not the latest.
    pub by_count: bool,
}

/// Which states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum States {
    /// Open and acknowledged: what there is to do.
    #[default]
    ToDo,
    /// Any.
    All,
    /// This one.
    One(State),
}

impl States {
    /// Four words, some of them twice: what a statement compares with.
    fn words(self) -> [&'static str; 4] {
        match self {
            Self::ToDo => [State::Open, State::Acknowledged, State::Open, State::Open].map(State::word),
            Self::All => State::ALL.map(State::word),
            Self::One(state) => [state.word(); 4],
        }
    }
}

/// The groups of a tenant.
///
/// # Errors
/// When the database does.
pub async fn list(db: &Db, permit: &Permit<ReadPayloads>, which: Which, limit: i64) -> Result<Vec<Group>> {
    let text = if which.by_count {
        groups!(
            "AND state IN ($2, $3, $4, $5) AND event_type_id = COALESCE($6, event_type_id)
             ORDER BY failures DESC, last_at DESC, id LIMIT $7"
        )
    } else {
        groups!(
            "AND state IN ($2, $3, $4, $5) AND event_type_id = COALESCE($6, event_type_id)
             ORDER BY last_at DESC, id LIMIT $7"
        )
    };
    let [a, b, c, d] = which.states.words();
    let rows = sql!(all Row, db, text, permit.tenant(), a, b, c, d, which.event_type, limit)?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// One group.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadPayloads>, id: FailureGroupId) -> Result<Group> {
    let row = sql!(opt Row, db, groups!("AND id = $2"), permit.tenant(), id)?;
    Ok(row.ok_or(Error::NotFound("group of failures"))?.into())
}

macro_rules! briefs {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, id, event_type_id, rule, path, message, failures, first_at, state, reopened_at
             FROM failure_groups ",
            $rest
        )
    };
}

/// The open groups of all tenants, those with the latest failures first: nobody looks after them yet.
///
/// # Errors
/// When the database does.
pub async fn open_of_all(db: &Db, _grant: &Grant<ListTenants>, limit: i64) -> Result<Vec<Brief>> {
    Ok(sql!(all Brief, db, briefs!("WHERE state = 'open' ORDER BY last_at DESC, id LIMIT $1"), limit)?)
}

/// All open groups, without anybody's permission: for what raises alerts. Nothing that answers to a person may call this.
///
/// # Errors
/// When the database does.
pub async fn open_briefs(db: &Db) -> Result<Vec<Brief>> {
    Ok(sql!(all Brief, db, briefs!("WHERE state = 'open'"))?)
}

/// One group, on the same terms.
///
/// # Errors
/// When the database does.
pub async fn brief(db: &Db, tenant: TenantId, id: FailureGroupId) -> Result<Option<Brief>> {
    Ok(sql!(opt Brief, db, briefs!("WHERE tenant_id = $1 AND id = $2"), tenant, id)?)
}

/// How many groups of each state there are.
///
/// # Errors
/// When the database does.
pub async fn count_by_state(db: &Db, permit: &Permit<ReadPayloads>) -> Result<HashMap<&'static str, i64>> {
    let text = "SELECT state, COUNT(*) FROM failure_groups WHERE tenant_id = $1 GROUP BY state";
    let counts = sql!(all(State, i64), db, text, permit.tenant())?;
    Ok(counts.into_iter().map(|(state, count)| (state.word(), count)).collect())
}

/// Whether some events are still to be grouped.
///
/// # Errors
/// When the database does.
pub async fn is_behind(db: &Db, permit: &Permit<ReadPayloads>) -> Result<bool> {
    let text = "SELECT id FROM failure_work WHERE tenant_id = $1 LIMIT 1";
    Ok(sql!(opt(EventId,), db, text, permit.tenant())?.is_some())
}

/// How many events of each group are in quarantine.
///
/// # Errors
/// When the database does.
pub async fn waiting(db: &Db, permit: &Permit<ReadPayloads>) -> Result<HashMap<FailureGroupId, i64>> {
    let text = "SELECT group_id, COUNT(*) FROM failures WHERE tenant_id = $1 GROUP BY group_id";
    Ok(sql!(all(FailureGroupId, i64), db, text, permit.tenant())?.into_iter().collect())
}

/// The same, each group counted as far as `limit`: with many events, the whole count takes long.
///
/// # Errors
/// When the database does.
pub async fn waiting_up_to(db: &Db, permit: &Permit<ReadPayloads>, limit: i64) -> Result<HashMap<FailureGroupId, i64>> {
    let text = "SELECT g.id, (SELECT COUNT(*) FROM
            (SELECT f.event_id FROM failures AS f WHERE f.tenant_id = g.tenant_id AND f.group_id = g.id LIMIT $2) AS few)
        FROM failure_groups AS g WHERE g.tenant_id = $1";
    Ok(sql!(all(FailureGroupId, i64), db, text, permit.tenant(), limit)?.into_iter().collect())
}

/// One hour of a group: the group, when the hour began, and how many events.
pub type Hour = (FailureGroupId, DateTime<Utc>, i64);

/// The hours of all groups since then.
///
/// # Errors
/// When the database does.
pub async fn hours(db: &Db, permit: &Permit<ReadPayloads>, since: DateTime<Utc>) -> Result<Vec<Hour>> {
    let text = "SELECT group_id, hour, failures FROM failure_hours WHERE tenant_id = $1 AND hour >= $2";
    Ok(sql!(all(FailureGroupId, DateTime<Utc>, i64), db, text, permit.tenant(), since)?)
}

/// The hours of one group since then.
///
/// # Errors
/// When the database does.
pub async fn hours_of(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    group: FailureGroupId,
    since: DateTime<Utc>,
) -> Result<Vec<Hour>> {
    let text = "SELECT group_id, hour, failures FROM failure_hours
        WHERE tenant_id = $1 AND group_id = $2 AND hour >= $3";
    Ok(sql!(all(FailureGroupId, DateTime<Utc>, i64), db, text, permit.tenant(), group, since)?)
}

/// The groups that an event in quarantine belongs to.
///
/// # Errors
/// When the database does.
pub async fn groups_of(db: &Db, permit: &Permit<ReadPayloads>, event: EventId) -> Result<Vec<Group>> {
    let text = groups!(
        "AND id IN (SELECT group_id FROM failures WHERE tenant_id = $1 AND event_id = $2)
         ORDER BY failures DESC, id LIMIT 20"
    );
    let rows = sql!(all Row, db, text, permit.tenant(), event)?;
    Ok(rows.into_iter().map(Group::from).collect())
}

/// Says how far the mending of a group is. To say what is so already changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn set_state(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: FailureGroupId,
    state: State,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (tenant, now) = (permit.tenant(), clock.now());
            let before = lock(tx, &permit, id).await?;
            if before == state {
                return Ok(());
            }
            sql!(
                exec tx,
                "UPDATE failure_groups SET state = $3, changed_by = $4, changed_at = $5,
                    resolved_at = CASE WHEN $3 = 'resolved' THEN $5 ELSE resolved_at END,
                    reopened_at = CASE WHEN $3 = 'resolved' THEN NULL ELSE reopened_at END
                 WHERE tenant_id = $1 AND id = $2",
                tenant,
                id,
                state,
                &permit.actor().name,
                now,
            )?;
            let entry = Entry {
                actor: permit.actor(),
                tenant: Some(tenant),
                action: match state {
                    State::Open => "failure-group.reopen",
                    State::Acknowledged => "failure-group.acknowledge",
                    State::Resolved => "failure-group.resolve",
                    State::Ignored => "failure-group.ignore",
                },
                object: id.to_string(),
                before: Some(serde_json::json!({"state": before})),
                after: Some(serde_json::json!({"state": state})),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Reads the state of a group inside a transaction that changes it; no other can change it meanwhile.
async fn lock(tx: &mut Tx, permit: &Permit<Configure>, id: FailureGroupId) -> Result<State> {
    // as for tenants: a change that changes nothing locks the row on both databases
    let text = "UPDATE failure_groups SET state = state WHERE tenant_id = $1 AND id = $2 RETURNING state";
    let row = sql!(opt(State,), tx, text, permit.tenant(), id)?;
    row.map(|(state,)| state).ok_or(Error::NotFound("group of failures"))
}

/// How an event in quarantine was mended.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Mended {
    /// The event in quarantine.
    pub event_id: EventId,
    /// The event that was accepted in its place.
    pub mended_id: EventId,
    /// Who mended it.
    pub mended_by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// How an event was mended, if it was.
///
/// # Errors
/// When the database does.
pub async fn mended(db: &Db, permit: &Permit<ReadPayloads>, event: EventId) -> Result<Option<Mended>> {
    let text = "SELECT event_id, mended_id, mended_by, at FROM mended WHERE tenant_id = $1 AND event_id = $2";
    Ok(sql!(opt Mended, db, text, permit.tenant(), event)?)
}

/// The events in quarantine in whose place an event stands: most often none, or one.
///
/// # Errors
/// When the database does.
pub async fn origins(db: &Db, permit: &Permit<ReadPayloads>, event: EventId) -> Result<Vec<Mended>> {
    let text = "SELECT event_id, mended_id, mended_by, at FROM mended
        WHERE tenant_id = $1 AND mended_id = $2 ORDER BY event_id DESC LIMIT 5";
    Ok(sql!(all Mended, db, text, permit.tenant(), event)?)
}

/// Forgets groups whose newest event was received before this moment and of which no event is kept: so many at most;
/// how many they were. What somebody said is to be ignored stays, or it would be told anew.
///
/// # Errors
/// When the database does.
pub async fn forget_groups(tx: &mut Tx, tenant: TenantId, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let gone = sql!(values FailureGroupId, tx, EMPTY_GROUPS, tenant, before, limit.min(GROUPS_AT_ONCE))?;
    for id in &gone {
        sql!(exec tx, "DELETE FROM failure_hours WHERE tenant_id = $1 AND group_id = $2", tenant, *id)?;
    }
    Ok(gone.len() as u64)
}

/// How many groups go in one transaction, each with its hours.
const GROUPS_AT_ONCE: i64 = 100;

pub(crate) const EMPTY_GROUPS: &str =
    "DELETE FROM failure_groups WHERE tenant_id = $1 AND last_at < $2 AND state <> 'ignored'
        AND id IN (SELECT g.id FROM failure_groups AS g
            WHERE g.tenant_id = $1 AND g.last_at < $2 AND g.state <> 'ignored' AND NOT EXISTS
                (SELECT f.event_id FROM failures AS f WHERE f.tenant_id = $1 AND f.group_id = g.id)
            ORDER BY g.id LIMIT $3)
    RETURNING id";

/// Forgets which events before this one broke what, and what they became: they are no longer kept. Groups keep their
/// figures. So many rows at most; how many they were.
///
/// # Errors
/// When the database does.
pub async fn forget(tx: &mut Tx, tenant: TenantId, before: EventId, limit: i64) -> Result<u64> {
    let failures = sql!(exec tx, FAILURES_BEFORE, tenant, before, limit)?;
    let mended = sql!(exec tx, MENDED_BEFORE, tenant, before, limit)?;
    Ok(failures + mended)
}

/// What removes, for the test that none of it looks through a whole table.
pub(crate) const FAILURES_BEFORE: &str = "DELETE FROM failures WHERE tenant_id = $1 AND event_id IN
    (SELECT event_id FROM failures WHERE tenant_id = $1 AND event_id < $2 ORDER BY event_id LIMIT $3)";

pub(crate) const MENDED_BEFORE: &str = "DELETE FROM mended WHERE tenant_id = $1 AND event_id IN
    (SELECT event_id FROM mended WHERE tenant_id = $1 AND event_id < $2 ORDER BY event_id LIMIT $3)";
