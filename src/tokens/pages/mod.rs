//! The pages of tokens: the list, one of them, a new one with its secret shown once, and what can be done to it.
mod edit;
mod form;
mod list;
mod new;
mod overlap;
mod revoke;
mod roll;
mod show;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use axum::{Router, routing::get};
use leptos::prelude::*;
use serde::Deserialize;

use super::{State as Standing, Token, Warning};
use crate::{
    app::App,
    error::{Error, Result},
    ids::{EventTypeId, TokenId},
    ui::{self, Badge, Crumb, Frame},
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/tokens", get(list::show))
        .route("/tenants/{tenant}/tokens/new", get(new::ask).post(new::create))
        .route("/tenants/{tenant}/tokens/{token}", get(show::show))
        .route("/tenants/{tenant}/tokens/{token}/edit", get(edit::ask).post(edit::submit))
        .route("/tenants/{tenant}/tokens/{token}/roll", get(roll::ask).post(roll::submit))
        .route("/tenants/{tenant}/tokens/{token}/overlap", get(overlap::ask).post(overlap::submit))
        .route("/tenants/{tenant}/tokens/{token}/revoke", get(revoke::ask).post(revoke::submit))
}

/// The token that a path names.
#[derive(Debug, Deserialize)]
struct Named {
    token: String,
}

impl Named {
    fn id(&self) -> Result<TokenId> {
        self.token.parse().map_err(|_| Error::NotFound("token"))
    }
}

/// The address of a token's page.
fn address(token: &Token) -> String {
    format!("/tenants/{}/tokens/{}", token.tenant_id, token.id)
}

/// The way to the list, and to the token that a page is about.
fn crumbs(frame: &Frame, token: Option<&Token>) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    if let Some(tenant) = &frame.tenant {
        let base = format!("/tenants/{}", tenant.id);
        crumbs.push(Crumb::new(&tenant.name, base.clone()));
        crumbs.push(Crumb::new("Tokens", format!("{base}/tokens")));
    }
    crumbs.extend(token.map(|token| Crumb::new(token.details.name.to_string(), address(token))));
    crumbs
}

/// Whether it works, and for how long when its days are counted.
fn state(frame: &Frame, token: &Token) -> AnyView {
    let state = token.state(frame.now);
    let (colour, word) = match state {
        Standing::Active if token.overlaps(frame.now) => (ui::State::Warning, "being replaced"),
        Standing::Active => (ui::State::Ok, state.word()),
        Standing::Expired => (ui::State::Warning, state.word()),
        Standing::Replaced | Standing::Revoked => (ui::State::Neutral, state.word()),
    };
    view! { <Badge state=colour word=word/> }.into_any()
}

/// How bad a warning is.
fn mood(warning: &Warning) -> ui::State {
    if warning.is_urgent() { ui::State::Error } else { ui::State::Warning }
}

/// The event types that a token is good for, by name.
fn types_of(token: &Token, names: &HashMap<EventTypeId, String>) -> String {
    match &token.details.event_types {
        None => "all event types".to_owned(),
        Some(types) => {
            let known = types.iter().map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string()));
            known.collect::<Vec<_>>().join(", ")
        }
    }
}
