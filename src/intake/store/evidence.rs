//! What was seen, kept as evidence; and the temporary endpoint that shows what their system really sends: an event type
//! of the tenant and a token for it, made by the slices that own them.
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Note, answers::set_checks, audit, get, lock, note};
use crate::{
    auth::{Configure, Permit, ReadConfiguration, Right, RunIntakes},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    event_types::{self, EventType},
    ids::{EventTypeId, IntegrationId, TokenId, new_id},
    intake::{
        Integration,
        checks::Source,
        findings::{Finding, Findings, MOST, plain},
    },
    name::Name,
    sql,
    tokens::{self, Secret, Token},
};

/// How long the token of a temporary endpoint works.
const LIFETIME: Duration = Duration::seconds(30 * 24 * 3600);

/// Evidence, as it was attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Its id.
    pub id: Uuid,
    /// Where it was seen.
    pub source: Source,
    /// In a few words.
    pub title: String,
    /// One by one.
    pub findings: Vec<Finding>,
    /// The contract that it proposes.
    pub contract: Option<String>,
    /// The source that it proposes, as a SOURCE.json without a token.
    pub definition: Option<String>,
    /// Who attached it.
    pub added_by: String,
    /// When.
    pub added_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    source: Source,
    title: String,
    findings: String,
    contract: Option<String>,
    definition: Option<String>,
    added_by: String,
    added_at: DateTime<Utc>,
}

/// The evidence of an intake, newest first.
///
/// # Errors
/// When the database fails.
pub async fn evidence<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Seen>> {
    let rows = sql!(
        all Row, db,
        "SELECT id, source, title, findings, contract, definition, added_by, added_at FROM intake_evidence
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY id DESC LIMIT 50",
        permit.tenant(),
        id,
    )?;
    let seen = |row: Row| {
        Ok(Seen {
            id: row.id,
            source: row.source,
            title: row.title,
            findings: serde_json::from_str(&row.findings).map_err(Error::internal)?,
            contract: row.contract,
            definition: row.definition,
            added_by: row.added_by,
            added_at: row.added_at,
        })
    };
    rows.into_iter().map(seen).collect()
}

/// Attaches what was seen, and fills in the check list by it.
///
/// # Errors
/// [`Error::Conflict`] when the intake is over; [`Error::NotFound`] when the tenant has none such; when the database
/// fails.
pub async fn attach(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    mut found: Findings,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    found.list.truncate(MOST);
    found.title = plain(&found.title);
    found.checks.iter_mut().for_each(|(_, _, words)| *words = plain(words));
    db.write(move |tx| {
        Box::pin(async move {
            let of = lock(tx, permit.tenant(), id).await?;
            if !of.stage.is_open() {
                return Err(Error::Conflict(format!("the intake is over: it stands at {}", of.stage.title())));
            }
            let key = (of.tenant_id, id);
            sql!(
                exec tx,
                "INSERT INTO intake_evidence (tenant_id, integration_id, id, source, title, findings, contract, definition,
                    added_by, added_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                of.tenant_id,
                id,
                new_id(&clock),
                found.source,
                &found.title,
                serde_json::to_string(&found.list).map_err(Error::internal)?,
                &found.contract,
                &found.definition,
                &permit.actor().name,
                clock.now(),
            )?;
            set_checks(tx, &clock, permit.actor(), key, found.source, found.checks).await?;
            let what = format!("attached evidence: {}, {}", found.title, found.source.title());
            note(tx, &clock, permit.actor(), key, Note::of(what)).await?;
            let after = json!({ "source": found.source, "title": found.title, "findings": found.list });
            audit::written(tx, &clock, permit.actor(), &of, "intake.evidence", None, after).await
        })
    })
    .await
}

/// A temporary endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its event type: any object is good for it.
    pub event_type: EventType,
    /// Its token, good for this type alone.
    pub token: Token,
}

