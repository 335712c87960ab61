//! Accounts as administrators see and change them.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{sessions, users};
use crate::{
    auth::{
        Actor, Administer, Grant, InviteCustomers, Permit, Role,
        audit::{self, Entry},
        email::Email,
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TenantId, UserId},
    sql,
};

/// An account, without anything that lets one in.
#[derive(Debug, Clone, sqlx::FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Its id.
    pub id: UserId,
    /// What its owner signs in with.
    pub email: String,
    /// What its owner is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The one tenant it sees; none: all that its role may.
    #[serde(rename = "tenant")]
    pub tenant_id: Option<TenantId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Last in use, to the minute.
    #[serde(rename = "lastSeenAt")]
    pub seen_at: Option<DateTime<Utc>>,
    /// Since when it cannot sign in.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// Whether it is asked for a second factor.
    pub second_factor: bool,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StateOfAccount {
    /// It can.
    Active,
    /// It is offered, and nobody has taken it yet.
    Invited,
    /// It cannot, until it is reactivated.
    Deactivated,
}

/// Which accounts are asked for; nothing set: all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Of this role.
    pub role: Option<Role>,
    /// In this state.
    pub state: Option<StateOfAccount>,
    /// Bound to this tenant.
    pub tenant: Option<TenantId>,
}

macro_rules! person {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.role, u.tenant_id, u.created_at, u.seen_at, u.deactivated_at,
                    f.user_id IS NOT NULL AS second_factor
             FROM users u LEFT JOIN second_factors f ON f.user_id = u.id AND f.confirmed_at IS NOT NULL ",
            $rest
        )
    };
}

impl Person {
    /// Active or deactivated.
    pub fn state(&self) -> StateOfAccount {
        if self.deactivated_at.is_some() { StateOfAccount::Deactivated } else { StateOfAccount::Active }
    }
}

/// All accounts that are asked for, by address.
///
/// # Errors
/// When the database does.
pub async fn list_people(db: &Db, _: &Grant<Administer>, filter: Filter) -> Result<Vec<Person>> {
    if filter.state == Some(StateOfAccount::Invited) {
        return Ok(Vec::new());
    }
    let all = sql!(
        all Person,
        db,
        person!("WHERE ($1 IS NULL OR u.role = $1) AND ($2 IS NULL OR u.tenant_id = $2)
                   AND ($3 IS NULL OR $3 = (u.deactivated_at IS NOT NULL))
                 ORDER BY u.email"),
        filter.role,
        filter.tenant,
        filter.state.map(|state| state == StateOfAccount::Deactivated),
    )?;
    Ok(all)
}

/// The accounts that are bound to one tenant, by address.
///
/// # Errors
/// When the database does.
pub async fn customers_of(db: &Db, permit: &Permit<InviteCustomers>) -> Result<Vec<Person>> {
    let all = sql!(all Person, db, person!("WHERE u.tenant_id = $1 ORDER BY u.email"), permit.tenant())?;
    Ok(all)
}

/// Somebody of the staff, as others of the staff know them: whom work can be given to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Colleague {
    /// Their account.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// The one tenant that they see.
    pub tenant_id: Option<TenantId>,
    /// Whether they can sign in.
    pub active: bool,
}

/// The staff as `actor` may know it, by name: who is bound to a tenant is known there and to those who see all tenants.
///
/// # Errors
/// [`Error::Forbidden`] for customers; when the database does.
pub async fn colleagues(db: &Db, actor: &Actor) -> Result<Vec<Colleague>> {
    if actor.role == Role::Customer {
        return Err(Error::Forbidden("see who works here"));
    }
    let all = sql!(
        all Colleague, db,
        "SELECT id, name, email, tenant_id, deactivated_at IS NULL AS active FROM users
         WHERE role <> 'customer' AND ($1 IS NULL OR tenant_id IS NULL OR tenant_id = $1)
         ORDER BY lower(name), email",
        actor.tenant,
    )?;
    Ok(all)
}

/// Where somebody is written to who can still sign in. It asks for nobody's permission: it serves letters, not pages.
///
/// # Errors
/// When the database fails.
pub(crate) async fn address_of(tx: &mut Tx, id: UserId) -> Result<Option<String>> {
    let text = "SELECT email FROM users WHERE id = $1 AND deactivated_at IS NULL";
    Ok(sql!(values String, tx, text, id)?.into_iter().next())
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn person(db: &Db, _: &Grant<Administer>, id: UserId) -> Result<Person> {
    let found = sql!(opt Person, db, person!("WHERE u.id = $1"), id)?;
    found.ok_or(Error::NotFound("person"))
}

/// The account of an address.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn person_by_email(db: &Db, _: &Grant<Administer>, email: &Email) -> Result<Person> {
    let found = sql!(opt Person, db, person!("WHERE u.email = $1"), email.as_str())?;
    found.ok_or(Error::NotFound("person"))
}

/// Gives an account another role or tenant, and signs its owner out everywhere: what they may do is another matter now.
/// What changes nothing ends nothing.
///
/// # Errors
/// [`Error::Conflict`] when nobody could administer any more; [`Error::Invalid`] for a customer without a tenant.
pub async fn change_role(
    db: &Db,
    clock: &Clock,
    grant: &Grant<Administer>,
    id: UserId,
    role: Role,
    tenant: Option<TenantId>,
) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, id).await?;
            if (before.role, before.tenant_id) == (role, tenant) {
                return Ok(());
            }
            users::check_binding(tx, role, tenant).await?;
            sql!(exec tx, "UPDATE users SET role = $1, tenant_id = $2 WHERE id = $3", role, tenant, id)?;
            somebody_administers(tx).await?;
            let ended = sessions::end_all(tx, id, None).await?;
            let was = serde_json::json!({ "role": before.role, "tenant": before.tenant_id });
            let is = serde_json::json!({ "role": role, "tenant": tenant, "sessionsEnded": ended });
            audited(tx, &clock, &actor, "user.change-role", &before, Some(was), Some(is)).await
        })
    })
    .await
}

