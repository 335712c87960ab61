//! How an implementation begins: in the transaction that accepts the quotation, with nothing typed twice.
use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{Kind, follow_up, load_in};
use crate::{
    auth::{Actor, Permit, Right, RunImplementations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, QuotationId, new_id},
    intake::{
        Integration, Side, Stage,
        checks::{Item, Known},
        implementation::plan::{Given, Plan, more, plan},
        quotation::{self, Line, State},
        store::{self as integrations, Note, audit, note},
    },
    sql,
};

/// Where what comes after all lines stands, so that change orders come before.
const LAST: i64 = 1_000_000;

/// What an intake knows: read before the transaction that needs it.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    checks: Vec<(Item, Known)>,
    answers: Vec<(String, String)>,
    open: Vec<String>,
    contracts: Vec<String>,
    definition: Option<String>,
}

/// Reads what an intake knows.
///
/// # Errors
/// When the database fails.
pub async fn ground<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Ground> {
    let checks = integrations::checks(db, permit, id).await?;
    let answers = integrations::answers(db, permit, id).await?;
    let verdicts = integrations::verdicts(db, permit, id).await?;
    let asked = integrations::questions(db, permit, id).await?;
    let seen = integrations::evidence(db, permit, id).await?;
    // what an investigation asks came from the verdicts, or was added to them
    let open = verdicts.iter().flat_map(|one| one.open_questions.lines()).map(str::trim).map(str::to_owned);
    let mut open: Vec<_> = open.filter(|line| !line.is_empty()).collect();
    open.retain(|line| asked.iter().all(|one| one.question != *line));
    open.extend(asked.iter().filter(|one| one.answer.is_empty()).map(|one| one.question.clone()));
    open.dedup();
    open.truncate(20);
    let definition = seen.iter().find_map(|one| one.definition.clone());
    Ok(Ground {
        checks: checks.into_iter().map(|one| (one.item, one.known)).collect(),
        answers: answers.into_iter().map(|one| (one.question, one.answer)).collect(),
        open,
        contracts: seen.into_iter().filter_map(|one| one.contract).collect(),
        definition,
    })
}

/// Makes phases, tasks, drafts and evidence of an accepted version, in the transaction that accepts it.
pub(in crate::intake) async fn begin_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    of: &Integration,
    (accepted, lines): (QuotationId, &[Line]),
    ground: &Ground,
) -> Result<()> {
    if !load_in(tx, of.tenant_id, of.id).await?.phases.is_empty() {
        return Err(Error::Conflict("the implementation is planned already".into()));
    }
    let made = plan(&Given {
        details: &of.details,
        lines,
        checks: &ground.checks,
        answers: &ground.answers,
        open: &ground.open,
        contracts: &ground.contracts,
        definition: ground.definition.as_deref(),
        today: clock.now().date_naive(),
    });
    insert(tx, clock, of, accepted, &made, 0).await?;
    let what = format!(
        "planned the implementation: {}, {}",
        crate::ui::format::counted(made.tasks.len() as u64, "task"),
        crate::ui::format::counted(made.drafts.len() as u64, "draft")
    );
    told(tx, clock, actor, of, "implementation.begin", what, &made).await?;
    follow_up(tx, clock, actor, of).await
}

/// Adds the lines of a change order, in the transaction that accepts it.
pub(in crate::intake) async fn extend_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    of: &Integration,
    (accepted, lines): (QuotationId, &[Line]),
) -> Result<()> {
    let text = "SELECT COALESCE(MAX(place), 0) FROM implementation_phases
        WHERE tenant_id = $1 AND integration_id = $2 AND place < $3";
    let last = sql!(value i64, tx, text, of.tenant_id, of.id, LAST)?;
    let today: NaiveDate = clock.now().date_naive();
    let made = more(lines, today);
    insert(tx, clock, of, accepted, &made, last + 1).await?;
    let lines = crate::ui::format::counted(made.phases.len() as u64, "work package");
    told(tx, clock, actor, of, "implementation.extend", format!("added {lines} by a change order"), &made).await?;
    follow_up(tx, clock, actor, of).await
}

