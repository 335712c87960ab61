//! The second step of signing in: the code.
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{frame, html, login::onwards, too_many, wait};
use crate::{
    app::App,
    auth::{
        login::{self, Second},
        session,
        store::{self, Origin},
        totp::Code,
    },
    error::Result,
    ui::{self, Button, Field, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, PageHeader, Tone},
};

/// What the page is asked with.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

/// What is typed into it.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// Shows the form to whoever has just given the right password.
pub(super) async fn show(State(app): State<App>, headers: HeaderMap, Query(asked): Query<Asked>) -> Result<Response> {
    let half = session::half_cookie(&headers, app.is_https());
    let known = match half {
        Some(half) => store::half_login(&app.db, &app.clock, half.digest()).await?.is_some(),
        None => false,
    };
    if !known {
        return Ok(from_the_start(&app));
    }
    Ok(html(StatusCode::OK, page(&frame(&app, None, "/login/code"), &asked.next, &FieldErrors::new())))
}

/// Completes the login.
pub(super) async fn submit(
    State(app): State<App>,
    origin: Origin,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let https = app.is_https();
    let Some(half) = session::half_cookie(&headers, https) else { return Ok(from_the_start(&app)) };
    let again = |errors: &FieldErrors| page(&frame(&app, None, "/login/code"), &typed.next, errors);
    let mut errors = FieldErrors::new();
    if typed.code.trim().is_empty() {
        errors.push("code", "Give the code");
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, again(&errors)));
    }
    let replaced = session::cookie(&headers, https).map(|secret| secret.digest());
    let code = Code::parse(&typed.code);
    match login::complete(&app.db, &app.clock, &app.keys, half.digest(), code, origin, replaced).await? {
        Second::In(session) => {
            let cookies = [session::set_cookie(&session.secret, https), session::clear_half_cookie(https)];
            let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
            Ok((cookies, Redirect::to(onwards(&typed.next))).into_response())
        }
        Second::Wrong => {
            errors.push("code", "This code is not good, or not any more. Wait for the next one.");
            Ok(html(StatusCode::UNPROCESSABLE_ENTITY, again(&errors)))
        }
        Second::Wait(until) => {
            let seconds = wait(&mut errors, &app, until);
            Ok(too_many(seconds, again(&errors)))
        }
        Second::Gone => Ok(from_the_start(&app)),
    }
}

/// Too late, or never begun: the password first.
fn from_the_start(app: &App) -> Response {
    let cookie = session::clear_half_cookie(app.is_https());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response()
}

fn page(frame: &Frame, next: &str, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="Your second factor" lead="Open your authenticator application and give the code it shows."/>
        <PageForm action="/login/code" errors=errors>
            <Field
                name="code"
                label="Code"
                hint="Six digits. Without the application, one of your recovery codes."
                autocomplete="one-time-code"
                mono=true
                focus=true
                errors=errors
            />
            <Hidden name="next" value=next/>
            <FormActions>
                <Button tone=Tone::Primary>"Sign in"</Button>
            </FormActions>
        </PageForm>
        <p>{ui::muted("No recovery code left? An administrator can reset your second factor. ")}{ui::link("/login", "Start again")}</p>
    };
    ui::plain_page(frame, "Second factor", body.into_any())
}
