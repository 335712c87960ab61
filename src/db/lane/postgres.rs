//! The lanes of PostgreSQL: each gathers what is queued while the others wait for the server. Every table takes one
//! statement a batch, its columns as arrays.
//!
//! Two processes may be sent the same unique value or idempotency key at once. Whoever writes one first takes an
//! advisory lock of its tenant and type (or key), in order, until the commit; so reading before writing is safe.
use std::{collections::BTreeSet, time::Instant};

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, Row as _};

use super::{
    End, Half, Job, Summary, TRAIL, Written, appends,
    batch::{Known, Mended, Plan, decide},
    progress::{self, On},
};
use crate::{
    clock::Clock,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, new_id},
    metrics::Stored,
};

const EVENTS: &str = "INSERT INTO events (tenant_id, id, event_type_id, source_id, verdict, payload, errors)
    SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[])";

// LATERAL with a LIMIT: one walk down the index for each that is asked. A plain join is planned once, while the table is
// small, and then reads all of it for every batch.
const KNOWN_VALUES: &str = "SELECT asked.tenant_id, asked.event_type_id, asked.digest, u.content, u.event_id
    FROM UNNEST($1::uuid[], $2::uuid[], $3::bytea[]) AS asked (tenant_id, event_type_id, digest)
    CROSS JOIN LATERAL (SELECT content, event_id FROM unique_values
      WHERE tenant_id = asked.tenant_id AND event_type_id = asked.event_type_id AND digest = asked.digest LIMIT 1) AS u";

const CLAIM_VALUES: &str = "INSERT INTO unique_values (tenant_id, event_type_id, digest, content, event_id)
    SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::uuid[])";

const KNOWN_KEYS: &str = "SELECT asked.tenant_id, asked.digest, k.body, r.id, r.accepted, r.duplicates, r.rejected,
      r.warnings
    FROM UNNEST($1::uuid[], $2::bytea[]) AS asked (tenant_id, digest)
    CROSS JOIN LATERAL (SELECT body, receipt_id FROM idempotency_keys
      WHERE tenant_id = asked.tenant_id AND digest = asked.digest LIMIT 1) AS k
    CROSS JOIN LATERAL (SELECT id, accepted, duplicates, rejected, warnings FROM receipts
      WHERE tenant_id = asked.tenant_id AND id = k.receipt_id LIMIT 1) AS r";

const CLAIM_KEYS: &str = "INSERT INTO idempotency_keys (tenant_id, digest, body, receipt_id)
    SELECT * FROM UNNEST($1::uuid[], $2::bytea[], $3::bytea[], $4::uuid[])";

const RECEIPTS: &str = "INSERT INTO receipts (tenant_id, id, status, accepted, duplicates, rejected, warnings)
    SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])";

const KNOWN_MENDED: &str = "SELECT asked.tenant_id, asked.event_id, m.mended_id
    FROM UNNEST($1::uuid[], $2::uuid[]) AS asked (tenant_id, event_id)
    CROSS JOIN LATERAL (SELECT mended_id FROM mended
      WHERE tenant_id = asked.tenant_id AND event_id = asked.event_id LIMIT 1) AS m";

const MENDED: &str = "INSERT INTO mended (tenant_id, event_id, mended_id, mended_by, task_id, at)
    SELECT $1, original, became, $4, $5, $6 FROM UNNEST($2::uuid[], $3::uuid[]) AS mended (original, became)";

/// Of one request: what is no longer so of its originals.
const SETTLE: [&str; 2] = [
    "UPDATE events SET verdict = 'mended' WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND verdict = 'quarantined'",
    "DELETE FROM failures WHERE tenant_id = $1 AND event_id = ANY($2::uuid[])",
];

pub(super) async fn run(pool: PgPool, clock: Clock, end: End) {
    while let Some(taken) = end.take().await {
        let began = Instant::now();
        let done = write(&pool, &taken, &clock).await;
        end.settle(taken, began, done).await;
    }
}

