//! Serious acts: each names whom it is about and what it takes along, and then happens.
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{LinkMade, Named, crumb, frame};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Session,
        courier::Courier,
        store::{self, Person},
    },
    error::{Error, Result},
    form::{amiss, shown},
    ui::{self, Confirm, Crumb, FieldErrors, Frame},
};

/// A page that asks: what about, what it means, and the verb.
struct Question<'a> {
    title: String,
    consequence: &'a str,
    impact: Vec<(String, String)>,
    verb: &'a str,
    action: String,
    cancel: String,
    crumbs: Vec<Crumb>,
}

impl Question<'_> {
    fn page(self, frame: &Frame, errors: &FieldErrors) -> String {
        let body = view! {
            <Confirm
                title=self.title.as_str()
                consequence=self.consequence
                impact=self.impact
                verb=self.verb
                action=self.action
                cancel=self.cancel
                errors=errors
            />
        };
        ui::page(frame, &self.title, self.crumbs, body.into_any())
    }
}

/// Whom it is about, and how many browsers they are signed in with.
async fn about(app: &App, grant: &Grant<Administer>, named: &Named) -> Result<(Person, usize)> {
    let person = store::person(&app.db, grant, named.id()?).await?;
    let sessions = store::sessions_of(&app.db, &app.clock, grant, person.id).await?.len();
    Ok((person, sessions))
}

fn signed_out(sessions: usize) -> (String, String) {
    let what = if sessions == 1 { "browser is signed out at once" } else { "browsers are signed out at once" };
    (sessions.to_string(), what.to_owned())
}

fn way(person: &Person) -> Vec<Crumb> {
    vec![crumb(), Crumb::new(&person.name, format!("/people/{}", person.id))]
}

/// Asks before an account is deactivated.
pub(super) async fn ask_deactivate(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    Ok(shown(deactivation(&app, &session, &grant, &named, &FieldErrors::new()).await?))
}

/// Deactivates it.
pub(super) async fn deactivate(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    let mut errors = FieldErrors::new();
    match store::deactivate(&app.db, &app.clock, &grant, id).await {
        Ok(()) => return Ok(Redirect::to(&format!("/people/{id}?done=deactivated")).into_response()),
        Err(error) => errors.note("", error)?,
    }
    Ok(amiss(deactivation(&app, &session, &grant, &named, &errors).await?))
}

async fn deactivation(
    app: &App,
    session: &Session,
    grant: &Grant<Administer>,
    named: &Named,
    errors: &FieldErrors,
) -> Result<String> {
    let (person, sessions) = about(app, grant, named).await?;
    let base = format!("/people/{}", person.id);
    let consequence = if person.id == session.user {
        "This is your own account: you are signed out at once, and another administrator has to let you in again."
    } else {
        "They cannot sign in until the account is reactivated. Nothing that they did is undone."
    };
    let question = Question {
        title: format!("Deactivate {}", person.name),
        consequence,
        impact: vec![signed_out(sessions)],
        verb: "Deactivate account",
        action: format!("{base}/deactivate"),
        cancel: base.clone(),
        crumbs: way(&person),
    };
    Ok(question.page(&frame(app, session, format!("{base}/deactivate")).await?, errors))
}

/// Reactivates it: undoes the other.
pub(super) async fn reactivate(
    State(app): State<App>,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    store::reactivate(&app.db, &app.clock, &grant, id).await?;
    Ok(Redirect::to(&format!("/people/{id}?done=reactivated")).into_response())
}

/// Asks before a link for a new password is made.
pub(super) async fn ask_reset(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (person, sessions) = about(&app, &grant, &named).await?;
    let base = format!("/people/{}", person.id);
    if person.deactivated_at.is_some() {
        return Ok(Redirect::to(&base).into_response());
    }
    let consequence = if app.mail.is_configured() {
        "They get a link by mail to choose a new one. Until they do, the old one works."
    } else {
        "You get a link to pass on, with which they choose a new one. Until they do, the old one works."
    };
    let when = if sessions == 1 { "browser is" } else { "browsers are" };
    let question = Question {
        title: format!("Reset the password of {}", person.name),
        consequence,
        impact: vec![
            ("1 hour".to_owned(), "is how long the link works, once; an older link works no more".to_owned()),
            (sessions.to_string(), format!("{when} signed out once they have chosen")),
        ],
        verb: "Make the link",
        action: format!("{base}/reset-password"),
        cancel: base.clone(),
        crumbs: way(&person),
    };
    let frame = frame(&app, &session, format!("{base}/reset-password")).await?;
    Ok(shown(question.page(&frame, &FieldErrors::new())))
}

