//! Acceptance evidence: what has to be seen in live data before an integration goes live, and what was seen. The rules
//! are typed, so that the system measures them itself; this module judges, and `store::measure` asks the tables.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    event_types::Pointer,
    intake::{parse_line, quotation::Percent},
    ui::format::{count, counted},
};

/// The most events that a rule can ask for.
pub const MOST_EVENTS: i64 = 1_000_000_000;
/// The most days.
pub const MOST_DAYS: i64 = 365;
/// How many of the newest events are looked at for a field.
pub const LOOKED_AT: usize = 500;

vocabulary! {
    /// What kind of thing has to be seen.
    Sort, "kind of evidence" {
        /// That events come.
        Accepted = "accepted", "Events were accepted";
        /// That they are good.
        Rejected = "rejected", "Few events were rejected";
        /// That none is missing.
        Ledger = "ledger", "The ledger is complete";
        /// That they say whom they are about.
        Filled = "filled", "A field is filled in";
    }
}

/// What has to be seen in the events of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Rule {
    /// The first so many events were accepted.
    Accepted {
        /// How many.
        events: i64,
    },
    /// Of the events of so many days, less than a part was rejected.
    Rejected {
        /// Less than this.
        below: Percent,
        /// For so long.
        days: i64,
    },
    /// Every source of the type has asked for all of the last days.
    Ledger {
        /// Of how many.
        days: i64,
    },
    /// A field holds something in so many of the newest events.
    Filled {
        /// As people name it: a key, or a JSON pointer.
        field: String,
        /// In at least this part.
        least: Percent,
    },
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Whether that is enough.
    pub met: bool,
    /// What was seen, in words.
    pub told: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// How many events of a type there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Accepted.
    pub accepted: i64,
    /// In quarantine, or refused with their request.
    pub rejected: i64,
    /// The hour of the first ever.
    pub first: Option<DateTime<Utc>>,
}

/// What one source has asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// What it is called.
    pub name: String,
    /// From when on it asks.
    pub from: DateTime<Utc>,
    /// Up to where all is stored.
    pub until: DateTime<Utc>,
    /// How far that may lie behind, by its schedule.
    pub lag: TimeDelta,
}

/// How many of the newest events hold a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fill {
    /// How many were looked at.
    pub looked: i64,
    /// How many of them hold it.
    pub filled: i64,
}

impl Rule {
    /// Of which kind it is.
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Accepted { .. } => Sort::Accepted,
            Self::Rejected { .. } => Sort::Rejected,
            Self::Ledger { .. } => Sort::Ledger,
            Self::Filled { .. } => Sort::Filled,
        }
    }

    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Accepted { events: 1 } => "First event accepted".into(),
            Self::Accepted { events } => format!("First {} events accepted", count(unsigned(*events))),
            Self::Rejected { below, days } => format!("Rejection rate under {below} for {}", days_told(*days)),
            Self::Ledger { days } => format!("Ledger complete for {}", days_told(*days)),
            Self::Filled { field, least } => format!("{field} filled in {least} of events or more"),
        }
    }

    /// How far back it looks.
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Rejected { days, .. } | Self::Ledger { days } => now - TimeDelta::days(*days),
            Self::Accepted { .. } | Self::Filled { .. } => DateTime::UNIX_EPOCH,
        }
    }
}

fn unsigned(of: i64) -> u64 {
    u64::try_from(of).unwrap_or(0)
}

fn days_told(days: i64) -> String {
    counted(unsigned(days), "day")
}

/// Whether events enough were accepted.
pub fn accepted(events: i64, tally: Tally, at: DateTime<Utc>) -> Outcome {
    let told = format!("{} of {}", count(unsigned(tally.accepted.min(events))), count(unsigned(events)));
    Outcome { met: tally.accepted >= events, told, at }
}

/// Whether few enough of the events since `since` were rejected, and there have been events for so long.
pub fn rejected(below: Percent, since: DateTime<Utc>, tally: Tally, at: DateTime<Utc>) -> Outcome {
    let all = tally.accepted + tally.rejected;
    let told = |words: String, met| Outcome { met, told: words, at };
    let Some(first) = tally.first else { return told("no event yet".into(), false) };
    if all == 0 {
        return told("no event in that time".into(), false);
    }
    // exact: what is at the limit is not under it
    let under = i128::from(tally.rejected) * i128::from(Percent::ALL) < i128::from(below.0) * i128::from(all);
    let of = counted(unsigned(all), "event");
    let seen = match tally.rejected {
        0 => format!("none of {of} rejected"),
        n => format!("{} of {of} rejected", count(unsigned(n))),
    };
    // figures are kept by the hour: an hour that has begun counts
    if first > since {
        let days = (at - first).num_days();
        return told(format!("{seen}, but events come for {} only", days_told(days)), false);
    }
    told(seen, under)
}

