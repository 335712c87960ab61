//! Tokens in the database: their digests and what they may do, never their secrets.
/// A query of whole tokens.
macro_rules! tokens {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, id, name, prefix, event_types, addresses, can_configure, created_at, expires_at, ",
            "revoked_at, last_used_at, predecessor_id, successor_id, overlap_ends_at FROM tokens ",
            $rest
        )
    };
}

mod change;
#[cfg(test)]
mod tests;
pub mod uses;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::{Details, Known, Token, earlier};
use crate::{
    auth::{Administer, Grant, ListTenants, Permit, ReadConfiguration},
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TenantId, TokenId},
    name::Name,
    sql,
};
pub use change::{Overlap, Rolled, change, create, create_in, revoke, roll, set_overlap};
pub use uses::{Watched, watch, watch_one};

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
    predecessor_id: Option<TokenId>,
    successor_id: Option<TokenId>,
    overlap_ends_at: Option<DateTime<Utc>>,
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
            predecessor_id: row.predecessor_id,
            successor_id: row.successor_id,
            overlap_ends_at: row.overlap_ends_at,
        })
    }
}

fn list_of<T: DeserializeOwned>(json: Option<&str>) -> Result<Option<Vec<T>>> {
    json.map(serde_json::from_str).transpose().map_err(Error::internal)
}

fn as_json(list: Option<&[impl Serialize]>) -> Result<Option<String>> {
    list.map(serde_json::to_string).transpose().map_err(Error::internal)
}

/// The tokens of a tenant, newest first, revoked ones included.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &Db, permit: &Permit<ReadConfiguration>) -> Result<Vec<Token>> {
    let rows = sql!(all Row, db, tokens!("WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC"), permit.tenant())?;
    rows.into_iter().map(Token::try_from).collect()
}

/// The tokens of all tenants that nobody has revoked, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list_all(db: &Db, _grant: &Grant<ListTenants>) -> Result<Vec<Token>> {
    let rows = sql!(all Row, db, tokens!("WHERE revoked_at IS NULL ORDER BY created_at DESC, id DESC"))?;
    rows.into_iter().map(Token::try_from).collect()
}

/// One token.
///
/// # Errors
/// [`Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn get(db: &Db, permit: &Permit<ReadConfiguration>, id: TokenId) -> Result<Token> {
    let row = sql!(opt Row, db, tokens!("WHERE tenant_id = $1 AND id = $2"), permit.tenant(), id)?;
    row.ok_or(Error::NotFound("token"))?.try_into()
}

/// The tokens of all tenants that have this secret: for whoever has found one, and owns the installation.
///
/// # Errors
/// When the database fails.
pub async fn known_by(db: &Db, _grant: &Grant<Administer>, digest: [u8; 32]) -> Result<Vec<Token>> {
    let rows = sql!(all Row, db, tokens!("WHERE digest = $1 ORDER BY tenant_id"), digest.to_vec())?;
    rows.into_iter().map(Token::try_from).collect()
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
    overlap_ends_at: Option<DateTime<Utc>>,
}

/// The tokens of all tenants that nobody has revoked, without anybody's permission: what the front door keeps in
/// memory. Nothing that answers to a person may call this. Some may have ended.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> Result<Vec<Known>> {
    let rows = sql!(
        all KnownRow, db,
        "SELECT tenant_id, id, digest, event_types, addresses, can_configure, expires_at, overlap_ends_at
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
            expires_at: earlier(row.expires_at, row.overlap_ends_at),
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
