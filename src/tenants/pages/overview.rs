//! One tenant at a glance: what it has, how its event types fare, and what to do next.
use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    response::Response,
};
use chrono::Duration;
use leptos::prelude::*;
use serde::Deserialize;

use super::list::state;
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, See, Session},
    error::Result,
    event_types::{self, EventType},
    events::{
        chart,
        hours::{self, Figures, Span},
        rhythm::{self, Verdict, Watched},
        store::{Standing, last_of_types},
    },
    form::shown,
    ids::{EventId, EventTypeId},
    tenants::{self, Tenant},
    tokens::{self, Token},
    ui::{
        self, Badge, Card, Column, Columns, Crumb, DataTable, Facts, Frame, Icon, LinkButton, Notice, PageHeader, Row,
        Section, Stat, Stats, Step, StepState, Steps, Tone,
    },
};

/// What the page shows.
struct Seen {
    tenant: Tenant,
    /// None: the viewer may not read the configuration.
    configuration: Option<(Vec<EventType>, Vec<Token>)>,
    standings: HashMap<EventTypeId, Standing>,
    rhythms: HashMap<EventTypeId, Watched>,
    figures: Vec<Figures>,
    span: Span,
    may_configure: bool,
}

/// What the address asks for: what was done, and how far back the chart looks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    range: Option<String>,
}

/// Shows the tenant.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<See>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let id = permit.tenant();
    let configuration = match session.permit::<ReadConfiguration>(id) {
        Ok(read) => Some((event_types::list(&app.db, &read).await?, tokens::list(&app.db, &read).await?)),
        Err(_) => None,
    };
    let mut frame = tenants::frame(&app, &session, Some(id), Section::Overview, format!("/tenants/{id}")).await?;
    let (now, span) = (app.clock.now(), Span::parse(asked.range.as_deref()));
    let standings = last_of_types(&app.db, &permit, now - Duration::hours(24)).await?;
    let seen = Seen {
        rhythms: rhythm::of_tenant(&app.db, &permit, now).await?,
        figures: hours::of_tenant(&app.db, &permit, span.begins(frame.moment())).await?,
        span,
        tenant: tenants::get(&app.db, &permit).await?,
        configuration,
        standings: standings.into_iter().map(|standing| (standing.event_type_id, standing)).collect(),
        may_configure: session.permit::<Configure>(id).is_ok(),
    };
    frame.notice = match asked.done.as_deref() {
        Some("enabled") => Some(Notice::ok("The tenant is enabled: its events are accepted.")),
        _ => None,
    };
    Ok(shown(page(&frame, &seen)))
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let tenant = &seen.tenant;
    let configuration = seen.configuration.as_ref();
    let new = (seen.may_configure && tenant.enabled).then(|| {
        let href = format!("/tenants/{}/event-types/new", tenant.id);
        view! { <LinkButton href=href icon=Icon::Plus>"New event type"</LinkButton> }
    });
    let main = match configuration {
        Some((types, _)) if !types.is_empty() => {
            view! { {next(seen)} {over_time(frame, seen)} {types_card(frame, seen, types)} }.into_any()
        }
        Some(_) => next(seen).unwrap_or_else(|| ().into_any()),
        None => over_time(frame, seen).unwrap_or_else(chart::nothing),
    };
    let body = view! {
        <PageHeader title=tenant.name.as_str() badge=state(tenant)>{new}</PageHeader>
        {figures(frame, seen)}
        <Columns main=main aside=facts(frame, tenant)/>
    };
    ui::page(frame, "Overview", vec![Crumb::new("Tenants", "/tenants")], body.into_any())
}

fn figures(frame: &Frame, seen: &Seen) -> AnyView {
    let id = seen.tenant.id;
    let sum = |of: fn(&Standing) -> i64| {
        let total: i64 = seen.standings.values().map(of).sum();
        ui::format::count(u64::try_from(total).unwrap_or(0))
    };
    let counts = seen.configuration.as_ref().map(|(types, tokens)| {
        let active = tokens.iter().filter(|token| token.state(frame.now) == tokens::State::Active).count();
        view! {
            <Stat label="Event types" figure=types.len().to_string() href=format!("/tenants/{id}/event-types")/>
            <Stat label="Active tokens" figure=active.to_string() href=format!("/tenants/{id}/tokens")/>
        }
    });
    view! {
        <Stats>
            {counts}
            <Stat label="Accepted" figure=sum(|standing| standing.accepted)>"in 24 hours"</Stat>
            <Stat label="Quarantined" figure=sum(|standing| standing.quarantined)>{rejected(seen)}" in 24 hours"</Stat>
        </Stats>
    }
    .into_any()
}

/// How many of all that came were quarantined.
fn rejected(seen: &Seen) -> String {
    let sum = |of: fn(&Standing) -> i64| {
        let total: i64 = seen.standings.values().map(of).sum();
        u64::try_from(total).unwrap_or(0)
    };
    let quarantined = sum(|standing| standing.quarantined);
    match chart::share(quarantined, sum(|standing| standing.accepted) + quarantined) {
        none if quarantined == 0 => none,
        share => format!("{share} of all"),
    }
}

