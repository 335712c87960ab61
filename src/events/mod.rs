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
pub mod retention;
pub mod rhythm;
pub mod store;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
pub mod watch;

use axum::Router;
use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use url::form_urlencoded;

use crate::{
    app::App,
    ids::{EventId, EventTypeId, ReceiptId, TokenId, guid},
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This token.
    Token(TokenId),
    /// None.
    Anonymous,
}

/// Which events are asked for. What is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this type.
    pub event_type: Option<EventTypeId>,
    /// Come with this.
    pub source: Option<Source>,
    /// With this verdict.
    pub verdict: Option<Verdict>,
    /// Received at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Received before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Of this receipt.
    pub receipt: Option<ReceiptId>,
    /// With this in a field.
    pub field: Option<FieldIs>,
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
        let mut asked = Self::default();
        let (mut field, mut is) = (String::new(), String::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                "field" => value.clone_into(&mut field),
                "value" => value.clone_into(&mut is),
                _ => {}
            }
            if !value.is_empty()
                && let Err((field, expected)) = asked.read(&name, value)
            {
                asked.wrong.push((field, format!("“{value}” is not {expected}")));
            }
        }
        if !(field.is_empty() && is.is_empty()) {
            match FieldIs::parse(&field, &is) {
                Ok(known) => asked.filter.field = Some(known),
                Err(why) => {
                    asked.wrong.push(why);
                    asked.typed = Some((field, is));
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
            "verdict" => {
                let known = Verdict::ALL.into_iter().find(|one| one.word() == value);
                self.filter.verdict = Some(known.ok_or(("verdict", "a verdict: accepted, quarantined or mended"))?);
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

/// A moment as `datetime-local` gives it (in UTC here), or with a zone.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.to_utc());
    }
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|naive| naive.and_utc())
}

/// A moment as a `datetime-local` field takes it.
pub fn local(moment: DateTime<Utc>) -> String {
    let text = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    text.strip_suffix(":00Z").unwrap_or_else(|| text.trim_end_matches('Z')).to_owned()
}

impl Filter {
    /// Whether every event is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As the query part of an address, with its question mark; empty when nothing is asked.
    pub fn query(&self, cursor: Cursor) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut put = |name, value: Option<String>| {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        };
        put("type", self.event_type.map(|id| id.to_string()));
        put("source", self.source.map(Source::word));
        put("verdict", self.verdict.map(|verdict| verdict.word().to_owned()));
        put("from", self.from.map(local));
        put("until", self.until.map(local));
        put("receipt", self.receipt.map(|id| id.to_string()));
        put("field", self.field.as_ref().map(|asked| asked.field.label().to_owned()));
        put("value", self.field.as_ref().map(|asked| asked.value.clone()));
        match cursor {
            Cursor::Newest => {}
            Cursor::Before(id) => put("before", Some(id.to_string())),
            Cursor::After(id) => put("after", Some(id.to_string())),
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
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
        ) -> Filter {
            let receipt = receipt.map(|bits| ReceiptId(uuid::Uuid::from_u128(bits & !0xFFFF)));
            let field = field.and_then(|(field, value)| FieldIs::parse(&field, &value).ok());
            Filter { event_type, source, verdict, from, until, receipt, field }
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
            prop_assert_eq!(asked, Asked { filter, cursor, ..Asked::default() });
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
    fn a_field_of_the_browser_is_read_as_utc() {
        let asked = Asked::parse("from=2026-11-18T14%3A05&until=2026-11-18T14:05:30%2B01:00");
        assert_eq!(asked.filter.from.map(local).as_deref(), Some("2026-11-18T14:05"));
        assert_eq!(asked.filter.until.map(local).as_deref(), Some("2026-11-18T13:05:30"));
    }
}
