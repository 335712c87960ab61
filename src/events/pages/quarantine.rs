//! The quarantine: events that broke their contract, with the reasons.
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{Names, ON_A_PAGE, event_href, looked, summary, turns, wrong};
use crate::{
    app::App,
    auth::{Permit, ReadConfiguration, ReadPayloads, Session},
    error::Result,
    events::{Asked, Cursor, Event, Filter, Verdict, store, store::Page},
    form::{shown, without_blanks},
    ids::TenantId,
    tenants,
    ui::{self, Column, DataTable, Empty, Filters, Frame, Icon, LinkButton, PageHeader, Pager, Section, Select, Tone},
};

/// How many reasons a row gives.
const REASONS: usize = 3;

/// Shows the quarantine.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let query = query.unwrap_or_default();
    if let Some(tidy) = without_blanks(&format!("/tenants/{tenant}/quarantine"), &query) {
        return Ok(tidy.into_response());
    }
    let mut asked = Asked::parse(&query);
    // the type is the one thing that this page asks about
    asked.filter = Filter { event_type: asked.filter.event_type, ..Filter::default() };
    let path = format!("/tenants/{tenant}/quarantine{}", asked.filter.query(asked.cursor));
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Quarantine, path).await?;
    let filter = Filter { verdict: Some(Verdict::Quarantined), ..asked.filter };
    let mut page = store::page(&app.db, &permit, &filter, asked.cursor, ON_A_PAGE).await?;
    if page.events.is_empty() && matches!(asked.cursor, Cursor::After(_)) && page.scanned_to.is_none() {
        asked.cursor = Cursor::Newest;
        page = store::page(&app.db, &permit, &filter, asked.cursor, ON_A_PAGE).await?;
    }
    let names = Names::load(&app, &session.permit::<ReadConfiguration>(tenant)?).await?;
    Ok(shown(draw(&frame, tenant, &names, &asked, &page)))
}

fn draw(frame: &Frame, tenant: TenantId, names: &Names, asked: &Asked, page: &Page) -> String {
    let base = format!("/tenants/{tenant}/quarantine");
    let filter = &asked.filter;
    let is_whole = filter.is_empty() && asked.cursor == Cursor::Newest;
    let list = if page.events.is_empty() {
        nothing(&base, is_whole)
    } else {
        let (newer, older) = turns(&base, filter, page);
        view! {
            {table(frame, tenant, names, page)}
            <Pager newer=newer older=older summary=summary(page, asked.cursor)/>
        }
        .into_any()
    };
    let event_type = filter.event_type.map(|id| id.to_string()).unwrap_or_default();
    let clear = (!filter.is_empty()).then(|| base.clone());
    let filters = (!page.events.is_empty() || !is_whole).then(|| {
        view! {
            <Filters action=base.clone() nostrip:clear=clear>
                <Select name="type" label="Type" choices=names.type_choices() value=event_type/>
            </Filters>
        }
    });
    let export = (!page.events.is_empty()).then(|| {
        let filter = Filter { verdict: Some(Verdict::Quarantined), ..*filter };
        let href = format!("/tenants/{tenant}/exports/new{}", filter.query(Cursor::Newest));
        view! { <LinkButton href=href icon=Icon::Download>"Export…"</LinkButton> }
    });
    let body = view! {
        <PageHeader
            title="Quarantine"
            lead="Events that broke their contract. They are kept as sent, with the reasons, and wait to be mended."
        >
            {export}
        </PageHeader>
        {filters}
        {wrong(asked)}
        {looked(&base, filter, asked.cursor, page, frame.moment())}
        {list}
    };
    ui::page(frame, "Quarantine", vec![], body.into_any())
}

fn table(frame: &Frame, tenant: TenantId, names: &Names, page: &Page) -> AnyView {
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
            ui::link(event_href(tenant, event.id), received),
            ui::text(names.of_type(event.event_type_id)),
            rules.into_any(),
            view! { {reasons}{rest} }.into_any(),
        ]
    };
    let rows = page.events.iter().map(row).collect();
    view! { <DataTable caption="Events in quarantine, newest first" columns=columns rows=rows/> }.into_any()
}

fn nothing(base: &str, is_whole: bool) -> AnyView {
    if is_whole {
        return view! {
            <Empty
                icon=Icon::Check
                title="Nothing in quarantine"
                why="Every event that came in keeps its contract. One that does not will wait here, with the reasons, and is never lost."
            />
        }
        .into_any();
    }
    view! {
        <Empty icon=Icon::Check title="Nothing here" why="No event in quarantine is of this type, or none is left on this page.">
            <LinkButton href=base tone=Tone::Primary>"Show the whole quarantine"</LinkButton>
        </Empty>
    }
    .into_any()
}
