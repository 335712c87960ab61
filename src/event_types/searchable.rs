//! The fields of a type whose values events are found by.
use serde::{Serialize, Serializer};

use super::Pointer;

/// The most fields of one type: each is an entry in the index for every event.
const MOST: usize = 8;

/// No, one or several places of an event by whose value it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchableFields(Vec<Pointer>);

impl SearchableFields {
    /// Reads fields: each is a key at the top of the event, or a JSON pointer. Empty ones are dropped.
    ///
    /// # Errors
    /// Says which is none.
    pub fn parse<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> Result<Self, String> {
        Pointer::parse_all(fields, MOST, &format!("at most {MOST} fields of a type can be searched for")).map(Self)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields.
    pub fn iter(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter()
    }

    /// The fields as JSON pointers.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Pointer::as_str)
    }
}

impl Serialize for SearchableFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pointers())
    }
}
