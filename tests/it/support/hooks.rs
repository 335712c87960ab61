//! A receiver of web requests, in several moods: it writes down what it is sent, and whether the signature is good.
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Mood {
    Willing,
    /// 500, and says so at some length.
    Failing,
    /// Keeps the sender waiting for so long.
    Slow(Duration),
    /// Sends elsewhere.
    Redirecting(String),
    /// 200, and then more than anybody would want to read.
    Endless,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Hook {
    pub id: String,
    pub timestamp: i64,
    pub signatures: Vec<String>,
    pub text: String,
}

impl Hook {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a body of JSON")
    }

    pub fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// Of which alert, and whether it is raised or over.
    pub fn of(&self) -> (String, String) {
        (self.json()["data"]["id"].as_str().unwrap_or_default().to_owned(), self.kind())
    }

    /// As a receiver checks it, by the words of the specification.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("Base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{}.{}", self.id, self.timestamp, self.text).as_bytes());
        let good = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.signatures.contains(&good)
    }
}

type Held = Arc<(Mutex<Mood>, Mutex<Vec<Hook>>)>;

/// The receiver; it ends with the test.
#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    held: Held,
}

impl Receiver {
    pub async fn start(mood: Mood) -> Self {
        let held: Held = Arc::new((Mutex::new(mood), Mutex::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().route("/hook", post(take)).with_state(held.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, held }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn set(&self, mood: Mood) {
        *self.held.0.lock().unwrap() = mood;
    }

    pub fn all(&self) -> Vec<Hook> {
        self.held.1.lock().unwrap().clone()
    }

    /// Waits until it was sent so many; all of them.
    pub async fn sent(&self, count: usize) -> Vec<Hook> {
        let began = Instant::now();
        while self.all().len() < count {
            let kinds: Vec<_> = self.all().iter().map(Hook::kind).collect();
            assert!(began.elapsed() < Duration::from_secs(30), "only {kinds:?}, not {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.all()
    }
}

async fn take(State(held): State<Held>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let hook = Hook {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
        signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
        text: String::from_utf8_lossy(&body).into_owned(),
    };
    assert_eq!(header("content-type"), "application/json");
    held.1.lock().unwrap().push(hook);
    let mood = held.0.lock().unwrap().clone();
    match mood {
        Mood::Willing => "thank you".into_response(),
        Mood::Failing => {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("no <b>way</b> {}", "!".repeat(9_000))).into_response()
        }
        Mood::Slow(wait) => {
            tokio::time::sleep(wait).await;
            "at last".into_response()
        }
        Mood::Redirecting(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Mood::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 64 << 10]));
            Body::from_stream(chunks).into_response()
        }
    }
}
