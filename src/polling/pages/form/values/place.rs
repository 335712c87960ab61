//! At which field of the form a problem of the definition stands.
use super::{OF_RECORD, OF_WINDOW, TimeFields, cell, rows_of};
use crate::{form::Typed, polling::definition::Problem};

/// The field that a problem is about.
pub(super) fn field_of(problem: &Problem, typed: &Typed) -> String {
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
