//! The settings of a tenant, and switching it off and on.
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::retention as kept;
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, See, Session},
    error::Result,
    event_types, events,
    form::{Done, Typed, amiss, shown},
    ids::TenantId,
    name::Name,
    tenants::{self, Origin, Tenant, retention},
    tokens,
    ui::{
        self, Button, Card, Confirm, Crumb, Field, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton,
        Notice, PageHeader, PostButton, Prose, Row, Section, TextArea, Tone,
    },
};

async fn frame_of(app: &App, session: &Session, id: TenantId) -> Result<Frame> {
    tenants::frame(app, session, Some(id), Section::Settings, format!("/tenants/{id}/settings")).await
}

/// Shows the settings.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let tenant = tenants::get(&app.db, &session.permit::<See>(permit.tenant())?).await?;
    let mut frame = frame_of(&app, &session, tenant.id).await?;
    frame.notice = match asked.done.as_deref() {
        Some("kept") => Some(Notice::ok("The times are saved. What has had its time is removed within minutes.")),
        Some("saved") => Some(Notice::ok("The settings are saved.")),
        Some("disabled") => Some(Notice::ok("The tenant is disabled: its events are refused.")),
        Some("enabled") => Some(Notice::ok("The tenant is enabled: its events are accepted.")),
        _ => None,
    };
    let times = times(&app, &frame, &tenant, &permit, None).await?;
    Ok(shown(page(&frame, &tenant, &as_it_is(&tenant), &FieldErrors::new(), times)))
}

fn as_it_is(tenant: &Tenant) -> Typed {
    let origins: Vec<_> = tenant.cors_origins.iter().map(Origin::as_str).collect();
    Typed::from_iter([("name".to_owned(), tenant.name.to_string()), ("cors_origins".to_owned(), origins.join("\n"))])
}

/// How long events are kept: what was typed, and what is amiss with it, or as it is.
async fn times(
    app: &App,
    frame: &Frame,
    tenant: &Tenant,
    permit: &Permit<Configure>,
    given: Option<(&Typed, &FieldErrors)>,
) -> Result<AnyView> {
    let removed = events::retention::removed(&app.db, permit).await?;
    let as_it_is = kept::typed(retention::get(&app.db, permit).await?);
    let none = FieldErrors::new();
    let (typed, errors) = given.unwrap_or((&as_it_is, &none));
    Ok(kept::card(frame, tenant, typed, errors, &removed))
}

/// The settings again, with what is amiss with the times.
pub(super) async fn retention_amiss(
    app: &App,
    session: &Session,
    permit: &Permit<Configure>,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<Response> {
    let tenant = tenants::get(&app.db, &session.permit::<See>(permit.tenant())?).await?;
    let frame = frame_of(app, session, tenant.id).await?;
    let times = times(app, &frame, &tenant, permit, Some((typed, errors))).await?;
    Ok(amiss(page(&frame, &tenant, &as_it_is(&tenant), &FieldErrors::new(), times)))
}

/// Saves them.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    let name = errors.keep("name", typed.text("name").parse::<Name>());
    let origins = errors.keep("cors_origins", Origin::parse_lines(&typed.text("cors_origins")));
    if let (Some(name), Some(origins)) = (name, origins) {
        let tenant = tenants::rename(&app.db, &app.clock, &permit, name).await?;
        tenants::set_cors_origins(&app.db, &app.clock, &permit, origins).await?;
        return Ok(Redirect::to(&format!("/tenants/{}/settings?done=saved", tenant.id)).into_response());
    }
    let tenant = tenants::get(&app.db, &session.permit::<See>(permit.tenant())?).await?;
    let frame = frame_of(&app, &session, tenant.id).await?;
    let times = times(&app, &frame, &tenant, &permit, None).await?;
    Ok(amiss(page(&frame, &tenant, &typed, &errors, times)))
}

