//! One version of a quotation as a customer sees and answers it who came by a link.
use axum::{
    Form,
    extract::{FromRequestParts, Path, Query, State},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{download, portal};
use crate::{
    app::App,
    auth::{AnswerQuotations, Permit},
    error::Result,
    form::{Done, Typed, amiss, shown},
    guests::{
        self, Place,
        gate::{NoGuest, frame},
    },
    ids::QuotationId,
    intake::quotation::{
        Quotation,
        store::{self, Offering},
    },
    ui::{self, FieldErrors},
};

/// Where it is shown.
const OFFER: &str = Offering::DOOR.inside;

/// Somebody who came by a link, with the one version that they may answer.
pub(super) struct Guest {
    permit: Permit<AnswerQuotations>,
    of: Quotation,
}

impl FromRequestParts<App> for Guest {
    type Rejection = NoGuest;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoGuest> {
        let guest = guests::Guest::<Offering>::from_request_parts(parts, app).await?;
        let of = store::get(&app.db, &guest.permit, QuotationId(guest.subject)).await?;
        Ok(Self { permit: guest.permit, of })
    }
}

/// Shows the version; looking at it is written down.
pub(super) async fn show(State(app): State<App>, guest: Guest, Query(done): Query<Done>) -> Result<Response> {
    store::view(&app.db, &app.clock, &guest.permit, guest.of.id).await?;
    let of = store::get(&app.db, &guest.permit, guest.of.id).await?;
    Ok(shown(page(&app, &of, &done, &Typed::default(), &FieldErrors::new())))
}

/// Accepts or declines it.
pub(super) async fn answer(State(app): State<App>, guest: Guest, Form(typed): Form<Typed>) -> Result<Response> {
    let mut errors = FieldErrors::new();
    if let Some(word) = portal::take(&app, &guest.permit, &guest.of, &typed, &mut errors).await? {
        return Ok(Redirect::to(&format!("{OFFER}?done={word}")).into_response());
    }
    let of = store::get(&app.db, &guest.permit, guest.of.id).await?;
    Ok(amiss(page(&app, &of, &Done::default(), &typed, &errors)))
}

/// What was sent, as a file.
pub(super) async fn file(State(app): State<App>, guest: Guest, Path(named): Path<Filed>) -> Result<Response> {
    download(&guest.of, store::files(&app.db, &guest.permit, guest.of.id).await?, &named.file)
}

/// Which file a path names.
#[derive(Deserialize)]
pub(super) struct Filed {
    file: String,
}

fn page(app: &App, of: &Quotation, done: &Done, typed: &Typed, errors: &FieldErrors) -> String {
    let mut frame = frame(app, OFFER);
    frame.notice = portal::thanks(done);
    let body = portal::offer(of, OFFER, true, &frame, typed, errors);
    ui::page(&frame, &of.content.title, Vec::new(), body)
}
