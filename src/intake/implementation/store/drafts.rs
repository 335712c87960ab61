//! Drafts of what is to be configured, and the one act that turns each into the real thing: what it becomes, the draft
//! that is settled, the task that is done and whose turn it is then commit together.
use serde_json::json;
use uuid::Uuid;

use super::{Draft, Kind, load_in, tasks, under_way};
use crate::{
    auth::{Configure, Permit, RunImplementations},
    clock::Clock,
    crypto::seal::Keyring,
    db::{Db, Tx},
    error::{Error, Result},
    event_types::{self, Contract, EventType},
    ids::{EventTypeId, IntegrationId},
    intake::{
        Integration,
        store::{Note, audit, note},
    },
    name::Name,
    polling::{self, Source, terms::Prepared},
    sql,
    tokens::{self, Secret, Token},
};

/// What a draft says, as somebody leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is called.
    pub name: Name,
    /// A contract, or a SOURCE.json without its token.
    pub body: String,
    /// What records become, or what the token is good for; of an event type nobody is asked.
    pub event_type: Option<EventTypeId>,
}

/// What a draft became.
#[derive(Debug)]
pub enum Made {
    /// This.
    EventType(Box<EventType>),
    /// This, whose secret whoever made it shows.
    Token(Box<Token>),
    /// This.
    Source(Box<Source>),
}

/// A secret that goes with it.
#[derive(Debug, Default)]
pub struct Secrets {
    /// Of the token that is made.
    pub made: Option<Secret>,
    /// By which their system knows us.
    pub theirs: Option<String>,
}

/// Reads what a draft says: everything that is wrong with it is said at its field.
fn checked(kind: Kind, written: &Written) -> Result<String> {
    match kind {
        Kind::EventType if written.body.is_empty() => Ok(String::new()),
        Kind::EventType => match Contract::parse(&written.body) {
            Ok(_) => Ok(written.body.clone()),
            Err(why) => Err(Error::invalid("body", why.to_string())),
        },
        Kind::Token => Ok(String::new()),
        Kind::Source => {
            let prepared = Prepared::read(&written.body).map_err(at_body)?;
            if prepared.secret.is_some() {
                return Err(Error::invalid("body", "leave the token out here: it has a field of its own"));
            }
            let mut value: serde_json::Value = serde_json::from_str(&prepared.definition).map_err(Error::internal)?;
            value["name"] = written.name.as_str().into();
            serde_json::to_string_pretty(&value).map_err(Error::internal)
        }
    }
}

fn at_body(error: Error) -> Error {
    match error {
        Error::Refused(why) => Error::invalid("body", why),
        other => other,
    }
}

/// An open draft and its integration, inside the transaction that changes them.
async fn open(
    tx: &mut Tx,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
) -> Result<(Integration, Draft)> {
    let integration = under_way(tx, permit, of).await?;
    let draft = one_in(tx, &integration, id).await?;
    if draft.is_open() {
        Ok((integration, draft))
    } else {
        Err(Error::Conflict("somebody has settled it already".into()))
    }
}

async fn one_in(tx: &mut Tx, of: &Integration, id: Uuid) -> Result<Draft> {
    let drafts = load_in(tx, of.tenant_id, of.id).await?.drafts;
    drafts.into_iter().find(|one| one.id == id).ok_or(Error::NotFound("draft"))
}

async fn write(tx: &mut Tx, of: &Integration, draft: &Draft) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE implementation_drafts SET name = $4, body = $5, event_type_id = $6
         WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
        of.tenant_id,
        of.id,
        draft.id,
        &draft.name,
        &draft.body,
        draft.event_type_id,
    )?;
    Ok(())
}

/// What the audit trail keeps of one.
fn told(of: &Draft) -> serde_json::Value {
    json!({ "draft": of.name, "kind": of.kind, "body": of.body, "eventType": of.event_type_id })
}

fn rewritten(before: &Draft, written: Written) -> Result<Draft> {
    let body = checked(before.kind, &written)?;
    let event_type_id = match before.kind {
        Kind::EventType => before.event_type_id,
        _ => Some(written.event_type.ok_or_else(|| Error::invalid("event_type", "choose an event type"))?),
    };
    Ok(Draft { name: written.name.to_string(), body, event_type_id, ..before.clone() })
}

/// Changes what a draft says.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong with it; [`Error::Conflict`] when it is settled; [`Error::NotFound`] when there is
/// none such; when the database fails.
pub async fn save_draft(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
    written: Written,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (integration, before) = open(tx, &permit, of, id).await?;
            let after = rewritten(&before, written)?;
            if after == before {
                return Ok(());
            }
            write(tx, &integration, &after).await?;
            let (was, is) = (Some(told(&before)), told(&after));
            audit::written(tx, &clock, permit.actor(), &integration, "implementation.draft", was, is).await
        })
    })
    .await
}

