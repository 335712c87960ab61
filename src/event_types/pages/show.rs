//! The page of one event type: what a sender needs, ready to be copied, and what its contract says.
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use chrono::Duration;
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, address, state, versions::waits};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::Result,
    event_types::{
        self, EventType, Pointer, Policy,
        sample::sample,
        snippets::{self, Carried, Language, VARIABLE, endpoint, snippets},
        versions::{self, Draft},
    },
    events::{
        WARNED, chart, fields,
        hours::{self, Figures, Span},
        refusals::{self, Refused},
        rhythm::{self, Rhythm, Verdict},
        store::{Standing, last_of_types, newest_of_type, warned_of_type},
    },
    form::shown,
    ids::SourceId,
    islands::FirstEvent,
    jobs, polling, tenants,
    ui::{
        self, Badge, Card, CodeBlock, Columns, CopyField, Crumb, Facts, Frame, Icon, Json, LinkButton, Notice,
        PageHeader, PostButton, Prose, Section, Tab, Tabs, Tone,
    },
};

/// Among how many of the newest events those with a warning are counted.
const AMONG: i64 = 1_000;

/// What the page shows.
struct Seen<'a> {
    base: &'a str,
    event_type: EventType,
    /// The number of the active contract.
    version: i64,
    draft: Option<Draft>,
    language: Language,
    carried: Carried,
    standing: Option<Standing>,
    rhythm: Option<Rhythm>,
    figures: Vec<Figures>,
    span: Span,
    /// Whether an event of it has ever come.
    has_events: bool,
    /// The sources that are polled for it.
    sources: Vec<(SourceId, String)>,
    /// Requests to its address that were refused in 24 hours.
    refused: Vec<Refused>,
    /// By which fields its events are found, and how far the index of each is.
    searchable: Vec<fields::store::Standing>,
    /// When it lets events pass with a warning: of how many of the newest, how many were.
    warned: Option<(i64, i64)>,
    may_configure: bool,
    may_read_payloads: bool,
}

/// What the address asks for: what was done, in which language a sender begins, and how far back the chart looks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    snippet: Option<String>,
    token: Option<String>,
    range: Option<String>,
}

/// Shows the event type.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let event_type = event_types::get(&app.db, &permit, named.id()?).await?;
    let (now, span) = (app.clock.now(), Span::parse(asked.range.as_deref()));
    let standings = last_of_types(&app.db, &permit, now - Duration::hours(24)).await?;
    let path = address(tenant, event_type.id);
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::EventTypes, path).await?;
    frame.notice = match asked.done.as_deref() {
        Some("created") => Some(Notice::ok("The event type is created. Now send its first event.")),
        Some("saved") => Some(Notice::ok("Saved. The front door keeps to it within a second.")),
        Some("copied") => Some(Notice::ok("This is the copy. Create a token for its sender.")),
        Some("disabled") => Some(Notice::ok("The event type is disabled: its events are refused.")),
        Some("enabled") => Some(Notice::ok("The event type is enabled: its events are accepted.")),
        _ => None,
    };
    let warned = match event_type.details.policy {
        Policy::Warn => Some(warned_of_type(&app.db, &permit, event_type.id, AMONG).await?),
        Policy::Quarantine | Policy::Refuse => None,
    };
    let seen = Seen {
        base: &app.public_base,
        rhythm: rhythm::of_type(&app.db, &permit, event_type.id).await?,
        figures: hours::of_type(&app.db, &permit, event_type.id, span.begins(frame.moment())).await?,
        span,
        has_events: newest_of_type(&app.db, &permit, event_type.id).await?.is_some(),
        refused: refusals::of_type(&app.db, &permit, event_type.id, now - Duration::hours(24)).await?,
        version: versions::active(&app.db, &permit, event_type.id).await?.made.number,
        draft: versions::draft(&app.db, &permit, event_type.id).await?,
        language: asked.snippet.as_deref().and_then(|word| word.parse().ok()).unwrap_or_default(),
        warned,
        carried: if asked.token.as_deref() == Some("address") { Carried::Address } else { Carried::Header },
        standing: standings.into_iter().find(|standing| standing.event_type_id == event_type.id),
        sources: polling::store::look::of_type(&app.db, &permit, event_type.id).await?,
        searchable: fields::store::standing(&app.db, &permit, Some(event_type.id)).await?,
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
            <LinkButton href=format!("{here}/copy") tone=Tone::Quiet>"Copy…"</LinkButton>
            <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
            <LinkButton href=format!("{here}/contract") icon=Icon::Contract>"Edit contract"</LinkButton>
        }
    });
    let events = seen.may_read_payloads.then(|| {
        let href = format!("/tenants/{}/events?type={}", event_type.tenant_id, event_type.id);
        view! { <LinkButton href=href icon=Icon::Events>"Events"</LinkButton> }
    });
    let main = view! { {description(&details.description)} {first_event(seen)} {over_time(frame, seen)} {sending(seen)} {contract(frame, seen)} };
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

