//! How integrations stand and fare, read for their customer: of their own tenant alone.
use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use super::health::{Diagnosis, SourceSeen, TypeSeen, diagnose};
use crate::{
    auth::{Permit, SeePortal, audit, audit::Entry},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    events::{rhythm, store::last_of_types},
    ids::{EventTypeId, IntegrationId},
    intake::{Integration, Stage, store as intake},
    polling, sql,
};

/// How many days the bars of a live integration show.
pub const DAYS: u64 = 90;

/// How one integration stands for its customer.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The integration.
    pub of: Integration,
    /// How it fares; none while nothing is connected.
    pub diagnosis: Option<Diagnosis>,
    /// When its newest event came.
    pub last_at: Option<DateTime<Utc>>,
    /// Events of the last 24 hours: those that kept what was agreed, and those that did not.
    pub today: (i64, i64),
    /// The systems that are asked.
    pub sources: Vec<SourceSeen>,
}

#[derive(sqlx::FromRow)]
struct TypeRow {
    integration_id: IntegrationId,
    id: EventTypeId,
    name: String,
}

#[derive(sqlx::FromRow)]
struct SourceRow {
    integration_id: IntegrationId,
    name: String,
    state: polling::State,
    health: polling::Health,
    starts_at: DateTime<Utc>,
    complete_until: Option<DateTime<Utc>>,
}

/// How the integrations of a tenant stand, newest first.
///
/// # Errors
/// When the database fails.
pub async fn standings(db: &Db, clock: &Clock, permit: &Permit<SeePortal>) -> Result<Vec<Standing>> {
    standing_of(db, clock, permit, intake::of_tenant(db, permit).await?).await
}

async fn standing_of(
    db: &Db,
    clock: &Clock,
    permit: &Permit<SeePortal>,
    all: Vec<Integration>,
) -> Result<Vec<Standing>> {
    let (tenant, now) = (permit.tenant(), clock.now());
    let types = sql!(
        all TypeRow, db,
        "SELECT d.integration_id, t.id, t.name FROM implementation_drafts AS d
         JOIN event_types AS t ON t.tenant_id = d.tenant_id AND t.id = d.made_id
         WHERE d.tenant_id = $1 AND d.kind = 'event-type' ORDER BY d.integration_id, d.place",
        tenant,
    )?;
    let sources = sql!(
        all SourceRow, db,
        "SELECT d.integration_id, s.name, s.state, s.health, s.starts_at,
                COALESCE((SELECT MIN(w.from_at) FROM windows AS w WHERE w.tenant_id = s.tenant_id AND w.source_id = s.id
                            AND w.kind = 'scheduled' AND w.done_at IS NULL AND w.state <> 'split'),
                         s.watermark) AS complete_until
         FROM implementation_drafts AS d
         JOIN sources AS s ON s.tenant_id = d.tenant_id AND s.id = d.made_id
         WHERE d.tenant_id = $1 AND d.kind = 'source' AND s.state <> 'removed' ORDER BY d.integration_id, d.place",
        tenant,
    )?;
    let counted: HashMap<_, _> = last_of_types(db, permit, now - TimeDelta::hours(23))
        .await?
        .into_iter()
        .map(|one| (one.event_type_id, one))
        .collect();
    let rhythms = rhythm::of_tenant(db, permit, now).await?;
    let seen = |of: Integration| {
        let types: Vec<TypeSeen> = types
            .iter()
            .filter(|one| one.integration_id == of.id)
            .map(|one| {
                let figures = counted.get(&one.id);
                let watched = rhythms.get(&one.id);
                TypeSeen {
                    name: one.name.clone(),
                    last_at: watched.and_then(|one| one.last_at),
                    accepted: figures.map_or(0, |one| one.accepted),
                    quarantined: figures.map_or(0, |one| one.quarantined),
                    verdict: watched.map_or_else(Default::default, |one| one.verdict),
                }
            })
            .collect();
        let sources: Vec<SourceSeen> = sources
            .iter()
            .filter(|one| one.integration_id == of.id)
            .map(|one| SourceSeen {
                name: one.name.clone(),
                state: one.state,
                health: one.health,
                complete_until: one.complete_until.filter(|until| *until > one.starts_at),
            })
            .collect();
        let connected = !types.is_empty() || !sources.is_empty();
        let shown = connected && matches!(of.stage, Stage::Implementation | Stage::Live);
        Standing {
            diagnosis: shown.then(|| diagnose(&types, &sources, now)),
            last_at: types.iter().filter_map(|one| one.last_at).max(),
            today: types.iter().fold((0, 0), |(good, bad), one| (good + one.accepted, bad + one.quarantined)),
            sources,
            of,
        }
    };
    Ok(all.into_iter().map(seen).collect())
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn standing(db: &Db, clock: &Clock, permit: &Permit<SeePortal>, id: IntegrationId) -> Result<Standing> {
    let one = intake::get(db, permit, id).await?;
    let found = standing_of(db, clock, permit, vec![one]).await?.pop();
    found.ok_or(Error::NotFound("integration"))
}

/// One day of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Which, in UTC.
    pub day: NaiveDate,
    /// Events that kept what was agreed.
    pub good: u64,
    /// Events that did not.
    pub bad: u64,
}

