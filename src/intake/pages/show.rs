//! One integration: where it stands, whose turn it is, what was judged, and how it came to be so.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, form, lines, name_of, stage, turn};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    ids::{IntegrationId, TenantId},
    intake::{
        Happened, Integration, Next, Question, Stage, Verdict, checks, questions,
        store::{self, Scope},
    },
    ui::{
        self, Button, Card, CodeBlock, Columns, Facts, FieldErrors, Form as PageForm, FormActions, Happening, Icon,
        LinkButton, PageHeader, Row, StepState, Timeline, Tone, Track,
    },
};

/// How much of the timeline is shown.
const HAPPENED: i64 = 200;

/// The stages of an integration that gets to its end.
const WAY: [Stage; 5] = [Stage::Intake, Stage::Investigation, Stage::Quotation, Stage::Implementation, Stage::Live];

/// What the page shows besides the integration.
struct Sight {
    verdicts: Vec<Verdict>,
    happened: Vec<Happened>,
    answered: usize,
    earlier: Vec<store::Earlier>,
    may_run: bool,
}

impl Sight {
    async fn load(app: &App, session: &Session, permit: &Permit<SeeIntegrations>, of: &Integration) -> Result<Self> {
        let scope = Scope::of(&session.actor)?;
        Ok(Self {
            verdicts: store::verdicts(&app.db, permit, of.id).await?,
            happened: store::timeline(&app.db, permit, of.id, HAPPENED).await?,
            answered: store::answers(&app.db, permit, of.id).await?.len(),
            earlier: store::earlier(&app.db, &scope, of.details.system_name.as_str(), Some(of.id)).await?,
            may_run: session.permit::<RunIntakes>(of.tenant_id).is_ok(),
        })
    }
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "").await?;
    room.notice(
        &done,
        &[
            ("created", "The intake has begun. Go through its questions with the customer, or send them a link."),
            ("changed", "Saved."),
            ("next", "Saved: everybody sees whose turn it is."),
            ("advanced", "Done: the timeline tells when and why."),
        ],
    );
    let sight = Sight::load(&app, &session, &permit, &room.of).await?;
    let next = &room.of.next;
    let page = page(&room, &sight, &next.next_step, next.turn.word(), "", &FieldErrors::new());
    Ok(shown(page))
}

