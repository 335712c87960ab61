//! What is wrong with an event, in plain words, and never with the value itself in them: they are answered to the
//! sender, kept beside the event, and shown to people who may not read payloads.
use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One place of an event that breaks its contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The place, as a JSON pointer.
    pub path: String,
    /// The keyword of the contract that it breaks.
    pub rule: String,
    /// What is wrong, for people.
    pub message: String,
}

/// The most breaches that are told of one event.
pub const MOST_BREACHES: usize = 20;
/// How many bytes of JSON they make at most, together: an event may be small and its breaches many.
const MOST_BYTES: usize = 4 << 10;
/// The longest path, the longest message and the longest part of a contract that are repeated, in bytes.
const LONGEST_PATH: usize = 512;
const LONGEST_MESSAGE: usize = 240;
const LONGEST_QUOTE: usize = 120;

impl Breach {
    /// One breach.
    pub fn new(path: &str, rule: &str, message: impl AsRef<str>) -> Self {
        let message = shortened(message.as_ref(), LONGEST_MESSAGE);
        Self { path: shortened(path, LONGEST_PATH), rule: rule.to_owned(), message }
    }

    /// What is kept beside an event and answered to its sender: a JSON array of its breaches, the first ones when they
    /// are many.
    pub fn list(breaches: &[Self]) -> String {
        let mut list = String::from("[");
        for breach in breaches.iter().take(MOST_BREACHES) {
            let one = serde_json::to_string(breach).unwrap_or_default();
            if list.len() > 1 {
                if list.len() + one.len() > MOST_BYTES {
                    break;
                }
                list.push(',');
            }
            list.push_str(&one);
        }
        list.push(']');
        list
    }
}

/// The beginning of `text`, and a mark when that is not all of it.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(longest)])
}

/// Adds what `error` says to `to`, once.
pub(super) fn explain(error: &ValidationError<'_>, to: &mut Vec<Breach>) {
    let mut add = |breach: Breach| {
        if !to.contains(&breach) {
            to.push(breach);
        }
    };
    let path = error.instance_path().as_str();
    let rule = error.kind().keyword();
    let below = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        Kind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            add(Breach::new(&below(key), rule, "is required but missing"));
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for key in unexpected.iter().take(20) {
                add(Breach::new(&below(key), rule, "is not a field of the contract"));
            }
        }
        Kind::PropertyNames { error } => {
            let key = error.instance().as_str().unwrap_or_default();
            add(Breach::new(&below(key), rule, "is a name that the contract does not allow"));
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match promising(context, path) {
            Some(branch) => branch.iter().for_each(|error| explain(error, to)),
            None => add(Breach::new(path, rule, none_of(context, error.instance()))),
        },
        // told of the object, when the contract names no field at all
        Kind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
            add(Breach::new(path, "additionalProperties", "must have no fields"));
        }
        Kind::FalseSchema => add(Breach::new(path, "false", "is not allowed here")),
        kind => add(Breach::new(path, rule, words(kind, error.instance()))),
    }
}

/// Of several allowed forms, the one that was meant: the only one that is not of another type altogether.
fn promising<'a>(forms: &'a [Vec<ValidationError<'static>>], path: &str) -> Option<&'a [ValidationError<'static>]> {
    let mistyped = |form: &&Vec<ValidationError<'static>>| !form.iter().any(|error| is_another_type(error, path));
    let mut meant = forms.iter().filter(mistyped);
    let first = meant.next()?;
    (meant.next().is_none() && !first.is_empty()).then_some(first)
}

fn is_another_type(error: &ValidationError<'_>, path: &str) -> bool {
    matches!(error.kind(), Kind::Type { .. }) && error.instance_path().as_str() == path
}

/// When all forms are of another type, their types; else how many there are.
fn none_of(forms: &[Vec<ValidationError<'static>>], value: &Value) -> String {
    let types: Option<Vec<JsonType>> = forms
        .iter()
        .map(|form| match form.first().map(ValidationError::kind) {
            Some(Kind::Type { kind: TypeKind::Single(one) }) => Some(*one),
            _ => None,
        })
        .collect();
    match types {
        Some(types) if !types.is_empty() => mistyped(types, value),
        _ => format!("is in none of the {} allowed forms", forms.len()),
    }
}

fn words(kind: &Kind, value: &Value) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(one) } => mistyped(vec![*one], value),
        Kind::Type { kind: TypeKind::Multiple(several) } => mistyped(several.iter().collect(), value),
        Kind::Enum { .. } => "is none of the allowed values".into(),
        Kind::Constant { .. } => "is not the one allowed value".into(),
        Kind::Format { format } => format!("is not a valid {}", format_name(format)),
        Kind::Pattern { pattern } => format!("does not match the pattern {}", shortened(pattern, LONGEST_QUOTE)),
        Kind::MinLength { limit } => format!("must have at least {}", counted(*limit, "character")),
        Kind::MaxLength { limit } => format!("must have at most {}", counted(*limit, "character")),
        Kind::MinItems { limit } => format!("must have at least {}", counted(*limit, "item")),
        Kind::MaxItems { limit } => format!("must have at most {}", counted(*limit, "item")),
        Kind::AdditionalItems { limit } => format!("must have at most {}", counted(*limit as u64, "item")),
        Kind::MinProperties { limit } => format!("must have at least {}", counted(*limit, "field")),
        Kind::MaxProperties { limit } => format!("must have at most {}", counted(*limit, "field")),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::UniqueItems => "holds an item twice".into(),
        Kind::Contains => "does not hold the items that it must hold".into(),
        Kind::UnevaluatedItems { .. } => "holds more items than the contract knows".into(),
        Kind::OneOfMultipleValid { .. } => {
            "is in more than one of the allowed forms, and must be in exactly one".into()
        }
        Kind::Not { .. } => "is in a form that the contract rules out".into(),
        Kind::ContentEncoding { content_encoding } => {
            format!("is not encoded as {}", shortened(content_encoding, LONGEST_QUOTE))
        }
        Kind::ContentMediaType { content_media_type } => {
            format!("does not hold {}", shortened(content_media_type, LONGEST_QUOTE))
        }
        _ => "does not keep the contract".into(),
    }
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn mistyped(mut expected: Vec<JsonType>, value: &Value) -> String {
    expected.sort_by_key(|kind| *kind == JsonType::Null);
    expected.dedup();
    let got = match value {
        Value::Number(_) if expected.contains(&JsonType::Integer) => "a number with a fraction",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let expected: Vec<_> = expected.into_iter().map(type_name).collect();
    let expected = match expected.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".to_owned(),
    };
    format!("expected {expected}, got {got}")
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "null",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "a string",
        JsonType::Array => "an array",
        JsonType::Object => "an object",
    }
}

pub(super) fn format_name(format: &str) -> &str {
    match format {
        "email" => "e-mail address",
        "date-time" => "date-time, such as 2026-01-31T12:00:00Z",
        "date" => "date, such as 2026-01-31",
        "time" => "time, such as 12:00:00Z",
        "uri" => "address (URI)",
        "uuid" => "UUID",
        "ipv4" => "IPv4 address",
        "ipv6" => "IPv6 address",
        "hostname" => "host name",
        "json-pointer" => "JSON pointer",
        "phone" => "telephone number, such as +31 6 12345678",
        other => other,
    }
}
