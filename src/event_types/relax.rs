//! The one change of a contract by which events that break a rule at a place would keep it. It is written into the
//! contract's text, every other character of which stays; and it is only proposed when the events then keep the
//! contract at that place.
use serde_json::{Value, json};

use super::{Contract, spans::Node, splice::Text, table::Table};

/// The most values that are told in words, and the most characters of each.
const TOLD: usize = 3;
const LONGEST: usize = 40;

/// What can be done with a contract about events that broke it.
#[derive(Debug, Clone, PartialEq)]
pub enum Relaxed {
    /// It takes them already.
    Already,
    /// This one change makes it take them.
    By(Change),
    /// No single change does, or the rule does not stand where the field does.
    No,
}

/// One change of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The contract with it.
    pub contract: Contract,
    /// What it says, behind the name of the field: "may also be a string".
    pub words: String,
}

/// An event that breaks the rule: its payload, and the place as a JSON pointer.
struct Evidence<'v> {
    payload: &'v Value,
    place: String,
}

/// What would make `contract` take `payloads`, which broke `rule` at places that `is_there` knows.
pub fn relax(contract: &Contract, rule: &str, payloads: &[Value], is_there: impl Fn(&str) -> bool) -> Relaxed {
    let evidence: Vec<_> = payloads
        .iter()
        .filter_map(|payload| {
            let breach =
                contract.check(payload).into_iter().find(|breach| breach.rule == rule && is_there(&breach.path));
            breach.map(|breach| Evidence { payload, place: breach.path })
        })
        .collect();
    if payloads.is_empty() {
        Relaxed::No
    } else if evidence.is_empty() {
        Relaxed::Already
    } else {
        by(contract, rule, &evidence).map_or(Relaxed::No, Relaxed::By)
    }
}

fn by(contract: &Contract, rule: &str, evidence: &[Evidence]) -> Option<Change> {
    let mut draft = Draft { text: Text::new(contract.text())?, rule, evidence };
    let words = draft.change()?;
    let contract = Contract::parse(&draft.text.into_string()).ok()?;
    let mended = |one: &Evidence| contract.check(one.payload).iter().all(|breach| breach.path != one.place);
    evidence.iter().all(mended).then_some(Change { contract, words })
}

/// The id, on the page of a contract as a table, of the row of a field: `/lines/*/sku`. None when it has none.
pub fn row_of(contract: &Contract, path: &str) -> Option<usize> {
    Table::of(contract.text()).ok()?.rows.iter().position(|row| row.path.to_string() == path)
}

struct Draft<'e> {
    text: Text,
    rule: &'e str,
    evidence: &'e [Evidence<'e>],
}

