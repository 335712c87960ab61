//! How a live integration fares, in the words of whoever reads it: a customer, who has no console and no log.
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{
    events::rhythm::Verdict,
    polling::{Health as Polled, State as Switched},
    ui::format::{count, counted},
};

/// From this share of a day's events on that break their contract, in percent, it is failing.
const MANY: i64 = 20;

/// How it fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Data comes as it uses to.
    Working,
    /// Nothing ever came.
    Waiting,
    /// Data has not come for longer than ever, or comes late.
    Delayed,
    /// Data cannot be fetched, or much of it does not fit what was agreed.
    Failing,
}

impl Health {
    /// In plain words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Working => "Working",
            Self::Waiting => "Waiting for first data",
            Self::Delayed => "Delayed",
            Self::Failing => "Failing",
        }
    }
}

/// What is known of one kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSeen {
    /// What it is called.
    pub name: String,
    /// When the newest came.
    pub last_at: Option<DateTime<Utc>>,
    /// How many kept what was agreed in the last 24 hours.
    pub accepted: i64,
    /// How many did not.
    pub quarantined: i64,
    /// Whether it has fallen silent.
    pub verdict: Verdict,
}

/// What is known of one system that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSeen {
    /// What it is called.
    pub name: String,
    /// Whether it is asked.
    pub state: Switched,
    /// How it stands against its schedule.
    pub health: Polled,
    /// Up to when all there is was fetched.
    pub complete_until: Option<DateTime<Utc>>,
}

/// How it fares, why, and what the reader can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// How.
    pub health: Health,
    /// Why, a sentence each; the worst first.
    pub why: Vec<String>,
    /// What to do about it, a sentence each.
    pub advice: Vec<String>,
}

/// Judges what is known. With nothing connected, nothing has come.
pub fn diagnose(types: &[TypeSeen], sources: &[SourceSeen], now: DateTime<Utc>) -> Diagnosis {
    let mut found: Vec<(Health, String, Option<&'static str>)> = Vec::new();
    for one in sources {
        let name = &one.name;
        match (one.state, one.health) {
            (Switched::Refused, _) => found.push((
                Health::Failing,
                format!("{name} no longer accepts our token, so nothing is fetched from it."),
                Some("Ask whoever runs that system for a new token, and hand it to your consultant: nothing is lost meanwhile, it is fetched later."),
            )),
            (Switched::Stopped, _) => found.push((
                Health::Failing,
                format!("{name} answers that what we ask for is not there, so nothing is fetched from it."),
                Some("If something was changed in that system, tell your consultant what."),
            )),
            (Switched::Paused, _) => found.push((
                Health::Delayed,
                format!("Fetching from {name} is paused."),
                Some("It is taken up again by your consultant, from where it stopped."),
            )),
            (Switched::Active, Polled::Failing) => found.push((
                Health::Failing,
                format!("{name} has not answered for a while."),
                Some("Ask whoever runs that system whether it is up. It is tried again and again, and what was missed is fetched."),
            )),
            (Switched::Active, Polled::Late) => {
                found.push((Health::Delayed, format!("{name} answers late; it is tried again."), None));
            }
            (Switched::Active | Switched::Removed, _) => {}
        }
    }
    for one in types {
        let (name, all) = (&one.name, one.accepted + one.quarantined);
        if one.quarantined > 0 && one.quarantined * 100 >= all * MANY {
            found.push((
                Health::Failing,
                format!("{} of {} of the last day do not fit what was agreed for “{name}”.", count_of(one.quarantined), counted(all.unsigned_abs(), "event")),
                Some("They are kept aside and nothing of them is lost. What is wrong stands below; mend it where the data comes from."),
            ));
        }
        if let Verdict::Silent { since, .. } = one.verdict {
            found.push((
                Health::Delayed,
                format!("“{name}” has sent nothing for {}, longer than ever before.", span(now - since)),
                Some("If the system that sends was changed or is switched off, that is why. Otherwise ask whoever runs it."),
            ));
        }
    }
    let came = types.iter().any(|one| one.last_at.is_some()) || sources.iter().any(|one| one.complete_until.is_some());
    found.sort_by_key(|(health, ..)| std::cmp::Reverse(*health));
    let health = match found.first() {
        Some((health, ..)) => *health,
        None if came => Health::Working,
        None => Health::Waiting,
    };
    let mut advice: Vec<String> = Vec::new();
    for words in found.iter().filter_map(|(.., advice)| *advice) {
        if !advice.iter().any(|known| known == words) {
            advice.push(words.to_owned());
        }
    }
    let mut why: Vec<String> = found.into_iter().map(|(_, why, _)| why).collect();
    if why.is_empty() {
        why.push(match health {
            Health::Working => "Data comes in as it uses to.".to_owned(),
            _ => "Everything is ready on our side; nothing has come in yet.".to_owned(),
        });
    }
    Diagnosis { health, why, advice }
}

fn count_of(value: i64) -> String {
    count(value.unsigned_abs())
}

/// A span as one says it: "3 hours", "2 days".
fn span(of: TimeDelta) -> String {
    let (days, hours) = (of.num_days(), of.num_hours());
    if days >= 2 {
        counted(days.unsigned_abs(), "day")
    } else if hours >= 1 {
        counted(hours.unsigned_abs(), "hour")
    } else {
        counted(of.num_minutes().max(1).unsigned_abs(), "minute")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-05-01T12:00:00Z".parse().unwrap()
    }

    fn orders(accepted: i64, quarantined: i64) -> TypeSeen {
        let last_at = (accepted + quarantined > 0).then(now);
        TypeSeen { name: "Orders".into(), last_at, accepted, quarantined, verdict: Verdict::Unknown }
    }

    fn shop(state: Switched, health: Polled) -> SourceSeen {
        SourceSeen { name: "Shop".into(), state, health, complete_until: Some(now()) }
    }

    #[test]
    fn the_worst_is_what_it_is_and_is_told_first() {
        assert_eq!(diagnose(&[], &[], now()).health, Health::Waiting);
        assert_eq!(diagnose(&[orders(0, 0)], &[], now()).health, Health::Waiting);
        assert_eq!(diagnose(&[orders(5, 0)], &[], now()).health, Health::Working);
        // a few that do not fit are no failure
        assert_eq!(diagnose(&[orders(99, 1)], &[], now()).health, Health::Working);
        assert_eq!(diagnose(&[orders(80, 20)], &[], now()).health, Health::Failing);
        let since = now() - TimeDelta::hours(7);
        let silent = TypeSeen { verdict: Verdict::Silent { since, waited: TimeDelta::hours(3) }, ..orders(5, 0) };
        let seen = diagnose(std::slice::from_ref(&silent), &[], now());
        assert_eq!(seen.health, Health::Delayed);
        assert!(seen.why[0].contains("for 7 hours"), "{seen:?}");
        let refused = shop(Switched::Refused, Polled::Failing);
        let seen = diagnose(&[silent], &[refused, shop(Switched::Active, Polled::Late)], now());
        assert_eq!((seen.health, seen.why.len(), seen.advice.len()), (Health::Failing, 3, 2));
        assert!(seen.why[0].contains("token"), "{seen:?}");
        assert_eq!(diagnose(&[], &[shop(Switched::Active, Polled::Fresh)], now()).health, Health::Working);
        assert_eq!(diagnose(&[], &[shop(Switched::Paused, Polled::Paused)], now()).health, Health::Delayed);
    }
}
