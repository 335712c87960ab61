//! Tokens in the database: their digests and what they may do, never their secrets.
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{Details, Known, MOST_LISTED, Secret, Token};
use crate::{
    auth::{
        Actor, Configure, Permit, ReadConfiguration,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result, is_taken},
    ids::{EventTypeId, TenantId, TokenId},
    name::Name,
    sql, tenants,
};

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    id: TokenId,
    name: Name,
    prefix: String,
    event_types: Option<String>,
    addresses: Option<String>,
    can_configure: bool,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Token {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            tenant_id: row.tenant_id,
            id: row.id,
            prefix: row.prefix,
            details: Details {
                name: row.name,
                event_types: list_of(row.event_types.as_deref())?,
                addresses: list_of(row.addresses.as_deref())?,
                can_configure: row.can_configure,
                expires_at: row.expires_at,
            },
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        })
    }
}

fn list_of<T: DeserializeOwned>(json: Option<&str>) -> Result<Option<Vec<T>>> {
    json.map(serde_json::from_str).transpose().map_err(Error::internal)
}

fn as_json(list: Option<&[impl Serialize]>) -> Result<Option<String>> {
    list.map(serde_json::to_string).transpose().map_err(Error::internal)
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
    mut details: Details,
) -> Result<Token> {
    // a token for no event type at all is a token for all of them, as an empty list in a form means
    details.event_types = details.event_types.filter(|types| !types.is_empty());
    details.addresses = details.addresses.filter(|networks| !networks.is_empty());
    if details.event_types.as_ref().is_some_and(|types| types.len() > MOST_LISTED) {
        return Err(Error::invalid("event_types", format!("a token lists at most {MOST_LISTED} event types")));
    }
    let made = Token {
        tenant_id: permit.tenant(),
        id: TokenId::new(clock),
        prefix: secret.prefix().to_owned(),
        details,
        created_at: clock.now(),
        revoked_at: None,
        last_used_at: None,
    };
    let digest = secret.digest().to_vec();
    let (actor, clock) = (permit.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, made.tenant_id).await?;
            let details = &made.details;
            for event_type in details.event_types.iter().flatten() {
                must_have(tx, made.tenant_id, *event_type).await?;
            }
            sql!(
                exec tx,
                "INSERT INTO tokens (tenant_id, id, name, prefix, digest, event_types, addresses, can_configure,
                    created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                made.tenant_id,
                made.id,
                &details.name,
                &made.prefix,
                &digest,
                as_json(details.event_types.as_deref())?,
                as_json(details.addresses.as_deref())?,
                details.can_configure,
                made.created_at,
                details.expires_at,
            )
            .map_err(|error| {
                if is_taken(&error) {
                    Error::Conflict("the tenant has this token already, in use or revoked".into())
                } else {
                    error.into()
                }
            })?;
            written(tx, &clock, &actor, "token.create", None, &made).await?;
            Ok(made)
        })
    })
    .await
}

async fn must_have(tx: &mut Tx, tenant: TenantId, id: EventTypeId) -> Result<()> {
    let found = sql!(value i64, tx, "SELECT COUNT(*) FROM event_types WHERE tenant_id = $1 AND id = $2", tenant, id)?;
    if found == 0 {
        return Err(Error::invalid("event_types", format!("the tenant has no event type {id}")));
    }
    Ok(())
}

/// The tokens of a tenant, newest first, revoked ones included.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, permit: &Permit<ReadConfiguration>) -> Result<Vec<Token>> {
    let rows = sql!(
        all Row, db,
        "SELECT tenant_id, id, name, prefix, event_types, addresses, can_configure, created_at, expires_at, revoked_at,
            last_used_at
         FROM tokens WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC",
        permit.tenant(),
    )?;
    rows.into_iter().map(Token::try_from).collect()
}

