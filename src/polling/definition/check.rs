//! Reads a definition section by section, so that everything that is wrong is said at once, and in the words of who
//! has to mend it.
use std::str::FromStr;

use chrono_tz::Tz;
use reqwest::header::{HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::{
    Authentication, Converter, Definition, MOST_BYTES, MOST_BYTES_OF_PATHS, MOST_PAGES, MOST_RECORDS, MOST_SECONDS,
    Mapping, PageKind, PageSize, Problem, Schedule, WindowKind,
};
use crate::polling::{fetch::path, map};

/// The fields of a definition.
const FIELDS: [&str; 17] = [
    "name",
    "url",
    "authentication",
    "headers",
    "parameters",
    "window",
    "schedule",
    "records",
    "pages",
    "recordId",
    "version",
    "recordTime",
    "conditional",
    "limits",
    "mapping",
    "ca",
    "token",
];

/// The longest of every text.
const LONGEST_NAME: usize = 200;
const LONGEST_URL: usize = 4000;
const LONGEST_TEXT: usize = 64 << 10;

pub(super) fn object(text: &str) -> Result<Map<String, Value>, Vec<Problem>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(vec![problem("", "a definition is a JSON object, between braces")]),
        Err(error) => Err(vec![problem("", format!("this is not JSON: {error}"))]),
    }
}

fn problem(pointer: &str, message: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), message: message.into() }
}

struct Reader {
    fields: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Reader {
    fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.fields.remove(name)?;
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.problems.push(problem(&format!("/{name}"), error.to_string()));
                None
            }
        }
    }

    fn needed<T: DeserializeOwned>(&mut self, name: &str, why: &str) -> Option<T> {
        if !self.fields.contains_key(name) {
            self.problems.push(problem(&format!("/{name}"), why));
        }
        self.section(name)
    }
}

