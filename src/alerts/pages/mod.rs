//! The pages of alerts: of a tenant (channels, what types are watched for, what was amiss), and of the installation
//! (channels alone). The same handlers serve both: which of the two, the path says, and authority follows it.
mod channel;
mod form;
mod overview;
mod rules;
mod secret;

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
    routing::{get, post},
};
use leptos::prelude::*;

use super::{Channel, INSTALLATION, Keeper, Notice, Scope, Standing};
use crate::{
    app::App,
    auth::{Administer, Configure, ReadConfiguration, Right, Session, session::Rejection},
    error::{Error, Result},
    ids::{ChannelId, TenantId},
    tenants,
    ui::{self, Badge, Column, Crumb, DataTable, Frame, Section},
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/alerts", get(overview::of_tenant))
        .route("/tenants/{tenant}/alerts/rules/{event_type}", get(rules::ask).post(rules::save))
        .route("/tenants/{tenant}/alerts/channels/new", get(form::ask).post(form::add))
        .route("/tenants/{tenant}/alerts/channels/{channel}", get(channel::show))
        .route("/tenants/{tenant}/alerts/channels/{channel}/edit", get(form::ask_edit).post(form::edit))
        .route("/tenants/{tenant}/alerts/channels/{channel}/test", post(channel::test))
        .route("/tenants/{tenant}/alerts/channels/{channel}/switch", post(channel::switch))
        .route("/tenants/{tenant}/alerts/channels/{channel}/roll", get(secret::ask).post(secret::roll))
        .route("/tenants/{tenant}/alerts/channels/{channel}/remove", get(channel::ask_remove).post(channel::remove))
        .route("/alerts", get(overview::of_installation))
        .route("/alerts/channels/new", get(form::ask).post(form::add))
        .route("/alerts/channels/{channel}", get(channel::show))
        .route("/alerts/channels/{channel}/edit", get(form::ask_edit).post(form::edit))
        .route("/alerts/channels/{channel}/test", post(channel::test))
        .route("/alerts/channels/{channel}/switch", post(channel::switch))
        .route("/alerts/channels/{channel}/roll", get(secret::ask).post(secret::roll))
        .route("/alerts/channels/{channel}/remove", get(channel::ask_remove).post(channel::remove))
}

/// The tenant of a path that names one; whether it does at all.
async fn tenant_of(parts: &mut Parts, app: &App) -> Result<Option<TenantId>> {
    let params = RawPathParams::from_request_parts(parts, app).await;
    let params = params.map_err(|error| Error::internal(anyhow::anyhow!("a path without parameters: {error}")))?;
    match params.iter().find(|(name, _)| *name == "tenant") {
        None => Ok(None),
        Some((_, id)) => id.parse().map(Some).map_err(|_| Error::NotFound("tenant")),
    }
}

async fn ask<T, R: Right>(
    parts: &mut Parts,
    app: &App,
    of_tenant: impl Fn(&crate::auth::Permit<R>) -> T,
    of_all: impl Fn(&crate::auth::Grant<Administer>) -> T,
) -> Result<T, Rejection> {
    let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await?;
    Ok(match tenant_of(parts, app).await? {
        Some(tenant) => of_tenant(&session.permit::<R>(tenant)?),
        None => of_all(&session.grant()?),
    })
}

impl FromRequestParts<App> for Scope {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        ask::<_, ReadConfiguration>(parts, app, |permit| permit.into(), |grant| grant.into()).await
    }
}

impl FromRequestParts<App> for Keeper {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        ask::<_, Configure>(parts, app, |permit| permit.into(), |grant| grant.into()).await
    }
}

/// The channel that a path names.
struct Named(ChannelId);

impl FromRequestParts<App> for Named {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|error| Error::internal(anyhow::anyhow!("a path without parameters: {error}")))?;
        let id = params.iter().find(|(name, _)| *name == "channel").and_then(|(_, id)| id.parse().ok());
        Ok(Self(id.ok_or(Error::NotFound("channel"))?))
    }
}

