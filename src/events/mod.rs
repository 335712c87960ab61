//! Events: how they are found, counted, followed live and shown. How they come in is the front door's story
//! (`ingest`), how they reach the disk that of the write lane (`db::lane`).
//!
//! An event's id holds its receipt, its place in the request and its moment of receipt. So "newest first", "of this
//! receipt" and "between these two moments" are all ranges of the primary key.
mod along;
pub mod chart;
pub mod export;
pub mod fields;
pub mod follower;
pub mod hours;
mod line;
mod pages;
pub mod refusals;
pub mod retention;
pub mod rhythm;
pub mod store;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
pub mod watch;

use axum::Router;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::{
    app::App,
    ids::{EventId, EventTypeId, FailureGroupId, ReceiptId, TokenId, guid},
    ui::{Zone, in_address, zoned},
};
pub use crate::{db::lane::Verdict, event_types::Breach};
pub use fields::FieldIs;
pub use line::Line;

/// One event. In lists its payload is only the beginning: see [`store::START`].
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// Its id, which holds its receipt, its place and its moment.
    pub id: EventId,
    /// Its type.
    pub event_type_id: EventTypeId,
    /// The token it came with; none when it came anonymously.
    pub source_id: Option<TokenId>,
    /// What became of its contract.
    pub verdict: Verdict,
    /// Its text, exactly as sent.
    pub payload: String,
    /// Why it is quarantined, or what it was warned of: a JSON array, see [`Event::breaches`].
    pub errors: Option<String>,
}

impl Event {
    /// How it breaks its contract; nothing when it keeps it.
    pub fn breaches(&self) -> Vec<Breach> {
        breaches(self.errors.as_deref())
    }
}

/// What is wrong with an event, as it is kept.
pub fn breaches(errors: Option<&str>) -> Vec<Breach> {
    errors.and_then(|errors| serde_json::from_str(errors).ok()).unwrap_or_default()
}

/// What an event came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// This token.
    Token(TokenId),
    /// None.
    Anonymous,
}

/// Which events are asked for. What is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Of this type.
    pub event_type: Option<EventTypeId>,
    /// Come with this.
    pub source: Option<Source>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Of the accepted ones, those that broke their contract and were let pass with a warning.
    pub warned: bool,
    /// Received at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Received before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Of this receipt.
    pub receipt: Option<ReceiptId>,
    /// With this in a field.
    pub field: Option<FieldIs>,
    /// In quarantine for what this group of failures has in common.
    pub group: Option<FailureGroupId>,
}

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cursor {
    /// With the newest.
    #[default]
    Newest,
    /// Below this one.
    Before(EventId),
    /// Above this one.
    After(EventId),
}

/// What an address asks for: a filter, a place in the list, and what could not be read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Which events.
    pub filter: Filter,
    /// Which page of them.
    pub cursor: Cursor,
    /// What was not understood and therefore left out: the field, and what it should have been.
    pub wrong: Vec<(&'static str, String)>,
    /// A field and its value as they were typed, when they could not be understood.
    pub typed: Option<(String, String)>,
}

impl Asked {
    /// Reads the query part of an address. Empty values count as not given, unknown names are left alone.
    pub fn parse(query: &str) -> Self {
        Self::of(form_urlencoded::parse(query.as_bytes()))
    }

