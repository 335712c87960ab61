//! Failures: why events break their contracts. Events that break the same rule of the same type at the same place
//! are one group, with a count, a trend and a state; what is in quarantine can be mended and replayed from here, one
//! by one or all of a group.
//!
//! A group's id follows from what its events have in common, so whoever meets the first of them names it alike.
pub mod advice;
pub mod follow;
mod lines;
pub mod mend;
mod pages;
pub mod replay;
pub mod store;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use axum::Router;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    app::App,
    crypto,
    event_types::Breach,
    ids::{EventId, EventTypeId, FailureGroupId, TenantId},
};
pub use pages::{in_words, reasons, tabs, title_of};

/// The most groups that one type may have. A sender that makes up names of fields would make a group of each; what
/// comes after these is counted by its rule alone.
pub const MOST: i64 = 200;
/// Where a breach is when its type has [`MOST`] groups already.
pub const ELSEWHERE: &str = "*";
/// How many of its newest events a group remembers.
pub const SAMPLES: usize = 5;

/// Events of one type that break the same rule at the same place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its id.
    pub id: FailureGroupId,
    /// The type.
    pub event_type_id: EventTypeId,
    /// The keyword of the contract that they break.
    pub rule: String,
    /// The place, as a JSON pointer whose indexes are `*`; [`ELSEWHERE`] when there are too many places.
    pub path: String,
    /// What the newest of them was told.
    pub message: String,
    /// How many events ever.
    pub failures: i64,
    /// When the first was received.
    pub first_at: DateTime<Utc>,
    /// When the newest was received.
    pub last_at: DateTime<Utc>,
    /// The newest few, newest first.
    pub samples: Vec<EventId>,
    /// How far its mending is.
    pub state: State,
    /// Who said so last.
    pub changed_by: Option<String>,
    /// And when.
    pub changed_at: Option<DateTime<Utc>>,
    /// When it was resolved last.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When the event was received with which it came back after that.
    pub reopened_at: Option<DateTime<Utc>>,
}

/// A group in brief: what is said of it where groups of all tenants are looked at together.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Brief {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: FailureGroupId,
    /// The type.
    pub event_type_id: EventTypeId,
    /// The keyword of the contract that its events break.
    pub rule: String,
    /// The place.
    pub path: String,
    /// What the newest event was told.
    pub message: String,
    /// How many events ever.
    pub failures: i64,
    /// When the first was received.
    pub first_at: DateTime<Utc>,
    /// How far its mending is.
    pub state: State,
    /// When it came back after it was resolved.
    pub reopened_at: Option<DateTime<Utc>>,
}

impl Brief {
    /// What is wrong, in a line: `/Amount is required but missing`.
    pub fn title(&self) -> String {
        title(&self.path, &self.message, &self.rule)
    }

    /// Since when there is something to do.
    pub fn since(&self) -> DateTime<Utc> {
        self.reopened_at.unwrap_or(self.first_at)
    }
}

/// What is wrong with events, in a line.
pub fn title(path: &str, message: &str, rule: &str) -> String {
    match path {
        "" => format!("The event {message}"),
        ELSEWHERE => format!("Many other places break the rule {rule}"),
        path if message.starts_with("expected") => format!("{path}: {message}"),
        path => format!("{path} {message}"),
    }
}

/// How far the mending of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum State {
    /// Nobody has looked at it.
    Open,
    /// Somebody is at it.
    Acknowledged,
    /// It is mended; a new failure opens it again.
    Resolved,
    /// It is of no matter; new failures are counted, and change nothing.
    Ignored,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Ignored];

    /// As the database, addresses and the command line spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.word() == text).ok_or_else(|| format!("no state is called {text}"))
    }
}

/// What the events of a group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// Their type.
    pub event_type: EventTypeId,
    /// The rule that they break.
    pub rule: String,
    /// Where, in general.
    pub path: String,
}

impl Cause {
    /// The cause of one breach.
    pub fn of(event_type: EventTypeId, breach: &Breach) -> Self {
        Self { event_type, rule: breach.rule.clone(), path: general(&breach.path) }
    }

    /// The same without its place.
    #[must_use]
    pub fn elsewhere(self) -> Self {
        Self { path: ELSEWHERE.to_owned(), ..self }
    }

    /// The id of its group.
    pub fn group(&self) -> FailureGroupId {
        // a length before the rule keeps ("a", "/b") and ("a/", "b") apart
        let length = u64::try_from(self.rule.len()).unwrap_or(u64::MAX).to_be_bytes();
        let whole = [&self.event_type.0.as_bytes()[..], &length, self.rule.as_bytes(), self.path.as_bytes()].concat();
        let digest = crypto::sha256(&whole);
        FailureGroupId(uuid::Builder::from_custom_bytes(std::array::from_fn(|at| digest[at])).into_uuid())
    }
}

/// A place in general: an index into an array is any.
pub fn general(path: &str) -> String {
    let part = |part: &str| {
        let index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if index { "*".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The page of a group.
pub fn href(tenant: TenantId, group: FailureGroupId) -> String {
    format!("/tenants/{tenant}/quarantine/groups/{group}")
}

/// The routes of this slice.
pub fn routes() -> Router<App> {
    pages::routes()
}
