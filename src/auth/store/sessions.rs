//! Who is signed in, and where.
use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{attempts::Attempt, hours, second_factor};
use crate::{
    auth::{
        Actor, Administer, Grant, Role,
        audit::{self, Entry},
        session::Session,
    },
    clock::Clock,
    crypto::{Digest, Secret},
    db::{Db, Tx},
    error::Result,
    ids::{RequestId, TenantId, UserId, new_id},
    sql,
};

/// How long a session lasts at most.
pub const LIFETIME: Duration = hours(14 * 24);
/// How long a session lasts that nobody uses.
pub(super) const IDLE: Duration = hours(24);
/// How often at most a session's use is written down.
const TOUCHED_EVERY: Duration = Duration::seconds(60);

/// Where a session is begun from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address.
    pub address: IpAddr,
    /// What the browser calls itself, shortened.
    pub user_agent: String,
    /// By which request.
    pub request: Option<RequestId>,
}

/// A session just begun.
#[derive(Debug)]
pub struct NewSession {
    /// The cookie's value, to be handed out once.
    pub secret: Secret,
    /// What pages call it by.
    pub id: Uuid,
}

/// A session with its owner, as a request finds it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Found {
    /// What pages call it by.
    pub id: Uuid,
    /// When it was last written down as used.
    pub seen_at: DateTime<Utc>,
    /// Whose it is.
    pub user_id: UserId,
    /// What they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The one tenant they see.
    pub tenant_id: Option<TenantId>,
    /// The looks they chose.
    pub theme: Option<String>,
    /// The zone they chose to be told times in.
    pub time_zone: Option<String>,
    /// Whether they switched the keyboard's shortcuts off.
    pub shortcuts_off: bool,
    /// They have no second factor and need one: nothing else is open to them until then.
    pub must_enrol: bool,
}

/// A session as its owner's list shows it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SessionRow {
    /// What pages call it by.
    pub id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// Where it began.
    pub address: String,
    /// What the browser calls itself, shortened.
    pub user_agent: String,
}

/// What a right password begins.
#[derive(Debug)]
pub enum Started {
    /// A session.
    Session(NewSession),
    /// Half a login: the secret that says so, until the code of the second factor comes along with it.
    Half(Secret),
}

/// Begins a session of an account whose password was just checked against `checked`, forgives the attempts that led
/// here, and ends the session `replaced` that came along; half of that when the account has a second factor. None when
/// the password was changed, or the account deactivated, in between.
///
/// # Errors
/// When the database does.
pub async fn start_session(
    db: &Db,
    clock: &Clock,
    user: UserId,
    checked: String,
    origin: Origin,
    attempt: Attempt,
    replaced: Option<Digest>,
) -> Result<Option<Started>> {
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            // changes nothing, but locks the account: a change of the password waits, or has been and is noticed
            let same = sql!(
                exec tx,
                "UPDATE users SET password_hash = password_hash
                 WHERE id = $1 AND password_hash = $2 AND deactivated_at IS NULL",
                user,
                &checked,
            )?;
            if same == 0 {
                return Ok(None);
            }
            attempt.forgive(tx, &clock).await?;
            if second_factor::is_on(tx, user).await? {
                return second_factor::begin_half(tx, &clock, user).await.map(|half| Some(Started::Half(half)));
            }
            replace(tx, replaced).await?;
            insert(tx, &clock, user, &origin).await.map(|session| Some(Started::Session(session)))
        })
    })
    .await
}

/// Ends the session that came along with a login.
pub(super) async fn replace(tx: &mut Tx, replaced: Option<Digest>) -> Result<()> {
    if let Some(replaced) = replaced {
        sql!(exec tx, "DELETE FROM sessions WHERE digest = $1", replaced.to_vec())?;
    }
    Ok(())
}

/// Ends all sessions of an account, but perhaps one, and whatever login is halfway; says how many sessions. To be
/// called after the account was changed: a login at the same moment waits for that, and finds it changed.
pub(super) async fn end_all(tx: &mut Tx, user: UserId, but: Option<Uuid>) -> Result<u64> {
    sql!(exec tx, "DELETE FROM half_logins WHERE user_id = $1", user)?;
    let ended = sql!(
        exec tx,
        "DELETE FROM sessions WHERE user_id = $1 AND id <> $2",
        user,
        but.unwrap_or(Uuid::nil()),
    )?;
    Ok(ended)
}

/// Writes a session and its line in the audit trail.
pub(super) async fn insert(tx: &mut Tx, clock: &Clock, user: UserId, origin: &Origin) -> Result<NewSession> {
    let session = NewSession { secret: Secret::random(), id: new_id(clock) };
    let now = clock.now();
    seen(tx, user, now).await?;
    sql!(
        exec tx,
        "INSERT INTO sessions (digest, id, user_id, created_at, seen_at, expires_at, address, user_agent)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
        session.secret.digest().to_vec(),
        session.id,
        user,
        now,
        now + LIFETIME,
        origin.address.to_string(),
        &origin.user_agent,
    )?;
    let (name, role, tenant) =
        sql!(one(String, Role, Option<TenantId>), tx, "SELECT email, role, tenant_id FROM users WHERE id = $1", user,)?;
    let actor = Actor { user: Some(user), name, role, tenant, address: Some(origin.address), request: origin.request };
    record(tx, clock, &actor, "session.start", session.id.to_string()).await?;
    Ok(session)
}

