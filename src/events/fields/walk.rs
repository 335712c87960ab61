//! Walks to the events that hold something in a field: along its index where that knows all of them, and otherwise
//! through the payloads, newest first, until enough were looked at. A page says how far it came, and the next goes on
//! from there.
use std::time::Duration;

use tokio::time::Instant;

use super::{
    FieldIs, store,
    value::{Digest, Of, Wanted},
};
use crate::{
    db::Db,
    error::Result,
    events::{
        Cursor, Event, Filter,
        along::{Along, Range, Towards, next, source},
        store::{LOOK, Page, WHOLE, between, turn},
    },
    ids::{EventId, TenantId, TokenId},
    sql,
};

/// How long one page looks.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How much is read at once: about so many bytes, so many events at most.
const ROOM: usize = 4 << 20;
const FEWEST: usize = 20;
const MOST: usize = 400;

/// How many events to read at once, by how long the last ones were.
pub(super) struct Pace(usize);

impl Pace {
    pub(super) fn new() -> Self {
        Self(MOST / 4)
    }

    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.0).unwrap_or(1)
    }

    pub(super) fn learn(&mut self, events: &[Event]) {
        let bytes: usize = events.iter().map(|event| event.payload.len()).sum();
        if let Some(each) = bytes.checked_div(events.len()) {
            self.0 = (ROOM / each.max(1)).clamp(FEWEST, MOST);
        }
    }
}

/// One way through the events of a tenant.
pub(in crate::events) struct Walk<'a> {
    db: &'a Db,
    tenant: TenantId,
    filter: &'a Filter,
    asked: &'a FieldIs,
    wanted: Wanted,
    /// What to ask the index for, when it knows them all.
    pub(super) index: Option<[Digest; 2]>,
    characters: i32,
    /// How many rows a page looks at, at most.
    pub(super) at_most: usize,
}

impl<'a> Walk<'a> {
    /// The way of a filter with this field in it; so many characters of each payload are handed out.
    pub(in crate::events) async fn new(
        db: &'a Db,
        tenant: TenantId,
        filter: &'a Filter,
        asked: &'a FieldIs,
        characters: i32,
    ) -> Result<Self> {
        let wanted = Wanted::of(&asked.value);
        let index = match filter.event_type {
            Some(event_type) if store::knows(db, tenant, event_type, asked).await? => {
                Some(wanted.digests(&Of { tenant, event_type, field: &asked.field }))
            }
            _ => None,
        };
        let at_most = usize::try_from(LOOK).unwrap_or(usize::MAX);
        Ok(Self { db, tenant, filter, asked, wanted, index, characters, at_most })
    }

