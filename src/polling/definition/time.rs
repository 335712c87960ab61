//! How the other side writes moments, and how a window is written for it: always outward, so that no record of the
//! window is left out, whatever the other side makes of its bounds. What comes twice by that is known by its id.
use chrono::{
    DateTime, Duration, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat,
    TimeDelta, TimeZone, Utc,
    format::{Item, Numeric, StrftimeItems},
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Whether a bound belongs to what is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bound {
    /// It does.
    #[default]
    Inclusive,
    /// It does not.
    Exclusive,
}

impl Bound {
    pub(super) fn exclusive() -> Self {
        Self::Exclusive
    }
}

/// How finely the other side tells moments apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Precision {
    /// By milliseconds or better.
    Milliseconds,
    /// By seconds.
    #[default]
    Second,
    /// By minutes.
    Minute,
    /// By hours.
    Hour,
    /// By days.
    Day,
}

impl Precision {
    /// All of them, the finest first.
    pub const ALL: [Self; 5] = [Self::Milliseconds, Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// The span that it does not look into.
    pub fn span(self) -> TimeDelta {
        match self {
            Self::Milliseconds => TimeDelta::milliseconds(1),
            Self::Second => TimeDelta::seconds(1),
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }
}

/// How a moment is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum TimeFormat {
    /// As ISO 8601 says.
    Iso8601 {
        /// How the zone is written.
        #[serde(default)]
        style: Style,
        /// The zone of `offset` and `local`: its IANA name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Tz>,
    },
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// By a strftime pattern.
    Pattern {
        /// Such as `%d.%m.%Y %H:%M`.
        pattern: String,
        /// In which zone, unless the pattern says it: its IANA name; UTC without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Tz>,
    },
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self::Iso8601 { style: Style::Z, zone: None }
    }
}

/// How ISO 8601 writes the zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Style {
    /// `2026-03-29T01:00:00Z`.
    #[default]
    Z,
    /// `2026-03-29T03:00:00+02:00`.
    Offset,
    /// `2026-03-29T03:00:00`: who reads it has to know the zone.
    Local,
}

/// The two ends of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first moment.
    From,
    /// The last one.
    Until,
}

/// Local times that occur twice or never are gone around by steps of this.
const STEP: TimeDelta = TimeDelta::minutes(15);

impl TimeFormat {
    /// The zone that it is written in.
    pub fn zone(&self) -> Tz {
        match self {
            Self::Iso8601 { style: Style::Offset | Style::Local, zone } | Self::Pattern { zone, .. } => {
                zone.unwrap_or(Tz::UTC)
            }
            _ => Tz::UTC,
        }
    }

    /// Whether the text says how far its clock is from UTC.
    pub fn says_offset(&self) -> bool {
        match self {
            Self::Iso8601 { style, .. } => *style != Style::Local,
            Self::EpochSeconds | Self::EpochMilliseconds => true,
            Self::Pattern { pattern, .. } => StrftimeItems::new(pattern).any(|item| match item {
                Item::Fixed(fixed) => format!("{fixed:?}").contains("TimezoneOffset"),
                Item::Numeric(numeric, _) => numeric == Numeric::Timestamp,
                _ => false,
            }),
        }
    }

    /// The least span that its text can tell apart.
    pub fn granule(&self) -> TimeDelta {
        match self {
            Self::EpochMilliseconds | Self::Iso8601 { .. } => TimeDelta::milliseconds(1),
            Self::EpochSeconds => TimeDelta::seconds(1),
            Self::Pattern { pattern, .. } => {
                // what it tells apart is seen by writing moments that differ in one part alone
                let noon = NaiveDate::from_ymd_opt(2026, 1, 15).unwrap_or_default().and_time(NaiveTime::MIN);
                let same = |later: TimeDelta| {
                    let write = |moment: NaiveDateTime| written(&moment.and_utc().fixed_offset(), pattern);
                    write(noon) == write(noon + later)
                };
                Precision::ALL.into_iter().map(Precision::span).find(|span| !same(*span)).unwrap_or(TimeDelta::days(1))
            }
        }
    }

