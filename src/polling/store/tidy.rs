//! What keeps the tables small: evidence is kept in full for thirty days; older windows that are done are merged into
//! spans with their sums, so that 10,000 sources that are asked each minute do not drown the database.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    db::{Db, Tx},
    error::Result,
    ids::{EventId, SourceId, TenantId, WindowId},
    sql, tenants,
};

/// How long evidence is kept in full.
pub const EVIDENCE: TimeDelta = TimeDelta::days(30);
/// How often the windows of a source are looked through for old ones.
const EVERY: TimeDelta = TimeDelta::days(1);
/// The longest span that windows are merged into.
const SPAN: TimeDelta = TimeDelta::days(31);
/// Rows of one transaction, so that ingest never waits long.
const AT_ONCE: i64 = 500;
/// The number of this work among those that one process does at a time.
const WORK: i32 = 9;

/// Removes attempts that are older than evidence is kept, a few at once; says whether there may be more.
///
/// # Errors
/// When the database does.
pub async fn attempts(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let before = now - EVIDENCE;
    let removed = db.write(move |tx| {
        Box::pin(async move {
            if !tx.is_alone(WORK).await? {
                return Ok(0);
            }
            Ok(sql!(
                exec tx,
                "DELETE FROM attempts WHERE (tenant_id, window_id, number) IN (
                    SELECT tenant_id, window_id, number FROM attempts WHERE started_at < $1
                    ORDER BY started_at LIMIT $2)",
                before,
                AT_ONCE,
            )?)
        })
    });
    Ok(removed.await? > 0)
}

/// Removes what tells where events came from that are gone, a few at once; says whether there may be more.
///
/// # Errors
/// When the database does.
pub async fn origins(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let mut more = false;
    for (tenant, retention) in tenants::retention::of_all(db).await? {
        let end = EventId::floor(retention.accepted_before(now).min(retention.quarantined_before(now)));
        let text = "SELECT receipt_id FROM polled WHERE tenant_id = $1 AND receipt_id < $2 LIMIT 1";
        if sql!(opt(EventId,), db, text, tenant, end)?.is_none() {
            continue;
        }
        more |= db
            .write(move |tx| {
                Box::pin(async move {
                    let text = "DELETE FROM polled WHERE tenant_id = $1 AND receipt_id IN
                        (SELECT receipt_id FROM polled WHERE tenant_id = $1 AND receipt_id < $2
                         ORDER BY receipt_id LIMIT $3)";
                    Ok(sql!(exec tx, text, tenant, end, AT_ONCE)? > 0)
                })
            })
            .await?;
    }
    Ok(more)
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct Old {
    id: WindowId,
    from_at: DateTime<Utc>,
    until_at: DateTime<Utc>,
    done_at: Option<DateTime<Utc>>,
    kind: crate::polling::ledger::Kind,
    merged: i64,
    requests: i64,
    bytes: i64,
    records: i64,
    fresh: i64,
    duplicates: i64,
    quarantined: i64,
}

/// Sources whose old windows have not been merged for a day, those that were removed included; not all at once.
///
/// # Errors
/// When the database does.
pub async fn sources(db: &Db, now: DateTime<Utc>) -> Result<Vec<(TenantId, SourceId)>> {
    let text = "SELECT tenant_id, id FROM sources WHERE tidied_at < $1 ORDER BY tidied_at LIMIT $2";
    Ok(sql!(all(TenantId, SourceId), db, text, now - EVERY, AT_ONCE)?)
}

/// Notes that the old windows of a source are merged.
///
/// # Errors
/// When the database does.
pub async fn tidied(db: &Db, tenant: TenantId, source: SourceId, now: DateTime<Utc>) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            let text = "UPDATE sources SET tidied_at = $3 WHERE tenant_id = $1 AND id = $2";
            sql!(exec tx, text, tenant, source, now)?;
            Ok(())
        })
    })
    .await
}

/// Merges the windows of a source that were done before evidence is kept, and removes those that were split or lay
/// beside the ledger; a few at once, beginning at `from`. Returns where it goes on, if there may be more.
///
/// # Errors
/// When the database does.
pub async fn spans(
    db: &Db,
    tenant: TenantId,
    source: SourceId,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let before = now - EVIDENCE;
    let old = sql!(
        all Old, db,
        "SELECT id, from_at, until_at, done_at, kind, merged, requests, bytes, records, fresh, duplicates, quarantined
         FROM windows
         WHERE tenant_id = $1 AND source_id = $2 AND state = 'done' AND kind IN ('scheduled', 'backfill')
           AND done_at < $3 AND from_at < $3 AND from_at >= $5
         ORDER BY from_at LIMIT $4",
        tenant,
        source,
        before,
        AT_ONCE,
        from,
    )?;
    let full = old.len() >= usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    let runs = merge(old);
    // the last run may go on beyond what was looked at
    let last = runs.last().and_then(|run| run.first()).map(|first| first.from_at).filter(|_| full);
    let removed = db
        .write(move |tx| {
            Box::pin(async move {
                if !tx.is_alone(WORK).await? {
                    return Ok(0);
                }
                for run in &runs {
                    one_span(tx, tenant, run).await?;
                }
                let text = "DELETE FROM windows WHERE tenant_id = $1 AND id IN (SELECT id FROM windows
                    WHERE tenant_id = $1 AND source_id = $2 AND from_at < $3 AND planned_at < $3
                      AND (state = 'split' OR (state = 'done' AND kind IN ('reread', 'check'))) LIMIT $4)";
                Ok(sql!(exec tx, text, tenant, source, before, AT_ONCE)?)
            })
        })
        .await?;
    Ok(last.or((removed > 0).then_some(from)))
}

/// Windows that meet, as long as they make no span that is too long.
fn merge(old: Vec<Old>) -> Vec<Vec<Old>> {
    let mut runs: Vec<Vec<Old>> = Vec::new();
    for window in old {
        let fits = |run: &Vec<Old>| {
            run.last().is_some_and(|last| last.until_at == window.from_at)
                && run.first().is_some_and(|first| window.until_at - first.from_at <= SPAN && first.kind == window.kind)
        };
        match runs.last_mut().filter(|run| fits(run)) {
            Some(run) => run.push(window),
            None => runs.push(vec![window]),
        }
    }
    runs
}

async fn one_span(tx: &mut Tx, tenant: TenantId, run: &[Old]) -> Result<()> {
    let [first, rest @ ..] = run else { return Ok(()) };
    let Some(last) = rest.last() else { return Ok(()) };
    for window in rest {
        sql!(exec tx, "DELETE FROM windows WHERE tenant_id = $1 AND id = $2", tenant, window.id)?;
    }
    let sum = |of: fn(&Old) -> i64| run.iter().map(of).sum::<i64>();
    sql!(
        exec tx,
        "UPDATE windows SET until_at = $3, done_at = $4, merged = $5, requests = $6, bytes = $7, records = $8,
            fresh = $9, duplicates = $10, quarantined = $11
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        first.id,
        last.until_at,
        run.iter().filter_map(|window| window.done_at).max(),
        sum(|window| window.merged),
        sum(|window| window.requests),
        sum(|window| window.bytes),
        sum(|window| window.records),
        sum(|window| window.fresh),
        sum(|window| window.duplicates),
        sum(|window| window.quarantined),
    )?;
    Ok(())
}
