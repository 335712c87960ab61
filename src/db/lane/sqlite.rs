//! The lane of SQLite: one task, one connection, one statement string a batch.
//!
//! sqlx hands every call over to a thread of the connection, so a clean batch is one call: begin, insert all
//! events, insert the batch row, commit. The events travel as two blobs (fixed-size records, payloads end to end)
//! and one JSON array of numbers that say where each payload lies: no payload is ever escaped or parsed again.
use std::time::Instant;

use sqlx::{Row as _, SqliteConnection};

use super::{
    End, Half, Job, Summary, TRAIL, Unavailable, Written, appends,
    batch::{Known, Mended, NewEvent, Plan, decide},
    progress::{self, On},
};
use crate::{
    clock::Clock,
    db::write::SqliteWriter,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, new_id},
    metrics::Stored,
};

macro_rules! events_and_commit {
    () => {
        "INSERT INTO events (tenant_id, id, event_type_id, source_id, verdict, payload)
         SELECT substr($1, key * 64 + 1, 16), substr($1, key * 64 + 17, 16), substr($1, key * 64 + 33, 16),
                nullif(substr($1, key * 64 + 49, 16), zeroblob(16)), 'accepted',
                CAST(substr($2, (value >> 24) + 1, value & 16777215) AS TEXT)
         FROM json_each($3);
         INSERT INTO batches (id, tallies, receipts) VALUES ($4, $5, $6);
         COMMIT"
    };
}
/// A batch whose requests name no keys and no unique values: all in one call.
pub(super) const CLEAN: &str = concat!("BEGIN IMMEDIATE;", events_and_commit!());
/// The same, when the transaction is open already.
const REST: &str = events_and_commit!();

/// Events that carry errors: few, so they may travel as JSON.
const WITH_ERRORS: &str = "INSERT INTO events (tenant_id, id, event_type_id, source_id, verdict, payload, errors)
    SELECT unhex(value->>0), unhex(value->>1), unhex(value->>2), unhex(value->>3), value->>4, value->>5, value->>6
    FROM json_each($1)";

const KNOWN_VALUES: &str = "SELECT u.tenant_id, u.event_type_id, u.digest, u.content, u.event_id
    FROM json_each($2) AS asked JOIN unique_values AS u
      ON u.tenant_id = substr($1, asked.key * 48 + 1, 16) AND u.event_type_id = substr($1, asked.key * 48 + 17, 16)
     AND u.digest = substr($1, asked.key * 48 + 33, 16)";

const CLAIM_VALUES: &str = "INSERT INTO unique_values (tenant_id, event_type_id, digest, content, event_id)
    SELECT substr($1, key * 80 + 1, 16), substr($1, key * 80 + 17, 16), substr($1, key * 80 + 33, 16),
           substr($1, key * 80 + 49, 16), substr($1, key * 80 + 65, 16) FROM json_each($2)";

const KNOWN_KEYS: &str = "SELECT k.tenant_id, k.digest, k.body, r.id, r.accepted, r.duplicates, r.rejected, r.warnings
    FROM json_each($2) AS asked JOIN idempotency_keys AS k
      ON k.tenant_id = substr($1, asked.key * 48 + 1, 16) AND k.digest = substr($1, asked.key * 48 + 17, 32)
    JOIN receipts AS r ON r.tenant_id = k.tenant_id AND r.id = k.receipt_id";

const CLAIM_KEYS: &str = "INSERT INTO idempotency_keys (tenant_id, digest, body, receipt_id)
    SELECT substr($1, key * 96 + 1, 16), substr($1, key * 96 + 17, 32), substr($1, key * 96 + 49, 32),
           substr($1, key * 96 + 81, 16) FROM json_each($2)";

const RECEIPTS: &str = "INSERT INTO receipts (tenant_id, id, status, accepted, duplicates, rejected, warnings)
    SELECT unhex(value->>0), unhex(value->>1), value->>2, value->>3, value->>4, value->>5, value->>6
    FROM json_each($1)";

const KNOWN_MENDED: &str = "SELECT m.tenant_id, m.event_id, m.mended_id
    FROM json_each($2) AS asked JOIN mended AS m
      ON m.tenant_id = substr($1, asked.key * 32 + 1, 16) AND m.event_id = substr($1, asked.key * 32 + 17, 16)";

/// Of one request: `$2` holds each original and the event in its place, `$3` as many rows.
const MEND: [&str; 3] = [
    "INSERT INTO mended (tenant_id, event_id, mended_id, mended_by, task_id, at)
     SELECT $1, substr($2, key * 32 + 1, 16), substr($2, key * 32 + 17, 16), $4, $5, $6 FROM json_each($3)",
    "UPDATE events SET verdict = 'mended' WHERE tenant_id = $1 AND verdict = 'quarantined'
        AND id IN (SELECT substr($2, key * 32 + 1, 16) FROM json_each($3))",
    "DELETE FROM failures WHERE tenant_id = $1
        AND event_id IN (SELECT substr($2, key * 32 + 1, 16) FROM json_each($3))",
];

