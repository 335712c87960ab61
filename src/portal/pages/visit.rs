//! Who looks at one integration in the portal: a customer who is signed in, a colleague who looks as a customer does, or
//! a guest who came by a link. They see the same page at addresses of their own; a colleague changes nothing there.
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::IntoResponse,
};
use leptos::prelude::*;

use super::Named;
use crate::{
    app::App,
    auth::{AnswerTasks, Permit, Right, Role, SeePortal, Session},
    error::Result,
    guests::{
        Guest, Place,
        gate::{self, NoGuest},
    },
    ids::IntegrationId,
    portal::links::Following,
    ui::{self, Alert, Crumb, Frame, State as Mood},
};

/// How somebody got here.
enum By {
    /// They are signed in.
    Session(Session),
    /// By a link that was made for somebody of this name.
    Link(String),
}

/// Somebody who looks at one integration.
pub(super) struct Visit {
    /// To see it.
    pub see: Permit<SeePortal>,
    /// Which.
    pub id: IntegrationId,
    by: By,
}

impl Visit {
    /// Whom the link is for that they came by.
    pub fn guest(&self) -> Option<&str> {
        match &self.by {
            By::Link(whom) => Some(whom),
            By::Session(_) => None,
        }
    }

    /// Whether they came by a link.
    pub fn is_guest(&self) -> bool {
        self.guest().is_some()
    }

    /// Asks for authority to do something that is the customer's alone.
    pub fn act<R: Right>(&self) -> Result<Permit<R>> {
        let (actor, tenant) = (self.see.actor(), self.see.tenant());
        actor.permit::<AnswerTasks>(tenant)?;
        actor.permit(tenant)
    }

    /// The address of the page that shows the integration.
    pub fn here(&self) -> String {
        if self.is_guest() {
            return Following::DOOR.inside.into();
        }
        format!("/tenants/{}/portal/{}", self.see.tenant(), self.id)
    }

    /// What a page begins with; `rest` is what its path has after that of the integration. That a colleague looks is
    /// written down.
    pub async fn frame(&self, app: &App, rest: &str) -> Result<Frame> {
        let path = format!("{}{rest}", self.here());
        match &self.by {
            By::Session(session) => super::frame(app, session, &self.see, path).await,
            By::Link(_) => Ok(gate::frame(app, path)),
        }
    }

    /// The way to the page of the integration.
    pub fn crumbs(&self) -> Vec<Crumb> {
        if self.is_guest() {
            return Vec::new();
        }
        vec![Crumb::new("Your integrations", format!("/tenants/{}/portal", self.see.tenant()))]
    }

    /// The way from the page of the integration to one of its further pages.
    pub fn deeper(&self, name: &str) -> Vec<Crumb> {
        let mut crumbs = self.crumbs();
        crumbs.push(Crumb::new(name, self.here()));
        crumbs
    }

    /// What a colleague has to know who looks at it.
    pub fn banner(&self) -> Option<AnyView> {
        let By::Session(session) = &self.by else { return None };
        as_customer(session, format!("/tenants/{}/integrations/{}", self.see.tenant(), self.id))
    }
}

/// What a colleague has to know who looks at the portal.
pub(super) fn as_customer(session: &Session, back: String) -> Option<AnyView> {
    (session.actor.role != Role::Customer).then(|| {
        view! {
            <Alert state=Mood::Warning title="You see what the customer sees">
                <p>"That you looked stands in the audit trail, which the customer can read. What only they may do is not offered to you. "{ui::link(back, "Back to our view")}</p>
            </Alert>
        }
        .into_any()
    })
}

impl FromRequestParts<App> for Visit {
    type Rejection = NoGuest;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoGuest> {
        if !parts.uri.path().starts_with("/tenants/") {
            let guest = Guest::<Following>::from_request_parts(parts, app).await?;
            return Ok(Self { see: guest.permit, id: IntegrationId(guest.subject), by: By::Link(guest.who) });
        }
        let see = Permit::<SeePortal>::from_request_parts(parts, app).await;
        let see = see.map_err(|why| NoGuest::answered(why.into_response()))?;
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await;
        let session = session.map_err(|why| NoGuest::answered(why.into_response()))?;
        let named = Path::<Named>::from_request_parts(parts, app).await;
        let Path(named) = named.map_err(|why| NoGuest::answered(why.into_response()))?;
        Ok(Self { see, id: named.id()?, by: By::Session(session) })
    }
}
