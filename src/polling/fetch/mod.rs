//! Reads one window of a source: asks, follows the pages, cuts the records out of the stream, and hands them over in
//! chunks, each with the [`Position`] after it. A reading that was killed goes on from there; what comes twice by that
//! is known by its `unique`.
mod answer;
mod ask;
mod fault;
mod onward;
mod page;
pub mod path;
mod record;
mod request;
pub mod scan;
mod validator;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

pub use crate::crypto::Secret;
pub use fault::{Class, Fault};
pub use page::Position;
pub use record::Record;
pub use request::{Question, Shown, curl, hide, preview};
pub use validator::Validator;

use self::{answer::Open, path::Records};
use super::{Window, definition::Definition, map::Mapper};
use crate::{crypto, http_client::Client};

/// The most records of a chunk.
pub const CHUNK_RECORDS: usize = 500;
/// The most text of a chunk, in bytes, unless one record alone is longer.
pub const CHUNK_BYTES: usize = 1 << 20;

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
    /// Of the answer before; once all is read, of this one.
    validator: Option<Validator>,
}

/// A record, and what it was made of.
struct Made {
    record: Record,
    digest: [u8; 32],
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
            validator: None,
        }
    }

    /// Lets the other side say that nothing has changed since an answer before, which is stored.
    #[must_use]
    pub fn unless(mut self, validator: Option<Validator>) -> Self {
        self.validator = validator.filter(|_| self.definition.conditional);
        self
    }

    /// What it said of its answer, now that all of it was read.
    pub fn validator(&self) -> Option<&Validator> {
        self.validator.as_ref().filter(|_| self.position.done)
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
}

fn chained(before: &str, digest: &[u8; 32]) -> String {
    let mut both = before.as_bytes().to_vec();
    both.extend_from_slice(digest);
    crypto::base64url(&crypto::sha256(&both))
}

#[cfg(test)]
mod tests;
