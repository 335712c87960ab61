//! From the text of a record to an event: what makes it unique, its own time, and what it becomes.
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::{self, Write},
};

use chrono::{DateTime, Utc};
use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{json, value::RawValue};

use super::scan::{Broken, Raw};
use crate::{
    crypto,
    polling::{definition::Definition, map::Mapper},
};

/// One record, as the event that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The JSON text of the event; of a record that becomes none, what came.
    pub event: String,
    /// What tells it from every other record, and from what it was before it changed. Stable, short, and no secret.
    pub unique: String,
    /// Its own time.
    pub time: Option<DateTime<Utc>>,
    /// Why it becomes no event, in words: it is to be kept in quarantine.
    pub fault: Option<String>,
}

/// How deep a record's content is put into order before it is compared; deeper parts are compared as they stand.
const MOST_DEPTH: usize = 100;

/// Makes records of texts.
pub(super) struct Maker<'d> {
    pub definition: &'d Definition,
    pub mapper: &'d Mapper,
}

impl Maker<'_> {
    /// Makes a record.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn make(&self, raw: &Raw) -> Result<Record, Broken> {
        if !raw.is_whole() {
            let begins = String::from_utf8_lossy(&raw.text);
            let fault = format!("the record has {} bytes; at most {} are taken", raw.bytes, super::scan::MOST_RECORD);
            let event = json!({"record": {"bytes": raw.bytes, "begins": begins}}).to_string();
            let unique = unique(&[format!("begins {} {begins}", raw.bytes)]);
            return Ok(Record { event, unique, time: None, fault: Some(fault) });
        }
        let text = std::str::from_utf8(&raw.text).map_err(|_| Broken::NotJson(0))?;
        let value: &RawValue = serde_json::from_str(text).map_err(|_| Broken::NotJson(0))?;
        let mut parts = Vec::new();
        let mut fault = None;
        for pointer in &self.definition.record_id {
            match pick(value, pointer).map(RawValue::get).filter(|id| !matches!(*id, "null" | "\"\"")) {
                Some(id) => parts.push(plain(id)),
                None => fault = Some(format!("the record has no {pointer}, by which it would be known")),
            }
        }
        let version = self.definition.version.as_ref().and_then(|pointer| pick(value, pointer));
        match version {
            Some(version) if fault.is_none() => parts.push(plain(version.get())),
            _ => {
                let mut content = String::new();
                canonical(value, 0, &mut content);
                parts.push(content);
            }
        }
        let time = self.definition.record_time.as_ref().and_then(|rule| {
            let found = plain(pick(value, &rule.pointer)?.get());
            rule.format.read(found.get(1..)?).ok()
        });
        let (event, fault) = match (self.mapper.event(value.get()), fault) {
            (Ok(event), None) => (event, None),
            (Ok(_), Some(fault)) | (Err(fault), _) => (as_it_came(value.get()), Some(fault)),
        };
        Ok(Record { event, unique: unique(&parts), time, fault })
    }
}

fn as_it_came(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('{') { text.to_owned() } else { format!("{{\"record\":{text}}}") }
}

/// A text as such, whatever escapes it is written with; what is none, as it stands. The first letter keeps them apart.
fn plain(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => format!("t{text}"),
        Err(_) => format!("v{json}"),
    }
}

fn unique(parts: &[String]) -> String {
    let mut all = String::new();
    for part in parts {
        // a length before each keeps ("a", "bc") and ("ab", "c") apart
        let _ = write!(all, "{}:{part}", part.len());
    }
    crypto::base64url(&crypto::sha256(all.as_bytes()))
}

