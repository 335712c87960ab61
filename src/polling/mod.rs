//! Polling: external systems that are asked by HTTP GET on an interval, and the proof that nothing was missed.
//!
//! A [`Source`] is what is asked. Its *ledger* is all windows of time it was asked for: they tile time with no gap and
//! no overlap (`ledger`). The schedule decides when (`schedule`), the ledger decides what. `store` keeps both; `runner`
//! takes windows, reads them, and commits each piece with its events through the write lane, so that whoever is killed
//! leaves a window as far as it came.
pub mod definition;
pub mod evidence;
pub mod fetch;
pub mod ledger;
pub mod map;
mod pages;
pub mod probe;
pub mod runner;
pub mod schedule;
pub mod store;
pub mod terms;
mod window;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::ids::{EventTypeId, SourceId, TenantId, WindowId};
pub(crate) use pages::asking;
pub use pages::routes;
pub use store::{get, health, list};
pub use terms::Terms;
pub use window::Window;

/// A polling source, as it was when it was read. Its secret is never a part of it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: SourceId,
    /// What its records become.
    pub event_type: EventTypeId,
    /// What people call it.
    pub name: String,
    /// Its definition: a SOURCE.json without the token.
    pub definition: String,
    /// Whose limits hold: host and port.
    pub host: String,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// The secret before is tried as well until then.
    pub old_secret_until: Option<DateTime<Utc>>,
    /// Whether it is asked.
    pub state: State,
    /// Why it is not.
    pub reason: Option<String>,
    /// Where its ledger begins.
    pub starts_at: DateTime<Utc>,
    /// Where its ledger ends.
    pub watermark: DateTime<Utc>,
    /// Between two runs.
    pub interval: TimeDelta,
    /// When its ledger grows next.
    pub next_run_at: DateTime<Utc>,
    /// How far the other side's clock is ahead of ours.
    pub skew: TimeDelta,
    /// How it stands against its schedule.
    pub health: Health,
    /// Since when.
    pub health_since: DateTime<Utc>,
    /// What reading closed windows again has found, if that is on.
    pub reconciliation: Reconciliation,
    /// How late its records come.
    pub lateness: Lateness,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its configuration changed last.
    pub updated_at: DateTime<Utc>,
}

impl Source {
    /// What the ledger covers.
    pub fn span(&self) -> Window {
        Window::new(self.starts_at, self.watermark)
    }
}

/// Whether a source is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum State {
    /// It is, whenever its schedule says so.
    Active,
    /// Somebody has paused it.
    Paused,
    /// The other side has refused its secret, again and again.
    Refused,
    /// The other side says that it is asked for what it does not have: somebody has to mend its definition.
    Stopped,
    /// It is gone, but for what hangs on its events.
    Removed,
}

impl State {
    /// As the database and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Removed => "removed",
        }
    }
}

/// How a source stands against its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Health {
    /// All that was due is stored.
    Fresh,
    /// Something has been due for more than one interval.
    Late,
    /// Something has been due for more than two, or only somebody can set it going again.
    Failing,
    /// Somebody has paused it.
    Paused,
}

impl Health {
    /// As the database and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }

    /// How a source stands of which something has been due since `due`.
    pub fn of(state: State, due: DateTime<Utc>, interval: TimeDelta, now: DateTime<Utc>) -> Self {
        match state {
            State::Paused | State::Removed => Self::Paused,
            State::Refused | State::Stopped => Self::Failing,
            State::Active if now - due > interval * 2 => Self::Failing,
            State::Active if now - due > interval => Self::Late,
            State::Active => Self::Fresh,
        }
    }
}

/// What reading closed windows again has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Whether it is done.
    pub on: bool,
    /// Windows read again.
    pub windows: i64,
    /// Records in them.
    pub records: i64,
    /// Of these, such that had been missed.
    pub missed: i64,
}

impl Reconciliation {
    /// The share of records that had been missed; none until there are any to tell it by.
    #[expect(clippy::cast_precision_loss, reason = "a share is shown with few digits")]
    pub fn loss(self) -> Option<f64> {
        (self.records > 0).then(|| self.missed as f64 / self.records as f64)
    }
}

/// How late records come: how many were first seen in a window that had begun so much later than their own time. In
/// powers of two of a second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Lateness(Vec<i64>);

