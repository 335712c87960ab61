//! The pages of the audit trail: of one tenant, and of the whole installation; each can be taken away as a file.
mod export;
mod list;
mod table;
#[cfg(test)]
mod tests;

use axum::{Router, routing::get};

use crate::app::App;
pub use table::{Names, history};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/audit", get(list::of_all))
        .route("/audit/export", get(export::of_all))
        .route("/tenants/{tenant}/audit", get(list::of_tenant))
        .route("/tenants/{tenant}/audit/export", get(export::of_tenant))
}
