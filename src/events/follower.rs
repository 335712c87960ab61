//! What follows a commit: the figures of each type by the hour, when each token was last used, which events are to be
//! grouped by what is wrong with them (`failures::follow`), and which are to be found by what they hold
//! (`fields::follow`).
//!
//! The front door leaves one row in `batches` a commit. Here they are taken in the transaction that adds them up, so
//! a process that dies in between leaves both the rows and the figures as they were. With PostgreSQL every process
//! follows, one at a time.
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::App,
    db::{Db, Reach, Tx, lane::Tally},
    error::Result,
    events::{fields, rhythm},
    failures,
    ids::{self, EventId, EventTypeId, ReceiptId, TenantId, TokenId},
    sql, tokens,
};

/// How many batches one transaction takes on SQLite: about a millisecond of its one writer, for which those who send have
/// to wait.
const BATCHES: u16 = 64;
/// On PostgreSQL nobody waits for it, and many processes may commit what one at a time follows.
const BATCHES_POSTGRES: u16 = 500;
/// How long to leave the writer of SQLite to those who send when there are more.
const PACE: Duration = Duration::from_millis(10);
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
    /// The longest time without an event that ended in it, in milliseconds.
    gap_ms: i64,
}

/// The hour that `moment` is in.
pub fn hour(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.duration_trunc(TimeDelta::hours(1)).unwrap_or(moment)
}

/// What a run of batches adds up to. Ordered, so that two transactions never wait for each other in a circle.
#[derive(Default)]
struct Sums {
    hours: BTreeMap<(TenantId, EventTypeId, DateTime<Utc>), Sum>,
    /// When events of each type came: a moment a commit.
    moments: BTreeMap<(TenantId, EventTypeId), Vec<DateTime<Utc>>>,
    used: BTreeMap<(TenantId, TokenId), DateTime<Utc>>,
    /// Tenants whose events broke their contract, and the first and the last receipt that may hold such events.
    broken: BTreeMap<TenantId, (ReceiptId, ReceiptId)>,
    /// Types with searchable fields, and the first and the last receipt that may hold events of theirs.
    searchable: BTreeMap<(TenantId, EventTypeId), (ReceiptId, ReceiptId)>,
}

impl Sums {
    fn add(&mut self, tally: &Tally) {
        let at = tally.last.received_at();
        let empty = Sum { accepted: 0, quarantined: 0, duplicates: 0, last_at: at, gap_ms: 0 };
        let sum = self.hours.entry((tally.tenant, tally.event_type, hour(at))).or_insert(empty);
        sum.accepted += tally.accepted;
        sum.quarantined += tally.quarantined;
        sum.duplicates += tally.duplicates;
        sum.last_at = sum.last_at.max(at);
        self.moments.entry((tally.tenant, tally.event_type)).or_default().push(at);
        if let Some(token) = tally.source {
            let used = self.used.entry((tally.tenant, token)).or_insert(at);
            *used = at.max(*used);
        }
    }

    /// Notes where the events of a batch are that broke their contract, and those that are to be found by their
    /// fields.
    fn note(&mut self, tallies: &[Tally], receipts: &[u8], searchable: &BTreeSet<(TenantId, EventTypeId)>) {
        let of = |tally: &Tally| (tally.tenant, tally.event_type);
        let stored = |tally: &&Tally| tally.accepted + tally.quarantined > 0;
        let sought: BTreeSet<_> =
            tallies.iter().filter(stored).map(of).filter(|which| searchable.contains(which)).collect();
        if sought.is_empty() && tallies.iter().all(|tally| tally.quarantined == 0) {
            return;
        }
        for pair in receipts.chunks_exact(32) {
            let id = |bytes| uuid::Uuid::from_slice(bytes).unwrap_or_default();
            let (tenant, receipt) = (TenantId(id(&pair[..16])), ReceiptId(id(&pair[16..])));
            if tallies.iter().any(|tally| tally.quarantined > 0 && tally.tenant == tenant) {
                widen(self.broken.entry(tenant).or_insert((receipt, receipt)), receipt);
            }
            for which in sought.iter().filter(|(owner, _)| *owner == tenant) {
                widen(self.searchable.entry(*which).or_insert((receipt, receipt)), receipt);
            }
        }
    }
}

