//! Sending a test event from a page, or only judging it.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, address, crumbs, show::sample_of};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, See, Session},
    crypto::Secret,
    error::{Error, Result},
    event_types::{
        self, Breach, EventType, Policy,
        test_event::{self, Sent},
    },
    events::{self, Event, Verdict},
    form::{Typed, amiss, shown},
    ids::EventId,
    tenants,
    ui::{
        self, Alert, Button, Card, Column, Columns, DataTable, Facts, FieldErrors, Form as PageForm, FormActions,
        Frame, Hidden, Json, LinkButton, Mark, PageHeader, Section, State as Mood, TextArea, Tone,
    },
};

/// What the address asks for: the event that was sent, or the one that it repeats.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    sent: Option<String>,
    repeats: Option<String>,
}

/// The form, and below it what became of the event that was sent last.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let event_type = of(&app, &session, &permit, &named).await?;
    let id = asked.sent.as_deref().or(asked.repeats.as_deref()).and_then(|id| id.parse::<EventId>().ok());
    let payloads = session.permit::<ReadPayloads>(permit.tenant())?;
    let event = match id {
        Some(id) => events::store::one(&app.db, &payloads, id).await?.filter(|e| e.event_type_id == event_type.id),
        None => None,
    };
    let text = event.as_ref().map_or_else(|| sample_of(&event_type), |event| event.payload.clone());
    let outcome =
        event.map(|event| if asked.repeats.is_some() { Outcome::Repeats(event) } else { Outcome::Stored(event) });
    let frame = frame(&app, &session, &event_type).await?;
    Ok(shown(draw(&frame, &event_type, &typed(text), outcome.as_ref(), &FieldErrors::new())))
}

