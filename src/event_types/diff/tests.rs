//! What is said of two contracts, and that what is said holds.
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Each sentence with its effect.
fn told(old: &Value, new: &Value) -> Vec<String> {
    of_schemas(old, new).iter().map(|change| format!("{}: {}", change.effect.word(), change.words)).collect()
}

#[track_caller]
fn tells(old: &Value, new: &Value, sentence: &str) {
    assert_eq!(told(old, new), [sentence]);
}

fn of(rules: &Value) -> Value {
    json!({"type": "object", "properties": {"X": rules}})
}

#[test]
fn rules_of_a_field_are_told_by_its_name() {
    for (old, new, sentence) in [
        (json!({}), json!({"type": "number"}), "stricter: `X` must now be a number"),
        (json!({"type": "number"}), json!({}), "looser: `X` may now be of any type; it was a number"),
        (json!({"type": "number"}), json!({"type": "string"}), "either way: `X` must now be a text; it was a number"),
        (json!({"type": "string"}), json!({"type": ["string", "null"]}), "looser: `X` may now also be null"),
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string"}),
            "stricter: `X` may no longer be null: only a text",
        ),
        (
            json!({"type": "number"}),
            json!({"type": "integer"}),
            "stricter: `X` must now be a whole number; it was a number",
        ),
        (json!({"enum": ["EUR", "USD"]}), json!({"enum": ["EUR"]}), "stricter: `X` no longer allows `USD`"),
        (json!({"enum": ["EUR"]}), json!({"enum": ["EUR", "GBP", 1]}), "looser: `X` now also allows `GBP` and `1`"),
        (json!({}), json!({"enum": ["a", "b", "c"]}), "stricter: `X` allows only `a`, `b` and `c`"),
        (json!({"enum": ["1"]}), json!({}), "looser: `X` is no longer limited to `\"1\"`"),
        (json!({}), json!({"format": "email"}), "stricter: `X` must now be an e-mail address"),
        (json!({"format": "email"}), json!({}), "looser: `X` need no longer be an e-mail address"),
        (
            json!({"format": "uuid"}),
            json!({"format": "date"}),
            "either way: `X` must now be a date, such as 2026-01-31; it was a UUID",
        ),
        (json!({"minimum": 1}), json!({"minimum": 5}), "stricter: `X` must now be at least 5 (it was 1)"),
        (
            json!({"maxLength": 3}),
            json!({"maxLength": 9}),
            "looser: `X` must now be at most 9 characters long (it was 3)",
        ),
        (json!({"maxItems": 3}), json!({}), "looser: `X` need no longer hold at most 3 items"),
        (
            json!({"pattern": "^a"}),
            json!({"pattern": "^b"}),
            "either way: The pattern of `X` changed from `^a` to `^b`",
        ),
        (json!({"title": "T"}), json!({}), "no effect: The title of `X` is gone; it was `T`"),
        (json!({}), json!({"x-own": {"a": 1}}), "no effect: The keyword `x-own` of `X` is new: `{\"a\":1}`"),
        (json!({}), json!({"x-identifies": "email"}), "no effect: `X` now identifies a person, by e-mail address"),
        (json!({"const": 1}), json!({}), "looser: `X` need no longer be exactly `1`"),
        (
            json!({"type": "string"}),
            json!({"type": ["string"]}),
            "no effect: `X` is of the same type, written differently",
        ),
        (
            json!({}),
            json!({"not": {"type": "null"}}),
            "stricter: The keyword `not` of `X` is new: `{\"type\":\"null\"}`",
        ),
        (
            json!({"not": {"type": ["null", "string"]}}),
            json!({"not": {"type": "null"}}),
            "looser: `X`, in `not` may no longer be a text: only null",
        ),
        (json!({"uniqueItems": true}), json!({}), "looser: `X` may now hold an item twice"),
        (
            json!({"if": true}),
            json!({"if": false}),
            "either way: The keyword `if` of `X` changed from `true` to `false`",
        ),
    ] {
        tells(&of(&old), &of(&new), sentence);
    }
}

#[test]
fn fields_come_go_and_become_required() {
    let old = json!({"required": ["Amount"], "properties": {"Amount": {"type": "number"}, "Old": {"type": "string"}}});
    let new = json!({"required": ["Amount", "Email", "Free"], "properties": {"Amount": {"type": "number"},
        "Discount": {"type": "number"}, "Email": {"type": "string", "format": "email"}}});
    assert_eq!(
        told(&old, &new),
        [
            "stricter: A new optional field `Discount` (number)",
            "stricter: A new required field `Email` (e-mail address)",
            "stricter: `Free` became required",
            "looser: `Old` is no longer described; it may be anything, as any other field (it was: text)",
        ]
    );
    assert_eq!(overall(&of_schemas(&old, &new)), Effect::Changed);
    let closed = |schema: &Value| {
        let mut schema = schema.clone();
        schema["additionalProperties"] = false.into();
        schema
    };
    let closed = told(&closed(&old), &closed(&new));
    assert!(closed.contains(&"looser: A new optional field `Discount` (number)".to_owned()), "{closed:?}");
    assert!(closed.iter().any(|said| said.starts_with("stricter: `Old` is no longer a field")), "{closed:?}");
    tells(&json!({"required": ["a", "b"]}), &json!({"required": ["b"]}), "looser: `a` is no longer required");
    tells(
        &json!({}),
        &json!({"additionalProperties": false}),
        "stricter: Other fields of the event are no longer allowed",
    );
    tells(&json!({"additionalProperties": false}), &json!({}), "looser: Other fields of the event are now allowed");
}

