//! Contracts: what the events of a type must hold, as JSON Schema (draft 2020-12), compiled once and asked often.
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use jsonschema::{Draft, PatternOptions, ReferencingError, Validator, error::ValidationErrorKind};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub use super::breach::Breach;
use super::{
    breach::{self, MOST_BREACHES},
    field,
};

/// The longest text, in bytes.
const LONGEST: usize = 256 << 10;
/// How deep objects and arrays may stand inside each other.
const DEEPEST: usize = 64;
/// How many steps of nesting and reference lead from the top to any rule: it bounds the stack.
const FARTHEST: usize = 512;
/// How many rules there may be once every reference is written out: references to references multiply.
const WIDEST: u64 = 1 << 20;
/// The most memory of one compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The draft that contracts are written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A contract. Cheap to clone; clones share what was compiled.
#[derive(Clone)]
pub struct Contract(Arc<Inner>);

struct Inner {
    text: String,
    compiled: OnceLock<Option<Compiled>>,
}

struct Compiled {
    validator: Validator,
    /// Every object keeps it.
    takes_all: bool,
}

/// Why a text is no contract. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// It is too long.
    #[error("a contract has at most {} KiB", LONGEST >> 10)]
    TooLong,
    /// It is nested too deep.
    #[error("objects and arrays stand at most {DEEPEST} deep in a contract")]
    TooDeep,
    /// It is no JSON.
    #[error("this is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no schema.
    #[error("a contract is a JSON object, or true or false")]
    NotASchema,
    /// It is written in another draft.
    #[error("contracts are written in JSON Schema 2020-12: set $schema to {DRAFT}, or leave it out")]
    AnotherDraft,
    /// It refers to a document elsewhere.
    #[error(
        "it refers to {0}, and documents elsewhere are never fetched: copy that part into $defs and refer to it as #/$defs/…"
    )]
    Remote(String),
    /// It refers to a part that it does not have.
    #[error("it refers to {0}, which it does not have")]
    Dangling(String),
    /// Its references lead too far.
    #[error("its references lead through more than {FARTHEST} steps, or write out to more than {WIDEST} rules")]
    TooLarge,
    /// A pattern that the engine does not take.
    #[error("at {path}: the pattern cannot be used: look-ahead, look-behind and back-references are not supported")]
    Pattern {
        /// Where, as a JSON pointer.
        path: String,
    },
    /// A keyword is used wrongly.
    #[error("at {path}: {message}")]
    Misused {
        /// Where, as a JSON pointer.
        path: String,
        /// What is wrong there.
        message: String,
    },
}

impl Contract {
    /// Reads and compiles a contract.
    ///
    /// # Errors
    /// See [`ContractError`].
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        let compiled = compile(text)?;
        Ok(Self(Arc::new(Inner { text: text.to_owned(), compiled: OnceLock::from(Some(compiled)) })))
    }

    /// A contract that was parsed before it was stored: it is compiled when first asked.
    pub(super) fn stored(text: String) -> Self {
        Self(Arc::new(Inner { text, compiled: OnceLock::new() }))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether every JSON object keeps it, so that nobody need ask.
    pub fn accepts_anything(&self) -> bool {
        self.compiled().is_some_and(|compiled| compiled.takes_all)
    }

    /// What is wrong with an event: nothing when it keeps the contract. At most twenty breaches are told.
    pub fn check(&self, event: &Value) -> Vec<Breach> {
        let Some(compiled) = self.compiled() else {
            return vec![Breach::new("", "contract", "the contract of this event type cannot be read: save it anew")];
        };
        // most events are right, and to know that much is several times cheaper
        if compiled.validator.is_valid(event) {
            return Vec::new();
        }
        let mut breaches = Vec::new();
        for error in compiled.validator.iter_errors(event) {
            breach::explain(&error, &mut breaches);
            if breaches.len() >= MOST_BREACHES {
                breaches.truncate(MOST_BREACHES);
                break;
            }
        }
        breaches
    }

    /// The schema as JSON.
    pub fn schema(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// The keys that it names at the top of an event.
    pub fn keys(&self) -> Vec<String> {
        let schema = self.schema();
        schema["properties"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    }

    fn compiled(&self) -> Option<&Compiled> {
        let compile = || match compile(self.text()) {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                tracing::error!(%error, "a stored contract cannot be compiled");
                None
            }
        };
        self.0.compiled.get_or_init(compile).as_ref()
    }
}

impl Default for Contract {
    /// Any object.
    fn default() -> Self {
        Self::stored(r#"{"type":"object"}"#.to_owned())
    }
}

impl PartialEq for Contract {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text()
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contract").field(&self.text()).finish()
    }
}

impl Serialize for Contract {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

fn compile(text: &str) -> Result<Compiled, ContractError> {
    if text.len() > LONGEST {
        return Err(ContractError::TooLong);
    }
    let schema: Value = serde_json::from_str(text).map_err(|error| {
        // the parser gives up at a depth of its own, before ours can be counted
        if error.to_string().starts_with("recursion limit") {
            ContractError::TooDeep
        } else {
            ContractError::NotJson(error.to_string())
        }
    })?;
    if !(schema.is_object() || schema.is_boolean()) {
        return Err(ContractError::NotASchema);
    }
    if depth(&schema) > DEEPEST {
        return Err(ContractError::TooDeep);
    }
    if schema.get("$schema").is_some_and(|draft| draft.as_str().map(|draft| draft.trim_end_matches('#')) != Some(DRAFT))
    {
        return Err(ContractError::AnotherDraft);
    }
    Extent { schema: &schema, known: HashMap::new() }.of(&schema, 0)?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        // JSON Schema has no word for telephone numbers, and customers have little else
        .with_format(field::PHONE, field::is_phone)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE))
        .build(&schema)
        .map_err(|error| misuse(&error))?;
    Ok(Compiled { validator, takes_all: takes_all(&schema) })
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How far a schema extends when its references are followed.
struct Extent<'s> {
    schema: &'s Value,
    /// Size of what each reference leads to; one while it is being found out, so that circles end.
    known: HashMap<&'s str, (u64, usize)>,
}

