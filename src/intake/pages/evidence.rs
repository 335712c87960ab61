//! Evidence: what samples show, what their system really sends to a temporary endpoint, and what a probe of it has seen.
use axum::{
    extract::{Form, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, yardstick};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, RunIntakes, SeeIntegrations, Session},
    error::{Error, Result},
    event_types,
    events::{self, Cursor, Event, Filter},
    form::{Done, Posted, Typed, amiss, shown},
    intake::{
        findings,
        store::{self, Seen},
    },
    tokens::{self, Secret, State as Standing, Token},
    ui::{
        self, Alert, Badge, Button, Card, Choice, CodeBlock, Column, Columns, CopyField, DataTable, FieldErrors,
        FileField, Form as PageForm, FormActions, LinkButton, PageHeader, PostButton, Row, Select, State as Mood,
        TextArea, Tone,
    },
};

/// How many of the first events are shown, and how many are looked at as evidence.
const SHOWN: usize = 10;
const LOOKED_AT: usize = 500;

/// The fields that say which contract is to be kept: each form has its own.
const SAMPLES_KEEP: &str = "samples_keep";
const WIRE_KEEPS: &str = "wire_keeps";

/// Their first events, and the token they come with.
struct Wire {
    token: Option<Token>,
    /// None: the viewer may not read payloads.
    events: Option<Vec<Event>>,
    may_configure: bool,
}

impl Wire {
    async fn load(app: &App, session: &Session, room: &Room) -> Result<Self> {
        let tenant = room.of.tenant_id;
        let read = session.permit::<ReadConfiguration>(tenant)?;
        let token = match room.of.endpoint_token_id {
            Some(id) => Some(tokens::get(&app.db, &read, id).await?),
            None => None,
        };
        let events = match (session.permit::<ReadPayloads>(tenant), room.of.endpoint_type_id) {
            (Ok(permit), Some(event_type)) => {
                let filter = Filter { event_type: Some(event_type), ..Filter::default() };
                Some(events::store::page(&app.db, &permit, &filter, Cursor::Newest, SHOWN).await?.events)
            }
            (Ok(_), None) => Some(Vec::new()),
            (Err(_), _) => None,
        };
        Ok(Self { token, events, may_configure: session.permit::<Configure>(tenant).is_ok() })
    }

    fn is_open(&self, room: &Room) -> bool {
        self.token.as_ref().is_some_and(|token| token.state(room.frame.now) == Standing::Active)
    }
}

/// Shows the evidence there is, and asks for more.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/evidence").await?;
    room.notice(
        &done,
        &[
            ("attached", "Attached; the check list is filled in by what was seen."),
            ("closed", "The temporary endpoint is closed."),
        ],
    );
    page(&app, &session, &room, &Typed::default(), &FieldErrors::new()).await.map(shown)
}

