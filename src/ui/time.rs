//! Moments. Every one of them names its zone, and UTC can always be had.
use std::fmt;

use super::format;
use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta, TimeZone, Utc,
};
use chrono_tz::{TZ_VARIANTS, Tz};
use leptos::prelude::*;

/// The zone times are shown in, besides UTC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a field of a browser writes a moment, to the minute, to the second, and beyond.
const FORMS: [&str; 3] = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"];

/// A moment as a `datetime-local` field writes it, by whatever clock.
fn naive(text: &str) -> Option<NaiveDateTime> {
    let read = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    // so far away that no zone can take it beyond what can be counted
    (1..=9998).contains(&read.year()).then_some(read)
}

/// The parts of the world that zones are named after. What stands beside them are names of old.
const PARTS: [&str; 10] =
    ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];

impl Zone {
    /// A zone by its IANA name, such as `Europe/Berlin`.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// As [`Zone::named`]; what is no zone is UTC.
    pub fn parse(name: &str) -> Self {
        Self::named(name).unwrap_or_default()
    }

    /// Its IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Those that can be chosen: UTC, and then the places of the world.
    pub fn all() -> impl Iterator<Item = Self> {
        let places = TZ_VARIANTS
            .iter()
            .filter(|zone| zone.name().split_once('/').is_some_and(|(part, _)| PARTS.contains(&part)));
        std::iter::once(Tz::UTC).chain(places.copied()).map(Self)
    }

    /// Reads a moment of a `datetime-local` field. Of an hour that a clock shows twice the first is meant, and one
    /// that it leaves out is told by the clock as it was before.
    pub fn read(self, text: &str) -> Option<DateTime<Utc>> {
        self.moment(naive(text)?)
    }

    /// When a clock here shows this, as [`Zone::read`] has it.
    fn moment(self, naive: NaiveDateTime) -> Option<DateTime<Utc>> {
        let back = TimeDelta::hours(3);
        match self.0.from_local_datetime(&naive) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
            LocalResult::None => {
                let before = self.0.from_local_datetime(&naive.checked_sub_signed(back)?).earliest()?;
                before.to_utc().checked_add_signed(back)
            }
        }
    }

    /// When the day begins that a moment lies in: at midnight, or later where the clock leaves that out.
    pub fn day_of(self, moment: DateTime<Utc>) -> DateTime<Utc> {
        let day = moment.with_timezone(&self.0).date_naive().and_time(NaiveTime::MIN);
        self.moment(day).unwrap_or(moment)
    }

    /// A moment as a `datetime-local` field takes it.
    pub fn write(self, moment: DateTime<Utc>) -> String {
        let text = moment.with_timezone(&self.0).naive_local().and_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        text.strip_suffix(":00Z").unwrap_or_else(|| text.trim_end_matches('Z')).to_owned()
    }
}

/// A moment as an address tells it, and everybody reads it alike: `2026-11-18T13:05Z`.
pub fn in_address(moment: DateTime<Utc>) -> String {
    format!("{}Z", Zone::default().write(moment))
}

/// A moment that names its zone, as [`in_address`] and RFC 3339 have it.
pub fn zoned(text: &str) -> Option<DateTime<Utc>> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(moment) => Some(moment.to_utc()),
        Err(_) => naive(text.strip_suffix('Z')?).map(|naive| naive.and_utc()),
    }
}

/// The moment of the request and the zone of who asked: what times are told by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// The moment, from the injected clock.
    pub at: DateTime<Utc>,
    /// The viewer's zone.
    pub zone: Zone,
}

impl Now {
    /// In full: `18 Nov 2026, 14:05:09 CET (13:05:09 UTC)`.
    pub fn in_full(self, then: DateTime<Utc>) -> String {
        self.zone.in_full(then)
    }
}

impl Zone {
    /// What its clocks are called at a moment, and how many minutes they are ahead of UTC: `CET`, 60.
    pub fn clock(self, at: DateTime<Utc>) -> (String, i32) {
        let local = at.with_timezone(&self.0);
        (local.format("%Z").to_string(), local.offset().fix().local_minus_utc() / 60)
    }

    /// As a form of strftime has it. A form without `%Z` is for places where the zone is named beside it.
    pub fn told(self, at: DateTime<Utc>, form: &str) -> String {
        at.with_timezone(&self.0).format(form).to_string()
    }

