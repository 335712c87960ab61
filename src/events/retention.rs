//! Retention: events that have had their time are removed, a few at once and all the time, so that the front door does
//! not feel it. With PostgreSQL every process looks, one at a time.
//!
//! An event goes by its own verdict's time. What hangs on an event goes with it: [`events_between`] is the place.
use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::{
    app::App,
    auth::{Permit, Right},
    db::{Db, Tx},
    error::Result,
    events::fields,
    failures,
    ids::{EventId, EventTypeId, TenantId},
    jobs::worker::make_way,
    sql,
    tenants::{Retention, retention},
};

/// How often it is looked whether anything has had its time.
const EVERY: Duration = Duration::from_mins(1);
/// How often unique values are looked through: no index knows their age, for it would slow down each event.
const UNIQUE_EVERY: TimeDelta = TimeDelta::hours(24);
/// The most rows of one transaction; fewer when they take long.
const MOST: i64 = 2_000;
const FEWEST: i64 = 50;
/// How long a transaction should take.
const BRIEF: Duration = Duration::from_millis(25);
/// How long the figures of an hour are kept.
const COUNTS: TimeDelta = TimeDelta::days(400);
/// A receipt answers its sender for two days at least: longer than its idempotency key lives.
const RECEIPT_DAYS: i64 = 2;
/// The number of this work among those that one process does at a time.
const WORK: i32 = 2;
/// How far [`would_go`] counts.
pub const COUNTED: i64 = 100_000;

/// What is removed, as `removals` names it.
const ACCEPTED: &str = "accepted";
const QUARANTINED: &str = "quarantined";
const UNIQUE: &str = "unique";

/// Removes what has had its time, until the app is stopping.
pub async fn run(app: App) {
    let mut sweeper = Sweeper::default();
    while app.stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        if let Err(error) = sweeper.sweep(&app).await {
            tracing::warn!(%error, "not everything that has had its time could be removed; going on in a minute");
        }
    }
}

/// What is remembered between two sweeps.
#[derive(Debug)]
pub struct Sweeper {
    /// How far accepted events are gone, and by which setting: what is kept below is in quarantine, and need not be
    /// walked past each minute.
    walked: HashMap<TenantId, (i64, EventId)>,
    at_once: i64,
}

impl Default for Sweeper {
    fn default() -> Self {
        Self { walked: HashMap::new(), at_once: MOST / 4 }
    }
}

impl Sweeper {
    /// Removes all that has had its time by now.
    ///
    /// # Errors
    /// When the database does; what was removed so far is counted.
    pub async fn sweep(&mut self, app: &App) -> Result<()> {
        for (tenant, retention) in retention::of_all(&app.db).await? {
            self.accepted(app, tenant, retention).await?;
            self.quarantined(app, tenant, retention).await?;
            self.mended(app, tenant, retention).await?;
            self.values(app, tenant, retention).await?;
            self.groups(app, tenant, retention).await?;
            self.receipts(app, tenant, retention).await?;
            self.unique(app, tenant, retention).await?;
        }
        self.counts(app).await
    }

    async fn accepted(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let end = EventId::floor(retention.accepted_before(app.clock.now()));
        let mut low = match self.walked.get(&tenant) {
            Some((days, low)) if *days == retention.accepted => *low,
            _ => EventId(uuid::Uuid::nil()),
        };
        while low < end && !app.stopping.is_cancelled() {
            // outside the transaction: how far so many rows reach
            let edge = sql!(opt(EventId,), app.db, EDGE, tenant, low, end, self.at_once)?;
            let high = edge.map_or(end, |(id,)| id);
            let now = app.clock.now();
            let removed = self
                .write(app, move |tx| {
                    Box::pin(async move {
                        let removed = events_between(tx, tenant, low, high).await?;
                        count(tx, tenant, ACCEPTED, removed, now).await?;
                        Ok(removed)
                    })
                })
                .await?;
            if removed.is_none() {
                return Ok(());
            }
            low = high;
            self.walked.insert(tenant, (retention.accepted, low));
        }
        Ok(())
    }

