//! What the schedule does: sources that are due let their ledger grow, closed windows are picked to be read again, and
//! what each source's health has become is written down.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    clock::Clock,
    db::{Db, Tx},
    error::Result,
    ids::{SourceId, TenantId, WindowId},
    polling::{
        Health, Lateness, State, Window,
        ledger::{self, Growth, Kind},
        terms::Terms,
    },
    sql,
};

/// A source whose schedule has come.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub id: SourceId,
    /// Its definition.
    pub definition: String,
    /// Where its ledger ends.
    pub watermark: DateTime<Utc>,
    /// When it was due.
    pub next_run_at: DateTime<Utc>,
    /// Whether somebody wants it up to the present.
    pub run_now: bool,
    skew_millis: i64,
}

impl Due {
    /// What time it is for the other side.
    pub fn theirs(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::milliseconds(self.skew_millis)
    }
}

/// Sources that are due, longest first.
///
/// # Errors
/// When the database does.
pub async fn due(db: &Db, now: DateTime<Utc>, limit: i64) -> Result<Vec<Due>> {
    Ok(sql!(
        all Due, db,
        "SELECT tenant_id, id, definition, watermark, next_run_at, run_now, skew_millis FROM sources
         WHERE state = 'active' AND next_run_at <= $1 ORDER BY next_run_at LIMIT $2",
        now,
        limit,
    )?)
}

/// Lets the ledgers of sources that are due grow, each up to where its schedule says. Whoever was faster has done it.
/// Returns how many windows are new.
///
/// # Errors
/// When the database does; nothing was planned then.
pub async fn run(db: &Db, clock: &Clock, due: Vec<(Due, Terms)>) -> Result<usize> {
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let mut new = 0;
            for (source, terms) in &due {
                new += one(tx, &clock, source, terms).await?;
            }
            Ok(new)
        })
    })
    .await
}

async fn one(tx: &mut Tx, clock: &Clock, source: &Due, terms: &Terms) -> Result<usize> {
    let now = clock.now();
    let theirs = source.theirs(now);
    let settled = ledger::floor(theirs - terms.timing.settle, TimeDelta::seconds(1));
    let scheduled = terms.timing.reach(theirs).unwrap_or(source.watermark);
    let reach = if source.run_now { settled } else { scheduled };
    let waiting = if reach > source.watermark { waiting(tx, source).await? } else { None };
    let growth = ledger::grow(source.watermark, waiting.map(|(_, window)| window), reach, terms.shape);
    let watermark = growth.watermark().unwrap_or(source.watermark);
    // by the clock on their side; ours differs by the skew
    let next = terms.timing.next(watermark).map_or(now + TimeDelta::days(1), |next| next - (theirs - now));
    // a watermark that somebody has put into the past or the future is caught up with or waited for, not spun on
    let next = next.max(now + TimeDelta::seconds(1));
    let moved = sql!(
        exec tx,
        "UPDATE sources SET watermark = $5, next_run_at = $6, run_now = FALSE
         WHERE tenant_id = $1 AND id = $2 AND watermark = $3 AND next_run_at = $4 AND state = 'active'",
        source.tenant_id,
        source.id,
        source.watermark,
        source.next_run_at,
        watermark,
        next,
    )?;
    if moved == 0 {
        return Ok(0);
    }
    write(tx, clock, source, terms, waiting.map(|(id, _)| id), &growth).await
}

/// The newest window, if nothing of it was read yet.
async fn waiting(tx: &mut Tx, source: &Due) -> Result<Option<(WindowId, Window)>> {
    // locked, so that nobody takes it before it is stretched
    let row = sql!(
        opt(WindowId, DateTime<Utc>, DateTime<Utc>),
        tx,
        "UPDATE windows SET epoch = epoch WHERE tenant_id = $1 AND source_id = $2 AND until_at = $3
            AND kind = 'scheduled' AND state = 'open' AND done_at IS NULL AND position IS NULL
         RETURNING id, from_at, until_at",
        source.tenant_id,
        source.id,
        source.watermark,
    )?;
    Ok(row.map(|(id, from, until)| (id, Window::new(from, until))))
}

