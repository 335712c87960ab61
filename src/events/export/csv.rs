//! CSV as RFC 4180 has it: a column for what is known of each event, one for each field at the top of the payloads, and
//! one for what has no column of its own.
//!
//! Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, and whoever can send an event could
//! have it run. Such a cell gets an apostrophe in front, which spreadsheets do not show. Numbers are left as they are.
use std::{borrow::Cow, collections::HashMap, fmt};

use chrono::SecondsFormat;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

use crate::events::Event;

/// The columns that every file has.
const KNOWN: [&str; 6] = ["id", "receivedAt", "eventTypeId", "verdict", "sourceId", "errors"];
/// The last column: a JSON object of the fields that have no column, or the whole payload, should it be no object.
const REST: &str = "otherFields";
/// The most columns for fields; more are found in the last one.
const MOST: usize = 250;

/// The fields that have a column.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Columns(Vec<String>);

/// The fields of an object in their order, each as it was written.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Visitor)
    }
}

fn fields(object: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<Fields>(object).ok().map(|fields| fields.0)
}

impl Columns {
    /// Learns the fields that a contract names, in its order.
    pub(super) fn learn_contract(&mut self, schema: &str) {
        for (key, value) in fields(schema).unwrap_or_default() {
            if key == "properties" {
                self.learn(value.get());
            }
        }
    }

    /// Learns the fields of an object.
    pub(super) fn learn(&mut self, object: &str) {
        for (key, _) in fields(object).unwrap_or_default() {
            if self.0.len() < MOST && !self.0.contains(&key) {
                self.0.push(key);
            }
        }
    }

    /// The names of the columns.
    pub(super) fn head(&self, to: &mut Vec<u8>) {
        let mut row = Row::new(to);
        for name in KNOWN {
            row.cell(name);
        }
        for name in &self.0 {
            if KNOWN.contains(&name.as_str()) || name == REST {
                row.text(&format!("payload.{name}"));
            } else {
                row.text(name);
            }
        }
        row.cell(REST);
        row.end();
    }

    /// An event.
    pub(super) fn row(&self, event: &Event, to: &mut Vec<u8>) {
        let mut row = Row::new(to);
        row.cell(&event.id.to_string());
        row.cell(&event.id.received_at().to_rfc3339_opts(SecondsFormat::Millis, true));
        row.cell(&event.event_type_id.to_string());
        row.cell(event.verdict.word());
        row.cell(&event.source_id.map(|id| id.to_string()).unwrap_or_default());
        row.text(event.errors.as_deref().unwrap_or_default());
        let Some(fields) = fields(&event.payload) else {
            for _ in &self.0 {
                row.cell("");
            }
            row.text(&event.payload);
            return row.end();
        };
        let mut place: HashMap<&str, usize> = HashMap::with_capacity(fields.len());
        let mut rest = Vec::new();
        for (n, (key, _)) in fields.iter().enumerate() {
            // a key that is there twice has its second value in the rest
            if self.0.contains(key) && !place.contains_key(key.as_str()) {
                place.insert(key, n);
            } else {
                rest.push(n);
            }
        }
        for name in &self.0 {
            match place.get(name.as_str()) {
                Some(n) => row.value(fields[*n].1.get()),
                None => row.cell(""),
            }
        }
        let rest = rest.into_iter().map(|n| {
            let (key, value) = &fields[n];
            format!("{}:{}", serde_json::Value::from(key.as_str()), value.get())
        });
        let rest = rest.collect::<Vec<_>>().join(",");
        row.cell(&if rest.is_empty() { rest } else { format!("{{{rest}}}") });
        row.end();
    }
}

