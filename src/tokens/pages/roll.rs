//! Rolling a token: a successor with the same scope, whose secret is shown once, while the old one works on for as
//! long as its sender needs to switch.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use leptos::prelude::*;

use super::{Named, address, crumbs, form, new, overlap};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    form::{Typed, amiss, shown},
    tenants,
    tokens::{self, Overlap, Rolled, Secret, State as Standing, Token},
    ui::{
        self, Alert, Button, Card, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        RadioGroup, Section, Tone,
    },
};

/// Asks how long the old one is to work on.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    if token.state(frame.now) == Standing::Revoked {
        return Ok(Redirect::to(&address(&token)).into_response());
    }
    // as long again as it was given at first
    let again = token.details.expires_at.map(|end| (end - token.created_at).num_days().max(1));
    let typed = [("overlap".to_owned(), "1d".to_owned())]
        .into_iter()
        .chain(again.map(|days| ("expires_at".to_owned(), format!("{days}d"))))
        .collect();
    Ok(shown(page(&frame, &token, &typed, &FieldErrors::new())))
}

/// Rolls it, and shows the new secret, this once.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let overlap = errors.keep("overlap", typed.text("overlap").parse::<Overlap>());
    let expires_at = form::expiry(&typed, frame.now, None, &mut errors);
    if let (Some(overlap), Some(expires_at)) = (overlap, expires_at) {
        let secret = Secret::generate();
        match tokens::roll(&app.db, &app.clock, &permit, token.id, &secret, overlap, expires_at).await {
            Ok(rolled) => return Ok(shown(done(&frame, &rolled, &secret))),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&frame, &token, &typed, &errors)))
}

async fn load(app: &App, session: &Session, permit: &Permit<Configure>, named: &Named) -> Result<(Frame, Token)> {
    let tenant = permit.tenant();
    let token = tokens::get(&app.db, &session.permit::<ReadConfiguration>(tenant)?, named.id()?).await?;
    let path = format!("{}/roll", address(&token));
    Ok((tenants::frame(app, session, Some(tenant), Section::Tokens, path).await?, token))
}

fn page(frame: &Frame, token: &Token, typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(token);
    let lead = "Makes a successor with the same scope and a new secret. Both work until the old one ends.";
    let rolled = token.successor_id.map(|successor| {
        let href = format!("/tenants/{}/tokens/{successor}", token.tenant_id);
        view! {
            <Alert state=ui::State::Neutral title="It was rolled already">
                <p>"A token has one successor at a time. If the secret of that one is lost, "{ui::link(href, "roll the successor")}"."</p>
            </Alert>
        }
    });
    let body = view! {
        <PageHeader title=format!("Roll the token {}", token.details.name) lead=lead/>
        {rolled}
        <Card>
            <PageForm action=format!("{here}/roll") errors=errors>
                <RadioGroup
                    name="overlap"
                    label="The old token ends"
                    choices=overlap::choices()
                    value=typed.text("overlap")
                    errors=errors
                />
                {overlap::last_use(frame, token)}
                {form::expires("The successor expires", typed, errors)}
                <FormActions>
                    <Button tone=Tone::Primary>"Roll token"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Roll token", crumbs(frame, Some(token)), body.into_any())
}

/// The new secret, this once, and when the old one ends.
fn done(frame: &Frame, rolled: &Rolled, secret: &Secret) -> String {
    let Rolled { old, new } = rolled;
    let end = old.ends_at().filter(|end| *end - frame.now > TimeDelta::zero());
    let until = match end {
        Some(end) => view! {
            <p>"The old token, "{ui::mono(format!("{}…", old.prefix))}", works until "{ui::at(frame.moment(), end)}". "
            {ui::link(address(old), "See whether it is still used")}"."</p>
        }
        .into_any(),
        None => view! { <p>"The old token, "{ui::mono(format!("{}…", old.prefix))}", is refused from now on."</p> }
            .into_any(),
    };
    let body = view! {
        <PageHeader title=format!("Token {} is rolled", new.details.name)/>
        {new::once(new, secret)}
        <Card title="What becomes of the old one">{until}</Card>
    };
    ui::page(frame, "Token rolled", crumbs(frame, Some(new)), body.into_any())
}
