//! The second factor: setting it up, being asked for it, losing it.
use chrono::{DateTime, Duration, Utc};

use super::{
    attempts::Attempt,
    sessions::{self, NewSession, Origin},
};
use crate::{
    auth::{
        Actor, Administer, Grant, Role,
        audit::{self, Entry},
        session::Session,
        totp::{self, Code, SharedSecret},
    },
    clock::Clock,
    crypto::{
        Digest, Secret,
        seal::{Keyring, Place},
    },
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TenantId, UserId},
    sql,
};

/// How many recovery codes there are.
pub const CODES: usize = 10;
/// How long one may look for one's phone between password and code.
const HALF: Duration = Duration::minutes(10);

/// How an account's second factor stands.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Standing {
    /// Since when it is asked for; none while it is being set up.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Recovery codes that are left.
    pub codes_left: i64,
}

/// A second factor that is being set up: what its owner's application has to learn.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret.
    pub secret: SharedSecret,
    /// Stored with it: only for this secret does a code confirm.
    sealed: Vec<u8>,
}

/// New recovery codes, to be shown once.
#[derive(Debug)]
pub struct RecoveryCodes(pub Vec<Secret>);

#[derive(sqlx::FromRow)]
struct Row {
    secret: Vec<u8>,
    last_step: i64,
}

/// How the second factor of the owner of `session` stands; none when there is none.
///
/// # Errors
/// When the database does.
pub async fn second_factor(db: &Db, session: &Session) -> Result<Option<Standing>> {
    let standing = sql!(
        opt Standing,
        db,
        "SELECT confirmed_at,
                (SELECT COUNT(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS codes_left
         FROM second_factors f WHERE user_id = $1",
        session.user,
    )?;
    Ok(standing)
}

/// Whether an account is asked for a second factor.
pub(super) async fn is_on(tx: &mut Tx, user: UserId) -> Result<bool> {
    let on = sql!(
        value i64,
        tx,
        "SELECT COUNT(*) FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL",
        user,
    )?;
    Ok(on > 0)
}

/// Begins to set one up, with a new secret; one that was begun before is forgotten.
///
/// # Errors
/// [`Error::Conflict`] when there is one already; [`Error::Refused`] when there is no key to seal it with.
pub async fn begin_enrolment(db: &Db, clock: &Clock, keys: &Keyring, session: &Session) -> Result<()> {
    let sealed = keys.seal(place(&session.user.to_string()), SharedSecret::random().bytes())?;
    let (now, user) = (clock.now(), session.user);
    db.write(move |tx| {
        Box::pin(async move {
            let begun = sql!(
                exec tx,
                "INSERT INTO second_factors (user_id, secret, created_at, confirmed_at, last_step)
                 VALUES ($1, $2, $3, NULL, 0)
                 ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
                 WHERE second_factors.confirmed_at IS NULL",
                user,
                &sealed,
                now,
            )?;
            if begun == 0 {
                return Err(Error::Conflict("The second factor is on already; turn it off first".into()));
            }
            Ok(())
        })
    })
    .await
}

/// The one that is being set up. Once it is confirmed, nobody gets to see the secret any more.
///
/// # Errors
/// When the database does; when it cannot be opened.
pub async fn enrolment(db: &Db, keys: &Keyring, session: &Session) -> Result<Option<Enrolment>> {
    let sealed = sql!(
        values Vec<u8>,
        db,
        "SELECT secret FROM second_factors WHERE user_id = $1 AND confirmed_at IS NULL",
        session.user,
    )?;
    let Some(sealed) = sealed.into_iter().next() else { return Ok(None) };
    let secret = SharedSecret::stored(keys.open(place(&session.user.to_string()), &sealed)?);
    Ok(Some(Enrolment { secret, sealed }))
}

/// Turns it on, when `code` shows that the application has learned the secret. None when it does not.
///
/// # Errors
/// When the database does.
pub async fn confirm_enrolment(
    db: &Db,
    clock: &Clock,
    session: &Session,
    enrolment: Enrolment,
    code: &Code,
) -> Result<Option<RecoveryCodes>> {
    let Code::Current(code) = code else { return Ok(None) };
    let Some(step) = enrolment.secret.step_of(code, clock.now(), 0) else { return Ok(None) };
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let confirmed = sql!(
                exec tx,
                "UPDATE second_factors SET confirmed_at = $1, last_step = $2
                 WHERE user_id = $3 AND secret = $4 AND confirmed_at IS NULL",
                clock.now(),
                step,
                session.user,
                &enrolment.sealed,
            )?;
            if confirmed == 0 {
                return Ok(None);
            }
            audited(tx, &clock, &session.actor, "second-factor.on", session.user).await?;
            make_codes(tx, session.user).await.map(Some)
        })
    })
    .await
}

