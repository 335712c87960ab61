//! What the ledger and the schedule have to know of a definition.
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    definition::{Definition, Problem, Schedule, SourceFile},
    ledger::Shape,
    schedule::{Rhythm, Timing, jitter},
};
use crate::{
    error::{Error, Result},
    ids::SourceId,
};

/// The longest window that missed ones are merged into, unless the schedule's own are longer.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// Windows of one source under way at once, where they can be told apart.
const PARALLEL: i64 = 4;

/// What the ledger and the schedule have to know of a definition.
#[derive(Debug, Clone)]
pub struct Terms {
    /// When it is asked.
    pub timing: Timing,
    /// How it can be asked.
    pub shape: Shape,
    /// How much earlier each window is asked for, because of records that come late.
    pub lookback: TimeDelta,
    /// Whose limits hold: host and port.
    pub host: String,
}

impl Terms {
    /// Of the text that is kept of a definition.
    ///
    /// # Errors
    /// [`Error::Refused`]: what is wrong with it, in words.
    pub fn read(text: &str, id: SourceId) -> Result<Self> {
        let definition = Definition::parse(text).map_err(|problems| Error::Refused(in_words(&problems)))?;
        Self::of(&definition, id)
    }

    /// Of a definition.
    ///
    /// # Errors
    /// [`Error::Refused`]: what is wrong with it, in words.
    pub fn of(definition: &Definition, id: SourceId) -> Result<Self> {
        let rhythm = match &definition.schedule.when {
            Schedule::Every(minutes) => Rhythm::every(*minutes),
            Schedule::Cron { pattern, zone } => Rhythm::cron(pattern, zone).map_err(Error::Refused)?,
        };
        let url = url::Url::parse(&definition.url).map_err(|_| Error::Refused("its url cannot be read".into()))?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let mut terms = Self {
            timing: Timing {
                rhythm,
                settle: TimeDelta::seconds(i64::from(definition.schedule.settle_seconds)),
                jitter: TimeDelta::zero(),
            },
            shape: Shape { granule: definition.granule(), longest: LONGEST, bounded: definition.is_bounded() },
            lookback: TimeDelta::minutes(i64::from(definition.schedule.lookback_minutes)),
            host: format!("{host}:{port}"),
        };
        let interval = terms.interval(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        terms.timing.jitter = jitter(id, interval);
        terms.shape.longest = LONGEST.max(interval);
        Ok(terms)
    }

    /// About how long it is from one run to the next.
    pub fn interval(&self, now: DateTime<Utc>) -> TimeDelta {
        self.timing.rhythm.interval(now)
    }

    /// How many windows may be under way at once.
    pub fn parallel(&self) -> i64 {
        if self.shape.bounded { PARALLEL } else { 1 }
    }
}

fn in_words(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect();
    lines.join("; ")
}

/// A SOURCE.json that was read, ready to be kept.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What people call it.
    pub name: String,
    /// What is kept of it.
    pub definition: String,
    /// The secret, if it holds one; kept apart.
    pub secret: Option<String>,
}

impl Prepared {
    /// Reads a SOURCE.json.
    ///
    /// # Errors
    /// [`Error::Refused`]: everything that is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self> {
        let file = SourceFile::parse(text).map_err(|problems| Error::Refused(in_words(&problems)))?;
        let definition = serde_json::to_string(&file.definition).map_err(Error::internal)?;
        Ok(Self { name: file.definition.name, definition, secret: file.secret })
    }

    /// What the ledger and the schedule have to know of it.
    ///
    /// # Errors
    /// [`Error::Refused`]: what is wrong with it, in words.
    pub fn terms(&self, id: SourceId) -> Result<Terms> {
        Terms::read(&self.definition, id)
    }
}

#[cfg(test)]
pub mod testing {
    //! Definitions for tests.
    use super::Prepared;

    /// A source that is asked every so many minutes, with a lookback of as many.
    ///
    /// # Panics
    /// When that is no schedule.
    pub fn prepared(every: u32, lookback: u32) -> Prepared {
        let text = serde_json::json!({
            "name": "Shop",
            "url": "http://shop.example.com/orders",
            "window": {"parameters": {"from": "{from}", "until": "{until}"}, "precision": "milliseconds"},
            "schedule": {"everyMinutes": every, "settleSeconds": 0, "lookbackMinutes": lookback},
            "recordId": ["/id"],
        });
        Prepared::read(&text.to_string()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_a_source() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/polling.md");
        let text = std::fs::read_to_string(path).unwrap();
        let example = text.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let prepared = Prepared::read(example).unwrap();
        assert!(prepared.secret.is_some() && !prepared.definition.contains("the secret"));
        let terms = prepared.terms(SourceId::default()).unwrap();
        assert_eq!((terms.host.as_str(), terms.parallel()), ("shop.example.com:443", 4));
        assert_eq!(terms.lookback, TimeDelta::minutes(30));
    }
}
