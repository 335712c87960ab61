//! The zone that an account is told times in, and that its filters are read in.
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{frame, html};
use crate::{
    app::App,
    auth::{
        session::{Session, local_path},
        store,
    },
    error::Result,
    form::Typed,
    ui::{
        self, Button, Card, Choice, Crumb, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton,
        PageHeader, Section, Select, Tone, Zone,
    },
};

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default, rename = "return")]
    back: String,
}

/// Asks for it.
pub(super) async fn show(State(app): State<App>, session: Session, Query(asked): Query<Asked>) -> Response {
    html(StatusCode::OK, page(&app, &session, session.zone.name(), &asked.back, &FieldErrors::new()))
}

/// Remembers it.
pub(super) async fn choose(State(app): State<App>, session: Session, Form(typed): Form<Typed>) -> Result<Response> {
    let (name, back) = (typed.text("zone"), typed.text("return"));
    let mut errors = FieldErrors::new();
    if let Some(zone) = errors.keep("zone", Zone::named(&name).ok_or("choose a zone of the list")) {
        store::set_time_zone(&app.db, &app.clock, &session, zone).await?;
        return Ok(Redirect::to(local_path(&back).unwrap_or("/account?done=time-zone")).into_response());
    }
    Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page(&app, &session, &name, &back, &errors)))
}

fn page(app: &App, session: &Session, chosen: &str, back: &str, errors: &FieldErrors) -> String {
    let frame = Frame { active: Section::Account, ..frame(app, Some(session), "/account/time-zone") };
    let zones = Zone::all().map(|zone| Choice::new(zone.name(), zone.name().replace('_', " "))).collect();
    let cancel = local_path(back).unwrap_or("/account").to_owned();
    let body = view! {
        <PageHeader
            title="Time zone"
            lead="Every page tells you times in this zone, with UTC beside it, and reads the times of your filters in it."
        />
        <Card>
            <PageForm action="/account/time-zone" errors=errors>
                <Select
                    name="zone"
                    label="Your time zone"
                    choices=zones
                    value=chosen
                    hint=format!("It is {} there now.", Zone::parse(chosen).in_full(app.clock.now()))
                    errors=errors
                />
                <Hidden name="return" value=back/>
                <FormActions>
                    <Button tone=Tone::Primary>"Use this zone"</Button>
                    <LinkButton href=cancel tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&frame, "Time zone", vec![Crumb::new("Your account", "/account")], body.into_any())
}