impl Draft<'_> {
    /// Makes the change; what it says.
    fn change(&mut self) -> Option<String> {
        match self.rule {
            "required" => self.unrequire(),
            "additionalProperties" | "unevaluatedProperties" => self.add(),
            "type" => self.widen(),
            "enum" => self.allow(),
            "const" => self.allow_besides(),
            "format" | "pattern" | "multipleOf" | "uniqueItems" => self.lift(),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => self.resize(),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => self.move_limit(),
            _ => None,
        }
    }

    /// Where the contract speaks of the place: the same for all of the evidence. `up`: of the object around it.
    fn schema(&self, up: bool) -> Option<Vec<String>> {
        let mut found = self.evidence.iter().map(|one| {
            let place = if up { one.place.rsplit_once('/')?.0 } else { one.place.as_str() };
            in_schema(one.payload, place)
        });
        let first = found.next()??;
        found.all(|other| other.as_ref() == Some(&first)).then_some(())?;
        self.node(&first)?.is_object().then_some(first)
    }

    fn node(&self, path: &[String]) -> Option<Node> {
        self.text.tree()?.at(path).cloned()
    }

    /// The keyword, if it stands there.
    fn keyword(&self, schema: &[String]) -> Option<Node> {
        self.node(schema)?.get(self.rule).cloned()
    }

    fn name(&self) -> Option<String> {
        let name = unescaped(self.evidence.first()?.place.rsplit_once('/')?.1);
        let all =
            self.evidence.iter().all(|one| one.place.rsplit_once('/').is_some_and(|(_, key)| unescaped(key) == name));
        all.then_some(name)
    }

    /// The values at the place, each once.
    fn values(&self) -> Option<Vec<Value>> {
        let mut values: Vec<Value> = Vec::new();
        for one in self.evidence {
            let value = one.payload.pointer(&one.place)?;
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        Some(values)
    }

    fn unrequire(&mut self) -> Option<String> {
        let (schema, name) = (self.schema(true)?, self.name()?);
        let required = below(&schema, "required");
        let items = self.node(&required)?.items().to_vec();
        let is_it = |item: &Node| item.read::<String>(self.text.as_str()).as_deref() == Some(&name);
        let places: Vec<_> = (0..items.len()).filter(|n| is_it(&items[*n])).collect();
        if places.is_empty() {
            return None;
        }
        if places.len() == items.len() {
            self.text.unset(&schema, "required")?;
        } else {
            for n in places.iter().rev() {
                self.text.pull(&required, *n)?;
            }
        }
        Some("may be missing".to_owned())
    }

    fn add(&mut self) -> Option<String> {
        let (schema, name) = (self.schema(true)?, self.name()?);
        if self.keyword(&schema)?.raw(self.text.as_str()) != "false" {
            return None;
        }
        let mut types = Vec::new();
        for value in self.values()? {
            let word = type_of(&value);
            if !types.contains(&word) {
                types.push(word);
            }
        }
        let properties = below(&schema, "properties");
        if self.node(&properties).is_none() {
            self.text.set(&schema, "properties", &json!({}))?;
        }
        let one = match types.as_slice() {
            [one] => json!({"type": one}),
            several => json!({"type": several}),
        };
        self.text.set(&properties, &name, &one)?;
        Some(format!("becomes a field of the contract: {}", listed(types.into_iter().map(spoken))))
    }

    fn widen(&mut self) -> Option<String> {
        let (schema, values) = (self.schema(false)?, self.values()?);
        let node = self.keyword(&schema)?;
        let is_list = !node.items().is_empty();
        let mut words: Vec<String> = match node.read::<String>(self.text.as_str()) {
            Some(one) => vec![one],
            None => node.items().iter().filter_map(|item| item.read(self.text.as_str())).collect(),
        };
        let path = below(&schema, "type");
        let mut said = Vec::new();
        for value in &values {
            let word = type_of(value);
            if words.iter().any(|known| known == word) {
                continue;
            }
            if let Some(n) = words.iter().position(|known| known == "integer" && word == "number") {
                // a number is all that a whole one is, and more
                if is_list {
                    self.text.swap(&path, n, word)?;
                }
                word.clone_into(&mut words[n]);
                said.push("a number with a fraction");
                continue;
            }
            if is_list {
                self.text.push(&path, word)?;
            }
            words.push(word.to_owned());
            said.push(spoken(word));
        }
        if !is_list {
            let whole = if let [one] = words.as_slice() { json!(one) } else { json!(words) };
            self.text.set(&schema, "type", &whole)?;
        }
        Some(format!("may also be {}", listed(said.into_iter())))
    }

    fn allow(&mut self) -> Option<String> {
        let (schema, values) = (self.schema(false)?, self.values()?);
        self.keyword(&schema)?;
        for value in &values {
            self.text.push(&below(&schema, "enum"), value.clone())?;
        }
        Some(also(&values))
    }

    /// Beside the one value that was allowed.
    fn allow_besides(&mut self) -> Option<String> {
        let (schema, values) = (self.schema(false)?, self.values()?);
        let first: Value = self.keyword(&schema)?.read(self.text.as_str())?;
        if self.node(&schema)?.get("enum").is_some() {
            return None;
        }
        let all: Vec<_> = std::iter::once(first).chain(values.iter().cloned()).collect();
        self.text.replace(&below(&schema, "const"), &all.into())?;
        self.text.rename(&schema, "const", "enum")?;
        Some(also(&values))
    }

    /// A rule that is not kept in part.
    fn lift(&mut self) -> Option<String> {
        let schema = self.schema(false)?;
        let said: Value = self.keyword(&schema)?.read(self.text.as_str())?;
        self.text.unset(&schema, self.rule)?;
        Some(match (self.rule, said) {
            ("format", Value::String(format)) => format!("need not be a valid {}", super::breach::format_name(&format)),
            ("pattern", said) => format!("need not match the pattern {}", short(&said)),
            ("multipleOf", said) => format!("need not be a multiple of {said}"),
            _ => "may hold an item twice".to_owned(),
        })
    }

    fn resize(&mut self) -> Option<String> {
        let (schema, values) = (self.schema(false)?, self.values()?);
        self.keyword(&schema)?;
        let (least, what) = (self.rule.starts_with("min"), &self.rule[3..]);
        let size = |value: &Value| match (what, value) {
            ("Length", Value::String(text)) => Some(text.chars().count()),
            ("Items", Value::Array(items)) => Some(items.len()),
            ("Properties", Value::Object(fields)) => Some(fields.len()),
            _ => None,
        };
        let sizes: Vec<_> = values.iter().map(size).collect::<Option<_>>()?;
        let limit = if least { sizes.iter().min() } else { sizes.iter().max() }?;
        self.text.set(&schema, self.rule, &json!(limit))?;
        let noun = match what {
            "Length" => "character",
            "Items" => "item",
            _ => "field",
        };
        let (bound, plural) = (if least { "as few as" } else { "up to" }, if *limit == 1 { "" } else { "s" });
        Some(format!("may have {bound} {limit} {noun}{plural}"))
    }

    fn move_limit(&mut self) -> Option<String> {
        let (schema, values) = (self.schema(false)?, self.values()?);
        let least = self.rule.ends_with("inimum");
        self.keyword(&schema)?;
        let number = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        let mut limit = values.first()?;
        for value in &values {
            let (new, old) = (number(value)?, number(limit)?);
            if (least && new < old) || (!least && new > old) {
                limit = value;
            }
        }
        let inclusive = if least { "minimum" } else { "maximum" };
        if self.rule == inclusive {
            self.text.set(&schema, inclusive, limit)?;
        } else if self.node(&schema)?.get(inclusive).is_some() {
            return None;
        } else {
            self.text.set(&schema, self.rule, limit)?;
            self.text.rename(&schema, self.rule, inclusive)?;
        }
        Some(format!("may be as {} as {limit}", if least { "small" } else { "large" }))
    }
}

