//! A proposal as the text of a contract, set out for people, its fields in the order in which they were seen.
use std::fmt::Write;

use serde_json::Value;

use super::{Proposal, Proposed, Type};
use crate::event_types::field::IDENTIFIES;

/// JSON whose members keep their order.
enum Out {
    Value(Value),
    Object(Vec<(String, Out)>),
}

pub(super) fn of(proposal: &Proposal) -> String {
    let mut text = String::new();
    let mut event = vec![("type".to_owned(), Out::Value("object".into()))];
    event.extend(of_fields(&proposal.fields));
    write(&Out::Object(event), 0, &mut text);
    text
}

/// What is required, and the fields.
fn of_fields(fields: &[Proposed]) -> Vec<(String, Out)> {
    let required: Value = fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    let mut members = Vec::new();
    if required.as_array().is_some_and(|required| !required.is_empty()) {
        members.push(("required".to_owned(), Out::Value(required)));
    }
    if !fields.is_empty() {
        let properties = fields.iter().map(|field| (field.name.clone(), Out::Object(of_field(field)))).collect();
        members.push(("properties".to_owned(), Out::Object(properties)));
    }
    members
}

fn of_field(field: &Proposed) -> Vec<(String, Out)> {
    let mut members = Vec::new();
    let mut put = |keyword: &str, value: Out| members.push((keyword.to_owned(), value));
    let mut types: Vec<&str> = field.types.iter().map(|kind| kind.word()).collect();
    if field.nullable && !types.is_empty() {
        types.push("null");
    }
    match types[..] {
        [] => {}
        [only] => put("type", Out::Value(only.into())),
        _ => put("type", Out::Value(types.into())),
    }
    if let Some(format) = field.format {
        put("format", Out::Value(format.word().into()));
    }
    if !field.allowed.is_empty() {
        let mut allowed: Vec<Value> = field.allowed.iter().map(|value| value.as_str().into()).collect();
        allowed.extend(field.nullable.then_some(Value::Null));
        put("enum", Out::Value(allowed.into()));
    }
    if let Some(identifies) = field.identifies {
        put(IDENTIFIES, Out::Value(identifies.word().into()));
    }
    for (keyword, value) in of_fields(&field.fields) {
        put(&keyword, value);
    }
    if let Some(each) = field.each.as_ref().filter(|_| field.types.contains(&Type::Array)) {
        put("items", Out::Object(of_field(each)));
    }
    members
}

fn write(out: &Out, depth: usize, text: &mut String) {
    match out {
        Out::Value(Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(Value::to_string).collect();
            let _ = write!(text, "[{}]", items.join(", "));
        }
        Out::Value(value) => {
            let _ = write!(text, "{value}");
        }
        Out::Object(members) if members.is_empty() => text.push_str("{}"),
        Out::Object(members) => {
            for (n, (key, value)) in members.iter().enumerate() {
                text.push_str(if n == 0 { "{\n" } else { ",\n" });
                let _ = write!(text, "{}{}: ", "  ".repeat(depth + 1), Value::from(key.as_str()));
                write(value, depth + 1, text);
            }
            let _ = write!(text, "\n{}}}", "  ".repeat(depth));
        }
    }
}
