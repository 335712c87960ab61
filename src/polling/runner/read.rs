//! Reads one window: its records through the contract and the write lane, piece by piece, each with how far it brings
//! the window. Nothing is written but by the epoch that the window is held by.
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::Runner;
use crate::{
    db::lane::{Append, Outcome, Progress, Row, Summary},
    error::{Error, Result, Unavailable},
    event_types::EventType,
    ids::{ReceiptId, TokenId},
    ingest::judge_record,
    polling::{
        Terms, Window,
        definition::Definition,
        fetch::{Chunk, Class, Fault, Reading, Secret},
        ledger::{self, Kind},
        store::{
            change,
            lease::{self, Ending, Taken},
            plan::{self, Learned},
        },
    },
};

/// How often the lease is renewed.
const BEAT: Duration = Duration::from_secs(3);
/// How long to wait before a window is tried again: twice as long each time, up to the most.
const WAIT: TimeDelta = TimeDelta::seconds(5);
const MOST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// The longest that a host may ask to be left alone.
const MOST_REST: TimeDelta = TimeDelta::hours(6);
/// How long to wait for a type that is disabled, or a secret that cannot be opened.
const MENDED: TimeDelta = TimeDelta::minutes(1);
/// How long a piece may wait for the disk before the window is given back.
const PATIENCE: Duration = Duration::from_secs(20);
/// Clocks that differ by less than this are taken for equal: the header holds whole seconds.
const SAME: TimeDelta = TimeDelta::seconds(2);

/// How exact the header is.
const TIMES: TimeDelta = TimeDelta::seconds(1);

/// Why a window was not read to its end.
enum Short {
    /// The other side, or what is asked of it.
    Fault(Fault),
    /// It is held by somebody else, or its source is asked no more.
    Lost,
    /// The app is stopping.
    Stopping,
    /// Something here is in the way for a while.
    Later(String, TimeDelta),
    /// By the other side's clock, its end has not settled yet.
    Early(DateTime<Utc>),
    /// Only somebody can mend it.
    Never(String),
}

impl From<Error> for Short {
    fn from(error: Error) -> Self {
        Self::Later(error.to_string(), WAIT)
    }
}

/// Reads a window, and ends its taking however that went.
pub(super) async fn window(runner: Runner, taken: Taken) {
    let mut desk = Desk::new(&runner, &taken);
    let ended = desk.work().await;
    let (learned, trail) = (std::mem::take(&mut desk.learned), desk.trail());
    let requests = desk.uncounted();
    drop(desk);
    let db = &runner.app.db;
    match ended {
        Ok(host) => {
            tracing::debug!(source = %taken.source, window = %taken.id, "window done");
            if let Err(error) = lease::spend(db, host, requests - 1).await {
                tracing::warn!(%error, "what was asked of a host could not be written down");
            }
        }
        Err(short) => give_up(&runner, &taken, short, trail, requests).await,
    }
    if !learned.is_nothing()
        && let Err(error) = plan::learn(db, taken.tenant, taken.source, learned).await
    {
        tracing::warn!(%error, source = %taken.source, "what was learned of a source could not be written down");
    }
    runner.bell.notify_one();
}

/// What becomes of a window that was not read to its end.
async fn give_up(runner: &Runner, taken: &Taken, short: Short, evidence: String, requests: i64) {
    let now = runner.app.clock.now();
    let again = |wait: TimeDelta, failed| Ending::Again { at: now + wait, failed };
    let (ending, words) = match short {
        Short::Lost => {
            (again(TimeDelta::zero(), false), "cut off: the source was paused, changed or taken over".into())
        }
        Short::Stopping => (again(TimeDelta::zero(), false), "cut off: the server was stopping".into()),
        Short::Early(at) => (Ending::Early(at), "read too early: the other side's clock is behind".into()),
        Short::Later(words, wait) => (again(wait, true), words),
        Short::Never(words) => (Ending::Stopped, words),
        Short::Fault(fault) => by_class(&fault, taken, now),
    };
    tracing::info!(tenant = %taken.tenant, source = %taken.source, window = %taken.id, attempt = taken.epoch, ?ending, fault = words, "a window was not read to its end");
    let ended = lease::end(&runner.app.db, &runner.app.clock, taken.clone(), ending, (words, evidence, requests)).await;
    if let Err(error) = ended {
        tracing::warn!(%error, window = %taken.id, "a window could not be given back; its lease will run out");
    }
}

