//! Giving somebody another role, or another tenant.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, bindings, crumb, frame, roles, tenant_names};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Session,
        store::{self, Person},
    },
    error::Result,
    form::{Typed, amiss, shown},
    ids::TenantId,
    people::parse_binding,
    ui::{
        self, Alert, Button, Card, Crumb, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        RadioGroup, Select, Tone,
    },
};

/// The form, as it is now.
pub(super) async fn form(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let seen = Seen::of(&app, &session, &grant, &named).await?;
    let typed = Typed::from_iter([
        ("role".to_owned(), seen.person.role.word().to_owned()),
        ("tenant".to_owned(), seen.person.tenant_id.map(|id| id.to_string()).unwrap_or_default()),
    ]);
    Ok(shown(page(&seen, &typed, &FieldErrors::new())))
}

/// Changes it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let seen = Seen::of(&app, &session, &grant, &named).await?;
    let mut errors = FieldErrors::new();
    match parse_binding(&typed.text("role"), &typed.text("tenant")) {
        Err((field, why)) => errors.push(field, why),
        Ok((role, tenant)) => {
            let id = seen.person.id;
            match store::change_role(&app.db, &app.clock, &grant, id, role, tenant).await {
                Ok(()) => return Ok(Redirect::to(&format!("/people/{id}?done=role")).into_response()),
                Err(error) => errors.note("role", error)?,
            }
        }
    }
    Ok(amiss(page(&seen, &typed, &errors)))
}

struct Seen {
    frame: Frame,
    person: Person,
    sessions: usize,
    names: Vec<(TenantId, String)>,
    is_own: bool,
}

impl Seen {
    async fn of(app: &App, session: &Session, grant: &Grant<Administer>, named: &Named) -> Result<Self> {
        let person = store::person(&app.db, grant, named.id()?).await?;
        Ok(Self {
            frame: frame(app, session, format!("/people/{}/role", person.id)).await?,
            sessions: store::sessions_of(&app.db, &app.clock, grant, person.id).await?.len(),
            names: tenant_names(app, grant).await?,
            is_own: person.id == session.user,
            person,
        })
    }
}

fn page(seen: &Seen, typed: &Typed, errors: &FieldErrors) -> String {
    let person = &seen.person;
    let base = format!("/people/{}", person.id);
    let title = format!("Change what {} may do", person.name);
    let impact = match (seen.is_own, seen.sessions) {
        (true, _) => {
            "This is your own account: you are signed out at once, and may find this page closed to you.".into()
        }
        (false, 0) => "They are signed in nowhere. It holds from their next sign-in.".to_owned(),
        (false, 1) => "They are signed out of the one browser they use, and have to sign in again.".to_owned(),
        (false, n) => format!("They are signed out of all {n} browsers they use, and have to sign in again."),
    };
    let state = if seen.is_own { ui::State::Warning } else { ui::State::Neutral };
    let body = view! {
        <PageHeader title=title.as_str() lead=person.email.as_str()/>
        <Alert state=state title="It holds at once"><p>{impact}</p></Alert>
        <Card>
            <PageForm action=format!("{base}/role") errors=errors>
                <RadioGroup name="role" label="Role" choices=roles() value=typed.text("role") errors=errors/>
                <Select
                    name="tenant"
                    label="Tenant"
                    choices=bindings(&seen.names)
                    value=typed.text("tenant")
                    hint="Bound to one, they see nothing of any other. A customer has to be."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Change role"</Button>
                    <LinkButton href=base.as_str() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(
        &seen.frame,
        &title,
        vec![crumb(), Crumb::new(&person.name, format!("/people/{}", person.id))],
        body.into_any(),
    )
}
