//! Signing in: an attempt is counted before the password is looked at, and the answer for an unknown account is that
//! for a wrong password, in words and in time.
use chrono::{DateTime, Utc};

use super::{
    courier::Courier,
    email::Email,
    password::{self, Password},
    session::Session,
    store::{self, NewSession, Origin, Reserved, Started, Trying},
    totp::Code,
};
use crate::{
    clock::Clock,
    crypto::{Digest, Secret, seal::Keyring},
    db::Db,
    error::Result,
    mail::Mailer,
};

/// What became of an attempt to sign in.
#[derive(Debug)]
pub enum Login {
    /// Signed in.
    In(NewSession),
    /// The password was right; the code of the second factor is to come, together with this.
    Half(Secret),
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
    Ok(match store::start_session(db, clock, user, stored, origin, attempt, replaced).await? {
        Some(Started::Session(session)) => {
            tracing::info!(%user, session = %session.id, %address, "signed in");
            Login::In(session)
        }
        Some(Started::Half(half)) => {
            tracing::info!(%user, %address, "password right, second factor asked for");
            Login::Half(half)
        }
        None => Login::Wrong,
    })
}

/// What became of a code.
#[derive(Debug)]
pub enum Second {
    /// Signed in.
    In(NewSession),
    /// Not a code that is good now.
    Wrong,
    /// Too many attempts: not before this time.
    Wait(DateTime<Utc>),
    /// The half login has run out: begin with the password.
    Gone,
}

/// Completes a half login with a code. Counted like passwords, but by itself: knowing the password does not make
/// guessing cheaper.
///
/// # Errors
/// When the database does.
pub async fn complete(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    half: Digest,
    code: Option<Code>,
    origin: Origin,
    replaced: Option<Digest>,
) -> Result<Second> {
    let Some(user) = store::half_login(db, clock, half).await? else { return Ok(Second::Gone) };
    let attempt = match store::reserve_for(db, clock, Trying::Code(user), origin.address).await? {
        Reserved::Go(attempt) => attempt,
        Reserved::Wait(until) => {
            tracing::info!(%user, address = %origin.address, %until, "code refused after too many attempts");
            return Ok(Second::Wait(until));
        }
    };
    let address = origin.address;
    let session = match code {
        Some(code) => store::finish_login(db, clock, keys, (half, user), code, origin, attempt, replaced).await?,
        None => None,
    };
    Ok(if let Some(session) = session {
        tracing::info!(%user, session = %session.id, %address, "signed in with a second factor");
        Second::In(session)
    } else {
        tracing::info!(%user, %address, "second factor failed");
        Second::Wrong
    })
}

/// Has a link sent to an address, if it has an account. The answer does not tell whether it has, and neither does the
/// time it takes: what follows happens behind it. Some time to wait for, when there were too many.
///
/// # Errors
/// When the database does.
pub async fn send_reset_link(
    db: &Db,
    clock: &Clock,
    mailer: &Mailer,
    courier: Courier,
    email: Email,
    origin: Origin,
) -> Result<Option<DateTime<Utc>>> {
    if let Reserved::Wait(until) = store::reserve_for(db, clock, Trying::Link(email.as_str()), origin.address).await? {
        return Ok(Some(until));
    }
    let (db, clock, mailer) = (db.clone(), clock.clone(), mailer.clone());
    tokio::spawn(async move {
        match store::reset_by_owner(&db, &clock, &courier, &email, &origin).await {
            Ok(()) => mailer.wake(),
            Err(error) => tracing::error!(%error, "a link to reset a password could not be made"),
        }
    });
    Ok(None)
}

/// What became of asking for the password once more.
#[derive(Debug, PartialEq, Eq)]
pub enum Check {
    /// It is the right one.
    Right,
    /// It is another.
    Wrong,
    /// Too many attempts: not before this time.
    Wait(DateTime<Utc>),
}

/// Asks the owner of `session` for their password, before something that an open browser alone must not do. Counted
/// like a login.
///
/// # Errors
/// When the database does.
pub async fn check_password(
    db: &Db,
    clock: &Clock,
    session: &Session,
    origin: &Origin,
    password: Password,
) -> Result<Check> {
    let attempt = match store::reserve(db, clock, &session.email, origin.address).await? {
        Reserved::Go(attempt) => attempt,
        Reserved::Wait(until) => return Ok(Check::Wait(until)),
    };
    let stored = store::own_password_hash(db, session).await?;
    if !password::verify(password, Some(stored)).await? {
        return Ok(Check::Wrong);
    }
    attempt.succeeded(db, clock).await?;
    Ok(Check::Right)
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
