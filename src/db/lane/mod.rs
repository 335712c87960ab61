//! The write lane: the one way by which events reach the disk.
//!
//! Requests are let in here, bounded in count and in bytes, before they are looked into. A lane takes whatever is queued, at once and without a
//! timer, writes it in one transaction, and answers everybody who waited for it: under load, many requests share
//! one sync of the disk; alone, a request waits for nobody. SQLite has one lane, since it has one writer;
//! PostgreSQL has several.
mod batch;
mod postgres;
mod progress;
mod sqlite;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use uuid::Uuid;

use super::Db;
use crate::{
    clock::Clock,
    error::{Error, Result, Unavailable},
    ids::{EventId, EventTypeId, ReceiptId, RequestId, SourceId, TenantId, TokenId, UserId, WindowId},
    metrics::{LaneMetrics, Stored},
    room::{Place, Room},
};
pub use batch::{Summary, Tally};

/// What the lane of SQLite runs for a batch of plain events: `benches/bare.rs` measures it without a server around it.
pub const SQLITE_STATEMENT: &str = sqlite::CLEAN;
/// How many bytes of requests may be under way: it bounds the memory.
const ROOM: usize = 24 << 20;
/// How many requests may be under way. At 50,000 a second, this is a fiftieth of a second.
const REQUESTS: usize = 1024;
/// What even the smallest request counts for, so that the room bounds both.
const LEAST: usize = ROOM / REQUESTS;
/// How many bytes of payload one transaction may hold, so that none takes long, nor much memory. What it costs to
/// commit is small beside this much; four times as many are not stored faster.
const BATCH_BYTES: usize = 1 << 20;
/// PostgreSQL: how many lanes, so that one can gather while others wait for the server.
const POSTGRES_LANES: usize = 4;

/// The events of one request, judged and ready to be stored.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose they are.
    pub tenant: TenantId,
    /// The receipt to be issued; its events take their ids from it.
    pub receipt: ReceiptId,
    /// The token they came with.
    pub source: Option<TokenId>,
    /// All events of the request, in its order.
    pub rows: Vec<Row>,
    /// Whether one that breaks its contract or conflicts refuses all of them.
    pub strict: bool,
    /// Set when the request must have its effect once.
    pub once: Option<Once>,
    /// Set when its rows are accepted in place of events in quarantine. Nothing else of it is stored then.
    pub mends: Option<Mends>,
    /// Set when its rows were polled: how far that brings their window.
    pub progress: Option<Box<Progress>>,
}

impl Append {
    /// Whether anything has to be looked up before it can be decided what becomes of it.
    fn asks(&self) -> bool {
        self.once.is_some()
            || self.mends.is_some()
            || self.progress.is_some()
            || self.rows.iter().any(|row| row.unique.is_some())
    }
}

/// The window of a polling source that the rows of an [`Append`] were read for. They commit only by the epoch of
/// whoever holds the window; when another has taken it by then, nothing is stored: [`Outcome::Fenced`].
#[derive(Debug, Clone)]
pub struct Progress {
    /// The source.
    pub source: SourceId,
    /// Its window.
    pub window: WindowId,
    /// By which it is held.
    pub epoch: i64,
    /// The request that brought the rows: its place in this attempt, from 0.
    pub request: i64,
    /// How far that brings the window. Of appends that go together, the last one says it for all.
    pub reached: Option<Reached>,
}

/// How far a window has come.
#[derive(Debug, Clone)]
pub struct Reached {
    /// Where reading goes on; JSON.
    pub position: Option<String>,
    /// Whether that was all.
    pub done: bool,
    /// Records that were read since the last commit.
    pub records: i64,
    /// Requests that were made since the last commit.
    pub requests: i64,
    /// Bytes that were received since the last commit.
    pub bytes: i64,
    /// All requests of this attempt so far; JSON.
    pub evidence: String,
}

/// The events in quarantine that the rows of an [`Append`] stand for. Each is mended once, whoever tries how often.
#[derive(Debug, Clone)]
pub struct Mends {
    /// For each row: the event in its place, and the token that one came with.
    pub originals: Vec<(EventId, Option<TokenId>)>,
    /// Who mends them, as the audit trail names them.
    pub by: String,
    /// The task that mends them; none for one by hand.
    pub task: Option<Uuid>,
    /// What is written into the audit trail when one is mended, in the same transaction; a task wrote its own when it
    /// was started.
    pub trail: Option<Trail>,
}

/// An entry of the audit trail, ready to be written: what one was mended by is added to `after`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct Trail {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor_id: Option<UserId>,
    pub actor: String,
    pub address: Option<String>,
    pub request: Option<RequestId>,
    pub action: &'static str,
    pub object: String,
    pub after: serde_json::Map<String, serde_json::Value>,
}

