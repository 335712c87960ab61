//! The use of tokens in the database: written by the front door's task, read by pages.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{get, list, list_all};
use crate::{
    auth::{Grant, ListTenants, Permit, ReadConfiguration},
    db::{Db, Tx},
    error::Result,
    ids::{TenantId, TokenId},
    sql,
    tokens::{
        Facts, Token, Warning,
        uses::{Came, News, Place, Why},
        warnings,
        warnings::{FIRST_WEEK, LATELY},
    },
};

/// The most networks that are kept of one token.
const MOST_NETWORKS: i64 = 100;
/// How long a network is kept that is used no more, once there is no room.
const STALE: TimeDelta = TimeDelta::days(90);

/// How a token was last used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct LastUse {
    /// Which token.
    #[serde(skip)]
    pub token_id: TokenId,
    /// The last time that it let somebody in.
    pub used_at: Option<DateTime<Utc>>,
    /// From where.
    pub address: Option<String>,
    /// By what kind of sender.
    pub agent: Option<String>,
    /// Where in the request it stood.
    pub place: Option<Place>,
    /// The last time that it stood in an address.
    pub query_at: Option<DateTime<Utc>>,
    /// The last time that it came from a web page.
    pub browser_at: Option<DateTime<Utc>>,
    /// Which page.
    pub origin: Option<String>,
    /// The last time that it was not good enough.
    pub refused_at: Option<DateTime<Utc>>,
    /// Why not.
    pub refused_why: Option<Why>,
    /// From where.
    pub refused_address: Option<String>,
}

impl LastUse {
    /// What is known with what has come to be known. What is older than what is known changes nothing.
    fn with(mut self, news: &News) -> Self {
        let newer = |known: Option<DateTime<Utc>>, at: DateTime<Utc>| known.is_none_or(|known| known <= at);
        if let Some(used) = news.used.as_ref().filter(|used| newer(self.used_at, used.at)) {
            self.used_at = Some(used.at);
            self.address = Some(used.address.clone());
            self.agent = Some(used.agent.clone());
            self.place = Some(used.place);
        }
        self.query_at = self.query_at.max(news.query_at);
        if let Some((at, origin)) = news.browser.as_ref().filter(|(at, _)| newer(self.browser_at, *at)) {
            self.browser_at = Some(*at);
            self.origin = Some(origin.clone());
        }
        if let Some((at, why, address)) = news.refused.as_ref().filter(|(at, ..)| newer(self.refused_at, *at)) {
            self.refused_at = Some(*at);
            self.refused_why = Some(*why);
            self.refused_address = Some(address.clone());
        }
        self
    }
}

/// A network that a token came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Which token.
    #[serde(skip)]
    pub token_id: TokenId,
    /// The network: a /24 or a /48.
    pub network: String,
    /// The first time.
    pub first_at: DateTime<Utc>,
    /// The last time, to within some minutes.
    pub last_at: DateTime<Utc>,
}

impl Network {
    /// Whether a token knows it from the one whose place it took.
    pub fn is_inherited_by(&self, token: &Token) -> bool {
        token.predecessor_id.is_some() && self.first_at < token.created_at
    }
}

