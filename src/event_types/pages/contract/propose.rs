//! From samples to a contract: events are pasted, uploaded or picked among those that came in; what they say is laid
//! on the desk with its evidence, corrected there, and saved as the draft of a type. Those of a new one are in `new`.
use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;

use super::{
    Named, Work,
    desk::{Desk, Side, Wish},
    evidence::Evidence,
    view::Around,
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::Result,
    event_types::propose::{Samples, propose},
    events::{Cursor, Event, Filter, Verdict, store},
    form::{Posted, amiss, shown},
    ids::{EventTypeId, TenantId},
    tenants,
    ui::{
        self, Alert, Button, Card, Checkbox, Checkboxes, FieldErrors, FileField, Form, FormActions, Frame, LinkButton,
        PageHeader, Section, State as Mood, TextArea, Tone,
    },
};

/// How many of the newest events are offered, of those in quarantine and of the others.
const OFFERED: usize = 10;
/// How many may be picked.
const PICKED: usize = 50;
/// How much of an event is shown to pick it by, in characters.
const BEGINNING: usize = 90;

/// Asks for samples of a type that is there.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let work = Work::load(&app, &read, &named).await?;
    Ok(shown(asking(&app, &session, &work, &Posted::default(), &FieldErrors::new()).await?))
}

/// Answers with a proposal, goes on with it, or saves it as the draft.
pub(super) async fn answer(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    posted: Posted,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let work = Work::load(&app, &read, &named).await?;
    let mut errors = FieldErrors::new();
    let mut mark = posted.typed.text("mark");
    let desk = if posted.typed.ticked("side") {
        let (desk, wish, contract) = Desk::read(&posted, &mut errors);
        if let (Wish::Save, Some(contract)) = (wish, contract) {
            if let Some(done) = work.save(&app, &permit, contract, &mark, &mut errors).await? {
                return Ok(done);
            }
            mark = work.mark();
        }
        desk
    } else {
        let picked = picked(&app, &session, &work, &posted).await?;
        mark = work.mark();
        match proposed(&posted, picked, &mut errors) {
            Some(desk) => desk,
            None => return Ok(amiss(asking(&app, &session, &work, &posted, &errors).await?)),
        }
    };
    let path = format!("{}/propose", work.here());
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, path.clone()).await?;
    let around = Around {
        action: path.clone(),
        verb: "Save and review",
        cancel: work.here(),
        hidden: vec![("mark", mark)],
        before: None,
        after: None,
        samples: None,
        errors: &errors,
    };
    let body = view! { {head(&desk, path)} {desk.draw(around)} };
    let title = format!("Proposed contract of {}", work.event_type.details.name);
    let page = ui::page(&frame, &title, work.crumbs(&frame), body.into_any());
    Ok(if errors.is_empty() { shown(page) } else { amiss(page) })
}

/// What the samples propose, laid on the desk; none when they are amiss.
pub(super) fn proposed(posted: &Posted, picked: Vec<Event>, errors: &mut FieldErrors) -> Option<Desk> {
    let mut samples = Samples::default();
    let pasted = posted.typed.text("sample");
    if !pasted.trim().is_empty() {
        errors.keep("sample", samples.add(&pasted));
    }
    if let Some(file) = posted.file("file") {
        let text = errors.keep("file", file);
        text.and_then(|text| errors.keep("file", samples.add(text)));
    }
    for event in picked {
        // one that was kept as it came may be no JSON that a parser takes
        if let Err(why) = samples.add(&event.payload) {
            errors.push("pick", format!("Event {}: {why}.", event.id));
        }
    }
    if errors.is_empty() && samples.is_empty() {
        errors.push("sample", "Paste, upload or pick at least one event");
    }
    errors.is_empty().then(|| {
        let proposal = propose(&samples);
        Desk { evidence: Some(Evidence::of(&proposal)), ..Desk::of(&proposal.contract(), Side::Table) }
    })
}

/// The events that were picked, each of this type.
async fn picked(app: &App, session: &Session, work: &Work, posted: &Posted) -> Result<Vec<Event>> {
    let ids: Vec<_> = posted.typed.all("pick").filter_map(|id| id.parse().ok()).take(PICKED).collect();
    let mut events = Vec::new();
    if !ids.is_empty() {
        let permit = session.permit::<ReadPayloads>(work.event_type.tenant_id)?;
        for id in ids {
            events.extend(store::one(&app.db, &permit, id).await?);
        }
    }
    events.retain(|event| event.event_type_id == work.event_type.id);
    Ok(events)
}