pub(super) async fn run(writer: SqliteWriter, clock: Clock, end: End) {
    while let Some(taken) = end.take().await {
        let began = Instant::now();
        let done = commit(&writer, &taken, &clock).await;
        end.settle(taken, began, done).await;
    }
}

async fn commit(writer: &SqliteWriter, jobs: &[Job], clock: &Clock) -> sqlx::Result<Written> {
    let mut guard = writer.lock().await?;
    let Some(connection) = guard.as_mut() else { return Err(sqlx::Error::WorkerCrashed) };
    let result = write(connection, jobs, clock).await;
    if let Err(error) = &result {
        let rolled_back = sqlx::query("ROLLBACK").execute(&mut *connection).await.is_ok();
        let full = crate::error::unavailable(error) == Some(Unavailable::DiskFull);
        // a failed sync must not be tried again on the same file handle: close it, and let the next one verify
        if !rolled_back && !full {
            *guard = None;
        }
    }
    result
}

async fn write(connection: &mut SqliteConnection, jobs: &[Job], clock: &Clock) -> sqlx::Result<Written> {
    let mut known = Known::default();
    let asks = appends(jobs).any(super::Append::asks);
    if asks {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        look_up(connection, jobs, &mut known).await?;
    }
    let plan = decide(appends(jobs), &mut known);
    let clean = !asks && plan.receipts.is_empty() && plan.events.iter().all(|event| event.errors().is_none());
    if !plan.progress.is_empty() {
        progress::write(&mut On::Sqlite(&mut *connection), &plan, clock).await?;
    }
    if plan.stored.is_empty() {
        if asks {
            let end = if plan.progress.is_empty() { "ROLLBACK" } else { "COMMIT" };
            sqlx::query(end).execute(&mut *connection).await?;
        }
        return Ok((plan.outcomes, Stored::default()));
    }
    if !clean {
        if !asks {
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        }
        extras(connection, &plan).await?;
    }
    let (records, payloads, places) = packed(plan.events.iter().filter(|event| event.errors().is_none()));
    let tallies = serde_json::to_string(&plan.tallies).unwrap_or_default();
    let stored = plan.counted();
    sqlx::query(if clean { CLEAN } else { REST })
        .bind(records)
        .bind(payloads)
        .bind(places)
        .bind(new_id(clock))
        .bind(tallies)
        .bind(plan.stored.to_bytes())
        .execute(connection)
        .await?;
    Ok((plan.outcomes, stored))
}

/// The events as fixed-size records, their payloads end to end, and where each payload lies.
fn packed<'a>(events: impl Iterator<Item = &'a NewEvent<'a>>) -> (Vec<u8>, Vec<u8>, String) {
    use std::fmt::Write;
    let (mut records, mut payloads, mut places) = (Vec::new(), Vec::new(), String::from("["));
    for event in events {
        records.extend_from_slice(event.tenant.0.as_bytes());
        records.extend_from_slice(event.id.0.as_bytes());
        records.extend_from_slice(event.row.event_type.0.as_bytes());
        records.extend_from_slice(event.source.map_or(uuid::Uuid::nil(), |source| source.0).as_bytes());
        // lengths fit 24 bits: an event's limit can not be set above 16 MiB
        let place = (payloads.len() << 24) | event.row.payload.len();
        let _ = write!(places, "{}{place}", if places.len() > 1 { "," } else { "" });
        payloads.extend_from_slice(&event.row.payload);
    }
    places.push(']');
    (records, payloads, places)
}

/// `[0,0,…]`: as many rows as there are records of `size` bytes in `blob`.
fn rows(blob: &[u8], size: usize) -> String {
    format!("[{}]", vec!["0"; blob.len() / size].join(","))
}

