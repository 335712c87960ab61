//! What every request passes on its way in and out: its id, its address, the headers that keep browsers safe, and
//! the form in which errors are written out.
use std::{borrow::Cow, fmt::Write, net::SocketAddr, panic::AssertUnwindSafe, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use hyper::body::Incoming;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, PublicError},
    ids::{RequestId, new_id},
    log,
    ui::{self, assets},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// No inline script or style anywhere, nothing from elsewhere, no frame around.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The same for what may stand in a frame of anybody's page: it asks nobody, and has no form.
const EMBEDDABLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *";

/// Answers one request.
pub async fn respond(router: Router, app: &App, request: hyper::Request<Incoming>, peer: SocketAddr) -> Response {
    let id = new_id(&app.clock);
    let mut response = log::of_request(id, answer(router, app, request, peer, id)).await;
    let embeddable = response.extensions().get::<Embeddable>().is_some();
    protect(response.headers_mut(), embeddable);
    if let Ok(value) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut [0; 36])) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn answer(router: Router, app: &App, request: hyper::Request<Incoming>, peer: SocketAddr, id: Uuid) -> Response {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(RequestId(id));
    if request.uri().path().starts_with("//") {
        one_slash(request.uri_mut());
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let is_ingest = path.starts_with("/events/");
    let wants_page = !is_ingest && accepts_html(request.headers());
    let began = Instant::now();
    let answered = if is_ingest || is_text(&path) {
        AssertUnwindSafe(router.oneshot(request)).catch_unwind().await
    } else {
        Ok(Ok(Error::NotFound("page").into_response()))
    };
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        // the panic hook has logged it
        Err(_) => PublicError::new(500, "Something went wrong here", "it is not your fault; the log says more")
            .into_response(),
    };
    let status = response.status();
    if is_ingest && app.metrics.is_on() {
        app.metrics.answered(status.as_u16(), began.elapsed());
    }
    if status.is_client_error() || status.is_server_error() {
        response = written_out(response, &method, &path, wants_page, &id.to_string());
    }
    // the path may be logged, the query never: tokens travel in it
    if status.is_server_error() && status.as_u16() != 503 {
        tracing::error!(%method, path, status = status.as_u16(), "a request failed");
    } else {
        tracing::debug!(%method, path, status = status.as_u16(), took = ?began.elapsed(), "answered");
    }
    response
}

/// `//events/…` becomes `/events/…`: a base address with a slash at its end.
fn one_slash(uri: &mut Uri) {
    let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str());
    let single = format!("/{}", path_and_query.trim_start_matches('/'));
    if let Ok(single) = single.parse() {
        *uri = single;
    }
}

/// Whether a path is text when its escapes are read: what is none names no page.
fn is_text(path: &str) -> bool {
    percent_encoding::percent_decode_str(path).decode_utf8().is_ok()
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// Gives an error its body: a page for a browser, a problem (RFC 9457) for everybody else. What has a body already
/// keeps it.
fn written_out(response: Response, method: &Method, path: &str, wants_page: bool, id: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let public = parts.extensions.remove::<PublicError>();
    if public.is_none()
        && parts.headers.contains_key(header::CONTENT_TYPE)
        && parts.headers[header::CONTENT_TYPE] != "text/plain; charset=utf-8"
    {
        return Response::from_parts(parts, body);
    }
    let public = public.unwrap_or_else(|| plain(parts.status.as_u16(), method, path));
    let (kind, text) = if wants_page {
        let frame =
            ui::Frame { css: assets::css_path().into(), boot: assets::boot_path().into(), ..ui::Frame::default() };
        ("text/html; charset=utf-8", ui::error_page(&frame, public.status, public.title, &public.detail, Some(id)))
    } else {
        ("application/problem+json", problem(&public, id))
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(parts, Body::from(text))
}

/// What a refusal of the framework itself means.
fn plain(status: u16, method: &Method, path: &str) -> PublicError {
    let (title, detail): (_, Cow<'static, str>) = match status {
        403 => ("Not allowed", "the request came from another site's page; open the page here and try again".into()),
        404 => ("Not found", "there is nothing at this address".into()),
        405 => {
            ("Method not allowed", format!("{method} is not possible at {path}; the header Allow says what is").into())
        }
        413 => ("Too large", "the body of the request is too large".into()),
        415 => ("Media type not supported", "send the form as a browser does".into()),
        _ => ("The request cannot be understood", "something about the request is not as expected".into()),
    };
    PublicError::new(status, title, detail)
}

fn problem(public: &PublicError, id: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut body = format!(
        r#"{{"type":"about:blank","title":{},"status":{},"detail":{},"requestId":"{id}""#,
        text(public.title),
        public.status,
        text(&public.detail),
    );
    for (name, value) in &public.fields {
        let _ = write!(body, r#","{name}":{value}"#);
    }
    body.push('}');
    body
}

/// Says of an answer that it may stand in a frame of anybody's page. It must be one that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Embeddable;

fn protect(headers: &mut HeaderMap, embeddable: bool) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let policy = if embeddable { EMBEDDABLE_POLICY } else { CONTENT_SECURITY_POLICY };
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        if !embeddable {
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    }
}
