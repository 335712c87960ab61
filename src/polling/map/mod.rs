//! What becomes of a record: the event as it is, field by field, or by a template. A record that cannot be mapped is
//! no fault of the poll: it is kept as it came, with the reason.
mod convert;

use std::str::FromStr;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::definition::{Converter, Mapping};

/// Steps that a template may take for one record.
const FUEL: u64 = 50_000;
/// The longest event that a template may write, in bytes.
const MOST: usize = 1 << 20;

/// A mapping, ready to be used.
pub struct Mapper(Kind);

enum Kind {
    AsIs,
    Rows(Vec<Row>),
    Template(Box<Environment<'static>>),
}

struct Row {
    to: Vec<String>,
    from: From,
    converter: Option<Converter>,
}

enum From {
    Pointer(String),
    Path(JsonPath),
    Value(Value),
}

impl Mapper {
    /// Of a mapping.
    ///
    /// # Errors
    /// What is wrong with it: pointers into the mapping, and words.
    pub fn new(mapping: &Mapping) -> Result<Self, Vec<(String, String)>> {
        match mapping {
            Mapping::AsIs => Ok(Self(Kind::AsIs)),
            Mapping::Rows { rows } => {
                let mut faults = Vec::new();
                let mut read: Vec<Row> = Vec::new();
                for (n, row) in rows.iter().enumerate() {
                    let to = steps(&row.to);
                    if to.iter().any(String::is_empty) {
                        faults.push((format!("/rows/{n}/to"), "a field needs a name".into()));
                    }
                    if read.iter().any(|other| other.to.starts_with(&to) || to.starts_with(&other.to)) {
                        faults.push((
                            format!("/rows/{n}/to"),
                            "an earlier row writes this field, or one around it".into(),
                        ));
                    }
                    let from = match (&row.from, &row.value) {
                        (Some(pointer), _) if pointer.starts_with('/') => From::Pointer(pointer.clone()),
                        (Some(path), _) => {
                            let Ok(path) = JsonPath::from_str(path) else {
                                let words = "this is neither a JSON Pointer (/customer/email) nor a JSONPath ($.customer.email)";
                                faults.push((format!("/rows/{n}/from"), words.into()));
                                continue;
                            };
                            From::Path(path)
                        }
                        (None, value) => From::Value(value.clone().unwrap_or_default()),
                    };
                    read.push(Row { to, from, converter: row.converter.clone() });
                }
                if faults.is_empty() { Ok(Self(Kind::Rows(read))) } else { Err(faults) }
            }
            Mapping::Template { template } => {
                let mut environment = Environment::new();
                environment.set_undefined_behavior(UndefinedBehavior::Strict);
                environment.set_fuel(Some(FUEL));
                environment.set_auto_escape_callback(|_| AutoEscape::Json);
                match environment.add_template_owned("event", template.clone()) {
                    Ok(()) => Ok(Self(Kind::Template(Box::new(environment)))),
                    Err(error) => Err(vec![("/template".into(), in_words(&error))]),
                }
            }
        }
    }

