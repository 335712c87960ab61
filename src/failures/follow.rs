//! Events in quarantine are put into groups here, after the answer to their sender.
//!
//! The follower of batches leaves a range of ids for each tenant whose events broke their contract. Ranges are worked
//! off a few hundred events at a time, each in one transaction with what is left of its range: however many events a
//! request holds, no transaction is long, and a process that dies leaves nothing half done. To group an event again
//! changes nothing, so ranges may overlap.
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cause, MOST, SAMPLES};
use crate::{
    db::{Db, Tx},
    error::Result,
    event_types::Breach,
    events::{self, follower::hour},
    ids::{EventId, EventTypeId, FailureGroupId, TenantId},
    sql,
};

/// How many events one transaction groups.
const AT_ONCE: i64 = 200;
/// How long the hours of a group are kept.
const KEPT: TimeDelta = TimeDelta::days(31);
/// The number of this work among those that one process does at a time.
const WORK: i32 = 4;

/// Leaves a range of events, both ends included, to be looked through for those in quarantine.
///
/// # Errors
/// When the database does.
pub async fn note(tx: &mut Tx, tenant: TenantId, low: EventId, high: EventId) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO failure_work (tenant_id, id, low, high) VALUES ($1, $2, $2, $3)
         ON CONFLICT (tenant_id, id) DO UPDATE SET
            high = CASE WHEN excluded.high > failure_work.high THEN excluded.high ELSE failure_work.high END",
        tenant,
        low,
        high,
    )?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Work {
    tenant_id: TenantId,
    id: EventId,
    low: Option<EventId>,
    high: Option<EventId>,
}

/// Groups a few events; whether there may be more.
///
/// # Errors
/// When the database does; nothing was done then.
pub async fn step(db: &Db) -> Result<bool> {
    // most of the time there is nothing, and to know that much takes no writing
    if sql!(opt(TenantId,), db, "SELECT tenant_id FROM failure_work LIMIT 1")?.is_none() {
        return Ok(false);
    }
    db.write(|tx| Box::pin(take(tx))).await
}

async fn take(tx: &mut Tx) -> Result<bool> {
    if !tx.is_alone(WORK).await? {
        return Ok(false);
    }
    // the newest first: what was there before there were groups has time
    let text = "SELECT tenant_id, id, low, high FROM failure_work ORDER BY low IS NULL, low DESC LIMIT 1";
    let Some(work) = sql!(opt Work, tx, text)? else { return Ok(false) };
    let low = work.low.unwrap_or(EventId(uuid::Uuid::nil()));
    let high = work.high.unwrap_or(EventId::MAX);
    let broken = events::store::quarantined_between(tx, work.tenant_id, low, high, AT_ONCE).await?;
    let mut grouping = Grouping::new(work.tenant_id);
    for event in &broken {
        grouping.add(tx, event.id, event.event_type_id, &event.breaches()).await?;
    }
    grouping.save(tx).await?;
    match broken.last() {
        Some(last) if i64::try_from(broken.len()).unwrap_or(0) == AT_ONCE => {
            let text = "UPDATE failure_work SET low = $3 WHERE tenant_id = $1 AND id = $2";
            sql!(exec tx, text, work.tenant_id, work.id, EventId(uuid::Uuid::from_u128(last.id.0.as_u128() + 1)))?;
        }
        _ => {
            let text = "DELETE FROM failure_work WHERE tenant_id = $1 AND id = $2";
            sql!(exec tx, text, work.tenant_id, work.id)?;
        }
    }
    Ok(true)
}

/// What some events add to the groups of a tenant.
pub(super) struct Grouping {
    tenant: TenantId,
    known: HashMap<Cause, FailureGroupId>,
    /// Ordered, so that two transactions never wait for each other in a circle.
    sums: BTreeMap<FailureGroupId, Sum>,
}

struct Sum {
    cause: Cause,
    message: String,
    failures: i64,
    hours: BTreeMap<DateTime<Utc>, i64>,
    newest: Vec<EventId>,
    first: EventId,
}

impl Grouping {
    pub(super) fn new(tenant: TenantId) -> Self {
        Self { tenant, known: HashMap::new(), sums: BTreeMap::new() }
    }

    /// Adds an event to the groups of its breaches; how many groups that are.
    pub(super) async fn add(
        &mut self,
        tx: &mut Tx,
        event: EventId,
        event_type: EventTypeId,
        breaches: &[Breach],
    ) -> Result<Vec<FailureGroupId>> {
        let mut groups = Vec::new();
        for breach in breaches {
            let (group, cause) = self.group(tx, Cause::of(event_type, breach)).await?;
            if groups.contains(&group) {
                continue;
            }
            groups.push(group);
            let text = "INSERT INTO failures (tenant_id, group_id, event_id) VALUES ($1, $2, $3)
                ON CONFLICT (tenant_id, group_id, event_id) DO NOTHING";
            if sql!(exec tx, text, self.tenant, group, event)? > 0 {
                self.sum(group, cause, breach, event);
            }
        }
        Ok(groups)
    }

