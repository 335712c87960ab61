//! What became different between before and after, field by field, as people read it.
use chrono::DateTime;
use serde_json::{Map, Value};

use crate::ui::{Difference, Zone};

/// The longest value that is shown, in characters.
const LONGEST: usize = 200;
/// What stands between a field and one below it.
const BELOW: &str = " › ";
/// How deep objects are looked into.
const DEEPEST: usize = 12;
/// What an entry of the trail says by itself: no field that somebody changed.
const SAID_ALREADY: [&str; 4] = ["id", "tenantId", "createdAt", "updatedAt"];

/// The fields that are different, times told in `zone`, those of nothing (or something that cannot be read) being none.
pub fn changes(before: Option<&str>, after: Option<&str>, zone: Zone) -> Vec<Difference> {
    let read = |text: Option<&str>| text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let mut found = Vec::new();
    compare("", &read(before), &read(after), zone, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, zone: Zone, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let depth = if path.is_empty() { 0 } else { path.split(BELOW).count() };
    let (before, after) = (unfolded(before), unfolded(after));
    let none = Map::new();
    let objects = match (&before, &after) {
        (Value::Object(before), Value::Object(after)) => Some((before, after)),
        (Value::Object(before), Value::Null) => Some((before, &none)),
        (Value::Null, Value::Object(after)) => Some((&none, after)),
        _ => None,
    };
    if let Some((before, after)) = objects.filter(|_| depth < DEEPEST) {
        let added = after.keys().filter(|key| !before.contains_key(*key));
        for key in before.keys().chain(added).filter(|key| depth > 0 || !SAID_ALREADY.contains(&key.as_str())) {
            let get = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
            compare(&joined(path, key), &get(before), &get(after), zone, found);
        }
    } else {
        let (before, after) = (shown(&before, zone), shown(&after, zone));
        if before != after {
            found.push(Difference { field: path.to_owned(), before, after });
        }
    }
}

/// A text that is itself the JSON of an object, such as a contract, is compared as that object.
fn unfolded(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str::<Value>(text).ok().filter(Value::is_object).unwrap_or_else(|| value.clone())
        }
        other => other.clone(),
    }
}

/// The fields of our own are in words, what is below them is as its owner calls it.
fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { in_words(key) } else { format!("{path}{BELOW}{key}") }
}

/// `eventTypes` → `Event types`, `successorId` → `Successor`.
fn in_words(key: &str) -> String {
    let mut words = String::with_capacity(key.len() + 4);
    for (n, c) in key.chars().enumerate() {
        if n == 0 {
            words.extend(c.to_uppercase());
        } else if c.is_uppercase() {
            words.push(' ');
            words.extend(c.to_lowercase());
        } else {
            words.push(if c == '_' { ' ' } else { c });
        }
    }
    // what a page names, it names without its id
    words.strip_suffix(" id").map(str::to_owned).unwrap_or(words)
}

/// A value as text. What is not there, and an empty list, is none.
fn shown(value: &Value, zone: Zone) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) if text.is_empty() => return None,
        Value::String(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => zone.in_full(moment.to_utc()),
            Err(_) => text.clone(),
        },
        Value::Array(items) if items.is_empty() => return None,
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().filter_map(|item| shown(item, zone)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    Some(if text.chars().count() > LONGEST {
        text.chars().take(LONGEST).chain(std::iter::once('…')).collect()
    } else {
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(before: &str, after: &str) -> Vec<String> {
        let side = |text: Option<String>| text.unwrap_or_else(|| "–".into());
        let one = |one: Difference| format!("{}: {} → {}", one.field, side(one.before), side(one.after));
        let mut told: Vec<_> = changes(Some(before), Some(after), Zone::default()).into_iter().map(one).collect();
        told.sort();
        told
    }

    #[test]
    fn only_what_changed_is_told_and_in_words() {
        let before = r#"{"name":"shop","eventTypes":null,"canConfigure":false,"addresses":["10.0.0.0/8"],"n":1}"#;
        let after = r#"{"name":"shop","eventTypes":["a","b"],"canConfigure":true,"addresses":[],"n":1}"#;
        assert_eq!(
            told(before, after),
            ["Addresses: 10.0.0.0/8 → –", "Can configure: no → yes", "Event types: – → a, b"]
        );
    }

    #[test]
    fn a_contract_is_compared_inside() {
        let contract = |kind: &str, more: &str| {
            let schema = format!(r#"{{"properties":{{"Last Name":{{"type":"{kind}"}}}}{more}}}"#);
            serde_json::json!({ "contract": schema }).to_string()
        };
        assert_eq!(
            told(&contract("string", ""), &contract("number", r#","required":["Last Name"]"#)),
            ["Contract › properties › Last Name › type: string → number", "Contract › required: – → Last Name"]
        );
    }

    #[test]
    fn times_name_their_zone() {
        let end = told(r#"{"endsAt":null,"id":1,"updatedAt":1}"#, r#"{"endsAt":"2026-11-18T14:05:09+01:00","id":2}"#);
        assert_eq!(end, ["Ends at: – → 18 Nov 2026, 13:05:09 UTC"]);
    }

    #[test]
    fn something_new_is_told_whole_but_what_is_not_there() {
        let new =
            r#"{"id":"7","name":"shop","expiresAt":null,"canConfigure":false,"createdAt":"2026-11-18T13:05:09Z"}"#;
        let new = changes(None, Some(new), Zone::default());
        let mut fields: Vec<_> = new.iter().map(|one| one.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["Can configure", "Name"]);
        assert!(changes(Some("nonsense"), None, Zone::default()).is_empty());
        assert!(told(&format!(r#"{{"a":"{}"}}"#, "x".repeat(999)), "{}")[0].chars().count() < 220);
    }

    proptest! {
        #[test]
        fn any_texts_can_be_compared_and_equal_ones_are(before in ".{0,60}", after in ".{0,60}") {
            let _ = changes(Some(&before), Some(&after), Zone::default());
            prop_assert!(changes(Some(&before), Some(&before), Zone::default()).is_empty());
        }
    }
}
