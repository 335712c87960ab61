//! Pieces of a window on their way to the disk: those that have gathered go together, as one transaction.
use std::{future::Future, pin::Pin, time::Duration};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::read::Short;
use crate::{
    app::App,
    db::lane::{Append, Outcome, Progress, Reached, Row, Summary},
    error::{Error, Unavailable},
    event_types::EventType,
    ids::{ReceiptId, SourceId, TokenId},
    ingest::judge_record,
    polling::{
        fetch::{CHUNK_BYTES, Chunk, Position, Record},
        store::lease::Taken,
    },
};

/// How many records gather before nothing more is read.
const MOST_RECORDS: usize = 4_000;
/// How many bytes of them.
const MOST_BYTES: usize = CHUNK_BYTES;
/// How long pieces may wait for the disk before the window is given back.
const PATIENCE: Duration = Duration::from_secs(20);

impl Record {
    /// What the contract says of it.
    pub(super) fn judged(&self, event_type: &EventType, source: SourceId, longest: u32) -> Row {
        let unique = format!("{source}\n{}", self.unique);
        judge_record(event_type, &self.event, &unique, self.fault.as_deref(), longest)
    }
}

/// A piece: some records of one request, judged.
pub(super) struct Piece {
    /// The place of its request.
    request: i64,
    rows: Vec<Row>,
    /// The records' own times.
    times: Vec<Option<DateTime<Utc>>>,
    /// How far it brings the window.
    position: Position,
    bytes: usize,
}

impl Piece {
    pub fn of(chunk: Chunk, request: i64, judge: impl Fn(&Record) -> Row) -> Self {
        let rows: Vec<_> = chunk.records.iter().map(judge).collect();
        let bytes = rows.iter().map(|row| row.payload.len()).sum();
        let times = chunk.records.iter().map(|record| record.time).collect();
        Self { request, rows, times, position: chunk.position, bytes }
    }
}

/// Pieces in the order in which they were read.
#[derive(Default)]
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn records(&self) -> usize {
        self.0.iter().map(|piece| piece.rows.len()).sum()
    }

    /// Whether more may gather.
    pub fn have_room(&self) -> bool {
        // nothing is sent before there are two
        self.0.len() < 2
            || self.records() < MOST_RECORDS && self.0.iter().map(|piece| piece.bytes).sum::<usize>() < MOST_BYTES
    }

    pub fn push(&mut self, piece: Piece) {
        self.0.push(piece);
    }

    /// Takes what is certain not to be the last; none when there is nothing but the newest.
    pub fn all_but_the_newest(&mut self) -> Option<Self> {
        let newest = self.0.pop()?;
        let others = std::mem::replace(&mut self.0, vec![newest]);
        (!others.is_empty()).then_some(Self(others))
    }

    /// How far they bring the window; JSON. None when there are none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn position(&self) -> Result<Option<String>, Error> {
        self.0.last().map(|piece| serde_json::to_string(&piece.position)).transpose().map_err(Error::internal)
    }

    /// Sends them to the write lane, together with how far they bring the window. Without any, that alone.
    pub fn send(self, app: App, taken: &Taken, reached: Reached) -> UnderWay {
        let mut parts: Vec<Piece> = Vec::new();
        for piece in self.0 {
            match parts.last_mut() {
                Some(part) if part.request == piece.request => {
                    part.rows.extend(piece.rows);
                    part.times.extend(piece.times);
                    part.bytes += piece.bytes;
                }
                _ => parts.push(piece),
            }
        }
        let position = reached.position.clone();
        let bytes = parts.iter().map(|part| part.bytes + part.rows.len() * size_of::<Row>()).sum();
        let (mut appends, mut times) = (Vec::with_capacity(parts.len()), Vec::with_capacity(parts.len()));
        let append = |request, rows| Append {
            tenant: taken.tenant,
            receipt: ReceiptId::issue(&app.clock),
            // what it came with, as events keep it: the id of a token or of a source
            source: Some(TokenId(taken.source.0)),
            rows,
            strict: false,
            once: None,
            mends: None,
            progress: Some(Box::new(Progress {
                source: taken.source,
                window: taken.id,
                epoch: taken.epoch,
                request,
                reached: None,
            })),
        };
        for part in parts {
            appends.push(append(part.request, part.rows));
            times.push(part.times);
        }
        if appends.is_empty() {
            appends.push(append(0, Vec::new()));
            times.push(Vec::new());
        }
        if let Some(progress) = appends.last_mut().and_then(|append| append.progress.as_mut()) {
            progress.reached = Some(reached);
        }
        let appended = async move {
            let summaries = appended(&app, appends, bytes).await?;
            Ok(Stored::of(&summaries, &times, position))
        };
        UnderWay(Some(Box::pin(appended)))
    }
}

/// Waits for pieces that are on their way to the disk.
type Appended = Pin<Box<dyn Future<Output = Result<Stored, Short>> + Send>>;

/// Pieces that are on their way to the disk, if any are.
pub(super) struct UnderWay(Option<Appended>);

impl UnderWay {
    pub fn none() -> Self {
        Self(None)
    }

    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until they are there; for ever when none are on their way.
    pub async fn stored(&mut self) -> Result<Stored, Short> {
        let stored = match &mut self.0 {
            Some(under_way) => under_way.await,
            None => std::future::pending().await,
        };
        self.0 = None;
        stored
    }
}

/// What has become of pieces.
pub(super) struct Stored {
    /// How far the window has come.
    pub position: Option<String>,
    pub records: i64,
    /// Of these, not known before.
    pub fresh: i64,
    /// The own times of those.
    pub times: Vec<DateTime<Utc>>,
}

impl Stored {
    fn of(summaries: &[Summary], times: &[Vec<Option<DateTime<Utc>>>], position: Option<String>) -> Self {
        let mut stored = Self { position, records: 0, fresh: 0, times: Vec::new() };
        for (summary, times) in summaries.iter().zip(times) {
            stored.records += i64::try_from(times.len()).unwrap_or(0);
            stored.fresh += i64::try_from(times.len() - summary.duplicates.len()).unwrap_or(0);
            let mut duplicates = summary.duplicates.iter().map(|(index, _)| *index).peekable();
            for (index, time) in times.iter().enumerate() {
                if duplicates.next_if_eq(&index).is_none() {
                    stored.times.extend(time);
                }
            }
        }
        stored
    }
}

/// Hands appends to the write lane; waits for a while when that is full.
async fn appended(app: &App, appends: Vec<Append>, bytes: usize) -> Result<Vec<Summary>, Short> {
    let began = Instant::now();
    loop {
        let stored = match app.lane.admit(bytes).await {
            Ok(place) => app.lane.append_all(place, appends.clone()).await,
            Err(why) => Err(Error::Unavailable(why)),
        };
        match stored {
            Ok(outcomes) => return outcomes.into_iter().map(summary).collect(),
            // nothing was stored, for certain
            Err(Error::Unavailable(Unavailable::QueueFull)) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn summary(outcome: Outcome) -> Result<Summary, Short> {
    match outcome {
        Outcome::Stored(summary) => Ok(summary),
        Outcome::Fenced => Err(Short::Lost),
        other => Err(Error::internal(anyhow::anyhow!("what was polled became {other:?}")).into()),
    }
}
