//! A new integration, and what people decide about one, changed. While a new intake is typed, what became of earlier
//! ones of the same system stands beside it: first the system is asked for, then the rest.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, Room, crumbs, form};
use crate::{
    app::App,
    auth::{
        Permit, RunIntakes, Session,
        store::{Colleague, colleagues},
    },
    error::Result,
    form::{Typed, amiss, shown},
    ids::{IntegrationId, TenantId},
    intake::{
        address, hours,
        store::{self, Earlier, Scope},
    },
    tenants,
    ui::{
        self, Button, Card, Choice, Columns, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton,
        PageHeader, Section, Select, Tone,
    },
};

/// Which system the new intake is about.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    system: Option<String>,
    kind: Option<String>,
}

/// Asks for the system; and once that is known, for the rest.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Query(about): Query<About>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame_of(&app, &session, tenant).await?;
    let scope = Scope::of(&session.actor)?;
    let system = about.system.unwrap_or_default().trim().chars().take(120).collect::<String>();
    if system.is_empty() {
        let known = store::systems(&app.db, &scope).await?;
        return Ok(shown(first_page(&frame, tenant, &known)));
    }
    let earlier = store::earlier(&app.db, &scope, &system, None).await?;
    let staff = colleagues(&app.db, &session.actor).await?;
    let typed = [
        ("system".to_owned(), system),
        ("kind".to_owned(), about.kind.unwrap_or_else(|| "custom".into())),
        ("owner".to_owned(), session.user.to_string()),
    ];
    let typed: Typed = typed.into_iter().collect();
    Ok(shown(page(&frame, tenant, &typed, &staff, &earlier, &FieldErrors::new())))
}

/// Begins it.
pub(super) async fn create(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame_of(&app, &session, tenant).await?;
    let (scope, staff) = (Scope::of(&session.actor)?, colleagues(&app.db, &session.actor).await?);
    let earlier = store::earlier(&app.db, &scope, &typed.text("system"), None).await?;
    let mut errors = FieldErrors::new();
    let details = form::read(&typed, &staff, tenant, &mut errors);
    let taken = taken(&typed, &earlier, &mut errors);
    if let (Some(details), Some(taken)) = (details, taken) {
        let from = taken.map(|(tenant, id)| (&scope, tenant, id));
        match store::create(&app.db, &app.clock, &permit, details, from).await {
            Ok(made) => return Ok(Redirect::to(&format!("{}?done=created", address(tenant, made.id))).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&frame, tenant, &typed, &staff, &earlier, &errors)))
}

/// Whose check list is taken over.
#[expect(clippy::option_option, reason = "not understood, or understood as nobody's")]
fn taken(typed: &Typed, earlier: &[Earlier], errors: &mut FieldErrors) -> Option<Option<(TenantId, IntegrationId)>> {
    let text = typed.text("earlier");
    if text.is_empty() {
        return Some(None);
    }
    let found = earlier.iter().find(|one| one.id.to_string() == text).map(|one| (one.tenant_id, one.id));
    errors.keep("earlier", found.ok_or("choose one of the earlier intakes")).map(Some)
}

async fn frame_of(app: &App, session: &Session, tenant: TenantId) -> Result<Frame> {
    let path = format!("/tenants/{tenant}/integrations/new");
    tenants::frame(app, session, Some(tenant), Section::TenantIntegrations, path).await
}

fn first_page(frame: &Frame, tenant: TenantId, known: &[String]) -> String {
    let base = format!("/tenants/{tenant}/integrations");
    let lead = "Which system is it about? What was found out about it before is shown next.";
    let body = view! {
        <PageHeader title="New integration" lead=lead>{ui::guide("intake", "What an intake needs")}</PageHeader>
        <Card>
            <ui::AskForm action=format!("{base}/new")>
                <ui::Suggest name="system" label="External system" known=known.to_vec() hint="As its maker calls it: Salesforce, Lightspeed, the customer's own ERP"/>
                <Select name="kind" label="Kind of system" choices=form::kinds() value="crm"/>
                <FormActions>
                    <Button tone=Tone::Primary>"Continue"</Button>
                    <LinkButton href=base.as_str() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </ui::AskForm>
        </Card>
    };
    ui::page(frame, "New integration", crumbs(frame), body.into_any())
}

