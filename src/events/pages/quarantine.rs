//! The quarantine, event by event: what broke its contract, with the reasons; by type, by group of failures, and what
//! was mended. What is wrong in general is told by the groups (`failures`).
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{Names, ON_A_PAGE, beside, event_href, looked, summary, token_and_time, turns, wrong};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    events::{Asked, Cursor, Event, Filter, Verdict, store, store::Page},
    failures::{self, Group},
    form::{settled, shown},
    ids::TenantId,
    tenants,
    ui::{
        self, Choice, Column, DataTable, Empty, Filters, Frame, Icon, LinkButton, PageHeader, Pager, Section, Select,
        Tabs, Tone,
    },
};

/// How many reasons a row gives.
const REASONS: usize = 3;

/// What the page shows.
struct Seen<'a> {
    tenant: TenantId,
    names: &'a Names,
    /// Its filter's verdict says no more than whether it is the mended that are asked for.
    asked: &'a Asked,
    page: &'a Page,
    /// The group that the filter asks for.
    group: Option<&'a Group>,
    may_configure: bool,
}

/// Shows the events.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let query = query.unwrap_or_default();
    if let Some(tidy) = settled(&base(tenant), &query, session.zone) {
        return Ok(tidy.into_response());
    }
    let mut asked = Asked::parse(&query);
    let group = group(&app, &permit, &mut asked).await?;
    // here is what is in quarantine, or was
    let verdict = asked.filter.verdict.filter(|verdict| *verdict != Verdict::Quarantined);
    if verdict == Some(Verdict::Accepted) {
        asked.wrong.push(("verdict", "accepted events are not in quarantine".to_owned()));
    }
    asked.filter.warned = false;
    asked.filter.verdict = verdict.filter(|verdict| *verdict == Verdict::Mended && group.is_none());
    let path = format!("{}{}", base(tenant), asked.filter.query(asked.cursor));
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Quarantine, path).await?;
    let mut page = load(&app, &permit, &asked).await?;
    if page.events.is_empty() && matches!(asked.cursor, Cursor::After(_)) && page.scanned_to.is_none() {
        asked.cursor = Cursor::Newest;
        page = load(&app, &permit, &asked).await?;
    }
    let names = Names::load(&app, &session.permit::<ReadConfiguration>(tenant)?).await?;
    let may_configure = session.permit::<Configure>(tenant).is_ok();
    let seen = Seen { tenant, names: &names, asked: &asked, page: &page, group: group.as_ref(), may_configure };
    Ok(shown(draw(&frame, &seen)))
}