/// Whether every source has asked for all since `since`.
pub fn ledger(since: DateTime<Utc>, sources: &[Covered], at: DateTime<Utc>) -> Outcome {
    let told = |words: String, met| Outcome { met, told: words, at };
    if sources.is_empty() {
        return told("no source asks for such events yet".into(), false);
    }
    for one in sources {
        if one.until + one.lag < at {
            let behind = (at - one.until).num_hours();
            let words = format!("{}: something is missing since {}", one.name, counted(unsigned(behind), "hour"));
            return told(words, false);
        }
        if one.from > since {
            let days = (one.until - one.from).num_days();
            return told(format!("{}: complete for {} so far", one.name, days_told(days)), false);
        }
    }
    let names = counted(sources.len() as u64, "source");
    told(format!("{names} without a gap"), true)
}

/// Whether a field is filled in often enough.
pub fn filled(least: Percent, fill: Fill, at: DateTime<Utc>) -> Outcome {
    if fill.looked == 0 {
        return Outcome { met: false, told: "no event yet".into(), at };
    }
    let met = i128::from(fill.filled) * i128::from(Percent::ALL) >= i128::from(least.0) * i128::from(fill.looked);
    let of = counted(unsigned(fill.looked), "event");
    Outcome { met, told: format!("in {} of the newest {of}", count(unsigned(fill.filled))), at }
}

/// What a form or a command says of a rule, before it is one.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// Its kind.
    pub sort: String,
    /// How many events.
    pub events: String,
    /// Which part.
    pub percent: String,
    /// How many days.
    pub days: String,
    /// Which field.
    pub field: String,
}

impl Typed {
    /// Reads it.
    ///
    /// # Errors
    /// Every field that is no good, and why.
    pub fn read(&self) -> Result<Rule, Vec<(&'static str, String)>> {
        let mut wrong = Vec::new();
        let mut keep = |field: &'static str, read: Result<i64, String>| {
            read.map_err(|why| wrong.push((field, why))).unwrap_or_default()
        };
        let sort = self.sort.parse::<Sort>();
        let rule = match sort {
            Ok(Sort::Accepted) => {
                Some(Rule::Accepted { events: keep("events", whole(&self.events, MOST_EVENTS, "events")) })
            }
            Ok(Sort::Rejected) => Some(Rule::Rejected {
                below: Percent(keep("percent", part(&self.percent))),
                days: keep("days", whole(&self.days, MOST_DAYS, "days")),
            }),
            Ok(Sort::Ledger) => Some(Rule::Ledger { days: keep("days", whole(&self.days, MOST_DAYS, "days")) }),
            Ok(Sort::Filled) => {
                let least = Percent(keep("percent", part(&self.percent)));
                let field = parse_line(&self.field, 500).and_then(|field| Pointer::parse(&field));
                match field {
                    Ok(field) => Some(Rule::Filled { field: field.label().to_owned(), least }),
                    Err(why) => {
                        wrong.push(("field", why));
                        None
                    }
                }
            }
            Err(_) => {
                wrong.push(("sort", "choose what has to be seen".into()));
                None
            }
        };
        match rule {
            Some(rule) if wrong.is_empty() => Ok(rule),
            _ => Err(wrong),
        }
    }

    /// What would be typed for a rule.
    pub fn of(rule: &Rule) -> Self {
        let typed = Self { sort: rule.sort().word().into(), ..Self::default() };
        match rule {
            Rule::Accepted { events } => Self { events: events.to_string(), ..typed },
            Rule::Rejected { below, days } => Self { percent: below.typed(), days: days.to_string(), ..typed },
            Rule::Ledger { days } => Self { days: days.to_string(), ..typed },
            Rule::Filled { field, least } => Self { field: field.clone(), percent: least.typed(), ..typed },
        }
    }
}

fn whole(text: &str, most: i64, noun: &str) -> Result<i64, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | ',' | '.')).collect();
    let number = digits.parse::<i64>().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("give a whole number of {noun}, from 1 to {}", count(unsigned(most))))
}

