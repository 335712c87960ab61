//! An event that keeps a contract, as far as one can be made up: what a first `curl` sends.
use serde_json::{Map, Value, json};

use super::{Contract, UniqueFields};

/// How deep objects and arrays are made up.
const DEEPEST: usize = 6;
/// The most fields of one object that are made up.
const MOST_FIELDS: usize = 24;

/// Makes up an event.
pub(super) fn sample(contract: &Contract, unique: &UniqueFields) -> Value {
    let schema = contract.schema();
    let mut event = match (Maker { schema: &schema }).make(&schema, 0) {
        Value::Object(fields) if !fields.is_empty() => fields,
        _ => {
            Map::from_iter([("Email Address".to_owned(), json!("ada@example.com")), ("Amount".to_owned(), json!(12.5))])
        }
    };
    for pointer in unique.pointers() {
        let key = pointer[1..].replace("~1", "/").replace("~0", "~");
        let at_the_top = !pointer[1..].contains('/');
        if at_the_top && !event.contains_key(&key) && contract.accepts_anything() {
            event.insert(key, json!("1001"));
        }
    }
    Value::Object(event)
}

struct Maker<'s> {
    schema: &'s Value,
}

impl Maker<'_> {
    fn make(&self, part: &Value, depth: usize) -> Value {
        let Value::Object(rules) = part else { return json!("text") };
        if let Some(reference) = rules.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
            return match target {
                Some(target) if depth < DEEPEST => self.make(target, depth + 1),
                _ => Value::Null,
            };
        }
        let given = [rules.get("const"), first(rules, "examples"), rules.get("default"), first(rules, "enum")];
        if let Some(given) = given.into_iter().flatten().next() {
            return given.clone();
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = first(rules, choice).filter(|_| depth < DEEPEST && !rules.contains_key("properties")) {
                return self.make(first, depth + 1);
            }
        }
        let kinds: Vec<_> = match rules.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            Some(kind) => kind.as_str().into_iter().collect(),
            None => Vec::new(),
        };
        match kinds.into_iter().find(|kind| *kind != "null") {
            Some("object") => self.object(rules, depth),
            Some("array") => self.array(rules, depth),
            Some("integer") => number(rules, 1.0, true),
            Some("number") => number(rules, 12.5, false),
            Some("boolean") => json!(true),
            Some("string") => json!(text(rules)),
            _ if rules.contains_key("properties") || rules.contains_key("required") => self.object(rules, depth),
            _ if rules.contains_key("minimum") || rules.contains_key("maximum") => number(rules, 12.5, false),
            _ => json!(text(rules)),
        }
    }

    fn object(&self, rules: &Map<String, Value>, depth: usize) -> Value {
        if depth >= DEEPEST {
            return json!({});
        }
        let none = Map::new();
        let properties = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<_> =
            rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let optional = properties.keys().map(String::as_str).filter(|key| !required.contains(key));
        // further down only what has to be there: contracts that refer to themselves end here
        let room = if depth < DEEPEST / 2 { MOST_FIELDS.saturating_sub(required.len()) } else { 0 };
        let wanted = required.iter().copied().chain(optional.take(room));
        let fields = wanted.filter(|key| properties.get(*key) != Some(&Value::Bool(false))).map(|key| {
            let rules = properties.get(key).unwrap_or(&Value::Bool(true));
            (key.to_owned(), named(key, self.make(rules, depth + 1)))
        });
        Value::Object(fields.collect())
    }

    fn array(&self, rules: &Map<String, Value>, depth: usize) -> Value {
        if depth >= DEEPEST || rules.get("maxItems").and_then(Value::as_u64) == Some(0) {
            return json!([]);
        }
        let item = rules.get("items").unwrap_or(&Value::Bool(true));
        let count = rules.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 5);
        (0..count).map(|_| self.make(item, depth + 1)).collect()
    }
}

