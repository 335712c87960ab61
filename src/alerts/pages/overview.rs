//! What is amiss and what was, whom to tell, and what types are watched for.
use std::collections::HashMap;

use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;

use super::{crumbs, frame, home, may_keep, state_of, told};
use crate::{
    alerts::{Alert, Channel, INSTALLATION, Notice, Resolution, Rules, Scope, Way, message, store},
    app::App,
    auth::{Administer, Grant, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{self, EventType},
    events::rhythm::{self, Watched},
    form::{Done, shown},
    ids::EventTypeId,
    ui::{
        self, Alert as Note, Badge, Card, Column, DataTable, Empty, Frame, Icon, LinkButton, Notice as Said,
        PageHeader, Row, Tone,
    },
};

/// How many alerts and notices a page shows.
const SHOWN: i64 = 50;

/// What the page shows.
struct Seen {
    scope: Scope,
    channels: Vec<Channel>,
    notices: Vec<Notice>,
    /// None: the page is that of the installation.
    tenant: Option<OfTenant>,
    may_keep: bool,
    mail: bool,
}

struct OfTenant {
    alerts: Vec<Alert>,
    types: Vec<EventType>,
    rules: HashMap<EventTypeId, Rules>,
    rhythms: HashMap<EventTypeId, Watched>,
}

/// Shows the page of a tenant.
pub(super) async fn of_tenant(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let tenant = OfTenant {
        alerts: store::alerts(&app.db, &permit, SHOWN).await?,
        types: event_types::list(&app.db, &permit).await?,
        rules: store::rules_of(&app.db, &permit).await?,
        rhythms: rhythm::of_tenant(&app.db, &permit, app.clock.now()).await?,
    };
    show(&app, &session, Scope::from(&permit), Some(tenant), &done).await
}

/// Shows the page of the installation.
pub(super) async fn of_installation(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Query(done): Query<Done>,
) -> Result<Response> {
    show(&app, &session, Scope::from(&grant), None, &done).await
}

async fn show(app: &App, session: &Session, scope: Scope, tenant: Option<OfTenant>, done: &Done) -> Result<Response> {
    let mut frame = frame(app, session, scope, home(scope)).await?;
    frame.notice = match done.done.as_deref() {
        Some("removed") => Some(Said::ok("The channel is removed: it is told nothing more.")),
        Some("rules") => Some(Said::ok("Saved. It is watched so from now on.")),
        _ => None,
    };
    let seen = Seen {
        scope,
        channels: store::channels(&app.db, scope).await?,
        notices: store::notices_of(&app.db, scope, None, SHOWN).await?,
        tenant,
        may_keep: may_keep(session, scope),
        mail: app.mail.is_configured(),
    };
    Ok(shown(page(&frame, &seen)))
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let lead = if seen.tenant.is_some() {
        "Told when events stop coming, when too many of them break their contract, and when they break it in a new way."
    } else {
        "These channels are told of every tenant, beside the tenants' own."
    };
    let body = view! {
        <PageHeader title="Alerts" lead=lead>{new(seen)}</PageHeader>
        {no_mail(seen)}
        {seen.tenant.as_ref().map(|tenant| amiss(frame, seen, tenant))}
        {channels(seen)}
        {seen.tenant.as_ref().map(|tenant| watched(seen, tenant))}
        {history(frame, seen)}
    };
    let mut way = crumbs(frame, seen.scope, None);
    way.pop();
    ui::page(frame, "Alerts", way, body.into_any())
}

fn new(seen: &Seen) -> Option<AnyView> {
    let here = home(seen.scope);
    seen.may_keep.then(|| {
        view! {
            <LinkButton href=format!("{here}/channels/new?kind=web") icon=Icon::Plus>"Web request"</LinkButton>
            <LinkButton href=format!("{here}/channels/new?kind=mail") tone=Tone::Primary icon=Icon::Plus>"E-mail"</LinkButton>
        }
        .into_any()
    })
}

/// Channels of mail that nobody carries.
fn no_mail(seen: &Seen) -> Option<AnyView> {
    let any = seen.channels.iter().any(|channel| channel.kind == Way::Mail);
    (any && !seen.mail).then(|| {
        view! {
            <Note state=ui::State::Warning title="No mail is sent from here">
                <p>"The server was started without a mail server: "{ui::mono("--smtp-url")}" and "{ui::mono("--mail-from")}" name one."</p>
            </Note>
        }
        .into_any()
    })
}

/// What is amiss now and what was.
fn amiss(frame: &Frame, seen: &Seen, tenant: &OfTenant) -> AnyView {
    let name = |id: EventTypeId| {
        let found = tenant.types.iter().find(|one| one.id == id);
        found.map_or_else(|| id.to_string(), |one| one.details.name.to_string())
    };
    let (open, over): (Vec<_>, Vec<_>) = tenant.alerts.iter().partition(|alert| alert.resolved_at.is_none());
    if open.is_empty() && over.is_empty() {
        return view! { <Card flush=true>{ui::calm("Nothing is amiss, and nothing was in the last 30 days.")}</Card> }
            .into_any();
    }
    let row = |alert: &Alert| {
        let line = message::title(alert, &name(alert.event_type_id));
        // what follows a link into payloads is not for everybody
        let first = if seen.may_keep { ui::link(message::path(alert), line) } else { ui::text(line) };
        let (mood, word) = match alert.resolution {
            None => (ui::State::Error, "open"),
            Some(Resolution::Mended) => (ui::State::Ok, "over"),
            Some(Resolution::Unwatched) => (ui::State::Neutral, "not watched"),
            Some(Resolution::Worse) => (ui::State::Neutral, "became worse"),
        };
        let over = alert.resolved_at.map_or_else(|| ui::muted("not yet"), |at| ui::ago(frame.moment(), at));
        vec![
            first,
            view! { <Badge state=mood word=word/> }.into_any(),
            ui::text(alert.kind.title()),
            ui::ago(frame.moment(), alert.opened_at),
            over,
        ]
    };
    let columns = vec![
        Column::text("What"),
        Column::text("State"),
        Column::text("Watched for").wide_only(),
        Column::text("Since"),
        Column::text("Over").wide_only(),
    ];
    let calm = open.is_empty().then(|| ui::calm("Nothing is amiss at the moment."));
    let rows: Vec<_> = open.into_iter().chain(over).map(row).collect();
    view! {
        <Card title="What is amiss, and what was" lead="Of the last 30 days." flush=true>
            {calm}
            <DataTable caption="Alerts" columns=columns rows=rows/>
        </Card>
    }
    .into_any()
}

fn channels(seen: &Seen) -> AnyView {
    if seen.channels.is_empty() {
        let why = if seen.tenant.is_some() {
            "What is amiss is noted here all the same. A channel is told of it at once: an e-mail address, or an address of yours that gets a signed web request."
        } else {
            "A channel of the installation is told of every tenant: an e-mail address, or an address of yours that gets a signed web request."
        };
        let here = home(seen.scope);
        let first = seen.may_keep.then(|| {
            view! {
                <Row>
                    <LinkButton href=format!("{here}/channels/new?kind=mail") icon=Icon::Mail>"Tell an e-mail address"</LinkButton>
                    <LinkButton href=format!("{here}/channels/new?kind=web") icon=Icon::Live>"Send a web request"</LinkButton>
                </Row>
            }
        });
        return view! { <Empty icon=Icon::Bell title="Nobody is told yet" why=why>{first}</Empty> }.into_any();
    }
    let columns =
        vec![Column::text("Channel"), Column::text("How"), Column::text("State"), Column::text("Where").wide_only()];
    let rows = seen.channels.iter().map(|channel| {
        vec![
            ui::link(super::address(channel), channel.name.as_str()),
            ui::text(channel.kind.title()),
            state_of(channel),
            ui::mono(channel.address.clone()),
        ]
    });
    let also = (seen.scope.tenant() != INSTALLATION)
        .then_some("Told of this tenant. Administrators may have channels that are told of every tenant besides.");
    view! {
        <Card title="Channels" lead=also.unwrap_or("Told of every tenant.") flush=true>
            <DataTable caption="Channels" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

/// What types are watched for.
fn watched(seen: &Seen, tenant: &OfTenant) -> Option<AnyView> {
    if tenant.types.is_empty() {
        return None;
    }
    let columns = vec![
        Column::text("Event type"),
        Column::text("Silence"),
        Column::text("Rejection rate"),
        Column::text("New failures"),
    ];
    let rows = tenant.types.iter().map(|one| {
        let name = one.details.name.as_str();
        let href = format!("{}/rules/{}", home(seen.scope), one.id);
        let first = if seen.may_keep { ui::link(href, name) } else { ui::text(name) };
        if !one.details.enabled {
            let off = || ui::muted("disabled");
            return vec![first, off(), off(), off()];
        }
        let rules = tenant.rules.get(&one.id).copied().unwrap_or_default();
        let silent = tenant.rhythms.get(&one.id).is_some_and(|one| one.verdict.is_silent());
        let silence = match (rules.silence, silent) {
            (false, _) => ui::muted("off"),
            (true, true) => view! { <Badge state=ui::State::Error word="silent"/> }.into_any(),
            (true, false) => ui::text("on"),
        };
        let rate = if rules.rejections {
            ui::text(format!("from {} % in {} h", rules.percent, rules.hours))
        } else {
            ui::muted("off")
        };
        vec![first, silence, rate, if rules.failures { ui::text("on") } else { ui::muted("off") }]
    });
    Some(
        view! {
            <Card title="What is watched" lead="Each type by its own rules." flush=true>
                <DataTable caption="What types are watched for" columns=columns rows=rows.collect()/>
            </Card>
        }
        .into_any(),
    )
}

fn history(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    (!seen.notices.is_empty()).then(|| {
        view! {
            <Card title="What was told" lead="Kept for 30 days." flush=true>
                {told(frame, &seen.notices, Some(&seen.channels))}
            </Card>
        }
        .into_any()
    })
}
