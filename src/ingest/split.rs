//! From the body to single events, each the exact text between its braces.
use std::{borrow::Cow, fmt, sync::Arc};

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{body::Form, problem::Problem};
use crate::{config::Limits, ids::EventTypeId};

/// One event, not yet looked into.
pub struct Raw {
    /// Exactly as sent.
    pub payload: Bytes,
    /// In a mixed request: the type it names.
    pub event_type: Option<EventTypeId>,
    /// A `CloudEvent`'s source and id, which make it unique.
    pub identity: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Named<'b> {
    #[serde(rename = "EventTypeId", borrow)]
    event_type: Cow<'b, str>,
    #[serde(rename = "Event", borrow)]
    event: &'b RawValue,
}

#[derive(Deserialize)]
struct CloudEvent<'b> {
    #[serde(borrow)]
    id: Cow<'b, str>,
    #[serde(borrow)]
    source: Cow<'b, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'b, str>,
    #[serde(borrow)]
    specversion: Cow<'b, str>,
    #[serde(borrow)]
    data: Option<&'b RawValue>,
}

/// Splits a body. `mixed` says that each event names its type.
pub fn split(body: &Bytes, form: Form, mixed: bool, headers: &HeaderMap, limits: &Limits) -> Result<Vec<Raw>, Problem> {
    let bytes = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::bad("the body is not UTF-8"))?;
    if text.trim_ascii().is_empty() {
        return Err(Problem::bad("the body is empty"));
    }
    let splitter = Splitter { body, mixed, limits };
    let has_attributes = headers.contains_key("ce-specversion") || headers.contains_key("ce-id");
    let raws = match form {
        Form::Json if has_attributes => vec![splitter.binary(headers, text)?],
        Form::Lines if has_attributes => {
            return Err(Problem::bad("the headers of a CloudEvent are about one event: send it as application/json"));
        }
        Form::Json => {
            splitter.values(text, |value| if mixed { splitter.named(value) } else { splitter.event(value) })?
        }
        Form::Lines => splitter.lines(text)?,
        Form::CloudEvent => vec![splitter.cloud_event(parse(text)?)?],
        Form::CloudEvents => splitter.values(text, |value| splitter.cloud_event(value))?,
    };
    if raws.is_empty() {
        return Err(Problem::bad("the body holds no event"));
    }
    Ok(raws)
}

struct Splitter<'b> {
    body: &'b Bytes,
    mixed: bool,
    limits: &'b Limits,
}

impl<'b> Splitter<'b> {
    fn values(&self, text: &'b str, one: impl Fn(&'b RawValue) -> Result<Raw, Problem>) -> Result<Vec<Raw>, Problem> {
        if !text.trim_ascii_start().starts_with('[') {
            return Ok(vec![one(parse(text)?)?]);
        }
        let most = self.limits.max_events as usize;
        let mut values = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = reader.deserialize_seq(FirstOf { most, values: &mut values }).and_then(|()| reader.end());
        if values.len() > most {
            return Err(self.too_many());
        }
        read.map_err(not_json)?;
        values.into_iter().map(one).collect()
    }

    fn lines(&self, text: &'b str) -> Result<Vec<Raw>, Problem> {
        let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        if lines().nth(self.limits.max_events as usize).is_some() {
            return Err(self.too_many());
        }
        lines()
            .map(|(number, line)| {
                let value = serde_json::from_str(line)
                    .map_err(|error| Problem::bad(format!("line {} is not JSON: {error}", number + 1)))?;
                if self.mixed { self.named(value) } else { self.event(value) }
            })
            .collect()
    }

    fn too_many(&self) -> Problem {
        Problem::too_large(format!("the request holds more than {} events", self.limits.max_events))
    }

    fn event(&self, value: &'b RawValue) -> Result<Raw, Problem> {
        let text = value.get();
        if !text.starts_with('{') {
            return Err(Problem::bad("an event must be a JSON object"));
        }
        let most = self.limits.max_event;
        if text.len() > most as usize {
            return Err(Problem::too_large(format!("an event is larger than {most} bytes")));
        }
        Ok(Raw { payload: self.body.slice_ref(text.as_bytes()), event_type: None, identity: None })
    }

    fn named(&self, value: &'b RawValue) -> Result<Raw, Problem> {
        let named: Named = serde_json::from_str(value.get()).map_err(|error| {
            Problem::bad(format!(
                "each event of this route is an object with an EventTypeId and an Event: {}",
                in_words(&error)
            ))
        })?;
        let event_type = named.event_type.parse().map_err(|_| Problem::bad("an EventTypeId is not a GUID"))?;
        Ok(Raw { event_type: Some(event_type), ..self.event(named.event)? })
    }

    fn cloud_event(&self, value: &'b RawValue) -> Result<Raw, Problem> {
        let event: CloudEvent = serde_json::from_str(value.get())
            .map_err(|error| Problem::bad(format!("this is not a CloudEvent: {}", in_words(&error))))?;
        let data = event.data.ok_or_else(|| Problem::bad("the data of a CloudEvent must be a JSON object"))?;
        let raw = self.event(data)?;
        self.with_attributes(raw, &event.specversion, &event.id, &event.source, &event.kind)
    }

    /// A `CloudEvent` whose attributes are headers and whose data is the body.
    fn binary(&self, headers: &HeaderMap, text: &'b str) -> Result<Raw, Problem> {
        let attribute = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or_else(|| Problem::bad(format!("a CloudEvent needs the header {name}")))
        };
        let raw = self.event(parse(text)?)?;
        let (version, id, source, kind) =
            (attribute("ce-specversion")?, attribute("ce-id")?, attribute("ce-source")?, attribute("ce-type")?);
        self.with_attributes(raw, version, id, source, kind)
    }

    fn with_attributes(&self, raw: Raw, version: &str, id: &str, source: &str, kind: &str) -> Result<Raw, Problem> {
        if version != "1.0" {
            return Err(Problem::bad("the specversion of a CloudEvent must be 1.0"));
        }
        if id.is_empty() || source.is_empty() {
            return Err(Problem::bad("the id and the source of a CloudEvent must not be empty"));
        }
        let event_type = if self.mixed {
            Some(kind.parse().map_err(|_| Problem::bad("the type of a CloudEvent must be the GUID of an event type"))?)
        } else {
            None
        };
        // a length before the source keeps ("a", "bc") and ("ab", "c") apart
        let identity = format!("{}:{source}{id}", source.len());
        Ok(Raw { event_type, identity: Some(identity.into()), ..raw })
    }
}

/// Reads an array up to one value more than `most`, and then gives up: a short body may hold millions.
struct FirstOf<'v, 'b> {
    most: usize,
    values: &'v mut Vec<&'b RawValue>,
}

impl<'b> Visitor<'b> for FirstOf<'_, 'b> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(value) = sequence.next_element()? {
            self.values.push(value);
            if self.values.len() > self.most {
                return Err(A::Error::custom("too many"));
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<&RawValue, Problem> {
    serde_json::from_str(text).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> Problem {
    Problem::bad(format!("the body is not JSON: {}", in_words(&error)))
}

/// What the parser says, without what the sender wrote (which may hold what no log should).
pub(super) fn in_words(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => format!("it ends too early ({place})"),
        serde_json::error::Category::Syntax => format!("there is a mistake at {place}"),
        _ => {
            let text = error.to_string();
            let known = ["missing field", "duplicate field"].iter().any(|start| text.starts_with(start));
            if known { text } else { format!("something of the wrong type stands at {place}") }
        }
    }
}
