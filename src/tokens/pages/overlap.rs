//! The overlap of a token that was rolled: ended early, or prolonged, by whoever sees whether it is still used.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address, crumbs};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    form::{Typed, amiss, shown},
    tenants,
    tokens::{self, Overlap, Token},
    ui::{
        self, Button, Card, Choice, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        RadioGroup, Section, Tone,
    },
};

/// Asks until when.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    if token.successor_id.is_none() || token.revoked_at.is_some() {
        return Ok(Redirect::to(&address(&token)).into_response());
    }
    let typed = [("overlap".to_owned(), "1d".to_owned())].into_iter().collect();
    Ok(shown(page(&frame, &token, &typed, &FieldErrors::new())))
}

/// Ends or prolongs it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (frame, token) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    if let Some(overlap) = errors.keep("overlap", typed.text("overlap").parse::<Overlap>()) {
        match tokens::set_overlap(&app.db, &app.clock, &permit, token.id, overlap).await {
            Ok(_) => {
                let done = if overlap == Overlap::NONE { "ended" } else { "prolonged" };
                return Ok(Redirect::to(&format!("{}?done={done}", address(&token))).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&frame, &token, &typed, &errors)))
}

async fn load(app: &App, session: &Session, permit: &Permit<Configure>, named: &Named) -> Result<(Frame, Token)> {
    let tenant = permit.tenant();
    let token = tokens::get(&app.db, &session.permit::<ReadConfiguration>(tenant)?, named.id()?).await?;
    let path = format!("{}/overlap", address(&token));
    Ok((tenants::frame(app, session, Some(tenant), Section::Tokens, path).await?, token))
}

/// When it may end, from now on.
pub(super) fn choices() -> Vec<Choice> {
    vec![
        Choice::new("now", "Now").hint("Who still sends with it is refused within a second."),
        Choice::new("1h", "In an hour").hint("For a sender that is switched at once."),
        Choice::new("1d", "In a day").hint("For a sender that is switched today."),
        Choice::new("7d", "In a week").hint("For a sender that somebody else has to switch."),
    ]
}

/// Whether somebody would notice.
pub(super) fn last_use(frame: &Frame, token: &Token) -> AnyView {
    let used = match token.last_used_at {
        Some(at) => view! { "The old token was last used "{ui::ago(frame.moment(), at)}"." }.into_any(),
        None => ui::text("The old token was never used."),
    };
    view! { <p>{used}</p> }.into_any()
}

fn page(frame: &Frame, token: &Token, typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(token);
    let name = &token.details.name;
    let end = token.overlap_ends_at.map(|end| {
        let words = if end <= frame.now { "Its overlap has ended: " } else { "It works beside its successor until " };
        view! { <p>{words}{ui::at(frame.moment(), end)}"."</p> }
    });
    let lead = format!("How long {}… works on beside its successor, counted from now.", token.prefix);
    let body = view! {
        <PageHeader title=format!("Change the overlap of {name}") lead=lead/>
        <Card>
            {end}
            <PageForm action=format!("{here}/overlap") errors=errors>
                <RadioGroup name="overlap" label="The old token ends" choices=choices() value=typed.text("overlap") errors=errors/>
                {last_use(frame, token)}
                <FormActions>
                    <Button tone=Tone::Primary>"Change overlap"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Change overlap", crumbs(frame, Some(token)), body.into_any())
}
