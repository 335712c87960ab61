//! Invitations: accounts that are offered. The link's secret is kept as its digest; following it shows a form, and only
//! sending that form uses it up, since mail scanners follow links too.
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    hours,
    sessions::{self, NewSession, Origin},
    users::{self, NewUser, check_binding},
};
use crate::{
    auth::{
        Actor, Administer, Grant, InviteCustomers, Permit, Role,
        audit::{self, Entry},
        courier::{self, Courier, Delivered, Parcel},
        email::Email,
    },
    clock::Clock,
    crypto::Secret,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TenantId, UserId, new_id},
    mail,
    name::Name,
    sql,
};

/// How long an invitation is good.
const LIFETIME: Duration = hours(7 * 24);
/// How long one that ran out is still listed, to be sent anew.
pub(super) const SHOWN_EXPIRED: Duration = hours(30 * 24);

/// An account that is offered.
#[derive(Debug, Clone, sqlx::FromRow, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub email: String,
    /// What they are called, if that was said.
    pub name: Option<String>,
    /// What the account may do.
    pub role: Role,
    /// The one tenant it sees.
    #[serde(rename = "tenant")]
    pub tenant_id: Option<TenantId>,
    /// Who invited them.
    pub invited_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its link stops working.
    pub expires_at: DateTime<Utc>,
}

/// An account to be offered.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Whom to.
    pub email: Email,
    /// What they are called.
    pub name: Option<Name>,
    /// What the account may do.
    pub role: Role,
    /// The one tenant it sees.
    pub tenant: Option<TenantId>,
}

/// An invitation just made or sent anew.
#[derive(Debug, Clone)]
pub struct Invited {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub email: String,
    /// When its link stops working.
    pub expires_at: DateTime<Utc>,
    /// Where its link went.
    pub link: Delivered,
}

/// What the holder of a link is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Offer {
    /// Whom the account is for.
    pub email: String,
    /// What they are called, if that is known.
    pub name: Option<String>,
}

impl Invitation {
    /// Whether its link still works.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.expires_at > now
    }
}

/// What about an invitation the outbox is asked.
fn about(id: Uuid) -> String {
    format!("invitation:{id}")
}

macro_rules! invitation {
    ($rest:literal) => {
        concat!("SELECT id, email, name, role, tenant_id, invited_by, created_at, expires_at FROM invitations ", $rest)
    };
}

/// Invites somebody.
///
/// # Errors
/// [`Error::Invalid`] for an address that has an account or an open invitation, a customer without a tenant, a tenant
/// that does not exist.
pub async fn invite(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    grant: &Grant<Administer>,
    new: NewInvitation,
) -> Result<Invited> {
    insert(db, clock, courier, grant.actor().clone(), new).await
}

/// Invites a customer of one tenant.
///
/// # Errors
/// As [`invite`].
pub async fn invite_customer(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    permit: &Permit<InviteCustomers>,
    email: Email,
    name: Option<Name>,
) -> Result<Invited> {
    let new = NewInvitation { email, name, role: Role::Customer, tenant: Some(permit.tenant()) };
    insert(db, clock, courier, permit.actor().clone(), new).await
}

async fn insert(db: &Db, clock: &Clock, courier: &Courier, actor: Actor, new: NewInvitation) -> Result<Invited> {
    let (clock, courier) = (clock.clone(), courier.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (id, now, secret) = (new_id(&clock), clock.now(), Secret::random());
            let email = new.email.as_str();
            check_binding(tx, new.role, new.tenant).await?;
            free(tx, email).await?;
            // one that ran out is in nobody's way
            sql!(exec tx, "DELETE FROM invitations WHERE email = $1 AND expires_at <= $2", email, now)?;
            let made = sql!(
                exec tx,
                "INSERT INTO invitations (id, digest, email, name, role, tenant_id, invited_by, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (email) DO NOTHING",
                id,
                secret.digest().to_vec(),
                email,
                &new.name,
                new.role,
                new.tenant,
                &actor.name,
                now,
                now + LIFETIME,
            )?;
            if made == 0 {
                return Err(Error::invalid("email", "This address is invited already: send that invitation anew"));
            }
            let after = serde_json::json!({
                "email": email, "name": &new.name, "role": new.role, "tenant": new.tenant,
            });
            audited(tx, &clock, &actor, "invitation.add", id, new.tenant, Some(after)).await?;
            send(tx, &clock, &courier, &actor, id, email, &secret, now + LIFETIME).await
        })
    })
    .await
}