/// The newest events of the type: those in quarantine, and the others.
async fn offered(app: &App, session: &Session, tenant: TenantId, id: EventTypeId) -> Result<Vec<Event>> {
    let Ok(permit) = session.permit::<ReadPayloads>(tenant) else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for verdict in [Verdict::Quarantined, Verdict::Accepted] {
        let filter = Filter { event_type: Some(id), verdict: Some(verdict), ..Filter::default() };
        events.extend(store::page(&app.db, &permit, &filter, Cursor::Newest, OFFERED).await?.events);
    }
    Ok(events)
}

/// The head of a proposal.
pub(super) fn head(desk: &Desk, again: String) -> AnyView {
    let samples = desk.evidence.as_ref().map_or(0, |evidence| evidence.samples);
    let (lead, hint) = match samples {
        1 => (
            "What one event says about its fields. Correct what is not so.".to_owned(),
            Some(
                "One event says little about what may be left out, and nothing about which values there are. With five or more, the proposal knows.",
            ),
        ),
        n => (format!("What {n} events say about their fields. Correct what is not so."), None),
    };
    let hint = hint.filter(|_| desk.side == Side::Table).map(|text| {
        view! { <Alert state=Mood::Neutral title="Made from a single event"><p>{text}</p></Alert> }
    });
    view! {
        <PageHeader title="Proposed contract" lead=format!("{lead} The contract keeps none of the values, but for allowed ones.")>
            <LinkButton href=again tone=Tone::Quiet>"Other samples"</LinkButton>
        </PageHeader>
        {hint}
    }
    .into_any()
}

async fn asking(app: &App, session: &Session, work: &Work, posted: &Posted, errors: &FieldErrors) -> Result<String> {
    let tenant = work.event_type.tenant_id;
    let path = format!("{}/propose", work.here());
    let frame = tenants::frame(app, session, Some(tenant), Section::EventTypes, path.clone()).await?;
    let events = offered(app, session, tenant, work.event_type.id).await?;
    let name = work.event_type.details.name.as_str();
    let body = view! {
        <PageHeader
            title="Contract from samples"
            lead=format!("Show what events of {name} look like. Their fields, types and forms are proposed; you correct and save.")
        />
        {form(path, work.here(), Some(pick(&frame, &events, posted, errors)), posted, errors)}
    };
    Ok(ui::page(&frame, &format!("Contract of {name} from samples"), work.crumbs(&frame), body.into_any()))
}

pub(super) fn form(
    action: String,
    cancel: String,
    pick: Option<AnyView>,
    posted: &Posted,
    errors: &FieldErrors,
) -> AnyView {
    view! {
        <Card>
            <Form action=action errors=errors multipart=true>
                <TextArea
                    name="sample"
                    label="Events"
                    value=posted.typed.text("sample")
                    rows=12
                    mono=true
                    optional=true
                    hint="One or many, as JSON: an object, an array, one a line, or several below each other."
                    errors=errors
                />
                <FileField
                    name="file"
                    label="A file of events"
                    accept=".json,.jsonl,.ndjson,application/json,application/x-ndjson"
                    hint="At most 1 MB. For more, there is tributary event-type propose FILE."
                    errors=errors
                />
                {pick}
                <FormActions>
                    <Button tone=Tone::Primary>"Propose fields"</Button>
                    <LinkButton href=cancel tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Card>
    }
    .into_any()
}

/// The newest events, to be picked.
fn pick(frame: &Frame, events: &[Event], posted: &Posted, errors: &FieldErrors) -> AnyView {
    if events.is_empty() {
        return ().into_any();
    }
    let boxes = events.iter().enumerate().map(|(n, event)| {
        let id = event.id.to_string();
        let beginning: String = event.payload.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut label: String = beginning.chars().take(BEGINNING).collect();
        if label.len() < beginning.len() {
            label.push('…');
        }
        let hint = format!("{}, {}", event.verdict.word(), frame.moment().in_full(event.id.received_at()));
        let checked = posted.typed.all("pick").any(|picked| picked == id);
        let place = if n == 0 { "pick".to_owned() } else { format!("pick-{n}") };
        view! { <Checkbox name="pick" id=place label=label value=id checked=checked hint=hint/> }
    });
    view! {
        <Checkboxes name="pick" label="Or pick among the newest" hint="Those in quarantine first." errors=errors>
            {boxes.collect_view()}
        </Checkboxes>
    }
    .into_any()
}