impl<'s> Extent<'s> {
    /// How many values `part` writes out to, and how many steps lead to the farthest of them.
    fn of(&mut self, part: &'s Value, from: usize) -> Result<(u64, usize), ContractError> {
        if from > FARTHEST {
            return Err(ContractError::TooLarge);
        }
        let (mut width, mut height) = (1_u64, 0);
        let mut add = |(wide, high): (u64, usize)| {
            width = width.saturating_add(wide);
            height = height.max(high + 1);
        };
        match part {
            Value::Array(items) => {
                for item in items {
                    add(self.of(item, from + 1)?);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    // definitions count where they are referred to
                    if key == "$defs" || key == "definitions" {
                        continue;
                    }
                    add(self.of(value, from + 1)?);
                    if key == "$ref" || key == "$dynamicRef" {
                        add(self.behind(value, from + 1)?);
                    }
                }
            }
            _ => {}
        }
        if width > WIDEST || from + height > FARTHEST {
            return Err(ContractError::TooLarge);
        }
        Ok((width, height))
    }

    fn behind(&mut self, reference: &'s Value, from: usize) -> Result<(u64, usize), ContractError> {
        let Some(pointer) = reference.as_str().and_then(|reference| reference.strip_prefix('#')) else {
            return Ok((1, 0));
        };
        if let Some(&known) = self.known.get(pointer) {
            return Ok(known);
        }
        let Some(target) = self.schema.pointer(pointer) else { return Ok((1, 0)) };
        self.known.insert(pointer, (1, 0));
        let extent = self.of(target, from)?;
        self.known.insert(pointer, extent);
        Ok(extent)
    }
}

/// Whether a schema demands nothing of an object.
fn takes_all(schema: &Value) -> bool {
    match schema {
        Value::Bool(takes) => *takes,
        Value::Object(keywords) => keywords.iter().all(|(keyword, value)| match keyword.as_str() {
            "$schema" | "$id" | "$comment" | "$defs" | "title" | "description" | "default" | "examples" => true,
            "type" => value == "object",
            _ => false,
        }),
        _ => false,
    }
}

