//! The page of one event type: what a sender needs, ready to be copied, and what its contract says.
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use chrono::Duration;
use leptos::prelude::*;

use super::{Named, address, state};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::Result,
    event_types::{self, EventType, sample::sample},
    events::store::{Standing, last_of_types, newest_of_type},
    form::{Done, shown},
    islands::FirstEvent,
    tenants,
    ui::{
        self, Card, CodeBlock, Columns, CopyField, Crumb, Facts, Frame, Icon, Json, LinkButton, Notice, PageHeader,
        PostButton, Prose, Section, Tone,
    },
};

/// What the page shows.
struct Seen<'a> {
    base: &'a str,
    event_type: EventType,
    standing: Option<Standing>,
    /// Whether an event of it has ever come.
    has_events: bool,
    may_configure: bool,
    may_read_payloads: bool,
}

/// Shows the event type.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let event_type = event_types::get(&app.db, &permit, named.id()?).await?;
    let standings = last_of_types(&app.db, &permit, app.clock.now() - Duration::hours(24)).await?;
    let path = address(tenant, event_type.id);
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::EventTypes, path).await?;
    frame.notice = match asked.done.as_deref() {
        Some("created") => Some(Notice::ok("The event type is created. Now send its first event.")),
        Some("saved") => Some(Notice::ok("Saved. The front door keeps to it within a second.")),
        Some("disabled") => Some(Notice::ok("The event type is disabled: its events are refused.")),
        Some("enabled") => Some(Notice::ok("The event type is enabled: its events are accepted.")),
        _ => None,
    };
    let seen = Seen {
        base: &app.public_base,
        has_events: newest_of_type(&app.db, &permit, event_type.id).await?.is_some(),
        standing: standings.into_iter().find(|standing| standing.event_type_id == event_type.id),
        event_type,
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        may_read_payloads: session.permit::<ReadPayloads>(tenant).is_ok(),
    };
    Ok(shown(ui::with_islands(|| page(&frame, &seen))))
}

fn page(frame: &Frame, seen: &Seen<'_>) -> String {
    let event_type = &seen.event_type;
    let details = &event_type.details;
    let here = address(event_type.tenant_id, event_type.id);
    let actions = seen.may_configure.then(|| {
        let switch = if details.enabled {
            view! { <LinkButton href=format!("{here}/disable") tone=Tone::Quiet>"Disable…"</LinkButton> }
        } else {
            view! { <PostButton action=format!("{here}/enable") tone=Tone::Primary>"Enable"</PostButton> }
        };
        view! {
            {switch}
            <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
            <LinkButton href=format!("{here}/contract") icon=Icon::Contract>"Edit contract"</LinkButton>
        }
    });
    let events = seen.may_read_payloads.then(|| {
        let href = format!("/tenants/{}/events?type={}", event_type.tenant_id, event_type.id);
        view! { <LinkButton href=href icon=Icon::Events>"Events"</LinkButton> }
    });
    let main = view! { {description(&details.description)} {first_event(seen)} {sending(seen)} {contract(event_type)} };
    let body = view! {
        <PageHeader title=details.name.as_str() badge=state(details.enabled)>{actions}{events}</PageHeader>
        <Columns main=main.into_any() aside=facts(frame, seen)/>
    };
    let mut crumbs: Vec<_> =
        frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
    crumbs.push(Crumb::new("Event types", format!("/tenants/{}/event-types", event_type.tenant_id)));
    ui::page(frame, details.name.as_str(), crumbs, body.into_any())
}

/// Its lines, as they were written.
fn description(text: &str) -> Option<AnyView> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<_> = lines.map(|line| view! { <p>{line.to_owned()}</p> }).collect();
    (!lines.is_empty()).then(|| view! { <Prose>{lines}</Prose> }.into_any())
}

/// Waits for the first event, as long as there is none.
fn first_event(seen: &Seen<'_>) -> Option<AnyView> {
    let event_type = &seen.event_type;
    let waits = event_type.details.enabled && !seen.has_events;
    (waits && seen.may_read_payloads).then(|| {
        // from the beginning on: one that comes while this page travels is told too
        let here = address(event_type.tenant_id, event_type.id);
        let stream = format!("{here}/stream?after={}", uuid::Uuid::nil());
        let explorer = format!("/tenants/{}/events?type={}", event_type.tenant_id, event_type.id);
        view! { <FirstEvent stream=stream explorer=explorer/> }.into_any()
    })
}