/// Makes the link.
pub(super) async fn reset(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    let link = store::reset_by_administrator(&app.db, &app.clock, &Courier::of(&app), &grant, id).await?;
    app.mail.wake();
    let person = store::person(&app.db, &grant, id).await?;
    let frame = frame(&app, &session, format!("/people/{id}/reset-password")).await?;
    let made = LinkMade {
        frame: &frame,
        title: "Link to a new password made",
        to: &person.email,
        good: "for one hour",
        link: &link,
        back: format!("/people/{id}"),
        crumbs: way(&person),
    };
    Ok(shown(made.page()))
}

/// Asks before a second factor is taken away.
pub(super) async fn ask_reset_second_factor(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (person, sessions) = about(&app, &grant, &named).await?;
    let base = format!("/people/{}", person.id);
    if !person.second_factor {
        return Ok(Redirect::to(&base).into_response());
    }
    let consequence = if store::second_factor_is_required(&app.db).await? {
        "For who has lost their phone and their recovery codes. Be sure that it is them who ask. They set up a new one when they next sign in."
    } else {
        "For who has lost their phone and their recovery codes. Be sure that it is them who ask. From then on their password alone lets them in."
    };
    let question = Question {
        title: format!("Reset the second factor of {}", person.name),
        consequence,
        impact: vec![signed_out(sessions)],
        verb: "Reset second factor",
        action: format!("{base}/reset-second-factor"),
        cancel: base.clone(),
        crumbs: way(&person),
    };
    let frame = frame(&app, &session, format!("{base}/reset-second-factor")).await?;
    Ok(shown(question.page(&frame, &FieldErrors::new())))
}

/// Takes it away.
pub(super) async fn reset_second_factor(
    State(app): State<App>,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    match store::reset_second_factor(&app.db, &app.clock, &grant, id).await {
        // somebody else was quicker
        Ok(()) | Err(Error::NotFound("second factor")) => {
            Ok(Redirect::to(&format!("/people/{id}?done=second-factor")).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Asks before everybody is asked for a second factor, or no longer.
pub(super) async fn ask_requirement(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
) -> Result<Response> {
    Ok(shown(requirement(&app, &session, &grant, &FieldErrors::new()).await?))
}

/// What is wanted, as the address says it: pressed twice, the button does the same twice.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// `yes` or `no`.
    #[serde(default)]
    required: String,
}

/// Demands it, or no longer.
pub(super) async fn set_requirement(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let required = wanted.required != "no";
    let mut errors = FieldErrors::new();
    match store::require_second_factor(&app.db, &app.clock, &grant, required).await {
        Ok(()) => {
            let done = if required { "required" } else { "not-required" };
            return Ok(Redirect::to(&format!("/people?done={done}")).into_response());
        }
        Err(error) => errors.note("", error)?,
    }
    Ok(amiss(requirement(&app, &session, &grant, &errors).await?))
}

async fn requirement(app: &App, session: &Session, grant: &Grant<Administer>, errors: &FieldErrors) -> Result<String> {
    let required = store::second_factor_is_required(&app.db).await?;
    let without = store::staff_without_second_factor(&app.db, grant).await?;
    let question = if required {
        Question {
            title: "Require a second factor no longer".into(),
            consequence: "Who has one keeps it and is asked for it. Nobody else has to set one up.",
            impact: Vec::new(),
            verb: "Require it no longer",
            action: "/people/second-factor?required=no".into(),
            cancel: "/people".into(),
            crumbs: vec![crumb()],
        }
    } else {
        let who = if without == 1 { "person of your staff has none" } else { "people of your staff have none" };
        Question {
            title: "Require a second factor".into(),
            consequence: "From their next click on, whoever has none gets nothing but the page to set one up. Customers are not asked.",
            impact: vec![(without.to_string(), format!("{who} and will be led to it"))],
            verb: "Require a second factor",
            action: "/people/second-factor?required=yes".into(),
            cancel: "/people".into(),
            crumbs: vec![crumb()],
        }
    };
    Ok(question.page(&frame(app, session, "/people/second-factor").await?, errors))
}
