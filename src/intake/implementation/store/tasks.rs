//! What people do with tasks, and the time that they take.
use serde_json::json;
use uuid::Uuid;

use super::{MOST, Task, TaskDetails, Whole, follow_up, load_in, under_way};
use crate::{
    auth::{Actor, Permit, RunImplementations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, new_id},
    intake::{
        Integration, Side, Stage, hours,
        store::{Note, audit, note},
    },
    portal::answers,
    sql,
};

fn found(whole: &Whole, id: Uuid) -> Result<&Task> {
    whole.tasks.iter().find(|one| one.id == id).ok_or(Error::NotFound("implementation task"))
}

fn must_have_phase(whole: &Whole, id: Uuid) -> Result<()> {
    let there = whole.phases.iter().any(|one| one.id == id);
    if there { Ok(()) } else { Err(Error::invalid("phase", "choose one of its phases")) }
}

/// What the audit trail keeps of one.
fn told(of: &TaskDetails) -> serde_json::Value {
    json!({ "task": of.title, "note": of.note, "side": of.side, "owner": of.owner_id, "dueOn": of.due_on,
        "needs": of.needs })
}

/// Whether a task would have to be done before itself.
fn circles(whole: &Whole, id: Uuid, needs: &[Uuid]) -> bool {
    let (mut seen, mut left) = (Vec::new(), needs.to_vec());
    while let Some(next) = left.pop() {
        if next == id {
            return true;
        }
        if !seen.contains(&next) {
            seen.push(next);
            let found = whole.tasks.iter().find(|one| one.id == next);
            left.extend(found.iter().flat_map(|one| one.details.needs.iter().copied()));
        }
    }
    false
}

/// Adds a task, or changes one: `id` names it.
///
/// # Errors
/// [`Error::Invalid`] when its phase is none, or it would have to be done before itself; [`Error::Conflict`] when it is
/// not under way; [`Error::NotFound`] when there is none such; when the database fails.
pub async fn save_task(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Option<Uuid>,
    details: TaskDetails,
) -> Result<Uuid> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            must_have_phase(&whole, details.phase_id)?;
            let before = id.map(|id| found(&whole, id)).transpose()?;
            let key = id.unwrap_or_else(|| new_id(&clock));
            if details.needs.iter().any(|need| whole.tasks.iter().all(|one| one.id != *need)) {
                return Err(Error::invalid("needs", "choose among its tasks"));
            }
            if circles(&whole, key, &details.needs) {
                return Err(Error::invalid("needs", "it would have to be done before itself"));
            }
            let needs = serde_json::to_string(&details.needs).map_err(Error::internal)?;
            if before.is_some() {
                sql!(
                    exec tx,
                    "UPDATE implementation_tasks SET phase_id = $4, title = $5, note = $6, side = $7, owner_id = $8,
                        due_on = $9, needs = $10
                     WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
                    integration.tenant_id,
                    of,
                    key,
                    details.phase_id,
                    &details.title,
                    &details.note,
                    details.side,
                    details.owner_id,
                    &details.due_on,
                    needs,
                )?;
            } else {
                if whole.tasks.len() >= MOST {
                    return Err(Error::Conflict(format!("an implementation has at most {MOST} tasks")));
                }
                let text = "SELECT COALESCE(MAX(place), 0) FROM implementation_tasks
                    WHERE tenant_id = $1 AND integration_id = $2";
                let last = sql!(value i64, tx, text, integration.tenant_id, of)?;
                sql!(
                    exec tx,
                    "INSERT INTO implementation_tasks (tenant_id, integration_id, id, phase_id, place, title, note, side,
                        owner_id, due_on, needs, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                    integration.tenant_id,
                    of,
                    key,
                    details.phase_id,
                    last + 1,
                    &details.title,
                    &details.note,
                    details.side,
                    details.owner_id,
                    &details.due_on,
                    needs,
                    clock.now(),
                )?;
            }
            let was = before.map(|one| told(&one.details));
            let actor = permit.actor();
            audit::written(tx, &clock, actor, &integration, "implementation.task", was, told(&details)).await?;
            follow_up(tx, &clock, actor, &integration).await?;
            Ok(key)
        })
    })
    .await
}

/// Removes a task: what waited for it waits no more. One that the customer has answered stays, with what they said.
///
/// # Errors
/// As [`save_task`].
pub async fn remove_task(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            let gone = found(&whole, id)?;
            if answers::is_answered(tx, integration.tenant_id, of, id).await? {
                let why =
                    "the customer has answered it, and their answers would be lost: change what it asks, or tick it";
                return Err(Error::Conflict(why.into()));
            }
            for one in whole.tasks.iter().filter(|one| one.details.needs.contains(&id)) {
                let left: Vec<_> = one.details.needs.iter().filter(|need| **need != id).collect();
                let text = "UPDATE implementation_tasks SET needs = $4
                    WHERE tenant_id = $1 AND integration_id = $2 AND id = $3";
                let left = serde_json::to_string(&left).map_err(Error::internal)?;
                sql!(exec tx, text, integration.tenant_id, of, one.id, left)?;
            }
            let text = "DELETE FROM implementation_tasks WHERE tenant_id = $1 AND integration_id = $2 AND id = $3";
            sql!(exec tx, text, integration.tenant_id, of, id)?;
            let (was, actor) = (told(&gone.details), permit.actor());
            let after = json!({ "removed": gone.details.title });
            audit::written(tx, &clock, actor, &integration, "implementation.task", Some(was), after).await?;
            follow_up(tx, &clock, actor, &integration).await
        })
    })
    .await
}