#[derive(sqlx::FromRow)]
struct HourRow {
    hour: DateTime<Utc>,
    accepted: i64,
    quarantined: i64,
}

/// The last [`DAYS`] days of an integration, today's the last.
///
/// # Errors
/// When the database fails.
pub async fn days(db: &Db, clock: &Clock, permit: &Permit<SeePortal>, id: IntegrationId) -> Result<Vec<Day>> {
    let today = clock.now().date_naive();
    let first = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let mut days: Vec<_> =
        first.iter_days().take_while(|day| *day <= today).map(|day| Day { day, good: 0, bad: 0 }).collect();
    let hours = sql!(
        all HourRow, db,
        "SELECT c.hour, CAST(SUM(c.accepted) AS BIGINT) AS accepted, CAST(SUM(c.quarantined) AS BIGINT) AS quarantined
         FROM implementation_drafts AS d
         JOIN event_counts AS c ON c.tenant_id = d.tenant_id AND c.event_type_id = d.made_id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.kind = 'event-type' AND c.hour >= $3
         GROUP BY c.hour",
        permit.tenant(),
        id,
        first.and_time(chrono::NaiveTime::MIN).and_utc(),
    )?;
    for one in hours {
        let at = (one.hour.date_naive() - first).num_days();
        if let Some(day) = usize::try_from(at).ok().and_then(|at| days.get_mut(at)) {
            day.good += one.accepted.unsigned_abs();
            day.bad += one.quarantined.unsigned_abs();
        }
    }
    Ok(days)
}

/// A group of events that do not fit what was agreed: which rule they break, where, and how many.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Misfit {
    /// The type, by its name.
    pub name: String,
    /// The rule.
    pub rule: String,
    /// Where in the event; empty: the whole.
    pub path: String,
    /// How many.
    pub count: i64,
    /// When the last one came.
    pub last_at: DateTime<Utc>,
}

/// What does not fit and is not mended yet, the newest first. What the events hold is not told.
///
/// # Errors
/// When the database fails.
pub async fn misfits(db: &Db, permit: &Permit<SeePortal>, id: IntegrationId) -> Result<Vec<Misfit>> {
    Ok(sql!(
        all Misfit, db,
        "SELECT t.name, g.rule, g.path, g.failures AS count, g.last_at FROM implementation_drafts AS d
         JOIN event_types AS t ON t.tenant_id = d.tenant_id AND t.id = d.made_id
         JOIN failure_groups AS g ON g.tenant_id = t.tenant_id AND g.event_type_id = t.id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.kind = 'event-type'
           AND g.state IN ('open', 'acknowledged')
         ORDER BY g.last_at DESC LIMIT 10",
        permit.tenant(),
        id,
    )?)
}

/// Writes down that somebody of ours has looked at the portal as the customer does.
///
/// # Errors
/// When the database fails.
pub async fn looked(db: &Db, clock: &Clock, permit: &Permit<SeePortal>, page: String) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (actor, tenant) = (permit.actor(), Some(permit.tenant()));
            let after = Some(json!({ "page": page }));
            let (action, object) = ("tenant.view-as-customer", permit.tenant().to_string());
            audit::record(tx, &clock, Entry { actor, tenant, action, object, before: None, after }).await
        })
    })
    .await
}
