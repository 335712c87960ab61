//! The SQL of events. Every list is a range of ids walked along an index; the index follows from the filter.
//! What no index knows (the token an event came with, say) is looked for in a bounded number of rows, and the page
//! tells how far it looked.
use chrono::{DateTime, Utc};

use super::{Cursor, Event, Filter, Source, Verdict};
use crate::{
    auth::{Permit, ReadPayloads, Right},
    db::Db,
    error::Result,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, TokenId},
    sql,
};

/// How many characters of a payload a list shows.
pub const START: i32 = 300;
/// Asks for payloads as they are. No event is longer: see [`crate::config::Limits::max_event`].
pub const WHOLE: i32 = i32::MAX;
/// How many rows a page looks at when it looks for what no index knows.
const LOOK: i64 = 50_000;

/// One page of a list, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The events; their payloads are cut at [`START`].
    pub events: Vec<Event>,
    /// The cursor of the page of older ones, if there may be any.
    pub older: Option<EventId>,
    /// The cursor of the page of newer ones, if there may be any.
    pub newer: Option<EventId>,
    /// Set when the page ends because enough rows were looked at, not because there are no more: how far it looked.
    pub scanned_to: Option<DateTime<Utc>>,
}

/// The index along which a filter is answered.
#[derive(Debug, Clone, Copy)]
enum Along {
    All,
    Type(EventTypeId),
    Quarantined,
}

/// A half-open range of ids.
#[derive(Debug, Clone, Copy)]
struct Range {
    low: EventId,
    high: EventId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    Older,
    Newer,
}

/// `$1` tenant, `$2` and `$3` range, `$4` type, `$5` token, `$6` verdict, `$7` the id that stands for no token. Along
/// one index, what the others know is compared so that the planner cannot think of them.
macro_rules! wherever {
    (all) => {
        wherever!("event_type_id = COALESCE($4, event_type_id)")
    };
    (of_type) => {
        wherever!("event_type_id = $4")
    };
    (quarantined) => {
        wherever!("verdict = 'quarantined' AND event_type_id = COALESCE($4, event_type_id)")
    };
    ($along:literal) => {
        concat!(
            " FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND ",
            $along,
            " AND verdict = COALESCE($6, verdict) AND ($5 IS NULL OR COALESCE(source_id, $7) = $5)"
        )
    };
}

macro_rules! listed {
    ($along:tt, $order:literal) => {
        concat!(
            "SELECT id, event_type_id, source_id, verdict, substr(payload, 1, $8) AS payload, errors",
            wherever!($along),
            " ORDER BY id ",
            $order,
            " LIMIT $9"
        )
    };
}

/// The id at which enough rows were looked at: the row `$4` places into the range.
macro_rules! edge {
    ($along:literal, $order:literal) => {
        concat!(
            "SELECT id FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3",
            $along,
            " ORDER BY id ",
            $order,
            " LIMIT 1 OFFSET $4"
        )
    };
}

impl Along {
    fn of(filter: &Filter) -> Self {
        match (filter.verdict, filter.event_type) {
            (Some(Verdict::Quarantined), _) => Self::Quarantined,
            (_, Some(event_type)) => Self::Type(event_type),
            _ => Self::All,
        }
    }

    /// Whether its index knows everything that the filter asks.
    fn knows(self, filter: &Filter) -> bool {
        filter.source.is_none()
            && match self {
                Self::All | Self::Type(_) => filter.verdict.is_none(),
                Self::Quarantined => filter.event_type.is_none(),
            }
    }

