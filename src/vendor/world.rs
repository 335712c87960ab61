//! What the stand-in holds: items, when each was changed, and when that could first be seen.
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Manner, draw};
use crate::polling::definition::{Bound, End};

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: u64,
    /// Counts its changes.
    pub version: u64,
    /// When it was changed, as it is kept.
    pub changed: DateTime<Utc>,
    /// When that could first be seen.
    pub seen: DateTime<Utc>,
}

impl Manner {
    /// A moment as it is kept: as finely as it tells moments apart, by its own clock on the wall.
    fn keeps(&self, exact: DateTime<Utc>) -> DateTime<Utc> {
        let span = self.precision.span().num_milliseconds();
        let local = exact.with_timezone(&self.format.zone()).naive_local().and_utc().timestamp_millis();
        exact - TimeDelta::milliseconds(local.rem_euclid(span))
    }
}

/// All items.
#[derive(Debug, Clone)]
pub struct World {
    manner: Manner,
    items: Vec<Item>,
}

impl World {
    /// What a manner makes of its seed.
    pub fn new(manner: &Manner) -> Self {
        let step = manner.step.num_milliseconds().max(1);
        let mut items: Vec<_> = (0..manner.records)
            .map(|n| {
                let spread = i64::try_from(draw(manner.seed, &[1, n]) % step.unsigned_abs()).unwrap_or(0);
                let exact = manner.start + TimeDelta::milliseconds(i64::try_from(n).unwrap_or(0) * step + spread);
                let changed = manner.keeps(exact);
                let late = if draw(manner.seed, &[2, n]).is_multiple_of(10) { manner.late } else { TimeDelta::zero() };
                Item { id: n + 1, version: 1 + draw(manner.seed, &[3, n]) % 3, changed, seen: exact + late }
            })
            .collect();
        items.sort_by_key(|item| (item.changed, item.id));
        Self { manner: manner.clone(), items }
    }

    /// What it truly holds: ids and versions.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What is seen of a window at a time, in the order it is answered in. A bound that cannot be read is an error.
    pub(super) fn window(
        &self,
        from: Option<&str>,
        until: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<&Item>, String> {
        let read = |text: Option<&str>| {
            let format = self.manner.reads.as_ref().unwrap_or(&self.manner.format);
            text.map(|text| format.read(text)).transpose()
        };
        let bounds = if self.manner.ignores { (None, None) } else { (read(from)?, read(until)?) };
        let after = |item: &Item| match (bounds.0, self.manner.bounds[0]) {
            (Some(from), Bound::Inclusive) => item.changed >= from,
            (Some(from), Bound::Exclusive) => item.changed > from,
            (None, _) => true,
        };
        let before = |item: &Item| match (bounds.1, self.manner.bounds[1]) {
            (Some(until), Bound::Inclusive) => item.changed <= until,
            (Some(until), Bound::Exclusive) => item.changed < until,
            (None, _) => true,
        };
        let mut found: Vec<_> =
            self.items.iter().filter(|item| item.seen <= now && after(item) && before(item)).collect();
        if self.manner.descending {
            found.reverse();
        }
        Ok(found)
    }

    /// An item, as it is answered.
    pub(super) fn shown(&self, item: &Item) -> Value {
        let granule = self.manner.precision.span().max(self.manner.format.granule());
        let changed = self.manner.format.render(item.changed, End::From, Bound::Inclusive, granule);
        json!({"id": item.id, "version": item.version, "changed": changed, "name": format!("Item {}", item.id),
               "mail": format!("person{}@example.com", item.id)})
    }
}
