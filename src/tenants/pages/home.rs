//! Home: how every tenant has fared since yesterday, and what is in quarantine, first.
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chrono::Duration;
use leptos::prelude::*;

use super::list::state;
use crate::{
    app::App,
    auth::{CreateTenants, ListTenants, Session},
    error::Result,
    events::store::{TenantStanding, standing_of_tenants},
    form::shown,
    tenants::{self, Tenant},
    ui::{
        self, Badge, Card, Column, DataTable, Empty, Frame, Icon, LinkButton, PageHeader, Section, State as Light, Tone,
    },
};

/// Shows home; who is bound to one tenant is at home there.
pub(super) async fn show(State(app): State<App>, session: Session) -> Result<Response> {
    if let Some(own) = session.actor.tenant {
        return Ok(Redirect::to(&format!("/tenants/{own}")).into_response());
    }
    let grant = session.grant::<ListTenants>()?;
    let all = tenants::list(&app.db, &grant).await?;
    let standings = standing_of_tenants(&app.db, &grant, app.clock.now() - Duration::hours(24)).await?;
    let frame = tenants::frame(&app, &session, None, Section::Home, "/").await?;
    let may_create = session.grant::<CreateTenants>().is_ok();
    let mut rows: Vec<_> = all
        .into_iter()
        .map(|tenant| {
            let standing = standings.iter().find(|standing| standing.tenant_id == tenant.id).cloned();
            (tenant, standing.unwrap_or_default())
        })
        .collect();
    // what needs attention first; within that, by name as they came
    rows.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.quarantined));
    Ok(shown(page(&frame, &rows, may_create)))
}

fn page(frame: &Frame, rows: &[(Tenant, TenantStanding)], may_create: bool) -> String {
    let new = |label: &'static str| {
        may_create.then(|| {
            view! { <LinkButton href="/tenants/new" tone=Tone::Primary icon=Icon::Plus>{label}</LinkButton> }
        })
    };
    let body = if rows.is_empty() {
        view! {
            <PageHeader title="Home"/>
            <Empty
                icon=Icon::Tenants
                title="Begin with a tenant"
                why="A tenant is one customer of the platform. It owns event types and tokens; its first event is three short forms away."
            >
                {new("Add the first tenant")}
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Home" lead="What came in during the last 24 hours, quarantine first.">{new("New tenant")}</PageHeader>
            <Card flush=true>{table(frame, rows)}</Card>
        }
        .into_any()
    };
    ui::page(frame, "Home", Vec::new(), body)
}

fn table(frame: &Frame, rows: &[(Tenant, TenantStanding)]) -> AnyView {
    let columns = vec![
        Column::text("Tenant"),
        Column::text("Quarantine"),
        Column::number("Accepted"),
        Column::text("Last event"),
        Column::text("State").wide_only(),
    ];
    let rows = rows.iter().map(|(tenant, standing)| {
        vec![
            ui::link(format!("/tenants/{}", tenant.id), tenant.name.as_str()),
            quarantine(tenant, standing),
            ui::number(u64::try_from(standing.accepted).unwrap_or(0)),
            standing.last_at.map_or_else(|| ui::muted("none"), |at| ui::ago(frame.moment(), at)),
            state(tenant),
        ]
    });
    view! { <DataTable caption="Tenants in the last 24 hours" columns=columns rows=rows.collect()/> }.into_any()
}

fn quarantine(tenant: &Tenant, standing: &TenantStanding) -> AnyView {
    let count = u64::try_from(standing.quarantined).unwrap_or(0);
    if count == 0 {
        return view! { <Badge state=Light::Ok word="none"/> }.into_any();
    }
    let (word, href) = (ui::format::counted(count, "event"), format!("/tenants/{}/quarantine", tenant.id));
    view! { <Badge state=Light::Warning word=word href=href/> }.into_any()
}
