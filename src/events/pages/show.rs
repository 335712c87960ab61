//! One event: what is known of it, what is wrong with it, and its payload as it was sent.
use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use leptos::prelude::*;
use url::form_urlencoded;

use super::verdict;
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{self, EventType},
    events::{Cursor, Event, Filter, Verdict, store},
    failures,
    form::shown,
    ids::{EventId, TenantId},
    polling::evidence::{self, Lineage},
    tenants,
    tokens::{self, Token},
    ui::{
        self, Alert, Card, CodeBlock, Columns, Crumb, Facts, Frame, Json, LinkButton, Mark, Notice, PageHeader,
        Section, State as Mood, Tab, Tabs, Tone,
    },
};

/// The longest payload that stands in a command; a longer one goes into a file.
const IN_A_COMMAND: usize = 2_000;

/// What the page shows.
pub(super) struct Seen<'a> {
    pub tenant: TenantId,
    pub event: &'a Event,
    /// None: there is no such type any more.
    pub event_type: Option<&'a EventType>,
    /// None: it came anonymously, or the token is not known any more.
    pub token: Option<&'a Token>,
    /// Whether the payload stands as it was sent, and not set out in lines.
    pub as_sent: bool,
    /// The address that the outside uses.
    pub public_base: &'a str,
    /// What stands in its place.
    pub mended: Option<failures::store::Mended>,
    /// In whose place it stands.
    pub origins: Vec<failures::store::Mended>,
    /// Which source it was polled from, and by which request; none when it was sent.
    pub lineage: Option<Lineage>,
    /// Its groups of failures.
    pub groups: Vec<failures::Group>,
    pub may_configure: bool,
}

/// Shows one event.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    Path((_, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let id: EventId = id.parse().map_err(|_| Error::NotFound("event"))?;
    let event = store::one(&app.db, &permit, id).await?.ok_or(Error::NotFound("event"))?;
    let configuration = session.permit::<ReadConfiguration>(tenant)?;
    let event_type = found(event_types::get(&app.db, &configuration, event.event_type_id).await)?;
    let token = match event.source_id {
        Some(id) => found(tokens::get(&app.db, &configuration, id).await)?,
        None => None,
    };
    let query = query.unwrap_or_default();
    let as_sent = form_urlencoded::parse(query.as_bytes()).any(|pair| pair == ("payload".into(), "as-sent".into()));
    let path = address(tenant, id, as_sent);
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::Events, path).await?;
    frame.notice = notice(&query);
    let seen = Seen {
        tenant,
        event: &event,
        event_type: event_type.as_ref(),
        token: token.as_ref(),
        as_sent,
        public_base: &app.public_base,
        mended: failures::store::mended(&app.db, &permit, id).await?,
        origins: failures::store::origins(&app.db, &permit, id).await?,
        lineage: evidence::lineage(&app.db, &permit, id).await?,
        groups: failures::store::groups_of(&app.db, &permit, id).await?,
        may_configure: session.permit::<Configure>(tenant).is_ok(),
    };
    Ok(shown(draw(&frame, &seen)))
}

/// What an act says on the page of the event that it leads to.
fn notice(query: &str) -> Option<Notice> {
    let done = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?.1;
    Some(Notice::ok(match &*done {
        "mended" => "Replayed: this is the new event. The original is out of quarantine.",
        "mended-same" => {
            "Replayed: this event has the same unique value and payload, and stands in the original's place."
        }
        "mended-before" => "It was mended before: nothing was done now.",
        _ => return None,
    }))
}

/// What is there, or none.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn address(tenant: TenantId, id: EventId, as_sent: bool) -> String {
    format!("/tenants/{tenant}/events/{id}{}", if as_sent { "?payload=as-sent" } else { "" })
}

