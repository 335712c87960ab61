//! Who reads which window. A window is taken by raising its epoch, for as long as the lease lasts by the clock of the
//! database; whoever lost it can write nothing. What all processes together may ask of a host holds here too.
//!
//! Tasks (`jobs`) have leases alike; but a task is taken one at a time and by turns between tenants, while windows are
//! taken by the hundred, by host and by source, so they share the idea and not the code.
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::plan::New;
use crate::{
    clock::Clock,
    db::{Db, Tx},
    error::Result,
    ids::{EventTypeId, SourceId, TenantId, WindowId},
    polling::{Window, ledger::Kind},
    sql,
};

/// How long whoever takes a window has it. Renewed by its heart beat; a killed process's windows are free after it.
pub const LEASE: TimeDelta = TimeDelta::seconds(12);
/// Windows of one host under way at once, unless somebody has said otherwise.
pub const SLOTS: i64 = 16;
/// 401 and 403 in a row after which a source is asked no more.
pub const REFUSALS: i64 = 3;

/// A window that this process reads.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Whose.
    pub tenant: TenantId,
    /// Of which source.
    pub source: SourceId,
    /// Which.
    pub id: WindowId,
    /// By which it is held.
    pub epoch: i64,
    /// Why there is one.
    pub kind: Kind,
    /// What it covers.
    pub window: Window,
    /// Where its asking begins.
    pub ask_from: DateTime<Utc>,
    /// How far it is committed; JSON.
    pub position: Option<String>,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// Records it had before this taking, and how many of them were new.
    pub so_far: (i64, i64),
    /// Its source, as it was when it was taken.
    pub of: Of,
}

/// What reading a window needs to know of its source.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Of {
    /// What its records become.
    pub event_type_id: EventTypeId,
    /// Its definition.
    pub definition: String,
    /// Sealed.
    pub secret: Option<Vec<u8>>,
    /// The one before, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Until when that is tried as well.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// How far the other side's clock is ahead, in milliseconds.
    pub skew_millis: i64,
    /// 401 and 403 in a row.
    pub refusals: i64,
    /// What it has said of its last answer; JSON.
    pub validator: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    source_id: SourceId,
    id: WindowId,
    epoch: i64,
    kind: Kind,
    from_at: DateTime<Utc>,
    until_at: DateTime<Utc>,
    ask_from: DateTime<Utc>,
    position: Option<String>,
    failures: i64,
    records: i64,
    fresh: i64,
}

/// Takes up to `most` windows that are due: of each host as many as it may be asked at once, of each source likewise,
/// those of the schedule first and the oldest of them first. There may be more when it returns any.
///
/// # Errors
/// When the database does.
pub async fn take(db: &Db, clock: &Clock, owner: Uuid, most: usize) -> Result<Vec<Taken>> {
    let (now, leases) = (clock.now(), db.now().await?);
    if most == 0 {
        return Ok(Vec::new());
    }
    // looked for without a lock, since most often there is nothing: the hosts whose windows wait longest. By the time
    // alone, and sources only then (CROSS JOIN keeps SQLite to that): there are many more sources than windows due
    let hosts = sql!(
        values String, db,
        "SELECT due.host FROM (
             SELECT w.host, MIN(w.since) AS since
             FROM (SELECT tenant_id, source_id, host, next_try_at AS since FROM windows
                   WHERE state = 'open' AND next_try_at <= $1
                   UNION ALL
                   SELECT tenant_id, source_id, host, held_until FROM windows
                   WHERE state = 'running' AND held_until <= $2) AS w
             CROSS JOIN sources AS s
             WHERE s.tenant_id = w.tenant_id AND s.id = w.source_id AND s.state = 'active'
             GROUP BY w.host
         ) AS due LEFT JOIN poll_hosts AS h ON h.host = due.host
         WHERE (h.host IS NULL OR h.not_before <= $1)
           AND (SELECT COUNT(*) FROM windows AS r WHERE r.host = due.host AND r.state = 'running' AND r.held_until > $2)
               < COALESCE(h.slots, $3)
         ORDER BY due.since LIMIT $4",
        now,
        leases,
        SLOTS,
        i64::try_from(most).unwrap_or(i64::MAX),
    )?;
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let each = most.div_ceil(hosts.len());
    // in the order of their names, so that two processes never wait for each other in a circle
    let hosts: BTreeSet<String> = hosts.into_iter().collect();
    let clock = clock.clone();
    let taken = db.write(move |tx| {
        Box::pin(async move {
            let mut taken = Vec::new();
            for host in hosts {
                let free = free(tx, &clock, &host, leases).await?;
                let limit = free.min(i64::try_from(each.min(most - taken.len())).unwrap_or(0));
                if limit > 0 {
                    let before = taken.len();
                    of_host(tx, &clock, owner, (&host, limit, leases), &mut taken).await?;
                    pay(tx, &host, i64::try_from(taken.len() - before).unwrap_or(0)).await?;
                }
                if taken.len() >= most {
                    break;
                }
            }
            Ok(taken)
        })
    });
    taken.await
}

