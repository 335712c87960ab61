//! The versions of a contract: the list, one of them with what it changed, and bringing one back.
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
        trial::{self, Ended, Trial},
        versions::{self, Draft, Made, Version},
    },
    form::{Typed, amiss, shown},
    ids::EventTypeId,
    tenants,
    ui::{
        self, Alert, Badge, Button, Card, Column, Columns, Crumb, DataTable, Facts, FieldErrors, Form as PageForm,
        FormActions, Frame, Hidden, Icon, Json, LinkButton, Notice, PageHeader, Pager, Section, TextArea, Tone,
    },
};

/// How many versions stand on one page.
const PAGE: usize = 50;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
    before: Option<String>,
}

/// The list.
pub(super) async fn list(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let event_type = event_types::get(&app.db, &permit, named.id()?).await?;
    let before = asked.before.as_deref().and_then(|text| text.parse::<i64>().ok());
    let mut made = versions::list(&app.db, &permit, event_type.id, before, PAGE + 1).await?;
    let older = (made.len() > PAGE).then(|| made[PAGE - 1].number);
    made.truncate(PAGE);
    let active = versions::active(&app.db, &permit, event_type.id).await?.made.number;
    let draft = versions::draft(&app.db, &permit, event_type.id).await?;
    let here = format!("{}/contract", address(permit.tenant(), event_type.id));
    let path = format!("{here}/versions");
    let mut frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, path.clone()).await?;
    frame.notice = match asked.done.as_deref() {
        Some("activated") => {
            Some(Notice::ok(format!("Version {active} is active. The front door judges by it within a second.")))
        }
        Some("rolled-back") => Some(Notice::ok(format!("The contract is brought back as version {active}."))),
        _ => None,
    };
    let may_configure = session.permit::<Configure>(permit.tenant()).is_ok();
    let passing = match session.permit::<ReadPayloads>(permit.tenant()) {
        // whoever has just changed the contract is told what that has opened
        Ok(payloads) if may_configure && frame.notice.is_some() && event_type.details.enabled => {
            let longest = app.settings.limits.max_event;
            Some(trial::passing(&app.db, &payloads, longest, &event_type).await?)
        }
        _ => None,
    };
    let passing = passing.and_then(|found| passes(&event_type, &found));
    let edit = may_configure.then(|| view! { <LinkButton href=here.clone()>"Edit the contract"</LinkButton> });
    let waiting = draft.filter(|_| may_configure).map(|draft| waits(&frame, &here, &draft));
    let newer = before.map(|_| path.clone());
    let older = older.map(|number| format!("{path}?before={number}"));
    let pager = (newer.is_some() || older.is_some()).then(|| view! { <Pager newer=newer older=older/> });
    let title = format!("Versions of {}", event_type.details.name);
    let rows = table(&frame, &path, &made, active);
    let body = view! {
        <PageHeader title=title.clone() lead="Every contract that was ever active. None is ever rewritten.">{edit}</PageHeader>
        {passing}
        {waiting}
        <Card flush=true>{rows}</Card>
        {pager}
    };
    Ok(shown(ui::page(&frame, &title, crumbs(&frame, &event_type), body.into_any())))
}

/// What is in quarantine and keeps the contract by now, and the way to replay it.
fn passes(event_type: &EventType, found: &Trial) -> Option<AnyView> {
    if found.would_pass == 0 {
        return None;
    }
    let (tenant, passing) = (event_type.tenant_id, found.would_pass as u64);
    let of = match found.ended {
        Ended::All => "all of this type in quarantine".to_owned(),
        _ => format!("the newest {} of this type in quarantine", ui::format::count(found.looked_at as u64)),
    };
    let title = format!(
        "{} in quarantine {} this version",
        ui::format::counted(passing, "event"),
        if passing == 1 { "keeps" } else { "keep" }
    );
    let words = format!(
        "Looked at: {of}. Replayed, each that keeps it is accepted; the others stay, with what is wrong with them by now."
    );
    let href = format!("/tenants/{tenant}/quarantine/replay?type={}", event_type.id);
    let verb =
        format!("Replay {} that {} now…", ui::format::count(passing), if passing == 1 { "passes" } else { "pass" });
    Some(
        view! {
            <Alert state=ui::State::Neutral title=title>
                <p>{words}</p>
                <p><LinkButton href=href tone=Tone::Primary>{verb}</LinkButton></p>
            </Alert>
        }
        .into_any(),
    )
}

