//! What can be done to a source: pausing and resuming, running now, taking its file away, and removing it.
use axum::{
    Form,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, crumbs, words};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    polling::{
        Source,
        store::{self, change},
    },
    tenants,
    ui::{self, Confirm, FieldErrors, Frame, Section},
};

fn back(source: &Source, done: &str) -> Response {
    Redirect::to(&format!("{}?done={done}", words::address(source))).into_response()
}

/// Pauses it.
pub(super) async fn pause(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = change::pause(&app.db, &app.clock, &permit, named.id()?).await?;
    Ok(back(&source, "paused"))
}

/// Sets it going again, whatever had stopped it.
pub(super) async fn resume(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = change::resume(&app.db, &app.clock, &permit, named.id()?).await?;
    Ok(back(&source, "resumed"))
}

/// Has it asked up to the present.
pub(super) async fn run(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = change::run_now(&app.db, &app.clock, &permit, named.id()?).await?;
    Ok(back(&source, "run"))
}

/// Turns the reading of closed windows on and off.
pub(super) async fn reconcile(
    State(app): State<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let on = typed.text("checks") == "on";
    let source = change::set_reconcile(&app.db, &app.clock, &permit, named.id()?, on).await?;
    Ok(back(&source, if on { "checks-on" } else { "checks-off" }))
}

/// Its SOURCE.json, without the token.
pub(super) async fn file(
    State(app): State<App>,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let value: serde_json::Value = serde_json::from_str(&source.definition).map_err(Error::internal)?;
    let text = serde_json::to_string_pretty(&value).map_err(Error::internal)? + "\n";
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"source-{}.json\"", source.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, text).into_response())
}

/// Asks before it is removed.
pub(super) async fn ask_remove(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let frame = frame(&app, &session, &source).await?;
    Ok(shown(removal(&frame, &source, &FieldErrors::new())))
}

/// Removes it, when its name was typed.
pub(super) async fn remove(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    if typed.text("typed_name").trim() != source.name.trim() {
        let mut errors = FieldErrors::new();
        errors.push("typed_name", format!("Type the name of the source: {}", source.name));
        let frame = frame(&app, &session, &source).await?;
        return Ok(amiss(removal(&frame, &source, &errors)));
    }
    change::remove(&app.db, &app.clock, &permit, source.id).await?;
    Ok(Redirect::to(&format!("/tenants/{}/sources?done=removed", source.tenant)).into_response())
}

async fn frame(app: &App, session: &Session, source: &Source) -> Result<Frame> {
    let path = format!("{}/remove", words::address(source));
    tenants::frame(app, session, Some(source.tenant), Section::Sources, path).await
}

fn removal(frame: &Frame, source: &Source, errors: &FieldErrors) -> String {
    let here = words::address(source);
    let body = view! {
        <Confirm
            title=format!("Remove the source {}", source.name)
            consequence="It is asked no more, and its token is forgotten. Its events stay, and so does what tells where they came from. To stop for a while, pause it instead."
            type_name=source.name.clone()
            verb="Remove source"
            action=format!("{here}/remove")
            cancel=here
            errors=errors
        />
    };
    ui::page(frame, "Remove source", crumbs(frame, Some(source)), body.into_any())
}
