//! What one ingest request became, asked for afterwards.
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
use crate::{db::lane::Summary, events, ids::ReceiptId};

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
    let mut listed: Vec<_> = stored
        .iter()
        .map(|event| (event.id.index(), event.id, event.verdict.word()))
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
    body.push_str(&format!(r#","receivedAt":"{received_at}","events":{}}}"#, serde_json::Value::from(listed)));
    Ok(json(StatusCode::OK, body))
}
