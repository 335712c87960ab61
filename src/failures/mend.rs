//! Mending one event in quarantine: its text, as it was or changed, is judged by the contract in force and accepted as
//! a new event, once. The original keeps its text, its receipt and its place.
use super::follow::Grouping;
pub use crate::db::lane::Mend;
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, audit},
    db::{
        Tx,
        lane::{Append, Mends, Outcome, Row},
    },
    error::{Error, Result},
    event_types::{self, Breach, EventType},
    events::{self, Event, Verdict},
    ids::{EventId, ReceiptId, TenantId},
    ingest::judge_text,
    sql,
};

/// What a text would be if it came in now.
#[derive(Debug)]
pub enum Judged {
    /// It keeps the contract; what it would be warned of.
    Kept(Box<Row>, Vec<Breach>),
    /// It breaks the contract.
    Broken(Vec<Breach>),
    /// It is no event at all: why, in words.
    NoEvent(String),
}

/// Judges a text by the contract of its type.
pub fn judge(app: &App, event_type: &EventType, text: &str) -> Judged {
    let row = match judge_text(event_type, text, app.settings.limits.max_event) {
        Ok(row) => row,
        Err(why) => return Judged::NoEvent(why),
    };
    let breaches = events::breaches(row.errors.as_deref());
    match row.verdict {
        Verdict::Accepted => Judged::Kept(Box::new(row), breaches),
        Verdict::Quarantined | Verdict::Mended => Judged::Broken(breaches),
    }
}

/// The type by which an event is judged.
///
/// # Errors
/// [`Error::Conflict`] when there is none any more, or when it is disabled; when the database fails.
pub async fn type_in_force(app: &App, permit: &Permit<ReadConfiguration>, event: &Event) -> Result<EventType> {
    let found = match event_types::get(&app.db, permit, event.event_type_id).await {
        Err(Error::NotFound(_)) => None,
        other => Some(other?),
    };
    found.filter(|found| found.details.enabled).ok_or_else(|| {
        Error::Conflict("its event type is disabled or no longer there, and takes no events: enable it first".into())
    })
}

/// Accepts `row` in place of an event in quarantine, and writes that down in the same transaction. Whoever is second
/// finds what the first has done.
///
/// # Errors
/// When the database fails; nothing was done then.
pub async fn one(app: &App, permit: &Permit<Configure>, original: &Event, row: Row) -> Result<Mend> {
    let unchanged = row.payload == original.payload.as_bytes();
    let actor = permit.actor();
    let trail = audit::of_event(&app.clock, actor, "event.mend", original.id, [("unchanged", unchanged.into())]);
    let mends = Mends {
        originals: vec![(original.id, original.source_id)],
        by: actor.name.clone(),
        task: None,
        trail: Some(trail),
    };
    let became = append(app, permit.tenant(), vec![row], mends).await?;
    became.into_iter().next().ok_or_else(|| Error::internal(anyhow::anyhow!("nothing was mended")))
}

/// Hands events to the write lane, in place of their originals.
pub(super) async fn append(app: &App, tenant: TenantId, rows: Vec<Row>, mends: Mends) -> Result<Vec<Mend>> {
    let receipt = ReceiptId::issue(&app.clock);
    let append =
        Append { tenant, receipt, source: None, rows, strict: false, once: None, mends: Some(mends), progress: None };
    let bytes = append.rows.iter().map(|row| row.payload.len() + size_of::<Row>()).sum();
    let place = app.lane.admit(bytes).await.map_err(Error::Unavailable)?;
    match app.lane.append(place, append).await? {
        Outcome::Mended(became) => Ok(became),
        other => Err(Error::internal(anyhow::anyhow!("what mends became {other:?}"))),
    }
}

/// An event breaks its contract still, and perhaps otherwise than it did: its reasons and its groups are what they
/// are now.
pub(super) async fn still(tx: &mut Tx, tenant: TenantId, event: EventId, now: &Still) -> Result<()> {
    let text = "SELECT errors FROM events WHERE tenant_id = $1 AND id = $2 AND verdict = 'quarantined'";
    let before = sql!(values Option<String>, tx, text, tenant, event)?;
    let Some(before) = before.first() else { return Ok(()) };
    let breaches = events::breaches(Some(&now.errors));
    if events::breaches(before.as_deref()) == breaches {
        return Ok(());
    }
    events::store::judged_anew(tx, tenant, event, &now.errors).await?;
    let mut grouping = Grouping::new(tenant);
    let groups = grouping.add(tx, event, now.event_type, &breaches).await?;
    grouping.save(tx).await?;
    let text = "SELECT group_id FROM failures WHERE tenant_id = $1 AND event_id = $2";
    for (group,) in sql!(all(crate::ids::FailureGroupId,), tx, text, tenant, event)? {
        if !groups.contains(&group) {
            let text = "DELETE FROM failures WHERE tenant_id = $1 AND group_id = $2 AND event_id = $3";
            sql!(exec tx, text, tenant, group, event)?;
        }
    }
    Ok(())
}

/// What is wrong with an event by now.
pub(super) struct Still {
    pub(super) event_type: crate::ids::EventTypeId,
    /// A JSON array.
    pub(super) errors: String,
}
