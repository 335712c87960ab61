//! The sources of a tenant: how each stands, what it brought last, and when it is asked next.
use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{crumbs, words};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, See, Session},
    error::Result,
    event_types,
    form::{Done, shown},
    ids::{EventTypeId, SourceId, TenantId},
    polling::{
        Source, State as Going,
        store::{
            self,
            look::{self, Last},
        },
    },
    tenants,
    ui::{self, Card, CodeBlock, Column, DataTable, Empty, Frame, Icon, LinkButton, Notice, PageHeader, Section, Tone},
};

/// What the page shows.
struct Seen {
    tenant: TenantId,
    sources: Vec<Source>,
    last: HashMap<SourceId, Last>,
    /// Of those of which something is missing.
    complete_until: HashMap<SourceId, DateTime<Utc>>,
    types: HashMap<EventTypeId, String>,
    may_configure: bool,
    may_read: bool,
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<See>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let path = format!("/tenants/{tenant}/sources");
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::Sources, path).await?;
    if done.done.as_deref() == Some("removed") {
        frame.notice = Some(Notice::ok("The source is removed: it is asked no more. Its events stay."));
    }
    let types = event_types::store::names(&app.db, tenant).await?;
    let seen = Seen {
        tenant,
        sources: store::list(&app.db, &permit).await?,
        last: look::last(&app.db, &permit).await?,
        complete_until: look::complete_until(&app.db, &permit).await?,
        types: types.into_iter().map(|(id, name)| (id, name.to_string())).collect(),
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        may_read: session.permit::<ReadConfiguration>(tenant).is_ok(),
    };
    Ok(shown(page(&frame, &seen)))
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let base = format!("/tenants/{}/sources", seen.tenant);
    let new = || {
        seen.may_configure.then(|| {
            let (new, import) = (format!("{base}/new"), format!("{base}/import"));
            view! {
                <LinkButton href=import tone=Tone::Quiet>"From a file…"</LinkButton>
                <LinkButton href=new tone=Tone::Primary icon=Icon::Plus>"New source"</LinkButton>
            }
        })
    };
    let body = if seen.sources.is_empty() {
        view! {
            <PageHeader title="Sources"/>
            <Empty
                icon=Icon::Source
                title="No sources yet"
                why="A source is an external system that cannot send by itself: Tributary asks it on an interval, each hour all new data of the past hour. A ledger keeps what was asked and answered, and proves that nothing was missed."
            >
                {new()}
            </Empty>
            {seen.may_configure.then(|| by_command(seen.tenant))}
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Sources" lead="External systems that are asked on an interval, and how far each is complete.">{new()}</PageHeader>
            <Card flush=true>{table(frame, seen)}</Card>
        }
        .into_any()
    };
    let mut way = crumbs(frame, None);
    way.truncate(1);
    ui::page(frame, "Sources", way, body)
}

fn by_command(tenant: TenantId) -> AnyView {
    let code = format!("tributary source add --tenant {tenant} --event-type ID --file SOURCE.json");
    view! { <Card title="By command"><CodeBlock id="cli" label="tributary" code=code/></Card> }.into_any()
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let now = frame.moment();
    let rows = seen.sources.iter().map(|source| {
        let last = seen.last.get(&source.id);
        let of = seen.types.get(&source.event_type).cloned().unwrap_or_default();
        let name = ui::two_lines(ui::link(words::address(source), source.name.clone()), ui::text(of));
        let state = words::state(source, last.is_some());
        // why it stands still may name addresses: for who reads the configuration
        let state = match source.reason.as_ref().filter(|_| seen.may_read) {
            Some(reason) => ui::two_lines(state, ui::text(crate::form::sentence(reason))),
            None => state,
        };
        let until = seen.complete_until.get(&source.id).copied().unwrap_or(source.watermark);
        let complete = if until == source.starts_at { ui::muted("nothing yet") } else { ui::ago(now, until) };
        vec![name, state, result(frame, last), complete, next(frame, source)]
    });
    let columns = vec![
        Column::text("Source"),
        Column::text("State"),
        Column::text("Last result"),
        Column::text("Complete until"),
        Column::text("Next run").wide_only(),
    ];
    view! { <DataTable caption="Sources" columns=columns rows=rows.collect()/> }.into_any()
}

fn result(frame: &Frame, last: Option<&Last>) -> AnyView {
    let Some(last) = last else { return ui::muted("none yet") };
    let words = format!(
        "{}, {} new{}",
        words::counted(last.records, "record"),
        ui::format::count(words::count(last.fresh)),
        words::quarantined(last.quarantined),
    );
    match last.done_at {
        Some(at) => ui::two_lines(ui::text(words), ui::ago(frame.moment(), at)),
        None => ui::text(words),
    }
}

fn next(frame: &Frame, source: &Source) -> AnyView {
    match source.state {
        Going::Active => ui::ago(frame.moment(), source.next_run_at),
        _ => ui::muted("not before it is resumed"),
    }
}
