//! The review of a draft: what it changes, what it would have made of the newest events, and making it the active
//! contract, or throwing it away.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, address, crumbs, difference::Difference};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{
        self, EventType, Policy,
        trial::{self, Change, Ended, Trial},
        versions::{self, Draft, Version},
    },
    form::{Typed, amiss, shown},
    ids::TenantId,
    tenants,
    ui::{
        self, Alert, Button, Card, Column, Confirm, DataTable, Empty, Facts, FieldErrors, Form as PageForm,
        FormActions, Frame, Hidden, Icon, LinkButton, Notice, PageHeader, Section, Stat, Stats, Tab, Tabs, TextArea,
        Tone,
    },
};

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    trial: Option<String>,
    done: Option<String>,
}

impl Asked {
    /// How many events are tried: one of the sizes, whatever is asked for.
    fn size(&self) -> usize {
        let asked = self.trial.as_deref().and_then(|text| text.parse().ok());
        asked.filter(|asked| trial::SIZES.contains(asked)).unwrap_or(trial::USUAL)
    }
}

/// Shows the difference and the trial.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let page = Page::load(&app, &session, &permit, &named, asked.size()).await?;
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
    let page = Page::load(&app, &session, &permit, &named, asked.size()).await?;
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
                    {self.trial(frame, trial)}
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
                self.fate(),
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

    /// What becomes of events that break the contract.
    fn fate(&self) -> &'static str {
        match self.event_type.details.policy {
            Policy::Quarantine => "go to quarantine",
            Policy::Refuse => "are refused, with their whole request",
            Policy::Warn => "are accepted with a warning",
        }
    }

    fn trial(&self, frame: &Frame, trial: &Trial) -> AnyView {
        let tabs =
            trial::SIZES.map(|size| Tab::new(format!("Newest {}", ui::format::count(size as u64)), self.path(size)));
        let nav = view! { <Tabs label="How many events are tried" tabs=tabs.into() current=self.path(self.size)/> };
        if trial.looked_at == 0 {
            return view! {
                <Card title="Trial" lead="The draft is tried on the newest events of this type. Nothing is stored by that.">
                    <p>{ui::muted("There are no events of this type yet, so there is nothing to try it on.")}</p>
                </Card>
            }
            .into_any();
        }
        let refused = (self.event_type.details.policy == Policy::Refuse).then(|| {
            view! { <p>{ui::muted("This type refuses what breaks its contract. Refused requests left nothing behind, so they cannot be tried.")}</p> }
        });
        view! {
            <Card title="Trial" lead=looked(frame, trial)>
                {nav}
                {self.figures(trial)}
                {refused}
                {self.groups(trial)}
            </Card>
        }
        .into_any()
    }

    fn figures(&self, trial: &Trial) -> AnyView {
        let count = |n: usize| ui::format::count(n as u64);
        let fate = match self.event_type.details.policy {
            Policy::Quarantine => "would go to quarantine",
            Policy::Refuse => "would be refused",
            Policy::Warn => "would get a warning",
        };
        let already = match trial.break_already {
            0 => "",
            n if n == trial.would_break => "; all of them break the active contract too",
            _ => "; some of them break the active contract too",
        };
        let accepted = format!("of {} accepted {fate}{already}", ui::format::counted(trial.accepted as u64, "event"));
        let quarantined =
            format!("of {} would pass", ui::format::counted(trial.quarantined as u64, "quarantined event"));
        let conflicts = (trial.conflicts > 0).then(|| {
            let so = format!(
                "{} would keep the contract, but repeat the unique value of another event: no contract mends that.",
                ui::format::counted(trial.conflicts as u64, "quarantined event")
            );
            view! { <p>{ui::muted(so)}</p> }
        });
        view! {
            <Stats>
                <Stat label="Accepted before" figure=count(trial.would_break)>{accepted}</Stat>
                <Stat label="Quarantined before" figure=count(trial.would_pass)>{quarantined}</Stat>
            </Stats>
            {conflicts}
        }
        .into_any()
    }

    fn groups(&self, trial: &Trial) -> AnyView {
        if trial.groups.is_empty() {
            return view! { <p>"No event would be judged differently."</p> }.into_any();
        }
        let columns = vec![
            Column::text("Where"),
            Column::text("What"),
            Column::text("Events like these"),
            Column::number("Events"),
        ];
        let rows = trial.groups.iter().map(|group| {
            let what = match group.change {
                Change::WouldBreak => group.message.clone(),
                Change::WouldPass => format!("passes now; before: {}", group.message),
            };
            let badge = match group.change {
                Change::WouldBreak => view! { <ui::Badge state=ui::State::Warning word="breaks"/> }.into_any(),
                Change::WouldPass => view! { <ui::Badge state=ui::State::Ok word="passes"/> }.into_any(),
            };
            let samples = group.samples.iter().enumerate().map(|(n, id)| {
                let href = format!("/tenants/{}/events/{id}", self.tenant);
                view! { {(n > 0).then_some(", ")}{ui::link(href, format!("sample {}", n + 1))} }
            });
            let place = if group.path.is_empty() { "the event".to_owned() } else { group.path.clone() };
            vec![
                ui::mono(place),
                view! { {badge}" "{what} }.into_any(),
                samples.collect_view().into_any(),
                ui::number(group.events as u64),
            ]
        });
        view! { <DataTable caption="Events that would be judged differently" columns=columns rows=rows.collect()/> }
            .into_any()
    }
}

/// How many events were looked at, back to when, and why no more.
fn looked(frame: &Frame, trial: &Trial) -> String {
    let events = ui::format::counted(trial.looked_at as u64, "event");
    let since = trial.since.map(|since| format!(", back to {}", frame.moment().in_full(since))).unwrap_or_default();
    match trial.ended {
        Ended::All => format!("All {events} of this type{since}. Nothing is stored by trying."),
        Ended::Count => format!("The newest {events}{since}. Nothing is stored by trying."),
        Ended::Bytes => {
            format!("The newest {events}{since}: they are long, so it was enough before. Nothing is stored by trying.")
        }
        Ended::Time => {
            format!("The newest {events}{since}: it took long, so it was enough before. Nothing is stored by trying.")
        }
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