/// Makes a range of receipts hold this one too.
fn widen((first, last): &mut (ReceiptId, ReceiptId), receipt: ReceiptId) {
    (*first, *last) = (receipt.min(*first), receipt.max(*last));
}

/// Works off the oldest batches; returns how many. Fewer than [`most`] means that none were left.
///
/// # Errors
/// When the database does; nothing was taken then.
pub async fn step(db: &Db) -> Result<usize> {
    let most = most(db);
    db.write(move |tx| Box::pin(take(tx, most))).await
}

/// What [`step`] returns when there may be more.
const fn most(db: &Db) -> u16 {
    match db {
        Db::Sqlite { .. } => BATCHES,
        Db::Postgres(_) => BATCHES_POSTGRES,
    }
}

/// When the oldest batch that waits was committed; none when none waits.
///
/// # Errors
/// When the database does.
pub async fn oldest(db: &Db) -> Result<Option<DateTime<Utc>>> {
    let id = sql!(values Uuid, db, "SELECT id FROM batches ORDER BY id LIMIT 1")?;
    Ok(id.first().map(|id| ids::moment(*id)))
}

async fn take(tx: &mut Tx, most: u16) -> Result<usize> {
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
        all(String, Vec<u8>),
        tx,
        "DELETE FROM batches WHERE id IN (SELECT id FROM batches ORDER BY id LIMIT $1) RETURNING tallies, receipts",
        i64::from(most),
    )?;
    let searchable: BTreeSet<_> =
        if batches.is_empty() { BTreeSet::new() } else { fields::store::types(tx).await?.into_iter().collect() };
    let mut sums = Sums::default();
    for (tallies, receipts) in &batches {
        match serde_json::from_str::<Vec<Tally>>(tallies) {
            Ok(tallies) => {
                for tally in &tallies {
                    sums.add(tally);
                }
                sums.note(&tallies, receipts, &searchable);
            }
            // to keep it would stop the counting for good
            Err(error) => tracing::error!(%error, "a batch cannot be read; its events are not counted"),
        }
    }
    for ((tenant, event_type), moments) in &mut sums.moments {
        let text = "SELECT last_at FROM event_counts
            WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY hour DESC LIMIT 1";
        let previous = sql!(values DateTime<Utc>, tx, text, *tenant, *event_type)?.first().copied();
        for (hour, gap) in rhythm::gaps(previous, moments) {
            if let Some(sum) = sums.hours.get_mut(&(*tenant, *event_type, hour)) {
                sum.gap_ms = gap;
            }
        }
    }
    for ((tenant, event_type, hour), sum) in sums.hours {
        count(tx, tenant, event_type, hour, sum).await?;
    }
    for ((tenant, token), at) in sums.used {
        tokens::store::used(tx, tenant, token, at).await?;
    }
    for (tenant, (first, last)) in sums.broken {
        failures::follow::note(tx, tenant, EventId(first.0), last.last_event()).await?;
    }
    for ((tenant, event_type), (first, last)) in sums.searchable {
        fields::follow::note(tx, tenant, event_type, EventId(first.0), last.last_event()).await?;
    }
    Ok(batches.len())
}

async fn count(tx: &mut Tx, tenant: TenantId, event_type: EventTypeId, hour: DateTime<Utc>, sum: Sum) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO event_counts (tenant_id, event_type_id, hour, accepted, quarantined, duplicates, last_at, gap_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (tenant_id, event_type_id, hour) DO UPDATE SET
            accepted = event_counts.accepted + excluded.accepted,
            quarantined = event_counts.quarantined + excluded.quarantined,
            duplicates = event_counts.duplicates + excluded.duplicates,
            last_at = CASE WHEN excluded.last_at > event_counts.last_at
                THEN excluded.last_at ELSE event_counts.last_at END,
            gap_ms = CASE WHEN excluded.gap_ms > COALESCE(event_counts.gap_ms, 0)
                THEN excluded.gap_ms ELSE COALESCE(event_counts.gap_ms, 0) END",
        tenant,
        event_type,
        hour,
        sum.accepted,
        sum.quarantined,
        sum.duplicates,
        sum.last_at,
        sum.gap_ms,
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
    let mut following = fields::follow::Following::default();
    let (most, pace) = (usize::from(most(db)), if matches!(db, Db::Sqlite { .. }) { PACE } else { Duration::ZERO });
    loop {
        // asked before the work: what was committed while it ran is for the next time
        let last = stop.is_cancelled();
        let counted = match step(db).await {
            Ok(taken) if taken == most => pace,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "counting what was committed failed; trying again");
                IDLE
            }
        };
        let grouped = match failures::follow::step(db).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "grouping what broke its contract failed; trying again");
                IDLE
            }
        };
        let indexed = match following.step(db).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::error!(%error, "writing down what searchable fields hold failed; trying again");
                IDLE
            }
        };
        let rest = counted.min(grouped).min(indexed);
        if last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = wait(rest, &mut commits) => {}
        }
    }
}

