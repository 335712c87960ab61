//! What is asked, and how its answers are read: the definition of a source, as a SOURCE.json file holds it.
//!
//! [`Definition::parse`] is the border: it says everything that is wrong at once, and what is inside keeps the rules.
//! The secret is no part of it; [`SourceFile`] splits it off where a file brings it along.
mod check;
mod time;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Window;

pub use time::{Bound, End, Precision, Style, TimeFormat};

/// The longest that an answer may take, in seconds.
pub const MOST_SECONDS: u32 = 900;
/// The largest answer that is read, decoded, in bytes.
pub const MOST_BYTES: u64 = 1 << 30;
/// The largest answer that is read where the path to its records is more than plain steps: it is held in memory.
pub const MOST_BYTES_OF_PATHS: u64 = 16 << 20;
/// The most records of one window.
pub const MOST_RECORDS: u64 = 10_000_000;
/// The most pages of one window.
pub const MOST_PAGES: u32 = 100_000;

/// What is wrong with a definition, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A JSON Pointer into the file.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The definition of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// The address that is asked.
    pub url: String,
    /// Where the secret goes.
    #[serde(default)]
    pub authentication: Authentication,
    /// Further headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Further parameters of the query.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// How the window of time is asked for.
    pub window: WindowRule,
    /// When it is asked.
    pub schedule: ScheduleRule,
    /// Where in the answer the records are: `$` is the answer itself.
    #[serde(default = "the_answer")]
    pub records: String,
    /// How an answer goes on.
    #[serde(default)]
    pub pages: Pages,
    /// JSON Pointers to what identifies a record; without any, its content does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_id: Vec<String>,
    /// A JSON Pointer to what changes with every change of a record; without one, its content tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The time of a record itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_time: Option<RecordTime>,
    /// Whether the other side is asked to answer only when something has changed (`If-Modified-Since`).
    #[serde(default)]
    pub conditional: bool,
    /// How much an answer may take.
    #[serde(default)]
    pub limits: Limits,
    /// What becomes of a record.
    #[serde(default)]
    pub mapping: Mapping,
    /// A certificate authority of the other side's own, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

fn the_answer() -> String {
    "$".into()
}

