//! What a customer sees who comes by a link: a button, behind it one quotation, and nothing else. The link is followed as
//! often as somebody likes, by scanners too; only the button uses it up. Whatever is the matter with one that does not
//! work, the page is the same, and tells a stranger nothing.
use axum::{
    Form,
    extract::{FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{download, portal};
use crate::{
    app::App,
    auth::{session::named_cookie, store::Origin},
    crypto::Secret,
    error::Result,
    form::{Done, Typed, amiss, html, shown},
    intake::{
        pages::guest::{NoGuest, frame},
        quotation::{
            Quotation,
            store::{self, Door},
        },
    },
    ui::{self, Button, FieldErrors, Form as PageForm, FormActions, Hidden, LinkButton, PageHeader, Tone},
};

/// Where it is shown.
const OFFER: &str = "/quotation/offer";

/// What the page behind a link is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    token: String,
}

/// The name of the cookie. Over https, the prefix makes browsers insist that no other host has set it.
fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-tributary-quotation" } else { "tributary-quotation" }
}

/// Shows the button.
pub(super) async fn door(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let token = Secret::given(asked.token);
    if !store::works(&app.db, &app.clock, &token).await? {
        return Ok(useless(&app));
    }
    let body = view! {
        <PageHeader title="A quotation for you" lead="You were sent this link to look at a quotation, and to accept or decline it."/>
        <p>"The link can be used once. Then you can come back with this browser for 30 days."</p>
        <PageForm action="/quotation">
            <Hidden name="token" value=token.reveal()/>
            <FormActions><Button tone=Tone::Primary>"Show the quotation"</Button></FormActions>
        </PageForm>
    };
    Ok(html(StatusCode::OK, ui::plain_page(&frame(&app, "/quotation"), "Quotation", body.into_any())))
}

/// Uses the link up, and begins a session that is good for its version alone.
pub(super) async fn enter(State(app): State<App>, origin: Origin, Form(typed): Form<Asked>) -> Result<Response> {
    let token = Secret::given(typed.token);
    let Some(session) = store::open_link(&app.db, &app.clock, &token, &origin).await? else { return Ok(useless(&app)) };
    let (name, secure) = (cookie_name(app.is_https()), if app.is_https() { "; Secure" } else { "" });
    let cookie = format!("{name}={}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax{secure}", session.reveal());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(OFFER)).into_response())
}

/// The link does not work: what to do instead, and nothing about why.
fn useless(app: &App) -> Response {
    let body = view! {
        <PageHeader title="This link does not work" lead="It may have been used, taken back, or be too old."/>
        <p>"If you have opened it already, go on in the browser that you opened it in. Otherwise ask whoever sent it for a new one."</p>
        <ui::Row><LinkButton href=OFFER>"Go on where I was"</LinkButton></ui::Row>
    };
    html(StatusCode::GONE, ui::plain_page(&frame(app, "/quotation"), "Link does not work", body.into_any()))
}

/// Somebody who came by a link, with the one version that they may answer.
pub(super) struct Guest {
    door: Door,
    of: Quotation,
}

impl FromRequestParts<App> for Guest {
    type Rejection = NoGuest;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoGuest> {
        let Ok(origin) = Origin::from_request_parts(parts, app).await;
        let found = match cookie(&parts.headers, app) {
            Some(cookie) => store::session(&app.db, &app.clock, &cookie, &origin).await?,
            None => None,
        };
        let Some(door) = found else { return Err(NoGuest::Useless(Box::new(useless(app)))) };
        let of = store::get(&app.db, &door.permit, door.id).await?;
        Ok(Self { door, of })
    }
}

fn cookie(headers: &HeaderMap, app: &App) -> Option<Secret> {
    named_cookie(headers, cookie_name(app.is_https()))
}

/// Shows the version; looking at it is written down.
pub(super) async fn show(State(app): State<App>, guest: Guest, Query(done): Query<Done>) -> Result<Response> {
    store::view(&app.db, &app.clock, &guest.door.permit, guest.of.id).await?;
    let of = store::get(&app.db, &guest.door.permit, guest.of.id).await?;
    Ok(shown(page(&app, &of, &done, &Typed::default(), &FieldErrors::new())))
}

/// Accepts or declines it.
pub(super) async fn answer(State(app): State<App>, guest: Guest, Form(typed): Form<Typed>) -> Result<Response> {
    let mut errors = FieldErrors::new();
    if let Some(word) = portal::take(&app, &guest.door.permit, &guest.of, &typed, &mut errors).await? {
        return Ok(Redirect::to(&format!("{OFFER}?done={word}")).into_response());
    }
    let of = store::get(&app.db, &guest.door.permit, guest.of.id).await?;
    Ok(amiss(page(&app, &of, &Done::default(), &typed, &errors)))
}

/// What was sent, as a file.
pub(super) async fn file(State(app): State<App>, guest: Guest, Path(named): Path<Filed>) -> Result<Response> {
    download(&guest.of, store::files(&app.db, &guest.door.permit, guest.of.id).await?, &named.file)
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