/// How many of its events were quarantined, of all.
fn rate(seen: &Seen<'_>) -> String {
    let figure = |of: fn(&Standing) -> i64| u64::try_from(seen.standing.as_ref().map_or(0, of)).unwrap_or(0);
    let (accepted, quarantined) = (figure(|one| one.accepted), figure(|one| one.quarantined));
    chart::share(quarantined, accepted + quarantined)
}

/// The chart, once there was an event.
fn over_time(frame: &Frame, seen: &Seen<'_>) -> Option<AnyView> {
    let here = address(seen.event_type.tenant_id, seen.event_type.id);
    let any = seen.has_events || seen.rhythm.is_some();
    any.then(|| chart::card(&seen.figures, seen.span, frame.moment(), &here))
}

/// Whether its events come as they use to, and when that is said otherwise.
fn silence(frame: &Frame, seen: &Seen<'_>) -> AnyView {
    let badge = |state: ui::State, word: &'static str, more: String| {
        ui::two_lines(view! { <Badge state=state word=word/> }.into_any(), ui::text(more))
    };
    let verdict = seen.rhythm.map_or(Verdict::Never, |rhythm| rhythm.verdict(frame.now));
    match (seen.rhythm, verdict) {
        _ if !seen.event_type.details.enabled => ui::muted("not watched: disabled"),
        (Some(rhythm), Verdict::Regular { silent_from }) => {
            let gap = chart::length(rhythm.longest_gap);
            let from = ui::format::relative(frame.now, silent_from);
            badge(ui::State::Ok, "regular", format!("longest gap {gap}; silent {from} if none comes"))
        }
        (Some(rhythm), Verdict::Silent { waited, .. }) => {
            let (gap, waited) = (chart::length(rhythm.longest_gap), chart::length(waited));
            badge(ui::State::Error, "silent", format!("longest gap before {gap}; waited {waited}"))
        }
        (None, _) | (_, Verdict::Never) => ui::muted("no event yet"),
        (Some(_), Verdict::Unknown) => ui::muted("known after a day and five events"),
    }
}

fn sending(seen: &Seen<'_>) -> AnyView {
    let event_type = &seen.event_type;
    let here = address(event_type.tenant_id, event_type.id);
    let tokens = format!("/tenants/{}/tokens/new", event_type.tenant_id);
    let token = seen.may_configure.then(|| {
        view! { <p>"No token at hand? "{ui::link(tokens, "Create one")}" and put it where the program says "{ui::mono(VARIABLE)}"."</p> }
    });
    let address_of = |language: Language, carried: Carried| {
        let token = if carried == Carried::Address { "&token=address" } else { "" };
        format!("{here}?snippet={}{token}#send", language.word())
    };
    let tabs = Language::ALL.map(|language| Tab::new(language.title(), address_of(language, seen.carried)));
    let forms = vec![
        Tab::new("Token as a header", address_of(seen.language, Carried::Header)),
        Tab::new("Token in the address", address_of(seen.language, Carried::Address)),
    ];
    let hint = (seen.carried == Carried::Address).then(|| {
        view! { <p>{ui::muted("For senders that cannot set a header. Addresses end up in logs: prefer the header.")}</p> }
    });
    let programs = snippets(seen.base, event_type, seen.language, seen.carried).into_iter().enumerate();
    let programs = programs.map(|(n, snippet)| {
        let note = snippet.note.map(|note| view! { <p>{ui::muted(note)}</p> });
        view! { <CodeBlock id=format!("snippet-{n}") label=snippet.label code=snippet.code/> {note} }
    });
    let test = seen.may_configure.then(|| {
        view! { <LinkButton href=format!("{here}/test") icon=Icon::Play>"Send a test event"</LinkButton> }.into_any()
    });
    let card = view! {
        <Card
            title="Send events"
            lead="POST an object, or an array of objects, as JSON. 201 means that they are on disk."
            action=test.unwrap_or_else(|| ().into_any())
        >
            <CopyField id="endpoint" label="Address" value=endpoint(seen.base, event_type)/>
            <Tabs label="Language" tabs=tabs.into() current=address_of(seen.language, seen.carried)/>
            {programs.collect_view()}
            <Tabs label="Where the token goes" tabs=forms current=address_of(seen.language, seen.carried)/>
            {hint}
            {token}
        </Card>
    };
    view! { <div id="send">{card}</div> }.into_any()
}

/// A made-up event of this type, as JSON.
pub(super) fn sample_of(event_type: &EventType) -> String {
    let event = sample(&event_type.details.contract, &event_type.details.unique_fields);
    serde_json::to_string_pretty(&event).unwrap_or_default()
}

/// A command that posts a made-up event of this type. `token` stands in double quotes: a variable, or a secret.
pub fn curl(base: &str, event_type: &EventType, token: &str) -> String {
    let event = sample(&event_type.details.contract, &event_type.details.unique_fields);
    snippets::curl(&endpoint(base, event_type), &event, token)
}

