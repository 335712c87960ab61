//! The questions of an intake: all sections with how far they are, and each as a form of its own that is saved as one
//! goes. Consultants and managers see them here; a customer who comes by a link sees the same forms (`guest`).
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, guide};
use crate::{
    app::App,
    auth::{AnswerIntakes, Permit, RunIntakes, SeeIntegrations, Session},
    error::{Error, Result},
    form::{Done, Typed, amiss, shown},
    intake::{
        SystemKind,
        questions::{Asked, Kind, SECTIONS, Section, YES_NO, count},
        store::{self, Answered, Link},
        templates,
    },
    ui::{
        self, Badge, Button, Card, Choice, Column, DataTable, Field, FieldErrors, Form as PageForm, FormActions,
        Hidden, Icon, LinkButton, Now, PageHeader, PostButton, Progress, RadioRow, Select, State as Mood, TextArea,
        Tone,
    },
};

/// How many of a section's questions are answered.
fn answered(section: &Section, answers: &[Answered]) -> usize {
    section.questions.iter().filter(|asked| answers.iter().any(|one| one.question == asked.key)).count()
}

/// All sections with how far they are; each leads to its form below `base`.
pub(super) fn overview(base: &str, answers: &[Answered], now: Now) -> AnyView {
    let (done, all) = (SECTIONS.iter().map(|section| answered(section, answers)).sum::<usize>(), count());
    let percent = i64::try_from(done * 100 / all).unwrap_or(0);
    let words = format!("{done} of {all} questions answered");
    let columns = vec![Column::text("Section"), Column::text("Answered"), Column::text("Last by").wide_only()];
    let rows = SECTIONS.iter().map(|section| {
        let (done, of) = (answered(section, answers), section.questions.len());
        let state = match done {
            0 => view! { <Badge state=Mood::Neutral word=format!("0 of {of}")/> }.into_any(),
            n if n == of => view! { <Badge state=Mood::Ok word=format!("{n} of {of}")/> }.into_any(),
            n => ui::progress_badge(format!("{n} of {of}")),
        };
        let newest = answers
            .iter()
            .filter(|one| section.questions.iter().any(|asked| asked.key == one.question))
            .max_by_key(|one| one.answered_at);
        let last = newest.map_or_else(
            || ui::muted("nobody"),
            |one| ui::two_lines(ui::text(one.answered_by.as_str()), ui::ago(now, one.answered_at)),
        );
        let link = ui::link(format!("{base}/{}", section.key), section.title);
        vec![ui::two_lines(link, ui::text(section.lead)), state, last]
    });
    view! {
        <Card><Progress label="Intake" percent=Some(percent) words=words/></Card>
        <Card flush=true><DataTable caption="Sections of the intake" columns=columns rows=rows.collect()/></Card>
    }
    .into_any()
}

/// Shows them, with the links by which the customer answers.
pub(super) async fn all(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/intake").await?;
    room.notice(
        &done,
        &[
            ("saved", "Saved."),
            ("finished", "Saved. That was the last section."),
            ("revoked", "The link works no more."),
        ],
    );
    let answers = store::answers(&app.db, &permit, room.of.id).await?;
    let links = store::links(&app.db, &permit, room.of.id).await?;
    let may_run = session.permit::<RunIntakes>(permit.tenant()).is_ok();
    let base = format!("{}/intake", room.here());
    let open = room.of.stage.is_open();
    let main = view! {
        <PageHeader title=format!("Intake of {}", room.of.details.name) lead="Six sections; each is saved by itself, in any order.">
            {guide("intake", "What an intake needs")}
        </PageHeader>
        {room.tabs("/intake")}
        {overview(&base, &answers, room.frame.moment())}
        {shared(&room, &links, may_run && open)}
    };
    Ok(shown(ui::page(&room.frame, "Intake", room.crumbs(true), main.into_any())))
}

