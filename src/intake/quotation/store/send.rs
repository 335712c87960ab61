//! Sending a version: from then on it is one text and one PDF, the same bytes for ever, known by their digests.
use super::{facts, lock, must_be_quoted, must_be_seen, refusal, told};
use crate::{
    auth::{Permit, Right, RunIntakes, audit::snapshot},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    ids::QuotationId,
    intake::{
        Next, Side,
        quotation::{
            Act, Document, Limit, Quotation,
            content::{FORMAT, digest},
            paper, step,
        },
        store::{self as integrations, Note, audit, note},
    },
    sql, tenants,
};

/// What the customer is asked to do then.
const ANSWER: &str = "Answer our quotation";

/// Sends a version: freezes it, and withdraws the one that the customer has. Who sends it makes a link, or tells them
/// that it is in their portal.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::Conflict`] when the way does not lead there, or somebody
/// has changed it since `seen`; [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn send(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    limit: Limit,
    id: QuotationId,
    seen: i64,
) -> Result<Quotation> {
    if !Act::Send.may(permit.actor().role) {
        return Err(Error::Forbidden(Act::Send.verb()));
    }
    let of = super::get(db, permit, id).await?;
    let now = clock.now();
    step(of.state, Act::Send, &facts(&of, limit, permit.actor(), now, false)).map_err(refusal)?;
    let integration = integrations::get(db, permit, of.integration_id).await?;
    let tenant = tenants::get(db, &permit.actor().permit(permit.tenant())?).await?;
    let document = Document {
        format: FORMAT.into(),
        id,
        number: of.number,
        tenant: of.tenant_id,
        customer: tenant.name.to_string(),
        integration: of.integration_id,
        name: integration.details.name.to_string(),
        system: integration.details.system_name.to_string(),
        totals: of.content.totals(),
        content: of.content,
        sent_by: permit.actor().name.clone(),
        sent_at: now,
    };
    let text = document.text();
    // written before the transaction, which is short
    let pdf = tokio::task::spawn_blocking(move || paper::pdf(&document)).await.map_err(Error::internal)??;
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (before, integration) = lock(tx, permit.tenant(), id).await?;
            let actor = permit.actor();
            let state = step(before.state, Act::Send, &facts(&before, limit, actor, now, false)).map_err(refusal)?;
            must_be_seen(&before, seen)?;
            must_be_quoted(&integration)?;
            let after = Quotation {
                state,
                revision: before.revision + 1,
                updated_at: now,
                sent_by: Some(actor.name.clone()),
                sent_at: Some(now),
                document_digest: Some(digest(text.as_bytes())),
                pdf_digest: Some(digest(&pdf)),
                reason: String::new(),
                ..before.clone()
            };
            sql!(
                exec tx,
                "UPDATE quotations SET state = 'withdrawn', reason = $4, revision = revision + 1, updated_at = $5
                 WHERE tenant_id = $1 AND integration_id = $2 AND id <> $3 AND state IN ('sent', 'viewed')",
                after.tenant_id,
                after.integration_id,
                id,
                format!("replaced by version {}", after.number),
                now,
            )?;
            sql!(
                exec tx,
                "UPDATE quotations SET state = $3, revision = $4, updated_at = $5, sent_by = $6, sent_at = $5,
                    document_digest = $7, pdf_digest = $8, reason = ''
                 WHERE tenant_id = $1 AND id = $2 AND document_digest IS NULL",
                after.tenant_id,
                id,
                after.state,
                after.revision,
                now,
                &after.sent_by,
                &after.document_digest,
                &after.pdf_digest,
            )?;
            sql!(
                exec tx,
                "INSERT INTO quotation_files (tenant_id, quotation_id, document, pdf) VALUES ($1, $2, $3, $4)",
                after.tenant_id,
                id,
                text,
                pdf,
            )?;
            let key = (after.tenant_id, after.integration_id);
            note(tx, &clock, actor, key, Note::of(format!("sent {}", after.told()))).await?;
            let next = Next { next_step: ANSWER.into(), turn: Side::Customer };
            integrations::set_next_in(tx, &clock, actor, &integration, next).await?;
            let (was, is) = (snapshot(&told(&before)), told(&after));
            audit::written(tx, &clock, actor, &integration, "quotation.send", was, is).await?;
            Ok(after)
        })
    })
    .await
}

/// What was sent, byte for byte.
#[derive(Debug, sqlx::FromRow)]
pub struct Files {
    /// The document.
    pub document: String,
    /// Its PDF.
    pub pdf: Vec<u8>,
}

/// The files of a version.
///
/// # Errors
/// [`Error::NotFound`] when it was not sent; when the database fails.
pub async fn files<R: Right>(db: &Db, permit: &Permit<R>, id: QuotationId) -> Result<Files> {
    let found = sql!(
        opt Files, db,
        "SELECT document, pdf FROM quotation_files WHERE tenant_id = $1 AND quotation_id = $2",
        permit.tenant(),
        id,
    )?;
    found.ok_or(Error::NotFound("quotation"))
}
