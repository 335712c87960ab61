//! The investigation of an intake: a time box, its questions, and the time that was spent.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Note, audit, lock, note};
use crate::{
    auth::{Actor, Permit, Right, RunInvestigations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, TenantId, new_id},
    intake::{Integration, Stage, hours},
    sql,
};

/// A time-boxed project that answers an intake's open questions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Investigation {
    /// What is planned.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub plan: Plan,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How it ended, in words; empty while it has not.
    pub conclusion: String,
    /// When it ended.
    pub concluded_at: Option<DateTime<Utc>>,
}

/// What is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What is to be known at the end.
    pub goal: String,
    /// The time box, in minutes; 0 while nobody has set one.
    pub minutes: i64,
    /// The day by which it ends; empty: none.
    pub due_on: String,
}

/// A question or hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct OpenQuestion {
    /// Its id.
    pub id: Uuid,
    /// What is asked, or supposed.
    pub question: String,
    /// How it is found out.
    pub method: String,
    /// Who finds out.
    pub owner: String,
    /// The answer; empty while there is none.
    pub answer: String,
    /// What it rests on.
    pub evidence: String,
    /// Who last wrote here.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Time that was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// On which day.
    pub day: String,
    /// How much, in minutes.
    pub minutes: i64,
    /// On what.
    pub what: String,
    /// By whom.
    pub who: String,
}

/// The investigation of an intake, if there is or was one.
///
/// # Errors
/// When the database fails.
pub async fn investigation<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Option<Investigation>> {
    Ok(sql!(
        opt Investigation, db,
        "SELECT goal, minutes, due_on, started_at, conclusion, concluded_at FROM investigations
         WHERE tenant_id = $1 AND integration_id = $2",
        permit.tenant(),
        id,
    )?)
}

