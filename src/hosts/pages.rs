//! The page of hosts, for administrators: which are asked and how much at once, and which of this network may be.
use axum::{
    Form, Router,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    Host,
    store::{self, Asked, Granted},
};
use crate::{
    app::App,
    auth::{Administer, Grant, Session},
    error::{Error, Result},
    form::{Done, Typed, amiss, shown},
    polling::store::change,
    tenants,
    ui::{
        self, Button, Card, Column, Columns, Crumb, DataTable, Empty, Field, FieldErrors, FieldGrid, Form as PageForm,
        FormActions, Frame, Hidden, Icon, LinkButton, Notice, PageHeader, Prose, Section, Tone,
    },
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/hosts", get(list))
        .route("/hosts/allow", post(allow))
        .route("/hosts/withdraw", get(ask_withdraw).post(withdraw))
        .route("/hosts/limit", get(ask_limit).post(limit))
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    host: String,
}

async fn frame(app: &App, session: &Session, path: &str) -> Result<Frame> {
    tenants::frame(app, session, None, Section::Hosts, path.to_owned()).await
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Hosts", "/hosts")]
}

async fn list(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut frame = frame(&app, &session, "/hosts").await?;
    frame.notice = match done.done.as_deref() {
        Some("allowed") => Some(Notice::ok("Allowed. Running servers go there within a second.")),
        Some("withdrawn") => Some(Notice::ok("Withdrawn. What is under way there goes on to its end.")),
        Some("limited") => Some(Notice::ok("Saved. It holds for all servers from now on.")),
        _ => None,
    };
    page(&app, &grant, &frame, &Typed::default(), &FieldErrors::new()).await.map(shown)
}

async fn allow(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    if let Some(host) = errors.keep("host", typed.text("host").parse::<Host>()) {
        match store::allow(&app.db, &app.clock, &grant, host).await {
            Ok(()) => return Ok(Redirect::to("/hosts?done=allowed").into_response()),
            Err(error) => errors.note("host", error)?,
        }
    }
    let frame = frame(&app, &session, "/hosts").await?;
    page(&app, &grant, &frame, &typed, &errors).await.map(amiss)
}