/// How many windows of a host may be begun now. Locks its row, so that this holds for all processes.
async fn free(tx: &mut Tx, clock: &Clock, host: &str, leases: DateTime<Utc>) -> Result<i64> {
    let now = clock.now();
    let (slots, per_minute, credit, credited_at, not_before) = sql!(
        one(i64, i64, f64, DateTime<Utc>, DateTime<Utc>),
        tx,
        "INSERT INTO poll_hosts (host, slots, per_minute, credit, credited_at, not_before) VALUES ($1, $2, 0, 0, $3, $4)
         ON CONFLICT (host) DO UPDATE SET slots = poll_hosts.slots
         RETURNING slots, per_minute, credit, credited_at, not_before",
        host,
        SLOTS,
        now,
        DateTime::<Utc>::UNIX_EPOCH,
    )?;
    if not_before > now {
        return Ok(0);
    }
    let running = sql!(
        value i64, tx,
        "SELECT COUNT(*) FROM windows WHERE host = $1 AND state = 'running' AND held_until > $2",
        host,
        leases,
    )?;
    let mut free = (slots - running).max(0);
    if per_minute > 0 && free > 0 {
        let credit = earned(per_minute, credit, now - credited_at);
        sql!(
            exec tx,
            "UPDATE poll_hosts SET credit = $2, credited_at = $3 WHERE host = $1",
            host,
            credit,
            now,
        )?;
        #[expect(clippy::cast_possible_truncation, reason = "a few at most")]
        let allowed = credit.floor() as i64;
        free = free.min(allowed.max(0));
    }
    Ok(free)
}

/// What a host may be asked after a while: it fills up to five seconds' worth, and to one request at least.
#[expect(clippy::cast_precision_loss, reason = "a rate is a small number")]
fn earned(per_minute: i64, credit: f64, since: TimeDelta) -> f64 {
    let per_second = per_minute as f64 / 60.0;
    let since = since.num_milliseconds().max(0) as f64 / 1000.0;
    (credit + since * per_second).min((5.0 * per_second).max(1.0))
}

async fn of_host(
    tx: &mut Tx,
    clock: &Clock,
    owner: Uuid,
    (host, limit, leases): (&str, i64, DateTime<Utc>),
    taken: &mut Vec<Taken>,
) -> Result<()> {
    let now = clock.now();
    // for the schedule there is always a place, whatever is filled in or read again
    let candidates = sql!(
        all(TenantId, SourceId, WindowId, i64, i64),
        tx,
        "SELECT w.tenant_id, w.source_id, w.id, w.epoch,
                CASE WHEN w.kind = 'scheduled' THEN s.parallel ELSE (s.parallel + 1) / 2 END
         FROM windows AS w JOIN sources AS s ON s.tenant_id = w.tenant_id AND s.id = w.source_id
         WHERE w.host = $1 AND s.state = 'active'
           AND ((w.state = 'open' AND w.next_try_at <= $2) OR (w.state = 'running' AND w.held_until <= $3))
           AND (SELECT COUNT(*) FROM windows AS r WHERE r.tenant_id = w.tenant_id AND r.source_id = w.source_id
                  AND r.state = 'running' AND r.done_at IS NULL AND r.held_until > $3)
               < CASE WHEN w.kind = 'scheduled' THEN s.parallel ELSE (s.parallel + 1) / 2 END
         ORDER BY CASE WHEN w.kind = 'scheduled' THEN 0 ELSE 1 END, w.next_try_at, w.from_at LIMIT $4",
        host,
        now,
        leases,
        limit,
    )?;
    for (tenant, source, id, epoch, parallel) in candidates {
        let under_way = sql!(
            value i64, tx,
            "SELECT COUNT(*) FROM windows WHERE tenant_id = $1 AND source_id = $2 AND state = 'running'
                AND done_at IS NULL AND held_until > $3",
            tenant,
            source,
            leases,
        )?;
        if under_way >= parallel {
            continue;
        }
        let row = sql!(
            opt Row, tx,
            "UPDATE windows SET state = 'running', epoch = epoch + 1, owner = $4, held_until = $5
             WHERE tenant_id = $1 AND id = $2 AND epoch = $3
               AND (state = 'open' OR (state = 'running' AND held_until <= $6))
             RETURNING tenant_id, source_id, id, epoch, kind, from_at, until_at, ask_from, position, failures,
                       records, fresh",
            tenant,
            id,
            epoch,
            owner,
            leases + LEASE,
            leases,
        )?;
        let Some(row) = row else { continue };
        let of = sql!(
            one Of, tx,
            "SELECT event_type_id, definition, secret, old_secret, old_secret_until, skew_millis, refusals, validator
             FROM sources WHERE tenant_id = $1 AND id = $2",
            tenant,
            source,
        )?;
        sql!(
            exec tx,
            "INSERT INTO attempts (tenant_id, window_id, number, source_id, started_at, requests)
             VALUES ($1, $2, $3, $4, $5, '[]')",
            tenant,
            id,
            row.epoch,
            source,
            now,
        )?;
        taken.push(Taken {
            tenant: row.tenant_id,
            source: row.source_id,
            id: row.id,
            epoch: row.epoch,
            kind: row.kind,
            window: Window::new(row.from_at, row.until_at),
            ask_from: row.ask_from,
            position: row.position,
            failures: row.failures,
            so_far: (row.records, row.fresh),
            of,
        });
    }
    Ok(())
}

