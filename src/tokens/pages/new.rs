//! A new token. Its secret is on the page that answers the form, and nowhere else ever after.
use axum::{Form, extract::State, response::Response};
use leptos::prelude::*;

use super::{address, crumbs, form};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{self, EventType},
    form::{Typed, amiss, shown},
    ids::TenantId,
    tenants,
    tokens::{self, Secret, Token},
    ui::{
        self, Alert, Button, Card, CodeBlock, CopyField, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton,
        PageHeader, Row, Section, Tone,
    },
};

async fn frame_of(app: &App, session: &Session, tenant: TenantId) -> Result<Frame> {
    tenants::frame(app, session, Some(tenant), Section::Tokens, format!("/tenants/{tenant}/tokens/new")).await
}

/// The form.
pub(super) async fn ask(State(app): State<App>, session: Session, permit: Permit<Configure>) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame_of(&app, &session, tenant).await?;
    let available = event_types::list(&app.db, &session.permit::<ReadConfiguration>(tenant)?).await?;
    Ok(shown(page(&frame, tenant, &available, &Typed::default(), &FieldErrors::new())))
}

/// Creates the token and shows its secret, this once. There is no address to come back to: the answer is the page.
pub(super) async fn create(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame_of(&app, &session, tenant).await?;
    let available = event_types::list(&app.db, &session.permit::<ReadConfiguration>(tenant)?).await?;
    let mut errors = FieldErrors::new();
    if let Some(details) = form::read(&typed, app.clock.now(), None, &mut errors) {
        let secret = Secret::generate();
        match tokens::create(&app.db, &app.clock, &permit, &secret, details).await {
            Ok(made) => return Ok(shown(created(&frame, &app.public_base, &made, &secret, &available))),
            Err(error) => errors.note("name", error)?,
        }
    }
    Ok(amiss(page(&frame, tenant, &available, &typed, &errors)))
}

fn page(frame: &Frame, tenant: TenantId, available: &[EventType], typed: &Typed, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="New token" lead="The secret that one external system sends with its events."/>
        <Card>
            <PageForm action=format!("/tenants/{tenant}/tokens/new") errors=errors>
                {form::fields(available, typed, errors, true)}
                <FormActions>
                    <Button tone=Tone::Primary>"Create token"</Button>
                    <LinkButton href=format!("/tenants/{tenant}/tokens") tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "New token", crumbs(frame, None), body.into_any())
}

/// The secret, this once, and what to do with it.
fn created(frame: &Frame, base: &str, made: &Token, secret: &Secret, available: &[EventType]) -> String {
    let body = view! {
        <PageHeader title=format!("Token {} is created", made.details.name)/>
        {once(made, secret)}
        {try_it(base, made, secret, available)}
    };
    ui::page(frame, "Token created", crumbs(frame, None), body.into_any())
}

/// The one showing of a secret.
pub(super) fn once(made: &Token, secret: &Secret) -> AnyView {
    view! {
        <Alert state=ui::State::Warning title="Copy it now: it will not be shown again" announce=true>
            <p>"Only a digest is kept. Whoever loses the token needs a new one."</p>
        </Alert>
        <Card>
            <CopyField
                id="token"
                label="Token"
                value=secret.expose()
                hint="Put it where the external system keeps its secrets; never in an e-mail or a ticket."
            />
            <Row>
                <LinkButton href=address(made) tone=Tone::Primary>"I have copied it"</LinkButton>
            </Row>
        </Card>
    }
    .into_any()
}

/// A command that sends with it.
fn try_it(base: &str, made: &Token, secret: &Secret, available: &[EventType]) -> Option<AnyView> {
    let good_for = |one: &&EventType| {
        one.details.enabled && made.details.event_types.as_ref().is_none_or(|only| only.contains(&one.id))
    };
    available.iter().find(good_for).map(|event_type| {
        let code = event_types::curl(base, event_type, secret.expose());
        let href = format!("/tenants/{}/event-types/{}", event_type.tenant_id, event_type.id);
        let lead = format!("Sends one made-up event of the type {}.", event_type.details.name);
        view! {
            <Card title="Try it" lead=lead>
                <CodeBlock id="curl" label="curl, with this token" code=code/>
                <Row><LinkButton href=href>"Watch it arrive"</LinkButton></Row>
            </Card>
        }
        .into_any()
    })
}