/// Lets an account sign in no more, and ends its sessions at once.
///
/// # Errors
/// [`Error::Conflict`] when nobody could administer any more.
pub async fn deactivate(db: &Db, clock: &Clock, grant: &Grant<Administer>, id: UserId) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            // before the account is locked, in the order of whoever uses such a link
            sql!(exec tx, "DELETE FROM password_resets WHERE user_id = $1", id)?;
            let before = lock(tx, id).await?;
            if before.deactivated_at.is_some() {
                return Ok(());
            }
            sql!(exec tx, "UPDATE users SET deactivated_at = $1 WHERE id = $2", clock.now(), id)?;
            somebody_administers(tx).await?;
            let ended = sessions::end_all(tx, id, None).await?;
            let is = serde_json::json!({ "sessionsEnded": ended });
            audited(tx, &clock, &actor, "user.deactivate", &before, None, Some(is)).await
        })
    })
    .await
}

/// Lets an account sign in again, with its old password and second factor.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn reactivate(db: &Db, clock: &Clock, grant: &Grant<Administer>, id: UserId) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, id).await?;
            if before.deactivated_at.is_none() {
                return Ok(());
            }
            sql!(exec tx, "UPDATE users SET deactivated_at = NULL WHERE id = $1", id)?;
            audited(tx, &clock, &actor, "user.reactivate", &before, None, None).await
        })
    })
    .await
}

/// Ends one session of an account, or all of them; says how many.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account.
pub async fn end_sessions_of(
    db: &Db,
    clock: &Clock,
    grant: &Grant<Administer>,
    id: UserId,
    session: Option<Uuid>,
) -> Result<u64> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let person = lock(tx, id).await?;
            let ended = match session {
                Some(session) => sql!(exec tx, "DELETE FROM sessions WHERE user_id = $1 AND id = $2", id, session)?,
                None => sessions::end_all(tx, id, None).await?,
            };
            if ended > 0 {
                let is = serde_json::json!({ "session": session, "sessionsEnded": ended });
                audited(tx, &clock, &actor, "user.end-sessions", &person, None, Some(is)).await?;
            }
            Ok(ended)
        })
    })
    .await
}

/// Whether everybody but customers needs a second factor.
///
/// # Errors
/// When the database does.
pub async fn second_factor_is_required(db: &Db) -> Result<bool> {
    Ok(sql!(value bool, db, "SELECT require_second_factor FROM installation WHERE id = 1")?)
}

/// How many active accounts of staff have no second factor.
///
/// # Errors
/// When the database does.
pub async fn staff_without_second_factor(db: &Db, _: &Grant<Administer>) -> Result<i64> {
    let count = sql!(
        value i64,
        db,
        "SELECT COUNT(*) FROM users u WHERE u.role <> 'customer' AND u.deactivated_at IS NULL AND NOT EXISTS
         (SELECT 1 FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL)",
    )?;
    Ok(count)
}

/// Demands a second factor of everybody but customers, or no longer. Who has none gets nothing but the page to set one
/// up, from the next request on; so whoever demands it has to have one.
///
/// # Errors
/// [`Error::Conflict`] when the administrator has none.
pub async fn require_second_factor(db: &Db, clock: &Clock, grant: &Grant<Administer>, required: bool) -> Result<()> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            lock_administration(tx).await?;
            if required
                && let Some(own) = actor.user
                && !super::second_factor::is_on(tx, own).await?
            {
                return Err(Error::Conflict("Set up your own second factor first".into()));
            }
            let changed = sql!(
                exec tx,
                "UPDATE installation SET require_second_factor = $1 WHERE id = 1 AND require_second_factor <> $1",
                required,
            )?;
            if changed == 0 {
                return Ok(());
            }
            let entry = Entry {
                actor: &actor,
                tenant: None,
                action: "installation.require-second-factor",
                object: "installation".into(),
                before: Some(serde_json::json!({ "required": !required })),
                after: Some(serde_json::json!({ "required": required })),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Reads an account that is about to change. Who changes accounts waits for whoever else does: two administrators who
/// demote each other at once must not both find the other one there.
async fn lock(tx: &mut Tx, id: UserId) -> Result<Person> {
    lock_administration(tx).await?;
    sql!(exec tx, "UPDATE users SET role = role WHERE id = $1", id)?;
    let found = sql!(opt Person, tx, person!("WHERE u.id = $1"), id)?;
    found.ok_or(Error::NotFound("person"))
}

async fn lock_administration(tx: &mut Tx) -> Result<()> {
    // SQLite has one writer and knows no FOR UPDATE: a change that changes nothing locks the row on both
    sql!(exec tx, "UPDATE installation SET id = id WHERE id = 1")?;
    Ok(())
}

/// Refuses a change after which nobody could administer.
async fn somebody_administers(tx: &mut Tx) -> Result<()> {
    let left = sql!(
        value i64,
        tx,
        "SELECT COUNT(*) FROM users WHERE role = 'administrator' AND tenant_id IS NULL AND deactivated_at IS NULL",
    )?;
    if left == 0 {
        return Err(Error::Conflict("This is the last active administrator: make somebody else one first".into()));
    }
    Ok(())
}

async fn audited(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    person: &Person,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<()> {
    let entry = Entry { actor, tenant: person.tenant_id, action, object: person.id.to_string(), before, after };
    audit::record(tx, clock, entry).await
}