pub(super) fn read(fields: Map<String, Value>) -> Result<Definition, Vec<Problem>> {
    let mut reader = Reader { fields, problems: Vec::new() };
    for name in reader.fields.keys() {
        if name == "token" {
            reader.problems.push(problem("/token", "the secret is no part of a definition"));
        } else if !FIELDS.contains(&name.as_str()) {
            let near = FIELDS.iter().find(|known| known.eq_ignore_ascii_case(name));
            let hint = near.map_or_else(|| FIELDS[..16].join(", "), |near| format!("{near}, perhaps"));
            reader.problems.push(problem(&format!("/{name}"), format!("there is no such field; there are: {hint}")));
        }
    }
    if let Some(Value::Object(pages)) = reader.fields.get("pages") {
        let known = ["kind", "cap", "parameter", "start", "size", "path", "header"];
        for name in pages.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("there is no such field; there are: {}", known.join(", "));
            reader.problems.push(problem(&format!("/pages/{name}"), message));
        }
    }
    let name = reader.needed("name", "a source needs a name");
    let url = reader.needed("url", "a source needs the address that is asked, such as https://shop.example.com/orders");
    let window = reader.needed(
        "window",
        "say how the window of time is asked for, such as {\"parameters\": {\"since\": \"{from}\", \"before\": \"{until}\"}}",
    );
    let schedule = reader.needed("schedule", "say when it is asked, such as {\"everyMinutes\": 60}");
    let authentication = reader.section("authentication").unwrap_or_default();
    let headers = reader.section("headers").unwrap_or_default();
    let parameters = reader.section("parameters").unwrap_or_default();
    let records = reader.section("records").unwrap_or_else(|| "$".into());
    let pages = reader.section("pages").unwrap_or_default();
    let record_id = reader.section("recordId").unwrap_or_default();
    let version = reader.section::<Option<String>>("version").flatten();
    let record_time = reader.section::<Option<_>>("recordTime").flatten();
    let conditional = reader.section("conditional").unwrap_or_default();
    let limits = reader.section("limits").unwrap_or_default();
    let mapping = reader.section("mapping").unwrap_or_default();
    let ca = reader.section::<Option<String>>("ca").flatten();
    let (Some(name), Some(url), Some(window), Some(schedule)) = (name, url, window, schedule) else {
        return Err(reader.problems);
    };
    let definition = Definition {
        name,
        url,
        authentication,
        headers,
        parameters,
        window,
        schedule,
        records,
        pages,
        record_id,
        version,
        record_time,
        conditional,
        limits,
        mapping,
        ca,
    };
    let mut check = Check { problems: reader.problems };
    check.all(&definition);
    if check.problems.is_empty() { Ok(definition) } else { Err(check.problems) }
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn say(&mut self, pointer: impl AsRef<str>, message: impl Into<String>) {
        self.problems.push(problem(pointer.as_ref(), message));
    }

    fn all(&mut self, of: &Definition) {
        if of.name.trim().is_empty() || of.name.chars().count() > LONGEST_NAME || of.name.chars().any(char::is_control)
        {
            self.say("/name", format!("a name has 1 to {LONGEST_NAME} characters"));
        }
        self.address(of);
        self.sent(of);
        self.window(of);
        self.schedule(of);
        self.answer(of);
        self.pages(of);
        self.mapping(of);
        let limits = of.limits;
        if !(1..=MOST_SECONDS).contains(&limits.seconds) {
            self.say("/limits/seconds", format!("1 to {MOST_SECONDS} seconds for an answer"));
        }
        let most = if path::Steps::parse(&of.records).is_some() { MOST_BYTES } else { MOST_BYTES_OF_PATHS };
        if !(1024..=MOST_BYTES).contains(&limits.bytes) {
            self.say("/limits/bytes", format!("1024 to {most} bytes for an answer"));
        }
        if !(1..=MOST_RECORDS).contains(&limits.records) {
            self.say("/limits/records", format!("1 to {MOST_RECORDS} records for a window"));
        }
        if let Some(ca) = &of.ca
            && (ca.len() > LONGEST_TEXT || crate::http_client::certificates(ca).is_none())
        {
            self.say("/ca", "this is no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----");
        }
    }

    fn address(&mut self, of: &Definition) {
        match Url::parse(&of.url) {
            _ if of.url.len() > LONGEST_URL => {
                self.say("/url", format!("an address has {LONGEST_URL} characters at most"));
            }
            Err(error) => self.say("/url", format!("this is no address: {error}; it begins with https://")),
            Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() => {
                self.say("/url", "an address begins with https:// or http://");
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                self.say("/url", "a user and a password do not belong into the address: take authentication basic");
            }
            Ok(url) if url.fragment().is_some() => self.say("/url", "what stands after # is never sent: leave it out"),
            Ok(_) => {}
        }
    }

    fn sent(&mut self, of: &Definition) {
        for (name, value) in &of.headers {
            let at = format!("/headers/{}", escaped(name));
            match HeaderName::from_str(name) {
                Err(_) => self.say(&at, "this is no name of a header"),
                Ok(name)
                    if ["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "range"]
                        .contains(&name.as_str()) =>
                {
                    self.say(&at, "this header is set by Tributary itself");
                }
                Ok(name) if name == "authorization" => {
                    self.say(&at, "a secret does not belong here, where it is shown: say authentication");
                }
                Ok(_) => {}
            }
            if HeaderValue::from_str(value).is_err() {
                self.say(&at, "a header cannot hold such characters");
            }
        }
        match &of.authentication {
            Authentication::Header { name, prefix } => {
                if HeaderName::from_str(name).is_err() {
                    self.say("/authentication/name", "this is no name of a header");
                }
                if HeaderValue::from_str(prefix).is_err() {
                    self.say("/authentication/prefix", "a header cannot hold such characters");
                }
                if of.headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
                    self.say(format!("/headers/{}", escaped(name)), "this header is for the secret");
                }
            }
            Authentication::Query { name } => {
                if name.is_empty() {
                    self.say("/authentication/name", "the parameter for the secret needs a name");
                }
                if of.parameters.contains_key(name) || of.window.parameters.contains_key(name) {
                    self.say("/authentication/name", "this parameter is set twice");
                }
            }
            Authentication::Basic { user } if user.contains(':') => {
                self.say("/authentication/user", "a user of Basic cannot hold a colon");
            }
            _ => {}
        }
        for name in of.parameters.keys().filter(|name| of.window.parameters.contains_key(*name)) {
            self.say(format!("/parameters/{}", escaped(name)), "this parameter is set by the window too");
        }
        for (name, value) in &of.parameters {
            if value.contains("{from}") || value.contains("{until}") {
                self.say(format!("/parameters/{}", escaped(name)), "{from} and {until} belong into window.parameters");
            }
        }
    }

    fn window(&mut self, of: &Definition) {
        let at = "/window/parameters";
        let holds = |what: &str| of.window.parameters.values().any(|template| template.contains(what));
        let since_only = of.window.kind == WindowKind::SinceOnly;
        if !(holds("{from}") || since_only && of.conditional) {
            self.say(at, "no parameter holds {from}: the other side would be asked for everything each time");
        }
        match (holds("{until}"), since_only) {
            (false, false) => {
                self.say(at, "no parameter holds {until}; where the other side has none, say \"kind\": \"sinceOnly\"");
            }
            (true, true) => self.say(at, "sinceOnly has no {until}; leave kind out to ask for both"),
            _ => {}
        }
        for (name, template) in &of.window.parameters {
            if template.replace("{from}", "").replace("{until}", "").contains(['{', '}']) {
                self.say(format!("{at}/{}", escaped(name)), "only {from} and {until} may stand between braces");
            }
        }
        if let Some(fault) = of.window.format.fault() {
            self.say("/window/format", fault);
        }
        if of.conditional && !since_only {
            self.say("/conditional", "only sinceOnly can ask for what has changed: a window of the past is asked once");
        }
    }

    fn schedule(&mut self, of: &Definition) {
        match &of.schedule.when {
            Schedule::Every(minutes) if !(1..=1440).contains(minutes) => {
                self.say("/schedule/everyMinutes", "1 to 1440 minutes");
            }
            Schedule::Every(_) => {}
            Schedule::Cron { pattern, zone } => {
                if pattern.split_whitespace().count() != 5 || croner::Cron::from_str(pattern).is_err() {
                    self.say(
                        "/schedule/cron",
                        "a cron pattern has five fields: minute, hour, day, month, weekday, such as 0 6 * * 1-5",
                    );
                }
                if Tz::from_str(zone).is_err() {
                    self.say("/schedule/zone", "this is no zone by its IANA name, such as Europe/Berlin");
                }
            }
        }
        if of.schedule.settle_seconds > 86_400 {
            self.say("/schedule/settleSeconds", "at most 86400 seconds, a day");
        }
        if of.schedule.lookback_minutes > 10_080 {
            self.say("/schedule/lookbackMinutes", "at most 10080 minutes, a week");
        }
    }

    fn answer(&mut self, of: &Definition) {
        if path::Records::parse(&of.records).is_err() {
            self.say("/records", "this is no JSONPath: the answer itself is $, a list within it $.data.items");
        }
        let pointers = of.record_id.iter().enumerate().map(|(n, pointer)| (format!("/recordId/{n}"), pointer));
        let version = of.version.iter().map(|pointer| ("/version".to_owned(), pointer));
        let time = of.record_time.iter().map(|time| ("/recordTime/pointer".to_owned(), &time.pointer));
        for (at, pointer) in pointers.chain(version).chain(time) {
            if !pointer.starts_with('/') {
                self.say(at, format!("this is no JSON Pointer: a field of the record is written /{pointer}"));
            }
        }
        if let Some(fault) = of.record_time.as_ref().and_then(|time| time.format.fault()) {
            self.say("/recordTime/format", fault);
        }
    }

    fn pages(&mut self, of: &Definition) {
        if !(1..=MOST_PAGES).contains(&of.pages.cap.0) {
            self.say("/pages/cap", format!("1 to {MOST_PAGES} pages"));
        }
        let size = |check: &mut Self, size: &Option<PageSize>| {
            if let Some(size) = size {
                if size.value == 0 {
                    check.say("/pages/size/value", "a page holds 1 record at least");
                }
                check.parameter(of, "/pages/size/parameter", &size.parameter);
            }
        };
        match &of.pages.kind {
            PageKind::None | PageKind::Link => {}
            PageKind::Number { parameter, size: asked, .. } | PageKind::Offset { parameter, size: asked } => {
                self.parameter(of, "/pages/parameter", parameter);
                size(self, asked);
            }
            PageKind::CursorInBody { path, parameter } => {
                self.steps(path);
                self.parameter(of, "/pages/parameter", parameter);
            }
            PageKind::CursorInHeader { header, parameter } => {
                if HeaderName::from_str(header).is_err() {
                    self.say("/pages/header", "this is no name of a header");
                }
                self.parameter(of, "/pages/parameter", parameter);
            }
            PageKind::NextInBody { path } => self.steps(path),
        }
    }

    fn steps(&mut self, path: &str) {
        if path::Steps::parse(path).is_none_or(|steps| steps.is_root()) {
            self.say("/pages/path", "plain steps lead there, such as $.meta.next");
        }
    }

    fn parameter(&mut self, of: &Definition, at: &str, name: &str) {
        let secret = matches!(&of.authentication, Authentication::Query { name: secret } if secret == name);
        if name.is_empty() {
            self.say(at, "the parameter needs a name");
        } else if secret || of.parameters.contains_key(name) || of.window.parameters.contains_key(name) {
            self.say(at, format!("the parameter {name} is set elsewhere too"));
        }
    }

    fn mapping(&mut self, of: &Definition) {
        if let Mapping::Rows { rows } = &of.mapping {
            if rows.is_empty() {
                self.say("/mapping/rows", "without a row, the event would be empty");
            }
            for (n, row) in rows.iter().enumerate() {
                let at = format!("/mapping/rows/{n}");
                if row.from.is_some() == row.value.is_some() {
                    self.say(&at, "a row has either from, a place in the record, or value");
                }
                if let Some(Converter::DateTime { format }) = &row.converter
                    && let Some(fault) = format.fault()
                {
                    self.say(format!("{at}/converter/format"), fault);
                }
            }
        }
        if let Err(faults) = map::Mapper::new(&of.mapping) {
            for (pointer, message) in faults {
                self.say(format!("/mapping{pointer}"), message);
            }
        }
    }
}

