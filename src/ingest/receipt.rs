//! What one ingest request became, asked for afterwards.
use std::{collections::BTreeSet, fmt::Write};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use chrono::SecondsFormat;

use super::{
    Front, Head,
    problem::Problem,
    send::{json, stored_body},
};
use crate::{
    db::{
        Db,
        lane::{Summary, Verdict},
    },
    events,
    ids::{EventId, ReceiptId},
    tokens::Known,
};

/// `GET …/receipts/{receipt}`
pub async fn show(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let (mut head, _) = Head::read(&front, request).await?;
    let receipt = ReceiptId(Head::id(&mut head.parts, "receipt").await?);
    let token = head.authenticate(&front)?;
    if !receipt.is_receipt() {
        return Err(Problem::no_receipt());
    }
    let db = &front.app.db;
    let stored = events::store::of_receipt(db, head.tenant, receipt).await?;
    // a token that is limited to some types does not hear of others
    if stored.iter().any(|event| !token.covers(event.event_type_id)) {
        return Err(Problem::no_receipt());
    }
    let row = events::store::receipt_row(db, head.tenant, receipt).await?;
    let summary = match row {
        Some(row) => Summary {
            accepted: usize::try_from(row.accepted).unwrap_or(0),
            duplicates: serde_json::from_str(&row.duplicates).unwrap_or_default(),
            rejected: row.rejected,
            warnings: row.warnings,
        },
        None if stored.is_empty() => return Err(Problem::no_receipt()),
        None => {
            let mut summary = Summary::default();
            for event in &stored {
                summary.add(event.id.index(), event.verdict, event.errors.as_deref());
            }
            summary
        }
    };
    if token.event_types.is_some() && !may_hear_of(db, &head, &token, &summary.duplicates).await? {
        return Err(Problem::no_receipt());
    }
    let mut listed: Vec<_> = stored
        .iter()
        .map(|event| (event.id.index(), event.id, answered(event.verdict)))
        .chain(summary.duplicates.iter().map(|(index, first)| (*index, *first, "duplicate")))
        .collect();
    listed.sort_unstable_by_key(|(index, ..)| *index);
    let listed: Vec<_> = listed
        .into_iter()
        .map(|(index, id, verdict)| serde_json::json!({"index": index, "id": id, "verdict": verdict}))
        .collect();
    let mut body = stored_body(receipt, &summary, false);
    body.pop();
    let received_at = receipt.received_at().to_rfc3339_opts(SecondsFormat::Millis, true);
    let _ = write!(body, r#","receivedAt":"{received_at}","events":{}}}"#, serde_json::Value::from(listed));
    Ok(json(StatusCode::OK, body))
}

/// Whether a limited token covers the types of all events that others repeat. Those no longer kept it does not.
async fn may_hear_of(db: &Db, head: &Head, token: &Known, duplicates: &[(usize, EventId)]) -> Result<bool, Problem> {
    // what is repeated came together as a rule, so few receipts are looked at
    let firsts: BTreeSet<_> = duplicates.iter().map(|(_, first)| *first).collect();
    let mut covered = BTreeSet::new();
    for receipt in firsts.iter().map(|first| first.receipt()).collect::<BTreeSet<_>>() {
        let stored = events::store::of_receipt(db, head.tenant, receipt).await?;
        covered.extend(stored.iter().filter(|event| token.covers(event.event_type_id)).map(|event| event.id));
    }
    Ok(firsts.is_subset(&covered))
}

/// What the sender was told: that the event was mended since is another story.
fn answered(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Mended => Verdict::Quarantined.word(),
        other => other.word(),
    }
}
