//! The table loses nothing: what is not changed stays byte for byte, and a change is exactly what the table shows next.
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Added, Change, Class, Item, Kind, NotShown, Part, Shape, Table, edit};
use crate::event_types::{
    Contract,
    field::{Format, Identifies},
    spans::Node,
};

const ORDER: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["Email", "lines", "ghost"],
  "x-team": {"owner" : "web",   "since":1e3},
  "properties": {
    "Email": { "type": "string", "format": "email", "x-identifies": "email", "maxLength": 200 },
    "Status": {"enum": ["paid", "open", null], "type": ["null", "string"], "description": "Where it stands"},
    "Money": {"$ref": "#/$defs/money"},
    "Old": false, "Any": true,
    "lines": {
      "type": "array", "minItems": 1,
      "items": {"type": "object", "additionalProperties": false, "required": ["sku"], "properties": {
        "sku": {"type": "string", "pattern": "^[A-Z]+$", "examples": ["TENT"]}, "n": {"type": "integer", "enum": [1, 2.0]}}}
    },
    "tags": {"type": "array", "items": {"type": "string"}}
  },
  "$defs": {"money": {"type": "number", "multipleOf": 0.01}},
  "allOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}}]
}"##;

fn table(text: &str) -> Table {
    Table::of(text).unwrap()
}

fn unchanged(table: &Table) -> Vec<Change> {
    table.rows.iter().map(|row| Change::To(row.shape.clone())).collect()
}

/// The text after one row was changed.
fn with(text: &str, path: &str, change: impl FnOnce(&mut Shape)) -> String {
    let table = table(text);
    let n = table.rows.iter().position(|row| row.path.to_string() == path).unwrap();
    let mut changes = unchanged(&table);
    let mut shape = table.rows[n].shape.clone();
    change(&mut shape);
    changes[n] = Change::To(shape);
    let after = edit(text, &changes, &[]).unwrap();
    Contract::parse(&after).unwrap();
    after
}

#[test]
fn a_contract_is_shown_with_what_is_kept() {
    let table = table(ORDER);
    let shown: Vec<_> = table
        .rows
        .iter()
        .map(|row| (row.path.to_string(), row.shape.kind.word(), row.shape.required, row.kept.join("; ")))
        .collect();
    let expected = [
        ("/Email", "email", true, "maxLength 200"),
        ("/Status", "text", false, ""),
        ("/Money", "as-written", false, ""),
        ("/Old", "as-written", false, ""),
        ("/Any", "any", false, ""),
        ("/lines", "list-of-objects", true, "minItems 1; items: additionalProperties false"),
        ("/lines/*/sku", "text", true, "pattern ^[A-Z]+$"),
        ("/lines/*/n", "integer", false, ""),
        ("/tags", "list-of-texts", false, ""),
    ];
    assert_eq!(shown, expected.map(|(path, kind, required, kept)| (path.to_owned(), kind, required, kept.to_owned())));
    assert_eq!(table.rows[0].shape.identifies, Some(Identifies::Email));
    assert_eq!((table.rows[1].shape.allowed.as_str(), table.rows[1].shape.nullable), ("paid\nopen", true));
    assert_eq!(table.rows[2].written.as_deref(), Some("#/$defs/money"));
    assert!(table.rows[3].locked && table.rows[6].shape.examples == "TENT" && table.rows[7].shape.allowed == "1\n2.0");
    let kept: Vec<_> = table.kept.iter().map(|kept| kept.split(' ').next().unwrap()).collect();
    assert_eq!(kept, ["x-team", "$defs", "allOf", "required"]);
}

