//! Links by which a customer answers a quotation: made, shown this once or mailed, taken back.
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
    intake::quotation::{Quotation, address, store::Offering},
    ui::{self, Card, FieldErrors, PageHeader},
};

/// What the pages are called.
const TITLE: &str = "Link to the quotation";

/// Asks whom it is for.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    Ok(shown(page(&room, &of, &app, &Typed::default(), &FieldErrors::new())))
}

/// Makes it, and sends it or shows it this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    let mut errors = FieldErrors::new();
    let made = guests::pages::make::<Offering>(
        &app,
        &permit,
        of.id.0,
        (room.frame.moment(), address(&of)),
        &typed,
        &mut errors,
    );
    if let Some(body) = made.await? {
        return Ok(shown(ui::page(&room.frame, TITLE, super::show::crumbs(&room, &of), body)));
    }
    Ok(amiss(page(&room, &of, &app, &typed, &errors)))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (_, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    guests::store::revoke::<Offering>(&app.db, &app.clock, &permit, of.id.0, named.link()?).await?;
    Ok(Redirect::to(&format!("{}?done=revoked", address(&of))).into_response())
}

fn page(room: &Room, of: &Quotation, app: &App, typed: &Typed, errors: &FieldErrors) -> String {
    let form = guests::pages::form::<Offering>(app, format!("{}/links", address(of)), Some(address(of)), typed, errors);
    let body = view! {
        <PageHeader title=TITLE lead="Whoever has it can see and answer this version, and sees nothing else."/>
        <Card>{form}</Card>
    };
    ui::page(&room.frame, TITLE, super::show::crumbs(room, of), body.into_any())
}
