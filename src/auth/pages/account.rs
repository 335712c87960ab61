//! One's own account: who one is, the password, where one is signed in, and the looks.
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::{frame, html, too_many, wait};
use crate::{
    app::App,
    auth::{
        email::Email,
        login::{self, Change},
        password::Password,
        session::{ENROLMENT, Session, local_path},
        store::{self, Origin, SessionRow, Standing},
        user_agent,
    },
    error::{Error, Result},
    ids,
    ui::{
        self, Badge, Button, Card, Column, Columns, DataTable, Facts, Field, FieldErrors, Form as PageForm,
        FormActions, Frame, LinkButton, Notice, PageHeader, PostButton, Row, Section, Theme,
    },
};

/// What was just done, as the address says it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Done {
    Password,
    Session,
    Sessions,
    TimeZone,
    #[serde(other)]
    Unknown,
}

/// What the page is asked with.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    done: Option<Done>,
}

/// What is typed to change the password.
#[derive(Deserialize)]
pub(super) struct Passwords {
    #[serde(rename = "current_password")]
    current: Option<Password>,
    #[serde(rename = "new_password")]
    new: Option<Password>,
    #[serde(rename = "repeat_password")]
    again: Option<Password>,
}

/// Which session is to end; none: all others.
#[derive(Debug, Deserialize)]
pub(super) struct Ending {
    session: Option<String>,
}

/// The looks that are wanted, and where to go then.
#[derive(Debug, Deserialize)]
pub(super) struct Looks {
    #[serde(default)]
    theme: String,
    #[serde(default, rename = "return")]
    back: String,
}

/// Shows the account.
pub(super) async fn show(State(app): State<App>, session: Session, Query(asked): Query<Asked>) -> Result<Response> {
    let notice = asked.done.and_then(|done| match done {
        Done::Password => Some("Your password is changed. You are signed out everywhere else."),
        Done::Session => Some("That session has ended."),
        Done::Sessions => Some("You are signed out everywhere else."),
        Done::TimeZone => Some("Times are told in the zone you chose."),
        Done::Unknown => None,
    });
    let frame = Frame { notice: notice.map(Notice::ok), ..account_frame(&app, &session) };
    let seen = Seen::of(&app, &session).await?;
    Ok(html(StatusCode::OK, page(&frame, &session, &seen, &FieldErrors::new())))
}

/// Changes the password.
pub(super) async fn change_password(
    State(app): State<App>,
    session: Session,
    origin: Origin,
    Form(typed): Form<Passwords>,
) -> Result<Response> {
    let nothing = || Password::given("");
    let current = typed.current.unwrap_or_else(nothing);
    let new = typed.new.unwrap_or_else(nothing);
    let mut errors = FieldErrors::new();
    if current.is_empty() {
        errors.push("current_password", "Give your current password");
    }
    if let Some(fault) = new.fault(Email::parse(&session.email).ok().as_ref()) {
        errors.push("new_password", fault);
    } else if !typed.again.is_some_and(|again| again.same_as(&new)) {
        errors.push("repeat_password", "Type the same new password twice");
    }
    let mut seconds = None;
    if errors.is_empty() {
        match login::change_password(&app.db, &app.clock, &session, &origin, current, new).await? {
            Change::Done => return Ok(Redirect::to("/account?done=password").into_response()),
            Change::Wrong => errors.push("current_password", "This is not your current password"),
            Change::Wait(until) => seconds = Some(wait(&mut errors, &app, until)),
        }
    }
    let seen = Seen::of(&app, &session).await?;
    let page = page(&account_frame(&app, &session), &session, &seen, &errors);
    Ok(match seconds {
        Some(seconds) => too_many(seconds, page),
        None => html(StatusCode::UNPROCESSABLE_ENTITY, page),
    })
}

/// Ends one session, or all others.
pub(super) async fn end_sessions(
    State(app): State<App>,
    session: Session,
    Form(ending): Form<Ending>,
) -> Result<Response> {
    let done = match ending.session {
        None => {
            store::revoke_other_sessions(&app.db, &app.clock, &session).await?;
            "sessions"
        }
        Some(id) => {
            let id: Uuid = ids::named(&id, "session")?;
            if !store::revoke_session(&app.db, &app.clock, &session, id).await? {
                return Err(Error::NotFound("session"));
            }
            "session"
        }
    };
    Ok(Redirect::to(&format!("/account?done={done}")).into_response())
}

