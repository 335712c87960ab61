//! The fields of the form and the definition they stand for: from the one to the other and back, so that a file, a
//! source and what was typed are the same thing.
use std::{collections::BTreeMap, str::FromStr};

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::{
    form::{Typed, sentence},
    polling::{
        definition::{
            Authentication, Bound, Converter, Definition, Mapping, PageKind, PageSize, Precision, Problem, Row,
            Schedule, SourceFile, Style, TimeFormat, WindowKind,
        },
        schedule::Rhythm,
    },
    ui::FieldErrors,
};

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

fn lines(pairs: &BTreeMap<String, String>, between: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}{between}{value}")).collect::<Vec<_>>().join("\n")
}

/// A definition, as the form shows it.
pub(super) fn of(definition: &Definition) -> Typed {
    let mut changes = vec![
        ("name", definition.name.clone()),
        ("url", definition.url.clone()),
        ("headers", lines(&definition.headers, ": ")),
        ("parameters", lines(&definition.parameters, "=")),
        ("window_parameters", lines(&definition.window.parameters, "=")),
        ("from_bound", word(&definition.window.from_bound)),
        ("until_bound", word(&definition.window.until_bound)),
        ("precision", word(&definition.window.precision)),
        ("settle_seconds", definition.schedule.settle_seconds.to_string()),
        ("lookback_minutes", definition.schedule.lookback_minutes.to_string()),
        ("records", definition.records.clone()),
        ("cap", definition.pages.cap.0.to_string()),
        ("record_id", definition.record_id.join("\n")),
        ("version", definition.version.clone().unwrap_or_default()),
        ("limit_seconds", definition.limits.seconds.to_string()),
        ("limit_megabytes", megabytes(definition.limits.bytes)),
        ("limit_records", definition.limits.records.to_string()),
        ("ca", definition.ca.clone().unwrap_or_default()),
    ];
    let (kind, more) = match &definition.authentication {
        Authentication::None => ("none", vec![]),
        Authentication::Bearer => ("bearer", vec![]),
        Authentication::Header { name, prefix } => {
            ("header", vec![("auth_header", name.clone()), ("auth_prefix", prefix.clone())])
        }
        Authentication::Query { name } => ("query", vec![("auth_parameter", name.clone())]),
        Authentication::Basic { user } => ("basic", vec![("auth_user", user.clone())]),
    };
    changes.push(("authentication", kind.into()));
    changes.extend(more);
    let since_only = definition.window.kind == WindowKind::SinceOnly;
    changes.push(("window_kind", if since_only { "sinceOnly" } else { "range" }.into()));
    if definition.conditional {
        changes.push(("conditional", "on".into()));
    }
    changes.extend(of_time(&definition.window.format, OF_WINDOW));
    match &definition.schedule.when {
        Schedule::Every(minutes) => {
            changes.extend([("schedule", "every".to_owned()), ("every_minutes", minutes.to_string())]);
        }
        Schedule::Cron { pattern, zone } => {
            changes.extend([("schedule", "cron".to_owned()), ("cron", pattern.clone()), ("cron_zone", zone.clone())]);
        }
    }
    changes.extend(of_pages(&definition.pages.kind));
    if let Some(time) = &definition.record_time {
        changes.push(("record_time", time.pointer.clone()));
        changes.extend(of_time(&time.format, OF_RECORD));
    }
    let mut typed = with(&blank(), &changes);
    match &definition.mapping {
        Mapping::AsIs => {}
        Mapping::Rows { rows } => {
            let cells = rows.iter().enumerate().flat_map(|(n, row)| of_row(n, row));
            let kept = with(&typed, &[("mapping", "rows".into())]);
            let kept = kept.fields().map(|(name, value)| (name.to_owned(), value.to_owned()));
            typed = kept.chain(cells).collect();
        }
        Mapping::Template { template } => {
            typed = with(&typed, &[("mapping", "template".into()), ("template", template.clone())]);
        }
    }
    typed
}

/// A value that is written as a text in JSON.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn megabytes(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    if bytes.is_multiple_of(MEGABYTE) {
        return (bytes / MEGABYTE).to_string();
    }
    #[expect(clippy::cast_precision_loss, reason = "limits are far below what a float counts exactly")]
    let fraction = bytes as f64 / MEGABYTE as f64;
    fraction.to_string()
}