/// Where the secret goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Authentication {
    /// There is none.
    #[default]
    None,
    /// In a header of its own.
    Header {
        /// Its name.
        name: String,
        /// What stands before the secret, such as `Token `.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
    },
    /// In a parameter of the query.
    Query {
        /// Its name.
        name: String,
    },
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: Basic …`; the secret is the password.
    Basic {
        /// The name before it.
        user: String,
    },
}

/// How the window of time is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WindowRule {
    /// Whether there is an upper bound.
    #[serde(default)]
    pub kind: WindowKind,
    /// Parameters of the query, with `{from}` and `{until}` in their values.
    pub parameters: BTreeMap<String, String>,
    /// How moments are written.
    #[serde(default)]
    pub format: TimeFormat,
    /// Whether a record of the very first moment is among the answers.
    #[serde(default)]
    pub from_bound: Bound,
    /// Whether a record of the very last moment is.
    #[serde(default = "Bound::exclusive")]
    pub until_bound: Bound,
    /// How finely the other side tells moments apart.
    #[serde(default)]
    pub precision: Precision,
}

/// Whether windows have an upper bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WindowKind {
    /// Both bounds are asked for.
    #[default]
    Range,
    /// Everything since a moment.
    SinceOnly,
}

/// When a source is asked, as a file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ScheduleFields", into = "ScheduleFields")]
pub struct ScheduleRule {
    /// When.
    pub when: Schedule,
    /// How far behind the other side's clock a window ends.
    pub settle_seconds: u32,
    /// How much is read again, for records that come late.
    pub lookback_minutes: u32,
}

/// When a source is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Every so many minutes.
    Every(u32),
    /// By a cron pattern, in a time zone.
    Cron {
        /// Five fields.
        pattern: String,
        /// Its IANA name.
        zone: String,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ScheduleFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(default = "settle")]
    settle_seconds: u32,
    #[serde(default)]
    lookback_minutes: u32,
}

fn settle() -> u32 {
    60
}

impl TryFrom<ScheduleFields> for ScheduleRule {
    type Error = &'static str;

    fn try_from(fields: ScheduleFields) -> Result<Self, Self::Error> {
        let when = match (fields.every_minutes, fields.cron, fields.zone) {
            (Some(minutes), None, None) => Schedule::Every(minutes),
            (None, Some(pattern), zone) => Schedule::Cron { pattern, zone: zone.unwrap_or_else(|| "UTC".into()) },
            (Some(_), None, Some(_)) => return Err("a zone belongs to a cron pattern, not to everyMinutes"),
            (Some(_), Some(_), _) => return Err("give everyMinutes or cron, not both"),
            (None, None, _) => return Err("give everyMinutes (1 to 1440) or cron"),
        };
        let (settle_seconds, lookback_minutes) = (fields.settle_seconds, fields.lookback_minutes);
        Ok(Self { when, settle_seconds, lookback_minutes })
    }
}

impl From<ScheduleRule> for ScheduleFields {
    fn from(rule: ScheduleRule) -> Self {
        let (every_minutes, cron, zone) = match rule.when {
            Schedule::Every(minutes) => (Some(minutes), None, None),
            Schedule::Cron { pattern, zone } => (None, Some(pattern), Some(zone)),
        };
        let (settle_seconds, lookback_minutes) = (rule.settle_seconds, rule.lookback_minutes);
        Self { every_minutes, cron, zone, settle_seconds, lookback_minutes }
    }
}

/// How an answer goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pages {
    /// By what.
    #[serde(flatten)]
    pub kind: PageKind,
    /// The most pages of one window; one that has more is split.
    #[serde(default)]
    pub cap: Cap,
}

/// The most pages of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cap(pub u32);

impl Default for Cap {
    fn default() -> Self {
        Self(1000)
    }
}

/// By what an answer goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum PageKind {
    /// It does not.
    #[default]
    None,
    /// Pages have numbers.
    Number {
        /// The parameter for the number.
        parameter: String,
        /// The number of the first page.
        #[serde(default = "one")]
        start: u64,
        /// How many records a page is asked to hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<PageSize>,
    },
    /// A page begins after so many records.
    Offset {
        /// The parameter for how many.
        parameter: String,
        /// How many records a page is asked to hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<PageSize>,
    },
    /// The answer holds a token for the next page.
    CursorInBody {
        /// Where: plain steps, such as `$.meta.cursor`.
        path: String,
        /// The parameter it goes to.
        parameter: String,
    },
    /// A header of the answer holds a token for the next page.
    CursorInHeader {
        /// Its name.
        header: String,
        /// The parameter it goes to.
        parameter: String,
    },
    /// The answer holds the address of the next page.
    NextInBody {
        /// Where: plain steps, such as `$.next`.
        path: String,
    },
    /// The header `Link` holds the address of the next page (RFC 8288).
    Link,
}

fn one() -> u64 {
    1
}

/// How many records a page is asked to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PageSize {
    /// The parameter for it.
    pub parameter: String,
    /// How many.
    pub value: u32,
}

/// The time of a record itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordTime {
    /// Where: a JSON Pointer.
    pub pointer: String,
    /// How it is written.
    #[serde(default)]
    pub format: TimeFormat,
}

/// How much an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Seconds in which one answer must have arrived.
    pub seconds: u32,
    /// Bytes of one answer, decoded.
    pub bytes: u64,
    /// Records of one window.
    pub records: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seconds: 60, bytes: 64 << 20, records: 100_000 }
    }
}

/// What becomes of a record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Mapping {
    /// The event is the record.
    #[default]
    AsIs,
    /// Fields of the event, one by one.
    Rows {
        /// Each.
        rows: Vec<Row>,
    },
    /// A template that writes the event as JSON.
    Template {
        /// In `MiniJinja`; the record is `record`, and values are written as JSON.
        template: String,
    },
}

/// One field of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Row {
    /// The field: its name, or a JSON Pointer for one within another.
    pub to: String,
    /// What it is made of: a JSON Pointer or a `JSONPath` into the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Or: always this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What is done to it on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converter: Option<Converter>,
}

/// What is done to a value on its way into an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Converter {
    /// Becomes text.
    String,
    /// Becomes a number; a comma or a point may stand before the decimals.
    Number,
    /// Becomes a whole number.
    Integer,
    /// Becomes true or false: of 1 and 0, yes and no, true and false, on and off.
    Boolean,
    /// Loses the space around it.
    Trim,
    /// Loses the space around it, and becomes small letters.
    Lower,
    /// Loses the space around it, and becomes capitals.
    Upper,
    /// Is text that holds JSON, and becomes that.
    Json,
    /// Is a moment, and becomes one in ISO 8601, in UTC.
    DateTime {
        /// How it is written.
        format: TimeFormat,
    },
    /// Is a list, and becomes text with this between its parts.
    Join {
        /// What stands between.
        with: String,
    },
}

/// A SOURCE.json: a definition, and perhaps its secret.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The definition, without the secret.
    pub definition: Definition,
    /// The secret.
    pub secret: Option<String>,
}

impl SourceFile {
    /// Reads a SOURCE.json.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut fields = check::object(text)?;
        let token = fields.remove("token");
        let secret = match token {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(token)) if !token.trim().is_empty() => Ok(Some(token.trim().to_owned())),
            Some(_) => Err(Problem { pointer: "/token".into(), message: "the token must be a text".into() }),
        };
        match (Definition::of(fields), secret) {
            (Ok(definition), Ok(secret)) => Ok(Self { definition, secret }),
            (definition, secret) => {
                Err(secret.err().into_iter().chain(definition.err().into_iter().flatten()).collect())
            }
        }
    }
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Self::of(check::object(text)?)
    }

    fn of(fields: Map<String, Value>) -> Result<Self, Vec<Problem>> {
        check::read(fields)
    }

    /// The least span of time that the other side can be asked for.
    pub fn granule(&self) -> TimeDelta {
        self.window.precision.span().max(self.window.format.granule())
    }

    /// Both ends of a window as they are asked for: written outward.
    pub fn ends(&self, window: Window) -> [String; 2] {
        let (rule, granule) = (&self.window, self.granule());
        [
            rule.format.render(window.from, End::From, rule.from_bound, granule),
            rule.format.render(window.until, End::Until, rule.until_bound, granule),
        ]
    }

    /// Whether a window has an upper bound, so that it can be split.
    pub fn is_bounded(&self) -> bool {
        self.window.kind == WindowKind::Range
    }

    /// Whether it cannot be asked without a secret.
    pub fn needs_secret(&self) -> bool {
        self.authentication != Authentication::None
    }
}

#[cfg(test)]
pub mod testing {
    //! Definitions for tests.
    use serde_json::{Value, json};

    use super::Definition;

    /// One that is right, for `url`, with `changes` laid over it.
    ///
    /// # Panics
    /// When they make it wrong.
    pub fn definition(url: &str, changes: Value) -> Definition {
        let mut fields = json!({
            "name": "Orders", "url": url,
            "window": {"parameters": {"from": "{from}", "until": "{until}"}, "precision": "milliseconds"},
            "schedule": {"everyMinutes": 60}, "records": "$.data.items", "recordId": ["/id"],
        });
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            fields[name] = value;
        }
        Definition::parse(&fields.to_string()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }
}