async fn told(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    of: &Integration,
    action: &'static str,
    what: String,
    made: &Plan,
) -> Result<()> {
    note(tx, clock, actor, (of.tenant_id, of.id), Note::of(what)).await?;
    let names = |texts: Vec<&str>| json!(texts);
    let after = json!({
        "phases": names(made.phases.iter().map(|one| one.title.as_str()).collect()),
        "tasks": names(made.tasks.iter().map(|one| one.title.as_str()).collect()),
        "drafts": names(made.drafts.iter().map(|one| one.name.as_str()).collect()),
        "evidence": made.evidence.iter().map(|one| one.rule.told()).collect::<Vec<_>>(),
    });
    audit::written(tx, clock, actor, of, action, None, after).await
}

async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    of: &Integration,
    accepted: QuotationId,
    made: &Plan,
    from: i64,
) -> Result<()> {
    let (tenant, id, now) = (of.tenant_id, of.id, clock.now());
    let ids = |count: usize| (0..count).map(|_| new_id(clock)).collect::<Vec<Uuid>>();
    let (phases, tasks, drafts) = (ids(made.phases.len()), ids(made.tasks.len()), ids(made.drafts.len()));
    let closes = made.phases.iter().rposition(|one| one.minutes.is_none()).filter(|n| *n > 0);
    for ((n, phase), key) in (0_i64..).zip(&made.phases).zip(&phases) {
        let place = if closes == usize::try_from(n).ok() { LAST } else { from + n };
        sql!(
            exec tx,
            "INSERT INTO implementation_phases (tenant_id, integration_id, id, place, title, quotation_id, minutes)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            tenant,
            id,
            key,
            place,
            &phase.title,
            phase.minutes.map(|_| accepted),
            phase.minutes.unwrap_or(0),
        )?;
    }
    for ((n, task), key) in (0_i64..).zip(&made.tasks).zip(&tasks) {
        let needs: Vec<_> = task.needs.iter().map(|n| tasks[*n]).collect();
        let ours = (task.side == Side::Us).then_some(of.details.owner_id).flatten();
        sql!(
            exec tx,
            "INSERT INTO implementation_tasks (tenant_id, integration_id, id, phase_id, place, title, note, side,
                owner_id, due_on, needs, draft_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            tenant,
            id,
            key,
            phases[task.phase],
            from + n,
            &task.title,
            &task.note,
            task.side,
            ours,
            task.due.format("%Y-%m-%d").to_string(),
            serde_json::to_string(&needs).map_err(Error::internal)?,
            task.draft.map(|n| drafts[n]),
            now,
        )?;
    }
    for ((n, draft), key) in (0_i64..).zip(&made.drafts).zip(&drafts) {
        // the type that it becomes has its id before it is made: evidence can name it
        let of_type = if draft.kind == Kind::EventType { Some(*key) } else { draft.of.map(|n| drafts[n]) };
        sql!(
            exec tx,
            "INSERT INTO implementation_drafts (tenant_id, integration_id, id, place, kind, name, body, event_type_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant,
            id,
            key,
            n,
            draft.kind,
            &draft.name,
            &draft.body,
            of_type,
        )?;
    }
    for (n, evidence) in (0_i64..).zip(&made.evidence) {
        sql!(
            exec tx,
            "INSERT INTO acceptance_evidence (tenant_id, integration_id, id, phase_id, place, event_type_id, rule, met,
                told)
             VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, '')",
            tenant,
            id,
            new_id(clock),
            phases[evidence.phase],
            n,
            drafts[evidence.draft],
            serde_json::to_string(&evidence.rule).map_err(Error::internal)?,
        )?;
    }
    Ok(())
}

/// Plans what was accepted before implementations were planned.
///
/// # Errors
/// [`Error::Conflict`] when it is planned already, or nothing was accepted, or it is at another stage;
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn plan_anew(db: &Db, clock: &Clock, permit: &Permit<RunImplementations>, id: IntegrationId) -> Result<()> {
    let known = ground(db, permit, id).await?;
    let versions = quotation::store::list(db, permit, id).await?;
    let accepted = versions.into_iter().find(|one| one.state == State::Accepted);
    let accepted =
        accepted.ok_or_else(|| Error::Conflict("no quotation is accepted: there is nothing to plan".into()))?;
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = integrations::lock(tx, permit.tenant(), id).await?;
            if of.stage != Stage::Implementation {
                return Err(Error::Conflict(format!("it stands at {}", of.stage.title())));
            }
            begin_in(tx, &clock, permit.actor(), &of, (accepted.id, &accepted.content.lines), &known).await
        })
    })
    .await
}