/// Writes down what was seen of a token. As [`super::used`], it is no change that anybody makes.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &mut Tx, tenant: TenantId, token: TokenId, news: &News) -> Result<()> {
    let at = news.used.as_ref().map(|used| used.at);
    // it also locks the token, so that two processes add one after the other
    let found = sql!(
        exec tx,
        "UPDATE tokens SET last_used_at = CASE WHEN last_used_at IS NULL OR last_used_at < $3 THEN $3
            ELSE last_used_at END
         WHERE tenant_id = $1 AND id = $2",
        tenant,
        token,
        at,
    )?;
    if found == 0 {
        return Ok(());
    }
    let known = sql!(
        opt LastUse, tx,
        "SELECT token_id, used_at, address, agent, place, query_at, browser_at, origin, refused_at, refused_why,
            refused_address
         FROM token_uses WHERE tenant_id = $1 AND token_id = $2",
        tenant,
        token,
    )?;
    let now = known.unwrap_or_default().with(news);
    sql!(
        exec tx,
        "INSERT INTO token_uses (tenant_id, token_id, used_at, address, agent, place, query_at, browser_at, origin,
            refused_at, refused_why, refused_address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (tenant_id, token_id) DO UPDATE SET used_at = excluded.used_at, address = excluded.address,
            agent = excluded.agent, place = excluded.place, query_at = excluded.query_at,
            browser_at = excluded.browser_at, origin = excluded.origin, refused_at = excluded.refused_at,
            refused_why = excluded.refused_why, refused_address = excluded.refused_address",
        tenant,
        token,
        now.used_at,
        &now.address,
        &now.agent,
        now.place,
        now.query_at,
        now.browser_at,
        &now.origin,
        now.refused_at,
        now.refused_why,
        &now.refused_address,
    )?;
    for came in &news.networks {
        add_network(tx, tenant, token, came).await?;
    }
    Ok(())
}

async fn add_network(tx: &mut Tx, tenant: TenantId, token: TokenId, came: &Came) -> Result<()> {
    let network = came.network.to_string();
    let known = sql!(
        exec tx,
        "UPDATE token_networks SET last_at = CASE WHEN last_at < $4 THEN $4 ELSE last_at END
         WHERE tenant_id = $1 AND token_id = $2 AND network = $3",
        tenant,
        token,
        &network,
        came.last_at,
    )?;
    if known > 0 {
        return Ok(());
    }
    sql!(
        exec tx,
        "DELETE FROM token_networks WHERE tenant_id = $1 AND token_id = $2 AND last_at < $3
            AND (SELECT COUNT(*) FROM token_networks WHERE tenant_id = $1 AND token_id = $2) >= $4",
        tenant,
        token,
        came.last_at - STALE,
        MOST_NETWORKS,
    )?;
    sql!(
        exec tx,
        "INSERT INTO token_networks (tenant_id, token_id, network, first_at, last_at)
         SELECT $1, $2, $3, $4, $5
         WHERE (SELECT COUNT(*) FROM token_networks WHERE tenant_id = $1 AND token_id = $2) < $6
         ON CONFLICT (tenant_id, token_id, network) DO NOTHING",
        tenant,
        token,
        &network,
        came.first_at,
        came.last_at,
        MOST_NETWORKS,
    )?;
    Ok(())
}

/// Lets the successor of a token know the networks that its sender comes from: it was rolled because its secret may
/// be in other hands, and whoever has it next comes from elsewhere. What was itself new at the time stays unknown.
///
/// # Errors
/// When the database fails.
pub async fn hand_on(tx: &mut Tx, old: &Token, new: &Token) -> Result<()> {
    sql!(
        exec tx,
        "INSERT INTO token_networks (tenant_id, token_id, network, first_at, last_at)
         SELECT tenant_id, $3, network, first_at, last_at FROM token_networks
         WHERE tenant_id = $1 AND token_id = $2 AND (first_at <= $4 OR first_at <= $5)",
        old.tenant_id,
        old.id,
        new.id,
        new.created_at - LATELY,
        old.created_at + FIRST_WEEK,
    )?;
    Ok(())
}

/// A token with all that is known of its use.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Watched {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the text of the type says it")]
    pub token: Token,
    /// How it was last used.
    pub last_use: Option<LastUse>,
    /// Where it came from, last used first; in a list, only what is new.
    pub networks: Vec<Network>,
    /// What there is to look after.
    pub warnings: Vec<Warning>,
}

