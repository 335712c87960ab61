//! The review of a draft: what it changes, what it would have made of the newest events, and making it the active
//! contract, or throwing it away.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    Named, address, crumbs,
    difference::Difference,
    tried::{self, Tried},
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{
        self, EventType,
        trial::{self, Trial},
        versions::{self, Draft, Version},
    },
    form::{Typed, amiss, shown},
    ids::TenantId,
    tenants,
    ui::{
        self, Alert, Button, Card, Confirm, Empty, Facts, FieldErrors, Form as PageForm, FormActions, Frame, Hidden,
        Icon, LinkButton, Notice, PageHeader, Section, TextArea, Tone,
    },
};

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    trial: Option<String>,
    done: Option<String>,
}

/// Shows the difference and the trial.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let page = Page::load(&app, &session, &permit, &named, tried::size(asked.trial.as_deref())).await?;
    let mut frame = page.frame(&app, &session).await?;
    if asked.done.as_deref() == Some("discarded") {
        frame.notice = Some(Notice::ok("The draft is discarded."));
    }
    Ok(shown(page.draw(&frame, &Typed::default(), &FieldErrors::new())))
}

/// Makes the draft the active contract.
pub(super) async fn activate(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    if let Some(note) = errors.keep("note", versions::parse_note(&typed.text("note"))) {
        let Ok(expected) = typed.text("fingerprint").parse();
        match versions::activate(&app.db, &app.clock, &permit, named.id()?, note, expected).await {
            Ok(made) => {
                let to = format!("{}/contract/versions?done=activated", address(made.tenant_id, made.id));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    let page = Page::load(&app, &session, &permit, &named, tried::size(asked.trial.as_deref())).await?;
    let frame = page.frame(&app, &session).await?;
    Ok(amiss(page.draw(&frame, &typed, &errors)))
}

/// Asks whether the draft is to be thrown away.
pub(super) async fn ask_discard(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, named.id()?).await?;
    let here = address(permit.tenant(), event_type.id);
    let Some(draft) = versions::draft(&app.db, &read, event_type.id).await? else {
        return Ok(Redirect::to(&format!("{here}/contract/review")).into_response());
    };
    let active = versions::active(&app.db, &read, event_type.id).await?;
    let changes = Difference::between(&active.contract, &draft.contract).count() as u64;
    let path = format!("{here}/contract/discard?fingerprint={}", draft.fingerprint());
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, path.clone()).await?;
    let body = view! {
        <Confirm
            title=format!("Discard the draft of {}", event_type.details.name)
            consequence=format!("Version {} stays active. The audit trail keeps the text of the draft.", draft.active)
            impact=vec![(ui::format::counted(changes, "change"), format!("of {} are thrown away", draft.updated_by))]
            verb="Discard draft"
            action=path
            cancel=format!("{here}/contract/review")
        />
    };
    Ok(shown(ui::page(&frame, "Discard the draft", crumbs(&frame, &event_type), body.into_any())))
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Seen {
    fingerprint: Option<String>,
}

/// Throws the draft away, if it is the one that was seen.
pub(super) async fn discard(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(seen): Query<Seen>,
) -> Result<Response> {
    let Ok(expected) = seen.fingerprint.unwrap_or_default().parse();
    let id = named.id()?;
    let done = match versions::discard_draft(&app.db, &app.clock, &permit, id, Some(expected)).await {
        Ok(()) => "?done=discarded",
        // the review shows how things stand now
        Err(Error::Conflict(_)) => "",
        Err(error) => return Err(error),
    };
    Ok(Redirect::to(&format!("{}/contract/review{done}", address(permit.tenant(), id))).into_response())
}

struct Page {
    tenant: TenantId,
    event_type: EventType,
    active: Version,
    reviewed: Option<(Draft, Trial)>,
    size: usize,
}

impl Page {
    async fn load(
        app: &App,
        session: &Session,
        permit: &Permit<Configure>,
        named: &Named,
        size: usize,
    ) -> Result<Self> {
        let tenant = permit.tenant();
        let read = session.permit::<ReadConfiguration>(tenant)?;
        let event_type = event_types::get(&app.db, &read, named.id()?).await?;
        let active = versions::active(&app.db, &read, event_type.id).await?;
        let reviewed = match versions::draft(&app.db, &read, event_type.id).await? {
            Some(draft) => {
                let payloads = session.permit::<ReadPayloads>(tenant)?;
                let longest = app.settings.limits.max_event;
                let trial = trial::trial(&app.db, &payloads, longest, &event_type, &draft.contract, size).await?;
                Some((draft, trial))
            }
            None => None,
        };
        Ok(Self { tenant, event_type, active, reviewed, size })
    }

    fn here(&self) -> String {
        format!("{}/contract", address(self.tenant, self.event_type.id))
    }

    fn path(&self, size: usize) -> String {
        let query = if size == trial::USUAL { String::new() } else { format!("?trial={size}") };
        format!("{}/review{query}", self.here())
    }

    fn tried<'a>(&'a self, trial: &'a Trial) -> Tried<'a> {
        let path = Box::new(move |size| self.path(size));
        Tried { event_type: &self.event_type, trial, what: "The draft", size: self.size, path }
    }

    async fn frame(&self, app: &App, session: &Session) -> Result<Frame> {
        tenants::frame(app, session, Some(self.tenant), Section::EventTypes, self.path(self.size)).await
    }

    fn draw(&self, frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
        let name = &self.event_type.details.name;
        let title = format!("Review the draft of {name}");
        let (edit, list) = (self.here(), format!("{}/versions", self.here()));
        let body = match &self.reviewed {
            None => view! {
                <PageHeader title=title.clone()/>
                <ui::FormErrors errors=errors/>
                <Empty
                    icon=Icon::Contract
                    title="No draft to review"
                    why="A draft is a contract that is being worked on. It judges nothing until it is activated; here one sees first what it would change."
                >
                    <LinkButton href=edit tone=Tone::Primary>"Edit the contract"</LinkButton>
                    <LinkButton href=list tone=Tone::Quiet>"Versions"</LinkButton>
                </Empty>
            }
            .into_any(),
            Some((draft, trial)) => {
                let difference = Difference::between(&self.active.contract, &draft.contract);
                let lead = format!("What version {} would change, and what it would make of the newest events.", draft.active + 1);
                let (words, lines) = (difference.words(), difference.lines("The contracts line by line"));
                let main = view! {
                    <ui::FormErrors errors=errors/>
                    {self.outdated(draft)}
                    <Card title="What changes" lead=format!("Against version {}, which is active.", draft.active)>
                        {words}
                        {lines}
                    </Card>
                    {self.tried(trial).draw(frame)}
                };
                let aside = view! { {self.decide(draft, trial, &difference, typed, errors)} {about(frame, draft)} };
                view! {
                    <PageHeader title=title.clone() lead=lead>
                        <LinkButton href=list tone=Tone::Quiet>"Versions"</LinkButton>
                        <LinkButton href=edit>"Edit the draft"</LinkButton>
                    </PageHeader>
                    <ui::Columns main=main.into_any() aside=aside.into_any()/>
                }
                .into_any()
            }
        };
        ui::page(frame, &title, crumbs(frame, &self.event_type), body)
    }

    /// The active version is another than the one that the draft was made from.
    fn outdated(&self, draft: &Draft) -> Option<AnyView> {
        (draft.base != draft.active).then(|| {
            let title = format!("The draft was begun on version {}, and version {} is active now", draft.base, draft.active);
            let href = format!("{}/versions/{}", self.here(), draft.active);
            view! {
                <Alert state=ui::State::Warning title=title>
                    <p>"Activating it takes back what changed in between, unless the draft has it too. "{ui::link(href, "What changed")}</p>
                </Alert>
            }
            .into_any()
        })
    }

    fn decide(
        &self,
        draft: &Draft,
        trial: &Trial,
        difference: &Difference,
        typed: &Typed,
        errors: &FieldErrors,
    ) -> AnyView {
        let discard = format!("{}/discard", self.here());
        if draft.contract == self.active.contract {
            return view! {
                <Card title="Nothing to activate" lead="The draft is the active contract, letter by letter.">
                    <FormActions><LinkButton href=discard>"Discard draft…"</LinkButton></FormActions>
                </Card>
            }
            .into_any();
        }
        let next = draft.active + 1;
        let consequence = match (trial.would_break, difference.is_empty()) {
            (_, true) => "It says the same as the active contract: no event is judged differently.".to_owned(),
            (0, _) => {
                "The front door judges by it within a second. Earlier versions stay, and each can be brought back."
                    .to_owned()
            }
            (n, _) => format!(
                "The front door judges by it within a second: events like {} {} then. Earlier versions stay, and each can be brought back.",
                ui::format::counted(n as u64, "accepted one"),
                tried::fate(self.event_type.details.policy),
            ),
        };
        view! {
            <Card title=format!("Activate version {next}") lead=consequence>
                <PageForm action=self.path(self.size)>
                    <Hidden name="fingerprint" value=draft.fingerprint().to_string()/>
                    <TextArea
                        name="note"
                        label="Note"
                        value=typed.text("note")
                        rows=2
                        optional=true
                        hint="Why, for whoever reads the versions later."
                        errors=errors
                    />
                    <FormActions>
                        <Button tone=Tone::Primary icon=Icon::Check>{format!("Activate version {next}")}</Button>
                        <LinkButton href=discard tone=Tone::Quiet>"Discard draft…"</LinkButton>
                    </FormActions>
                </PageForm>
            </Card>
        }
        .into_any()
    }
}

fn about(frame: &Frame, draft: &Draft) -> AnyView {
    let items = vec![
        ("Saved by", ui::text(draft.updated_by.clone())),
        ("Saved", ui::at(frame.moment(), draft.updated_at)),
        ("Begun on", ui::text(format!("version {}", draft.base))),
        ("Active now", ui::text(format!("version {}", draft.active))),
    ];
    view! { <Card title="The draft"><Facts items=items/></Card> }.into_any()
}
