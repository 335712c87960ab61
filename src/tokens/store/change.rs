//! What people do with tokens. Each change is audited in its own transaction, and heard of by the front door.
use std::{fmt, str::FromStr};

use chrono::{DateTime, Duration, Utc};

use super::{Row, as_json};
use crate::{
    auth::{
        Actor, Configure, Permit,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result, is_taken},
    ids::{EventTypeId, TenantId, TokenId},
    sql, tenants,
    tokens::{Details, MOST_LISTED, Secret, State, Token},
};

/// How long a token works beside its successor: nothing at all up to thirty days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap(Duration);

impl Overlap {
    /// Not at all.
    pub const NONE: Self = Self(Duration::zero());
    const LONGEST: Duration = Duration::days(30);

    /// When one that begins now ends.
    pub fn end(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.0
    }
}

impl FromStr for Overlap {
    type Err = String;

    /// Reads `now`, or a time such as `1h` or `7d`.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "an overlap is now, or a time such as 1h, 1d or 7d, of 30 days at most";
        let text = text.trim();
        if text == "now" {
            return Ok(Self::NONE);
        }
        let (count, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (_, Some(hours)) => (hours, 1),
            _ => return Err(FORM.into()),
        };
        let count: i64 = count.parse::<u16>().map_err(|_| FORM)?.into();
        let length = Duration::hours(count * hours);
        if length > Self::LONGEST { Err(FORM.into()) } else { Ok(Self(length)) }
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.num_hours() {
            0 => f.write_str("now"),
            hours if hours % 24 == 0 => write!(f, "{}d", hours / 24),
            hours => write!(f, "{hours}h"),
        }
    }
}

/// Creates a token with a new secret, or with one that its tenant brings along. Whoever passes the secret has to show
/// it: it cannot be had again.
///
/// # Errors
/// [`Error::Invalid`] when it is limited to an event type that the tenant does not have; [`Error::Conflict`] when the
/// tenant has this secret already; [`Error::NotFound`] when there is no such tenant; when the database fails.
pub async fn create(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    secret: &Secret,
    details: Details,
) -> Result<Token> {
    let details = tidy(details)?;
    let (permit, clock, secret) = (permit.clone(), clock.clone(), secret.clone());
    db.write(move |tx| Box::pin(async move { create_in(tx, &clock, &permit, &secret, details).await })).await
}

/// The same inside a transaction, for what makes more than a token.
///
/// # Errors
/// As [`create`].
pub async fn create_in(
    tx: &mut Tx,
    clock: &Clock,
    permit: &Permit<Configure>,
    secret: &Secret,
    details: Details,
) -> Result<Token> {
    let made = new_token(clock, permit.tenant(), secret, tidy(details)?);
    tenants::store::lock(tx, made.tenant_id).await?;
    must_have_types(tx, made.tenant_id, &made.details).await?;
    insert(tx, &made, secret.digest()).await?;
    written(tx, clock, permit.actor(), "token.create", None, &made).await?;
    Ok(made)
}

fn new_token(clock: &Clock, tenant: TenantId, secret: &Secret, details: Details) -> Token {
    Token {
        tenant_id: tenant,
        id: TokenId::new(clock),
        prefix: secret.prefix().to_owned(),
        details,
        created_at: clock.now(),
        revoked_at: None,
        last_used_at: None,
        predecessor_id: None,
        successor_id: None,
        overlap_ends_at: None,
    }
}

/// A token for no event type at all is a token for all of them, as an empty list in a form means.
fn tidy(mut details: Details) -> Result<Details> {
    details.event_types = details.event_types.filter(|types| !types.is_empty());
    details.addresses = details.addresses.filter(|networks| !networks.is_empty());
    if details.event_types.as_ref().is_some_and(|types| types.len() > MOST_LISTED) {
        return Err(Error::invalid("event_types", format!("a token lists at most {MOST_LISTED} event types")));
    }
    Ok(details)
}