async fn look_up(connection: &mut SqliteConnection, jobs: &[Job], known: &mut Known) -> sqlx::Result<()> {
    let (mut values, mut keys, mut originals) = (Vec::new(), Vec::new(), Vec::new());
    for append in appends(jobs) {
        for row in &append.rows {
            if let Some(unique) = &row.unique {
                values.push([*append.tenant.0.as_bytes(), *row.event_type.0.as_bytes(), unique.value]);
            }
        }
        if let Some(once) = &append.once {
            keys.extend_from_slice(append.tenant.0.as_bytes());
            keys.extend_from_slice(&once.key);
        }
        for (original, _) in append.mends.iter().flat_map(|mends| &mends.originals) {
            originals.extend_from_slice(append.tenant.0.as_bytes());
            originals.extend_from_slice(original.0.as_bytes());
        }
    }
    if !values.is_empty() {
        // in the order of the index: of many, neighbours are on the same page
        values.sort_unstable();
        let values = values.concat().concat();
        let asked = rows(&values, 48);
        for row in sqlx::query(KNOWN_VALUES).bind(values).bind(asked).fetch_all(&mut *connection).await? {
            let key = (row.try_get::<TenantId, _>(0)?, row.try_get::<EventTypeId, _>(1)?, half(row.try_get(2)?));
            known.values.insert(key, (half(row.try_get(3)?), row.try_get::<EventId, _>(4)?));
        }
    }
    if !keys.is_empty() {
        let asked = rows(&keys, 48);
        for row in sqlx::query(KNOWN_KEYS).bind(keys).bind(asked).fetch_all(&mut *connection).await? {
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
        let asked = rows(&originals, 32);
        for row in sqlx::query(KNOWN_MENDED).bind(originals).bind(asked).fetch_all(&mut *connection).await? {
            known.mended.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
        }
    }
    progress::hold(&mut On::Sqlite(connection), jobs, known).await
}

async fn extras(connection: &mut SqliteConnection, plan: &Plan<'_>) -> sqlx::Result<()> {
    let hex = |id: uuid::Uuid| id.simple().to_string();
    let with_errors: Vec<_> = plan
        .events
        .iter()
        .filter(|event| event.errors().is_some())
        .map(|event| {
            serde_json::json!([
                hex(event.tenant.0),
                hex(event.id.0),
                hex(event.row.event_type.0),
                event.source.map(|source| hex(source.0)),
                event.verdict().word(),
                String::from_utf8_lossy(&event.row.payload),
                event.errors(),
            ])
        })
        .collect();
    if !with_errors.is_empty() {
        let with_errors = serde_json::Value::from(with_errors).to_string();
        sqlx::query(WITH_ERRORS).bind(with_errors).execute(&mut *connection).await?;
    }
    if !plan.claims.is_empty() {
        let mut blob = Vec::with_capacity(plan.claims.len() * 80);
        let mut claims: Vec<_> = plan.claims.iter().collect();
        claims.sort_unstable_by_key(|(tenant, event_type, value, ..)| (tenant.0, event_type.0, *value));
        for (tenant, event_type, value, content, event) in claims {
            for part in [tenant.0.as_bytes(), event_type.0.as_bytes(), value, content, event.0.as_bytes()] {
                blob.extend_from_slice(part);
            }
        }
        let count = rows(&blob, 80);
        sqlx::query(CLAIM_VALUES).bind(blob).bind(count).execute(&mut *connection).await?;
    }
    if !plan.receipts.is_empty() {
        let receipts: Vec<_> = plan
            .receipts
            .iter()
            .map(|(tenant, id, summary)| {
                let duplicates = serde_json::to_string(&summary.duplicates).unwrap_or_default();
                serde_json::json!([
                    hex(tenant.0),
                    hex(id.0),
                    summary.status(),
                    summary.accepted,
                    duplicates,
                    summary.rejected,
                    summary.warnings,
                ])
            })
            .collect();
        let receipts = serde_json::Value::from(receipts).to_string();
        sqlx::query(RECEIPTS).bind(receipts).execute(&mut *connection).await?;
    }
    if !plan.keys.is_empty() {
        let mut blob = Vec::with_capacity(plan.keys.len() * 96);
        for (tenant, once, receipt) in &plan.keys {
            for part in [&tenant.0.as_bytes()[..], &once.key, &once.body, receipt.0.as_bytes()] {
                blob.extend_from_slice(part);
            }
        }
        let count = rows(&blob, 96);
        sqlx::query(CLAIM_KEYS).bind(blob).bind(count).execute(&mut *connection).await?;
    }
    for Mended { append, mends, pairs } in &plan.mended {
        let blob: Vec<u8> = pairs.iter().flat_map(|(of, by)| [*of.0.as_bytes(), *by.0.as_bytes()]).flatten().collect();
        let count = rows(&blob, 32);
        let (of, at) = (append.tenant, append.receipt.received_at());
        let [insert, settle, forget] = MEND;
        let insert = sqlx::query(insert).bind(of).bind(&blob).bind(&count).bind(&mends.by).bind(mends.task).bind(at);
        insert.execute(&mut *connection).await?;
        for text in [settle, forget] {
            sqlx::query(text).bind(of).bind(&blob).bind(&count).execute(&mut *connection).await?;
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