fn of_time(format: &TimeFormat, names: TimeFields) -> Vec<(&'static str, String)> {
    let (kind, zone, pattern) = match format {
        TimeFormat::Iso8601 { style, zone } => (word(style), *zone, None),
        TimeFormat::EpochSeconds => ("epochSeconds".into(), None, None),
        TimeFormat::EpochMilliseconds => ("epochMilliseconds".into(), None, None),
        TimeFormat::Pattern { pattern, zone } => ("pattern".into(), *zone, Some(pattern.clone())),
    };
    let zone = zone.map(|zone| zone.name().to_owned()).unwrap_or_default();
    vec![(names.kind, kind), (names.zone, zone), (names.pattern, pattern.unwrap_or_default())]
}

fn of_pages(kind: &PageKind) -> Vec<(&'static str, String)> {
    let size = |size: &Option<PageSize>| match size {
        Some(size) => vec![("size_parameter", size.parameter.clone()), ("size_value", size.value.to_string())],
        None => vec![],
    };
    let (word, mut more) = match kind {
        PageKind::None => ("none", vec![]),
        PageKind::Link => ("link", vec![]),
        PageKind::Number { parameter, start, size: asked } => {
            let mut more = vec![("pages_parameter", parameter.clone()), ("pages_start", start.to_string())];
            more.extend(size(asked));
            ("number", more)
        }
        PageKind::Offset { parameter, size: asked } => {
            let mut more = vec![("pages_parameter", parameter.clone())];
            more.extend(size(asked));
            ("offset", more)
        }
        PageKind::CursorInBody { path, parameter } => {
            ("cursorInBody", vec![("pages_path", path.clone()), ("pages_parameter", parameter.clone())])
        }
        PageKind::CursorInHeader { header, parameter } => {
            ("cursorInHeader", vec![("pages_header", header.clone()), ("pages_parameter", parameter.clone())])
        }
        PageKind::NextInBody { path } => ("nextInBody", vec![("pages_path", path.clone())]),
    };
    more.push(("pages", word.into()));
    more
}

/// The name of a cell of the mapping.
pub(super) fn cell(n: usize, part: &str) -> String {
    format!("row-{n}-{part}")
}

fn of_row(n: usize, row: &Row) -> Vec<(String, String)> {
    let from = match (&row.from, &row.value) {
        (Some(from), _) => from.clone(),
        (None, Some(value)) => format!("={value}"),
        (None, None) => String::new(),
    };
    let (kind, more) = match &row.converter {
        None => (String::new(), String::new()),
        Some(Converter::DateTime { format }) => ("dateTime".into(), written(format)),
        Some(Converter::Join { with }) => ("join".into(), with.clone()),
        Some(other) => {
            let kind = serde_json::to_value(other).unwrap_or_default();
            (kind["kind"].as_str().unwrap_or_default().to_owned(), String::new())
        }
    };
    vec![
        (cell(n, "to"), row.to.clone()),
        (cell(n, "from"), from),
        (cell(n, "converter"), kind),
        (cell(n, "with"), more),
    ]
}

/// A way of writing moments on one line: `%d.%m.%Y %H:%M in Europe/Berlin`.
fn written(format: &TimeFormat) -> String {
    let (base, zone) = match format {
        TimeFormat::Iso8601 { zone, .. } => ("iso8601".to_owned(), *zone),
        TimeFormat::EpochSeconds => ("epochSeconds".to_owned(), None),
        TimeFormat::EpochMilliseconds => ("epochMilliseconds".to_owned(), None),
        TimeFormat::Pattern { pattern, zone } => (pattern.clone(), *zone),
    };
    zone.map_or_else(|| base.clone(), |zone| format!("{base} in {zone}"))
}

fn unwritten(text: &str) -> Value {
    let (base, zone) = match text.trim().rsplit_once(" in ") {
        Some((base, zone)) => (base.trim(), Some(zone.trim())),
        None => (text.trim(), None),
    };
    match base {
        "" | "iso8601" => match zone {
            Some(zone) => json!({"kind": "iso8601", "style": "local", "zone": zone}),
            None => json!({"kind": "iso8601"}),
        },
        "epochSeconds" | "epochMilliseconds" => json!({"kind": base}),
        pattern => match zone {
            Some(zone) => json!({"kind": "pattern", "pattern": pattern, "zone": zone}),
            None => json!({"kind": "pattern", "pattern": pattern}),
        },
    }
}

