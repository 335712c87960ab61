//! The stand-in behind its socket.
use std::{
    collections::HashMap,
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Item, Manner, Paging, Trouble, World};
use crate::clock::Clock;

/// How large a bomb is, unpacked.
const BOMB: usize = 256 << 20;

/// A stand-in that answers. It ends when this is dropped.
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    served: Arc<Served>,
    task: JoinHandle<std::io::Result<()>>,
}

struct Served {
    manner: Manner,
    world: World,
    clock: Clock,
    requests: AtomicU64,
}

impl Running {
    /// The address of its records.
    pub fn url(&self) -> String {
        format!("http://{}/records", self.address)
    }

    /// What it truly holds.
    pub fn world(&self) -> &World {
        &self.served.world
    }

    /// How often it was asked.
    pub fn requests(&self) -> u64 {
        self.served.requests.load(Ordering::Relaxed)
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When the socket does.
    pub async fn ended(mut self) -> std::io::Result<()> {
        (&mut self.task).await.unwrap_or(Ok(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a stand-in.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn start(listen: SocketAddr, manner: Manner, clock: Clock) -> std::io::Result<Running> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let served = Arc::new(Served { world: World::new(&manner), manner, clock, requests: AtomicU64::new(0) });
    let router = Router::new().route("/records", get(records)).with_state(Arc::clone(&served));
    let task = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Running { address, served, task })
}

async fn records(
    State(served): State<Arc<Served>>,
    Query(asked): Query<HashMap<String, String>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let request = served.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let now = served.clock.now() + served.manner.skew;
    let mut response = served.answer(request, &asked, &uri, &headers, now);
    if let Ok(date) = HeaderValue::try_from(http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

impl Served {
    fn answer(
        &self,
        request: u64,
        asked: &HashMap<String, String>,
        uri: &Uri,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Response {
        if let Some(token) = &self.manner.token {
            let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            if said != Some(&format!("Bearer {token}")) {
                return (StatusCode::UNAUTHORIZED, r#"{"error":"who are you"}"#).into_response();
            }
        }
        let trouble = self.manner.trouble(request);
        if let Some(response) = trouble.and_then(|trouble| plain(trouble, now)) {
            return response;
        }
        let text = |name: &str| asked.get(name).map(String::as_str);
        let found = match self.world.window(text("from"), text("until"), now) {
            Ok(found) => found,
            Err(why) => return (StatusCode::BAD_REQUEST, json!({"error": why}).to_string()).into_response(),
        };
        let marks = if self.manner.conditional { marks(&found) } else { Vec::new() };
        if unchanged(&marks, headers) {
            return (StatusCode::NOT_MODIFIED, AppendHeaders(marks)).into_response();
        }
        let (body, more) = self.page(found, asked, uri, trouble);
        let mut response = match trouble {
            Some(Trouble::Cut) => body[..body.len() / 2].to_owned().into_response(),
            Some(Trouble::Reset) => {
                let half = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
                let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Body::from_stream(stream::iter([Ok(half), Err(broken)])).into_response()
            }
            Some(Trouble::Drip) => {
                let drops = stream::unfold(0_u64, |n| async move {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    Some((Ok::<_, std::io::Error>(Bytes::from_static(if n == 0 { b"[" } else { b" " })), n + 1))
                });
                Body::from_stream(drops).into_response()
            }
            _ => body.into_response(),
        };
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        let more = more.into_iter().map(|(name, value)| (HeaderName::from_static(name), value));
        for (name, value) in more.chain(marks) {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// One page, and the headers that lead to the next.
    fn page(
        &self,
        mut found: Vec<&Item>,
        asked: &HashMap<String, String>,
        uri: &Uri,
        trouble: Option<Trouble>,
    ) -> (String, Vec<(&'static str, String)>) {
        let number = |name: &str| asked.get(name).and_then(|text| text.parse::<u64>().ok());
        let size = number("size").unwrap_or(self.manner.size).clamp(1, self.manner.size.max(1));
        let offset = match self.manner.paging {
            Paging::None => 0,
            Paging::Number => (number("page").unwrap_or(1).max(1) - 1) * size,
            Paging::Offset => number("offset").unwrap_or(0),
            _ => number("cursor").unwrap_or(0),
        };
        if trouble == Some(Trouble::Shift) && offset > 0 && !found.is_empty() {
            found.remove(0);
        }
        let size = if self.manner.paging == Paging::None { found.len() as u64 } else { size };
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(found.len());
        let items: Vec<Value> =
            found[at(offset)..at(offset + size)].iter().map(|item| self.world.shown(item)).collect();
        let mut next = (offset + size < found.len() as u64).then_some(offset + size);
        if trouble == Some(Trouble::Repeat) {
            next = Some(offset);
        }
        let mut pairs: Vec<_> = asked.iter().filter(|(name, _)| *name != "cursor").collect();
        pairs.sort();
        let address = next.map(|next| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(pairs).append_pair("cursor", &next.to_string());
            format!("{}?{}", uri.path(), query.finish())
        });
        let mut meta = json!({"total": found.len()});
        let mut more = Vec::new();
        match (self.manner.paging, next, address) {
            (Paging::Cursor, next, _) => meta["cursor"] = next.map(|next| next.to_string()).into(),
            (Paging::Next, _, address) => meta["next"] = address.into(),
            (Paging::CursorHeader, Some(next), _) => more.push(("x-next", next.to_string())),
            (Paging::Link, _, Some(address)) => more.push(("link", format!("<{address}>; rel=\"next\""))),
            _ => {}
        }
        (json!({"meta": meta, "data": {"items": items}}).to_string(), more)
    }
}

/// What tells an answer from others: all that is in it, and when the newest of it was changed.
fn marks(found: &[&Item]) -> Vec<(HeaderName, String)> {
    let all: Vec<_> = found.iter().map(|item| format!("{}.{}", item.id, item.version)).collect();
    let etag = crate::crypto::base64url(&crate::crypto::sha256(all.join(" ").as_bytes()));
    let newest = found.iter().map(|item| item.changed).max();
    let newest = newest.map(|newest| (header::LAST_MODIFIED, http_date(newest)));
    [(header::ETAG, format!("\"{etag}\""))].into_iter().chain(newest).collect()
}

/// Whether who asks has this answer: by its `ETag` where that is said, and else by its time.
fn unchanged(marks: &[(HeaderName, String)], headers: &HeaderMap) -> bool {
    let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mark = |name| marks.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    if let Some(etag) = said(header::IF_NONE_MATCH) {
        return mark(header::ETAG) == Some(etag);
    }
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    let since = said(header::IF_MODIFIED_SINCE).and_then(date);
    since.zip(mark(header::LAST_MODIFIED).and_then(date)).is_some_and(|(since, newest)| newest <= since)
}

/// Troubles that need no records.
fn plain(trouble: Trouble, now: DateTime<Utc>) -> Option<Response> {
    let later = http_date(now + TimeDelta::seconds(2));
    Some(match trouble {
        Trouble::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
        Trouble::Forbidden => StatusCode::FORBIDDEN.into_response(),
        Trouble::TooMany => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1".to_owned())]).into_response(),
        Trouble::Away => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, later)]).into_response(),
        Trouble::Fails => (StatusCode::INTERNAL_SERVER_ERROR, "it hurts").into_response(),
        Trouble::Inside => (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/latest")]).into_response(),
        Trouble::Html => ([(header::CONTENT_TYPE, "text/html")], "<html>down for maintenance</html>").into_response(),
        Trouble::Bomb => {
            let packed = flate2::Compression::fast();
            let mut bomb = flate2::write::GzEncoder::new(Vec::new(), packed);
            let spaces = vec![b' '; 1 << 20];
            for _ in 0..BOMB >> 20 {
                bomb.write_all(&spaces).ok()?;
            }
            let kind = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
            (kind, bomb.finish().ok()?).into_response()
        }
        _ => return None,
    })
}
