//! What live data says of acceptance evidence, and which evidence is named.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{Evidence, MOST, Outcome, Rule, Whole, load_in, under_way};
use crate::{
    auth::{Permit, Right, RunImplementations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    event_types::Pointer,
    events::{self, Verdict, hours, refusals},
    ids::{EventId, EventTypeId, IntegrationId, TenantId, new_id},
    intake::{
        implementation::evidence::{self, Covered, Fill, LOOKED_AT, Tally},
        store::{Note, audit, note},
    },
    polling, sql,
};

/// Refusals by which a request broke the rules: those of its contract, and those of JSON.
const BROKEN: [i64; 2] = [400, 422];

/// Measures all evidence that is named and not waived, now.
///
/// # Errors
/// When the database fails.
pub async fn measure<R: Right>(
    db: &Db,
    clock: &Clock,
    permit: &Permit<R>,
    whole: &Whole,
) -> Result<Vec<(Uuid, Outcome)>> {
    let now = clock.now();
    let mut newest: HashMap<EventTypeId, Vec<String>> = HashMap::new();
    let mut outcomes = Vec::new();
    for one in whole.evidence.iter().filter(|one| !one.waived.is_set()) {
        if matches!(one.rule, Rule::Filled { .. }) && !newest.contains_key(&one.event_type_id) {
            newest.insert(one.event_type_id, payloads(db, permit.tenant(), one.event_type_id).await?);
        }
        let payloads = newest.get(&one.event_type_id).map(Vec::as_slice).unwrap_or_default();
        outcomes.push((one.id, outcome(db, permit, one, payloads, now).await?));
    }
    Ok(outcomes)
}

async fn outcome<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    of: &Evidence,
    payloads: &[String],
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let since = of.rule.since(now);
    Ok(match &of.rule {
        Rule::Accepted { events } => {
            evidence::accepted(*events, tally(db, permit, of.event_type_id, since).await?, now)
        }
        Rule::Rejected { below, .. } => {
            evidence::rejected(*below, since, tally(db, permit, of.event_type_id, since).await?, now)
        }
        Rule::Ledger { .. } => {
            let sources = polling::store::look::covered(db, permit, of.event_type_id, since).await?;
            let sources: Vec<_> = sources.into_iter().map(|one| covered(one, now)).collect();
            evidence::ledger(since, &sources, now)
        }
        Rule::Filled { field, least } => evidence::filled(*least, fill(field, payloads), now),
    })
}

async fn tally<R: Right>(db: &Db, permit: &Permit<R>, of: EventTypeId, since: DateTime<Utc>) -> Result<Tally> {
    let counted = hours::tally(db, permit, of, since).await?;
    let refused = refusals::of_type(db, permit, of, since).await?;
    let refused: i64 = refused.iter().filter(|one| BROKEN.contains(&one.status)).map(|one| one.requests).sum();
    Ok(Tally { accepted: counted.accepted, rejected: counted.quarantined + refused, first: counted.first })
}

/// What is due by now lies behind by the interval of a source; another, and a little, is no gap either.
fn covered(of: polling::store::look::Covered, now: DateTime<Utc>) -> Covered {
    let until = of.hole.unwrap_or(of.watermark).min(of.watermark).min(now);
    let lag = TimeDelta::seconds(of.interval_seconds * 2) + TimeDelta::minutes(15);
    Covered { name: of.name, from: of.starts_at, until, lag }
}

/// The newest events of a type that kept their contract.
async fn payloads(db: &Db, tenant: TenantId, of: EventTypeId) -> Result<Vec<String>> {
    let first = EventId(Uuid::nil());
    let found = events::store::since(db, tenant, Some(of), first, LOOKED_AT, events::store::WHOLE).await?;
    Ok(found.into_iter().filter(|one| one.verdict == Verdict::Accepted).map(|one| one.payload).collect())
}

fn fill(field: &str, payloads: &[String]) -> Fill {
    let Ok(pointer) = Pointer::parse(field) else { return Fill::default() };
    let holds = |payload: &&String| {
        // nothing, and text of nothing, is not filled in
        pointer.in_text(payload).is_some_and(|text| {
            text != "null" && serde_json::from_str::<String>(text).map_or(true, |text| !text.trim().is_empty())
        })
    };
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Fill { looked: count(payloads.len()), filled: count(payloads.iter().filter(holds).count()) }
}

