//! The people of one tenant, for those who configure it: they invite its customers.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{
    NamedInvitation,
    invite::{how, optional_name},
    invited, invited_page, state,
};
use crate::{
    app::App,
    auth::{
        Administer, InviteCustomers, Permit, Session,
        courier::Courier,
        email::Email,
        store::{self, Invitation, Person},
    },
    error::Result,
    form::{Done, Typed, amiss, shown},
    ids::TenantId,
    tenants,
    ui::{
        self, Button, Card, Column, Crumb, DataTable, Empty, Field, FieldErrors, Form as PageForm, FormActions, Frame,
        Icon, LinkButton, Notice, PageHeader, PostButton, Row, Section, Tone,
    },
};

async fn frame(app: &App, session: &Session, tenant: TenantId, rest: &str) -> Result<Frame> {
    let path = format!("/tenants/{tenant}/people{rest}");
    tenants::frame(app, session, Some(tenant), Section::TenantPeople, path).await
}

fn crumbs(frame: &Frame, deeper: bool) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    if let Some(tenant) = &frame.tenant {
        let base = format!("/tenants/{}", tenant.id);
        crumbs.push(Crumb::new(&tenant.name, base.as_str()));
        if deeper {
            crumbs.push(Crumb::new("People", format!("{base}/people")));
        }
    }
    crumbs
}

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<InviteCustomers>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let mut frame = frame(&app, &session, tenant, "").await?;
    frame.notice = match asked.done.as_deref() {
        Some("revoked") => Some(Notice::ok("The invitation is revoked: its link works no more.")),
        _ => None,
    };
    let people = store::customers_of(&app.db, &permit).await?;
    let invitations = store::invitations_of_tenant(&app.db, &permit).await?;
    let administers = session.grant::<Administer>().is_ok();
    Ok(shown(page(&frame, tenant, &people, &invitations, administers)))
}

fn page(frame: &Frame, tenant: TenantId, people: &[Person], invitations: &[Invitation], administers: bool) -> String {
    let base = format!("/tenants/{tenant}/people");
    let invite = || {
        let href = format!("{base}/invite");
        view! { <LinkButton href=href tone=Tone::Primary icon=Icon::Plus>"Invite a customer"</LinkButton> }
    };
    let body = if people.is_empty() && invitations.is_empty() {
        view! {
            <PageHeader title="People"/>
            <Empty
                icon=Icon::People
                title="Nobody of this tenant can sign in yet"
                why="A customer who signs in sees how the integrations of their own tenant stand, and nothing of any other."
            >
                {invite()}
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <PageHeader title="People" lead="Who can sign in and sees this tenant alone.">{invite()}</PageHeader>
            <Card flush=true>{table(frame, &base, people, invitations, administers)}</Card>
        }
        .into_any()
    };
    ui::page(frame, "People", crumbs(frame, false), body)
}

fn table(frame: &Frame, base: &str, people: &[Person], invitations: &[Invitation], administers: bool) -> AnyView {
    let now = frame.moment();
    let columns = vec![
        Column::text("Name"),
        Column::text("Role"),
        Column::text("State"),
        Column::text("Last seen"),
        Column::actions("Invitation"),
    ];
    let who = |name: AnyView, email: Option<&str>| {
        let email = email.map(|email| view! { <div>{ui::muted(email)}</div> });
        view! { {name} {email} }.into_any()
    };
    let accounts = people.iter().map(|person| {
        let name = if administers {
            ui::link(format!("/people/{}", person.id), &person.name)
        } else {
            ui::strong(&person.name)
        };
        vec![
            who(name, Some(&person.email)),
            ui::text(person.role.title()),
            state(person),
            person.seen_at.map_or_else(|| ui::muted("never"), |at| ui::ago(now, at)),
            ().into_any(),
        ]
    });
    let offered = invitations.iter().map(|one| {
        let path = format!("{base}/{}", one.id);
        let (of, and_of) = (format!(" {}", one.email), format!(" {}", one.email));
        let acts = view! {
            <Row>
                <PostButton action=format!("{path}/resend") tone=Tone::Quiet>"Send anew"{ui::unseen(of)}</PostButton>
                <PostButton action=format!("{path}/revoke") tone=Tone::Quiet>"Revoke"{ui::unseen(and_of)}</PostButton>
            </Row>
        };
        let name = one.name.as_deref().unwrap_or(&one.email);
        vec![
            who(ui::strong(name), one.name.as_ref().map(|_| one.email.as_str())),
            ui::text(one.role.title()),
            invited(one.is_open(frame.now)),
            ui::muted("never"),
            acts.into_any(),
        ]
    });
    view! { <DataTable caption="People" columns=columns rows=accounts.chain(offered).collect()/> }.into_any()
}

/// The form that invites a customer.
pub(super) async fn form(
    State(app): State<App>,
    session: Session,
    permit: Permit<InviteCustomers>,
) -> Result<Response> {
    let frame = frame(&app, &session, permit.tenant(), "/invite").await?;
    Ok(shown(form_page(&frame, permit.tenant(), app.mail.is_configured(), &Typed::default(), &FieldErrors::new())))
}

/// Invites them.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<InviteCustomers>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame(&app, &session, tenant, "/invite").await?;
    let mut errors = FieldErrors::new();
    let email = errors.keep("email", Email::parse(&typed.text("email")));
    let name = optional_name(&typed, &mut errors);
    if let (Some(email), Some(name)) = (email, name) {
        match store::invite_customer(&app.db, &app.clock, &Courier::of(&app), &permit, email, name).await {
            Ok(made) => {
                app.mail.wake();
                let back = format!("/tenants/{tenant}/people");
                return Ok(shown(invited_page(&frame, &made, back, crumbs(&frame, true))));
            }
            Err(error) => errors.note("email", error)?,
        }
    }
    Ok(amiss(form_page(&frame, tenant, app.mail.is_configured(), &typed, &errors)))
}

fn form_page(frame: &Frame, tenant: TenantId, by_mail: bool, typed: &Typed, errors: &FieldErrors) -> String {
    let base = format!("/tenants/{tenant}/people");
    let body = view! {
        <PageHeader title="Invite a customer" lead=how(by_mail)/>
        <Card>
            <PageForm action=format!("{base}/invite") errors=errors>
                <Field
                    name="email"
                    kind="email"
                    label="E-mail"
                    value=typed.text("email")
                    autocomplete="off"
                    focus=true
                    errors=errors
                />
                <Field
                    name="name"
                    label="Name"
                    value=typed.text("name")
                    autocomplete="off"
                    optional=true
                    hint="They can change it when they accept."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Invite"</Button>
                    <LinkButton href=base.as_str() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Invite a customer", crumbs(frame, true), body.into_any())
}

/// Sends an invitation anew.
pub(super) async fn resend(
    State(app): State<App>,
    session: Session,
    permit: Permit<InviteCustomers>,
    Path(named): Path<NamedInvitation>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let made = store::resend_to_customer(&app.db, &app.clock, &Courier::of(&app), &permit, named.id()?).await?;
    app.mail.wake();
    let frame = frame(&app, &session, tenant, "").await?;
    Ok(shown(invited_page(&frame, &made, format!("/tenants/{tenant}/people"), crumbs(&frame, true))))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    permit: Permit<InviteCustomers>,
    Path(named): Path<NamedInvitation>,
) -> Result<Response> {
    store::revoke_customer_invitation(&app.db, &app.clock, &permit, named.id()?).await?;
    Ok(Redirect::to(&format!("/tenants/{}/people?done=revoked", permit.tenant())).into_response())
}
