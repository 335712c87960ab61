//! `/healthz`: the process answers. `/readyz`: it can do its work, check by check; 503 when it cannot. Anybody may ask
//! both, so neither says more than an operator needs, and the work is done once a second at most.
use std::{
    fmt::Write,
    future::Future,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{sync::Mutex, task::JoinHandle};

use crate::{
    app::App,
    db::{Db, Standing, newest_migration},
    error::{Error, Result, Unavailable},
    sql,
};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);
/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Room that a commit and a checkpoint may need on the disk.
const ROOM: u64 = 16 << 20;

/// One check: its name, and what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    name: &'static str,
    wrong: Option<&'static str>,
}

/// What was found, and when.
#[derive(Default)]
struct Found {
    at: Option<Instant>,
    checks: Vec<Check>,
    /// A write that was begun and has not ended: there is never a second one.
    writing: Option<JoinHandle<Result<()>>>,
}

/// Looks whether the server can do its work.
pub struct Health {
    app: App,
    found: Mutex<Found>,
}

impl Health {
    /// Of this server.
    pub fn new(app: App) -> Self {
        Self { app, found: Mutex::default() }
    }

    /// All checks, as of a second ago at most.
    pub async fn checks(&self) -> Vec<Check> {
        let stopping = self.app.stopping.is_cancelled();
        let accepting = Check { name: "accepting", wrong: stopping.then_some("the server is stopping") };
        if stopping {
            // the database may be closed already
            return vec![accepting];
        }
        let mut checks = vec![accepting];
        let mut found = self.found.lock().await;
        if found.at.is_none_or(|at| at.elapsed() >= FRESH) {
            let before = std::mem::take(&mut found.checks);
            found.checks = self.look(&mut found.writing).await;
            found.at = Some(Instant::now());
            told(&before, &found.checks);
        }
        checks.extend(&found.checks);
        checks
    }

    async fn look(&self, writing: &mut Option<JoinHandle<Result<()>>>) -> Vec<Check> {
        let db = &self.app.db;
        let lane = &self.app.lane;
        let (reading, migrations, writes, admitted) =
            tokio::join!(in_time(read(db)), in_time(migrations(db)), write(db, writing), lane.admit(0));
        let mut checks = vec![
            Check { name: "reading", wrong: reading },
            Check { name: "migrations", wrong: migrations },
            Check { name: "writing", wrong: writes },
            Check {
                name: "write-lane",
                wrong: if !lane.is_open() {
                    Some("the write lane has ended")
                } else if admitted.is_err() {
                    Some("more requests wait for the disk than may")
                } else {
                    None
                },
            },
        ];
        if let Some(free) = free_bytes(db) {
            let wrong = (free < ROOM).then_some("the disk of the database is full");
            checks.push(Check { name: "disk", wrong });
        }
        checks
    }
}

/// Bytes left on the disk of a SQLite database.
pub(super) fn free_bytes(db: &Db) -> Option<u64> {
    let disk = rustix::fs::statvfs(db.file()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

async fn in_time(check: impl Future<Output = Result<Option<&'static str>>>) -> Option<&'static str> {
    match tokio::time::timeout(PATIENCE, check).await {
        Ok(Ok(wrong)) => wrong,
        Ok(Err(error)) => Some(words(&error)),
        Err(_) => Some("the database does not answer in time"),
    }
}

/// What the outside may know of an error.
fn words(error: &Error) -> &'static str {
    match error {
        Error::Unavailable(Unavailable::DiskFull) => "the disk of the database is full",
        _ => "the database cannot be used",
    }
}

async fn read(db: &Db) -> Result<Option<&'static str>> {
    sql!(value i64, db, "SELECT version FROM configuration WHERE id = 1")?;
    Ok(None)
}

async fn migrations(db: &Db) -> Result<Option<&'static str>> {
    let last = sql!(value Option<i64>, db, "SELECT MAX(version) FROM _sqlx_migrations WHERE success")?;
    Ok(match crate::db::standing(last.unwrap_or(0)) {
        Standing::Current => None,
        Standing::Older(_) => Some("the tables are of an earlier version"),
        Standing::Newer(_) => Some("the tables were changed by a newer version of Tributary: start that one"),
    })
}

/// Writes what is there already, and syncs it: nothing less shows that the disk takes it.
async fn write(db: &Db, writing: &mut Option<JoinHandle<Result<()>>>) -> Option<&'static str> {
    let task = writing.get_or_insert_with(|| {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(|tx| {
                Box::pin(async move {
                    sql!(exec tx, "UPDATE configuration SET version = version WHERE id = 1")?;
                    Ok(())
                })
            })
            .await
        })
    });
    let ended = tokio::time::timeout(PATIENCE, task).await;
    if ended.is_ok() {
        *writing = None;
    }
    match ended {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(words(&error)),
        Ok(Err(_)) => Some("the database cannot be used"),
        Err(_) => Some("the database does not take a write in time"),
    }
}

/// Says in the log what has changed; why stands in the lines of whoever met it.
fn told(before: &[Check], after: &[Check]) {
    let wrong =
        |checks: &[Check]| checks.iter().filter_map(|check| Some((check.name, check.wrong?))).collect::<Vec<_>>();
    let (before, after) = (wrong(before), wrong(after));
    for (check, why) in after.iter().filter(|one| !before.contains(one)) {
        tracing::warn!(check, why, "not ready");
    }
    if after.is_empty() && !before.is_empty() {
        tracing::info!("ready again");
    }
}

/// Whether nothing is wrong.
pub fn is_ready(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.wrong.is_none())
}

/// The routes.
pub fn routes(health: std::sync::Arc<Health>) -> Router {
    let newest = newest_migration();
    tracing::debug!(newest, "the tables are of this migration");
    Router::new().route("/healthz", get(|| async { "ok" })).route("/readyz", get(ready)).with_state(health)
}

async fn ready(State(health): State<std::sync::Arc<Health>>) -> Response {
    let checks = health.checks().await;
    let ready = is_ready(&checks);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, written(ready, &checks)).into_response()
}

/// JSON with one line a check, for people with `curl` too.
fn written(ready: bool, checks: &[Check]) -> String {
    let mut text = format!("{{\"ready\":{ready},\"checks\":[\n");
    for (at, check) in checks.iter().enumerate() {
        let comma = if at + 1 < checks.len() { "," } else { "" };
        // both are words of this file, without anything to escape
        let _ = match check.wrong {
            None => writeln!(text, "{{\"check\":\"{}\",\"ok\":true}}{comma}", check.name),
            Some(why) => writeln!(text, "{{\"check\":\"{}\",\"ok\":false,\"why\":\"{why}\"}}{comma}", check.name),
        };
    }
    text.push_str("]}\n");
    text
}
