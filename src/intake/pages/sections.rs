//! The questions of an intake as consultants and managers see them, with the links by which a customer answers.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, questionnaire};
use crate::{
    app::App,
    auth::{AnswerIntakes, Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    guests::{self, Link},
    intake::{
        questions::Section,
        store::{self, Answered, Answering},
    },
    ui::{self, Card, FieldErrors, Icon, LinkButton, PageHeader},
};

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
    let links = guests::store::links::<Answering>(&app.db, &permit, room.of.id.0).await?;
    let may_run = session.permit::<RunIntakes>(permit.tenant()).is_ok();
    let base = format!("{}/intake", room.here());
    let open = room.of.stage.is_open();
    let main = view! {
        <PageHeader title=format!("Intake of {}", room.of.details.name) lead="Six sections; each is saved by itself, in any order.">
            {ui::guide("intake", "What an intake needs")}
        </PageHeader>
        {room.tabs("/intake")}
        {questionnaire::overview(&base, &answers, room.frame.moment())}
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
    let revoke = format!("{here}/links");
    let table =
        guests::pages::table("Links to answer the intake", links, may.then_some(revoke.as_str()), room.frame.moment());
    let flush = table.is_some();
    let content = table.unwrap_or_else(|| view! { <p>{ui::muted("No link was made yet.")}</p> }.into_any());
    view! { <Card title="Let the customer answer" lead=lead nostrip:action=make flush=flush>{content}</Card> }
        .into_any()
}

/// One section's form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(path): Path<Named>,
) -> Result<Response> {
    let section = questionnaire::named(&path.section)?;
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
    let section = questionnaire::named(&path.section)?;
    let room = Room::load(&app, &session, permit.tenant(), &path, &format!("/intake/{}", section.key)).await?;
    let mut errors = FieldErrors::new();
    let base = format!("{}/intake", room.here());
    if let Some(to) = questionnaire::save(&app, &permit, room.of.id, section, &base, &typed, &mut errors).await? {
        return Ok(Redirect::to(&to).into_response());
    }
    let answers = store::answers(&app.db, &permit, room.of.id).await?;
    Ok(amiss(page(&room, section, &answers, Some(&typed), &errors)))
}

fn page(room: &Room, section: &Section, answers: &[Answered], typed: Option<&Typed>, errors: &FieldErrors) -> String {
    let base = format!("{}/intake", room.here());
    let mut crumbs = room.crumbs(true);
    crumbs.push(ui::Crumb::new("Intake", base.as_str()));
    let body = view! {
        <PageHeader title=section.title lead=section.lead/>
        {questionnaire::form(&base, &room.of, section, answers, typed, errors)}
    };
    ui::page(&room.frame, section.title, crumbs, body.into_any())
}
