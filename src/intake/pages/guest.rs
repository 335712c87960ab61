//! What a customer sees who comes by a link: a button, behind it the questions of one intake, and nothing else. The
//! link is followed as often as somebody likes, by scanners too; only the button uses it up. Whatever is the matter with
//! one that does not work, the page is the same, and tells a stranger nothing.
use axum::{
    Form,
    extract::{FromRequestParts, Path, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::sections;
use crate::{
    app::App,
    auth::{session::named_cookie, store::Origin},
    crypto::Secret,
    error::Result,
    form::{Done, Typed, amiss, html, shown},
    intake::{
        Integration,
        questions::Section as Questions,
        store::{self, Answered, Door},
    },
    ui::{
        self, Button, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton, Notice, PageHeader,
        Section, Tone,
    },
};

/// What the page behind a link is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    token: String,
}

/// The name of the cookie. Over https, the prefix makes browsers insist that no other host has set it.
fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-tributary-intake" } else { "tributary-intake" }
}

/// What such a page begins with.
pub(super) fn frame(app: &App, path: &str) -> Frame {
    Frame {
        active: Section::Nowhere,
        path: path.into(),
        css: ui::assets::css_path().into(),
        boot: ui::assets::boot_path().into(),
        now: app.clock.now(),
        ..Frame::default()
    }
}

/// Shows the button.
pub(super) async fn door(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let token = Secret::given(asked.token);
    if !store::works(&app.db, &app.clock, &token).await? {
        return Ok(useless(&app));
    }
    let body = view! {
        <PageHeader title="Questions about your integration" lead="You were sent this link to answer some questions about a system of yours."/>
        <p>"It takes about twenty minutes. Every part is saved by itself, so you can stop and come back with this browser for 30 days."</p>
        <PageForm action="/answer">
            <Hidden name="token" value=token.reveal()/>
            <FormActions><Button tone=Tone::Primary>"Begin"</Button></FormActions>
        </PageForm>
    };
    Ok(html(StatusCode::OK, ui::plain_page(&frame(&app, "/answer"), "Questions", body.into_any())))
}

/// Uses the link up, and begins a session that is good for its intake alone.
pub(super) async fn enter(State(app): State<App>, origin: Origin, Form(typed): Form<Asked>) -> Result<Response> {
    let token = Secret::given(typed.token);
    let Some(session) = store::open_link(&app.db, &app.clock, &token, &origin).await? else { return Ok(useless(&app)) };
    let (name, secure) = (cookie_name(app.is_https()), if app.is_https() { "; Secure" } else { "" });
    let cookie = format!("{name}={}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax{secure}", session.reveal());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/answer/intake")).into_response())
}

/// The link does not work: what to do instead, and nothing about why.
fn useless(app: &App) -> Response {
    let body = view! {
        <PageHeader title="This link does not work" lead="It may have been used, taken back, or be too old."/>
        <p>"If you have begun with it already, go on in the browser that you began in. Otherwise ask whoever sent it for a new one."</p>
        <ui::Row><LinkButton href="/answer/intake">"Go on where I was"</LinkButton></ui::Row>
    };
    html(StatusCode::GONE, ui::plain_page(&frame(app, "/answer"), "Link does not work", body.into_any()))
}

/// Somebody who came by a link, with the one intake they may answer.
pub(super) struct Guest {
    door: Door,
    of: Integration,
}

/// Why there is no guest: the page that says so, or an error.
pub(super) enum NoGuest {
    Useless(Box<Response>),
    Failed(crate::error::Error),
}

impl IntoResponse for NoGuest {
    fn into_response(self) -> Response {
        match self {
            Self::Useless(page) => *page,
            Self::Failed(error) => error.into_response(),
        }
    }
}

impl From<crate::error::Error> for NoGuest {
    fn from(error: crate::error::Error) -> Self {
        Self::Failed(error)
    }
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

/// Shows all sections.
pub(super) async fn all(State(app): State<App>, guest: Guest, Query(done): Query<Done>) -> Result<Response> {
    let mut frame = frame(&app, "/answer/intake");
    frame.notice = match done.done.as_deref() {
        Some("saved") => Some(Notice::ok("Saved. You can come back with this browser and go on.")),
        Some("finished") => Some(Notice::ok(
            "Saved. Thank you: that was the last section. Change what you like, as long as the intake is open.",
        )),
        _ => None,
    };
    let answers = store::answers(&app.db, &guest.door.permit, guest.of.id).await?;
    let lead =
        format!("Questions about {}, for {}. Skip what you do not know.", guest.of.details.system_name, guest.door.who);
    let body = view! {
        <PageHeader title=guest.of.details.name.as_str() lead=lead/>
        {sections::overview("/answer/intake", &answers, frame.moment())}
        <p>{ui::link("/guide/customers", "What happens with the answers")}</p>
    };
    Ok(shown(ui::page(&frame, "Questions", Vec::new(), body.into_any())))
}

/// One section's form.
pub(super) async fn ask(State(app): State<App>, guest: Guest, Path(path): Path<Part>) -> Result<Response> {
    let section = sections::named(&path.section)?;
    let answers = store::answers(&app.db, &guest.door.permit, guest.of.id).await?;
    Ok(shown(page(&app, &guest, section, &answers, None, &FieldErrors::new())))
}

/// Which section a path names.
#[derive(Deserialize)]
pub(super) struct Part {
    section: String,
}

/// Saves it, and goes on to the next.
pub(super) async fn save(
    State(app): State<App>,
    guest: Guest,
    Path(path): Path<Part>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let section = sections::named(&path.section)?;
    let mut errors = FieldErrors::new();
    if let Some(given) = sections::read(section, &typed, &mut errors) {
        let permit = &guest.door.permit;
        let seen = typed.text("seen");
        let saved = store::save_answers(&app.db, &app.clock, permit, guest.of.id, section, &seen, given);
        match saved.await {
            Ok(()) => {
                return Ok(Redirect::to(&sections::onwards("/answer/intake", section, &typed)).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    let answers = store::answers(&app.db, &guest.door.permit, guest.of.id).await?;
    Ok(amiss(page(&app, &guest, section, &answers, Some(&typed), &errors)))
}

fn page(
    app: &App,
    guest: &Guest,
    section: &Questions,
    answers: &[Answered],
    typed: Option<&Typed>,
    errors: &FieldErrors,
) -> String {
    let frame = frame(app, &format!("/answer/intake/{}", section.key));
    let crumbs = vec![ui::Crumb::new(guest.of.details.name.as_str(), "/answer/intake")];
    let body = view! {
        <PageHeader title=section.title lead=section.lead/>
        {sections::form("/answer/intake", section, answers, typed, Some(guest.of.details.system_kind), errors)}
    };
    ui::page(&frame, section.title, crumbs, body.into_any())
}