    /// Reads the fields of an address, or of a form that holds the same.
    pub fn of(fields: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>) -> Self {
        let mut asked = Self::default();
        let (mut searched, mut is) = (String::new(), String::new());
        for (name, value) in fields {
            let value = value.as_ref().trim();
            match name.as_ref() {
                "field" => value.clone_into(&mut searched),
                "value" => value.clone_into(&mut is),
                _ => {}
            }
            if !value.is_empty()
                && let Err((field, expected)) = asked.read(name.as_ref(), value)
            {
                asked.wrong.push((field, format!("“{value}” is not {expected}")));
            }
        }
        if !(searched.is_empty() && is.is_empty()) {
            match FieldIs::parse(&searched, &is) {
                Ok(_) if asked.filter.group.is_some() => {
                    asked.wrong.push(("field", "the events of a group are not looked through for a field".to_owned()));
                    asked.typed = Some((searched, is));
                }
                Ok(known) => asked.filter.field = Some(known),
                Err(why) => {
                    asked.wrong.push(why);
                    asked.typed = Some((searched, is));
                }
            }
        }
        asked
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), (&'static str, &'static str)> {
        let id = |field| guid(value).map_err(|_| (field, "an id"));
        let moment = |field| moment(value).ok_or((field, "a time, such as 2026-11-18T14:05"));
        match name {
            "type" => self.filter.event_type = Some(EventTypeId(id("type")?)),
            "source" if value == ANONYMOUS => self.filter.source = Some(Source::Anonymous),
            "source" => self.filter.source = Some(Source::Token(TokenId(id("source")?))),
            "verdict" if value == WARNED => {
                self.filter.verdict = Some(Verdict::Accepted);
                self.filter.warned = true;
            }
            "verdict" => {
                let known = Verdict::ALL.into_iter().find(|one| one.word() == value);
                self.filter.verdict =
                    Some(known.ok_or(("verdict", "a verdict: accepted, warned, quarantined or mended"))?);
            }
            "from" => self.filter.from = Some(moment("from")?),
            "until" => self.filter.until = Some(moment("until")?),
            "receipt" => {
                let receipt = ReceiptId(id("receipt")?);
                if !receipt.is_receipt() {
                    return Err(("receipt", "the id of a receipt"));
                }
                self.filter.receipt = Some(receipt);
            }
            "group" => self.filter.group = Some(FailureGroupId(id("group")?)),
            "before" => self.cursor = Cursor::Before(EventId(id("before")?)),
            "after" => self.cursor = Cursor::After(EventId(id("after")?)),
            _ => {}
        }
        Ok(())
    }
}

/// The routes of this slice.
pub fn routes() -> Router<App> {
    stream::routes().merge(pages::routes())
}

/// How the address says that events without a token are meant.
pub const ANONYMOUS: &str = "anonymous";

/// How addresses and the command line say that accepted events with a warning are meant.
pub const WARNED: &str = "warned";

/// A moment of an address: with its zone, or without one in UTC. A page never leaves it without one: what a form of
/// filters asks is read in the zone of who asks ([`crate::form::settled`]).
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    zoned(text).or_else(|| Zone::default().read(text))
}

impl Filter {
    /// Whether every event is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The verdict that is asked for, as addresses say it.
    pub fn verdict_word(&self) -> Option<&'static str> {
        self.verdict.map(|verdict| if self.warned && verdict == Verdict::Accepted { WARNED } else { verdict.word() })
    }

    /// As the query part of an address, with its question mark; empty when nothing is asked.
    pub fn query(&self, cursor: Cursor) -> String {
        let place = match cursor {
            Cursor::Newest => None,
            Cursor::Before(id) => Some(("before", id.to_string())),
            Cursor::After(id) => Some(("after", id.to_string())),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.fields().into_iter().chain(place));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// What is set, as an address or a form names it.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("type", self.event_type.map(|id| id.to_string())),
            ("source", self.source.map(Source::word)),
            ("verdict", self.verdict_word().map(str::to_owned)),
            ("from", self.from.map(in_address)),
            ("until", self.until.map(in_address)),
            ("receipt", self.receipt.map(|id| id.to_string())),
            ("group", self.group.map(|id| id.to_string())),
            ("field", self.field.as_ref().map(|asked| asked.field.label().to_owned())),
            ("value", self.field.as_ref().map(|asked| asked.value.clone())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The ids that its times and its receipt allow.
    pub fn ids(&self) -> std::ops::Range<EventId> {
        let along::Range { low, high } = along::Range::of(self);
        low..high
    }
}

/// A filter as the command line takes it, each flag on a line of its own; what people typed is quoted for the shell.
pub fn flags(filter: &Filter) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let flags = [
        ("--group", filter.group.map(|id| id.to_string())),
        ("--event-type", filter.event_type.map(|id| id.to_string())),
        ("--source", filter.source.map(Source::word)),
        ("--verdict", filter.verdict_word().map(str::to_owned)),
        ("--from", filter.from.map(moment)),
        ("--until", filter.until.map(moment)),
        ("--receipt", filter.receipt.map(|id| id.to_string())),
        ("--field", filter.field.as_ref().map(|asked| quoted(asked.field.label()))),
        ("--value", filter.field.as_ref().map(|asked| quoted(&asked.value))),
    ];
    flags.into_iter().filter_map(|(flag, value)| Some(format!(" \\\n  {flag} {}", value?))).collect()
}

