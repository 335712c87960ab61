//! The link by which a customer sees and answers a quotation without an account. Its secret is kept as a digest;
//! following it shows a button, and only that uses it up and begins a session for this one version. Whatever is the
//! matter with a link that does not work, nobody is told.
use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{lock, must_be_quoted};
use crate::{
    auth::{Actor, AnswerQuotations, Permit, Right, Role, RunIntakes, store::Origin},
    clock::Clock,
    crypto::Secret,
    db::Db,
    error::{Error, Result},
    ids::{QuotationId, TenantId, new_id},
    intake::{
        quotation::Act,
        store::{Note, audit, note},
    },
    name::Name,
    sql,
};

/// How long somebody who has opened it can come back.
const SESSION: Duration = Duration::seconds(30 * 24 * 3600);

/// A link that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub for_whom: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it can be opened.
    pub expires_at: DateTime<Utc>,
    /// When it was opened.
    pub used_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Until when whoever opened it can come back.
    pub session_expires_at: Option<DateTime<Utc>>,
}

impl Link {
    /// Whether it can be opened, or whoever opened it can come back.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        let end = self.session_expires_at.unwrap_or(self.expires_at);
        self.revoked_at.is_none() && end > now
    }
}

/// The links of a version, newest first.
///
/// # Errors
/// When the database fails.
pub async fn links<R: Right>(db: &Db, permit: &Permit<R>, of: QuotationId) -> Result<Vec<Link>> {
    Ok(sql!(
        all Link, db,
        "SELECT id, for_whom, made_by, made_at, expires_at, used_at, revoked_at, session_expires_at FROM quotation_links
         WHERE tenant_id = $1 AND quotation_id = $2 ORDER BY id DESC LIMIT 50",
        permit.tenant(),
        of,
    )?)
}

/// Makes a link for somebody; its secret is shown this once. It can be opened as long as the quotation is valid.
///
/// # Errors
/// [`Error::Forbidden`] when it is not for this role; [`Error::Conflict`] when the customer cannot answer any more;
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn make_link(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    of: QuotationId,
    for_whom: Name,
) -> Result<Secret> {
    if !Act::Send.may(permit.actor().role) {
        return Err(Error::Forbidden(Act::Send.verb()));
    }
    let secret = Secret::random();
    let (permit, clock, digest) = (permit.clone(), clock.clone(), secret.digest());
    db.write(move |tx| {
        Box::pin(async move {
            let (of, integration) = lock(tx, permit.tenant(), of).await?;
            let now = clock.now();
            must_be_quoted(&integration)?;
            if !of.standing(now).is_offered() {
                return Err(Error::Conflict("a link is for what the customer can still answer: send a version".into()));
            }
            let end = of.content.valid_until.succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
            let expires_at = end.map_or(now + SESSION, |end| end.and_utc());
            sql!(
                exec tx,
                "INSERT INTO quotation_links (tenant_id, id, quotation_id, digest, for_whom, made_by, made_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                of.tenant_id,
                new_id(&clock),
                of.id,
                digest.to_vec(),
                &for_whom,
                &permit.actor().name,
                now,
                expires_at,
            )?;
            let what = format!("made a link for {for_whom} to answer {}", of.told());
            note(tx, &clock, permit.actor(), (of.tenant_id, of.integration_id), Note::of(what)).await?;
            let after = json!({ "for": for_whom, "version": of.number });
            audit::written(tx, &clock, permit.actor(), &integration, "quotation.link", None, after).await
        })
    })
    .await?;
    Ok(secret)
}

