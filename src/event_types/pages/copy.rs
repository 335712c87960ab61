//! Copying an event type, to this tenant or to another.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address, crumbs};
use crate::{
    app::App,
    auth::{Configure, ListTenants, Permit, ReadConfiguration, Session},
    error::{Error, Result},
    event_types::{self, EventType},
    form::{Typed, amiss, shown},
    ids::TenantId,
    name::Name,
    tenants,
    ui::{
        self, Button, Card, Choice, Field, FieldErrors, Form as PageForm, FormActions, LinkButton, PageHeader, Section,
        Select, Tone,
    },
};

/// The form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, named.id()?).await?;
    let typed = Typed::from_iter([
        ("tenant".to_owned(), permit.tenant().to_string()),
        ("name".to_owned(), event_type.details.name.to_string()),
    ]);
    Ok(shown(page(&app, &session, &event_type, &typed, &FieldErrors::new()).await?))
}

/// Copies it.
pub(super) async fn copy(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, named.id()?).await?;
    let mut errors = FieldErrors::new();
    let to = errors.keep("tenant", target(&session, &typed.text("tenant")));
    let name = errors.keep("name", typed.text("name").parse::<Name>());
    if let (Some(to), Some(name)) = (to, name) {
        match event_types::copy(&app.db, &app.clock, &read, event_type.id, &to, name).await {
            Ok(made) => {
                let to = format!("{}?done=copied", address(made.tenant_id, made.id));
                return Ok(Redirect::to(&to).into_response());
            }
            Err(Error::NotFound("tenant")) => errors.push("tenant", NO_TENANT),
            Err(error) => return Err(error),
        }
    }
    Ok(amiss(page(&app, &session, &event_type, &typed, &errors).await?))
}

const NO_TENANT: &str = "Choose one of the tenants that you configure";

/// A foreign tenant and one that does not exist are the same answer.
fn target(session: &Session, text: &str) -> Result<Permit<Configure>, &'static str> {
    text.parse::<TenantId>().ok().and_then(|tenant| session.permit(tenant).ok()).ok_or(NO_TENANT)
}

async fn page(
    app: &App,
    session: &Session,
    event_type: &EventType,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<String> {
    let here = address(event_type.tenant_id, event_type.id);
    let path = format!("{here}/copy");
    let frame = tenants::frame(app, session, Some(event_type.tenant_id), Section::EventTypes, path.clone()).await?;
    let choices: Vec<_> = match session.grant::<ListTenants>() {
        Ok(grant) => {
            let all = tenants::list(&app.db, &grant).await?;
            all.iter().map(|tenant| Choice::new(tenant.id.to_string(), tenant.name.as_str())).collect()
        }
        // bound to the one tenant that they are in
        Err(_) => frame.tenant.iter().map(|tenant| Choice::new(tenant.id.clone(), tenant.name.clone())).collect(),
    };
    let title = format!("Copy {}", event_type.details.name);
    let lead = "Contract, policy, unique fields and description come along. Tokens, events and older versions do not, and the copy takes no anonymous events.";
    let body = view! {
        <PageHeader title=title.clone() lead=lead/>
        <Card>
            <PageForm action=path errors=errors>
                <Select name="tenant" label="To the tenant" choices=choices value=typed.text("tenant") errors=errors/>
                <Field name="name" label="Name of the copy" value=typed.text("name") autocomplete="off" errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Copy event type"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    Ok(ui::page(&frame, &title, crumbs(&frame, event_type), body.into_any()))
}