async fn write(pool: &PgPool, jobs: &[Job], clock: &Clock) -> sqlx::Result<Written> {
    let mut tx = pool.begin().await?;
    let mut known = Known::default();
    look_up(&mut tx, jobs, &mut known).await?;
    let plan = decide(appends(jobs), &mut known);
    if !plan.progress.is_empty() {
        progress::write(&mut On::Postgres(&mut tx), &plan, clock).await?;
    }
    if plan.stored.is_empty() {
        if !plan.progress.is_empty() {
            tx.commit().await?;
        }
        return Ok((plan.outcomes, Stored::default()));
    }
    let stored = plan.counted();
    events(&mut tx, &plan).await?;
    extras(&mut tx, &plan).await?;
    sqlx::query("INSERT INTO batches (id, tallies, receipts) VALUES ($1, $2, $3)")
        .bind(new_id(clock))
        .bind(serde_json::to_string(&plan.tallies).unwrap_or_default())
        .bind(plan.stored.to_bytes())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok((plan.outcomes, stored))
}

async fn look_up(connection: &mut PgConnection, jobs: &[Job], known: &mut Known) -> sqlx::Result<()> {
    let (mut tenants, mut types, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (mut key_tenants, mut keys) = (Vec::new(), Vec::new());
    let (mut original_tenants, mut originals) = (Vec::new(), Vec::new());
    let mut locks = BTreeSet::new();
    // before the advisory locks, so that whoever holds a window waits for nobody who waits for it
    progress::hold(&mut On::Postgres(&mut *connection), jobs, known).await?;
    for append in appends(jobs) {
        for row in &append.rows {
            if let Some(unique) = &row.unique {
                tenants.push(append.tenant.0);
                types.push(row.event_type.0);
                values.push(unique.value.to_vec());
                locks.insert(lock(append.tenant, row.event_type.0.as_bytes()));
            }
        }
        if let Some(once) = &append.once {
            key_tenants.push(append.tenant.0);
            keys.push(once.key.to_vec());
            locks.insert(lock(append.tenant, &once.key));
        }
        for (original, _) in append.mends.iter().flat_map(|mends| &mends.originals) {
            original_tenants.push(append.tenant.0);
            originals.push(original.0);
            locks.insert(lock(append.tenant, original.0.as_bytes()));
        }
    }
    if locks.is_empty() {
        return Ok(());
    }
    // UNNEST keeps the order of the set, so two lanes never wait for each other in a circle
    let locks: Vec<i64> = locks.into_iter().collect();
    sqlx::query("SELECT pg_advisory_xact_lock(key) FROM UNNEST($1::bigint[]) AS key")
        .bind(locks)
        .execute(&mut *connection)
        .await?;
    if !values.is_empty() {
        let seen = sqlx::query(KNOWN_VALUES).bind(tenants).bind(types).bind(values).fetch_all(&mut *connection).await?;
        for row in seen {
            let key = (row.try_get::<TenantId, _>(0)?, row.try_get::<EventTypeId, _>(1)?, half(row.try_get(2)?));
            known.values.insert(key, (half(row.try_get(3)?), row.try_get::<EventId, _>(4)?));
        }
    }
    if !keys.is_empty() {
        for row in sqlx::query(KNOWN_KEYS).bind(key_tenants).bind(keys).fetch_all(&mut *connection).await? {
            let summary = Summary {
                accepted: usize::try_from(row.try_get::<i64, _>(4)?).unwrap_or(0),
                duplicates: serde_json::from_str(row.try_get(5)?).unwrap_or_default(),
                rejected: row.try_get(6)?,
                warnings: row.try_get(7)?,
            };
            let key = (row.try_get::<TenantId, _>(0)?, whole(row.try_get(1)?));
            known.keys.insert(key, (whole(row.try_get(2)?), row.try_get::<ReceiptId, _>(3)?, summary));
        }
    }
    if !originals.is_empty() {
        let seen = sqlx::query(KNOWN_MENDED).bind(original_tenants).bind(originals).fetch_all(&mut *connection).await?;
        for row in seen {
            known.mended.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
    }
    Ok(())
}

/// The number of the advisory lock for what `about` names in a tenant.
fn lock(tenant: TenantId, about: &[u8]) -> i64 {
    let digest = Sha256::new().chain_update(tenant.0).chain_update(about).finalize();
    i64::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

async fn events(connection: &mut PgConnection, plan: &Plan<'_>) -> sqlx::Result<()> {
    let events = &plan.events;
    let column = |of: fn(&super::batch::NewEvent) -> uuid::Uuid| events.iter().map(of).collect::<Vec<_>>();
    sqlx::query(EVENTS)
        .bind(column(|event| event.tenant.0))
        .bind(column(|event| event.id.0))
        .bind(column(|event| event.row.event_type.0))
        .bind(events.iter().map(|event| event.source.map(|source| source.0)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.verdict().word()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| String::from_utf8_lossy(&event.row.payload)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.errors()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

async fn extras(connection: &mut PgConnection, plan: &Plan<'_>) -> sqlx::Result<()> {
    if !plan.claims.is_empty() {
        sqlx::query(CLAIM_VALUES)
            .bind(plan.claims.iter().map(|claim| claim.0.0).collect::<Vec<_>>())
            .bind(plan.claims.iter().map(|claim| claim.1.0).collect::<Vec<_>>())
            .bind(plan.claims.iter().map(|claim| claim.2.to_vec()).collect::<Vec<_>>())
            .bind(plan.claims.iter().map(|claim| claim.3.to_vec()).collect::<Vec<_>>())
            .bind(plan.claims.iter().map(|claim| claim.4.0).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    if !plan.receipts.is_empty() {
        let summaries = || plan.receipts.iter().map(|(_, _, summary)| summary);
        sqlx::query(RECEIPTS)
            .bind(plan.receipts.iter().map(|receipt| receipt.0.0).collect::<Vec<_>>())
            .bind(plan.receipts.iter().map(|receipt| receipt.1.0).collect::<Vec<_>>())
            .bind(summaries().map(|summary| i64::from(summary.status())).collect::<Vec<_>>())
            .bind(summaries().map(|summary| i64::try_from(summary.accepted).unwrap_or(i64::MAX)).collect::<Vec<_>>())
            .bind(summaries().map(|s| serde_json::to_string(&s.duplicates).unwrap_or_default()).collect::<Vec<_>>())
            .bind(summaries().map(|summary| summary.rejected.as_str()).collect::<Vec<_>>())
            .bind(summaries().map(|summary| summary.warnings.as_str()).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    if !plan.keys.is_empty() {
        sqlx::query(CLAIM_KEYS)
            .bind(plan.keys.iter().map(|key| key.0.0).collect::<Vec<_>>())
            .bind(plan.keys.iter().map(|key| key.1.key.to_vec()).collect::<Vec<_>>())
            .bind(plan.keys.iter().map(|key| key.1.body.to_vec()).collect::<Vec<_>>())
            .bind(plan.keys.iter().map(|key| key.2.0).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    for Mended { append, mends, pairs } in &plan.mended {
        let originals: Vec<_> = pairs.iter().map(|(original, _)| original.0).collect();
        sqlx::query(MENDED)
            .bind(append.tenant)
            .bind(&originals)
            .bind(pairs.iter().map(|(_, became)| became.0).collect::<Vec<_>>())
            .bind(&mends.by)
            .bind(mends.task)
            .bind(append.receipt.received_at())
            .execute(&mut *connection)
            .await?;
        for text in SETTLE {
            sqlx::query(text).bind(append.tenant).bind(&originals).execute(&mut *connection).await?;
        }
        for (trail, (_, became)) in mends.trail.iter().zip(pairs) {
            sqlx::query(TRAIL)
                .bind(trail.id)
                .bind(trail.at)
                .bind(trail.actor_id)
                .bind(&trail.actor)
                .bind(&trail.address)
                .bind(append.tenant)
                .bind(trail.action)
                .bind(&trail.object)
                .bind(trail.after(*became))
                .bind(trail.request)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

fn half(bytes: Vec<u8>) -> Half {
    bytes.try_into().unwrap_or_default()
}

fn whole(bytes: Vec<u8>) -> [u8; 32] {
    bytes.try_into().unwrap_or_default()
}