/// Its questions, in the order in which they were asked.
///
/// # Errors
/// When the database fails.
pub async fn questions<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<OpenQuestion>> {
    Ok(sql!(
        all OpenQuestion, db,
        "SELECT id, question, method, owner, answer, evidence, changed_by, changed_at FROM investigation_questions
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY id",
        permit.tenant(),
        id,
    )?)
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`] when there is none such; when the database fails.
pub async fn question<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId, of: Uuid) -> Result<OpenQuestion> {
    questions(db, permit, id).await?.into_iter().find(|one| one.id == of).ok_or(Error::NotFound("question"))
}

/// The time that was spent, newest first.
///
/// # Errors
/// When the database fails.
pub async fn spent<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Spent>> {
    Ok(sql!(
        all Spent, db,
        "SELECT day, minutes, what, who FROM investigation_time
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY day DESC, id DESC LIMIT 500",
        permit.tenant(),
        id,
    )?)
}

/// Begins it, in the transaction of the step that leads to it: what the verdicts leave open is what it asks.
pub(super) async fn begin(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (tenant, id): (TenantId, IntegrationId),
) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO investigations (tenant_id, integration_id, goal, minutes, due_on, started_at, conclusion)
         VALUES ($1, $2, '', 0, '', $3, '')
         ON CONFLICT (tenant_id, integration_id) DO UPDATE SET conclusion = '', concluded_at = NULL",
        tenant,
        id,
        clock.now(),
    )?;
    let open = sql!(
        values String, tx,
        "SELECT open_questions FROM intake_verdicts WHERE tenant_id = $1 AND integration_id = $2
         ORDER BY question DESC",
        tenant,
        id,
    )?;
    let asked = sql!(
        values String, tx,
        "SELECT question FROM investigation_questions WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        id,
    )?;
    let lines = open.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty());
    for line in lines.filter(|line| !asked.iter().any(|one| one == line)).take(50) {
        insert_question(tx, clock, actor, (tenant, id), line, "", "").await?;
    }
    Ok(())
}

/// Writes down how it ended, in the transaction of the step that ends it.
pub(super) async fn conclude(
    tx: &mut Tx,
    clock: &Clock,
    (tenant, id): (TenantId, IntegrationId),
    possible: bool,
    why: &str,
) -> Result<()> {
    let verdict = if possible { "Possible" } else { "Not possible" };
    let words = if why.is_empty() { format!("{verdict}.") } else { format!("{verdict}: {why}") };
    sql!(
        exec tx,
        "UPDATE investigations SET conclusion = $3, concluded_at = $4 WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        id,
        words,
        clock.now(),
    )?;
    Ok(())
}

async fn insert_question(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (tenant, id): (TenantId, IntegrationId),
    question: &str,
    method: &str,
    owner: &str,
) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO investigation_questions (tenant_id, integration_id, id, question, method, owner, answer, evidence,
            changed_by, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $8)",
        tenant,
        id,
        new_id(clock),
        question,
        method,
        owner,
        &actor.name,
        clock.now(),
    )?;
    Ok(())
}

/// The integration, if it is under investigation.
async fn under_way(tx: &mut Tx, permit: &Permit<RunInvestigations>, id: IntegrationId) -> Result<Integration> {
    let of = lock(tx, permit.tenant(), id).await?;
    if of.stage == Stage::Investigation {
        return Ok(of);
    }
    Err(Error::Conflict(format!("there is no investigation under way: it stands at {}", of.stage.title())))
}

/// Plans it, or plans it otherwise.
///
/// # Errors
/// [`Error::Conflict`] when it is not under way; [`Error::NotFound`] when the tenant has none such; when the database
/// fails.
pub async fn plan(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunInvestigations>,
    id: IntegrationId,
    plan: Plan,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = under_way(tx, &permit, id).await?;
            let before = sql!(
                opt Plan, tx,
                "SELECT goal, minutes, due_on FROM investigations WHERE tenant_id = $1 AND integration_id = $2",
                of.tenant_id,
                id,
            )?;
            sql!(
                exec tx,
                "UPDATE investigations SET goal = $3, minutes = $4, due_on = $5
                 WHERE tenant_id = $1 AND integration_id = $2",
                of.tenant_id,
                id,
                &plan.goal,
                plan.minutes,
                &plan.due_on,
            )?;
            let due = if plan.due_on.is_empty() { String::new() } else { format!(", due on {}", plan.due_on) };
            let what = format!("planned the investigation: {}{due}", hours(plan.minutes));
            note(tx, &clock, permit.actor(), (of.tenant_id, id), Note::of(what)).await?;
            audit::written(
                tx,
                &clock,
                permit.actor(),
                &of,
                "investigation.plan",
                before.map(|plan| json!(plan)),
                json!(plan),
            )
            .await
        })
    })
    .await
}

/// Adds a question.
///
/// # Errors
/// As [`plan`].
pub async fn add_question(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunInvestigations>,
    id: IntegrationId,
    (question, method, owner): (String, String, String),
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = under_way(tx, &permit, id).await?;
            let count = sql!(
                value i64, tx,
                "SELECT COUNT(*) FROM investigation_questions WHERE tenant_id = $1 AND integration_id = $2",
                of.tenant_id,
                id,
            )?;
            if count >= 200 {
                return Err(Error::invalid("question", "an investigation of more than 200 questions is several"));
            }
            insert_question(tx, &clock, permit.actor(), (of.tenant_id, id), &question, &method, &owner).await?;
            let after = json!({ "question": question, "method": method, "owner": owner });
            audit::written(tx, &clock, permit.actor(), &of, "investigation.question", None, after).await
        })
    })
    .await
}

/// Changes a question, and answers it.
///
/// # Errors
/// As [`plan`]; [`Error::NotFound`] when there is no such question.
pub async fn answer_question(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunInvestigations>,
    id: IntegrationId,
    after: OpenQuestion,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = under_way(tx, &permit, id).await?;
            let before = sql!(
                opt OpenQuestion, tx,
                "SELECT id, question, method, owner, answer, evidence, changed_by, changed_at FROM investigation_questions
                 WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
                of.tenant_id,
                id,
                after.id,
            )?;
            let before = before.ok_or(Error::NotFound("question"))?;
            sql!(
                exec tx,
                "UPDATE investigation_questions SET question = $4, method = $5, owner = $6, answer = $7, evidence = $8,
                    changed_by = $9, changed_at = $10
                 WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
                of.tenant_id,
                id,
                after.id,
                &after.question,
                &after.method,
                &after.owner,
                &after.answer,
                &after.evidence,
                &permit.actor().name,
                clock.now(),
            )?;
            if !after.answer.is_empty() {
                let what = format!("answered “{}”", after.question);
                let told = Note { what, why: &after.answer, step: None };
                note(tx, &clock, permit.actor(), (of.tenant_id, id), told).await?;
            }
            let values = |of: &OpenQuestion| {
                json!({
                    "question": of.question, "method": of.method, "owner": of.owner, "answer": of.answer,
                    "evidence": of.evidence,
                })
            };
            let (before, after) = (Some(values(&before)), values(&after));
            audit::written(tx, &clock, permit.actor(), &of, "investigation.question", before, after).await
        })
    })
    .await
}

/// Writes down time that was spent.
///
/// # Errors
/// As [`plan`].
pub async fn spend(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunInvestigations>,
    id: IntegrationId,
    (day, minutes, what): (String, i64, String),
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = under_way(tx, &permit, id).await?;
            sql!(
                exec tx,
                "INSERT INTO investigation_time (tenant_id, integration_id, id, day, minutes, what, who)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                of.tenant_id,
                id,
                new_id(&clock),
                &day,
                minutes,
                &what,
                &permit.actor().name,
            )?;
            let after = json!({ "day": day, "minutes": minutes, "what": what });
            audit::written(tx, &clock, permit.actor(), &of, "investigation.time", None, after).await
        })
    })
    .await
}