    async fn quarantined(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let (now, end) = (app.clock.now(), EventId::floor(retention.quarantined_before(app.clock.now())));
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move {
                fields::store::forget_broken(tx, tenant, end, at_once, false).await?;
                let removed = sql!(exec tx, QUARANTINED_BEFORE, tenant, end, at_once)?;
                count(tx, tenant, QUARANTINED, removed, now).await?;
                Ok(removed)
            })
        })
        .await
    }

    /// The originals of mended events have the time of the quarantine that they were in; and with what has gone from
    /// there go its traces among the failures.
    async fn mended(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let (now, end) = (app.clock.now(), EventId::floor(retention.quarantined_before(app.clock.now())));
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move {
                fields::store::forget_broken(tx, tenant, end, at_once, true).await?;
                let removed = sql!(exec tx, MENDED_BEFORE, tenant, end, at_once)?;
                count(tx, tenant, QUARANTINED, removed, now).await?;
                Ok(removed + failures::store::forget(tx, tenant, end, at_once).await?)
            })
        })
        .await
    }

    /// Values go with their events. One that was written down while its event went is found here, by its age.
    async fn values(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let now = app.clock.now();
        let end = EventId::floor(retention.accepted_before(now).min(retention.quarantined_before(now)));
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move { fields::store::forget_before(tx, tenant, end, at_once).await })
        })
        .await
    }

    /// Groups of failures that are long past, or a type would be full of them for ever.
    async fn groups(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let end = retention.quarantined_before(app.clock.now());
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move { failures::store::forget_groups(tx, tenant, end, at_once).await })
        })
        .await
    }

    async fn receipts(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let days = retention.accepted.max(retention.quarantined).max(RECEIPT_DAYS);
        let end = EventId::floor(app.clock.now() - TimeDelta::days(days));
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move { Ok(sql!(exec tx, RECEIPTS_BEFORE, tenant, end, at_once)?) })
        })
        .await
    }

    /// Once a day: a walk along the key, which writes only where something is to be removed.
    async fn unique(&mut self, app: &App, tenant: TenantId, retention: Retention) -> Result<()> {
        let now = app.clock.now();
        let text = "SELECT last_at FROM removals WHERE tenant_id = $1 AND what = $2";
        let last = sql!(values DateTime<Utc>, app.db, text, tenant, UNIQUE)?;
        if last.iter().any(|last| *last > now - UNIQUE_EVERY) {
            return Ok(());
        }
        let end = EventId::floor(retention.unique_before(now));
        let mut from = (EventTypeId(uuid::Uuid::nil()), Vec::<u8>::new());
        while !app.stopping.is_cancelled() {
            let page =
                sql!(all(EventTypeId, Vec<u8>, EventId), app.db, UNIQUE_AFTER, tenant, from.0, &from.1, self.at_once,)?;
            let Some((last_type, last_digest, _)) = page.last().cloned() else { break };
            let to = (last_type, last_digest);
            if page.iter().any(|(.., event)| *event < end) {
                let (from, to) = (from.clone(), to.clone());
                let removed = self
                    .write(app, move |tx| {
                        Box::pin(async move {
                            let removed = sql!(exec tx, UNIQUE_BETWEEN, tenant, from.0, &from.1, to.0, &to.1, end)?;
                            // as last looked through only at the end of the walk
                            count(tx, tenant, UNIQUE, removed, now - UNIQUE_EVERY).await?;
                            Ok(removed)
                        })
                    })
                    .await?;
                if removed.is_none() {
                    return Ok(());
                }
            }
            from = to;
        }
        if app.stopping.is_cancelled() {
            return Ok(());
        }
        self.write(app, move |tx| {
            Box::pin(async move {
                sql!(exec tx, LOOKED_THROUGH, tenant, UNIQUE, 0_i64, now)?;
                Ok(0)
            })
        })
        .await
        .map(drop)
    }

    async fn counts(&mut self, app: &App) -> Result<()> {
        let end = super::follower::hour(app.clock.now() - COUNTS);
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move { Ok(sql!(exec tx, COUNTS_BEFORE, end, at_once)?) })
        })
        .await?;
        self.until_none(app, move |tx, at_once| {
            Box::pin(async move { Ok(sql!(exec tx, REFUSALS_BEFORE, end, at_once)?) })
        })
        .await
    }

    /// Removes a few at once until none are left.
    async fn until_none(
        &mut self,
        app: &App,
        remove: impl for<'t> Fn(&'t mut Tx, i64) -> crate::db::Work<'t, u64> + Clone + Send + 'static,
    ) -> Result<()> {
        loop {
            let (remove, at_once) = (remove.clone(), self.at_once);
            let removed = self.write(app, move |tx| remove(tx, at_once)).await?;
            if removed.is_none_or(|removed| removed == 0) || app.stopping.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// One transaction, and a rest in which others write. None: another process is at it.
    async fn write(
        &mut self,
        app: &App,
        work: impl for<'t> FnOnce(&'t mut Tx) -> crate::db::Work<'t, u64> + Send + 'static,
    ) -> Result<Option<u64>> {
        let written = app.db.write(move |tx| {
            Box::pin(async move {
                if !tx.is_alone(WORK).await? {
                    return Ok(None);
                }
                let began = Instant::now();
                Ok(Some((work(tx).await?, began.elapsed())))
            })
        });
        let Some((removed, took)) = written.await? else { return Ok(None) };
        if took > 2 * BRIEF {
            self.at_once = (self.at_once / 2).max(FEWEST);
        } else if took < BRIEF {
            self.at_once = (self.at_once * 2).min(MOST);
        }
        if removed > 0 {
            make_way(app).await;
        }
        Ok(Some(removed))
    }
}

