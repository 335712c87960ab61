//! The first administrator makes their account, by the link that the server printed.
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{frame, html, signed_in};
use crate::{
    app::App,
    auth::{
        Role,
        email::Email,
        password::{self, Password},
        store::{self, NewUser, Origin},
    },
    crypto::Secret,
    error::Result,
    name::Name,
    ui::{
        self, Button, CodeBlock, Field, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton,
        PageHeader, Tone,
    },
};

/// What the page is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    token: String,
}

/// What is typed into it.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    password: Option<Password>,
    repeat_password: Option<Password>,
}

/// Shows the form, if the link works.
pub(super) async fn show(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let token = Secret::given(asked.token);
    if !store::setup_link_works(&app.db, &app.clock, &token).await? {
        return useless(&app).await;
    }
    let page = page(&frame(&app, None, "/setup"), &token, "", "", &FieldErrors::new());
    Ok(html(StatusCode::OK, page))
}

/// Makes the account and signs it in.
pub(super) async fn submit(State(app): State<App>, origin: Origin, Form(typed): Form<Typed>) -> Result<Response> {
    let token = Secret::given(typed.token);
    // first of all: without a working link nobody makes this server hash anything
    if !store::setup_link_works(&app.db, &app.clock, &token).await? {
        return useless(&app).await;
    }
    let mut errors = FieldErrors::new();
    let name = typed.name.parse::<Name>().ok();
    if name.is_none() {
        errors.push("name", "Give a name of at most 120 characters");
    }
    let email = Email::parse(&typed.email).map_err(|fault| errors.push("email", fault)).ok();
    let password = typed.password.unwrap_or_else(|| Password::given(""));
    let repeated = typed.repeat_password.is_some_and(|again| again.same_as(&password));
    if let Some(fault) = password.fault(email.as_ref()) {
        errors.push("password", fault);
    } else if !repeated {
        errors.push("repeat_password", "Type the same password twice");
    }
    let (true, Some(name), Some(email)) = (errors.is_empty(), name, email) else {
        let page = page(&frame(&app, None, "/setup"), &token, &typed.name, &typed.email, &errors);
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    let password_hash = password::hash(password).await?;
    let new = NewUser { email, name, role: Role::Administrator, tenant: None, password_hash };
    match store::first_administrator(&app.db, &app.clock, &token, new, origin).await? {
        Some(session) => Ok(signed_in(&app, &session.secret, "/")),
        None => useless(&app).await,
    }
}

/// The link does not work, or no longer: what to do instead.
async fn useless(app: &App) -> Result<Response> {
    let nobody = store::nobody_yet(&app.db).await?;
    Ok(html(StatusCode::GONE, useless_page(&frame(app, None, "/setup"), nobody)))
}

fn useless_page(frame: &Frame, nobody: bool) -> String {
    let body = if nobody {
        view! {
            <PageHeader title="This set-up link does not work" lead="It works once, and for one hour."/>
            <p>"Restart the server: it prints a new link as it starts. Or make the first account on the server itself:"</p>
            <CodeBlock
                id="command"
                label="Make the first account"
                code="tributary user add --email you@example.com \\\n  --role administrator --password-stdin"
            />
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Tributary is set up already" lead="Set-up links work until the first account is made."/>
            <p><LinkButton href="/login" tone=Tone::Primary>"Sign in"</LinkButton></p>
        }
        .into_any()
    };
    ui::plain_page(frame, "Set up", body)
}

/// The page.
fn page(frame: &Frame, token: &Secret, name: &str, email: &str, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="Set up Tributary" lead="Make the first account. It is an administrator's."/>
        <PageForm action="/setup" errors=errors>
            <Hidden name="token" value=token.reveal()/>
            <Field name="name" label="Name" value=name autocomplete="name" focus=true errors=errors/>
            <Field name="email" kind="email" label="E-mail" value=email autocomplete="username" errors=errors/>
            <Field
                name="password"
                kind="password"
                label="Password"
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
            <FormActions>
                <Button tone=Tone::Primary>"Make the account"</Button>
            </FormActions>
        </PageForm>
    };
    ui::plain_page(frame, "Set up", body.into_any())
}