/// A draft that nobody has decided about.
pub(super) fn waits(frame: &Frame, here: &str, draft: &Draft) -> AnyView {
    let title = format!("A draft waits: saved by {}", draft.updated_by);
    view! {
        <Alert state=ui::State::Neutral title=title>
            <p>{ui::ago(frame.moment(), draft.updated_at)}". "{ui::link(format!("{here}/review"), "Review it")}</p>
        </Alert>
    }
    .into_any()
}

fn by(made: &Made) -> AnyView {
    made.by.clone().map_or_else(|| ui::muted("not recorded"), ui::text)
}

fn state(number: i64, active: i64) -> AnyView {
    if number == active {
        view! { <Badge state=ui::State::Ok word="active"/> }.into_any()
    } else {
        view! { <Badge state=ui::State::Neutral word="earlier"/> }.into_any()
    }
}

/// What was said about it, and what it brought back.
fn note(made: &Made) -> AnyView {
    let restores = made.restores.map(|number| format!("Brings back version {number}. "));
    match (&restores, &made.note) {
        (None, None) => ui::muted("–"),
        _ => ui::text(format!("{}{}", restores.unwrap_or_default(), made.note.as_deref().unwrap_or_default()).trim()),
    }
}

fn table(frame: &Frame, path: &str, made: &[Made], active: i64) -> AnyView {
    let columns = vec![
        Column::text("Version"),
        Column::text("State"),
        Column::text("Active from"),
        Column::text("By"),
        Column::text("Note").wide_only(),
    ];
    let rows = made.iter().map(|made| {
        vec![
            ui::link(format!("{path}/{}", made.number), format!("Version {}", made.number)),
            state(made.number, active),
            ui::ago(frame.moment(), made.at),
            by(made),
            note(made),
        ]
    });
    view! { <DataTable caption="Versions" columns=columns rows=rows.collect()/> }.into_any()
}

/// The version that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    event_type: String,
    version: String,
}

impl Numbered {
    fn read(&self) -> Result<(EventTypeId, i64)> {
        let id = self.event_type.parse().map_err(|_| Error::NotFound("event type"))?;
        let number = self.version.parse().map_err(|_| Error::NotFound("version of this contract"))?;
        Ok((id, number))
    }
}

/// One version: what it changed, how it differs from the active one, and its text.
pub(super) async fn one(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(numbered): Path<Numbered>,
) -> Result<Response> {
    let (id, number) = numbered.read()?;
    let event_type = event_types::get(&app.db, &permit, id).await?;
    let version = versions::get(&app.db, &permit, id, number).await?;
    let active = versions::active(&app.db, &permit, id).await?;
    let before = match number {
        ..=1 => None,
        _ => Some(versions::get(&app.db, &permit, id, number - 1).await?),
    };
    let list = format!("{}/contract/versions", address(permit.tenant(), id));
    let path = format!("{list}/{number}");
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, path.clone()).await?;
    let is_active = active.made.number == number;
    let may_configure = session.permit::<Configure>(permit.tenant()).is_ok();
    let roll_back = (may_configure && !is_active && version.contract != active.contract)
        .then(|| view! { <LinkButton href=format!("{path}/roll-back")>{format!("Roll back to version {number}…")}</LinkButton> });
    let main = view! {
        {changed(&version, before.as_ref())}
        {(!is_active).then(|| against(&version, &active))}
        <Card title="Contract"><Json label="JSON Schema 2020-12" text=version.contract.text()/></Card>
    };
    let title = format!("Version {number} of {}", event_type.details.name);
    let body = view! {
        <PageHeader title=title.clone() badge=state(number, active.made.number)>{roll_back}</PageHeader>
        <Columns main=main.into_any() aside=about(&frame, &list, &version.made)/>
    };
    Ok(shown(ui::page(&frame, &title, deeper(&frame, &event_type, list), body.into_any())))
}

fn deeper(frame: &Frame, event_type: &EventType, list: String) -> Vec<Crumb> {
    let mut crumbs = crumbs(frame, event_type);
    crumbs.push(Crumb::new("Versions", list));
    crumbs
}

fn changed(version: &Version, before: Option<&Version>) -> AnyView {
    let Some(before) = before else {
        return view! { <Card title="What it changed"><p>{ui::muted("It is the first version.")}</p></Card> }
            .into_any();
    };
    let difference = Difference::between(&before.contract, &version.contract);
    view! {
        <Card title="What it changed" lead=format!("Against version {}, the one before.", before.made.number)>
            {difference.words()}
            {difference.lines("This version and the one before")}
        </Card>
    }
    .into_any()
}

