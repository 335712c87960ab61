//! What the staff does with a version before it is sent: begin it, change what it says, have it looked at, withdraw it.
use chrono::Days;

use super::{NOT_ASKED, facts, lock, must_be_quoted, must_be_seen, refusal, told, why, write_state};
use crate::{
    auth::{Permit, RunIntakes, audit::snapshot},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, QuotationId},
    intake::{
        Integration, Stage,
        quotation::{Act, Content, Currency, Discount, Limit, Quotation, Reason, State, carry::carried, step},
        store::{self as integrations, Note, audit, note},
    },
    sql, tenants,
};

/// How long a quotation is good, when nobody says otherwise, in days.
const VALID: u64 = 30;

/// Begins the next version: what the last one says, or what the intake gives. One is open at a time.
///
/// # Errors
/// [`Error::Conflict`] when one is open already, or the integration is at another stage; [`Error::NotFound`] when the
/// tenant has none such; when the database fails.
pub async fn begin(db: &Db, clock: &Clock, permit: &Permit<RunIntakes>, of: IntegrationId) -> Result<Quotation> {
    let before = super::list(db, permit, of).await?;
    let integration = integrations::get(db, permit, of).await?;
    let fresh = first(db, clock, permit, &integration).await?;
    let adds_to = before.iter().find(|one| one.state == State::Accepted && one.adds_to.is_none()).map(|one| one.id);
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = integrations::lock(tx, permit.tenant(), of).await?;
            let adds_to = adds_to.filter(|_| integration.stage == Stage::Implementation);
            must_be_quoted(&integration, adds_to)?;
            let text = "SELECT COUNT(*) FROM quotations WHERE tenant_id = $1 AND integration_id = $2
                AND state IN ('draft', 'awaiting', 'approved')";
            if sql!(value i64, tx, text, permit.tenant(), of)? > 0 {
                return Err(Error::Conflict("a version is open already: go on with that one".into()));
            }
            let text = "SELECT COALESCE(MAX(number), 0) FROM quotations WHERE tenant_id = $1 AND integration_id = $2";
            let number = sql!(value i64, tx, text, permit.tenant(), of)? + 1;
            let now = clock.now();
            // what was accepted stands, so what adds to it begins anew
            let last = before.iter().find(|one| one.adds_to == adds_to && one.state != State::Accepted);
            let content = match last {
                // what has expired would be of no use to anybody
                Some(last) => {
                    Content { valid_until: fresh.valid_until.max(last.content.valid_until), ..last.content.clone() }
                }
                None if adds_to.is_some() => addition(fresh, &integration, &before),
                None => fresh,
            };
            let made = Quotation {
                tenant_id: permit.tenant(),
                integration_id: of,
                id: QuotationId::new(&clock),
                number,
                adds_to,
                state: State::Draft,
                content,
                revision: 1,
                written_by: permit.actor().name.clone(),
                created_at: now,
                updated_at: now,
                submitted_by: None,
                approved_by: None,
                approved_at: None,
                sent_by: None,
                sent_at: None,
                document_digest: None,
                pdf_digest: None,
                viewed_at: None,
                decided_by: None,
                decided_role: None,
                decided_from: None,
                decided_at: None,
                reason: String::new(),
            };
            insert(tx, &made).await?;
            let what = format!("began {}", made.told());
            note(tx, &clock, permit.actor(), (made.tenant_id, of), Note::of(what)).await?;
            audit::written(tx, &clock, permit.actor(), &integration, "quotation.begin", None, told(&made)).await?;
            Ok(made)
        })
    })
    .await
}

/// What the first version says.
async fn first(db: &Db, clock: &Clock, permit: &Permit<RunIntakes>, of: &Integration) -> Result<Content> {
    let checks = integrations::checks(db, permit, of.id).await?;
    let answers = integrations::answers(db, permit, of.id).await?;
    let verdicts = integrations::verdicts(db, permit, of.id).await?;
    let found = integrations::questions(db, permit, of.id).await?;
    let (assumptions, exclusions) = carried(&checks, &answers, &verdicts, &found);
    let tenant = tenants::get(db, &permit.actor().permit(permit.tenant())?).await?;
    let people = of.details.customer_people.lines().next().unwrap_or_default();
    let addressee = format!("{}\n{people}", tenant.name);
    let today = clock.now().date_naive();
    Ok(Content {
        title: of.details.name.to_string(),
        addressee: addressee.trim().to_owned(),
        currency: Currency::Eur,
        lines: Vec::new(),
        discount: Discount::None,
        discount_reason: String::new(),
        assumptions,
        exclusions,
        valid_until: today.checked_add_days(Days::new(VALID)).unwrap_or(today),
    })
}

/// What a change order says before anybody has written a line of it.
fn addition(fresh: Content, of: &Integration, before: &[Quotation]) -> Content {
    let accepted = before.iter().find(|one| one.state == State::Accepted && one.adds_to.is_none());
    let number = accepted.map_or(1, |one| one.number);
    Content {
        title: format!("Change order: {}", of.details.name),
        currency: accepted.map_or(fresh.currency, |one| one.content.currency),
        addressee: accepted.map_or(fresh.addressee, |one| one.content.addressee.clone()),
        assumptions: format!("It adds to version {number} of the quotation, which stands as it was accepted."),
        exclusions: String::new(),
        ..fresh
    }
}

