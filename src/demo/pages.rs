//! The page that removes the demo.
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;

use super::{NAME, TENANT, erase, impact};
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

async fn ask(State(app): State<App>, session: Session, grant: Grant<Administer>) -> Result<Response> {
    Ok(shown(page(&app, &session, &grant, &FieldErrors::new()).await?))
}

async fn page(app: &App, session: &Session, grant: &Grant<Administer>, errors: &FieldErrors) -> Result<String> {
    let tenant = match tenants::get(&app.db, &session.permit::<See>(TENANT)?).await {
        Err(Error::NotFound(_)) => return Err(Error::NotFound("demo")),
        other => other?,
    };
    let frame = tenants::frame(app, session, Some(TENANT), Section::Settings, "/demo/remove").await?;
    let held = impact(&app.db, grant).await?;
    let mut impact = vec![
        (ui::format::count(held.events.unsigned_abs()), "events are deleted".to_owned()),
        (held.event_types.to_string(), "event types and their contracts".to_owned()),
        (held.tokens.to_string(), "tokens: whoever still sends with one is refused".to_owned()),
    ];
    if !held.people.is_empty() {
        let whose = format!("accounts that see nothing but the demo: {}", held.people.join(", "));
        impact.push((held.people.len().to_string(), whose));
    }
    let body = view! {
        <Confirm
            title="Remove the demo"
            consequence="It is deleted for good; tributary demo fills it again. The audit trail keeps that it was there."
            impact=impact
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
        return Ok(amiss(page(&app, &session, &grant, &errors).await?));
    }
    // it goes on when the browser goes away
    let (db, clock) = (app.db.clone(), app.clock.clone());
    let removing = tokio::spawn(async move { erase(&db, &clock, &grant).await });
    removing.await.map_err(|join| Error::internal(anyhow::Error::new(join)))??;
    Ok(Redirect::to("/tenants?done=demo-removed").into_response())
}
