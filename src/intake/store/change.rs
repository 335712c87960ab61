//! What people do with an integration: begin it, change it, say whose turn it is, and take the steps of its way.
use chrono::Utc;
use serde_json::json;

use super::{Note, Scope, answers, audit, lock, note};
use crate::{
    auth::{Actor, Permit, RunIntakes, audit::snapshot},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, TenantId},
    intake::{
        Act, Details, Facts, Integration, Next, Question, Reason, Scenario, Side, Stage, Why, first_step, step,
        system_key,
    },
    sql, tenants,
};

/// Begins an integration with its intake. The check list of an earlier one of the same system can be taken over.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant, or no such earlier one in sight; when the database fails.
pub async fn create(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    details: Details,
    earlier: Option<(&Scope, TenantId, IntegrationId)>,
) -> Result<Integration> {
    let now = clock.now();
    let made = Integration {
        tenant_id: permit.tenant(),
        id: IntegrationId::new(clock),
        details,
        stage: Stage::Intake,
        stage_since: now,
        scenario: None,
        next: Next { next_step: first_step(Stage::Intake).into(), turn: Side::Us },
        turn_since: now,
        endpoint_type_id: None,
        endpoint_token_id: None,
        created_by: permit.actor().name.clone(),
        created_at: now,
        updated_at: now,
    };
    let earlier = match earlier {
        Some((scope, tenant, id)) if scope.holds(tenant) => Some((tenant, id)),
        Some(_) => return Err(Error::NotFound("integration")),
        None => None,
    };
    let (actor, clock) = (permit.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, made.tenant_id).await?;
            insert(tx, &made).await?;
            let key = (made.tenant_id, made.id);
            let begun = Note { what: "began the intake".into(), why: "", step: Some(("begin", Stage::Intake)) };
            note(tx, &clock, &actor, key, begun).await?;
            if let Some((tenant, id)) = earlier {
                let system = sql!(
                    values String, tx,
                    "SELECT system_key FROM integrations WHERE tenant_id = $1 AND id = $2", tenant, id
                )?;
                if system.first() != Some(&system_key(made.details.system_name.as_str())) {
                    return Err(Error::NotFound("integration"));
                }
                answers::copy_checks(tx, &clock, &actor, (tenant, id), key).await?;
            }
            audit::written(tx, &clock, &actor, &made, "integration.create", None, snapshot(&made).unwrap_or_default())
                .await?;
            Ok(made)
        })
    })
    .await
}

async fn insert(tx: &mut Tx, made: &Integration) -> Result<()> {
    let details = &made.details;
    sql!(
        exec tx,
        "INSERT INTO integrations (tenant_id, id, name, system_name, system_key, system_kind, need, owner_id,
            customer_people, vendor_people, stage, stage_since, scenario, next_step, turn, turn_since, created_by,
            created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, $13, $14, $12, $15, $12, $12)",
        made.tenant_id,
        made.id,
        &details.name,
        &details.system_name,
        system_key(details.system_name.as_str()),
        details.system_kind,
        &details.need,
        details.owner_id,
        &details.customer_people,
        &details.vendor_people,
        made.stage,
        made.created_at,
        &made.next.next_step,
        made.next.turn,
        &made.created_by,
    )?;
    Ok(())
}

/// Changes what people decide about it. `seen` is when what they saw was last changed: nothing newer is overwritten.
///
/// # Errors
/// [`Error::Conflict`] when somebody has changed it meanwhile; [`Error::NotFound`] when the tenant has none such; when
/// the database fails.
pub async fn change(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    seen: &str,
    details: Details,
) -> Result<Integration> {
    let (permit, clock, seen) = (permit.clone(), clock.clone(), seen.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if before.details == details {
                return Ok(before);
            }
            if mark(&before) != seen {
                return Err(Error::Conflict(
                    "somebody else has changed this meanwhile; look at what it is now, and save again".into(),
                ));
            }
            let after = Integration { details, updated_at: clock.now(), ..before.clone() };
            let details = &after.details;
            sql!(
                exec tx,
                "UPDATE integrations SET name = $3, system_name = $4, system_key = $5, system_kind = $6, need = $7,
                    owner_id = $8, customer_people = $9, vendor_people = $10, updated_at = $11
                 WHERE tenant_id = $1 AND id = $2",
                after.tenant_id,
                after.id,
                &details.name,
                &details.system_name,
                system_key(details.system_name.as_str()),
                details.system_kind,
                &details.need,
                details.owner_id,
                &details.customer_people,
                &details.vendor_people,
                after.updated_at,
            )?;
            let (was, is) = (snapshot(&before), snapshot(&after).unwrap_or_default());
            audit::written(tx, &clock, permit.actor(), &after, "integration.change", was, is).await?;
            Ok(after)
        })
    })
    .await
}