/// Removes the accepted events of a range. What hangs on events (found again by the event's id) is to be removed here
/// and in [`Sweeper::quarantined`], in the same transaction.
async fn events_between(tx: &mut Tx, tenant: TenantId, low: EventId, high: EventId) -> Result<u64> {
    fields::store::forget_accepted(tx, tenant, low, high).await?;
    Ok(sql!(exec tx, ACCEPTED_BETWEEN, tenant, low, high)?)
}

async fn count(tx: &mut Tx, tenant: TenantId, what: &'static str, removed: u64, now: DateTime<Utc>) -> Result<()> {
    if removed > 0 {
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        sql!(exec tx, LOOKED_THROUGH, tenant, what, removed, now)?;
    }
    Ok(())
}

const EDGE: &str = "SELECT id FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 ORDER BY id LIMIT 1 OFFSET $4";

const ACCEPTED_BETWEEN: &str =
    "DELETE FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND verdict = 'accepted'";

const QUARANTINED_BEFORE: &str = "DELETE FROM events WHERE tenant_id = $1 AND id IN
    (SELECT id FROM events WHERE tenant_id = $1 AND id < $2 AND verdict = 'quarantined' ORDER BY id LIMIT $3)";

const MENDED_BEFORE: &str = "DELETE FROM events WHERE tenant_id = $1 AND id IN
    (SELECT id FROM events WHERE tenant_id = $1 AND id < $2 AND verdict = 'mended' ORDER BY id LIMIT $3)";

const RECEIPTS_BEFORE: &str = "DELETE FROM receipts WHERE tenant_id = $1 AND id IN
    (SELECT id FROM receipts WHERE tenant_id = $1 AND id < $2 ORDER BY id LIMIT $3)";

const UNIQUE_AFTER: &str = "SELECT event_type_id, digest, event_id FROM unique_values
    WHERE tenant_id = $1 AND (event_type_id, digest) > ($2, $3) ORDER BY event_type_id, digest LIMIT $4";

const UNIQUE_BETWEEN: &str = "DELETE FROM unique_values WHERE tenant_id = $1 AND (event_type_id, digest) > ($2, $3)
    AND (event_type_id, digest) <= ($4, $5) AND event_id < $6";

const COUNTS_BEFORE: &str = "DELETE FROM event_counts WHERE (tenant_id, event_type_id, hour) IN
    (SELECT tenant_id, event_type_id, hour FROM event_counts WHERE hour < $1 ORDER BY hour LIMIT $2)";

const REFUSALS_BEFORE: &str = "DELETE FROM refused_requests WHERE (tenant_id, event_type_id, hour, status) IN
    (SELECT tenant_id, event_type_id, hour, status FROM refused_requests WHERE hour < $1 ORDER BY hour LIMIT $2)";

