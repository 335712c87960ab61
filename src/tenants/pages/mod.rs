//! The pages of tenants: the list, a new one, one's overview and its settings.
mod list;
mod overview;
mod retention;
mod settings;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;
pub use list::state;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants", get(list::show))
        .route("/tenants/new", get(list::new).post(list::create))
        .route("/tenants/{tenant}", get(overview::show))
        .route("/tenants/{tenant}/settings", get(settings::show).post(settings::save))
        .route("/tenants/{tenant}/retention", get(retention::ask).post(retention::save))
        .route("/tenants/{tenant}/disable", get(settings::ask_disable).post(settings::disable))
        .route("/tenants/{tenant}/enable", post(settings::enable))
}
