//! Evidence that is waived, and waivers that are taken back: by who has the right, with the reason.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{Named, Site};
use crate::{
    app::App,
    auth::{Permit, Session, WaiveEvidence},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    intake::{Reason, implementation::store},
    ui::{
        self, Button, Card, FieldErrors, Form as PageForm, FormActions, Hidden, LinkButton, PageHeader, TextArea, Tone,
    },
};

/// What an address names: a piece of evidence, or a line that names none; what it is called, and whether it is waived.
struct Point {
    site: Site,
    id: Uuid,
    what: String,
    is_waived: bool,
}

impl Point {
    async fn load(app: &App, session: &Session, permit: &Permit<WaiveEvidence>, named: &Named) -> Result<Self> {
        let site = Site::load(app, session, permit, named, &format!("/waive/{}", named.point)).await?;
        let id = super::id_of(&named.point, "evidence")?;
        let evidence = site.whole.evidence.iter().find(|one| one.id == id);
        let evidence = evidence.map(|one| (one.rule.told(), one.waived.is_set()));
        let line = site.whole.phases.iter().find(|one| one.id == id && one.quotation_id.is_some());
        let line = line.map(|one| (format!("any evidence of “{}”", one.title), one.waived.is_set()));
        let (what, is_waived) = evidence.or(line).ok_or(Error::NotFound("evidence"))?;
        Ok(Self { site, id, what, is_waived })
    }
}

/// Asks for the reason.
pub(in crate::intake::pages) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<WaiveEvidence>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let point = Point::load(&app, &session, &permit, &named).await?;
    Ok(shown(page(&point, "", &FieldErrors::new())))
}

/// Waives it, or takes the waiver back.
pub(in crate::intake::pages) async fn take(
    State(app): State<App>,
    session: Session,
    permit: Permit<WaiveEvidence>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let point = Point::load(&app, &session, &permit, &named).await?;
    let (undo, mut errors) = (typed.text("form") == "take-back", FieldErrors::new());
    if let Some(reason) = errors.keep("reason", Reason::parse(&typed.text("reason"))) {
        match store::waive(&app.db, &app.clock, &permit, point.site.room.of.id, (point.id, undo), reason).await {
            Ok(()) => {
                let word = if undo { "unwaived" } else { "waived" };
                return Ok(Redirect::to(&format!("{}?done={word}", point.site.here())).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&point, &typed.text("reason"), &errors)))
}

fn page(point: &Point, reason: &str, errors: &FieldErrors) -> String {
    let Point { site, id, what, is_waived } = point;
    let (here, name) = (site.here(), &site.room.of.details.name);
    let (title, lead, form, verb, leave) = if *is_waived {
        let lead = format!("{name} goes live only once this was seen: {what}.");
        ("Take back a waiver", lead, "take-back", "Take it back", "Leave it waived")
    } else {
        let lead = format!("{name} goes live without having seen: {what}.");
        ("Waive evidence", lead, "waive", "Waive it", "Wait for it")
    };
    let body = view! {
        <PageHeader title=title lead=lead>{ui::guide("implementation", "When it goes live")}</PageHeader>
        <Card>
            <PageForm action=format!("{here}/waive/{id}") errors=errors>
                <Hidden name="form" value=form/>
                <TextArea name="reason" label="Reason" value=reason.to_owned() rows=3 hint="It stands on the timeline, with your name." errors=errors/>
                <FormActions>
                    <Button tone=Tone::Danger>{verb}</Button>
                    <LinkButton href=here tone=Tone::Quiet>{leave}</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&site.room.frame, title, site.crumbs(), body.into_any())
}
