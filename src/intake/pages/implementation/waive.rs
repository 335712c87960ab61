//! Evidence that is waived: by who has the right, with the reason.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{Named, Site, guide};
use crate::{
    app::App,
    auth::{Permit, Session, WaiveEvidence},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    intake::{Reason, implementation::store},
    ui::{self, Button, Card, FieldErrors, Form as PageForm, FormActions, LinkButton, PageHeader, TextArea, Tone},
};

/// What an address names: a piece of evidence, or a line that names none; and what it is called.
async fn load(
    app: &App,
    session: &Session,
    permit: &Permit<WaiveEvidence>,
    named: &Named,
) -> Result<(Site, Uuid, String)> {
    let site = Site::load(app, session, permit, named, &format!("/waive/{}", named.point)).await?;
    let id = super::id_of(&named.point, "evidence")?;
    let evidence = site.whole.evidence.iter().find(|one| one.id == id).map(|one| one.rule.told());
    let line = site.whole.phases.iter().find(|one| one.id == id && one.quotation_id.is_some());
    let what = evidence.or_else(|| line.map(|one| format!("any evidence of “{}”", one.title)));
    Ok((site, id, what.ok_or(Error::NotFound("evidence"))?))
}

/// Asks for the reason.
pub(in crate::intake::pages) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<WaiveEvidence>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (site, id, what) = load(&app, &session, &permit, &named).await?;
    Ok(shown(page(&site, id, &what, "", &FieldErrors::new())))
}

/// Waives it.
pub(in crate::intake::pages) async fn take(
    State(app): State<App>,
    session: Session,
    permit: Permit<WaiveEvidence>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (site, id, what) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    if let Some(reason) = errors.keep("reason", Reason::parse(&typed.text("reason"))) {
        match store::waive(&app.db, &app.clock, &permit, site.room.of.id, id, reason).await {
            Ok(()) => return Ok(Redirect::to(&format!("{}?done=waived", site.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&site, id, &what, &typed.text("reason"), &errors)))
}

fn page(site: &Site, id: Uuid, what: &str, reason: &str, errors: &FieldErrors) -> String {
    let here = site.here();
    let lead = format!("{} goes live without having seen: {what}.", site.room.of.details.name);
    let body = view! {
        <PageHeader title="Waive evidence" lead=lead>{guide("implementation", "When it goes live")}</PageHeader>
        <Card>
            <PageForm action=format!("{here}/waive/{id}") errors=errors>
                <TextArea name="reason" label="Reason" value=reason.to_owned() rows=3 hint="It stands on the timeline, with your name." errors=errors/>
                <FormActions>
                    <Button tone=Tone::Danger>"Waive it"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Wait for it"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&site.room.frame, "Waive evidence", site.crumbs(), body.into_any())
}