/// The address that events of this type are posted to.
fn endpoint(base: &str, event_type: &EventType) -> String {
    format!("{base}/events/v1.0/tenants/{}/events/{}", event_type.tenant_id, event_type.id)
}

fn sending(seen: &Seen<'_>) -> AnyView {
    let event_type = &seen.event_type;
    let endpoint = endpoint(seen.base, event_type);
    let curl = curl(seen.base, event_type, "$TRIBUTARY_TOKEN");
    let query = format!("{endpoint}?X-CM-PRODUCTTOKEN=$TRIBUTARY_TOKEN");
    let tokens = format!("/tenants/{}/tokens/new", event_type.tenant_id);
    let token = seen.may_configure.then(|| {
        view! { <p>"No token at hand? "{ui::link(tokens, "Create one")}" and put it where the command says "{ui::mono("$TRIBUTARY_TOKEN")}"."</p> }
    });
    view! {
        <Card title="Send events" lead="POST an object, or an array of objects, as JSON. 201 means that they are on disk.">
            <CopyField id="endpoint" label="Address" value=endpoint/>
            <CopyField id="header-form" label="Token as a header" value="X-CM-PRODUCTTOKEN: $TRIBUTARY_TOKEN"/>
            <CopyField
                id="query-form"
                label="Token in the address"
                value=query
                hint="For senders that cannot set a header. Addresses end up in logs: prefer the header."
            />
            <CodeBlock id="curl" label="Try it: curl" code=curl/>
            {token}
        </Card>
    }
    .into_any()
}

/// A made-up event of this type, as JSON.
fn sample_of(event_type: &EventType) -> String {
    let event = sample(&event_type.details.contract, &event_type.details.unique_fields);
    let short = event.to_string();
    if short.len() <= 72 { short } else { serde_json::to_string_pretty(&event).unwrap_or(short) }
}

/// A command that posts a made-up event of this type. `token` stands in double quotes: a variable, or a secret.
pub fn curl(base: &str, event_type: &EventType, token: &str) -> String {
    // within single quotes the shell takes everything as it is, but the quote itself
    let event = sample_of(event_type).replace('\'', r"'\''");
    format!(
        "curl -X POST '{}' \\\n  -H \"X-CM-PRODUCTTOKEN: {token}\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{event}'",
        endpoint(base, event_type)
    )
}

fn contract(event_type: &EventType) -> AnyView {
    let contract = &event_type.details.contract;
    let lead =
        if contract.accepts_anything() { "It takes any object." } else { "What every event of this type keeps." };
    view! {
        <Card title="Contract" lead=lead>
            <Json label="JSON Schema 2020-12" text=contract.text()/>
        </Card>
    }
    .into_any()
}

fn facts(frame: &Frame, seen: &Seen<'_>) -> AnyView {
    let event_type = &seen.event_type;
    let details = &event_type.details;
    let now = frame.moment();
    let unique = if details.unique_fields.is_empty() {
        ui::muted("nothing: every event is new")
    } else {
        details
            .unique_fields
            .pointers()
            .map(|pointer| view! { <div>{ui::mono(pointer)}</div> })
            .collect_view()
            .into_any()
    };
    let count = |of: fn(&Standing) -> i64| {
        ui::number(seen.standing.as_ref().map(of).and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    };
    let last = seen.standing.as_ref().and_then(|standing| standing.newest);
    let lately = vec![
        ("Accepted", count(|standing| standing.accepted)),
        ("Quarantined", count(|standing| standing.quarantined)),
        ("Duplicates", count(|standing| standing.duplicates)),
        ("Last event", last.map_or_else(|| ui::muted("never"), |last| ui::ago(now, last.received_at()))),
    ];
    let about = vec![
        ("Id", ui::mono(event_type.id.to_string())),
        ("On a breach", ui::text(details.policy.title())),
        ("Unique by", unique),
        ("Without a token", ui::text(if details.anonymous { "accepted" } else { "refused" })),
        ("Changed", ui::at(now, event_type.updated_at)),
        ("Created", ui::at(now, event_type.created_at)),
    ];
    view! {
        <Card title="In 24 hours"><Facts items=lately/></Card>
        <Card title="About it"><Facts items=about/></Card>
    }
    .into_any()
}