/// A text that stands for nothing in particular looks like a number where its key speaks of one.
fn named(key: &str, value: Value) -> Value {
    let key = key.to_lowercase();
    let speaks = ["id", "number", "nr", "code"].iter().any(|word| key.ends_with(word));
    if speaks && value == "text" { json!("1001") } else { value }
}

fn first<'r>(rules: &'r Map<String, Value>, keyword: &str) -> Option<&'r Value> {
    rules.get(keyword)?.as_array()?.first()
}

/// The usual number, moved to within its bounds.
fn number(rules: &Map<String, Value>, usual: f64, whole: bool) -> Value {
    let bound = |keyword: &str| rules.get(keyword).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0);
    let mut number = step.unwrap_or(usual);
    if let Some(least) = bound("minimum").or(bound("exclusiveMinimum").map(|least| least + step.unwrap_or(1.0))) {
        number = number.max(least);
    }
    if let Some(most) = bound("maximum").or(bound("exclusiveMaximum").map(|most| most - step.unwrap_or(1.0))) {
        number = number.min(most);
    }
    #[expect(clippy::cast_possible_truncation, reason = "a made-up number: what is too large ends at the largest")]
    if whole || number.fract() == 0.0 { json!(number.ceil() as i64) } else { json!(number) }
}

/// A text of its format, filled up to its shortest length.
fn text(rules: &Map<String, Value>) -> String {
    let mut text = match rules.get("format").and_then(Value::as_str) {
        Some("email") => "ada@example.com",
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("duration") => "P1D",
        Some("phone") => "+31 6 12345678",
        Some("uuid") => "3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c",
        Some("uri" | "uri-reference" | "iri") => "https://example.com/",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        _ => "text",
    }
    .to_owned();
    let length = |keyword: &str| rules.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    while text.len() < length("minLength").unwrap_or(0).min(200) {
        text.push('x');
    }
    if let Some(most) = length("maxLength").filter(|most| *most < text.len()) {
        text.truncate(most);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(schema: &Value, unique: &[&str]) -> Value {
        let contract = Contract::parse(&schema.to_string()).unwrap();
        let event = sample(&contract, &UniqueFields::parse(unique).unwrap());
        assert_eq!(contract.check(&event), [], "{event}");
        event
    }

    #[test]
    fn samples_keep_their_contract() {
        let order = json!({"type": "object", "required": ["Order ID", "Email"], "additionalProperties": false,
            "$defs": {"money": {"type": "number", "minimum": 100, "multipleOf": 0.5}},
            "properties": {"Order ID": {"type": "integer", "minimum": 7}, "Email": {"type": "string", "format": "email"},
                "At": {"type": ["null", "string"], "format": "date-time"}, "Total": {"$ref": "#/$defs/money"},
                "State": {"enum": ["paid", "open"]}, "Tags": {"type": "array", "minItems": 2, "items": {"type": "string", "maxLength": 3}},
                "Old": false, "Who": {"oneOf": [{"type": "object", "properties": {"Id": {"const": 5}}}]}}});
        assert_eq!(
            made(&order, &["Order ID"]),
            json!({"Order ID": 7, "Email": "ada@example.com", "At": "2026-01-31T12:00:00Z", "Total": 100, "State": "paid",
                "Tags": ["tex", "tex"], "Who": {"Id": 5}})
        );
        assert_eq!(made(&json!({"required": ["x"]}), &[]), json!({"x": "text"}));
        assert_eq!(made(&json!({"required": ["Order ID"]}), &[]), json!({"Order ID": "1001"}));
    }

    #[test]
    fn without_a_contract_there_is_still_something_to_send() {
        let event = made(&json!({"type": "object"}), &["Order ID"]);
        assert_eq!(event["Order ID"], "1001");
        assert!(event["Email Address"].is_string());
    }

    #[test]
    fn circles_end() {
        let endless = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}});
        made(&endless, &[]);
        let _ = sample(&Contract::parse(r##"{"$ref":"#"}"##).unwrap(), &UniqueFields::default());
    }
}