    const fn list(self, towards: Towards) -> &'static str {
        match (self, towards) {
            (Self::All, Towards::Older) => listed!(all, "DESC"),
            (Self::All, Towards::Newer) => listed!(all, "ASC"),
            (Self::Type(_), Towards::Older) => listed!(of_type, "DESC"),
            (Self::Type(_), Towards::Newer) => listed!(of_type, "ASC"),
            (Self::Quarantined, Towards::Older) => listed!(quarantined, "DESC"),
            (Self::Quarantined, Towards::Newer) => listed!(quarantined, "ASC"),
        }
    }

    const fn edge(self, towards: Towards) -> &'static str {
        match (self, towards) {
            (Self::All, Towards::Older) => edge!("", "DESC"),
            (Self::All, Towards::Newer) => edge!("", "ASC"),
            (Self::Type(_), Towards::Older) => edge!(" AND event_type_id = $5", "DESC"),
            (Self::Type(_), Towards::Newer) => edge!(" AND event_type_id = $5", "ASC"),
            (Self::Quarantined, Towards::Older) => edge!(" AND verdict = 'quarantined'", "DESC"),
            (Self::Quarantined, Towards::Newer) => edge!(" AND verdict = 'quarantined'", "ASC"),
        }
    }

    /// `exact`: the index alone can tell.
    const fn count(self, exact: bool) -> &'static str {
        match (self, exact) {
            (Self::All, true) => "SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3",
            (Self::Type(_), true) => {
                "SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND event_type_id = $4"
            }
            (Self::All, false) => concat!("SELECT COUNT(*)", wherever!(all)),
            (Self::Type(_), false) => concat!("SELECT COUNT(*)", wherever!(of_type)),
            (Self::Quarantined, _) => concat!("SELECT COUNT(*)", wherever!(quarantined)),
        }
    }
}

impl Range {
    /// The ids that the filter's times and receipt allow.
    fn of(filter: &Filter) -> Self {
        let mut range = Self { low: EventId(uuid::Uuid::nil()), high: EventId::MAX };
        if let Some(receipt) = filter.receipt {
            range = Self { low: EventId(receipt.0), high: next(receipt.last_event()) };
        }
        if let Some(from) = filter.from {
            range.low = range.low.max(EventId::floor(from));
        }
        if let Some(until) = filter.until {
            range.high = range.high.min(EventId::floor(until));
        }
        range
    }
}

fn next(id: EventId) -> EventId {
    EventId(uuid::Uuid::from_u128(id.0.as_u128().saturating_add(1)))
}

fn previous(id: EventId) -> EventId {
    EventId(uuid::Uuid::from_u128(id.0.as_u128().saturating_sub(1)))
}

fn source(filter: &Filter) -> Option<TokenId> {
    filter.source.map(|source| match source {
        Source::Token(id) => id,
        Source::Anonymous => TokenId(uuid::Uuid::nil()),
    })
}

/// One page of the events that `filter` asks for, their payloads cut at [`START`].
///
/// Pages are cut by id, so walking on neither repeats nor skips an event, however many arrive meanwhile.
///
/// # Errors
/// When the database does.
pub async fn page(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    cursor: Cursor,
    limit: usize,
) -> Result<Page> {
    look(db, permit.tenant(), filter, cursor, limit, START, LOOK).await
}

/// As [`page`], with payloads as they are: for whoever works through all of them.
///
/// # Errors
/// When the database does.
pub async fn whole_page(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    cursor: Cursor,
    limit: usize,
) -> Result<Page> {
    look(db, permit.tenant(), filter, cursor, limit, WHOLE, LOOK).await
}

async fn look(
    db: &Db,
    tenant: TenantId,
    filter: &Filter,
    cursor: Cursor,
    limit: usize,
    characters: i32,
    at_most: i64,
) -> Result<Page> {
    let (along, mut range) = (Along::of(filter), Range::of(filter));
    let towards = match cursor {
        Cursor::Newest => Towards::Older,
        Cursor::Before(id) => {
            range.high = range.high.min(id);
            Towards::Older
        }
        Cursor::After(id) => {
            range.low = range.low.max(next(id));
            Towards::Newer
        }
    };
    let edge = if along.knows(filter) { None } else { edge(db, tenant, along, range, towards, at_most).await? };
    if let Some(edge) = edge {
        match towards {
            Towards::Older => range.low = edge,
            Towards::Newer => range.high = next(edge),
        }
    }
    // one more than is shown tells whether there are more
    let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut events = sql!(
        all Event,
        db,
        along.list(towards),
        tenant,
        range.low,
        range.high,
        filter.event_type,
        source(filter),
        filter.verdict.map(Verdict::word),
        uuid::Uuid::nil(),
        characters,
        asked,
    )?;
    let more = events.len() > limit;
    events.truncate(limit);
    if towards == Towards::Newer {
        events.reverse();
    }
    Ok(turn(events, cursor, more, edge))
}

