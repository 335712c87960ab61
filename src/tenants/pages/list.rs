//! All tenants, and the form for a new one.
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{CreateTenants, Grant, ListTenants, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    ids::TenantId,
    name::Name,
    tenants::{self, Tenant},
    ui::{
        self, Badge, Button, Card, Column, Crumb, DataTable, Empty, Field, FieldErrors, Form as PageForm, FormActions,
        Frame, Icon, LinkButton, Notice, PageHeader, Section, Tone,
    },
};

/// Shows the list; who is bound to one tenant gets to that.
pub(super) async fn show(State(app): State<App>, session: Session, Query(asked): Query<Done>) -> Result<Response> {
    if let Some(own) = session.actor.tenant {
        return Ok(Redirect::to(&format!("/tenants/{own}")).into_response());
    }
    let all = tenants::list(&app.db, &session.grant::<ListTenants>()?).await?;
    let mut frame = tenants::frame(&app, &session, None, Section::Tenants, "/tenants").await?;
    if asked.done.as_deref() == Some("demo-removed") {
        frame.notice = Some(Notice::ok("The demo is removed, with all that belonged to it."));
    }
    let may_create = session.grant::<CreateTenants>().is_ok();
    Ok(shown(page(&frame, &all, may_create)))
}

fn page(frame: &Frame, all: &[Tenant], may_create: bool) -> String {
    let new = || {
        may_create.then(|| {
            view! { <LinkButton href="/tenants/new" tone=Tone::Primary icon=Icon::Plus>"New tenant"</LinkButton> }
        })
    };
    let body = if all.is_empty() {
        view! {
            <PageHeader title="Tenants"/>
            <Empty
                icon=Icon::Tenants
                title="No tenants yet"
                why="A tenant is one customer of the platform. It owns event types, tokens and events, and nothing of it is seen by another."
            >
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Tenants" lead="The customers of the platform.">{new()}</PageHeader>
            <Card flush=true>{table(frame, all)}</Card>
        }
        .into_any()
    };
    ui::page(frame, "Tenants", Vec::new(), body)
}

fn table(frame: &Frame, all: &[Tenant]) -> AnyView {
    let columns = vec![
        Column::text("Name"),
        Column::text("State"),
        Column::text("Created").wide_only(),
        Column::text("Id").wide_only(),
    ];
    let rows = all.iter().map(|tenant| {
        vec![
            ui::link(format!("/tenants/{}", tenant.id), tenant.name.as_str()),
            state(tenant),
            ui::ago(frame.moment(), tenant.created_at),
            ui::mono(tenant.id.to_string()),
        ]
    });
    view! { <DataTable caption="Tenants" columns=columns rows=rows.collect()/> }.into_any()
}

/// Enabled or disabled, as a badge.
pub fn state(tenant: &Tenant) -> AnyView {
    if tenant.enabled {
        view! { <Badge state=ui::State::Ok word="enabled"/> }.into_any()
    } else {
        view! { <Badge state=ui::State::Warning word="disabled"/> }.into_any()
    }
}

/// The form for a new tenant.
pub(super) async fn new(State(app): State<App>, session: Session, _grant: Grant<CreateTenants>) -> Result<Response> {
    let frame = tenants::frame(&app, &session, None, Section::Tenants, "/tenants/new").await?;
    Ok(shown(form(&frame, &Typed::default(), &FieldErrors::new())))
}

/// Creates it.
pub(super) async fn create(
    State(app): State<App>,
    session: Session,
    grant: Grant<CreateTenants>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    let name = errors.keep("name", typed.text("name").parse::<Name>());
    let id = errors.keep("id", given(typed.text("id").trim()));
    if let (Some(name), Some(id)) = (name, id) {
        match tenants::create(&app.db, &app.clock, &grant, id, name).await {
            Ok(made) => return Ok(Redirect::to(&format!("/tenants/{}", made.id)).into_response()),
            Err(error) => errors.note("id", error)?,
        }
    }
    let frame = tenants::frame(&app, &session, None, Section::Tenants, "/tenants/new").await?;
    Ok(amiss(form(&frame, &typed, &errors)))
}

fn given(text: &str) -> Result<Option<TenantId>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "an id is a GUID such as 3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c")
}

fn form(frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="New tenant" lead="One customer of the platform. Its event types, tokens and events are its own."/>
        <Card>
            <PageForm action="/tenants/new" errors=errors>
                <Field name="name" label="Name" value=typed.text("name") autocomplete="off" focus=true errors=errors/>
                <Field
                    name="id"
                    label="Id"
                    value=typed.text("id")
                    autocomplete="off"
                    mono=true
                    optional=true
                    hint="Only for a customer who moves here: the GUID they have now. Otherwise leave it empty, and a new one is made."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Create tenant"</Button>
                    <LinkButton href="/tenants" tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "New tenant", vec![Crumb::new("Tenants", "/tenants")], body.into_any())
}