/// One token.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadConfiguration>, id: TokenId) -> Result<Token> {
    let row = sql!(
        opt Row, db,
        "SELECT tenant_id, id, name, prefix, event_types, addresses, can_configure, created_at, expires_at, revoked_at,
            last_used_at
         FROM tokens WHERE tenant_id = $1 AND id = $2",
        permit.tenant(),
        id,
    )?;
    row.ok_or(Error::NotFound("token"))?.try_into()
}

/// Makes a token useless, from now on and for ever. Revoking it again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn revoke(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: TokenId) -> Result<Token> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, permit.tenant()).await?;
            let row = sql!(
                opt Row, tx,
                "SELECT tenant_id, id, name, prefix, event_types, addresses, can_configure, created_at, expires_at,
                    revoked_at, last_used_at
                 FROM tokens WHERE tenant_id = $1 AND id = $2",
                permit.tenant(),
                id,
            )?;
            let before = Token::try_from(row.ok_or(Error::NotFound("token"))?)?;
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

#[derive(sqlx::FromRow)]
struct KnownRow {
    tenant_id: TenantId,
    id: TokenId,
    digest: Vec<u8>,
    event_types: Option<String>,
    addresses: Option<String>,
    can_configure: bool,
    expires_at: Option<DateTime<Utc>>,
}

/// The tokens of all tenants that nobody has revoked, without anybody's permission: what the front door keeps in
/// memory. Nothing that answers to a person may call this. Some may have expired.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> Result<Vec<Known>> {
    let rows = sql!(
        all KnownRow, db,
        "SELECT tenant_id, id, digest, event_types, addresses, can_configure, expires_at
         FROM tokens WHERE revoked_at IS NULL",
    )?;
    let known = |row: KnownRow| {
        let digest = row.digest.try_into();
        Ok(Known {
            tenant: row.tenant_id,
            id: row.id,
            digest: digest.map_err(|_| Error::internal(anyhow::anyhow!("the digest of token {} is cut", row.id)))?,
            event_types: list_of(row.event_types.as_deref())?,
            addresses: list_of(row.addresses.as_deref())?,
            can_configure: row.can_configure,
            expires_at: row.expires_at,
        })
    };
    rows.into_iter().map(known).collect()
}