/// The chart, once there was an event.
fn over_time(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let any = seen.standings.values().any(|standing| standing.newest.is_some()) || !seen.figures.is_empty();
    any.then(|| chart::card(&seen.figures, seen.span, frame.moment(), &format!("/tenants/{}", seen.tenant.id)))
}

/// What is still to be done until events come; nothing once they do.
fn next(seen: &Seen) -> Option<AnyView> {
    let (types, tokens) = seen.configuration.as_ref()?;
    if seen.standings.values().any(|standing| standing.newest.is_some()) || !seen.may_configure {
        return None;
    }
    let base = &format!("/tenants/{}", seen.tenant.id);
    let state_of = |done: bool, before: bool| match (done, before) {
        (true, _) => StepState::Done,
        (false, true) => StepState::Current,
        (false, false) => StepState::Ahead,
    };
    let (has_type, has_token) = (!types.is_empty(), !tokens.is_empty());
    let tone = |current: bool| if current { Tone::Primary } else { Tone::Plain };
    let first = types.first().map(|first| format!("{base}/event-types/{}", first.id));
    let new_type = (!has_type).then(|| {
        view! { <Row><LinkButton href=format!("{base}/event-types/new") tone=Tone::Primary icon=Icon::Plus>"New event type"</LinkButton></Row> }
    });
    let new_token = (!has_token).then(|| {
        view! { <Row><LinkButton href=format!("{base}/tokens/new") tone=tone(has_type) icon=Icon::Plus>"New token"</LinkButton></Row> }
    });
    let send =
        first.map(|href| view! { <Row><LinkButton href=href tone=tone(has_token)>"Show me how"</LinkButton></Row> });
    Some(
        view! {
            <Card title="From here to the first event">
                <Steps label="From here to the first event">
                    <Step state=state_of(has_type, true) title="Say what its events hold">
                        <p>"An event type is the contract of one kind of event: its fields, and what makes it unique."</p>
                        {new_type}
                    </Step>
                    <Step state=state_of(has_token, has_type) title="Create a token">
                        <p>"The secret that the external system sends along."</p>
                        {new_token}
                    </Step>
                    <Step state=state_of(false, has_type && has_token) title="Send the first event">
                        <p>"The page of the event type has a command that is ready to run."</p>
                        {send}
                    </Step>
                </Steps>
            </Card>
        }
        .into_any(),
    )
}

fn types_card(frame: &Frame, seen: &Seen, types: &[EventType]) -> AnyView {
    let columns = vec![
        Column::text("Event type"),
        Column::text("State"),
        Column::number("Accepted in 24 h"),
        Column::number("Quarantined"),
        Column::number("Rejected").wide_only(),
        Column::text("Last event"),
    ];
    let rows = types.iter().map(|event_type| {
        let standing = seen.standings.get(&event_type.id);
        let count =
            |of: fn(&Standing) -> i64| ui::number(standing.map(of).and_then(|n| u64::try_from(n).ok()).unwrap_or(0));
        let last = standing.and_then(|standing| standing.newest).map(EventId::received_at);
        vec![
            ui::link(event_types_href(event_type), event_type.details.name.as_str()),
            state_of_type(frame, seen, event_type),
            count(|standing| standing.accepted),
            count(|standing| standing.quarantined),
            standing.map_or_else(|| ui::muted("none"), rate),
            last.map_or_else(|| ui::muted("never"), |at| ui::ago(frame.moment(), at)),
        ]
    });
    view! {
        <Card title="Event types" flush=true>
            <DataTable caption="Event types" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

fn event_types_href(event_type: &EventType) -> String {
    format!("/tenants/{}/event-types/{}", event_type.tenant_id, event_type.id)
}

/// How many of its events were quarantined, of all.
fn rate(standing: &Standing) -> AnyView {
    let figure = |value: i64| u64::try_from(value).unwrap_or(0);
    let (accepted, quarantined) = (figure(standing.accepted), figure(standing.quarantined));
    let share = chart::share(quarantined, accepted + quarantined);
    if quarantined == 0 { ui::muted(share) } else { ui::text(share) }
}

/// Whether its events are accepted, and whether they come.
fn state_of_type(frame: &Frame, seen: &Seen, event_type: &EventType) -> AnyView {
    let silent = seen.rhythms.get(&event_type.id).map(|one| one.verdict);
    let (state, word) = match silent {
        _ if !event_type.details.enabled => (ui::State::Warning, "disabled".to_owned()),
        Some(Verdict::Silent { since, .. }) => {
            (ui::State::Error, format!("silent for {}", chart::length(frame.now - since)))
        }
        _ => (ui::State::Ok, "enabled".to_owned()),
    };
    view! { <Badge state=state word=word/> }.into_any()
}

fn facts(frame: &Frame, tenant: &Tenant) -> AnyView {
    let origins = match tenant.cors_origins.len() {
        0 => ui::muted("none"),
        _ => tenant
            .cors_origins
            .iter()
            .map(|origin| view! { <div>{ui::mono(origin.as_str())}</div> })
            .collect_view()
            .into_any(),
    };
    let items = vec![
        ("Id", ui::mono(tenant.id.to_string())),
        ("Created", ui::at(frame.moment(), tenant.created_at)),
        ("Web pages that may send", origins),
    ];
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}
