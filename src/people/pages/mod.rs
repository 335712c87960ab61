//! The pages about people: the list, one person, invitations, and the people of one tenant.
mod confirm;
mod invitation;
mod invite;
mod list;
mod person;
mod role;
mod tenant;

use std::collections::HashMap;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{
        Administer, Grant, ListTenants, Role, Session,
        courier::Delivered,
        store::{Invited, Person, StateOfAccount},
    },
    error::{Error, Result},
    ids::{self, TenantId, UserId},
    mail, tenants,
    ui::{self, Alert, Badge, Card, Choice, CopyField, Crumb, Frame, LinkButton, PageHeader, Row, Section, Tone},
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/people", get(list::show))
        .route("/people/invite", get(invite::form).post(invite::submit))
        .route("/people/second-factor", get(confirm::ask_requirement).post(confirm::set_requirement))
        .route("/people/invitations/{invitation}", get(invitation::show))
        .route("/people/invitations/{invitation}/resend", post(invitation::resend))
        .route("/people/invitations/{invitation}/revoke", post(invitation::revoke))
        .route("/people/{person}", get(person::show))
        .route("/people/{person}/role", get(role::form).post(role::submit))
        .route("/people/{person}/sessions", post(person::end_sessions))
        .route("/people/{person}/deactivate", get(confirm::ask_deactivate).post(confirm::deactivate))
        .route("/people/{person}/reactivate", post(confirm::reactivate))
        .route("/people/{person}/reset-password", get(confirm::ask_reset).post(confirm::reset))
        .route(
            "/people/{person}/reset-second-factor",
            get(confirm::ask_reset_second_factor).post(confirm::reset_second_factor),
        )
        .route("/tenants/{tenant}/people", get(tenant::show))
        .route("/tenants/{tenant}/people/invite", get(tenant::form).post(tenant::submit))
        .route("/tenants/{tenant}/people/{invitation}/resend", post(tenant::resend))
        .route("/tenants/{tenant}/people/{invitation}/revoke", post(tenant::revoke))
}

/// Which person a path names.
#[derive(Debug, Deserialize)]
struct Named {
    person: String,
}

impl Named {
    fn id(&self) -> Result<UserId> {
        self.person.parse().map_err(|_| Error::NotFound("person"))
    }
}

/// Which invitation a path names.
#[derive(Debug, Deserialize)]
struct NamedInvitation {
    invitation: String,
}

impl NamedInvitation {
    fn id(&self) -> Result<Uuid> {
        ids::named(&self.invitation, "invitation")
    }
}

async fn frame(app: &App, session: &Session, path: impl Into<String>) -> Result<Frame> {
    tenants::frame(app, session, None, Section::People, path).await
}

fn crumb() -> Crumb {
    Crumb::new("People", "/people")
}

/// The names of all tenants, for choosing one and for naming one.
async fn tenant_names(app: &App, grant: &Grant<Administer>) -> Result<Vec<(TenantId, String)>> {
    let all = tenants::list(&app.db, &grant.actor().grant::<ListTenants>()?).await?;
    Ok(all.into_iter().map(|tenant| (tenant.id, tenant.name.to_string())).collect())
}

/// What a tenant is called on a page.
fn binding(names: &HashMap<TenantId, String>, tenant: Option<TenantId>) -> AnyView {
    match tenant {
        None => ui::muted("all"),
        Some(id) => match names.get(&id) {
            Some(name) => ui::link(format!("/tenants/{id}"), name),
            None => ui::mono(id.to_string()),
        },
    }
}

/// The roles to choose from, each with what it may do.
fn roles() -> Vec<Choice> {
    Role::ALL.into_iter().map(|role| Choice::new(role.word(), role.title()).hint(super::duties(role))).collect()
}

/// The tenants to choose from.
fn bindings(names: &[(TenantId, String)]) -> Vec<Choice> {
    let all = Choice::new("", "All tenants");
    std::iter::once(all).chain(names.iter().map(|(id, name)| Choice::new(id.to_string(), name))).collect()
}