impl Source {
    /// As an address says it.
    pub fn word(self) -> String {
        match self {
            Self::Token(id) => id.to_string(),
            Self::Anonymous => ANONYMOUS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_id() -> impl Strategy<Value = uuid::Uuid> {
        any::<u128>().prop_map(uuid::Uuid::from_u128)
    }

    fn some_moment() -> impl Strategy<Value = DateTime<Utc>> {
        (0_i64..4_000_000_000_000).prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
    }

    prop_compose! {
        fn some_filter()(
            event_type in proptest::option::of(some_id().prop_map(EventTypeId)),
            source in proptest::option::of(prop_oneof![
                Just(Source::Anonymous),
                some_id().prop_map(|id| Source::Token(TokenId(id))),
            ]),
            verdict in proptest::option::of(proptest::sample::select(&Verdict::ALL[..])),
            from in proptest::option::of(some_moment()),
            until in proptest::option::of(some_moment()),
            receipt in proptest::option::of(any::<u128>()),
            field in proptest::option::of(("[a-zé/ ~]{0,9}", "[ -~é]{1,9}")),
            group in proptest::option::of(some_id().prop_map(FailureGroupId)),
            warned in any::<bool>(),
        ) -> Filter {
            let receipt = receipt.map(|bits| ReceiptId(uuid::Uuid::from_u128(bits & !0xFFFF)));
            let field = field.and_then(|(field, value)| FieldIs::parse(&field, &value).ok()).filter(|_| group.is_none());
            let warned = warned && verdict == Some(Verdict::Accepted);
            Filter { event_type, source, verdict, warned, from, until, receipt, field, group }
        }
    }

    proptest! {
        #[test]
        fn an_address_gives_back_the_filter_it_was_made_of(
            filter in some_filter(),
            cursor in prop_oneof![
                Just(Cursor::Newest),
                some_id().prop_map(|id| Cursor::Before(EventId(id))),
                some_id().prop_map(|id| Cursor::After(EventId(id))),
            ],
        ) {
            let query = filter.query(cursor);
            let asked = Asked::parse(query.trim_start_matches('?'));
            let expected = Asked { filter: filter.clone(), cursor, ..Asked::default() };
            prop_assert_eq!(asked, expected);
            let kept = serde_json::to_string(&filter).unwrap();
            prop_assert_eq!(serde_json::from_str::<Filter>(&kept).unwrap(), filter);
        }

        #[test]
        fn any_query_can_be_read(query in ".*") {
            let _ = Asked::parse(&query);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_left_out() {
        let asked = Asked::parse("type=nonsense&verdict=odd&from=yesterday&until=&receipt=x&other=1&field=E-mail");
        assert!(asked.filter.is_empty());
        assert_eq!(asked.typed, Some(("E-mail".into(), String::new())));
        assert_eq!(
            asked.wrong.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
            ["type", "verdict", "from", "receipt", "value"]
        );
    }

    #[test]
    fn a_moment_without_a_zone_is_one_of_utc() {
        let asked = Asked::parse("from=2026-11-18T14%3A05&until=2026-11-18T14:05:30%2B01:00");
        assert_eq!(asked.filter.from.map(in_address).as_deref(), Some("2026-11-18T14:05Z"));
        assert_eq!(asked.filter.until.map(in_address).as_deref(), Some("2026-11-18T13:05:30Z"));
    }
}
