//! When a source is asked: every so many minutes, or by cron in a time zone. A schedule is a row of boundaries; the
//! ledger reaches up to the newest one whose data has settled.
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use super::ledger::floor;
use crate::{crypto, ids::SourceId};

/// Sources with the same interval are spread over so much of it, so that they do not all ask at once.
const SPREAD: TimeDelta = TimeDelta::minutes(1);

/// Where windows end.
#[derive(Debug, Clone)]
pub enum Rhythm {
    /// Every so many minutes since 1970: what divides a day is aligned with it, in UTC.
    Every(u32),
    /// By cron, in a time zone.
    Cron(Box<Cron>, Tz),
}

/// When a source is asked.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Where its windows end.
    pub rhythm: Rhythm,
    /// How long after its end a window can be read.
    pub settle: TimeDelta,
    /// How long this source waits so that others can go first.
    pub jitter: TimeDelta,
}

impl Rhythm {
    /// Every so many minutes.
    pub fn every(minutes: u32) -> Self {
        Self::Every(minutes.clamp(1, 1440))
    }

    /// By cron: five fields, in the zone of this name.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn cron(pattern: &str, zone: &str) -> Result<Self, String> {
        let zone = Tz::from_str(zone.trim())
            .map_err(|_| format!("there is no time zone {zone:?}: name one such as Europe/Amsterdam or UTC"))?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(pattern.trim()).map_err(|error| {
            format!(
                "this is no cron pattern of five fields, such as 0 6 * * 1-5 (minute hour day month weekday): {error}"
            )
        })?;
        let rhythm = Self::Cron(Box::new(cron), zone);
        let ever = DateTime::from_timestamp(1_700_000_000, 0).and_then(|from| rhythm.after(from));
        ever.map(|_| rhythm).ok_or_else(|| "this pattern never comes: check its day and month".into())
    }

    /// The first boundary after `moment`. None: there never is one.
    pub fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(minutes) => {
                let every = TimeDelta::minutes(i64::from(*minutes));
                Some(floor(moment, every) + every)
            }
            Self::Cron(cron, zone) => {
                let mut from = moment.with_timezone(zone);
                loop {
                    let next = cron.find_next_occurrence(&from, false).ok()?;
                    if next > moment {
                        return Some(next.to_utc());
                    }
                    // the hour that comes twice: what croner finds may lie in its first half
                    from = (next.to_utc() + TimeDelta::minutes(1))
                        .max(from.to_utc() + TimeDelta::minutes(1))
                        .with_timezone(zone);
                }
            }
        }
    }

    /// The last boundary at or before `moment`. None: there was none in the past four years.
    pub fn until(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let Self::Cron(..) = self else {
            let Self::Every(minutes) = self else { return None };
            return Some(floor(moment, TimeDelta::minutes(i64::from(*minutes))));
        };
        // by steps back that grow, then forward: so both directions name the same boundaries, on every date
        let mut back = TimeDelta::hours(1);
        while back < TimeDelta::days(4 * 366) {
            if let Some(mut found) = self.after(moment - back).filter(|found| *found <= moment) {
                while let Some(next) = self.after(found).filter(|next| *next <= moment) {
                    found = next;
                }
                return Some(found);
            }
            back = back * 4;
        }
        None
    }

    /// About how long it is from one boundary to the next.
    pub fn interval(&self, now: DateTime<Utc>) -> TimeDelta {
        match self {
            Self::Every(minutes) => TimeDelta::minutes(i64::from(*minutes)),
            Self::Cron(..) => {
                let first = self.after(now).unwrap_or(now);
                (self.after(first).unwrap_or(first) - first).max(TimeDelta::minutes(1))
            }
        }
    }
}

impl Timing {
    /// How far a ledger reaches when it is `now` for the other side; none: not at all.
    pub fn reach(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.rhythm.until(now - self.settle)
    }

    /// When to ask for the window that ends with the first boundary after `watermark`, by the other side's clock.
    pub fn next(&self, watermark: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(self.rhythm.after(watermark)? + self.settle + self.jitter)
    }
}