/// Opens the temporary endpoint of an intake; whoever passes the secret shows it, this once. What was begun and not
/// finished is taken up where it was left: the type has its id before it is made.
///
/// # Errors
/// [`Error::Conflict`] when it is open already, or the intake is over; [`Error::NotFound`] when the tenant has none
/// such; when the database fails.
pub async fn open_endpoint(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: IntegrationId,
    secret: &Secret,
) -> Result<Endpoint> {
    let (actor, tenant) = (permit.actor().clone(), permit.tenant());
    let read: Permit<ReadConfiguration> = actor.permit(tenant)?;
    let before = get(db, &read, id).await?;
    if !before.stage.is_open() {
        return Err(Error::Conflict(format!("the intake is over: it stands at {}", before.stage.title())));
    }
    if let Some(token) = before.endpoint_token_id
        && tokens::get(db, &read, token).await?.state(clock.now()) == tokens::State::Active
    {
        return Err(Error::Conflict("the temporary endpoint is open already: close it first".into()));
    }
    let type_id = before.endpoint_type_id.unwrap_or_else(|| EventTypeId::new(clock));
    note_endpoint(db, clock, permit, id, "", Some(type_id), None).await?;
    let event_type = match event_types::get(db, &read, type_id).await {
        Ok(there) if there.details.enabled => there,
        Ok(there) => event_types::update(db, clock, permit, there.id, |details| details.enabled = true).await?,
        Err(Error::NotFound(_)) => {
            let details = event_types::Details {
                description: format!(
                    "Temporary: shows what {} really sends. It belongs to the intake of {}.",
                    before.details.system_name, before.details.name
                ),
                ..event_types::Details::named(marked(&before))
            };
            event_types::create(db, clock, permit, Some(type_id), details).await?
        }
        Err(error) => return Err(error),
    };
    let details = tokens::Details {
        event_types: Some(vec![type_id]),
        expires_at: Some(chrono::SubsecRound::trunc_subsecs(clock.now() + LIFETIME, 0)),
        ..tokens::Details::named(marked(&before))
    };
    let token = tokens::create(db, clock, permit, secret, details).await?;
    note_endpoint(db, clock, permit, id, "opened a temporary endpoint", Some(type_id), Some(token.id)).await?;
    Ok(Endpoint { event_type, token })
}

/// What the type and the token of a temporary endpoint are called: seen from afar to be temporary.
fn marked(of: &Integration) -> Name {
    let name: String = format!("Intake: {}", of.details.name).chars().take(120).collect();
    name.trim().parse().unwrap_or_else(|_| of.details.name.clone())
}

/// Closes it: its token is revoked, and its type takes no more events. What came in stays as long as events stay.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn close_endpoint(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: IntegrationId) -> Result<()> {
    let before = get(db, permit, id).await?;
    if let Some(token) = before.endpoint_token_id {
        tokens::revoke(db, clock, permit, token).await?;
    }
    let Some(event_type) = before.endpoint_type_id else { return Err(Error::NotFound("endpoint")) };
    event_types::update(db, clock, permit, event_type, |details| details.enabled = false).await?;
    let what = "closed the temporary endpoint";
    note_endpoint(db, clock, permit, id, what, before.endpoint_type_id, before.endpoint_token_id).await
}

async fn note_endpoint(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: IntegrationId,
    what: &'static str,
    event_type: Option<EventTypeId>,
    token: Option<TokenId>,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = lock(tx, permit.tenant(), id).await?;
            if of.endpoint_type_id.is_some() && of.endpoint_type_id != event_type {
                return Err(Error::Conflict("somebody else is opening the temporary endpoint: look again".into()));
            }
            sql!(
                exec tx,
                "UPDATE integrations SET endpoint_type_id = $3, endpoint_token_id = COALESCE($4, endpoint_token_id)
                 WHERE tenant_id = $1 AND id = $2",
                of.tenant_id,
                id,
                event_type,
                token,
            )?;
            if what.is_empty() {
                return Ok(());
            }
            note(tx, &clock, permit.actor(), (of.tenant_id, id), Note::of(what)).await?;
            let after = json!({ "done": what, "eventType": event_type, "token": token });
            audit::written(tx, &clock, permit.actor(), &of, "intake.endpoint", None, after).await
        })
    })
    .await
}