async fn page(
    app: &App,
    grant: &Grant<Administer>,
    frame: &Frame,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<String> {
    let asked = store::asked(&app.db, grant).await?;
    let granted = store::granted(&app.db, grant).await?;
    let main = view! {
        {of_sources(frame, &asked)}
        {inside(frame, app.client.allowed().started_with(), &granted)}
    };
    let aside = view! {
        <Card title="Allow a host of this network" lead="Addresses that people type lead to nothing inside this network, so that nobody reaches by this server what only this server can reach. Allow what is meant to be reached, and no more.">
            <PageForm action="/hosts/allow" errors=errors>
                <Field name="host" label="Host" value=typed.text("host") mono=true autocomplete="off" hint="Such as erp.internal, or 10.0.0.7:8080 for that port alone." errors=errors/>
                <FormActions><Button tone=Tone::Primary>"Allow it"</Button></FormActions>
            </PageForm>
        </Card>
    };
    let body = view! {
        <PageHeader title="Hosts" lead="Where this server goes to: how much of each system is asked at once, and which hosts of this network may be asked at all."/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    Ok(ui::page(frame, "Hosts", Vec::new(), body.into_any()))
}

/// What sources ask.
fn of_sources(frame: &Frame, asked: &[Asked]) -> AnyView {
    if asked.is_empty() {
        let words = "Hosts that sources ask appear here, with how much of each is asked at once.";
        return view! { <Card title="Asked by sources"><Empty icon=Icon::Source title="No host is asked yet" why=words/></Card> }
            .into_any();
    }
    let columns = vec![
        Column::text("Host"),
        Column::number("Sources"),
        Column::number("Under way"),
        Column::number("At once"),
        Column::number("Requests a minute"),
        Column::text("Left alone until"),
    ];
    let rows = asked.iter().map(|one| {
        let rests = if one.not_before > frame.now { ui::at(frame.moment(), one.not_before) } else { ui::muted("–") };
        let count = |value: i64| ui::number(value.unsigned_abs());
        let rate = if one.per_minute == 0 { ui::muted("no limit") } else { count(one.per_minute) };
        let name = ui::mono_link(address("limit", &one.host), one.host.as_str());
        vec![name, count(one.sources), count(one.running), count(one.slots), rate, rests]
    });
    view! { <Card title="Asked by sources" flush=true><DataTable caption="Hosts that sources ask" columns=columns rows=rows.collect()/></Card> }.into_any()
}

/// What is allowed inside this network.
fn inside(frame: &Frame, started_with: &[String], granted: &[Granted]) -> AnyView {
    if started_with.is_empty() && granted.is_empty() {
        return ().into_any();
    }
    let columns =
        vec![Column::text("Host"), Column::text("Allowed by"), Column::text("Since"), Column::actions("Withdraw")];
    let fixed = started_with.iter().map(|host| {
        vec![
            ui::mono(host.as_str()),
            ui::text("the settings of the server (--allow-outbound)"),
            ui::muted("its start"),
            ().into_any(),
        ]
    });
    let granted = granted.iter().map(|one| {
        let of = format!(" {}", one.host);
        vec![
            ui::mono(one.host.as_str()),
            ui::text(one.allowed_by.clone()),
            ui::ago(frame.moment(), one.allowed_at),
            view! { <LinkButton href=address("withdraw", &one.host) tone=Tone::Quiet>"Withdraw…"{ui::unseen(of)}</LinkButton> }
                .into_any(),
        ]
    });
    let rows = fixed.chain(granted).collect();
    view! { <Card title="Allowed inside this network" flush=true><DataTable caption="Hosts of this network that are allowed" columns=columns rows=rows/></Card> }
        .into_any()
}

fn address(act: &str, host: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("host", host).finish();
    format!("/hosts/{act}?{query}")
}

async fn ask_withdraw(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Query(named): Query<Named>,
) -> Result<Response> {
    let granted = store::granted(&app.db, &grant).await?;
    let one = granted.into_iter().find(|one| one.host == named.host).ok_or(Error::NotFound("allowed host"))?;
    let frame = frame(&app, &session, "/hosts/withdraw").await?;
    let asked = store::asked(&app.db, &grant).await?;
    let is_it = |asked: &&Asked| {
        asked.host == one.host || asked.host.rsplit_once(':').is_some_and(|(host, _)| host == one.host)
    };
    let sources: i64 = asked.iter().filter(is_it).map(|asked| asked.sources).sum();
    let told = match sources {
        0 => "No source asks it.".to_owned(),
        count => format!(
            "{} it: they will stop, and say why.",
            if count == 1 { "One source asks".to_owned() } else { format!("{count} sources ask") }
        ),
    };
    let title = format!("Withdraw {}", one.host);
    let body = view! {
        <PageHeader title=title.clone() lead="This server goes there no longer, unless the host leads out into the world."/>
        <Card>
            <Prose><p>{told}</p></Prose>
            <PageForm action="/hosts/withdraw">
                <Hidden name="host" value=one.host/>
                <FormActions>
                    <Button tone=Tone::Danger>"Withdraw"</Button>
                    <LinkButton href="/hosts" tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    Ok(shown(ui::page(&frame, &title, crumbs(), body.into_any())))
}

async fn withdraw(State(app): State<App>, grant: Grant<Administer>, Form(named): Form<Named>) -> Result<Response> {
    let host = named.host.parse::<Host>().map_err(|_| Error::NotFound("allowed host"))?;
    store::withdraw(&app.db, &app.clock, &grant, host).await?;
    Ok(Redirect::to("/hosts?done=withdrawn").into_response())
}

async fn ask_limit(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Query(named): Query<Named>,
) -> Result<Response> {
    let asked = store::asked(&app.db, &grant).await?;
    let one = asked.into_iter().find(|one| one.host == named.host).ok_or(Error::NotFound("host"))?;
    let typed = [("host", one.host), ("slots", one.slots.to_string()), ("per_minute", one.per_minute.to_string())];
    let typed: Typed = typed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let frame = frame(&app, &session, "/hosts/limit").await?;
    Ok(shown(limit_page(&frame, &typed, &FieldErrors::new())))
}

async fn limit(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let host = typed.text("host");
    let asked = store::asked(&app.db, &grant).await?;
    asked.iter().find(|one| one.host == host).ok_or(Error::NotFound("host"))?;
    let mut errors = FieldErrors::new();
    let whole = |name: &'static str| typed.text(name).trim().parse::<i64>().map_err(|_| "type a whole number");
    let slots = errors.keep("slots", whole("slots"));
    let per_minute = errors.keep("per_minute", whole("per_minute"));
    if let (Some(slots), Some(per_minute)) = (slots, per_minute) {
        match change::limit_host(&app.db, &app.clock, &grant, host, slots, per_minute).await {
            Ok(()) => return Ok(Redirect::to("/hosts?done=limited").into_response()),
            Err(error) => errors.note("slots", error)?,
        }
    }
    let frame = frame(&app, &session, "/hosts/limit").await?;
    Ok(amiss(limit_page(&frame, &typed, &errors)))
}

fn limit_page(frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
    let host = typed.text("host");
    let title = format!("Limit {host}");
    let body = view! {
        <PageHeader title=title.clone() lead="It holds for all sources on this host, of all tenants, and for all servers together."/>
        <Card>
            <PageForm action="/hosts/limit" errors=errors>
                <Hidden name="host" value=host/>
                <FieldGrid>
                    <Field name="slots" label="Windows at once, at most" kind="number" value=typed.text("slots") hint="1 to 1000." errors=errors/>
                    <Field name="per_minute" label="Requests a minute, at most" kind="number" value=typed.text("per_minute") hint="0 is no limit. What it asks for by Retry-After is kept in any case." errors=errors/>
                </FieldGrid>
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href="/hosts" tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, &title, crumbs(), body.into_any())
}
