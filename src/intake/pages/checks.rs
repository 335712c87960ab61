//! The technical check list: the two ways of connecting in questions, and the verdict that the answers propose.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, show::proposal, verdicts::badge};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    intake::{
        checks::{EITHER, Item, Known, PULL, PUSH, Source},
        parse_line,
        store::{self, Checked},
        templates,
    },
    ui::{
        self, Button, Card, Choice, Columns, Field, FieldErrors, Form as PageForm, FormActions, Group, LinkButton,
        PageHeader, RadioRow, Row, Tone,
    },
};

/// The names of the fields of an item: what is known, and a few words on it.
const fn names(item: Item) -> (&'static str, &'static str) {
    match item {
        Item::PushPost => ("push-post", "push-post-note"),
        Item::PushToken => ("push-token", "push-token-note"),
        Item::PullGet => ("pull-get", "pull-get-note"),
        Item::PullToken => ("pull-token", "pull-token-note"),
        Item::PullWindow => ("pull-window", "pull-window-note"),
        Item::PullJson => ("pull-json", "pull-json-note"),
        Item::Identifier => ("identifier", "identifier-note"),
        Item::RecordId => ("record-id", "record-id-note"),
    }
}

/// Shows it.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/checks").await?;
    room.notice(
        &done,
        &[
            ("saved", "Saved: beside it stands what it says about the verdict."),
            ("seen", "Attached; the check list is filled in by what was seen."),
        ],
    );
    let checks = store::checks(&app.db, &permit, room.of.id).await?;
    Ok(shown(page(&room, &checks, None, &FieldErrors::new())))
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/checks").await?;
    let mut errors = FieldErrors::new();
    let given = Item::ALL.iter().map(|item| {
        let (name, note) = names(*item);
        let text = typed.text(name);
        let known = if text.is_empty() { Ok(Known::Unknown) } else { text.parse() };
        let known = errors.keep(name, known.map_err(|_| "choose yes, no or not known"));
        let words = errors.keep(note, parse_line(&typed.text(note), 500));
        Some((*item, known?, words?))
    });
    let given: Option<Vec<_>> = given.collect::<Vec<_>>().into_iter().collect();
    if let Some(given) = given {
        match store::save_checks(&app.db, &app.clock, &permit, room.of.id, given).await {
            Ok(()) => return Ok(Redirect::to(&format!("{}/checks?done=saved", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    let checks = store::checks(&app.db, &session.permit::<SeeIntegrations>(permit.tenant())?, room.of.id).await?;
    Ok(amiss(page(&room, &checks, Some(&typed), &errors)))
}

fn page(room: &Room, checks: &[Checked], typed: Option<&Typed>, errors: &FieldErrors) -> String {
    let here = room.here();
    let group = |items: &[Item]| items.iter().map(|item| fields(room, *item, checks, typed, errors)).collect_view();
    let form = view! {
        <Card>
            <PageForm action=format!("{here}/checks") errors=errors>
                <Group title="Their system sends to us" lead="It posts each event, or many at once, to an address of ours. Both are needed.">{group(&PUSH)}</Group>
                <Group title="We ask their system" lead="We fetch what is new by HTTP GET, on an interval. All four are needed.">{group(&PULL)}</Group>
                <Group title="Either way">{group(&EITHER)}</Group>
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=format!("{here}/evidence") tone=Tone::Plain>"Find out from a sample"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    let body = view! {
        <PageHeader title="Technical check list" lead="One whole way of connecting is enough.">
            {ui::guide("ways", "The two ways of connecting")}
        </PageHeader>
        {room.tabs("/checks")}
        <Columns main=form.into_any() aside=proposed(room, checks)/>
    };
    ui::page(&room.frame, "Technical check list", room.crumbs(true), body.into_any())
}

fn fields(room: &Room, item: Item, checks: &[Checked], typed: Option<&Typed>, errors: &FieldErrors) -> AnyView {
    let (name, note) = names(item);
    let stored = checks.iter().find(|one| one.item == item);
    let (value, words) = match (typed, stored) {
        (Some(typed), _) => (typed.text(name), typed.text(note)),
        (None, Some(stored)) => (stored.known.word().to_owned(), stored.note.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let known = stored.filter(|one| one.source != Source::Person).map(|one| format!("This was {}.", told(one.source)));
    let usual =
        templates::hint(room.of.details.system_name.as_str(), room.of.details.system_kind, item).map(str::to_owned);
    let hint: Option<String> = match (known, usual) {
        (Some(known), Some(usual)) => Some(format!("{known} {usual}")),
        (known, usual) => known.or(usual),
    };
    let choices = Known::ALL.iter().map(|known| Choice::new(known.word(), known.title())).collect();
    view! {
        <RadioRow name=name label=item.title() choices=choices value=value nostrip:hint=hint errors=errors/>
        <Field name=note label=format!("On this: {}", short(item)) value=words autocomplete="off" optional=true errors=errors/>
    }
    .into_any()
}

const fn told(source: Source) -> &'static str {
    match source {
        Source::Earlier => "taken over from an earlier intake of this system",
        other => other.title(),
    }
}

/// What the words beside an item are about.
const fn short(item: Item) -> &'static str {
    match item {
        Item::PushPost => "what sends, and when",
        Item::PushToken => "header or address",
        Item::PullGet => "the address, and who opens it",
        Item::PullToken => "what kind of key",
        Item::PullWindow => "which parameters",
        Item::PullJson => "in which form",
        Item::Identifier => "which field names the person",
        Item::RecordId => "which field holds the number",
    }
}

/// What the check list says about the technical verdict.
pub(super) fn proposed(room: &Room, checks: &[Checked]) -> AnyView {
    let proposal = proposal(checks);
    let reasons = (!proposal.reasons.is_empty()).then(|| ui::points(proposal.reasons.clone()));
    let open = (!proposal.open.is_empty())
        .then(|| view! { <ui::Near title="Still to be found out">{ui::points(proposal.open.clone())}</ui::Near> });
    let href = format!("{}/verdicts", room.here());
    view! {
        <Card title="What this says" lead="Technically possible?">
            <Row>{badge(proposal.answer)}</Row>
            {reasons}
            {open}
            <Row><LinkButton href=href>"Give the verdict"</LinkButton></Row>
        </Card>
    }
    .into_any()
}
