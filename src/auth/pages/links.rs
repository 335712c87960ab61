//! Where links lead that let somebody in: an invitation, and a new password. A link is followed as often as somebody
//! likes, by scanners too; only the form behind it uses it up. Whatever is the matter with one that does not work, the
//! page is the same, and tells a stranger nothing.
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{frame, html, signed_in, too_many, wait};
use crate::{
    app::App,
    auth::{
        courier::Courier,
        email::Email,
        login,
        password::{self, Password},
        store::{self, Offer, Origin},
    },
    crypto::Secret,
    error::Result,
    name::Name,
    ui::{
        self, Alert, Button, Field, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton, PageHeader,
        Tone,
    },
};

/// What a page behind a link is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    token: String,
}

/// What is typed into its form.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    password: Option<Password>,
    repeat_password: Option<Password>,
}

impl Typed {
    /// The password that was chosen, if it will do.
    fn password(&mut self, email: &str, errors: &mut FieldErrors) -> Password {
        let password = self.password.take().unwrap_or_else(|| Password::given(""));
        if let Some(fault) = password.fault(Email::parse(email).ok().as_ref()) {
            errors.push("password", fault);
        } else if !self.repeat_password.take().is_some_and(|again| again.same_as(&password)) {
            errors.push("repeat_password", "Type the same password twice");
        }
        password
    }
}

/// Shows what an invitation offers.
pub(super) async fn show_invitation(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let token = Secret::given(asked.token);
    let frame = frame(&app, None, "/invitation");
    Ok(match store::offer(&app.db, &app.clock, &token).await? {
        Some(offer) => {
            let name = offer.name.clone().unwrap_or_default();
            html(StatusCode::OK, invitation_page(&frame, &token, &offer, &name, &FieldErrors::new()))
        }
        None => useless(&app),
    })
}

/// Takes it: makes the account, and signs it in.
pub(super) async fn accept_invitation(
    State(app): State<App>,
    origin: Origin,
    Form(mut typed): Form<Typed>,
) -> Result<Response> {
    let token = Secret::given(&*typed.token);
    // first of all: without a working link nobody makes this server hash anything
    let Some(offer) = store::offer(&app.db, &app.clock, &token).await? else { return Ok(useless(&app)) };
    let mut errors = FieldErrors::new();
    let name = typed.name.parse::<Name>().ok();
    if name.is_none() {
        errors.push("name", "Give a name of at most 120 characters");
    }
    let password = typed.password(&offer.email, &mut errors);
    let (true, Some(name)) = (errors.is_empty(), name) else {
        let frame = frame(&app, None, "/invitation");
        let page = invitation_page(&frame, &token, &offer, &typed.name, &errors);
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    let hash = password::hash(password).await?;
    Ok(match store::accept(&app.db, &app.clock, &token, name, hash, origin).await? {
        Some(session) => signed_in(&app, &session.secret, "/"),
        None => useless(&app),
    })
}

/// Shows the form for a new password.
pub(super) async fn show_reset(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let token = Secret::given(asked.token);
    let frame = frame(&app, None, "/reset-password");
    Ok(match store::reset_offer(&app.db, &app.clock, &token).await? {
        Some(email) => html(StatusCode::OK, reset_page(&frame, &token, &email, &FieldErrors::new())),
        None => useless(&app),
    })
}

/// Sets it. Signing in is another matter: there may be a second factor.
pub(super) async fn reset(State(app): State<App>, origin: Origin, Form(mut typed): Form<Typed>) -> Result<Response> {
    let token = Secret::given(&*typed.token);
    let Some(email) = store::reset_offer(&app.db, &app.clock, &token).await? else { return Ok(useless(&app)) };
    let mut errors = FieldErrors::new();
    let password = typed.password(&email, &mut errors);
    if !errors.is_empty() {
        let page = reset_page(&frame(&app, None, "/reset-password"), &token, &email, &errors);
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
    }
    let hash = password::hash(password).await?;
    if store::reset_password(&app.db, &app.clock, &token, hash, origin).await? {
        return Ok(Redirect::to("/login?done=password").into_response());
    }
    Ok(useless(&app))
}

/// The link does not work: what to do instead, and nothing about why.
fn useless(app: &App) -> Response {
    let again = app.mail.is_configured().then(|| {
        view! { <LinkButton href="/forgot-password">"Forgot your password?"</LinkButton> }
    });
    let body = view! {
        <PageHeader title="This link does not work" lead="It may have been used, replaced by a newer one, or be too old."/>
        <p>"Look for a newer message, or ask whoever sent it for a new link. If you have a password already, sign in with it."</p>
        <ui::Row>
            <LinkButton href="/login" tone=Tone::Primary>"Sign in"</LinkButton>
            {again}
        </ui::Row>
    };
    html(StatusCode::GONE, ui::plain_page(&frame(app, None, "/login"), "Link does not work", body.into_any()))
}

fn invitation_page(frame: &Frame, token: &Secret, offer: &Offer, name: &str, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="Welcome to Tributary" lead=format!("Choose a password for {}.", offer.email)/>
        <PageForm action="/invitation" errors=errors>
            <Hidden name="token" value=token.reveal()/>
            <Field name="name" label="Your name" value=name autocomplete="name" focus=true errors=errors/>
            {passwords(&offer.email, "Password", errors)}
            <FormActions>
                <Button tone=Tone::Primary>"Make the account"</Button>
            </FormActions>
        </PageForm>
    };
    ui::plain_page(frame, "Invitation", body.into_any())
}

