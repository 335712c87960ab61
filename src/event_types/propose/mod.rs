//! From samples of events to a contract that one can begin with: what fields there are, of which type and form, which
//! are always there, and which say who somebody is. It is cautious: a text that only looks like a number stays a text,
//! and a set of values is called closed only after enough have been seen.
mod gather;
mod judge;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod words;

use serde::Serialize;

use super::field::{Format, Identifies, Path};
pub use read::{Samples, SamplesError};

/// What samples say about their events.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// How many events it was made from.
    pub samples: usize,
    /// The fields of the event, in the order in which they were first seen.
    pub fields: Vec<Proposed>,
}

/// What samples say about one field, or about each item of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// What it is called; empty for each item of an array.
    pub name: String,
    /// The types its values have, null aside; none when nothing but null was seen.
    pub types: Vec<Type>,
    /// Whether null was seen.
    pub nullable: bool,
    /// How its texts are formed.
    pub format: Option<Format>,
    /// All there is to choose from, when that seems to be a closed set.
    pub allowed: Vec<String>,
    /// Whether it was always there.
    pub required: bool,
    /// By what it identifies a person.
    pub identifies: Option<Identifies>,
    /// In how many of the objects that may hold it it was.
    pub seen: u64,
    /// How many such objects there were.
    pub of: u64,
    /// Some of its values.
    pub examples: Vec<String>,
    /// What looks like something else and was left as it is, and why.
    pub notes: Vec<&'static str>,
    /// When it is an object: its fields.
    pub fields: Vec<Proposed>,
    /// When it is an array: what each item is.
    pub each: Option<Box<Proposed>>,
}

/// A type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// Fields.
    Object,
}

impl Type {
    /// As a contract spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Proposes what the samples say.
pub fn propose(samples: &Samples) -> Proposal {
    let mut seen = gather::Seen::default();
    for (text, event) in samples.events() {
        seen.add(text, event);
    }
    Proposal { samples: samples.len(), fields: judge::fields(&seen) }
}

impl Proposal {
    /// The proposal as a contract's text: it takes every one of the samples, and holds none of their values but those
    /// of closed sets. Contracts are read by people who may not see events.
    pub fn contract(&self) -> String {
        schema::of(self)
    }

    /// Every field and each-item with its place, parents first.
    pub fn walk(&self) -> Vec<(Path, &Proposed)> {
        let mut found = Vec::new();
        below(&Path::default(), &self.fields, &mut found);
        found
    }
}

fn below<'p>(path: &Path, fields: &'p [Proposed], found: &mut Vec<(Path, &'p Proposed)>) {
    for field in fields {
        one(path.key(&field.name), field, found);
    }
}

fn one<'p>(path: Path, field: &'p Proposed, found: &mut Vec<(Path, &'p Proposed)>) {
    found.push((path.clone(), field));
    below(&path, &field.fields, found);
    if let Some(each) = &field.each {
        one(path.each(), each, found);
    }
}
