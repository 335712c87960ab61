//! What a token is good for, changed. Its secret stays as it is.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address, crumbs, form};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{self, EventType},
    form::{Typed, amiss, shown},
    tenants,
    tokens::{self, State as Standing, Token},
    ui::{
        self, Button, Card, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton, PageHeader, Section,
        Tone,
    },
};

/// The form, as the token is now.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (frame, token, available) = load(&app, &session, &permit, &named).await?;
    if token.state(frame.now) == Standing::Revoked {
        return Ok(Redirect::to(&address(&token)).into_response());
    }
    let typed = form::typed(&token.details);
    Ok(shown(page(&frame, &token, &available, &typed, &FieldErrors::new())))
}

/// Changes it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (frame, token, available) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    if let Some(details) = form::read(&typed, frame.now, Some(&token.details), &mut errors) {
        let seen = typed.text("seen");
        match tokens::change(&app.db, &app.clock, &permit, token.id, &seen, details).await {
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=changed", address(&token))).into_response()),
            // about the form as a whole
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&frame, &token, &available, &typed, &errors)))
}

async fn load(
    app: &App,
    session: &Session,
    permit: &Permit<Configure>,
    named: &Named,
) -> Result<(Frame, Token, Vec<EventType>)> {
    let tenant = permit.tenant();
    let read = session.permit::<ReadConfiguration>(tenant)?;
    let token = tokens::get(&app.db, &read, named.id()?).await?;
    let path = format!("{}/edit", address(&token));
    let frame = tenants::frame(app, session, Some(tenant), Section::Tokens, path).await?;
    Ok((frame, token, event_types::list(&app.db, &read).await?))
}

fn page(frame: &Frame, token: &Token, available: &[EventType], typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(token);
    let lead =
        format!("What {}… is good for. It holds within a second of saving; the secret stays as it is.", token.prefix);
    let body = view! {
        <PageHeader title=format!("Edit the token {}", token.details.name) lead=lead/>
        <Card>
            <PageForm action=format!("{here}/edit") errors=errors>
                <Hidden name="seen" value=token.details.fingerprint()/>
                {form::fields(available, typed, errors, false)}
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Edit token", crumbs(frame, Some(token)), body.into_any())
}
