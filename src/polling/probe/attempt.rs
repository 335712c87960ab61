//! **Try it**: one real GET shows what is asked, what comes back, which records were found, and the events that they
//! would become. Nothing is stored.
use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::{
    crypto::Secret,
    http_client::Client,
    polling::{
        Window,
        definition::Definition,
        fetch::{Evidence, Fault, Reading, Shown},
    },
};

/// How much is shown of the answer, in bytes.
const SAMPLE: usize = 4096;
/// How many events are shown.
const EVENTS: usize = 20;

/// What came of trying a definition out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The window that was asked for.
    pub window: Window,
    /// What was asked, secrets hidden.
    pub request: Option<Shown>,
    /// How it went.
    pub evidence: Option<Evidence>,
    /// How the answer begins, secrets hidden.
    pub answer: Option<String>,
    /// How many records the first page holds.
    pub records: u64,
    /// The first of the events that they would become.
    pub events: Vec<Tried>,
    /// Whether another page follows.
    pub another_page: bool,
    /// What would be asked for it, secrets hidden.
    pub next: Option<Shown>,
    /// How far the other side's clock is ahead, in seconds, about.
    pub skew_seconds: Option<i64>,
    /// What went wrong.
    pub fault: Option<Wrong>,
}

/// An event that a record would become.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// The event, or what came.
    pub event: Value,
    /// What makes it unique.
    pub unique: String,
    /// Its own time.
    pub time: Option<chrono::DateTime<chrono::Utc>>,
    /// Why it would go to quarantine, before any contract is looked at.
    pub fault: Option<String>,
}

/// What went wrong, and what to do.
#[derive(Debug, Clone, Serialize)]
pub struct Wrong {
    /// What happened.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

impl From<&Fault> for Wrong {
    fn from(fault: &Fault) -> Self {
        Self { what: fault.what().to_owned(), advice: fault.advice() }
    }
}

/// Tries a definition out: its first page, and no other.
pub async fn attempt(client: &Client, definition: &Definition, secret: Option<&Secret>, window: Window) -> Attempt {
    let mut reading = Reading::new(client, definition, secret, window, None).with_sample(SAMPLE);
    let question = reading.question();
    let mut tried = Attempt {
        window,
        request: question.as_ref().ok().map(|question| question.shown(definition, secret)),
        evidence: None,
        answer: None,
        records: 0,
        events: Vec::new(),
        another_page: false,
        next: None,
        skew_seconds: None,
        fault: None,
    };
    // the first page ends where a position on another one comes, or where the requests become two
    while reading.evidence().len() <= 1 && reading.position().page() == 1 {
        match reading.next_of_page().await {
            Ok(Some(chunk)) => {
                let room = EVENTS - tried.events.len().min(EVENTS);
                tried.events.extend(chunk.records.into_iter().take(room).map(|record| Tried {
                    event: readable(&record.event),
                    unique: record.unique,
                    time: record.time,
                    fault: record.fault,
                }));
            }
            Ok(None) => break,
            Err(fault) => {
                tried.fault = Some(Wrong::from(&fault));
                break;
            }
        }
    }
    tried.another_page = !reading.is_at_end() && tried.fault.is_none();
    if tried.another_page {
        tried.next = reading.question().ok().map(|question| question.shown(definition, secret));
    }
    tried.evidence = reading.evidence().first().cloned();
    tried.records = tried.evidence.as_ref().map_or(0, |evidence| evidence.records);
    tried.answer = reading.sample();
    tried.skew_seconds = reading.skew().map(|skew| skew.num_seconds());
    tried
}

/// An event as a value, where it is one.
fn readable(text: &str) -> Value {
    let value = serde_json::from_str(text);
    value.unwrap_or_else(|_| match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => Value::String(raw.get().to_owned()),
        Err(_) => Value::String(text.to_owned()),
    })
}