/// Tells one state of an integration from another.
pub fn mark(integration: &Integration) -> String {
    integration.updated_at.with_timezone(&Utc).timestamp_micros().to_string()
}

/// Says what is to be done next, and by whom. When another side is to act, its time begins anew.
///
/// # Errors
/// [`Error::Conflict`] when nothing is to be done any more; [`Error::NotFound`] when the tenant has none such; when the
/// database fails.
pub async fn set_next(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    next: Next,
    why: String,
) -> Result<Integration> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if !before.stage.is_open() {
                let why = format!("at the stage {} nothing is to be done any more", before.stage.title());
                return Err(Error::Conflict(why));
            }
            if before.next == next && why.is_empty() {
                return Ok(before);
            }
            next_in(tx, &clock, permit.actor(), &before, next, &why).await
        })
    })
    .await
}

/// The same inside a transaction that has the integration already, and without a reason.
pub(in crate::intake) async fn set_next_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    before: &Integration,
    next: Next,
) -> Result<Integration> {
    next_in(tx, clock, actor, before, next, "").await
}

async fn next_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    before: &Integration,
    next: Next,
    why: &str,
) -> Result<Integration> {
    let now = clock.now();
    let turn_since = if before.next.turn == next.turn { before.turn_since } else { now };
    let after = Integration { next, turn_since, updated_at: now, ..before.clone() };
    write_next(tx, &after).await?;
    let what = format!("waits for {}: {}", after.next.turn.who(), after.next.next_step);
    note(tx, clock, actor, (after.tenant_id, after.id), Note { what, why, step: None }).await?;
    let values = |of: &Integration| json!({ "nextStep": of.next.next_step, "turn": of.next.turn });
    audit::written(tx, clock, actor, &after, "integration.turn", Some(values(before)), values(&after)).await?;
    Ok(after)
}

async fn write_next(tx: &mut Tx, after: &Integration) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE integrations SET stage = $3, stage_since = $4, scenario = $5, next_step = $6, turn = $7,
            turn_since = $8, updated_at = $9
         WHERE tenant_id = $1 AND id = $2",
        after.tenant_id,
        after.id,
        after.stage,
        after.stage_since,
        after.scenario,
        &after.next.next_step,
        after.next.turn,
        after.turn_since,
        after.updated_at,
    )?;
    Ok(())
}

/// A step on the way.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is done.
    pub act: Act,
    /// Why.
    pub reason: Option<Reason>,
    /// What is to be done then; none: what is usual.
    pub next: Option<Next>,
}

/// Takes a step. The one way to another stage: page and command line both come through here.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::Conflict`] or [`Error::Invalid`] when the way does not
/// lead there, with the reason in words; [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn advance(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    taken: Step,
) -> Result<Integration> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(
            async move { advance_in(tx, &clock, permit.actor(), (permit.tenant(), id), taken, Ground::Seen).await },
        )
    })
    .await
}

/// That an invented history says what nobody has accepted or seen: only the demo has one.
#[derive(Debug, Clone, Copy)]
pub struct Told(TenantId);

impl Told {
    /// Of this tenant.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not the demo.
    pub fn new(tenant: TenantId) -> Result<Self> {
        if tenant == tenants::DEMO { Ok(Self(tenant)) } else { Err(Error::NotFound("demo")) }
    }
}

/// Takes a step whose ground is told and not there: see [`Told`].
///
/// # Errors
/// As [`advance`].
pub async fn advance_as_told(
    db: &Db,
    clock: &Clock,
    actor: &Actor,
    id: IntegrationId,
    taken: Step,
    told: Told,
) -> Result<Integration> {
    let (actor, clock) = (actor.clone(), clock.clone());
    db.write(move |tx| Box::pin(async move { advance_in(tx, &clock, &actor, (told.0, id), taken, Ground::Told).await }))
        .await
}

