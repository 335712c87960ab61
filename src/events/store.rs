//! The SQL of events. Every list is a range of ids walked along an index; the index follows from the filter.
//! What no index knows (the token an event came with, say) is looked for in a bounded number of rows, and the page
//! tells how far it looked.
use chrono::{DateTime, Utc};

use super::{
    Cursor, Event, Filter, Verdict,
    along::{Along, Range, Towards, next, previous, source},
    fields::walk::Walk,
};
use crate::{
    auth::{Grant, ListTenants, Permit, ReadPayloads, Right},
    db::{Db, Tx, lane::Summary},
    error::Result,
    failures,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, TokenId},
    sql,
};

/// How many characters of a payload a list shows.
pub const START: i32 = 300;
/// Asks for payloads as they are. No event is longer: see [`crate::config::Limits::max_event`].
pub const WHOLE: i32 = i32::MAX;
/// How many rows a page looks at when it looks for what no index knows.
pub const LOOK: i64 = 50_000;

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
    /// How many rows that were, at most.
    pub scanned: u64,
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
    find(db, permit, filter, cursor, (limit, START)).await
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
    find(db, permit, filter, cursor, (limit, WHOLE)).await
}

/// By the way that knows what is asked: the index of a group, the values of a field, or the events themselves.
async fn find(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    cursor: Cursor,
    (limit, characters): (usize, i32),
) -> Result<Page> {
    if let Some(group) = filter.group {
        return failures::store::page(db, permit, group, filter, cursor, (limit, characters)).await;
    }
    match &filter.field {
        Some(field) => Walk::new(db, permit.tenant(), filter, field, characters).await?.page(cursor, limit).await,
        None => look(db, permit.tenant(), filter, cursor, limit, characters, LOOK).await,
    }
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
    let towards = range.cut(cursor);
    let exact = along.knows(filter);
    let edge =
        if exact { None } else { ids(db, tenant, along, range, towards, (1, at_most - 1)).await?.first().copied() };
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
        along.list(towards, exact),
        tenant,
        range.low,
        range.high,
        filter.event_type,
        source(filter),
        filter.verdict_word(),
        uuid::Uuid::nil(),
        characters,
        asked,
    )?;
    let more = events.len() > limit;
    events.truncate(limit);
    if towards == Towards::Newer {
        events.reverse();
    }
    Ok(turn(events, cursor, more, edge, at_most))
}

/// The events of a range, and nothing but the range: so many, with so many characters of their payloads.
pub(super) async fn between(
    db: &Db,
    tenant: TenantId,
    along: Along,
    range: Range,
    towards: Towards,
    (limit, characters): (i64, i32),
) -> Result<Vec<Event>> {
    let event_type = if let Along::Type(id) = along { Some(id) } else { None };
    Ok(sql!(
        all Event,
        db,
        along.list(towards, true),
        tenant,
        range.low,
        range.high,
        event_type,
        None::<TokenId>,
        None::<&str>,
        uuid::Uuid::nil(),
        characters,
        limit,
    )?)
}

/// The cursors of a page: where it goes on, and where it came from.
pub fn turn(events: Vec<Event>, cursor: Cursor, more: bool, edge: Option<EventId>, scanned: i64) -> Page {
    let (first, last) = (events.first().map(|event| event.id), events.last().map(|event| event.id));
    let edge = if more { None } else { edge };
    let (newer, older) = match cursor {
        Cursor::Newest => (None, if more { last } else { edge }),
        Cursor::Before(id) => (first.or(Some(previous(id))), if more { last } else { edge }),
        Cursor::After(id) => (if more { first } else { edge }, last.or(Some(next(id)))),
    };
    let scanned = u64::try_from(scanned).unwrap_or(0);
    Page { events, older, newer, scanned_to: edge.map(EventId::received_at), scanned }
}

/// The ids of a range: so many, after so many others.
async fn ids(
    db: &Db,
    tenant: TenantId,
    along: Along,
    range: Range,
    towards: Towards,
    (limit, offset): (i64, i64),
) -> Result<Vec<EventId>> {
    let event_type = if let Along::Type(id) = along { Some(id) } else { None };
    Ok(sql!(
        values EventId,
        db,
        along.ids(towards),
        tenant,
        range.low,
        range.high,
        event_type,
        limit,
        offset
    )?)
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
    if let Some(group) = filter.group {
        return failures::store::count(db, permit, group, filter, i64::MAX).await;
    }
    if let Some(field) = &filter.field {
        return Walk::new(db, tenant, filter, field, 1).await?.count().await;
    }
    let (along, Range { low, high }) = (Along::of(filter), Range::of(filter));
    if filter.source.is_none() && filter.verdict == Some(Verdict::Accepted) && !filter.warned {
        // nearly all are, and no index knows them: all but the others
        let text = along.count_accepted();
        return Ok(sql!(value i64, db, text, tenant, low, high, filter.event_type)?);
    }
    if along.knows(filter) {
        return Ok(sql!(value i64, db, along.count(true), tenant, low, high, filter.event_type)?);
    }
    let verdict = filter.verdict_word();
    let text = along.count(false);
    Ok(sql!(
        value i64, db, text, tenant, low, high, filter.event_type, source(filter), verdict, uuid::Uuid::nil(),
    )?)
}

