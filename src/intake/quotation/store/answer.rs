//! What the customer does with what was sent: looks at it, accepts, declines. Both answers tell whose integration it is.
use super::{NOT_ASKED, facts, lock, must_be_quoted, refusal, told, write_state};
use crate::{
    app::App,
    auth::{self, Actor, AnswerQuotations, Permit, audit::snapshot},
    clock::Clock,
    crypto::seal::Keyring,
    db::{Db, Tx},
    error::{Error, Result},
    ids::QuotationId,
    intake::{
        Integration, Next, Reason, Side, implementation,
        quotation::{Acceptance, Act, Quotation, State, address, step},
        store::{self as integrations, Ground, Note, Taken, audit, note},
    },
    mail::{self, Letter, Mail, Part},
};

/// What is to be done after a no.
const AFTER_NO: &str = "Revise the quotation, or close it as lost";
/// And of a change order.
const AFTER_NO_MORE: &str = "Revise the change order, or go on without it";

/// How whoever owns an integration is told.
#[derive(Clone)]
pub struct Bell {
    base: String,
    /// None: there is no mail.
    keys: Option<Keyring>,
}

impl Bell {
    /// As the server does it.
    pub fn of(app: &App) -> Self {
        Self { base: app.public_base.to_string(), keys: app.mail.is_configured().then(|| app.keys.clone()) }
    }

    /// One that tells nobody.
    pub fn silent() -> Self {
        Self { base: String::new(), keys: None }
    }

    /// Writes to whose integration it is, or to who sent the quotation.
    async fn ring(&self, tx: &mut Tx, clock: &Clock, integration: &Integration, of: &Quotation) -> Result<()> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let to = match integration.details.owner_id {
            Some(owner) => auth::store::address_of(tx, owner).await?,
            None => of.sent_by.clone().filter(|name| name.contains('@')),
        };
        let Some(to) = to else { return Ok(()) };
        let who = of.decided_by.clone().unwrap_or_else(|| "The customer".into());
        let (word, more) = match of.state {
            State::Accepted if of.adds_to.is_some() => ("accepted", "Its work packages are planned.".to_owned()),
            State::Accepted => ("accepted", "The implementation is planned.".to_owned()),
            _ => ("declined", format!("Their reason: {}", of.reason)),
        };
        let name = &integration.details.name;
        let totals = of.content.totals();
        let url = format!("{}{}", self.base, address(of));
        let letter = Letter {
            subject: format!("Quotation {word}: {name}"),
            parts: vec![
                Part::text(format!(
                    "{who} has {word} {} for {name}, {} with VAT.",
                    of.told(),
                    of.content.currency.told(totals.gross)
                )),
                Part::text(more),
                Part::Link { label: "See it".into(), url },
            ],
        };
        let about = format!("quotation:{}", of.id);
        mail::enqueue(tx, clock, keys, Mail { to, letter, about, good_until: None }).await
    }
}

/// Writes down that the customer has looked at it; the first time counts.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn view(db: &Db, clock: &Clock, permit: &Permit<AnswerQuotations>, id: QuotationId) -> Result<()> {
    if super::get(db, permit, id).await?.state != State::Sent {
        return Ok(());
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (before, integration) = lock(tx, permit.tenant(), id).await?;
            let (actor, now) = (permit.actor(), clock.now());
            // what has expired, or was answered meanwhile, is not viewed any more
            let known = facts(&before, NOT_ASKED, actor, now, false);
            if before.state != State::Sent || step(before.state, Act::View, &known).is_err() {
                return Ok(());
            }
            let mut after = Quotation { state: State::Viewed, viewed_at: Some(now), ..before };
            // it says what it said: who is about to answer need not look again
            after.revision -= 1;
            write_state(tx, &clock, &mut after).await?;
            let key = (after.tenant_id, after.integration_id);
            note(tx, &clock, actor, key, Note::of(format!("looked at {}", after.told()))).await?;
            audit::written(tx, &clock, actor, &integration, "quotation.view", None, told(&after)).await
        })
    })
    .await
}