async fn insert(tx: &mut Tx, made: &Quotation) -> Result<()> {
    let totals = made.content.totals();
    sql!(
        exec tx,
        "INSERT INTO quotations (tenant_id, id, integration_id, number, state, content, minutes, currency, net, gross,
            revision, written_by, created_at, updated_at, reason, adds_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, '', $14)",
        made.tenant_id,
        made.id,
        made.integration_id,
        made.number,
        made.state,
        serde_json::to_string(&made.content).map_err(Error::internal)?,
        made.content.minutes(),
        made.content.currency,
        totals.net,
        totals.gross,
        made.revision,
        &made.written_by,
        made.created_at,
        made.adds_to,
    )?;
    Ok(())
}

/// Changes what a version says; what was approved has to be approved anew.
///
/// # Errors
/// [`Error::Conflict`] when it was sent, or changed by somebody else since `seen`; [`Error::NotFound`] when the tenant
/// has none such; when the database fails.
pub async fn save(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: QuotationId,
    seen: i64,
    content: Content,
) -> Result<Quotation> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (before, integration) = lock(tx, permit.tenant(), id).await?;
            if before.content == content {
                return Ok(before);
            }
            let actor = permit.actor();
            let known = facts(&before, NOT_ASKED, actor, clock.now(), false);
            let state = step(before.state, Act::Edit, &known).map_err(refusal)?;
            must_be_seen(&before, seen)?;
            must_be_quoted(&integration, before.adds_to)?;
            let after = Quotation {
                state,
                content,
                revision: before.revision + 1,
                written_by: actor.name.clone(),
                updated_at: clock.now(),
                submitted_by: None,
                approved_by: None,
                approved_at: None,
                ..before.clone()
            };
            let totals = after.content.totals();
            sql!(
                exec tx,
                "UPDATE quotations SET state = $3, content = $4, minutes = $5, currency = $6, net = $7, gross = $8,
                    revision = $9, written_by = $10, updated_at = $11, submitted_by = NULL, approved_by = NULL,
                    approved_at = NULL
                 WHERE tenant_id = $1 AND id = $2 AND document_digest IS NULL",
                after.tenant_id,
                after.id,
                after.state,
                serde_json::to_string(&after.content).map_err(Error::internal)?,
                after.content.minutes(),
                after.content.currency,
                totals.net,
                totals.gross,
                after.revision,
                &after.written_by,
                after.updated_at,
            )?;
            let (was, is) = (snapshot(&told(&before)), told(&after));
            audit::written(tx, &clock, actor, &integration, "quotation.change", was, is).await?;
            Ok(after)
        })
    })
    .await
}

/// Takes one of the staff's steps but sending: asks for approval, approves, returns, withdraws.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::Conflict`] or [`Error::Invalid`] when the way does not
/// lead there, with the reason in words; [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn act(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    limit: Limit,
    id: QuotationId,
    (act, seen, reason): (Act, i64, Option<Reason>),
) -> Result<Quotation> {
    if !matches!(act, Act::Submit | Act::Approve | Act::Return | Act::Withdraw) || !act.may(permit.actor().role) {
        return Err(Error::Forbidden(act.verb()));
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (before, integration) = lock(tx, permit.tenant(), id).await?;
            let (actor, now) = (permit.actor(), clock.now());
            let known = facts(&before, limit, actor, now, reason.is_some());
            let state = step(before.state, act, &known).map_err(refusal)?;
            must_be_seen(&before, seen)?;
            if act != Act::Withdraw {
                must_be_quoted(&integration, before.adds_to)?;
            }
            let mut after = Quotation { state, reason: why(reason.as_ref()), ..before.clone() };
            match act {
                Act::Submit => after.submitted_by = Some(actor.name.clone()),
                Act::Approve => (after.approved_by, after.approved_at) = (Some(actor.name.clone()), Some(now)),
                Act::Return => after.submitted_by = None,
                _ => {}
            }
            write_state(tx, &clock, &mut after).await?;
            let what = format!("{} {}", said(act), after.told());
            let words = Note { what, why: &after.reason, step: None };
            note(tx, &clock, actor, (after.tenant_id, after.integration_id), words).await?;
            let (was, is) = (snapshot(&told(&before)), told(&after));
            audit::written(tx, &clock, actor, &integration, audited(act), was, is).await?;
            Ok(after)
        })
    })
    .await
}

fn said(act: Act) -> &'static str {
    match act {
        Act::Submit => "asked for the approval of",
        Act::Approve => "approved",
        Act::Return => "returned",
        _ => "withdrew",
    }
}

fn audited(act: Act) -> &'static str {
    match act {
        Act::Submit => "quotation.submit",
        Act::Approve => "quotation.approve",
        Act::Return => "quotation.return",
        _ => "quotation.withdraw",
    }
}