/// Whether the tenant has any event at all.
///
/// # Errors
/// When the database does.
pub async fn any<R: Right>(db: &Db, permit: &Permit<R>) -> Result<bool> {
    let found = sql!(opt(EventId,), db, "SELECT id FROM events WHERE tenant_id = $1 LIMIT 1", permit.tenant())?;
    Ok(found.is_some())
}

/// For those who follow: the newest events above `after`, newest first, so many characters of each payload.
///
/// # Errors
/// When the database does.
pub async fn since(
    db: &Db,
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    after: EventId,
    limit: usize,
    characters: i32,
) -> Result<Vec<Event>> {
    let along = event_type.map_or(Along::All, Along::Type);
    let range = Range { low: next(after), high: EventId::MAX };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    between(db, tenant, along, range, Towards::Older, (limit, characters)).await
}

/// For those who follow: the ids above `after` up to `upto`, newest first.
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
    let range = Range { low: next(after), high: next(upto) };
    let along = event_type.map_or(Along::All, Along::Type);
    ids(db, tenant, along, range, Towards::Older, (limit, 0)).await
}

/// For those who follow: how many ids lie above `after` up to `upto`, counted up to `limit`.
///
/// # Errors
/// When the database does.
pub async fn count_between(
    db: &Db,
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    after: EventId,
    upto: EventId,
    limit: i64,
) -> Result<i64> {
    let along = event_type.map_or(Along::All, Along::Type);
    let text = along.count_up_to();
    Ok(sql!(value i64, db, text, tenant, next(after), next(upto), event_type, limit, 0_i64)?)
}

/// For those who follow: one event, with so many characters of its payload.
///
/// # Errors
/// When the database does.
pub async fn start_of(db: &Db, tenant: TenantId, id: EventId, characters: i32) -> Result<Option<Event>> {
    Ok(sql!(
        opt Event,
        db,
        "SELECT id, event_type_id, source_id, verdict, substr(payload, 1, $3) AS payload, errors
         FROM events WHERE tenant_id = $1 AND id = $2",
        tenant,
        id,
        characters,
    )?)
}

/// An event in quarantine, without its payload.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Broken {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub event_type_id: EventTypeId,
    /// How it breaks its contract: a JSON array.
    pub errors: Option<String>,
}

impl Broken {
    /// How it breaks its contract.
    pub fn breaches(&self) -> Vec<super::Breach> {
        super::breaches(self.errors.as_deref())
    }
}

/// For those who follow: the oldest events in quarantine from `low` to `high`, both included.
///
/// # Errors
/// When the database does.
pub async fn quarantined_between(
    tx: &mut Tx,
    tenant: TenantId,
    low: EventId,
    high: EventId,
    limit: i64,
) -> Result<Vec<Broken>> {
    Ok(sql!(
        all Broken, tx,
        "SELECT id, event_type_id, errors FROM events
         WHERE tenant_id = $1 AND id >= $2 AND id <= $3 AND verdict = 'quarantined' ORDER BY id LIMIT $4",
        tenant,
        low,
        high,
        limit,
    )?)
}

