//! The tokens of a tenant: never their secrets.
use std::collections::HashMap;

use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{address, crumbs, mood, state, types_of};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types,
    form::shown,
    ids::{EventTypeId, TenantId},
    tenants,
    tokens::{self, Watched},
    ui::{self, Badge, Card, Column, DataTable, Empty, Frame, Icon, LinkButton, PageHeader, Section, Tone},
};

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let path = format!("/tenants/{tenant}/tokens");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Tokens, path).await?;
    let types = event_types::store::names(&app.db, tenant).await?;
    let names = types.into_iter().map(|(id, name)| (id, name.to_string())).collect();
    let tokens = tokens::watch(&app.db, &permit, app.clock.now()).await?;
    let may_configure = session.permit::<Configure>(tenant).is_ok();
    Ok(shown(page(&frame, tenant, &tokens, &names, may_configure)))
}

fn page(
    frame: &Frame,
    tenant: TenantId,
    tokens: &[Watched],
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
            <Card flush=true>{table(frame, tokens, names)}</Card>
        }
        .into_any()
    };
    let mut way = crumbs(frame, None);
    way.truncate(1);
    ui::page(frame, "Tokens", way, body)
}

fn table(frame: &Frame, tokens: &[Watched], names: &HashMap<EventTypeId, String>) -> AnyView {
    let columns = vec![
        Column::text("Name"),
        Column::text("State"),
        Column::text("Good for").wide_only(),
        Column::text("Ends"),
        Column::text("Last used"),
    ];
    let now = frame.moment();
    let rows = tokens.iter().map(|watched| {
        let token = &watched.token;
        let prefix = view! { <div>{ui::mono(format!("{}…", token.prefix))}</div> };
        let end = if token.revoked_at.is_some() { token.revoked_at } else { token.ends_at() };
        vec![
            view! { {ui::link(address(token), token.details.name.as_str())} {prefix} }.into_any(),
            view! { {state(frame, token)} {warnings(watched)} }.into_any(),
            limits(watched, names),
            end.map_or_else(|| ui::muted("never"), |at| ui::ago(now, at)),
            used(now, watched),
        ]
    });
    view! { <DataTable caption="Tokens" columns=columns rows=rows.collect()/> }.into_any()
}

/// What there is to look after, in a word each; the token's page says more.
fn warnings(watched: &Watched) -> AnyView {
    let word = |warning: &tokens::Warning| view! { <div><Badge state=mood(warning) word=warning.word()/></div> };
    watched.warnings.iter().map(word).collect_view().into_any()
}

/// When it was last used, and by what.
fn used(now: ui::Now, watched: &Watched) -> AnyView {
    let Some(at) = watched.token.last_used_at else { return ui::muted("never") };
    let by = watched.last_use.as_ref().and_then(|last| Some((last.agent.clone()?, last.address.clone()?)));
    let by = by.map(|(agent, address)| view! { <div>{ui::muted(format!("{agent} from {address}"))}</div> });
    view! { {ui::ago(now, at)} {by} }.into_any()
}

/// What the token may do, and where from.
fn limits(watched: &Watched, names: &HashMap<EventTypeId, String>) -> AnyView {
    let token = &watched.token;
    let types = types_of(token, names);
    let networks = token.details.addresses.as_ref().map(|networks| {
        let list: Vec<_> = networks.iter().map(ToString::to_string).collect();
        view! { <div>{ui::muted(format!("from {}", list.join(", ")))}</div> }
    });
    let configure = token.details.can_configure.then(|| view! { <div>{ui::muted("may allow anonymous events")}</div> });
    view! { <div>{types}</div> {networks} {configure} }.into_any()
}
