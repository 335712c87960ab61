//! Home: what needs attention, over all tenants, and how each of them fares.
mod needs;
mod page;
mod turns;

use axum::{Router, routing::get};

use crate::app::App;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/", get(page::show))
}
