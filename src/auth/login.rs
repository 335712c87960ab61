//! Signing in: an attempt is counted before the password is looked at, and the answer for an unknown account is that
//! for a wrong password, in words and in time.
use chrono::{DateTime, Utc};

use super::{
    email::Email,
    password::{self, Password},
    session::Session,
    store::{self, NewSession, Origin, Reserved},
};
use crate::{clock::Clock, crypto::Digest, db::Db, error::Result};

/// What became of an attempt to sign in.
#[derive(Debug)]
pub enum Login {
    /// Signed in.
    In(NewSession),
    /// No such account, or not its password: nobody is told which.
    Wrong,
    /// Too many attempts: not before this time.
    Wait(DateTime<Utc>),
}

/// Signs in by e-mail address and password. `replaced` is the session that came with the request: it ends, so that
/// nobody who planted it in a browser shares what comes after.
///
/// # Errors
/// When the database does.
pub async fn log_in(
    db: &Db,
    clock: &Clock,
    email: &str,
    password: Password,
    origin: Origin,
    replaced: Option<Digest>,
) -> Result<Login> {
    let attempt = match store::reserve(db, clock, email, origin.address).await? {
        Reserved::Go(attempt) => attempt,
        Reserved::Wait(until) => {
            tracing::info!(address = %origin.address, %until, "login refused after too many attempts");
            return Ok(Login::Wait(until));
        }
    };
    let account = match Email::parse(email) {
        Ok(email) => store::credentials(db, &email).await?,
        Err(_) => None,
    };
    let (user, stored) = account.unzip();
    let right = password::verify(password, stored.clone()).await?;
    let (true, Some(user), Some(stored)) = (right, user, stored) else {
        tracing::info!(address = %origin.address, "login failed");
        return Ok(Login::Wrong);
    };
    let address = origin.address;
    let session = store::start_session(db, clock, user, stored, origin, attempt, replaced).await?;
    if let Some(session) = &session {
        tracing::info!(%user, session = %session.id, %address, "signed in");
    }
    Ok(session.map_or(Login::Wrong, Login::In))
}

/// What became of a change of password.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Changed; all other sessions have ended.
    Done,
    /// The current password is another.
    Wrong,
    /// Too many attempts: not before this time.
    Wait(DateTime<Utc>),
}

/// Gives the owner of `session` another password. The current one is asked for and counted like a login: an open
/// browser is no leave to guess.
///
/// # Errors
/// When the database does.
pub async fn change_password(
    db: &Db,
    clock: &Clock,
    session: &Session,
    origin: &Origin,
    current: Password,
    new: Password,
) -> Result<Change> {
    let attempt = match store::reserve(db, clock, &session.email, origin.address).await? {
        Reserved::Go(attempt) => attempt,
        Reserved::Wait(until) => return Ok(Change::Wait(until)),
    };
    let stored = store::own_password_hash(db, session).await?;
    if !password::verify(current, Some(stored.clone())).await? {
        return Ok(Change::Wrong);
    }
    let hash = password::hash(new).await?;
    store::change_password(db, clock, session, stored, hash).await?;
    attempt.succeeded(db, clock).await?;
    tracing::info!(user = %session.user, "password changed");
    Ok(Change::Done)
}
