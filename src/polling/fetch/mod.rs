//! Reads one window of a source: asks, follows the pages, cuts the records out of the stream, and hands them over in
//! chunks, each with the [`Position`] after it. A reading that was killed goes on from there; what comes twice by that
//! is known by its `unique`.
mod fault;
mod page;
pub mod path;
mod record;
mod request;
pub mod scan;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{StatusCode, header};
use serde::Serialize;
use sha2::Digest as _;

pub use crate::crypto::Secret;
pub use fault::{Class, Fault};
pub use page::Position;
pub use record::Record;
pub use request::{Question, Shown, curl, hide, preview};

use self::{
    page::{At, Read},
    path::{Records, Steps},
    record::Maker,
    scan::{Broken, Raw, Scanner},
};
use super::{
    Window,
    definition::{Definition, MOST_BYTES_OF_PATHS, PageKind},
    map::Mapper,
};
use crate::{
    crypto,
    http_client::{Answer, Client, Request},
};

/// The most records of a chunk.
pub const CHUNK_RECORDS: usize = 500;
/// The most text of a chunk, in bytes, unless one record alone is longer.
pub const CHUNK_BYTES: usize = 1 << 20;
/// How much is shown of an answer that is none.
const SHOWN: usize = 300;
/// How often a list that moves is begun again.
const MOST_MOVED: u32 = 3;

/// Some records of a window.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// At most [`CHUNK_RECORDS`].
    pub records: Vec<Record>,
    /// How far the reading has come with them.
    pub position: Position,
}

/// One request, as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// How.
    pub method: &'static str,
    /// Where, secrets hidden.
    pub url: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// When it was asked.
    pub started_at: DateTime<Utc>,
    /// How long all of it took.
    pub milliseconds: u64,
    /// Bytes of the answer, decoded.
    pub bytes: u64,
    /// Records in it.
    pub records: u64,
    /// The SHA-256 of the answer, decoded, in base64url, once it has come whole.
    pub sha256: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
}

/// A window that is being read.
pub struct Reading {
    client: Client,
    definition: Arc<Definition>,
    secret: Option<Secret>,
    window: Window,
    mapper: Result<Mapper, Fault>,
    records: Result<Records, Fault>,
    position: Position,
    open: Option<Open>,
    ready: VecDeque<Made>,
    /// Where it goes on when all that is ready has been handed out.
    onward: Option<Position>,
    failed: Option<Fault>,
    evidence: Vec<Evidence>,
    skew: Option<TimeDelta>,
    /// Tokens and addresses of pages so far.
    tokens: HashSet<[u8; 32]>,
    /// What was handed out, where a list is read twice.
    known: HashSet<[u8; 32]>,
    /// How the first answer begins, for who tries a definition out.
    sample: Option<Vec<u8>>,
    samples: usize,
}

/// A record, and what it was made of.
struct Made {
    record: Record,
    digest: [u8; 32],
}

/// An answer under way.
struct Open {
    answer: Answer,
    began: Instant,
    body: Body,
    hash: sha2::Sha256,
    /// Records so far.
    records: u64,
    /// Records still to be passed over, and a digest over those that were.
    skip: u64,
    skipped: String,
    last: String,
    /// The first one repeats the last one of the page before.
    overlaps: bool,
}

enum Body {
    Stream(Box<Scanner>),
    Whole(Vec<u8>),
}

impl Reading {
    /// Reads `window`, from its beginning or from where another reading had come to.
    pub fn new(
        client: &Client,
        definition: &Definition,
        secret: Option<&Secret>,
        window: Window,
        from: Option<Position>,
    ) -> Self {
        let mapper = Mapper::new(&definition.mapping).map_err(|_| Fault::stop("its mapping cannot be read", "mend it"));
        let records = Records::parse(&definition.records);
        Self {
            client: client.clone(),
            definition: Arc::new(definition.clone()),
            secret: secret.cloned(),
            window,
            mapper,
            records: records.map_err(|_| Fault::stop("its path to the records cannot be read", "mend it")),
            position: from.unwrap_or_default(),
            open: None,
            ready: VecDeque::new(),
            onward: None,
            failed: None,
            evidence: Vec::new(),
            skew: None,
            tokens: HashSet::new(),
            known: HashSet::new(),
            sample: None,
            samples: 0,
        }
    }

