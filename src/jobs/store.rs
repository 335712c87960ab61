//! The SQL of tasks: what people do with them, and the lease of those who work them off.
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Counters, Effects, Next, Outcome, State, Task};
use crate::{
    auth::{
        Grant, ListTenants, Permit, ReadPayloads, Right, Role,
        audit::{self, Entry},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TaskId, TenantId, UserId},
    sql,
};

/// How long whoever takes a task has it. Renewed with every step, and meanwhile by its heart beat.
pub const LEASE: TimeDelta = TimeDelta::seconds(20);
/// How many tasks of one tenant may be open at once.
const OPEN: i64 = 50;
/// How many tasks a list shows.
pub const LISTED: usize = 100;

/// A task that failed, as it is told where tasks of all tenants are looked at together.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Failed {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: TaskId,
    /// Of which kind.
    pub kind: String,
    /// Why.
    pub error: Option<String>,
    /// When.
    pub ended_at: DateTime<Utc>,
}

/// The tasks of all tenants that failed since then, unless one of the same kind was done afterwards; the latest first.
///
/// # Errors
/// When the database does.
pub async fn failed_of_all(db: &Db, _grant: &Grant<ListTenants>, since: DateTime<Utc>) -> Result<Vec<Failed>> {
    Ok(sql!(
        all Failed, db,
        "SELECT f.tenant_id, f.id, f.kind, f.error, f.ended_at FROM tasks AS f
         WHERE f.state = 'failed' AND f.ended_at >= $1 AND NOT EXISTS (SELECT 1 FROM tasks AS d
            WHERE d.tenant_id = f.tenant_id AND d.kind = f.kind AND d.state = 'done' AND d.ended_at > f.ended_at)
         ORDER BY f.ended_at DESC, f.id LIMIT 50",
        since,
    )?)
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    id: TaskId,
    kind: String,
    state: State,
    cancelling: bool,
    input: String,
    cursor: Option<String>,
    total: Option<i64>,
    done: i64,
    counters: String,
    error: Option<String>,
    attempts: i64,
    started_by_id: Option<UserId>,
    started_by: String,
    role: Role,
    created_at: DateTime<Utc>,
    began_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    epoch: i64,
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            tenant: row.tenant_id,
            kind: row.kind,
            state: row.state,
            cancelling: row.cancelling,
            input: row.input,
            cursor: row.cursor,
            total: row.total,
            done: row.done,
            counters: serde_json::from_str(&row.counters).map_err(Error::internal)?,
            error: row.error,
            attempts: row.attempts,
            started_by: row.started_by,
            started_by_id: row.started_by_id,
            role: row.role,
            created_at: row.created_at,
            began_at: row.began_at,
            ended_at: row.ended_at,
            epoch: row.epoch,
        })
    }
}

macro_rules! columns {
    () => {
        "tenant_id, id, kind, state, cancelling, input, cursor, total, done, counters, error, attempts, started_by_id, \
         started_by, role, created_at, began_at, ended_at, epoch"
    };
}

/// Queues a task, in the transaction of the act that causes it. Call [`super::Jobs::wake`] once that has committed.
///
/// `permit` is the authority that the task will have: see [`Task::permit`]. `total` is how many things there are to
/// do, if that is known by now.
///
/// # Errors
/// [`Error::Conflict`] when the tenant has too many tasks open; when the database fails.
pub async fn enqueue<R: Right>(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<R>,
    kind: &'static str,
    input: &impl Serialize,
    total: Option<i64>,
) -> Result<TaskId> {
    let (id, now, actor, tenant) = (TaskId::new(clock), clock.now(), permit.actor(), permit.tenant());
    let open = sql!(
        value i64, tx,
        "SELECT COUNT(*) FROM tasks WHERE tenant_id = $1 AND state IN ('queued', 'running')",
        tenant,
    )?;
    if open >= OPEN {
        return Err(Error::Conflict(format!(
            "{open} tasks of this tenant wait already; cancel some, or wait for them"
        )));
    }
    let input = serde_json::to_value(input).map_err(Error::internal)?;
    sql!(
        exec tx,
        "INSERT INTO tasks (tenant_id, id, kind, state, cancelling, input, total, done, counters, attempts,
                            started_by_id, started_by, role, created_at, epoch, held_until, served_at)
         VALUES ($1, $2, $3, 'queued', FALSE, $4, $5, 0, '{}', 0, $6, $7, $8, $9, 0, $10, $10)",
        tenant,
        id,
        kind,
        input.to_string(),
        total,
        actor.user,
        &actor.name,
        actor.role,
        now,
        DateTime::<Utc>::UNIX_EPOCH,
    )?;
    let after = Some(json!({"kind": kind, "input": input}));
    let entry =
        Entry { actor, tenant: Some(tenant), action: "task.start", object: id.to_string(), before: None, after };
    audit::record(tx, clock, entry).await?;
    Ok(id)
}