/// The group that is asked for. One that is not there is left out, and said so.
async fn group(app: &App, permit: &Permit<ReadPayloads>, asked: &mut Asked) -> Result<Option<Group>> {
    let Some(id) = asked.filter.group else { return Ok(None) };
    match failures::store::get(&app.db, permit, id).await {
        Ok(group) => Ok(Some(group)),
        Err(Error::NotFound(_)) => {
            asked.wrong.push(("group", format!("there is no group {id}")));
            asked.filter.group = None;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn load(app: &App, permit: &Permit<ReadPayloads>, asked: &Asked) -> Result<Page> {
    store::page(&app.db, permit, &whole(&asked.filter), asked.cursor, ON_A_PAGE).await
}

/// The filter with the verdict that this page means.
fn whole(filter: &Filter) -> Filter {
    Filter { verdict: Some(filter.verdict.unwrap_or(Verdict::Quarantined)), ..filter.clone() }
}

fn base(tenant: TenantId) -> String {
    format!("/tenants/{tenant}/quarantine/events")
}

fn draw(frame: &Frame, seen: &Seen) -> String {
    let Seen { tenant, names, asked, page, group, may_configure } = *seen;
    let base = base(tenant);
    let filter = &asked.filter;
    let is_whole = filter.is_empty() && asked.cursor == Cursor::Newest;
    let list = if page.events.is_empty() {
        nothing(&base, is_whole)
    } else {
        let (newer, older) = turns(&base, filter, page);
        view! {
            {table(frame, seen)}
            <Pager newer=newer older=older summary=summary(page, asked.cursor)/>
        }
        .into_any()
    };
    let filters = (!page.events.is_empty() || !is_whole).then(|| filters(&base, seen, frame.zone()));
    let show_all = format!("{base}{}", Filter { group: None, ..filter.clone() }.query(Cursor::Newest));
    let of_group = group.map(|group| {
        let place = if group.path.is_empty() { "the event" } else { &group.path };
        let label = format!("{place}: {}", group.rule);
        view! { <p>"Only events in quarantine of the group "{ui::link(failures::href(tenant, group.id), label)}" of "{names.of_type(group.event_type_id)}". "{ui::link(show_all.clone(), "Show all")}</p> }
    });
    let waits = filter.verdict.is_none() && !page.events.is_empty();
    let replay = (may_configure && waits).then(|| {
        let href = format!("/tenants/{tenant}/quarantine/replay{}", filter.query(Cursor::Newest));
        view! { <LinkButton href=href>"Replay all of these…"</LinkButton> }
    });
    let export = (!page.events.is_empty()).then(|| {
        let href = format!("/tenants/{tenant}/exports/new{}", whole(filter).query(Cursor::Newest));
        view! { <LinkButton href=href icon=Icon::Download>"Export…"</LinkButton> }
    });
    let body = view! {
        <PageHeader
            title="Quarantine"
            lead="Events that broke their contract. They are kept as sent, with the reasons, and wait to be mended."
        >
            {export}
            {replay}
        </PageHeader>
        <Tabs label="Quarantine" tabs=failures::tabs(tenant) current=base.clone()/>
        {filters}
        {of_group}
        {wrong(asked)}
        {looked(&base, (filter, asked.cursor), page, frame.moment(), None)}
        {list}
    };
    ui::page(frame, "Events in quarantine", vec![], body.into_any())
}

fn filters(base: &str, seen: &Seen, zone: ui::Zone) -> AnyView {
    let filter = &seen.asked.filter;
    let clear = (!filter.is_empty()).then(|| base.to_owned());
    // a group is of one type, and of what is in quarantine
    let of_any = seen.group.is_none().then(|| {
        let verdicts = vec![Choice::new("", "In quarantine"), Choice::new(Verdict::Mended.word(), "Mended")];
        view! {
            <Select
                name="type"
                label="Type"
                choices=seen.names.type_choices()
                value=filter.event_type.map(|id| id.to_string()).unwrap_or_default()
            />
            <Select
                name="verdict"
                label="State"
                choices=verdicts
                value=filter.verdict.map(Verdict::word).unwrap_or_default()
            />
        }
    });
    view! {
        <Filters action=base nostrip:clear=clear>
            {of_any}
            {token_and_time(seen.names, filter, zone)}
            {beside(filter)}
        </Filters>
    }
    .into_any()
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let columns = vec![
        Column::text("Received"),
        Column::text("Type"),
        Column::text("Rule").wide_only(),
        Column::text("What is wrong"),
    ];
    let row = |event: &Event| {
        let received = frame.moment().in_full(event.id.received_at());
        let breaches = event.breaches();
        let lines = |of: &dyn Fn(usize) -> AnyView| (0..breaches.len().min(REASONS)).map(of).collect::<Vec<_>>();
        let rules = lines(&|n| view! { <div>{ui::mono(breaches[n].rule.clone())}</div> }.into_any());
        let reasons = lines(&|n| {
            let breach = &breaches[n];
            let place = if breach.path.is_empty() { "the event" } else { breach.path.as_str() };
            view! { <div>{ui::mono(place)}" "{breach.message.clone()}</div> }.into_any()
        });
        let rest = breaches.len().saturating_sub(REASONS);
        let rest = (rest > 0).then(|| view! { <div>{ui::muted(format!("and {rest} more"))}</div> });
        vec![
            ui::link(event_href(seen.tenant, event.id), received),
            ui::text(seen.names.of_type(event.event_type_id)),
            rules.into_any(),
            view! { {reasons}{rest} }.into_any(),
        ]
    };
    let rows = seen.page.events.iter().map(row).collect();
    let caption = match seen.asked.filter.verdict {
        Some(Verdict::Mended) => "Mended events, newest first",
        _ => "Events in quarantine, newest first",
    };
    view! { <DataTable caption=caption columns=columns rows=rows/> }.into_any()
}

fn nothing(base: &str, is_whole: bool) -> AnyView {
    if is_whole {
        return view! {
            <Empty
                icon=Icon::Check
                title="Nothing in quarantine"
                why="Every event that came in keeps its contract, or was mended. One that does not will wait here, with the reasons, and is never lost."
            />
        }
        .into_any();
    }
    view! {
        <Empty icon=Icon::Check title="Nothing here" why="No event is as the filter asks, or none is left on this page.">
            <LinkButton href=base tone=Tone::Primary>"Show the whole quarantine"</LinkButton>
        </Empty>
    }
    .into_any()
}
