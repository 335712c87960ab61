//! Writing a contract: as a table of fields with the JSON beside it, or as JSON; from samples of events; and as a file
//! that comes and goes. What is saved is a draft: it becomes the contract on the page of its review.
mod desk;
mod evidence;
mod new;
mod propose;
#[cfg(test)]
mod tests;
mod view;

use axum::{
    Router,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, address};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    crypto,
    error::Result,
    event_types::{
        self, Contract, EventType,
        versions::{self, Draft},
    },
    form::{Posted, amiss, shown},
    ids::TenantId,
    tenants,
    ui::{self, Crumb, FieldErrors, Frame, Icon, LinkButton, PageHeader, Section, Tone},
};
use desk::{Desk, Side, Wish};
use view::Around;

/// The routes of writing contracts.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/event-types/new", get(new::ask).post(new::create))
        .route("/tenants/{tenant}/event-types/new/sample", get(new::ask_samples).post(new::propose))
        .route("/tenants/{tenant}/event-types/{event_type}/contract", get(edit).post(save))
        .route("/tenants/{tenant}/event-types/{event_type}/contract/schema.json", get(export))
        .route("/tenants/{tenant}/event-types/{event_type}/contract/propose", get(propose::ask).post(propose::answer))
}

/// Which side of the desk is asked for.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(rename = "as")]
    side: Option<String>,
}

/// A contract that is being written: the type it belongs to, and its draft, if there is one.
struct Work {
    event_type: EventType,
    draft: Option<Draft>,
}

impl Work {
    async fn load(app: &App, permit: &Permit<ReadConfiguration>, named: &Named) -> Result<Self> {
        let event_type = event_types::get(&app.db, permit, named.id()?).await?;
        let draft = versions::draft(&app.db, permit, event_type.id).await?;
        Ok(Self { event_type, draft })
    }

    /// What the work begins with: the draft, or what is active.
    fn text(&self) -> &str {
        self.draft.as_ref().map_or(self.event_type.details.contract.text(), |draft| draft.contract.text())
    }

    /// Tells whether somebody else saved meanwhile.
    fn mark(&self) -> String {
        crypto::base64url(&crypto::sha256(self.text().as_bytes())[..12])
    }

    fn here(&self) -> String {
        format!("{}/contract", address(self.event_type.tenant_id, self.event_type.id))
    }

    /// Saves a contract as the draft; where that leads to. None, and a word about it, when somebody else saved since
    /// `mark`.
    async fn save(
        &self,
        app: &App,
        permit: &Permit<Configure>,
        contract: Contract,
        mark: &str,
        errors: &mut FieldErrors,
    ) -> Result<Option<Response>> {
        if mark != self.mark() {
            let who = self.draft.as_ref().map_or_else(
                || "The active contract has changed".to_owned(),
                |draft| format!("{} has saved another draft", draft.updated_by),
            );
            errors.push("", format!("{who} since you began. Save again to put yours in its place."));
            return Ok(None);
        }
        versions::save_draft(&app.db, &app.clock, permit, self.event_type.id, contract).await?;
        Ok(Some(Redirect::to(&format!("{}/review", self.here())).into_response()))
    }

    fn crumbs(&self, frame: &Frame) -> Vec<Crumb> {
        let mut crumbs = crumbs(frame, self.event_type.tenant_id);
        let details = &self.event_type.details;
        crumbs.push(Crumb::new(details.name.as_str(), address(self.event_type.tenant_id, self.event_type.id)));
        crumbs
    }
}

fn crumbs(frame: &Frame, tenant: TenantId) -> Vec<Crumb> {
    let mut crumbs: Vec<_> =
        frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
    crumbs.push(Crumb::new("Event types", format!("/tenants/{tenant}/event-types")));
    crumbs
}

/// Shows the contract, to be edited.
async fn edit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let work = Work::load(&app, &read, &named).await?;
    let side = if asked.side.as_deref() == Some(Side::Json.word()) { Side::Json } else { Side::Table };
    let desk = Desk::of(work.text(), side);
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, work.here()).await?;
    Ok(shown(page(&frame, &work, &desk, work.mark(), &FieldErrors::new())))
}

/// Takes what was edited: shows it, or saves it as the draft.
async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    posted: Posted,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let work = Work::load(&app, &read, &named).await?;
    let mut errors = FieldErrors::new();
    let (desk, wish, contract) = Desk::read(&posted, &mut errors);
    let mut mark = posted.typed.text("mark");
    if let (Wish::Save, Some(contract)) = (wish, contract) {
        if let Some(done) = work.save(&app, &permit, contract, &mark, &mut errors).await? {
            return Ok(done);
        }
        mark = work.mark();
    }
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, work.here()).await?;
    let page = page(&frame, &work, &desk, mark, &errors);
    Ok(if errors.is_empty() { shown(page) } else { amiss(page) })
}

/// The contract as a file: the draft if there is one.
async fn export(
    State(app): State<App>,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let work = Work::load(&app, &permit, &named).await?;
    let name = file_name(work.event_type.details.name.as_str());
    let headers = [
        (header::CONTENT_TYPE, "application/schema+json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.schema.json\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, work.text().to_owned()).into_response())
}

/// A name that any disk takes.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let words = name.chars().map(plain).collect::<String>();
    let name = words.split_whitespace().collect::<Vec<_>>().join("-");
    if name.is_empty() { "contract".to_owned() } else { name }
}

fn page(frame: &Frame, work: &Work, desk: &Desk, mark: String, errors: &FieldErrors) -> String {
    let name = work.event_type.details.name.as_str();
    let here = work.here();
    let lead = match &work.draft {
        Some(draft) => format!(
            "You are at the draft that {} saved. What is active stays as it is until the draft is reviewed and activated.",
            draft.updated_by
        ),
        None => "What you save is a draft: nothing changes for senders until it is reviewed and activated.".to_owned(),
    };
    let review = work
        .draft
        .is_some()
        .then(|| view! { <LinkButton href=format!("{here}/review")>"Review the draft"</LinkButton> });
    let around = Around {
        action: here.clone(),
        verb: "Save and review",
        cancel: address(work.event_type.tenant_id, work.event_type.id),
        hidden: vec![("mark", mark)],
        before: None,
        after: None,
        samples: Some(format!("{here}/propose")),
        errors,
    };
    let body = view! {
        <PageHeader title=format!("Contract of {name}") lead=lead>
            <LinkButton href=format!("{here}/schema.json") tone=Tone::Quiet icon=Icon::Download>"Download"</LinkButton>
            <LinkButton href=format!("{here}/propose") icon=Icon::Events>"From a sample"</LinkButton>
            {review}
        </PageHeader>
        {desk.draw(around)}
    };
    ui::page(frame, &format!("Contract of {name}"), work.crumbs(frame), body.into_any())
}
