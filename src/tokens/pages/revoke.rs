//! Revoking a token: for ever, so its name has to be typed.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address, crumbs};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    form::{Typed, amiss, shown},
    tenants,
    tokens::{self, State as Standing, Token},
    ui::{self, Confirm, FieldErrors, Frame, Section},
};

/// Asks, and says what it means.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    if token.state(frame.now) == Standing::Revoked {
        return Ok(Redirect::to(&format!("{}?done=revoked", address(&token))).into_response());
    }
    Ok(shown(page(&frame, &token, &FieldErrors::new())))
}

/// Revokes it, when its name was typed.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    if typed.text("typed_name").trim() != token.details.name.as_str() {
        let mut errors = FieldErrors::new();
        errors.push("typed_name", format!("Type the name of the token: {}", token.details.name));
        return Ok(amiss(page(&frame, &token, &errors)));
    }
    tokens::revoke(&app.db, &app.clock, &permit, token.id).await?;
    Ok(Redirect::to(&format!("{}?done=revoked", address(&token))).into_response())
}

async fn load(app: &App, session: &Session, permit: &Permit<Configure>, named: &Named) -> Result<(Frame, Token)> {
    let tenant = permit.tenant();
    let token = tokens::get(&app.db, &session.permit::<ReadConfiguration>(tenant)?, named.id()?).await?;
    let path = format!("{}/revoke", address(&token));
    Ok((tenants::frame(app, session, Some(tenant), Section::Tokens, path).await?, token))
}

fn page(frame: &Frame, token: &Token, errors: &FieldErrors) -> String {
    let here = address(token);
    let name = token.details.name.as_str();
    let used = token.last_used_at.map_or_else(
        || ("Never used".to_owned(), "so far".to_owned()),
        |at| ("Last used".to_owned(), ui::format::relative(frame.now, at)),
    );
    let scope = match &token.details.event_types {
        None => ("All".to_owned(), "event types can be sent with it".to_owned()),
        Some(types) if types.len() == 1 => ("1".to_owned(), "event type can be sent with it".to_owned()),
        Some(types) => (types.len().to_string(), "event types can be sent with it".to_owned()),
    };
    let consequence = format!(
        "Within a second, whoever sends with {}… is refused with 401. It cannot be undone: the sender needs a new token.",
        token.prefix
    );
    let body = view! {
        <Confirm
            title=format!("Revoke the token {name}")
            consequence=consequence
            impact=vec![used, scope]
            type_name=name.to_owned()
            verb="Revoke token"
            action=format!("{here}/revoke")
            cancel=here
            errors=errors
        />
    };
    ui::page(frame, "Revoke token", crumbs(frame, Some(token)), body.into_any())
}