/// Judges it, and stores it unless only that was asked for.
pub(super) async fn send(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let event_type = of(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let mut outcome = None;
    let judged = errors.keep("payload", test_event::judge(&app, &event_type, &typed.text("payload")));
    let only = typed.text("act") == "check";
    if let Some(row) = judged {
        let enabled = tenants::get(&app.db, &session.permit::<See>(permit.tenant())?).await?.enabled;
        if only {
            outcome = Some(Outcome::Judged(test_event::breaches(&row)));
        } else if !enabled {
            errors.push("payload", "The tenant is disabled, so no event is taken: only check it, or enable the tenant");
        } else if !event_type.details.enabled {
            errors
                .push("payload", "The event type is disabled, so no event is taken: only check it, or enable the type");
        } else {
            match test_event::send(&app, &permit, &event_type, row, &typed.text("form")).await {
                Ok(Sent::Stored(id)) => return Ok(to(&event_type, "sent", id)),
                Ok(Sent::Repeats(id)) => return Ok(to(&event_type, "repeats", id)),
                Ok(Sent::Refused(breaches)) => {
                    errors.push(
                        "payload",
                        "The event breaks its contract, and this type refuses such requests: nothing was stored",
                    );
                    outcome = Some(Outcome::Judged(breaches));
                }
                Err(error @ Error::Conflict(_)) => errors.note("payload", error)?,
                Err(error) => return Err(error),
            }
        }
    }
    let frame = frame(&app, &session, &event_type).await?;
    // a form that was sent is not sent again by going on from here
    let fresh = self::typed(typed.text("payload"));
    let page = draw(&frame, &event_type, &fresh, outcome.as_ref(), &errors);
    Ok(if errors.is_empty() { shown(page) } else { amiss(page) })
}

fn to(event_type: &EventType, what: &str, id: EventId) -> Response {
    Redirect::to(&format!("{}/test?{what}={id}", address(event_type.tenant_id, event_type.id))).into_response()
}

/// What the form holds: the text, and what makes it the one form that it is.
fn typed(text: String) -> Typed {
    Typed::from_iter([("payload".to_owned(), text), ("form".to_owned(), Secret::random().reveal().to_owned())])
}

async fn of(app: &App, session: &Session, permit: &Permit<Configure>, named: &Named) -> Result<EventType> {
    event_types::get(&app.db, &session.permit::<ReadConfiguration>(permit.tenant())?, named.id()?).await
}

async fn frame(app: &App, session: &Session, event_type: &EventType) -> Result<Frame> {
    let path = format!("{}/test", address(event_type.tenant_id, event_type.id));
    tenants::frame(app, session, Some(event_type.tenant_id), Section::EventTypes, path).await
}

/// What came of it.
enum Outcome {
    /// Only judged.
    Judged(Vec<Breach>),
    /// Stored, with its verdict.
    Stored(Event),
    /// It repeats this one.
    Repeats(Event),
}

fn draw(
    frame: &Frame,
    event_type: &EventType,
    typed: &Typed,
    outcome: Option<&Outcome>,
    errors: &FieldErrors,
) -> String {
    let name = &event_type.details.name;
    let title = format!("Send a test event of {name}");
    let here = address(event_type.tenant_id, event_type.id);
    let hint = if errors.is_empty() && outcome.is_none() {
        "One JSON object. This one was made up from the contract."
    } else {
        "One JSON object, as it was sent."
    };
    let main = view! {
        {outcome.map(|outcome| told(event_type, outcome, &typed.text("payload")))}
        <Card>
            <PageForm action=format!("{here}/test") errors=errors>
                <TextArea
                    name="payload"
                    label="Event"
                    value=typed.text("payload")
                    rows=14
                    mono=true
                    hint=hint
                    errors=errors
                />
                <Hidden name="form" value=typed.text("form")/>
                <FormActions>
                    <Button tone=Tone::Primary name="act" value="send">"Send test event"</Button>
                    <Button name="act" value="check">"Validate only"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Back"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    let facts = vec![
        ("Sending", ui::text("stores a real event: it is counted, shown live and may start workflows")),
        ("Validating", ui::text("judges it by the active contract and stores nothing")),
        ("On a breach", ui::text(event_type.details.policy.meaning())),
        ("Audit trail", ui::text("names you as who sent it")),
    ];
    let aside = view! { <Card title="What happens"><Facts items=facts/></Card> };
    let body = view! {
        <PageHeader title=title.clone() lead="Judged and stored as if it had come over the wire, but for the token."/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, &title, crumbs(frame, event_type), body.into_any())
}

fn told(event_type: &EventType, outcome: &Outcome, text: &str) -> AnyView {
    let event_link = |event: &Event| {
        let href = format!("/tenants/{}/events/{}", event_type.tenant_id, event.id);
        view! { <p>{ui::link(href, "Look at the event")}</p> }
    };
    match outcome {
        Outcome::Judged(breaches) if breaches.is_empty() => view! {
            <Alert state=Mood::Ok title="It keeps the contract" announce=true><p>"Nothing was stored."</p></Alert>
        }
        .into_any(),
        Outcome::Judged(breaches) => {
            let so = match event_type.details.policy {
                Policy::Quarantine => "It would go to quarantine. Nothing was stored.",
                Policy::Refuse => "The request would be refused. Nothing was stored.",
                Policy::Warn => "It would be accepted with a warning. Nothing was stored.",
            };
            view! {
                <Alert state=Mood::Warning title="It breaks the contract" announce=true><p>{so}</p></Alert>
                {wrong(breaches, text)}
            }
            .into_any()
        }
        Outcome::Repeats(event) => view! {
            <Alert state=Mood::Neutral title="It repeats an earlier event" announce=true>
                <p>"Its unique value and its text are those of an event that is stored already. It was not stored again."</p>
                {event_link(event)}
            </Alert>
        }
        .into_any(),
        Outcome::Stored(event) => {
            let breaches = event.breaches();
            let (mood, title) = match (event.verdict == Verdict::Accepted, breaches.is_empty()) {
                (true, true) => (Mood::Ok, "Accepted"),
                (true, false) => (Mood::Warning, "Accepted, with a warning"),
                (false, _) => (Mood::Warning, "Quarantined"),
            };
            view! {
                <Alert state=mood title=title announce=true>
                    <p>"It is on disk."</p>
                    {event_link(event)}
                </Alert>
                {(!breaches.is_empty()).then(|| wrong(&breaches, &event.payload))}
            }
            .into_any()
        }
    }
}

/// What is wrong, in a table and where it stands.
fn wrong(breaches: &[Breach], text: &str) -> AnyView {
    let columns = vec![Column::text("Where"), Column::text("What is wrong"), Column::text("Rule")];
    let rows = breaches.iter().map(|breach| {
        let place = if breach.path.is_empty() { "the event" } else { &breach.path };
        vec![ui::mono(place), ui::text(breach.message.clone()), ui::mono(breach.rule.clone())]
    });
    let marks: Vec<_> = breaches.iter().map(|breach| Mark::new(&breach.path, &breach.message)).collect();
    view! {
        <Card title="What is wrong with it" flush=true>
            <DataTable caption="What is wrong with it" columns=columns rows=rows.collect()/>
        </Card>
        <Json label="The event" text=text marks=marks/>
    }
    .into_any()
}