/// On what ground a step is taken that needs more than its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::intake) enum Ground {
    /// On what the tables say.
    Seen,
    /// The customer accepts a quotation in the same transaction.
    Accepted,
    /// An invented history says so.
    Told,
}

/// Takes a step inside a transaction.
pub(in crate::intake) async fn advance_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (tenant, id): (TenantId, IntegrationId),
    taken: Step,
    ground: Ground,
) -> Result<Integration> {
    let Step { act, reason, next } = taken;
    if !act.may(actor.role) {
        return Err(Error::Forbidden(act.verb()));
    }
    let before = lock(tx, tenant, id).await?;
    let mut facts = facts(tx, tenant, id, reason.is_some()).await?;
    facts.quotation_accepted = ground != Ground::Seen;
    facts.evidence_complete = ground == Ground::Told;
    let stage = step(before.stage, act, &facts).map_err(refusal)?;
    let now = clock.now();
    let scenario = match act {
        Act::Choose(scenario) => Some(scenario),
        Act::Reopen => None,
        _ => before.scenario,
    };
    let next = next.unwrap_or_else(|| Next { next_step: first_step(stage).into(), turn: Side::Us });
    let after =
        Integration { stage, stage_since: now, scenario, next, turn_since: now, updated_at: now, ..before.clone() };
    write_next(tx, &after).await?;
    let why = reason.as_ref().map(Reason::as_str).unwrap_or_default();
    match act {
        Act::Choose(Scenario::Investigation) => {
            super::investigation::begin(tx, clock, actor, (tenant, id)).await?;
        }
        Act::Conclude(possible) => {
            super::investigation::conclude(tx, clock, (tenant, id), possible, why).await?;
        }
        _ => {}
    }
    let told = Note { what: said(act), why, step: Some((act.word(), stage)) };
    note(tx, clock, actor, (tenant, id), told).await?;
    let values = |of: &Integration| json!({ "stage": of.stage, "scenario": of.scenario });
    let mut is = values(&after);
    if let (Some(fields), Some(reason)) = (is.as_object_mut(), &reason) {
        fields.insert("reason".into(), reason.as_str().into());
    }
    audit::written(tx, clock, actor, &after, "integration.advance", Some(values(&before)), is).await?;
    Ok(after)
}

/// What a step is told as on the timeline.
fn said(act: Act) -> String {
    match act {
        Act::Choose(scenario) => format!("chose the scenario “{}”", scenario.title()),
        Act::Conclude(true) => "concluded the investigation: possible".into(),
        Act::Conclude(false) => "concluded the investigation: not possible".into(),
        Act::Accept => "accepted the quotation".into(),
        Act::Close => "closed it as lost".into(),
        Act::GoLive => "went live".into(),
        Act::Reopen => "reopened the intake".into(),
        Act::Retire => "retired it".into(),
    }
}

/// A step that is refused, as a form tells it: what a reason would mend stands at the reason.
fn refusal(why: Why) -> Error {
    if why.wants_reason() { Error::invalid("reason", why.to_string()) } else { Error::Conflict(why.to_string()) }
}

/// What is known, inside the transaction that acts on it. That a quotation is accepted is known to who accepts it alone:
/// see [`Ground`]. Whatever brings implementations adds what it knows here: until then nothing is seen to work.
async fn facts(tx: &mut Tx, tenant: TenantId, id: IntegrationId, reason: bool) -> Result<Facts> {
    let verdicts = sql!(
        all(Question, crate::intake::Answer),
        tx,
        "SELECT question, answer FROM intake_verdicts WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        id,
    )?;
    let answer = |of| verdicts.iter().find(|(question, _)| *question == of).map(|(_, answer)| *answer);
    let open = sql!(
        value i64, tx,
        "SELECT COUNT(*) FROM investigation_questions WHERE tenant_id = $1 AND integration_id = $2 AND answer = ''",
        tenant,
        id,
    )?;
    Ok(Facts {
        technical: answer(Question::Technical),
        need: answer(Question::Need),
        open_questions: u64::try_from(open).unwrap_or(0),
        quotation_accepted: false,
        evidence_complete: false,
        reason,
    })
}
