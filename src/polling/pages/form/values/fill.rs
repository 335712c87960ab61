//! A definition, as the fields of the form show it.
use std::collections::BTreeMap;

use super::{OF_RECORD, OF_WINDOW, TimeFields, blank, cell, with};
use crate::{
    form::Typed,
    polling::definition::{
        Authentication, Converter, Definition, Mapping, PageKind, PageSize, Row, Schedule, TimeFormat, WindowKind,
    },
};

/// A definition, as the form shows it.
pub(in super::super) fn of(definition: &Definition) -> Typed {
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
pub(in super::super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn lines(pairs: &BTreeMap<String, String>, between: &str) -> String {
    pairs.iter().map(|(name, value)| format!("{name}{between}{value}")).collect::<Vec<_>>().join("\n")
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