/// One for each event that was mended by hand, which is one: `$9` what it is now.
const TRAIL: &str = "INSERT INTO audit
        (id, at, actor_id, actor, address, tenant_id, action, object_id, before, after, request_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10)";

impl Trail {
    /// How it is now: mended by this event.
    fn after(&self, mended: EventId) -> String {
        let mut after = self.after.clone();
        after.insert("mended".to_owned(), mended.to_string().into());
        serde_json::Value::Object(after).to_string()
    }
}

/// What became of one event in quarantine that was to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mend {
    /// This event was accepted in its place.
    New(EventId),
    /// This event, accepted earlier, has the same unique value and the same payload: it stands in its place.
    Same(EventId),
    /// It was mended before, by this event; nothing was stored.
    Before(EventId),
    /// It breaks its contract still, or another event has its unique value: a JSON array of what is wrong. Nothing
    /// was stored.
    Still(String),
}

/// One event of a request.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its type.
    pub event_type: EventTypeId,
    /// What became of its contract.
    pub verdict: Verdict,
    /// Its text, exactly as sent.
    pub payload: Bytes,
    /// Why it is quarantined, or what it was warned of: a JSON array.
    pub errors: Option<String>,
    /// Set when its type names what makes an event unique.
    pub unique: Option<Unique>,
    /// Whether this one refuses the whole request when it breaks its contract or conflicts.
    pub refuse: bool,
}

/// What became of an event when it was kept to its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Verdict {
    /// It keeps its contract, or its type lets it pass with a warning.
    Accepted,
    /// It breaks its contract.
    Quarantined,
    /// It broke its contract, and another event was accepted in its place.
    Mended,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Quarantined, Self::Mended];

    /// As the database and the wire spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Quarantined => "quarantined",
            Self::Mended => "mended",
        }
    }
}

/// Half a SHA-256: enough to tell values and payloads of one event type apart.
pub type Half = [u8; 16];

/// What makes an event unique within its type.
#[derive(Debug, Clone)]
pub struct Unique {
    /// Of the value of its unique fields.
    pub value: Half,
    /// Of its payload.
    pub content: Half,
    /// Which fields: said when they conflict.
    pub path: Arc<str>,
}

/// An idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of path and key.
    pub key: [u8; 32],
    /// SHA-256 of the body.
    pub body: [u8; 32],
}

/// What an [`Append`] became. Whatever says "stored" is on disk.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Stored.
    Stored(Summary),
    /// Its idempotency key was seen before, with the same body: nothing stored; this is what became of the first.
    Repeated(ReceiptId, Summary),
    /// Its idempotency key was seen before, with another body: nothing stored.
    KeyReused,
    /// One of its events breaks its contract or conflicts, and it is strict, or the type of that event refuses it:
    /// nothing stored; this is what is wrong.
    Refused(Summary),
    /// It mends: what became of each of its originals.
    Mended(Vec<Mend>),
    /// It was polled, and its window is another's by now: nothing stored.
    Fenced,
}

struct Job {
    /// One, or some that go together.
    appends: Vec<Append>,
    answer: oneshot::Sender<Result<Vec<Outcome>, Unavailable>>,
    /// Held until the job is answered.
    _place: Place,
}

impl Job {
    fn bytes(&self) -> usize {
        self.appends.iter().flat_map(|append| &append.rows).map(|row| row.payload.len()).sum()
    }
}

/// All appends of a batch, in its order.
fn appends(jobs: &[Job]) -> impl Iterator<Item = &Append> {
    jobs.iter().flat_map(|job| &job.appends)
}

/// The entrance to the write lane. Cheap to clone.
#[derive(Clone)]
pub struct Lane {
    queue: mpsc::Sender<Job>,
    room: Room,
    commits: watch::Sender<u64>,
}

impl Lane {
    /// Starts the lanes of `db`. They end when the last [`Lane`] is dropped and the queue is worked off.
    pub fn start(db: &Db, clock: &Clock) -> Self {
        Self::start_counted(db, clock, &LaneMetrics::off())
    }

    /// The same, and counts what they do.
    pub fn start_counted(db: &Db, clock: &Clock, metrics: &LaneMetrics) -> Self {
        let (queue, jobs) = mpsc::channel(REQUESTS);
        let jobs = Arc::new(Mutex::new(jobs));
        let commits = watch::Sender::new(0);
        let end = || End { jobs: jobs.clone(), commits: commits.clone(), metrics: metrics.clone() };
        match db {
            Db::Sqlite { write, .. } => {
                tokio::spawn(sqlite::run(write.clone(), clock.clone(), end()));
            }
            Db::Postgres(pool) => {
                for _ in 0..POSTGRES_LANES {
                    tokio::spawn(postgres::run(pool.clone(), clock.clone(), end()));
                }
            }
        }
        Self { queue, room: Room::new(ROOM), commits }
    }

