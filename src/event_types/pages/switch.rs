//! Switching an event type off, which is asked about first, and on again.
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::Duration;
use leptos::prelude::*;

use super::{Named, address};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types,
    events::store::last_of_types,
    form::shown,
    tenants, tokens,
    ui::{self, Confirm, Crumb, Section},
};

/// Asks, and says what it means.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (tenant, now) = (permit.tenant(), app.clock.now());
    let read = session.permit::<ReadConfiguration>(tenant)?;
    let event_type = event_types::get(&app.db, &read, named.id()?).await?;
    let senders = tokens::list(&app.db, &read).await?.into_iter().filter(|token| {
        let covers = token.details.event_types.as_ref().is_none_or(|types| types.contains(&event_type.id));
        covers && token.state(now) == tokens::State::Active
    });
    let standings = last_of_types(&app.db, &read, now - Duration::hours(24)).await?;
    let recent = standings.iter().find(|standing| standing.event_type_id == event_type.id).map_or(0, |s| s.accepted);
    let impact = vec![
        (ui::format::count(u64::try_from(recent).unwrap_or(0)), "events were accepted in the last 24 hours".to_owned()),
        (senders.count().to_string(), "active tokens may send it, and will get 404".to_owned()),
    ];
    let here = address(tenant, event_type.id);
    let path = format!("{here}/disable");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::EventTypes, path.clone()).await?;
    let name = event_type.details.name.as_str();
    let body = view! {
        <Confirm
            title=format!("Disable {name}")
            consequence="Within a second, its events are refused. What was sent stays, and enabling it again takes one click."
            impact=impact
            verb="Disable event type"
            action=path
            cancel=here.clone()
        />
    };
    let mut crumbs: Vec<_> =
        frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
    crumbs.push(Crumb::new("Event types", format!("/tenants/{tenant}/event-types")));
    crumbs.push(Crumb::new(name, here));
    Ok(shown(ui::page(&frame, "Disable", crumbs, body.into_any())))
}

/// Disables it.
pub(super) async fn disable(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    switch(&app, &permit, &named, false, "disabled").await
}

/// Enables it.
pub(super) async fn enable(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    switch(&app, &permit, &named, true, "enabled").await
}

async fn switch(app: &App, permit: &Permit<Configure>, named: &Named, enabled: bool, done: &str) -> Result<Response> {
    let change = move |details: &mut event_types::Details| details.enabled = enabled;
    let saved = event_types::update(&app.db, &app.clock, permit, named.id()?, change).await?;
    Ok(Redirect::to(&format!("{}?done={done}", address(saved.tenant_id, saved.id))).into_response())
}