impl Lateness {
    /// Notes a record.
    pub fn note(&mut self, late: TimeDelta) {
        let seconds = u64::try_from(late.num_seconds()).unwrap_or(0);
        let at = (u64::BITS - seconds.leading_zeros()) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] += 1;
    }

    /// Adds what another has noted.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum += more;
        }
    }

    /// How many records were noted.
    pub fn n(&self) -> i64 {
        self.0.iter().sum()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.n() == 0
    }

    /// So many of a thousand records are no later than this; none until any were noted.
    pub fn per_mille(&self, of: i64) -> Option<TimeDelta> {
        let (n, mut seen) = (self.n(), 0);
        self.0.iter().enumerate().find_map(|(at, count)| {
            seen += count;
            (n > 0 && seen * 1000 >= n * of).then(|| TimeDelta::seconds((1_i64 << at) - 1))
        })
    }

    /// The lookback that would have seen 999 of a thousand records, in whole minutes. None while fewer than a
    /// thousand were noted: rarer ones cannot be told by then.
    pub fn proposal(&self) -> Option<i64> {
        let late = self.per_mille(999).filter(|_| self.n() >= 1000)?;
        Some((late.num_seconds() + 59) / 60)
    }
}

/// A window of a ledger, or beside it, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its id.
    pub id: WindowId,
    /// Why there is one.
    pub kind: ledger::Kind,
    /// How it stands.
    pub state: ledger::State,
    /// Its first moment.
    #[serde(rename = "from")]
    pub from_at: DateTime<Utc>,
    /// The first moment after it.
    #[serde(rename = "to")]
    pub until_at: DateTime<Utc>,
    /// Where its asking begins: earlier by the lookback.
    pub ask_from: DateTime<Utc>,
    /// When the schedule or somebody wanted it.
    pub planned_at: DateTime<Utc>,
    /// When all of it was stored.
    pub done_at: Option<DateTime<Utc>>,
    /// When it is tried, if it is open.
    pub next_try_at: DateTime<Utc>,
    /// Attempts in a row that failed.
    pub failures: i64,
    /// Why the last one did.
    pub fault: Option<String>,
    /// How many windows it was merged from.
    pub merged: i64,
    /// Requests made for it.
    pub requests: i64,
    /// Bytes received.
    pub bytes: i64,
    /// Records read.
    pub records: i64,
    /// Of these, new events.
    #[serde(rename = "new")]
    pub fresh: i64,
    /// Of these, known before.
    pub duplicates: i64,
    /// Of these, in quarantine.
    pub quarantined: i64,
}

impl Entry {
    /// What it covers.
    pub fn window(&self) -> Window {
        Window::new(self.from_at, self.until_at)
    }

    /// Whether it is one of those that tile the ledger.
    pub fn tiles(&self) -> bool {
        self.kind.tiles() && self.state != ledger::State::Split
    }
}

/// One taking of a window: the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Counts up with each taking.
    pub number: i64,
    /// When it was taken.
    pub started_at: DateTime<Utc>,
    /// When it ended; none: under way, or cut off.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its requests: JSON.
    pub requests: String,
    /// Why it failed.
    pub fault: Option<String>,
}

/// Where an event came from.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Origin {
    /// The source.
    pub source_id: SourceId,
    /// Its name.
    pub name: String,
    /// The window; it may be a part of a longer span by now.
    pub window_id: WindowId,
    /// By which taking of it.
    pub attempt: i64,
    /// By which of its requests, from 0.
    pub request: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_after_one_interval_and_failing_after_two() {
        let (due, hour) = (DateTime::UNIX_EPOCH, TimeDelta::hours(1));
        let after = |minutes| Health::of(State::Active, due, hour, due + TimeDelta::minutes(minutes));
        assert_eq!([60, 61, 120, 121].map(after), [Health::Fresh, Health::Late, Health::Late, Health::Failing]);
        assert_eq!(Health::of(State::Paused, due, hour, due + hour * 9), Health::Paused);
        assert_eq!(Health::of(State::Refused, due, hour, due), Health::Failing);
    }

    #[test]
    fn a_lookback_is_proposed_from_enough_records_alone() {
        let mut lateness = Lateness::default();
        assert_eq!((lateness.per_mille(500), lateness.proposal()), (None, None));
        for _ in 0..998 {
            lateness.note(TimeDelta::zero());
        }
        lateness.note(TimeDelta::seconds(100));
        assert_eq!(lateness.proposal(), None);
        lateness.note(TimeDelta::seconds(3000));
        assert_eq!((lateness.n(), lateness.per_mille(500)), (1000, Some(TimeDelta::zero())));
        assert_eq!(lateness.per_mille(1000), Some(TimeDelta::seconds(4095)));
        assert_eq!(lateness.proposal(), Some(3), "127 seconds hold 999 of them");
    }
}