fn by_class(fault: &Fault, taken: &Taken, now: DateTime<Utc>) -> (Ending, String) {
    let ending = match fault.class() {
        Class::BackOff { retry_after: Some(rest) } => {
            let rest = TimeDelta::from_std(rest).unwrap_or(MOST_REST).clamp(TimeDelta::seconds(1), MOST_REST);
            Ending::Rest(now + rest)
        }
        Class::BackOff { retry_after: None } => Ending::Again { at: now + wait(taken.failures), failed: true },
        Class::Pause => Ending::Refused(now + wait(taken.failures)),
        Class::Stop => Ending::Stopped,
        Class::Split if taken.ask_from < taken.window.from => Ending::Apart,
        Class::Split => {
            let Some(halves) = halves(taken) else {
                let words = format!("{}, and no less can be asked for at once: allow it more", fault.what());
                return (Ending::Stopped, words);
            };
            Ending::Split(halves)
        }
    };
    (ending, fault.to_string())
}

/// What a window is split into; none when less of it cannot be asked for.
fn halves(taken: &Taken) -> Option<[Window; 2]> {
    let definition = Definition::parse(&taken.of.definition).ok()?;
    let shape = Terms::of(&definition, taken.source).ok()?.shape;
    let halves = ledger::halves(taken.window, shape)?;
    // of local times, the hour that comes twice is only asked for as a whole
    let whole = definition.ends(taken.window);
    halves.into_iter().any(|half| definition.ends(half) != whole).then_some(halves)
}

/// How long to wait after so many failures in a row. Drawn at random from the upper half, so that those who failed
/// together do not come back together.
fn wait(failures: i64) -> TimeDelta {
    let longest = (WAIT * (1_i32 << failures.clamp(0, 10))).min(MOST_WAIT);
    let half = longest / 2;
    half + TimeDelta::milliseconds(rand::random_range(0..=half.num_milliseconds()))
}

/// A window under way.
struct Desk<'r> {
    runner: &'r Runner,
    taken: &'r Taken,
    /// Its requests so far, as evidence keeps them.
    trail: Vec<serde_json::Value>,
    /// Bytes of the requests in `trail`.
    bytes: i64,
    /// Requests and bytes that a commit has counted.
    counted: (i64, i64),
    /// Records, and how many of them were new, in this taking.
    read: (i64, i64),
    learned: Learned,
    beat: Instant,
}

/// A piece that waits for the next one: only then it is known whether it is the last.
struct Held {
    chunk: Chunk,
    /// The place of its request.
    request: i64,
}

impl<'r> Desk<'r> {
    fn new(runner: &'r Runner, taken: &'r Taken) -> Self {
        Self {
            runner,
            taken,
            trail: Vec::new(),
            bytes: 0,
            counted: (0, 0),
            read: (0, 0),
            learned: Learned::default(),
            beat: Instant::now() + BEAT,
        }
    }

    /// Reads the window to its end; returns whose limits hold.
    async fn work(&mut self) -> Result<String, Short> {
        let (app, of) = (&self.runner.app, &self.taken.of);
        let definition = Definition::parse(&of.definition)
            .map_err(|_| Short::Never("its definition cannot be read by this version of Tributary".into()))?;
        let terms = Terms::of(&definition, self.taken.source).map_err(|error| Short::Never(error.to_string()))?;
        let secret = self.secret(of.secret.as_deref())?;
        let old = of.old_secret_until.is_some_and(|until| until > app.clock.now());
        let old = if old { self.secret(of.old_secret.as_deref())? } else { None };
        let mut position = self.taken.position.clone();
        let settle = terms.timing.settle;
        let mut ended = self.through(&definition, secret, settle, &mut position).await;
        if old.is_some() && matches!(&ended, Err(Short::Fault(fault)) if matches!(fault.class(), Class::Pause)) {
            ended = self.through(&definition, old, settle, &mut position).await;
        }
        ended?;
        self.learned.accepted_again = of.refusals > 0;
        if self.taken.kind == Kind::Check {
            let (records, fresh) = self.taken.so_far;
            self.learned.checked = Some((records + self.read.0, fresh + self.read.1));
        }
        Ok(terms.host)
    }