fn page(
    frame: &Frame,
    tenant: TenantId,
    typed: &Typed,
    staff: &[Colleague],
    earlier: &[Earlier],
    errors: &FieldErrors,
) -> String {
    let base = format!("/tenants/{tenant}/integrations");
    let reusable: Vec<_> = earlier.iter().filter(|one| one.checks > 0).collect();
    let take = (!reusable.is_empty()).then(|| {
        let first = Choice::new("", "Begin with an empty one");
        let choices = reusable.iter().map(|one| {
            let known = ui::format::counted(u64::try_from(one.checks).unwrap_or(0), "answer");
            Choice::new(one.id.to_string(), format!("Take over {known} from {}", one.name))
        });
        let hint = "Whom a record is about is always found out anew.";
        view! {
            <Select name="earlier" label="Technical check list" choices=std::iter::once(first).chain(choices).collect() value=typed.text("earlier") hint=hint errors=errors/>
        }
    });
    let form = view! {
        <Card>
            <PageForm action=format!("{base}/new") errors=errors>
                {form::fields(typed, staff, tenant, errors)}
                {take}
                <FormActions>
                    <Button tone=Tone::Primary>"Begin the intake"</Button>
                    <LinkButton href=base.as_str() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    let body = view! {
        <PageHeader title="New integration" lead="One need of the customer, met by one external system.">{ui::guide("intake", "What an intake needs")}</PageHeader>
        <Columns main=form.into_any() aside=history(frame, &typed.text("system"), earlier)/>
    };
    ui::page(frame, "New integration", crumbs(frame), body.into_any())
}

/// What became of earlier intakes of a system.
pub(super) fn history(frame: &Frame, system: &str, earlier: &[Earlier]) -> AnyView {
    let title = format!("Earlier with {system}");
    if earlier.is_empty() {
        return view! {
            <Card title=title>
                <p>{ui::muted("There was no intake of a system of this name: everything is to be found out.")}</p>
            </Card>
        }
        .into_any();
    }
    let items = earlier.iter().map(|one| {
        let scenario = one.scenario.map_or("no scenario yet", crate::intake::Scenario::title);
        let mut told = vec![scenario.to_owned()];
        if one.planned + one.spent > 0 {
            told.push(format!("{} of {} spent on the investigation", hours(one.spent), hours(one.planned)));
        }
        if one.quoted > 0 {
            told.push(format!("{} quoted", hours(one.quoted)));
        }
        if one.worked > 0 {
            told.push(format!("{} spent on it", hours(one.worked)));
        }
        let words = view! { {format!("{} · ", told.join(", "))} {ui::ago(frame.moment(), one.created_at)} };
        let link = ui::link(address(one.tenant_id, one.id), one.name.as_str());
        ui::two_lines(view! { {link}" "{super::stage(one.stage)} }.into_any(), words.into_any())
    });
    view! { <Card title=title lead="What became of it.">{items.collect_view()}</Card> }.into_any()
}

/// The form, as the integration is now.
pub(super) async fn edit(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/edit").await?;
    let typed = form::typed(&room.of.details);
    Ok(shown(edit_page(&room, &typed, &FieldErrors::new())))
}

/// Changes it.
pub(super) async fn change(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/edit").await?;
    let mut errors = FieldErrors::new();
    if let Some(details) = form::read(&typed, &room.staff, permit.tenant(), &mut errors) {
        match store::change(&app.db, &app.clock, &permit, room.of.id, &typed.text("seen"), details).await {
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=changed", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(edit_page(&room, &typed, &errors)))
}

fn edit_page(room: &Room, typed: &Typed, errors: &FieldErrors) -> String {
    let here = room.here();
    let body = view! {
        <PageHeader title=format!("Edit {}", room.of.details.name)/>
        <Card>
            <PageForm action=format!("{here}/edit") errors=errors>
                <Hidden name="seen" value=store::mark(&room.of)/>
                {form::fields(typed, &room.staff, room.of.tenant_id, errors)}
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&room.frame, "Edit integration", room.crumbs(true), body.into_any())
}
