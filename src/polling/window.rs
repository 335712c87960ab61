//! A half-open span of time, in UTC: what one poll asks for.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The first moment of it.
    pub from: DateTime<Utc>,
    /// The first moment after it.
    pub until: DateTime<Utc>,
}

impl Window {
    /// From `from` up to and without `until`.
    pub fn new(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self { from, until }
    }

    /// How long it is; negative when it ends before it begins.
    pub fn length(self) -> TimeDelta {
        self.until - self.from
    }

    /// Whether there is no moment in it.
    pub fn is_empty(self) -> bool {
        self.from >= self.until
    }

    /// Whether `moment` lies in it.
    pub fn holds(self, moment: DateTime<Utc>) -> bool {
        self.from <= moment && moment < self.until
    }
}
