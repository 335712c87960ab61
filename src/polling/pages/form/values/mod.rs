//! The fields of the form and the definition they stand for: from the one to the other ([`of`]) and back ([`read`]), so
//! that a file, a source and what was typed are the same thing.
mod fill;
mod place;
mod read;

use crate::{
    form::Typed,
    polling::definition::{Bound, Precision, Style},
};

pub(super) use fill::{of, word};
pub(super) use read::read;

/// Empty rows that follow those that are filled in.
const SPARE: usize = 4;
/// The most rows that are read.
const MOST_ROWS: usize = 200;

/// The three fields by which a way of writing moments is typed.
#[derive(Clone, Copy)]
pub(super) struct TimeFields {
    pub kind: &'static str,
    pub zone: &'static str,
    pub pattern: &'static str,
}

/// How the bounds of a window are written.
pub(super) const OF_WINDOW: TimeFields = TimeFields { kind: "time_format", zone: "time_zone", pattern: "time_pattern" };
/// How the time of a record is written.
pub(super) const OF_RECORD: TimeFields =
    TimeFields { kind: "record_format", zone: "record_zone", pattern: "record_pattern" };

/// What a new form holds.
pub(super) fn blank() -> Typed {
    fields([
        ("authentication", "bearer"),
        ("window_kind", "range"),
        ("window_parameters", "from={from}\nuntil={until}"),
        (OF_WINDOW.kind, "z"),
        ("from_bound", "inclusive"),
        ("until_bound", "exclusive"),
        ("precision", "second"),
        ("schedule", "every"),
        ("every_minutes", "60"),
        ("cron_zone", "UTC"),
        ("settle_seconds", "60"),
        ("lookback_minutes", "0"),
        ("records", "$"),
        ("pages", "none"),
        ("pages_start", "1"),
        ("cap", "1000"),
        (OF_RECORD.kind, "z"),
        ("limit_seconds", "60"),
        ("limit_megabytes", "64"),
        ("limit_records", "100000"),
        ("mapping", "asIs"),
    ])
}

fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Typed {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The same fields with some of them replaced.
pub(super) fn with(typed: &Typed, changes: &[(&str, String)]) -> Typed {
    let kept = typed.fields().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    kept.chain(changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
}

/// The name of a cell of the mapping.
pub(super) fn cell(n: usize, part: &str) -> String {
    format!("row-{n}-{part}")
}

/// How many rows the form shows: those that are filled in, and some to be filled.
pub(super) fn rows_of(typed: &Typed) -> usize {
    let filled = |n: &usize| ["to", "from"].iter().any(|part| !typed.text(&cell(*n, part)).trim().is_empty());
    (0..MOST_ROWS).filter(filled).max().map_or(0, |last| last + 1) + SPARE
}

/// What a choice of bounds or precision is in words of the form.
pub(super) fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Inclusive => "inclusive",
        Bound::Exclusive => "exclusive",
    }
}

/// The same, of how finely moments are told apart.
pub(super) fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::Milliseconds => "milliseconds",
        Precision::Second => "second",
        Precision::Minute => "minute",
        Precision::Hour => "hour",
        Precision::Day => "day",
    }
}