fn contract(frame: &Frame, seen: &Seen<'_>) -> AnyView {
    let event_type = &seen.event_type;
    let here = format!("{}/contract", address(event_type.tenant_id, event_type.id));
    let versions = view! { <LinkButton href=format!("{here}/versions") tone=Tone::Quiet>{format!("Version {}", seen.version)}</LinkButton> };
    let waiting = seen.draft.as_ref().filter(|_| seen.may_configure).map(|draft| waits(frame, &here, draft));
    let contract = &event_type.details.contract;
    let lead =
        if contract.accepts_anything() { "It takes any object." } else { "What every event of this type keeps." };
    view! {
        <Card title="Contract" lead=lead action=versions.into_any()>
            {waiting}
            <Json label="JSON Schema 2020-12" text=contract.text()/>
        </Card>
    }
    .into_any()
}

/// The sources that are polled for it, and the way to another one.
fn polled_from(seen: &Seen<'_>) -> AnyView {
    let base = format!("/tenants/{}/sources", seen.event_type.tenant_id);
    let links =
        seen.sources.iter().map(|(id, name)| view! { <div>{ui::link(format!("{base}/{id}"), name.clone())}</div> });
    let links = links.collect_view();
    let new = seen.may_configure.then(|| {
        let label = if seen.sources.is_empty() { "Poll a source" } else { "New source" };
        view! { <div>{ui::link(format!("{base}/new?type={}", seen.event_type.id), label)}</div> }
    });
    let none = (seen.sources.is_empty() && !seen.may_configure).then(|| ui::muted("no source"));
    view! { {links}{new}{none} }.into_any()
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
    let searchable = if seen.searchable.is_empty() {
        ui::muted("no field: they are looked through")
    } else {
        seen.searchable.iter().map(|field| searchable(seen, field)).collect_view().into_any()
    };
    let count = |of: fn(&Standing) -> i64| {
        ui::number(seen.standing.as_ref().map(of).and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
    };
    let last = seen.standing.as_ref().and_then(|standing| standing.newest);
    let lately = vec![
        ("Accepted", count(|standing| standing.accepted)),
        ("Quarantined", count(|standing| standing.quarantined)),
        ("Rejected", ui::text(rate(seen))),
        ("Duplicates", count(|standing| standing.duplicates)),
        ("Refused requests", refused(frame, &seen.refused)),
        ("Last event", last.map_or_else(|| ui::muted("never"), |last| ui::ago(now, last.received_at()))),
        ("Rhythm", silence(frame, seen)),
    ];
    let about = vec![
        ("Polled from", polled_from(seen)),
        ("Id", ui::mono(event_type.id.to_string())),
        ("On a breach", ui::text(details.policy.title())),
        ("Unique by", unique),
        ("Found by", searchable),
        ("Without a token", ui::text(if details.anonymous { "accepted" } else { "refused" })),
        ("Changed", ui::at(now, event_type.updated_at)),
        ("Created", ui::at(now, event_type.created_at)),
    ];
    view! {
        <Card title="In 24 hours"><Facts items=lately/></Card>
        {warnings(seen)}
        <Card title="About it"><Facts items=about/></Card>
    }
    .into_any()
}

/// How many requests to its address were refused, and why: nothing of them is kept.
fn refused(frame: &Frame, by_status: &[Refused]) -> AnyView {
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let total = ui::number(number(by_status.iter().map(|one| one.requests).sum()));
    let Some(last) = by_status.iter().map(|one| one.last_at).max() else { return total };
    let why = |one: &Refused| format!("{} {} ({})", ui::format::count(number(one.requests)), one.why(), one.status);
    let why: Vec<_> = by_status.iter().map(why).collect();
    let more = view! { {why.join(", ")}"; last "{ui::ago(frame.moment(), last)} };
    ui::two_lines(total, more.into_any())
}

/// A searchable field, and how far its index is.
fn searchable(seen: &Seen<'_>, field: &fields::store::Standing) -> AnyView {
    let label = Pointer::parse(&field.field).map_or(field.field.clone(), |field| field.label().to_owned());
    let building = (!field.ready).then(|| match field.task_id.filter(|_| seen.may_read_payloads) {
        Some(task) => {
            view! { " "{ui::link(jobs::href(seen.event_type.tenant_id, task), "index not complete yet")} }.into_any()
        }
        None => view! { " "{ui::muted("index not complete yet")} }.into_any(),
    });
    view! { <div>{ui::mono(label)}{building}</div> }.into_any()
}

/// What breaks the contract and is accepted all the same.
fn warnings(seen: &Seen<'_>) -> Option<AnyView> {
    let ((among, warned), event_type) = (seen.warned?, &seen.event_type);
    if among == 0 {
        return None;
    }
    let [among, warned] = [among, warned].map(|n| u64::try_from(n).unwrap_or(0));
    let newest = if among < AMONG.unsigned_abs() { "" } else { "newest " };
    let so = format!(
        "{} of the {newest}{} broke the contract.",
        ui::format::count(warned),
        ui::format::counted(among, "event")
    );
    let href = format!("/tenants/{}/events?type={}&verdict={WARNED}", event_type.tenant_id, event_type.id);
    let which = (warned > 0 && seen.may_read_payloads).then(|| view! { <p>{ui::link(href, "Show them")}</p> });
    Some(view! { <Card title="Accepted with a warning"><Prose><p>{so}</p>{which}</Prose></Card> }.into_any())
}
