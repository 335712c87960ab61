//! Alerts: a type fell silent, too many of its events break their contract, they break it in a new way, or a polling
//! source does not deliver. Each is raised once and resolved once, whoever looks and however often: what is amiss is a row, and the database keeps two
//! of the same from being there at once.
//!
//! [`watch`] looks and writes, [`sender`] tells: by mail through the outbox, or by a web request that is signed by
//! Standard Webhooks ([`sign`]).
pub mod message;
mod pages;
mod rules;
pub mod sender;
pub mod sign;
pub mod store;
pub mod watch;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    auth::{Actor, Administer, Configure, Grant, Permit, ReadConfiguration, email::Email},
    ids::{AlertId, ChannelId, EventTypeId, NoticeId, TenantId},
    name::Name,
    polling,
};
pub use pages::routes;
pub use rules::{Change, Facts, Found, changes};

/// In the place of a tenant: the channels of the installation, which are told of every tenant.
pub const INSTALLATION: TenantId = TenantId(Uuid::nil());

/// Whose channels may be looked at: authority as a value.
#[derive(Debug, Clone, Copy)]
pub struct Scope(TenantId);

impl Scope {
    /// The tenant; [`INSTALLATION`] for all of them.
    pub fn tenant(self) -> TenantId {
        self.0
    }
}

impl From<&Permit<ReadConfiguration>> for Scope {
    fn from(permit: &Permit<ReadConfiguration>) -> Self {
        Self(permit.tenant())
    }
}

impl From<&Grant<Administer>> for Scope {
    fn from(_: &Grant<Administer>) -> Self {
        Self(INSTALLATION)
    }
}

/// Whose channels may be changed, and who does it.
#[derive(Debug, Clone)]
pub struct Keeper {
    actor: Actor,
    scope: Scope,
}

impl Keeper {
    /// What may be looked at.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

impl From<&Permit<Configure>> for Keeper {
    fn from(permit: &Permit<Configure>) -> Self {
        Self { actor: permit.actor().clone(), scope: Scope(permit.tenant()) }
    }
}

impl From<&Grant<Administer>> for Keeper {
    fn from(grant: &Grant<Administer>) -> Self {
        Self { actor: grant.actor().clone(), scope: Scope(INSTALLATION) }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $none:literal: $($(#[$of:meta])* $variant:ident = $word:literal, $title:literal;)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, sqlx::Type)]
        #[serde(rename_all = "kebab-case")]
        #[sqlx(type_name = "TEXT", rename_all = "kebab-case")]
        pub enum $name { $($(#[$of])* $variant,)+ }

        impl $name {
            /// As the database, addresses and the command line spell it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// As pages say it.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!(concat!($none, " {}"), text)),
                }
            }
        }
    };
}

words! {
    /// What an alert is about.
    Kind, "no alert is called":
    /// No event came for longer than usual.
    Silence = "silence", "Silence";
    /// Too many events break their contract.
    Rejections = "rejections", "Rejection rate";
    /// Events break their contract in a way that is new, or that was taken for mended.
    FailureGroup = "failure-group", "New failure group";
    /// What a polling source was due to deliver is not there.
    Source = "source", "Polling source";
}

words! {
    /// How a channel is told.
    Way, "no channel is called":
    /// By mail.
    Mail = "mail", "E-mail";
    /// By a signed web request.
    Web = "web", "Web request";
}

words! {
    /// What became of a notice.
    Standing, "no state is called":
    /// It is on its way, or will be tried again.
    Waiting = "waiting", "waiting";
    /// It was taken: by the receiver, or by the outbox.
    Sent = "sent", "delivered";
    /// It was given up.
    Failed = "failed", "given up";
}

/// What a type is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// Whether silence is told.
    pub silence: bool,
    /// Whether new failure groups are, and those that come back.
    pub failures: bool,
    /// Whether too many rejections are.
    pub rejections: bool,
    /// From this share on, in percent.
    pub percent: i64,
    /// Of so many hours, and the one that is running.
    pub hours: i64,
    /// When there were so many events at least.
    pub minimum: i64,
}

impl Rules {
    /// How long a rate may look back, in hours.
    pub const HOURS: [i64; 4] = [1, 6, 12, 24];
}

impl Default for Rules {
    fn default() -> Self {
        Self { silence: true, failures: true, rejections: true, percent: 10, hours: 1, minimum: 50 }
    }
}

/// Whom to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: ChannelId,
    /// What it is called.
    pub name: Name,
    /// How it is told.
    pub kind: Way,
    /// Where: an e-mail address, or a URL.
    pub address: String,
    /// Whether it is told at all.
    pub enabled: bool,
    /// Until when its former secret signs beside the new one.
    pub former_ends: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Longest address of a web channel.
const LONGEST_URL: usize = 2_000;

/// Reads where a channel is.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_address(way: Way, text: &str) -> Result<String, String> {
    let text = text.trim();
    if way == Way::Mail {
        return Email::parse(text).map(|email| email.to_string()).map_err(str::to_owned);
    }
    if text.is_empty() {
        return Err("give the address that is to be called".into());
    }
    if text.len() > LONGEST_URL {
        return Err(format!("an address has at most {LONGEST_URL} characters"));
    }
    let url: url::Url = text.parse().map_err(|_| "write it like https://hooks.example.com/tributary")?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("an address begins with https:// or http:// and names a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("leave name and password out of the address: requests are signed instead".into());
    }
    Ok(url.into())
}

/// The figures an alert was raised with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "of")]
pub enum Details {
    /// Of silence.
    Silence {
        /// When the newest event came.
        last_at: DateTime<Utc>,
        /// How long was waited for the next, in minutes.
        waited_minutes: i64,
    },
    /// Of a rate.
    Rejections {
        /// How many events came.
        events: i64,
        /// How many of them broke their contract.
        quarantined: i64,
        /// The threshold.
        percent: i64,
        /// Of how many hours.
        hours: i64,
    },
    /// Of a polling source.
    Source {
        /// What people call it.
        name: String,
        /// What is wrong with it.
        ailment: Ailment,
        /// Why, if that is known in words.
        reason: Option<String>,
    },
    /// Of a failure group.
    Failures {
        /// The rule that is broken.
        rule: String,
        /// Where.
        path: String,
        /// What the newest event was told.
        message: String,
        /// Whether it came back after it was resolved.
        came_back: bool,
    },
}

/// What is wrong with a polling source, from bad to worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ailment {
    /// Something has been due for more than one interval.
    Late,
    /// Something has been due for more than two.
    Failing,
    /// The other side has refused its token, again and again: it is asked no more.
    Refused,
    /// Somebody has to mend its definition: it is asked no more.
    Stopped,
}

impl Ailment {
    /// What is wrong with a source that stands so, if anything is.
    pub fn of(state: polling::State, health: polling::Health) -> Option<Self> {
        use polling::{Health, State};
        match (state, health) {
            (State::Refused, _) => Some(Self::Refused),
            (State::Stopped, _) => Some(Self::Stopped),
            (State::Active, Health::Late) => Some(Self::Late),
            (State::Active, Health::Failing) => Some(Self::Failing),
            _ => None,
        }
    }