/// Whether an account can be used, as a badge.
fn state(person: &Person) -> AnyView {
    match person.state() {
        StateOfAccount::Deactivated => view! { <Badge state=ui::State::Warning word="deactivated"/> }.into_any(),
        _ => view! { <Badge state=ui::State::Ok word="active"/> }.into_any(),
    }
}

/// The state of an invitation, as a badge.
fn invited(open: bool) -> AnyView {
    let (state, word) = if open { (ui::State::Neutral, "invited") } else { (ui::State::Warning, "invitation expired") };
    view! { <Badge state=state word=word/> }.into_any()
}

/// What became of the last letter to somebody, when it is worth a word.
fn letter(frame: &Frame, letter: Option<&mail::Outgoing>) -> Option<AnyView> {
    let letter = letter?;
    let now = frame.moment();
    let fault = letter.fault.clone().map(|fault| view! { <p>"The last answer: "{fault}</p> });
    let view = match letter.state {
        mail::Standing::Sent => return None,
        mail::Standing::Waiting if letter.fault.is_none() => view! {
            <Alert state=ui::State::Neutral title="Mail to them is on its way">
                <p>{letter.subject.clone()}", since "{ui::ago(now, letter.created_at)}</p>
            </Alert>
        }
        .into_any(),
        mail::Standing::Waiting => view! {
            <Alert state=ui::State::Warning title="Mail to them could not be sent yet">
                <p>{letter.subject.clone()}": tried "{letter.attempts}" times, and again "{ui::ago(now, letter.next_at)}</p>
                {fault}
            </Alert>
        }
        .into_any(),
        mail::Standing::Failed => view! {
            <Alert state=ui::State::Error title="Mail to them was given up">
                <p>{letter.subject.clone()}" to "{letter.recipient.clone()}", "{ui::ago(now, letter.done_at.unwrap_or(letter.created_at))}</p>
                {fault}
            </Alert>
        }
        .into_any(),
    };
    Some(view)
}

/// The page after a link was made: where it went, or the link itself, this once.
struct LinkMade<'a> {
    frame: &'a Frame,
    title: &'static str,
    /// Whom it is for.
    to: &'a str,
    /// How long it works: "for seven days".
    good: &'static str,
    link: &'a Delivered,
    /// Where to go from here.
    back: String,
    crumbs: Vec<Crumb>,
}

impl LinkMade<'_> {
    fn page(self) -> String {
        let body = match self.link {
            Delivered::Mailed(to) => view! {
                <PageHeader title=self.title/>
                <Alert state=ui::State::Ok title=format!("A link is on its way to {to}") announce=true>
                    <p>{format!("It works once, {}. If the mail cannot be delivered, their page says so.", self.good)}</p>
                </Alert>
                <Row><LinkButton href=self.back tone=Tone::Primary>"Done"</LinkButton></Row>
            }
            .into_any(),
            Delivered::Shown(url) => view! {
                <PageHeader title=self.title/>
                <Alert state=ui::State::Warning title="Copy the link now: it will not be shown again" announce=true>
                    <p>"This server sends no mail. Give the link to them yourself, by a way that nobody else reads."</p>
                </Alert>
                <Card>
                    <CopyField
                        id="link"
                        label=format!("Link for {}", self.to)
                        value=url.reveal()
                        hint=format!("It works once, {}. Whoever holds it gets in.", self.good)
                    />
                    <Row><LinkButton href=self.back tone=Tone::Primary>"I have copied it"</LinkButton></Row>
                </Card>
            }
            .into_any(),
        };
        ui::page(self.frame, self.title, self.crumbs, body)
    }
}

/// The page after somebody was invited, or invited anew.
fn invited_page(frame: &Frame, invited: &Invited, back: String, crumbs: Vec<Crumb>) -> String {
    let made = LinkMade {
        frame,
        title: "Invitation made",
        to: &invited.email,
        good: "for seven days",
        link: &invited.link,
        back,
        crumbs,
    };
    made.page()
}
