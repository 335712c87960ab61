//! Links by which a customer answers an intake: made, shown this once or mailed, taken back.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, Session},
    error::Result,
    form::{Typed, amiss, shown},
    guests,
    intake::store::Answering,
    ui::{self, Card, FieldErrors, PageHeader},
};

/// What the pages are called.
const TITLE: &str = "Link for the customer";

/// Asks whom it is for.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/links").await?;
    Ok(shown(page(&room, &app, &Typed::default(), &FieldErrors::new())))
}

/// Makes it, and sends it or shows it this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/links").await?;
    let mut errors = FieldErrors::new();
    let made = guests::pages::make::<Answering>(
        &app,
        &permit,
        room.of.id.0,
        (room.frame.moment(), format!("{}/intake", room.here())),
        &typed,
        &mut errors,
    );
    if let Some(body) = made.await? {
        return Ok(shown(ui::page(&room.frame, TITLE, room.crumbs(true), body)));
    }
    Ok(amiss(page(&room, &app, &typed, &errors)))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    guests::store::revoke::<Answering>(&app.db, &app.clock, &permit, id.0, named.link()?).await?;
    let back = format!("{}/intake?done=revoked", crate::intake::address(permit.tenant(), id));
    Ok(Redirect::to(&back).into_response())
}

fn page(room: &Room, app: &App, typed: &Typed, errors: &FieldErrors) -> String {
    let here = room.here();
    let form =
        guests::pages::form::<Answering>(app, format!("{here}/links"), Some(format!("{here}/intake")), typed, errors);
    let body = view! {
        <PageHeader title=TITLE lead="Whoever has it can answer the questions of this intake, and see nothing else."/>
        <Card>{form}</Card>
    };
    ui::page(&room.frame, TITLE, room.crumbs(true), body.into_any())
}
