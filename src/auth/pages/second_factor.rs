//! One's own second factor: setting it up, its recovery codes, turning it off.
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{frame, html, too_many, wait};
use crate::{
    app::App,
    auth::{
        login::{self, Check},
        password::Password,
        session::{ENROLMENT, Session},
        store::{self, CODES, Enrolment, Origin, RecoveryCodes, Standing},
        totp::{self, Code},
    },
    error::{Error, Result},
    ui::{
        self, Alert, Button, Card, CodeBlock, CopyField, Crumb, Facts, Field, FieldErrors, Form as PageForm,
        FormActions, Frame, LinkButton, Notice, PageHeader, PostButton, QrCode, Row, Section, Step, StepState, Steps,
        Tone,
    },
};

/// What was just done, as the address says it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    done: Option<String>,
}

/// What is typed to confirm.
#[derive(Deserialize)]
pub(super) struct Confirming {
    #[serde(default)]
    code: String,
}

/// The password, asked for once more.
#[derive(Deserialize)]
pub(super) struct Asking {
    password: Option<Password>,
}

/// What asks for the password first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    NewCodes,
    Off,
}

fn own_frame(app: &App, session: &Session, path: &str) -> Frame {
    Frame { active: Section::Account, ..frame(app, Some(session), path) }
}

/// Shows how it stands: off, being set up, on.
pub(super) async fn show(State(app): State<App>, session: Session, Query(asked): Query<Asked>) -> Result<Response> {
    let mut frame = own_frame(&app, &session, ENROLMENT);
    frame.notice = match asked.done.as_deref() {
        Some("off") => Some(Notice::ok("The second factor is off.")),
        _ => None,
    };
    overview(&app, &session, &frame, &FieldErrors::new(), StatusCode::OK).await
}

async fn overview(
    app: &App,
    session: &Session,
    frame: &Frame,
    errors: &FieldErrors,
    status: StatusCode,
) -> Result<Response> {
    let page = match store::second_factor(&app.db, session).await? {
        None => off_page(frame, session, app.keys.is_available()),
        Some(standing) if standing.confirmed_at.is_some() => on_page(frame, standing),
        Some(_) => match store::enrolment(&app.db, &app.keys, session).await? {
            Some(enrolment) => enrol_page(frame, session, &enrolment, errors),
            // confirmed in between, by another window
            None => return Ok(Redirect::to(ENROLMENT).into_response()),
        },
    };
    Ok(html(status, page))
}

/// Begins to set it up.
pub(super) async fn start(State(app): State<App>, session: Session) -> Result<Response> {
    store::begin_enrolment(&app.db, &app.clock, &app.keys, &session).await?;
    Ok(Redirect::to(ENROLMENT).into_response())
}

