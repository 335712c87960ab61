//! Events as they are committed, told to browsers as server-sent events.
//!
//! Each stream looks for itself: when something is committed here, and every second where other processes commit too.
//! Who looks is asked again every half minute, so that a session that was ended, or a role that was taken away, stops
//! seeing.
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event as Message, KeepAlive, Sse},
    },
    routing::get,
};
use chrono::SecondsFormat;
use futures_util::stream;
use tokio::{sync::watch::Receiver, time::Instant};

use super::{
    Asked, Cursor, Event, store,
    watch::{News, Watch},
};
use crate::{
    app::App,
    auth::{self, Actor, Permit, ReadConfiguration, ReadPayloads, session},
    crypto,
    error::{Error, Result},
    event_types,
    ids::{EventId, EventTypeId, TenantId},
    islands::model::{LiveEvent, Skipped},
};

/// The least time between two looks.
const REST: Duration = Duration::from_millis(200);
/// The longest to wait after that, where other processes may commit.
const SHARED: Duration = Duration::from_millis(800);
/// The longest, where every commit is told.
const ALONE: Duration = Duration::from_secs(10);
/// How often it is asked who looks.
const RECHECK: Duration = Duration::from_secs(30);
/// How many events are told at once.
const AT_ONCE: usize = 50;
/// How many characters of a payload are told.
const SUMMARY: usize = 160;
/// How often something is said when nothing happens. By not taking it, a browser that has gone away is found out.
const ALIVE: Duration = Duration::from_secs(3);
/// How soon a browser comes back to a stream that broke off.
const RETRY: Duration = Duration::from_secs(2);

/// The routes of this file.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/stream", get(of_tenant))
        .route("/tenants/{tenant}/event-types/{event_type}/stream", get(of_type))
}

/// All events of a tenant, for who may read them.
async fn of_tenant(
    State(app): State<App>,
    permit: Permit<ReadPayloads>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let viewer = Viewer::new(&app, permit.actor(), permit.tenant(), &headers, Least::Payloads);
    let after = begin_after(&headers, query.as_deref());
    Ok(respond(Live::begin(app, viewer, None, after).await?))
}

/// The events of one type; for who may not read payloads, without them.
async fn of_type(
    State(app): State<App>,
    permit: Permit<ReadConfiguration>,
    Path((_, event_type)): Path<(String, String)>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let event_type: EventTypeId = event_type.parse().map_err(|_| Error::NotFound("event type"))?;
    event_types::store::get(&app.db, &permit, event_type).await?;
    let viewer = Viewer::new(&app, permit.actor(), permit.tenant(), &headers, Least::Configuration);
    let after = begin_after(&headers, query.as_deref());
    Ok(respond(Live::begin(app, viewer, Some(event_type), after).await?))
}

/// Where a stream goes on: what the browser says after a break, or else what the page says.
fn begin_after(headers: &HeaderMap, query: Option<&str>) -> Option<EventId> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    last.or_else(|| match Asked::parse(query.unwrap_or_default()).cursor {
        Cursor::After(id) => Some(id),
        Cursor::Newest | Cursor::Before(_) => None,
    })
}

