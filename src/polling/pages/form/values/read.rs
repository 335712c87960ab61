//! The definition that the fields of the form stand for, or what is amiss with them.
use std::str::FromStr;

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::{OF_RECORD, OF_WINDOW, TimeFields, cell, place::field_of, rows_of};
use crate::{
    form::{Typed, sentence},
    polling::{
        definition::{Definition, SourceFile},
        schedule::Rhythm,
    },
    ui::FieldErrors,
};

/// Reads the fields: the definition, unless something is amiss.
pub(in super::super) fn read(typed: &Typed, errors: &mut FieldErrors) -> Option<Definition> {
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
