//! Before many events are replayed: how many, of what, and what becomes of them.
use axum::{
    Form as Posted,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{
    super::{
        replay::{self, Asked},
        store,
    },
    words::title,
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadPayloads, Session},
    error::{Error, Result},
    event_types,
    form::{Typed, amiss, sentence, shown},
    ids::{EventTypeId, FailureGroupId, TenantId},
    jobs, tenants,
    ui::{
        self, Button, Card, CodeBlock, Crumb, Empty, FieldErrors, Form, FormActions, Frame, Hidden, Icon, LinkButton,
        PageHeader, Prose, Section, Tone,
    },
};

/// Says how many, and asks.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = query.unwrap_or_default();
    let value = |name: &str| {
        let pair = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        pair.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let read = session.permit::<ReadPayloads>(permit.tenant())?;
    let asked = read_asked(&app, &read, &value("group"), &value("type"), app.clock.now()).await?;
    let count = replay::count(&app, &read, &asked).await?;
    let frame = frame(&app, &session, permit.tenant(), &asked).await?;
    Ok(shown(draw(&frame, permit.tenant(), &asked, count, &FieldErrors::new())))
}

/// Queues it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Posted(typed): Posted<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let read = session.permit::<ReadPayloads>(tenant)?;
    let now = app.clock.now();
    // what was counted is what is replayed: events that came since are for the next time
    let until = typed.text("until").parse::<DateTime<Utc>>().unwrap_or(now).min(now);
    let asked = read_asked(&app, &read, &typed.text("group"), &typed.text("type"), until).await?;
    let count = replay::count(&app, &read, &asked).await?;
    let mut errors = FieldErrors::new();
    if count > 0 {
        match replay::start(&app, &permit, asked.clone(), count).await {
            Ok(task) => return Ok(Redirect::to(&jobs::href(tenant, task)).into_response()),
            Err(Error::Conflict(why)) => errors.push("", sentence(&why)),
            Err(error) => return Err(error),
        }
    }
    let frame = frame(&app, &session, tenant, &asked).await?;
    Ok(amiss(draw(&frame, tenant, &asked, count, &errors)))
}

/// What is asked for. A group or a type that is not there is another tenant's, or nobody's.
async fn read_asked(
    app: &App,
    permit: &Permit<ReadPayloads>,
    group: &str,
    event_type: &str,
    until: DateTime<Utc>,
) -> Result<Asked> {
    let names = event_types::store::names(&app.db, permit.tenant()).await?;
    let name = |id: EventTypeId| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.to_string());
    if !group.is_empty() {
        let id: FailureGroupId = group.parse().map_err(|_| Error::NotFound("group of failures"))?;
        let found = store::get(&app.db, permit, id).await?;
        let of_type = name(found.event_type_id).unwrap_or_else(|| found.event_type_id.to_string());
        let of = format!("{of_type}: {}", title(&found));
        return Ok(Asked { group: Some(id), event_type: None, until, of });
    }
    if !event_type.is_empty() {
        let id: EventTypeId = event_type.parse().map_err(|_| Error::NotFound("event type"))?;
        let of = name(id).ok_or(Error::NotFound("event type"))?;
        return Ok(Asked { group: None, event_type: Some(id), until, of });
    }
    Ok(Asked { group: None, event_type: None, until, of: "all types".into() })
}

fn query(asked: &Asked) -> String {
    match (asked.group, asked.event_type) {
        (Some(group), _) => format!("?group={group}"),
        (None, Some(event_type)) => format!("?type={event_type}"),
        (None, None) => String::new(),
    }
}

async fn frame(app: &App, session: &Session, tenant: TenantId, asked: &Asked) -> Result<Frame> {
    let path = format!("/tenants/{tenant}/quarantine/replay{}", query(asked));
    tenants::frame(app, session, Some(tenant), Section::Quarantine, path).await
}

fn draw(frame: &Frame, tenant: TenantId, asked: &Asked, count: i64, errors: &FieldErrors) -> String {
    let base = format!("/tenants/{tenant}/quarantine");
    let back = match asked.group {
        Some(group) => super::super::href(tenant, group),
        None => format!("{base}/events{}", query(asked)),
    };
    let crumbs = vec![Crumb::new("Quarantine", base.clone())];
    let events = ui::format::counted(u64::try_from(count).unwrap_or(0), "event");
    if count == 0 {
        let body = view! {
            <PageHeader title="Replay"/>
            <Empty
                icon=Icon::Check
                title="Nothing to replay"
                why="No event that was asked for is in quarantine: they were mended, or their time is over."
            >
                <LinkButton href=base>"Show the quarantine"</LinkButton>
            </Empty>
        };
        return ui::page(frame, "Replay", crumbs, body.into_any());
    }
    let words = format!("Replay {events} of {}", asked.of);
    let command = match (asked.group, asked.event_type) {
        (Some(group), _) => format!(" --group {group}"),
        (None, Some(event_type)) => format!(" --event-type {event_type}"),
        (None, None) => String::new(),
    };
    let command = format!("tributary quarantine replay --tenant {tenant}{command}");
    let body = view! {
        <PageHeader title=words.clone() lead="It runs in the background, and can be stopped at any time."/>
        <Card title="What becomes of them">
            <Prose>
                <p>"Each is judged by the contract that is in force when its turn comes."</p>
                <p>"One that keeps it is accepted as a new event, once, and leaves the quarantine. The original stays as it was sent."</p>
                <p>"One that does not stays in quarantine, with what is wrong with it by now."</p>
            </Prose>
            <Form action=format!("{base}/replay") errors=errors>
                <Hidden name="group" value=asked.group.map(|id| id.to_string()).unwrap_or_default()/>
                <Hidden name="type" value=asked.event_type.map(|id| id.to_string()).unwrap_or_default()/>
                <Hidden name="until" value=asked.until.to_rfc3339_opts(SecondsFormat::Micros, true)/>
                <FormActions>
                    <Button tone=Tone::Primary>{format!("Replay {events}")}</Button>
                    <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Card>
        <Card title="By command"><CodeBlock id="cli" label="The same on the command line" code=command/></Card>
    };
    ui::page(frame, "Replay", crumbs, body.into_any())
}
