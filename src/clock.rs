//! The one place that knows what time it is. Everything else is given a [`Clock`].
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time, in UTC, to the microsecond (PostgreSQL keeps no more).
#[derive(Clone, Default)]
pub struct Clock {
    /// Set: it moves by [`Clock::advance`] alone.
    still: Option<DateTime<Utc>>,
    /// Seconds added to the system's time; tests travel with it.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// One that stands still where the system's is now, until it is moved: for tests that count exact seconds.
    pub fn still() -> Self {
        Self { still: Some(Self::system().now()), ..Self::default() }
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else must use")]
    pub fn now(&self) -> DateTime<Utc> {
        let from = self.still.unwrap_or_else(Utc::now);
        let now = from + chrono::Duration::seconds(self.ahead.load(Ordering::Relaxed));
        now.trunc_subsecs(6)
    }

    /// Moves this clock and its clones ahead by `seconds` more.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }
}
