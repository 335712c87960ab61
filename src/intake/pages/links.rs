//! Links by which a customer answers an intake: made, shown this once, taken back.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, Session},
    error::Result,
    form::{Typed, amiss, shown},
    intake::store,
    name::Name,
    ui::{
        self, Alert, Button, Card, CopyField, Field, FieldErrors, Form as PageForm, FormActions, LinkButton,
        PageHeader, Row, State as Mood, Tone,
    },
};

/// Asks whom it is for.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/links").await?;
    Ok(shown(page(&room, "", &FieldErrors::new())))
}

/// Makes it, and shows it this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/links").await?;
    let mut errors = FieldErrors::new();
    if let Some(whom) = errors.keep("for_whom", typed.text("for_whom").parse::<Name>()) {
        match store::make_link(&app.db, &app.clock, &permit, room.of.id, whom.clone()).await {
            Ok(secret) => {
                let url = format!("{}/answer?token={}", app.public_base, secret.reveal());
                return Ok(shown(made(&room, &whom, url)));
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&room, &typed.text("for_whom"), &errors)))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    store::revoke_link(&app.db, &app.clock, &permit, id, named.link()?).await?;
    let back = format!("{}/intake?done=revoked", crate::intake::address(permit.tenant(), id));
    Ok(Redirect::to(&back).into_response())
}

fn page(room: &Room, whom: &str, errors: &FieldErrors) -> String {
    let here = room.here();
    let body = view! {
        <PageHeader title="Link for the customer" lead="Whoever has it can answer the questions of this intake, and see nothing else."/>
        <Card>
            <PageForm action=format!("{here}/links") errors=errors>
                <Field
                    name="for_whom"
                    label="For whom"
                    value=whom.to_owned()
                    autocomplete="off"
                    focus=true
                    hint="A name or an address: the answers carry it. Give everybody their own."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Make the link"</Button>
                    <LinkButton href=format!("{here}/intake") tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&room.frame, "Link for the customer", room.crumbs(true), body.into_any())
}

fn made(room: &Room, whom: &Name, url: String) -> String {
    let body = view! {
        <PageHeader title=format!("The link for {whom}")/>
        <Alert state=Mood::Warning title="Copy it now: it will not be shown again" announce=true>
            <p>"It can be opened once within 14 days. Who has opened it can go on for 30 days in the same browser. You can take it back at any time."</p>
        </Alert>
        <Card>
            <CopyField id="link" label="Link" value=url hint="Send it by whatever way you write to them."/>
            <Row><LinkButton href=format!("{}/intake", room.here()) tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    ui::page(&room.frame, "Link for the customer", room.crumbs(true), body.into_any())
}