    /// Keeps the beginning of the first answer, as much as `bytes` of it.
    #[must_use]
    pub fn with_sample(mut self, bytes: usize) -> Self {
        self.samples = bytes;
        self
    }

    /// How the first answer begins, secrets hidden.
    pub fn sample(&self) -> Option<String> {
        self.sample.as_ref().map(|bytes| request::hide(&String::from_utf8_lossy(bytes), self.secret.as_ref()))
    }

    /// What was asked so far.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// How far the other side's clock is ahead, by the header `Date` of its last answer; to a second, about.
    pub fn skew(&self) -> Option<TimeDelta> {
        self.skew
    }

    /// How far it has come.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// What is asked for the page that comes next.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn question(&self) -> Result<Question, Fault> {
        let from = self.position.since.unwrap_or(self.window.from);
        let window = Window::new(from, self.window.until);
        request::question(&self.definition, self.secret.as_ref(), window, &self.position.at)
    }

    /// Whether nothing follows what has been handed out.
    pub fn is_at_end(&self) -> bool {
        self.position.done
    }

    /// The next records of the page that is read; `None` at its end, before another one is asked for.
    ///
    /// # Errors
    /// See [`Reading::next`].
    pub async fn next_of_page(&mut self) -> Result<Option<Chunk>, Fault> {
        let page = self.position.page();
        loop {
            if let Some(chunk) = self.chunk() {
                return Ok(Some(chunk));
            }
            if let Some(onward) = self.onward.take() {
                self.position = onward;
            }
            if self.position.done || self.position.page() != page {
                return Ok(None);
            }
            self.step().await?;
        }
    }

    /// The next records; `None` when all have been handed out. Once failed, it stays so.
    ///
    /// # Errors
    /// See [`Fault`]. What was read before has been handed out.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Fault> {
        loop {
            if let Some(chunk) = self.chunk() {
                return Ok(Some(chunk));
            }
            if let Some(onward) = self.onward.take() {
                self.position = onward;
            }
            if self.position.done && self.failed.is_none() {
                return Ok(None);
            }
            self.step().await?;
        }
    }

    /// Goes a step ahead. A fault is told once everything before it has been handed out.
    async fn step(&mut self) -> Result<(), Fault> {
        if let Some(fault) = &self.failed {
            return Err(fault.clone());
        }
        let step = if self.open.is_some() { self.read().await } else { self.ask().await };
        if let Err(fault) = step {
            let fault = if self.definition.is_bounded() { fault } else { fault.whole() };
            self.close(Some(&fault));
            self.onward = None;
            self.failed = Some(fault);
        }
        Ok(())
    }

    /// A chunk, when enough is ready, or nothing follows.
    fn chunk(&mut self) -> Option<Chunk> {
        let flush = self.onward.is_some() || self.failed.is_some();
        let bytes: usize = self.ready.iter().take(CHUNK_RECORDS).map(|made| made.record.event.len()).sum();
        if self.ready.is_empty() || (!flush && self.ready.len() < CHUNK_RECORDS && bytes < CHUNK_BYTES) {
            return None;
        }
        let (mut records, mut size) = (Vec::new(), 0);
        while let Some(made) = self.ready.front() {
            size += made.record.event.len();
            if records.len() == CHUNK_RECORDS || (size > CHUNK_BYTES && !records.is_empty()) {
                break;
            }
            self.position.index += 1;
            self.position.records += 1;
            self.position.seen = chained(&self.position.seen, &made.digest);
            records.extend(self.ready.pop_front().map(|made| made.record));
        }
        if self.ready.is_empty()
            && let Some(mut onward) = self.onward.take()
        {
            onward.records = self.position.records;
            self.position = onward;
        }
        Some(Chunk { records, position: self.position.clone() })
    }

    /// Asks for a page.
    async fn ask(&mut self) -> Result<(), Fault> {
        let question = self.question()?;
        let shown = question.shown(&self.definition, self.secret.as_ref());
        self.evidence.push(Evidence {
            method: shown.method,
            url: shown.url,
            status: None,
            started_at: self.client.clock().now(),
            milliseconds: 0,
            bytes: 0,
            records: 0,
            sha256: None,
            error: None,
        });
        let began = Instant::now();
        let within = Duration::from_secs(self.definition.limits.seconds.into());
        let mut asked = Request::get(question.url, question.headers, within);
        asked.ca.clone_from(&self.definition.ca);
        let sent = self.client.send(asked).await;
        self.spent(began);
        let answer = sent?;
        let status = answer.status();
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.status = Some(status.as_u16());
        }
        self.watch_clock(&answer);
        if status == StatusCode::NO_CONTENT || (status == StatusCode::NOT_MODIFIED && self.definition.conditional) {
            self.onward = Some(Position { done: true, ..self.position.clone() });
            return Ok(());
        }
        if status == StatusCode::NOT_FOUND
            && let (PageKind::Number { start, .. }, At::Number(number)) =
                (&self.definition.pages.kind, &self.position.at)
        {
            // how some say that there is no such page any more
            let at = (*number > start + 1).then(|| At::Back(number - 2));
            self.onward = Some(self.onward_to(at));
            return Ok(());
        }
        if !status.is_success() {
            let wait = request::retry_after(answer.headers(), self.client.clock().now());
            let says = answer.start(SHOWN).await;
            let says = request::hide(&String::from_utf8_lossy(&says), self.secret.as_ref());
            let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(Fault::status(status.as_u16(), wait, &says));
        }
        if let Some(encoding) =
            answer.headers().get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity")
        {
            let what = format!(
                "the answer is packed as {}, which was not asked for",
                String::from_utf8_lossy(encoding.as_bytes())
            );
            return Err(Fault::stop(what, "have the other side send it plain or as gzip"));
        }
        let records = self.records.as_ref().map_err(Clone::clone)?;
        let next = match &self.definition.pages.kind {
            PageKind::CursorInBody { path, .. } | PageKind::NextInBody { path } => Steps::parse(path),
            _ => None,
        };
        let body = match records {
            Records::Steps(steps) => Body::Stream(Box::new(Scanner::new(steps, next.as_ref()))),
            Records::Path(_) => Body::Whole(Vec::new()),
        };
        self.open = Some(Open {
            answer,
            began,
            body,
            hash: sha2::Sha256::default(),
            records: 0,
            // what comes twice there is not handed out twice anyway
            skip: if matches!(self.position.at, At::Back(_)) { 0 } else { self.position.index },
            skipped: String::new(),
            last: String::new(),
            overlaps: matches!(self.position.at, At::Offset(offset) if offset > 0),
        });
        Ok(())
    }

    /// Reads on in the answer.
    async fn read(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut most = self.definition.limits.bytes;
        if matches!(open.body, Body::Whole(_)) {
            most = most.min(MOST_BYTES_OF_PATHS);
        }
        let chunk = open.answer.chunk(most).await;
        let began = open.began;
        self.spent(began);
        let Some(chunk) = chunk? else { return self.end() };
        let Some(open) = &mut self.open else { return Ok(()) };
        open.hash.update(&chunk);
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.bytes += chunk.len() as u64;
        }
        if self.evidence.len() == 1 {
            let sample = self.sample.get_or_insert_default();
            let room = self.samples - sample.len();
            sample.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        let raws = match &mut open.body {
            Body::Whole(body) => {
                body.extend_from_slice(&chunk);
                return Ok(());
            }
            Body::Stream(scanner) => {
                let fed = scanner.feed(&chunk);
                let raws = std::mem::take(&mut scanner.out);
                fed.map_err(|broken| self.broken(broken))?;
                raws
            }
        };
        raws.into_iter().try_for_each(|raw| self.take(raw))
    }

    /// Takes a record over.
    fn take(&mut self, raw: Raw) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let digest = crypto::sha256(&raw.text);
        open.records += 1;
        open.last = crypto::base64url(&digest);
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.records += 1;
        }
        if open.overlaps && open.records == 1 {
            if open.last != self.position.record_before {
                return self.begin_again();
            }
            return Ok(());
        }
        if open.skip > 0 {
            open.skip -= 1;
            open.skipped = chained(&open.skipped, &digest);
            if open.skip == 0 && open.skipped != self.position.seen {
                return self.page_again();
            }
            return Ok(());
        }
        let mapper = self.mapper.as_ref().map_err(Clone::clone)?;
        let made = Maker { definition: &self.definition, mapper }.make(&raw);
        let record = made.map_err(|broken| self.broken(broken))?;
        match record.time {
            Some(time) if self.position.newest.is_none_or(|newest| newest <= time) => self.position.newest = Some(time),
            _ => self.position.out_of_order = true,
        }
        if matches!(self.definition.pages.kind, PageKind::Number { .. })
            && !self.known.insert(crypto::sha256(record.unique.as_bytes()))
            && matches!(self.position.at, At::Back(_))
        {
            return Ok(());
        }
        self.ready.push_back(Made { record, digest });
        if self.position.records + self.ready.len() as u64 > self.definition.limits.records {
            let what = format!("the window holds more than {} records", self.definition.limits.records);
            return Err(Fault::split(what, "less is asked for at once; or allow it more"));
        }
        Ok(())
    }

    /// The answer has come to its end.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let token = match &mut open.body {
            Body::Stream(scanner) => {
                let ended = scanner.end();
                let (raws, token) = (std::mem::take(&mut scanner.out), scanner.token.take());
                ended.map_err(|broken| self.broken(broken))?;
                raws.into_iter().try_for_each(|raw| self.take(raw))?;
                token
            }
            Body::Whole(body) => {
                let body = std::mem::take(body);
                let (raws, token) = self.picked(&body)?;
                raws.into_iter().try_for_each(|raw| self.take(raw))?;
                token
            }
        };
        // a list that has moved is asked for again
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.skip > 0 {
            return self.page_again();
        }
        if open.overlaps && open.records == 0 {
            return self.begin_again();
        }
        let digest = crypto::base64url(&open.hash.finalize());
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.sha256 = Some(digest.clone());
        }
        if open.records > u64::from(open.overlaps) && digest == self.position.page_before {
            return Err(Fault::stop(
                "the other side answers two pages alike",
                "it does not know the parameter for pages, or means another one; mend pages",
            ));
        }
        let read = Read {
            records: open.records - u64::from(open.overlaps),
            headers: open.answer.headers(),
            token: token.as_deref(),
            url: open.answer.url(),
        };
        let at = page::after(&self.definition.pages, &self.position.at, &read)?;
        let at = at.map(|at| request::clean(&self.definition, at));
        if let Some(At::Cursor(token) | At::Next(token)) = &at
            && !self.tokens.insert(crypto::sha256(token.as_bytes()))
        {
            return Err(Fault::stop(
                "the other side leads to a page that was read already",
                "it would go around in circles; mend pages, or tell who runs the other side",
            ));
        }
        let mut onward = self.onward_to(at);
        onward.page_before = if matches!(onward.at, At::Back(_)) { String::new() } else { digest };
        onward.record_before = open.last;
        if !onward.done && !matches!(onward.at, At::Back(_)) && onward.pages >= self.definition.pages.cap.0 {
            onward = self.past_the_cap(onward)?;
        }
        self.onward = Some(onward);
        Ok(())
    }

    fn onward_to(&self, at: Option<At>) -> Position {
        Position {
            done: at.is_none(),
            at: at.unwrap_or_default(),
            index: 0,
            seen: String::new(),
            pages: self.position.pages + 1,
            ..self.position.clone()
        }
    }

    /// Without an upper bound there is nothing to split: what comes in order is asked for since the newest instead.
    fn past_the_cap(&self, onward: Position) -> Result<Position, Fault> {
        let since = self.position.since.unwrap_or(self.window.from);
        match onward.newest {
            Some(newest) if !self.definition.is_bounded() && !onward.out_of_order && newest > since => Ok(Position {
                since: Some(newest),
                newest: Some(newest),
                records: onward.records,
                ..Position::default()
            }),
            _ => {
                let what = format!("the window has more than {} pages", self.definition.pages.cap.0);
                Err(Fault::split(what, "less is asked for at once; or allow it more pages"))
            }
        }
    }

    /// The page does not begin as it did: it is handed out once more.
    fn page_again(&mut self) -> Result<(), Fault> {
        self.open = None;
        self.moves()?;
        self.position.index = 0;
        self.position.seen = String::new();
        Ok(())
    }

    /// The pages do not join: all of them are read once more.
    fn begin_again(&mut self) -> Result<(), Fault> {
        self.open = None;
        self.moves()?;
        let (since, moved, records) = (self.position.since, self.position.moved, self.position.records);
        self.position = Position { records, moved, since, ..Position::default() };
        Ok(())
    }

    fn moves(&mut self) -> Result<(), Fault> {
        self.position.moved += 1;
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.error = Some("the list has moved since the page before; it is read again".into());
        }
        if self.position.moved > MOST_MOVED {
            return Err(Fault::passing("the list moves while it is read, again and again"));
        }
        Ok(())
    }

    /// The records of an answer that is held in memory.
    fn picked(&self, body: &[u8]) -> Result<(Vec<Raw>, Option<Vec<u8>>), Fault> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let answer: serde_json::Value = serde_json::from_slice(body)
            .map_err(|error| self.broken(if error.is_eof() { Broken::EndsEarly } else { Broken::NotJson(0) }))?;
        let Ok(Records::Path(path)) = &self.records else { return Ok((Vec::new(), None)) };
        let found = path.query(&answer).all();
        // a path to one list means what is in it
        let found = match found.as_slice() {
            [serde_json::Value::Array(list)] => list.iter().collect(),
            _ => found,
        };
        let raw = |value: &serde_json::Value| {
            let text = value.to_string().into_bytes();
            Raw { bytes: text.len() as u64, text }
        };
        let token = match &self.definition.pages.kind {
            PageKind::CursorInBody { path, .. } | PageKind::NextInBody { path } => {
                Steps::parse(path).and_then(|steps| {
                    let found = steps.0.iter().try_fold(&answer, |value, step| value.get(step))?;
                    Some(found.to_string().into_bytes())
                })
            }
            _ => None,
        };
        Ok((found.into_iter().map(raw).collect(), token))
    }

    fn broken(&self, broken: Broken) -> Fault {
        let kind = self.open.as_ref().and_then(|open| open.answer.headers().get(header::CONTENT_TYPE));
        let kind = kind.and_then(|kind| kind.to_str().ok()).filter(|kind| !kind.contains("json"));
        let says =
            kind.map(|kind| format!(" (it says {})", request::hide(kind, self.secret.as_ref()))).unwrap_or_default();
        match broken {
            Broken::NotJson(at) => Fault::passing(format!("the answer is not JSON from byte {at} on{says}")),
            Broken::EndsEarly => Fault::passing(format!("the answer ends in the middle of its JSON{says}")),
            Broken::NoRecords => Fault::stop(
                format!("the answer holds nothing at {}", self.definition.records),
                "say where its records are",
            ),
            Broken::NotAList => Fault::stop(
                format!("at {} of the answer is neither a list nor an object{says}", self.definition.records),
                "say where its records are",
            ),
        }
    }

    fn close(&mut self, fault: Option<&Fault>) {
        self.open = None;
        if let (Some(evidence), Some(fault)) = (self.evidence.last_mut(), fault) {
            evidence.error = Some(request::hide(fault.what(), self.secret.as_ref()));
        }
    }

    fn spent(&mut self, began: Instant) {
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
    }

    fn watch_clock(&mut self, answer: &Answer) {
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let Some((date, evidence)) = date.zip(self.evidence.last()) else { return };
        let now = self.client.clock().now();
        let middle = evidence.started_at + (now - evidence.started_at) / 2;
        // the header leaves out what is less than a second: half of one, on average
        self.skew = Some(date.to_utc() + TimeDelta::milliseconds(500) - middle);
    }
}

fn chained(before: &str, digest: &[u8; 32]) -> String {
    let mut both = before.as_bytes().to_vec();
    both.extend_from_slice(digest);
    crypto::base64url(&crypto::sha256(&both))
}

#[cfg(test)]
mod tests;
