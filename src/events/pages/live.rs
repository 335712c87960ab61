//! The live tail: events as they come in.
use axum::{extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{Permit, ReadPayloads, Session},
    error::Result,
    form::shown,
    ids::TenantId,
    islands::LiveTail,
    tenants,
    ui::{self, Alert, Frame, Icon, LinkButton, PageHeader, Section},
};

/// Shows the live tail.
pub(super) async fn show(State(app): State<App>, session: Session, permit: Permit<ReadPayloads>) -> Result<Response> {
    let tenant = permit.tenant();
    let path = format!("/tenants/{tenant}/live");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Live, path).await?;
    Ok(shown(draw(&frame, tenant)))
}

fn draw(frame: &Frame, tenant: TenantId) -> String {
    let explorer = format!("/tenants/{tenant}/events");
    let (clock, ahead) = frame.zone().clock(frame.now);
    let same = ui::link(explorer.clone(), "The explorer");
    let all = explorer.clone();
    let body = view! {
        <PageHeader title="Live" lead="Events the moment they are on disk. The list holds still while you look at it.">
            <LinkButton href=explorer icon=Icon::Events>"All events"</LinkButton>
        </PageHeader>
        <noscript>
            <Alert state=ui::State::Neutral title="This page moves by JavaScript, which is off">
                <p>{same}" shows the same events; reload it to see new ones."</p>
            </Alert>
        </noscript>
        <LiveTail stream=format!("/tenants/{tenant}/stream") explorer=all clock=clock ahead=ahead/>
    };
    ui::page(frame, "Live", vec![], body.into_any())
}