/// One line, in the making.
struct Row<'a> {
    to: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Row<'a> {
    fn new(to: &'a mut Vec<u8>) -> Self {
        Self { to, first: true }
    }

    /// A cell that holds what it is given.
    fn cell(&mut self, text: &str) {
        if !std::mem::take(&mut self.first) {
            self.to.push(b',');
        }
        let plain = !text.contains([',', '"', '\r', '\n']) && text.trim().len() == text.len();
        if plain {
            self.to.extend_from_slice(text.as_bytes());
        } else {
            self.to.push(b'"');
            self.to.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            self.to.push(b'"');
        }
    }

    /// A cell of text that somebody else wrote: never a formula.
    fn text(&mut self, text: &str) {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        if formula { self.cell(&format!("'{text}")) } else { self.cell(text) }
    }

    /// A cell of a JSON value: strings without their quotes, null as nothing, the rest as it was written.
    fn value(&mut self, json: &str) {
        match json.as_bytes().first() {
            Some(b'"') => {
                let text = serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned);
                self.text(&text);
            }
            Some(b'n') => self.cell(""),
            // numbers may begin with a minus, and are no formulas
            _ => self.cell(json),
        }
    }

    fn end(self) {
        self.to.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{
        events::Verdict,
        ids::{EventId, EventTypeId},
    };

    fn event(payload: &str) -> Event {
        Event {
            id: EventId(Uuid::from_u128((0x0199_0000_0000 << 80) | 1)),
            event_type_id: EventTypeId(Uuid::from_u128(7)),
            source_id: None,
            verdict: Verdict::Accepted,
            payload: payload.into(),
            errors: None,
        }
    }

    /// What a reader of RFC 4180 makes of a file.
    fn read(file: &[u8]) -> Vec<Vec<String>> {
        let text = std::str::from_utf8(file).unwrap();
        let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match (quoted, letter) {
                (true, '"') if letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
                (true, '"') => quoted = false,
                (false, '"') if cell.is_empty() => quoted = true,
                (false, ',') => row.push(std::mem::take(&mut cell)),
                (false, '\r') if letters.peek() == Some(&'\n') => {
                    letters.next();
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                (_, other) => cell.push(other),
            }
        }
        assert!(row.is_empty() && cell.is_empty() && !quoted, "a line without an end");
        rows
    }

    fn written(columns: &Columns, payloads: &[&str]) -> Vec<Vec<String>> {
        let mut file = Vec::new();
        columns.head(&mut file);
        for payload in payloads {
            columns.row(&event(payload), &mut file);
        }
        read(&file)
    }

    #[test]
    fn fields_have_columns_in_the_order_of_the_contract() {
        let mut columns = Columns::default();
        columns.learn_contract(r#"{"type":"object","properties":{"Order Number":{},"Amount":{},"id":{}}}"#);
        columns.learn(r#"{"Amount":1,"Extra":{"a":1}}"#);
        let rows = written(
            &columns,
            &[r#"{ "Amount" : 1.10000000000000000001, "Order Number":"A,1", "Extra": {"a" : 1}, "id":null }"#, "{}"],
        );
        assert_eq!(rows[0][6..], ["Order Number", "Amount", "payload.id", "Extra", "otherFields"]);
        assert_eq!(rows[0][..6], KNOWN);
        assert_eq!(rows[1][6..], ["A,1", "1.10000000000000000001", "", r#"{"a" : 1}"#, ""]);
        assert_eq!(rows[2][6..], ["", "", "", "", ""]);
        assert_eq!(rows[1][1..4], ["2025-08-31T12:00:24.064Z", "00000000-0000-0000-0000-000000000007", "accepted"]);
    }

    #[test]
    fn what_has_no_column_is_not_lost() {
        let mut columns = Columns::default();
        columns.learn(r#"{"a":1}"#);
        let rows = written(&columns, &[r#"{"a":1,"a":2,"b\"":[1, 2]}"#, "{broken", r#"{"a":"\ud800"}"#]);
        assert_eq!(rows[1][6..], ["1", r#"{"a":2,"b\"":[1, 2]}"#]);
        assert_eq!(rows[2][6..], ["", "{broken"]);
        assert_eq!(rows[3][6..], [r#""\ud800""#, ""]);
    }

    #[test]
    fn no_cell_is_a_formula() {
        let mut columns = Columns::default();
        columns.learn(r#"{"=cmd()":1,"n":1}"#);
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            let payload = serde_json::json!({"=cmd()": evil, "n": -5}).to_string();
            let rows = written(&columns, &[&payload]);
            assert_eq!(rows[0][6], "'=cmd()");
            assert_eq!(rows[1][6..8], [format!("'{evil}"), "-5".to_owned()], "a number is none");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(key in ".*", text in ".*") {
            let payload = serde_json::json!({&*key: &*text}).to_string();
            let mut columns = Columns::default();
            columns.learn(&payload);
            let rows = written(&columns, &[&payload]);
            prop_assert_eq!(rows.len(), 2);
            prop_assert_eq!(rows[0].len(), 8);
            let (cell, guarded) = (&rows[1][6], format!("'{text}"));
            prop_assert!(*cell == text || *cell == guarded);
        }
    }
}
