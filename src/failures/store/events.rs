//! The events of a group that are in quarantine: a walk along the index of the group. What that does not know (the
//! token an event came with) is looked up event by event, in a bounded number of them.
use crate::{
    auth::{Permit, ReadPayloads},
    db::Db,
    error::Result,
    events::{
        self, Cursor, Filter, Source, Verdict,
        store::{LOOK, Page},
    },
    ids::{EventId, FailureGroupId, TokenId},
    sql,
};

/// The range of a group: `$2` group, `$3` and `$4` ids.
macro_rules! of_group {
    () => {
        " FROM failures AS f WHERE f.tenant_id = $1 AND f.group_id = $2 AND f.event_id >= $3 AND f.event_id < $4"
    };
}

/// What the range does not know: `$5` type, `$6` token, `$7` the id that stands for no token.
macro_rules! sifted {
    () => {
        concat!(
            of_group!(),
            " AND EXISTS (SELECT e.id FROM events AS e WHERE e.tenant_id = $1 AND e.id = f.event_id
                AND e.event_type_id = COALESCE($5, e.event_type_id)
                AND ($6 IS NULL OR COALESCE(e.source_id, $7) = $6))"
        )
    };
}

/// What of a group a filter asks for.
struct Walk {
    group: FailureGroupId,
    low: EventId,
    high: EventId,
    /// None: the index of the group alone can tell.
    sift: Option<(Option<crate::ids::EventTypeId>, Option<TokenId>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Older,
    Newer,
}

impl Walk {
    fn of(group: FailureGroupId, filter: &Filter) -> Self {
        let ids = filter.ids();
        // a group holds what is in quarantine, and nothing else
        let none = filter.verdict.is_some_and(|verdict| verdict != Verdict::Quarantined);
        let source = filter.source.map(|source| match source {
            Source::Token(id) => id,
            Source::Anonymous => TokenId(uuid::Uuid::nil()),
        });
        let sift = (filter.event_type.is_some() || source.is_some()).then_some((filter.event_type, source));
        Self { group, low: ids.start, high: if none { ids.start } else { ids.end }, sift }
    }

    async fn ids(
        &self,
        db: &Db,
        permit: &Permit<ReadPayloads>,
        towards: Towards,
        limit: usize,
    ) -> Result<Vec<EventId>> {
        let (tenant, limit) = (permit.tenant(), i64::try_from(limit).unwrap_or(i64::MAX));
        let Some((event_type, source)) = self.sift else {
            let text = match towards {
                Towards::Older => concat!("SELECT f.event_id", of_group!(), " ORDER BY f.event_id DESC LIMIT $5"),
                Towards::Newer => concat!("SELECT f.event_id", of_group!(), " ORDER BY f.event_id LIMIT $5"),
            };
            return Ok(sql!(values EventId, db, text, tenant, self.group, self.low, self.high, limit)?);
        };
        let text = match towards {
            Towards::Older => concat!("SELECT f.event_id", sifted!(), " ORDER BY f.event_id DESC LIMIT $8"),
            Towards::Newer => concat!("SELECT f.event_id", sifted!(), " ORDER BY f.event_id LIMIT $8"),
        };
        let (low, high, nil) = (self.low, self.high, uuid::Uuid::nil());
        Ok(sql!(values EventId, db, text, tenant, self.group, low, high, event_type, source, nil, limit)?)
    }

    /// How far so many events of the group reach; none when there are fewer.
    async fn edge(&self, db: &Db, permit: &Permit<ReadPayloads>, towards: Towards) -> Result<Option<EventId>> {
        if self.sift.is_none() {
            return Ok(None);
        }
        let text = match towards {
            Towards::Older => {
                concat!("SELECT f.event_id", of_group!(), " ORDER BY f.event_id DESC LIMIT 1 OFFSET $5")
            }
            Towards::Newer => concat!("SELECT f.event_id", of_group!(), " ORDER BY f.event_id LIMIT 1 OFFSET $5"),
        };
        let found = sql!(values EventId, db, text, permit.tenant(), self.group, self.low, self.high, LOOK - 1)?;
        Ok(found.first().copied())
    }
}

/// One page of the events of a group that are in quarantine, newest first: so many, and so many characters of each.
///
/// # Errors
/// When the database does.
pub async fn page(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    group: FailureGroupId,
    filter: &Filter,
    cursor: Cursor,
    (limit, characters): (usize, i32),
) -> Result<Page> {
    let mut walk = Walk::of(group, filter);
    let towards = match cursor {
        Cursor::Newest => Towards::Older,
        Cursor::Before(id) => {
            walk.high = walk.high.min(id);
            Towards::Older
        }
        Cursor::After(id) => {
            walk.low = walk.low.max(id.next());
            Towards::Newer
        }
    };
    let edge = walk.edge(db, permit, towards).await?;
    if let Some(edge) = edge {
        match towards {
            Towards::Older => walk.low = edge,
            Towards::Newer => walk.high = edge.next(),
        }
    }
    // one more than is shown tells whether there are more
    let mut ids = walk.ids(db, permit, towards, limit.saturating_add(1)).await?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    if towards == Towards::Newer {
        ids.reverse();
    }
    let mut events = Vec::with_capacity(ids.len());
    for id in &ids {
        events.extend(events::store::start_of(db, permit.tenant(), *id, characters).await?);
    }
    Ok(events::store::turn(events, cursor, more, edge, 0))
}

/// How many events of a group in quarantine a filter asks for, counted up to `limit`.
///
/// # Errors
/// When the database does.
pub async fn count(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    group: FailureGroupId,
    filter: &Filter,
    limit: i64,
) -> Result<i64> {
    let Walk { group, low, high, sift } = Walk::of(group, filter);
    let tenant = permit.tenant();
    let Some((event_type, source)) = sift else {
        let text = concat!("SELECT COUNT(*) FROM (SELECT f.event_id", of_group!(), " LIMIT $5) AS few");
        return Ok(sql!(value i64, db, text, tenant, group, low, high, limit)?);
    };
    let text = concat!("SELECT COUNT(*) FROM (SELECT f.event_id", sifted!(), " LIMIT $8) AS few");
    Ok(sql!(value i64, db, text, tenant, group, low, high, event_type, source, uuid::Uuid::nil(), limit)?)
}

/// The oldest events of a group that are in quarantine and that a filter asks for, after one.
///
/// # Errors
/// When the database does.
pub async fn oldest(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    group: FailureGroupId,
    filter: &Filter,
    after: EventId,
    limit: usize,
) -> Result<Vec<EventId>> {
    let mut walk = Walk::of(group, filter);
    walk.low = walk.low.max(after.next());
    walk.ids(db, permit, Towards::Newer, limit).await
}
