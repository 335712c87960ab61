//! Replacing the token of a source: the one before goes on being tried for a while where the new one is refused.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use leptos::prelude::*;

use super::{Named, crumbs, words};
use crate::{
    app::App,
    auth::{Configure, Permit, Session},
    error::Result,
    form::{Typed, amiss, shown},
    polling::{
        Source, State as Going,
        store::{self, change},
    },
    tenants,
    ui::{
        self, Button, Card, Choice, Field, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        RadioGroup, Section, Tone,
    },
};

/// How long the one before may be tried: as the form spells it, in hours.
const OVERLAPS: [(&str, i64, &str, &str); 3] = [
    ("none", 0, "Not at all", "The old one is forgotten at once."),
    ("day", 24, "For a day", "The other side may learn the new one meanwhile."),
    ("week", 168, "For a week", "Where somebody else sets it up."),
];

/// Asks for it.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let frame = frame(&app, &session, &source).await?;
    Ok(shown(page(&frame, &source, "day", &FieldErrors::new())))
}

/// Replaces it; what was refused because of the one before goes on.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let (token, overlap) = (typed.text("token").trim().to_owned(), typed.text("overlap"));
    let hours = OVERLAPS.iter().find(|(word, ..)| *word == overlap).map_or(24, |(_, hours, ..)| *hours);
    if token.is_empty() {
        let mut errors = FieldErrors::new();
        errors.push("token", "Type the new token");
        let frame = frame(&app, &session, &source).await?;
        return Ok(amiss(page(&frame, &source, &overlap, &errors)));
    }
    let overlap = TimeDelta::hours(hours);
    change::set_secret(&app.db, &app.clock, &app.keys, &permit, source.id, &token, overlap).await?;
    if source.state == Going::Refused {
        change::resume(&app.db, &app.clock, &permit, source.id).await?;
    }
    Ok(Redirect::to(&format!("{}?done=token", words::address(&source))).into_response())
}

async fn frame(app: &App, session: &Session, source: &Source) -> Result<Frame> {
    let path = format!("{}/token", words::address(source));
    tenants::frame(app, session, Some(source.tenant), Section::Sources, path).await
}

fn page(frame: &Frame, source: &Source, overlap: &str, errors: &FieldErrors) -> String {
    let here = words::address(source);
    let choices = OVERLAPS.iter().map(|(word, _, label, hint)| Choice::new(*word, *label).hint(*hint)).collect();
    let lead = if source.state == Going::Refused {
        "The other side refuses the one there is. With a new one, the source goes on by itself."
    } else {
        "It is sealed as it is stored, and never shown again."
    };
    let body = view! {
        <PageHeader title=format!("Replace the token of {}", source.name) lead=lead/>
        <Card>
            <PageForm action=format!("{here}/token") errors=errors>
                <Field name="token" label="New token" kind="password" autocomplete="off" focus=true errors=errors/>
                <RadioGroup name="overlap" label="When the new one is refused, try the old one" choices=choices value=overlap errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Replace token"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Replace token", crumbs(frame, Some(source)), body.into_any())
}