/// Where a contract speaks of a place of an event, if it does so by `properties` and `items` alone.
fn in_schema(payload: &Value, place: &str) -> Option<Vec<String>> {
    let (mut keys, mut value) = (Vec::new(), payload);
    for key in place.split('/').skip(1).map(unescaped) {
        match value {
            Value::Array(items) => {
                value = items.get(key.parse::<usize>().ok()?)?;
                keys.push("items".to_owned());
            }
            Value::Object(fields) => {
                value = fields.get(&key).unwrap_or(&Value::Null);
                keys.extend(["properties".to_owned(), key]);
            }
            _ => return None,
        }
    }
    Some(keys)
}

fn below(schema: &[String], keyword: &str) -> Vec<String> {
    schema.iter().cloned().chain([keyword.to_owned()]).collect()
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// The type of a value, as a contract spells it. A number is any: that this one is whole says nothing of the next.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn spoken(word: &'static str) -> &'static str {
    match word {
        "boolean" => "a boolean",
        "number" => "a number",
        "string" => "a string",
        "array" => "an array",
        "object" => "an object",
        other => other,
    }
}

fn also(values: &[Value]) -> String {
    let told = values.iter().take(TOLD).map(short);
    let rest = values.len().saturating_sub(TOLD);
    let rest = (rest > 0).then(|| format!("{rest} more")).into_iter();
    format!("may also be {}", listed(told.chain(rest)))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    let start: String = text.chars().take(LONGEST).collect();
    if start.len() < text.len() { format!("{start}…") } else { start }
}

