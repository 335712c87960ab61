//! What pages show of sources and their ledgers: figures over many windows, read at once.
use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{LISTED, entry};
use crate::{
    auth::{Configure, Permit, Right},
    db::Db,
    error::Result,
    ids::{EventTypeId, ReceiptId, SourceId, WindowId, floor},
    polling::{
        Entry, Source, Window,
        ledger::{Kind, State},
    },
    sql,
};

/// Most windows that a strip is drawn from.
const DRAWN: i64 = 50_000;
/// Most receipts of a window that are told.
const RECEIPTS: i64 = 200;

/// How the newest window of a source that is done went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Last {
    /// Which.
    pub source_id: SourceId,
    /// Its first moment.
    pub from_at: DateTime<Utc>,
    /// The first moment after it.
    pub until_at: DateTime<Utc>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// Records in it.
    pub records: i64,
    /// Of these, new events.
    pub fresh: i64,
    /// Of these, in quarantine.
    pub quarantined: i64,
}

/// How the newest window of each source of a tenant went.
///
/// # Errors
/// When the database does.
pub async fn last<R: Right>(db: &Db, permit: &Permit<R>) -> Result<HashMap<SourceId, Last>> {
    let rows = sql!(
        all Last, db,
        "SELECT w.source_id, w.from_at, w.until_at, w.done_at, w.records, w.fresh, w.quarantined
         FROM sources AS s JOIN windows AS w ON w.tenant_id = s.tenant_id AND w.source_id = s.id
            AND w.from_at = (SELECT MAX(x.from_at) FROM windows AS x WHERE x.tenant_id = s.tenant_id
                AND x.source_id = s.id AND x.state = 'done' AND x.kind IN ('scheduled', 'backfill'))
         WHERE s.tenant_id = $1 AND s.state <> 'removed' AND w.state = 'done' AND w.kind IN ('scheduled', 'backfill')",
        permit.tenant(),
    )?;
    Ok(rows.into_iter().map(|row| (row.source_id, row)).collect())
}

/// Up to where everything is stored, of those sources of a tenant of which something is not.
///
/// # Errors
/// When the database does.
pub async fn complete_until<R: Right>(db: &Db, permit: &Permit<R>) -> Result<HashMap<SourceId, DateTime<Utc>>> {
    let rows = sql!(
        all(SourceId, DateTime<Utc>),
        db,
        "SELECT source_id, MIN(from_at) FROM windows
         WHERE tenant_id = $1 AND done_at IS NULL AND kind IN ('scheduled', 'backfill')
         GROUP BY source_id",
        permit.tenant(),
    )?;
    Ok(rows.into_iter().collect())
}

/// The sources of an event type.
///
/// # Errors
/// When the database does.
pub async fn of_type<R: Right>(db: &Db, permit: &Permit<R>, id: EventTypeId) -> Result<Vec<(SourceId, String)>> {
    Ok(sql!(
        all(SourceId, String),
        db,
        "SELECT id, name FROM sources WHERE tenant_id = $1 AND event_type_id = $2 AND state <> 'removed'
         ORDER BY lower(name), id",
        permit.tenant(),
        id,
    )?)
}

/// What a source has asked for, as far as somebody asks who looks back.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Covered {
    /// What it is called.
    pub name: String,
    /// Where its ledger begins.
    pub starts_at: DateTime<Utc>,
    /// Where it ends.
    pub watermark: DateTime<Utc>,
    /// Between two runs.
    pub interval_seconds: i64,
    /// The first moment since then that is not stored yet.
    pub hole: Option<DateTime<Utc>>,
}

/// What the sources of an event type have asked for since a moment.
///
/// # Errors
/// When the database does.
pub async fn covered<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    id: EventTypeId,
    since: DateTime<Utc>,
) -> Result<Vec<Covered>> {
    Ok(sql!(
        all Covered, db,
        "SELECT s.name, s.starts_at, s.watermark, s.interval_seconds,
            (SELECT MIN(w.from_at) FROM windows AS w WHERE w.tenant_id = s.tenant_id AND w.source_id = s.id
                AND w.done_at IS NULL AND w.kind IN ('scheduled', 'backfill') AND w.until_at > $3) AS hole
         FROM sources AS s WHERE s.tenant_id = $1 AND s.event_type_id = $2 AND s.state <> 'removed'
         ORDER BY lower(s.name), s.id",
        permit.tenant(),
        id,
        since,
    )?)
}

/// What a strip and a chart are drawn from: a window in few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Piece {
    /// Its id.
    pub id: WindowId,
    /// Why there is one.
    pub kind: Kind,
    /// How it stands.
    pub state: State,
    /// Its first moment.
    pub from_at: DateTime<Utc>,
    /// The first moment after it.
    pub until_at: DateTime<Utc>,
    /// Records that became new events.
    pub fresh: i64,
    /// Records in quarantine.
    pub quarantined: i64,
}

/// All windows of a source that touch a span, oldest first.
///
/// # Errors
/// When the database does.
pub async fn pieces<R: Right>(db: &Db, permit: &Permit<R>, source: SourceId, within: Window) -> Result<Vec<Piece>> {
    Ok(sql!(
        all Piece, db,
        "SELECT id, kind, state, from_at, until_at, fresh, quarantined FROM windows
         WHERE tenant_id = $1 AND source_id = $2 AND from_at < $4 AND until_at > $3 AND state <> 'split'
         ORDER BY from_at, id LIMIT $5",
        permit.tenant(),
        source,
        within.from,
        within.until,
        DRAWN,
    )?)
}

