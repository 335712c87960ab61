//! Quotations in the database.

/// A query of whole quotations.
macro_rules! quotations {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, integration_id, id, number, adds_to, state, content, revision, written_by, created_at, updated_at, ",
            "submitted_by, approved_by, approved_at, sent_by, sent_at, document_digest, pdf_digest, viewed_at, decided_by, ",
            "decided_role, decided_from, decided_at, reason FROM quotations ",
            $rest
        )
    };
}

mod answer;
mod draft;
mod links;
mod send;

use chrono::{DateTime, Utc};

use super::{
    Act, Amounts, Content, Limit, Priced, Quotation, Reason, State, Why, state,
    worth::{Worths, worths as worths_of},
};
use crate::{
    auth::{Actor, Permit, Right, SeeQuotations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, QuotationId, TenantId},
    intake::{
        Integration, Stage,
        store::{self as integrations, Scope},
    },
    sql, tenants,
};
pub use answer::{Bell, accept, decline, view};
pub use draft::{act, begin, save};
pub use links::Offering;
pub use send::{Files, files, send};

/// For acts that do not ask what it comes to.
const NOT_ASKED: Limit = Limit { approve_above: Amounts::everywhere(0) };

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    integration_id: IntegrationId,
    id: QuotationId,
    number: i64,
    adds_to: Option<QuotationId>,
    state: State,
    content: String,
    revision: i64,
    written_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    submitted_by: Option<String>,
    approved_by: Option<String>,
    approved_at: Option<DateTime<Utc>>,
    sent_by: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    document_digest: Option<String>,
    pdf_digest: Option<String>,
    viewed_at: Option<DateTime<Utc>>,
    decided_by: Option<String>,
    decided_role: Option<String>,
    decided_from: Option<String>,
    decided_at: Option<DateTime<Utc>>,
    reason: String,
}

impl TryFrom<Row> for Quotation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let content: Content = serde_json::from_str(&row.content).map_err(Error::internal)?;
        Ok(Self {
            tenant_id: row.tenant_id,
            integration_id: row.integration_id,
            id: row.id,
            number: row.number,
            adds_to: row.adds_to,
            state: row.state,
            content,
            revision: row.revision,
            written_by: row.written_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            submitted_by: row.submitted_by,
            approved_by: row.approved_by,
            approved_at: row.approved_at,
            sent_by: row.sent_by,
            sent_at: row.sent_at,
            document_digest: row.document_digest,
            pdf_digest: row.pdf_digest,
            viewed_at: row.viewed_at,
            decided_by: row.decided_by,
            decided_role: row.decided_role,
            decided_from: row.decided_from,
            decided_at: row.decided_at,
            reason: row.reason,
        })
    }
}

/// The versions of one integration, the newest first; a customer sees what was sent, and no more.
///
/// # Errors
/// When the database fails.
pub async fn list<R: Right>(db: &Db, permit: &Permit<R>, of: IntegrationId) -> Result<Vec<Quotation>> {
    let rows = sql!(
        all Row, db,
        quotations!("WHERE tenant_id = $1 AND integration_id = $2 ORDER BY number DESC"),
        permit.tenant(),
        of,
    )?;
    seen_by(permit.actor(), rows)
}

/// All versions of a tenant, the newest first; a customer sees what was sent, and no more.
///
/// # Errors
/// When the database fails.
pub async fn of_tenant(db: &Db, permit: &Permit<SeeQuotations>) -> Result<Vec<Quotation>> {
    let text = quotations!("WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 500");
    seen_by(permit.actor(), sql!(all Row, db, text, permit.tenant())?)
}

/// All versions that somebody may see, of one tenant or of all, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db, scope: &Scope) -> Result<Vec<Quotation>> {
    let rows = sql!(
        all Row, db,
        quotations!("WHERE ($1 IS NULL OR tenant_id = $1) ORDER BY created_at DESC, id DESC LIMIT 2000"),
        scope.tenant(),
    )?;
    rows.into_iter().map(Quotation::try_from).collect()
}

/// What the integrations that somebody may see are worth.
///
/// # Errors
/// When the database fails.
pub async fn worths(db: &Db, scope: &Scope) -> Result<Worths> {
    let versions = sql!(
        all Priced, db,
        "SELECT tenant_id, integration_id, number, state, currency, net FROM quotations
         WHERE ($1 IS NULL OR tenant_id = $1) AND state <> 'withdrawn'",
        scope.tenant(),
    )?;
    Ok(worths_of(&versions))
}

/// A version that waits for somebody's approval.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Awaiting {
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which integration.
    pub integration_id: IntegrationId,
    /// Which.
    pub id: QuotationId,
    /// What the integration is called.
    pub name: String,
    /// Since when.
    pub updated_at: DateTime<Utc>,
}

/// What waits for the approval of this viewer, who has neither written it nor asked for it: what waits longest first.
///
/// # Errors
/// [`Error::Forbidden`] when they may see no integration; when the database fails.
pub async fn awaiting(db: &Db, viewer: &Actor) -> Result<Vec<Awaiting>> {
    if !Act::Approve.may(viewer.role) {
        return Ok(Vec::new());
    }
    Ok(sql!(
        all Awaiting, db,
        "SELECT q.tenant_id, q.integration_id, q.id, i.name, q.updated_at
         FROM quotations AS q JOIN integrations AS i ON i.tenant_id = q.tenant_id AND i.id = q.integration_id
         WHERE q.state = 'awaiting' AND ($1 IS NULL OR q.tenant_id = $1) AND q.written_by <> $2
            AND (q.submitted_by IS NULL OR q.submitted_by <> $2)
         ORDER BY q.updated_at, q.id LIMIT 100",
        Scope::of(viewer)?.tenant(),
        &viewer.name,
    )?)
}