/// Turns it on, once a code shows that the application knows the secret.
pub(super) async fn confirm(
    State(app): State<App>,
    session: Session,
    Form(typed): Form<Confirming>,
) -> Result<Response> {
    let frame = own_frame(&app, &session, ENROLMENT);
    let mut errors = FieldErrors::new();
    if let Some(enrolment) = store::enrolment(&app.db, &app.keys, &session).await? {
        let codes = match Code::parse(&typed.code) {
            Some(code) => store::confirm_enrolment(&app.db, &app.clock, &session, enrolment, &code).await?,
            None => None,
        };
        if let Some(codes) = codes {
            // from here on everything is open again
            let session = Session { must_enrol: false, ..session };
            let frame = own_frame(&app, &session, ENROLMENT);
            return Ok(html(StatusCode::OK, codes_page(&frame, "The second factor is on", &codes)));
        }
        errors.push(
            "code",
            "This code is not good. Give the one that is shown now; the clock of the phone has to be right.",
        );
    }
    overview(&app, &session, &frame, &errors, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// Asks for the password before new recovery codes.
pub(super) async fn ask_codes(State(app): State<App>, session: Session) -> Result<Response> {
    ask(&app, &session, Act::NewCodes).await
}

/// Asks for the password before it is turned off.
pub(super) async fn ask_off(State(app): State<App>, session: Session) -> Result<Response> {
    ask(&app, &session, Act::Off).await
}

async fn ask(app: &App, session: &Session, act: Act) -> Result<Response> {
    let on = store::second_factor(&app.db, session).await?.is_some_and(|standing| standing.confirmed_at.is_some());
    if !on {
        return Ok(Redirect::to(ENROLMENT).into_response());
    }
    let page = ask_page(app, session, act, &FieldErrors::new()).await?;
    Ok(html(StatusCode::OK, page))
}

/// Makes new recovery codes.
pub(super) async fn codes(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    Form(typed): Form<Asking>,
) -> Result<Response> {
    if let Some(refused) = refused(&app, &session, &origin, typed, Act::NewCodes).await? {
        return Ok(refused);
    }
    match store::new_recovery_codes(&app.db, &app.clock, &session).await {
        Ok(codes) => {
            let frame = own_frame(&app, &session, ENROLMENT);
            Ok(html(StatusCode::OK, codes_page(&frame, "New recovery codes", &codes)))
        }
        Err(Error::NotFound(_)) => Ok(Redirect::to(ENROLMENT).into_response()),
        Err(error) => Err(error),
    }
}

/// Turns it off.
pub(super) async fn off(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    Form(typed): Form<Asking>,
) -> Result<Response> {
    if let Some(refused) = refused(&app, &session, &origin, typed, Act::Off).await? {
        return Ok(refused);
    }
    store::disable_second_factor(&app.db, &app.clock, &session).await?;
    Ok(Redirect::to("/account/second-factor?done=off").into_response())
}

/// The page again, unless the password was right.
async fn refused(app: &App, session: &Session, origin: &Origin, typed: Asking, act: Act) -> Result<Option<Response>> {
    let password = typed.password.unwrap_or_else(|| Password::given(""));
    let mut errors = FieldErrors::new();
    if password.is_empty() {
        errors.push("password", "Give your password");
    } else {
        match login::check_password(&app.db, &app.clock, session, origin, password).await? {
            Check::Right => return Ok(None),
            Check::Wrong => errors.push("password", "This is not your password"),
            Check::Wait(until) => {
                let seconds = wait(&mut errors, app, until);
                return Ok(Some(too_many(seconds, ask_page(app, session, act, &errors).await?)));
            }
        }
    }
    Ok(Some(html(StatusCode::UNPROCESSABLE_ENTITY, ask_page(app, session, act, &errors).await?)))
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Your account", "/account")]
}

fn off_page(frame: &Frame, session: &Session, ready: bool) -> String {
    let required = session.must_enrol.then(|| {
        view! {
            <Alert state=ui::State::Warning title="Everybody here needs a second factor">
                <p>"Set yours up now; then all the rest is open to you."</p>
            </Alert>
        }
    });
    let start = if ready {
        view! {
            <Row>
                <PostButton action="/account/second-factor/start" tone=Tone::Primary icon=ui::Icon::Lock>"Set it up"</PostButton>
            </Row>
        }
        .into_any()
    } else {
        view! {
            <Alert state=ui::State::Warning title="This server has no key to keep secrets with">
                <p>"Its operator has to make one first: see TRIBUTARY_KEY_FILE in the documentation."</p>
            </Alert>
        }
        .into_any()
    };
    let body = view! {
        <PageHeader title="Second factor"/>
        {required}
        <Card title="It is off" lead="With it, a stolen password is not enough: whoever signs in also needs your phone.">
            <p>"You need an authenticator application, such as the one your company uses, a password manager, or any other that reads QR codes. It shows six digits that change every half minute."</p>
            {start}
        </Card>
    };
    ui::page(frame, "Second factor", crumbs(), body.into_any())
}

fn enrol_page(frame: &Frame, session: &Session, enrolment: &Enrolment, errors: &FieldErrors) -> String {
    let uri = enrolment.secret.uri(&session.email);
    let body = view! {
        <PageHeader title="Set up your second factor"/>
        <Card>
            <Steps label="Set up your second factor">
                <Step state=StepState::Current title="Let your application read this">
                    <QrCode content=uri label="QR code with the secret for your authenticator application"/>
                    <CopyField
                        id="secret"
                        label="Or type it in"
                        value=enrolment.secret.written()
                        hint="Time-based, six digits, thirty seconds. It is shown until you have confirmed it, and never again."
                    />
                </Step>
                <Step state=StepState::Current title="Give the code that it shows">
                    <PageForm action=ENROLMENT errors=errors>
                        <Field
                            name="code"
                            label="Code"
                            hint="Six digits"
                            autocomplete="one-time-code"
                            mono=true
                            errors=errors
                        />
                        <FormActions>
                            <Button tone=Tone::Primary>"Turn it on"</Button>
                        </FormActions>
                    </PageForm>
                </Step>
            </Steps>
        </Card>
    };
    ui::page(frame, "Set up your second factor", crumbs(), body.into_any())
}

fn on_page(frame: &Frame, standing: Standing) -> String {
    let since = standing.confirmed_at.map_or_else(|| ui::muted("now"), |at| ui::at(frame.moment(), at));
    let left = format!("{} of {CODES} left", standing.codes_left);
    let low = (standing.codes_left < 3).then(|| {
        view! {
            <Alert state=ui::State::Warning title="Few recovery codes are left">
                <p>"Make new ones before the last is gone."</p>
            </Alert>
        }
    });
    let facts = vec![("On since", since), ("Recovery codes", ui::text(left))];
    let badge = view! { <ui::Badge state=ui::State::Ok word="on"/> };
    let body = view! {
        <PageHeader title="Second factor" badge=badge.into_any()/>
        {low}
        <Card title="Signing in asks for a code" lead="From your authenticator application, or one of your recovery codes.">
            <Facts items=facts/>
            <Row>
                <LinkButton href="/account/second-factor/codes">"New recovery codes…"</LinkButton>
                <LinkButton href="/account/second-factor/off" tone=Tone::Danger>"Turn it off…"</LinkButton>
            </Row>
        </Card>
    };
    ui::page(frame, "Second factor", crumbs(), body.into_any())
}

fn codes_page(frame: &Frame, title: &'static str, codes: &RecoveryCodes) -> String {
    let lines: Vec<String> = codes.0.iter().map(totp::shown).collect();
    let body = view! {
        <PageHeader title=title/>
        <Alert state=ui::State::Warning title="Keep these recovery codes: they will not be shown again" announce=true>
            <p>"Each lets you in once when your phone is not at hand. Print them, or keep them where you keep your passwords."</p>
        </Alert>
        <Card>
            <CodeBlock id="codes" label="Recovery codes" code=lines.join("\n")/>
            <Row><LinkButton href="/account" tone=Tone::Primary>"I have kept them"</LinkButton></Row>
        </Card>
    };
    ui::page(frame, title, crumbs(), body.into_any())
}

async fn ask_page(app: &App, session: &Session, act: Act, errors: &FieldErrors) -> Result<String> {
    let (title, lead, verb, path) = match act {
        Act::NewCodes => (
            "New recovery codes",
            "The ones you have now work no more.",
            "Make new codes",
            "/account/second-factor/codes",
        ),
        Act::Off => (
            "Turn off the second factor",
            "From then on your password alone lets you in, and your recovery codes are gone.",
            "Turn it off",
            "/account/second-factor/off",
        ),
    };
    let required = act == Act::Off
        && session.actor.role != crate::auth::Role::Customer
        && store::second_factor_is_required(&app.db).await?;
    let again = required.then(|| {
        view! {
            <Alert state=ui::State::Warning title="Everybody here needs a second factor">
                <p>"You will have to set up a new one at once: do so with your new phone at hand."</p>
            </Alert>
        }
    });
    let tone = if act == Act::Off { Tone::Danger } else { Tone::Primary };
    let body = view! {
        <PageHeader title=title lead=lead/>
        {again}
        <Card>
            <PageForm action=path errors=errors>
                <Field
                    name="password"
                    kind="password"
                    label="Your password"
                    autocomplete="current-password"
                    focus=true
                    errors=errors
                />
                <FormActions>
                    <Button tone=tone>{verb}</Button>
                    <LinkButton href=ENROLMENT tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    let mut way = crumbs();
    way.push(Crumb::new("Second factor", ENROLMENT));
    Ok(ui::page(&own_frame(app, session, path), title, way, body.into_any()))
}
