//! The two verdicts of an intake: technically possible? need fulfilled? Each with its owner, how sure they are, what it
//! rests on, and what is still open.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{
    Named, Room,
    form::{owner, owners},
    show::proposal,
};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    intake::{
        Answer, Confidence, Question, Stage, Verdict, follows, parse_text,
        store::{self, Answered, Checked, Given},
    },
    ui::{
        self, Alert, Badge, Button, Card, Choice, Columns, FieldErrors, Form as PageForm, FormActions, Hidden,
        LinkButton, PageHeader, RadioRow, Row, Select, State as Mood, TextArea, Tone,
    },
};

/// The names of the fields: each question has its own, since both forms stand on one page.
struct Names {
    answer: &'static str,
    confidence: &'static str,
    owner: &'static str,
    evidence: &'static str,
    open: &'static str,
}

const fn names(question: Question) -> Names {
    match question {
        Question::Technical => Names {
            answer: "technical_answer",
            confidence: "technical_confidence",
            owner: "technical_owner",
            evidence: "technical_evidence",
            open: "technical_open",
        },
        Question::Need => Names {
            answer: "need_answer",
            confidence: "need_confidence",
            owner: "need_owner",
            evidence: "need_evidence",
            open: "need_open",
        },
    }
}

/// An answer as a state.
pub(super) fn badge(answer: Answer) -> AnyView {
    let mood = match answer {
        Answer::Yes => Mood::Ok,
        Answer::Unsure => Mood::Warning,
        Answer::No => Mood::Error,
    };
    view! { <Badge state=mood word=answer.title()/> }.into_any()
}

/// What the verdicts stand on.
struct Ground {
    verdicts: Vec<Verdict>,
    checks: Vec<Checked>,
    answers: Vec<Answered>,
}

impl Ground {
    async fn load(app: &App, permit: &Permit<SeeIntegrations>, room: &Room) -> Result<Self> {
        Ok(Self {
            verdicts: store::verdicts(&app.db, permit, room.of.id).await?,
            checks: store::checks(&app.db, permit, room.of.id).await?,
            answers: store::answers(&app.db, permit, room.of.id).await?,
        })
    }
}

/// Shows both.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/verdicts").await?;
    room.notice(&done, &[("given", "The verdict is given.")]);
    let ground = Ground::load(&app, &permit, &room).await?;
    Ok(shown(page(&room, &ground, None, session.user, &FieldErrors::new())))
}