/// The tenant's tasks, newest first, at most [`LISTED`]; below `before`, if that is given.
///
/// # Errors
/// When the database does.
pub async fn list(db: &Db, permit: &Permit<ReadPayloads>, before: Option<TaskId>) -> Result<Vec<Task>> {
    let rows = sql!(
        all Row, db,
        concat!("SELECT ", columns!(), " FROM tasks WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"),
        permit.tenant(),
        before.unwrap_or(TaskId(Uuid::max())),
        i64::try_from(LISTED).unwrap_or(i64::MAX),
    )?;
    rows.into_iter().map(Task::try_from).collect()
}

/// One task.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another tenant's; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadPayloads>, id: TaskId) -> Result<Task> {
    let text = concat!("SELECT ", columns!(), " FROM tasks WHERE tenant_id = $1 AND id = $2");
    sql!(opt Row, db, text, permit.tenant(), id)?.ok_or(Error::NotFound("task"))?.try_into()
}

/// Stops a task: at once when nobody is at it, else after the step under way. One that has ended stays as it is.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or it is another tenant's; when the database fails.
pub async fn cancel<R: Right>(db: &Db, clock: &Clock, permit: &Permit<R>, id: TaskId) -> Result<State> {
    let (actor, tenant, clock, leases) = (permit.actor().clone(), permit.tenant(), clock.clone(), db.now().await?);
    db.write(move |tx| {
        Box::pin(async move {
            // only those who hold a task may write for it: whoever does sees the wish with their next commit
            let wished = sql!(
                exec tx,
                "UPDATE tasks SET cancelling = TRUE WHERE tenant_id = $1 AND id = $2 AND NOT cancelling
                    AND state IN ('queued', 'running')",
                tenant,
                id,
            )?;
            sql!(
                exec tx,
                "UPDATE tasks SET state = 'cancelled', ended_at = $3, epoch = epoch + 1
                 WHERE tenant_id = $1 AND id = $2 AND cancelling AND state IN ('queued', 'running') AND held_until <= $4",
                tenant,
                id,
                clock.now(),
                leases,
            )?;
            let state = sql!(opt(State,), tx, "SELECT state FROM tasks WHERE tenant_id = $1 AND id = $2", tenant, id)?;
            let (state,) = state.ok_or(Error::NotFound("task"))?;
            if wished > 0 {
                let (actor, object) = (&actor, id.to_string());
                let entry =
                    Entry { actor, tenant: Some(tenant), action: "task.cancel", object, before: None, after: None };
                audit::record(tx, &clock, entry).await?;
            }
            Ok(state)
        })
    })
    .await
}

/// Takes the task whose turn it is, of those that nobody has: of the tenant that has the fewest under way and was
/// served least lately, the one that was. None when there is nothing to do.
///
/// # Errors
/// When the database does.
pub async fn claim(db: &Db, clock: &Clock) -> Result<Option<Task>> {
    let leases = db.now().await?;
    // looked for without a lock: most often there is nothing
    let Some((tenant, id, epoch)) = sql!(
        opt(TenantId, TaskId, i64),
        db,
        "SELECT t.tenant_id, t.id, t.epoch FROM tasks AS t JOIN (
             SELECT tenant_id, SUM(CASE WHEN state = 'running' AND held_until > $1 THEN 1 ELSE 0 END) AS held,
                    MAX(served_at) AS served
             FROM tasks WHERE state IN ('queued', 'running') GROUP BY tenant_id
         ) AS turn ON turn.tenant_id = t.tenant_id
         WHERE t.state IN ('queued', 'running') AND t.held_until <= $1
         ORDER BY turn.held, turn.served, t.served_at, t.id LIMIT 1",
        leases,
    )?
    else {
        return Ok(None);
    };
    let now = clock.now();
    db.write(move |tx| {
        Box::pin(async move {
            let row = sql!(
                opt Row, tx,
                concat!(
                    "UPDATE tasks SET state = 'running', epoch = epoch + 1, held_until = $4, served_at = $5,
                        began_at = COALESCE(began_at, $6)
                     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state IN ('queued', 'running')
                        AND held_until <= $5
                     RETURNING ", columns!()
                ),
                tenant,
                id,
                epoch,
                leases + LEASE,
                leases,
                now,
            )?;
            row.map(Task::try_from).transpose()
        })
    })
    .await
}

/// Whether anybody's task waits that nobody has.
///
/// # Errors
/// When the database does.
pub(super) async fn any_waits(db: &Db) -> Result<bool> {
    let leases = db.now().await?;
    let text = "SELECT id FROM tasks WHERE state IN ('queued', 'running') AND held_until <= $1 LIMIT 1";
    Ok(sql!(opt(TaskId,), db, text, leases)?.is_some())
}

/// Keeps a task for longer; false when somebody else has it by now, or it has ended.
///
/// # Errors
/// When the database does.
pub(super) async fn beat(db: &Db, task: &Task) -> Result<bool> {
    let (tenant, id, epoch, until) = (task.tenant, task.id, task.epoch, db.now().await? + LEASE);
    db.write(move |tx| {
        Box::pin(async move {
            let kept = sql!(
                exec tx,
                "UPDATE tasks SET held_until = $4 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'",
                tenant,
                id,
                epoch,
                until,
            )?;
            Ok(kept > 0)
        })
    })
    .await
}

