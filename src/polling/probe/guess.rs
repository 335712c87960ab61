//! What an answer looks like: where its records are, what tells one from another, what their own time is, and how it
//! goes on. Guesses, for a person to correct; nothing here asks anybody.
use std::collections::{HashSet, VecDeque};

use reqwest::header::{HeaderMap, LINK};
use serde_json::{Map, Value};

use crate::polling::definition::{PageKind, RecordTime, TimeFormat};

/// How deep below the top of an answer a list of records is looked for.
const DEEPEST: usize = 4;
/// Names of fields that identify a record, the likeliest first; compared in small letters, without `_` and `-`.
const IDS: [&str; 10] = ["id", "uuid", "guid", "number", "key", "code", "nr", "nummer", "recordid", "externalid"];
/// Parts of the names of fields that tell when a record was last changed, the likeliest first, and then when it was made.
const TIMES: [&str; 12] = [
    "modified",
    "updated",
    "changed",
    "gewijzigd",
    "mutatie",
    "lastmod",
    "timestamp",
    "created",
    "aangemaakt",
    "date",
    "time",
    "datum",
];
/// Names of fields that hold the address of the next page.
const NEXT: [&str; 5] = ["next", "nextpage", "nexturl", "nextlink", "@odata.nextlink"];
/// Names of fields that hold a token for the next page.
const TOKENS: [&str; 6] = ["cursor", "nextcursor", "nextpagetoken", "continuation", "continuationtoken", "scrollid"];
/// Names of fields that come with numbered pages.
const COUNTS: [&str; 8] = ["total", "totalcount", "count", "page", "pages", "totalpages", "offset", "limit"];

/// What an answer looks like.
#[derive(Debug, Clone)]
pub struct Look {
    /// A `JSONPath` to the records.
    pub records: String,
    /// The records of the answer.
    pub items: Vec<Value>,
    /// A JSON Pointer to what identifies a record.
    pub record_id: Option<String>,
    /// Where the time of a record is, and how it is written.
    pub record_time: Option<RecordTime>,
    /// How the answer goes on.
    pub paging: Paging,
}

/// How an answer goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// Nothing says that it does.
    None,
    /// In a way that can be followed.
    Known(PageKind),
    /// By a token at this path: which parameter takes it cannot be seen.
    Token(String),
    /// By numbers, as these fields say: which parameters ask for another page cannot be seen.
    Numbers(Vec<String>),
}

/// Looks at an answer. None: there is no list in it.
pub fn look(answer: Value, headers: &HeaderMap) -> Option<Look> {
    let steps = list(&answer)?;
    let paging = paging(&answer, headers);
    let items = steps.iter().try_fold(answer, |value, step| match value {
        Value::Object(mut fields) => fields.remove(step),
        _ => None,
    });
    let Some(Value::Array(items)) = items else { return None };
    Some(Look { records: path(&steps), record_id: id(&items), record_time: time(&items), paging, items })
}

/// The way to the list of objects that lies nearest to the top, and to the longest of those; to an empty one only where
/// there is no other.
fn list(answer: &Value) -> Option<Vec<String>> {
    let mut found: Option<(Vec<String>, usize)> = None;
    walk(answer, |steps, value| {
        let Value::Array(items) = value else { return };
        if !items.iter().all(Value::is_object) {
            return;
        }
        let better = match &found {
            None => true,
            Some((_, 0)) => !items.is_empty(),
            Some((best, longest)) => steps.len() == best.len() && items.len() > *longest,
        };
        if better {
            found = Some((steps.iter().map(|step| (*step).to_owned()).collect(), items.len()));
        }
    });
    found.map(|(steps, _)| steps)
}

/// Visits an answer and the objects in it, those nearest to the top first; what lies in lists is not entered.
fn walk<'v>(answer: &'v Value, mut visit: impl FnMut(&[&'v str], &'v Value)) {
    let mut waiting = VecDeque::from([(Vec::new(), answer)]);
    while let Some((steps, value)) = waiting.pop_front() {
        visit(&steps, value);
        if let (Value::Object(fields), true) = (value, steps.len() < DEEPEST) {
            waiting.extend(fields.iter().map(|(name, value)| ([steps.as_slice(), &[name.as_str()]].concat(), value)));
        }
    }
}