/// A key, as JSON Pointers write it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Definition, SourceFile, testing::definition};

    #[test]
    fn what_is_right_is_written_as_it_was_read() {
        let read = definition(
            "https://shop.example.com/orders",
            json!({
                "authentication": {"kind": "header", "name": "X-Key"},
                "pages": {"kind": "number", "parameter": "page", "size": {"parameter": "per_page", "value": 50}, "cap": 20},
                "schedule": {"cron": "0 6 * * 1-5", "zone": "Europe/Berlin", "settleSeconds": 30},
                "window": {"parameters": {"updated_on": "><{from}|{until}"}, "untilBound": "inclusive", "precision": "day",
                           "format": {"kind": "pattern", "pattern": "%Y-%m-%d", "zone": "Europe/Berlin"}},
                "mapping": {"kind": "rows", "rows": [{"to": "Order ID", "from": "/id", "converter": {"kind": "string"}}]},
            }),
        );
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(Definition::parse(&text).unwrap(), read);
        assert!(read.is_bounded() && read.needs_secret() && read.granule() == chrono::TimeDelta::days(1));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let wrong = json!({
            "name": " ", "url": "ftp://x", "Url": 1, "records": "items[", "recordId": ["id"],
            "headers": {"Authorization": "Bearer x"}, "limits": {"seconds": 0}, "ca": "none",
            "window": {"parameters": {"a": "{from}{x}"}}, "schedule": {"everyMinutes": 1441},
            "pages": {"kind": "number", "parameter": "a", "capp": 1},
            "mapping": {"kind": "template", "template": "{% if %}"},
        });
        let problems = Definition::parse(&wrong.to_string()).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        for pointer in [
            "/name",
            "/url",
            "/Url",
            "/records",
            "/recordId/0",
            "/headers/Authorization",
            "/limits/seconds",
            "/ca",
            "/window/parameters",
            "/window/parameters/a",
            "/schedule/everyMinutes",
            "/pages/parameter",
            "/pages/capp",
            "/mapping/template",
        ] {
            assert!(pointers.contains(&pointer), "{pointer} is missing from {problems:?}");
        }
        let missing = Definition::parse("{}").unwrap_err();
        assert_eq!(missing.len(), 4, "{missing:?}");
        assert!(Definition::parse("[]").is_err() && Definition::parse("{").is_err());
    }

    #[test]
    fn the_token_is_split_off() {
        let mut file = serde_json::to_value(definition("https://shop.example.com/orders", json!({}))).unwrap();
        file["token"] = "geheim".into();
        let read = SourceFile::parse(&file.to_string()).unwrap();
        assert_eq!(read.secret.as_deref(), Some("geheim"));
        assert!(!serde_json::to_string(&read.definition).unwrap().contains("geheim"));
        assert!(Definition::parse(&file.to_string()).is_err());
    }
}
