//! The page: what needs attention first, then how every tenant has fared since yesterday.
use std::collections::HashMap;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Duration, Utc};
use leptos::prelude::*;

use super::{
    needs,
    turns::{self, Turns},
};
use crate::{
    app::App,
    auth::{CreateTenants, ListTenants, ReadPayloads, Session},
    error::Result,
    events::{
        chart,
        follower::hour,
        hours,
        store::{TenantStanding, standing_of_tenants},
    },
    form::shown,
    ids::TenantId,
    intake::{self, quotation},
    tenants::{self, Tenant},
    ui::{
        self, Badge, Card, Column, DataTable, Empty, Frame, Icon, LinkButton, Need, Needs, PageHeader, Row, Section,
        State as Light, Tone, Trend,
    },
};

/// How many things that need attention are told.
const TOLD: usize = 25;
/// How many hours a row looks back.
const HOURS: usize = 24;

/// What the page shows.
struct Seen {
    needs: Vec<Need>,
    turns: Turns,
    rows: Vec<(Tenant, TenantStanding, Vec<u64>)>,
    may_create: bool,
    may_read_payloads: bool,
}

/// Shows home; who is bound to one tenant is at home there.
pub(super) async fn show(State(app): State<App>, session: Session) -> Result<Response> {
    if let Some(own) = session.actor.tenant {
        return Ok(Redirect::to(&format!("/tenants/{own}")).into_response());
    }
    let grant = session.grant::<ListTenants>()?;
    let now = app.clock.now();
    let all = tenants::list(&app.db, &grant).await?;
    let standings = standing_of_tenants(&app.db, &grant, now - Duration::hours(24)).await?;
    let begin = hour(now) - Duration::hours(23);
    let mut trends = trends(&hours::of_all(&app.db, &grant, begin).await?, begin);
    let needs = needs::of(&app, &session, &grant, &all, now).await?;
    let viewer = &session.actor;
    let turns = Turns {
        waiting: intake::waiting(&app.db, viewer).await?,
        awaiting: quotation::store::awaiting(&app.db, viewer).await?,
        viewer: viewer.user,
        approves: quotation::Act::Approve.may(viewer.role),
    };
    let frame = tenants::frame(&app, &session, None, Section::Home, "/").await?;
    let mut standings: HashMap<_, _> = standings.into_iter().map(|one| (one.tenant_id, one)).collect();
    let row = |tenant: Tenant| {
        let standing = standings.remove(&tenant.id).unwrap_or_default();
        let trend = trends.remove(&tenant.id).unwrap_or_else(|| vec![0; HOURS]);
        (tenant, standing, trend)
    };
    let seen = Seen {
        needs,
        turns,
        rows: all.into_iter().map(row).collect(),
        may_create: session.grant::<CreateTenants>().is_ok(),
        may_read_payloads: session.grant::<ReadPayloads>().is_ok(),
    };
    Ok(shown(page(&frame, &seen)))
}

/// The last hours of each tenant, oldest first.
fn trends(hours: &[(TenantId, DateTime<Utc>, i64, i64)], begin: DateTime<Utc>) -> HashMap<TenantId, Vec<u64>> {
    let mut all: HashMap<TenantId, Vec<u64>> = HashMap::new();
    for (tenant, hour, accepted, quarantined) in hours {
        let at = usize::try_from((*hour - begin).num_hours()).unwrap_or(HOURS);
        if let Some(value) = all.entry(*tenant).or_insert_with(|| vec![0; HOURS]).get_mut(at) {
            *value += u64::try_from(accepted + quarantined).unwrap_or(0);
        }
    }
    all
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let new = |label: &'static str| {
        seen.may_create.then(|| {
            view! { <LinkButton href="/tenants/new" tone=Tone::Primary icon=Icon::Plus>{label}</LinkButton> }
        })
    };
    let body = if seen.rows.is_empty() {
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
            <PageHeader title="Home">{new("New tenant")}</PageHeader>
            {attention(frame, seen)}
            {turns::card(frame, &seen.turns)}
            <Card title="Tenants" lead="What came in during the last 24 hours." flush=true>{table(frame, seen)}</Card>
        }
        .into_any()
    };
    ui::page(frame, "Home", Vec::new(), body)
}

fn attention(frame: &Frame, seen: &Seen) -> AnyView {
    if seen.needs.is_empty() {
        let words = "Nothing needs attention: no open failures, no silent types, no sources that are late, no tokens about to end.";
        return view! { <Card title="Needs attention" flush=true>{ui::calm(words)}</Card> }.into_any();
    }
    let left = seen.needs.len().saturating_sub(TOLD);
    let lead = match left {
        0 => None,
        left => Some(format!("The first {TOLD} of {}: {left} more come up as these are mended.", TOLD + left)),
    };
    let told = seen.needs.iter().take(TOLD).cloned().collect();
    view! {
        <Card title="Needs attention" lead=lead.unwrap_or_else(|| "What is broken first.".into()) flush=true>
            <Needs needs=told now=frame.moment()/>
        </Card>
    }
    .into_any()
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let columns = vec![
        Column::text("Tenant"),
        Column::text("24 hours").wide_only(),
        Column::number("Accepted"),
        Column::text("Quarantine"),
        Column::text("Last event"),
        Column::text("State").wide_only(),
    ];
    let rows = seen.rows.iter().map(|(tenant, standing, trend)| {
        let total: u64 = trend.iter().sum();
        let summary = format!("{} in 24 hours", ui::format::counted(total, "event"));
        vec![
            ui::link(format!("/tenants/{}", tenant.id), tenant.name.as_str()),
            view! { <Trend values=trend.clone() summary=summary/> }.into_any(),
            ui::number(u64::try_from(standing.accepted).unwrap_or(0)),
            quarantine(tenant, standing, seen.may_read_payloads),
            standing.last_at.map_or_else(|| ui::muted("none"), |at| ui::ago(frame.moment(), at)),
            tenants::state(tenant),
        ]
    });
    view! { <DataTable caption="Tenants in the last 24 hours" columns=columns rows=rows.collect()/> }.into_any()
}

fn quarantine(tenant: &Tenant, standing: &TenantStanding, may_read: bool) -> AnyView {
    let count = u64::try_from(standing.quarantined).unwrap_or(0);
    if count == 0 {
        return view! { <Badge state=Light::Ok word="none"/> }.into_any();
    }
    let all = count + u64::try_from(standing.accepted).unwrap_or(0);
    let (word, share) = (ui::format::counted(count, "event"), ui::muted(chart::share(count, all)));
    let badge = if may_read {
        let href = format!("/tenants/{}/quarantine", tenant.id);
        view! { <Badge state=Light::Warning word=word href=href/> }.into_any()
    } else {
        view! { <Badge state=Light::Warning word=word/> }.into_any()
    };
    view! { <Row>{badge}{share}</Row> }.into_any()
}