/// How ISO 8601 is written, as the form spells it; for its choices.
pub(super) const FORMATS: [(&str, &str, Style); 3] = [
    ("z", "ISO 8601 in UTC", Style::Z),
    ("offset", "ISO 8601 with an offset", Style::Offset),
    ("local", "ISO 8601 without a zone", Style::Local),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{polling::definition::Definition, ui::FieldErrors};

    fn round(text: &str) {
        let definition = Definition::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut errors = FieldErrors::new();
        let again = read(&of(&definition), &mut errors);
        assert_eq!(errors, FieldErrors::new());
        assert_eq!(again.as_ref(), Some(&definition));
    }

    #[test]
    fn a_definition_comes_through_the_form_as_it_was() {
        let window = r#""window": {"parameters": {"q": "><{from}|{until}"}}, "schedule": {"everyMinutes": 5}"#;
        let base =
            |more: &str| format!(r#"{{"name": "Shop", "url": "https://shop.example.com/a?x=1", {window}{more}}}"#);
        round(&base(""));
        for pages in [
            r#"{"kind": "number", "parameter": "page", "start": 0, "size": {"parameter": "n", "value": 50}, "cap": 7}"#,
            r#"{"kind": "offset", "parameter": "skip"}"#,
            r#"{"kind": "cursorInBody", "path": "$.meta.next", "parameter": "c"}"#,
            r#"{"kind": "cursorInHeader", "header": "x-next", "parameter": "c"}"#,
            r#"{"kind": "nextInBody", "path": "$.next"}"#,
            r#"{"kind": "link"}"#,
        ] {
            round(&base(&format!(r#", "pages": {pages}"#)));
        }
        for authentication in [
            r#"{"kind": "header", "name": "X-Key", "prefix": "Token "}"#,
            r#"{"kind": "query", "name": "key"}"#,
            r#"{"kind": "basic", "user": "ada"}"#,
            r#"{"kind": "bearer"}"#,
        ] {
            round(&base(&format!(r#", "authentication": {authentication}"#)));
        }
        round(&base(
            r#", "headers": {"X-A": "b: c"}, "parameters": {"fields": "a=b"}, "records": "$.items", "recordId": ["/id", "/no"],
               "version": "/v", "recordTime": {"pointer": "/t", "format": {"kind": "pattern", "pattern": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}},
               "limits": {"seconds": 9, "bytes": 1500000, "records": 5},
               "mapping": {"kind": "rows", "rows": [{"to": "id", "from": "/id", "converter": {"kind": "string"}},
                  {"to": "source", "value": "shop"}, {"to": "n", "value": 3},
                  {"to": "at", "from": "$.t", "converter": {"kind": "dateTime", "format": {"kind": "pattern", "pattern": "%d.%m.%Y", "zone": "Europe/Berlin"}}},
                  {"to": "tags", "from": "/tags", "converter": {"kind": "join", "with": ", "}}]}"#,
        ));
        round(
            r#"{"name": "S", "url": "https://a.example.com/", "conditional": true,
                "window": {"kind": "sinceOnly", "parameters": {"since": "{from}"}, "precision": "day", "fromBound": "exclusive",
                           "format": {"kind": "iso8601", "style": "local", "zone": "Europe/Berlin"}},
                "schedule": {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin", "settleSeconds": 5, "lookbackMinutes": 90},
                "mapping": {"kind": "template", "template": "{\n  \"id\": {{ record.id }}\n}"}}"#,
        );
    }

    #[test]
    fn what_is_amiss_stands_at_its_field() {
        let amiss = |changes: &[(&str, &str)]| {
            let right = [("name", "Shop".to_owned()), ("url", "https://shop.example.com/".to_owned())];
            let changes: Vec<_> = changes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            let mut errors = FieldErrors::new();
            let read = read(&with(&with(&blank(), &right), &changes), &mut errors);
            assert_eq!(read.is_some(), errors.is_empty());
            errors.0.into_iter().map(|(field, _)| field.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(amiss(&[]), Vec::<String>::new());
        assert_eq!(amiss(&[("name", ""), ("url", "shop")]), ["name", "url"]);
        assert_eq!(amiss(&[("window_parameters", "since={from}")]), ["window_parameters"]);
        assert_eq!(amiss(&[("window_parameters", "since")]), ["window_parameters"]);
        assert_eq!(amiss(&[("time_format", "local")]), ["time_zone"]);
        assert_eq!(amiss(&[("time_format", "pattern"), ("time_pattern", "%H")]), ["time_pattern"]);
        assert_eq!(amiss(&[("every_minutes", "0")]), ["every_minutes"]);
        assert_eq!(amiss(&[("every_minutes", "often")]), ["every_minutes"]);
        assert_eq!(amiss(&[("schedule", "cron"), ("cron", "0 0 30 2 *")]), ["cron"]);
        assert_eq!(amiss(&[("schedule", "cron"), ("cron", "* * * * *"), ("cron_zone", "Nowhere")]), ["cron_zone"]);
        assert_eq!(amiss(&[("pages", "number")]), ["pages_parameter"]);
        assert_eq!(amiss(&[("authentication", "query")]), ["auth_parameter"]);
        assert_eq!(amiss(&[("authentication", "header"), ("auth_header", "a b")]), ["auth_header"]);
        assert_eq!(amiss(&[("record_id", "id")]), ["record_id"]);
        assert_eq!(amiss(&[("mapping", "rows")]), ["row-0-to"]);
        let second =
            [("mapping", "rows"), ("row-1-to", "a"), ("row-1-from", "/a"), ("row-3-to", ""), ("row-3-from", "/b")];
        assert_eq!(amiss(&second), ["row-3-to"]);
        assert_eq!(amiss(&[("mapping", "template"), ("template", "{{ a")]), ["template"]);
        assert_eq!(amiss(&[("limit_megabytes", "many"), ("limit_seconds", "0")]), ["limit_megabytes", "limit_seconds"]);
    }
}
