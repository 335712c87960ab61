//! Versions of contracts: every contract that was ever active has a number, the highest is the active one, and
//! nothing is ever rewritten. Beside them stands at most one draft, which becomes the next version when it is
//! activated.
mod store;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Contract;
use crate::crypto;
pub(super) use store::append;
pub use store::{activate, active, discard_draft, draft, drafted, get, list, roll_back, save_draft};

/// A contract that is or was active.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the text of the type says it")]
    pub made: Made,
    /// Its text.
    pub contract: Contract,
}

/// How a version came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Made {
    /// Which it is, from 1 within its type.
    pub number: i64,
    /// When it became active.
    #[sqlx(rename = "made_at")]
    pub at: DateTime<Utc>,
    /// Who made it so, as the audit trail names them; not known of what was there before versions were kept.
    #[sqlx(rename = "made_by")]
    pub by: Option<String>,
    /// What they said about it.
    pub note: Option<String>,
    /// The version whose text it brought back.
    pub restores: Option<i64>,
}

/// The contract that is being worked on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// Its text.
    pub contract: Contract,
    /// The version that was active when it was begun.
    pub base: i64,
    /// The version that is active now.
    pub active: i64,
    /// When it was last saved.
    pub updated_at: DateTime<Utc>,
    /// Who saved it, as the audit trail names them.
    pub updated_by: String,
}

impl Draft {
    /// What a reviewer has seen: this text, to follow this version. Whoever activates it says so, and is refused when
    /// either has changed meanwhile.
    pub fn fingerprint(&self) -> Fingerprint {
        let seen = format!("{}\n{}", self.active, self.contract.text());
        Fingerprint(crypto::base64url(&crypto::sha256(seen.as_bytes())[..18]))
    }
}

/// See [`Draft::fingerprint`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = std::convert::Infallible;

    /// Whatever it is: one that no draft has fits no draft.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// The longest note, in characters.
const LONGEST_NOTE: usize = 500;

/// Reads a note; an empty one is none.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_note(text: &str) -> Result<Option<String>, String> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > LONGEST_NOTE {
        return Err(format!("a note has at most {LONGEST_NOTE} characters"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("a note holds no control characters".into());
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}