    /// Writes one end of a window, outward: `granule` is what the other side does not look into, `bound` whether it
    /// takes the end itself.
    pub fn render(&self, moment: DateTime<Utc>, end: End, bound: Bound, granule: TimeDelta) -> String {
        let (local, instant) = self.outward(moment, end, bound, granule);
        let fine = granule < TimeDelta::seconds(1);
        match self {
            Self::EpochSeconds => instant.timestamp().to_string(),
            Self::EpochMilliseconds => instant.timestamp_millis().to_string(),
            Self::Iso8601 { style: Style::Local, .. } => {
                local.format(if fine { "%Y-%m-%dT%H:%M:%S%.3f" } else { "%Y-%m-%dT%H:%M:%S" }).to_string()
            }
            Self::Iso8601 { style, .. } => {
                let format = if fine { SecondsFormat::Millis } else { SecondsFormat::Secs };
                instant.to_rfc3339_opts(format, *style == Style::Z)
            }
            Self::Pattern { pattern, .. } => written(&instant, pattern).unwrap_or_default(),
        }
    }

    fn outward(
        &self,
        moment: DateTime<Utc>,
        end: End,
        bound: Bound,
        granule: TimeDelta,
    ) -> (NaiveDateTime, DateTime<FixedOffset>) {
        let zone = self.zone();
        let must_be_single = !self.says_offset();
        let mut local = match end {
            End::From => floor(moment.with_timezone(&zone).naive_local(), granule),
            End::Until => ceil(moment.with_timezone(&zone).naive_local(), granule),
        };
        if end == End::From && bound == Bound::Exclusive {
            local -= granule;
        }
        // no zone takes longer than this to make up its mind
        for _ in 0..400 {
            let found = zone.from_local_datetime(&local);
            let instant = match (found, end) {
                (LocalResult::Single(instant), _) => Some(instant),
                // read as the other of the two, or kept by its local time, it would leave out an hour
                (LocalResult::Ambiguous(..), _) if must_be_single => None,
                (LocalResult::Ambiguous(earlier, _), End::From) => Some(earlier),
                (LocalResult::Ambiguous(_, later), End::Until) => Some(later),
                (LocalResult::None, _) => None,
            };
            if let Some(instant) = instant {
                return (local, instant.with_timezone(&instant.offset().fix()));
            }
            local = match end {
                End::From => floor(local - STEP, granule),
                End::Until => ceil(local + STEP, granule),
            };
        }
        (local, local.and_utc().fixed_offset())
    }

    /// Reads a moment. Of a local time that occurs twice, the earlier; of one that never does, the one after the gap.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(&self, text: &str) -> Result<DateTime<Utc>, String> {
        let text = text.trim();
        let number = || text.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 1e15);
        let missed = |expected: &str| format!("a moment as {expected} was expected");
        match self {
            Self::EpochSeconds => {
                let millis = number().map(|seconds| (seconds * 1000.0).floor());
                millis.and_then(from_millis).ok_or_else(|| missed("seconds since 1970"))
            }
            Self::EpochMilliseconds => number().and_then(from_millis).ok_or_else(|| missed("milliseconds since 1970")),
            Self::Iso8601 { .. } => {
                let offset = ["%+", "%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%:z"];
                for pattern in offset {
                    if let Ok(moment) = DateTime::parse_from_str(text, pattern) {
                        return Ok(moment.to_utc());
                    }
                }
                let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
                let read = local.iter().find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok());
                let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
                let local = read.or_else(day).ok_or_else(|| missed("2026-03-29T01:00:00Z (ISO 8601)"))?;
                Ok(self.instant(local))
            }
            Self::Pattern { pattern, .. } => {
                if let Ok(moment) = DateTime::parse_from_str(text, pattern) {
                    return Ok(moment.to_utc());
                }
                let read = NaiveDateTime::parse_from_str(text, pattern).ok();
                let day = || NaiveDate::parse_from_str(text, pattern).ok().map(|day| day.and_time(NaiveTime::MIN));
                read.or_else(day).map(|local| self.instant(local)).ok_or_else(|| missed(pattern))
            }
        }
    }

    fn instant(&self, mut local: NaiveDateTime) -> DateTime<Utc> {
        let zone = self.zone();
        for _ in 0..400 {
            if let Some(instant) = zone.from_local_datetime(&local).earliest() {
                return instant.to_utc();
            }
            local += STEP;
        }
        local.and_utc()
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        match self {
            Self::Iso8601 { style: Style::Z, zone: Some(_) } => {
                Some("style z is always UTC: leave the zone out, or take style offset or local".into())
            }
            Self::Iso8601 { style: Style::Local, zone: None } => {
                Some("style local needs the zone that the other side means, such as Europe/Berlin".into())
            }
            Self::Pattern { pattern, .. } => {
                let sample = DateTime::UNIX_EPOCH.fixed_offset();
                let bad = StrftimeItems::new(pattern).any(|item| item == Item::Error);
                match written(&sample, pattern) {
                    Some(text) if !bad && self.read(&text).is_ok() => None,
                    _ => Some(
                        "the pattern is not one of strftime, such as %Y-%m-%d %H:%M, or lacks year, month or day"
                            .into(),
                    ),
                }
            }
            _ => None,
        }
    }
}

