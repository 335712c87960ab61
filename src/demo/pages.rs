//! The page that removes the demo.
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;

use super::{NAME, TENANT, erase};
use crate::{
    app::App,
    auth::{Administer, Grant, See, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    tenants,
    ui::{self, Confirm, Crumb, FieldErrors, Section},
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/demo/remove", get(ask).post(remove))
}

async fn ask(State(app): State<App>, session: Session, _grant: Grant<Administer>) -> Result<Response> {
    Ok(shown(page(&app, &session, &FieldErrors::new()).await?))
}

async fn page(app: &App, session: &Session, errors: &FieldErrors) -> Result<String> {
    let tenant = match tenants::get(&app.db, &session.permit::<See>(TENANT)?).await {
        Err(Error::NotFound(_)) => return Err(Error::NotFound("demo")),
        other => other?,
    };
    let frame = tenants::frame(app, session, Some(TENANT), Section::Settings, "/demo/remove").await?;
    let body = view! {
        <Confirm
            title="Remove the demo"
            consequence="All of its events, tokens, event types and people's access are deleted for good. Nobody real loses anything: it is invented. The audit trail keeps that it was there, and tributary demo fills it again."
            type_name=NAME
            verb="Remove the demo"
            action="/demo/remove"
            cancel=format!("/tenants/{TENANT}/settings")
            errors=errors
        />
    };
    let crumbs = vec![
        Crumb::new(tenant.name.as_str(), format!("/tenants/{TENANT}")),
        Crumb::new("Settings", format!("/tenants/{TENANT}/settings")),
    ];
    Ok(ui::page(&frame, "Remove the demo", crumbs, body.into_any()))
}

async fn remove(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    if typed.text("typed_name").trim() != NAME {
        let mut errors = FieldErrors::new();
        errors.push("typed_name", format!("type {NAME} to confirm"));
        return Ok(amiss(page(&app, &session, &errors).await?));
    }
    // it goes on when the browser goes away
    let (db, clock) = (app.db.clone(), app.clock.clone());
    let removing = tokio::spawn(async move { erase(&db, &clock, &grant).await });
    removing.await.map_err(|join| Error::internal(anyhow::Error::new(join)))??;
    Ok(Redirect::to("/tenants").into_response())
}
