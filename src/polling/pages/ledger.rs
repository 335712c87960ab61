//! The windows of a source as a table, newest first, by pages whose place is in the address.
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use url::form_urlencoded;

use super::words;
use crate::{
    events,
    ids::WindowId,
    polling::{
        Entry, Source, Window,
        ledger::State,
        store::look::{Asked, Cursor},
    },
    ui::{self, Card, Column, DataTable, Frame, Pager, Tab, Tabs, format},
};

/// How many windows a page shows.
pub(super) const SHOWN: usize = 25;
/// How much of a fault a row tells, in characters.
const OF_FAULT: usize = 60;

/// What the address asks for.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Query {
    /// What was done.
    pub done: Option<String>,
    /// How far back the strip and the chart look.
    pub range: Option<String>,
    /// Only windows that are not done: `undone`.
    show: Option<String>,
    from: Option<String>,
    until: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

fn cursor(text: &str) -> Option<(DateTime<Utc>, WindowId)> {
    let (micros, id) = text.split_once('.')?;
    Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
}

fn spelled(entry: &Entry) -> String {
    format!("{}.{}", entry.from_at.timestamp_micros(), entry.id)
}

impl Query {
    /// What is listed; what cannot be read asks for nothing.
    pub(super) fn asked(&self) -> Asked {
        let moment = |text: &Option<String>| text.as_deref().and_then(events::moment);
        let within = match (moment(&self.from), moment(&self.until)) {
            (None, None) => None,
            (from, until) => Some(Window::new(
                from.unwrap_or(DateTime::UNIX_EPOCH),
                until.unwrap_or(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(100_000)),
            )),
        };
        let before = self.before.as_deref().and_then(cursor).map(|(at, id)| Cursor::Before(at, id));
        let after = self.after.as_deref().and_then(cursor).map(|(at, id)| Cursor::After(at, id));
        Asked { within, undone: self.undone(), cursor: before.or(after).unwrap_or_default() }
    }

    fn undone(&self) -> bool {
        self.show.as_deref() == Some("undone")
    }

    /// The address of the same page with another place.
    fn address(&self, here: &str, undone: bool, place: Option<(&str, String)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = [("range", &self.range), ("from", &self.from), ("until", &self.until)];
        for (name, value) in kept {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if undone {
            query.append_pair("show", "undone");
        }
        if let Some((name, value)) = place {
            query.append_pair(name, &value);
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{here}{mark}{query}#ledger")
    }
}

/// The card with the table. `linked` says whether windows have pages for who looks.
pub(super) fn card(
    frame: &Frame,
    source: &Source,
    query: &Query,
    mut rows: Vec<Entry>,
    undone: u64,
    linked: bool,
) -> AnyView {
    let here = words::address(source);
    let more = rows.len() > SHOWN;
    let upwards = matches!(query.asked().cursor, Cursor::After(..));
    if more && upwards {
        rows.remove(0);
    }
    rows.truncate(SHOWN);
    let first = rows.first().map(|entry| ("after", spelled(entry)));
    let last = rows.last().map(|entry| ("before", spelled(entry)));
    let to = |place: Option<(&str, String)>| place.map(|place| query.address(&here, query.undone(), Some(place)));
    let (newer, older) = match query.asked().cursor {
        Cursor::Newest => (None, to(last).filter(|_| more)),
        Cursor::Before(..) => (to(first), to(last).filter(|_| more)),
        Cursor::After(..) => (to(first).filter(|_| more), to(last)),
    };
    let tabs = vec![
        Tab::new("All windows", query.address(&here, false, None)),
        Tab { count: Some(undone), ..Tab::new("Not done", query.address(&here, true, None)) },
    ];
    let current = query.address(&here, query.undone(), None);
    let lead = match query.asked().within {
        Some(within) => format!("Those of {}.", within.told(frame.zone())),
        None => "Each begins where the one before it ends. Those that are read again lie beside them.".to_owned(),
    };
    let all = (query.from.is_some() || query.until.is_some()).then(|| ui::link(format!("{here}#ledger"), "Show all"));
    let body = if rows.is_empty() {
        let words = if query.undone() { "Nothing is missing." } else { "There are no windows here." };
        ui::calm(words)
    } else {
        let summary = format::counted(rows.len() as u64, "window");
        view! {
            <DataTable caption="Windows" columns=columns() rows=rows.iter().map(|entry| row(frame, source, entry, linked)).collect()/>
            <Pager newer=newer older=older summary=format!("{summary}, newest first")/>
        }
        .into_any()
    };
    view! {
        <section id="ledger" aria-label="Ledger">
            <Card title="Ledger" lead=lead action=all.unwrap_or_else(|| ().into_any())>
                <Tabs label="Ledger" tabs=tabs current=current/>
                {body}
            </Card>
        </section>
    }
    .into_any()
}

/// How a fault begins; the page of its window tells all of it.
fn shortened(fault: &str) -> String {
    match fault.char_indices().nth(OF_FAULT) {
        Some((at, _)) => format!("{}…", fault[..at].trim_end()),
        None => fault.to_owned(),
    }
}

fn columns() -> Vec<Column> {
    vec![
        Column::text("Window"),
        Column::text("State"),
        Column::number("Records"),
        Column::number("New"),
        Column::number("Known").wide_only(),
        Column::number("Quarantined").wide_only(),
        Column::text("When"),
    ]
}

fn row(frame: &Frame, source: &Source, entry: &Entry, linked: bool) -> Vec<AnyView> {
    let span = entry.window().told(frame.zone());
    let name = if linked { ui::link(words::of_window(source, entry.id), span) } else { ui::text(span) };
    let about = match entry.merged {
        2.. => format!("{}, merged from {}", words::kind(entry.kind), format::count(words::count(entry.merged))),
        _ => words::kind(entry.kind).to_owned(),
    };
    let name = ui::two_lines(name, ui::text(about));
    let state = match entry.fault.as_ref().filter(|_| linked && entry.done_at.is_none()) {
        Some(fault) => ui::two_lines(words::of_entry(entry), ui::text(shortened(&crate::form::sentence(fault)))),
        None => words::of_entry(entry),
    };
    let when = match (entry.done_at, entry.state) {
        (Some(at), _) => ui::ago(frame.moment(), at),
        (None, State::Open) => view! { "next try "{ui::ago(frame.moment(), entry.next_try_at)} }.into_any(),
        (None, _) => ui::muted("not yet"),
    };
    let figure = |value: i64| ui::number(words::count(value));
    vec![
        name,
        state,
        figure(entry.records),
        figure(entry.fresh),
        figure(entry.duplicates),
        figure(entry.quarantined),
        when,
    ]
}
