//! The pages of event types: the list, the form, one's own page with what a sender needs, and switching it off.
mod contract;
mod edit;
mod list;
mod show;
mod switch;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    app::App,
    error::{Error, Result},
    ids::{EventTypeId, TenantId},
    ui::{self, Badge},
};
pub use show::curl;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/event-types", get(list::show))
        .route("/tenants/{tenant}/event-types/new", get(edit::new).post(edit::create))
        .route("/tenants/{tenant}/event-types/{event_type}", get(show::show))
        .route("/tenants/{tenant}/event-types/{event_type}/edit", get(edit::edit).post(edit::save))
        .route("/tenants/{tenant}/event-types/{event_type}/disable", get(switch::ask).post(switch::disable))
        .route("/tenants/{tenant}/event-types/{event_type}/enable", post(switch::enable))
        .merge(contract::routes())
}

/// The event type that a path names.
#[derive(Debug, Deserialize)]
struct Named {
    event_type: String,
}

impl Named {
    fn id(&self) -> Result<EventTypeId> {
        self.event_type.parse().map_err(|_| Error::NotFound("event type"))
    }
}

/// The page of an event type.
fn address(tenant: TenantId, id: EventTypeId) -> String {
    format!("/tenants/{tenant}/event-types/{id}")
}

fn state(enabled: bool) -> AnyView {
    let (state, word) = if enabled { (ui::State::Ok, "enabled") } else { (ui::State::Warning, "disabled") };
    view! { <Badge state=state word=word/> }.into_any()
}