    fn secret(&self, sealed: Option<&[u8]>) -> Result<Option<Secret>, Short> {
        let open = |sealed| change::open(&self.runner.app.keys, self.taken.tenant, self.taken.source, sealed);
        let opened = sealed.map(open).transpose();
        opened.map(|plain| plain.map(Secret::given)).map_err(|error| Short::Later(error.to_string(), MENDED))
    }

    /// The type that its records are judged by, as the front door knows it.
    fn event_type(&self) -> Result<std::sync::Arc<EventType>, Short> {
        let known = self.runner.directory.current();
        let found = known
            .tenant(self.taken.tenant)
            .filter(|tenant| tenant.enabled)
            .and_then(|tenant| tenant.event_type(self.taken.of.event_type_id).cloned());
        let words = "its event type, or its tenant, is disabled and takes no events: enable it, and this goes on";
        found.ok_or_else(|| Short::Later(words.into(), MENDED))
    }

    /// Reads from `position` to the end, and moves it along with what is committed.
    async fn through(
        &mut self,
        definition: &Definition,
        secret: Option<Secret>,
        settle: TimeDelta,
        position: &mut Option<String>,
    ) -> Result<(), Short> {
        self.event_type()?;
        let from = position.as_deref().and_then(|position| serde_json::from_str(position).ok());
        let ask = Window::new(self.taken.ask_from, self.taken.window.until);
        let mut reading = Reading::new(&self.runner.app.client, definition, secret.as_ref(), ask, from);
        let (before, bytes) = (self.trail.len(), self.bytes);
        let mut held: Option<Held> = None;
        let stopping = &self.runner.app.stopping;
        loop {
            let next = tokio::select! {
                next = reading.next() => next.map_err(Short::Fault),
                lost = self.held() => Err(lost),
                () = stopping.cancelled() => Err(Short::Stopping),
            };
            self.note(&reading, before, bytes);
            match next {
                Ok(Some(chunk)) => {
                    let request = i64::try_from(self.trail.len()).unwrap_or(0) - 1;
                    if let Some(last) = held.replace(Held { chunk, request: request.max(0) }) {
                        self.commit(Some(last), false, position).await?;
                    }
                }
                Ok(None) => {
                    if let Some(at) = self.too_early(&reading, settle) {
                        self.commit(held, false, position).await?;
                        return Err(Short::Early(at));
                    }
                    return self.commit(held, true, position).await;
                }
                Err(Short::Lost) => return Err(Short::Lost),
                Err(short) => {
                    if held.is_some() {
                        self.commit(held, false, position).await?;
                    }
                    return Err(short);
                }
            }
        }
    }

    /// Takes over what a reading has asked so far, and what it says of the other side's clock.
    fn note(&mut self, reading: &Reading, before: usize, bytes: i64) {
        self.trail.truncate(before);
        self.bytes = bytes;
        for request in reading.evidence() {
            self.bytes += i64::try_from(request.bytes).unwrap_or(0);
            let mut said = serde_json::to_value(request).unwrap_or_default();
            said["number"] = self.trail.len().into();
            self.trail.push(said);
        }
        let known = TimeDelta::milliseconds(self.taken.of.skew_millis);
        self.learned.skew = reading.skew().filter(|skew| (*skew - known).abs() >= SAME);
    }

    /// When to read the window again, if by the other side's clock its end has not settled: what it holds then, nobody
    /// can have seen yet.
    fn too_early(&self, reading: &Reading, settle: TimeDelta) -> Option<DateTime<Utc>> {
        let skew = reading.skew()?;
        let now = self.runner.app.clock.now();
        let missing = (self.taken.window.until + settle) - (now + skew);
        (missing > TIMES).then(|| now + missing + TIMES)
    }

    /// All requests of this taking; of very many, the first and the last.
    fn trail(&self) -> String {
        const EACH: usize = 100;
        let all = &self.trail;
        let shown: Vec<_> = if all.len() <= 2 * EACH {
            all.iter().collect()
        } else {
            all[..EACH].iter().chain(&all[all.len() - EACH..]).collect()
        };
        serde_json::to_string(&shown).unwrap_or_else(|_| "[]".into())
    }

    /// Requests that no commit has counted.
    fn uncounted(&self) -> i64 {
        i64::try_from(self.trail.len()).unwrap_or(0) - self.counted.0
    }

