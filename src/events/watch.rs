//! Following events as they are committed: what the live streams and `tributary events tail` stand on.
//!
//! Ids are given out before the commit, and commits run beside each other: an event may appear slightly below one that
//! was told already. So every look goes back a few seconds, and what was told in them is remembered.
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Event,
    along::{next, previous},
    store,
};
use crate::{
    db::Db,
    error::Result,
    ids::{EventId, EventTypeId, TenantId},
};

/// How far a look goes back: longer than a commit takes and clocks of processes differ.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);
/// The most ids that are remembered. Where more come in so short a time, a late one may be missed.
const REMEMBERED: i64 = 2_000;
/// How far the events that are left out are counted.
const COUNTED: i64 = 100_000;

/// One who follows the events of a tenant, or of one of its types.
#[derive(Debug)]
pub struct Watch {
    tenant: TenantId,
    event_type: Option<EventTypeId>,
    /// How many characters of a payload are told.
    characters: i32,
    /// The newest that was told.
    newest: EventId,
    /// Nothing at or below this is looked at again.
    floor: EventId,
    /// What was told above the floor.
    told: BTreeSet<EventId>,
}

/// What has come since the last look.
#[derive(Debug, Default)]
pub struct News {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// How many older ones are left out, because there were too many at once; at most [`COUNTED`].
    pub skipped: u64,
}

impl Watch {
    /// Begins after the event `after`, or now.
    ///
    /// # Errors
    /// When the database does.
    pub async fn begin(
        db: &Db,
        tenant: TenantId,
        event_type: Option<EventTypeId>,
        characters: i32,
        after: Option<EventId>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let newest = after.unwrap_or(previous(EventId::floor(now)));
        let floor = back(newest, now);
        let told = store::ids_between(db, tenant, event_type, floor, newest, REMEMBERED).await?;
        let floor = if is_full(&told) { told.last().copied().unwrap_or(floor) } else { floor };
        Ok(Self { tenant, event_type, characters, newest, floor, told: told.into_iter().collect() })
    }

    /// The newest event that was told: where another [`Watch`] may go on.
    pub fn newest(&self) -> EventId {
        self.newest
    }

    /// What has come since the last look, at most `at_most` events.
    ///
    /// # Errors
    /// When the database does; the next look will tell what this one could not.
    pub async fn look(&mut self, db: &Db, now: DateTime<Utc>, at_most: usize) -> Result<News> {
        let (tenant, event_type) = (self.tenant, self.event_type);
        let mut events = store::since(db, tenant, event_type, self.newest, at_most + 1, self.characters).await?;
        if events.len() > at_most {
            events.truncate(at_most);
            return self.jump(db, events).await;
        }
        let late = store::ids_between(db, tenant, event_type, self.floor, self.newest, REMEMBERED).await?;
        if is_full(&late) {
            self.floor = late.last().copied().unwrap_or(self.floor);
        }
        // what does not fit now is still untold at the next look
        for id in late.into_iter().filter(|id| !self.told.contains(id)).take(at_most - events.len()) {
            events.extend(store::start_of(db, tenant, id, self.characters).await?);
        }
        events.sort_unstable_by_key(|event| event.id);
        self.told.extend(events.iter().map(|event| event.id));
        self.newest = events.last().map_or(self.newest, |last| last.id.max(self.newest));
        self.floor = self.floor.max(back(self.newest, now));
        self.told = self.told.split_off(&next(self.floor));
        Ok(News { events, skipped: 0 })
    }

    /// Too many came: tells the newest and lets go of the rest.
    async fn jump(&mut self, db: &Db, mut events: Vec<Event>) -> Result<News> {
        events.reverse();
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(News::default()) };
        let left_out =
            store::count_between(db, self.tenant, self.event_type, self.newest, previous(first.id), COUNTED).await?;
        self.floor = first.id;
        self.newest = last.id;
        self.told = events.iter().map(|event| event.id).collect();
        Ok(News { events, skipped: u64::try_from(left_out).unwrap_or(0) })
    }
}

fn is_full(ids: &[EventId]) -> bool {
    i64::try_from(ids.len()).is_ok_and(|length| length >= REMEMBERED)
}