/// The page.
pub(super) fn draw(frame: &Frame, seen: &Seen) -> String {
    let type_name = match seen.event_type {
        Some(event_type) => event_type.details.name.to_string(),
        None => seen.event.event_type_id.to_string(),
    };
    let main = view! { {mended(frame, seen)} {errors(seen)} {payload(seen)} {lineage(frame, seen)} }.into_any();
    let aside = view! { {facts(frame, seen, &type_name)} {alike(seen)} {again(seen)} }.into_any();
    let mend = (seen.event.verdict == Verdict::Quarantined && seen.may_configure).then(|| {
        let href = format!("/tenants/{}/events/{}/mend", seen.tenant, seen.event.id);
        view! { <LinkButton href=href tone=Tone::Primary>"Mend and replay…"</LinkButton> }
    });
    let crumbs = vec![Crumb::new("Events", format!("/tenants/{}/events", seen.tenant))];
    let body = view! {
        <PageHeader title=type_name.clone() badge=verdict(seen.event)>{mend}</PageHeader>
        <Columns main=main aside=aside/>
    };
    ui::page(frame, &format!("{type_name}, one event"), crumbs, body.into_any())
}

/// What is wrong, and what would mend it.
fn errors(seen: &Seen) -> Option<AnyView> {
    let breaches = seen.event.breaches();
    if breaches.is_empty() {
        return None;
    }
    let (title, lead) = match seen.event.verdict {
        Verdict::Quarantined => {
            ("Why it is in quarantine", "It is kept as it was sent, and nothing else was done with it.")
        }
        Verdict::Mended => ("Why it was in quarantine", "It is kept as it was sent."),
        Verdict::Accepted => ("What it was warned of", "Its type lets such events pass, and says so to the sender."),
    };
    Some(failures::reasons(title, lead, &breaches))
}

/// The event that stands in the place of this one, or those in whose place this one stands.
fn mended(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let page = |id: EventId| format!("/tenants/{}/events/{id}", seen.tenant);
    let now = frame.moment();
    if let Some(mended) = &seen.mended {
        let said = format!("Mended by {} on {}", mended.mended_by, now.in_full(mended.at));
        let link = view! { <p><LinkButton href=page(mended.mended_id)>"Open the event in its place"</LinkButton></p> };
        return Some(view! { <Alert state=Mood::Ok title=said>{link}</Alert> }.into_any());
    }
    let first = seen.origins.first()?;
    let said = format!("It was accepted in place of an event in quarantine, mended by {}", first.mended_by);
    let links = seen.origins.iter().map(|origin| {
        let label = format!("received {}", now.in_full(origin.event_id.received_at()));
        view! { <li>{ui::link(page(origin.event_id), label)}</li> }
    });
    let links: Vec<_> = links.collect();
    Some(view! { <Alert state=Mood::Neutral title=said><ul>{links}</ul></Alert> }.into_any())
}

/// Others that fail alike.
fn alike(seen: &Seen) -> Option<AnyView> {
    if seen.groups.is_empty() {
        return None;
    }
    let item = |group: &failures::Group| {
        let others = ui::format::counted(u64::try_from(group.failures).unwrap_or(0), "event");
        let place = if group.path.is_empty() { "the event".to_owned() } else { group.path.clone() };
        let href = failures::href(seen.tenant, group.id);
        view! { <li>{ui::link(href, format!("{place}: {}", group.rule))}" "{ui::muted(others)}</li> }
    };
    let items: Vec<_> = seen.groups.iter().map(item).collect();
    Some(view! { <Card title="Events that fail alike"><ul>{items}</ul></Card> }.into_any())
}

fn payload(seen: &Seen) -> AnyView {
    let (tenant, event) = (seen.tenant, seen.event);
    let lines = address(tenant, event.id, false);
    let sent = address(tenant, event.id, true);
    let current = if seen.as_sent { sent.clone() } else { lines.clone() };
    let tabs = vec![Tab::new("In lines", lines), Tab::new("As sent", sent)];
    let text = event.payload.clone();
    let shown = if seen.as_sent {
        view! { <CodeBlock id="payload" label="Payload, exactly as sent" code=text/> }.into_any()
    } else {
        let marks = event.breaches().into_iter().map(|breach| Mark::new(breach.path, breach.message)).collect();
        view! { <Json label="Payload" text=text marks=marks/> }.into_any()
    };
    view! {
        <Tabs label="Payload" tabs=tabs current=current/>
        {shown}
    }
    .into_any()
}

