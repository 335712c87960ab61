//! A half-open span of time, in UTC: what one poll asks for.
use std::fmt;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
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

/// As people read it: `24 Nov 2026, 09:00 to 10:00 UTC`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from, self.until);
        let day = |moment: DateTime<Utc>| moment.format("%-d %b %Y").to_string();
        write!(f, "{}, {} to ", day(from), clock(from))?;
        if from.date_naive() == until.date_naive() {
            return write!(f, "{} UTC", clock(until));
        }
        let next = from.date_naive().succ_opt() == Some(until.date_naive());
        if next && until.num_seconds_from_midnight() == 0 && until.nanosecond() == 0 {
            return f.write_str("24:00 UTC");
        }
        write!(f, "{}, {} UTC", day(until), clock(until))
    }
}

fn clock(moment: DateTime<Utc>) -> String {
    let fine = moment.nanosecond() > 0 || moment.second() > 0;
    moment.format(if fine { "%H:%M:%S" } else { "%H:%M" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_short_as_they_can_be() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let said = |from, until| Window::new(at(from), at(until)).to_string();
        assert_eq!(said("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"), "24 Nov 2026, 09:00 to 10:00 UTC");
        assert_eq!(said("2026-11-24T23:00:00Z", "2026-11-25T00:00:00Z"), "24 Nov 2026, 23:00 to 24:00 UTC");
        let long = said("2026-11-24T09:00:30Z", "2026-11-26T00:00:00Z");
        assert_eq!(long, "24 Nov 2026, 09:00:30 to 26 Nov 2026, 00:00 UTC");
    }
}
