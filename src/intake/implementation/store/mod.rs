//! Implementations in the database.
mod begin;
mod drafts;
mod measure;
mod tasks;
mod waive;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Draft, Evidence, Kind, Outcome, Phase, Rule, Spent, Task, TaskDetails, Waived, Whole};
use crate::{
    auth::{Actor, Permit, Right, RunImplementations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{EventTypeId, IntegrationId, TenantId, UserId},
    intake::{
        Integration, Next, Side, Stage,
        store::{self as integrations},
    },
    sql,
};
pub use begin::{Ground, ground, plan_anew};
pub(in crate::intake) use begin::{begin_in, extend_in};
pub use drafts::{Made, Secrets, Written, drop_draft, make, save_draft};
pub(in crate::intake) use measure::complete_in;
pub use measure::{forget_evidence, measure, name_evidence};
pub(crate) use tasks::{of_customer, tick};
pub use tasks::{remove_task, save_task, set_done, spend};
pub use waive::waive;

/// The most tasks, drafts and pieces of evidence of one implementation.
const MOST: usize = 500;

#[derive(sqlx::FromRow)]
struct TaskRow {
    id: Uuid,
    phase_id: Uuid,
    title: String,
    note: String,
    side: Side,
    owner_id: Option<UserId>,
    due_on: String,
    needs: String,
    draft_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    done_at: Option<DateTime<Utc>>,
    done_by: Option<String>,
}

impl TryFrom<TaskRow> for Task {
    type Error = Error;

    fn try_from(row: TaskRow) -> Result<Self> {
        let needs = serde_json::from_str(&row.needs).map_err(Error::internal)?;
        Ok(Self {
            id: row.id,
            details: TaskDetails {
                phase_id: row.phase_id,
                title: row.title,
                note: row.note,
                side: row.side,
                owner_id: row.owner_id,
                due_on: row.due_on,
                needs,
            },
            draft_id: row.draft_id,
            created_at: row.created_at,
            done_at: row.done_at,
            done_by: row.done_by,
        })
    }
}

#[derive(sqlx::FromRow)]
struct EvidenceRow {
    id: Uuid,
    phase_id: Uuid,
    event_type_id: EventTypeId,
    rule: String,
    #[sqlx(flatten)]
    waived: Waived,
    met: bool,
    told: String,
    measured_at: Option<DateTime<Utc>>,
}

impl TryFrom<EvidenceRow> for Evidence {
    type Error = Error;

    fn try_from(row: EvidenceRow) -> Result<Self> {
        let (met, told) = (row.met, row.told);
        Ok(Self {
            id: row.id,
            phase_id: row.phase_id,
            event_type_id: row.event_type_id,
            rule: serde_json::from_str(&row.rule).map_err(Error::internal)?,
            waived: row.waived,
            measured: row.measured_at.map(|at| Outcome { met, told, at }),
        })
    }
}

/// All of an implementation, out of a database or a transaction.
macro_rules! whole {
    ($on:expr, $tenant:expr, $id:expr) => {{
        let phases = sql!(
            all Phase, $on,
            "SELECT id, title, quotation_id, minutes, waived_by, waived_at, waived_why FROM implementation_phases
             WHERE tenant_id = $1 AND integration_id = $2 ORDER BY place, id",
            $tenant,
            $id,
        )?;
        let tasks = sql!(
            all TaskRow, $on,
            "SELECT t.id, t.phase_id, t.title, t.note, t.side, t.owner_id, t.due_on, t.needs, t.draft_id, t.created_at,
                t.done_at, t.done_by
             FROM implementation_tasks AS t JOIN implementation_phases AS p ON p.tenant_id = t.tenant_id
                AND p.integration_id = t.integration_id AND p.id = t.phase_id
             WHERE t.tenant_id = $1 AND t.integration_id = $2 ORDER BY p.place, t.place, t.id",
            $tenant,
            $id,
        )?;
        let drafts = sql!(
            all Draft, $on,
            "SELECT id, kind, name, body, event_type_id, settled_by, settled_at, made_id FROM implementation_drafts
             WHERE tenant_id = $1 AND integration_id = $2 ORDER BY place, id",
            $tenant,
            $id,
        )?;
        let evidence = sql!(
            all EvidenceRow, $on,
            "SELECT id, phase_id, event_type_id, rule, waived_by, waived_at, waived_why, met, told, measured_at
             FROM acceptance_evidence WHERE tenant_id = $1 AND integration_id = $2 ORDER BY place, id",
            $tenant,
            $id,
        )?;
        let spent = sql!(
            all Spent, $on,
            "SELECT phase_id, day, minutes, what, who FROM implementation_time
             WHERE tenant_id = $1 AND integration_id = $2 ORDER BY day DESC, id DESC",
            $tenant,
            $id,
        )?;
        Whole {
            phases,
            tasks: tasks.into_iter().map(Task::try_from).collect::<Result<_>>()?,
            drafts,
            evidence: evidence.into_iter().map(Evidence::try_from).collect::<Result<_>>()?,
            spent,
        }
    }};
}

/// All of the implementation of an integration; empty when there is none.
///
/// # Errors
/// When the database fails.
pub async fn load<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Whole> {
    Ok(whole!(db, permit.tenant(), id))
}

/// Whether there is or was an implementation of an integration.
///
/// # Errors
/// When the database fails.
pub async fn planned<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<bool> {
    let text = "SELECT COUNT(*) FROM implementation_phases WHERE tenant_id = $1 AND integration_id = $2";
    Ok(sql!(value i64, db, text, permit.tenant(), id)? > 0)
}

/// As [`load`], inside a transaction that has the integration.
async fn load_in(tx: &mut Tx, tenant: TenantId, id: IntegrationId) -> Result<Whole> {
    Ok(whole!(tx, tenant, id))
}

/// The integration, if it is being implemented; no other can change it meanwhile.
async fn under_way(tx: &mut Tx, permit: &Permit<RunImplementations>, id: IntegrationId) -> Result<Integration> {
    let of = integrations::lock(tx, permit.tenant(), id).await?;
    if of.stage == Stage::Implementation {
        return Ok(of);
    }
    Err(Error::Conflict(format!("there is no implementation under way: it stands at {}", of.stage.title())))
}

/// Says whose turn it is by what can be done next, in the transaction that changed it.
async fn follow_up(tx: &mut Tx, clock: &Clock, actor: &Actor, of: &Integration) -> Result<()> {
    let whole = load_in(tx, of.tenant_id, of.id).await?;
    let next = match whole.ready().first() {
        Some(task) => Next { next_step: shortened(&task.details.title), turn: task.details.side },
        None => Next { next_step: "Look through the acceptance evidence, and go live".into(), turn: Side::Us },
    };
    if next == of.next {
        return Ok(());
    }
    integrations::set_next_in(tx, clock, actor, of, next).await.map(drop)
}

/// As long as a next step may be.
fn shortened(title: &str) -> String {
    if title.chars().count() <= 300 {
        return title.to_owned();
    }
    title.chars().take(299).chain(['…']).collect()
}
