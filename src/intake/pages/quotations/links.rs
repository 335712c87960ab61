//! Links by which a customer answers a quotation: made, shown this once, taken back.
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
    intake::quotation::{Quotation, address, store},
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
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    Ok(shown(page(&room, &of, "", &FieldErrors::new())))
}

/// Makes it, and shows it this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    let mut errors = FieldErrors::new();
    if let Some(whom) = errors.keep("for_whom", typed.text("for_whom").parse::<Name>()) {
        match store::make_link(&app.db, &app.clock, &permit, of.id, whom.clone()).await {
            Ok(secret) => {
                let url = format!("{}/quotation?token={}", app.public_base, secret.reveal());
                return Ok(shown(made(&room, &of, &whom, url)));
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&room, &of, &typed.text("for_whom"), &errors)))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (_, of) = super::show::load(&app, &session, &permit, &named, "/links").await?;
    store::revoke_link(&app.db, &app.clock, &permit, of.id, named.link()?).await?;
    Ok(Redirect::to(&format!("{}?done=revoked", address(&of))).into_response())
}

fn page(room: &Room, of: &Quotation, whom: &str, errors: &FieldErrors) -> String {
    let here = address(of);
    let body = view! {
        <PageHeader title="Link to the quotation" lead="Whoever has it can see and answer this version, and sees nothing else."/>
        <Card>
            <PageForm action=format!("{here}/links") errors=errors>
                <Field
                    name="for_whom"
                    label="For whom"
                    value=whom.to_owned()
                    autocomplete="off"
                    focus=true
                    hint="A name or an address: the answer carries it. Give everybody their own."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Make the link"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&room.frame, "Link to the quotation", super::show::crumbs(room, of), body.into_any())
}

fn made(room: &Room, of: &Quotation, whom: &Name, url: String) -> String {
    let until = of.content.valid_until.format("%-d %B %Y");
    let body = view! {
        <PageHeader title=format!("The link for {whom}")/>
        <Alert state=Mood::Warning title="Copy it now: it will not be shown again" announce=true>
            <p>{format!("It can be opened once, until the end of {until} (UTC). Who has opened it can come back for 30 days in the same browser. You can take it back at any time.")}</p>
        </Alert>
        <Card>
            <CopyField id="link" label="Link" value=url hint="Send it by whatever way you write to them."/>
            <Row><LinkButton href=address(of) tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    ui::page(&room.frame, "Link to the quotation", super::show::crumbs(room, of), body.into_any())
}