    /// One page of it.
    pub(in crate::events) async fn page(&self, cursor: Cursor, limit: usize) -> Result<Page> {
        let (began, mut range) = (Instant::now(), Range::of(self.filter));
        let towards = range.cut(cursor);
        let (mut found, mut looked, mut pace) = (Vec::new(), 0, Pace::new());
        let (more, edge) = 'walk: loop {
            let wanted = pace.limit();
            let (events, last) = self.some(range, towards, wanted).await?;
            pace.learn(&events);
            for event in events {
                looked += 1;
                if self.keeps(&event) {
                    // one more than is shown tells that there are more
                    if found.len() == limit {
                        break 'walk (true, None);
                    }
                    found.push(self.cut(event));
                }
            }
            let Some(last) = last else { break (false, None) };
            range.beyond(last, towards);
            if looked >= self.at_most || began.elapsed() > PATIENCE {
                break (false, Some(last));
            }
        };
        if towards == Towards::Newer {
            found.reverse();
        }
        Ok(turn(found, cursor, more, edge, i64::try_from(looked).unwrap_or(i64::MAX)))
    }

    /// All of them, however long it takes.
    pub(in crate::events) async fn count(&self) -> Result<i64> {
        let (mut range, mut pace, mut count) = (Range::of(self.filter), Pace::new(), 0);
        loop {
            let (events, last) = self.some(range, Towards::Older, pace.limit()).await?;
            pace.learn(&events);
            count += i64::try_from(events.iter().filter(|event| self.keeps(event)).count()).unwrap_or(0);
            let Some(last) = last else { return Ok(count) };
            range.beyond(last, Towards::Older);
        }
    }

    /// The next events to look at, and where to go on; none when these are the last.
    async fn some(&self, range: Range, towards: Towards, limit: i64) -> Result<(Vec<Event>, Option<EventId>)> {
        let Some([text, other]) = self.index else {
            let along = Along::of(self.filter);
            let events = between(self.db, self.tenant, along, range, towards, (limit, WHOLE)).await?;
            let full = i64::try_from(events.len()).unwrap_or(0) >= limit;
            let last = events.last().map(|event| event.id).filter(|_| full);
            return Ok((events, last));
        };
        let (ids, list) = match towards {
            Towards::Older => (OLDER_IDS, OLDER),
            Towards::Newer => (NEWER_IDS, NEWER),
        };
        let (text, other) = (text.to_vec(), other.to_vec());
        let Range { low, high } = range;
        // ids first: an event may have gone since, which is no end
        let known = sql!(values EventId, self.db, ids, self.tenant, &text, &other, low, high, limit)?;
        let (Some(first), Some(last)) = (known.iter().min().copied(), known.iter().max().copied()) else {
            return Ok((Vec::new(), None));
        };
        let to = next(last);
        // no limit but the range: a value that is written down meanwhile must not push another one out
        let (limit_of_range, characters) = (i64::MAX, self.characters);
        let events = sql!(all Event, self.db, list, self.tenant, &text, &other, first, to, limit_of_range, characters)?;
        let full = i64::try_from(known.len()).unwrap_or(0) >= limit;
        Ok((events, known.last().copied().filter(|_| full)))
    }

    /// Whether an event on the way is one of those that are asked for.
    fn keeps(&self, event: &Event) -> bool {
        let source_of = event.source_id.unwrap_or(TokenId(uuid::Uuid::nil()));
        self.filter.event_type.is_none_or(|asked| asked == event.event_type_id)
            && self.filter.verdict.is_none_or(|asked| asked == event.verdict)
            && (!self.filter.warned || event.errors.is_some())
            && source(self.filter).is_none_or(|asked| asked == source_of)
            && (self.index.is_some() || self.wanted.is(self.asked.field.in_text(&event.payload)))
    }

    /// As much of its payload as was asked for.
    fn cut(&self, mut event: Event) -> Event {
        let characters = usize::try_from(self.characters).unwrap_or(0);
        if let Some((end, _)) = event.payload.char_indices().nth(characters) {
            event.payload.truncate(end);
        }
        event
    }
}

/// The events whose index holds one of two digests (`$2`, `$3`) in a range (`$4`, `$5`): `$6` of them.
macro_rules! indexed {
    ($order:literal) => {
        concat!(
            "SELECT event_id FROM (SELECT event_id FROM field_values WHERE tenant_id = $1 AND digest = $2
                AND event_id >= $4 AND event_id < $5 ORDER BY event_id ",
            $order,
            " LIMIT $6) AS a
             UNION SELECT event_id FROM (SELECT event_id FROM field_values WHERE tenant_id = $1 AND digest = $3
                AND event_id >= $4 AND event_id < $5 ORDER BY event_id ",
            $order,
            " LIMIT $6) AS b"
        )
    };
}

macro_rules! ids {
    ($order:literal) => {
        concat!(indexed!($order), " ORDER BY event_id ", $order, " LIMIT $6")
    };
}

/// The cross join keeps SQLite from walking through the events instead.
macro_rules! list {
    ($order:literal) => {
        concat!(
            "SELECT e.id, e.event_type_id, e.source_id, e.verdict, substr(e.payload, 1, $7) AS payload, e.errors FROM (",
            indexed!($order),
            ") AS found CROSS JOIN events AS e WHERE e.tenant_id = $1 AND e.id = found.event_id ORDER BY e.id ",
            $order,
            " LIMIT $6"
        )
    };
}

pub(super) const OLDER_IDS: &str = ids!("DESC");
pub(super) const NEWER_IDS: &str = ids!("ASC");
pub(super) const OLDER: &str = list!("DESC");
pub(super) const NEWER: &str = list!("ASC");
