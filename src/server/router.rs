//! All routes of all slices.
use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::csrf::CsrfLayer;

use super::health::{self, Health};
use crate::{
    alerts,
    app::App,
    audit, auth, demo,
    error::{Error, PublicError},
    event_types, events, failures, help, home, hosts,
    ingest::{self, Front},
    intake, jobs, people, polling, portal, search, tenants, tokens,
    ui::assets,
};

/// Forms are small, but a contract may have 256 KiB, and a form's encoding triples it.
const FORM_BYTES: usize = 1 << 20;
/// A page that takes longer has met a database that does not answer.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Puts the slices together.
pub fn build(app: App, front: Front, health: Arc<Health>) -> Router {
    let mut same_origin = CsrfLayer::new();
    if let Ok(trusting) = CsrfLayer::new().add_trusted_origin(&*app.public_base) {
        same_origin = trusting;
    }
    let pages = Router::new()
        .merge(auth::routes())
        .merge(people::routes())
        .merge(home::routes())
        .merge(hosts::routes())
        .merge(tenants::routes())
        .merge(event_types::routes())
        .merge(polling::routes())
        .merge(tokens::routes())
        .merge(events::routes())
        .merge(failures::routes())
        .merge(intake::routes())
        .merge(jobs::routes())
        .merge(portal::routes())
        .merge(audit::routes())
        .merge(search::routes())
        .merge(alerts::routes())
        .merge(demo::routes())
        .merge(help::routes())
        .layer(middleware::from_fn(in_time))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(same_origin);
    Router::new()
        .merge(pages)
        .merge(assets::routes())
        .fallback(|| async { Error::NotFound("page") })
        .with_state(app)
        .merge(health::routes(health))
        .merge(ingest::routes(front))
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PAGE_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => PublicError::unavailable(crate::error::Unavailable::Database).into_response(),
    }
}