/// What a JSON Pointer leads to. Numbers stay as they were written: an id of twenty digits is none of two.
fn pick<'v>(value: &'v RawValue, pointer: &str) -> Option<&'v RawValue> {
    let mut at = value;
    for step in pointer.strip_prefix('/')?.split('/') {
        let step =
            if step.contains('~') { Cow::Owned(step.replace("~1", "/").replace("~0", "~")) } else { step.into() };
        at = match at.get().as_bytes().first()? {
            b'{' => Member(&step).deserialize(&mut serde_json::Deserializer::from_str(at.get())).ok()??,
            b'[' => *serde_json::from_str::<Vec<&'v RawValue>>(at.get()).ok()?.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The member of an object by this name, without a look at the others; of several, the last one.
struct Member<'n>(&'n str);

impl<'v> DeserializeSeed<'v> for Member<'_> {
    type Value = Option<&'v RawValue>;

    fn deserialize<D: Deserializer<'v>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'v> Visitor<'v> for Member<'_> {
    type Value = Option<&'v RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'v>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(same) = map.next_key_seed(Named(self.0))? {
            if same {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a key is this one.
struct Named<'n>(&'n str);

impl<'v> DeserializeSeed<'v> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'v>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Writes a value so that the order of its keys and the space between them make no difference.
fn canonical(value: &RawValue, depth: usize, out: &mut String) {
    let text = value.get();
    let object = text.starts_with('{').then(|| serde_json::from_str::<HashMap<String, &RawValue>>(text));
    let array = text.starts_with('[').then(|| serde_json::from_str::<Vec<&RawValue>>(text));
    match (object, array) {
        (Some(Ok(fields)), _) if depth < MOST_DEPTH => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            out.push('{');
            for (key, value) in fields {
                let _ = write!(out, "{}:{key}", key.len());
                canonical(value, depth + 1, out);
            }
            out.push('}');
        }
        (_, Some(Ok(parts))) if depth < MOST_DEPTH => {
            out.push('[');
            for part in parts {
                canonical(part, depth + 1, out);
                out.push(',');
            }
            out.push(']');
        }
        _ => {
            let text = plain(text);
            let _ = write!(out, "{}:{text}", text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::polling::definition::testing::definition;

    fn made(changes: Value, record: &str) -> Record {
        let definition = definition("https://shop.example.com/", changes);
        let mapper = Mapper::new(&definition.mapping).unwrap_or_else(|faults| panic!("{faults:?}"));
        let raw = Raw { text: record.into(), bytes: record.len() as u64 };
        Maker { definition: &definition, mapper: &mapper }.make(&raw).unwrap()
    }

    #[test]
    fn a_changed_record_is_a_new_one_and_the_same_is_the_same() {
        let by_version = || json!({"recordId": ["/id", "/shop/no"], "version": "/v"});
        let one = made(by_version(), r#"{"id":1,"shop":{"no":2},"v":1,"x":1}"#);
        assert_eq!(one.unique, made(by_version(), r#"{"v":1,"shop":{"no":2},"id":1,"x":2}"#).unique);
        assert_ne!(one.unique, made(by_version(), r#"{"id":1,"shop":{"no":2},"v":2}"#).unique);
        assert_ne!(one.unique, made(by_version(), r#"{"id":12,"shop":{"no":""},"v":1}"#).unique);
        // of a key that stands there twice, the last one counts, however it is written
        assert_eq!(one.unique, made(by_version(), r#"{"id":7,"i\u0064":1,"shop":{"no":2},"v":1}"#).unique);
        let by_content = |record| made(json!({}), record).unique;
        assert_eq!(
            by_content(r#"{"id":1,"a":[1,{"b":2,"c":"ä"}]}"#),
            by_content(r#"{ "a":[1,{"c":"\u00e4","b":2}], "id":1}"#)
        );
        assert_ne!(by_content(r#"{"id":1,"a":[1,2]}"#), by_content(r#"{"id":1,"a":[2,1]}"#));
        assert_ne!(by_content(r#"{"id":1,"a":"1"}"#), by_content(r#"{"id":1,"a":1}"#));
        // ids that floating point would take for one
        assert_ne!(by_content(r#"{"id":100000000000000000001}"#), by_content(r#"{"id":100000000000000000002}"#));
    }

    #[test]
    fn what_becomes_no_event_is_kept_with_its_reason() {
        let without = made(json!({}), r#"{"x":1}"#);
        assert!(without.fault.unwrap().contains("/id") && without.event == r#"{"x":1}"#);
        let number = made(json!({"recordId": []}), "5");
        assert!(number.fault.is_some() && number.event == r#"{"record":5}"#);
        let time = made(
            json!({"recordTime": {"pointer": "/at", "format": {"kind": "epochSeconds"}}}),
            r#"{"id":1,"at":1772359200}"#,
        );
        assert_eq!(time.time.unwrap().to_rfc3339(), "2026-03-01T10:00:00+00:00");
    }
}