#[test]
fn an_edit_writes_what_changed_and_nothing_else() {
    let optional = with(ORDER, "/Email", |shape| shape.required = false);
    assert_eq!(optional, ORDER.replace(r#"["Email", "lines", "ghost"]"#, r#"["lines", "ghost"]"#));
    let date = with(ORDER, "/Email", |shape| shape.kind = Kind::Formatted(Format::Date));
    assert_eq!(date, ORDER.replace(r#""format": "email", "#, r#""format": "date", "#));
    let text = with(ORDER, "/Email", |shape| shape.kind = Kind::Text);
    assert_eq!(text, ORDER.replace(r#""format": "email", "#, ""));
    let described = with(ORDER, "/lines/*/sku", |shape| shape.description = "Say \"it\"".into());
    assert_eq!(described, ORDER.replace(r#"["TENT"]}"#, r#"["TENT"], "description": "Say \"it\""}"#));
    let list = with(ORDER, "/tags", |shape| shape.kind = Kind::List(Some(Item::Integer)));
    assert_eq!(list, ORDER.replace(r#""items": {"type": "string"}"#, r#""items": {"type": "integer"}"#));
    let never_null = with(ORDER, "/Status", |shape| shape.nullable = false);
    let strict = ORDER.replace(r#"["paid", "open", null]"#, r#"["paid", "open"]"#);
    assert_eq!(never_null, strict.replace(r#"["null", "string"]"#, r#""string""#));
    let more = with(ORDER, "/Status", |shape| shape.allowed = "open\r\nin transit\r\n\r\n".into());
    assert_eq!(more, ORDER.replace(r#"["paid", "open", null]"#, r#"["open", "in transit", null]"#));
    let named = with(ORDER, "/lines", |shape| shape.name = "Order \"lines\"".into());
    let renamed = ORDER.replace(r#""lines": {"#, r#""Order \"lines\"": {"#);
    assert_eq!(named, renamed.replace(r#""lines", "ghost""#, r#""Order \"lines\"", "ghost""#));
    let locked = with(ORDER, "/Old", |shape| shape.description = "never".into());
    assert_eq!(locked, ORDER);
    let known = with(ORDER, "/Any", |shape| shape.kind = Kind::Integer);
    assert_eq!(known, ORDER.replace(r#""Any": true"#, "\"Any\": {\n      \"type\": \"integer\"\n    }"));
}

#[test]
fn fields_come_and_go() {
    let before = table(ORDER);
    let mut changes = unchanged(&before);
    changes[0] = Change::Remove;
    changes[7] = Change::Remove;
    let after = edit(ORDER, &changes, &[]).unwrap();
    assert!(!after.contains("Email") && !after.contains("2.0"));
    assert!(after.contains(r#""required": ["lines", "ghost"]"#) && after.contains("^[A-Z]+$"));

    let price = Shape { name: "a/b".into(), kind: Kind::Number, required: true, ..Shape::default() };
    let added = [
        Added { within: None, shape: price.clone() },
        Added { within: Some(5), shape: Shape { allowed: "x\ny".into(), kind: Kind::Text, ..price.clone() } },
    ];
    let after = edit(ORDER, &unchanged(&before), &added).unwrap();
    let now = table(&after);
    assert_eq!(now.rows.len(), before.rows.len() + 2);
    let found = |path: &str| now.rows.iter().find(|row| row.path.to_string() == path).unwrap().shape.clone();
    assert_eq!(found("/a~1b"), price);
    assert_eq!((found("/lines/*/a~1b").allowed.as_str(), found("/lines/*/a~1b").required), ("x\ny", true));

    for empty in ["true", "{}", r#"{"type":"object"}"#] {
        let after = edit(empty, &[], &added[..1]).unwrap();
        assert_eq!(table(&after).rows[0].shape, price, "{after}");
    }
    assert_eq!(Table::of("false"), Err(NotShown::TakesNothing));
}

#[test]
fn two_fields_may_change_names() {
    let text =
        r#"{"properties":{"a":{"properties":{"x":{"minLength":1},"y":true}},"b":{"type":"string"}},"required":["a"]}"#;
    let before = table(text);
    let mut changes = unchanged(&before);
    for (n, name) in [(0, "b"), (1, "y"), (2, "x"), (3, "a")] {
        changes[n] = Change::To(Shape { name: name.into(), ..before.rows[n].shape.clone() });
    }
    let after = edit(text, &changes, &[]).unwrap();
    assert_eq!(
        after,
        r#"{"properties":{"b":{"properties":{"y":{"minLength":1},"x":true}},"a":{"type":"string"}},"required":["b"]}"#
    );
}

#[test]
fn what_is_amiss_is_told_at_its_row() {
    let before = table(ORDER);
    let mut changes = unchanged(&before);
    changes[0] = Change::To(Shape { name: "Status".into(), ..before.rows[0].shape.clone() });
    changes[7] = Change::To(Shape { allowed: "1\ntwo".into(), ..before.rows[7].shape.clone() });
    let added = [Added { within: Some(0), shape: Shape::default() }];
    let amiss = edit(ORDER, &changes, &added).unwrap_err();
    let told: Vec<_> = amiss.iter().map(|(row, part, _)| (*row, *part)).collect();
    assert_eq!(told, [(1, Part::Name), (9, Part::Name), (7, Part::Allowed), (9, Part::Within)]);
    assert!(amiss[2].2.contains("two"));
}

#[test]
fn a_contract_of_very_many_fields_is_left_to_json() {
    let fields: Map<String, Value> = (0..301).map(|n| (format!("f{n}"), json!({}))).collect();
    assert_eq!(Table::of(&json!({"properties": fields}).to_string()), Err(NotShown::TooMany));
}

/// A schema with what the table knows, and with what it does not.
fn schema(depth: u32) -> BoxedStrategy<Value> {
    let keyword = |name: &'static str, values: Vec<Value>| {
        prop::option::of(prop::sample::select(values))
            .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let types = vec![
        json!("string"),
        json!("integer"),
        json!("number"),
        json!("boolean"),
        json!("array"),
        json!("object"),
        json!(["string", "null"]),
        json!(["null", "integer"]),
        json!(["string", "number"]),
        json!("null"),
    ];
    let scalars = (
        keyword("type", types),
        keyword("format", vec![json!("email"), json!("phone"), json!("ipv4"), json!("date")]),
        keyword(
            "enum",
            vec![
                json!(["a", "b"]),
                json!([1, 2.50]),
                json!(["a", null]),
                json!([{"k": 1}]),
                json!([" x "]),
                json!([true]),
            ],
        ),
        keyword("description", vec![json!("Words"), json!(" spaced\r\n")]),
        keyword("x-identifies", vec![json!("email"), json!("id"), json!("iris"), json!(5)]),
        keyword("examples", vec![json!(["x"]), json!([1, "x"]), json!([])]),
        keyword("minLength", vec![json!(2), json!(1.0e1)]),
        keyword("x-custom", vec![json!({"a": [1, {"b": null}]}), json!("<b>")]),
        keyword("patternProperties", vec![json!({"^x": {"type": "string"}})]),
        keyword("required", vec![json!(["a"]), json!(["a", "zz", "b"])]),
    );
    let scalars = scalars.prop_map(|(a, b, c, d, e, f, g, h, i, j)| {
        [a, b, c, d, e, f, g, h, i, j].into_iter().flatten().collect::<Map<String, Value>>()
    });
    if depth == 0 {
        return prop_oneof![4 => scalars.prop_map(Value::Object), 1 => any::<bool>().prop_map(Value::Bool)].boxed();
    }
    let fields = prop::collection::btree_map("a|b|Order ID|x/y|\"|é", schema(depth - 1), 0..4);
    (scalars, prop::option::of(fields), prop::option::of(schema(depth - 1)))
        .prop_map(|(mut rules, fields, items)| {
            if let Some(fields) = fields {
                rules.insert("properties".into(), Value::Object(fields.into_iter().collect()));
            }
            if let Some(items) = items {
                rules.insert("items".into(), items);
            }
            Value::Object(rules)
        })
        .boxed()
}

/// A schema's text, on one line or on many.
fn written() -> impl Strategy<Value = String> {
    (schema(2), 0..3).prop_map(|(schema, how)| match how {
        0 => schema.to_string(),
        1 => serde_json::to_string_pretty(&schema).unwrap(),
        _ => schema.to_string().replace(',', " ,\t").replace(':', ": "),
    })
}

fn shapes() -> impl Strategy<Value = Shape> {
    let kinds = Kind::choices();
    let identifies = prop::option::of(prop::sample::select(Identifies::ALL.to_vec()));
    (prop::sample::select(kinds), any::<bool>(), any::<bool>(), identifies, "|1\n2|5", "|7", "|Some words").prop_map(
        |(kind, nullable, required, identifies, allowed, examples, description)| Shape {
            name: String::new(),
            kind,
            nullable: nullable && kind != Kind::Any,
            required,
            identifies,
            allowed: if kind.can_be_listed() { allowed } else { String::new() },
            examples: if matches!(kind, Kind::Boolean) { String::new() } else { examples },
            description,
        },
    )
}

/// What no row shows, of a schema and all below it.
fn unseen(schema: &Value, top: bool) -> Value {
    let Value::Object(rules) = schema else { return json!({}) };
    let mut left = Map::new();
    for (key, value) in rules {
        let value = match (key.as_str(), value) {
            ("type" | "format" | "enum" | "description" | "examples" | "x-identifies" | "required", _) if !top => {
                continue;
            }
            ("properties", Value::Object(fields)) => {
                fields.iter().map(|(name, field)| (name.clone(), unseen(field, false))).collect()
            }
            ("items", items) => unseen(items, false),
            (_, value) => value.clone(),
        };
        if value != json!({}) {
            left.insert(key.clone(), value);
        }
    }
    Value::Object(left)
}

proptest! {
    #[test]
    fn what_is_not_changed_stays_byte_for_byte(text in written()) {
        let Ok(table) = Table::of(&text) else { return Ok(()) };
        prop_assert_eq!(edit(&text, &unchanged(&table), &[]).unwrap(), text.clone());
        // as browsers send it
        let posted: Vec<_> = table.rows.iter().map(|row| {
            let lines = |text: &str| text.replace('\n', "\r\n");
            let shape = row.shape.clone();
            Change::To(Shape { allowed: lines(&shape.allowed), examples: lines(&shape.examples), description: lines(&shape.description), ..shape })
        }).collect();
        prop_assert_eq!(edit(&text, &posted, &[]).unwrap(), text);
    }

    #[test]
    fn the_table_shows_what_was_edited_and_all_else_is_kept(text in written(), wanted in shapes(), which in any::<prop::sample::Index>()) {
        let Ok(before) = Table::of(&text) else { return Ok(()) };
        prop_assume!(!before.rows.is_empty());
        let n = which.index(before.rows.len());
        let row = &before.rows[n];
        prop_assume!(!row.locked && row.classes.0 != Some(Class::Booleans));
        let mut shape = Shape { name: row.shape.name.clone(), ..wanted };
        if !row.lists_allowed { shape.allowed = row.shape.allowed.clone(); }
        if !row.lists_examples { shape.examples = row.shape.examples.clone(); }
        let mut changes = unchanged(&before);
        changes[n] = Change::To(shape.clone());
        let after = edit(&text, &changes, &[]).unwrap();
        let now = Table::of(&after).unwrap();
        let same_place = now.rows.iter().find(|other| other.path == row.path).unwrap();
        if row.lists_allowed && row.lists_examples {
            // with other keywords beside it, "anything" is what they say
            if shape.kind == Kind::Any {
                prop_assert!(matches!(same_place.shape.kind, Kind::Any | Kind::AsWritten), "{after}");
                shape.kind = same_place.shape.kind;
            }
            prop_assert_eq!(&same_place.shape, &shape, "{} became {}", text, after);
        }
        // fields that come to light as a list becomes one of objects aside, the others are as they were
        let (tree, tree_after) = (Node::parse(&text).unwrap(), Node::parse(&after).unwrap());
        for other in &before.rows {
            let apart = !row.path.0.starts_with(&other.path.0) && !other.path.0.starts_with(&row.path.0);
            if apart {
                let at = other.path.in_schema();
                prop_assert_eq!(tree.at(&at).unwrap().raw(&text), tree_after.at(&at).unwrap().raw(&after));
            }
        }
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (mut old, mut new) = (read(&text), read(&after));
        for schema in [&mut old, &mut new] {
            schema.as_object_mut().unwrap().remove("required");
        }
        prop_assert_eq!(unseen(&old, true), unseen(&new, true), "{} became {}", text, after);
    }

    #[test]
    fn whatever_is_a_contract_is_shown_or_said_not_to_be(text in written(), noise in "\\PC{0,30}") {
        for text in [text, noise] {
            if Contract::parse(&text).is_ok() {
                let shown = Table::of(&text);
                prop_assert!(shown.is_ok() || text.trim() == "false", "{text}: {shown:?}");
            }
        }
    }
}
