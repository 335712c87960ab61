//! New passwords by link, for who forgot theirs. The newest link of an account alone works, once, for an hour.
use chrono::Duration;

use super::{attempts, hours, sessions};
use crate::{
    auth::{
        Actor, Administer, Grant, Role,
        audit::{self, Entry},
        courier::{self, Courier, Delivered, Parcel},
        email::Email,
        store::Origin,
    },
    clock::Clock,
    crypto::Secret,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TenantId, UserId},
    sql,
};

/// How long a link works.
const LIFETIME: Duration = hours(1);

#[derive(sqlx::FromRow)]
struct Owner {
    id: UserId,
    email: String,
    role: Role,
    tenant_id: Option<TenantId>,
}

/// Makes a link for somebody, as an administrator.
///
/// # Errors
/// [`Error::NotFound`] when there is no such account, [`Error::Conflict`] when it is deactivated.
pub async fn reset_by_administrator(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    grant: &Grant<Administer>,
    user: UserId,
) -> Result<Delivered> {
    let (actor, clock, courier) = (grant.actor().clone(), clock.clone(), courier.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let known = sql!(value i64, tx, "SELECT COUNT(*) FROM users WHERE id = $1", user)?;
            if known == 0 {
                return Err(Error::NotFound("person"));
            }
            let owner = sql!(
                opt Owner,
                tx,
                "SELECT id, email, role, tenant_id FROM users WHERE id = $1 AND deactivated_at IS NULL",
                user,
            )?;
            let owner = owner.ok_or(Error::Conflict("This account is deactivated: reactivate it first".into()))?;
            make(tx, &clock, &courier, &actor, &owner).await
        })
    })
    .await
}

/// Makes a link for whoever has an account of this address: asked by anybody, so nothing is answered.
///
/// # Errors
/// When the database does.
pub async fn reset_by_owner(db: &Db, clock: &Clock, courier: &Courier, email: &Email, origin: &Origin) -> Result<()> {
    let owner = sql!(
        opt Owner,
        db,
        "SELECT id, email, role, tenant_id FROM users WHERE email = $1 AND deactivated_at IS NULL",
        email.as_str(),
    )?;
    let Some(owner) = owner else { return Ok(()) };
    let (clock, courier) = (clock.clone(), courier.clone());
    let actor = actor(&owner, origin);
    db.write(move |tx| Box::pin(async move { make(tx, &clock, &courier, &actor, &owner).await.map(drop) })).await
}

async fn make(tx: &mut Tx, clock: &Clock, courier: &Courier, actor: &Actor, owner: &Owner) -> Result<Delivered> {
    let (secret, expires_at) = (Secret::random(), clock.now() + LIFETIME);
    sql!(
        exec tx,
        "INSERT INTO password_resets (user_id, digest, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at",
        owner.id,
        secret.digest().to_vec(),
        expires_at,
    )?;
    audited(tx, clock, actor, "user.make-reset-link", owner, None).await?;
    let parcel = Parcel {
        to: Some(&owner.email),
        about: format!("user:{}", owner.id),
        path: "/reset-password",
        secret: &secret,
        good_until: expires_at,
        letter: &courier::reset_letter,
        from: &actor.name,
    };
    courier.deliver(tx, clock, parcel).await
}

/// Whose password the holder of a link may choose; none when it does not work, for whatever reason.
///
/// # Errors
/// When the database does.
pub async fn reset_offer(db: &Db, clock: &Clock, secret: &Secret) -> Result<Option<String>> {
    let found = sql!(
        opt(String,),
        db,
        "SELECT u.email FROM password_resets r JOIN users u ON u.id = r.user_id
         WHERE r.digest = $1 AND r.expires_at > $2 AND u.deactivated_at IS NULL",
        secret.digest().to_vec(),
        clock.now(),
    )?;
    Ok(found.map(|(email,)| email))
}

/// Sets a new password by link and signs its owner out everywhere; the second factor stays. False when the link does
/// not work, or no longer.
///
/// # Errors
/// When the database does.
pub async fn reset_password(
    db: &Db,
    clock: &Clock,
    secret: &Secret,
    password_hash: String,
    origin: Origin,
) -> Result<bool> {
    let (clock, digest) = (clock.clone(), secret.digest().to_vec());
    db.write(move |tx| {
        Box::pin(async move {
            // of two at once, the second waits here and then finds no row
            let taken = sql!(
                opt(UserId,),
                tx,
                "DELETE FROM password_resets WHERE digest = $1 AND expires_at > $2 RETURNING user_id",
                &digest,
                clock.now(),
            )?;
            let Some((user,)) = taken else { return Ok(false) };
            let owner = sql!(
                opt Owner,
                tx,
                "UPDATE users SET password_hash = $1 WHERE id = $2 AND deactivated_at IS NULL
                 RETURNING id, email, role, tenant_id",
                &password_hash,
                user,
            )?;
            let Some(owner) = owner else { return Ok(false) };
            let ended = sessions::end_all(tx, user, None).await?;
            attempts::begin_anew(tx, &owner.email).await?;
            let after = serde_json::json!({ "sessionsEnded": ended });
            audited(tx, &clock, &actor(&owner, &origin), "user.reset-password", &owner, Some(after)).await?;
            Ok(true)
        })
    })
    .await
}

fn actor(owner: &Owner, origin: &Origin) -> Actor {
    Actor {
        user: Some(owner.id),
        name: owner.email.clone(),
        role: owner.role,
        tenant: owner.tenant_id,
        address: Some(origin.address),
        request: origin.request,
    }
}

async fn audited(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    owner: &Owner,
    after: Option<serde_json::Value>,
) -> Result<()> {
    let entry = Entry { actor, tenant: owner.tenant_id, action, object: owner.id.to_string(), before: None, after };
    audit::record(tx, clock, entry).await
}
