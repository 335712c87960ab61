//! What follows a commit: the figures of each type by the hour, and when each token was last used.
//!
//! The front door leaves one row in `batches` a commit. Here they are taken in the transaction that adds them up, so
//! a process that dies in between leaves both the rows and the figures as they were. With PostgreSQL every process
//! follows, one at a time.
use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    db::{Db, Reach, Tx, lane::Tally},
    error::Result,
    ids::{EventTypeId, TenantId, TokenId},
    sql,
};

/// How many batches one transaction takes.
const BATCHES: i64 = 500;
/// How long to leave commits alone before they are worked off.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait when nothing is committed here: another process may have left something.
const IDLE: Duration = Duration::from_secs(5);
/// The advisory lock (of two numbers, apart from those of one) of whoever follows.
const LOCK: (i32, i32) = (0x0074_7269, 1);

/// What one hour of one type adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    accepted: i64,
    quarantined: i64,
    duplicates: i64,
    last_at: DateTime<Utc>,
}

/// The hour that `moment` is in.
pub fn hour(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.duration_trunc(TimeDelta::hours(1)).unwrap_or(moment)
}

/// What a run of batches adds up to. Ordered, so that two transactions never wait for each other in a circle.
#[derive(Default)]
struct Sums {
    hours: BTreeMap<(TenantId, EventTypeId, DateTime<Utc>), Sum>,
    used: BTreeMap<(TenantId, TokenId), DateTime<Utc>>,
}

impl Sums {
    fn add(&mut self, tally: &Tally) {
        let at = tally.last.received_at();
        let empty = Sum { accepted: 0, quarantined: 0, duplicates: 0, last_at: at };
        let sum = self.hours.entry((tally.tenant, tally.event_type, hour(at))).or_insert(empty);
        sum.accepted += tally.accepted;
        sum.quarantined += tally.quarantined;
        sum.duplicates += tally.duplicates;
        sum.last_at = sum.last_at.max(at);
        if let Some(token) = tally.source {
            let used = self.used.entry((tally.tenant, token)).or_insert(at);
            *used = at.max(*used);
        }
    }
}

/// Works off the oldest batches; returns how many. Fewer than [`FULL`] means that none were left.
///
/// # Errors
/// When the database does; nothing was taken then.
pub async fn step(db: &Db) -> Result<usize> {
    db.write(|tx| Box::pin(take(tx))).await
}

/// What [`step`] returns when there may be more.
pub const FULL: usize = BATCHES as usize;

async fn take(tx: &mut Tx) -> Result<usize> {
    if let Reach::Postgres(connection) = tx.reach() {
        let mine: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, $2)")
            .bind(LOCK.0)
            .bind(LOCK.1)
            .fetch_one(connection)
            .await?;
        if !mine {
            return Ok(0);
        }
    }
    let batches = sql!(
        values String,
        tx,
        "DELETE FROM batches WHERE id IN (SELECT id FROM batches ORDER BY id LIMIT $1) RETURNING tallies",
        BATCHES,
    )?;
    let mut sums = Sums::default();
    for batch in &batches {
        match serde_json::from_str::<Vec<Tally>>(batch) {
            Ok(tallies) => tallies.iter().for_each(|tally| sums.add(tally)),
            // to keep it would stop the counting for good
            Err(error) => tracing::error!(%error, "a batch cannot be read; its events are not counted"),
        }
    }
    for ((tenant, event_type, hour), sum) in sums.hours {
        count(tx, tenant, event_type, hour, sum).await?;
    }
    for ((tenant, token), at) in sums.used {
        used(tx, tenant, token, at).await?;
    }
    Ok(batches.len())
}

async fn count(tx: &mut Tx, tenant: TenantId, event_type: EventTypeId, hour: DateTime<Utc>, sum: Sum) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO event_counts (tenant_id, event_type_id, hour, accepted, quarantined, duplicates, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant_id, event_type_id, hour) DO UPDATE SET
            accepted = event_counts.accepted + excluded.accepted,
            quarantined = event_counts.quarantined + excluded.quarantined,
            duplicates = event_counts.duplicates + excluded.duplicates,
            last_at = CASE WHEN excluded.last_at > event_counts.last_at
                THEN excluded.last_at ELSE event_counts.last_at END",
        tenant,
        event_type,
        hour,
        sum.accepted,
        sum.quarantined,
        sum.duplicates,
        sum.last_at,
    )?;
    Ok(())
}

async fn used(tx: &mut Tx, tenant: TenantId, token: TokenId, at: DateTime<Utc>) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE tokens SET last_used_at = $3
         WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
        tenant,
        token,
        at,
    )?;
    Ok(())
}

/// Works batches off as they come, until `stop`; then once more.
pub async fn run(app: App, stop: CancellationToken) {
    let (db, commits) = (app.db.clone(), app.lane.commits());
    // an entrance to the lane that is kept would keep the lane from ending
    drop(app);
    follow(&db, commits, &stop).await;
}

async fn follow(db: &Db, mut commits: watch::Receiver<u64>, stop: &CancellationToken) {
    loop {
        let rest = match step(db).await {
            Ok(FULL) => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "counting what was committed failed; trying again");
                IDLE
            }
        };
        if stop.is_cancelled() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = wait(rest, &mut commits) => {}
        }
    }
}

/// `rest`, and then until something is committed here or might be elsewhere.
async fn wait(rest: Duration, commits: &mut watch::Receiver<u64>) {
    if rest.is_zero() {
        return tokio::task::yield_now().await;
    }
    tokio::time::sleep(rest).await;
    let committed = async {
        if commits.changed().await.is_err() {
            // the lane has ended
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(IDLE, committed).await;
}