/// Frees all windows that are under way: where one process alone uses the database, whoever held them is gone. Should
/// that be wrong, it writes nothing more for them.
///
/// # Errors
/// When the database does.
pub async fn free_all(db: &Db) -> Result<()> {
    db.write(|tx| {
        Box::pin(async move {
            let text = "UPDATE windows SET held_until = $1 WHERE state = 'running'";
            sql!(exec tx, text, DateTime::<Utc>::UNIX_EPOCH)?;
            Ok(())
        })
    })
    .await
}

/// Keeps a window for longer; false when somebody else has it by now, or its source is asked no more.
///
/// # Errors
/// When the database does.
pub async fn beat(db: &Db, taken: &Taken) -> Result<bool> {
    let (tenant, source, id, epoch) = (taken.tenant, taken.source, taken.id, taken.epoch);
    let until = db.now().await? + LEASE;
    db.write(move |tx| {
        Box::pin(async move {
            let kept = sql!(
                exec tx,
                "UPDATE windows SET held_until = $4
                 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'
                   AND EXISTS (SELECT 1 FROM sources WHERE tenant_id = $1 AND id = $5 AND state = 'active')",
                tenant,
                id,
                epoch,
                until,
                source,
            )?;
            Ok(kept > 0)
        })
    })
    .await
}

/// How a taking ended that did not come to its end.
#[derive(Debug, Clone)]
pub enum Ending {
    /// To be tried again at this time; counted as a failure or not.
    Again {
        /// When.
        at: DateTime<Utc>,
        /// Whether it counts as a failure.
        failed: bool,
    },
    /// It was read too early: by the other side's clock, it has not settled yet. To be read again, from its beginning.
    Early(DateTime<Utc>),
    /// The host asked to be left alone until then, by everybody.
    Rest(DateTime<Utc>),
    /// The other side refused the secret; to be tried again at this time, unless that was once too often.
    Refused(DateTime<Utc>),
    /// It cannot be read until somebody has mended something: the source is stopped.
    Stopped,
    /// It is too much with its lookback: that is read apart, and it without.
    Apart,
    /// These stand for it.
    Split([Window; 2]),
}