/// `rest`, and then, unless more is known to be there, until something is committed here or might be elsewhere.
async fn wait(rest: Duration, commits: &mut watch::Receiver<u64>) {
    if rest.is_zero() {
        return tokio::task::yield_now().await;
    }
    tokio::time::sleep(rest).await;
    if rest <= PACE {
        return;
    }
    let committed = async {
        if commits.changed().await.is_err() {
            // the lane has ended
            std::future::pending::<()>().await;
        }
    };
    let _ = tokio::time::timeout(IDLE, committed).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::{Actor, See},
        db::testing::each,
        error::Error,
        events::{
            store::last_of_types,
            testing::{Bench, WRONG, some_token, some_type},
        },
        ids::ReceiptId,
    };

    async fn left(db: &Db) -> i64 {
        sql!(value i64, db, "SELECT COUNT(*) FROM batches").unwrap()
    }

    async fn counted(bench: &Bench) -> (i64, i64) {
        let permit = Actor::cli().permit::<See>(bench.tenant).unwrap();
        let standings = last_of_types(&bench.db, &permit, DateTime::default()).await.unwrap();
        standings
            .iter()
            .fold((0, 0), |(accepted, quarantined), one| (accepted + one.accepted, quarantined + one.quarantined))
    }

    async fn fill(bench: &Bench, requests: u128) {
        for n in 0..requests {
            let token = Some(some_token(n % 2));
            bench.send(&[(some_type(n % 3), token, "{}", None), (some_type(n % 3), token, "{}", Some(WRONG))]).await;
        }
    }

    #[tokio::test]
    async fn every_commit_is_counted_once_and_by_its_hour() {
        each(async |db| {
            let bench = Bench::new(&db);
            fill(&bench, 5).await;
            bench.clock.advance(3600);
            fill(&bench, 7).await;
            assert_eq!(counted(&bench).await, (0, 0));
            while step(&db).await.unwrap() > 0 {}
            assert_eq!(counted(&bench).await, (12, 12));
            assert_eq!(step(&db).await.unwrap(), 0, "nothing is left to be counted twice");
            assert_eq!(counted(&bench).await, (12, 12));

            let permit = Actor::cli().permit::<See>(bench.tenant).unwrap();
            let lately = last_of_types(&db, &permit, bench.clock.now()).await.unwrap();
            assert_eq!(lately.iter().map(|one| one.accepted).sum::<i64>(), 7, "of this hour alone");
            assert_eq!(lately.len(), 3);
            for standing in lately {
                let newest = bench.permit();
                let filter = super::super::Filter { event_type: Some(standing.event_type_id), ..Default::default() };
                let page = super::super::store::page(&db, &newest, &filter, super::super::Cursor::Newest, 1);
                assert_eq!(page.await.unwrap().events.first().map(|event| event.id), standing.newest);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_rolled_back_is_counted_by_the_next() {
        each(async |db| {
            let bench = Bench::new(&db);
            fill(&bench, 4).await;
            let batches = left(&db).await;
            // a process that dies before its commit leaves what a rollback leaves
            let died = db.write(|tx| {
                Box::pin(async move {
                    assert!(take(tx, BATCHES).await? > 0);
                    Err::<(), _>(Error::Refused("died".into()))
                })
            });
            assert!(died.await.is_err());
            assert_eq!((left(&db).await, counted(&bench).await), (batches, (0, 0)));
            // one that is no longer waited for still ends in one piece
            drop(step(&db));
            while step(&db).await.unwrap() > 0 {}
            assert_eq!((left(&db).await, counted(&bench).await), (0, (4, 4)));
        })
        .await;
    }

    /// 1,200 rows as the lane writes them: many more than one transaction takes.
    async fn fall_behind(bench: &Bench) {
        let tally = |n: u128| Tally {
            tenant: bench.tenant,
            event_type: some_type(n % 7),
            source: Some(some_token(n % 5)),
            accepted: 1,
            quarantined: 2,
            duplicates: 3,
            last: ReceiptId::issue(&bench.clock),
        };
        for _ in 0..12 {
            let rows: Vec<_> = (0..100).map(tally).map(|tally| serde_json::to_string(&[tally]).unwrap()).collect();
            let clock = bench.clock.clone();
            let written = bench.db.write(move |tx| {
                Box::pin(async move {
                    for row in rows {
                        let id = crate::ids::new_id(&clock);
                        let text = "INSERT INTO batches (id, tallies, receipts) VALUES ($1, $2, $3)";
                        sql!(exec tx, text, id, row, Vec::<u8>::new())?;
                    }
                    Ok(())
                })
            });
            written.await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_at_once_count_as_one() {
        each(async |db| {
            let bench = Bench::new(&db);
            fall_behind(&bench).await;
            let mut following = tokio::task::JoinSet::new();
            for _ in 0..6 {
                let db = db.clone();
                following.spawn(async move {
                    let mut idle = 0;
                    while idle < 50 {
                        match step(&db).await.unwrap() {
                            0 => {
                                idle += 1;
                                tokio::time::sleep(Duration::from_millis(2)).await;
                            }
                            _ => idle = 0,
                        }
                    }
                });
            }
            while let Some(done) = following.join_next().await {
                done.unwrap();
            }
            assert_eq!((left(&db).await, counted(&bench).await), (0, (1200, 2400)));
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_far_behind_catches_up_though_nothing_more_is_committed() {
        each(async |db| {
            let bench = Bench::new(&db);
            fall_behind(&bench).await;
            let (app, stop) = (crate::auth::testing::app(&db, &bench.clock), CancellationToken::new());
            let following = tokio::spawn(run(app, stop.clone()));
            // waiting for commits, or for longer than it has to, it would take a minute and more
            let caught_up = async {
                while left(&db).await > 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(15), caught_up).await.expect("it catches up");
            assert_eq!(counted(&bench).await, (1200, 2400));
            stop.cancel();
            following.await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn the_last_use_of_a_token_only_moves_on() {
        each(async |db| {
            let bench = Bench::new(&db);
            let (tenant, token, start) = (bench.tenant, some_token(0), bench.clock.now());
            let made = db.write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO tokens (tenant_id, id, name, prefix, digest, can_configure, created_at)
                        VALUES ($1, $2, 'name', 'trb_', $3, FALSE, $4)";
                    sql!(exec tx, text, tenant, token, vec![1_u8], start)?;
                    Ok(())
                })
            });
            made.await.unwrap();
            let last = async || {
                let text = "SELECT last_used_at FROM tokens WHERE tenant_id = $1";
                sql!(value Option<DateTime<Utc>>, db, text, tenant).unwrap()
            };
            let early = ReceiptId::issue(&bench.clock);
            bench.clock.advance(60);
            let late = bench.send(&[(some_type(0), Some(token), "{}", None)]).await;
            step(&db).await.unwrap();
            assert_eq!(last().await, Some(late.received_at()));
            bench.send_as(tenant, early, &[(some_type(0), Some(token), "{}", None)]).await;
            step(&db).await.unwrap();
            assert_eq!(last().await, Some(late.received_at()));
        })
        .await;
    }

    #[tokio::test]
    async fn a_batch_that_cannot_be_read_does_not_stop_the_others() {
        each(async |db| {
            let bench = Bench::new(&db);
            let id = crate::ids::new_id(&bench.clock);
            let broken = db.write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO batches (id, tallies, receipts) VALUES ($1, $2, $3)";
                    sql!(exec tx, text, id, "nonsense", Vec::<u8>::new())?;
                    Ok(())
                })
            });
            broken.await.unwrap();
            fill(&bench, 1).await;
            let stop = CancellationToken::new();
            let following = tokio::spawn({
                let (db, commits, stop) = (db.clone(), bench.lane.commits(), stop.clone());
                async move { follow(&db, commits, &stop).await }
            });
            fill(&bench, 2).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            stop.cancel();
            following.await.unwrap();
            assert_eq!((left(&db).await, counted(&bench).await), (0, (3, 3)), "once more after the stop");
        })
        .await;
    }
}
