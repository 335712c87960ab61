//! Links of guests in the database: the one place that knows their table.
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Became, Guest, Link, Offer, Place, Told, Wish};
use crate::{
    auth::{
        Actor, Permit, Right, Role, RunIntakes,
        courier::{Courier, Delivered, Parcel},
        email::Email,
        store::Origin,
    },
    clock::Clock,
    crypto::Secret,
    db::Db,
    error::{Error, Result},
    ids::{TenantId, new_id},
    mail::{self, Letter, Part},
    sql,
};

/// By what the outbox knows the letter with a link.
fn about(link: Uuid) -> String {
    format!("guest-link:{link}")
}

/// The links to one thing, newest first.
///
/// # Errors
/// When the database fails.
pub async fn links<P: Place>(db: &Db, permit: &Permit<impl Right>, subject: Uuid) -> Result<Vec<Link>> {
    let mut links = sql!(
        all Link, db,
        "SELECT id, for_whom, made_by, made_at, expires_at, used_at, revoked_at, session_expires_at FROM guest_links
         WHERE tenant_id = $1 AND subject_id = $2 AND opens = $3 ORDER BY id DESC LIMIT 50",
        permit.tenant(),
        subject,
        P::OPENS,
    )?;
    for link in &mut links {
        // what was opened has arrived
        if link.used_at.is_none() && link.revoked_at.is_none() {
            link.letter = mail::latest(db, &about(link.id)).await?;
        }
    }
    Ok(links)
}

/// Makes a link for somebody, and sends it to them or hands it back to be shown, this once.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::Conflict`] when nobody is let in now;
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn make<P: Place>(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    courier: &Courier,
    wish: Wish,
) -> Result<(Delivered, DateTime<Utc>)> {
    P::may(permit)?;
    let (permit, clock, courier) = (permit.clone(), clock.clone(), courier.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let Offer { name, until } = P::offer(tx, &clock, &permit, &wish).await?;
            let (actor, id, secret) = (permit.actor(), new_id(&clock), Secret::random());
            sql!(
                exec tx,
                "INSERT INTO guest_links (tenant_id, id, opens, subject_id, digest, for_whom, made_by, made_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                permit.tenant(),
                id,
                P::OPENS,
                wish.subject,
                secret.digest().to_vec(),
                &wish.for_whom,
                &actor.name,
                clock.now(),
                until,
            )?;
            let parcel = Parcel {
                to: wish.send_to.as_ref().map(Email::as_str),
                about: about(id),
                path: P::DOOR.path,
                secret: &secret,
                good_until: until,
                letter: &|from, base, url| letter::<P>(from, base, url, &name, until),
                from: &actor.name,
            };
            let delivered = courier.deliver(tx, &clock, parcel).await?;
            let told = Told {
                became: Became::Made,
                tenant: permit.tenant(),
                subject: wish.subject,
                for_whom: wish.for_whom.to_string(),
                sent_to: match &delivered {
                    Delivered::Mailed(to) => Some(to.clone()),
                    Delivered::Shown(_) => None,
                },
            };
            P::write_down(tx, &clock, actor, &told).await?;
            Ok((delivered, until))
        })
    })
    .await
}

/// The letter with a link.
fn letter<P: Place>(from: &str, base: &str, url: String, name: &str, until: DateTime<Utc>) -> Letter {
    // made on the command line, there is no person to name
    let who = if from == "cli" { "Your consultant" } else { from };
    let until = until.format("%-d %B %Y, %H:%M UTC");
    Letter {
        subject: format!("{}: {name}", P::DOOR.title),
        parts: vec![
            Part::text(format!("{who} {} “{name}”. It is at {base}, and needs no account.", P::DOOR.asks)),
            Part::Link { label: P::DOOR.button.into(), url },
            Part::text(format!("The link can be opened once, until {until}. It is meant for you: do not pass it on.")),
            Part::text("If you did not expect this, leave it, and nothing happens."),
        ],
    }
}

