//! The questions of one intake as a customer sees and answers them who came by a link.
use axum::{
    Form,
    extract::{FromRequestParts, Path, Query, State},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::questionnaire;
use crate::{
    app::App,
    auth::{AnswerIntakes, Permit},
    error::Result,
    form::{Done, Typed, amiss, shown},
    guests::{
        self, Place,
        gate::{NoGuest, frame},
    },
    ids::IntegrationId,
    intake::{
        Integration,
        questions::Section as Questions,
        store::{self, Answered, Answering},
    },
    ui::{self, FieldErrors, PageHeader},
};

/// Where they stand.
const BASE: &str = Answering::DOOR.inside;

/// Somebody who came by a link, with the one intake they may answer.
pub(super) struct Guest {
    permit: Permit<AnswerIntakes>,
    who: String,
    of: Integration,
}

impl FromRequestParts<App> for Guest {
    type Rejection = NoGuest;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoGuest> {
        let guests::Guest { permit, subject, who, .. } =
            guests::Guest::<Answering>::from_request_parts(parts, app).await?;
        let of = store::get(&app.db, &permit, IntegrationId(subject)).await?;
        Ok(Self { permit, who, of })
    }
}

/// Shows all sections.
pub(super) async fn all(State(app): State<App>, guest: Guest, Query(done): Query<Done>) -> Result<Response> {
    let mut frame = frame(&app, BASE);
    frame.notice = questionnaire::thanks(&done);
    let answers = store::answers(&app.db, &guest.permit, guest.of.id).await?;
    let lead =
        format!("Questions about {}, for {}. Skip what you do not know.", guest.of.details.system_name, guest.who);
    let body = view! {
        <PageHeader title=guest.of.details.name.as_str() lead=lead/>
        {questionnaire::overview(BASE, &answers, frame.moment())}
        <p>{ui::link("/guide/customers", "What happens with the answers")}</p>
    };
    Ok(shown(ui::page(&frame, "Questions", Vec::new(), body.into_any())))
}

/// One section's form.
pub(super) async fn ask(State(app): State<App>, guest: Guest, Path(path): Path<Part>) -> Result<Response> {
    let section = questionnaire::named(&path.section)?;
    let answers = store::answers(&app.db, &guest.permit, guest.of.id).await?;
    Ok(shown(page(&app, &guest, section, &answers, None, &FieldErrors::new())))
}

/// Which section a path names.
#[derive(Deserialize)]
pub(super) struct Part {
    section: String,
}

/// Saves it, and goes on to the next.
pub(super) async fn save(
    State(app): State<App>,
    guest: Guest,
    Path(path): Path<Part>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let section = questionnaire::named(&path.section)?;
    let mut errors = FieldErrors::new();
    if let Some(to) = questionnaire::save(&app, &guest.permit, guest.of.id, section, BASE, &typed, &mut errors).await? {
        return Ok(Redirect::to(&to).into_response());
    }
    let answers = store::answers(&app.db, &guest.permit, guest.of.id).await?;
    Ok(amiss(page(&app, &guest, section, &answers, Some(&typed), &errors)))
}

fn page(
    app: &App,
    guest: &Guest,
    section: &Questions,
    answers: &[Answered],
    typed: Option<&Typed>,
    errors: &FieldErrors,
) -> String {
    let frame = frame(app, format!("{BASE}/{}", section.key));
    let crumbs = vec![ui::Crumb::new(guest.of.details.name.as_str(), BASE)];
    let body = view! {
        <PageHeader title=section.title lead=section.lead/>
        {questionnaire::form(BASE, &guest.of, section, answers, typed, errors)}
    };
    ui::page(&frame, section.title, crumbs, body.into_any())
}
