//! The quarantine by cause: what is wrong, how often, since when, and how far its mending is.
use std::collections::HashMap;

use axum::{
    extract::{RawQuery, State as Extract},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{
    super::{
        Group, State, href,
        store::{self, Hour, States, Which},
    },
    is_settled, state, tabs,
    words::title,
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadPayloads, Session},
    error::Result,
    event_types,
    events::{self, Cursor, Filter, Verdict},
    form::{sentence, shown, without_blanks},
    ids::{EventTypeId, FailureGroupId, TenantId},
    tenants,
    ui::{
        self, Alert, Choice, Column, DataTable, Empty, Filters, Frame, Hidden, Icon, LinkButton, PageHeader,
        PostButton, Section, Select, Sort, State as Mood, Tabs, Tone, Trend,
    },
};

/// How many groups the page shows.
const SHOWN: i64 = 200;
/// How far the events of a group in quarantine are counted here; its own page counts further.
const COUNTED: i64 = 1_000;
/// How much time one bar of a trend stands for, and how many there are: a week.
const SPAN: TimeDelta = TimeDelta::hours(6);
const SPANS: usize = 28;

/// What the page shows.
#[expect(clippy::struct_excessive_bools, reason = "facts of a page; none of them excludes another")]
struct Seen {
    tenant: TenantId,
    which: Which,
    groups: Vec<Group>,
    more: bool,
    /// How many events of each are in quarantine, counted as far as [`COUNTED`] and one more.
    waiting: HashMap<FailureGroupId, i64>,
    may_configure: bool,
    hours: Vec<Hour>,
    types: Vec<(EventTypeId, String)>,
    /// Whether there is any group at all.
    any: bool,
    /// Whether events are still to be grouped, or stand in quarantine without a group.
    behind: bool,
}

/// Shows the groups.
pub(super) async fn show(
    Extract(app): Extract<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let query = query.unwrap_or_default();
    if let Some(tidy) = without_blanks(&base(tenant), &query) {
        return Ok(tidy.into_response());
    }
    let which = asked(&query);
    let path = format!("{}{}", base(tenant), address(which));
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Quarantine, path).await?;
    let mut groups = store::list(&app.db, &permit, which, SHOWN + 1).await?;
    let more = i64::try_from(groups.len()).unwrap_or(0) > SHOWN;
    groups.truncate(usize::try_from(SHOWN).unwrap_or(0));
    let any = !groups.is_empty() || !store::count_by_state(&app.db, &permit).await?.is_empty();
    let behind = store::is_behind(&app.db, &permit).await? || (!any && anything_waits(&app, &permit).await?);
    let names = event_types::store::names(&app.db, tenant).await?;
    let seen = Seen {
        tenant,
        which,
        more,
        any,
        behind,
        waiting: store::waiting_up_to(&app.db, &permit, COUNTED + 1).await?,
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        hours: store::hours(&app.db, &permit, app.clock.now() - TimeDelta::days(8)).await?,
        types: names.into_iter().map(|(id, name)| (id, name.to_string())).collect(),
        groups,
    };
    Ok(shown(draw(&frame, &seen)))
}

async fn anything_waits(app: &App, permit: &Permit<ReadPayloads>) -> Result<bool> {
    let filter = Filter { verdict: Some(Verdict::Quarantined), ..Filter::default() };
    Ok(!events::store::page(&app.db, permit, &filter, Cursor::Newest, 1).await?.events.is_empty())
}

fn base(tenant: TenantId) -> String {
    format!("/tenants/{tenant}/quarantine")
}

/// What an address asks for; what cannot be understood is as if it were not there.
fn asked(query: &str) -> Which {
    let mut which = Which::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, value.trim()) {
            ("state", "all") => which.states = States::All,
            ("state", word) => {
                if let Ok(state) = word.parse() {
                    which.states = States::One(state);
                }
            }
            ("type", id) => which.event_type = id.parse().ok(),
            ("sort", "count") => which.by_count = true,
            _ => {}
        }
    }
    which
}

