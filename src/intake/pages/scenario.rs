//! How an intake ends: the scenario that follows from the verdicts, or another one with a reason in writing.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, verdicts::badge};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Typed, amiss, shown},
    intake::{
        Act, Question, Reason, Scenario, Stage, Verdict, follows,
        store::{self, Taken},
    },
    ui::{
        self, Alert, Button, Card, Choice, Columns, Facts, FieldErrors, Form as PageForm, FormActions, LinkButton,
        PageHeader, RadioGroup, State as Mood, TextArea, Tone,
    },
};

/// Shows what follows, and asks for the choice.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/scenario").await?;
    let verdicts = store::verdicts(&app.db, &permit, room.of.id).await?;
    Ok(shown(page(&room, &verdicts, &Typed::default(), &FieldErrors::new())))
}

/// Chooses.
pub(super) async fn choose(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/scenario").await?;
    let mut errors = FieldErrors::new();
    let scenario = typed.text("scenario").parse::<Scenario>().map_err(|_| "choose one of the three");
    let scenario = errors.keep("scenario", scenario);
    let reason = errors.keep("reason", Reason::parse(&typed.text("reason")));
    if let (Some(scenario), Some(reason)) = (scenario, reason) {
        let taken = Taken { act: Act::Choose(scenario), reason, next: Some(super::show::usual(scenario.stage())) };
        match store::advance(&app.db, &app.clock, &permit, room.of.id, taken).await {
            Ok(of) => {
                let rest = if of.stage == Stage::Investigation { "/investigation" } else { "" };
                return Ok(Redirect::to(&format!("{}{rest}?done=advanced", room.here())).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    let verdicts = store::verdicts(&app.db, &session.permit::<SeeIntegrations>(permit.tenant())?, room.of.id).await?;
    Ok(amiss(page(&room, &verdicts, &typed, &errors)))
}

fn page(room: &Room, verdicts: &[Verdict], typed: &Typed, errors: &FieldErrors) -> String {
    let answer = |of| verdicts.iter().find(|one| one.question == of).map(|one| one.answer);
    let rows = Question::ALL.iter().map(|question| {
        let said = answer(*question).map_or_else(|| ui::muted("no verdict yet"), badge);
        (question.title(), said)
    });
    let verdicts_page = format!("{}/verdicts", room.here());
    let href = verdicts_page.clone();
    let aside = view! {
        <Card title="The verdicts">
            <Facts items=rows.collect()/>
            <ui::Row><LinkButton href=href>"Verdicts"</LinkButton></ui::Row>
        </Card>
    };
    let follows = match (answer(Question::Technical), answer(Question::Need)) {
        (Some(technical), Some(need)) => Some(follows(technical, need)),
        _ => None,
    };
    let main = match (room.of.stage, follows) {
        (Stage::Intake, Some(follows)) => form(room, follows, typed, errors),
        (Stage::Intake, None) => view! {
            <ui::FormErrors errors=errors/>
            <Alert state=Mood::Neutral title="Both verdicts come first">
                <p>"The scenario follows from them: a no anywhere means not possible, unsure means an investigation, two yes mean a quotation."</p>
                <p><LinkButton href=verdicts_page tone=Tone::Primary>"Give the verdicts"</LinkButton></p>
            </Alert>
        }
        .into_any(),
        _ => chosen(room, errors),
    };
    let body = view! {
        <PageHeader title="Scenario" lead="Every intake ends in one of three.">
            {ui::guide("scenarios", "What they mean")}
        </PageHeader>
        {room.tabs("/scenario")}
        <Columns main=main aside=aside.into_any()/>
    };
    ui::page(&room.frame, "Scenario", room.crumbs(true), body.into_any())
}

fn chosen(room: &Room, errors: &FieldErrors) -> AnyView {
    let words = match room.of.scenario {
        Some(scenario) => view! { <p>{ui::strong(scenario.title())}</p> <p>{scenario.meaning()}</p> }.into_any(),
        None => ui::muted("None was chosen."),
    };
    view! { <ui::FormErrors errors=errors/> <Card title="The scenario is chosen">{words}</Card> }.into_any()
}

fn form(room: &Room, follows: Scenario, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let choices = Scenario::ALL.iter().map(|one| {
        let label =
            if *one == follows { format!("{} — what the verdicts say", one.title()) } else { one.title().into() };
        Choice::new(one.word(), label).hint(one.meaning())
    });
    let value = Some(typed.text("scenario")).filter(|text| !text.is_empty()).unwrap_or_else(|| follows.word().into());
    view! {
        <Card>
            <PageForm action=format!("{}/scenario", room.here()) errors=errors>
                <RadioGroup name="scenario" label="How this intake ends" choices=choices.collect() value=value errors=errors/>
                <TextArea
                    name="reason"
                    label="Reason"
                    value=typed.text("reason")
                    rows=4
                    optional=true
                    hint="Needed when it is not possible, and when you choose otherwise than the verdicts say. It stands on the timeline."
                    errors=errors
                />
                <FormActions><Button tone=Tone::Primary>"Choose the scenario"</Button></FormActions>
            </PageForm>
        </Card>
    }
    .into_any()
}