fn respond(live: Live) -> Response {
    let messages = stream::unfold(live, async |mut live| Some((Ok::<_, Infallible>(live.next().await?), live)));
    let mut response = Sse::new(messages).keep_alive(KeepAlive::new().interval(ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // proxies hold answers back otherwise
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// What one must be allowed to for a stream.
#[derive(Debug, Clone, Copy)]
enum Least {
    Configuration,
    Payloads,
}

/// Who looks: the session, which may end, and what it allows.
struct Viewer {
    session: Option<crypto::Secret>,
    tenant: TenantId,
    least: Least,
    reads_payloads: bool,
    checked: Instant,
}

impl Viewer {
    fn new(app: &App, actor: &Actor, tenant: TenantId, headers: &HeaderMap, least: Least) -> Self {
        Self {
            session: session::cookie(headers, app.is_https()),
            tenant,
            least,
            reads_payloads: actor.permit::<ReadPayloads>(tenant).is_ok(),
            checked: Instant::now(),
        }
    }

    /// Whether the session lives and still allows it; notes whether it allows payloads.
    async fn may_still_look(&mut self, app: &App) -> Result<bool> {
        let Some(session) = &self.session else { return Ok(false) };
        let Some(found) = auth::store::find_session(&app.db, &app.clock, session.digest()).await? else {
            return Ok(false);
        };
        if found.must_enrol {
            return Ok(false);
        }
        let actor = Actor {
            user: Some(found.user_id),
            name: found.email,
            role: found.role,
            tenant: found.tenant_id,
            address: None,
            request: None,
        };
        self.checked = Instant::now();
        self.reads_payloads = actor.permit::<ReadPayloads>(self.tenant).is_ok();
        Ok(match self.least {
            Least::Payloads => self.reads_payloads,
            Least::Configuration => actor.permit::<ReadConfiguration>(self.tenant).is_ok(),
        })
    }
}

/// One open stream.
struct Live {
    app: App,
    viewer: Viewer,
    watch: Watch,
    names: HashMap<EventTypeId, String>,
    commits: Receiver<u64>,
    recheck: Duration,
    has_looked: bool,
    queue: VecDeque<Message>,
}

impl Live {
    async fn begin(app: App, viewer: Viewer, event_type: Option<EventTypeId>, after: Option<EventId>) -> Result<Self> {
        // before the first look, so that no commit falls between the two
        let commits = app.lane.commits();
        let now = app.clock.now();
        let watch = Watch::begin(&app.db, viewer.tenant, event_type, store::START, after, now).await?;
        // the first bytes at once: the browser knows then that it is connected
        let hello = Message::default().retry(RETRY).comment("connected");
        let (names, queue) = (HashMap::new(), VecDeque::from([hello]));
        Ok(Self { app, viewer, watch, names, commits, recheck: RECHECK, has_looked: false, queue })
    }

    /// The next message; none when the stream ends.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Some(message);
            }
            // what came before the stream was opened is told at once
            if std::mem::replace(&mut self.has_looked, true) {
                self.app.stopping.clone().run_until_cancelled(self.wait()).await?;
            }
            match self.look().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    tracing::warn!(%error, "a live stream cannot look for events; it ends, and browsers come back");
                    return None;
                }
            }
        }
    }

    /// Until it is worth looking again.
    async fn wait(&mut self) {
        tokio::time::sleep(REST).await;
        let most = if self.app.db.is_sqlite() { ALONE } else { SHARED };
        let committed = async {
            if self.commits.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // either way it is time
        let _ = tokio::time::timeout(most, committed).await;
    }

    /// Queues what has come; false when the viewer may not look any more.
    async fn look(&mut self) -> Result<bool> {
        if self.viewer.checked.elapsed() >= self.recheck {
            if !self.viewer.may_still_look(&self.app).await? {
                return Ok(false);
            }
            // types may have been renamed
            self.names.clear();
        }
        let mut newest = self.watch.newest();
        let News { events, skipped } = self.watch.look(&self.app.db, self.app.clock.now(), AT_ONCE).await?;
        if skipped > 0 {
            let text = serde_json::to_string(&Skipped { skipped }).map_err(Error::internal)?;
            self.queue.push_back(Message::default().event("skipped").data(text));
        }
        if events.iter().any(|event| !self.names.contains_key(&event.event_type_id)) {
            let names = event_types::store::names(&self.app.db, self.viewer.tenant).await?;
            self.names = names.into_iter().map(|(id, name)| (id, name.to_string())).collect();
        }
        for event in events {
            let told = serde_json::to_string(&self.told(&event)).map_err(Error::internal)?;
            // after a break it goes on behind the newest so far, even when a late one was told last
            newest = newest.max(event.id);
            self.queue.push_back(Message::default().event("event").id(newest.to_string()).data(told));
        }
        Ok(true)
    }

    fn told(&self, event: &Event) -> LiveEvent {
        let (tenant, event_type) = (self.viewer.tenant, event.event_type_id);
        let (summary, href) = if self.viewer.reads_payloads {
            (beginning(&event.payload, SUMMARY), format!("/tenants/{tenant}/events/{}", event.id))
        } else {
            (String::new(), format!("/tenants/{tenant}/event-types/{event_type}"))
        };
        LiveEvent {
            id: event.id.to_string(),
            tenant_id: tenant.to_string(),
            event_type_id: event_type.to_string(),
            event_type: self.names.get(&event_type).cloned().unwrap_or_else(|| event_type.to_string()),
            received_at: event.id.received_at().to_rfc3339_opts(SecondsFormat::Millis, true),
            verdict: event.verdict.word().to_owned(),
            summary,
            href,
        }
    }
}

