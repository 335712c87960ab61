//! The trial of a draft: the newest events of a type, stored and quarantined, are judged by it as the front door
//! would, and nothing is stored. It reads in small pages, judges on threads of its own, and ends after a number of
//! events, bytes or seconds, whichever comes first.
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::{sync::Semaphore, time::Instant};

use super::{Breach, Contract, Details, EventType};
use crate::{
    auth::{Permit, ReadPayloads},
    db::Db,
    error::{Error, Result},
    events::{self, Cursor, Event, Filter, Verdict},
    ids::EventId,
    ingest,
};

/// How many events a trial may be asked for.
pub const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// How many it is, when nobody says.
pub const USUAL: usize = 1_000;

/// How many events are read at once.
const PAGE: usize = 100;
/// Where a trial ends, however many events it was asked for.
const MOST_BYTES: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(8);
/// The most groups and samples that are told.
const MOST_GROUPS: usize = 40;
const MOST_SAMPLES: usize = 3;
/// Trials that run at once in this process; others wait their turn.
static ROOM: Semaphore = Semaphore::const_new(2);

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// How many events were looked at.
    pub looked_at: usize,
    /// When the oldest of them was received.
    pub since: Option<DateTime<Utc>>,
    /// Why there were no more.
    pub ended: Ended,
    /// Events that were accepted.
    pub accepted: usize,
    /// Those of them that break the draft.
    pub would_break: usize,
    /// Those of these that break the active contract too: it has become stricter since they came.
    pub break_already: usize,
    /// Events in quarantine.
    pub quarantined: usize,
    /// Those of them that keep the draft.
    pub would_pass: usize,
    /// Those that keep it, but repeat the unique value of another event: no contract mends that.
    pub conflicts: usize,
    /// What would change, by rule and place; the most frequent first.
    pub groups: Vec<Group>,
}

/// Why a trial looked at no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// There are no more of this type.
    All,
    /// It has looked at as many as were asked for.
    Count,
    /// They were long.
    Bytes,
    /// It took long.
    Time,
}

/// Events that would be judged differently for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What would become of them.
    pub change: Change,
    /// The rule that they break, or broke.
    pub rule: String,
    /// Where, with `*` for every item of a list.
    pub path: String,
    /// What is wrong, of the first that was met.
    pub message: String,
    /// How many there are.
    pub events: usize,
    /// Some of them, newest first.
    pub samples: Vec<EventId>,
}

/// Which way a verdict would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It was accepted and breaks the draft.
    WouldBreak,
    /// It is in quarantine and keeps the draft.
    WouldPass,
}

/// Tries `draft` on the newest `count` events of a type. `longest` is the most bytes that an event may have.
///
/// # Errors
/// When the database fails.
pub async fn trial(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    longest: u32,
    event_type: &EventType,
    draft: &Contract,
    count: usize,
) -> Result<Trial> {
    try_on(db, permit, longest, event_type, draft, (count, None)).await
}

/// Tries the active contract on the newest [`USUAL`] events of a type that are in quarantine: how many keep it by now,
/// for it was stricter when they came.
///
/// # Errors
/// When the database fails.
pub async fn passing(db: &Db, permit: &Permit<ReadPayloads>, longest: u32, event_type: &EventType) -> Result<Trial> {
    let active = &event_type.details.contract;
    try_on(db, permit, longest, event_type, active, (USUAL, Some(Verdict::Quarantined))).await
}

