//! An event as a line of JSON: what exports and `tributary events` write.
use std::borrow::Cow;

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Event, Verdict};
use crate::ids::{EventId, EventTypeId, ReceiptId, TokenId};

/// An event as a line of JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    id: EventId,
    event_type_id: EventTypeId,
    receipt_id: ReceiptId,
    /// When it was received, to the millisecond.
    pub received_at: String,
    verdict: Verdict,
    /// The token it came with; none when it came anonymously.
    source_id: Option<TokenId>,
    payload: Raw<'a>,
    errors: Option<Raw<'a>>,
}

/// JSON as it was sent, or, should it be none, its text.
#[derive(Serialize)]
#[serde(untagged)]
enum Raw<'a> {
    Json(Box<RawValue>),
    Text(&'a str),
}

impl<'a> Raw<'a> {
    fn of(text: &'a str) -> Self {
        RawValue::from_string(one_line(text).into_owned()).map_or(Self::Text(text), Self::Json)
    }
}

/// Line breaks can only stand between the parts of a JSON text, where they are worth no more than a space.
fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) { Cow::Owned(text.replace(['\n', '\r'], " ")) } else { Cow::Borrowed(text) }
}

impl<'a> Line<'a> {
    /// The line of an event.
    pub fn of(event: &'a Event) -> Self {
        Self {
            id: event.id,
            event_type_id: event.event_type_id,
            receipt_id: event.id.receipt(),
            received_at: event.id.received_at().to_rfc3339_opts(SecondsFormat::Millis, true),
            verdict: event.verdict,
            source_id: event.source_id,
            payload: Raw::of(&event.payload),
            errors: event.errors.as_deref().map(Raw::of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(payload: &str, errors: Option<&str>) -> Event {
        Event {
            id: EventId(uuid::Uuid::from_u128((0x0199_0000_0000 << 80) | 0x7000_0000_0000_0000_0001)),
            event_type_id: EventTypeId(uuid::Uuid::from_u128(7)),
            source_id: None,
            verdict: Verdict::Accepted,
            payload: payload.into(),
            errors: errors.map(str::to_owned),
        }
    }

    #[test]
    fn a_line_holds_the_event_as_sent() {
        let event = event("{ \"n\" :1.00000000000000000000001,\r\n \"n\":\"\\ud800\\n\" }", None);
        let line = serde_json::to_string(&Line::of(&event)).unwrap();
        assert!(
            line.contains(r#""payload":{ "n" :1.00000000000000000000001,   "n":"\ud800\n" },"errors":null}"#),
            "{line}"
        );
        assert!(line.contains(r#""eventTypeId":"00000000-0000-0000-0000-000000000007""#));
        assert!(line.contains(r#""receivedAt":"2025-08-31T12:00:24.064Z"#) && line.ends_with('}'), "{line}");
    }

    #[test]
    fn errors_are_json_within_the_line() {
        let event = event("{}", Some(r#"[{"path":"/n"}]"#));
        assert!(serde_json::to_string(&Line::of(&event)).unwrap().contains(r#""errors":[{"path":"/n"}]"#));
    }
}
