//! Event types: the contract of one kind of event of a tenant.
mod breach;
pub mod contract;
mod copy;
pub mod diff;
pub mod field;
mod pages;
mod pointer;
pub mod propose;
pub mod relax;
mod sample;
mod searchable;
pub mod snippets;
mod spans;
mod splice;
pub mod store;
pub mod table;
pub mod test_event;
pub mod trial;
mod unique;
pub mod versions;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    ids::{EventTypeId, TenantId},
    name::Name,
};
pub use breach::{MOST_BREACHES, shortened};
pub use contract::{Breach, Contract, ContractError};
pub use copy::copy;
pub use pages::{curl, routes};
pub use pointer::Pointer;
pub use searchable::SearchableFields;
pub use store::{all, create, get, list, update};
pub use unique::UniqueFields;

/// One kind of event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventType {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: EventTypeId,
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the text of the type says it")]
    pub details: Details,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What people decide about an event type.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// What it is called.
    pub name: Name,
    /// What it is for, in a sentence or some.
    pub description: String,
    /// What its events must hold.
    pub contract: Contract,
    /// What becomes of events that break it.
    pub policy: Policy,
    /// What makes an event the same as an earlier one.
    pub unique_fields: UniqueFields,
    /// By which values its events are found.
    pub searchable_fields: SearchableFields,
    /// Whether its events are accepted without a token.
    pub anonymous: bool,
    /// Whether its events are accepted at all.
    pub enabled: bool,
}

impl Details {
    /// An event type that takes any object; the rest is said with `Details { contract, ..Details::named(name) }`.
    pub fn named(name: Name) -> Self {
        Self {
            name,
            description: String::new(),
            contract: Contract::default(),
            policy: Policy::Quarantine,
            unique_fields: UniqueFields::default(),
            searchable_fields: SearchableFields::default(),
            anonymous: false,
            enabled: true,
        }
    }
}

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 2_000;

/// Reads a description: any lines, without control characters but line breaks and tabs.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_description(text: &str) -> Result<String, String> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > LONGEST_DESCRIPTION {
        return Err(format!("a description has at most {LONGEST_DESCRIPTION} characters"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("a description holds no control characters".into());
    }
    Ok(text)
}

/// What becomes of an event that breaks its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, sqlx::Type, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Policy {
    /// It is kept in quarantine, with the reasons, until mended.
    Quarantine,
    /// It refuses the whole request.
    Refuse,
    /// It is accepted, and the answer says what is wrong.
    Warn,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quarantine, Self::Refuse, Self::Warn];

    /// As the database and the command line spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Refuse => "refuse",
            Self::Warn => "warn",
        }
    }

    /// As pages say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Quarantine => "Quarantine",
            Self::Refuse => "Refuse the request",
            Self::Warn => "Accept with a warning",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Quarantine => "The event is kept aside with its errors; the rest of the request is accepted.",
            Self::Refuse => "One wrong event refuses the whole request, and nothing of it is stored.",
            Self::Warn => "The event is accepted all the same, and the answer says what is wrong with it.",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|policy| policy.word() == text).ok_or_else(|| format!("no policy is called {text}"))
    }
}