/// As the query part of an address, with its question mark; empty when nothing is asked.
fn address(which: Which) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let state = word(which.states);
    if !state.is_empty() {
        query.append_pair("state", state);
    }
    if let Some(id) = which.event_type {
        query.append_pair("type", &id.to_string());
    }
    if which.by_count {
        query.append_pair("sort", "count");
    }
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

fn word(states: States) -> &'static str {
    match states {
        States::ToDo => "",
        States::All => "all",
        States::One(state) => state.word(),
    }
}

fn draw(frame: &Frame, seen: &Seen) -> String {
    let base = base(seen.tenant);
    let filtered = seen.which.states != States::ToDo || seen.which.event_type.is_some();
    let list = if seen.groups.is_empty() { nothing(&base, seen) } else { table(frame, seen) };
    let filters = seen.any.then(|| filters(&base, seen, filtered));
    let behind = seen.behind.then(|| {
        view! {
            <Alert state=Mood::Neutral title="Some events are not in their groups yet">
                <p>"They follow within seconds; reload the page to see them."</p>
            </Alert>
        }
    });
    let more = seen.more.then(|| {
        view! { <Alert state=Mood::Neutral title=format!("These are the first {SHOWN} groups: ask for one type to see its others")/> }
    });
    let body = view! {
        <PageHeader
            title="Quarantine"
            lead="Events that broke their contract, by what is wrong with them. They are kept as sent, and wait to be mended."
        />
        <Tabs label="Quarantine" tabs=tabs(seen.tenant) current=base.clone()/>
        {filters}
        {behind}
        {list}
        {more}
    };
    ui::page(frame, "Quarantine", vec![], body.into_any())
}

fn filters(base: &str, seen: &Seen, filtered: bool) -> AnyView {
    let which = seen.which;
    let states = [("", "To do: open or acknowledged"), ("all", "Any")].map(|(word, label)| Choice::new(word, label));
    let one = |state: State| Choice::new(state.word(), sentence(state.word()));
    let states = states.into_iter().chain(State::ALL.map(one)).collect();
    let all = Choice::new("", "All types");
    let types = std::iter::once(all).chain(seen.types.iter().map(|(id, name)| Choice::new(id.to_string(), name)));
    let sort = which.by_count.then(|| view! { <Hidden name="sort" value="count"/> });
    let clear = filtered.then(|| base.to_owned());
    view! {
        <Filters action=base nostrip:clear=clear>
            <Select name="state" label="State" choices=states value=word(which.states)/>
            <Select
                name="type"
                label="Type"
                choices=types.collect()
                value=which.event_type.map(|id| id.to_string()).unwrap_or_default()
            />
            {sort}
        </Filters>
    }
    .into_any()
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let which = seen.which;
    let sorted = |by_count: bool| {
        let sort = if which.by_count == by_count { Sort::Descending } else { Sort::None };
        (sort, format!("{}{}", base(seen.tenant), address(Which { by_count, ..which })))
    };
    let ((by_count, count_href), (by_time, time_href)) = (sorted(true), sorted(false));
    let columns = vec![
        Column::text("What is wrong"),
        Column::text("State"),
        Column::number("In quarantine").wide_only(),
        Column::number("Ever").sorted(by_count, count_href),
        Column::text("7 days").wide_only(),
        Column::text("Last seen").sorted(by_time, time_href),
    ];
    let rows = seen.groups.iter().map(|group| {
        let of_type = seen.types.iter().find(|(id, _)| *id == group.event_type_id);
        let of_type = of_type.map_or_else(|| group.event_type_id.to_string(), |(_, name)| name.clone());
        let waiting = u64::try_from(seen.waiting.get(&group.id).copied().unwrap_or(0)).unwrap_or(0);
        let (values, summary) = trend(&seen.hours, group.id, frame.now);
        vec![
            ui::two_lines(ui::link(href(seen.tenant, group.id), title(group)), ui::text(of_type)),
            said(seen, group, waiting),
            ui::text(in_quarantine(waiting)),
            ui::number(u64::try_from(group.failures).unwrap_or(0)),
            view! { <Trend values=values summary=summary/> }.into_any(),
            ui::ago(frame.moment(), group.last_at),
        ]
    });
    let caption = if which.by_count { "Groups of failures, largest first" } else { "Groups of failures, latest first" };
    view! { <DataTable caption=caption columns=columns rows=rows.collect()/> }.into_any()
}