fn reset_page(frame: &Frame, token: &Secret, email: &str, errors: &FieldErrors) -> String {
    let lead = format!("For {email}. You are signed out everywhere, and then sign in with it.");
    let body = view! {
        <PageHeader title="Choose a new password" lead=lead/>
        <PageForm action="/reset-password" errors=errors>
            <Hidden name="token" value=token.reveal()/>
            {passwords(email, "New password", errors)}
            <FormActions>
                <Button tone=Tone::Primary>"Set the new password"</Button>
            </FormActions>
        </PageForm>
    };
    ui::plain_page(frame, "New password", body.into_any())
}

/// The address goes along unread: it tells a password manager whose password this is.
fn passwords(email: &str, label: &'static str, errors: &FieldErrors) -> AnyView {
    view! {
        <Hidden name="username" value=email/>
        <Field
            name="password"
            kind="password"
            label=label
            hint="At least 12 characters"
            autocomplete="new-password"
            errors=errors
        />
        <Field
            name="repeat_password"
            kind="password"
            label="The same password again"
            autocomplete="new-password"
            errors=errors
        />
    }
    .into_any()
}

/// What was done on the page that asks for a link.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sent {
    done: Option<String>,
}

/// What is typed there.
#[derive(Debug, Deserialize)]
pub(super) struct Forgotten {
    #[serde(default)]
    email: String,
}

/// Shows the form that has a link sent.
pub(super) async fn show_forgot(State(app): State<App>, Query(asked): Query<Sent>) -> Response {
    let frame = frame(&app, None, "/forgot-password");
    if asked.done.as_deref() == Some("sent") {
        return html(StatusCode::OK, sent_page(&frame));
    }
    html(StatusCode::OK, forgot_page(&frame, app.mail.is_configured(), "", &FieldErrors::new()))
}

/// Has it sent, and says the same whether there is such an account or not.
pub(super) async fn forgot(State(app): State<App>, origin: Origin, Form(typed): Form<Forgotten>) -> Result<Response> {
    let frame = frame(&app, None, "/forgot-password");
    let by_mail = app.mail.is_configured();
    let mut errors = FieldErrors::new();
    let email = Email::parse(&typed.email).map_err(|fault| errors.push("email", fault)).ok();
    let (true, Some(email)) = (by_mail, email) else {
        let page = forgot_page(&frame, by_mail, &typed.email, &errors);
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    let courier = Courier::of(&app);
    match login::send_reset_link(&app.db, &app.clock, &app.mail, courier, email, origin).await? {
        None => Ok(Redirect::to("/forgot-password?done=sent").into_response()),
        Some(until) => {
            let seconds = wait(&mut errors, &app, until);
            Ok(too_many(seconds, forgot_page(&frame, by_mail, &typed.email, &errors)))
        }
    }
}

fn forgot_page(frame: &Frame, by_mail: bool, email: &str, errors: &FieldErrors) -> String {
    let body = if by_mail {
        view! {
            <PageHeader title="Forgot your password?" lead="We send you a link to choose a new one."/>
            <PageForm action="/forgot-password" errors=errors>
                <Field name="email" kind="email" label="E-mail" value=email autocomplete="username" focus=true errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Send the link"</Button>
                </FormActions>
            </PageForm>
            <p>{ui::link("/login", "Back to signing in")}</p>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Forgot your password?" lead="This server sends no mail."/>
            <p>"Ask an administrator: they can make a link with which you choose a new password."</p>
            <p>{ui::link("/login", "Back to signing in")}</p>
        }
        .into_any()
    };
    ui::plain_page(frame, "Forgot your password", body)
}

fn sent_page(frame: &Frame) -> String {
    let body = view! {
        <PageHeader title="Look into your mail"/>
        <Alert state=ui::State::Ok title="If there is an account for that address, a link is on its way" announce=true>
            <p>"It works once, for one hour. Nothing came? Look among the spam, or ask an administrator."</p>
        </Alert>
        <p>{ui::link("/login", "Back to signing in")}</p>
    };
    ui::plain_page(frame, "Link sent", body.into_any())
}