const LOOKED_THROUGH: &str =
    "INSERT INTO removals (tenant_id, what, removed, since, last_at) VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (tenant_id, what) DO UPDATE SET removed = removals.removed + excluded.removed,
        last_at = excluded.last_at";

/// What retention has removed of a tenant so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Accepted events.
    pub accepted: i64,
    /// Events in quarantine.
    pub quarantined: i64,
    /// When the first of them was removed.
    pub since: Option<DateTime<Utc>>,
}

/// What retention has removed of a tenant so far.
///
/// # Errors
/// When the database does.
pub async fn removed<R: Right>(db: &Db, permit: &Permit<R>) -> Result<Removed> {
    let text = "SELECT what, removed, since FROM removals WHERE tenant_id = $1 AND removed > 0";
    let mut all = Removed::default();
    for (what, removed, since) in sql!(all(String, i64, DateTime<Utc>), db, text, permit.tenant())? {
        match what.as_str() {
            ACCEPTED => all.accepted = removed,
            QUARANTINED => all.quarantined = removed,
            _ => continue,
        }
        all.since = Some(all.since.map_or(since, |first| first.min(since)));
    }
    Ok(all)
}

/// How many events have had their time by `retention`: accepted ones, and those in quarantine, each counted up to
/// [`COUNTED`].
///
/// # Errors
/// When the database does.
pub async fn would_go<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    retention: Retention,
    now: DateTime<Utc>,
) -> Result<(i64, i64)> {
    let (tenant, accepted) = (permit.tenant(), EventId::floor(retention.accepted_before(now)));
    let quarantined = EventId::floor(retention.quarantined_before(now));
    Ok((
        sql!(value i64, db, COUNT_ACCEPTED, tenant, accepted, COUNTED)?,
        sql!(value i64, db, COUNT_QUARANTINED, tenant, quarantined, COUNTED)?,
    ))
}

const COUNT_ACCEPTED: &str = "SELECT COUNT(*) FROM
    (SELECT id FROM events WHERE tenant_id = $1 AND id < $2 AND verdict = 'accepted' ORDER BY id LIMIT $3) AS old";

