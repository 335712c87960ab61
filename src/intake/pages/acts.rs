//! The seldom acts, each with its reason: closing as lost, reopening, retiring.
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
    error::{Error, Result},
    form::{Typed, amiss, shown},
    intake::{
        Act, Reason,
        store::{self, Taken},
    },
    ui::{self, Button, Card, FieldErrors, Form as PageForm, FormActions, LinkButton, PageHeader, TextArea, Tone},
};

/// What an address names, with its words: what it is called, what it means, the verb on the button.
fn named(word: &str) -> Result<(Act, &'static str, &'static str, &'static str)> {
    Ok(match word {
        "close" => (
            Act::Close,
            "Close as lost",
            "The customer does not want it, at this price or at all. Nothing is deleted; what was found out helps the next intake of this system.",
            "Close it as lost",
        ),
        "reopen" => (
            Act::Reopen,
            "Reopen",
            "Something has changed since it was not possible. It goes back to the intake, with all that was answered.",
            "Reopen the intake",
        ),
        "retire" => (
            Act::Retire,
            "Retire",
            "It has had its time, or should never have been. It leaves the board and cannot be taken up again; nothing is deleted, and events go on as they do.",
            "Retire it",
        ),
        _ => return Err(Error::NotFound("act")),
    })
}

/// Asks for the reason.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(path): Path<Named>,
) -> Result<Response> {
    named(&path.act)?;
    let room = Room::load(&app, &session, permit.tenant(), &path, &format!("/acts/{}", path.act)).await?;
    page(&room, &path.act, "", &FieldErrors::new()).map(shown)
}

/// Does it.
pub(super) async fn take(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(path): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (act, ..) = named(&path.act)?;
    let room = Room::load(&app, &session, permit.tenant(), &path, &format!("/acts/{}", path.act)).await?;
    let mut errors = FieldErrors::new();
    if let Some(reason) = errors.keep("reason", Reason::parse(&typed.text("reason"))) {
        let taken = Taken { act, reason, next: None };
        match store::advance(&app.db, &app.clock, &permit, room.of.id, taken).await {
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=advanced", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    page(&room, &path.act, &typed.text("reason"), &errors).map(amiss)
}

fn page(room: &Room, word: &str, reason: &str, errors: &FieldErrors) -> Result<String> {
    let (act, title, meaning, verb) = named(word)?;
    let tone = if act == Act::Reopen { Tone::Primary } else { Tone::Danger };
    let here = room.here();
    let body = view! {
        <PageHeader title=format!("{title}: {}", room.of.details.name) lead=meaning/>
        <Card>
            <PageForm action=format!("{here}/acts/{word}") errors=errors>
                <TextArea name="reason" label="Reason" value=reason.to_owned() rows=3 hint="It stands on the timeline." errors=errors/>
                <FormActions>
                    <Button tone=tone>{verb}</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Keep it as it is"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    Ok(ui::page(&room.frame, title, room.crumbs(true), body.into_any()))
}