/// Whether an integration may go live by what was measured, which is kept with it.
pub(in crate::intake) async fn complete_in(
    tx: &mut Tx,
    (tenant, id): (TenantId, IntegrationId),
    outcomes: &[(Uuid, Outcome)],
) -> Result<Vec<String>> {
    let whole = load_in(tx, tenant, id).await?;
    for (evidence, outcome) in outcomes {
        sql!(
            exec tx,
            "UPDATE acceptance_evidence SET met = $4, told = $5, measured_at = $6
             WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
            tenant,
            id,
            *evidence,
            outcome.met,
            &outcome.told,
            outcome.at,
        )?;
    }
    Ok(whole.missing(outcomes))
}

/// Names evidence of a phase, or changes one: `id` names it. What was waived is to be seen again then.
///
/// # Errors
/// [`Error::Invalid`] when its phase is none; [`Error::Conflict`] when it is not under way; [`Error::NotFound`] when there
/// is none such; when the database fails.
pub async fn name_evidence(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Option<Uuid>,
    (phase, event_type, rule): (Uuid, EventTypeId, Rule),
) -> Result<Uuid> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            if whole.phases.iter().all(|one| one.id != phase) {
                return Err(Error::invalid("phase", "choose one of its phases"));
            }
            if whole.evidence.len() >= MOST {
                return Err(Error::Conflict(format!("an implementation names at most {MOST} pieces of evidence")));
            }
            let before = match id {
                Some(id) => {
                    let found = whole.evidence.iter().find(|one| one.id == id);
                    Some(found.ok_or(Error::NotFound("evidence"))?)
                }
                None => None,
            };
            let key = id.unwrap_or_else(|| new_id(&clock));
            let place = i64::try_from(whole.evidence.len()).unwrap_or(i64::MAX);
            sql!(
                exec tx,
                "INSERT INTO acceptance_evidence (tenant_id, integration_id, id, phase_id, place, event_type_id, rule, met,
                    told)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, '')
                 ON CONFLICT (tenant_id, integration_id, id) DO UPDATE SET phase_id = excluded.phase_id,
                    event_type_id = excluded.event_type_id, rule = excluded.rule, waived_by = NULL, waived_at = NULL,
                    waived_why = NULL",
                integration.tenant_id,
                of,
                key,
                phase,
                place,
                event_type,
                serde_json::to_string(&rule).map_err(Error::internal)?,
            )?;
            let actor = permit.actor();
            let told = |rule: &Rule, of: EventTypeId| json!({ "evidence": rule.told(), "eventType": of });
            let was = before.map(|one| told(&one.rule, one.event_type_id));
            let what = match before {
                Some(one) => format!("asks for “{}” in place of “{}”", rule.told(), one.rule.told()),
                None => format!("asks for “{}”", rule.told()),
            };
            note(tx, &clock, actor, (integration.tenant_id, of), Note::of(what)).await?;
            audit::written(tx, &clock, actor, &integration, "evidence.name", was, told(&rule, event_type)).await?;
            Ok(key)
        })
    })
    .await
}

/// Asks for a piece of evidence no more.
///
/// # Errors
/// As [`name_evidence`].
pub async fn forget_evidence(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let whole = load_in(tx, integration.tenant_id, of).await?;
            let gone = whole.evidence.iter().find(|one| one.id == id).ok_or(Error::NotFound("evidence"))?;
            let text = "DELETE FROM acceptance_evidence WHERE tenant_id = $1 AND integration_id = $2 AND id = $3";
            sql!(exec tx, text, integration.tenant_id, of, id)?;
            let (actor, rule) = (permit.actor(), gone.rule.told());
            let what = format!("asks no more for “{rule}”");
            note(tx, &clock, actor, (integration.tenant_id, of), Note::of(what)).await?;
            let was = Some(json!({ "evidence": rule }));
            audit::written(tx, &clock, actor, &integration, "evidence.forget", was, json!({})).await
        })
    })
    .await
}