/// Whether the windows of a ledger tile it, and what they add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Tiling {
    /// How many there are; those that were merged after 30 days count as one.
    pub windows: i64,
    /// How many do not end where the next one begins.
    pub breaks: i64,
    /// Requests made.
    pub requests: i64,
    /// Records read.
    pub records: i64,
    /// Of these, new events.
    pub fresh: i64,
    /// Of these, recognised as known before.
    pub duplicates: i64,
    /// Of these, in quarantine.
    pub quarantined: i64,
}

/// Looks whether the windows of a source tile its ledger.
///
/// # Errors
/// When the database does.
pub async fn tiling<R: Right>(db: &Db, permit: &Permit<R>, source: &Source) -> Result<Tiling> {
    let tiling = sql!(
        opt Tiling, db,
        "SELECT COUNT(*) AS windows,
            COUNT(*) FILTER (WHERE until_at <> following) AS breaks,
            CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests,
            CAST(COALESCE(SUM(records), 0) AS BIGINT) AS records,
            CAST(COALESCE(SUM(fresh), 0) AS BIGINT) AS fresh,
            CAST(COALESCE(SUM(duplicates), 0) AS BIGINT) AS duplicates,
            CAST(COALESCE(SUM(quarantined), 0) AS BIGINT) AS quarantined
         FROM (SELECT until_at, requests, records, fresh, duplicates, quarantined,
                LEAD(from_at, 1, $3) OVER (ORDER BY from_at, until_at) AS following
               FROM windows
               WHERE tenant_id = $1 AND source_id = $2 AND kind IN ('scheduled', 'backfill') AND state <> 'split') AS w",
        permit.tenant(),
        source.id,
        source.watermark,
    )?;
    let mut tiling = tiling.unwrap_or_default();
    let first = sql!(
        values Option<DateTime<Utc>>, db,
        "SELECT MIN(from_at) FROM windows
         WHERE tenant_id = $1 AND source_id = $2 AND kind IN ('scheduled', 'backfill') AND state <> 'split'",
        permit.tenant(),
        source.id,
    )?;
    // one that begins after its ledger is broken too
    if first.into_iter().flatten().any(|first| first != source.starts_at) {
        tiling.breaks += 1;
    }
    Ok(tiling)
}

/// Which windows a page lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Only those that touch this span.
    pub within: Option<Window>,
    /// Only those that are not done.
    pub undone: bool,
    /// Those before this one, or after it.
    pub cursor: Cursor,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cursor {
    /// With the newest.
    #[default]
    Newest,
    /// With what is older than this.
    Before(DateTime<Utc>, WindowId),
    /// With what is newer than this.
    After(DateTime<Utc>, WindowId),
}

/// Windows of a source, newest first; one more than `size` when there are more. With [`Cursor::After`], those next to
/// it.
///
/// # Errors
/// When the database does.
pub async fn page<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    source: SourceId,
    asked: Asked,
    size: usize,
) -> Result<Vec<Entry>> {
    let far = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + TimeDelta::days(100_000));
    let within = asked.within.unwrap_or(far);
    let limit = i64::try_from(size + 1).unwrap_or(LISTED).min(LISTED);
    macro_rules! ask {
        ($than:literal, $order:literal, $at:expr, $id:expr) => {
            sql!(
                all Entry, db,
                concat!(
                    "SELECT ", entry!(), " FROM windows
                     WHERE tenant_id = $1 AND source_id = $2 AND from_at < $4 AND until_at > $3
                       AND (from_at, id) ", $than, " ($5, $6) AND (NOT $7 OR done_at IS NULL)
                     ORDER BY from_at ", $order, ", id ", $order, " LIMIT $8"
                ),
                permit.tenant(), source, within.from, within.until, $at, $id, asked.undone, limit,
            )?
        };
    }
    Ok(match asked.cursor {
        Cursor::Newest => ask!("<", "DESC", far.until, WindowId(uuid::Uuid::max())),
        Cursor::Before(at, id) => ask!("<", "DESC", at, id),
        Cursor::After(at, id) => {
            let mut rows = ask!(">", "ASC", at, id);
            rows.reverse();
            rows
        }
    })
}

/// A request whose records became events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Receipt {
    /// The receipt of the events.
    pub receipt_id: ReceiptId,
    /// By which taking of the window.
    pub attempt: i64,
    /// By which of its requests, from 0.
    pub request: i64,
}

/// The receipts of a window, oldest first, as far as they are still known. A receipt's id holds its moment, so those of
/// a window are looked for from its first attempt to its last.
///
/// # Errors
/// When the database does.
pub async fn receipts<R: Right>(db: &Db, permit: &Permit<R>, window: WindowId, span: Window) -> Result<Vec<Receipt>> {
    let minute = TimeDelta::minutes(1);
    Ok(sql!(
        all Receipt, db,
        "SELECT receipt_id, attempt, request FROM polled
         WHERE tenant_id = $1 AND receipt_id >= $2 AND receipt_id < $3 AND window_id = $4
         ORDER BY receipt_id LIMIT $5",
        permit.tenant(),
        floor(span.from - minute),
        floor(span.until + minute),
        window,
        RECEIPTS,
    )?)
}

/// The sealed secret of a source, for who may replace it.
///
/// # Errors
/// When the database does.
pub async fn sealed(db: &Db, permit: &Permit<Configure>, source: SourceId) -> Result<Option<Vec<u8>>> {
    let text = "SELECT secret FROM sources WHERE tenant_id = $1 AND id = $2 AND state <> 'removed'";
    let found = sql!(values Option<Vec<u8>>, db, text, permit.tenant(), source)?;
    Ok(found.into_iter().flatten().next())
}
