//! The pages of tokens: the list, a new one with its secret shown once, and revoking.
mod list;
mod new;
mod revoke;
#[cfg(test)]
mod tests;

use axum::{Router, routing::get};

use crate::app::App;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/tokens", get(list::show))
        .route("/tenants/{tenant}/tokens/new", get(new::ask).post(new::create))
        .route("/tenants/{tenant}/tokens/{token}/revoke", get(revoke::ask).post(revoke::submit))
}
