//! Mending one event: its payload is edited, checked by the contract in force, and replayed in place of the original.
use axum::{
    Form as Posted,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{
    super::{
        lines::in_lines,
        mend::{self, Judged, Mend},
    },
    reasons,
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{Breach, EventType},
    events::{self, Event, Verdict},
    form::{Typed, amiss, sentence, shown},
    ids::{EventId, TenantId},
    tenants,
    ui::{
        self, Alert, Button, Card, Columns, Crumb, Facts, FieldErrors, Form, FormActions, Frame, LinkButton,
        PageHeader, PostButton, Section, State as Mood, TextArea, Tone,
    },
};

/// The longest payload that is set out in lines: what that adds must go through a form.
const LONGEST: usize = 100 << 10;

/// The event at hand, which is in quarantine, and what it is judged by.
struct Case {
    tenant: TenantId,
    event: Event,
    /// Or why it cannot be judged.
    event_type: Result<EventType, String>,
    frame: Frame,
}

/// Either the case, or where its page leads instead.
async fn load(app: &App, session: &Session, permit: &Permit<Configure>, id: &str) -> Result<Result<Case, Response>> {
    let tenant = permit.tenant();
    let read = session.permit::<ReadPayloads>(tenant)?;
    let id: EventId = id.parse().map_err(|_| Error::NotFound("event"))?;
    let event = events::store::one(&app.db, &read, id).await?.ok_or(Error::NotFound("event"))?;
    if event.verdict != Verdict::Quarantined {
        let done = if event.verdict == Verdict::Mended { "?done=mended-before" } else { "" };
        return Ok(Err(Redirect::to(&format!("{}{done}", page_of(tenant, id))).into_response()));
    }
    let event_type = match mend::type_in_force(app, &session.permit::<ReadConfiguration>(tenant)?, &event).await {
        Err(Error::Conflict(why)) => Err(why),
        other => Ok(other?),
    };
    let path = format!("{}/mend", page_of(tenant, id));
    let frame = tenants::frame(app, session, Some(tenant), Section::Quarantine, path).await?;
    Ok(Ok(Case { tenant, event, event_type, frame }))
}

fn page_of(tenant: TenantId, event: EventId) -> String {
    format!("/tenants/{tenant}/events/{event}")
}

/// Shows the payload and what is wrong with it by now.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response> {
    let case = match load(&app, &session, &permit, &id).await? {
        Ok(case) => case,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let said = match &case.event_type {
        Ok(event_type) => match mend::judge(&app, event_type, &case.event.payload) {
            Judged::Kept(..) => Said::AsItIs,
            Judged::Broken(breaches) => Said::Broken(breaches),
            Judged::NoEvent(why) => Said::Cannot(why),
        },
        Err(why) => Said::Cannot(why.clone()),
    };
    Ok(shown(draw(&case, &laid_out(&case.event), &said, &FieldErrors::new())))
}

/// Checks what was typed, or replays it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path((_, id)): Path<(String, String)>,
    Posted(typed): Posted<Typed>,
) -> Result<Response> {
    let case = match load(&app, &session, &permit, &id).await? {
        Ok(case) => case,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let unchanged = typed.text("act") == "unchanged";
    let shown_text = if unchanged { laid_out(&case.event) } else { typed.text("payload") };
    // what was not touched is sent as it was, to the last space
    let text = if shown_text == laid_out(&case.event) { &case.event.payload } else { &shown_text };
    let again = |said: Said, message: String| {
        let mut errors = FieldErrors::new();
        errors.push("payload", message);
        amiss(draw(&case, &shown_text, &said, &errors))
    };
    let event_type = match &case.event_type {
        Ok(event_type) => event_type,
        Err(why) => return Ok(again(Said::Cannot(why.clone()), sentence(why))),
    };
    let row = match mend::judge(&app, event_type, text) {
        Judged::NoEvent(why) => return Ok(again(Said::Nothing, sentence(&why))),
        Judged::Broken(breaches) => {
            let message = match breaches.len() {
                1 => format!("It breaks the contract: {}", list(&breaches)),
                n => format!("It breaks the contract in {n} ways, which stand above"),
            };
            return Ok(again(Said::Broken(breaches), message));
        }
        Judged::Kept(_, warnings) if typed.text("act") == "check" => {
            let said = if warnings.is_empty() { Said::Kept } else { Said::Warned(warnings) };
            return Ok(shown(draw(&case, &shown_text, &said, &FieldErrors::new())));
        }
        Judged::Kept(row, _) => *row,
    };
    let (done, to) = match mend::one(&app, &permit, &case.event, row).await? {
        Mend::New(id) => ("mended", id),
        Mend::Same(id) => ("mended-same", id),
        Mend::Before(_) => ("mended-before", case.event.id),
        Mend::Still(errors) => {
            let breaches = events::breaches(Some(&errors));
            let message = format!("It cannot be accepted: {}", list(&breaches));
            return Ok(again(Said::Broken(breaches), message));
        }
    };
    Ok(Redirect::to(&format!("{}?done={done}", page_of(case.tenant, to))).into_response())
}

/// The payload as it stands in the form.
fn laid_out(event: &Event) -> String {
    let text = if event.payload.len() <= LONGEST { in_lines(&event.payload) } else { event.payload.clone() };
    // as a browser gives it back
    text.replace("\r\n", "\n")
}

fn list(breaches: &[Breach]) -> String {
    let one = |breach: &Breach| {
        let place = if breach.path.is_empty() { "the event" } else { &breach.path };
        format!("{place} {}", breach.message)
    };
    breaches.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What is said of the text in the form.
enum Said {
    /// The payload as it was sent keeps the contract by now.
    AsItIs,
    /// What was typed keeps the contract.
    Kept,
    /// The same, and its sender would be warned of this.
    Warned(Vec<Breach>),
    /// This is wrong with it.
    Broken(Vec<Breach>),
    /// It cannot be judged: why.
    Cannot(String),
    /// The form says it all.
    Nothing,
}

fn draw(case: &Case, text: &str, said: &Said, errors: &FieldErrors) -> String {
    let here = format!("{}/mend", page_of(case.tenant, case.event.id));
    let name = match &case.event_type {
        Ok(found) => found.details.name.to_string(),
        Err(_) => case.event.event_type_id.to_string(),
    };
    let rows = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).clamp(10, 28);
    let can = case.event_type.is_ok();
    let buttons = can.then(|| {
        view! {
            <Button tone=Tone::Primary name="act" value="replay">"Replay"</Button>
            <Button name="act" value="check">"Check"</Button>
        }
    });
    let main = view! {
        {notice(case, &here, said)}
        <Card title="Payload" lead="The original is kept as it was sent. What you replay is a new event that stands in its place.">
            <Form action=here.clone() errors=errors>
                <TextArea
                    name="payload"
                    label="Event"
                    value=text
                    rows=rows
                    mono=true
                    hint="JSON. It is judged by the contract that is in force now."
                    errors=errors
                />
                <FormActions>
                    {buttons}
                    <LinkButton href=page_of(case.tenant, case.event.id) tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Card>
    };
    let items = vec![
        ("Received", ui::at(case.frame.moment(), case.event.id.received_at())),
        ("Event", ui::link(page_of(case.tenant, case.event.id), case.event.id.to_string())),
        ("Type", ui::link(format!("/tenants/{}/event-types/{}", case.tenant, case.event.event_type_id), name.clone())),
    ];
    let aside = view! { <Card title="The original"><Facts items=items/></Card> };
    let body = view! {
        <PageHeader title=format!("Mend {name}") lead="Change what is wrong, check it, and replay it."/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    let crumbs = vec![
        Crumb::new("Quarantine", format!("/tenants/{}/quarantine", case.tenant)),
        Crumb::new(name, page_of(case.tenant, case.event.id)),
    ];
    ui::page(&case.frame, "Mend an event", crumbs, body.into_any())
}

fn notice(case: &Case, here: &str, said: &Said) -> Option<AnyView> {
    Some(match said {
        Said::AsItIs => {
            let fields = vec![("act", "unchanged".to_owned())];
            view! {
                <Alert state=Mood::Ok title="It keeps the contract as it is">
                    <p>"The contract has changed since it came in. It can be replayed as it was sent."</p>
                    <p><PostButton action=here tone=Tone::Primary fields=fields>"Replay unchanged"</PostButton></p>
                </Alert>
            }
            .into_any()
        }
        Said::Kept => view! {
            <Alert state=Mood::Ok title="It keeps the contract: replay it when you are done" announce=true/>
        }
        .into_any(),
        Said::Warned(breaches) => view! {
            <Alert state=Mood::Warning title="It will be accepted, with a warning" announce=true><p>{list(breaches)}</p></Alert>
        }
        .into_any(),
        Said::Broken(breaches) => reasons("What is wrong now", "", breaches),
        Said::Cannot(why) => {
            let href = format!("/tenants/{}/event-types/{}", case.tenant, case.event.event_type_id);
            view! {
                <Alert state=Mood::Error title="It cannot be replayed now">
                    <p>{sentence(why)}"."</p>
                    <p><LinkButton href=href>"Open the event type"</LinkButton></p>
                </Alert>
            }
            .into_any()
        }
        Said::Nothing => return None,
    })
}
