//! What is different between two contracts: in words, each with what it means for events, and line by line.
//!
//! The words leave nothing out: there are none exactly when the two are equal as JSON. And they promise nothing that
//! does not hold: when none of them is stricter or either way, every event that kept the old contract keeps the new.
mod lines;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Contract;
pub use lines::{Hunk, Line, hunks};

/// What a change means for events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Some that were right are wrong now, and none the other way.
    Stricter,
    /// Some may be right now that were wrong, and some wrong that were right.
    Changed,
    /// Some that were wrong are right now, and none the other way.
    Looser,
    /// None is judged differently.
    Neutral,
}

impl Effect {
    /// As pages and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Changed => "either way",
            Self::Looser => "looser",
            Self::Neutral => "no effect",
        }
    }

    /// The same change the other way round.
    fn turned(self) -> Self {
        match self {
            Self::Stricter => Self::Looser,
            Self::Looser => Self::Stricter,
            other => other,
        }
    }
}

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it means for events.
    pub effect: Effect,
    /// Of which field, as a JSON pointer into an event; `*` stands for every item or every other key.
    pub path: String,
    /// What is different, in words.
    pub words: Sentence,
}

/// Words, and between them names and values that are quoted from a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence(pub Vec<Piece>);

/// A part of a [`Sentence`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Our own words.
    Text(String),
    /// A name or a value out of a contract.
    Quoted(String),
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Quoted(text) => write!(f, "`{text}`")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is different in `new`, stricter things first.
pub fn diff(old: &Contract, new: &Contract) -> Vec<Change> {
    of_schemas(&old.schema(), &new.schema())
}

/// The same, of two schemas that were read already.
pub fn of_schemas(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = walk::changes(old, new);
    changes.sort_by_key(|change| change.effect);
    changes
}

/// What all changes together mean for events.
pub fn overall(changes: &[Change]) -> Effect {
    changes.iter().fold(Effect::Neutral, |whole, change| match (whole, change.effect) {
        (whole, Effect::Neutral) => whole,
        (Effect::Neutral, effect) => effect,
        (whole, effect) if whole == effect => whole,
        _ => Effect::Changed,
    })
}
