//! How regularly the events of a type come, and whether it has fallen silent: when none came for longer than three
//! times the longest gap of the last 28 days, one hour at least.
//!
//! The 28 days end with the newest event, not with the moment of the question: so a type that is silent stays silent
//! until an event comes. Gaps are measured by the follower, from commit to commit; hours that were counted before it
//! did so tell them to within two hours.
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::follower::hour;
use crate::{
    auth::{Grant, ListTenants, Permit, Right},
    db::Db,
    error::Result,
    ids::{EventTypeId, TenantId},
    sql,
};

/// How far back gaps count.
const WINDOW: TimeDelta = TimeDelta::days(28);
/// How many times the longest gap is silence.
const TIMES: i32 = 3;
/// What is never silence, however fast events came before.
const LEAST: TimeDelta = TimeDelta::hours(1);
/// How long a type must be watched, and how many events it must have had, before anything can be said.
const AGE: TimeDelta = TimeDelta::days(1);
const HANDFUL: i64 = 5;

/// What is kept of one hour of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Hour {
    /// When it began.
    pub hour: DateTime<Utc>,
    /// How many events came in it, whatever became of them.
    pub events: i64,
    /// When the last of them did.
    pub last_at: DateTime<Utc>,
    /// The longest time without one that ended in it, in milliseconds.
    pub gap_ms: Option<i64>,
}

/// How the events of a type came during the 28 days up to the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// How many.
    pub events: i64,
    /// The hour of the first.
    pub since: DateTime<Utc>,
    /// When the newest came.
    pub last_at: DateTime<Utc>,
    /// The longest time between two of them.
    pub longest_gap: TimeDelta,
}

/// Whether a type is silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It never had an event.
    #[default]
    Never,
    /// It is too young, or had too few events, to know how often they come.
    Unknown,
    /// Events come as they use to; it is silent from then on if none comes.
    Regular {
        /// When that would be.
        silent_from: DateTime<Utc>,
    },
    /// None came for longer than ever.
    Silent {
        /// When the newest came.
        since: DateTime<Utc>,
        /// How long was waited for the next.
        waited: TimeDelta,
    },
}

impl Verdict {
    /// Whether it is silence.
    pub fn is_silent(self) -> bool {
        matches!(self, Self::Silent { .. })
    }
}

impl Rhythm {
    /// What hours, oldest first, say; none when there are none.
    pub fn of(hours: &[Hour]) -> Option<Self> {
        let last = hours.last()?;
        let begins = last.last_at - WINDOW;
        let first = hours.iter().position(|one| one.hour >= begins)?;
        let mut longest = TimeDelta::zero();
        for (at, one) in hours.iter().enumerate().skip(first) {
            let gap = match (one.gap_ms, at.checked_sub(1)) {
                (Some(known), _) => TimeDelta::milliseconds(known),
                (None, Some(before)) if before >= first => one.last_at - hours[before].last_at,
                (None, _) => TimeDelta::zero(),
            };
            longest = longest.max(gap);
        }
        let events = hours[first..].iter().map(|one| one.events).sum();
        Some(Self { events, since: hours[first].hour, last_at: last.last_at, longest_gap: longest })
    }

    /// How long to wait for the next event before it is silence.
    pub fn patience(&self) -> TimeDelta {
        (self.longest_gap * TIMES).max(LEAST)
    }

    /// Whether it is silent at `now`.
    pub fn verdict(&self, now: DateTime<Utc>) -> Verdict {
        if self.events < HANDFUL || now - self.since < AGE {
            return Verdict::Unknown;
        }
        let (waited, silent_from) = (self.patience(), self.last_at + self.patience());
        if now > silent_from {
            Verdict::Silent { since: self.last_at, waited }
        } else {
            Verdict::Regular { silent_from }
        }
    }
}

/// The longest gap that ended in each hour, when events came at these `moments` after the one at `previous`.
pub(super) fn gaps(previous: Option<DateTime<Utc>>, moments: &mut [DateTime<Utc>]) -> BTreeMap<DateTime<Utc>, i64> {
    moments.sort_unstable();
    let (mut before, mut longest) = (previous, BTreeMap::new());
    for at in moments.iter().copied() {
        // one that comes late, out of order, ends no gap that anybody has seen
        let gap = before.map_or(0, |before| (at - before).num_milliseconds()).max(0);
        let known: &mut i64 = longest.entry(hour(at)).or_default();
        *known = gap.max(*known);
        before = before.max(Some(at));
    }
    longest
}

