//! How the parts of a contract are called.
use std::collections::BTreeSet;

use serde_json::Value;

use super::Piece;
use crate::event_types::breach::format_name;

/// The longest value that is quoted, in bytes, and the most of a list.
const LONGEST: usize = 160;
const MOST: usize = 8;

pub(super) fn text(words: impl Into<String>) -> Piece {
    Piece::Text(words.into())
}

pub(super) fn quoted(name: impl Into<String>) -> Piece {
    let name = name.into();
    if name.len() <= LONGEST {
        return Piece::Quoted(name);
    }
    Piece::Quoted(format!("{}…", &name[..name.floor_char_boundary(LONGEST)]))
}

/// A value: a text without its quotation marks where that leaves no doubt.
pub(super) fn value_words(value: &Value) -> Piece {
    match value.as_str() {
        Some(word) if !word.is_empty() && serde_json::from_str::<Value>(word).is_err() => quoted(word),
        _ => quoted(value.to_string()),
    }
}

/// Some values, one after the other.
pub(super) fn listed(values: &[Value]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, value) in values.iter().take(MOST).enumerate() {
        if at > 0 {
            pieces.push(text(if at + 1 == values.len() { " and " } else { ", " }));
        }
        pieces.push(value_words(value));
    }
    match values.len() {
        0 => pieces.push(text("nothing")),
        n if n > MOST => pieces.push(text(format!(" and {} more", n - MOST))),
        _ => {}
    }
    pieces
}

/// The types that `type` names; nothing when it is no such list.
pub(super) fn type_list(value: &Value) -> Option<BTreeSet<&str>> {
    match value {
        Value::String(one) => Some(BTreeSet::from([one.as_str()])),
        Value::Array(several) => several.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

pub(super) fn article(noun: &str) -> String {
    let vowel = noun.starts_with(|first: char| "aeioAEIO".contains(first));
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

pub(super) fn format_words(format: &str) -> String {
    match (format_name(format), format) {
        // one that has no name of its own
        (name, format) if name == format && !["date", "time", "duration", "uuid"].contains(&format) => {
            format!("of the format {format}")
        }
        (name, _) => article(name),
    }
}

/// What a schema asks for, in a word or some.
pub(super) fn kind(schema: &Value) -> String {
    let rules = match schema {
        Value::Bool(true) => return "anything".into(),
        Value::Bool(false) => return "nothing".into(),
        Value::Object(rules) => rules,
        _ => return "something".into(),
    };
    if let Some(format) = rules.get("format").and_then(Value::as_str) {
        let name = format_name(format);
        return name.split(", such as").next().unwrap_or(name).to_owned();
    }
    if let Some(values) = rules.get("enum").and_then(Value::as_array) {
        return format!("one of {}", super::Sentence(listed(values)));
    }
    if let Some(value) = rules.get("const") {
        return format!("exactly {}", super::Sentence(vec![value_words(value)]));
    }
    let words: Vec<_> = rules
        .get("type")
        .and_then(type_list)
        .into_iter()
        .flatten()
        .map(|name| match name {
            "string" => "text",
            "integer" => "whole number",
            "boolean" => "true or false",
            "array" => "list",
            other => other,
        })
        .collect();
    match words.is_empty() {
        false => words.join(" or "),
        true if rules.contains_key("$ref") => {
            format!("as {}", rules["$ref"].as_str().unwrap_or_default().trim_start_matches("#/$defs/"))
        }
        true if rules.contains_key("properties") => "object".into(),
        true => "anything".into(),
    }
}
