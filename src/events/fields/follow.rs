//! The values of new events are written down here, after the answer to their sender.
//!
//! The follower of batches leaves a range of ids for each type that has searchable fields. Ranges are worked off a few
//! hundred events at a time: they are read outside any transaction, and what is written is short, so that the front
//! door does not feel it. To write a value down twice changes nothing: ranges may overlap, and a process that dies
//! leaves its range to the next.
use super::{
    store,
    value::{Digest, Of},
    walk::Pace,
};
use crate::{
    db::{Db, Tx},
    error::Result,
    event_types::Pointer,
    events::{
        Event,
        along::{Along, Range, Towards, next},
        store::{WHOLE, between},
    },
    ids::{EventId, EventTypeId, TenantId},
    sql,
};

/// The number of this work among those that one process does at a time.
const WORK: i32 = 7;

/// Leaves a range of events of a type, both ends included, whose values are to be written down.
///
/// # Errors
/// When the database does.
pub async fn note(tx: &mut Tx, tenant: TenantId, event_type: EventTypeId, low: EventId, high: EventId) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO field_work (tenant_id, event_type_id, id, low, high) VALUES ($1, $2, $3, $3, $4)
         ON CONFLICT (tenant_id, event_type_id, id) DO UPDATE SET
            low = excluded.low,
            high = CASE WHEN excluded.high > field_work.high THEN excluded.high ELSE field_work.high END",
        tenant,
        event_type,
        low,
        high,
    )?;
    Ok(())
}

#[derive(Clone, sqlx::FromRow)]
struct Work {
    tenant_id: TenantId,
    event_type_id: EventTypeId,
    id: EventId,
    low: EventId,
    high: EventId,
}

/// What is remembered from one step to the next.
pub struct Following {
    pace: Pace,
}

impl Default for Following {
    fn default() -> Self {
        Self { pace: Pace::new() }
    }
}

impl Following {
    /// Writes down the values of a few events; whether there may be more.
    ///
    /// # Errors
    /// When the database does; nothing was done then.
    pub async fn step(&mut self, db: &Db) -> Result<bool> {
        let text = "SELECT tenant_id, event_type_id, id, low, high FROM field_work ORDER BY id LIMIT 1";
        let Some(work) = sql!(opt Work, db, text)? else { return Ok(false) };
        let (tenant, event_type) = (work.tenant_id, work.event_type_id);
        let (fields, limit) = (store::fields(db, tenant, event_type).await?, self.pace.limit());
        let mut events = Vec::new();
        if !fields.is_empty() {
            let range = Range { low: work.low, high: next(work.high) };
            events = between(db, tenant, Along::Type(event_type), range, Towards::Newer, (limit, WHOLE)).await?;
            self.pace.learn(&events);
        }
        let full = i64::try_from(events.len()).unwrap_or(0) >= limit;
        let rest = events.last().map(|last| next(last.id)).filter(|_| full);
        let values = values(tenant, event_type, &fields, &events);
        db.write(move |tx| {
            Box::pin(async move {
                if !tx.is_alone(WORK).await? {
                    return Ok(false);
                }
                store::insert(tx, tenant, &values).await?;
                worked_off(tx, &work, rest).await?;
                Ok(true)
            })
        })
        .await
    }
}

/// Says how far a range is. One that was made longer meanwhile, or begun anew, stays as it is.
async fn worked_off(tx: &mut Tx, work: &Work, rest: Option<EventId>) -> Result<()> {
    let Work { tenant_id, event_type_id, id, low, high } = work;
    if let Some(rest) = rest {
        let text = "UPDATE field_work SET low = $6
            WHERE tenant_id = $1 AND event_type_id = $2 AND id = $3 AND low = $4 AND high = $5";
        sql!(exec tx, text, tenant_id, event_type_id, id, low, high, rest)?;
    } else {
        let text = "DELETE FROM field_work
            WHERE tenant_id = $1 AND event_type_id = $2 AND id = $3 AND low = $4 AND high = $5";
        sql!(exec tx, text, tenant_id, event_type_id, id, low, high)?;
    }
    Ok(())
}

/// What stands in the searchable fields of some events of a type.
pub(super) fn values(
    tenant: TenantId,
    event_type: EventTypeId,
    fields: &[Pointer],
    events: &[Event],
) -> Vec<(EventId, Digest)> {
    let of = |event: &Event| {
        let id = event.id;
        let found = fields.iter().filter_map(|field| Of { tenant, event_type, field }.in_payload(&event.payload));
        found.map(|digest| (id, digest)).collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
}