/// How many rows the form shows: those that are filled in, and some to be filled.
pub(super) fn rows_of(typed: &Typed) -> usize {
    let filled = |n: &usize| ["to", "from"].iter().any(|part| !typed.text(&cell(*n, part)).trim().is_empty());
    (0..MOST_ROWS).filter(filled).max().map_or(0, |last| last + 1) + SPARE
}

/// What is read of the fields.
struct Reader<'t> {
    typed: &'t Typed,
    errors: &'t mut FieldErrors,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> String {
        self.typed.text(name).trim().to_owned()
    }

    /// A whole number; nothing when the field is empty, so that its default holds.
    fn number(&mut self, name: &'static str) -> Option<u64> {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        let read = text.parse::<u64>().ok();
        if read.is_none() {
            self.errors.push(name, "Type a whole number");
        }
        read
    }

    /// Lines of a name and a value.
    fn pairs(&mut self, name: &'static str, between: char) -> Map<String, Value> {
        let mut pairs = Map::new();
        for line in self.typed.text(name).lines().filter(|line| !line.trim().is_empty()) {
            match line.split_once(between) {
                Some((key, value)) if !key.trim().is_empty() => {
                    if pairs.insert(key.trim().to_owned(), value.trim().into()).is_some() {
                        self.errors.push(name, format!("{} stands there twice", key.trim()));
                    }
                }
                _ => self.errors.push(name, format!("Each line is a name, then {between} and a value: {line}")),
            }
        }
        pairs
    }

    fn time(&mut self, names: TimeFields) -> Value {
        let kind = self.text(names.kind);
        let zone = self.text(names.zone);
        let known = zone.is_empty() || Tz::from_str(&zone).is_ok();
        let zoned = |mut value: Value| {
            if !zone.is_empty() && known {
                value["zone"] = zone.as_str().into();
            }
            value
        };
        let asks = matches!(kind.as_str(), "offset" | "local" | "pattern");
        if asks && !known {
            self.errors.push(names.zone, "This is no zone by its IANA name, such as Europe/Berlin");
        }
        match kind.as_str() {
            "epochSeconds" | "epochMilliseconds" => json!({"kind": kind}),
            "pattern" => zoned(json!({"kind": kind, "pattern": self.text(names.pattern)})),
            // without a zone it could not be told; the error stands at the zone
            "local" if zone.is_empty() || !known => {
                if zone.is_empty() {
                    self.errors.push(names.zone, "Name the zone that the other side means, such as Europe/Berlin");
                }
                json!({"kind": "iso8601"})
            }
            "offset" | "local" => zoned(json!({"kind": "iso8601", "style": kind})),
            _ => json!({"kind": "iso8601"}),
        }
    }

    fn pages(&mut self) -> Value {
        let kind = self.text("pages");
        let mut pages = json!({"kind": kind});
        let mut put = |reader: &Self, key: &str, name: &str| pages[key] = reader.text(name).into();
        match kind.as_str() {
            "number" | "offset" | "cursorInBody" | "cursorInHeader" => put(self, "parameter", "pages_parameter"),
            _ => {}
        }
        match kind.as_str() {
            "cursorInBody" | "nextInBody" => put(self, "path", "pages_path"),
            "cursorInHeader" => put(self, "header", "pages_header"),
            _ => {}
        }
        if kind == "number"
            && let Some(start) = self.number("pages_start")
        {
            pages["start"] = start.into();
        }
        if matches!(kind.as_str(), "number" | "offset") && !self.text("size_parameter").is_empty() {
            match self.number("size_value") {
                Some(size) => pages["size"] = json!({"parameter": self.text("size_parameter"), "value": size}),
                None if self.errors.get("size_value").is_none() => {
                    self.errors.push("size_value", "Say how many records a page is to hold");
                }
                None => {}
            }
        }
        if let Some(cap) = self.number("cap") {
            pages["cap"] = cap.into();
        }
        pages
    }

    fn mapping(&self) -> Value {
        match self.text("mapping").as_str() {
            "template" => json!({"kind": "template", "template": self.typed.text("template")}),
            "rows" => {
                let rows = (0..rows_of(self.typed)).filter_map(|n| self.row(n));
                json!({"kind": "rows", "rows": rows.collect::<Vec<_>>()})
            }
            _ => json!({"kind": "asIs"}),
        }
    }

    fn row(&self, n: usize) -> Option<Value> {
        let (to, from) = (self.text(&cell(n, "to")), self.text(&cell(n, "from")));
        if to.is_empty() && from.is_empty() {
            return None;
        }
        let mut row = json!({"to": to});
        match from.strip_prefix('=') {
            // what is no JSON is meant as text
            Some(value) => row["value"] = serde_json::from_str(value).unwrap_or_else(|_| value.trim().into()),
            None => row["from"] = from.into(),
        }
        let with = self.typed.text(&cell(n, "with"));
        match self.text(&cell(n, "converter")).as_str() {
            "" => {}
            "dateTime" => row["converter"] = json!({"kind": "dateTime", "format": unwritten(&with)}),
            "join" => row["converter"] = json!({"kind": "join", "with": with}),
            kind => row["converter"] = json!({"kind": kind}),
        }
        Some(row)
    }

    fn definition(&mut self) -> Value {
        let mut of = json!({
            "name": self.text("name"),
            "url": self.text("url"),
            "records": match self.text("records") { text if text.is_empty() => "$".to_owned(), text => text },
        });
        of["authentication"] = match self.text("authentication").as_str() {
            "bearer" => json!({"kind": "bearer"}),
            "header" => json!({
                "kind": "header", "name": self.text("auth_header"), "prefix": self.typed.text("auth_prefix"),
            }),
            "query" => json!({"kind": "query", "name": self.text("auth_parameter")}),
            "basic" => json!({"kind": "basic", "user": self.text("auth_user")}),
            _ => json!({"kind": "none"}),
        };
        of["headers"] = self.pairs("headers", ':').into();
        of["parameters"] = self.pairs("parameters", '=').into();
        let parameters = self.pairs("window_parameters", '=');
        let format = self.time(OF_WINDOW);
        let since_only = self.text("window_kind") == "sinceOnly";
        of["window"] = json!({
            "kind": if since_only { "sinceOnly" } else { "range" },
            "parameters": parameters,
            "format": format,
            "fromBound": self.text("from_bound"),
            "untilBound": self.text("until_bound"),
            "precision": self.text("precision"),
        });
        of["conditional"] = (since_only && self.typed.ticked("conditional")).into();
        of["schedule"] = self.schedule();
        of["pages"] = self.pages();
        let ids: Vec<_> = self.typed.text("record_id").lines().map(|line| line.trim().to_owned()).collect();
        of["recordId"] = ids.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().into();
        if !self.text("version").is_empty() {
            of["version"] = self.text("version").into();
        }
        if !self.text("record_time").is_empty() {
            of["recordTime"] = json!({"pointer": self.text("record_time"), "format": self.time(OF_RECORD)});
        }
        if !self.text("ca").is_empty() {
            of["ca"] = self.text("ca").into();
        }
        of["limits"] = self.limits();
        of["mapping"] = self.mapping();
        of
    }

    fn schedule(&mut self) -> Value {
        let mut schedule = json!({});
        if self.text("schedule") == "cron" {
            let (pattern, zone) = (self.text("cron"), self.text("cron_zone"));
            let zone = if zone.is_empty() { "UTC".to_owned() } else { zone };
            if Tz::from_str(&zone).is_ok()
                && let Err(why) = Rhythm::cron(&pattern, &zone)
            {
                self.errors.push("cron", sentence(&why));
            }
            schedule = json!({"cron": pattern, "zone": zone});
        } else {
            let minutes = self.number("every_minutes");
            if minutes.is_none() && self.errors.get("every_minutes").is_none() {
                self.errors.push("every_minutes", "Say how many minutes: 1 to 1440");
            }
            // any that is right: what is amiss is said already
            schedule["everyMinutes"] = minutes.unwrap_or(60).into();
        }
        for (key, name) in [("settleSeconds", "settle_seconds"), ("lookbackMinutes", "lookback_minutes")] {
            if let Some(value) = self.number(name) {
                schedule[key] = value.into();
            }
        }
        schedule
    }

    fn limits(&mut self) -> Value {
        let mut limits = json!({});
        for (key, name) in [("seconds", "limit_seconds"), ("records", "limit_records")] {
            if let Some(value) = self.number(name) {
                limits[key] = value.into();
            }
        }
        let text = self.text("limit_megabytes");
        match text.parse::<f64>().ok().filter(|size| size.is_finite() && *size > 0.0 && *size < 1e6) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded in the line above")]
            Some(size) => limits["bytes"] = ((size * f64::from(1 << 20)).round() as u64).into(),
            None if text.is_empty() => {}
            None => self.errors.push("limit_megabytes", "Type a number"),
        }
        limits
    }
}