    fn sum(&mut self, group: FailureGroupId, cause: Cause, breach: &Breach, event: EventId) {
        let sum = self.sums.entry(group).or_insert_with(|| Sum {
            cause,
            message: String::new(),
            failures: 0,
            hours: BTreeMap::new(),
            newest: Vec::new(),
            first: event,
        });
        sum.failures += 1;
        *sum.hours.entry(hour(event.received_at())).or_default() += 1;
        sum.first = sum.first.min(event);
        if sum.newest.iter().all(|newer| *newer < event) {
            sum.message.clone_from(&breach.message);
        }
        sum.newest = newest([event], std::mem::take(&mut sum.newest));
    }

    /// The group of a cause; that of its rule alone when its type has too many.
    async fn group(&mut self, tx: &mut Tx, cause: Cause) -> Result<(FailureGroupId, Cause)> {
        if let Some(group) = self.known.get(&cause) {
            let cause = if cause.group() == *group { cause } else { cause.elsewhere() };
            return Ok((*group, cause));
        }
        let text = "SELECT (SELECT COUNT(*) FROM failure_groups WHERE tenant_id = $1 AND id = $2),
                (SELECT COUNT(*) FROM failure_groups WHERE tenant_id = $1 AND event_type_id = $3)";
        let (is_there, of_type) = sql!(one(i64, i64), tx, text, self.tenant, cause.group(), cause.event_type)?;
        let coming = self.sums.values().filter(|sum| sum.cause.event_type == cause.event_type).count();
        let full = is_there == 0 && of_type + i64::try_from(coming).unwrap_or(i64::MAX) >= MOST;
        let shown = if full { cause.clone().elsewhere() } else { cause.clone() };
        let group = shown.group();
        self.known.insert(cause, group);
        Ok((group, shown))
    }

    /// Writes it down. A resolved group opens again when an event was received after that.
    pub(super) async fn save(self, tx: &mut Tx) -> Result<()> {
        for (group, sum) in self.sums {
            let text = "SELECT samples FROM failure_groups WHERE tenant_id = $1 AND id = $2";
            let before = sql!(opt(String,), tx, text, self.tenant, group)?;
            let before = before.and_then(|(samples,)| serde_json::from_str(&samples).ok()).unwrap_or_default();
            let last = sum.newest.first().copied().unwrap_or(sum.first);
            let samples = newest(sum.newest, before);
            sql!(
                exec tx,
                UPSERT,
                self.tenant,
                group,
                sum.cause.event_type,
                sum.cause.rule,
                sum.cause.path,
                sum.message,
                sum.failures,
                sum.first.received_at(),
                last.received_at(),
                serde_json::to_string(&samples).unwrap_or_else(|_| "[]".into()),
            )?;
            for (hour, failures) in sum.hours {
                let text = "INSERT INTO failure_hours (tenant_id, group_id, hour, failures) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (tenant_id, group_id, hour) DO UPDATE SET
                        failures = failure_hours.failures + excluded.failures";
                sql!(exec tx, text, self.tenant, group, hour, failures)?;
            }
            let text = "DELETE FROM failure_hours WHERE tenant_id = $1 AND group_id = $2 AND hour < $3";
            sql!(exec tx, text, self.tenant, group, last.received_at() - KEPT)?;
        }
        Ok(())
    }
}

const UPSERT: &str = "INSERT INTO failure_groups
        (tenant_id, id, event_type_id, rule, path, message, failures, first_at, last_at, samples, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open')
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        failures = failure_groups.failures + excluded.failures,
        message = CASE WHEN excluded.last_at >= failure_groups.last_at
            THEN excluded.message ELSE failure_groups.message END,
        first_at = CASE WHEN excluded.first_at < failure_groups.first_at
            THEN excluded.first_at ELSE failure_groups.first_at END,
        last_at = CASE WHEN excluded.last_at > failure_groups.last_at
            THEN excluded.last_at ELSE failure_groups.last_at END,
        samples = excluded.samples,
        reopened_at = CASE WHEN failure_groups.state = 'resolved' AND excluded.last_at > failure_groups.resolved_at
            THEN excluded.last_at ELSE failure_groups.reopened_at END,
        state = CASE WHEN failure_groups.state = 'resolved' AND excluded.last_at > failure_groups.resolved_at
            THEN 'open' ELSE failure_groups.state END";

/// The newest few of both, newest first.
fn newest(some: impl IntoIterator<Item = EventId>, mut others: Vec<EventId>) -> Vec<EventId> {
    others.extend(some);
    others.sort_unstable_by(|a, b| b.cmp(a));
    others.dedup();
    others.truncate(SAMPLES);
    others
}