/// Looks at samples. They are not kept.
pub(super) async fn read(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    posted: Posted,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence").await?;
    let mut errors = FieldErrors::new();
    let text = match posted.file("file") {
        Some(Ok(text)) => text.to_owned(),
        Some(Err(why)) => {
            errors.push("file", crate::form::sentence(why));
            String::new()
        }
        None => posted.typed.text("samples"),
    };
    let keep = posted.typed.text(SAMPLES_KEEP);
    let against = yardstick::chosen(&app, &session, &room, (SAMPLES_KEEP, &keep), &mut errors).await?;
    if let (true, Some(against)) = (errors.is_empty(), against)
        && let Some(found) = errors.keep("samples", findings::of_samples(&text, against.as_ref()))
    {
        match store::attach(&app.db, &app.clock, &permit, room.of.id, found).await {
            Ok(()) => return Ok(Redirect::to(&format!("{}/evidence?done=attached", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    page(&app, &session, &room, &posted.typed, &errors).await.map(amiss)
}

/// Opens the temporary endpoint. Its token is on the page that answers, and nowhere else ever after.
pub(super) async fn open(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence").await?;
    let secret = Secret::generate();
    let made = store::open_endpoint(&app.db, &app.clock, &permit, room.of.id, &secret).await?;
    let code = event_types::curl(&app.public_base, &made.event_type, secret.expose());
    let back = format!("{}/evidence", room.here());
    let body = view! {
        <PageHeader title="The temporary endpoint is open" lead="Whatever their system sends to it shows on the evidence page. It closes by itself in 30 days."/>
        <Alert state=Mood::Warning title="Copy the token now: it will not be shown again" announce=true>
            <p>"Only a digest is kept. If it is lost, close the endpoint and open it again."</p>
        </Alert>
        <Card>
            <CopyField id="token" label="Token" value=secret.expose() hint="It is good for this endpoint alone."/>
            <CodeBlock id="curl" label="curl, with this token" code=code/>
            <Row><LinkButton href=back tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    Ok(shown(ui::page(&room.frame, "Temporary endpoint", room.crumbs(true), body.into_any())))
}

/// Closes it.
pub(super) async fn close(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence").await?;
    store::close_endpoint(&app.db, &app.clock, &permit, room.of.id).await?;
    Ok(Redirect::to(&format!("{}/evidence?done=closed", room.here())).into_response())
}

/// Takes what came in as evidence.
pub(super) async fn take(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/evidence").await?;
    let run = session.permit::<RunIntakes>(permit.tenant())?;
    let event_type = room.of.endpoint_type_id.ok_or(Error::NotFound("endpoint"))?;
    let mut errors = FieldErrors::new();
    let keep = typed.text(WIRE_KEEPS);
    let against = yardstick::chosen(&app, &session, &room, (WIRE_KEEPS, &keep), &mut errors).await?;
    let Some(against) = against else { return page(&app, &session, &room, &typed, &errors).await.map(amiss) };
    let filter = Filter { event_type: Some(event_type), ..Filter::default() };
    let came = events::store::whole_page(&app.db, &permit, &filter, Cursor::Newest, LOOKED_AT).await?.events;
    let found = findings::of_events(came.iter().map(|event| event.payload.as_str()), against.as_ref());
    let found = found.map_err(|_| Error::Refused("nothing that can be read has come in yet".into()))?;
    store::attach(&app.db, &app.clock, &run, room.of.id, found).await?;
    Ok(Redirect::to(&format!("{}/evidence?done=attached", room.here())).into_response())
}

async fn page(app: &App, session: &Session, room: &Room, typed: &Typed, errors: &FieldErrors) -> Result<String> {
    let see = session.permit::<SeeIntegrations>(room.of.tenant_id)?;
    let seen = store::evidence(&app.db, &see, room.of.id).await?;
    let checks = store::checks(&app.db, &see, room.of.id).await?;
    let wire = Wire::load(app, session, room).await?;
    let contracts = yardstick::choices(app, session, room, &seen).await?;
    let keep = keep_field(SAMPLES_KEEP, &contracts, typed, errors);
    let here = room.here();
    let form = view! {
        <Card title="From sample payloads" lead="Paste some of what their system holds or sends. It is looked at and not kept.">
            <PageForm action=format!("{here}/evidence") errors=errors multipart=true>
                <TextArea
                    name="samples"
                    label="Samples"
                    value=typed.text("samples")
                    rows=6
                    mono=true
                    optional=true
                    hint="JSON: one object, a list, or one object a line. Twenty or more say how full a field is."
                    errors=errors
                />
                <FileField name="file" label="Or a file" accept=".json,.jsonl,.ndjson,application/json" errors=errors/>
                {keep}
                <FormActions><Button tone=Tone::Primary>"See what they show"</Button></FormActions>
            </PageForm>
        </Card>
    };
    let form = room.of.stage.is_open().then_some(form);
    let keeps = keep_field(WIRE_KEEPS, &contracts, typed, errors);
    let may_configure = wire.may_configure;
    let main = view! { {asked(room)} {form} {temporary(room, &wire, keeps)} {attached(room, &seen, may_configure)} };
    let body = view! {
        <PageHeader title="Evidence" lead="What was seen weighs more than what was said: it fills in the check list.">
            {ui::guide("intake", "How to find out")}
        </PageHeader>
        {room.tabs("/evidence")}
        <Columns main=main.into_any() aside=super::checks::proposed(room, &checks)/>
    };
    Ok(ui::page(&room.frame, "Evidence", room.crumbs(true), body.into_any()))
}

/// Leads to the probe.
fn asked(room: &Room) -> Option<AnyView> {
    let href = format!("{}/evidence/probe", room.here());
    let act = view! { <LinkButton href=href>"Probe it"</LinkButton> }.into_any();
    room.of.stage.is_open().then(|| {
        view! {
            <Card title="What it answers when asked" lead="A few GETs with an address and a token: is it reachable, does it look at a window of time, do records keep their numbers?" nostrip:action=Some(act)>
                {ui::muted("For systems that are to be polled. Nothing that is read is kept.")}
            </Card>
        }
        .into_any()
    })
}

/// Asks which contract is to be kept, when there is one to keep.
pub(super) fn keep_field(
    name: &'static str,
    contracts: &[Choice],
    typed: &Typed,
    errors: &FieldErrors,
) -> Option<AnyView> {
    if contracts.is_empty() {
        return None;
    }
    let (choices, value) = (contracts.to_vec(), typed.text(name));
    let hint = "How many would be accepted by it, and what is wrong with the others";
    Some(view! { <Select name=name label="Hold against a contract" choices=choices value=value hint=hint errors=errors/> }.into_any())
}

/// The temporary endpoint, and what came in by it.
fn temporary(room: &Room, wire: &Wire, keeps: Option<AnyView>) -> AnyView {
    let here = room.here();
    let open = wire.is_open(room);
    let lead = "An address of this tenant that takes any JSON, for as long as the intake needs it.";
    let acts = wire.may_configure.then(|| {
        if open {
            view! { <PostButton action=format!("{here}/endpoint/close") tone=Tone::Plain>"Close it"</PostButton> }
                .into_any()
        } else if room.of.stage.is_open() {
            view! { <PostButton action=format!("{here}/endpoint") tone=Tone::Plain>"Open it"</PostButton> }.into_any()
        } else {
            ().into_any()
        }
    });
    let state = match (&wire.token, open) {
        (None, _) => ui::muted("It was never opened."),
        (Some(_), true) => view! { <Badge state=Mood::Ok word="open"/> }.into_any(),
        (Some(_), false) => view! { <Badge state=Mood::Neutral word="closed"/> }.into_any(),
    };
    let until = wire.token.as_ref().filter(|_| open).and_then(Token::ends_at);
    let until = until.map(|end| view! { <span>{ui::muted("until ")}{ui::at(room.frame.moment(), end)}</span> });
    let came = match &wire.events {
        None => Some(ui::muted("A consultant can show you what came in: payloads hold personal data.")),
        Some(events) if events.is_empty() && open => Some(ui::muted("Nothing has come in yet.")),
        Some(events) if events.is_empty() => None,
        Some(events) => Some(first_events(room, events, keeps)),
    };
    let who = (!wire.may_configure && wire.token.is_none()).then(|| ui::muted("A consultant can open it."));
    view! {
        <Card title="What their system really sends" lead=lead nostrip:action=acts>
            <Row>{state}{until}{who}</Row>
            {came}
        </Card>
    }
    .into_any()
}

fn first_events(room: &Room, events: &[Event], keeps: Option<AnyView>) -> AnyView {
    let now = room.frame.moment();
    let columns = vec![Column::text("Event"), Column::text("Received")];
    let rows = events.iter().map(|event| {
        let start: String = event.payload.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(140).collect();
        let href = format!("/tenants/{}/events/{}", room.of.tenant_id, event.id);
        vec![ui::mono_link(href, start), ui::ago(now, event.id.received_at())]
    });
    let take = format!("{}/endpoint/evidence", room.here());
    view! {
        <DataTable caption="What came in, newest first" columns=columns rows=rows.collect()/>
        <PageForm action=take>
            {keeps}
            <FormActions><Button tone=Tone::Primary>"Take it as evidence"</Button></FormActions>
        </PageForm>
    }
    .into_any()
}

/// What was attached.
fn attached(room: &Room, seen: &[Seen], may_configure: bool) -> AnyView {
    if seen.is_empty() {
        return ().into_any();
    }
    let now = room.frame.moment();
    let cards = seen.iter().enumerate().map(|(n, one)| {
        let columns = vec![Column::text("Seen"), Column::text("How it is")];
        let rows = one.findings.iter().map(|finding| {
            let mark = match finding.good {
                Some(true) => Some(view! { <Badge state=Mood::Ok word="good"/> }),
                Some(false) => Some(view! { <Badge state=Mood::Warning word="look at it"/> }),
                None => None,
            };
            vec![ui::mono(finding.name.as_str()), view! { {finding.value.clone()}" "{mark} }.into_any()]
        });
        let contract = one.contract.clone().map(|contract| {
            view! {
                <ui::Fold summary="The contract that it proposes">
                    <CodeBlock id=format!("contract-{n}") label="JSON Schema" code=contract/>
                </ui::Fold>
            }
        });
        let definition = one.definition.clone().map(|definition| {
            let text = definition.clone();
            let import = may_configure.then(|| {
                view! {
                    <PageForm action=format!("/tenants/{}/sources/import", room.of.tenant_id) multipart=true>
                        <ui::Hidden name="text" value=text/>
                        <FormActions><Button>"Begin a source with it"</Button></FormActions>
                    </PageForm>
                }
            });
            view! {
                <ui::Fold summary="The source that it proposes">
                    <CodeBlock id=format!("source-{n}") label="SOURCE.json, without a token" code=definition/>
                    {import}
                </ui::Fold>
            }
        });
        let title = format!("{}, {}", one.title, one.source.title());
        view! {
            <Card title=title>
                <p>{ui::muted(format!("attached by {} ", one.added_by))}{ui::ago(now, one.added_at)}</p>
                <DataTable caption="Findings" columns=columns rows=rows.collect()/>
                {contract}
                {definition}
            </Card>
        }
    });
    cards.collect_view().into_any()
}
