//! The pages of integrations: lists for the team, one integration with its intake, verdicts, scenario and
//! investigation, what a customer sees who comes by a link, and the guide.
mod acts;
mod checks;
mod evidence;
mod form;
mod guest;
mod guide;
mod implementation;
mod investigation;
mod links;
mod list;
mod new;
mod overview;
mod probe;
mod question;
pub(crate) mod questionnaire;
mod quotations;
mod report;
mod scenario;
mod sections;
mod show;
mod verdicts;
mod yardstick;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Integration, Side, Stage, address, implementation as building,
    quotation::{self, Worth, worth::worth},
    store,
};
use crate::{
    app::App,
    auth::{
        SeeIntegrations, Session,
        store::{Colleague, colleagues},
    },
    error::{Error, Result},
    form::Done,
    guests::gate::{door, enter},
    ids::{IntegrationId, TenantId, UserId},
    tenants,
    ui::{self, Badge, Crumb, Frame, Notice, Section, State, Tab, Tabs},
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/guide", get(guide::show))
        .route("/guide/{audience}", get(guide::show))
        .route("/integrations", get(list::all))
        .route("/integrations/board", get(overview::board))
        .route("/integrations/funnel", get(overview::funnel))
        .route("/integrations/export.csv", get(overview::export))
        .route("/tenants/{tenant}/integrations", get(list::of_tenant))
        .route("/tenants/{tenant}/integrations/new", get(new::ask).post(new::create))
        .route("/tenants/{tenant}/integrations/{integration}", get(show::show).post(show::set_next))
        .route("/tenants/{tenant}/integrations/{integration}/edit", get(new::edit).post(new::change))
        .route("/tenants/{tenant}/integrations/{integration}/intake", get(sections::all))
        .route("/tenants/{tenant}/integrations/{integration}/intake/{section}", get(sections::ask).post(sections::save))
        .route("/tenants/{tenant}/integrations/{integration}/checks", get(checks::ask).post(checks::save))
        .route("/tenants/{tenant}/integrations/{integration}/evidence", get(evidence::ask).post(evidence::read))
        .route("/tenants/{tenant}/integrations/{integration}/evidence/probe", get(probe::ask).post(probe::run))
        .route("/tenants/{tenant}/integrations/{integration}/endpoint", post(evidence::open))
        .route("/tenants/{tenant}/integrations/{integration}/endpoint/close", post(evidence::close))
        .route("/tenants/{tenant}/integrations/{integration}/endpoint/evidence", post(evidence::take))
        .route("/tenants/{tenant}/integrations/{integration}/links", get(links::ask).post(links::make))
        .route("/tenants/{tenant}/integrations/{integration}/links/{link}/revoke", post(links::revoke))
        .route("/tenants/{tenant}/integrations/{integration}/verdicts", get(verdicts::ask).post(verdicts::give))
        .route("/tenants/{tenant}/integrations/{integration}/scenario", get(scenario::ask).post(scenario::choose))
        .route(
            "/tenants/{tenant}/integrations/{integration}/investigation",
            get(investigation::show).post(investigation::act),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/investigation/questions/{question}",
            get(question::ask).post(question::save),
        )
        .route("/tenants/{tenant}/integrations/{integration}/investigation/report", get(report::show))
        .route("/tenants/{tenant}/integrations/{integration}/acts/{act}", get(acts::ask).post(acts::take))
        .merge(quotations::routes())
        .merge(implementation::routes())
        .route("/answer", get(door::<store::Answering>).post(enter::<store::Answering>))
        .route("/answer/intake", get(guest::all))
        .route("/answer/intake/{section}", get(guest::ask).post(guest::save))
}

/// What a path names.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    integration: String,
    #[serde(default)]
    section: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    link: String,
    #[serde(default)]
    act: String,
    #[serde(default)]
    quotation: String,
    #[serde(default)]
    line: String,
    #[serde(default)]
    file: String,
    #[serde(default)]
    point: String,
}

impl Named {
    fn id(&self) -> Result<IntegrationId> {
        self.integration.parse().map_err(|_| Error::NotFound("integration"))
    }

    fn question(&self) -> Result<Uuid> {
        crate::ids::named(&self.question, "question")
    }

    fn link(&self) -> Result<Uuid> {
        crate::ids::named(&self.link, "link")
    }
}

/// What every page of one integration begins with.
struct Room {
    frame: Frame,
    of: Integration,
    staff: Vec<Colleague>,
    investigated: bool,
    quoted: bool,
    built: bool,
    worth: Option<Worth>,
}

