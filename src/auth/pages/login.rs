//! Signing in and out.
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use url::form_urlencoded;

use super::{frame, html, signed_in, too_many, wait};
use crate::{
    app::App,
    auth::{
        login::{self, Login},
        password::Password,
        session::{self, Rejection, Session, local_path},
        store::{self, Origin},
    },
    error::Result,
    ui::{
        self, Alert, Button, Field, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, Notice, PageHeader, Tone,
    },
};

/// What the login page is asked with.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
    done: Option<String>,
}

/// What is typed into it.
#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    email: String,
    password: Option<Password>,
    #[serde(default)]
    next: String,
}

/// Shows the form; whoever is signed in goes on at once.
pub(super) async fn show(
    State(app): State<App>,
    session: Option<Session>,
    Query(asked): Query<Asked>,
) -> Result<Response, Rejection> {
    if session.is_some() {
        return Ok(Redirect::to(onwards(&asked.next)).into_response());
    }
    let nobody = store::nobody_yet(&app.db).await?;
    let mut frame = frame(&app, None, "/login");
    if asked.done.as_deref() == Some("password") {
        frame.notice = Some(Notice::ok("Your new password is set. Sign in with it."));
    }
    let by_mail = app.mail.is_configured();
    Ok(html(StatusCode::OK, page(&frame, "", &asked.next, Hints { nobody, by_mail }, &FieldErrors::new())))
}

/// Signs in.
pub(super) async fn submit(
    State(app): State<App>,
    origin: Origin,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let replaced = session::cookie(&headers, app.is_https()).map(|secret| secret.digest());
    let password = typed.password.unwrap_or_else(|| Password::given(""));
    let mut errors = FieldErrors::new();
    if typed.email.trim().is_empty() {
        errors.push("email", "Give your e-mail address");
    }
    if password.is_empty() {
        errors.push("password", "Give your password");
    }
    let hints = Hints { nobody: false, by_mail: app.mail.is_configured() };
    let again = |errors: &FieldErrors| page(&frame(&app, None, "/login"), &typed.email, &typed.next, hints, errors);
    if !errors.is_empty() {
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, again(&errors)));
    }
    match login::log_in(&app.db, &app.clock, &typed.email, password, origin, replaced).await? {
        Login::In(session) => Ok(signed_in(&app, &session.secret, onwards(&typed.next))),
        Login::Half(half) => {
            let cookie = session::set_half_cookie(&half, app.is_https());
            let next: String = form_urlencoded::byte_serialize(onwards(&typed.next).as_bytes()).collect();
            let next = if next == "%2F" { String::new() } else { format!("?next={next}") };
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&format!("/login/code{next}"))).into_response())
        }
        Login::Wrong => {
            errors.push("email", "E-mail or password is not right");
            Ok(html(StatusCode::UNPROCESSABLE_ENTITY, again(&errors)))
        }
        Login::Wait(until) => {
            let seconds = wait(&mut errors, &app, until);
            Ok(too_many(seconds, again(&errors)))
        }
    }
}

/// Signs out; without a session, that is done already.
pub(super) async fn log_out(State(app): State<App>, session: Option<Session>) -> Result<Response, Rejection> {
    if let Some(session) = session {
        store::end_session(&app.db, &app.clock, &session).await?;
    }
    let cookie = session::clear_cookie(app.is_https());
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}

/// Pages that lead nowhere once one is signed in.
const NOT_ONWARDS: [&str; 8] =
    ["/login", "/login/code", "/logout", "/setup", "/theme", "/invitation", "/forgot-password", "/reset-password"];

/// Where to go after signing in: to where one came from, if that is a page of this server and leads on.
pub(super) fn onwards(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    match local_path(next) {
        Some(next) if !NOT_ONWARDS.contains(&path) => next,
        _ => "/",
    }
}

/// What the page says besides.
#[derive(Clone, Copy)]
struct Hints {
    /// Nobody has an account yet.
    nobody: bool,
    /// Links can be mailed.
    by_mail: bool,
}

/// The page.
fn page(frame: &Frame, email: &str, next: &str, hints: Hints, errors: &FieldErrors) -> String {
    let forgot = hints.by_mail.then(|| view! { <p>{ui::link("/forgot-password", "Forgot your password?")}</p> });
    let hint = hints.nobody.then(|| {
        view! {
            <Alert state=ui::State::Neutral title="Nobody has an account yet">
                <p>
                    "The server printed a set-up link when it started. Open that, or run "
                    {ui::mono("tributary user add")} " on the server."
                </p>
            </Alert>
        }
    });
    let body = view! {
        <PageHeader title="Sign in"/>
        {hint}
        <PageForm action="/login" errors=errors>
            <Field name="email" kind="email" label="E-mail" value=email autocomplete="username" focus=true errors=errors/>
            <Field name="password" kind="password" label="Password" autocomplete="current-password" errors=errors/>
            <Hidden name="next" value=next/>
            <FormActions>
                <Button tone=Tone::Primary>"Sign in"</Button>
            </FormActions>
        </PageForm>
        {forgot}
    };
    ui::plain_page(frame, "Sign in", body.into_any())
}

#[cfg(test)]
mod tests {
    use super::onwards;

    #[test]
    fn nobody_is_sent_elsewhere_or_in_a_circle() {
        assert_eq!(onwards("/tenants/1?tab=a"), "/tenants/1?tab=a");
        for bad in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/login?next=/x", "/logout"] {
            assert_eq!(onwards(bad), "/", "{bad:?}");
        }
    }
}