const HOURS: &str = "SELECT hour, accepted + quarantined + duplicates AS events, last_at, gap_ms FROM event_counts
    WHERE tenant_id = $1 AND event_type_id = $2 AND hour >= $3 ORDER BY hour";

async fn rhythm(db: &Db, tenant: TenantId, id: EventTypeId, last: DateTime<Utc>) -> Result<Option<Rhythm>> {
    Ok(Rhythm::of(&sql!(all Hour, db, HOURS, tenant, id, hour(last - WINDOW))?))
}

/// When the newest event of a type came, and how regularly they do.
///
/// # Errors
/// When the database does.
pub async fn of_type<R: Right>(db: &Db, permit: &Permit<R>, id: EventTypeId) -> Result<Option<Rhythm>> {
    let text =
        "SELECT last_at FROM event_counts WHERE tenant_id = $1 AND event_type_id = $2 ORDER BY hour DESC LIMIT 1";
    match sql!(values DateTime<Utc>, db, text, permit.tenant(), id)?.first() {
        Some(last) => rhythm(db, permit.tenant(), id, *last).await,
        None => Ok(None),
    }
}

macro_rules! newest {
    ($rest:literal) => {
        concat!(
            "SELECT t.tenant_id, t.id, (SELECT c.last_at FROM event_counts AS c
                WHERE c.tenant_id = t.tenant_id AND c.event_type_id = t.id ORDER BY c.hour DESC LIMIT 1)
             FROM event_types AS t JOIN tenants AS o ON o.tenant_id = t.tenant_id
             WHERE t.enabled AND o.enabled ",
            $rest
        )
    };
}

type Newest = Vec<(TenantId, EventTypeId, Option<DateTime<Utc>>)>;

/// One type that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub event_type: EventTypeId,
    /// When its newest event came.
    pub last_at: Option<DateTime<Utc>>,
    /// Whether it is silent. What had an event within the hour is not looked at further: it is `Unknown`.
    pub verdict: Verdict,
}

async fn judge(db: &Db, newest: Newest, now: DateTime<Utc>) -> Result<Vec<Watched>> {
    let mut all = Vec::with_capacity(newest.len());
    for (tenant, event_type, last_at) in newest {
        let verdict = match last_at {
            None => Verdict::Never,
            Some(last) if now - last <= LEAST => Verdict::Unknown,
            Some(last) => {
                let rhythm = rhythm(db, tenant, event_type, last).await?;
                rhythm.map_or(Verdict::Never, |rhythm| rhythm.verdict(now))
            }
        };
        all.push(Watched { tenant, event_type, last_at, verdict });
    }
    Ok(all)
}

/// How the enabled types of a tenant stand.
///
/// # Errors
/// When the database does.
pub async fn of_tenant<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    now: DateTime<Utc>,
) -> Result<HashMap<EventTypeId, Watched>> {
    let newest: Newest =
        sql!(all(TenantId, EventTypeId, Option<DateTime<Utc>>), db, newest!("AND t.tenant_id = $1"), permit.tenant())?;
    Ok(judge(db, newest, now).await?.into_iter().map(|one| (one.event_type, one)).collect())
}

/// How the enabled types of all enabled tenants stand.
///
/// # Errors
/// When the database does.
pub async fn of_all(db: &Db, _grant: &Grant<ListTenants>, now: DateTime<Utc>) -> Result<Vec<Watched>> {
    watch(db, now).await
}

