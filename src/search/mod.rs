//! Finding anything: ids that are pasted, names, pages and actions; by a plain page, and by the palette over it
//! (`src/islands/palette.js`).
//!
//! What is found is a link. Each is made with the permit that its page asks for, so nobody is told of anything that
//! they could not open.
mod find;
mod pages;
mod places;
pub mod store;
#[cfg(test)]
mod tests;

use serde::Serialize;
use uuid::Uuid;

use crate::tokens;
pub use find::{Found, find};
pub use pages::routes;

/// How many hits a group shows.
const SHOWN: usize = 8;
/// The longest text that is looked for, in characters.
const LONGEST: usize = 200;
/// The most words of it that count.
const WORDS: usize = 4;

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// Nothing yet.
    Nothing,
    /// Whatever has this id.
    Id(Uuid),
    /// The token that begins so. What was pasted may have been all of it: the rest is forgotten here.
    Token(String),
    /// What has these words in its name, in lower case.
    Words(Vec<String>),
}

impl Sought {
    /// Reads what was typed or pasted.
    pub fn parse(text: &str) -> Self {
        if let Some(prefix) = tokens::pasted(text) {
            return Self::Token(prefix.to_owned());
        }
        let text = tidy(text);
        // from logs and code, ids come in braces and without hyphens too
        if let Ok(id) = Uuid::parse_str(&text) {
            return Self::Id(id);
        }
        let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        if words.is_empty() { Self::Nothing } else { Self::Words(words.into_iter().take(WORDS).collect()) }
    }
}

/// The text as the search field shows it again: one line, bounded, and of a token only how it begins.
pub fn tidy(text: &str) -> String {
    if let Some(prefix) = tokens::pasted(text) {
        return prefix.to_owned();
    }
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What kind of thing was found; groups are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What has the id, or begins with the token, that was asked for.
    Exact,
    /// Places of the navigation.
    Place,
    /// What can be done.
    Action,
    /// Tenants.
    Tenant,
    /// Event types.
    EventType,
    /// Tokens.
    Token,
    /// Sources that are polled.
    Source,
    /// People.
    Person,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::Exact,
        Self::Place,
        Self::Action,
        Self::Tenant,
        Self::EventType,
        Self::Token,
        Self::Source,
        Self::Person,
    ];

    /// As pages head the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Exact => "Exactly this",
            Self::Place => "Go to",
            Self::Action => "Do",
            Self::Tenant => "Tenants",
            Self::EventType => "Event types",
            Self::Token => "Tokens",
            Self::Source => "Sources",
            Self::Person => "People",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// What it is called.
    pub title: String,
    /// What it is, or whose.
    pub detail: String,
    /// Where it is.
    pub href: String,
}

impl Hit {
    fn new(title: impl Into<String>, detail: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), detail: detail.into(), href: href.into() }
    }
}

/// Things of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The kind.
    #[serde(skip)]
    pub kind: Kind,
    /// As it is headed.
    pub title: &'static str,
    /// The best, at most eight.
    pub hits: Vec<Hit>,
    /// Whether there are more.
    pub more: bool,
}

/// Only what a name belongs to answers.
const ONLY_AROUND: u8 = 8;

/// How well a name answers some words: the smaller the better, and even; not at all when a word is nowhere in it nor in
/// `context`.
fn rank(words: &[String], name: &str, context: &str) -> Option<u8> {
    let name = name.to_lowercase();
    let context = context.to_lowercase();
    if !words.iter().all(|word| name.contains(word) || context.contains(word)) {
        return None;
    }
    let whole = words.join(" ");
    Some(if name == whole {
        0
    } else if name.starts_with(&whole) {
        2
    } else if name.split(|c: char| !c.is_alphanumeric()).any(|part| words.iter().any(|word| part.starts_with(word))) {
        4
    } else if words.iter().any(|word| name.contains(word)) {
        6
    } else {
        ONLY_AROUND
    })
}