/// The tokens of a tenant, newest first, with what there is to look after.
///
/// # Errors
/// When the database fails.
pub async fn watch(db: &Db, permit: &Permit<ReadConfiguration>, now: DateTime<Utc>) -> Result<Vec<Watched>> {
    let tokens = list(db, permit).await?;
    let uses = sql!(
        all LastUse, db,
        "SELECT token_id, used_at, address, agent, place, query_at, browser_at, origin, refused_at, refused_why,
            refused_address
         FROM token_uses WHERE tenant_id = $1",
        permit.tenant(),
    )?;
    let networks = sql!(
        all Network, db,
        "SELECT n.token_id, n.network, n.first_at, n.last_at FROM token_networks n
         JOIN tokens t ON t.tenant_id = n.tenant_id AND t.id = n.token_id
         WHERE n.tenant_id = $1 AND (n.first_at > $2 OR (t.predecessor_id IS NOT NULL AND n.first_at < t.created_at))
         ORDER BY n.last_at DESC, n.network",
        permit.tenant(),
        now - LATELY,
    )?;
    Ok(judged(tokens, uses, networks, now))
}

/// The tokens of all tenants that nobody has revoked, with what there is to look after.
///
/// # Errors
/// When the database fails.
pub async fn watch_all(db: &Db, grant: &Grant<ListTenants>, now: DateTime<Utc>) -> Result<Vec<Watched>> {
    let tokens = list_all(db, grant).await?;
    let uses = sql!(
        all LastUse, db,
        "SELECT token_id, used_at, address, agent, place, query_at, browser_at, origin, refused_at, refused_why,
            refused_address
         FROM token_uses",
    )?;
    let networks = sql!(
        all Network, db,
        "SELECT n.token_id, n.network, n.first_at, n.last_at FROM token_networks n
         JOIN tokens t ON t.tenant_id = n.tenant_id AND t.id = n.token_id
         WHERE n.first_at > $1 OR (t.predecessor_id IS NOT NULL AND n.first_at < t.created_at)
         ORDER BY n.last_at DESC, n.network",
        now - LATELY,
    )?;
    Ok(judged(tokens, uses, networks, now))
}

fn judged(tokens: Vec<Token>, uses: Vec<LastUse>, networks: Vec<Network>, now: DateTime<Utc>) -> Vec<Watched> {
    let mut uses: HashMap<_, _> = uses.into_iter().map(|one| (one.token_id, one)).collect();
    let mut came: HashMap<_, Vec<_>> = HashMap::new();
    for network in networks {
        came.entry(network.token_id).or_default().push(network);
    }
    let used: HashMap<_, _> = tokens.iter().map(|token| (token.id, token.last_used_at)).collect();
    let watched = tokens.into_iter().map(|token| {
        let (last_use, mut networks) = (uses.remove(&token.id), came.remove(&token.id).unwrap_or_default());
        let successor_used_at = token.successor_id.and_then(|id| used.get(&id).copied().flatten());
        let warnings = warnings(
            &Facts { token: &token, last_use: last_use.as_ref(), networks: &networks, successor_used_at },
            now,
        );
        networks.retain(|network| !network.is_inherited_by(&token));
        Watched { token, last_use, networks, warnings }
    });
    watched.collect()
}

/// One token with all that is known of its use.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when the tenant has none such; when the database fails.
pub async fn watch_one(
    db: &Db,
    permit: &Permit<ReadConfiguration>,
    id: TokenId,
    now: DateTime<Utc>,
) -> Result<Watched> {
    let token = get(db, permit, id).await?;
    let last_use = sql!(
        opt LastUse, db,
        "SELECT token_id, used_at, address, agent, place, query_at, browser_at, origin, refused_at, refused_why,
            refused_address
         FROM token_uses WHERE tenant_id = $1 AND token_id = $2",
        permit.tenant(),
        id,
    )?;
    let networks = sql!(
        all Network, db,
        "SELECT token_id, network, first_at, last_at FROM token_networks WHERE tenant_id = $1 AND token_id = $2
         ORDER BY last_at DESC, network",
        permit.tenant(),
        id,
    )?;
    let successor_used_at = match token.successor_id {
        Some(successor) => get(db, permit, successor).await?.last_used_at,
        None => None,
    };
    let warnings =
        warnings(&Facts { token: &token, last_use: last_use.as_ref(), networks: &networks, successor_used_at }, now);
    Ok(Watched { token, last_use, networks, warnings })
}