async fn must_have_types(tx: &mut Tx, tenant: TenantId, details: &Details) -> Result<()> {
    for event_type in details.event_types.iter().flatten() {
        must_have(tx, tenant, *event_type).await?;
    }
    Ok(())
}

async fn must_have(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<()> {
    let found = sql!(value i64, tx, "SELECT COUNT(*) FROM event_types WHERE tenant_id = $1 AND id = $2", tenant, id)?;
    if found == 0 {
        return Err(Error::invalid("event_types", format!("the tenant has no event type {id}")));
    }
    Ok(())
}

async fn insert(tx: &mut Tx, made: &Token, digest: [u8; 32]) -> Result<()> {
    let details = &made.details;
    sql!(
        exec tx,
        "INSERT INTO tokens (tenant_id, id, name, prefix, digest, event_types, addresses, can_configure, created_at,
            expires_at, predecessor_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        made.tenant_id,
        made.id,
        &details.name,
        &made.prefix,
        digest.to_vec(),
        as_json(details.event_types.as_deref())?,
        as_json(details.addresses.as_deref())?,
        details.can_configure,
        made.created_at,
        details.expires_at,
        made.predecessor_id,
    )
    .map_err(|error| {
        if is_taken(&error) {
            Error::Conflict("the tenant has this token already, in use or revoked".into())
        } else {
            error.into()
        }
    })?;
    Ok(())
}

/// Reads a token inside a transaction that changes it; no other can change it meanwhile.
async fn lock(tx: &mut Tx, tenant: TenantId, id: TokenId) -> Result<Token> {
    tenants::store::lock(tx, tenant).await?;
    find(tx, tenant, id).await?.ok_or(Error::NotFound("token"))
}

async fn find(tx: &mut Tx, tenant: TenantId, id: TokenId) -> Result<Option<Token>> {
    let row = sql!(opt Row, tx, tokens!("WHERE tenant_id = $1 AND id = $2"), tenant, id)?;
    row.map(Token::try_from).transpose()
}

/// Makes a token useless, from now on and for ever. Revoking it again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn revoke(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: TokenId) -> Result<Token> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if before.revoked_at.is_some() {
                return Ok(before);
            }
            let after = Token { revoked_at: Some(clock.now()), ..before.clone() };
            sql!(
                exec tx,
                "UPDATE tokens SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2",
                after.tenant_id,
                after.id,
                after.revoked_at,
            )?;
            written(tx, &clock, permit.actor(), "token.revoke", Some(&before), &after).await?;
            Ok(after)
        })
    })
    .await
}

/// Changes what a token is good for, never its secret. `seen` is the fingerprint of what the change was decided on:
/// when somebody has changed it meanwhile, nothing is overwritten. What changes nothing is neither written nor
/// audited.
///
/// # Errors
/// [`Error::Conflict`] when it is revoked, or is no longer as `seen`; [`Error::Invalid`] when it would be limited to an
/// event type that the tenant does not have; [`Error::NotFound`] when the tenant has none such; when the database
/// fails.
pub async fn change(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: TokenId,
    seen: &str,
    details: Details,
) -> Result<Token> {
    let details = tidy(details)?;
    let (permit, clock, seen) = (permit.clone(), clock.clone(), seen.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if before.revoked_at.is_some() {
                return Err(Error::Conflict("the token is revoked, and that is for ever".into()));
            }
            if before.details == details {
                return Ok(before);
            }
            if before.details.fingerprint() != seen {
                return Err(Error::Conflict(
                    "somebody else has changed this token meanwhile; look at what it is now, and save again".into(),
                ));
            }
            // a type that it names already may be named on
            let old = before.details.event_types.clone().unwrap_or_default();
            for event_type in details.event_types.iter().flatten().filter(|id| !old.contains(id)) {
                must_have(tx, before.tenant_id, *event_type).await?;
            }
            let after = Token { details, ..before.clone() };
            sql!(
                exec tx,
                "UPDATE tokens SET name = $3, event_types = $4, addresses = $5, can_configure = $6, expires_at = $7
                 WHERE tenant_id = $1 AND id = $2",
                after.tenant_id,
                after.id,
                &after.details.name,
                as_json(after.details.event_types.as_deref())?,
                as_json(after.details.addresses.as_deref())?,
                after.details.can_configure,
                after.details.expires_at,
            )?;
            written(tx, &clock, permit.actor(), "token.change", Some(&before), &after).await?;
            Ok(after)
        })
    })
    .await
}