/// Refuses an address that has an account.
async fn free(tx: &mut Tx, email: &str) -> Result<()> {
    let account = sql!(
        values Option<DateTime<Utc>>,
        tx,
        "SELECT deactivated_at FROM users WHERE email = $1",
        email,
    )?;
    match account.first() {
        None => Ok(()),
        Some(None) => Err(Error::invalid("email", "This address has an account already")),
        Some(Some(_)) => {
            Err(Error::invalid("email", "This address has an account that is deactivated: reactivate that one"))
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "what a letter is made of; each is of another kind")]
async fn send(
    tx: &mut Tx,
    clock: &Clock,
    courier: &Courier,
    actor: &Actor,
    id: Uuid,
    email: &str,
    secret: &Secret,
    expires_at: DateTime<Utc>,
) -> Result<Invited> {
    let parcel = Parcel {
        to: Some(email),
        about: about(id),
        path: "/invitation",
        secret,
        good_until: expires_at,
        letter: &courier::invitation_letter,
        from: &actor.name,
    };
    let link = courier.deliver(tx, clock, parcel).await?;
    Ok(Invited { id, email: email.to_owned(), expires_at, link })
}

/// Sends an invitation anew, with a new link: the old one works no more.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn resend_invitation(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    grant: &Grant<Administer>,
    id: Uuid,
) -> Result<Invited> {
    resend(db, clock, courier, grant.actor().clone(), id, None).await
}

/// As [`resend_invitation`], for customers of one tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that tenant.
pub async fn resend_to_customer(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    permit: &Permit<InviteCustomers>,
    id: Uuid,
) -> Result<Invited> {
    resend(db, clock, courier, permit.actor().clone(), id, Some(permit.tenant())).await
}

async fn resend(
    db: &Db,
    clock: &Clock,
    courier: &Courier,
    actor: Actor,
    id: Uuid,
    customers_of: Option<TenantId>,
) -> Result<Invited> {
    let (clock, courier) = (clock.clone(), courier.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (now, secret) = (clock.now(), Secret::random());
            let row = sql!(
                opt(String, Option<TenantId>),
                tx,
                "UPDATE invitations SET digest = $1, expires_at = $2
                 WHERE id = $3 AND ($4 IS NULL OR (tenant_id = $4 AND role = 'customer'))
                 RETURNING email, tenant_id",
                secret.digest().to_vec(),
                now + LIFETIME,
                id,
                customers_of,
            )?;
            let (email, tenant) = row.ok_or(Error::NotFound("invitation"))?;
            audited(tx, &clock, &actor, "invitation.resend", id, tenant, None).await?;
            send(tx, &clock, &courier, &actor, id, &email, &secret, now + LIFETIME).await
        })
    })
    .await
}

/// Takes an invitation back: its link works no more.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn revoke_invitation(db: &Db, clock: &Clock, grant: &Grant<Administer>, id: Uuid) -> Result<()> {
    revoke(db, clock, grant.actor().clone(), id, None).await
}

/// As [`revoke_invitation`], for customers of one tenant.
///
/// # Errors
/// [`Error::NotFound`] when there is none of that tenant.
pub async fn revoke_customer_invitation(
    db: &Db,
    clock: &Clock,
    permit: &Permit<InviteCustomers>,
    id: Uuid,
) -> Result<()> {
    revoke(db, clock, permit.actor().clone(), id, Some(permit.tenant())).await
}