/// The cursors of a page: where it goes on, and where it came from.
fn turn(events: Vec<Event>, cursor: Cursor, more: bool, edge: Option<EventId>) -> Page {
    let (first, last) = (events.first().map(|event| event.id), events.last().map(|event| event.id));
    let edge = if more { None } else { edge };
    let (newer, older) = match cursor {
        Cursor::Newest => (None, if more { last } else { edge }),
        Cursor::Before(id) => (first.or(Some(previous(id))), if more { last } else { edge }),
        Cursor::After(id) => (if more { first } else { edge }, last.or(Some(next(id)))),
    };
    Page { events, older, newer, scanned_to: edge.map(EventId::received_at) }
}

async fn edge(
    db: &Db,
    tenant: TenantId,
    along: Along,
    range: Range,
    towards: Towards,
    at_most: i64,
) -> Result<Option<EventId>> {
    let text = along.edge(towards);
    let found = match along {
        Along::Type(event_type) => {
            sql!(opt(EventId,), db, text, tenant, range.low, range.high, at_most - 1, event_type)?
        }
        Along::All | Along::Quarantined => sql!(opt(EventId,), db, text, tenant, range.low, range.high, at_most - 1)?,
    };
    Ok(found.map(|(id,)| id))
}

/// One event, its payload as it is; none when it does not exist or is another tenant's.
///
/// # Errors
/// When the database does.
pub async fn one(db: &Db, permit: &Permit<ReadPayloads>, id: EventId) -> Result<Option<Event>> {
    Ok(sql!(
        opt Event,
        db,
        "SELECT id, event_type_id, source_id, verdict, payload, errors FROM events WHERE tenant_id = $1 AND id = $2",
        permit.tenant(),
        id,
    )?)
}

/// How many events `filter` asks for. Exact, and so as slow as they are many.
///
/// # Errors
/// When the database does.
pub async fn count(db: &Db, permit: &Permit<ReadPayloads>, filter: &Filter) -> Result<i64> {
    let tenant = permit.tenant();
    let (along, Range { low, high }) = (Along::of(filter), Range::of(filter));
    Ok(match along {
        Along::All if along.knows(filter) => sql!(value i64, db, along.count(true), tenant, low, high)?,
        Along::Type(event_type) if along.knows(filter) => {
            sql!(value i64, db, along.count(true), tenant, low, high, event_type)?
        }
        _ => {
            let verdict = filter.verdict.map(Verdict::word);
            let none = uuid::Uuid::nil();
            let text = along.count(false);
            sql!(value i64, db, text, tenant, low, high, filter.event_type, source(filter), verdict, none)?
        }
    })
}

/// Whether the tenant has any event at all.
///
/// # Errors
/// When the database does.
pub async fn any<R: Right>(db: &Db, permit: &Permit<R>) -> Result<bool> {
    let found = sql!(opt(EventId,), db, "SELECT id FROM events WHERE tenant_id = $1 LIMIT 1", permit.tenant())?;
    Ok(found.is_some())
}

/// For the live streams: the newest events above `after`, newest first, payloads cut at [`START`].
///
/// # Errors
/// When the database does.
pub async fn since(
    db: &Db,
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    after: EventId,
    limit: usize,
) -> Result<Vec<Event>> {
    let filter = Filter { event_type, ..Filter::default() };
    Ok(sql!(
        all Event,
        db,
        Along::of(&filter).list(Towards::Older),
        tenant,
        next(after),
        EventId::MAX,
        event_type,
        None::<TokenId>,
        None::<&str>,
        uuid::Uuid::nil(),
        START,
        i64::try_from(limit).unwrap_or(i64::MAX),
    )?)
}

