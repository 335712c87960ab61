//! How tokens are used, seen at the front door: when, from where, by what, and in which place of the request.
//!
//! A request pays one look into a map in memory, and a copy of what differs from the request before it; it never
//! waits for the database. What is new is written every few seconds, by [`run`]. A process that dies loses the last
//! seconds of it, and nothing else: that an event came with a token is known from the event itself.
//!
//! Whatever opens the door counts, so dry runs, receipts and requests over the rate too. Of what is refused, only
//! what a token known here brought is noted: one that has ended, or that came from outside its networks. A revoked
//! one is forgotten by the front door, and a wrong one is nobody's.
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Known, store};
use crate::{
    auth::user_agent,
    db::Db,
    error::Result,
    ids::{TenantId, TokenId},
};

/// How often what was seen is written down.
const EVERY: Duration = Duration::from_secs(5);
/// How many tokens one transaction writes, so that ingest never waits long.
const AT_ONCE: usize = 50;
/// Maps that requests share, so that two tokens seldom wait for each other.
const SHARDS: usize = 16;
/// Networks of one token that are kept in mind; the table holds more.
const NETWORKS: usize = 32;
/// How long a network that goes on being used is not written again.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// The most that is kept of a user agent or an origin, in bytes.
const LONGEST: usize = 256;

/// Where in a request the token stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Place {
    /// In `X-CM-PRODUCTTOKEN`.
    Header,
    /// In `Authorization: Bearer`.
    Bearer,
    /// In the address.
    Query,
}

/// Why a token that is known was not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Why {
    /// It had run out, or its overlap had ended.
    Ended,
    /// It came from outside its networks.
    Network,
}

/// What one request shows of its sender.
#[derive(Debug, Clone, Copy)]
pub struct Glimpse<'r> {
    /// When.
    pub at: DateTime<Utc>,
    /// From where.
    pub address: IpAddr,
    /// Where the token stood.
    pub place: Place,
    /// What the sender calls itself.
    pub agent: &'r [u8],
    /// The web page that it came from, if it came from one.
    pub origin: Option<&'r [u8]>,
}

/// The network that an address is told by: a /24, or a /48.
pub fn network_of(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).unwrap_or_else(|_| address.into()).trunc()
}

/// A network that a token came from.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// Which.
    pub network: IpNet,
    /// The first time since it is kept in mind.
    pub first_at: DateTime<Utc>,
    /// The last time.
    pub last_at: DateTime<Utc>,
    written: Option<DateTime<Utc>>,
}

/// What is known of the use of one token since it is kept in mind.
#[derive(Debug, Default, Clone)]
struct Recent {
    used: Option<(DateTime<Utc>, IpAddr, Place)>,
    agent: Vec<u8>,
    query_at: Option<DateTime<Utc>>,
    browser_at: Option<DateTime<Utc>>,
    origin: Vec<u8>,
    refused: Option<(DateTime<Utc>, Why, IpAddr)>,
    networks: Vec<Came>,
    is_new: bool,
}

impl Recent {
    fn see(&mut self, seen: &Glimpse) {
        self.is_new = true;
        self.used = Some((seen.at, seen.address, seen.place));
        keep(&mut self.agent, seen.agent);
        if seen.place == Place::Query {
            self.query_at = Some(seen.at);
        }
        if let Some(origin) = seen.origin {
            self.browser_at = Some(seen.at);
            keep(&mut self.origin, origin);
        }
        self.came_from(network_of(seen.address), seen.at);
    }

    fn came_from(&mut self, network: IpNet, at: DateTime<Utc>) {
        if let Some(known) = self.networks.iter_mut().find(|known| known.network == network) {
            known.last_at = at;
            return;
        }
        let came = Came { network, first_at: at, last_at: at, written: None };
        if self.networks.len() < NETWORKS {
            self.networks.push(came);
        } else if let Some(oldest) =
            self.networks.iter_mut().filter(|known| known.written.is_some()).min_by_key(|known| known.last_at)
        {
            // what it makes room for is in the table
            *oldest = came;
        }
    }

