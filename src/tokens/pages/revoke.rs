//! Revoking a token: for ever, so its name has to be typed.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    ids::TokenId,
    tenants,
    tokens::{self, State as Standing, Token},
    ui::{self, Confirm, Crumb, FieldErrors, Frame, Section},
};

/// The token that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    token: String,
}

impl Named {
    fn id(&self) -> Result<TokenId> {
        self.token.parse().map_err(|_| Error::NotFound("token"))
    }
}

/// Asks, and says what it means.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    if token.state(frame.now) == Standing::Revoked {
        return Ok(Redirect::to(&format!("/tenants/{}/tokens?done=revoked", token.tenant_id)).into_response());
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
    Ok(Redirect::to(&format!("/tenants/{}/tokens?done=revoked", token.tenant_id)).into_response())
}

async fn load(app: &App, session: &Session, permit: &Permit<Configure>, named: &Named) -> Result<(Frame, Token)> {
    let tenant = permit.tenant();
    let token = tokens::get(&app.db, &session.permit::<ReadConfiguration>(tenant)?, named.id()?).await?;
    let path = format!("/tenants/{tenant}/tokens/{}/revoke", token.id);
    Ok((tenants::frame(app, session, Some(tenant), Section::Tokens, path).await?, token))
}

fn page(frame: &Frame, token: &Token, errors: &FieldErrors) -> String {
    let list = format!("/tenants/{}/tokens", token.tenant_id);
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
            action=format!("{list}/{}/revoke", token.id)
            cancel=list.clone()
            errors=errors
        />
    };
    let tenant = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    let crumbs = tenant.chain([Crumb::new("Tokens", list.clone())]).collect();
    ui::page(frame, "Revoke token", crumbs, body.into_any())
}