const COUNT_QUARANTINED: &str = "SELECT COUNT(*) FROM
    (SELECT id FROM events WHERE tenant_id = $1 AND id < $2 AND verdict = 'quarantined' ORDER BY id LIMIT $3) AS old";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::{Actor, Configure, ReadPayloads},
        db::{Reach, testing::each},
        events::{
            store,
            testing::{Bench, WRONG, some_type},
        },
        ids::ReceiptId,
    };

    struct Old {
        bench: Bench,
        app: App,
    }

    impl Old {
        async fn new(db: &Db) -> Self {
            let bench = Bench::with_tenant(db).await;
            let app = App { lane: bench.lane.clone(), ..crate::auth::testing::app(db, &bench.clock) };
            Self { bench, app }
        }

        fn permit(&self) -> Permit<Configure> {
            Actor::cli().permit(self.bench.tenant).unwrap()
        }

        /// So many of either verdict, received so many days ago.
        async fn came(&self, days: i64, count: usize) {
            let at = EventId::floor(self.bench.clock.now() - TimeDelta::days(days));
            let at = ReceiptId(uuid::Uuid::from_u128(at.0.as_u128() | (rand::random::<u128>() & 0xFFFF_FFFF) << 16));
            let both = [(some_type(0), None, "{}", None), (some_type(1), None, "{}", Some(WRONG))];
            self.bench.send_as(self.bench.tenant, at, &both.repeat(count)).await;
        }

        async fn keep(&self, accepted: i64, quarantined: i64, unique: i64) {
            let to = Retention { accepted, quarantined, unique };
            retention::set(&self.app.db, &self.app.clock, &self.permit(), to).await.unwrap();
        }

        async fn left(&self) -> (i64, i64) {
            let text = "SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND verdict = $2";
            let of =
                async |verdict: &'static str| sql!(value i64, self.app.db, text, self.bench.tenant, verdict).unwrap();
            (of(ACCEPTED).await, of(QUARANTINED).await)
        }
    }

    #[tokio::test]
    async fn each_event_goes_by_the_time_of_its_own_verdict_and_is_counted() {
        each(async |db| {
            let (old, other) = (Old::new(&db).await, Old::new(&db).await);
            for days in [0, 29, 31, 89, 91, 4_000] {
                old.came(days, 3).await;
            }
            other.came(89, 1).await;
            let (read, now) = (old.permit(), old.bench.clock.now());
            assert_eq!(would_go(&db, &read, retention::DEFAULT, now).await.unwrap(), (6, 12));
            let mut sweeper = Sweeper { at_once: FEWEST, ..Sweeper::default() };
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!((old.left().await, other.left().await), ((12, 6), (1, 0)));
            let so_far = removed(&db, &read).await.unwrap();
            assert_eq!((so_far.accepted, so_far.quarantined), (6, 12));
            assert!(so_far.since >= Some(now));
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(removed(&db, &read).await.unwrap(), so_far, "nothing goes twice");

            // quarantine that is kept longer stays where accepted events around it go
            old.keep(10, 3_650, 3_650).await;
            old.came(60, 200).await;
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(old.left().await, (3, 206));
            // and goes when that is shortened, by a process that has been running meanwhile
            old.keep(1, 1, 1).await;
            old.came(20, 70).await;
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(old.left().await, (3, 3));
            old.bench.clock.advance(2 * 86_400);
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!((old.left().await, other.left().await), ((0, 0), (0, 0)));
        })
        .await;
    }

    #[tokio::test]
    async fn unique_values_outlive_their_events() {
        each(async |db| {
            let old = Old::new(&db).await;
            let (tenant, now) = (old.bench.tenant, old.bench.clock.now());
            let write = db.write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO unique_values (tenant_id, event_type_id, digest, content, event_id)
                        VALUES ($1, $2, $3, $3, $4)";
                    for n in 0_u8..120 {
                        let event = EventId::floor(now - TimeDelta::days(if n % 3 == 0 { 397 } else { 395 }));
                        sql!(exec tx, text, tenant, some_type(u128::from(n % 4)), vec![n; 16], event)?;
                    }
                    Ok(())
                })
            });
            write.await.unwrap();
            let left = async || {
                sql!(value i64, db, "SELECT COUNT(*) FROM unique_values WHERE tenant_id = $1", tenant).unwrap()
            };
            let mut sweeper = Sweeper { at_once: FEWEST, ..Sweeper::default() };
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(left().await, 80);
            old.bench.clock.advance(23 * 3_600);
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(left().await, 80, "looked through once a day");
            old.bench.clock.advance(2 * 86_400);
            sweeper.sweep(&old.app).await.unwrap();
            assert_eq!(left().await, 0);
        })
        .await;
    }

    #[tokio::test]
    async fn old_receipts_and_figures_go_too() {
        each(async |db| {
            let old = Old::new(&db).await;
            let (tenant, now) = (old.bench.tenant, old.bench.clock.now());
            let write = db.write(move |tx| {
                Box::pin(async move {
                    for days in [1, 89, 91, 399, 402] {
                        let then = now - TimeDelta::days(days);
                        let text =
                            "INSERT INTO receipts (tenant_id, id, status, accepted, duplicates, rejected, warnings)
                            VALUES ($1, $2, 201, 1, '[]', '', '')";
                        sql!(exec tx, text, tenant, EventId::floor(then))?;
                        let text = "INSERT INTO event_counts
                                (tenant_id, event_type_id, hour, accepted, quarantined, duplicates, last_at)
                            VALUES ($1, $2, $3, 1, 0, 0, $4)";
                        sql!(exec tx, text, tenant, some_type(0), super::super::follower::hour(then), then)?;
                        let text = "INSERT INTO refused_requests
                                (tenant_id, event_type_id, hour, status, requests, last_at) VALUES ($1, $2, $3, 401, 1, $4)";
                        sql!(exec tx, text, tenant, some_type(0), super::super::follower::hour(then), then)?;
                    }
                    Ok(())
                })
            });
            write.await.unwrap();
            Sweeper::default().sweep(&old.app).await.unwrap();
            let receipts = sql!(value i64, db, "SELECT COUNT(*) FROM receipts").unwrap();
            let counts = sql!(value i64, db, "SELECT COUNT(*) FROM event_counts").unwrap();
            let refusals = sql!(value i64, db, "SELECT COUNT(*) FROM refused_requests").unwrap();
            assert_eq!((receipts, counts, refusals), (2, 4, 4));
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn events_come_in_while_others_go_and_many_sweep_at_once() {
        each(async |db| {
            let old = Old::new(&db).await;
            old.came(100, 2_000).await;
            let mut sweeping = tokio::task::JoinSet::new();
            for _ in 0..3 {
                let app = old.app.clone();
                sweeping.spawn(async move { Sweeper::default().sweep(&app).await.unwrap() });
            }
            for _ in 0..20 {
                old.bench.one(some_type(0), "{}").await;
            }
            while let Some(swept) = sweeping.join_next().await {
                swept.unwrap();
            }
            // whoever was not alone has left it to the others
            Sweeper::default().sweep(&old.app).await.unwrap();
            assert_eq!(old.left().await, (20, 0));
            let gone = removed(&db, &old.permit()).await.unwrap();
            assert_eq!((gone.accepted, gone.quarantined), (2_000, 2_000));
            let reader: Permit<ReadPayloads> = Actor::cli().permit(old.bench.tenant).unwrap();
            assert!(store::any(&db, &reader).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn every_removal_walks_along_an_index() {
        each(async |db| {
            let statements: [(&'static str, usize, &[&str]); 17] = [
                (EDGE, 4, &["sqlite_autoindex_events_1"]),
                (ACCEPTED_BETWEEN, 3, &["sqlite_autoindex_events_1"]),
                (QUARANTINED_BEFORE, 3, &["events_quarantined"]),
                (MENDED_BEFORE, 3, &["events_mended"]),
                (failures::store::FAILURES_BEFORE, 3, &["failures_of_event"]),
                (failures::store::MENDED_BEFORE, 3, &["sqlite_autoindex_mended_1"]),
                (
                    failures::store::EMPTY_GROUPS,
                    3,
                    &["sqlite_autoindex_failure_groups_1", "sqlite_autoindex_failures_1"],
                ),
                (RECEIPTS_BEFORE, 3, &["sqlite_autoindex_receipts_1"]),
                (UNIQUE_AFTER, 4, &["sqlite_autoindex_unique_values_1"]),
                (UNIQUE_BETWEEN, 6, &["sqlite_autoindex_unique_values_1"]),
                (COUNTS_BEFORE, 2, &["event_counts_by_hour"]),
                (REFUSALS_BEFORE, 2, &["refused_requests_by_hour"]),
                (COUNT_QUARANTINED, 3, &["events_quarantined"]),
                (fields::store::FORGET_ACCEPTED, 3, &["sqlite_autoindex_field_values_1"]),
                (fields::store::FORGET_BEFORE, 3, &["sqlite_autoindex_field_values_1"]),
                (fields::store::FORGET_QUARANTINED, 3, &["sqlite_autoindex_field_values_1", "events_quarantined"]),
                (fields::store::FORGET_MENDED, 3, &["sqlite_autoindex_field_values_1", "events_mended"]),
            ];
            let Reach::Sqlite(on) = db.reach() else { return };
            for (text, arguments, indexes) in statements {
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                let mut query = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
                for _ in 0..arguments {
                    query = query.bind(None::<i64>);
                }
                let steps = query.fetch_all(on).await.unwrap();
                let plan = steps.into_iter().map(|(.., words)| words).collect::<Vec<_>>().join("; ");
                assert!(indexes.iter().all(|index| plan.contains(index)), "{text}\n{plan}");
                let tables = ["events", "unique", "failure", "mended", "f", "g"].map(|table| format!("SCAN {table}"));
                let scanned = tables.iter().any(|scan| plan.contains(scan)) || plan.contains("TEMP B-TREE");
                assert!(!scanned, "{text}\n{plan}");
            }
        })
        .await;
    }
}