/// The address of the page of alerts.
fn home(scope: Scope) -> String {
    if scope.tenant() == INSTALLATION { "/alerts".into() } else { format!("/tenants/{}/alerts", scope.tenant()) }
}

/// The address of a channel's page.
fn address(channel: &Channel) -> String {
    format!("{}/channels/{}", home(Scope(channel.tenant_id)), channel.id)
}

async fn frame(app: &App, session: &Session, scope: Scope, path: impl Into<String>) -> Result<Frame> {
    if scope.tenant() == INSTALLATION {
        return tenants::frame(app, session, None, Section::AlertsOfAll, path).await;
    }
    tenants::frame(app, session, Some(scope.tenant()), Section::Alerts, path).await
}

/// Whether the viewer may change what they look at.
fn may_keep(session: &Session, scope: Scope) -> bool {
    if scope.tenant() == INSTALLATION {
        session.grant::<Administer>().is_ok()
    } else {
        session.permit::<Configure>(scope.tenant()).is_ok()
    }
}

/// The way to the page of alerts, and to the channel that a page is about.
fn crumbs(frame: &Frame, scope: Scope, channel: Option<&Channel>) -> Vec<Crumb> {
    let mut crumbs: Vec<_> =
        frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
    crumbs.push(Crumb::new("Alerts", home(scope)));
    crumbs.extend(channel.map(|channel| Crumb::new(channel.name.to_string(), address(channel))));
    crumbs
}

fn state_of(channel: &Channel) -> AnyView {
    if channel.enabled {
        view! { <Badge state=ui::State::Ok word="told"/> }.into_any()
    } else {
        view! { <Badge state=ui::State::Warning word="paused"/> }.into_any()
    }
}

/// What became of a notice.
fn fate(frame: &Frame, notice: &Notice) -> AnyView {
    let (mood, word) = match notice.state {
        Standing::Sent => (ui::State::Ok, "delivered"),
        Standing::Failed => (ui::State::Error, "given up"),
        Standing::Waiting if notice.attempts == 0 => (ui::State::Neutral, "waiting"),
        Standing::Waiting => (ui::State::Warning, "tried again"),
    };
    let badge = view! { <Badge state=mood word=word/> }.into_any();
    let tried = notice.attempts > 0 && notice.fault.is_some();
    let more = match notice.state {
        Standing::Waiting if tried => {
            format!(
                "{} so far, next {}",
                ui::format::counted(count(notice.attempts), "attempt"),
                ui::format::relative(frame.now, notice.next_at)
            )
        }
        Standing::Failed if notice.attempts > 1 => {
            format!("after {}", ui::format::counted(count(notice.attempts), "attempt"))
        }
        _ => String::new(),
    };
    if more.is_empty() { badge } else { ui::two_lines(badge, ui::text(more)) }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// What was told; `channels` names whom, where there are several.
fn told(frame: &Frame, notices: &[Notice], channels: Option<&[Channel]>) -> AnyView {
    let mut columns = vec![Column::text("What")];
    if channels.is_some() {
        columns.push(Column::text("Whom").wide_only());
    }
    columns.extend([Column::text("Became"), Column::text("Answer").wide_only(), Column::text("When")]);
    let rows = notices.iter().map(|notice| {
        let mut cells = vec![ui::text(notice.title.clone())];
        if let Some(channels) = channels {
            let channel = channels.iter().find(|channel| channel.id == notice.channel_id);
            cells.push(channel.map_or_else(|| ui::muted("removed"), |one| ui::link(address(one), one.name.as_str())));
        }
        let answer = match (notice.status, &notice.fault, &notice.answer) {
            (_, Some(fault), _) => ui::text(fault.clone()),
            (Some(status), None, Some(answer)) => ui::two_lines(ui::text(status.to_string()), ui::mono(answer.clone())),
            (Some(status), None, None) => ui::text(status.to_string()),
            (None, None, _) => ui::muted("none"),
        };
        cells.extend([fate(frame, notice), answer, ui::ago(frame.moment(), notice.created_at)]);
        cells
    });
    view! { <DataTable caption="What was told" columns=columns rows=rows.collect()/> }.into_any()
}