/// Notes that a token opened the front door `at` this moment; an earlier one changes nothing. For the follower of
/// batches: it is no change that anybody makes, so nobody's permission is asked and no trail is kept.
///
/// # Errors
/// When the database fails.
pub async fn used(tx: &mut Tx, tenant: TenantId, id: TokenId, at: DateTime<Utc>) -> Result<()> {
    sql!(
        exec tx,
        "UPDATE tokens SET last_used_at = $3
         WHERE tenant_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at < $3)",
        tenant,
        id,
        at,
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
    audit::record(
        tx,
        clock,
        Entry {
            actor,
            tenant: Some(after.tenant_id),
            action,
            object: after.id.to_string(),
            before: before.and_then(snapshot),
            after: snapshot(after),
        },
    )
    .await?;
    audit::configuration_changed(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::testing::each, event_types, tokens};

    async fn tenant(db: &Db) -> TenantId {
        let cli = Actor::cli();
        let made = tenants::create(db, &Clock::system(), &cli.grant().unwrap(), None, "Acme".parse().unwrap()).await;
        made.unwrap().id
    }

    fn named(name: &str) -> Details {
        Details::named(name.parse().unwrap())
    }

    #[tokio::test]
    async fn a_token_is_kept_as_digest_and_prefix_alone() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let tenant = tenant(&db).await;
            let permit = cli.permit::<Configure>(tenant).unwrap();
            let read = cli.permit::<ReadConfiguration>(tenant).unwrap();
            let event_type = event_types::Details::named("Sale".parse().unwrap());
            let event_type = event_types::create(&db, &clock, &permit, None, event_type).await.unwrap().id;
            let secret = Secret::generate();
            let details = Details {
                event_types: Some(vec![event_type]),
                addresses: tokens::parse_networks(["10.0.0.0/8", "2001:db8::/32"]).unwrap(),
                can_configure: true,
                expires_at: Some(tokens::parse_expiry("30d", clock.now()).unwrap()),
                ..named("shop")
            };
            let made = create(&db, &clock, &permit, &secret, details.clone()).await.unwrap();
            assert_eq!(get(&db, &read, made.id).await.unwrap(), made);
            assert_eq!(list(&db, &read).await.unwrap(), std::slice::from_ref(&made));

            let known = all(&db).await.unwrap();
            assert_eq!(known[0].digest, digest_of(&secret));
            assert_eq!((known[0].tenant, known[0].id), (tenant, made.id));
            assert!(known[0].covers(event_type) && !known[0].covers(EventTypeId::new(&clock)));
            assert_eq!((&known[0].addresses, known[0].can_configure), (&details.addresses, true));
            assert_eq!(known[0].expires_at, details.expires_at);

            let trail = sql!(values Option<String>, &db, "SELECT after FROM audit").unwrap();
            let hidden = &secret.expose()[12..];
            assert!(trail.iter().flatten().all(|after| !after.contains(hidden)));
        })
        .await;
    }

    fn digest_of(secret: &Secret) -> [u8; 32] {
        tokens::digest(secret.expose())
    }

    #[tokio::test]
    async fn revoking_is_for_ever_and_twice_is_once() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let tenant = tenant(&db).await;
            let permit = cli.permit::<Configure>(tenant).unwrap();
            let secret = Secret::generate();
            let made = create(&db, &clock, &permit, &secret, named("shop")).await.unwrap();
            assert_eq!(made.state(clock.now()), tokens::State::Active);
            let gone = revoke(&db, &clock, &permit, made.id).await.unwrap();
            assert_eq!(gone.state(clock.now()), tokens::State::Revoked);
            clock.advance(60);
            assert_eq!(revoke(&db, &clock, &permit, made.id).await.unwrap(), gone);
            assert!(all(&db).await.unwrap().is_empty());
            let trail = sql!(value i64, &db, "SELECT COUNT(*) FROM audit WHERE action = 'token.revoke'").unwrap();
            assert_eq!(trail, 1);
            // and it cannot be brought back by importing it
            assert!(matches!(create(&db, &clock, &permit, &secret, named("x")).await, Err(Error::Conflict(_))));
        })
        .await;
    }

    #[tokio::test]
    async fn a_token_stays_within_its_tenant() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let (own, other) = (tenant(&db).await, tenant(&db).await);
            let event_type = event_types::Details::named("Sale".parse().unwrap());
            let foreign =
                event_types::create(&db, &clock, &cli.permit(other).unwrap(), None, event_type).await.unwrap().id;
            let details = Details { event_types: Some(vec![foreign]), ..named("shop") };
            let refused = create(&db, &clock, &cli.permit(own).unwrap(), &Secret::generate(), details).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");

            let made =
                create(&db, &clock, &cli.permit(own).unwrap(), &Secret::generate(), named("shop")).await.unwrap();
            let foreign = revoke(&db, &clock, &cli.permit(other).unwrap(), made.id).await;
            assert!(matches!(foreign, Err(Error::NotFound("token"))));
            assert!(matches!(get(&db, &cli.permit(other).unwrap(), made.id).await, Err(Error::NotFound("token"))));
            assert_eq!(all(&db).await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn last_use_only_moves_forward_and_is_no_change_of_configuration() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let tenant = tenant(&db).await;
            let made =
                create(&db, &clock, &cli.permit(tenant).unwrap(), &Secret::generate(), named("shop")).await.unwrap();
            let version = sql!(value i64, &db, "SELECT version FROM configuration").unwrap();
            let later = clock.now();
            for at in [later, later - chrono::Duration::seconds(5)] {
                db.write(move |tx| Box::pin(async move { used(tx, tenant, made.id, at).await })).await.unwrap();
            }
            let read = get(&db, &cli.permit(tenant).unwrap(), made.id).await.unwrap();
            assert_eq!(read.last_used_at, Some(later));
            assert_eq!(sql!(value i64, &db, "SELECT version FROM configuration").unwrap(), version);
        })
        .await;
    }
}
