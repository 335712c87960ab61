//! Values as lines of text, one each, when they are all texts or all numbers.
use serde_json::Value;

use crate::event_types::{
    spans::{Kind as Json, Node},
    table::Kind,
};

/// What the values of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Texts,
    Numbers,
    Booleans,
}

impl Class {
    /// What the values of a field of this kind are; none when the kind does not say.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Text | Kind::Formatted(_) => Some(Self::Texts),
            Kind::Number | Kind::Integer => Some(Self::Numbers),
            Kind::Boolean => Some(Self::Booleans),
            _ => None,
        }
    }

    fn of_raw(raw: &str) -> Option<Self> {
        match raw.as_bytes().first()? {
            b'"' => Some(Self::Texts),
            b't' | b'f' => Some(Self::Booleans),
            b'-' | b'0'..=b'9' => Some(Self::Numbers),
            _ => None,
        }
    }
}

/// The values of an array, one a line, and what they are; none when lines cannot hold them. A null among them is left
/// out where `nullable` says that the row shows it in another way.
pub(super) fn read(text: &str, array: &Node, nullable: bool) -> Option<(String, Option<Class>)> {
    let Json::Array(items) = &array.kind else { return None };
    let values: Vec<&str> = items.iter().map(|item| item.raw(text)).filter(|raw| !nullable || *raw != "null").collect();
    let class = Class::of_raw(values.first()?)?;
    let lines: Option<Vec<String>> = values
        .into_iter()
        .map(|raw| match Class::of_raw(raw) {
            Some(Class::Texts) if class == Class::Texts => {
                let line: String = serde_json::from_str(raw).ok()?;
                let holds = !line.is_empty() && line == line.trim() && !line.chars().any(char::is_control);
                holds.then_some(line)
            }
            Some(other) if other == class => Some(raw.to_owned()),
            _ => None,
        })
        .collect();
    Some((lines?.join("\n"), Some(class)))
}

/// The values that lines hold.
///
/// # Errors
/// Says which line holds none.
pub(super) fn values(lines: &str, class: Class) -> Result<Vec<Value>, String> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| match class {
            Class::Texts => Ok(Value::from(line)),
            Class::Numbers => serde_json::from_str::<serde_json::Number>(line)
                .map(Value::from)
                .map_err(|_| format!("“{line}” is not a number")),
            Class::Booleans => serde_json::from_str::<bool>(line)
                .map(Value::from)
                .map_err(|_| format!("“{line}” is not true or false")),
        })
        .collect()
}
