//! The pages of accounts: set up, sign in and out, links that let one in, one's own account.
mod account;
mod code;
mod links;
mod login;
mod second_factor;
mod setup;
#[cfg(test)]
mod tests;
mod time_zone;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::session::Session;
use crate::{
    app::App,
    crypto::Secret,
    ui::{self, FieldErrors, Frame},
};

/// Most bytes of a form: generous for its fields, and nobody needs to send more before signing in.
const LARGEST_FORM: usize = 32 << 10;

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/setup", get(setup::show).post(setup::submit))
        .route("/login", get(login::show).post(login::submit))
        .route("/login/code", get(code::show).post(code::submit))
        .route("/forgot-password", get(links::show_forgot).post(links::forgot))
        .route("/reset-password", get(links::show_reset).post(links::reset))
        .route("/invitation", get(links::show_invitation).post(links::accept_invitation))
        .route("/logout", post(login::log_out))
        .route("/account", get(account::show).post(account::change_password))
        .route("/account/sessions", post(account::end_sessions))
        .route("/account/second-factor", get(second_factor::show).post(second_factor::confirm))
        .route("/account/second-factor/start", post(second_factor::start))
        .route("/account/second-factor/codes", get(second_factor::ask_codes).post(second_factor::codes))
        .route("/account/second-factor/off", get(second_factor::ask_off).post(second_factor::off))
        .route("/account/time-zone", get(time_zone::show).post(time_zone::choose))
        .route("/theme", post(account::choose_theme))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// What stands around a page of this slice.
fn frame(app: &App, session: Option<&Session>, path: &str) -> Frame {
    Frame {
        viewer: session.map(Session::viewer),
        open: session.map(|session| session.sections(None)).unwrap_or_default(),
        path: path.into(),
        css: ui::assets::css_path().into(),
        boot: ui::assets::boot_path().into(),
        now: app.clock.now(),
        ..Frame::default()
    }
}

/// A page that no cache and no history keeps.
fn html(status: StatusCode, page: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

/// To `path`, signed in.
fn signed_in(app: &App, secret: &Secret, path: &str) -> Response {
    let cookie = super::session::set_cookie(secret, app.is_https());
    ([(header::SET_COOKIE, cookie)], Redirect::to(path)).into_response()
}

/// Says when to try again, and the same to programs.
fn wait(errors: &mut FieldErrors, app: &App, until: DateTime<Utc>) -> u64 {
    let left = (until - app.clock.now()).num_milliseconds().max(0);
    let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1);
    // the next whole second: to come at the one told must not be too early
    let when = (until + TimeDelta::milliseconds(999)).format("%H:%M:%S UTC");
    let span = if seconds < 120 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) };
    errors.push("", format!("Too many attempts. Try again in {span}, at {when}."));
    seconds
}

/// The answer to an attempt too many.
fn too_many(seconds: u64, page: String) -> Response {
    let mut response = html(StatusCode::TOO_MANY_REQUESTS, page);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