#[test]
fn what_stands_deeper_is_told_by_its_place() {
    let lines =
        |rules: &Value| json!({"properties": {"lines": {"type": "array", "items": {"properties": {"sku": rules}}}}});
    let (old, new) = (lines(&json!({})), lines(&json!({"type": "string"})));
    tells(&old, &new, "stricter: `/lines/*/sku` must now be a text");
    assert_eq!(of_schemas(&old, &new)[0].path, "/lines/*/sku");
    let odd = |rules: &Value| json!({"properties": {"/a~": rules}});
    tells(&odd(&json!({})), &odd(&json!({"minimum": 0})), "stricter: `/~1a~0` must now be at least 0");
    let money =
        |least: u8| json!({"properties": {"X": {"$ref": "#/$defs/Money"}}, "$defs": {"Money": {"minimum": least}}});
    tells(&money(0), &money(1), "stricter: The definition `Money` must now be at least 1 (it was 0)");
    let forms = |least: u8| json!({"anyOf": [{"type": "null"}, {"properties": {"n": {"minimum": least}}}]});
    tells(&forms(2), &forms(1), "looser: `n`, form 2 of `anyOf` must now be at least 1 (it was 2)");
}

#[test]
fn what_depends_on_more_than_its_place_is_not_promised() {
    // a reference inside a negation turns its definition around
    let turned = |least: u8| json!({"not": {"$ref": "#/$defs/d"}, "$defs": {"d": {"minimum": least}}});
    assert_eq!(of_schemas(&turned(0), &turned(1))[0].effect, Effect::Changed);
    let one = |least: u8| json!({"oneOf": [{"minimum": least}, {"maximum": 3}]});
    assert_eq!(of_schemas(&one(0), &one(1))[0].effect, Effect::Changed);
    let seen = |fields: &Value| json!({"unevaluatedProperties": false, "properties": fields});
    assert_eq!(of_schemas(&seen(&json!({})), &seen(&json!({"a": true})))[0].effect, Effect::Changed);
    // a reference may lead to what would be a remark anywhere else
    let odd = |n: u8| json!({"$ref": "#/examples/0", "examples": [{"minimum": n}]});
    assert_eq!(of_schemas(&odd(0), &odd(1))[0].effect, Effect::Changed);
}

fn small_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        (0..4_i64).prop_map(Value::from),
        Just(json!(1.5)),
        prop::sample::select(vec!["", "a", "ab", "EUR", "a@example.com"]).prop_map(Value::from),
    ]
}