    /// What is to be written, and from now on counts as written.
    fn take(&mut self) -> Option<News> {
        if !std::mem::take(&mut self.is_new) {
            return None;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(char::is_control, "");
        let used = self.used.map(|(at, address, place)| Used {
            at,
            address: address.to_string(),
            agent: user_agent::family(&text(&self.agent)),
            place,
        });
        let mut networks = Vec::new();
        for known in &mut self.networks {
            if known.written.is_none_or(|written| known.last_at - written >= AGAIN) {
                known.written = Some(known.last_at);
                networks.push(*known);
            }
        }
        Some(News {
            used,
            query_at: self.query_at,
            browser: self.browser_at.map(|at| (at, text(&self.origin))),
            refused: self.refused.map(|(at, why, address)| (at, why, address.to_string())),
            networks,
        })
    }

    /// It was not written after all.
    fn untake(&mut self) {
        self.is_new = true;
        for known in &mut self.networks {
            known.written = None;
        }
    }
}

/// Copies what is new, without a cost when it is the same as before.
fn keep(kept: &mut Vec<u8>, seen: &[u8]) {
    let seen = &seen[..seen.len().min(LONGEST)];
    if kept.as_slice() != seen {
        kept.clear();
        kept.extend_from_slice(seen);
    }
}

/// What there is to write about one token.
#[derive(Debug, Clone)]
pub struct News {
    /// The last time that it let somebody in.
    pub used: Option<Used>,
    /// The last time that it stood in an address.
    pub query_at: Option<DateTime<Utc>>,
    /// The last time that it came from a web page, and which.
    pub browser: Option<(DateTime<Utc>, String)>,
    /// The last time that it was not good enough, why, and from where.
    pub refused: Option<(DateTime<Utc>, Why, String)>,
    /// Where it came from.
    pub networks: Vec<Came>,
}

/// One use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// When.
    pub at: DateTime<Utc>,
    /// From where.
    pub address: String,
    /// By what kind of sender.
    pub agent: String,
    /// Where the token stood.
    pub place: Place,
}

type Key = (TenantId, TokenId);
type Shard = Mutex<HashMap<Key, Recent>>;

/// The uses of all tokens that this process has seen. Cheap to clone.
#[derive(Clone, Default)]
pub struct Uses(Arc<[Shard; SHARDS]>);

impl Uses {
    fn recent<T>(&self, token: &Known, then: impl FnOnce(&mut Recent) -> T) -> T {
        let mut shard = self.shard(token.id);
        then(shard.entry((token.tenant, token.id)).or_default())
    }

    fn shard(&self, id: TokenId) -> MutexGuard<'_, HashMap<Key, Recent>> {
        locked(&self.0[usize::from(id.0.as_bytes()[15]) % SHARDS])
    }

    /// A token let somebody in.
    pub fn note(&self, token: &Known, seen: &Glimpse) {
        self.recent(token, |recent| recent.see(seen));
    }

    /// A token was not good enough.
    pub fn refuse(&self, token: &Known, seen: &Glimpse, why: Why) {
        self.recent(token, |recent| {
            recent.refused = Some((seen.at, why, seen.address));
            recent.is_new = true;
        });
    }

    fn take(&self) -> Vec<(Key, News)> {
        let mut news = Vec::new();
        for shard in self.0.iter() {
            news.extend(locked(shard).iter_mut().filter_map(|(key, recent)| Some((*key, recent.take()?))));
        }
        // in one order everywhere, so that two processes never wait for each other in a circle
        news.sort_unstable_by_key(|(key, _)| *key);
        news
    }

    fn untake(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            if let Some(recent) = self.shard(key.1).get_mut(&key) {
                recent.untake();
            }
        }
    }

    /// Writes down what was seen since the last time.
    ///
    /// # Errors
    /// When the database does; it is written the next time then.
    pub async fn flush(&self, db: &Db) -> Result<()> {
        let news = self.take();
        for (n, batch) in news.chunks(AT_ONCE).enumerate() {
            let batch = batch.to_vec();
            let written = db.write(move |tx| {
                Box::pin(async move {
                    for ((tenant, token), news) in batch {
                        store::uses::add(tx, tenant, token, &news).await?;
                    }
                    Ok(())
                })
            });
            if let Err(error) = written.await {
                self.untake(news[n * AT_ONCE..].iter().map(|(key, _)| *key));
                return Err(error);
            }
        }
        Ok(())
    }
}

fn locked(shard: &Shard) -> MutexGuard<'_, HashMap<Key, Recent>> {
    // whoever panicked in there left at most one use unseen
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes down what is seen, until `stopping`. Whoever stops the server flushes once more when no request is left.
pub async fn run(uses: Uses, db: Db, stopping: CancellationToken) {
    while stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        if let Err(error) = uses.flush(&db).await {
            tracing::warn!(%error, "the use of tokens could not be written down; trying again");
        }
    }
}