/// For those who work through the quarantine: the oldest events in it that the filter asks for, after one; their
/// payloads as they are.
///
/// # Errors
/// When the database does.
pub async fn oldest_quarantined(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    after: EventId,
    limit: usize,
) -> Result<Vec<Event>> {
    let Range { low, high } = Range::of(filter);
    Ok(sql!(
        all Event, db,
        "SELECT id, event_type_id, source_id, verdict, payload, errors FROM events
         WHERE tenant_id = $1 AND id >= $2 AND id < $3 AND verdict = 'quarantined'
            AND event_type_id = COALESCE($4, event_type_id) AND ($5 IS NULL OR COALESCE(source_id, $6) = $5)
         ORDER BY id LIMIT $7",
        permit.tenant(),
        low.max(next(after)),
        high,
        filter.event_type,
        source(filter),
        uuid::Uuid::nil(),
        i64::try_from(limit).unwrap_or(i64::MAX),
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

/// Says of an event in quarantine what is wrong with it by now. What its receipt answered is kept first, so that it
/// answers the same for ever.
///
/// # Errors
/// When the database does.
pub async fn judged_anew(tx: &mut Tx, tenant: TenantId, id: EventId, errors: &str) -> Result<()> {
    let receipt = id.receipt();
    let text = "SELECT id FROM receipts WHERE tenant_id = $1 AND id = $2";
    if sql!(opt(ReceiptId,), tx, text, tenant, receipt)?.is_none() {
        let mut summary = Summary::default();
        for event in sql!(all Fared, tx, OF_RECEIPT, tenant, receipt, receipt.last_event())? {
            summary.add(event.id.index(), event.verdict, event.errors.as_deref());
        }
        sql!(
            exec tx,
            "INSERT INTO receipts (tenant_id, id, status, accepted, duplicates, rejected, warnings)
             VALUES ($1, $2, $3, $4, '[]', $5, $6) ON CONFLICT (tenant_id, id) DO NOTHING",
            tenant,
            receipt,
            i64::from(summary.status()),
            i64::try_from(summary.accepted).unwrap_or(i64::MAX),
            summary.rejected,
            summary.warnings,
        )?;
    }
    let text = "UPDATE events SET errors = $3 WHERE tenant_id = $1 AND id = $2 AND verdict = 'quarantined'";
    sql!(exec tx, text, tenant, id, errors)?;
    Ok(())
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

/// The newest event of a type, at once: figures may not have followed it yet.
///
/// # Errors
/// When the database does.
pub async fn newest_of_type<R: Right>(db: &Db, permit: &Permit<R>, id: EventTypeId) -> Result<Option<EventId>> {
    let newest = sql!(
        values EventId, db,
        "SELECT id FROM events WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY id DESC LIMIT 1",
        permit.tenant(),
        id,
    )?;
    Ok(newest.first().copied())
}

/// Of the newest `among` events of a type: how many those are, and how many of them were accepted with a warning. No
/// index knows, and none is kept for it: it would cost every event.
///
/// # Errors
/// When the database does.
pub async fn warned_of_type<R: Right>(db: &Db, permit: &Permit<R>, id: EventTypeId, among: i64) -> Result<(i64, i64)> {
    let text = "SELECT COUNT(*), COUNT(*) FILTER (WHERE verdict = 'accepted' AND errors IS NOT NULL) FROM
        (SELECT verdict, errors FROM events WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY id DESC LIMIT $3) AS newest";
    Ok(sql!(one(i64, i64), db, text, permit.tenant(), id, among)?)
}

const LAST_OF_TYPES: &str = "SELECT c.event_type_id,
        CAST(COALESCE(SUM(c.accepted) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS accepted,
        CAST(COALESCE(SUM(c.quarantined) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS quarantined,
        CAST(COALESCE(SUM(c.duplicates) FILTER (WHERE c.hour >= $2), 0) AS BIGINT) AS duplicates,
        (SELECT e.id FROM events AS e WHERE e.tenant_id = c.tenant_id AND e.event_type_id = c.event_type_id
         ORDER BY e.id DESC LIMIT 1) AS newest
    FROM event_counts AS c WHERE c.tenant_id = $1
    GROUP BY c.tenant_id, c.event_type_id ORDER BY c.event_type_id";

/// How a tenant stands, all its types together.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct TenantStanding {
    /// The tenant.
    pub tenant_id: TenantId,
    /// How many events were accepted since the moment asked for.
    pub accepted: i64,
    /// How many were quarantined since then.
    pub quarantined: i64,
    /// When the newest was received.
    pub last_at: Option<DateTime<Utc>>,
}

/// How each tenant stands that had an event since the hour of `since`. Figures follow the events within about a second.
///
/// # Errors
/// When the database does.
pub async fn standing_of_tenants(
    db: &Db,
    _grant: &Grant<ListTenants>,
    since: DateTime<Utc>,
) -> Result<Vec<TenantStanding>> {
    Ok(sql!(
        all TenantStanding, db,
        "SELECT tenant_id, CAST(SUM(accepted) AS BIGINT) AS accepted, CAST(SUM(quarantined) AS BIGINT) AS quarantined,
                MAX(last_at) AS last_at
         FROM event_counts WHERE hour >= $1 GROUP BY tenant_id ORDER BY tenant_id",
        super::follower::hour(since),
    )?)
}

#[cfg(test)]
mod tests;
