//! The front door: authenticate, parse, validate, append, answer. It serves the contract of the wire
//! (`docs/wire.md`, `/openapi.json`) and touches the database by the write lane alone; what it needs to know it
//! knows by heart ([`directory`]).
mod allow;
mod body;
mod cors;
mod credentials;
pub mod directory;
mod judge;
mod openapi;
mod problem;
mod receipt;
mod scan;
mod send;
mod split;

use std::{net::IpAddr, num::NonZeroU32, ops::Deref, sync::Arc};

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, Request},
    http::request::Parts,
    middleware,
    routing::{any, get, post},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use uuid::Uuid;

use crate::{
    app::App,
    auth,
    events::refusals::Refusals,
    ids::{EventTypeId, TenantId, guid},
    room::Room,
    tokens::{Known, uses::Uses},
};
use credentials::{Query, authenticate};
use directory::{Directory, Snapshot};
pub use judge::{judge_record, judge_text};
use problem::Problem;

/// What the handlers of the front door share.
#[derive(Clone)]
pub struct Front(Arc<Shared>);

/// See [`Front`].
pub struct Shared {
    app: App,
    directory: Directory,
    uses: Uses,
    refusals: Refusals,
    /// What all bodies may weigh together.
    memory: Room,
    rate: Option<Arc<DefaultKeyedRateLimiter<TenantId>>>,
}

impl Front {
    /// Opens the front door; what it sees of tokens goes into `uses`, what it refuses into `refusals`.
    pub fn new(app: App, directory: Directory, uses: Uses, refusals: Refusals) -> Self {
        let limits = &app.settings.limits;
        let memory = Room::new(limits.body_memory);
        let rate =
            NonZeroU32::new(limits.tenant_rate).map(|rate| Arc::new(RateLimiter::keyed(Quota::per_second(rate))));
        Self(Arc::new(Shared { app, directory, uses, refusals, memory, rate }))
    }
}

impl Deref for Front {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Shared {
    /// How many bytes of bodies more may be held in memory.
    pub fn body_memory_left(&self) -> usize {
        self.memory.left()
    }

    /// Counts a refusal of what was sent to the address of a type. One that is not in force is known to be meant only
    /// when a token let its sender this far: any stranger may name any id.
    fn refused(&self, (tenant, id): (TenantId, EventTypeId), status: u16) {
        let in_force = || self.directory.current().tenant(tenant).is_some_and(|known| known.event_type(id).is_some());
        if (400..500).contains(&status) && (status == 404 || in_force()) {
            self.refusals.note(tenant, id, status, self.app.clock.now());
        }
    }

    /// Counts one request of a tenant against its rate.
    fn count(&self, tenant: TenantId) -> Result<(), Problem> {
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.check_key(&tenant).map_err(|refused| {
            let wait = refused.wait_time_from(rate.clock().now());
            Problem::too_often(wait.as_secs() + 1)
        })
    }
}

/// The routes of the wire. Everything under `/events/` answers problems as JSON.
pub fn routes(front: Front) -> Router {
    const TENANT: &str = "/events/v1.0/tenants/{tenant}";
    let path = |rest: &str| format!("{TENANT}{rest}");
    Router::new()
        .route(&path("/events"), post(send::mixed))
        .route(&path("/events/anonymousevents"), post(send::anonymous))
        .route(&path("/events/{event_type}"), post(send::one_type))
        .route(&path("/events/{event_type}/validate"), post(send::dry_run))
        .route(&path("/eventtypewhitelistings"), post(allow::allow_anonymous))
        .route(&path("/receipts/{receipt}"), get(receipt::show))
        // below a tenant too, so that a web page of one of its origins can read the answer
        .route(&path("/{*rest}"), any(no_path))
        .route("/events/{*rest}", any(no_path))
        .layer(middleware::from_fn_with_state(front.clone(), cors::answer))
        .route("/openapi.json", get(openapi::document))
        .with_state(front)
}

async fn no_path() -> crate::error::Error {
    crate::error::Error::NotFound("path; see /openapi.json")
}

/// The head of an ingest request: who sends what to whom, in what state of our knowledge.
struct Head {
    snapshot: Arc<Snapshot>,
    tenant: TenantId,
    query: Query,
    parts: Parts,
}

impl Head {
    /// Reads the ids of the path and the query string.
    async fn read(front: &Front, request: Request) -> Result<(Self, axum::body::Body), Problem> {
        let (mut parts, body) = request.into_parts();
        let tenant = TenantId(Self::id(&mut parts, "tenant").await?);
        let query = Query::parse(parts.uri.query())?;
        Ok((Self { snapshot: front.directory.current(), tenant, query, parts }, body))
    }

    /// A GUID of the path.
    async fn id(parts: &mut Parts, name: &str) -> Result<Uuid, Problem> {
        let ids = RawPathParams::from_request_parts(parts, &()).await;
        let ids = ids.map_err(|_| Problem::bad("the path is not understood"))?;
        let text = ids.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        guid(text).map_err(|_| {
            Problem::bad(match name {
                "tenant" => "the tenant id in the path is not a GUID",
                "event_type" => "the event type id in the path is not a GUID",
                _ => "the receipt id in the path is not a GUID",
            })
        })
    }

    fn address(&self, front: &Front) -> IpAddr {
        auth::address::client_address(&self.parts, &front.app.settings)
    }

    fn authenticate(&self, front: &Front) -> Result<Arc<Known>, Problem> {
        let (headers, address, now) = (&self.parts.headers, self.address(front), front.app.clock.now());
        let token = authenticate(&self.snapshot, &front.uses, self.tenant, headers, &self.query, address, now)?;
        front.count(self.tenant)?;
        Ok(token)
    }
}