fn listed(all: impl Iterator<Item = impl ToString>) -> String {
    let all: Vec<_> = all.map(|one| one.to_string()).collect();
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a contract that is to take these events, and what is said of it.
    #[track_caller]
    fn relaxed(contract: &str, rule: &str, place: &str, events: &[&str]) -> Option<(String, String)> {
        let contract = Contract::parse(contract).unwrap();
        let events: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let is_there = |path: &str| path == place || path.replace(|c: char| c.is_ascii_digit(), "*") == place;
        match relax(&contract, rule, &events, is_there) {
            Relaxed::By(change) => Some((change.contract.text().to_owned(), change.words)),
            Relaxed::No => None,
            Relaxed::Already => panic!("{events:?} keep it"),
        }
    }

    #[test]
    fn each_rule_is_relaxed_by_one_change_and_every_other_character_stays() {
        for (rule, place, before, events, after, words) in [
            (
                "type",
                "/A",
                "{\n  \"properties\": {\n    \"A\": { \"type\" :\"number\", \"title\": \"é\" }\n  },\n  \"x\": 1.0e0\n}",
                &[r#"{"A":"1"}"#, r#"{"A":null}"#, r#"{"A":3}"#][..],
                "{\n  \"properties\": {\n    \"A\": { \"type\" :[\"number\", \"string\", \"null\"], \"title\": \"é\" }\n  },\n  \"x\": 1.0e0\n}",
                "may also be a string or null",
            ),
            (
                "type",
                "/a/*/b",
                r#"{"properties":{"a":{"items":{"properties":{"b":{"type":["integer","null"]}}}}}}"#,
                &[r#"{"a":[{"b":1},{"b":1.5}]}"#],
                r#"{"properties":{"a":{"items":{"properties":{"b":{"type":["number","null"]}}}}}}"#,
                "may also be a number with a fraction",
            ),
            (
                "required",
                "/A",
                r#"{"required": ["A", "B"], "x": 1}"#,
                &[r#"{"B":1}"#],
                r#"{"required": ["B"], "x": 1}"#,
                "may be missing",
            ),
            ("required", "/A", r#"{"required":["A"]}"#, &["{}"], "{}", "may be missing"),
            (
                "enum",
                "/A",
                r#"{"properties":{"A":{"enum": ["x", 1]}}}"#,
                &[r#"{"A":"y"}"#, r#"{"A":"y"}"#, r#"{"A":2}"#],
                r#"{"properties":{"A":{"enum": ["x", 1, "y", 2]}}}"#,
                "may also be \"y\" or 2",
            ),
            (
                "const",
                "/A",
                r#"{"properties":{"A":{"const":"x"}}}"#,
                &[r#"{"A":"y"}"#],
                r#"{"properties":{"A":{"enum":["x","y"]}}}"#,
                "may also be \"y\"",
            ),
            (
                "format",
                "/A",
                r#"{"properties":{"A":{"type":"string","format":"email"}}}"#,
                &[r#"{"A":"y"}"#],
                r#"{"properties":{"A":{"type":"string"}}}"#,
                "need not be a valid e-mail address",
            ),
            (
                "pattern",
                "/A",
                r#"{"properties":{"A":{"pattern":"^x"}}}"#,
                &[r#"{"A":"y"}"#],
                r#"{"properties":{"A":{}}}"#,
                "need not match the pattern \"^x\"",
            ),
            (
                "maxLength",
                "/A",
                r#"{"properties":{"A":{"maxLength":2,"minLength":1}}}"#,
                &[r#"{"A":"éééé"}"#, r#"{"A":"yyy"}"#],
                r#"{"properties":{"A":{"maxLength":4,"minLength":1}}}"#,
                "may have up to 4 characters",
            ),
            (
                "minimum",
                "/A",
                r#"{"properties":{"A":{"minimum":0}}}"#,
                &[r#"{"A":-1}"#, r#"{"A":-2.5}"#],
                r#"{"properties":{"A":{"minimum":-2.5}}}"#,
                "may be as small as -2.5",
            ),
            (
                "exclusiveMaximum",
                "/A",
                r#"{"properties":{"A":{"exclusiveMaximum":10}}}"#,
                &[r#"{"A":10}"#],
                r#"{"properties":{"A":{"maximum":10}}}"#,
                "may be as large as 10",
            ),
            (
                "additionalProperties",
                "/a~1b",
                r#"{"additionalProperties":false,"properties":{"x":{}}}"#,
                &[r#"{"a/b":"y"}"#, r#"{"a/b":null}"#],
                r#"{"additionalProperties":false,"properties":{"x":{},"a/b":{"type":["string","null"]}}}"#,
                "becomes a field of the contract: a string or null",
            ),
        ] {
            let found = relaxed(before, rule, place, events);
            assert_eq!(found, Some((after.to_owned(), words.to_owned())), "{rule}");
        }
    }

    #[test]
    fn where_no_single_change_is_right_none_is_proposed() {
        for (rule, place, contract, event) in [
            // the type alone would not do
            ("type", "/A", r#"{"properties":{"A":{"type":"string","enum":["x"]}}}"#, r#"{"A":null}"#),
            // the rule stands elsewhere
            (
                "type",
                "/A",
                r##"{"$defs":{"a":{"type":"string"}},"properties":{"A":{"$ref":"#/$defs/a"}}}"##,
                r#"{"A":1}"#,
            ),
            ("required", "/A", r#"{"allOf":[{"required":["A"]}]}"#, "{}"),
            ("additionalProperties", "/A", r#"{"additionalProperties":{"type":"string"},"x":1}"#, r#"{"A":1}"#),
            ("not", "", r#"{"not":{"required":["A"]}}"#, r#"{"A":1}"#),
        ] {
            let contract_text = contract;
            let parsed = Contract::parse(contract_text).unwrap();
            let event: Value = serde_json::from_str(event).unwrap();
            let rule = if parsed.check(&event).iter().any(|breach| breach.rule == rule) { rule } else { "type" };
            let found = relax(&parsed, rule, &[event], |path| path == place);
            assert_eq!(found, Relaxed::No, "{contract_text}");
        }
        let contract = Contract::parse(r#"{"properties":{"A":{"type":"string"}}}"#).unwrap();
        let is_a = |path: &str| path == "/A";
        assert_eq!(relax(&contract, "type", &[json!({"A": "x"})], is_a), Relaxed::Already);
        assert_eq!(relax(&contract, "type", &[], is_a), Relaxed::No);
        assert_eq!(row_of(&contract, "/A"), Some(0));
        assert_eq!(row_of(&contract, "/B"), None);
    }
}
