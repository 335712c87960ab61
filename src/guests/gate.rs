//! The gate: a button behind a link, and the session that begins with it. A link is followed as often as somebody likes,
//! by scanners of mail too; only the button uses it up. Whatever is the matter with one that does not work, the page is
//! the same, and tells a stranger nothing.
use axum::{
    Form,
    extract::{FromRequestParts, Query, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Door, Guest, Opens, Place, store};
use crate::{
    app::App,
    auth::{session::named_cookie, store::Origin},
    crypto::Secret,
    error::{Error, Result},
    form::html,
    ui::{self, Button, Form as PageForm, FormActions, Frame, Hidden, LinkButton, PageHeader, Section, Tone},
};

/// What the page behind a link is asked with.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    token: String,
}

/// The name of the cookie. Over https, the prefix makes browsers insist that no other host has set it.
fn cookie_name(opens: Opens, https: bool) -> &'static str {
    match (opens, https) {
        (Opens::Intake, true) => "__Host-tributary-intake",
        (Opens::Intake, false) => "tributary-intake",
        (Opens::Quotation, true) => "__Host-tributary-quotation",
        (Opens::Quotation, false) => "tributary-quotation",
        (Opens::Portal, true) => "__Host-tributary-portal",
        (Opens::Portal, false) => "tributary-portal",
    }
}

/// What the page of a guest begins with.
pub fn frame(app: &App, path: impl Into<String>) -> Frame {
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
///
/// # Errors
/// When the database fails.
pub async fn door<P: Place>(
    State(app): State<App>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let token = Secret::given(asked.token);
    if !store::works::<P>(&app.db, &app.clock, &token).await? {
        return Ok(useless::<P>(&app));
    }
    let Door { path, title, lead, note, button, .. } = P::DOOR;
    let in_place = named_cookie(&headers, cookie_name(P::OPENS, app.is_https())).is_some().then(|| {
        view! {
            <p>"You have opened such a link in this browser before. With this one it shows this instead of that: to keep both, open one of them in another browser."</p>
        }
    });
    let body = view! {
        <PageHeader title=title lead=lead/>
        <p>{note}</p>
        {in_place}
        <PageForm action=path>
            <Hidden name="token" value=token.reveal()/>
            <FormActions><Button tone=Tone::Primary>{button}</Button></FormActions>
        </PageForm>
    };
    Ok(html(StatusCode::OK, ui::plain_page(&frame(&app, path), title, body.into_any())))
}

/// Uses the link up, and begins a session that is good for the one thing that it opens.
///
/// # Errors
/// When the database fails.
pub async fn enter<P: Place>(State(app): State<App>, origin: Origin, Form(typed): Form<Asked>) -> Result<Response> {
    let token = Secret::given(typed.token);
    let Some((session, until)) = store::open::<P>(&app.db, &app.clock, &token, &origin).await? else {
        return Ok(useless::<P>(&app));
    };
    let (https, age) = (app.is_https(), (until - app.clock.now()).num_seconds());
    let (name, secure) = (cookie_name(P::OPENS, https), if https { "; Secure" } else { "" });
    let cookie = format!("{name}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", session.reveal());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(P::DOOR.inside)).into_response())
}

/// The link does not work: what to do instead, and nothing about why.
fn useless<P: Place>(app: &App) -> Response {
    let Door { path, inside, .. } = P::DOOR;
    let body = view! {
        <PageHeader title="This link does not work" lead="It may have been used, taken back, or be too old."/>
        <p>"If you have opened it already, go on in the browser that you opened it in. Otherwise ask whoever sent it for a new one."</p>
        <ui::Row><LinkButton href=inside>"Go on where I was"</LinkButton></ui::Row>
    };
    html(StatusCode::GONE, ui::plain_page(&frame(app, path), "Link does not work", body.into_any()))
}

/// Why nobody is let in: the page that says so, or an error.
pub enum NoGuest {
    /// Their link or their session is no good.
    Answered(Box<Response>),
    /// It could not be found out.
    Failed(Error),
}

impl NoGuest {
    /// With this page.
    pub fn answered(page: Response) -> Self {
        Self::Answered(Box::new(page))
    }
}

impl IntoResponse for NoGuest {
    fn into_response(self) -> Response {
        match self {
            Self::Answered(page) => *page,
            Self::Failed(error) => error.into_response(),
        }
    }
}

impl From<Error> for NoGuest {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<P: Place> FromRequestParts<App> for Guest<P> {
    type Rejection = NoGuest;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoGuest> {
        let Ok(origin) = Origin::from_request_parts(parts, app).await;
        let found = match named_cookie(&parts.headers, cookie_name(P::OPENS, app.is_https())) {
            Some(cookie) => store::session(&app.db, &app.clock, &cookie, &origin).await?,
            None => None,
        };
        found.ok_or_else(|| NoGuest::answered(useless::<P>(app)))
    }
}