/// The version of this id, of whichever tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none in sight; when the database fails.
pub async fn find(db: &Db, scope: &Scope, id: QuotationId) -> Result<Quotation> {
    let text = quotations!("WHERE ($1 IS NULL OR tenant_id = $1) AND id = $2 LIMIT 1");
    let row = sql!(opt Row, db, text, scope.tenant(), id)?;
    row.ok_or(Error::NotFound("quotation"))?.try_into()
}

/// The version whose document or PDF has this digest, if there is one in sight.
///
/// # Errors
/// When the database fails.
pub async fn with_digest(db: &Db, scope: &Scope, digest: &str) -> Result<Option<Quotation>> {
    let row = sql!(
        opt Row, db,
        quotations!("WHERE (document_digest = $2 OR pdf_digest = $2) AND ($1 IS NULL OR tenant_id = $1) LIMIT 1"),
        scope.tenant(),
        digest,
    )?;
    row.map(Quotation::try_from).transpose()
}

fn seen_by(actor: &Actor, rows: Vec<Row>) -> Result<Vec<Quotation>> {
    let customer = actor.role == crate::auth::Role::Customer;
    let rows = rows.into_iter().filter(|row| !customer || row.state.is_theirs() && row.sent_at.is_some());
    rows.map(Quotation::try_from).collect()
}

/// One version; for a customer, only once it was sent.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get<R: Right>(db: &Db, permit: &Permit<R>, id: QuotationId) -> Result<Quotation> {
    let row = sql!(opt Row, db, quotations!("WHERE tenant_id = $1 AND id = $2"), permit.tenant(), id)?;
    let found = seen_by(permit.actor(), row.into_iter().collect())?;
    found.into_iter().next().ok_or(Error::NotFound("quotation"))
}

/// A version and its integration inside a transaction that changes them; no other can meanwhile.
async fn lock(tx: &mut Tx, tenant: TenantId, id: QuotationId) -> Result<(Quotation, Integration)> {
    tenants::store::lock(tx, tenant).await?;
    let row = sql!(opt Row, tx, quotations!("WHERE tenant_id = $1 AND id = $2"), tenant, id)?;
    let of: Quotation = row.ok_or(Error::NotFound("quotation"))?.try_into()?;
    let integration = integrations::lock(tx, tenant, of.integration_id).await?;
    Ok((of, integration))
}

/// What is known, for the way.
fn facts(of: &Quotation, limit: Limit, actor: &Actor, now: DateTime<Utc>, reason: bool) -> state::Facts {
    let name = &actor.name;
    state::Facts {
        over: limit.is_exceeded(&of.content),
        own: of.submitted_by.as_ref() == Some(name) || of.written_by == *name,
        has_lines: !of.content.lines.is_empty(),
        is_past: of.content.is_past(now),
        reason,
    }
}

/// A step that is refused, as a form tells it: what a reason would mend stands at the reason.
fn refusal(why: Why) -> Error {
    match why {
        Why::Reason(_) => Error::invalid("reason", why.to_string()),
        _ => Error::Conflict(why.to_string()),
    }
}

/// Quotations are written, sent and answered while their integration is at that stage; change orders while it is built.
fn must_be_quoted(of: &Integration, adds_to: Option<QuotationId>) -> Result<()> {
    let (stage, what) = match adds_to {
        None => (Stage::Quotation, "quotations"),
        Some(_) => (Stage::Implementation, "change orders"),
    };
    if of.stage == stage {
        return Ok(());
    }
    let (name, at) = (&of.details.name, of.stage.title());
    Err(Error::Conflict(format!("{what} are for the stage {}, and {name} is at {at}", stage.title())))
}

fn must_be_seen(of: &Quotation, seen: i64) -> Result<()> {
    if of.revision == seen {
        return Ok(());
    }
    Err(Error::Conflict("somebody else has changed this quotation meanwhile: look at what it is now".into()))
}

/// What the audit trail keeps of one.
fn told(of: &Quotation) -> serde_json::Value {
    serde_json::json!({
        "quotation": of.id, "version": of.number, "state": of.state, "content": of.content,
        "digest": of.document_digest,
    })
}

fn why(reason: Option<&Reason>) -> String {
    reason.map(Reason::as_str).unwrap_or_default().to_owned()
}

/// Writes down where a version stands and who brought it there.
async fn write_state(tx: &mut Tx, clock: &Clock, of: &mut Quotation) -> Result<()> {
    of.revision += 1;
    of.updated_at = clock.now();
    sql!(
        exec tx,
        "UPDATE quotations SET state = $3, revision = $4, updated_at = $5, submitted_by = $6, approved_by = $7,
            approved_at = $8, viewed_at = $9, decided_by = $10, decided_role = $11, decided_from = $12, decided_at = $13,
            reason = $14
         WHERE tenant_id = $1 AND id = $2",
        of.tenant_id,
        of.id,
        of.state,
        of.revision,
        of.updated_at,
        &of.submitted_by,
        &of.approved_by,
        of.approved_at,
        of.viewed_at,
        &of.decided_by,
        &of.decided_role,
        &of.decided_from,
        of.decided_at,
        &of.reason,
    )?;
    Ok(())
}