/// The first characters of a payload on one line.
pub(super) fn beginning(payload: &str, characters: usize) -> String {
    let mut text = String::new();
    for word in payload.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::BodyDataStream;
    use futures_util::StreamExt;

    use super::*;
    use crate::{
        auth::Role,
        db::testing::each,
        events::testing::{Bench, Browser, some_type},
        sql,
    };

    /// What a browser hears.
    struct Ear {
        body: BodyDataStream,
        heard: String,
    }

    impl Ear {
        async fn on(browser: &Browser, path: &str) -> Self {
            let response = browser.ask(path).await;
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
            Self::of(response).await
        }

        /// Listens from the greeting on.
        async fn of(response: Response) -> Self {
            let mut ear = Self { body: response.into_body().into_data_stream(), heard: String::new() };
            assert!(ear.hears("connected").await);
            ear
        }

        /// Whether `text` is heard soon; what was said before it is forgotten.
        async fn hears(&mut self, text: &str) -> bool {
            let listen = async {
                while !self.heard.contains(text) {
                    match self.body.next().await {
                        Some(bytes) => self.heard.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap()),
                        None => return false,
                    }
                }
                self.heard.drain(..self.heard.find(text).unwrap() + text.len());
                true
            };
            tokio::time::timeout(Duration::from_secs(4), listen).await.unwrap_or(false)
        }

        /// Whether the stream ends soon.
        async fn ends(&mut self) -> bool {
            let body = &mut self.body;
            tokio::time::timeout(Duration::from_secs(4), async { while body.next().await.is_some() {} }).await.is_ok()
        }
    }

    #[tokio::test]
    async fn an_event_is_told_within_two_seconds() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let event_type = bench.named_type("Order").await;
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let mut ear = Ear::on(&browser, &format!("/tenants/{}/stream", bench.tenant)).await;
            let began = Instant::now();
            let id = bench.one(event_type, "{ \"n\" :\n 1}").await;
            assert!(ear.hears("event: event\n").await);
            assert!(began.elapsed() < Duration::from_secs(2));
            assert!(ear.hears(&format!("\"id\":\"{id}\"")).await);
            assert!(ear.hears("\"event_type\":\"Order\"").await);
            assert!(ear.hears(r#""verdict":"accepted","summary":"{ \"n\" : 1}""#).await);
            // of a type that is made while the stream is open
            bench.one(bench.named_type("Later").await, "{}").await;
            assert!(ear.hears("\"event_type\":\"Later\"").await);
        })
        .await;
    }

    #[tokio::test]
    async fn after_a_break_it_goes_on_where_it_was() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let (first, second) = (bench.one(some_type(0), "{}").await, bench.one(some_type(0), "{}").await);
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let path = format!("/tenants/{}/stream?after={}", bench.tenant, first.min(second));
            let mut ear = Ear::on(&browser, &path).await;
            assert!(ear.hears(&format!("\"id\":\"{}\"", first.max(second))).await);
            // the browser's word counts for more than the page's
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", HeaderValue::from_str(&first.max(second).to_string()).unwrap());
            let after = Some(first.max(second));
            assert_eq!(begin_after(&headers, Some(&format!("after={first}"))), after);
            assert_eq!(begin_after(&HeaderMap::new(), Some(&format!("after={first}"))), Some(first));
            assert_eq!(begin_after(&HeaderMap::new(), Some("after=nonsense")), None);
        })
        .await;
    }

    #[tokio::test]
    async fn who_may_not_read_payloads_hears_of_them_only() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let (own, other) = (bench.named_type("Order").await, bench.named_type("Other").await);
            let browser = Browser::new(&bench, Role::SuccessManager, None).await;
            let path = format!("/tenants/{}/event-types/{own}/stream", bench.tenant);
            let mut ear = Ear::on(&browser, &path).await;
            bench.one(other, r#"{"secret":1}"#).await;
            bench.one(own, r#"{"secret":2}"#).await;
            assert!(ear.hears(r#""summary":"""#).await);
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert!(!ear.heard.contains("secret") && !ear.heard.contains("Other"), "{}", ear.heard);
        })
        .await;
    }

    #[tokio::test]
    async fn a_flood_is_told_in_part() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let mut ear = Ear::on(&browser, &format!("/tenants/{}/stream", bench.tenant)).await;
            bench.send(&[(some_type(0), None, "{}", None); 80]).await;
            assert!(ear.hears("event: skipped\ndata: {\"skipped\":30}").await);
        })
        .await;
    }

    /// A stream that asks at every look who looks.
    async fn wary(browser: &Browser, bench: &Bench, least: Least, event_type: Option<EventTypeId>) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(&browser.cookie).unwrap());
        let viewer = Viewer::new(&browser.app, &Actor::cli(), bench.tenant, &headers, least);
        let live = Live::begin(browser.app.clone(), viewer, event_type, None).await.unwrap();
        respond(Live { recheck: Duration::ZERO, ..live })
    }

    #[tokio::test]
    async fn a_session_that_ends_hears_no_more() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let mut ear = Ear::of(wary(&browser, &bench, Least::Payloads, None).await).await;
            let event_type = bench.named_type("Order").await;
            bench.one(event_type, r#"{"first":1}"#).await;
            assert!(ear.hears("first").await);
            let user = browser.user;
            let ended = db.write(move |tx| {
                Box::pin(async move { Ok(sql!(exec tx, "DELETE FROM sessions WHERE user_id = $1", user)?) })
            });
            assert_eq!(ended.await.unwrap(), 1);
            bench.one(event_type, r#"{"second":1}"#).await;
            assert!(ear.ends().await && !ear.heard.contains("second"));
        })
        .await;
    }

    #[tokio::test]
    async fn a_role_that_is_taken_away_takes_the_payloads_with_it() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let event_type = bench.named_type("Order").await;
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let mut of_type = Ear::of(wary(&browser, &bench, Least::Configuration, Some(event_type)).await).await;
            let mut of_all = Ear::of(wary(&browser, &bench, Least::Payloads, None).await).await;
            let user = browser.user;
            let changed = db.write(move |tx| {
                Box::pin(async move {
                    let role = Role::SuccessManager;
                    Ok(sql!(exec tx, "UPDATE users SET role = $2 WHERE id = $1", user, role)?)
                })
            });
            assert_eq!(changed.await.unwrap(), 1);
            bench.one(event_type, r#"{"secret":1}"#).await;
            assert!(of_all.ends().await);
            assert!(of_type.hears(r#""summary":"""#).await);
        })
        .await;
    }

    #[tokio::test]
    async fn a_server_that_stops_ends_its_streams() {
        each(async |db| {
            let bench = Bench::with_tenant(&db).await;
            let browser = Browser::new(&bench, Role::Consultant, None).await;
            let mut ear = Ear::on(&browser, &format!("/tenants/{}/stream", bench.tenant)).await;
            browser.app.stopping.cancel();
            let began = Instant::now();
            assert!(ear.ends().await && began.elapsed() < Duration::from_secs(1));
        })
        .await;
    }

    #[test]
    fn a_beginning_is_one_line_and_cut_between_characters() {
        assert_eq!(beginning("{ \"a\":\n\t1 }", 100), "{ \"a\": 1 }");
        assert_eq!(beginning("éééé", 3), "ééé…");
        assert_eq!(beginning("ééé", 3), "ééé");
    }
}
