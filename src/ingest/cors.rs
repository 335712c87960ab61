//! Which web pages may send events: those whose origin the tenant lists.
use axum::{
    extract::{RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Front;
use crate::ids::{TenantId, guid};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, content-encoding, x-cm-producttoken, authorization, idempotency-key, ce-id, ce-source, ce-type, \
     ce-specversion, ce-time",
);
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after");

/// Answers preflights, and adds to every other answer what a browser needs to show it to a page of a listed origin.
pub async fn answer(State(front): State<Front>, params: RawPathParams, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS;
    if origin.is_none() && !preflight {
        return next.run(request).await;
    }
    let tenant = params.iter().find(|(name, _)| *name == "tenant").and_then(|(_, id)| guid(id).ok()).map(TenantId);
    let allowed = origin.filter(|origin| listed(&front, tenant, origin));
    // the router adds Allow, which it alone knows
    let mut response = if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        allow(headers, origin, preflight);
    }
    response
}

fn listed(front: &Front, tenant: Option<TenantId>, origin: &HeaderValue) -> bool {
    let snapshot = front.directory.current();
    let origins = tenant.and_then(|id| snapshot.tenant(id)).map(|tenant| &tenant.cors_origins);
    origins.is_some_and(|origins| origins.iter().any(|listed| origin.as_bytes() == listed.as_str().as_bytes()))
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue, preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
