//! Requests to the address of an event type that were turned away. Nothing else is left of them, so they are counted by
//! type, hour and status: in memory, where nothing but a refusal comes by, and written down a few times a minute.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::follower::hour;
use crate::{
    auth::{Permit, Right},
    db::{Db, Tx},
    error::Result,
    ids::{EventTypeId, TenantId},
    sql,
};

/// How often they are written down.
const EVERY: Duration = Duration::from_secs(5);
/// How many kinds are kept in mind between two times. Whoever knows a token can name any id.
const MOST: usize = 2_000;
/// How many are written down in one transaction.
const AT_ONCE: usize = 100;

type Key = (TenantId, EventTypeId, DateTime<Utc>, i64);

#[derive(Clone, Copy)]
struct Count {
    requests: i64,
    last_at: DateTime<Utc>,
}

/// What this process has turned away and not written down yet. Cheap to clone.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Mutex<HashMap<Key, Count>>>);

impl Refusals {
    /// A request that named this type was refused.
    pub fn note(&self, tenant: TenantId, event_type: EventTypeId, status: u16, at: DateTime<Utc>) {
        self.add((tenant, event_type, hour(at), i64::from(status)), Count { requests: 1, last_at: at });
    }

    fn add(&self, key: Key, more: Count) {
        let mut counts = self.locked();
        if counts.len() >= MOST && !counts.contains_key(&key) {
            return;
        }
        let count = counts.entry(key).or_insert(Count { requests: 0, ..more });
        count.requests += more.requests;
        count.last_at = count.last_at.max(more.last_at);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        // whoever panicked in there left at most one refusal uncounted
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what was refused since the last time.
    ///
    /// # Errors
    /// When the database does; it is written the next time then.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        let mut news: Vec<_> = std::mem::take(&mut *self.locked()).into_iter().collect();
        // in one order everywhere, so that two processes never wait for each other in a circle
        news.sort_unstable_by_key(|(key, _)| *key);
        for (n, batch) in news.chunks(AT_ONCE).enumerate() {
            let batch = batch.to_vec();
            let written = db.write(move |tx| {
                Box::pin(async move {
                    for (key, count) in batch {
                        write(tx, key, count).await?;
                    }
                    Ok(())
                })
            });
            if let Err(error) = written.await {
                news[n * AT_ONCE..].iter().for_each(|(key, count)| self.add(*key, *count));
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Of a type that is there: what was removed meanwhile leaves nothing.
async fn write(tx: &mut Tx, (tenant, event_type, hour, status): Key, count: Count) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO refused_requests (tenant_id, event_type_id, hour, status, requests, last_at)
         SELECT t.tenant_id, t.id, $3, $4, $5, $6 FROM event_types AS t WHERE t.tenant_id = $1 AND t.id = $2
         ON CONFLICT (tenant_id, event_type_id, hour, status) DO UPDATE SET
            requests = refused_requests.requests + excluded.requests,
            last_at = CASE WHEN excluded.last_at > refused_requests.last_at
                THEN excluded.last_at ELSE refused_requests.last_at END",
        tenant,
        event_type,
        hour,
        status,
        count.requests,
        count.last_at,
    )?;
    Ok(())
}

/// Writes down what is refused, until `stopping`. Whoever stops the server flushes once more when no request is left.
pub async fn run(refusals: Refusals, db: Db, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        if let Err(error) = refusals.flush(&db).await {
            tracing::warn!(%error, "refused requests could not be counted; trying again");
        }
    }
}

/// How many requests to the address of a type got one status.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Refused {
    /// The status.
    pub status: i64,
    /// How many.
    pub requests: i64,
    /// The last of them.
    pub last_at: DateTime<Utc>,
}

impl Refused {
    /// Why, in a few words.
    pub fn why(&self) -> String {
        match self.status {
            400 => "not understood".to_owned(),
            401 => "no valid token".to_owned(),
            403 => "not allowed".to_owned(),
            404 => "type disabled".to_owned(),
            408 => "too slow".to_owned(),
            413 => "too large".to_owned(),
            415 => "not JSON".to_owned(),
            422 => "broke the contract".to_owned(),
            429 => "too often".to_owned(),
            other => format!("status {other}"),
        }
    }
}

/// What was refused of a type since the hour of `since`, by status.
///
/// # Errors
/// When the database does.
pub async fn of_type<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    id: EventTypeId,
    since: DateTime<Utc>,
) -> Result<Vec<Refused>> {
    Ok(sql!(
        all Refused, db,
        "SELECT status, CAST(SUM(requests) AS BIGINT) AS requests, MAX(last_at) AS last_at FROM refused_requests
         WHERE tenant_id = $1 AND event_type_id = $2 AND hour >= $3 GROUP BY status ORDER BY requests DESC, status",
        permit.tenant(),
        id,
        hour(since),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::{Actor, ReadConfiguration},
        clock::Clock,
        db::testing::each,
        events::testing::Bench,
    };

    #[tokio::test]
    async fn refusals_add_up_and_what_could_not_be_written_is_not_lost() {
        each(async |db| {
            let (bench, now) = (Bench::with_tenant(&db).await, Clock::system().now());
            let (id, stranger) = (bench.named_type("Order").await, EventTypeId::default());
            let (here, there) = (Refusals::default(), Refusals::default());
            for refusals in [&here, &there, &here] {
                refusals.note(bench.tenant, id, 401, now);
            }
            here.note(bench.tenant, id, 422, now);
            here.note(bench.tenant, stranger, 404, now);
            let hide = "ALTER TABLE refused_requests RENAME TO hidden";
            db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, hide)?) })).await.unwrap();
            assert!(here.flush(&db).await.is_err());
            let back = "ALTER TABLE hidden RENAME TO refused_requests";
            db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, back)?) })).await.unwrap();
            here.flush(&db).await.unwrap();
            there.flush(&db).await.unwrap();
            here.flush(&db).await.unwrap();
            let permit: Permit<ReadConfiguration> = Actor::cli().permit(bench.tenant).unwrap();
            let told = of_type(&db, &permit, id, now).await.unwrap();
            let told: Vec<_> = told.iter().map(|one| (one.status, one.requests, one.last_at)).collect();
            assert_eq!(told, [(401, 3, now), (422, 1, now)]);
            let rows = sql!(value i64, db, "SELECT COUNT(*) FROM refused_requests").unwrap();
            assert_eq!(rows, 2, "of a type that is not there, nothing");
        })
        .await;
    }

    #[test]
    fn whoever_names_any_id_fills_no_memory() {
        let (refusals, now) = (Refusals::default(), Clock::system().now());
        for n in 0..MOST as u128 + 50 {
            refusals.note(TenantId::default(), EventTypeId(uuid::Uuid::from_u128(n)), 404, now);
        }
        assert_eq!(refusals.locked().len(), MOST);
    }
}
