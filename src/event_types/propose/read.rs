//! Reading samples: an object, an array of objects, one object a line, or several pasted below each other, with commas
//! between them or without. What clients send for several types at once is unpacked.
use serde_json::Value;

use crate::event_types::spans::{Kind, Node, is_space};

/// The most events that are looked at.
const MOST: usize = 1_000;

/// Samples of events.
#[derive(Debug, Default)]
pub struct Samples {
    texts: Vec<(String, Vec<Node>)>,
}

/// Why a text holds no samples.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SamplesError {
    /// There is nothing.
    #[error("paste or choose at least one event")]
    Empty,
    /// It is no JSON from here on.
    #[error("this is not JSON, from line {line} on: {why}")]
    NotJson {
        /// The line, counted from one.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// One is no object.
    #[error("an event is a JSON object, and number {0} is none")]
    NotAnObject(usize),
    /// There are more than are looked at.
    #[error("at most {MOST} events are looked at: choose fewer")]
    TooMany,
}

impl Samples {
    /// Adds what a text holds.
    ///
    /// # Errors
    /// Says what is wrong with it; nothing of it is added then.
    pub fn add(&mut self, text: &str) -> Result<(), SamplesError> {
        let text = text.trim_start_matches('\u{feff}');
        let mut events = Vec::new();
        let mut at = 0;
        while let Some(start) = next(text, at) {
            at = checked(text, start)?;
            let (node, _) = Node::parse_at(text, start).ok_or_else(|| SamplesError::NotJson {
                line: line(text, start),
                why: "it is nested too deep".into(),
            })?;
            match node.kind {
                Kind::Array(items) => events.extend(items),
                _ => events.push(node),
            }
        }
        if events.is_empty() {
            return Err(SamplesError::Empty);
        }
        if let Some(n) = events.iter().position(|event| !event.is_object()) {
            return Err(SamplesError::NotAnObject(self.len() + n + 1));
        }
        if self.len() + events.len() > MOST {
            return Err(SamplesError::TooMany);
        }
        self.texts.push((text.to_owned(), events.into_iter().map(unpacked).collect()));
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.iter().map(|(_, events)| events.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them, as a value; what no parser takes is left out.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        self.events().filter_map(|(text, node)| serde_json::from_str(text.get(node.span.clone())?).ok())
    }

    pub(super) fn events(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.texts.iter().flat_map(|(text, events)| events.iter().map(move |event| (text.as_str(), event)))
    }
}

/// Where the next value begins.
fn next(text: &str, from: usize) -> Option<usize> {
    let rest = &text.as_bytes()[from..];
    rest.iter().position(|byte| !is_space(*byte) && *byte != b',').map(|skip| from + skip)
}

/// Has the value that begins at `start` read by a parser that says what is wrong; where it ends.
fn checked(text: &str, start: usize) -> Result<usize, SamplesError> {
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    match values.next() {
        Some(Ok(_)) => Ok(start + values.byte_offset()),
        Some(Err(error)) => {
            let line = line(text, start) + error.line().saturating_sub(1);
            let why = error.to_string();
            let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why).to_owned();
            Err(SamplesError::NotJson { line, why })
        }
        None => Ok(text.len()),
    }
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// `{"EventTypeId": …, "Event": {…}}` is how clients wrap an event among others.
fn unpacked(event: Node) -> Node {
    let wraps = event.members().len() == 2 && event.get("EventTypeId").is_some();
    match event.get("Event") {
        Some(inner) if wraps && inner.is_object() => inner.clone(),
        _ => event,
    }
}
