//! One question of an investigation: changed, and answered.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunInvestigations, SeeIntegrations, Session},
    error::Result,
    form::{Typed, amiss, shown},
    intake::{
        parse_line, parse_text,
        store::{self, OpenQuestion},
    },
    ui::{
        self, Button, Card, Field, FieldErrors, Form as PageForm, FormActions, LinkButton, PageHeader, TextArea, Tone,
    },
};

/// The form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunInvestigations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (room, one) = load(&app, &session, &permit, &named).await?;
    Ok(shown(page(&room, &one, &FieldErrors::new())))
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunInvestigations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, before) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let question = parse_line(&typed.text("question"), 500)
        .and_then(|text| if text.is_empty() { Err("write a question, or what you suppose".into()) } else { Ok(text) });
    let question = errors.keep("question", question);
    let method = errors.keep("method", parse_line(&typed.text("method"), 500));
    let owner = errors.keep("owner", parse_line(&typed.text("owner"), 200));
    let answer = errors.keep("answer", parse_text(&typed.text("answer"), 8_000));
    let evidence = errors.keep("evidence", parse_text(&typed.text("evidence"), 8_000));
    if let (Some(question), Some(method), Some(owner), Some(answer), Some(evidence)) =
        (question, method, owner, answer, evidence)
    {
        let after = OpenQuestion { question, method, owner, answer, evidence, ..before.clone() };
        match store::answer_question(&app.db, &app.clock, &permit, room.of.id, after).await {
            Ok(()) => {
                return Ok(Redirect::to(&format!("{}/investigation?done=question", room.here())).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    let typed = OpenQuestion {
        question: typed.text("question"),
        method: typed.text("method"),
        owner: typed.text("owner"),
        answer: typed.text("answer"),
        evidence: typed.text("evidence"),
        ..before
    };
    Ok(amiss(page(&room, &typed, &errors)))
}

async fn load(
    app: &App,
    session: &Session,
    permit: &Permit<RunInvestigations>,
    named: &Named,
) -> Result<(Room, OpenQuestion)> {
    let rest = format!("/investigation/questions/{}", named.question);
    let room = Room::load(app, session, permit.tenant(), named, &rest).await?;
    let see = session.permit::<SeeIntegrations>(permit.tenant())?;
    let one = store::question(&app.db, &see, room.of.id, named.question()?).await?;
    Ok((room, one))
}

fn page(room: &Room, one: &OpenQuestion, errors: &FieldErrors) -> String {
    let back = format!("{}/investigation", room.here());
    let mut crumbs = room.crumbs(true);
    crumbs.push(ui::Crumb::new("Investigation", back.as_str()));
    let body = view! {
        <PageHeader title="Answer a question" lead=one.question.as_str()/>
        <Card>
            <PageForm action=format!("{back}/questions/{}", one.id) errors=errors>
                <TextArea name="answer" label="Answer" value=one.answer.as_str() rows=4 optional=true hint="Empty as long as it is open." errors=errors/>
                <TextArea name="evidence" label="Evidence" value=one.evidence.as_str() rows=3 optional=true hint="What was seen, who said so, where it stands." errors=errors/>
                <Field name="question" label="Question or hypothesis" value=one.question.as_str() autocomplete="off" errors=errors/>
                <Field name="method" label="Method" value=one.method.as_str() autocomplete="off" optional=true errors=errors/>
                <Field name="owner" label="Who finds out" value=one.owner.as_str() autocomplete="off" optional=true errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=back.as_str() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&room.frame, "Question", crumbs, body.into_any())
}
