//! Integrations in the database.

/// A query of whole integrations.
macro_rules! integrations {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, id, name, system_name, system_kind, need, owner_id, customer_people, vendor_people, stage, ",
            "stage_since, scenario, next_step, turn, turn_since, endpoint_type_id, endpoint_token_id, created_by, ",
            "created_at, updated_at FROM integrations ",
            $rest
        )
    };
}

mod answers;
pub(crate) mod audit;
mod change;
mod evidence;
mod investigation;
mod links;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Happened, Integration, Side, Stage, funnel::Step, system_key, words::Scenario};
use crate::{
    auth::{Actor, Grant, Permit, Right, SeeIntegrations},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, TenantId, UserId, new_id},
    sql, tenants,
};
pub use answers::{
    Answered, Checked, Given, answers, checks, fingerprint, give_verdict, save_answers, save_checks, verdicts,
};
pub(in crate::intake) use change::{Ground, advance_in, set_next_in};
pub use change::{Step as Taken, advance, change, create, mark, set_next};
pub use evidence::{Endpoint, Seen, attach, close_endpoint, evidence, open_endpoint};
pub use investigation::{
    Investigation, OpenQuestion, Plan, Spent, add_question, answer_question, investigation, plan, question, questions,
    spend, spent,
};
pub use links::Answering;

/// Which integrations somebody may see: those of all tenants, or of one.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Of all.
    All(Grant<SeeIntegrations>),
    /// Of this one.
    One(Permit<SeeIntegrations>),
}

impl Scope {
    /// All that an actor may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when that is none.
    pub fn of(actor: &Actor) -> Result<Self> {
        match actor.tenant {
            Some(own) => actor.permit(own).map(Self::One),
            None => actor.grant().map(Self::All),
        }
    }

    /// The one tenant, if it is one.
    pub(in crate::intake) fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::All(_) => None,
            Self::One(permit) => Some(permit.tenant()),
        }
    }

    /// Whether something of this tenant may be seen.
    pub fn holds(&self, tenant: TenantId) -> bool {
        self.tenant().is_none_or(|own| own == tenant)
    }
}

/// The most integrations that a list holds.
pub const MOST: i64 = 2_000;

/// All of them, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, scope: &Scope) -> Result<Vec<Integration>> {
    Ok(sql!(
        all Integration, db,
        integrations!("WHERE ($1 IS NULL OR tenant_id = $1) ORDER BY created_at DESC, id DESC LIMIT $2"),
        scope.tenant(),
        MOST,
    )?)
}

/// Those of one tenant, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_tenant<R: Right>(db: &Db, permit: &Permit<R>) -> Result<Vec<Integration>> {
    let text = integrations!("WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2");
    Ok(sql!(all Integration, db, text, permit.tenant(), MOST)?)
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Integration> {
    let found = sql!(opt Integration, db, integrations!("WHERE tenant_id = $1 AND id = $2"), permit.tenant(), id)?;
    found.ok_or(Error::NotFound("integration"))
}

/// The one of this id, of whichever tenant: an id that somebody pastes names no tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none in sight; when the database fails.
pub async fn find(db: &Db, scope: &Scope, id: IntegrationId) -> Result<Integration> {
    let found = sql!(
        opt Integration, db,
        integrations!("WHERE ($1 IS NULL OR tenant_id = $1) AND id = $2 LIMIT 1"),
        scope.tenant(),
        id,
    )?;
    found.ok_or(Error::NotFound("integration"))
}

/// One of them, inside a transaction that changes it; no other can change it meanwhile.
pub(crate) async fn lock(tx: &mut Tx, tenant: TenantId, id: IntegrationId) -> Result<Integration> {
    tenants::store::lock(tx, tenant).await?;
    let found = sql!(opt Integration, tx, integrations!("WHERE tenant_id = $1 AND id = $2"), tenant, id)?;
    found.ok_or(Error::NotFound("integration"))
}

/// What happened to one, newest first.
///
/// # Errors
/// When the database fails.
pub async fn timeline<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId, count: i64) -> Result<Vec<Happened>> {
    Ok(sql!(
        all Happened, db,
        "SELECT id, at, who, what, why, stage FROM integration_timeline
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY id DESC LIMIT $3",
        permit.tenant(),
        id,
        count,
    )?)
}

/// Why one came to a stage, the last time it did; none when nothing was written.
///
/// # Errors
/// When the database fails.
pub async fn why<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId, stage: Stage) -> Result<Option<String>> {
    let found = sql!(
        values String, db,
        "SELECT why FROM integration_timeline WHERE tenant_id = $1 AND integration_id = $2 AND stage = $3
         ORDER BY id DESC LIMIT 1",
        permit.tenant(),
        id,
        stage,
    )?;
    Ok(found.into_iter().next().filter(|why| !why.is_empty()))
}

/// What is written on the timeline.
pub(crate) struct Note<'a> {
    pub what: String,
    pub why: &'a str,
    /// The act and the stage it led to, when it is a step on the way.
    pub step: Option<(&'static str, Stage)>,
}

impl Note<'_> {
    pub fn of(what: impl Into<String>) -> Self {
        Note { what: what.into(), why: "", step: None }
    }
}