/// What rolling a token leaves behind.
#[derive(Debug, Clone)]
pub struct Rolled {
    /// The token that was rolled.
    pub old: Token,
    /// The one that takes its place.
    pub new: Token,
}

/// Makes a successor with the same scope, which ends at `expires_at`; the old one works on for the overlap. Whoever
/// passes the secret has to show it.
///
/// A token has one successor. Only when that one is revoked can it be rolled again.
///
/// # Errors
/// [`Error::Conflict`] when it is revoked, or rolled already; [`Error::NotFound`] when the tenant has none such; when
/// the database fails.
pub async fn roll(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: TokenId,
    secret: &Secret,
    overlap: Overlap,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Rolled> {
    let (permit, clock, secret) = (permit.clone(), clock.clone(), secret.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if before.revoked_at.is_some() {
                return Err(Error::Conflict("the token is revoked: create a new one instead".into()));
            }
            if let Some(successor) = before.successor_id
                && find(tx, permit.tenant(), successor).await?.is_some_and(|token| token.revoked_at.is_none())
            {
                return Err(Error::Conflict(
                    "the token was rolled already: if the secret of its successor is lost, roll the successor".into(),
                ));
            }
            let details = Details { expires_at, ..before.details.clone() };
            let mut new = new_token(&clock, before.tenant_id, &secret, details);
            new.predecessor_id = Some(before.id);
            insert(tx, &new, secret.digest()).await?;
            super::uses::hand_on(tx, &before, &new).await?;
            let overlap_ends_at = Some(overlap.end(clock.now()));
            let old = Token { successor_id: Some(new.id), overlap_ends_at, ..before.clone() };
            write_overlap(tx, &old).await?;
            // as it is told: the one was rolled, and that created the other
            written(tx, &clock, permit.actor(), "token.roll", Some(&before), &old).await?;
            written(tx, &clock, permit.actor(), "token.create", None, &new).await?;
            Ok(Rolled { old, new })
        })
    })
    .await
}

/// Lets a token that was rolled work beside its successor from now on for this long, or no longer at all.
///
/// # Errors
/// [`Error::Conflict`] when it is revoked, or was never rolled; [`Error::NotFound`] when the tenant has none such; when
/// the database fails.
pub async fn set_overlap(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: TokenId,
    overlap: Overlap,
) -> Result<Token> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, permit.tenant(), id).await?;
            if before.revoked_at.is_some() {
                return Err(Error::Conflict("the token is revoked, and that is for ever".into()));
            }
            if before.successor_id.is_none() {
                return Err(Error::Conflict("the token was never rolled: it has no overlap".into()));
            }
            if overlap == Overlap::NONE && before.state(clock.now()) == State::Replaced {
                return Ok(before);
            }
            let after = Token { overlap_ends_at: Some(overlap.end(clock.now())), ..before.clone() };
            write_overlap(tx, &after).await?;
            written(tx, &clock, permit.actor(), "token.overlap", Some(&before), &after).await?;
            Ok(after)
        })
    })
    .await
}

async fn write_overlap(tx: &mut Tx, token: &Token) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE tokens SET successor_id = $3, overlap_ends_at = $4 WHERE tenant_id = $1 AND id = $2",
        token.tenant_id,
        token.id,
        token.successor_id,
        token.overlap_ends_at,
    )?;
    Ok(())
}

async fn written(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    before: Option<&Token>,
    after: &Token,
) -> Result<()> {
    let entry = Entry {
        actor,
        tenant: Some(after.tenant_id),
        action,
        object: after.id.to_string(),
        before: before.and_then(snapshot),
        after: snapshot(after),
    };
    audit::record(tx, clock, entry).await?;
    audit::configuration_changed(tx).await
}