/// How many are in quarantine, as far as that was counted.
fn in_quarantine(waiting: u64) -> String {
    let most = COUNTED.unsigned_abs();
    if waiting > most { format!("{}+", ui::format::count(most)) } else { ui::format::count(waiting) }
}

/// Its state; and when nothing is left to mend, the way to say so.
fn said(seen: &Seen, group: &Group, waiting: u64) -> AnyView {
    if !seen.may_configure || !is_settled(group, waiting) {
        return state(group);
    }
    let fields = vec![("state", State::Resolved.word().to_owned())];
    let of = format!(" {}", title(group));
    let resolve = view! {
        <PostButton action=href(seen.tenant, group.id) tone=Tone::Quiet fields=fields>"Resolve"{ui::unseen(of)}</PostButton>
    };
    ui::two_lines(state(group), resolve.into_any())
}

/// The last week of a group, and what it says.
fn trend(hours: &[Hour], group: FailureGroupId, now: DateTime<Utc>) -> (Vec<u64>, String) {
    let mut values = vec![0; SPANS];
    for (_, hour, failures) in hours.iter().filter(|(of, ..)| *of == group) {
        let back = (now - *hour).num_seconds().max(0) / SPAN.num_seconds();
        if let Some(value) = usize::try_from(back).ok().and_then(|back| values.iter_mut().rev().nth(back)) {
            *value += u64::try_from(*failures).unwrap_or(0);
        }
    }
    let total: u64 = values.iter().sum();
    let latest = values.last().copied().unwrap_or(0);
    let summary = format!("{} in 7 days, {} in the last 6 hours", ui::format::count(total), ui::format::count(latest));
    (values, summary)
}

fn nothing(base: &str, seen: &Seen) -> AnyView {
    if !seen.any {
        return view! {
            <Empty
                icon=Icon::Check
                title="Nothing in quarantine"
                why="Every event that came in keeps its contract. One that does not will wait here, with the reasons, and is never lost."
            />
        }
        .into_any();
    }
    let (title, why) = if seen.which == Which::default() {
        ("Nothing to do", "Every group of failures is resolved or ignored. One that comes back will stand here again.")
    } else {
        ("Nothing here", "No group of failures is of this state and type.")
    };
    let all = format!("{base}?state=all");
    view! {
        <Empty icon=Icon::Check title=title why=why>
            <LinkButton href=all tone=Tone::Plain>"Show all groups"</LinkButton>
        </Empty>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gives_back_what_it_asks_for() {
        let states = [States::ToDo, States::All].into_iter().chain(State::ALL.map(States::One));
        for states in states {
            for event_type in [None, Some(EventTypeId(uuid::Uuid::from_u128(7)))] {
                for by_count in [false, true] {
                    let which = Which { states, event_type, by_count };
                    assert_eq!(asked(address(which).trim_start_matches('?')), which);
                }
            }
        }
        assert_eq!(asked("state=odd&type=x&sort=name&other=1"), Which::default());
    }

    #[test]
    fn many_are_not_counted_to_the_last() {
        assert_eq!([0, 1_000, 1_001].map(in_quarantine), ["0", "1,000", "1,000+"]);
    }

    #[test]
    fn a_week_is_told_by_quarters_of_a_day() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (group, other) = (FailureGroupId(uuid::Uuid::from_u128(1)), FailureGroupId(uuid::Uuid::from_u128(2)));
        let hours = [
            (group, now - TimeDelta::minutes(30), 3),
            (group, now - TimeDelta::hours(7), 4),
            (group, now - TimeDelta::days(8), 9),
            (group, now + TimeDelta::minutes(5), 1),
            (other, now, 100),
        ];
        let (values, summary) = trend(&hours, group, now);
        assert_eq!((values.len(), &values[26..], values.iter().sum::<u64>()), (28, &[4, 4][..], 8));
        assert_eq!(summary, "8 in 7 days, 4 in the last 6 hours");
    }
}