/// Makes new recovery codes; those before are good no more.
///
/// # Errors
/// [`Error::NotFound`] when there is no second factor.
pub async fn new_recovery_codes(db: &Db, clock: &Clock, session: &Session) -> Result<RecoveryCodes> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            if !is_on(tx, session.user).await? {
                return Err(Error::NotFound("second factor"));
            }
            audited(tx, &clock, &session.actor, "second-factor.new-codes", session.user).await?;
            make_codes(tx, session.user).await
        })
    })
    .await
}

async fn make_codes(tx: &mut Tx, user: UserId) -> Result<RecoveryCodes> {
    sql!(exec tx, "DELETE FROM recovery_codes WHERE user_id = $1", user)?;
    let codes: Vec<Secret> = std::iter::repeat_with(totp::recovery_code).take(CODES).collect();
    for code in &codes {
        sql!(
            exec tx,
            "INSERT INTO recovery_codes (user_id, digest, used_at) VALUES ($1, $2, NULL)",
            user,
            totp::recovery_digest(user, code).to_vec(),
        )?;
    }
    Ok(RecoveryCodes(codes))
}

/// Turns it off for the owner of `session`, who has just given the password.
///
/// # Errors
/// When the database does.
pub async fn disable_second_factor(db: &Db, clock: &Clock, session: &Session) -> Result<()> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            if forget(tx, session.user).await? {
                audited(tx, &clock, &session.actor, "second-factor.off", session.user).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Takes it away from somebody who has lost it, and signs them out everywhere: it may be in other hands.
///
/// # Errors
/// [`Error::NotFound`] when they have none.
pub async fn reset_second_factor(db: &Db, clock: &Clock, grant: &Grant<Administer>, user: UserId) -> Result<()> {
    let (grant, clock) = (grant.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            // the account first: whoever signs in with a code at this moment waits, or is signed out below
            sql!(exec tx, "UPDATE users SET role = role WHERE id = $1", user)?;
            if !forget(tx, user).await? {
                return Err(Error::NotFound("second factor"));
            }
            sessions::end_all(tx, user, None).await?;
            audited(tx, &clock, grant.actor(), "second-factor.reset", user).await
        })
    })
    .await
}

/// Whether there was one that was on.
async fn forget(tx: &mut Tx, user: UserId) -> Result<bool> {
    let was_on = is_on(tx, user).await?;
    sql!(exec tx, "DELETE FROM second_factors WHERE user_id = $1", user)?;
    sql!(exec tx, "DELETE FROM recovery_codes WHERE user_id = $1", user)?;
    Ok(was_on)
}

/// The password was right; the code is still to come.
pub(super) async fn begin_half(tx: &mut Tx, clock: &Clock, user: UserId) -> Result<Secret> {
    let secret = Secret::random();
    sql!(
        exec tx,
        "INSERT INTO half_logins (digest, user_id, expires_at) VALUES ($1, $2, $3)",
        secret.digest().to_vec(),
        user,
        clock.now() + HALF,
    )?;
    Ok(secret)
}