fn event() -> impl Strategy<Value = Value> {
    small_value().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            2 => prop::collection::btree_map("a|b|c|ab", inner.clone(), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

fn types() -> impl Strategy<Value = Value> {
    let names = vec!["string", "integer", "number", "boolean", "array", "object", "null"];
    prop_oneof![
        prop::sample::select(names.clone()).prop_map(Value::from),
        prop::sample::subsequence(names, 1..4).prop_map(Value::from),
    ]
}

/// One keyword and its value, over as few names and numbers as meet often.
fn keyword(inner: BoxedStrategy<Value>) -> impl Strategy<Value = (&'static str, Value)> {
    let names = || prop::sample::subsequence(vec!["a", "b", "c"], 0..3).prop_map(Value::from);
    let map = |keys: &'static str, inner: BoxedStrategy<Value>| {
        prop::collection::btree_map(keys, inner, 0..3).prop_map(|fields| Value::Object(fields.into_iter().collect()))
    };
    let some = |inner: BoxedStrategy<Value>| prop::collection::vec(inner, 1..3).prop_map(Value::from);
    let with = |name: &'static str| move |value: Value| (name, value);
    let limits = vec![
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ];
    prop_oneof![
        3 => types().prop_map(with("type")),
        2 => prop::collection::vec(small_value(), 1..4).prop_map(Value::from).prop_map(with("enum")),
        1 => small_value().prop_map(with("const")),
        3 => (prop::sample::select(limits), 0..4_i64).prop_map(|(name, n)| (name, n.into())),
        1 => prop::sample::select(vec!["email", "date"]).prop_map(|name| ("format", name.into())),
        1 => prop::sample::select(vec!["^a", "b$"]).prop_map(|name| ("pattern", name.into())),
        1 => any::<bool>().prop_map(|on| ("uniqueItems", on.into())),
        1 => prop::sample::select(vec!["title", "x-own", "description"]).prop_map(|name| (name, "word".into())),
        4 => map("a|b|ab", inner.clone()).prop_map(with("properties")),
        3 => names().prop_map(with("required")),
        2 => prop_oneof![any::<bool>().prop_map(Value::from).boxed(), inner.clone()].prop_map(with("additionalProperties")),
        2 => inner.clone().prop_map(with("items")),
        1 => some(inner.clone()).prop_map(with("prefixItems")),
        1 => map("[ab]", inner.clone()).prop_map(with("patternProperties")),
        1 => inner.clone().prop_map(with("propertyNames")),
        1 => inner.clone().prop_map(with("not")),
        1 => inner.clone().prop_map(with("contains")),
        1 => (0..3_i64).prop_map(|n| ("maxContains", n.into())),
        1 => (0..3_i64).prop_map(|n| ("minContains", n.into())),
        1 => prop::sample::select(vec!["if", "then", "else"]).prop_flat_map(inner_of),
        1 => map("a|b", inner.clone()).prop_map(with("dependentSchemas")),
        3 => (prop::sample::select(vec!["anyOf", "allOf", "oneOf"]), some(inner.clone())),
        1 => any::<bool>().prop_map(|on| ("unevaluatedProperties", on.into())),
        1 => Just(("$ref", "#/$defs/d".into())),
    ]
}

fn inner_of(name: &'static str) -> impl Strategy<Value = (&'static str, Value)> {
    (types(), 0..4_i64).prop_map(move |(kind, least)| (name, json!({"type": kind, "minimum": least})))
}

fn part() -> BoxedStrategy<Value> {
    let leaf =
        prop_oneof![4 => types().prop_map(|kind| json!({"type": kind})), 1 => any::<bool>().prop_map(Value::from)];
    let whole = leaf.prop_recursive(3, 20, 4, |inner| {
        prop::collection::vec(keyword(inner.boxed()), 0..4)
            .prop_map(|rules| Value::Object(rules.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    });
    whole.boxed()
}

/// A schema whose references lead somewhere.
fn schema() -> impl Strategy<Value = Value> {
    (part(), part()).prop_map(|(mut schema, definition)| {
        if let Value::Object(rules) = &mut schema {
            rules.insert("$defs".into(), json!({"d": definition}));
        }
        schema
    })
}

/// A schema, and one that was made of it by putting some parts of another in their place.
fn pair() -> impl Strategy<Value = (Value, Value)> {
    (schema(), schema(), prop::collection::vec(any::<prop::sample::Index>(), 1..3), any::<bool>()).prop_map(
        |(old, other, picks, remove)| {
            let mut new = old.clone();
            for pick in picks {
                let (Value::Object(new), Value::Object(other)) = (&mut new, &other) else { break };
                let nested = new.get("properties").and_then(|fields| fields.get("a")).is_some_and(Value::is_object);
                let target = if nested && pick.index(2) == 0 { &mut new["properties"]["a"] } else { &mut Value::Null };
                let target = if let Value::Object(inner) = target { inner } else { new };
                if other.is_empty() {
                    break;
                }
                let (name, value) = other.iter().nth(pick.index(other.len())).unwrap();
                if name == "$defs" && !target.contains_key("$defs") {
                    continue;
                }
                if remove && name != "$defs" {
                    target.remove(name);
                } else {
                    target.insert(name.clone(), value.clone());
                }
            }
            (old, new)
        },
    )
}

fn anything() -> impl Strategy<Value = Value> {
    small_value().prop_recursive(4, 40, 5, |inner| {
        let names = "type|properties|required|items|enum|a|\\$ref|\\$defs|not|anyOf|minimum|format|x";
        prop_oneof![
            3 => prop::collection::btree_map(names, inner.clone(), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_goes_unsaid((old, new) in pair()) {
        prop_assert_eq!(of_schemas(&old, &new).is_empty(), old == new);
        prop_assert!(of_schemas(&old, &old).is_empty());
    }

    /// Whatever JSON it is, whether a schema or not.
    #[test]
    fn nothing_goes_unsaid_of_what_is_no_schema(old in anything(), new in anything()) {
        prop_assert_eq!(of_schemas(&old, &new).is_empty(), old == new);
    }

    #[test]
    fn what_is_said_holds((old, new) in pair(), events in prop::collection::vec(event(), 40)) {
        let parsed = (Contract::parse(&old.to_string()), Contract::parse(&new.to_string()));
        let (Ok(before), Ok(after)) = parsed else { return Ok(()) };
        let changes = of_schemas(&old, &new);
        let whole = overall(&changes);
        for event in events {
            let (was, is) = (before.check(&event).is_empty(), after.check(&event).is_empty());
            let said: Vec<_> = changes.iter().map(|change| format!("{:?} {}", change.effect, change.words)).collect();
            match whole {
                Effect::Looser => prop_assert!(!was || is, "{event} was right and is wrong: {said:?} {old} {new}"),
                Effect::Stricter => prop_assert!(was || !is, "{event} was wrong and is right: {said:?} {old} {new}"),
                Effect::Neutral => prop_assert_eq!(was, is, "{} is judged differently: {:?} {} {}", event, said, old, new),
                Effect::Changed => {}
            }
        }
    }
}