/// For the live streams: the ids above `after` up to `upto`, newest first.
///
/// # Errors
/// When the database does.
pub async fn ids_between(
    db: &Db,
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    after: EventId,
    upto: EventId,
    limit: i64,
) -> Result<Vec<EventId>> {
    let (low, high) = (next(after), next(upto));
    Ok(match event_type {
        None => sql!(values EventId, db, IDS, tenant, low, high, limit)?,
        Some(event_type) => sql!(values EventId, db, IDS_OF_TYPE, tenant, low, high, limit, event_type)?,
    })
}

const IDS: &str = "SELECT id FROM events WHERE tenant_id = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4";
const IDS_OF_TYPE: &str = "SELECT id FROM events
    WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND event_type_id = $5 ORDER BY id DESC LIMIT $4";

/// For the live streams: one event, its payload cut at [`START`].
///
/// # Errors
/// When the database does.
pub async fn start_of(db: &Db, tenant: TenantId, id: EventId) -> Result<Option<Event>> {
    Ok(sql!(
        opt Event,
        db,
        "SELECT id, event_type_id, source_id, verdict, substr(payload, 1, $3) AS payload, errors
         FROM events WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        START,
    )?)
}

/// How one event of a receipt fared.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Fared {
    /// The event; its place in the request is in its id.
    pub id: EventId,
    /// Its type.
    pub event_type_id: EventTypeId,
    /// What became of its contract.
    pub verdict: Verdict,
    /// How it breaks it: a JSON array.
    pub errors: Option<String>,
}

/// The events that a receipt stored, in the order of the request.
///
/// # Errors
/// When the database does.
pub async fn of_receipt(db: &Db, tenant: TenantId, receipt: ReceiptId) -> Result<Vec<Fared>> {
    Ok(sql!(all Fared, db, OF_RECEIPT, tenant, receipt, receipt.last_event())?)
}

const OF_RECEIPT: &str =
    "SELECT id, event_type_id, verdict, errors FROM events WHERE tenant_id = $1 AND id > $2 AND id <= $3 ORDER BY id";

/// What is kept of a receipt that its events cannot tell by themselves.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Receipt {
    /// The status that was answered.
    pub status: i64,
    /// How many events were accepted.
    pub accepted: i64,
    /// JSON: `[[index, id of the event it repeats], …]`.
    pub duplicates: String,
    /// JSON: the inside of the answer's `rejected`.
    pub rejected: String,
    /// JSON: the inside of the answer's `warnings`.
    pub warnings: String,
}

/// What is kept of a receipt, if anything is: most need no row of their own.
///
/// # Errors
/// When the database does.
pub async fn receipt_row(db: &Db, tenant: TenantId, receipt: ReceiptId) -> Result<Option<Receipt>> {
    Ok(sql!(
        opt Receipt,
        db,
        "SELECT status, accepted, duplicates, rejected, warnings FROM receipts WHERE tenant_id = $1 AND id = $2",
        tenant,
        receipt,
    )?)
}

/// How one type stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    /// The type.
    pub event_type_id: EventTypeId,
    /// How many events were accepted since the moment asked for.
    pub accepted: i64,
    /// How many were quarantined since then.
    pub quarantined: i64,
    /// How many repeated an earlier one since then.
    pub duplicates: i64,
    /// Its newest event that is still kept.
    pub newest: Option<EventId>,
}

/// How each type stands that ever had an event: its newest, and how many since the hour of `since`. Figures follow
/// the events within about a second.
///
/// # Errors
/// When the database does.
pub async fn last_of_types<R: Right>(db: &Db, permit: &Permit<R>, since: DateTime<Utc>) -> Result<Vec<Standing>> {
    Ok(sql!(all Standing, db, LAST_OF_TYPES, permit.tenant(), super::follower::hour(since))?)
}