async fn revoke(db: &Db, clock: &Clock, actor: Actor, id: Uuid, customers_of: Option<TenantId>) -> Result<()> {
    let clock = clock.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let row = sql!(
                opt(String, Option<TenantId>),
                tx,
                "DELETE FROM invitations WHERE id = $1 AND ($2 IS NULL OR (tenant_id = $2 AND role = 'customer'))
                 RETURNING email, tenant_id",
                id,
                customers_of,
            )?;
            let (email, tenant) = row.ok_or(Error::NotFound("invitation"))?;
            mail::cancel(tx, &about(id)).await?;
            let was = serde_json::json!({ "email": email });
            audited(tx, &clock, &actor, "invitation.revoke", id, tenant, Some(was)).await
        })
    })
    .await
}

/// All invitations, by address.
///
/// # Errors
/// When the database does.
pub async fn invitations(db: &Db, _: &Grant<Administer>) -> Result<Vec<Invitation>> {
    Ok(sql!(all Invitation, db, invitation!("ORDER BY email"))?)
}

/// Those of the customers of one tenant, by address.
///
/// # Errors
/// When the database does.
pub async fn invitations_of_tenant(db: &Db, permit: &Permit<InviteCustomers>) -> Result<Vec<Invitation>> {
    let all = sql!(
        all Invitation,
        db,
        invitation!("WHERE tenant_id = $1 AND role = 'customer' ORDER BY email"),
        permit.tenant(),
    )?;
    Ok(all)
}

/// One invitation, and what became of its letter, if it was mailed.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn invitation(db: &Db, _: &Grant<Administer>, id: Uuid) -> Result<(Invitation, Option<mail::Outgoing>)> {
    let found = sql!(opt Invitation, db, invitation!("WHERE id = $1"), id)?;
    let found = found.ok_or(Error::NotFound("invitation"))?;
    Ok((found, mail::latest(db, &about(id)).await?))
}

/// What the holder of a link is offered: the link is the authority. None when it does not work, for whatever reason.
///
/// # Errors
/// When the database does.
pub async fn offer(db: &Db, clock: &Clock, secret: &Secret) -> Result<Option<Offer>> {
    let offer = sql!(
        opt Offer,
        db,
        "SELECT email, name FROM invitations WHERE digest = $1 AND expires_at > $2",
        secret.digest().to_vec(),
        clock.now(),
    )?;
    Ok(offer)
}

/// Takes the offer: makes the account and signs it in. None when the link does not work, or no longer.
///
/// # Errors
/// When the database does.
pub async fn accept(
    db: &Db,
    clock: &Clock,
    secret: &Secret,
    name: Name,
    password_hash: String,
    origin: Origin,
) -> Result<Option<NewSession>> {
    let (clock, digest) = (clock.clone(), secret.digest().to_vec());
    db.write(move |tx| {
        Box::pin(async move {
            // of two at once, the second waits here and then finds no row
            let taken = sql!(
                opt Invitation,
                tx,
                "DELETE FROM invitations WHERE digest = $1 AND expires_at > $2
                 RETURNING id, email, name, role, tenant_id, invited_by, created_at, expires_at",
                &digest,
                clock.now(),
            )?;
            let Some(taken) = taken else { return Ok(None) };
            let id = UserId::new(&clock);
            let actor = Actor {
                user: Some(id),
                name: taken.email.clone(),
                role: taken.role,
                tenant: taken.tenant_id,
                address: Some(origin.address),
                request: origin.request,
            };
            let email = Email::parse(&taken.email).map_err(|why| Error::internal(anyhow::anyhow!(why)))?;
            let new = NewUser { email, name, role: taken.role, tenant: taken.tenant_id, password_hash };
            users::insert(tx, &clock, &actor, id, &new).await?;
            sessions::insert(tx, &clock, id, &origin).await.map(Some)
        })
    })
    .await
    // an account of this address came about by other means: whoever holds the link is not told
    .or_else(|error| if matches!(error, Error::Conflict(_)) { Ok(None) } else { Err(error) })
}

async fn audited(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    id: Uuid,
    tenant: Option<TenantId>,
    after: Option<serde_json::Value>,
) -> Result<()> {
    // of what is taken back, what it was
    let (before, after) = if action == "invitation.revoke" { (after, None) } else { (None, after) };
    audit::record(tx, clock, Entry { actor, tenant, action, object: id.to_string(), before, after }).await
}
