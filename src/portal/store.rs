//! What the portal reads and what customers write: of their own tenant alone.
use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    MOST_BYTES,
    health::{Diagnosis, SourceSeen, TypeSeen, diagnose},
};
use crate::{
    auth::{AnswerTasks, Permit, SeePortal, audit, audit::Entry},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    events::{rhythm, store::last_of_types},
    ids::{EventTypeId, IntegrationId, new_id},
    intake::{
        Integration, Side, Stage,
        implementation::{self, Task},
        store as intake,
    },
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
    let (tenant, now) = (permit.tenant(), clock.now());
    let all = intake::of_tenant(db, permit).await?;
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
    let found = standings(db, clock, permit).await?.into_iter().find(|one| one.of.id == id);
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
    /// What is the matter, in words.
    pub message: String,
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
        "SELECT t.name, g.rule, g.path, g.message, g.failures AS count, g.last_at FROM implementation_drafts AS d
         JOIN event_types AS t ON t.tenant_id = d.tenant_id AND t.id = d.made_id
         JOIN failure_groups AS g ON g.tenant_id = t.tenant_id AND g.event_type_id = t.id
         WHERE d.tenant_id = $1 AND d.integration_id = $2 AND d.kind = 'event-type'
           AND g.state IN ('open', 'acknowledged')
         ORDER BY g.last_at DESC LIMIT 10",
        permit.tenant(),
        id,
    )?)
}

/// What a customer has answered to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its id.
    pub id: Uuid,
    /// To which task.
    pub task_id: Uuid,
    /// In words.
    pub words: String,
    /// The file that came with it, by its name.
    pub file_name: Option<String>,
    /// How long that is, in bytes.
    pub size: i64,
    /// Who answered.
    pub answered_by: String,
    /// When.
    pub answered_at: DateTime<Utc>,
}

/// What was answered, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn answers(db: &Db, permit: &Permit<SeePortal>, id: IntegrationId) -> Result<Vec<Answer>> {
    Ok(sql!(
        all Answer, db,
        "SELECT id, task_id, words, file_name, size, answered_by, answered_at FROM task_answers
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY id LIMIT 500",
        permit.tenant(),
        id,
    )?)
}

/// What is handed over with an answer.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// In words.
    pub words: String,
    /// A file: its name, and what it holds.
    pub file: Option<(String, Vec<u8>)>,
    /// Whether the task is done by that.
    pub done: bool,
}

/// Answers a task of the customer's side, and ticks it if it is done by that: both, or neither.
///
/// # Errors
/// [`Error::Invalid`] when nothing is said, or the file is too long; [`Error::Conflict`] when something comes before it;
/// [`Error::NotFound`] when there is no such task of the customer's side; when the database fails.
pub async fn answer(
    db: &Db,
    clock: &Clock,
    permit: &Permit<AnswerTasks>,
    of: IntegrationId,
    task: Uuid,
    given: Given,
) -> Result<()> {
    if given.file.as_ref().is_some_and(|(_, content)| content.len() > MOST_BYTES) {
        return Err(Error::invalid("file", "is too long: at most 10 MiB"));
    }
    if given.words.chars().count() > 4_000 {
        return Err(Error::invalid("words", "are too many: at most 4,000 characters"));
    }
    let said = !given.words.trim().is_empty() || given.file.is_some();
    if !said && !given.done {
        return Err(Error::invalid("words", "are needed: write something, choose a file, or say that it is done"));
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = intake::lock(tx, permit.tenant(), of).await?;
            let asked = implementation::store::of_customer(tx, &integration, task).await?;
            if said {
                let size = given.file.as_ref().map_or(0, |(_, content)| content.len());
                let (file_name, content) = given.file.clone().unzip();
                sql!(
                    exec tx,
                    "INSERT INTO task_answers (tenant_id, integration_id, id, task_id, words, file_name, size, content,
                        answered_by, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    permit.tenant(),
                    of,
                    new_id(&clock),
                    task,
                    given.words.trim(),
                    &file_name,
                    i64::try_from(size).unwrap_or(i64::MAX),
                    content,
                    &permit.actor().name,
                    clock.now(),
                )?;
                let after =
                    json!({"task": asked.details.title, "words": given.words.trim(), "file": file_name, "bytes": size});
                intake::audit::written(
                    tx,
                    &clock,
                    permit.actor(),
                    &integration,
                    "integration.answer-task",
                    None,
                    after,
                )
                .await?;
            }
            if given.done {
                implementation::store::tick(tx, &clock, permit.actor(), &integration, &asked).await?;
            }
            Ok(())
        })
    })
    .await
}

/// What a file holds that came with an answer.
///
/// # Errors
/// [`Error::NotFound`] when there is none such; when the database fails.
pub async fn file(db: &Db, permit: &Permit<SeePortal>, of: IntegrationId, answer: Uuid) -> Result<(String, Vec<u8>)> {
    let found = sql!(
        opt(String, Vec<u8>),
        db,
        "SELECT file_name, content FROM task_answers
         WHERE tenant_id = $1 AND integration_id = $2 AND id = $3 AND file_name IS NOT NULL",
        permit.tenant(),
        of,
        answer,
    )?;
    found.ok_or(Error::NotFound("file"))
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

/// The tasks that the customer is asked for, those that can be done now first.
pub fn asked_for(whole: &implementation::Whole) -> Vec<&Task> {
    let mut tasks: Vec<_> = whole.tasks.iter().filter(|task| task.details.side == Side::Customer).collect();
    tasks.sort_by_key(|task| {
        (
            task.done_at.is_some(),
            whole.before(task).next().is_some(),
            task.details.due_on.is_empty(),
            task.details.due_on.clone(),
        )
    });
    tasks
}