/// Takes a link back; who came in by it is out at once.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::NotFound`] when there is none such; when the database
/// fails.
pub async fn revoke<P: Place>(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    subject: Uuid,
    link: Uuid,
) -> Result<()> {
    P::may(permit)?;
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let whom = sql!(
                values String, tx,
                "UPDATE guest_links SET revoked_at = $5
                 WHERE tenant_id = $1 AND subject_id = $2 AND opens = $3 AND id = $4 AND revoked_at IS NULL
                 RETURNING for_whom",
                permit.tenant(),
                subject,
                P::OPENS,
                link,
                clock.now(),
            )?;
            let Some(for_whom) = whom.into_iter().next() else {
                let there = sql!(
                    value i64, tx,
                    "SELECT COUNT(*) FROM guest_links
                     WHERE tenant_id = $1 AND subject_id = $2 AND opens = $3 AND id = $4",
                    permit.tenant(),
                    subject,
                    P::OPENS,
                    link,
                )?;
                // taken back already: it is as it should be, and was written down then
                return if there > 0 { Ok(()) } else { Err(Error::NotFound("link")) };
            };
            mail::cancel(tx, &about(link)).await?;
            let (became, tenant) = (Became::TakenBack, permit.tenant());
            P::write_down(tx, &clock, permit.actor(), &Told { became, tenant, subject, for_whom, sent_to: None }).await
        })
    })
    .await
}

/// Whether a link can be opened. It asks for nobody's permission: the secret is the authority.
///
/// # Errors
/// When the database fails.
pub async fn works<P: Place>(db: &Db, clock: &Clock, secret: &Secret) -> Result<bool> {
    let found = sql!(
        value i64, db,
        "SELECT COUNT(*) FROM guest_links
         WHERE digest = $1 AND opens = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3",
        secret.digest().to_vec(),
        P::OPENS,
        clock.now(),
    )?;
    Ok(found > 0)
}

#[derive(sqlx::FromRow)]
struct Opened {
    tenant_id: TenantId,
    subject_id: Uuid,
    for_whom: String,
    session_expires_at: DateTime<Utc>,
}

impl Opened {
    /// A customer of the one tenant, without an account.
    fn actor(&self, origin: &Origin) -> Actor {
        Actor {
            user: None,
            name: format!("{} (by link)", self.for_whom),
            role: Role::Customer,
            tenant: Some(self.tenant_id),
            address: Some(origin.address),
            request: origin.request,
        }
    }
}

/// Opens a link, once: the secret of the session that begins, and its end. None when it does not work.
///
/// # Errors
/// When the database fails.
pub async fn open<P: Place>(
    db: &Db,
    clock: &Clock,
    secret: &Secret,
    origin: &Origin,
) -> Result<Option<(Secret, DateTime<Utc>)>> {
    let (clock, digest, session, origin) = (clock.clone(), secret.digest(), Secret::random(), origin.clone());
    let begun = session.digest();
    let until = db
        .write(move |tx| {
            Box::pin(async move {
                let now = clock.now();
                let opened = sql!(
                    opt Opened, tx,
                    "UPDATE guest_links SET used_at = $3, session_digest = $4, session_expires_at = COALESCE($5, expires_at)
                     WHERE digest = $1 AND opens = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3
                     RETURNING tenant_id, subject_id, for_whom, session_expires_at",
                    digest.to_vec(),
                    P::OPENS,
                    now,
                    begun.to_vec(),
                    P::STAYS.map(|stays| now + stays),
                )?;
                let Some(opened) = opened else { return Ok(None) };
                let told = Told {
                    became: Became::Opened,
                    tenant: opened.tenant_id,
                    subject: opened.subject_id,
                    for_whom: opened.for_whom.clone(),
                    sent_to: None,
                };
                P::write_down(tx, &clock, &opened.actor(&origin), &told).await?;
                Ok(Some(opened.session_expires_at))
            })
        })
        .await?;
    Ok(until.map(|until| (session, until)))
}

/// Whose session a cookie holds; none when it is over, taken back, or none.
///
/// # Errors
/// When the database fails.
pub async fn session<P: Place>(db: &Db, clock: &Clock, cookie: &Secret, origin: &Origin) -> Result<Option<Guest<P>>> {
    let found = sql!(
        opt Opened, db,
        "SELECT tenant_id, subject_id, for_whom, session_expires_at FROM guest_links
         WHERE session_digest = $1 AND opens = $2 AND revoked_at IS NULL AND session_expires_at > $3",
        cookie.digest().to_vec(),
        P::OPENS,
        clock.now(),
    )?;
    let guest = |opened: Opened| {
        let permit = opened.actor(origin).permit(opened.tenant_id)?;
        Ok(Guest { permit, subject: opened.subject_id, who: opened.for_whom, place: PhantomData })
    };
    found.map(guest).transpose()
}