/// Remembers the looks.
pub(super) async fn choose_theme(
    State(app): State<App>,
    session: Session,
    Form(looks): Form<Looks>,
) -> Result<Response> {
    store::set_theme(&app.db, &app.clock, &session, Theme::parse(&looks.theme)).await?;
    Ok(Redirect::to(local_path(&looks.back).unwrap_or("/")).into_response())
}

fn account_frame(app: &App, session: &Session) -> Frame {
    Frame { active: Section::Account, ..frame(app, Some(session), "/account") }
}

/// What the page shows besides who one is.
struct Seen {
    sessions: Vec<SessionRow>,
    second_factor: Option<Standing>,
}

impl Seen {
    async fn of(app: &App, session: &Session) -> Result<Self> {
        Ok(Self {
            sessions: store::list_sessions(&app.db, &app.clock, session).await?,
            second_factor: store::second_factor(&app.db, session).await?,
        })
    }
}

/// The page.
fn page(frame: &Frame, session: &Session, seen: &Seen, errors: &FieldErrors) -> String {
    let aside = view! { {who(session)} {second_factor_card(seen.second_factor)} };
    let body = view! {
        <PageHeader title="Your account"/>
        <Columns main=password_card(errors) aside=aside.into_any()/>
        {sessions_card(frame, session, &seen.sessions)}
    };
    ui::page(frame, "Your account", Vec::new(), body.into_any())
}

fn who(session: &Session) -> AnyView {
    let facts = vec![
        ("Name", ui::text(&session.name)),
        ("E-mail", ui::text(&session.email)),
        ("Role", ui::text(session.actor.role.title())),
        ("Time zone", ui::text(session.zone.name())),
    ];
    view! {
        <Card title="Who you are">
            <Facts items=facts/>
            <Row><LinkButton href="/account/time-zone">"Change the time zone"</LinkButton></Row>
        </Card>
    }
    .into_any()
}

fn second_factor_card(standing: Option<Standing>) -> AnyView {
    let on = standing.filter(|standing| standing.confirmed_at.is_some());
    let (badge, words, verb) = match on {
        Some(standing) => (
            view! { <Badge state=ui::State::Ok word="on"/> }.into_any(),
            format!("Signing in asks for a code. {} recovery codes are left.", standing.codes_left),
            "Manage",
        ),
        None => (
            view! { <Badge state=ui::State::Neutral word="off"/> }.into_any(),
            "Your password alone lets one in.".to_owned(),
            "Set it up",
        ),
    };
    view! {
        <Card title="Second factor" action=badge>
            <p>{words}</p>
            <Row><LinkButton href=ENROLMENT>{verb}</LinkButton></Row>
        </Card>
    }
    .into_any()
}

fn password_card(errors: &FieldErrors) -> AnyView {
    view! {
        <Card title="Password" lead="Changing it signs you out everywhere else.">
            <PageForm action="/account" errors=errors>
                <Field
                    name="current_password"
                    kind="password"
                    label="Current password"
                    autocomplete="current-password"
                    errors=errors
                />
                <Field
                    name="new_password"
                    kind="password"
                    label="New password"
                    hint="At least 12 characters"
                    autocomplete="new-password"
                    errors=errors
                />
                <Field
                    name="repeat_password"
                    kind="password"
                    label="The new password again"
                    autocomplete="new-password"
                    errors=errors
                />
                <FormActions>
                    <Button>"Change password"</Button>
                </FormActions>
            </PageForm>
        </Card>
    }
    .into_any()
}

fn sessions_card(frame: &Frame, session: &Session, sessions: &[SessionRow]) -> AnyView {
    let now = frame.moment();
    let columns = vec![
        Column::text("Browser"),
        Column::text("Address"),
        Column::text("Signed in"),
        Column::text("Last seen"),
        Column::actions("End"),
    ];
    let rows = sessions.iter().map(|row| {
        let end = if row.id == session.id {
            view! { <Badge state=ui::State::Ok word="this one"/> }.into_any()
        } else {
            let fields = vec![("session", row.id.to_string())];
            view! { <PostButton action="/account/sessions" fields=fields>"Revoke"</PostButton> }.into_any()
        };
        vec![
            ui::text(user_agent::shorten(&row.user_agent)),
            ui::mono(&row.address),
            ui::ago(now, row.created_at),
            ui::ago(now, row.seen_at),
            end,
        ]
    });
    let others = if sessions.len() > 1 {
        view! { <PostButton action="/account/sessions">"Sign out everywhere else"</PostButton> }.into_any()
    } else {
        ().into_any()
    };
    view! {
        // no sentence under the title: beside the button there is no room for one on a narrow screen
        <Card title="Sessions" action=others flush=true>
            <DataTable caption="Browsers that are signed in to this account" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}
