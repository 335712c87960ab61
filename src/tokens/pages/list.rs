//! The tokens of a tenant: never their secrets.
use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types,
    form::{Done, shown},
    ids::{EventTypeId, TenantId},
    tenants,
    tokens::{self, State as Standing, Token},
    ui::{
        self, Badge, Card, Column, Crumb, DataTable, Empty, Frame, Icon, LinkButton, Notice, PageHeader, Section, Tone,
    },
};

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let path = format!("/tenants/{tenant}/tokens");
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::Tokens, path).await?;
    frame.notice = match asked.done.as_deref() {
        Some("revoked") => Some(Notice::ok("The token is revoked: it is refused everywhere within a second.")),
        _ => None,
    };
    let types = event_types::list(&app.db, &permit).await?;
    let names = types.into_iter().map(|one| (one.id, one.details.name.to_string())).collect();
    let tokens = tokens::list(&app.db, &permit).await?;
    let may_configure = session.permit::<Configure>(tenant).is_ok();
    Ok(shown(page(&frame, tenant, &tokens, &names, may_configure)))
}

fn page(
    frame: &Frame,
    tenant: TenantId,
    tokens: &[Token],
    names: &HashMap<EventTypeId, String>,
    may_configure: bool,
) -> String {
    let new = || {
        may_configure.then(|| {
            let href = format!("/tenants/{tenant}/tokens/new");
            view! { <LinkButton href=href tone=Tone::Primary icon=Icon::Plus>"New token"</LinkButton> }
        })
    };
    let body = if tokens.is_empty() {
        view! {
            <PageHeader title="Tokens"/>
            <Empty
                icon=Icon::Token
                title="No tokens yet"
                why="A token is the secret that an external system sends with its events. Give each system its own, so that one can be revoked without the others."
            >
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="Tokens" lead="The secrets of external systems. Only how they begin is kept.">{new()}</PageHeader>
            <Card flush=true>{table(frame, tokens, names, may_configure)}</Card>
        }
        .into_any()
    };
    let crumbs = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    ui::page(frame, "Tokens", crumbs.collect(), body)
}

fn table(frame: &Frame, tokens: &[Token], names: &HashMap<EventTypeId, String>, may_configure: bool) -> AnyView {
    let columns = vec![
        Column::text("Name"),
        Column::text("Begins with"),
        Column::text("State"),
        Column::text("Good for"),
        Column::text("Expires"),
        Column::text("Last used"),
        Column::actions("Revoke"),
    ];
    let now = frame.moment();
    let rows = tokens.iter().map(|token| {
        let state = token.state(frame.now);
        let (colour, word) = match state {
            Standing::Active => (ui::State::Ok, "active"),
            Standing::Expired => (ui::State::Warning, "expired"),
            Standing::Revoked => (ui::State::Neutral, "revoked"),
        };
        let revoke = (may_configure && state != Standing::Revoked).then(|| {
            let href = format!("/tenants/{}/tokens/{}/revoke", token.tenant_id, token.id);
            let of = format!(" {}", token.details.name);
            view! { <LinkButton href=href tone=Tone::Quiet>"Revoke…"{ui::unseen(of)}</LinkButton> }
        });
        vec![
            ui::strong(token.details.name.as_str()),
            ui::mono(format!("{}…", token.prefix)),
            view! { <Badge state=colour word=word/> }.into_any(),
            limits(token, names),
            token.details.expires_at.map_or_else(|| ui::muted("never"), |at| ui::ago(now, at)),
            token.last_used_at.map_or_else(|| ui::muted("never"), |at| ui::ago(now, at)),
            revoke.into_any(),
        ]
    });
    view! { <DataTable caption="Tokens" columns=columns rows=rows.collect()/> }.into_any()
}

/// What the token may do, and where from.
fn limits(token: &Token, names: &HashMap<EventTypeId, String>) -> AnyView {
    let types = match &token.details.event_types {
        None => "all event types".to_owned(),
        Some(types) => {
            let known = types.iter().map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string()));
            known.collect::<Vec<_>>().join(", ")
        }
    };
    let networks = token.details.addresses.as_ref().map(|networks| {
        let list: Vec<_> = networks.iter().map(ToString::to_string).collect();
        view! { <div>{ui::muted(format!("from {}", list.join(", ")))}</div> }
    });
    let configure = token.details.can_configure.then(|| view! { <div>{ui::muted("may allow anonymous events")}</div> });
    view! { <div>{types}</div> {networks} {configure} }.into_any()
}