/// Where looks begin when `newest` was told. An id of a clock that is ahead does not make those of others late.
fn back(newest: EventId, now: DateTime<Utc>) -> EventId {
    previous(EventId::floor(newest.received_at().min(now) - OVERLAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        db::testing::each,
        events::testing::{Bench, some_type},
        ids::ReceiptId,
    };

    async fn watch(bench: &Bench, after: Option<EventId>) -> Watch {
        Watch::begin(&bench.db, bench.tenant, None, store::START, after, bench.clock.now()).await.unwrap()
    }

    async fn told(bench: &Bench, watch: &mut Watch) -> (Vec<EventId>, u64) {
        let news = watch.look(&bench.db, bench.clock.now(), 10).await.unwrap();
        (news.events.into_iter().map(|event| event.id).collect(), news.skipped)
    }

    #[tokio::test]
    async fn each_event_is_told_once_late_ones_too() {
        each(async |db| {
            let bench = Bench::new(&db);
            let tardy = ReceiptId::issue(&bench.clock);
            let before = bench.one(some_type(0), "{}").await;
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
            let mut watch = watch(&bench, None).await;
            assert_eq!(told(&bench, &mut watch).await.0, [], "what came before is not told");
            let first = bench.one(some_type(0), "{}").await;
            assert_eq!(told(&bench, &mut watch).await.0, [first]);
            assert_eq!(told(&bench, &mut watch).await.0, []);

            let middle = ReceiptId::issue(&bench.clock);
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
            let second = bench.one(some_type(1), "{}").await;
            assert_eq!(told(&bench, &mut watch).await.0, [second]);
            // committed after the second, though received before it
            bench.send_as(bench.tenant, middle, &[(some_type(0), None, "{}", None)]).await;
            bench.send_as(bench.tenant, tardy, &[(some_type(0), None, "{}", None)]).await;
            assert_eq!(told(&bench, &mut watch).await.0, [tardy.event(0), middle.event(0)]);
            assert_eq!(told(&bench, &mut watch).await.0, []);
            assert!(watch.newest() == second && before < first);
        })
        .await;
    }

    #[tokio::test]
    async fn it_goes_on_after_an_event_and_of_one_type() {
        each(async |db| {
            let bench = Bench::new(&db);
            let mut ids = Vec::new();
            for n in 0..4 {
                ids.push(bench.one(some_type(n % 2), "{}").await);
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            let mut all = watch(&bench, Some(ids[1])).await;
            assert_eq!(told(&bench, &mut all).await.0, [ids[2], ids[3]]);
            let mut one_type = Watch::begin(
                &db,
                bench.tenant,
                Some(some_type(1)),
                store::START,
                Some(previous(ids[0])),
                bench.clock.now(),
            )
            .await
            .unwrap();
            assert_eq!(told(&bench, &mut one_type).await.0, [ids[1], ids[3]]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_flood_is_cut_and_counted() {
        each(async |db| {
            let bench = Bench::new(&db);
            let mut watch = watch(&bench, None).await;
            let event = (some_type(0), None, "{}", None);
            let first = bench.send(&[event; 25]).await;
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            let second = bench.send(&[event; 8]).await;
            let newest: Vec<_> =
                [23, 24].map(|n| first.event(n)).into_iter().chain((0..8).map(|n| second.event(n))).collect();
            assert_eq!(told(&bench, &mut watch).await, (newest, 23));
            assert_eq!(told(&bench, &mut watch).await, (vec![], 0), "what was left out stays out");
            let next = bench.one(some_type(0), "{}").await;
            assert_eq!(told(&bench, &mut watch).await, (vec![next], 0));
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_remembered_stays_bounded() {
        each(async |db| {
            let bench = Bench::new(&db);
            let mut watch = watch(&bench, None).await;
            for _ in 0..5 {
                bench.one(some_type(0), "{}").await;
                told(&bench, &mut watch).await;
                bench.clock.advance(2);
            }
            assert!((1..4).contains(&watch.told.len()), "{}", watch.told.len());
            // one whose clock is far ahead
            let ahead = EventId::floor(bench.clock.now() + TimeDelta::seconds(60));
            let ahead = ReceiptId(uuid::Uuid::from_u128(ahead.0.as_u128() & !0xFFFF));
            bench.send_as(bench.tenant, ahead, &[(some_type(0), None, "{}", None)]).await;
            assert_eq!(told(&bench, &mut watch).await.0, [ahead.event(0)]);
            let next = bench.one(some_type(0), "{}").await;
            assert_eq!(told(&bench, &mut watch).await.0, [next], "the others are not late for that");
        })
        .await;
    }
}
