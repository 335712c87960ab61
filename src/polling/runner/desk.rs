//! A window under way: its records through the contract and the write lane, each piece with how far it brings the
//! window. While one piece is on its way to the disk, the next ones are read: what has gathered by then goes together.
//! Nothing is written but by the epoch that the window is held by.
use std::{pin::pin, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Runner,
    piece::{Piece, Pieces, Stored, UnderWay},
    read::Short,
};
use crate::{
    db::lane::Reached,
    event_types::EventType,
    polling::{
        Terms, Window,
        definition::Definition,
        fetch::{Chunk, Class, Evidence, Reading, Secret},
        ledger::Kind,
        store::{
            change,
            lease::{self, Taken},
            plan::Learned,
        },
    },
};

/// How often the lease is renewed.
const BEAT: Duration = Duration::from_secs(3);
/// How long to wait for a type that is disabled, or a secret that cannot be opened.
const MENDED: TimeDelta = TimeDelta::minutes(1);
/// Clocks that differ by less than this are taken for equal: the header holds whole seconds.
const SAME: TimeDelta = TimeDelta::seconds(2);
/// How exact the header is.
const TIMES: TimeDelta = TimeDelta::seconds(1);

/// A window under way.
pub(super) struct Desk<'r> {
    runner: &'r Runner,
    taken: &'r Taken,
    /// Its requests so far, each as evidence keeps it: JSON.
    trail: Vec<String>,
    /// Bytes of the requests in `trail`.
    bytes: i64,
    /// Requests and bytes that a commit has counted, and that the one under way counts.
    counted: (i64, i64),
    sent: (i64, i64),
    /// Records, and how many of them were new, in this taking.
    read: (i64, i64),
    pub learned: Learned,
    beat: Instant,
}

/// A request with its place among those of the attempt.
#[derive(Serialize)]
struct Numbered<'e> {
    #[serde(flatten)]
    request: &'e Evidence,
    number: usize,
}

impl<'r> Desk<'r> {
    pub fn new(runner: &'r Runner, taken: &'r Taken) -> Self {
        Self {
            runner,
            taken,
            trail: Vec::new(),
            bytes: 0,
            counted: (0, 0),
            sent: (0, 0),
            read: (0, 0),
            learned: Learned::default(),
            beat: Instant::now() + BEAT,
        }
    }

    /// Reads the window to its end; returns whose limits hold.
    pub async fn work(&mut self) -> Result<String, Short> {
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
        let of = &self.taken.of;
        let from = position.as_deref().and_then(|position| serde_json::from_str(position).ok());
        let ask = Window::new(self.taken.ask_from, self.taken.window.until);
        // what is read once more is read, whatever has changed; and so is what was begun already
        let known = if self.taken.kind == Kind::Scheduled && from.is_none() { of.validator.as_deref() } else { None };
        let known = known.and_then(|text| serde_json::from_str(text).ok());
        let client = &self.runner.app.client;
        let mut reading = Reading::new(client, definition, secret.as_ref(), ask, from).unless(known);
        let (before, bytes) = (self.trail.len(), self.bytes);
        let (mut pieces, mut under_way) = (Pieces::default(), UnderWay::none());
        let stopping = self.runner.app.stopping.clone();
        loop {
            let next = {
                // not dropped before it is ready: what was asked is asked once
                let mut next = pin!(reading.next());
                loop {
                    tokio::select! {
                        next = &mut next, if pieces.have_room() => break next.map_err(Short::Fault),
                        stored = under_way.stored(), if under_way.is_some() => {
                            self.stored(stored?, position);
                            self.send_gathered(&mut pieces, &mut under_way, position.as_deref())?;
                        }
                        lost = self.held() => break Err(lost),
                        () = stopping.cancelled() => break Err(Short::Stopping),
                    }
                }
            };
            self.note(&reading, before, bytes);
            let end = match next.and_then(|chunk| self.judged(chunk)) {
                Ok(Some(piece)) => {
                    pieces.push(piece);
                    if !under_way.is_some() {
                        self.send_gathered(&mut pieces, &mut under_way, position.as_deref())?;
                    }
                    continue;
                }
                Ok(None) => None,
                Err(Short::Lost) => return Err(Short::Lost),
                Err(short) => Some(short),
            };
            if under_way.is_some() {
                self.stored(under_way.stored().await?, position);
            }
            let early = if end.is_none() { self.too_early(&reading, settle).map(Short::Early) } else { None };
            return match end.or(early) {
                None => {
                    self.commit(pieces, true, position).await?;
                    if self.taken.kind == Kind::Scheduled {
                        let said = reading.validator().and_then(|said| serde_json::to_string(said).ok());
                        self.learned.validator = said.filter(|said| Some(said) != of.validator.as_ref());
                    }
                    Ok(())
                }
                Some(short) => {
                    if !pieces.is_empty() {
                        self.commit(pieces, false, position).await?;
                    }
                    Err(short)
                }
            };
        }
    }

