//! The pages of quotations: versions of an integration, one of them with what the staff does to it, its forms, and what
//! the customer sees, by a link or signed in.
mod edit;
mod guest;
mod line;
mod links;
mod list;
mod portal;
mod sheet;
mod show;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    error::{Error, Result},
    guests::gate::{door, enter},
    ids::QuotationId,
    intake::quotation::{
        Quotation, State,
        store::{Files, Offering},
    },
    ui::{Badge, State as Mood},
};

/// The routes of quotations.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/integrations/{integration}/quotations", get(list::show).post(list::begin))
        .route("/tenants/{tenant}/integrations/{integration}/quotations/{quotation}", get(show::show).post(show::act))
        .route(
            "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/edit",
            get(edit::ask).post(edit::save),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/lines/{line}",
            get(line::ask).post(line::save),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/links",
            get(links::ask).post(links::make),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/links/{link}/revoke",
            post(links::revoke),
        )
        .route("/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/files/{file}", get(show::file))
        .route("/tenants/{tenant}/quotations", get(portal::all))
        .route("/tenants/{tenant}/quotations/{quotation}", get(portal::show).post(portal::answer))
        .route("/tenants/{tenant}/quotations/{quotation}/files/{file}", get(portal::file))
        .route("/quotation", get(door::<Offering>).post(enter::<Offering>))
        .route("/quotation/offer", get(guest::show).post(guest::answer))
        .route("/quotation/offer/files/{file}", get(guest::file))
}

impl Named {
    fn quotation(&self) -> Result<QuotationId> {
        self.quotation.parse().map_err(|_| Error::NotFound("quotation"))
    }
}

/// Where a version stands, as a badge.
fn badge(state: State) -> AnyView {
    let mood = match state {
        State::Accepted => Mood::Ok,
        State::Declined => Mood::Error,
        State::Awaiting | State::Expired => Mood::Warning,
        State::Draft | State::Approved | State::Sent | State::Viewed => {
            return crate::ui::progress_badge(state.title());
        }
        State::Withdrawn => Mood::Neutral,
    };
    view! { <Badge state=mood word=state.title()/> }.into_any()
}

/// What was sent, as a file; always one to be kept.
fn download(of: &Quotation, files: Files, file: &str) -> Result<Response> {
    let (bytes, kind, ending) = match file {
        "pdf" => (files.pdf, "application/pdf", "pdf"),
        "json" => (files.document.into_bytes(), "application/json", "json"),
        _ => return Err(Error::NotFound("file")),
    };
    let name = format!("attachment; filename=\"quotation-{}-version-{}.{ending}\"", of.id, of.number);
    let disposition = HeaderValue::from_str(&name).map_err(Error::internal)?;
    let mut answer = ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], bytes).into_response();
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(answer)
}