/// Accepts a version, for good: the implementation begins in the same transaction. `digest` is that of what was shown.
///
/// # Errors
/// [`Error::Conflict`] when it was answered already, has expired, or is not what was shown; [`Error::NotFound`] when the
/// tenant has none such; when the database fails.
pub async fn accept(
    db: &Db,
    clock: &Clock,
    permit: &Permit<AnswerQuotations>,
    bell: &Bell,
    id: QuotationId,
    digest: &str,
    by: Acceptance,
) -> Result<Quotation> {
    // what the intake knows is read before the transaction, which is short
    let ground = {
        let of = super::get(db, permit, id).await?;
        implementation::store::ground(db, permit, of.integration_id).await?
    };
    let (permit, clock, bell, digest) = (permit.clone(), clock.clone(), bell.clone(), digest.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            let actor = permit.actor();
            let (after, integration) = answered(tx, &clock, actor, id, &digest, Answer::Yes(by)).await?;
            let accepted = (after.id, after.content.lines.as_slice());
            if after.adds_to.is_some() {
                implementation::store::extend_in(tx, &clock, actor, &integration, accepted).await?;
            } else {
                let taken = Taken { act: crate::intake::Act::Accept, reason: None, next: None };
                let key = (after.tenant_id, after.integration_id);
                let begun = integrations::advance_in(tx, &clock, actor, key, taken, Ground::Accepted).await?;
                implementation::store::begin_in(tx, &clock, actor, &begun, accepted, &ground).await?;
            }
            bell.ring(tx, &clock, &integration, &after).await?;
            Ok(after)
        })
    })
    .await
}

/// Declines a version, with the reason.
///
/// # Errors
/// As [`accept`]; [`Error::Invalid`] when there is no reason.
pub async fn decline(
    db: &Db,
    clock: &Clock,
    permit: &Permit<AnswerQuotations>,
    bell: &Bell,
    id: QuotationId,
    digest: &str,
    (name, reason): (String, Option<Reason>),
) -> Result<Quotation> {
    let (permit, clock, bell, digest) = (permit.clone(), clock.clone(), bell.clone(), digest.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            let answer = Answer::No(name, reason);
            let (after, integration) = answered(tx, &clock, permit.actor(), id, &digest, answer).await?;
            let next_step = if after.adds_to.is_some() { AFTER_NO_MORE } else { AFTER_NO };
            let next = Next { next_step: next_step.into(), turn: Side::Us };
            integrations::set_next_in(tx, &clock, permit.actor(), &integration, next).await?;
            bell.ring(tx, &clock, &integration, &after).await?;
            Ok(after)
        })
    })
    .await
}

enum Answer {
    Yes(Acceptance),
    No(String, Option<Reason>),
}

async fn answered(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    id: QuotationId,
    digest: &str,
    answer: Answer,
) -> Result<(Quotation, Integration)> {
    let (before, integration) = lock(tx, actor.tenant.ok_or(Error::NotFound("quotation"))?, id).await?;
    if before.document_digest.is_none() {
        return Err(Error::NotFound("quotation"));
    }
    let now = clock.now();
    let (act, reason) = match &answer {
        Answer::Yes(_) => (Act::Accept, None),
        Answer::No(_, reason) => (Act::Decline, reason.as_ref()),
    };
    if !act.may(actor.role) {
        return Err(Error::Forbidden(act.verb()));
    }
    let known = facts(&before, NOT_ASKED, actor, now, reason.is_some());
    let state = step(before.state, act, &known).map_err(refusal)?;
    must_be_quoted(&integration, before.adds_to)?;
    if before.document_digest.as_deref() != Some(digest) {
        return Err(Error::Conflict("this is not what was shown to you: look at it again".into()));
    }
    let mut after = Quotation { state, decided_at: Some(now), ..before.clone() };
    after.decided_from = actor.address.map(|address| address.to_string());
    match answer {
        Answer::Yes(by) => {
            after.decided_by = Some(by.name);
            after.decided_role = Some(by.role);
        }
        Answer::No(name, reason) => {
            after.decided_by = Some(name);
            after.reason = super::why(reason.as_ref());
        }
    }
    write_state(tx, clock, &mut after).await?;
    let word = if after.state == State::Accepted { "accepted" } else { "declined" };
    let who = match (&after.decided_by, &after.decided_role) {
        (Some(name), Some(role)) => format!(", as {name}, {role}"),
        (Some(name), None) => format!(", as {name}"),
        _ => String::new(),
    };
    let what = format!("{word} {}{who}", after.told());
    let key = (after.tenant_id, after.integration_id);
    note(tx, clock, actor, key, Note { what, why: &after.reason, step: None }).await?;
    let action = if after.state == State::Accepted { "quotation.accept" } else { "quotation.decline" };
    let mut is = told(&after);
    if let Some(fields) = is.as_object_mut() {
        fields.insert("by".into(), serde_json::json!([after.decided_by, after.decided_role, after.decided_from]));
    }
    audit::written(tx, clock, actor, &integration, action, snapshot(&told(&before)), is).await?;
    Ok((after, integration))
}
