//! The investigation: its time box, its questions, the time that was spent, and how it ends. Several small forms on one
//! page; each posts to it and says which it is.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, RunInvestigations, SeeIntegrations, Session},
    error::{Error, Result},
    form::{Done, Typed, amiss, shown},
    intake::{
        Act, Reason, Stage, hours, parse_day, parse_hours, parse_line, parse_text,
        store::{self, OpenQuestion, Plan, Spent, Taken},
    },
    ui::{
        self, Badge, Button, Card, Choice, Column, Columns, DataTable, Empty, Field, FieldErrors, Form as PageForm,
        FormActions, Hidden, Icon, LinkButton, PageHeader, Progress, RadioGroup, State as Mood, TextArea, Tone,
    },
};

/// The longest time box and the longest day, in hours.
const LONGEST_BOX: i64 = 2_000;
const LONGEST_DAY: i64 = 24;

/// What the page shows.
pub(super) struct Work {
    pub(super) plan: store::Investigation,
    pub(super) questions: Vec<OpenQuestion>,
    pub(super) spent: Vec<Spent>,
}

impl Work {
    /// Loads it.
    pub(super) async fn load(app: &App, permit: &Permit<SeeIntegrations>, room: &Room) -> Result<Self> {
        let plan = store::investigation(&app.db, permit, room.of.id).await?;
        Ok(Self {
            plan: plan.ok_or(Error::NotFound("investigation"))?,
            questions: store::questions(&app.db, permit, room.of.id).await?,
            spent: store::spent(&app.db, permit, room.of.id).await?,
        })
    }

    pub(super) fn minutes(&self) -> i64 {
        self.spent.iter().map(|one| one.minutes).sum()
    }

    pub(super) fn open(&self) -> usize {
        self.questions.iter().filter(|one| one.answer.is_empty()).count()
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
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/investigation").await?;
    room.notice(
        &done,
        &[
            ("advanced", "The investigation has begun, with what the verdicts left open. Give it a time box."),
            ("plan", "Planned."),
            ("question", "Saved."),
            ("time", "Written down."),
        ],
    );
    let work = Work::load(&app, &permit, &room).await?;
    let may = session.permit::<RunInvestigations>(permit.tenant()).is_ok();
    Ok(shown(page(&room, &work, may, &Typed::default(), &FieldErrors::new())))
}

/// Does what one of its forms asks.
pub(super) async fn act(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunInvestigations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/investigation").await?;
    let mut errors = FieldErrors::new();
    let form = typed.text("form");
    let run = session.permit::<RunIntakes>(permit.tenant())?;
    let done = match form.as_str() {
        "plan" => plan(&app, &permit, &room, &typed, &mut errors).await?,
        "question" => add(&app, &permit, &room, &typed, &mut errors).await?,
        "time" => spend(&app, &permit, &room, &typed, &mut errors).await?,
        "conclude" => conclude(&app, &run, &room, &typed, &mut errors).await?,
        _ => {
            errors.push("", "Choose what to do");
            false
        }
    };
    if done {
        let to = if form == "conclude" { "?done=advanced".into() } else { format!("/investigation?done={form}") };
        return Ok(Redirect::to(&format!("{}{to}", room.here())).into_response());
    }
    let work = Work::load(&app, &session.permit(permit.tenant())?, &room).await?;
    Ok(amiss(page(&room, &work, true, &typed, &errors)))
}

/// Notes what its sender can mend.
fn told(done: Result<()>, errors: &mut FieldErrors) -> Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) => errors.note("", error).map(|()| false),
    }
}