    fn judged(&self, chunk: Option<Chunk>) -> Result<Option<Piece>, Short> {
        let Some(chunk) = chunk else { return Ok(None) };
        let (event_type, longest) = (self.event_type()?, self.runner.app.settings.limits.max_event);
        let request = i64::try_from(self.trail.len()).unwrap_or(0) - 1;
        Ok(Some(Piece::of(chunk, request.max(0), |record| record.judged(&event_type, self.taken.source, longest))))
    }

    /// Takes over what a reading has asked so far, and what it says of the other side's clock.
    fn note(&mut self, reading: &Reading, before: usize, bytes: i64) {
        let requests = reading.evidence();
        // those before the last one that is noted have ended
        let first = (self.trail.len() - before).saturating_sub(1);
        self.trail.truncate(before + first);
        for request in requests.iter().skip(first) {
            let said = Numbered { request, number: self.trail.len() };
            self.trail.push(serde_json::to_string(&said).unwrap_or_else(|_| "{}".into()));
        }
        self.bytes = bytes + requests.iter().map(|one| i64::try_from(one.bytes).unwrap_or(0)).sum::<i64>();
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
    pub fn trail(&self) -> String {
        const EACH: usize = 100;
        let all = &self.trail;
        if all.len() <= 2 * EACH {
            return format!("[{}]", all.join(","));
        }
        format!("[{},{}]", all[..EACH].join(","), all[all.len() - EACH..].join(","))
    }

    /// Requests that no commit has counted.
    pub fn uncounted(&self) -> i64 {
        self.asked().0 - self.counted.0
    }

    /// Requests and bytes so far.
    fn asked(&self) -> (i64, i64) {
        (i64::try_from(self.trail.len()).unwrap_or(0), self.bytes)
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

    /// Sends what has gathered, but for the newest piece: only at the end it is known whether that is the last.
    fn send_gathered(
        &mut self,
        pieces: &mut Pieces,
        under_way: &mut UnderWay,
        position: Option<&str>,
    ) -> Result<(), Short> {
        if let Some(gathered) = pieces.all_but_the_newest() {
            *under_way = self.send(gathered, false, position)?;
        }
        Ok(())
    }

    /// Sends pieces to the write lane, together with how far they bring the window.
    fn send(&mut self, pieces: Pieces, done: bool, position: Option<&str>) -> Result<UnderWay, Short> {
        // it may have been disabled since they were judged
        self.event_type()?;
        let asked = self.asked();
        let reached = Reached {
            position: pieces.position()?.or_else(|| position.map(str::to_owned)),
            done,
            records: i64::try_from(pieces.records()).unwrap_or(0),
            requests: asked.0 - self.counted.0,
            bytes: asked.1 - self.counted.1,
            evidence: self.trail(),
        };
        self.sent = asked;
        Ok(pieces.send(self.runner.app.clone(), self.taken, reached))
    }

    async fn commit(&mut self, pieces: Pieces, done: bool, position: &mut Option<String>) -> Result<(), Short> {
        let mut under_way = self.send(pieces, done, position.as_deref())?;
        let stored = under_way.stored().await?;
        self.stored(stored, position);
        Ok(())
    }

    /// Takes over what has become of pieces.
    fn stored(&mut self, stored: Stored, position: &mut Option<String>) {
        (*position, self.counted) = (stored.position, self.sent);
        self.read.0 += stored.records;
        self.read.1 += stored.fresh;
        // what is filled in or read again says nothing about how late records come
        if self.taken.kind == Kind::Scheduled {
            for time in stored.times {
                self.learned.lateness.note((self.taken.window.from - time).max(TimeDelta::zero()));
            }
        }
    }
}