/// Commits a step together with what it comes to. None when somebody else has the task by now: nothing is written then.
///
/// # Errors
/// What the effects return, and when the database fails: nothing is written then either.
pub async fn commit(db: &Db, clock: &Clock, task: &Task, effects: Effects) -> Result<Option<Task>> {
    let (tenant, id, epoch) = (task.tenant, task.id, task.epoch);
    let (until, now) = (db.now().await? + LEASE, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            // first of all, for it locks the row: nobody takes the task between this and the commit
            let row = sql!(
                opt Row, tx,
                concat!(
                    "UPDATE tasks SET held_until = $4, attempts = 0
                     WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING ", columns!()
                ),
                tenant,
                id,
                epoch,
                until,
            )?;
            let Some(mut task) = row.map(Task::try_from).transpose()? else { return Ok(None) };
            apply(&mut task, (effects.0)(tx).await?);
            task.ended_at = (!task.state.is_open()).then_some(now);
            sql!(
                exec tx,
                "UPDATE tasks SET state = $3, cursor = $4, total = $5, done = $6, counters = $7, error = $8, ended_at = $9
                 WHERE tenant_id = $1 AND id = $2",
                tenant,
                id,
                task.state,
                &task.cursor,
                task.total,
                task.done,
                serde_json::to_string(&task.counters).map_err(Error::internal)?,
                &task.error,
                task.ended_at,
            )?;
            Ok(Some(task))
        })
    })
    .await
}

fn apply(task: &mut Task, outcome: Outcome) {
    task.done += outcome.did;
    task.total = outcome.total.or(task.total);
    for (name, more) in outcome.counted {
        *task.counters.entry(name).or_default() += more;
    }
    match outcome.next {
        Next::More(cursor) => {
            task.cursor = Some(cursor);
            if task.cancelling {
                task.state = State::Cancelled;
            }
        }
        Next::Done => task.state = State::Done,
        Next::Stopped => task.state = State::Cancelled,
        Next::Failed(words) => {
            task.state = State::Failed;
            task.error = Some(words);
        }
    }
}

/// Gives a task back: anybody may take it after `rest`. `failed`: its last step could not be done.
///
/// # Errors
/// When the database does; then its lease runs out by itself.
pub(super) async fn give_back(db: &Db, task: &Task, rest: TimeDelta, failed: bool) -> Result<()> {
    let (tenant, id, epoch, leases) = (task.tenant, task.id, task.epoch, db.now().await?);
    db.write(move |tx| {
        Box::pin(async move {
            sql!(
                exec tx,
                "UPDATE tasks SET held_until = $4, served_at = $5, attempts = attempts + $6
                 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'",
                tenant,
                id,
                epoch,
                leases + rest,
                leases,
                i64::from(failed),
            )?;
            Ok(())
        })
    })
    .await
}

/// Ends a task that cannot be done.
///
/// # Errors
/// When the database does.
pub(super) async fn fail(db: &Db, clock: &Clock, task: &Task, words: String) -> Result<()> {
    let effects = Effects::none(Outcome::failed(words));
    commit(db, clock, task, effects).await.map(drop)
}

/// Forgets tasks that ended before `ended`, and the files of those that ended before `files`, or in vain; a few at
/// once, and says whether there may be more.
///
/// # Errors
/// When the database does.
pub(super) async fn forget(db: &Db, ended: DateTime<Utc>, files: DateTime<Utc>, at_once: i64) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let pieces = sql!(
                exec tx,
                "DELETE FROM task_output WHERE (tenant_id, task_id, number) IN (
                    SELECT o.tenant_id, o.task_id, o.number FROM tasks AS t
                    JOIN task_output AS o ON o.tenant_id = t.tenant_id AND o.task_id = t.id
                    WHERE t.ended_at IS NOT NULL AND (t.ended_at < $1 OR t.state <> 'done') LIMIT $2)",
                files,
                // a piece is large, and takes its time
                (at_once / 20).max(1),
            )?;
            let tasks = sql!(
                exec tx,
                "DELETE FROM tasks WHERE (tenant_id, id) IN (
                    SELECT t.tenant_id, t.id FROM tasks AS t
                    WHERE t.ended_at IS NOT NULL AND t.ended_at < $1 AND NOT EXISTS
                        (SELECT 1 FROM task_output AS o WHERE o.tenant_id = t.tenant_id AND o.task_id = t.id)
                    LIMIT $2)",
                ended,
                at_once,
            )?;
            Ok(pieces + tasks > 0)
        })
    })
    .await
}

/// For the counters of [`Task`]s that are shown: in the order that the kind names them.
pub fn shown(counters: &Counters, named: &'static [(&'static str, &'static str)]) -> Vec<(&'static str, i64)> {
    named.iter().map(|(name, label)| (*label, counters.get(*name).copied().unwrap_or(0))).collect()
}