/// The session of a cookie, if there is one and it has not run out.
///
/// # Errors
/// When the database does.
pub async fn find_session(db: &Db, clock: &Clock, digest: Digest) -> Result<Option<Found>> {
    let now = clock.now();
    let found = sql!(
        opt Found,
        db,
        "SELECT s.id, s.seen_at, s.user_id, u.email, u.name, u.role, u.tenant_id, u.theme, u.time_zone, u.shortcuts_off,
                i.require_second_factor AND u.role <> 'customer' AND f.user_id IS NULL AS must_enrol
         FROM sessions s
         JOIN users u ON u.id = s.user_id
         JOIN installation i ON i.id = 1
         LEFT JOIN second_factors f ON f.user_id = u.id AND f.confirmed_at IS NOT NULL
         WHERE s.digest = $1 AND s.expires_at > $2 AND s.seen_at > $3 AND u.deactivated_at IS NULL",
        digest.to_vec(),
        now,
        now - IDLE,
    )?;
    Ok(found)
}

/// Writes down that a session is in use, at most once a minute.
///
/// # Errors
/// When the database does.
pub async fn touch_session(db: &Db, clock: &Clock, found: &Found) -> Result<()> {
    let (now, id, user) = (clock.now(), found.id, found.user_id);
    if now - found.seen_at < TOUCHED_EVERY {
        return Ok(());
    }
    db.write(move |tx| {
        Box::pin(async move {
            // first the account, then its session, as everybody does: two that wait for each other would both lose
            seen(tx, user, now).await?;
            sql!(exec tx, "UPDATE sessions SET seen_at = $1 WHERE id = $2 AND seen_at < $1", now, id)?;
            Ok(())
        })
    })
    .await
}

/// Remembers that an account was in use, for longer than its sessions last.
async fn seen(tx: &mut Tx, user: UserId, now: DateTime<Utc>) -> Result<()> {
    sql!(exec tx, "UPDATE users SET seen_at = $1 WHERE id = $2 AND (seen_at IS NULL OR seen_at < $1)", now, user)?;
    Ok(())
}

/// The sessions of the owner of `session` that have not run out, last used first.
///
/// # Errors
/// When the database does.
pub async fn list_sessions(db: &Db, clock: &Clock, session: &Session) -> Result<Vec<SessionRow>> {
    of_user(db, clock, session.user).await
}

/// The sessions of an account, for administrators.
///
/// # Errors
/// When the database does.
pub async fn sessions_of(db: &Db, clock: &Clock, _: &Grant<Administer>, user: UserId) -> Result<Vec<SessionRow>> {
    of_user(db, clock, user).await
}

async fn of_user(db: &Db, clock: &Clock, user: UserId) -> Result<Vec<SessionRow>> {
    let now = clock.now();
    let all = sql!(
        all SessionRow,
        db,
        "SELECT id, created_at, seen_at, address, user_agent FROM sessions
         WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id",
        user,
        now,
        now - IDLE,
    )?;
    Ok(all)
}

/// Ends `session` itself: its owner signs out.
///
/// # Errors
/// When the database does.
pub async fn end_session(db: &Db, clock: &Clock, session: &Session) -> Result<()> {
    end(db, clock, session, session.id, "session.end").await.map(|_| ())
}

/// Ends another session of the same owner. False when there is none, or it belongs to somebody else.
///
/// # Errors
/// When the database does.
pub async fn revoke_session(db: &Db, clock: &Clock, session: &Session, id: Uuid) -> Result<bool> {
    end(db, clock, session, id, "session.revoke").await
}

async fn end(db: &Db, clock: &Clock, session: &Session, id: Uuid, action: &'static str) -> Result<bool> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let ended = sql!(exec tx, "DELETE FROM sessions WHERE id = $1 AND user_id = $2", id, session.user)?;
            if ended > 0 {
                record(tx, &clock, &session.actor, action, id.to_string()).await?;
            }
            Ok(ended > 0)
        })
    })
    .await
}

/// Ends all sessions of the owner of `session` but that one, and says how many.
///
/// # Errors
/// When the database does.
pub async fn revoke_other_sessions(db: &Db, clock: &Clock, session: &Session) -> Result<usize> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let ended = sql!(
                values Uuid,
                tx,
                "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING id",
                session.user,
                session.id,
            )?;
            for id in &ended {
                record(tx, &clock, &session.actor, "session.revoke", id.to_string()).await?;
            }
            Ok(ended.len())
        })
    })
    .await
}

async fn record(tx: &mut Tx, clock: &Clock, actor: &Actor, action: &'static str, object: String) -> Result<()> {
    let entry = Entry { actor, tenant: actor.tenant, action, object, before: None, after: None };
    audit::record(tx, clock, entry).await
}