    /// Lets a request in that weighs about so many bytes: before any work is spent on it, for it may be in vain.
    ///
    /// # Errors
    /// [`Unavailable::QueueFull`] when more is under way than can be stored in time.
    pub async fn admit(&self, bytes: usize) -> Result<Place, Unavailable> {
        self.room.enter(bytes.max(LEAST)).await
    }

    /// Stores the events of one request that was let in, and returns once they are on disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: the database cannot write. Nothing was stored, or (when the failure struck during the
    /// commit) it is found again by its idempotency key.
    pub async fn append(&self, place: Place, append: Append) -> Result<Outcome> {
        let mut outcomes = self.append_all(place, vec![append]).await?;
        outcomes.pop().ok_or(Error::Unavailable(Unavailable::Database))
    }

    /// The same for some that go together: they commit in one transaction, in their order.
    ///
    /// # Errors
    /// As [`Lane::append`]; nothing of any of them was stored then.
    pub async fn append_all(&self, place: Place, appends: Vec<Append>) -> Result<Vec<Outcome>> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { appends, answer, _place: place }).map_err(|refused| {
            Error::Unavailable(match refused {
                mpsc::error::TrySendError::Full(_) => Unavailable::QueueFull,
                mpsc::error::TrySendError::Closed(_) => Unavailable::ShuttingDown,
            })
        })?;
        match answered.await {
            Ok(outcomes) => outcomes.map_err(Error::Unavailable),
            Err(_) => Err(Error::Unavailable(Unavailable::ShuttingDown)),
        }
    }

    /// Whether jobs are still worked off.
    pub fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// What is under way: requests that wait for a commit, and bytes of all that were let in.
    pub fn waiting(&self) -> Waiting {
        Waiting { requests: REQUESTS - self.queue.capacity(), bytes: ROOM.saturating_sub(self.room.left()) }
    }

    /// Changes with every commit of this process.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }
}

/// What waits for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Requests.
    pub requests: usize,
    /// Bytes of all that were let in, until they are answered.
    pub bytes: usize,
}

impl Waiting {
    /// The most that may wait.
    pub const MOST: Self = Self { requests: REQUESTS, bytes: ROOM };
}

/// Where a lane takes its jobs, and whom it tells what it did.
struct End {
    jobs: Arc<Mutex<mpsc::Receiver<Job>>>,
    commits: watch::Sender<u64>,
    metrics: LaneMetrics,
}

impl End {
    /// Takes what is queued: at least one job, unless the queue is closed and empty.
    async fn take(&self) -> Option<Vec<Job>> {
        let mut jobs = self.jobs.lock().await;
        let first = jobs.recv().await?;
        let mut bytes = first.bytes();
        let mut taken = vec![first];
        while bytes < BATCH_BYTES
            && let Ok(job) = jobs.try_recv()
        {
            bytes += job.bytes();
            taken.push(job);
        }
        Some(taken)
    }

    /// Answers those whose jobs were taken, and tells what became of the commit that began at `began`.
    async fn settle(&self, taken: Vec<Job>, began: Instant, done: sqlx::Result<Written>) {
        match done {
            Ok((outcomes, stored)) => {
                let requests = taken.len();
                answer(taken, Ok(outcomes));
                self.commits.send_modify(|commits| *commits += 1);
                self.metrics.committed(requests, stored, began.elapsed());
            }
            Err(error) => {
                self.metrics.failed();
                let why = failed(&error, taken.len()).await;
                answer(taken, Err(why));
            }
        }
    }
}

/// What became of each request, and what that adds up to.
type Written = (Vec<Outcome>, Stored);

fn answer(jobs: Vec<Job>, outcomes: Result<Vec<Outcome>, Unavailable>) {
    match outcomes {
        Ok(outcomes) => {
            let mut outcomes = outcomes.into_iter();
            for job in jobs {
                let own = outcomes.by_ref().take(job.appends.len()).collect();
                // whoever has gone away has no need of an answer
                let _ = job.answer.send(Ok(own));
            }
        }
        Err(why) => {
            for job in jobs {
                let _ = job.answer.send(Err(why));
            }
        }
    }
}

/// What a failed commit means to those who waited for it, said once in the log; then a moment of rest.
async fn failed(error: &sqlx::Error, requests: usize) -> Unavailable {
    let why = crate::error::unavailable(error).unwrap_or(Unavailable::Database);
    tracing::error!(%error, requests, "a commit failed; its requests were answered 503");
    tokio::time::sleep(Duration::from_millis(50)).await;
    why
}

/// A row of `unique_values`: tenant, type, value, content, event.
type Claim = (TenantId, EventTypeId, Half, Half, EventId);
