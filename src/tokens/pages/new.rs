//! A new token. Its secret is on the page that answers the form, and nowhere else ever after.
use axum::{Form, extract::State, response::Response};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{self, EventType},
    form::{Typed, amiss, shown},
    ids::{EventTypeId, TenantId},
    tenants,
    tokens::{self, Details, Secret, Token, parse_expiry, parse_networks},
    ui::{
        self, Alert, Button, Card, Checkbox, Checkboxes, CodeBlock, CopyField, Crumb, Field, FieldErrors,
        Form as PageForm, FormActions, Frame, LinkButton, PageHeader, Row, Section, TextArea, Tone,
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
    Ok(shown(form(&frame, tenant, &available, &Typed::default(), &FieldErrors::new())))
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
    if let Some(details) = read(&typed, &app, &mut errors) {
        let secret = Secret::generate();
        match tokens::create(&app.db, &app.clock, &permit, &secret, details).await {
            Ok(made) => return Ok(shown(created(&frame, &app.public_base, &made, &secret, &available))),
            Err(error) => errors.note("name", error)?,
        }
    }
    Ok(amiss(form(&frame, tenant, &available, &typed, &errors)))
}

fn read(typed: &Typed, app: &App, errors: &mut FieldErrors) -> Option<Details> {
    let name = errors.keep("name", typed.text("name").parse());
    let chosen: Result<Vec<EventTypeId>, _> = typed.all("event_types").map(str::parse).collect();
    let event_types = errors.keep("event_types", chosen.map_err(|_| "choose event types of this tenant"));
    let expiry = typed.text("expires_at");
    let expires_at = match expiry.trim() {
        "" => Some(None),
        text => errors.keep("expires_at", parse_expiry(text, app.clock.now())).map(Some),
    };
    let addresses = errors.keep("addresses", parse_networks(typed.text("addresses").lines()));
    Some(Details {
        name: name?,
        event_types: Some(event_types?),
        addresses: addresses?,
        can_configure: typed.ticked("can_configure"),
        expires_at: expires_at?,
    })
}

fn crumbs(frame: &Frame) -> Vec<Crumb> {
    let tenant = frame.tenant.iter();
    tenant
        .flat_map(|tenant| {
            let base = format!("/tenants/{}", tenant.id);
            [Crumb::new(&tenant.name, base.clone()), Crumb::new("Tokens", format!("{base}/tokens"))]
        })
        .collect()
}

fn form(frame: &Frame, tenant: TenantId, available: &[EventType], typed: &Typed, errors: &FieldErrors) -> String {
    let chosen: Vec<_> = typed.all("event_types").collect();
    let boxes = available.iter().enumerate().map(|(n, event_type)| {
        let id = event_type.id.to_string();
        let ticked = chosen.contains(&id.as_str());
        // the first carries the name as its id, for the summary of errors
        let own = if n == 0 { "event_types".to_owned() } else { format!("event_types-{n}") };
        view! { <Checkbox name="event_types" id=own label=event_type.details.name.as_str() value=id checked=ticked/> }
    });
    let limits = (!available.is_empty()).then(|| {
        view! {
            <Checkboxes name="event_types" label="Good for" hint="Tick none for all event types, those to come included." errors=errors>
                {boxes.collect_view()}
            </Checkboxes>
        }
    });
    let body = view! {
        <PageHeader title="New token" lead="The secret that one external system sends with its events."/>
        <Card>
            <PageForm action=format!("/tenants/{tenant}/tokens/new") errors=errors>
                <Field
                    name="name"
                    label="Name"
                    value=typed.text("name")
                    autocomplete="off"
                    focus=true
                    hint="The system that will send with it: web shop, cash desks"
                    errors=errors
                />
                {limits}
                <Field
                    name="expires_at"
                    label="Expires"
                    value=typed.text("expires_at")
                    autocomplete="off"
                    optional=true
                    hint="A day such as 2027-01-31 (its end, in UTC), or a time from now such as 90d. Empty: never."
                    errors=errors
                />
                <TextArea
                    name="addresses"
                    label="Networks it may come from"
                    value=typed.text("addresses")
                    rows=2
                    mono=true
                    optional=true
                    hint="One a line: 192.0.2.0/24, 2001:db8::/32, or a single address. Empty: any."
                    errors=errors
                />
                <Checkbox
                    name="can_configure"
                    label="May allow anonymous events"
                    checked=typed.ticked("can_configure")
                    hint="Lets its holder switch anonymous use of event types on and off by the API. Few systems need it."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Create token"</Button>
                    <LinkButton href=format!("/tenants/{tenant}/tokens") tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "New token", crumbs(frame), body.into_any())
}

/// The secret, this once, and what to do with it.
fn created(frame: &Frame, base: &str, made: &Token, secret: &Secret, available: &[EventType]) -> String {
    let good_for = |one: &&EventType| {
        one.details.enabled && made.details.event_types.as_ref().is_none_or(|only| only.contains(&one.id))
    };
    let try_it = available.iter().find(good_for).map(|event_type| {
        let code = event_types::curl(base, event_type, secret.expose());
        let href = format!("/tenants/{}/event-types/{}", event_type.tenant_id, event_type.id);
        let lead = format!("Sends one made-up event of the type {}.", event_type.details.name);
        view! {
            <Card title="Try it" lead=lead>
                <CodeBlock id="curl" label="curl, with this token" code=code/>
                <Row><LinkButton href=href>"Watch it arrive"</LinkButton></Row>
            </Card>
        }
    });
    let body = view! {
        <PageHeader title=format!("Token {} is created", made.details.name)/>
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
                <LinkButton href=format!("/tenants/{}/tokens", made.tenant_id) tone=Tone::Primary>"I have copied it"</LinkButton>
            </Row>
        </Card>
        {try_it}
    };
    ui::page(frame, "Token created", crumbs(frame), body.into_any())
}