fn part(text: &str) -> Result<i64, String> {
    match Percent::parse(text) {
        Ok(Percent(0)) => Err("give more than nothing".into()),
        Ok(Percent(part)) => Ok(part),
        Err(_) => Err("give a percentage such as 95 or 0.5".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn rules() -> impl Strategy<Value = Rule> {
        let part = || (1..=Percent::ALL).prop_map(Percent);
        prop_oneof![
            (1..=MOST_EVENTS).prop_map(|events| Rule::Accepted { events }),
            (part(), 1..=MOST_DAYS).prop_map(|(below, days)| Rule::Rejected { below, days }),
            (1..=MOST_DAYS).prop_map(|days| Rule::Ledger { days }),
            ("[a-zA-Z][a-z /~<]{0,9}[a-z]", part()).prop_map(|(field, least)| Rule::Filled { field, least }),
        ]
    }

    proptest! {
        /// What a form says of a rule is read back as that rule, and so is what the database keeps.
        #[test]
        fn a_rule_is_read_as_it_was_written(rule in rules()) {
            prop_assert_eq!(&Typed::of(&rule).read().unwrap(), &rule);
            let kept = serde_json::to_string(&rule).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Rule>(&kept).unwrap(), &rule);
        }

        /// More of what is good never undoes evidence, and more of what is bad never makes it.
        #[test]
        fn evidence_grows_with_what_is_good(
            (good, bad) in (0..5_000_i64, 0..5_000_i64), more in 1..500_i64, limit in 1..=Percent::ALL,
        ) {
            let now = at("2030-01-10T12:00:00Z");
            let since = at("2030-01-07T12:00:00Z");
            let tally = |good, bad| Tally { accepted: good, rejected: bad, first: Some(at("2030-01-01T00:00:00Z")) };
            let few = |good, bad| rejected(Percent(limit), since, tally(good, bad), now).met;
            prop_assert!(!few(good, bad) || few(good + more, bad));
            prop_assert!(few(good, bad) || !few(good, bad + more));
            let full = |good, bad| filled(Percent(limit), Fill { looked: good + bad, filled: good }, now).met;
            prop_assert!(!full(good, bad) || full(good + more, bad));
            prop_assert!(full(good, bad) || !full(good, bad + more));
            let came = |good| accepted(limit, tally(good, 0), now).met;
            prop_assert!(!came(good) || came(good + more));
        }
    }

    #[test]
    fn a_rate_is_of_as_many_days_as_it_says() {
        let now = at("2030-01-10T12:00:00Z");
        let since = at("2030-01-07T12:00:00Z");
        let judge = |accepted, rejected_, first: Option<&str>| {
            let tally = Tally { accepted, rejected: rejected_, first: first.map(at) };
            let outcome = rejected(Percent(100), since, tally, now);
            (outcome.met, outcome.told)
        };
        assert_eq!(judge(995, 5, Some("2030-01-07T12:00:00Z")), (true, "5 of 1,000 events rejected".into()));
        assert_eq!(judge(990, 10, Some("2030-01-01T00:00:00Z")), (false, "10 of 1,000 events rejected".into()));
        let early = judge(1_000, 0, Some("2030-01-09T10:00:00Z"));
        assert_eq!(early, (false, "none of 1,000 events rejected, but events come for 1 day only".into()));
        assert_eq!(judge(0, 0, Some("2030-01-01T00:00:00Z")), (false, "no event in that time".into()));
        assert_eq!(judge(0, 0, None), (false, "no event yet".into()));
    }

    #[test]
    fn a_ledger_is_complete_when_every_source_is() {
        let now = at("2030-01-10T12:00:00Z");
        let since = at("2030-01-03T12:00:00Z");
        let source = |name: &str, from: &str, until: &str| Covered {
            name: name.into(),
            from: at(from),
            until: at(until),
            lag: TimeDelta::hours(2),
        };
        let shop = source("Shop", "2030-01-01T00:00:00Z", "2030-01-10T11:00:00Z");
        let judge = |sources: &[Covered]| {
            let outcome = ledger(since, sources, now);
            (outcome.met, outcome.told)
        };
        assert_eq!(judge(&[]), (false, "no source asks for such events yet".into()));
        assert_eq!(judge(std::slice::from_ref(&shop)), (true, "1 source without a gap".into()));
        let young = source("Till", "2030-01-08T00:00:00Z", "2030-01-10T11:00:00Z");
        assert_eq!(judge(&[shop.clone(), young]), (false, "Till: complete for 2 days so far".into()));
        let stuck = source("Till", "2030-01-01T00:00:00Z", "2030-01-09T12:00:00Z");
        assert_eq!(judge(&[shop, stuck]), (false, "Till: something is missing since 24 hours".into()));
    }

    #[test]
    fn what_is_no_rule_says_which_field_to_mend() {
        let typed = |sort: &str| Typed { sort: sort.into(), ..Typed::default() };
        let fields = |typed: Typed| typed.read().unwrap_err().into_iter().map(|(field, _)| field).collect::<Vec<_>>();
        assert_eq!(fields(typed("")), ["sort"]);
        assert_eq!(fields(typed("accepted")), ["events"]);
        assert_eq!(fields(typed("rejected")), ["percent", "days"]);
        assert_eq!(fields(Typed { days: "0".into(), ..typed("ledger") }), ["days"]);
        assert_eq!(fields(Typed { percent: "0".into(), field: " ".into(), ..typed("filled") }), ["percent", "field"]);
        let typed = Typed { events: "1,000".into(), ..typed("accepted") };
        assert_eq!(typed.read().unwrap(), Rule::Accepted { events: 1_000 });
    }
}
