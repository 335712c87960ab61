//! A small live sender: it posts to the front door over HTTP, as the systems of the demo would, now and then wrongly.
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::Client;
use serde_json::Value;

use super::{
    Sender, TENANT,
    payloads::{Fault, World},
};
use crate::{
    auth::{Actor, Configure, Permit, ReadConfiguration},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    event_types, http_client,
    ids::{EventTypeId, TokenId},
    tokens::{self, Secret},
};

/// How long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// For how long the token of a sender that was killed goes on working.
const TOKEN_HOURS: i64 = 24;
/// The most that is read of an answer, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;
/// One event in so many breaks its contract.
const WRONG: f64 = 1.0 / 12.0;

/// A sender with a token of its own.
pub struct Live {
    client: Client,
    base: String,
    types: Vec<(Sender, EventTypeId)>,
    token: TokenId,
    secret: Secret,
    world: World,
    permit: Permit<Configure>,
}

/// One event that was sent.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// Its type.
    pub event_type: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// Whether it went to quarantine.
    pub quarantined: bool,
}

impl Live {
    /// Makes a token, and gets ready to send to the Tributary at `base` (no slash at its end).
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no demo; when the database fails.
    pub async fn new(db: &Db, clock: &Clock, actor: &Actor, base: String) -> Result<Self> {
        let read: Permit<ReadConfiguration> = actor.permit(TENANT)?;
        let all = event_types::list(db, &read).await?;
        let of = |sender: Sender| {
            all.iter().find(|one| one.details.name.as_str() == sender.type_name()).map(|one| (sender, one.id))
        };
        let types: Vec<_> = Sender::LIVE.into_iter().filter_map(of).collect();
        if types.is_empty() {
            return Err(Error::NotFound("demo"));
        }
        let permit: Permit<Configure> = actor.permit(TENANT)?;
        let name = "Live sender".parse().map_err(|_| Error::internal(anyhow::anyhow!("no name")))?;
        let secret = Secret::generate();
        let now = clock.now();
        let details = tokens::Details {
            event_types: Some(types.iter().map(|(_, id)| *id).collect()),
            expires_at: Some(now + TimeDelta::hours(TOKEN_HOURS)),
            ..tokens::Details::named(name)
        };
        let token = tokens::create(db, clock, &permit, &secret, details).await?.id;
        // apart from the numbers of the history and of earlier senders
        let first = 1_000_000 + u32::try_from(now.timestamp().rem_euclid(1_000_000_000)).unwrap_or(0);
        let world = World::new(u64::from(first), first);
        Ok(Self { client: http_client::direct(TIMEOUT)?, base, types, token, secret, world, permit })
    }

    /// Sends one event that happens now.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn one(&mut self, clock: &Clock) -> reqwest::Result<Sent> {
        let at = self.world.below(u32::try_from(self.types.len()).unwrap_or(1)) as usize;
        let (sender, event_type) = self.types[at];
        let fault = (self.world.chance() < WRONG).then_some(match sender {
            Sender::Crm | Sender::Erp => Fault::HalfAddress,
            Sender::Shop => Fault::AmountAsText,
            Sender::Gates => Fault::BareNumber,
        });
        let event: Value = sender.event(&mut self.world, clock.now(), fault);
        let url = format!("{}/events/v1.0/tenants/{TENANT}/events/{event_type}", self.base);
        let request = self.client.post(url).header("X-CM-PRODUCTTOKEN", self.secret.expose()).json(&event);
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        let status = answer.status().as_u16();
        let body = http_client::body(answer, LONGEST_ANSWER).await.map_err(reqwest::Error::without_url)?;
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let quarantined = said["rejected"].as_array().is_some_and(|rejected| !rejected.is_empty());
        Ok(Sent { event_type: sender.type_name(), status, quarantined })
    }

    /// How long to wait before the next, when it is `every` on average.
    pub fn pause(&mut self, every: Duration) -> Duration {
        every.mul_f64(0.4 + 1.2 * self.world.chance())
    }

    /// Revokes its token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(self, db: &Db, clock: &Clock) -> Result<()> {
        match tokens::revoke(db, clock, &self.permit, self.token).await {
            // the demo was removed meanwhile
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
