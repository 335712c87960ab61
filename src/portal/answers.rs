//! What customers answer to the tasks of their side: words, and perhaps a file.
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::{AnswerTasks, Permit, SeePortal},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, TenantId, new_id},
    intake::{
        Side,
        implementation::{self, Task, Whole},
        parse_text, store as intake,
    },
    sql,
};

/// The longest file, in bytes.
pub const MOST_BYTES: usize = 10 << 20;
/// The most characters of an answer.
const MOST_WORDS: usize = 4_000;
/// The most answers to the tasks of one integration, and the most bytes of their files.
const MOST_ANSWERS: i64 = 200;
const MOST_OF_ALL: i64 = 200 << 20;

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

/// Whether somebody has answered a task: it is not removed any more, for its answers would go with it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn is_answered(tx: &mut Tx, tenant: TenantId, of: IntegrationId, task: Uuid) -> Result<bool> {
    let text = "SELECT COUNT(*) FROM task_answers WHERE tenant_id = $1 AND integration_id = $2 AND task_id = $3";
    Ok(sql!(value i64, tx, text, tenant, of, task)? > 0)
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
/// [`Error::Invalid`] when nothing is said, or the file is too long; [`Error::Conflict`] when something comes before it,
/// or too much is kept already;
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
        return Err(Error::invalid("file", "a file may have 10 MiB at most"));
    }
    let words = parse_text(&given.words, MOST_WORDS).map_err(|why| Error::invalid("words", why))?;
    let said = !words.is_empty() || given.file.is_some();
    if !said && !given.done {
        return Err(Error::invalid("words", "write something, choose a file, or say that it is done"));
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = intake::lock(tx, permit.tenant(), of).await?;
            let asked = implementation::store::of_customer(tx, &integration, task).await?;
            let actor = permit.actor();
            if said {
                let (file_name, content) = given.file.clone().unzip();
                let size = content.as_ref().map_or(0, Vec::len);
                let size = i64::try_from(size).unwrap_or(i64::MAX);
                let (count, bytes) = sql!(
                    one(i64, i64),
                    tx,
                    "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM task_answers
                     WHERE tenant_id = $1 AND integration_id = $2",
                    permit.tenant(),
                    of,
                )?;
                if count >= MOST_ANSWERS || bytes + size > MOST_OF_ALL {
                    let why =
                        "no more can be kept here: at most 200 answers, and files of 200 MiB; send it another way";
                    return Err(Error::Conflict(why.into()));
                }
                sql!(
                    exec tx,
                    "INSERT INTO task_answers (tenant_id, integration_id, id, task_id, words, file_name, size, content,
                        answered_by, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    permit.tenant(),
                    of,
                    new_id(&clock),
                    task,
                    &words,
                    &file_name,
                    size,
                    content,
                    &actor.name,
                    clock.now(),
                )?;
                let title = &asked.details.title;
                let with = file_name.as_ref().map(|name| format!(", with {name}")).unwrap_or_default();
                let told = intake::Note { why: &words, ..intake::Note::of(format!("answered “{title}”{with}")) };
                intake::note(tx, &clock, actor, (integration.tenant_id, of), told).await?;
                let after = json!({ "task": title, "words": words, "file": file_name, "bytes": size });
                let action = "integration.answer-task";
                intake::audit::written(tx, &clock, actor, &integration, action, None, after).await?;
            }
            if given.done {
                implementation::store::tick(tx, &clock, actor, &integration, &asked).await?;
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

/// The tasks that the customer is asked for, those that can be done now first.
pub fn asked_for(whole: &Whole) -> Vec<&Task> {
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