/// The same without anybody's permission: for what raises alerts. Nothing that answers to a person may call this.
///
/// # Errors
/// When the database does.
pub async fn watch(db: &Db, now: DateTime<Utc>) -> Result<Vec<Watched>> {
    let newest: Newest =
        sql!(all(TenantId, EventTypeId, Option<DateTime<Utc>>), db, newest!("ORDER BY t.tenant_id, t.id"))?;
    judge(db, newest, now).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start() -> DateTime<Utc> {
        "2026-11-01T00:00:00Z".parse().unwrap()
    }

    /// What the follower makes of events at these moments, taken a few at a time.
    fn kept(moments: &[DateTime<Utc>], at_once: usize) -> Vec<Hour> {
        let mut hours: BTreeMap<DateTime<Utc>, Hour> = BTreeMap::new();
        let mut previous = None;
        for some in moments.chunks(at_once) {
            for (at, gap) in gaps(previous, &mut some.to_vec()) {
                let new = Hour { hour: at, events: 0, last_at: at, gap_ms: Some(0) };
                let known = hours.entry(at).or_insert(new);
                known.gap_ms = known.gap_ms.max(Some(gap));
            }
            for at in some {
                let one = hours.get_mut(&hour(*at)).unwrap();
                (one.events, one.last_at) = (one.events + 1, one.last_at.max(*at));
            }
            previous = previous.max(some.iter().max().copied());
        }
        hours.into_values().collect()
    }

    /// Moments in order, from the distances between them in seconds.
    fn moments(distances: &[i64]) -> Vec<DateTime<Utc>> {
        let mut at = start();
        distances
            .iter()
            .map(|distance| {
                at += TimeDelta::seconds(*distance);
                at
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_longest_gap_is_that_of_the_events_themselves(
            distances in prop::collection::vec(0_i64..40_000, 2..50),
            at_once in 1_usize..7,
        ) {
            let moments = moments(&distances);
            let rhythm = Rhythm::of(&kept(&moments, at_once)).unwrap();
            let longest = moments.windows(2).map(|two| two[1] - two[0]).max().unwrap();
            prop_assert_eq!(rhythm.longest_gap, longest);
            prop_assert_eq!(rhythm.events, i64::try_from(moments.len()).unwrap());
            prop_assert_eq!(rhythm.last_at, *moments.last().unwrap());
        }

        #[test]
        fn silence_comes_once_and_stays_until_an_event_does(
            distances in prop::collection::vec(1_i64..200_000, 1..40),
            wait in 0_i64..4_000_000,
            more in 0_i64..4_000_000,
        ) {
            let moments = moments(&distances);
            let rhythm = Rhythm::of(&kept(&moments, 3)).unwrap();
            let (last, patience) = (*moments.last().unwrap(), rhythm.patience());
            prop_assert!(patience >= LEAST && patience >= rhythm.longest_gap * 3);
            let at = last + TimeDelta::seconds(wait);
            let silent = rhythm.verdict(at).is_silent();
            // as the rule says it
            let known = rhythm.events >= HANDFUL && at - rhythm.since >= AGE;
            prop_assert_eq!(silent, known && at - last > patience);
            if silent {
                prop_assert!(rhythm.verdict(at + TimeDelta::seconds(more)).is_silent());
                let mut again = moments.clone();
                again.push(at);
                prop_assert!(!Rhythm::of(&kept(&again, 3)).unwrap().verdict(at).is_silent());
            }
        }

        #[test]
        fn hours_of_before_err_on_the_side_of_patience(distances in prop::collection::vec(1_i64..50_000, 2..40)) {
            let moments = moments(&distances);
            let mut hours = kept(&moments, 1);
            let exact = Rhythm::of(&hours).unwrap();
            for one in &mut hours {
                one.gap_ms = None;
            }
            let guessed = Rhythm::of(&hours).unwrap();
            // gaps within an hour are less than what is never silence
            prop_assert!(guessed.longest_gap >= exact.longest_gap || exact.longest_gap <= LEAST);
        }
    }

    #[test]
    fn a_gap_of_long_ago_counts_no_more() {
        let day = |day: i64, gap: i64| Hour {
            hour: start() + TimeDelta::days(day),
            events: 10,
            last_at: start() + TimeDelta::days(day) + TimeDelta::minutes(5),
            gap_ms: Some(gap),
        };
        let week = TimeDelta::days(7).num_milliseconds();
        let rhythm = Rhythm::of(&[day(0, week), day(20, 60_000), day(40, 120_000)]).unwrap();
        assert_eq!((rhythm.longest_gap, rhythm.events), (TimeDelta::minutes(2), 20));
        assert_eq!(Rhythm::of(&[]), None);
    }

    #[test]
    fn what_comes_out_of_order_ends_no_gap() {
        let at = |minutes: i64| start() + TimeDelta::minutes(minutes);
        let found = gaps(Some(at(10)), &mut [at(5), at(30)]);
        assert_eq!(found.into_values().collect::<Vec<_>>(), [20 * 60_000]);
        assert!(gaps(None, &mut []).is_empty());
    }
}