/// Steps as a path.
fn path<S: AsRef<str>>(steps: &[S]) -> String {
    steps.iter().fold("$".to_owned(), |path, name| path + &step(name.as_ref()))
}

/// One step of a path that a stream can follow.
fn step(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain {
        format!(".{name}")
    } else if name.contains('\'') {
        format!("[\"{name}\"]")
    } else {
        format!("['{name}']")
    }
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn bare(name: &str) -> String {
    name.to_lowercase().replace(['_', '-', ' '], "")
}

/// A field that every record has, each with another value, and whose name says that it identifies it.
fn id(items: &[Value]) -> Option<String> {
    let first = items.first()?.as_object()?;
    let tells = |name: &String| {
        let values: Vec<_> = items.iter().map(|item| item.get(name).filter(|value| is_key(value))).collect();
        let different = values.iter().flatten().map(ToString::to_string).collect::<HashSet<_>>().len();
        different == items.len()
    };
    let rank = |name: &str| {
        let name = bare(name);
        let known = IDS.iter().position(|known| name == *known);
        known.or_else(|| {
            (name.ends_with("id") || name.ends_with("number") || name.ends_with("nummer")).then_some(IDS.len())
        })
    };
    let mut named: Vec<_> = first.keys().filter_map(|name| Some((rank(name)?, name))).collect();
    named.sort_by_key(|(rank, _)| *rank);
    named.into_iter().map(|(_, name)| name).find(|name| tells(name)).map(|name| pointer(name))
}

fn is_key(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::String(text) => !text.trim().is_empty(),
        _ => false,
    }
}

/// A field whose name speaks of a change, and all of whose values are moments that are written alike.
fn time(items: &[Value]) -> Option<RecordTime> {
    let rank = |name: &str| {
        let name = bare(name);
        TIMES.iter().position(|known| name.contains(known))
    };
    let names: HashSet<&String> = items.iter().filter_map(Value::as_object).flat_map(Map::keys).collect();
    let mut named: Vec<_> = names.into_iter().filter_map(|name| Some((rank(name)?, name))).collect();
    named.sort();
    named.into_iter().find_map(|(_, name)| {
        let values: Vec<_> = items.iter().filter_map(|item| item.get(name)).filter(|value| !value.is_null()).collect();
        // one that is often missing tells too little
        let enough = values.len() * 10 >= items.len() * 9 && !values.is_empty();
        let format = formats().into_iter().find(|format| values.iter().all(|value| reads(format, value)))?;
        enough.then(|| RecordTime { pointer: pointer(name), format })
    })
}

/// The ways of writing moments that are tried.
fn formats() -> [TimeFormat; 3] {
    [TimeFormat::default(), TimeFormat::EpochSeconds, TimeFormat::EpochMilliseconds]
}

fn reads(format: &TimeFormat, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return false,
    };
    // a small number is a number of something else
    format.read(&text).is_ok_and(|at| (2000..2100).contains(&chrono::Datelike::year(&at)))
}