/// Says that a task is done, or is not after all.
///
/// # Errors
/// [`Error::Conflict`] when something has to be done before, or it is not under way; [`Error::NotFound`] when there is
/// none such; when the database fails.
pub async fn set_done(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
    done: bool,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            let task = found(&whole, id)?;
            if task.done_at.is_some() == done {
                return Ok(());
            }
            if done {
                if let Some(first) = whole.before(task).next() {
                    return Err(Error::Conflict(format!("first comes “{}”", first.details.title)));
                }
                let drafted = whole.drafts.iter().find(|one| Some(one.id) == task.draft_id && one.is_open());
                if let Some(draft) = drafted {
                    let words = format!("it is done by making “{}”, or by dropping that draft", draft.name);
                    return Err(Error::Conflict(words));
                }
            }
            mark(tx, &clock, permit.actor(), &integration, task, done).await?;
            follow_up(tx, &clock, permit.actor(), &integration).await
        })
    })
    .await
}

/// A task of the customer's side that they can take up now, inside the transaction in which they answer it.
///
/// # Errors
/// [`Error::Conflict`] when it is done, something comes before it, or nothing is being set up; [`Error::NotFound`] when
/// there is none such of theirs; when the database fails.
pub(crate) async fn of_customer(tx: &mut Tx, of: &Integration, id: Uuid) -> Result<Task> {
    let whole = load_in(tx, of.tenant_id, of.id).await?;
    let task = found(&whole, id)?;
    if task.details.side != Side::Customer {
        return Err(Error::NotFound("task"));
    }
    if of.stage != Stage::Implementation {
        return Err(Error::Conflict(format!("nothing is being set up: it stands at {}", of.stage.title())));
    }
    if task.done_at.is_some() {
        return Err(Error::Conflict("it is done already".into()));
    }
    if let Some(first) = whole.before(task).next() {
        return Err(Error::Conflict(format!("first comes “{}”", first.details.title)));
    }
    Ok(task.clone())
}

/// Ticks a task that its customer has done; whose turn it is follows.
pub(crate) async fn tick(tx: &mut Tx, clock: &Clock, actor: &Actor, of: &Integration, task: &Task) -> Result<()> {
    mark(tx, clock, actor, of, task, true).await?;
    follow_up(tx, clock, actor, of).await
}

/// Ticks the tasks that are done by settling a draft, in the transaction that settles it.
pub(super) async fn settled(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    integration: &Integration,
    draft: Uuid,
) -> Result<()> {
    let whole = load_in(tx, integration.tenant_id, integration.id).await?;
    for task in whole.tasks.iter().filter(|one| one.draft_id == Some(draft) && one.done_at.is_none()) {
        mark(tx, clock, actor, integration, task, true).await?;
    }
    follow_up(tx, clock, actor, integration).await
}

async fn mark(tx: &mut Tx, clock: &Clock, actor: &Actor, of: &Integration, task: &Task, done: bool) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE implementation_tasks SET done_at = $4, done_by = $5
         WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
        of.tenant_id,
        of.id,
        task.id,
        done.then(|| clock.now()),
        done.then_some(actor.name.as_str()),
    )?;
    let title = &task.details.title;
    let what = if done { format!("did “{title}”") } else { format!("took up “{title}” again") };
    let whose = match task.details.side {
        Side::Us => String::new(),
        side => format!(", for {}", side.who()),
    };
    note(tx, clock, actor, (of.tenant_id, of.id), Note::of(format!("{what}{whose}"))).await?;
    let state = |done: bool| json!({ "task": title, "done": done });
    audit::written(tx, clock, actor, of, "implementation.task", Some(state(!done)), state(done)).await
}

/// Writes down time that was spent on a phase.
///
/// # Errors
/// [`Error::Invalid`] when its phase is none; [`Error::Conflict`] when it is not under way; [`Error::NotFound`] when the
/// tenant has none such; when the database fails.
pub async fn spend(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    phase: Uuid,
    (day, minutes, what): (String, i64, String),
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            must_have_phase(&whole, phase)?;
            sql!(
                exec tx,
                "INSERT INTO implementation_time (tenant_id, integration_id, id, phase_id, day, minutes, what, who)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                integration.tenant_id,
                of,
                new_id(&clock),
                phase,
                &day,
                minutes,
                &what,
                &permit.actor().name,
            )?;
            let title = whole.phases.iter().find(|one| one.id == phase).map(|one| one.title.as_str());
            let after = json!({ "phase": title, "day": day, "time": hours(minutes), "what": what });
            audit::written(tx, &clock, permit.actor(), &integration, "implementation.time", None, after).await
        })
    })
    .await
}