/// The links by which the customer answers.
fn shared(room: &Room, links: &[Link], may: bool) -> AnyView {
    let here = room.here();
    let make = may.then(|| {
        view! { <LinkButton href=format!("{here}/links") icon=Icon::Plus>"Make a link"</LinkButton> }.into_any()
    });
    let lead = "The customer answers by a link, without an account: it opens this intake and nothing else.";
    if links.is_empty() {
        return view! {
            <Card title="Let the customer answer" lead=lead nostrip:action=make>
                <p>{ui::muted("No link was made yet.")}</p>
            </Card>
        }
        .into_any();
    }
    let now = room.frame.moment();
    let columns =
        vec![Column::text("For"), Column::text("State"), Column::text("Made").wide_only(), Column::actions("Act")];
    let rows = links.iter().map(|link| {
        let (mood, word) = match (link.revoked_at, link.used_at, link.is_good(now.at)) {
            (Some(_), ..) => (Mood::Neutral, "taken back"),
            (None, Some(_), true) => (Mood::Ok, "opened"),
            (None, None, true) => (Mood::Warning, "not opened yet"),
            (None, _, false) => (Mood::Neutral, "run out"),
        };
        let revoke = (may && link.is_good(now.at)).then(|| {
            let action = format!("{here}/links/{}/revoke", link.id);
            let of = format!(" the link for {}", link.for_whom);
            view! { <PostButton action=action tone=Tone::Quiet>"Take back"{ui::unseen(of)}</PostButton> }
        });
        let until = link.session_expires_at.unwrap_or(link.expires_at);
        let state = view! { <Badge state=mood word=word/> };
        vec![
            ui::strong(link.for_whom.as_str()),
            ui::two_lines(
                state.into_any(),
                view! { {if until > now.at { "runs out " } else { "ran out " }}{ui::ago(now, until)} }.into_any(),
            ),
            ui::two_lines(ui::text(link.made_by.as_str()), ui::ago(now, link.made_at)),
            revoke.into_any(),
        ]
    });
    view! {
        <Card title="Let the customer answer" lead=lead nostrip:action=make flush=true>
            <DataTable caption="Links to answer the intake" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

/// The section that a path names.
pub(super) fn named(key: &str) -> Result<&'static Section> {
    Section::of(key).ok_or(Error::NotFound("section"))
}

/// One section's form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(path): Path<Named>,
) -> Result<Response> {
    let section = named(&path.section)?;
    let room = Room::load(&app, &session, permit.tenant(), &path, &format!("/intake/{}", section.key)).await?;
    let answers = store::answers(&app.db, &permit, room.of.id).await?;
    Ok(shown(page(&room, section, &answers, None, &FieldErrors::new())))
}