fn from_millis(millis: f64) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "bounded by whoever read it")]
    DateTime::from_timestamp_millis(millis as i64)
}

fn written(moment: &DateTime<FixedOffset>, pattern: &str) -> Option<String> {
    use std::fmt::Write;
    let mut text = String::new();
    write!(text, "{}", moment.format(pattern)).ok()?;
    Some(text)
}

/// The last whole granule not after `local`.
fn floor(local: NaiveDateTime, granule: TimeDelta) -> NaiveDateTime {
    let granule = granule.num_microseconds().unwrap_or(1).max(1);
    let micros = local.and_utc().timestamp_micros();
    let back = Duration::microseconds(micros.rem_euclid(granule));
    let nanos = i64::from(local.and_utc().timestamp_subsec_nanos() % 1000);
    local - back - Duration::nanoseconds(nanos)
}

/// The first whole granule not before `local`.
fn ceil(local: NaiveDateTime, granule: TimeDelta) -> NaiveDateTime {
    let below = floor(local, granule);
    if below == local { local } else { below + granule }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn local(zone: Tz) -> TimeFormat {
        TimeFormat::Iso8601 { style: Style::Local, zone: Some(zone) }
    }

    #[test]
    fn bounds_are_written_outward() {
        let second = TimeDelta::seconds(1);
        let z = TimeFormat::default();
        let moment = at("2026-03-01T10:00:00.250Z");
        assert_eq!(z.render(moment, End::From, Bound::Inclusive, second), "2026-03-01T10:00:00Z");
        assert_eq!(z.render(moment, End::From, Bound::Exclusive, second), "2026-03-01T09:59:59Z");
        assert_eq!(z.render(moment, End::Until, Bound::Inclusive, second), "2026-03-01T10:00:01Z");
        assert_eq!(TimeFormat::EpochSeconds.render(moment, End::Until, Bound::Exclusive, second), "1772359201");
        let day = TimeFormat::Pattern { pattern: "%Y-%m-%d".into(), zone: Some(Tz::Europe__Berlin) };
        assert_eq!(day.granule(), TimeDelta::days(1));
        assert_eq!(day.render(at("2026-06-30T22:30:00Z"), End::From, Bound::Inclusive, day.granule()), "2026-07-01");
    }

    #[test]
    fn the_hour_that_occurs_twice_and_the_one_that_never_does_are_gone_around() {
        let (berlin, minute) = (local(Tz::Europe__Berlin), TimeDelta::minutes(1));
        // 2026-10-25: 02:00 to 03:00 occurs twice
        for twice in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert!(berlin.render(at(twice), End::From, Bound::Inclusive, minute).as_str() < "2026-10-25T02:00:00");
            assert!(berlin.render(at(twice), End::Until, Bound::Inclusive, minute).as_str() >= "2026-10-25T03:00:00");
        }
        // 2026-03-29: 02:00 to 03:00 never occurs; 00:59:30 UTC is 01:59:30, and the next whole minute is 03:00
        let until = berlin.render(at("2026-03-29T00:59:30Z"), End::Until, Bound::Exclusive, TimeDelta::hours(1));
        assert_eq!(until, "2026-03-29T03:00:00");
        let from = berlin.render(at("2026-03-29T01:00:00Z"), End::From, Bound::Exclusive, minute);
        assert_eq!(from, "2026-03-29T01:59:00".to_owned());
    }

    proptest! {
        /// Whatever the other side is like, no record of the window is left out.
        #[test]
        fn no_record_of_a_window_is_left_out(
            // around both changes of the clock in 2026
            near in prop_oneof![Just(1_774_746_000_i64), Just(1_792_890_000), 1_700_000_000_i64..1_800_000_000],
            from in -7_200_000_i64..7_200_000, length in 1_i64..7_200_000, part in 0.0..1.0_f64,
            precision in 0_usize..5, fine in any::<bool>(), inclusive in any::<[bool; 2]>(),
            zone in prop_oneof![Just(Tz::UTC), Just(Tz::Europe__Berlin), Just(Tz::Asia__Kolkata), Just(Tz::America__St_Johns)],
            style in 0_usize..3, keeps_local in any::<bool>(), truncates in any::<bool>(),
        ) {
            let precision = Precision::ALL[precision].span();
            let format = match style {
                0 => TimeFormat::default(),
                1 => TimeFormat::Iso8601 { style: Style::Offset, zone: Some(zone) },
                _ => local(zone),
            };
            let from = DateTime::from_timestamp_millis(near * 1000 + from).unwrap();
            let until = from + TimeDelta::milliseconds(length);
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a part of it")]
            let record = from + TimeDelta::milliseconds((length as f64 * part) as i64);
            prop_assume!(record < until);
            let bounds = inclusive.map(|yes| if yes { Bound::Inclusive } else { Bound::Exclusive });
            let texts = [
                format.render(from, End::From, bounds[0], precision),
                format.render(until, End::Until, bounds[1], precision),
            ];
            // the other side reads its bounds, truncates what it keeps, and compares, by UTC or by its local time
            let zone = format.zone();
            let key = |moment: DateTime<Utc>, truncate: bool| {
                let local = moment.with_timezone(&zone).naive_local();
                let local = if truncate { floor(local, precision) } else { local };
                if keeps_local { local } else {
                    zone.from_local_datetime(&local).earliest().map_or(moment, |m| m.to_utc()).naive_utc()
                }
            };
            let keeps = |moment| if truncates { key(moment, true) } else if keeps_local {
                moment.with_timezone(&zone).naive_local()
            } else { moment.naive_utc() };
            let bound = |text: &str| {
                if style == 2 {
                    let local: NaiveDateTime = text.parse().unwrap();
                    let read = zone.from_local_datetime(&local);
                    if keeps_local { local } else {
                        (if fine { read.earliest() } else { read.latest() }).unwrap().naive_utc()
                    }
                } else {
                    let instant = text.parse::<DateTime<FixedOffset>>().unwrap().to_utc();
                    if keeps_local { instant.with_timezone(&zone).naive_local() } else { instant.naive_utc() }
                }
            };
            // one that keeps local times and is told offsets cannot be helped in the hour that occurs twice
            let twice = |moment: DateTime<Utc>| {
                let local = moment.with_timezone(&zone).naive_local();
                matches!(zone.from_local_datetime(&local), LocalResult::Ambiguous(..))
            };
            prop_assume!(!(keeps_local || truncates) || style == 2 || ![from, until, record].into_iter().any(twice));
            let (kept, low, high) = (keeps(record), bound(&texts[0]), bound(&texts[1]));
            let in_low = if inclusive[0] { kept >= low } else { kept > low };
            let in_high = if inclusive[1] { kept <= high } else { kept < high };
            prop_assert!(in_low && in_high, "{kept} not in {texts:?}");
        }
    }
}