/// Ends a taking that did not come to its end: what becomes of its window, its evidence and its fault. `requests` is
/// how many were made that no commit has counted. False: the window is somebody else's by now.
///
/// # Errors
/// When the database does; then the lease runs out by itself.
pub async fn end(
    db: &Db,
    clock: &Clock,
    taken: Taken,
    ending: Ending,
    (fault, evidence, requests): (String, String, i64),
) -> Result<bool> {
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let now = clock.now();
            let (state, at, failures) = match &ending {
                Ending::Again { at, failed } => ("open", *at, taken.failures + i64::from(*failed)),
                Ending::Early(at) => ("open", *at, 0),
                Ending::Rest(at) | Ending::Refused(at) => ("open", *at, taken.failures + 1),
                Ending::Stopped => ("failed", now, taken.failures + 1),
                Ending::Apart => ("open", now, taken.failures),
                Ending::Split(_) => ("split", now, taken.failures),
            };
            let host = sql!(
                opt(String,),
                tx,
                "UPDATE windows SET state = $4, next_try_at = $5, failures = $6, fault = $7, held_until = $8,
                    requests = requests + $9, done_at = $10,
                    position = CASE WHEN $11 THEN NULL ELSE position END,
                    ask_from = CASE WHEN $12 THEN from_at ELSE ask_from END
                 WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running' RETURNING host",
                taken.tenant,
                taken.id,
                taken.epoch,
                state,
                at,
                failures,
                &fault,
                DateTime::<Utc>::UNIX_EPOCH,
                requests,
                matches!(ending, Ending::Split(_)).then_some(now),
                matches!(ending, Ending::Early(_) | Ending::Apart),
                matches!(ending, Ending::Apart),
            )?;
            sql!(
                exec tx,
                "UPDATE attempts SET ended_at = $4, requests = $5, fault = $6
                 WHERE tenant_id = $1 AND window_id = $2 AND number = $3",
                taken.tenant,
                taken.id,
                taken.epoch,
                now,
                &evidence,
                &fault,
            )?;
            let Some((host,)) = host else { return Ok(false) };
            match ending {
                Ending::Again { .. } | Ending::Early(_) => {}
                Ending::Rest(until) => {
                    let text = "UPDATE poll_hosts SET not_before = $2 WHERE host = $1 AND not_before < $2";
                    sql!(exec tx, text, &host, until)?;
                }
                Ending::Refused(_) => refused(tx, &taken, &fault, now).await?,
                Ending::Stopped => {
                    let text =
                        "UPDATE sources SET state = 'stopped', reason = $3, health = 'failing', health_since = $4
                        WHERE tenant_id = $1 AND id = $2 AND state = 'active'";
                    sql!(exec tx, text, taken.tenant, taken.source, &fault, now)?;
                }
                Ending::Apart => {
                    let lookback = Window::new(taken.ask_from, taken.window.from);
                    new(&taken, &host, Kind::Reread).insert(tx, &clock, &[lookback]).await?;
                }
                Ending::Split(halves) => new(&taken, &host, taken.kind).insert(tx, &clock, &halves).await?,
            }
            Ok(true)
        })
    })
    .await
}

/// Windows out of one that was too much.
fn new<'a>(taken: &Taken, host: &'a str, kind: Kind) -> New<'a> {
    New { tenant: taken.tenant, source: taken.source, host, kind, lookback: TimeDelta::zero() }
}

async fn refused(tx: &mut Tx, taken: &Taken, fault: &str, now: DateTime<Utc>) -> Result<()> {
    let text = "UPDATE sources SET refusals = refusals + 1 WHERE tenant_id = $1 AND id = $2";
    sql!(exec tx, text, taken.tenant, taken.source)?;
    let paused = sql!(
        exec tx,
        "UPDATE sources SET state = 'refused', reason = $3, health = 'failing', health_since = $4
         WHERE tenant_id = $1 AND id = $2 AND state = 'active' AND refusals >= $5",
        taken.tenant,
        taken.source,
        fault,
        now,
        REFUSALS,
    )?;
    if paused > 0 {
        tracing::warn!(tenant = %taken.tenant, source = %taken.source, fault, "a source is asked no more: its secret was refused {REFUSALS} times in a row");
    }
    Ok(())
}

/// Requests that were made of a host beyond the first of each window, which is paid for when that is taken.
///
/// # Errors
/// When the database does.
pub async fn spend(db: &Db, host: String, requests: i64) -> Result<()> {
    let text = "SELECT per_minute FROM poll_hosts WHERE host = $1 AND per_minute > 0";
    if requests <= 0 || sql!(values i64, db, text, &host)?.is_empty() {
        return Ok(());
    }
    db.write(move |tx| Box::pin(async move { pay(tx, &host, requests).await })).await
}

async fn pay(tx: &mut Tx, host: &str, requests: i64) -> Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "a few at most")]
    let spent = requests as f64;
    let text = "UPDATE poll_hosts SET credit = credit - $2 WHERE host = $1 AND per_minute > 0";
    sql!(exec tx, text, host, spent)?;
    Ok(())
}