    /// Whether it goes on only when somebody sees to it.
    pub fn is_final(self) -> bool {
        self >= Self::Refused
    }
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(type_name = "TEXT", rename_all = "kebab-case")]
pub enum Resolution {
    /// Events come again; fewer are rejected; the group was resolved or ignored.
    Mended,
    /// The rule was switched off, or the type was disabled; the source was paused or removed.
    Unwatched,
    /// It became worse: another alert says so, and this one is over without a word.
    Worse,
}

/// Something amiss, or what was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: AlertId,
    /// What it is about.
    pub kind: Kind,
    /// Of which type.
    pub event_type_id: EventTypeId,
    /// The type, or the failure group.
    pub subject: Uuid,
    /// The figures it was raised with.
    pub details: Details,
    /// When it was raised.
    pub opened_at: DateTime<Utc>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Why.
    pub resolution: Option<Resolution>,
}

/// What a channel was told, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Its id: a receiver sees it as `webhook-id`.
    pub id: NoticeId,
    /// Whom.
    pub channel_id: ChannelId,
    /// Of what: `alert.opened`, `alert.resolved`, `alert.test`.
    pub event: String,
    /// In a line.
    pub title: String,
    /// What became of it.
    pub state: Standing,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried again.
    pub next_at: DateTime<Utc>,
    /// The status of the last answer.
    pub status: Option<i64>,
    /// How that answer began.
    pub answer: Option<String>,
    /// Why the last attempt failed.
    pub fault: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was taken or given up.
    pub done_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_channel_is_is_read_once() {
        for (way, good, read) in [
            (Way::Mail, " Ops@Example.com ", "ops@example.com"),
            (Way::Web, "https://hooks.example.com/a?b=c", "https://hooks.example.com/a?b=c"),
            (Way::Web, "http://10.0.0.1:8080", "http://10.0.0.1:8080/"),
        ] {
            assert_eq!(parse_address(way, good).unwrap(), read);
        }
        let long = format!("https://example.com/{}", "x".repeat(LONGEST_URL));
        for (way, bad) in [
            (Way::Mail, "ops"),
            (Way::Mail, ""),
            (Way::Web, ""),
            (Way::Web, "hooks.example.com"),
            (Way::Web, "ftp://example.com"),
            (Way::Web, "javascript:alert(1)"),
            (Way::Web, "file:///etc/passwd"),
            (Way::Web, "https://user:secret@example.com/"),
            (Way::Web, &long),
        ] {
            assert!(parse_address(way, bad).is_err(), "{bad}");
        }
    }
}