    /// A moment of a form's field: by this zone's clocks, unless it names a zone itself.
    pub fn typed(self, text: &str) -> Option<DateTime<Utc>> {
        zoned(text).or_else(|| self.read(text))
    }

    /// In full: `18 Nov 2026, 14:05:09 CET (13:05:09 UTC)`.
    pub fn in_full(self, then: DateTime<Utc>) -> String {
        if self == Self::default() {
            return then.format("%-d %b %Y, %H:%M:%S UTC").to_string();
        }
        let local = then.with_timezone(&self.0);
        let (here, there) = (local.date_naive(), then.date_naive());
        let utc = if here == there {
            "%H:%M:%S UTC"
        } else if here.checked_add_days(Days::new(1)) == Some(there) {
            "%H:%M:%S UTC, the day after"
        } else {
            "%H:%M:%S UTC, the day before"
        };
        format!("{} ({})", local.format("%-d %b %Y, %H:%M:%S %Z"), then.format(utc))
    }
}

fn machine(then: DateTime<Utc>) -> String {
    then.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// How long ago; in full when pointed at, when the link of its row has the focus, and when copied. For lists, whose
/// rows lead to a page that tells the time in full: a tab stop of its own for each would be one too many.
pub fn ago(now: Now, then: DateTime<Utc>) -> AnyView {
    view! {
        <span class="ago">
            <time datetime=machine(then) data-relative="">{format::relative(now.at, then)}</time>
            <span class="ago-full">{format!(" ({})", now.in_full(then))}</span>
        </span>
    }
    .into_any()
}

/// In full, and how long ago. For the page of one thing.
pub fn at(now: Now, then: DateTime<Utc>) -> AnyView {
    view! {
        <span class="moment">
            <time datetime=machine(then)>{now.in_full(then)}</time>
            " "
            <time class="muted" datetime=machine(then) data-relative="">{format::relative(now.at, then)}</time>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_clocks_are_told() {
        let then = Utc.with_ymd_and_hms(2026, 11, 18, 13, 5, 9).single().expect("a time");
        let told = |zone| Now { at: then, zone: Zone::parse(zone) }.in_full(then);
        assert_eq!(told("Europe/Berlin"), "18 Nov 2026, 14:05:09 CET (13:05:09 UTC)");
        assert_eq!(told("Pacific/Auckland"), "19 Nov 2026, 02:05:09 NZDT (13:05:09 UTC, the day before)");
        assert_eq!(told("UTC"), "18 Nov 2026, 13:05:09 UTC");
        assert_eq!(told("nowhere"), "18 Nov 2026, 13:05:09 UTC");
        let summer = Utc.with_ymd_and_hms(2026, 7, 1, 13, 5, 9).single().expect("a time");
        assert_eq!(Zone::parse("Europe/Berlin").in_full(summer), "1 Jul 2026, 15:05:09 CEST (13:05:09 UTC)");
    }

    #[test]
    fn an_hour_that_is_left_out_or_comes_twice_is_read() {
        let berlin = Zone::parse("Europe/Berlin");
        let read = |text| berlin.read(text).map(in_address).unwrap_or_default();
        assert_eq!(read("2026-03-29T02:30"), "2026-03-29T01:30Z"); // 01:30 CET … 03:30 CEST
        assert_eq!(read("2026-10-25T02:30"), "2026-10-25T00:30Z");
        assert_eq!(read("2026-11-18T14:05:09"), "2026-11-18T13:05:09Z");
        assert_eq!(read("yesterday"), "");
    }

    #[test]
    fn every_zone_that_is_offered_is_one_that_is_taken() {
        let all: Vec<_> = Zone::all().collect();
        assert!(all.len() > 300 && all[0] == Zone::default());
        assert!(all.iter().all(|zone| Zone::named(zone.name()) == Some(*zone)));
        assert!(Zone::named("<script>").is_none());
    }

    proptest! {
        #[test]
        fn what_a_field_shows_is_read_as_it_was(millis in 0_i64..4_000_000_000_000, zone in 0_usize..400) {
            let zone = Zone::all().nth(zone).unwrap_or_default();
            let moment = DateTime::from_timestamp_millis(millis).unwrap_or_default();
            let read = zone.read(&zone.write(moment)).unwrap_or_default();
            // the second showing of an hour is taken for its first
            prop_assert!(read == moment || zone.write(read) == zone.write(moment));
            prop_assert_eq!(zoned(&in_address(moment)), Some(moment));
        }
    }
}
