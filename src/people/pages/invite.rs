//! Inviting somebody.
use axum::{Form, extract::State, response::Response};
use leptos::prelude::*;

use super::{bindings, crumb, frame, invited_page, roles, tenant_names};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Session,
        courier::Courier,
        email::Email,
        store::{self, NewInvitation},
    },
    error::Result,
    form::{Typed, amiss, shown},
    ids::TenantId,
    name::Name,
    people::parse_binding,
    ui::{
        self, Button, Card, Field, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        RadioGroup, Select, Tone,
    },
};

/// The form.
pub(super) async fn form(State(app): State<App>, session: Session, grant: Grant<Administer>) -> Result<Response> {
    let frame = frame(&app, &session, "/people/invite").await?;
    let names = tenant_names(&app, &grant).await?;
    let typed = Typed::from_iter([("role".to_owned(), "consultant".to_owned())]);
    Ok(shown(page(&frame, &names, app.mail.is_configured(), &typed, &FieldErrors::new())))
}

/// Invites them.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    let email = errors.keep("email", Email::parse(&typed.text("email")));
    let name = optional_name(&typed, &mut errors);
    let binding = parse_binding(&typed.text("role"), &typed.text("tenant"));
    let binding = binding.map_err(|(field, why)| errors.push(field, why)).ok();
    let frame = frame(&app, &session, "/people/invite").await?;
    if let (Some(email), Some(name), Some((role, tenant))) = (email, name, binding) {
        let new = NewInvitation { email, name, role, tenant };
        match store::invite(&app.db, &app.clock, &Courier::of(&app), &grant, new).await {
            Ok(invited) => {
                app.mail.wake();
                let back = format!("/people/invitations/{}", invited.id);
                return Ok(shown(invited_page(&frame, &invited, back, vec![crumb()])));
            }
            Err(error) => errors.note("email", error)?,
        }
    }
    let names = tenant_names(&app, &grant).await?;
    Ok(amiss(page(&frame, &names, app.mail.is_configured(), &typed, &errors)))
}

/// A name, or none; the outer none is one that will not do.
#[expect(clippy::option_option, reason = "whether it will do, and whether there is one")]
pub(super) fn optional_name(typed: &Typed, errors: &mut FieldErrors) -> Option<Option<Name>> {
    let text = typed.text("name");
    if text.trim().is_empty() {
        return Some(None);
    }
    errors.keep("name", text.parse::<Name>()).map(Some)
}

/// How the link reaches them, in a sentence.
pub(super) fn how(by_mail: bool) -> &'static str {
    if by_mail {
        "They get a link by mail, choose a password, and are in. It works once, for seven days."
    } else {
        "You get a link to pass on. It works once, for seven days: they choose a password, and are in."
    }
}

fn page(frame: &Frame, names: &[(TenantId, String)], by_mail: bool, typed: &Typed, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="Invite somebody" lead=how(by_mail)/>
        <Card>
            <PageForm action="/people/invite" errors=errors>
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
                <RadioGroup name="role" label="Role" choices=roles() value=typed.text("role") errors=errors/>
                <Select
                    name="tenant"
                    label="Tenant"
                    choices=bindings(names)
                    value=typed.text("tenant")
                    hint="Bound to one, they see nothing of any other. A customer has to be."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Invite"</Button>
                    <LinkButton href="/people" tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Invite somebody", vec![crumb()], body.into_any())
}
