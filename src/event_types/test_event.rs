//! A test event: sent from a page instead of over the wire, judged and stored in the same way. It is a real event; the
//! audit trail names who sent it.
use serde::Deserialize;
use serde_json::json;

use super::{Breach, EventType};
use crate::{
    app::App,
    auth::{
        Configure, Permit,
        audit::{self, Entry},
    },
    crypto,
    db::lane::{Append, Once, Outcome, Row},
    error::{Error, Result},
    ids::{EventId, ReceiptId},
    ingest,
};

/// What is wrong with an event that was judged.
pub fn breaches(row: &Row) -> Vec<Breach> {
    row.errors.as_deref().and_then(|errors| serde_json::from_str(errors).ok()).unwrap_or_default()
}

/// What became of a test event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is stored, with whatever verdict.
    Stored(EventId),
    /// It repeats this one, and is not stored again.
    Repeats(EventId),
    /// It breaks its contract, and the type refuses such a request.
    Refused(Vec<Breach>),
}

/// The one event of a refused request, as its sender is told of it.
#[derive(Deserialize)]
struct RefusedRow {
    errors: Vec<Breach>,
}

/// Judges an event without storing it.
///
/// # Errors
/// Says why it is no event at all.
pub fn judge(app: &App, event_type: &EventType, text: &str) -> Result<Row, String> {
    ingest::judge_text(event_type, text.trim(), app.settings.limits.max_event)
}

/// Sends a test event through the write lane. `form` is what the form that holds it was given: sent twice, by two
/// clicks or by a reload, it is one event.
///
/// # Errors
/// [`Error::Conflict`] when the form was sent before with another event; when nothing can be written at the moment.
pub async fn send(app: &App, permit: &Permit<Configure>, event_type: &EventType, row: Row, form: &str) -> Result<Sent> {
    if row.errors.is_some() && row.refuse {
        return Ok(Sent::Refused(breaches(&row)));
    }
    let place = app.lane.admit(row.payload.len()).await.map_err(Error::Unavailable)?;
    let receipt = ReceiptId::issue(&app.clock);
    // the trail first: an event that nobody is named for must not be, an entry whose event was not stored may
    record(app, permit, event_type, receipt).await?;
    let key = [b"test-event\n", event_type.id.0.as_bytes().as_slice(), form.as_bytes()].concat();
    let once = Once { key: crypto::sha256(&key), body: crypto::sha256(&row.payload) };
    let append = Append {
        tenant: permit.tenant(),
        receipt,
        source: None,
        rows: vec![row],
        strict: false,
        once: Some(once),
        mends: None,
        progress: None,
    };
    let (receipt, summary) = match app.lane.append(place, append).await? {
        Outcome::Stored(summary) => (receipt, summary),
        Outcome::Repeated(first, summary) => (first, summary),
        Outcome::KeyReused => {
            return Err(Error::Conflict("this form was sent before, with another event: open it anew".into()));
        }
        // it keeps its contract, and conflicts with an earlier one
        Outcome::Refused(summary) => {
            let refused: RefusedRow = serde_json::from_str(&summary.rejected).map_err(Error::internal)?;
            return Ok(Sent::Refused(refused.errors));
        }
        // it mends nothing, and belongs to no window
        other @ (Outcome::Mended(_) | Outcome::Fenced) => {
            return Err(Error::internal(anyhow::anyhow!("a test event became {other:?}")));
        }
    };
    Ok(match summary.duplicates.first() {
        Some((_, first)) => Sent::Repeats(*first),
        None => Sent::Stored(receipt.event(0)),
    })
}

async fn record(app: &App, permit: &Permit<Configure>, event_type: &EventType, receipt: ReceiptId) -> Result<()> {
    let (permit, clock, event_type) = (permit.clone(), app.clock.clone(), event_type.id);
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let entry = Entry {
                    actor: permit.actor(),
                    tenant: Some(permit.tenant()),
                    action: "event.test",
                    object: receipt.event(0).to_string(),
                    before: None,
                    after: Some(json!({"eventType": event_type})),
                };
                audit::record(tx, &clock, entry).await
            })
        })
        .await
}