/// Drops a draft that is not needed, or takes one up again that was dropped.
///
/// # Errors
/// [`Error::Conflict`] when it is settled, or not dropped; [`Error::NotFound`] when there is none such; when the database
/// fails.
pub async fn drop_draft(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunImplementations>,
    of: IntegrationId,
    id: Uuid,
    drop: bool,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = under_way(tx, &permit, of).await?;
            let before = one_in(tx, &integration, id).await?;
            if before.made_id.is_some() || before.is_open() != drop {
                return Err(Error::Conflict("somebody has settled it otherwise: look at what it is now".into()));
            }
            let actor = permit.actor();
            let settled = drop.then(|| clock.now());
            settle(tx, &integration, id, drop.then_some(actor.name.as_str()), settled, None).await?;
            let word = if drop { "dropped" } else { "took up again" };
            let what = format!("{word} the draft “{}”", before.name);
            note(tx, &clock, actor, (integration.tenant_id, of), Note::of(what)).await?;
            let is = json!({ "draft": before.name, "dropped": drop });
            audit::written(tx, &clock, actor, &integration, "implementation.draft", None, is).await?;
            if drop {
                tasks::settled(tx, &clock, actor, &integration, id).await?;
            }
            Ok(())
        })
    })
    .await
}

async fn settle(
    tx: &mut Tx,
    of: &Integration,
    id: Uuid,
    who: Option<&str>,
    at: Option<chrono::DateTime<chrono::Utc>>,
    made: Option<Uuid>,
) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE implementation_drafts SET settled_by = $4, settled_at = $5, made_id = $6
         WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
        of.tenant_id,
        of.id,
        id,
        who,
        at,
        made,
    )?;
    Ok(())
}

/// Turns a draft into the real thing, as `written` says; without it, as it is.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong with it; [`Error::Conflict`] when it is settled already, or what it is for is not
/// there yet; [`Error::NotFound`] when there is none such; when the database fails.
pub async fn make(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    (of, id): (IntegrationId, Uuid),
    written: Option<Written>,
    secrets: Secrets,
) -> Result<Made> {
    let run: Permit<RunImplementations> = permit.actor().permit(permit.tenant())?;
    let (permit, clock, keys) = (permit.clone(), clock.clone(), keys.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (integration, before) = open(tx, &run, of, id).await?;
            let draft = match written {
                Some(written) => rewritten(&before, written)?,
                None => before,
            };
            write(tx, &integration, &draft).await?;
            let (made, key) = match draft.kind {
                Kind::EventType => {
                    let made = event_type(tx, &clock, &permit, &integration, &draft).await?;
                    let key = made.id.0;
                    (Made::EventType(Box::new(made)), key)
                }
                Kind::Token => {
                    let made = token(tx, &clock, &permit, &draft, secrets).await?;
                    let key = made.id.0;
                    (Made::Token(Box::new(made)), key)
                }
                Kind::Source => {
                    let made = source(tx, &clock, &keys, &permit, &draft, secrets).await?;
                    let key = made.id.0;
                    (Made::Source(Box::new(made)), key)
                }
            };
            let actor = permit.actor();
            settle(tx, &integration, id, Some(&actor.name), Some(clock.now()), Some(key)).await?;
            let what = format!("made the {} “{}”", draft.kind.title().to_lowercase(), draft.name);
            note(tx, &clock, actor, (integration.tenant_id, of), Note::of(what)).await?;
            let is = json!({ "draft": draft.name, "kind": draft.kind, "made": key });
            audit::written(tx, &clock, actor, &integration, "implementation.make", None, is).await?;
            tasks::settled(tx, &clock, actor, &integration, id).await?;
            Ok(made)
        })
    })
    .await
}

fn name(draft: &Draft) -> Result<Name> {
    draft.name.parse().map_err(|why: String| Error::invalid("name", why))
}

async fn event_type(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    of: &Integration,
    draft: &Draft,
) -> Result<EventType> {
    let contract = match draft.body.as_str() {
        "" => Contract::default(),
        text => Contract::parse(text).map_err(|why| Error::invalid("body", why.to_string()))?,
    };
    let description = format!("From {}: {}", of.details.system_name, of.details.need);
    let details = event_types::Details {
        description: description.chars().take(2_000).collect(),
        contract,
        ..event_types::Details::named(name(draft)?)
    };
    event_types::store::create_in(tx, clock, permit, Some(EventTypeId(draft.id)), details).await
}

/// The event type that a draft is for, if it is there.
async fn must_have_type(tx: &mut Tx, permit: &Permit<Configure>, draft: &Draft) -> Result<EventTypeId> {
    let id = draft.event_type_id.ok_or_else(|| Error::invalid("event_type", "choose an event type"))?;
    if event_types::store::name_of(tx, permit.tenant(), id).await?.is_none() {
        return Err(Error::Conflict("first make the event type that it is for".into()));
    }
    Ok(id)
}

async fn token(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    draft: &Draft,
    secrets: Secrets,
) -> Result<Token> {
    let of = must_have_type(tx, permit, draft).await?;
    let secret = secrets.made.ok_or_else(|| Error::internal(anyhow::anyhow!("a token is made without a secret")))?;
    let details = tokens::Details { event_types: Some(vec![of]), ..tokens::Details::named(name(draft)?) };
    tokens::store::create_in(tx, clock, permit, &secret, details).await
}

async fn source(
    tx: &mut Tx,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    draft: &Draft,
    secrets: Secrets,
) -> Result<Source> {
    let of = must_have_type(tx, permit, draft).await?;
    let prepared = Prepared { secret: secrets.theirs, ..Prepared::read(&draft.body).map_err(at_body)? };
    polling::store::change::create_in(tx, clock, keys, permit, of, prepared, None).await.map_err(at_body)
}