/// Says what is next, and whose turn it is.
pub(super) async fn set_next(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "").await?;
    let mut errors = FieldErrors::new();
    let next = form::read_next(&typed, &mut errors);
    let why = errors.keep("why", crate::intake::parse_text(&typed.text("why"), 2_000));
    if let (Some(next), Some(why)) = (next, why) {
        match store::set_next(&app.db, &app.clock, &permit, room.of.id, next, why).await {
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=next", room.here())).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    let sight = Sight::load(&app, &session, &session.permit(permit.tenant())?, &room.of).await?;
    let (step, turn, why) = (typed.text("next_step"), typed.text("turn"), typed.text("why"));
    Ok(amiss(page(&room, &sight, &step, &turn, &why, &errors)))
}

fn page(room: &Room, sight: &Sight, step: &str, turn: &str, why: &str, errors: &FieldErrors) -> String {
    let of = &room.of;
    let here = room.here();
    let edit = sight.may_run.then(|| {
        view! { <LinkButton href=format!("{here}/edit") icon=Icon::Settings>"Edit"</LinkButton> }
    });
    let main = view! {
        {next(room, sight, step, turn, why, errors)}
        {verdicts(room, sight)}
        <Card title="Timeline" lead="What happened, newest first.">{timeline(room, &sight.happened)}</Card>
    };
    let earlier = (!sight.earlier.is_empty())
        .then(|| super::new::history(&room.frame, of.details.system_name.as_str(), &sight.earlier));
    let aside = view! { {about(room)} {portal(of, sight)} {earlier} {acts(room, sight)} {command(of)} };
    let lead = format!("{} · {}", of.details.system_name, of.details.system_kind.title());
    let body = view! {
        <PageHeader title=of.details.name.as_str() lead=lead badge=stage(of.stage)>{main_act(room, sight)}{edit}</PageHeader>
        <Track label="Stages" stages=track(of.stage, &sight.happened)/>
        {room.tabs("")}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(&room.frame, of.details.name.as_str(), room.crumbs(false), body.into_any())
}

/// The way that was gone, and the one that lies ahead.
fn track(now: Stage, happened: &[Happened]) -> Vec<(&'static str, StepState)> {
    let ahead: &[Stage] = match now {
        Stage::Intake | Stage::Investigation => &[Stage::Quotation, Stage::Implementation, Stage::Live],
        Stage::Quotation => &[Stage::Implementation, Stage::Live],
        Stage::Implementation => &[Stage::Live],
        Stage::NotPossible | Stage::Live | Stage::Retired | Stage::Lost => &[],
    };
    let mut stages = Vec::new();
    for stage in WAY.into_iter().filter(|stage| *stage != now && !ahead.contains(stage)) {
        let was = stage == Stage::Intake || happened.iter().any(|one| one.stage == Some(stage));
        // what was reopened goes its way anew
        if was && (stage < now || !now.is_open()) {
            stages.push((stage.title(), StepState::Done));
        }
    }
    stages.push((now.title(), StepState::Current));
    stages.extend(ahead.iter().map(|stage| (stage.title(), StepState::Ahead)));
    stages
}

/// The one thing to do on this page.
fn main_act(room: &Room, sight: &Sight) -> Option<AnyView> {
    let here = room.here();
    let (rest, label) = match room.of.stage {
        Stage::Intake if sight.verdicts.len() == Question::ALL.len() => ("scenario", "Choose the scenario"),
        Stage::Intake if sight.answered * 2 < questions::count() => ("intake", "Go on with the intake"),
        Stage::Intake => ("verdicts", "Give the verdicts"),
        Stage::Investigation => ("investigation", "Open the investigation"),
        Stage::Quotation => ("quotations", "Open the quotation"),
        Stage::Implementation => ("implementation", "Open the implementation"),
        _ => return None,
    };
    sight
        .may_run
        .then(|| view! { <LinkButton href=format!("{here}/{rest}") tone=Tone::Primary>{label}</LinkButton> }.into_any())
}

fn next(room: &Room, sight: &Sight, step: &str, to: &str, why: &str, errors: &FieldErrors) -> AnyView {
    let of = &room.of;
    if !of.stage.is_open() {
        let words = match of.stage {
            Stage::NotPossible => {
                "It is not possible, and the reason stands on the timeline. It can be reopened when something has changed."
            }
            Stage::Live => "It is live: nothing is to be done.",
            Stage::Lost => {
                "The customer did not want it. What was found out stays here for the next intake of this system."
            }
            _ => "It is retired. What was found out stays here for the next intake of this system.",
        };
        return view! { <ui::FormErrors errors=errors/> <Card title="Nobody's turn"><p>{words}</p></Card> }.into_any();
    }
    let now = room.frame.moment();
    let form = sight.may_run.then(|| {
        let open = !errors.is_empty();
        let form = view! {
            <PageForm action=room.here() errors=errors>
                {form::next_fields(step.to_owned(), to.to_owned(), errors)}
                <ui::Field name="why" label="Why" value=why.to_owned() autocomplete="off" optional=true hint="Stands on the timeline." errors=errors/>
                <FormActions><Button>"Save"</Button></FormActions>
            </PageForm>
        };
        view! { <ui::Fold summary="Change" open=open>{form}</ui::Fold> }
    });
    let title = format!("Waits for {}", of.next.turn.who());
    view! {
        <Card title=title>
            <p>{ui::strong(of.next.next_step.as_str())}</p>
            <p>{ui::muted("since ")}{ui::at(now, of.turn_since)}</p>
            {form}
        </Card>
    }
    .into_any()
}

fn verdicts(room: &Room, sight: &Sight) -> AnyView {
    let rows = Question::ALL.iter().map(|question| {
        let given = sight.verdicts.iter().find(|one| one.question == *question);
        let words = match given {
            None => ui::muted("no verdict yet"),
            Some(given) => {
                let who = name_of(&room.staff, given.owner_id).unwrap_or_else(|| given.given_by.clone());
                let told = format!(" confidence {} · {who}", given.confidence.word());
                let open = lines(&given.open_questions)
                    .map(|open| view! { <ui::Near>{ui::muted("Still open")}{open}</ui::Near> });
                let evidence = (!given.evidence.is_empty()).then(|| ui::quoted(given.evidence.as_str()));
                view! { <Row>{super::verdicts::badge(given.answer)}{ui::muted(told)}</Row>{evidence}{open} }.into_any()
            }
        };
        (question.title(), words)
    });
    let href = format!("{}/verdicts", room.here());
    let action = view! { <LinkButton href=href tone=Tone::Quiet>"Verdicts"</LinkButton> };
    view! { <Card title="Verdicts" action=action.into_any()><Facts items=rows.collect()/></Card> }.into_any()
}

fn timeline(room: &Room, happened: &[Happened]) -> AnyView {
    let now = room.frame.moment();
    let events = happened.iter().map(|one| {
        let who = known_as(&one.who);
        Happening {
            when: ui::at(now, one.at),
            what: view! { {ui::strong(who)}" "{one.what.clone()} }.into_any(),
            why: one.why.clone(),
            turn: one.stage.is_some(),
        }
    });
    view! { <Timeline events=events.collect()/> }.into_any()
}

/// What pages call whom the audit trail names.
fn known_as(who: &str) -> String {
    if who == "cli" { "Command line".to_owned() } else { who.to_owned() }
}

fn about(room: &Room) -> AnyView {
    let of = &room.of;
    let now = room.frame.moment();
    let people = |text: &str| lines(text).unwrap_or_else(|| ui::muted("nobody named"));
    let items = vec![
        ("Need", ui::paragraphs(&of.details.need)),
        ("Owner", room.owner()),
        ("Waits for", turn(of)),
        ("Scenario", of.scenario.map_or_else(|| ui::muted("not chosen"), |one| ui::text(one.title()))),
        (
            "Value",
            room.worth
                .map_or_else(|| ui::muted("not quoted"), |worth| ui::text(format!("{} without VAT", worth.told()))),
        ),
        ("Customer", people(&of.details.customer_people)),
        ("Vendor", people(&of.details.vendor_people)),
        ("At this stage", ui::ago(now, of.stage_since)),
        ("Began", view! { {ui::ago(now, of.created_at)}{format!(", by {}", known_as(&of.created_by))} }.into_any()),
    ];
    view! { <Card title="About"><Facts items=items/></Card> }.into_any()
}

/// What the customer sees of it, and how they get there.
fn portal(of: &Integration, sight: &Sight) -> AnyView {
    let theirs = format!("/tenants/{}/portal/{}", of.tenant_id, of.id);
    let links = sight.may_run.then(|| {
        view! { <LinkButton href=format!("{theirs}/links") tone=Tone::Plain icon=Icon::Plus>"Links"</LinkButton> }
    });
    view! {
        <Card title="What the customer sees" lead="In the portal: signed in, or without an account by a link.">
            <Row><LinkButton href=theirs tone=Tone::Plain>"See it as the customer"</LinkButton>{links}</Row>
        </Card>
    }
    .into_any()
}

/// What else can be done: seldom, and never by accident.
fn acts(room: &Room, sight: &Sight) -> Option<AnyView> {
    let act = |word: &str, label: &'static str| {
        let href = format!("{}/acts/{word}", room.here());
        view! { <LinkButton href=href tone=Tone::Plain>{label}</LinkButton> }.into_any()
    };
    let mut possible = Vec::new();
    match room.of.stage {
        Stage::Retired => return None,
        Stage::NotPossible => possible.push(act("reopen", "Reopen…")),
        Stage::Quotation => possible.push(act("close", "Close as lost…")),
        _ => {}
    }
    possible.push(act("retire", "Retire…"));
    sight.may_run.then(|| view! { <Card title="More"><Row>{possible}</Row></Card> }.into_any())
}

fn command(of: &Integration) -> AnyView {
    let code = commands(of.tenant_id, of.id);
    view! { <Card title="On the command line"><CodeBlock id="commands" label="tributary" code=code/></Card> }.into_any()
}

fn commands(tenant: TenantId, id: IntegrationId) -> String {
    format!(
        "tributary integration show --tenant {tenant} {id}\ntributary intake show --tenant {tenant} {id}\n\
         tributary integration advance --help"
    )
}

/// What is usual after a step, before somebody says something better.
pub(super) fn usual(stage: Stage) -> Next {
    Next { next_step: crate::intake::first_step(stage).into(), turn: crate::intake::Side::Us }
}

/// The proposal of the check list.
pub(super) fn proposal(checks: &[store::Checked]) -> checks::Proposal {
    checks::propose(|item| checks.iter().find(|one| one.item == item).map_or(checks::Known::Unknown, |one| one.known))
}