/// Reads the fields: the definition, unless something is amiss.
pub(super) fn read(typed: &Typed, errors: &mut FieldErrors) -> Option<Definition> {
    let of = Reader { typed, errors }.definition();
    match SourceFile::parse(&of.to_string()) {
        Ok(file) if errors.is_empty() => Some(file.definition),
        Ok(_) => None,
        Err(problems) => {
            for problem in problems {
                let field = field_of(&problem, typed);
                // one sentence at a field is enough
                if errors.get(&field).is_none() {
                    errors.push(field, sentence(&problem.message));
                }
            }
            None
        }
    }
}

/// The field that a problem is about.
fn field_of(problem: &Problem, typed: &Typed) -> String {
    let steps: Vec<_> = problem.pointer.split('/').skip(1).collect();
    let by_kind = |names: TimeFields| {
        if typed.text(names.kind) == "pattern" { names.pattern } else { names.kind }
    };
    let authentication = |part: &str| match (part, typed.text("authentication").as_str()) {
        ("prefix", _) => "auth_prefix",
        ("user", _) => "auth_user",
        ("name", "query") => "auth_parameter",
        ("name", _) => "auth_header",
        _ => "authentication",
    };
    let field = match steps.as_slice() {
        ["authentication", part, ..] => authentication(part),
        ["window", "format", ..] => by_kind(OF_WINDOW),
        ["window", ..] => "window_parameters",
        ["schedule", "everyMinutes"] => "every_minutes",
        ["schedule", "cron"] => "cron",
        ["schedule", "zone"] => "cron_zone",
        ["schedule", "settleSeconds"] => "settle_seconds",
        ["schedule", "lookbackMinutes"] => "lookback_minutes",
        ["schedule", ..] => "schedule",
        ["pages", "parameter"] => "pages_parameter",
        ["pages", "path"] => "pages_path",
        ["pages", "header"] => "pages_header",
        ["pages", "size", "value"] => "size_value",
        ["pages", "size", ..] => "size_parameter",
        ["pages", "cap"] => "cap",
        ["recordId", ..] => "record_id",
        ["recordTime", "pointer"] => "record_time",
        ["recordTime", "format", ..] => by_kind(OF_RECORD),
        ["limits", "seconds"] => "limit_seconds",
        ["limits", "bytes"] => "limit_megabytes",
        ["limits", "records"] => "limit_records",
        ["mapping", "rows", n, part @ ..] => return row_field(n, part.first().copied(), typed),
        ["mapping", "rows"] => return cell(0, "to"),
        ["mapping", "template", ..] => "template",
        [
            first @ ("name" | "url" | "headers" | "parameters" | "records" | "version" | "pages" | "mapping" | "ca"),
            ..,
        ] => first,
        _ => "",
    };
    field.to_owned()
}

/// Rows that are empty are left out on the way: the problem's row is the so-manieth of the others.
fn row_field(n: &str, part: Option<&str>, typed: &Typed) -> String {
    let filled = |n: &usize| ["to", "from"].iter().any(|part| !typed.text(&cell(*n, part)).trim().is_empty());
    let nth = n.parse::<usize>().unwrap_or(0);
    let row = (0..rows_of(typed)).filter(filled).nth(nth).unwrap_or(0);
    let part = match part {
        Some("to") => "to",
        Some("converter") => "with",
        _ => "from",
    };
    cell(row, part)
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
