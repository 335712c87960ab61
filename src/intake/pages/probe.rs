//! The feasibility probe: an address and a token, some GETs, and what they show as evidence.
use std::time::Duration;

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use super::{Named, Room, evidence::keep_field, yardstick};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    crypto::Secret,
    error::Result,
    form::{Typed, amiss, shown},
    intake::{probe, store},
    polling::{Window, asking, definition::Definition, probe::feasibility::feasibility},
    ui::{
        self, Button, Card, Field, FieldErrors, FieldGrid, Form as PageForm, FormActions, LinkButton, PageHeader,
        Prose, Seldom, Tone, Zone,
    },
};

/// How long a page may probe: less than a page may take at all.
const PATIENCE: Duration = Duration::from_secs(24);
/// How long one answer may take meanwhile, in seconds.
const ANSWER: u32 = 15;
/// The span that is asked for, unless another one is named.
const SPAN: TimeDelta = TimeDelta::days(7);
const KEEP: &str = "probe_keeps";

/// Asks what to probe.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence/probe").await?;
    // once more, with what was found out
    let before = store::evidence(&app.db, &permit, room.of.id).await?.into_iter().find_map(|one| one.definition);
    let before = before.and_then(|text| Definition::parse(&text).ok());
    let typed = before.map_or_else(asking::blank, |definition| asking::of(&definition));
    page(&app, &session, &room, &typed, &FieldErrors::new()).await.map(shown)
}

/// Probes, and attaches what was seen.
pub(super) async fn run(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence/probe").await?;
    let mut errors = FieldErrors::new();
    let definition = asking::read(room.of.details.system_name.as_str(), &typed, &mut errors);
    let token = typed.text("token").trim().to_owned();
    if token.is_empty() && definition.as_ref().is_some_and(Definition::needs_secret) {
        errors.push("token", "Type the token that it knows us by");
    }
    let window = span(&typed, session.zone, app.clock.now(), &mut errors);
    let keep = typed.text(KEEP);
    let against = yardstick::chosen(&app, &session, &room, (KEEP, &keep), &mut errors).await?;
    if let (Some(mut definition), Some(window), Some(against), true) = (definition, window, against, errors.is_empty())
    {
        definition.limits.seconds = definition.limits.seconds.min(ANSWER);
        let secret = (!token.is_empty()).then(|| Secret::given(token));
        let probing = feasibility(&app.client, &definition, secret.as_ref(), window);
        match tokio::time::timeout(PATIENCE, probing).await {
            Ok(found) => {
                let found = probe::of_probe(&found, against.as_ref());
                match store::attach(&app.db, &app.clock, &permit, room.of.id, found).await {
                    Ok(()) => {
                        let back = format!("{}/evidence?done=attached", room.here());
                        return Ok(Redirect::to(&back).into_response());
                    }
                    Err(error) => errors.note("", error)?,
                }
            }
            Err(_) => {
                errors.push("", "It took too long: ask for a shorter span, or look at how fast their system answers");
            }
        }
    }
    page(&app, &session, &room, &typed, &errors).await.map(amiss)
}

/// The span that is asked for: the last days, unless another one was named.
fn span(typed: &Typed, zone: Zone, now: DateTime<Utc>, errors: &mut FieldErrors) -> Option<Window> {
    let mut moment = |name: &'static str| {
        let text = typed.text(name);
        let read = (!text.trim().is_empty()).then(|| zone.typed(text.trim()));
        if read == Some(None) {
            errors.push(name, "Type a moment, such as 2026-05-01T00:00");
        }
        read.flatten()
    };
    let (from, until) = (moment("from"), moment("until"));
    let until = until.unwrap_or_else(|| from.map_or(now, |from| from + SPAN));
    let window = Window::new(from.unwrap_or(until - SPAN), until);
    if window.is_empty() {
        errors.push("until", "It has to lie after the moment it is asked from");
    }
    errors.is_empty().then_some(window)
}

async fn page(app: &App, session: &Session, room: &Room, typed: &Typed, errors: &FieldErrors) -> Result<String> {
    let see = session.permit::<SeeIntegrations>(room.of.tenant_id)?;
    let seen = store::evidence(&app.db, &see, room.of.id).await?;
    let contracts = yardstick::choices(app, session, room, &seen).await?;
    let here = room.here();
    let zone = session.zone.name();
    let when = ["from", "until"];
    let open = when.iter().any(|name| !typed.text(name).is_empty() || errors.get(name).is_some());
    let form = view! {
        <PageForm action=format!("{here}/evidence/probe") errors=errors wide=true>
            {asking::fields(room.frame.now, typed, errors)}
            <Card title="What is asked for">
                <Seldom summary="Another span than the last seven days" open=open>
                    <FieldGrid>
                        <Field name="from" label=format!("From ({zone})") kind="datetime-local" value=typed.text("from") optional=true errors=errors/>
                        <Field name="until" label=format!("Until ({zone})") kind="datetime-local" value=typed.text("until") optional=true errors=errors/>
                    </FieldGrid>
                </Seldom>
                {keep_field(KEEP, &contracts, typed, errors)}
                <Prose>
                    <p>"Choose a span in which there are records: without any, little can be seen."</p>
                </Prose>
            </Card>
            <FormActions>
                <Button tone=Tone::Primary>"Probe it"</Button>
                <LinkButton href=format!("{here}/evidence") tone=Tone::Quiet>"Cancel"</LinkButton>
            </FormActions>
        </PageForm>
    };
    let aside = view! {
        <Card title="What the probe looks at">
            {ui::points([
                "Whether it can be reached, over TLS, and what the token does",
                "Whether it answers in JSON, and where its records are",
                "Whether it looks at the span it is asked for: two are compared",
                "Whether every record has a number of its own, and keeps it",
                "How an answer goes on, and how often it may be asked",
                "Which field says whom a record is about, and how often it is filled in",
            ].map(str::to_owned).into())}
            <p>{ui::muted("A row of GETs, for 24 seconds at most; the evidence says how many. Nothing that is read is kept; what was seen is.")}</p>
        </Card>
    };
    let body = view! {
        <PageHeader title="Probe their system" lead="A few GETs show whether it can be asked, before anybody promises it.">
            {ui::guide("ways", "The two ways of connecting")}
        </PageHeader>
        {room.tabs("/evidence")}
        <ui::Desk main=form.into_any() aside=aside.into_any()/>
    };
    Ok(ui::page(&room.frame, "Probe their system", room.crumbs(true), body.into_any()))
}