/// Takes a link back; who came in by it is out.
///
/// # Errors
/// [`Error::NotFound`] when the version has none such; when the database fails.
pub async fn revoke_link(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    of: QuotationId,
    link: Uuid,
) -> Result<()> {
    if !Act::Send.may(permit.actor().role) {
        return Err(Error::Forbidden(Act::Send.verb()));
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let (of, integration) = lock(tx, permit.tenant(), of).await?;
            let whom = sql!(
                values String, tx,
                "UPDATE quotation_links SET revoked_at = COALESCE(revoked_at, $4)
                 WHERE tenant_id = $1 AND quotation_id = $2 AND id = $3 RETURNING for_whom",
                of.tenant_id,
                of.id,
                link,
                clock.now(),
            )?;
            let whom = whom.first().ok_or(Error::NotFound("link"))?;
            let what = format!("took back the link for {whom} to answer {}", of.told());
            note(tx, &clock, permit.actor(), (of.tenant_id, of.integration_id), Note::of(what)).await?;
            let after = json!({ "for": whom, "version": of.number });
            audit::written(tx, &clock, permit.actor(), &integration, "quotation.revoke-link", None, after).await
        })
    })
    .await
}

/// Whether a link can be opened. It asks for nobody's permission: the secret is the authority.
///
/// # Errors
/// When the database fails.
pub async fn works(db: &Db, clock: &Clock, secret: &Secret) -> Result<bool> {
    let found = sql!(
        value i64, db,
        "SELECT COUNT(*) FROM quotation_links
         WHERE digest = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
        secret.digest().to_vec(),
        clock.now(),
    )?;
    Ok(found > 0)
}

#[derive(sqlx::FromRow)]
struct Opened {
    tenant_id: TenantId,
    quotation_id: QuotationId,
    for_whom: String,
}

/// Opens a link, once: the secret of the session that begins. None when it does not work.
///
/// # Errors
/// When the database fails.
pub async fn open_link(db: &Db, clock: &Clock, secret: &Secret, origin: &Origin) -> Result<Option<Secret>> {
    let (clock, digest, session, origin) = (clock.clone(), secret.digest(), Secret::random(), origin.clone());
    let begun = session.digest();
    let opened = db
        .write(move |tx| {
            Box::pin(async move {
                let now = clock.now();
                let opened = sql!(
                    opt Opened, tx,
                    "UPDATE quotation_links SET used_at = $2, session_digest = $3, session_expires_at = $4
                     WHERE digest = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2
                     RETURNING tenant_id, quotation_id, for_whom",
                    digest.to_vec(),
                    now,
                    begun.to_vec(),
                    now + SESSION,
                )?;
                let Some(opened) = opened else { return Ok(false) };
                let actor = guest(&opened, &origin);
                let (of, integration) = lock(tx, opened.tenant_id, opened.quotation_id).await?;
                let told = Note::of(format!("opened the link to answer {}", of.told()));
                note(tx, &clock, &actor, (of.tenant_id, of.integration_id), told).await?;
                let after = json!({ "for": opened.for_whom, "version": of.number });
                audit::written(tx, &clock, &actor, &integration, "quotation.open-link", None, after).await?;
                Ok(true)
            })
        })
        .await?;
    Ok(opened.then_some(session))
}

/// Who comes by a link: a customer of the one tenant, without an account.
fn guest(opened: &Opened, origin: &Origin) -> Actor {
    Actor {
        user: None,
        name: format!("{} (by link)", opened.for_whom),
        role: Role::Customer,
        tenant: Some(opened.tenant_id),
        address: Some(origin.address),
        request: origin.request,
    }
}

/// Somebody who came by a link: what they may answer.
#[derive(Debug, Clone)]
pub struct Door {
    /// Their authority: to answer this version, and nothing else.
    pub permit: Permit<AnswerQuotations>,
    /// The one version.
    pub id: QuotationId,
    /// What they are called.
    pub who: String,
}

/// Whose session a cookie holds; none when it is over, taken back, or none.
///
/// # Errors
/// When the database fails.
pub async fn session(db: &Db, clock: &Clock, cookie: &Secret, origin: &Origin) -> Result<Option<Door>> {
    let found = sql!(
        opt Opened, db,
        "SELECT tenant_id, quotation_id, for_whom FROM quotation_links
         WHERE session_digest = $1 AND revoked_at IS NULL AND session_expires_at > $2",
        cookie.digest().to_vec(),
        clock.now(),
    )?;
    let door = |opened: Opened| {
        let permit = guest(&opened, origin).permit(opened.tenant_id)?;
        Ok(Door { permit, id: opened.quotation_id, who: opened.for_whom })
    };
    found.map(door).transpose()
}
