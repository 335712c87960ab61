//! Links by which somebody without an account follows an integration: made for a named person, listed with how each
//! stands, taken back. For those who run intakes.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::Named;
use crate::{
    app::App,
    auth::{Permit, RunIntakes, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    guests,
    intake::{Integration, address, store},
    portal::links::{Following, may_be_followed},
    tenants,
    ui::{self, Card, Crumb, FieldErrors, Frame, Notice, PageHeader, Section},
};

/// What the pages are called.
const TITLE: &str = "Links to the portal";

/// What both pages begin with.
struct Desk {
    frame: Frame,
    of: Integration,
    here: String,
}

impl Desk {
    async fn load(app: &App, session: &Session, permit: &Permit<RunIntakes>, named: &Named) -> Result<Self> {
        let (tenant, id) = (permit.tenant(), named.id()?);
        let of = store::get(&app.db, permit, id).await?;
        let here = format!("/tenants/{tenant}/portal/{id}/links");
        let frame = tenants::frame(app, session, Some(tenant), Section::TenantIntegrations, here.as_str()).await?;
        Ok(Self { frame, of, here })
    }

    fn crumbs(&self, deeper: bool) -> Vec<Crumb> {
        let base = format!("/tenants/{}", self.of.tenant_id);
        let mut crumbs = Vec::new();
        crumbs.extend(self.frame.tenant.as_ref().map(|tenant| Crumb::new(&tenant.name, base.as_str())));
        crumbs.push(Crumb::new("Integrations", format!("{base}/integrations")));
        crumbs.push(Crumb::new(self.of.details.name.as_str(), address(self.of.tenant_id, self.of.id)));
        if deeper {
            crumbs.push(Crumb::new(TITLE, self.here.as_str()));
        }
        crumbs
    }
}

/// The form that makes one, and those that were made.
pub(super) async fn all(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut desk = Desk::load(&app, &session, &permit, &named).await?;
    desk.frame.notice =
        (done.done.as_deref() == Some("revoked")).then(|| Notice::ok("Taken back: whoever came in by it is out."));
    page(&app, &permit, &desk, &Typed::default(), &FieldErrors::new()).await.map(shown)
}

/// Makes one, and sends it or shows it this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let desk = Desk::load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let back = (desk.frame.moment(), desk.here.clone());
    let made = guests::pages::make::<Following>(&app, &permit, desk.of.id.0, back, &typed, &mut errors);
    if let Some(body) = made.await? {
        return Ok(shown(ui::page(&desk.frame, TITLE, desk.crumbs(true), body)));
    }
    page(&app, &permit, &desk, &typed, &errors).await.map(amiss)
}

/// Takes one back.
pub(super) async fn take_back(
    State(app): State<App>,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    guests::store::revoke::<Following>(&app.db, &app.clock, &permit, id.0, named.link()?).await?;
    Ok(Redirect::to(&format!("/tenants/{}/portal/{id}/links?done=revoked", permit.tenant())).into_response())
}

async fn page(
    app: &App,
    permit: &Permit<RunIntakes>,
    desk: &Desk,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<String> {
    let links = guests::store::links::<Following>(&app.db, permit, desk.of.id.0).await?;
    let form = if may_be_followed(desk.of.stage) || !errors.is_empty() {
        guests::pages::form::<Following>(app, desk.here.clone(), None, typed, errors)
    } else {
        ui::muted(format!("There is nothing to follow any more: it stands at {}.", desk.of.stage.title()))
    };
    let table = guests::pages::table(TITLE, &links, Some(&desk.here), desk.frame.moment());
    let table = table.map(|table| view! { <Card title="Made so far" flush=true>{table}</Card> });
    let lead = format!(
        "Who has no account follows {} by a link: they see it as its customer does, do what the customer is asked for, \
         and see no prices and nothing else.",
        desk.of.details.name
    );
    let body = view! {
        <PageHeader title=TITLE lead=lead/>
        <Card title="Make a link">{form}</Card>
        {table}
    };
    Ok(ui::page(&desk.frame, TITLE, desk.crumbs(false), body.into_any()))
}
