//! Works off tasks: two at a time in each process, a step at a time, and fair between tenants.
//!
//! With PostgreSQL, any number of processes share the tasks. A process that dies leaves its tasks to whoever looks
//! when the lease has run out.
use std::{panic::AssertUnwindSafe, time::Duration};

use chrono::TimeDelta;
use futures_util::FutureExt;
use tokio::time::Instant;

use super::{Effects, Next, Outcome, Task, store};
use crate::{
    app::App,
    error::{Error, Result},
};

/// How many tasks a process works off at once.
const AT_ONCE: usize = 2;
/// How often to look for tasks that were queued elsewhere, or that somebody has left.
const LOOK: Duration = Duration::from_secs(3);
/// How often the lease is renewed while a step is long.
const BEAT: Duration = Duration::from_secs(5);
/// How long one task is worked off before others that wait have their turn.
const TURN: Duration = Duration::from_secs(2);
/// How many times in a row a step may fail before the task does.
const ATTEMPTS: i64 = 8;

/// Works off tasks until the app is stopping.
pub async fn run(app: App) {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        workers.spawn(work(app.clone()));
    }
    while workers.join_next().await.is_some() {}
}

async fn work(app: App) {
    while !app.stopping.is_cancelled() {
        match store::claim(&app.db, &app.clock).await {
            Ok(Some(task)) => {
                // there may be one for the neighbour too
                app.jobs.wake();
                turn(&app, task).await;
            }
            Ok(None) => {
                let queued = tokio::time::timeout(LOOK, app.jobs.bell.notified());
                let _ = app.stopping.run_until_cancelled(queued).await;
            }
            Err(error) => {
                tracing::warn!(%error, "tasks could not be looked for; trying again");
                app.stopping.run_until_cancelled(tokio::time::sleep(LOOK)).await;
            }
        }
    }
}

/// One task's turn. However it ends, the task is in the database as far as it came.
pub async fn turn(app: &App, mut task: Task) {
    let began = Instant::now();
    loop {
        if app.stopping.is_cancelled() {
            return leave(app, &task, TimeDelta::zero(), false).await;
        }
        match step(app, &task).await {
            Ok(Some(after)) if after.state.is_open() => task = after,
            Ok(Some(after)) => {
                tracing::info!(tenant = %after.tenant, task = %after.id, kind = after.kind, state = after.state.word(), done = after.done, "task ended");
                return;
            }
            Ok(None) => {
                tracing::warn!(tenant = %task.tenant, task = %task.id, "somebody else has taken the task; leaving it to them");
                return;
            }
            Err(error) => return failed(app, &task, error).await,
        }
        make_way(app).await;
        if began.elapsed() > TURN && store::any_waits(&app.db).await.unwrap_or(false) {
            return leave(app, &task, TimeDelta::zero(), false).await;
        }
    }
}

/// Does a step and commits it. None: the task is another's by now.
async fn step(app: &App, task: &Task) -> Result<Option<Task>> {
    let effects = if task.cancelling {
        Effects::none(Outcome::new(Next::Stopped))
    } else {
        let Some(kind) = app.jobs.kind(&task.kind) else {
            let words = format!("this version of Tributary knows no tasks of the kind {}", task.kind);
            return store::commit(&app.db, &app.clock, task, Effects::none(Outcome::failed(words))).await;
        };
        let step = AssertUnwindSafe((kind.step)(app, task)).catch_unwind();
        let lost = async {
            loop {
                tokio::time::sleep(BEAT).await;
                match store::beat(&app.db, task).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    // the lease may last until the next try; the commit will tell
                    Err(error) => tracing::warn!(%error, task = %task.id, "the lease of a task could not be renewed"),
                }
            }
        };
        tokio::select! {
            stepped = step => match stepped {
                Ok(effects) => effects?,
                Err(_) => return Err(Error::internal(anyhow::anyhow!("a step of {} panicked", task.kind))),
            },
            () = lost => return Ok(None),
        }
    };
    store::commit(&app.db, &app.clock, task, effects).await
}

/// A step could not be done: what its starter can read of ends the task, what passes is tried again.
async fn failed(app: &App, task: &Task, error: Error) {
    let words = match &error {
        Error::Unavailable(_) => None,
        Error::Database(_) | Error::Internal(_) if task.attempts + 1 < ATTEMPTS => None,
        Error::Database(_) | Error::Internal(_) => {
            Some(format!("Its step failed {ATTEMPTS} times in a row; the log of the server says why."))
        }
        Error::NotFound(_) | Error::Forbidden(_) | Error::Refused(_) | Error::Conflict(_) | Error::Invalid(_) => {
            Some(sentence(&error.to_string()))
        }
    };
    let Some(words) = words else {
        tracing::warn!(%error, tenant = %task.tenant, task = %task.id, kind = task.kind, "a step of a task failed; trying again");
        let rest = TimeDelta::seconds(1_i64 << task.attempts.clamp(0, 6));
        return leave(app, task, rest, !matches!(error, Error::Unavailable(_))).await;
    };
    tracing::error!(%error, tenant = %task.tenant, task = %task.id, kind = task.kind, "a task failed");
    if let Err(error) = store::fail(&app.db, &app.clock, task, words).await {
        tracing::warn!(%error, task = %task.id, "the end of a task could not be written down; it will be tried again");
    }
}

async fn leave(app: &App, task: &Task, rest: TimeDelta, failed: bool) {
    if let Err(error) = store::give_back(&app.db, task, rest, failed).await {
        tracing::warn!(%error, task = %task.id, "a task could not be given back; its lease will run out");
    }
}

/// Lets requests go first that wait for the disk; but not for ever.
pub async fn make_way(app: &App) {
    tokio::task::yield_now().await;
    for _ in 0..20 {
        if app.lane.waiting().requests == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// As a page says it.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().map(char::to_uppercase).into_iter().flatten().collect();
    format!("{first}{}.", rest.as_str().trim_end_matches('.'))
}
