//! Set-up links: how the first administrator comes about. One works once, for an hour, while nobody has an account.
use chrono::{DateTime, Duration, Utc};

use super::{
    hours,
    sessions::{self, NewSession, Origin},
    users::{self, NewUser},
};
use crate::{
    auth::{Actor, Role},
    clock::Clock,
    crypto::Secret,
    db::Db,
    error::{Error, Result},
    ids::UserId,
    sql,
};

/// How long a set-up link works.
const LIFETIME: Duration = hours(1);

/// Whether nobody has an account yet.
///
/// # Errors
/// When the database does.
pub async fn nobody_yet(db: &Db) -> Result<bool> {
    Ok(sql!(value i64, db, "SELECT COUNT(*) FROM users")? == 0)
}

/// Makes a set-up link while nobody has an account, and answers its path with its secret, to be shown to whoever
/// started the server.
///
/// # Errors
/// When the database does.
pub async fn setup_link(db: &Db, clock: &Clock) -> Result<Option<String>> {
    let expires_at = clock.now() + LIFETIME;
    db.write(move |tx| {
        Box::pin(async move {
            if sql!(value i64, tx, "SELECT COUNT(*) FROM users")? > 0 {
                return Ok(None);
            }
            let secret = Secret::random();
            sql!(
                exec tx,
                "INSERT INTO setup_links (digest, expires_at) VALUES ($1, $2)",
                secret.digest().to_vec(),
                expires_at,
            )?;
            Ok(Some(format!("/setup?token={}", secret.reveal())))
        })
    })
    .await
}

/// Whether a set-up link works at the moment.
///
/// # Errors
/// When the database does.
pub async fn setup_link_works(db: &Db, clock: &Clock, token: &Secret) -> Result<bool> {
    let working = sql!(
        value i64,
        db,
        "SELECT COUNT(*) FROM setup_links
         WHERE digest = $1 AND expires_at > $2 AND NOT EXISTS (SELECT 1 FROM users)",
        token.digest().to_vec(),
        clock.now(),
    )?;
    Ok(working > 0)
}

/// Makes the first account by a set-up link, an administrator's whatever `new` says, and signs it in. None when the
/// link does not work, or no longer.
///
/// # Errors
/// When the database does.
pub async fn first_administrator(
    db: &Db,
    clock: &Clock,
    token: &Secret,
    new: NewUser,
    origin: Origin,
) -> Result<Option<NewSession>> {
    let (clock, digest) = (clock.clone(), token.digest().to_vec());
    let new = NewUser { role: Role::Administrator, tenant: None, ..new };
    db.write(move |tx| {
        Box::pin(async move {
            let now = clock.now();
            // Whoever comes first takes all links, the own one and every other: of two at once, the second waits for
            // the first to commit, and then finds either no link or an account.
            let links = sql!(all(Vec<u8>, DateTime<Utc>), tx, "DELETE FROM setup_links RETURNING digest, expires_at",)?;
            let works = links.iter().any(|(link, expires_at)| *link == digest && *expires_at > now);
            if !works || sql!(value i64, tx, "SELECT COUNT(*) FROM users")? > 0 {
                // an error, since that puts back the links that were taken
                return Err(Error::NotFound("set-up link"));
            }
            let id = UserId::new(&clock);
            let actor = Actor {
                user: Some(id),
                name: new.email.to_string(),
                role: Role::Administrator,
                tenant: None,
                address: Some(origin.address),
                request: origin.request,
            };
            users::insert(tx, &clock, &actor, id, &new).await?;
            sessions::insert(tx, &clock, id, &origin).await.map(Some)
        })
    })
    .await
    .or_else(|error| if matches!(error, Error::NotFound(_)) { Ok(None) } else { Err(error) })
}
