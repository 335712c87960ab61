//! How pages say what a source and its windows are.
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use crate::{
    error::{Error, Result},
    ids::WindowId,
    polling::{
        Entry, Health, Source, State,
        definition::{Definition, Schedule, ScheduleRule},
        ledger::{self, Kind},
        window::is_fine,
    },
    ui::{Badge, State as Mood, Zone, format},
};

/// The address of a source's page.
pub(super) fn address(source: &Source) -> String {
    format!("/tenants/{}/sources/{}", source.tenant, source.id)
}

/// The address of a window's page.
pub(super) fn of_window(source: &Source, window: WindowId) -> String {
    format!("{}/windows/{window}", address(source))
}

/// The definition of a source.
///
/// # Errors
/// When another version of Tributary has written what this one cannot read.
pub(super) fn definition(source: &Source) -> Result<Definition> {
    Definition::parse(&source.definition)
        .map_err(|_| Error::Refused("the definition of this source cannot be read by this version of Tributary".into()))
}

/// Whether it works; `begun` says whether anything was ever stored.
pub(super) fn state(source: &Source, begun: bool) -> AnyView {
    let (mood, word) = match (source.state, source.health) {
        (State::Paused, _) => (Mood::Neutral, "paused"),
        (State::Removed, _) => (Mood::Neutral, "removed"),
        (State::Refused, _) => (Mood::Error, "token refused"),
        (State::Stopped, _) => (Mood::Error, "stopped"),
        (State::Active, Health::Failing) => (Mood::Error, "failing"),
        (State::Active, Health::Late) => (Mood::Warning, "late"),
        (State::Active, _) if !begun => (Mood::Neutral, "waiting for its first result"),
        (State::Active, _) => (Mood::Ok, "working"),
    };
    view! { <Badge state=mood word=word/> }.into_any()
}

/// How a window stands.
pub(super) fn of_entry(entry: &Entry) -> AnyView {
    let (mood, word) = match entry.state {
        ledger::State::Done => (Mood::Ok, "done"),
        ledger::State::Running => (Mood::Neutral, "running"),
        ledger::State::Failed => (Mood::Error, "failed"),
        ledger::State::Split => (Mood::Neutral, "split in two"),
        ledger::State::Open if entry.failures > 0 => (Mood::Warning, "to be tried again"),
        ledger::State::Open => (Mood::Neutral, "waiting"),
    };
    view! { <Badge state=mood word=word/> }.into_any()
}

/// Why there is a window, as the end of a sentence: "by the schedule".
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Scheduled => "by the schedule",
        Kind::Backfill => "by a backfill",
        Kind::Reread => "read once more",
        Kind::Check => "checked at random",
    }
}

/// When a source is asked: `Every 15 minutes`.
pub(super) fn schedule(rule: &ScheduleRule) -> String {
    match &rule.when {
        Schedule::Every(1) => "Every minute".into(),
        Schedule::Every(60) => "Every hour".into(),
        Schedule::Every(1440) => "Every day".into(),
        Schedule::Every(minutes) if minutes % 60 == 0 => format!("Every {} hours", minutes / 60),
        Schedule::Every(minutes) => format!("Every {minutes} minutes"),
        Schedule::Cron { pattern, zone } => format!("By {pattern} in {zone}"),
    }
}

/// A moment in the zone of who looks: `24 Nov 2026, 10:00 CET`.
pub(super) fn moment(zone: Zone, moment: DateTime<Utc>) -> String {
    zone.told(moment, if is_fine(moment) { "%-d %b %Y, %H:%M:%S %Z" } else { "%-d %b %Y, %H:%M %Z" })
}

/// A length of time, to the second where it is short: `45 s`, `12 min`, `3 h`.
pub(super) fn length(time: TimeDelta) -> String {
    match time.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A count out of the database.
pub(super) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// How many went to quarantine, as the end of a sentence; nothing when none did.
pub(super) fn quarantined(value: i64) -> String {
    match value {
        1.. => format!(", {} in quarantine", format::count(count(value))),
        _ => String::new(),
    }
}

/// A count with its noun.
pub(super) fn counted(value: i64, noun: &str) -> String {
    format::counted(count(value), noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_to_the_second_where_they_are_short() {
        let said = [119, 120, 7_199, 18_000, 172_800].map(|seconds| length(TimeDelta::seconds(seconds)));
        assert_eq!(said, ["119 s", "2 min", "119 min", "5 h", "2 d"]);
    }
}
