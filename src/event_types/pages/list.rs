//! The event types of a tenant.
use std::collections::HashMap;

use axum::{extract::State, response::Response};
use chrono::Duration;
use leptos::prelude::*;

use super::{address, state};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{self, EventType},
    events::store::{Standing, last_of_types},
    form::shown,
    ids::{EventId, EventTypeId, TenantId},
    tenants,
    ui::{self, Card, Column, Crumb, DataTable, Empty, Frame, Icon, LinkButton, PageHeader, Section, Tone},
};

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let path = format!("/tenants/{tenant}/event-types");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::EventTypes, path).await?;
    let types = event_types::list(&app.db, &permit).await?;
    let standings = last_of_types(&app.db, &permit, app.clock.now() - Duration::hours(24)).await?;
    let standings = standings.into_iter().map(|standing| (standing.event_type_id, standing)).collect();
    let may_configure = session.permit::<Configure>(tenant).is_ok();
    Ok(shown(page(&frame, tenant, &types, &standings, may_configure)))
}

fn page(
    frame: &Frame,
    tenant: TenantId,
    types: &[EventType],
    standings: &HashMap<EventTypeId, Standing>,
    may_configure: bool,
) -> String {
    let new = || {
        may_configure.then(|| {
            let href = format!("/tenants/{tenant}/event-types/new");
            view! { <LinkButton href=href tone=Tone::Primary icon=Icon::Plus>"New event type"</LinkButton> }
        })
    };
    let body = if types.is_empty() {
        view! {
            <PageHeader title="Event types"/>
            <Empty
                icon=Icon::Contract
                title="No event types yet"
                why="An event type is the contract of one kind of event: which fields it has, and which of them make it unique. Events that break it are kept in quarantine, with the reasons."
            >
                {new()}
                {may_configure.then(|| {
                    let href = format!("/tenants/{tenant}/event-types/new/sample");
                    view! { <LinkButton href=href icon=Icon::Events>"Start from a sample"</LinkButton> }
                })}
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Event types" lead="The contracts that events keep.">{new()}</PageHeader>
            <Card flush=true>{table(frame, types, standings)}</Card>
        }
        .into_any()
    };
    let crumbs = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    ui::page(frame, "Event types", crumbs.collect(), body)
}

fn table(frame: &Frame, types: &[EventType], standings: &HashMap<EventTypeId, Standing>) -> AnyView {
    let columns = vec![
        Column::text("Name"),
        Column::text("State"),
        Column::number("Accepted in 24 h"),
        Column::number("Quarantined"),
        Column::text("Last event"),
        Column::text("On a breach").wide_only(),
        Column::text("Id").wide_only(),
    ];
    let rows = types.iter().map(|event_type| {
        let standing = standings.get(&event_type.id);
        let count =
            |of: fn(&Standing) -> i64| ui::number(standing.map(of).and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
        let last = standing.and_then(|standing| standing.newest).map(EventId::received_at);
        vec![
            ui::link(address(event_type.tenant_id, event_type.id), event_type.details.name.as_str()),
            state(event_type.details.enabled),
            count(|standing| standing.accepted),
            count(|standing| standing.quarantined),
            last.map_or_else(|| ui::muted("never"), |at| ui::ago(frame.moment(), at)),
            ui::text(event_type.details.policy.title()),
            ui::mono(event_type.id.to_string()),
        ]
    });
    view! { <DataTable caption="Event types" columns=columns rows=rows.collect()/> }.into_any()
}