/// Whose half login a secret is, if it has not run out.
///
/// # Errors
/// When the database does.
pub async fn half_login(db: &Db, clock: &Clock, half: Digest) -> Result<Option<UserId>> {
    let found = sql!(
        opt(UserId,),
        db,
        "SELECT user_id FROM half_logins WHERE digest = $1 AND expires_at > $2",
        half.to_vec(),
        clock.now(),
    )?;
    Ok(found.map(|(user,)| user))
}

/// Completes a half login of `user` with a code, which is then good no more. None when the code is not good, or the
/// half login not any more.
///
/// # Errors
/// When the database does; when the secret cannot be opened.
#[expect(clippy::too_many_arguments, reason = "what a login is made of; each is of another kind")]
pub async fn finish_login(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    (half, user): (Digest, UserId),
    code: Code,
    origin: Origin,
    attempt: Attempt,
    replaced: Option<Digest>,
) -> Result<Option<NewSession>> {
    let (clock, keys) = (clock.clone(), keys.clone());
    db.write(move |tx| {
        Box::pin(async move {
            // the account first, as everybody does who changes something about signing in
            let active = sql!(
                exec tx,
                "UPDATE users SET password_hash = password_hash WHERE id = $1 AND deactivated_at IS NULL",
                user,
            )?;
            let taken = sql!(
                exec tx,
                "DELETE FROM half_logins WHERE digest = $1 AND user_id = $2 AND expires_at > $3",
                half.to_vec(),
                user,
                clock.now(),
            )?;
            if active == 0 || taken == 0 || !take_code(tx, &clock, &keys, user, &code, &origin).await? {
                // an error, since that puts the half login back for another code
                return Err(Error::NotFound("half login"));
            }
            attempt.forgive(tx, &clock).await?;
            sessions::replace(tx, replaced).await?;
            sessions::insert(tx, &clock, user, &origin).await.map(Some)
        })
    })
    .await
    .or_else(|error| if matches!(error, Error::NotFound("half login")) { Ok(None) } else { Err(error) })
}

/// Whether a code is good; if so, it is so no more.
async fn take_code(
    tx: &mut Tx,
    clock: &Clock,
    keys: &Keyring,
    user: UserId,
    code: &Code,
    origin: &Origin,
) -> Result<bool> {
    match code {
        Code::Current(code) => {
            let row = sql!(
                opt Row,
                tx,
                "SELECT secret, last_step FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL",
                user,
            )?;
            let Some(row) = row else { return Ok(false) };
            let secret = SharedSecret::stored(keys.open(place(&user.to_string()), &row.secret)?);
            let Some(step) = secret.step_of(code, clock.now(), row.last_step) else { return Ok(false) };
            let taken = sql!(
                exec tx,
                "UPDATE second_factors SET last_step = $1 WHERE user_id = $2 AND last_step < $1",
                step,
                user,
            )?;
            Ok(taken > 0)
        }
        Code::Recovery(code) => {
            let taken = sql!(
                exec tx,
                "UPDATE recovery_codes SET used_at = $1 WHERE user_id = $2 AND digest = $3 AND used_at IS NULL",
                clock.now(),
                user,
                totp::recovery_digest(user, code).to_vec(),
            )?;
            if taken > 0 {
                let (name, role, tenant) = sql!(
                    one(String, Role, Option<TenantId>),
                    tx,
                    "SELECT email, role, tenant_id FROM users WHERE id = $1",
                    user,
                )?;
                let actor = Actor {
                    user: Some(user),
                    name,
                    role,
                    tenant,
                    address: Some(origin.address),
                    request: origin.request,
                };
                audited(tx, clock, &actor, "second-factor.use-code", user).await?;
            }
            Ok(taken > 0)
        }
    }
}

async fn audited(tx: &mut Tx, clock: &Clock, actor: &Actor, action: &'static str, user: UserId) -> Result<()> {
    let entry = Entry { actor, tenant: actor.tenant, action, object: user.to_string(), before: None, after: None };
    audit::record(tx, clock, entry).await
}

fn place(row: &str) -> Place<'_> {
    Place { column: "second_factors.secret", row }
}