async fn plan(
    app: &App,
    permit: &Permit<RunInvestigations>,
    room: &Room,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<bool> {
    let goal = errors.keep("goal", parse_text(&typed.text("goal"), 4_000));
    let minutes = errors.keep("hours", parse_hours(&typed.text("hours"), LONGEST_BOX));
    let due_on = errors.keep("due_on", parse_day(&typed.text("due_on")));
    let (Some(goal), Some(minutes), Some(due_on)) = (goal, minutes, due_on) else { return Ok(false) };
    told(store::plan(&app.db, &app.clock, permit, room.of.id, Plan { goal, minutes, due_on }).await, errors)
}

async fn add(
    app: &App,
    permit: &Permit<RunInvestigations>,
    room: &Room,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<bool> {
    let question = parse_line(&typed.text("question"), 500)
        .and_then(|text| if text.is_empty() { Err("write a question, or what you suppose".into()) } else { Ok(text) });
    let question = errors.keep("question", question);
    let method = errors.keep("method", parse_line(&typed.text("method"), 500));
    let owner = errors.keep("owner", parse_line(&typed.text("owner"), 200));
    let (Some(question), Some(method), Some(owner)) = (question, method, owner) else { return Ok(false) };
    told(store::add_question(&app.db, &app.clock, permit, room.of.id, (question, method, owner)).await, errors)
}

async fn spend(
    app: &App,
    permit: &Permit<RunInvestigations>,
    room: &Room,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<bool> {
    let day = parse_day(&typed.text("day"));
    let day = day.and_then(|day| if day.is_empty() { Err("say on which day".into()) } else { Ok(day) });
    let day = errors.keep("day", day);
    let minutes = errors.keep("time", parse_hours(&typed.text("time"), LONGEST_DAY));
    let what = parse_line(&typed.text("what"), 300);
    let what = what.and_then(|what| if what.is_empty() { Err("say on what".into()) } else { Ok(what) });
    let what = errors.keep("what", what);
    let (Some(day), Some(minutes), Some(what)) = (day, minutes, what) else { return Ok(false) };
    told(store::spend(&app.db, &app.clock, permit, room.of.id, (day, minutes, what)).await, errors)
}

async fn conclude(
    app: &App,
    permit: &Permit<RunIntakes>,
    room: &Room,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<bool> {
    let possible = match typed.text("outcome").as_str() {
        "possible" => Some(true),
        "not-possible" => Some(false),
        _ => {
            errors.push("outcome", "Choose how it ends");
            None
        }
    };
    let reason = errors.keep("reason", Reason::parse(&typed.text("reason")));
    let (Some(possible), Some(reason)) = (possible, reason) else { return Ok(false) };
    let act = Act::Conclude(possible);
    let taken = Taken { act, reason, next: Some(super::show::usual(act.to())) };
    told(store::advance(&app.db, &app.clock, permit, room.of.id, taken).await.map(drop), errors)
}

fn page(room: &Room, work: &Work, may: bool, typed: &Typed, errors: &FieldErrors) -> String {
    let here = room.here();
    let open = room.of.stage == Stage::Investigation;
    let may = may && open;
    let of = |form: &str| -> (Typed, FieldErrors) {
        if typed.text("form") == form {
            (typed.clone(), errors.clone())
        } else {
            (Typed::default(), FieldErrors::new())
        }
    };
    let conclusion = (!work.plan.conclusion.is_empty()).then(|| {
        view! { <Card title="How it ended">{ui::paragraphs(&work.plan.conclusion)}</Card> }
    });
    let forms = may.then(|| {
        let (typed, errors) = of("question");
        add_form(&here, &typed, &errors)
    });
    let late = (!may).then(|| view! { <ui::FormErrors errors=errors/> });
    let report = format!("{here}/investigation/report");
    let time = may.then(|| {
        let (typed, errors) = of("time");
        time_form(room, &typed, &errors)
    });
    let ours = may.then(|| {
        let ((typed, errors), (end, amiss)) = (of("plan"), of("conclude"));
        vec![plan_form(&here, work, &typed, &errors), conclude_form(&here, work, &end, &amiss)]
    });
    let asked = questions(&here, work, may);
    let main = view! {
        {late}
        {conclusion}
        <Card title="Questions" flush=true>{asked}</Card>
        {forms}
        <Card title="Time spent" flush=true>{times(work)}</Card>
        {time}
    };
    let aside = view! {
        {planned(room, work)}
        {ours}
    };
    let body = view! {
        <PageHeader title="Investigation" lead="A time-boxed project that answers what the intake left open.">
            <LinkButton href=report icon=Icon::Audit>"Report"</LinkButton>
            {ui::guide("scenarios", "What it is for")}
        </PageHeader>
        {room.tabs("/investigation")}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(&room.frame, "Investigation", room.crumbs(true), body.into_any())
}

fn questions(here: &str, work: &Work, may: bool) -> AnyView {
    if work.questions.is_empty() {
        return view! {
            <Empty icon=Icon::Search title="No questions yet" why="What has to be known before anybody can promise that it works?"/>
        }
        .into_any();
    }
    let columns = vec![Column::text("Question"), Column::text("State"), Column::text("How and by whom").wide_only()];
    let rows = work.questions.iter().map(|one| {
        let name = if may {
            ui::link(format!("{here}/investigation/questions/{}", one.id), one.question.as_str())
        } else {
            ui::strong(one.question.as_str())
        };
        let answer = (!one.answer.is_empty()).then(|| ui::paragraphs(&one.answer));
        let state = if one.answer.is_empty() {
            view! { <Badge state=Mood::Warning word="open"/> }
        } else {
            view! { <Badge state=Mood::Ok word="answered"/> }
        };
        let how = if one.method.is_empty() { ui::muted("no method yet") } else { ui::text(one.method.as_str()) };
        let who = if one.owner.is_empty() { ui::text("nobody yet") } else { ui::text(one.owner.as_str()) };
        vec![view! { {name} {answer} }.into_any(), state.into_any(), ui::two_lines(how, who)]
    });
    view! { <DataTable caption="Questions of the investigation" columns=columns rows=rows.collect()/> }.into_any()
}

fn times(work: &Work) -> AnyView {
    if work.spent.is_empty() {
        return view! { <Empty icon=Icon::Clock title="No time spent yet" why="What is written down here is held against the time box."/> }
            .into_any();
    }
    let columns = vec![Column::text("Day"), Column::text("On what"), Column::text("By"), Column::number("Time")];
    let rows = work.spent.iter().map(|one| {
        vec![
            ui::text(one.day.as_str()),
            ui::text(one.what.as_str()),
            ui::text(one.who.as_str()),
            ui::text(hours(one.minutes)),
        ]
    });
    view! { <DataTable caption="Time spent" columns=columns rows=rows.collect()/> }.into_any()
}

/// The time box, and how much of it is left.
pub(super) fn planned(room: &Room, work: &Work) -> AnyView {
    let (plan, spent) = (&work.plan.plan, work.minutes());
    let percent = (spent * 100).checked_div(plan.minutes).map(|percent| percent.min(100));
    let words = match plan.minutes {
        0 => format!("{} spent; there is no time box yet", hours(spent)),
        of if spent > of => format!("{} spent of {}: {} too much", hours(spent), hours(of), hours(spent - of)),
        of => format!("{} spent of {}", hours(spent), hours(of)),
    };
    let due = if plan.due_on.is_empty() { ui::muted("no date") } else { ui::text(plan.due_on.as_str()) };
    let today = room.frame.now.format("%Y-%m-%d").to_string();
    let late = (!plan.due_on.is_empty() && plan.due_on < today && work.plan.concluded_at.is_none())
        .then(|| view! { <Badge state=Mood::Error word="late"/> });
    let goal = if plan.goal.is_empty() { ui::muted("not written down yet") } else { ui::paragraphs(&plan.goal) };
    let all = work.questions.len();
    let items = vec![
        ("Goal", goal),
        ("Due", view! { {due}" "{late} }.into_any()),
        ("Questions", ui::text(format!("{} of {all} answered", all - work.open()))),
        ("Began", ui::ago(room.frame.moment(), work.plan.started_at)),
    ];
    view! {
        <Card title="Time box">
            <Progress label="Time box" percent=percent.or(Some(0)) words=words/>
            <ui::Facts items=items/>
        </Card>
    }
    .into_any()
}

/// What was typed, or what there is.
fn or(typed: &Typed, name: &str, there: impl Into<String>) -> String {
    if typed.ticked("form") { typed.text(name) } else { there.into() }
}

fn plan_form(here: &str, work: &Work, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let plan = &work.plan.plan;
    let box_of = if plan.minutes == 0 { String::new() } else { hours(plan.minutes).trim_end_matches(" h").to_owned() };
    let open = plan.minutes == 0 || !errors.is_empty();
    view! {
        <Card>
            <ui::Fold summary="Plan" open=open>
                <PageForm action=format!("{here}/investigation") errors=errors>
                    <Hidden name="form" value="plan"/>
                    <TextArea name="goal" label="Goal" value=or(typed, "goal", plan.goal.as_str()) rows=3 optional=true hint="What is to be known at the end?" errors=errors/>
                    <Field name="hours" label="Time box, in hours" value=or(typed, "hours", box_of) autocomplete="off" errors=errors/>
                    <Field name="due_on" label="Due on" value=or(typed, "due_on", plan.due_on.as_str()) kind="date" optional=true errors=errors/>
                    <FormActions><Button>"Save the plan"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        </Card>
    }
    .into_any()
}

fn add_form(here: &str, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let open = !errors.is_empty();
    view! {
        <Card>
            <ui::Fold summary="Add a question" open=open>
                <PageForm action=format!("{here}/investigation") errors=errors>
                    <Hidden name="form" value="question"/>
                    <Field name="question" label="Question or hypothesis" value=typed.text("question") autocomplete="off" errors=errors/>
                    <Field name="method" label="Method" value=typed.text("method") autocomplete="off" optional=true hint="How it is found out: ask the vendor, try it in the test environment" errors=errors/>
                    <Field name="owner" label="Who finds out" value=typed.text("owner") autocomplete="off" optional=true hint="Of any side" errors=errors/>
                    <FormActions><Button>"Add the question"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        </Card>
    }
    .into_any()
}

fn time_form(room: &Room, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let today = room.frame.now.format("%Y-%m-%d").to_string();
    let open = !errors.is_empty();
    view! {
        <Card>
            <ui::Fold summary="Write down time" open=open>
                <PageForm action=format!("{}/investigation", room.here()) errors=errors>
                    <Hidden name="form" value="time"/>
                    <Field name="day" label="Day" value=or(typed, "day", today) kind="date" errors=errors/>
                    <Field name="time" label="Hours" value=typed.text("time") autocomplete="off" hint="8, 1.5 or 0:30" errors=errors/>
                    <Field name="what" label="On what" value=typed.text("what") autocomplete="off" errors=errors/>
                    <FormActions><Button>"Write it down"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        </Card>
    }
    .into_any()
}

fn conclude_form(here: &str, work: &Work, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let open = work.open();
    let possible = match open {
        0 => "A quotation follows.".to_owned(),
        1 => "A quotation follows. One question is open: write down why it is possible all the same.".to_owned(),
        n => format!("A quotation follows. {n} questions are open: write down why it is possible all the same."),
    };
    let choices = vec![
        Choice::new("possible", "Possible").hint(possible),
        Choice::new("not-possible", "Not possible").hint("The customer gets the reason."),
    ];
    let unfolded = !errors.is_empty() || open == 0 && !work.questions.is_empty();
    view! {
        <Card>
            <ui::Fold summary="Conclude" open=unfolded>
                <PageForm action=format!("{here}/investigation") errors=errors>
                    <Hidden name="form" value="conclude"/>
                    <RadioGroup name="outcome" label="How it ends" choices=choices value=typed.text("outcome") errors=errors/>
                    <TextArea name="reason" label="Reason" value=typed.text("reason") rows=3 optional=true hint="Needed when it is not possible, or questions are open." errors=errors/>
                    <FormActions><Button tone=Tone::Primary>"Conclude the investigation"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        </Card>
    }
    .into_any()
}