/// Writes on the timeline.
pub(crate) async fn note(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (tenant, id): (TenantId, IntegrationId),
    note: Note<'_>,
) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO integration_timeline (tenant_id, integration_id, id, at, who, what, why, act, stage)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tenant,
        id,
        new_id(clock),
        clock.now(),
        &actor.name,
        note.what,
        note.why,
        note.step.map(|(act, _)| act),
        note.step.map(|(_, stage)| stage),
    )?;
    Ok(())
}

/// Something that waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Which integration.
    pub id: IntegrationId,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub stage: Stage,
    /// Whose turn it is.
    pub turn: Side,
    /// Since when.
    pub turn_since: DateTime<Utc>,
    /// What is to be done.
    pub next_step: String,
    /// Whose it is here.
    pub owner_id: Option<UserId>,
}

/// What is waiting for whom, of all that the viewer may see: what waits longest first.
///
/// # Errors
/// [`Error::Forbidden`] when they may see none; when the database fails.
pub async fn waiting(db: &Db, viewer: &Actor) -> Result<Vec<Waiting>> {
    let scope = Scope::of(viewer)?;
    Ok(sql!(
        all Waiting, db,
        "SELECT tenant_id, id, name, stage, turn, turn_since, next_step, owner_id FROM integrations
         WHERE ($1 IS NULL OR tenant_id = $1) AND stage IN ('intake', 'investigation', 'quotation', 'implementation')
         ORDER BY turn_since, id LIMIT $2",
        scope.tenant(),
        MOST,
    )?)
}

/// Every step on the way that was ever taken: for the funnel.
///
/// # Errors
/// When the database fails.
pub async fn steps(db: &Db, scope: &Scope) -> Result<Vec<Step>> {
    Ok(sql!(
        all Step, db,
        "SELECT tenant_id, integration_id, at, stage FROM integration_timeline
         WHERE ($1 IS NULL OR tenant_id = $1) AND stage IS NOT NULL ORDER BY at, id",
        scope.tenant(),
    )?)
}

/// An earlier intake of the same external system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Earlier {
    /// Whose it was.
    pub tenant_id: TenantId,
    /// Which.
    pub id: IntegrationId,
    /// What it was called.
    pub name: String,
    /// What it is today.
    pub stage: Stage,
    /// How the intake ended.
    pub scenario: Option<Scenario>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// The time box of its investigation, in minutes.
    pub planned: i64,
    /// What was spent of it.
    pub spent: i64,
    /// What was quoted, in minutes: all that was accepted, or else the last version that was sent.
    pub quoted: i64,
    /// What was spent of that on the implementation.
    pub worked: i64,
    /// How many things its check list knows.
    pub checks: i64,
}

/// What became of earlier intakes of the external system of this name, newest first.
///
/// # Errors
/// When the database fails.
pub async fn earlier(db: &Db, scope: &Scope, system: &str, but: Option<IntegrationId>) -> Result<Vec<Earlier>> {
    Ok(sql!(
        all Earlier, db,
        "SELECT i.tenant_id, i.id, i.name, i.stage, i.scenario, i.created_at,
            CAST(COALESCE((SELECT SUM(p.minutes) FROM investigations AS p
                WHERE p.tenant_id = i.tenant_id AND p.integration_id = i.id), 0) AS BIGINT) AS planned,
            CAST(COALESCE((SELECT SUM(t.minutes) FROM investigation_time AS t
                WHERE t.tenant_id = i.tenant_id AND t.integration_id = i.id), 0) AS BIGINT) AS spent,
            CAST(COALESCE((SELECT SUM(q.minutes) FROM quotations AS q
                WHERE q.tenant_id = i.tenant_id AND q.integration_id = i.id AND q.state = 'accepted'),
                (SELECT q.minutes FROM quotations AS q
                WHERE q.tenant_id = i.tenant_id AND q.integration_id = i.id AND q.sent_at IS NOT NULL
                ORDER BY q.number DESC LIMIT 1), 0) AS BIGINT) AS quoted,
            CAST(COALESCE((SELECT SUM(w.minutes) FROM implementation_time AS w
                WHERE w.tenant_id = i.tenant_id AND w.integration_id = i.id), 0) AS BIGINT) AS worked,
            (SELECT COUNT(*) FROM intake_checks AS c
                WHERE c.tenant_id = i.tenant_id AND c.integration_id = i.id AND c.known <> 'unknown') AS checks
         FROM integrations AS i
         WHERE i.system_key = $1 AND ($2 IS NULL OR i.tenant_id = $2) AND i.id <> $3
         ORDER BY i.created_at DESC, i.id DESC LIMIT 20",
        system_key(system),
        scope.tenant(),
        but.unwrap_or_default(),
    )?)
}

/// The names of external systems that there were intakes of: what is offered while one is typed.
///
/// # Errors
/// When the database fails.
pub async fn systems(db: &Db, scope: &Scope) -> Result<Vec<String>> {
    Ok(sql!(
        values String, db,
        "SELECT MAX(system_name) FROM integrations WHERE ($1 IS NULL OR tenant_id = $1)
         GROUP BY system_key ORDER BY COUNT(*) DESC, MAX(system_name) LIMIT 50",
        scope.tenant(),
    )?)
}