    /// Keeps the window while it is read; returns when that is not possible any more.
    async fn held(&mut self) -> Short {
        loop {
            tokio::time::sleep_until(self.beat).await;
            self.beat = Instant::now() + BEAT;
            match lease::beat(&self.runner.app.db, self.taken).await {
                Ok(true) => {}
                Ok(false) => return Short::Lost,
                // the lease may last until the next try; the commit will tell
                Err(error) => {
                    tracing::warn!(%error, window = %self.taken.id, "the lease of a window could not be renewed");
                }
            }
        }
    }

    /// Commits a piece together with how far it brings the window.
    async fn commit(&mut self, held: Option<Held>, done: bool, position: &mut Option<String>) -> Result<(), Short> {
        let event_type = self.event_type()?;
        let chunk = held.as_ref().map(|held| &held.chunk);
        let reached = match chunk {
            Some(chunk) => Some(serde_json::to_string(&chunk.position).map_err(Error::internal)?),
            None => position.clone(),
        };
        let total = (i64::try_from(self.trail.len()).unwrap_or(0), self.bytes);
        let records = chunk.map_or(0, |chunk| chunk.records.len());
        let progress = Progress {
            source: self.taken.source,
            window: self.taken.id,
            epoch: self.taken.epoch,
            position: reached.clone(),
            done,
            records: i64::try_from(records).unwrap_or(0),
            requests: total.0 - self.counted.0,
            bytes: total.1 - self.counted.1,
            request: held.as_ref().map_or(0, |held| held.request),
            evidence: self.trail(),
        };
        let summary = self.append(&event_type, chunk, progress).await?;
        let fresh = records - summary.duplicates.len();
        self.read.0 += i64::try_from(records).unwrap_or(0);
        self.read.1 += i64::try_from(fresh).unwrap_or(0);
        if let Some(chunk) = chunk {
            self.late(chunk, &summary);
        }
        (self.counted, *position) = (total, reached);
        Ok(())
    }

    /// Hands a piece to the write lane; waits for a while when that is full.
    async fn append(
        &self,
        event_type: &EventType,
        chunk: Option<&Chunk>,
        progress: Progress,
    ) -> Result<Summary, Short> {
        let app = &self.runner.app;
        let began = Instant::now();
        loop {
            let rows = self.rows(event_type, chunk);
            let bytes = rows.iter().map(|row| row.payload.len() + size_of::<Row>()).sum();
            let append = Append {
                tenant: self.taken.tenant,
                receipt: ReceiptId::issue(&app.clock),
                // what it came with, as events keep it: the id of a token or of a source
                source: Some(TokenId(self.taken.source.0)),
                rows,
                strict: false,
                once: None,
                mends: None,
                progress: Some(Box::new(progress.clone())),
            };
            let stored = match app.lane.admit(bytes).await {
                Ok(place) => app.lane.append(place, append).await,
                Err(why) => Err(Error::Unavailable(why)),
            };
            match stored {
                Ok(Outcome::Stored(summary)) => return Ok(summary),
                Ok(Outcome::Fenced) => return Err(Short::Lost),
                Ok(other) => return Err(Error::internal(anyhow::anyhow!("what was polled became {other:?}")).into()),
                // nothing was stored, for certain
                Err(Error::Unavailable(Unavailable::QueueFull)) if began.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn rows(&self, event_type: &EventType, chunk: Option<&Chunk>) -> Vec<Row> {
        let longest = self.runner.app.settings.limits.max_event;
        let records = chunk.map_or(&[][..], |chunk| &chunk.records);
        let judge = |record: &crate::polling::fetch::Record| {
            let unique = format!("{}\n{}", self.taken.source, record.unique);
            judge_record(event_type, &record.event, &unique, record.fault.as_deref(), longest)
        };
        records.iter().map(judge).collect()
    }

    /// Notes how late the new records of a piece came.
    fn late(&mut self, chunk: &Chunk, summary: &Summary) {
        // what is filled in or read again says nothing about how late records come
        if self.taken.kind != Kind::Scheduled {
            return;
        }
        let mut duplicates = summary.duplicates.iter().map(|(index, _)| *index).peekable();
        for (index, record) in chunk.records.iter().enumerate() {
            if duplicates.next_if_eq(&index).is_some() {
                continue;
            }
            if let Some(time) = record.time {
                self.learned.lateness.note((self.taken.window.from - time).max(TimeDelta::zero()));
            }
        }
    }
}
