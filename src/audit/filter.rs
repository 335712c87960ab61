//! Which entries are asked for: a filter and a place in the list, as an address writes them.
use chrono::{DateTime, Utc};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{auth::audit::words, events::moment, ids::guid, ui::in_address};

/// Which entries. What is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// By whom: a part of the name.
    pub actor: Option<String>,
    /// What: an action (`token.revoke`), or all of one kind (`token`).
    pub action: Option<String>,
    /// To what: an id.
    pub object: Option<String>,
    /// At this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Where a page of the list begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cursor {
    /// With the newest.
    #[default]
    Newest,
    /// Below this one.
    Before(Uuid),
    /// Above this one.
    After(Uuid),
}

/// What an address asks for, and what could not be read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Which entries.
    pub filter: Filter,
    /// Which page of them.
    pub cursor: Cursor,
    /// What was not understood and therefore left out: the field, and what it should have been.
    pub wrong: Vec<(&'static str, String)>,
}

/// The longest text that is looked for.
const LONGEST: usize = 200;

/// Whether it is an action, or the kind of thing that actions are done to.
fn is_action(text: &str) -> bool {
    words::ALL.iter().any(|words| words.action == text || words.action.split('.').next() == Some(text))
}

impl Asked {
    /// Reads the query part of an address. Empty values count as not given, unknown names are left alone.
    pub fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if !value.is_empty()
                && let Err((field, expected)) = asked.read(&name, value)
            {
                let value: String = value.chars().take(LONGEST).collect();
                asked.wrong.push((field, format!("“{value}” is not {expected}")));
            }
        }
        asked
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), (&'static str, &'static str)> {
        let id = |field| guid(value).map_err(|_| (field, "an id"));
        let time = |field| moment(value).ok_or((field, "a time, such as 2026-11-18T14:05"));
        match name {
            "actor" => self.filter.actor = Some(value.chars().take(LONGEST).collect()),
            "action" if is_action(value) => self.filter.action = Some(value.to_owned()),
            "action" => return Err(("action", "something that is done here, such as token.revoke")),
            "object" => self.filter.object = Some(id("object")?.to_string()),
            "from" => self.filter.from = Some(time("from")?),
            "until" => self.filter.until = Some(time("until")?),
            "before" => self.cursor = Cursor::Before(id("before")?),
            "after" => self.cursor = Cursor::After(id("after")?),
            _ => {}
        }
        Ok(())
    }
}

impl Filter {
    /// Whether nothing is asked.
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
        put("actor", self.actor.clone());
        put("action", self.action.clone());
        put("object", self.object.clone());
        put("from", self.from.map(in_address));
        put("until", self.until.map(in_address));
        match cursor {
            Cursor::Newest => {}
            Cursor::Before(id) => put("before", Some(id.to_string())),
            Cursor::After(id) => put("after", Some(id.to_string())),
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some_moment() -> impl Strategy<Value = DateTime<Utc>> {
        (0_i64..4_000_000_000_000).prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
    }

    proptest! {
        #[test]
        fn an_address_gives_back_the_filter_it_was_made_of(
            actor in proptest::option::of("[a-z@%&=]{1,12}"),
            action in proptest::option::of(proptest::sample::select(vec!["token.revoke", "event-type", "session"])),
            object in proptest::option::of(any::<u128>()),
            from in proptest::option::of(some_moment()),
            until in proptest::option::of(some_moment()),
            before in any::<u128>(),
        ) {
            let object = object.map(|bits| Uuid::from_u128(bits).to_string());
            let filter = Filter { actor, action: action.map(str::to_owned), object, from, until };
            let cursor = Cursor::Before(Uuid::from_u128(before));
            let asked = Asked::parse(filter.query(cursor).trim_start_matches('?'));
            prop_assert_eq!(asked, Asked { filter, cursor, wrong: vec![] });
        }

        #[test]
        fn any_query_can_be_read(query in ".*") {
            let _ = Asked::parse(&query);
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_left_out() {
        let asked = Asked::parse("action=nonsense&object=7&from=yesterday&until=&actor=%20&other=1");
        assert!(asked.filter.is_empty());
        assert_eq!(asked.wrong.iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["action", "object", "from"]);
    }
}