impl Room {
    /// Loads it. `rest` is what the page's path has after that of the integration.
    async fn load(app: &App, session: &Session, tenant: TenantId, named: &Named, rest: &str) -> Result<Self> {
        let permit = session.permit::<SeeIntegrations>(tenant)?;
        let id = named.id()?;
        let path = format!("{}{rest}", address(tenant, id));
        let frame = tenants::frame(app, session, Some(tenant), Section::TenantIntegrations, path).await?;
        let of = store::get(&app.db, &permit, id).await?;
        let investigated = store::investigation(&app.db, &permit, id).await?.is_some();
        let versions = quotation::store::list(&app.db, &permit, id).await?;
        let quoted = of.stage == Stage::Quotation || !versions.is_empty();
        let worth = worth(versions.iter().map(Into::into).collect());
        let planned = building::store::planned(&app.db, &permit, id).await?;
        let built = of.stage == Stage::Implementation || planned;
        Ok(Self { frame, of, staff: colleagues(&app.db, &session.actor).await?, investigated, quoted, built, worth })
    }

    fn here(&self) -> String {
        address(self.of.tenant_id, self.of.id)
    }

    /// The way to the list, and to the integration from its further pages.
    fn crumbs(&self, deeper: bool) -> Vec<Crumb> {
        let mut crumbs = crumbs(&self.frame);
        if deeper {
            crumbs.push(Crumb::new(self.of.details.name.as_str(), self.here()));
        }
        crumbs
    }

    /// The tabs of an integration; `rest` names the one that is shown.
    fn tabs(&self, rest: &str) -> AnyView {
        let here = self.here();
        let tab = |label: &str, rest: &str| Tab::new(label, format!("{here}{rest}"));
        let mut tabs = vec![
            tab("Overview", ""),
            tab("Intake", "/intake"),
            tab("Check list", "/checks"),
            tab("Evidence", "/evidence"),
            tab("Verdicts", "/verdicts"),
            tab("Scenario", "/scenario"),
        ];
        if self.investigated {
            tabs.push(tab("Investigation", "/investigation"));
        }
        if self.quoted {
            tabs.push(tab("Quotations", "/quotations"));
        }
        if self.built {
            tabs.push(tab("Implementation", "/implementation"));
        }
        view! { <Tabs label="Integration" tabs=tabs current=format!("{here}{rest}")/> }.into_any()
    }

    fn owner(&self) -> AnyView {
        owner(&self.staff, self.of.details.owner_id)
    }

    /// Says once what was done.
    fn notice(&mut self, done: &Done, known: &[(&str, &str)]) {
        let words = known.iter().find(|(word, _)| Some(*word) == done.done.as_deref());
        self.frame.notice = words.map(|(_, words)| Notice::ok(*words));
    }
}

/// The way to a tenant's integrations.
fn crumbs(frame: &Frame) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    if let Some(tenant) = &frame.tenant {
        let base = format!("/tenants/{}", tenant.id);
        crumbs.push(Crumb::new(&tenant.name, base.as_str()));
        crumbs.push(Crumb::new("Integrations", format!("{base}/integrations")));
    }
    crumbs
}

/// Whose something is.
fn name_of(staff: &[Colleague], id: Option<UserId>) -> Option<String> {
    let id = id?;
    // who is out of sight, or gone, is still somebody
    Some(staff.iter().find(|one| one.id == id).map_or_else(|| "somebody else".into(), |one| one.name.clone()))
}

fn owner(staff: &[Colleague], id: Option<UserId>) -> AnyView {
    name_of(staff, id).map_or_else(|| ui::muted("nobody\u{a0}yet"), ui::text)
}

/// Where an integration stands, as a state.
fn stage(stage: Stage) -> AnyView {
    let mood = match stage {
        Stage::Live => State::Ok,
        Stage::NotPossible | Stage::Lost | Stage::Retired => State::Neutral,
        Stage::Intake | Stage::Investigation | Stage::Quotation | Stage::Implementation => State::Warning,
    };
    if mood == State::Warning {
        // under way is neither good nor bad: it has no colour of its own
        return ui::progress_badge(stage.title());
    }
    view! { <Badge state=mood word=stage.title()/> }.into_any()
}

/// For whom one waits, while there is something to wait for.
fn turn(of: &Integration) -> AnyView {
    if !of.stage.is_open() {
        return ui::muted("nobody");
    }
    ui::text(match of.next.turn {
        Side::Us => "Us",
        Side::Customer => "Customer",
        Side::Vendor => "Vendor",
    })
}

/// Lines of text as a list; nothing when there are none.
fn lines(text: &str) -> Option<AnyView> {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    (!lines.is_empty()).then(|| ui::points(lines))
}
