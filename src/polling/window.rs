//! A half-open span of time, in UTC: what one poll asks for.
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::ui::Zone;

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

    /// As people read it, by the clocks of their zone: `24 Nov 2026, 10:00 to 11:00 CET`.
    pub fn told(self, zone: Zone) -> String {
        let day = |moment| zone.told(moment, "%-d %b %Y");
        let clock = |moment| zone.told(moment, if is_fine(moment) { "%H:%M:%S" } else { "%H:%M" });
        let name = |moment| zone.told(moment, "%Z");
        let (from, until) = (self.from, self.until);
        let mut begin = format!("{}, {}", day(from), clock(from));
        // a night in which the clocks are put back or forward
        if name(from) != name(until) {
            begin = format!("{begin} {}", name(from));
        }
        // the last moment of a day is read more easily than the first one of the next
        let midnight = until - TimeDelta::seconds(1);
        let end = if day(from) == day(until) {
            clock(until)
        } else if day(from) == day(midnight) && zone.told(until, "%H:%M:%S%.f") == "00:00:00" {
            "24:00".to_owned()
        } else {
            format!("{}, {}", day(until), clock(until))
        };
        format!("{begin} to {end} {}", name(until))
    }
}

/// Whether minutes do not tell it.
pub(super) fn is_fine(moment: DateTime<Utc>) -> bool {
    moment.nanosecond() > 0 || moment.second() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_as_short_as_they_can_be() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let window = |from, until| Window::new(at(from), at(until));
        let said = |from, until| window(from, until).told(Zone::default());
        assert_eq!(said("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"), "24 Nov 2026, 09:00 to 10:00 UTC");
        assert_eq!(said("2026-11-24T23:00:00Z", "2026-11-25T00:00:00Z"), "24 Nov 2026, 23:00 to 24:00 UTC");
        let long = said("2026-11-24T09:00:30Z", "2026-11-26T00:00:00Z");
        assert_eq!(long, "24 Nov 2026, 09:00:30 to 26 Nov 2026, 00:00 UTC");
        let local = |zone, from, until| window(from, until).told(Zone::parse(zone));
        let night = local("Europe/Berlin", "2026-11-24T22:00:00Z", "2026-11-24T23:00:00Z");
        assert_eq!(night, "24 Nov 2026, 23:00 to 24:00 CET");
        let back = local("Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z");
        assert_eq!(back, "25 Oct 2026, 02:00 CEST to 02:00 CET");
        let half = local("Asia/Kolkata", "2026-11-24T18:00:00Z", "2026-11-24T19:00:00Z");
        assert_eq!(half, "24 Nov 2026, 23:30 to 25 Nov 2026, 00:30 IST");
    }
}