/// Gives one of them.
pub(super) async fn give(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/verdicts").await?;
    let mut errors = FieldErrors::new();
    let question = typed.text("question").parse::<Question>().unwrap_or(Question::Technical);
    if let Some(given) = read(&typed, question, &room, &mut errors) {
        match store::give_verdict(&app.db, &app.clock, &permit, room.of.id, given).await {
            Ok(()) => return Ok(Redirect::to(&format!("{}/verdicts?done=given", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    let ground = Ground::load(&app, &session.permit(permit.tenant())?, &room).await?;
    Ok(amiss(page(&room, &ground, Some((question, &typed)), session.user, &errors)))
}

fn read(typed: &Typed, question: Question, room: &Room, errors: &mut FieldErrors) -> Option<Given> {
    let names = names(question);
    let answer = typed.text(names.answer).parse::<Answer>().map_err(|_| "choose yes, unsure or no");
    let answer = errors.keep(names.answer, answer);
    let confidence = typed.text(names.confidence).parse::<Confidence>().map_err(|_| "say how sure you are");
    let confidence = errors.keep(names.confidence, confidence);
    let owner = owner(typed, &room.staff, room.of.tenant_id, names.owner, errors);
    let evidence = errors.keep(names.evidence, parse_text(&typed.text(names.evidence), 8_000));
    let open = errors.keep(names.open, parse_text(&typed.text(names.open), 8_000));
    if answer == Some(Answer::Unsure) && open.as_ref().is_some_and(String::is_empty) {
        errors.push(names.open, "Say what is not known: it is what an investigation will ask");
        return None;
    }
    Some(Given {
        question,
        answer: answer?,
        confidence: confidence?,
        owner_id: owner?,
        evidence: evidence?,
        open_questions: open?,
    })
}

fn page(
    room: &Room,
    ground: &Ground,
    typed: Option<(Question, &Typed)>,
    viewer: crate::ids::UserId,
    errors: &FieldErrors,
) -> String {
    let open = room.of.stage == Stage::Intake;
    let forms = Question::ALL.iter().map(|question| {
        let given = ground.verdicts.iter().find(|one| one.question == *question);
        if !open {
            return settled(room, *question, given);
        }
        let own = typed.filter(|(of, _)| of == question).map(|(_, typed)| typed);
        let none = FieldErrors::new();
        let errors = if own.is_some() { errors } else { &none };
        form(room, *question, ground, given, own, viewer, errors)
    });
    let late = (!open).then(|| view! { <ui::FormErrors errors=errors/> });
    let forms = view! { {late} {forms.collect_view()} };
    let body = view! {
        <PageHeader title="Verdicts" lead="Two questions, answered by somebody who stands for the answer. The scenario follows from them.">
            {ui::guide("scenarios", "What the scenarios mean")}
        </PageHeader>
        {room.tabs("/verdicts")}
        <Columns main=forms.into_any() aside=aside(room, ground)/>
    };
    ui::page(&room.frame, "Verdicts", room.crumbs(true), body.into_any())
}

/// A verdict that can be changed no more.
fn settled(room: &Room, question: Question, given: Option<&Verdict>) -> AnyView {
    let words = match given {
        None => ui::muted("It was never given."),
        Some(given) => {
            let who = super::name_of(&room.staff, given.owner_id).unwrap_or_else(|| given.given_by.clone());
            let sure = format!("confidence {} · {who}", given.confidence.word());
            let evidence = (!given.evidence.is_empty()).then(|| ui::quoted(given.evidence.as_str()));
            let open = super::lines(&given.open_questions)
                .map(|open| view! { <ui::Near title="Was still open">{open}</ui::Near> });
            view! { <Row>{badge(given.answer)}{ui::muted(sure)}</Row> {evidence} {open} }.into_any()
        }
    };
    view! { <Card title=question.title()>{words}</Card> }.into_any()
}

fn form(
    room: &Room,
    question: Question,
    ground: &Ground,
    given: Option<&Verdict>,
    typed: Option<&Typed>,
    viewer: crate::ids::UserId,
    errors: &FieldErrors,
) -> AnyView {
    let names = names(question);
    let proposal = (question == Question::Technical && !ground.checks.is_empty()).then(|| proposal(&ground.checks));
    let [answer, confidence, owner, evidence, open] = match (typed, given, &proposal) {
        (Some(typed), ..) => {
            [names.answer, names.confidence, names.owner, names.evidence, names.open].map(|name| typed.text(name))
        }
        (None, Some(given), _) => [
            given.answer.word().to_owned(),
            given.confidence.word().to_owned(),
            given.owner_id.map(|id| id.to_string()).unwrap_or_default(),
            given.evidence.clone(),
            given.open_questions.clone(),
        ],
        (None, None, Some(proposal)) => [
            proposal.answer.word().to_owned(),
            "medium".to_owned(),
            viewer.to_string(),
            proposal.reasons.join("\n"),
            proposal.open.join("\n"),
        ],
        (None, None, None) => [String::new(), String::new(), viewer.to_string(), String::new(), String::new()],
    };
    let lead = match (given, &proposal) {
        (Some(_), _) => "Given; it can be changed until the scenario is chosen.",
        (None, Some(_)) => "Filled in by what the check list says: see whether you stand for it.",
        (None, None) => match question {
            Question::Technical => "Can we integrate with their system, by one of the two ways?",
            Question::Need => "If we do: does the customer get what they need by it?",
        },
    };
    let answers = Answer::ALL.iter().map(|one| Choice::new(one.word(), one.title())).collect();
    let sure = Confidence::ALL.iter().map(|one| Choice::new(one.word(), one.title())).collect();
    let mark = given.map(|given| view! { <Row>{badge(given.answer)}</Row> }.into_any());
    view! {
        <Card title=question.title() lead=lead nostrip:action=mark>
            <PageForm action=format!("{}/verdicts", room.here()) errors=errors>
                <Hidden name="question" value=question.word()/>
                <RadioRow name=names.answer label="Answer" choices=answers value=answer errors=errors/>
                <RadioRow name=names.confidence label="Confidence" choices=sure value=confidence errors=errors/>
                <Select name=names.owner label="Who stands for it" choices=owners(&room.staff, room.of.tenant_id) value=owner errors=errors/>
                <TextArea name=names.evidence label="Evidence" value=evidence rows=3 optional=true hint="What it rests on: what was seen, who said so." errors=errors/>
                <TextArea name=names.open label="Open questions" value=open rows=3 optional=true hint="One a line. When unsure, an investigation begins with them." errors=errors/>
                <FormActions><Button tone=Tone::Primary>"Give this verdict"{ui::unseen(format!(": {}", question.title()))}</Button></FormActions>
            </PageForm>
        </Card>
    }
    .into_any()
}

fn aside(room: &Room, ground: &Ground) -> AnyView {
    let answer = |of| ground.verdicts.iter().find(|one| one.question == of).map(|one| one.answer);
    let next = match (answer(Question::Technical), answer(Question::Need)) {
        (Some(technical), Some(need)) => {
            let scenario = follows(technical, need);
            let href = format!("{}/scenario", room.here());
            view! {
                <Card title="What follows">
                    <p>{ui::strong(scenario.title())}</p>
                    <p>{scenario.meaning()}</p>
                    <Row><LinkButton href=href tone=Tone::Primary>"To the scenario"</LinkButton></Row>
                </Card>
            }
            .into_any()
        }
        _ => view! {
            <Alert state=Mood::Neutral title="Both are needed">
                <p>"A no anywhere means not possible; unsure means an investigation; two yes mean a quotation."</p>
            </Alert>
        }
        .into_any(),
    };
    let said = |key: &str| {
        let found = ground.answers.iter().find(|one| one.question == key)?;
        let (_, asked) = crate::intake::questions::question(key)?;
        Some(view! { <ui::Near title=asked.text>{ui::paragraphs(&found.answer)}</ui::Near> }.into_any())
    };
    let need = view! { <ui::Near title="The need">{ui::paragraphs(&room.of.details.need)}</ui::Near> };
    view! { {next} <Card title="What the customer says">{need}{said("goal")}{said("success")}</Card> }.into_any()
}