async fn write(
    tx: &mut Tx,
    clock: &Clock,
    source: &Due,
    terms: &Terms,
    waiting: Option<WindowId>,
    growth: &Growth,
) -> Result<usize> {
    if let (Some(id), Some(until)) = (waiting, growth.stretched) {
        sql!(
            exec tx,
            "UPDATE windows SET until_at = $3, merged = merged + 1 WHERE tenant_id = $1 AND id = $2",
            source.tenant_id,
            id,
            until,
        )?;
    }
    let lookback = if growth.stretched.is_some() { TimeDelta::zero() } else { terms.lookback };
    let new = New { tenant: source.tenant_id, source: source.id, host: &terms.host, kind: Kind::Scheduled, lookback };
    new.insert(tx, clock, &growth.new).await?;
    Ok(growth.new.len())
}

/// Windows to be asked for.
pub(super) struct New<'a> {
    pub tenant: TenantId,
    pub source: SourceId,
    pub host: &'a str,
    pub kind: Kind,
    /// How much earlier the first of them is asked for.
    pub lookback: TimeDelta,
}

impl New<'_> {
    /// Inserts them, the oldest to be read first.
    pub async fn insert(&self, tx: &mut Tx, clock: &Clock, windows: &[Window]) -> Result<()> {
        let now = clock.now();
        for (n, window) in windows.iter().enumerate() {
            let order = TimeDelta::microseconds(i64::try_from(n).unwrap_or(0));
            let ask_from = if n == 0 { window.from - self.lookback } else { window.from };
            sql!(
                exec tx,
                "INSERT INTO windows (tenant_id, id, source_id, host, kind, state, from_at, until_at, ask_from,
                    planned_at, next_try_at, failures, merged, requests, bytes, records, fresh, duplicates,
                    quarantined, epoch, held_until)
                 VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, 0, 1, 0, 0, 0, 0, 0, 0, 0, $11)",
                self.tenant,
                WindowId::new(clock),
                self.source,
                self.host,
                self.kind,
                window.from,
                window.until,
                ask_from,
                now,
                now + order,
                DateTime::<Utc>::UNIX_EPOCH,
            )?;
        }
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Standing {
    tenant_id: TenantId,
    id: SourceId,
    state: State,
    health: Health,
    interval_seconds: i64,
    next_run_at: DateTime<Utc>,
    waiting: Option<DateTime<Utc>>,
}

/// Writes down which sources stand otherwise than they did; returns them, with how they stood and how they stand.
///
/// # Errors
/// When the database does.
pub async fn judge_health(db: &Db, now: DateTime<Utc>) -> Result<Vec<(TenantId, SourceId, Health, Health)>> {
    let all = sql!(
        all Standing, db,
        "SELECT s.tenant_id, s.id, s.state, s.health, s.interval_seconds, s.next_run_at, w.waiting
         FROM sources AS s LEFT JOIN (
             SELECT tenant_id, source_id, MIN(planned_at) AS waiting FROM windows
             WHERE done_at IS NULL AND kind = 'scheduled' GROUP BY tenant_id, source_id
         ) AS w ON w.tenant_id = s.tenant_id AND w.source_id = s.id
         WHERE s.state <> 'removed'",
    )?;
    let changed: Vec<_> = all
        .into_iter()
        .filter_map(|row| {
            let due = row.waiting.map_or(row.next_run_at, |waiting| waiting.min(row.next_run_at));
            let health = Health::of(row.state, due, TimeDelta::seconds(row.interval_seconds), now);
            (health != row.health).then_some((row.tenant_id, row.id, row.health, health))
        })
        .collect();
    if changed.is_empty() {
        return Ok(changed);
    }
    db.write(move |tx| {
        Box::pin(async move {
            let mut written = Vec::with_capacity(changed.len());
            for (tenant, id, before, health) in changed {
                let text = "UPDATE sources SET health = $4, health_since = $5
                    WHERE tenant_id = $1 AND id = $2 AND health = $3";
                if sql!(exec tx, text, tenant, id, before, health, now)? > 0 {
                    written.push((tenant, id, before, health));
                }
            }
            Ok(written)
        })
    })
    .await
}

/// A source whose closed windows are read again.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Checked {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub id: SourceId,
    /// Its host.
    pub host: String,
    /// Its definition.
    pub definition: String,
}

/// Sources whose closed windows are to be read again.
///
/// # Errors
/// When the database does.
pub async fn reconciled(db: &Db) -> Result<Vec<Checked>> {
    let text = "SELECT tenant_id, id, host, definition FROM sources WHERE state = 'active' AND reconcile ORDER BY id";
    Ok(sql!(all Checked, db, text)?)
}