fn paging(answer: &Value, headers: &HeaderMap) -> Paging {
    let linked = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    if linked.into_iter().any(|text| text.contains("rel=\"next\"") || text.contains("rel=next")) {
        return Paging::Known(PageKind::Link);
    }
    let (mut next, mut token, mut numbers) = (None, None, Vec::new());
    walk(answer, |steps, value| {
        let Value::Object(fields) = value else { return };
        for (name, value) in fields {
            let (bare, here) = (bare(name), || format!("{}{}", path(steps), step(name)));
            let text = value.as_str();
            let leads =
                text.is_some_and(|text| text.starts_with("http") || text.starts_with('/') || text.starts_with('?'));
            if NEXT.contains(&bare.as_str()) && (leads || value.is_null()) {
                next.get_or_insert_with(here);
            } else if TOKENS.contains(&bare.as_str()) && text.is_some_and(|text| !text.is_empty()) {
                token.get_or_insert_with(here);
            } else if steps.len() <= 1 && numbers.len() < 5 && COUNTS.contains(&bare.as_str()) && value.is_number() {
                numbers.push(name.clone());
            }
        }
    });
    match (next, token) {
        (Some(path), _) => Paging::Known(PageKind::NextInBody { path }),
        (None, Some(path)) => Paging::Token(path),
        (None, None) if !numbers.is_empty() => Paging::Numbers(numbers),
        (None, None) => Paging::None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn seen(answer: Value) -> Look {
        look(answer, &HeaderMap::new()).unwrap()
    }

    #[test]
    fn records_ids_times_and_pages_of_common_systems_are_found() {
        // a shop
        let look = seen(
            json!({"count": 2, "next": "https://shop.example.com/orders?page=2", "previous": null, "results": [
                {"code": "A1", "email": "a@example.com", "positions": [{"id": 1}, {"id": 2}, {"id": 3}], "last_modified": "2026-03-01T10:00:00+01:00"},
                {"code": "A2", "email": "b@example.com", "positions": [], "last_modified": "2026-03-01T11:00:00+01:00"},
            ]}),
        );
        assert_eq!((look.records.as_str(), look.record_id.as_deref()), ("$.results", Some("/code")));
        let time = look.record_time.unwrap();
        assert_eq!((time.pointer.as_str(), time.format), ("/last_modified", TimeFormat::default()));
        assert_eq!(look.paging, Paging::Known(PageKind::NextInBody { path: "$.next".into() }));
        // an issue tracker
        let look = seen(json!({"issues": [{"id": 7, "project": {"id": 1}, "updated_on": "2026-03-01T10:00:00Z",
            "created_on": "2020-01-01T00:00:00Z"}], "total_count": 90, "offset": 0, "limit": 25}));
        assert_eq!((look.records.as_str(), look.record_id.as_deref()), ("$.issues", Some("/id")));
        assert_eq!(look.record_time.unwrap().pointer, "/updated_on");
        assert_eq!(look.paging, Paging::Numbers(vec!["limit".into(), "offset".into(), "total_count".into()]));
        // OData
        let look = seen(json!({"@odata.nextLink": "https://crm.example.com/x?$skiptoken=1", "value": [
            {"contactid": "5f6e", "modifiedon": "2026-03-01T10:00:00Z"}, {"contactid": "5f6f", "modifiedon": "2026-03-01T10:00:00Z"}]}));
        assert_eq!((look.records.as_str(), look.record_id.as_deref()), ("$.value", Some("/contactid")));
        assert_eq!(look.paging, Paging::Known(PageKind::NextInBody { path: "$['@odata.nextLink']".into() }));
        // the answer itself, by Link, with epoch seconds
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_static("<https://a.example.com/?page=2>; rel=\"next\""));
        let answer = json!([{"Nummer": 1, "Gewijzigd": 1_772_000_000}, {"Nummer": 2, "Gewijzigd": 1_772_000_100}]);
        let look = super::look(answer, &headers).unwrap();
        assert_eq!((look.records.as_str(), look.record_id.as_deref()), ("$", Some("/Nummer")));
        assert_eq!(look.record_time.unwrap().format, TimeFormat::EpochSeconds);
        assert_eq!(look.paging, Paging::Known(PageKind::Link));
    }

    #[test]
    fn what_does_not_tell_is_not_guessed() {
        assert!(look(json!({"id": 1}), &HeaderMap::new()).is_none());
        // the same id twice, and a time that is a count
        let look = seen(
            json!({"data": {"items": [{"id": 1, "updated": 3}, {"id": 1, "updated": 4}], "meta": {"cursor": "x"}}}),
        );
        assert_eq!((look.records.as_str(), look.record_id, look.record_time), ("$.data.items", None, None));
        assert_eq!(look.paging, Paging::Token("$.data.meta.cursor".into()));
        let empty = seen(json!({"warnings": [], "data": []}));
        assert!(empty.items.is_empty());
        assert_eq!(seen(json!({"warnings": [], "rows": [{"a": 1}]})).records, "$.rows");
    }
}