    /// The event that a record becomes: `text` is the record, and JSON.
    ///
    /// # Errors
    /// Why it becomes none, in words.
    pub fn event(&self, text: &str) -> Result<String, String> {
        if !text.trim_start().starts_with('{') {
            return Err("the record is no JSON object".into());
        }
        let read =
            || serde_json::from_str::<Value>(text).map_err(|error| format!("the record cannot be read: {error}"));
        match &self.0 {
            Kind::AsIs => Ok(text.trim().to_owned()),
            Kind::Rows(rows) => {
                let record = read()?;
                let mut event = Map::new();
                for row in rows {
                    let found = match &row.from {
                        From::Pointer(pointer) => record.pointer(pointer),
                        From::Path(path) => path.query(&record).first(),
                        From::Value(value) => Some(value),
                    };
                    // what is not there is left out: the contract says whether it must be
                    let Some(found) = found else { continue };
                    let value = match &row.converter {
                        Some(converter) => convert::convert(found, converter)
                            .map_err(|why| format!("{} cannot be made: {why}", row.to.join("/")))?,
                        None => found.clone(),
                    };
                    put(&mut event, &row.to, value);
                }
                Ok(Value::Object(event).to_string())
            }
            Kind::Template(environment) => {
                let record = read()?;
                let template = environment.get_template("event").map_err(|error| in_words(&error))?;
                let written = template
                    .render(minijinja::context! { record => minijinja::value::Serde(&record) })
                    .map_err(|error| in_words(&error))?;
                if written.len() > MOST {
                    return Err(format!("the template writes more than {MOST} bytes"));
                }
                let event = serde_json::from_str::<Map<String, Value>>(&written);
                event
                    .map(|_| written.trim().to_owned())
                    .map_err(|error| format!("the template does not write one JSON object: {error}"))
            }
        }
    }
}

/// A field: its name, or a JSON Pointer for one within another.
fn steps(to: &str) -> Vec<String> {
    match to.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        None => vec![to.to_owned()],
    }
}

fn put(object: &mut Map<String, Value>, to: &[String], value: Value) {
    match to {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn in_words(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{}: {detail}{line}", error.kind()),
        None => format!("{}{line}", error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapper(mapping: Value) -> Result<Mapper, Vec<(String, String)>> {
        Mapper::new(&serde_json::from_value(mapping).unwrap())
    }

    #[test]
    fn rows_pick_convert_and_leave_out() {
        let rows = mapper(json!({"kind": "rows", "rows": [
            {"to": "Order ID", "from": "/id", "converter": {"kind": "string"}},
            {"to": "/customer/email", "from": "$.buyer.mail", "converter": {"kind": "lower"}},
            {"to": "/customer/name", "from": "/buyer/name"},
            {"to": "total", "from": "/total", "converter": {"kind": "number"}},
            {"to": "at", "from": "/at", "converter": {"kind": "dateTime", "format": {"kind": "pattern", "pattern": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}}},
            {"to": "source", "value": "shop"},
        ]})).unwrap();
        let event =
            rows.event(r#"{"id":5,"buyer":{"mail":" A@Example.com "},"total":"12,50","at":"01.07.2026 12:00"}"#);
        let expected = json!({"Order ID": "5", "customer": {"email": "a@example.com"}, "total": 12.5,
            "at": "2026-07-01T10:00:00.000Z", "source": "shop"});
        assert_eq!(serde_json::from_str::<Value>(&event.unwrap()).unwrap(), expected);
        let why = rows.event(r#"{"id":5,"total":"much"}"#).unwrap_err();
        assert!(why.starts_with("total cannot be made"), "{why}");
        let twice = mapper(
            json!({"kind": "rows", "rows": [{"to": "a", "value": 1}, {"to": "/a/b", "value": 1}, {"to": "c", "from": "c"}]}),
        );
        assert_eq!(twice.err().unwrap().len(), 2);
    }

    #[test]
    fn templates_write_json_and_nothing_else() {
        let template = |text: &str| mapper(json!({"kind": "template", "template": text})).unwrap();
        let event = template(r#"{"id": {{ record.id }}, "name": {{ record.name | upper }}}"#);
        assert_eq!(event.event(r#"{"id":7,"name":"a\"b"}"#).unwrap(), r#"{"id": 7, "name": "A\"B"}"#);
        let why = event.event(r#"{"id":7}"#).unwrap_err();
        assert!(why.contains("undefined"), "{why}");
        assert!(template("[1]").event("{}").unwrap_err().contains("one JSON object"));
        assert!(template("{} {}").event("{}").is_err());
        let endless = template("{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}");
        assert!(endless.event("{}").is_err());
        assert!(mapper(json!({"kind": "template", "template": "{{"})).is_err());
        assert!(mapper(json!({"kind": "asIs"})).unwrap().event("5").is_err());
    }
}