async fn try_on(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    longest: u32,
    event_type: &EventType,
    draft: &Contract,
    (count, verdict): (usize, Option<Verdict>),
) -> Result<Trial> {
    let _turn = ROOM.acquire().await.map_err(Error::internal)?;
    let began = Instant::now();
    let details = Details { contract: draft.clone(), ..event_type.details.clone() };
    let mut court = Court {
        active: event_type.clone(),
        draft: EventType { details, ..event_type.clone() },
        longest,
        found: Trial::default(),
        groups: BTreeMap::new(),
    };
    let filter = Filter { event_type: Some(event_type.id), verdict, ..Filter::default() };
    let (mut cursor, mut bytes) = (Cursor::Newest, 0);
    loop {
        let left = count.saturating_sub(court.found.looked_at);
        let page = events::store::whole_page(db, permit, &filter, cursor, PAGE.min(left)).await?;
        bytes += page.events.iter().map(|event| event.payload.len()).sum::<usize>();
        court = tokio::task::spawn_blocking(move || court.hear(&page.events)).await.map_err(Error::internal)?;
        court.found.ended = match page.older {
            None => Ended::All,
            _ if court.found.looked_at >= count => Ended::Count,
            _ if bytes >= MOST_BYTES => Ended::Bytes,
            _ if began.elapsed() >= LONGEST => Ended::Time,
            Some(older) => {
                cursor = Cursor::Before(older);
                continue;
            }
        };
        return Ok(court.close());
    }
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            looked_at: 0,
            since: None,
            ended: Ended::All,
            accepted: 0,
            would_break: 0,
            break_already: 0,
            quarantined: 0,
            would_pass: 0,
            conflicts: 0,
            groups: Vec::new(),
        }
    }
}

/// Judges events by the draft, one after the other.
struct Court {
    active: EventType,
    draft: EventType,
    longest: u32,
    found: Trial,
    groups: BTreeMap<(Change, String, String), Group>,
}

impl Court {
    fn hear(mut self, events: &[Event]) -> Self {
        for event in events {
            self.found.looked_at += 1;
            self.found.since = Some(event.id.received_at());
            let breaches = self.breaches(&self.draft, event);
            if event.verdict == Verdict::Accepted {
                self.found.accepted += 1;
                if !breaches.is_empty() {
                    self.found.would_break += 1;
                    self.found.break_already += usize::from(!self.breaches(&self.active, event).is_empty());
                    self.note(Change::WouldBreak, event.id, breaches);
                }
            } else if event.verdict == Verdict::Quarantined {
                self.found.quarantined += 1;
                let reasons = event.breaches();
                if breaches.is_empty() && reasons.iter().any(|breach| breach.rule == "conflict") {
                    self.found.conflicts += 1;
                } else if breaches.is_empty() {
                    self.found.would_pass += 1;
                    self.note(Change::WouldPass, event.id, reasons);
                }
            }
        }
        self
    }

    fn breaches(&self, event_type: &EventType, event: &Event) -> Vec<Breach> {
        match ingest::judge_text(event_type, &event.payload, self.longest) {
            Ok(row) => row.errors.and_then(|errors| serde_json::from_str(&errors).ok()).unwrap_or_default(),
            // the settings were other ones when it came
            Err(why) => vec![Breach::new("", "event", why)],
        }
    }

    fn note(&mut self, change: Change, event: EventId, breaches: Vec<Breach>) {
        // an event that breaks the same rule at several items counts once
        let mut told = BTreeSet::new();
        for breach in breaches {
            let path = every_item(&breach.path);
            if !told.insert((breach.rule.clone(), path.clone())) {
                continue;
            }
            let key = (change, breach.rule.clone(), path.clone());
            let group = self.groups.entry(key).or_insert_with(|| Group {
                change,
                rule: breach.rule,
                path,
                message: breach.message,
                events: 0,
                samples: Vec::new(),
            });
            group.events += 1;
            if group.samples.len() < MOST_SAMPLES {
                group.samples.push(event);
            }
        }
    }

    fn close(mut self) -> Trial {
        self.found.groups = self.groups.into_values().collect();
        self.found.groups.sort_by_key(|group| (group.change, std::cmp::Reverse(group.events)));
        self.found.groups.truncate(MOST_GROUPS);
        self.found
    }
}

/// A path with `*` in place of the numbers of items.
fn every_item(path: &str) -> String {
    let number = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    path.split('/').map(|key| if number(key) { "*" } else { key }).collect::<Vec<_>>().join("/")
}
