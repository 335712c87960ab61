//! An external system as small as can be: orders with a time of change, by a window, in pages.
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::{DateTime, TimeDelta, Utc};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tributary::clock::Clock;

/// One version of an order.
#[derive(Clone)]
struct Order {
    id: u32,
    version: u32,
    changed: DateTime<Utc>,
    /// When it can be seen: later than it changed, if its transaction was slow.
    seen: DateTime<Utc>,
}

/// How it answers.
#[derive(Clone, Default)]
pub struct Mood {
    /// 401 to all but this token.
    pub token: Option<String>,
    /// This status until then.
    pub busy: Option<(u16, DateTime<Utc>)>,
    /// So long each answer takes.
    pub slow: Duration,
    /// So many seconds its clock is behind.
    pub behind: i64,
}

#[derive(Default)]
struct Inner {
    orders: Vec<Order>,
    mood: Mood,
    asked: Vec<Asked>,
    under_way: usize,
    most: usize,
}

/// What it was asked.
#[derive(Clone, Copy, Deserialize)]
pub struct Asked {
    pub from: i64,
    pub until: i64,
    #[serde(default)]
    pub offset: usize,
}

/// The system. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    pub address: SocketAddr,
    clock: Clock,
    inner: Arc<Mutex<Inner>>,
}

/// Records in a page.
pub const PAGE: usize = 10;

impl Shop {
    pub async fn open(clock: &Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shop = Self { address, clock: clock.clone(), inner: Arc::default() };
        let router = Router::new().route("/orders", get(orders)).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        shop
    }

    /// The same behind TLS, by the certificate of an authority that nobody knows: `support/tls/ca.pem`.
    pub async fn behind_tls(&self) -> SocketAddr {
        let chain = CertificateDer::pem_slice_iter(include_bytes!("tls/server.pem")).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, behind) = (listener.local_addr().unwrap(), self.address);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // who does not trust the certificate goes away
                    let Ok(mut front) = acceptor.accept(socket).await else { return };
                    let mut back = TcpStream::connect(behind).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut front, &mut back).await;
                });
            }
        });
        address
    }

    /// An order that changed at `changed`, and can be seen from then on.
    pub fn order(&self, id: u32, version: u32, changed: DateTime<Utc>) {
        self.late(id, version, changed, TimeDelta::zero());
    }

    /// The same, but it can be seen only so much later.
    pub fn late(&self, id: u32, version: u32, changed: DateTime<Utc>, by: TimeDelta) {
        let order = Order { id, version, changed, seen: changed + by };
        self.inner.lock().unwrap().orders.push(order);
    }

    /// `count` orders, evenly over the time up to now.
    pub fn fill(&self, first: u32, count: u32, over: TimeDelta) {
        let now = self.clock.now();
        for n in 0..count {
            let ago = over * i32::try_from(count - n).unwrap() / i32::try_from(count).unwrap();
            self.order(first + n, 1, now - ago);
        }
    }

    pub fn mood(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.inner.lock().unwrap().mood);
    }

    /// All that changed before `until` and can be seen, as id and version.
    pub fn holds(&self, until: DateTime<Utc>) -> BTreeSet<(u32, u32)> {
        let inner = self.inner.lock().unwrap();
        let now = self.clock.now() - TimeDelta::seconds(inner.mood.behind);
        let held = inner.orders.iter().filter(|order| order.changed < until && order.seen <= now);
        held.map(|order| (order.id, order.version)).collect()
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// The most requests that were under way at once.
    pub fn most(&self) -> usize {
        self.inner.lock().unwrap().most
    }

    /// A SOURCE.json for it, with `changes` laid over it.
    pub fn source(&self, changes: Value) -> Value {
        let mut source = json!({
            "name": "Orders",
            "url": format!("http://{}/orders", self.address),
            "window": {
                "parameters": {"from": "{from}", "until": "{until}"},
                "format": {"kind": "epochMilliseconds"},
                "fromBound": "inclusive",
                "untilBound": "exclusive",
                "precision": "milliseconds",
            },
            "schedule": {"everyMinutes": 60, "settleSeconds": 0},
            "records": "$.data.items",
            "pages": {"kind": "offset", "parameter": "offset"},
            "recordId": ["/id"],
            "version": "/version",
            "recordTime": {"pointer": "/changed", "format": {"kind": "epochMilliseconds"}},
        });
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            source[name] = value;
        }
        source
    }
}

async fn orders(State(shop): State<Shop>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let (now, mood) = (shop.clock.now(), {
        let mut inner = shop.inner.lock().unwrap();
        inner.asked.push(asked);
        inner.under_way += 1;
        inner.most = inner.most.max(inner.under_way);
        inner.mood.clone()
    });
    tokio::time::sleep(mood.slow).await;
    let now = now - TimeDelta::seconds(mood.behind);
    shop.inner.lock().unwrap().under_way -= 1;
    let date = [(header::DATE, now.format("%a, %d %b %Y %H:%M:%S GMT").to_string())];
    let token = headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    if mood.token.is_some_and(|wanted| token != Some(&format!("Bearer {wanted}"))) {
        return (StatusCode::UNAUTHORIZED, date, "who are you?").into_response();
    }
    if let Some((status, until)) = mood.busy.filter(|(_, until)| now < *until) {
        let rest = (until - now).num_seconds().to_string();
        return (StatusCode::from_u16(status).unwrap(), date, [(header::RETRY_AFTER, rest)]).into_response();
    }
    let mut found: Vec<Order> = shop.inner.lock().unwrap().orders.clone();
    let changed = |order: &Order| order.changed.timestamp_millis();
    found.retain(|order| order.seen <= now && asked.from <= changed(order) && changed(order) < asked.until);
    found.sort_by_key(|order| (order.changed, order.id, order.version));
    let page: Vec<_> = found
        .iter()
        .skip(asked.offset)
        .take(PAGE)
        .map(|order| json!({"id": order.id, "version": order.version, "changed": changed(order)}))
        .collect();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (date, json, json!({"data": {"items": page}}).to_string()).into_response()
}