/// Has a closed window of a source read again: the one that `draw` (0 to 1) picks among those that are whole, and whose
/// records are all still known. Nothing while one is still to be read.
///
/// # Errors
/// When the database does.
pub async fn check(db: &Db, clock: &Clock, source: Checked, among: Window, draw: f64) -> Result<bool> {
    const ELIGIBLE: &str = "SELECT COUNT(*) FROM windows WHERE tenant_id = $1 AND source_id = $2 AND state = 'done'
        AND kind IN ('scheduled', 'backfill') AND from_at >= $3 AND until_at <= $4";
    const NTH: &str = "SELECT from_at, until_at FROM windows WHERE tenant_id = $1 AND source_id = $2 AND state = 'done'
        AND kind IN ('scheduled', 'backfill') AND from_at >= $3 AND until_at <= $4
        ORDER BY from_at LIMIT 1 OFFSET $5";
    const WAITS: &str = "SELECT COUNT(*) FROM windows WHERE tenant_id = $1 AND source_id = $2 AND kind = 'check'
        AND done_at IS NULL";
    let (tenant, id) = (source.tenant_id, source.id);
    if sql!(value i64, db, WAITS, tenant, id)? > 0 {
        return Ok(false);
    }
    let count = sql!(value i64, db, ELIGIBLE, tenant, id, among.from, among.until)?;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any of them will do")]
    let nth = ((count as f64 * draw) as i64).min(count - 1);
    if count == 0 {
        return Ok(false);
    }
    let found = sql!(opt(DateTime<Utc>, DateTime<Utc>), db, NTH, tenant, id, among.from, among.until, nth)?;
    let Some((from, until)) = found else { return Ok(false) };
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let new = New { tenant, source: id, host: &source.host, kind: Kind::Check, lookback: TimeDelta::zero() };
            new.insert(tx, &clock, &[Window::new(from, until)]).await?;
            Ok(true)
        })
    })
    .await
}

/// What a window that is done tells of its source: how late its records came, what reading it again has found, and how
/// the other side's clock goes.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// How late its new records came.
    pub lateness: Lateness,
    /// Records, and how many of them had been missed: of a window that was read to find out.
    pub checked: Option<(i64, i64)>,
    /// How far the other side's clock is ahead, if that is known and has changed.
    pub skew: Option<TimeDelta>,
    /// Whether it had refused the secret before.
    pub accepted_again: bool,
    /// What it has said of its answer, now that this is stored; JSON.
    pub validator: Option<String>,
}

impl Learned {
    /// Whether there is nothing to write down.
    pub fn is_nothing(&self) -> bool {
        self.lateness.is_empty()
            && self.checked.is_none()
            && self.skew.is_none()
            && !self.accepted_again
            && self.validator.is_none()
    }
}

/// Writes down what was learned of a source.
///
/// # Errors
/// When the database does.
pub async fn learn(db: &Db, tenant: TenantId, id: SourceId, learned: Learned) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            // locked before it is read
            let text = "UPDATE sources SET refusals = 0 WHERE tenant_id = $1 AND id = $2 RETURNING lateness";
            let Some((lateness,)) = sql!(opt(String,), tx, text, tenant, id)? else { return Ok(()) };
            let mut sum: Lateness = serde_json::from_str(&lateness).unwrap_or_default();
            sum.add(&learned.lateness);
            let (records, missed) = learned.checked.unwrap_or_default();
            sql!(
                exec tx,
                "UPDATE sources SET lateness = $3, checked_windows = checked_windows + $4,
                    checked_records = checked_records + $5, missed_records = missed_records + $6,
                    skew_millis = COALESCE($7, skew_millis), validator = COALESCE($8, validator)
                 WHERE tenant_id = $1 AND id = $2",
                tenant,
                id,
                serde_json::to_string(&sum).map_err(crate::error::Error::internal)?,
                i64::from(learned.checked.is_some()),
                records,
                missed,
                learned.skew.map(|skew| skew.num_milliseconds()),
                learned.validator,
            )?;
            Ok(())
        })
    })
    .await
}

/// Stops a source whose definition cannot be read.
///
/// # Errors
/// When the database does.
pub async fn stop(db: &Db, source: &Due, reason: String, now: DateTime<Utc>) -> Result<()> {
    let (tenant, id) = (source.tenant_id, source.id);
    db.write(move |tx| {
        Box::pin(async move {
            let text = "UPDATE sources SET state = 'stopped', reason = $3, health = 'failing', health_since = $4
                WHERE tenant_id = $1 AND id = $2 AND state = 'active'";
            sql!(exec tx, text, tenant, id, &reason, now)?;
            Ok(())
        })
    })
    .await
}