/// Back to the request that brought it.
fn lineage(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let lineage = seen.lineage.as_ref()?;
    let origin = &lineage.origin;
    let source = format!("/tenants/{}/sources/{}", seen.tenant, origin.source_id);
    let window = match &lineage.window {
        Some((id, span)) => {
            let href = format!("{source}/windows/{id}#attempt-{}", origin.attempt);
            ui::link(href, span.told(frame.zone()))
        }
        None => ui::muted("merged into a longer span after 30 days"),
    };
    let place = format!("no. {} of attempt {}", origin.request + 1, origin.attempt);
    let mut items =
        vec![("Source", ui::link(source, origin.name.clone())), ("Window", window), ("Request", ui::text(place))];
    let request = lineage.request.as_ref().map(|request| {
        let status = request.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        items.push(("Answer", ui::text(format!("{status}, {}", ui::format::counted(request.records, "record")))));
        let code = format!("{} {}", request.method, request.url);
        view! { <CodeBlock id="lineage" label="The exact request, its token hidden" code=code/> }
    });
    let facts = view! { <Facts items=items/> };
    Some(view! { <Card title="Where it came from" lead="It was polled.">{facts}{request}</Card> }.into_any())
}

fn facts(frame: &Frame, seen: &Seen, type_name: &str) -> AnyView {
    let (tenant, event) = (seen.tenant, seen.event);
    let receipt = event.id.receipt();
    let of_receipt = Filter { receipt: Some(receipt), ..Filter::default() }.query(Cursor::Newest);
    let siblings = format!("/tenants/{tenant}/events{of_receipt}");
    let token = match (seen.token, event.source_id) {
        _ if seen.lineage.is_some() => ui::muted("none: it was polled"),
        (Some(token), _) => {
            view! { {token.details.name.to_string()}" "{ui::mono(format!("{}…", token.prefix))} }.into_any()
        }
        (None, Some(id)) => ui::mono(id.to_string()),
        (None, None) => ui::muted("none: it came anonymously"),
    };
    let event_type = match seen.event_type {
        Some(found) => ui::link(format!("/tenants/{tenant}/event-types/{}", found.id), type_name),
        None => ui::mono(event.event_type_id.to_string()),
    };
    let items = vec![
        ("Received", ui::at(frame.moment(), event.id.received_at())),
        ("Event id", ui::mono(event.id.to_string())),
        ("Type", event_type),
        ("Token", token),
        ("Size", ui::text(ui::format::bytes(event.payload.len() as u64))),
        ("Place in its request", ui::number(event.id.index() as u64 + 1)),
        ("Receipt", view! { {ui::mono(receipt.to_string())}" "{ui::link(siblings, "all its events")} }.into_any()),
    ];
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

/// How to send it once more.
fn again(seen: &Seen) -> AnyView {
    let (tenant, event) = (seen.tenant, seen.event);
    let base = seen.public_base;
    let event_type = event.event_type_id;
    let (data, hint) = if event.payload.len() <= IN_A_COMMAND {
        (format!("'{}'", event.payload.replace('\'', r"'\''")), None)
    } else {
        ("@event.json".to_owned(), Some("The payload is long: copy it into event.json first."))
    };
    let curl = format!(
        "curl -X POST '{base}/events/v1.0/tenants/{tenant}/events/{event_type}' \\\n  -H \"X-CM-PRODUCTTOKEN: $TRIBUTARY_TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n  --data-binary {data}"
    );
    let list = format!(
        "tributary --json events list --tenant {tenant} --event-type {event_type}{}",
        if event.verdict == Verdict::Quarantined { " --verdict quarantined" } else { "" }
    );
    let hint = hint.map(|hint| view! { <Alert state=Mood::Neutral title=hint/> });
    view! {
        <Card title="By command">
            {hint}
            <CodeBlock id="curl" label="Send it again: curl" code=curl/>
            <CodeBlock id="cli" label="List its like: command line" code=list/>
        </Card>
    }
    .into_any()
}