/// A source's place in the spread: always the same, whatever process asks.
pub fn jitter(source: SourceId, interval: TimeDelta) -> TimeDelta {
    let digest = crypto::sha256(source.0.as_bytes());
    let draw = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let spread = interval.min(SPREAD).num_milliseconds().max(1);
    TimeDelta::milliseconds(i64::from(draw) * spread / (i64::from(u32::MAX) + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// All boundaries of a span.
    fn all(rhythm: &Rhythm, from: &str, until: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut now = at(from) - TimeDelta::milliseconds(1);
        while let Some(next) = rhythm.after(now).filter(|next| *next < at(until)) {
            found.push(next.format("%dT%H:%M").to_string());
            now = next;
        }
        found
    }

    #[test]
    fn a_day_with_an_hour_too_few_and_one_too_many() {
        let hourly = Rhythm::cron("0 * * * *", "Europe/Amsterdam").unwrap();
        // every hour of real time is a boundary, on both dates
        assert_eq!(all(&hourly, "2026-03-29T00:00:00Z", "2026-03-29T04:00:00Z").len(), 4);
        assert_eq!(all(&hourly, "2026-10-25T00:00:00Z", "2026-10-25T04:00:00Z").len(), 4);
        // by the clock on the wall: 06:00 is one hour earlier in UTC from March to October
        let morning = Rhythm::cron("0 6 * * *", "Europe/Amsterdam").unwrap();
        let found = all(&morning, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
        assert_eq!(found, ["28T05:00", "29T04:00", "30T04:00"]);
        let found = all(&morning, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");
        assert_eq!(found, ["24T04:00", "25T05:00", "26T05:00"]);
        // 02:30 is not there in March, and there twice in October: once a day all the same
        let night = Rhythm::cron("30 2 * * *", "Europe/Amsterdam").unwrap();
        assert_eq!(all(&night, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z").len(), 2);
        assert_eq!(all(&night, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z").len(), 2);
    }

    #[test]
    fn what_is_no_schedule_is_refused_in_words() {
        for (pattern, zone, word) in [
            ("0 6 * *", "UTC", "five fields"),
            ("0 0 6 * * *", "UTC", "five fields"),
            ("61 * * * *", "UTC", "five fields"),
            ("0 6 * * *", "Europe/Nowhere", "time zone"),
            ("0 0 30 2 *", "UTC", "never comes"),
        ] {
            let error = Rhythm::cron(pattern, zone).map(drop).unwrap_err();
            assert!(error.contains(word), "{pattern} {zone}: {error}");
        }
    }

    #[test]
    fn a_window_is_read_when_it_has_settled() {
        let settle = TimeDelta::seconds(90);
        let timing = Timing { rhythm: Rhythm::every(15), settle, jitter: TimeDelta::seconds(20) };
        assert_eq!(timing.reach(at("2026-05-01T10:31:00Z")), Some(at("2026-05-01T10:15:00Z")));
        assert_eq!(timing.reach(at("2026-05-01T10:31:30Z")), Some(at("2026-05-01T10:30:00Z")));
        assert_eq!(timing.next(at("2026-05-01T10:15:00Z")), Some(at("2026-05-01T10:31:50Z")));
    }

    #[test]
    fn sources_are_spread_evenly_and_each_keeps_its_place() {
        let minute = TimeDelta::minutes(1);
        let mut tenths = [0; 10];
        for n in 0..1000_u128 {
            let source = SourceId(uuid::Uuid::from_u128(n));
            let place = jitter(source, minute);
            assert_eq!(place, jitter(source, minute));
            assert!(place >= TimeDelta::zero() && place < minute);
            tenths[usize::try_from(place.num_seconds() / 6).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| *count > 60), "{tenths:?}");
    }

    proptest! {
        #[test]
        fn forward_and_backward_name_the_same_boundaries(
            seconds in 1_700_000_000_i64..1_900_000_000,
            pattern in prop_oneof![
                Just("*/5 * * * *"), Just("0 * * * *"), Just("30 2 * * *"), Just("15 3 * * 1-5"), Just("0 0 1 * *"),
                Just("0 6,18 * * *"),
            ],
            zone in prop_oneof![Just("UTC"), Just("Europe/Amsterdam"), Just("America/New_York"), Just("Australia/Lord_Howe")],
        ) {
            let rhythm = Rhythm::cron(pattern, zone).unwrap();
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let next = rhythm.after(now).unwrap();
            prop_assert!(next > now);
            prop_assert_eq!(rhythm.until(next), Some(next));
            let last = rhythm.until(now).unwrap();
            prop_assert!(last <= now);
            prop_assert_eq!(rhythm.after(last), Some(next));
        }
    }
}