const LAST_OF_TYPES: &str = "SELECT c.event_type_id,
        CAST(COALESCE(SUM(c.accepted) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS accepted,
        CAST(COALESCE(SUM(c.quarantined) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS quarantined,
        CAST(COALESCE(SUM(c.duplicates) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS duplicates,
        (SELECT e.id FROM events AS e WHERE e.tenant_id = c.tenant_id AND e.event_type_id = c.event_type_id
         ORDER BY e.id DESC LIMIT 1) AS newest
    FROM event_counts AS c WHERE c.tenant_id = $1
    GROUP BY c.tenant_id, c.event_type_id ORDER BY c.event_type_id";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{
        db::testing::each,
        events::testing::{Bench, Given, WRONG, some_token, some_type},
    };

    /// What is wrong with every third event.
    fn mixed(n: u128) -> Given<'static> {
        (some_type(n % 3), Some(some_token(n % 2)), r#"{"n":1}"#, n.is_multiple_of(4).then_some(WRONG))
    }

    fn matches(filter: &Filter, given: &Given) -> bool {
        filter.event_type.is_none_or(|asked| asked == given.0)
            && filter.source.is_none_or(|asked| given.1.map_or(Source::Anonymous, Source::Token) == asked)
            && filter.verdict.is_none_or(|asked| (asked == Verdict::Quarantined) == given.3.is_some())
    }

    fn every_filter() -> Vec<Filter> {
        let types = [None, Some(some_type(1))];
        let sources = [None, Some(Source::Token(some_token(1))), Some(Source::Anonymous)];
        let verdicts = [None, Some(Verdict::Accepted), Some(Verdict::Quarantined)];
        let mut filters = Vec::new();
        for event_type in types {
            for source in sources {
                for verdict in verdicts {
                    filters.push(Filter { event_type, source, verdict, ..Filter::default() });
                }
            }
        }
        filters
    }

    #[tokio::test]
    async fn every_filter_finds_and_counts_what_it_asks_for() {
        each(async |db| {
            let bench = Bench::new(&db);
            let permit = bench.permit();
            let mut sent = Vec::new();
            for n in 0..60 {
                let mut given = mixed(n);
                if n % 5 == 0 {
                    given.1 = None;
                }
                sent.push((bench.send(&[given]).await.event(0), given));
                bench.send_as(TenantId::new(&bench.clock), ReceiptId::issue(&bench.clock), &[given]).await;
            }
            sent.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
            for filter in every_filter() {
                let expected: Vec<_> =
                    sent.iter().filter(|(_, given)| matches(&filter, given)).map(|(id, _)| *id).collect();
                let mut found = Vec::new();
                let mut cursor = Cursor::Newest;
                loop {
                    // few rows to look at, so that the edge is met as well
                    let page = look(&db, bench.tenant, &filter, cursor, 7, START, 9).await.unwrap();
                    found.extend(page.events.iter().map(|event| event.id));
                    let Some(older) = page.older else { break };
                    cursor = Cursor::Before(older);
                }
                assert_eq!(found, expected, "{filter:?}");
                let counted = count(&db, &permit, &filter).await.unwrap();
                assert_eq!(usize::try_from(counted).unwrap(), expected.len(), "{filter:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn walking_there_and_back_while_events_arrive_neither_repeats_nor_skips() {
        each(async |db| {
            let bench = Bench::new(&db);
            let mut random = StdRng::seed_from_u64(7);
            for filter in every_filter() {
                let mut before = BTreeSet::new();
                for n in 0..40 {
                    let given = mixed(n);
                    let id = bench.send(&[given]).await.event(0);
                    if matches(&filter, &given) {
                        before.insert(id);
                    }
                }
                let known: BTreeSet<_> = before.clone();
                let oldest = known.first().copied();
                let limit = random.random_range(1..9);
                let at_most = random.random_range(2..15);
                let mut cursor = Cursor::Newest;
                let mut there = Vec::new();
                let turning = loop {
                    let page = look(&db, bench.tenant, &filter, cursor, limit, START, at_most).await.unwrap();
                    assert!(page.events.len() <= limit);
                    there.extend(page.events.iter().map(|event| event.id));
                    bench.send(&[mixed(random.random_range(0..12))]).await;
                    match page.older {
                        Some(older) if page.events.last().is_none_or(|last| Some(last.id) > oldest) => {
                            cursor = Cursor::Before(older);
                        }
                        _ => break page,
                    }
                };
                assert!(there.is_sorted_by(|a, b| a > b), "{filter:?}: repeated or out of order");
                assert!(known.iter().all(|id| there.contains(id)), "{filter:?}: skipped on the way to older ones");

                // and back, from the last page
                let mut back: Vec<_> = turning.events.iter().rev().map(|event| event.id).collect();
                let mut newer = turning.newer;
                while let Some(after) = newer {
                    let page =
                        look(&db, bench.tenant, &filter, Cursor::After(after), limit, START, at_most).await.unwrap();
                    back.extend(page.events.iter().rev().map(|event| event.id));
                    if random.random_range(0..3) == 0 {
                        bench.send(&[mixed(random.random_range(0..12))]).await;
                    }
                    newer = page.newer;
                }
                assert!(back.is_sorted_by(|a, b| a < b), "{filter:?}: repeated or out of order on the way back");
                let from = turning.events.last().map(|event| event.id);
                let missing: Vec<_> =
                    known.iter().filter(|id| from.is_none_or(|from| **id >= from) && !back.contains(id)).collect();
                assert!(missing.is_empty(), "{filter:?}: skipped on the way back: {missing:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn times_and_receipts_are_ranges() {
        each(async |db| {
            let bench = Bench::new(&db);
            let permit = bench.permit();
            let mut receipts = Vec::new();
            for _ in 0..3 {
                receipts.push(bench.send(&[mixed(1), mixed(4), mixed(2)]).await);
                bench.clock.advance(60);
            }
            let found = async |filter: Filter| {
                let page = page(&db, &permit, &filter, Cursor::Newest, 50).await.unwrap();
                page.events.into_iter().map(|event| event.id).collect::<Vec<_>>()
            };
            let events = |receipt: ReceiptId| (0..3).rev().map(|index| receipt.event(index)).collect::<Vec<_>>();
            let (from, until) = (receipts[1].received_at(), receipts[2].received_at());
            let filter = Filter { from: Some(from), until: Some(until), ..Filter::default() };
            assert_eq!(found(filter).await, events(receipts[1]), "from is within, until is not");
            assert_eq!(found(Filter { receipt: Some(receipts[2]), ..Filter::default() }).await, events(receipts[2]));
            let never = Filter { from: Some(until), until: Some(from), ..Filter::default() };
            assert!(found(never).await.is_empty());

            let fared = of_receipt(&db, bench.tenant, receipts[0]).await.unwrap();
            assert_eq!(fared.iter().map(|one| one.id.index()).collect::<Vec<_>>(), [0, 1, 2]);
            assert_eq!(fared[1].errors.as_deref(), Some(WRONG));
            assert_eq!(fared[1].verdict, Verdict::Quarantined);
            assert_eq!(fared[0].verdict, Verdict::Accepted);
            assert!(receipt_row(&db, bench.tenant, receipts[0]).await.unwrap().is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn an_event_is_given_as_sent_and_to_its_tenant_alone() {
        each(async |db| {
            let bench = Bench::new(&db);
            let payload = format!(r#"{{ "n" : 1.000000000000000000001,  "ü":"{}" }}"#, "é".repeat(1000));
            let id = bench.one(some_type(0), &payload).await;
            let event = one(&db, &bench.permit(), id).await.unwrap().unwrap();
            assert_eq!((event.payload.as_str(), event.source_id), (payload.as_str(), None));
            let listed = page(&db, &bench.permit(), &Filter::default(), Cursor::Newest, 5).await.unwrap();
            let start: String = payload.chars().take(300).collect();
            assert_eq!(listed.events[0].payload, start);
            let whole = whole_page(&db, &bench.permit(), &Filter::default(), Cursor::Newest, 5).await.unwrap();
            assert_eq!(whole.events[0].payload, payload);

            let stranger = Bench::new(&db);
            assert!(one(&db, &stranger.permit(), id).await.unwrap().is_none());
            assert!(any(&db, &bench.permit()).await.unwrap());
            assert!(!any(&db, &stranger.permit()).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn a_page_that_looked_far_enough_says_how_far() {
        each(async |db| {
            let bench = Bench::new(&db);
            let wanted = bench.send(&[(some_type(0), Some(some_token(9)), "{}", None)]).await.event(0);
            for n in 0..20 {
                bench.send(&[mixed(n)]).await;
            }
            let filter = Filter { source: Some(Source::Token(some_token(9))), ..Filter::default() };
            let first = look(&db, bench.tenant, &filter, Cursor::Newest, 5, START, 15).await.unwrap();
            assert!(first.events.is_empty() && first.scanned_to.is_some());
            let next = Cursor::Before(first.older.unwrap());
            let second = look(&db, bench.tenant, &filter, next, 5, START, 15).await.unwrap();
            assert_eq!(second.events.iter().map(|event| event.id).collect::<Vec<_>>(), [wanted]);
            assert_eq!((second.older, second.scanned_to), (None, None));
        })
        .await;
    }

    /// The plan of a statement on SQLite, in its words.
    async fn plan(db: &Db, text: &str, arguments: usize) -> String {
        let Db::Sqlite { read, .. } = db else { panic!("only SQLite explains itself so") };
        let mut query =
            sqlx::query_as::<_, (i64, i64, i64, String)>(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")));
        for _ in 0..arguments {
            query = query.bind(None::<i64>);
        }
        let steps = query.fetch_all(read).await.unwrap();
        steps.into_iter().map(|(.., words)| words).collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn every_statement_walks_along_its_index() {
        each(async |db| {
            if !db.is_sqlite() {
                return;
            }
            let (all, of_type, quarantined) = ("sqlite_autoindex_events_1", "events_of_type", "events_quarantined");
            let mut statements = vec![(IDS, 4, all), (IDS_OF_TYPE, 5, of_type), (OF_RECEIPT, 3, all)];
            for (along, index) in
                [(Along::All, all), (Along::Type(some_type(0)), of_type), (Along::Quarantined, quarantined)]
            {
                for towards in [Towards::Older, Towards::Newer] {
                    statements.push((along.list(towards), 9, index));
                    statements.push((along.edge(towards), if matches!(along, Along::Type(_)) { 5 } else { 4 }, index));
                }
                statements.push((along.count(false), 7, index));
            }
            statements.push((Along::All.count(true), 3, ""));
            statements.push((Along::Type(some_type(0)).count(true), 4, of_type));
            for (text, arguments, index) in statements {
                let plan = plan(&db, text, arguments).await;
                assert!(
                    plan.starts_with("SEARCH") && plan.contains(index) && plan.contains("id>? AND id<?"),
                    "{text}\n{plan}"
                );
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{text}\n{plan}");
            }
            let plan = plan(&db, LAST_OF_TYPES, 2).await;
            assert!(plan.contains("events_of_type") && !plan.contains("SCAN"), "{plan}");
        })
        .await;
    }

    #[tokio::test]
    async fn the_streams_are_told_the_newest_and_what_lies_between() {
        each(async |db| {
            let bench = Bench::new(&db);
            let start = EventId::floor(bench.clock.now() - TimeDelta::seconds(1));
            let mut ids = Vec::new();
            for n in 0..6 {
                ids.push(bench.one(some_type(n % 2), "{}").await);
            }
            ids.sort();
            let told = since(&db, bench.tenant, None, ids[1], 3).await.unwrap();
            assert_eq!(told.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[5], ids[4], ids[3]]);
            let one_type = since(&db, bench.tenant, Some(some_type(1)), start, 10).await.unwrap();
            assert_eq!(one_type.len(), 3);
            let between = ids_between(&db, bench.tenant, None, ids[0], ids[2], 10).await.unwrap();
            assert_eq!(between, [ids[2], ids[1]]);
            assert!(start_of(&db, bench.tenant, ids[0]).await.unwrap().is_some());
        })
        .await;
    }
}
