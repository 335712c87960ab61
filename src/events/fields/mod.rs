//! Finding events by what a field holds.
//!
//! Fields that a type marks as searchable have an index: the follower of batches leaves ranges of events, [`follow`]
//! writes the digests of their values down, and [`fill`] does so for the events from before. Everything else is looked
//! through, newest first, in bounded pieces ([`walk`]); a page says which of the two it did.
pub mod fill;
pub mod follow;
pub mod store;
#[cfg(test)]
mod tests;
mod value;
pub(super) mod walk;

use serde::{Deserialize, Serialize};

use crate::event_types::Pointer;
use value::Wanted;

/// The longest value that is looked for, in bytes.
const LONGEST: usize = 1_000;

/// A field and what it is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Typed", into = "Typed")]
pub struct FieldIs {
    /// Where it stands.
    pub field: Pointer,
    /// What it holds, as people type it.
    pub value: String,
}

/// The same, as it is kept: both as people type them.
#[derive(Serialize, Deserialize)]
struct Typed {
    field: String,
    value: String,
}

impl From<FieldIs> for Typed {
    fn from(asked: FieldIs) -> Self {
        Self { field: asked.field.as_str().to_owned(), value: asked.value }
    }
}

impl TryFrom<Typed> for FieldIs {
    type Error = String;

    fn try_from(typed: Typed) -> Result<Self, String> {
        Self::parse(&typed.field, &typed.value).map_err(|(_, why)| why)
    }
}

impl FieldIs {
    /// Reads both.
    ///
    /// # Errors
    /// Says which of the two is none, and why.
    pub fn parse(field: &str, value: &str) -> Result<Self, (&'static str, String)> {
        let field = Pointer::parse(field).map_err(|why| ("field", why))?;
        let value = value.trim();
        if value.is_empty() {
            return Err(("value", format!("say what “{}” is to be", field.label())));
        }
        if value.len() > LONGEST {
            return Err(("value", format!("a value to be looked for has at most {LONGEST} bytes")));
        }
        Ok(Self { field, value: value.to_owned() })
    }

    fn wanted(&self) -> Wanted {
        Wanted::of(&self.value)
    }

    /// Whether the payload of an event holds it.
    pub fn matches(&self, payload: &str) -> bool {
        self.wanted().is(self.field.in_text(payload))
    }
}
