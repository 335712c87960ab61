//! The pages of sources: the list, one of them with its proof, a window with its evidence, a form that can be tried
//! out, and what can be done to them.
mod act;
mod backfill;
mod form;
mod ledger;
mod list;
mod show;
mod strip;
mod timeline;
mod token;
mod window;
mod words;

use axum::{
    Router,
    routing::{get, post},
};
use serde::Deserialize;

use super::Source;
use crate::{
    app::App,
    error::{Error, Result},
    ids::{SourceId, WindowId},
    ui::{Crumb, Frame},
};

pub(crate) use form::asking;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/sources", get(list::show))
        .route("/tenants/{tenant}/sources/new", get(form::ask).post(form::submit))
        .route("/tenants/{tenant}/sources/import", get(form::ask_import).post(form::import))
        .route("/tenants/{tenant}/sources/{source}", get(show::show))
        .route("/tenants/{tenant}/sources/{source}/edit", get(form::ask_edit).post(form::edit))
        .route("/tenants/{tenant}/sources/{source}/file", get(act::file))
        .route("/tenants/{tenant}/sources/{source}/token", get(token::ask).post(token::submit))
        .route("/tenants/{tenant}/sources/{source}/pause", post(act::pause))
        .route("/tenants/{tenant}/sources/{source}/resume", post(act::resume))
        .route("/tenants/{tenant}/sources/{source}/run", post(act::run))
        .route("/tenants/{tenant}/sources/{source}/reconcile", post(act::reconcile))
        .route("/tenants/{tenant}/sources/{source}/backfill", get(backfill::ask).post(backfill::submit))
        .route("/tenants/{tenant}/sources/{source}/remove", get(act::ask_remove).post(act::remove))
        .route("/tenants/{tenant}/sources/{source}/windows/{window}", get(window::show))
        .route("/tenants/{tenant}/sources/{source}/windows/{window}/read-again", post(window::read_again))
}

/// What a path names.
#[derive(Debug, Deserialize)]
struct Named {
    source: String,
    window: Option<String>,
}

impl Named {
    fn id(&self) -> Result<SourceId> {
        self.source.parse().map_err(|_| Error::NotFound("source"))
    }

    fn window(&self) -> Result<WindowId> {
        self.window.as_deref().and_then(|id| id.parse().ok()).ok_or(Error::NotFound("window"))
    }
}

/// The way to the list, and to the source that a page is about.
fn crumbs(frame: &Frame, source: Option<&Source>) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    if let Some(tenant) = &frame.tenant {
        let base = format!("/tenants/{}", tenant.id);
        crumbs.push(Crumb::new(&tenant.name, base.clone()));
        crumbs.push(Crumb::new("Sources", format!("{base}/sources")));
    }
    crumbs.extend(source.map(|source| Crumb::new(source.name.clone(), words::address(source))));
    crumbs
}
