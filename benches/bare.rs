//! What the disk and SQLite allow: the statement of the write lane in a loop, without a server around it. With a
//! number of events in place of a time, it fills a database before a measurement; each `MARKER` in the event becomes
//! another number then, so that something can be found again.
//!
//! `bare DATABASE_URL TENANT EVENT_TYPE EVENT_FILE EVENTS_A_BATCH (SECONDSs | EVENTS)` prints one JSON object.
use std::{
    fmt::Write,
    str::FromStr,
    time::{Duration, Instant},
};

use tributary::{
    clock::Clock,
    db::{Db, lane::SQLITE_STATEMENT},
    ids::{EVENTS_OF_A_RECEIPT, EventTypeId, ReceiptId, TenantId, new_id},
};

/// What is another number in each event.
const MARKER: &[u8] = b"MARKER";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, tenant, event_type, event, batch, amount] = <[String; 6]>::try_from(arguments).map_err(|_| {
        anyhow::anyhow!("usage: bare DATABASE_URL TENANT EVENT_TYPE EVENT_FILE EVENTS_A_BATCH (SECONDSs | EVENTS)")
    })?;
    let (tenant, event_type) = (TenantId::from_str(&tenant)?, EventTypeId::from_str(&event_type)?);
    let (mut event, batch): (Vec<u8>, usize) = (std::fs::read(event)?, batch.parse()?);
    let marker = event.windows(MARKER.len()).position(|piece| piece == MARKER);
    let (limit, most) = match amount.strip_suffix('s') {
        Some(seconds) => (Duration::from_secs_f64(seconds.parse()?), usize::MAX),
        None => (Duration::MAX, amount.parse()?),
    };

    let db = Db::open(&database).await?;
    let Db::Sqlite { write, .. } = &db else { anyhow::bail!("SQLite only") };
    let mut guard = write.lock().await?;
    let Some(connection) = guard.as_mut() else { anyhow::bail!("no connection") };
    let clock = Clock::system();
    let (began, mut stored) = (Instant::now(), 0);
    while stored < most && began.elapsed() < limit {
        let events = batch.min(most - stored).min(EVENTS_OF_A_RECEIPT);
        let (mut records, mut payloads, mut places) = (Vec::new(), Vec::new(), String::from("["));
        let receipt = ReceiptId::issue(&clock);
        for index in 0..events {
            for id in [tenant.0, receipt.event(index).0, event_type.0, uuid::Uuid::nil()] {
                records.extend_from_slice(id.as_bytes());
            }
            let comma = if index == 0 { "" } else { "," };
            write!(places, "{comma}{}", (payloads.len() << 24) | event.len())?;
            if let Some(at) = marker {
                let number = format!("{:06x}", (stored + index) % (1 << 24));
                event[at..at + MARKER.len()].copy_from_slice(number.as_bytes());
            }
            payloads.extend_from_slice(&event);
        }
        places.push(']');
        let of = [tenant.0.as_bytes(), &receipt.0.as_bytes()[..]].concat();
        sqlx::query(SQLITE_STATEMENT)
            .bind(records)
            .bind(payloads)
            .bind(places)
            .bind(new_id(&clock))
            .bind("[]")
            .bind(of)
            .execute(&mut *connection)
            .await?;
        stored += events;
    }
    println!(r#"{{"events":{stored},"seconds":{:.6}}}"#, began.elapsed().as_secs_f64());
    drop(guard);
    // what follows should begin with an empty log
    db.close().await;
    Ok(())
}