/// Saves it, and goes on to the next.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<AnswerIntakes>,
    Path(path): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let section = named(&path.section)?;
    let room = Room::load(&app, &session, permit.tenant(), &path, &format!("/intake/{}", section.key)).await?;
    let mut errors = FieldErrors::new();
    if let Some(given) = read(section, &typed, &mut errors) {
        let seen = typed.text("seen");
        let saved = store::save_answers(&app.db, &app.clock, &permit, room.of.id, section, &seen, given);
        match saved.await {
            Ok(()) => {
                return Ok(Redirect::to(&onwards(&format!("{}/intake", room.here()), section, &typed)).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    let answers = store::answers(&app.db, &permit, room.of.id).await?;
    Ok(amiss(page(&room, section, &answers, Some(&typed), &errors)))
}

/// Where one goes from a section that is saved.
pub(super) fn onwards(base: &str, section: &Section, typed: &Typed) -> String {
    match (typed.text("then").as_str(), section.next()) {
        ("next", Some(next)) => format!("{base}/{}", next.key),
        ("next", None) => format!("{base}?done=finished"),
        _ => format!("{base}?done=saved"),
    }
}

fn page(room: &Room, section: &Section, answers: &[Answered], typed: Option<&Typed>, errors: &FieldErrors) -> String {
    let base = format!("{}/intake", room.here());
    let mut crumbs = room.crumbs(true);
    crumbs.push(ui::Crumb::new("Intake", base.as_str()));
    let body = view! {
        <PageHeader title=section.title lead=section.lead/>
        {form(&base, section, answers, typed, Some(room.of.details.system_kind), errors)}
    };
    ui::page(&room.frame, section.title, crumbs, body.into_any())
}

/// What was answered, if all of it can be.
pub(super) fn read(
    section: &'static Section,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Option<Vec<(&'static str, String)>> {
    let given = section.questions.iter().map(|asked| {
        let answer = errors.keep(asked.key, asked.read(&typed.text(asked.key)));
        answer.map(|answer| (asked.key, answer))
    });
    // every mistake is told at once
    given.collect::<Vec<_>>().into_iter().collect()
}

/// The form of a section. What is usual for the kind of system stands in it until somebody has answered.
pub(super) fn form(
    base: &str,
    section: &Section,
    answers: &[Answered],
    typed: Option<&Typed>,
    kind: Option<SystemKind>,
    errors: &FieldErrors,
) -> AnyView {
    let fields = section.questions.iter().map(|asked| {
        let stored = answers.iter().find(|one| one.question == asked.key);
        let usual = kind.and_then(|kind| templates::answer(kind, asked.key));
        let (value, hint) = match (typed, stored, usual) {
            (Some(typed), ..) => (typed.text(asked.key), asked.why.to_owned()),
            (None, Some(stored), _) => {
                (stored.answer.clone(), format!("{} Answered by {}.", asked.why, stored.answered_by))
            }
            (None, None, Some(usual)) => {
                let hint = format!("{} This is only what is usual: correct it, and save it.", asked.why);
                (usual.to_owned(), hint)
            }
            (None, None, None) => (String::new(), asked.why.to_owned()),
        };
        field(asked, value, hint, errors)
    });
    let fields = fields.collect_view();
    let seen = typed.filter(|_| errors.get("").is_none()).map(|typed| typed.text("seen"));
    let seen = seen.unwrap_or_else(|| store::fingerprint(section, answers));
    let next = if section.next().is_some() { "Save and go on" } else { "Save and finish" };
    view! {
        <Card>
            <PageForm action=format!("{base}/{}", section.key) errors=errors>
                <Hidden name="seen" value=seen/>
                {fields}
                <FormActions>
                    <Button tone=Tone::Primary name="then" value="next">{next}</Button>
                    <Button name="then" value="stay">"Save and go on later"</Button>
                    <LinkButton href=base.to_owned() tone=Tone::Quiet>"Back"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    }
    .into_any()
}

fn field(asked: &'static Asked, value: String, hint: String, errors: &FieldErrors) -> AnyView {
    let (name, label) = (asked.key, asked.text);
    match asked.kind {
        Kind::Line => {
            view! { <Field name=name label=label value=value hint=hint autocomplete="off" optional=true errors=errors/> }
                .into_any()
        }
        Kind::Text => {
            view! { <TextArea name=name label=label value=value hint=hint rows=4 optional=true errors=errors/> }.into_any()
        }
        Kind::Number(of) => {
            let label = format!("{label} ({of})");
            view! { <Field name=name label=label value=value hint=hint autocomplete="off" optional=true errors=errors/> }
                .into_any()
        }
        Kind::YesNo => {
            let choices = YES_NO.iter().map(|(word, reads)| Choice::new(*word, *reads)).collect();
            view! { <RadioRow name=name label=label choices=choices value=value hint=hint errors=errors/> }.into_any()
        }
        Kind::Choice(choices) => {
            let none = std::iter::once(Choice::new("", "Choose…"));
            let choices = none.chain(choices.iter().map(|(word, reads)| Choice::new(*word, *reads))).collect();
            view! { <Select name=name label=label choices=choices value=value hint=hint errors=errors/> }.into_any()
        }
    }
}
