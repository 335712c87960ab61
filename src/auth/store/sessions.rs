//! Who is signed in, and where.
use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::{attempts::Attempt, hours};
use crate::{
    auth::{
        Actor, Role,
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

/// Begins a session of an account whose password was just checked against `checked`, forgives the attempts that led
/// here, and ends the session `replaced` that came along. None when the password was changed in between.
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
) -> Result<Option<NewSession>> {
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            // changes nothing, but locks the account: a change of the password waits, or has been and is noticed
            let same = sql!(
                exec tx,
                "UPDATE users SET password_hash = password_hash WHERE id = $1 AND password_hash = $2",
                user,
                &checked,
            )?;
            if same == 0 {
                return Ok(None);
            }
            attempt.forgive(tx, &clock).await?;
            if let Some(replaced) = replaced {
                sql!(exec tx, "DELETE FROM sessions WHERE digest = $1", replaced.to_vec())?;
            }
            insert(tx, &clock, user, &origin).await.map(Some)
        })
    })
    .await
}

/// Writes a session and its line in the audit trail.
pub(super) async fn insert(tx: &mut Tx, clock: &Clock, user: UserId, origin: &Origin) -> Result<NewSession> {
    let session = NewSession { secret: Secret::random(), id: new_id(clock) };
    let now = clock.now();
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
        "SELECT s.id, s.seen_at, s.user_id, u.email, u.name, u.role, u.tenant_id, u.theme
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.digest = $1 AND s.expires_at > $2 AND s.seen_at > $3",
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
    let (now, id) = (clock.now(), found.id);
    if now - found.seen_at < TOUCHED_EVERY {
        return Ok(());
    }
    db.write(move |tx| {
        Box::pin(async move {
            sql!(exec tx, "UPDATE sessions SET seen_at = $1 WHERE id = $2 AND seen_at < $1", now, id)?;
            Ok(())
        })
    })
    .await
}

/// The sessions of the owner of `session` that have not run out, last used first.
///
/// # Errors
/// When the database does.
pub async fn list_sessions(db: &Db, clock: &Clock, session: &Session) -> Result<Vec<SessionRow>> {
    let now = clock.now();
    let all = sql!(
        all SessionRow,
        db,
        "SELECT id, created_at, seen_at, address, user_agent FROM sessions
         WHERE user_id = $1 AND expires_at > $2 AND seen_at > $3 ORDER BY seen_at DESC, id",
        session.user,
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