fn against(version: &Version, active: &Version) -> AnyView {
    let difference = Difference::between(&active.contract, &version.contract);
    view! {
        <Card title="What rolling back would change" lead=format!("Against version {}, which is active.", active.made.number)>
            {difference.words()}
            {difference.lines("This version and the active one")}
        </Card>
    }
    .into_any()
}

fn about(frame: &Frame, list: &str, made: &Made) -> AnyView {
    let mut items = vec![("Active from", ui::at(frame.moment(), made.at)), ("By", by(made))];
    if let Some(restores) = made.restores {
        items.push(("Brings back", ui::link(format!("{list}/{restores}"), format!("version {restores}"))));
    }
    if let Some(note) = &made.note {
        items.push(("Note", ui::text(note.clone())));
    }
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

/// How many events a trial is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AskedTrial {
    trial: Option<String>,
}

/// Asks whether an earlier version is to come back.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(numbered): Path<Numbered>,
    Query(asked): Query<AskedTrial>,
) -> Result<Response> {
    let page = confirm(&app, &session, &permit, &numbered, &asked, &Typed::default(), &FieldErrors::new()).await?;
    Ok(shown(page))
}

/// Brings it back.
pub(super) async fn roll_back(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(numbered): Path<Numbered>,
    Query(asked): Query<AskedTrial>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (id, to) = numbered.read()?;
    let mut errors = FieldErrors::new();
    if let Some(note) = errors.keep("note", versions::parse_note(&typed.text("note"))) {
        let seen = typed.text("active").parse().unwrap_or(0);
        match versions::roll_back(&app.db, &app.clock, &permit, id, to, seen, note).await {
            Ok(made) => {
                let to = format!("{}/contract/versions?done=rolled-back", address(made.tenant_id, made.id));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(confirm(&app, &session, &permit, &numbered, &asked, &typed, &errors).await?))
}

async fn confirm(
    app: &App,
    session: &Session,
    permit: &Permit<Configure>,
    numbered: &Numbered,
    asked: &AskedTrial,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<String> {
    let (id, number) = numbered.read()?;
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, id).await?;
    let version = versions::get(&app.db, &read, id, number).await?;
    let active = versions::active(&app.db, &read, id).await?;
    let (size, payloads) = (tried::size(asked.trial.as_deref()), session.permit::<ReadPayloads>(permit.tenant())?);
    let longest = app.settings.limits.max_event;
    let trial = trial::trial(&app.db, &payloads, longest, &event_type, &version.contract, size).await?;
    let list = format!("{}/contract/versions", address(permit.tenant(), id));
    let path = |size| {
        let query = if size == trial::USUAL { String::new() } else { format!("?trial={size}") };
        format!("{list}/{number}/roll-back{query}")
    };
    let frame = tenants::frame(app, session, Some(permit.tenant()), Section::EventTypes, path(size)).await?;
    let title = format!("Roll back {} to version {number}", event_type.details.name);
    let next = active.made.number + 1;
    let lead =
        format!("What bringing version {number} back would change, and what it would make of the newest events.");
    let consequence = match trial.would_break {
        0 => String::new(),
        n => format!(
            " Events like {} {} then.",
            ui::format::counted(n as u64, "accepted one"),
            tried::fate(event_type.details.policy)
        ),
    };
    let consequence = format!(
        "Its contract becomes version {next} and judges events within a second.{consequence} Version {} stays, and a draft stays too.",
        active.made.number
    );
    let difference = Difference::between(&active.contract, &version.contract).words();
    let back = format!("{list}/{number}");
    let card = Tried { event_type: &event_type, trial: &trial, what: "This version", size, path: Box::new(&path) };
    let main = view! {
        <Card title="What changes" lead=format!("Against version {}, which is active.", active.made.number)>{difference}</Card>
        {card.draw(&frame)}
    };
    let aside = view! {
        <Card title=format!("Roll back to version {number}") lead=consequence>
            <PageForm action=path(size) errors=errors>
                <Hidden name="active" value=active.made.number.to_string()/>
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
                    <Button tone=Tone::Primary icon=Icon::Check>{format!("Roll back to version {number}")}</Button>
                    <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    let body = view! {
        <PageHeader title=title.clone() lead=lead/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    Ok(ui::page(&frame, &title, deeper(&frame, &event_type, list.clone()), body.into_any()))
}