fn page(frame: &Frame, tenant: &Tenant, typed: &Typed, errors: &FieldErrors, times: AnyView) -> String {
    let base = &format!("/tenants/{}", tenant.id);
    let switch = if tenant.enabled {
        view! {
            <Card title="Disable the tenant" lead="Its events are refused until it is enabled again. Nothing is deleted.">
                <Row><LinkButton href=format!("{base}/disable") tone=Tone::Danger>"Disable…"</LinkButton></Row>
            </Card>
        }
    } else {
        view! {
            <Card title="The tenant is disabled" lead="Its events are refused.">
                <Row><PostButton action=format!("{base}/enable") tone=Tone::Primary>"Enable"</PostButton></Row>
            </Card>
        }
    };
    let demo = (tenant.id == tenants::DEMO && frame.open.contains(&Section::People)).then(|| {
        view! {
            <Card title="Remove the demo" lead="Everybody and everything in this tenant is invented. It goes in one act, and can be filled again.">
                <Row><LinkButton href="/demo/remove" tone=Tone::Danger>"Remove…"</LinkButton></Row>
            </Card>
        }
    });
    let body = view! {
        <PageHeader title="Settings"/>
        <Card title="Name and web pages">
            <PageForm action=format!("{base}/settings") errors=errors>
                <Field name="name" label="Name" value=typed.text("name") autocomplete="off" errors=errors/>
                <TextArea
                    name="cors_origins"
                    label="Web pages that may send events from a browser"
                    value=typed.text("cors_origins")
                    rows=4
                    mono=true
                    optional=true
                    hint="One origin a line, such as https://shop.example.com. Servers need none."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                </FormActions>
            </PageForm>
        </Card>
        {times}
        {switch}
        {demo}
        <Prose>
            <p>{ui::muted("The same on the command line: ")}{ui::mono("tributary tenant --help")}</p>
        </Prose>
    };
    ui::page(frame, "Settings", vec![Crumb::new(tenant.name.as_str(), base.as_str())], body.into_any())
}

/// Asks before the tenant is disabled, and says what that means.
pub(super) async fn ask_disable(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
) -> Result<Response> {
    let id = permit.tenant();
    let tenant = tenants::get(&app.db, &session.permit::<See>(id)?).await?;
    let read = session.permit::<ReadConfiguration>(id)?;
    let types = event_types::list(&app.db, &read).await?.iter().filter(|one| one.details.enabled).count();
    let now = app.clock.now();
    let all = tokens::list(&app.db, &read).await?;
    let active = all.iter().filter(|token| token.state(now) == tokens::State::Active).count();
    let frame = frame_of(&app, &session, id).await?;
    let impact = vec![
        (types.to_string(), plural(types, "event type stops", "event types stop") + " accepting events"),
        (active.to_string(), plural(active, "token is", "tokens are") + " refused with 403"),
    ];
    let body = view! {
        <Confirm
            title=format!("Disable {}", tenant.name)
            consequence="Within a second, every event of this tenant is refused. What it has sent stays, and enabling it again takes one click."
            impact=impact
            verb="Disable tenant"
            action=format!("/tenants/{id}/disable")
            cancel=format!("/tenants/{id}/settings")
        />
    };
    let crumbs = vec![
        Crumb::new(tenant.name.as_str(), format!("/tenants/{id}")),
        Crumb::new("Settings", format!("/tenants/{id}/settings")),
    ];
    Ok(shown(ui::page(&frame, "Disable", crumbs, body.into_any())))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { one } else { many }.to_owned()
}

/// Disables it.
pub(super) async fn disable(State(app): State<App>, permit: Permit<Configure>) -> Result<Response> {
    let tenant = tenants::set_enabled(&app.db, &app.clock, &permit, false).await?;
    Ok(Redirect::to(&format!("/tenants/{}/settings?done=disabled", tenant.id)).into_response())
}

/// Enables it.
pub(super) async fn enable(State(app): State<App>, permit: Permit<Configure>) -> Result<Response> {
    let tenant = tenants::set_enabled(&app.db, &app.clock, &permit, true).await?;
    Ok(Redirect::to(&format!("/tenants/{}/settings?done=enabled", tenant.id)).into_response())
}
