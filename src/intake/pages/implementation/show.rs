//! An implementation at a glance: whose turn it is, every phase with its tasks, what is to be configured, and what
//! stands between it and going live.
use axum::{
    Form,
    extract::{Path, Query, State as Axum},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{Named, Site, points};
use crate::{
    app::App,
    auth::{Permit, RunImplementations, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    intake::{
        Act, Stage, hours,
        implementation::{Outcome, store},
        parse_day, parse_hours, parse_line,
        store::{self as integrations, Taken},
    },
    ui::{
        self, Button, Card, CodeBlock, Columns, Empty, Field, FieldErrors, Form as PageForm, FormActions, Hidden, Icon,
        LinkButton, PageHeader, PostButton, Progress, Row, Select, Tone,
    },
};

/// What the page is about.
const LEAD: &str = "From the accepted quotation to the day it is live.";
/// The most hours of a day.
const LONGEST_DAY: i64 = 24;

/// Shows it.
pub(in crate::intake::pages) async fn show(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut site = Site::load(&app, &session, &permit, &named, "").await?;
    site.room.notice(
        &done,
        &[
            ("done", "Done: whose turn it is follows from what comes next."),
            ("undone", "It is open again."),
            ("saved", "Saved."),
            ("removed", "Removed."),
            ("time", "Written down."),
            ("made", "Made: the draft is the real thing now."),
            ("dropped", "Dropped: nothing is made of this draft."),
            ("restored", "The draft is open again."),
            ("named", "From now on this has to be seen before it goes live."),
            ("waived", "Waived, with the reason on the timeline."),
            ("unwaived", "Taken back, with the reason on the timeline: it has to be seen again."),
            ("planned", "Planned."),
        ],
    );
    let outcomes = measured(&app, &permit, &site).await?;
    Ok(shown(page(&site, &outcomes, &Typed::default(), &FieldErrors::new())))
}

/// What live data says now; once it is live, what it said then.
async fn measured(app: &App, permit: &Permit<SeeIntegrations>, site: &Site) -> Result<Vec<(Uuid, Outcome)>> {
    if site.room.of.stage == Stage::Implementation {
        return store::measure(&app.db, &app.clock, permit, &site.whole).await;
    }
    Ok(site.whole.evidence.iter().filter_map(|one| Some((one.id, one.measured.clone()?))).collect())
}

/// Does what one of its forms asks.
pub(in crate::intake::pages) async fn act(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let site = Site::load(&app, &session, &permit, &named, "").await?;
    let id = site.room.of.id;
    let mut errors = FieldErrors::new();
    let form = typed.text("form");
    let done = match form.as_str() {
        "done" | "undone" => {
            let task = super::id_of(&typed.text("task"), "implementation task")?;
            store::set_done(&app.db, &app.clock, &permit, id, task, form == "done").await
        }
        "plan" => store::plan_anew(&app.db, &app.clock, &permit, id).await,
        "go-live" => {
            let run = session.permit::<RunIntakes>(permit.tenant())?;
            let taken = Taken { act: Act::GoLive, reason: None, next: None };
            integrations::advance(&app.db, &app.clock, &run, id, taken).await.map(drop)
        }
        "time" => match time(&site, &typed, &mut errors) {
            Some((phase, spent)) => store::spend(&app.db, &app.clock, &permit, id, phase, spent).await,
            None => Ok(()),
        },
        _ => {
            errors.push("", "Choose what to do");
            Ok(())
        }
    };
    if let Err(error) = done {
        errors.note("", error)?;
    }
    if errors.is_empty() {
        let to = match form.as_str() {
            "go-live" => format!("{}?done=advanced", site.room.here()),
            "plan" => format!("{}?done=planned", site.here()),
            word => format!("{}?done={word}", site.here()),
        };
        return Ok(Redirect::to(&to).into_response());
    }
    let see = session.permit(permit.tenant())?;
    let site = Site::load(&app, &session, &permit, &named, "").await?;
    let outcomes = measured(&app, &see, &site).await?;
    Ok(amiss(page(&site, &outcomes, &typed, &errors)))
}

fn time(site: &Site, typed: &Typed, errors: &mut FieldErrors) -> Option<(Uuid, (String, i64, String))> {
    let phase = errors.keep("phase", site.chosen_phase(&typed.text("phase")));
    let day = parse_day(&typed.text("day"));
    let day = day.and_then(|day| if day.is_empty() { Err("say on which day".into()) } else { Ok(day) });
    let day = errors.keep("day", day);
    let minutes = errors.keep("time", parse_hours(&typed.text("time"), LONGEST_DAY));
    let what = parse_line(&typed.text("what"), 300);
    let what = what.and_then(|what| if what.is_empty() { Err("say on what".into()) } else { Ok(what) });
    let what = errors.keep("what", what);
    Some((phase?, (day?, minutes?, what?)))
}

fn page(site: &Site, outcomes: &[(Uuid, Outcome)], typed: &Typed, errors: &FieldErrors) -> String {
    let here = site.here();
    let time_amiss = typed.text("form") == "time";
    let top = (!time_amiss).then(|| view! { <ui::FormErrors errors=errors/> });
    let body = if site.whole.phases.is_empty() {
        view! {
            <PageHeader title="Implementation" lead=LEAD>{ui::guide("implementation", "When it goes live")}</PageHeader>
            {site.room.tabs("/implementation")}
            {top}
            {unplanned(site, &here)}
        }
        .into_any()
    } else {
        let phases = site.whole.phases.iter().map(|phase| points::phase(site, phase)).collect_view();
        let add = site.may_run.then(|| {
            view! { <LinkButton href=format!("{here}/tasks/new") icon=Icon::Plus>"Add a task"</LinkButton> }
        });
        let main = view! {
            {top}
            {points::next(site)}
            {points::evidence(site, outcomes)}
            {points::drafts(site)}
            {phases}
        };
        let aside = view! {
            {live(site, outcomes)}
            {spent(site, time_amiss.then_some(typed), errors)}
            {command(site)}
        };
        view! {
            <PageHeader title="Implementation" lead=LEAD>{add}{ui::guide("implementation", "When it goes live")}</PageHeader>
            {site.room.tabs("/implementation")}
            <Columns main=main.into_any() aside=aside.into_any()/>
        }
        .into_any()
    };
    ui::page(&site.room.frame, "Implementation", site.room.crumbs(true), body)
}

fn unplanned(site: &Site, here: &str) -> AnyView {
    let plan = site.may_run.then(|| {
        let fields = vec![("form", "plan".to_owned())];
        view! { <PostButton action=here.to_owned() tone=Tone::Primary fields=fields>"Plan it"</PostButton> }
    });
    view! {
        <Empty icon=Icon::Join title="Nothing is planned yet" why="Phases, tasks and drafts are made of the accepted quotation and of what the intake knows.">
            {plan}
        </Empty>
    }
    .into_any()
}

/// What stands between it and going live.
fn live(site: &Site, outcomes: &[(Uuid, Outcome)]) -> AnyView {
    if site.room.of.stage != Stage::Implementation {
        let since = ui::at(site.room.frame.moment(), site.room.of.stage_since);
        let words = format!("{} since ", site.room.of.stage.title());
        return view! { <Card title="Where it stands"><p>{words}{since}</p></Card> }.into_any();
    }
    let missing = site.whole.missing(outcomes);
    let button = |tone| {
        let fields = vec![("form", "go-live".to_owned())];
        view! { <Row><PostButton action=site.here() tone=tone fields=fields>"Go live"</PostButton></Row> }
    };
    if missing.is_empty() {
        let open = site.whole.tasks.iter().filter(|one| one.done_at.is_none()).count();
        let left = (open > 0).then(|| ui::hint(format!("{} still open.", ui::format::counted(open as u64, "task"))));
        let act = site.may_run.then(|| button(Tone::Primary));
        return view! { <Card title="Ready to go live">{ui::calm("All evidence is there, or was waived.")}{left}{act}</Card> }
            .into_any();
    }
    let n = ui::format::counted(missing.len() as u64, "thing");
    let lead = format!("{n} to be seen, or waived by who has the right.");
    view! { <Card title="Not ready to go live" lead=lead>{ui::points(missing)}</Card> }.into_any()
}

/// Hours quoted against spent.
fn spent(site: &Site, typed: Option<&Typed>, errors: &FieldErrors) -> AnyView {
    let (quoted, all) = site.whole.sums();
    let words = if all > quoted {
        format!("{} spent of {}: {} too much", hours(all), hours(quoted), hours(all - quoted))
    } else {
        format!("{} spent of {} quoted", hours(all), hours(quoted))
    };
    let percent = (all * 100).checked_div(quoted).map(|percent| percent.min(100));
    let form = site.may_run.then(|| {
        let none = FieldErrors::new();
        let errors = if typed.is_some() { errors } else { &none };
        let or = |name: &str, there: String| typed.map_or(there, |typed| typed.text(name));
        let today = site.room.frame.now.format("%Y-%m-%d").to_string();
        // where work is under way now
        let phase = site.whole.ready().first().map(|one| one.details.phase_id.to_string()).unwrap_or_default();
        view! {
            <ui::Fold summary="Write down time" open=typed.is_some()>
                <PageForm action=site.here() errors=errors>
                    <Hidden name="form" value="time"/>
                    <Select name="phase" label="On which phase" choices=site.phase_choices() value=or("phase", phase) errors=errors/>
                    <Field name="day" label="Day" value=or("day", today) kind="date" errors=errors/>
                    <Field name="time" label="Hours" value=or("time", String::new()) autocomplete="off" hint="8, 1.5 or 0:30" errors=errors/>
                    <Field name="what" label="On what" value=or("what", String::new()) autocomplete="off" errors=errors/>
                    <FormActions><Button>"Write it down"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        }
    });
    let last = (!site.whole.spent.is_empty()).then(|| {
        let rows = site.whole.spent.iter().take(5).map(|one| {
            let on = format!("{} · {} · {}", one.day, hours(one.minutes), one.who);
            ui::two_lines(ui::text(one.what.as_str()), ui::text(on))
        });
        view! { <ui::Near title="Last written down">{rows.collect_view()}</ui::Near> }
    });
    view! { <Card title="Hours"><Progress label="Hours spent of those quoted" percent=percent.or(Some(0)) words=words/>{form}{last}</Card> }
        .into_any()
}

fn command(site: &Site) -> AnyView {
    let (tenant, id) = (site.room.of.tenant_id, site.room.of.id);
    let code = format!("tributary integration plan --tenant {tenant} {id}\ntributary integration done --help");
    view! { <Card title="On the command line"><CodeBlock id="commands" label="tributary" code=code/></Card> }.into_any()
}
