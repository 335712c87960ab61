//! The pages of event types: the list, the form, one's own page with what a sender needs, and switching it off.
mod contract;
mod copy;
mod difference;
mod edit;
mod list;
mod review;
mod show;
mod switch;
mod test_event;
#[cfg(test)]
mod tests;
mod tried;
mod versions;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    app::App,
    error::{Error, Result},
    event_types::EventType,
    ids::{EventTypeId, TenantId},
    ui::{self, Badge, Crumb, Frame},
};
pub use show::curl;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/event-types", get(list::show))
        .route("/tenants/{tenant}/event-types/{event_type}", get(show::show))
        .route("/tenants/{tenant}/event-types/{event_type}/edit", get(edit::edit).post(edit::save))
        .route("/tenants/{tenant}/event-types/{event_type}/disable", get(switch::ask).post(switch::disable))
        .route("/tenants/{tenant}/event-types/{event_type}/enable", post(switch::enable))
        .merge(contract::routes())
        .route("/tenants/{tenant}/event-types/{event_type}/copy", get(copy::ask).post(copy::copy))
        .route("/tenants/{tenant}/event-types/{event_type}/test", get(test_event::ask).post(test_event::send))
        .route("/tenants/{tenant}/event-types/{event_type}/contract/review", get(review::show).post(review::activate))
        .route(
            "/tenants/{tenant}/event-types/{event_type}/contract/discard",
            get(review::ask_discard).post(review::discard),
        )
        .route("/tenants/{tenant}/event-types/{event_type}/contract/versions", get(versions::list))
        .route("/tenants/{tenant}/event-types/{event_type}/contract/versions/{version}", get(versions::one))
        .route(
            "/tenants/{tenant}/event-types/{event_type}/contract/versions/{version}/roll-back",
            get(versions::ask).post(versions::roll_back),
        )
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

/// The way to a page below that of an event type.
fn crumbs(frame: &Frame, event_type: &EventType) -> Vec<Crumb> {
    let (tenant, id) = (event_type.tenant_id, event_type.id);
    let mut crumbs: Vec<_> =
        frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
    crumbs.push(Crumb::new("Event types", format!("/tenants/{tenant}/event-types")));
    crumbs.push(Crumb::new(event_type.details.name.as_str(), address(tenant, id)));
    crumbs
}

fn state(enabled: bool) -> AnyView {
    let (state, word) = if enabled { (ui::State::Ok, "enabled") } else { (ui::State::Warning, "disabled") };
    view! { <Badge state=state word=word/> }.into_any()
}