fn misuse(error: &jsonschema::ValidationError<'_>) -> ContractError {
    if let ValidationErrorKind::Referencing(error) = error.kind() {
        return match error {
            ReferencingError::Unretrievable { uri, .. } => ContractError::Remote(uri.clone()),
            ReferencingError::PointerToNowhere { pointer } => ContractError::Dangling(format!("#{pointer}")),
            ReferencingError::NoSuchAnchor { anchor } | ReferencingError::InvalidAnchor { anchor } => {
                ContractError::Dangling(format!("#{anchor}"))
            }
            ReferencingError::UnknownSpecification { .. } => ContractError::AnotherDraft,
            other => ContractError::Dangling(other.to_string()),
        };
    }
    let path = match error.instance_path().as_str() {
        "" => "the top".to_owned(),
        path => path.to_owned(),
    };
    if matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex") {
        return ContractError::Pattern { path };
    }
    if path.ends_with("/type") {
        let message = "expected array, boolean, integer, null, number, object or string, or a list of them".into();
        return ContractError::Misused { path, message };
    }
    let mut breaches = Vec::new();
    breach::explain(error, &mut breaches);
    match breaches.into_iter().next() {
        Some(breach) if breach.path.is_empty() => ContractError::Misused { path, message: breach.message },
        Some(breach) => ContractError::Misused { path: breach.path, message: breach.message },
        None => ContractError::Misused { path, message: "this is no JSON Schema".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn contract(schema: &Value) -> Contract {
        Contract::parse(&schema.to_string()).unwrap()
    }

    /// Path, rule and message of each breach.
    fn told(schema: &Value, event: &Value) -> Vec<(String, String, String)> {
        contract(schema).check(event).into_iter().map(|b| (b.path, b.rule, b.message)).collect()
    }

    #[track_caller]
    fn tells(schema: &Value, event: &Value, path: &str, rule: &str, message: &str) {
        assert_eq!(told(schema, event), [(path.to_owned(), rule.to_owned(), message.to_owned())]);
    }

    fn field(rules: &Value) -> Value {
        json!({"type": "object", "properties": {"a": rules}})
    }

    #[test]
    fn the_wire_sees_path_rule_and_message() {
        let breaches = contract(&field(&json!({"type": "number"}))).check(&json!({"a": "x"}));
        assert_eq!(
            serde_json::to_string(&breaches).unwrap(),
            r#"[{"path":"/a","rule":"type","message":"expected a number, got a string"}]"#
        );
    }

    #[test]
    fn types_are_told_by_name() {
        for (rules, value, message) in [
            (json!("integer"), json!(1.5), "expected a whole number, got a number with a fraction"),
            (json!("integer"), json!("1"), "expected a whole number, got a string"),
            (json!(["null", "string"]), json!(true), "expected a string or null, got a boolean"),
            (json!(["array", "object", "string"]), json!(null), "expected a string, an array or an object, got null"),
            (json!("boolean"), json!([1]), "expected a boolean, got an array"),
        ] {
            tells(&field(&json!({"type": rules})), &json!({"a": value}), "/a", "type", message);
        }
        tells(&json!({"type": "object"}), &json!([]), "", "type", "expected an object, got an array");
    }

    #[test]
    fn what_is_missing_is_named_by_its_own_place() {
        let schema = json!({"required": ["Email", "a/b~c"], "properties": {"in": {"required": ["x"]}}});
        let paths: Vec<_> = told(&schema, &json!({"in": {}})).into_iter().map(|(path, ..)| path).collect();
        assert_eq!(paths, ["/Email", "/a~1b~0c", "/in/x"]);
        tells(&json!({"required": ["Email"]}), &json!({}), "/Email", "required", "is required but missing");
    }

    #[test]
    fn limits_are_told_and_values_are_not() {
        let secret = "4111-1111";
        for (rules, value, rule, message) in [
            (json!({"enum": ["a", "b"]}), json!(secret), "enum", "is none of the allowed values"),
            (json!({"const": 1}), json!(secret), "const", "is not the one allowed value"),
            (json!({"format": "email"}), json!(secret), "format", "is not a valid e-mail address"),
            (
                json!({"format": "date-time"}),
                json!(secret),
                "format",
                "is not a valid date-time, such as 2026-01-31T12:00:00Z",
            ),
            (json!({"minLength": 20}), json!(secret), "minLength", "must have at least 20 characters"),
            (json!({"maxLength": 1}), json!(secret), "maxLength", "must have at most 1 character"),
            (json!({"pattern": "^x+$"}), json!(secret), "pattern", "does not match the pattern ^x+$"),
            (json!({"minimum": 5}), json!(4), "minimum", "must be at least 5"),
            (json!({"exclusiveMaximum": 2.5}), json!(2.5), "exclusiveMaximum", "must be less than 2.5"),
            (json!({"multipleOf": 0.5}), json!(0.3), "multipleOf", "must be a multiple of 0.5"),
            (json!({"minItems": 1}), json!([]), "minItems", "must have at least 1 item"),
            (json!({"uniqueItems": true}), json!([secret, secret]), "uniqueItems", "holds an item twice"),
            (
                json!({"contains": {"type": "null"}}),
                json!([secret]),
                "contains",
                "does not hold the items that it must hold",
            ),
            (json!({"maxProperties": 0}), json!({"k": secret}), "maxProperties", "must have at most 0 fields"),
            (json!({"not": {"type": "string"}}), json!(secret), "not", "is in a form that the contract rules out"),
            (json!(false), json!(secret), "false", "is not allowed here"),
        ] {
            tells(&field(&rules), &json!({"a": value}), "/a", rule, message);
            assert!(!message.contains(secret));
        }
    }

    #[test]
    fn unknown_fields_are_each_named() {
        let closed = json!({"properties": {"a": {}}, "additionalProperties": false});
        tells(&closed, &json!({"a": 1, "b/c": 2}), "/b~1c", "additionalProperties", "is not a field of the contract");
        let empty = json!({"additionalProperties": false});
        tells(&empty, &json!({"a": 1, "b": 2}), "", "additionalProperties", "must have no fields");
        let names = field(&json!({"propertyNames": {"maxLength": 2}}));
        tells(
            &names,
            &json!({"a": {"long": 1}}),
            "/a/long",
            "propertyNames",
            "is a name that the contract does not allow",
        );
    }

    #[test]
    fn of_several_forms_the_one_that_was_meant_is_explained() {
        let nullable =
            field(&json!({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"n": {"type": "number"}}}]}));
        tells(&nullable, &json!({"a": {"n": "x"}}), "/a/n", "type", "expected a number, got a string");
        tells(&nullable, &json!({"a": 1}), "/a", "anyOf", "expected an object or null, got a number");
        let one = field(&json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}));
        tells(&one, &json!({"a": 0}), "/a", "oneOf", "is in none of the 2 allowed forms");
        let message = "is in more than one of the allowed forms, and must be in exactly one";
        tells(&one, &json!({"a": 3}), "/a", "oneOf", message);
    }

    #[test]
    fn at_most_twenty_breaches_are_told() {
        let schema = json!({"additionalProperties": {"type": "string"}});
        let event: Value = (0..100).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(told(&schema, &event).len(), 20);
        let closed = json!({"properties": {"x": {}}, "required": ["x"], "additionalProperties": false});
        assert_eq!(told(&closed, &event).len(), 20);
    }

    #[test]
    fn long_keys_and_patterns_are_cut() {
        let event = json!({"é".repeat(1000): 1});
        let breaches = contract(&json!({"properties": {"x": {}}, "additionalProperties": false})).check(&event);
        assert!(breaches[0].path.len() < 600 && breaches[0].path.ends_with('…'));
    }

    #[test]
    fn local_references_work_and_others_are_refused() {
        let local = json!({"$defs": {"n": {"type": "number"}}, "properties": {"a": {"$ref": "#/$defs/n"}}});
        tells(&local, &json!({"a": "x"}), "/a", "type", "expected a number, got a string");
        for reference in ["https://example.com/schema.json", "http://127.0.0.1:1/x", "file:///etc/passwd", "other.json"]
        {
            let error = Contract::parse(&json!({"$ref": reference}).to_string()).unwrap_err();
            assert!(matches!(error, ContractError::Remote(_)), "{reference}: {error:?}");
            assert!(error.to_string().contains("never fetched"), "{error}");
        }
        for reference in ["#/$defs/none", "#nowhere"] {
            let error = Contract::parse(&json!({"$ref": reference}).to_string()).unwrap_err();
            assert!(matches!(error, ContractError::Dangling(_)), "{reference}: {error:?}");
        }
    }

    #[test]
    fn what_is_no_contract_is_refused_with_words() {
        let nested = |depth: usize| format!("{}true{}", r#"{"not":"#.repeat(depth), "}".repeat(depth));
        for (text, said) in [
            ("", "this is not JSON"),
            ("{", "this is not JSON"),
            ("[]", "a contract is a JSON object"),
            ("null", "a contract is a JSON object"),
            (r#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "2020-12"),
            (r#"{"$schema":5}"#, "2020-12"),
            (r#"{"properties":{"a":{"type":"strng"}}}"#, "at /properties/a/type: expected array, boolean"),
            (r#"{"required":"a"}"#, "at /required: expected an array, got a string"),
            (r#"{"properties":{"a":{"pattern":"(?=x)"}}}"#, "look-ahead"),
            (r#"{"pattern":"("}"#, "at /pattern"),
            (&nested(65), "64 deep"),
            (&nested(500), "64 deep"),
            (&format!("{{\"title\":\"{}\"}}", "x".repeat(LONGEST)), "256 KiB"),
        ] {
            let error = Contract::parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text:.80}: {error}");
        }
        assert!(Contract::parse(&nested(64)).is_ok());
        assert!(Contract::parse(&json!({"$schema": DRAFT}).to_string()).is_ok());
    }

    #[test]
    fn references_that_multiply_or_lead_far_are_refused() {
        let doubling: serde_json::Map<_, _> = (0..40)
            .map(|n| (format!("d{n}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", n + 1)}, {"$ref": format!("#/$defs/d{}", n + 1)}]})))
            .chain([("d40".to_owned(), json!({"type": "number"}))])
            .collect();
        let far: serde_json::Map<_, _> = (0..5000)
            .map(|n| (format!("d{n}"), json!({"$ref": format!("#/$defs/d{}", n + 1)})))
            .chain([("d5000".to_owned(), json!(true))])
            .collect();
        for defs in [doubling, far] {
            let text = json!({"$ref": "#/$defs/d0", "$defs": defs}).to_string();
            assert_eq!(Contract::parse(&text).unwrap_err(), ContractError::TooLarge);
        }
    }

    #[test]
    fn circles_are_followed_no_further_than_the_event() {
        let list = json!({"$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "number"}}}}, "$ref": "#/$defs/n"});
        tells(&list, &json!({"next": {"next": {"v": "x"}}}), "/next/next/v", "type", "expected a number, got a string");
        for endless in [json!({"$ref": "#"}), json!({"allOf": [{"$ref": "#"}], "type": "object"})] {
            let _ = contract(&endless).check(&json!({"a": 1}));
            let _ = contract(&endless).check(&json!(1));
        }
    }

    #[test]
    fn what_demands_nothing_is_known() {
        for (schema, all) in [
            (json!(true), true),
            (json!({}), true),
            (json!({"type": "object", "title": "t", "$defs": {"x": false}}), true),
            (json!(false), false),
            (json!({"type": "array"}), false),
            (json!({"required": ["a"]}), false),
            (json!({"$ref": "#/$defs/x", "$defs": {"x": false}}), false),
        ] {
            assert_eq!(contract(&schema).accepts_anything(), all, "{schema}");
        }
        assert!(Contract::default().accepts_anything());
    }

    #[test]
    fn a_stored_contract_that_cannot_be_read_accepts_nothing() {
        let broken = Contract::stored("{".into());
        assert_eq!(broken.check(&json!({}))[0].rule, "contract");
        assert!(!broken.accepts_anything());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("a|b|Email|/|~|\\PC{0,4}", inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_event_is_checked_without_a_fault(event in any_json()) {
            let schemas = [
                json!({"type": "object", "required": ["Email"], "additionalProperties": false, "properties": {
                    "Email": {"type": "string", "format": "email"}, "a": {"type": ["integer", "null"], "minimum": 3},
                    "b": {"oneOf": [{"type": "string", "pattern": "^[a-z]+$"}, {"type": "array", "uniqueItems": true}]}}}),
                json!({"$defs": {"n": {"anyOf": [{"type": "null"}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/n"}},
                    {"type": "array", "items": {"$ref": "#/$defs/n"}, "maxItems": 2}]}}, "$ref": "#/$defs/n"}),
                json!({"propertyNames": {"maxLength": 2}, "unevaluatedProperties": false, "not": {"required": ["a"]}}),
            ];
            for schema in schemas {
                let contract = contract(&schema);
                let breaches = contract.check(&event);
                prop_assert!(breaches.len() <= 20);
                let plain = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
                prop_assert_eq!(breaches.is_empty(), plain.validate(&event).is_ok());
            }
        }

        #[test]
        fn any_text_and_any_json_is_a_contract_or_refused(text in "\\PC{0,40}", schema in any_json()) {
            let _ = Contract::parse(&text);
            if let Ok(contract) = Contract::parse(&schema.to_string()) {
                let _ = contract.check(&schema);
            }
        }
    }
}
