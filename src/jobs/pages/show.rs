//! One task: how far it is, what it was asked for, and what came of it.
use axum::{
    extract::{Path, Query, State as Held},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{how_far, state, title};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadPayloads, Session},
    error::{Error, Result},
    form::{Done, shown},
    ids::TaskId,
    jobs::{self, About, Kind, State, Task, store},
    tenants,
    ui::{
        self, Alert, Card, Columns, Crumb, Facts, Follow, Frame, Icon, LinkButton, Notice, PageHeader, PostButton,
        Progress, Row, Section, Stat, Stats, Tone,
    },
};

/// The task that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    task: String,
}

impl Named {
    fn id(&self) -> Result<TaskId> {
        self.task.parse().map_err(|_| Error::NotFound("task"))
    }
}

/// Shows it.
pub(super) async fn show(
    Held(app): Held<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    Path(named): Path<Named>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let task = jobs::get(&app.db, &permit, named.id()?).await?;
    let path = jobs::href(task.tenant, task.id);
    let mut frame = tenants::frame(&app, &session, Some(task.tenant), Section::Tasks, path).await?;
    frame.notice = match asked.done.as_deref() {
        Some("cancelled") if task.state == State::Cancelled => Some(Notice::ok("The task is cancelled.")),
        Some("cancelled") if task.cancelling => Some(Notice::ok("The task ends after the step that is under way.")),
        _ => None,
    };
    let kind = app.jobs.kind(&task.kind);
    let about = kind.map(|kind| (kind.about)(&task, frame.now)).unwrap_or_default();
    let may_cancel = session.permit::<Configure>(task.tenant).is_ok();
    Ok(shown(draw(&frame, kind, &task, &about, may_cancel)))
}

/// Stops it.
pub(super) async fn cancel(
    Held(app): Held<App>,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    jobs::cancel(&app.db, &app.clock, &permit, id).await?;
    Ok(Redirect::to(&format!("{}?done=cancelled", jobs::href(permit.tenant(), id))).into_response())
}

fn draw(frame: &Frame, kind: Option<&Kind>, task: &Task, about: &About, may_cancel: bool) -> String {
    let name = &title(kind, task);
    let here = jobs::href(task.tenant, task.id);
    let cancel = (task.state.is_open() && !task.cancelling && may_cancel).then(|| {
        view! { <PostButton action=format!("{here}/cancel") tone=Tone::Danger>"Cancel"</PostButton> }
    });
    let main = view! {
        {failure(task)}
        <Card title="Progress">{progress(kind, task, name)}</Card>
        {result(task, about)}
    };
    let list = format!("/tenants/{}/tasks", task.tenant);
    let body = view! {
        <Follow id="task" on=task.state.is_open()>
            <PageHeader title=name.as_str() badge=state(task)>{cancel}</PageHeader>
            <Columns main=main.into_any() aside=facts(frame, task, about)/>
        </Follow>
    };
    let tenant = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    let crumbs = tenant.chain([Crumb::new("Tasks", list)]).collect();
    ui::page(frame, name, crumbs, body.into_any())
}

fn failure(task: &Task) -> Option<AnyView> {
    let why = task.error.clone().filter(|_| task.state == State::Failed)?;
    Some(view! { <Alert state=ui::State::Error title="It could not be done"><p>{why}</p></Alert> }.into_any())
}

fn progress(kind: Option<&Kind>, task: &Task, name: &str) -> AnyView {
    let far = how_far(kind, task);
    let bar = task.state.is_open().then(|| {
        let words = match task.state {
            State::Queued => format!("{far}; it begins within a few seconds"),
            _ => far.clone(),
        };
        let reload = view! { <noscript><p>{ui::muted("Reload the page to see how far it is.")}</p></noscript> };
        view! { <Progress label=name.to_owned() percent=task.percent() words=words/>{reload} }
    });
    let ended = (!task.state.is_open()).then(|| {
        let words = match task.state {
            State::Done => format!("All done: {far}."),
            State::Cancelled => format!("Cancelled after {far}."),
            _ => format!("Failed after {far}."),
        };
        ui::said(words)
    });
    let counted = kind.map(|kind| store::shown(&task.counters, kind.counters)).unwrap_or_default();
    let stats = (!counted.is_empty()).then(|| {
        let stats = counted.into_iter().map(|(label, figure)| {
            let figure = ui::format::count(u64::try_from(figure).unwrap_or(0));
            view! { <Stat label=label figure=figure/> }
        });
        view! { <Stats>{stats.collect_view()}</Stats> }
    });
    view! { {bar}{ended}{stats} }.into_any()
}

fn result(task: &Task, about: &About) -> Option<AnyView> {
    let files = about.files.iter().map(|file| (file, Some(Icon::Download)));
    let mut all = files.chain(about.links.iter().map(|link| (link, None))).peekable();
    if task.state != State::Done || (all.peek().is_none() && about.note.is_none()) {
        return None;
    }
    let links = all.enumerate().map(|(n, ((href, label), icon))| {
        let tone = if n == 0 { Tone::Primary } else { Tone::Plain };
        view! { <LinkButton href=href.clone() tone=tone nostrip:icon=icon>{label.clone()}</LinkButton> }
    });
    let note = about.note.clone().map(|note| view! { <p>{ui::muted(note)}</p> });
    Some(view! { <Card title="Result"><Row>{links.collect_view()}</Row>{note}</Card> }.into_any())
}

fn facts(frame: &Frame, task: &Task, about: &About) -> AnyView {
    let now = frame.moment();
    let at =
        |when: Option<chrono::DateTime<chrono::Utc>>| when.map_or_else(|| ui::muted("not yet"), |at| ui::at(now, at));
    let asked = about.facts.iter().map(|(name, value)| (*name, ui::text(value.clone())));
    let items = asked.chain([
        ("Started by", ui::text(task.started_by.clone())),
        ("Asked for", ui::at(now, task.created_at)),
        ("Began", at(task.began_at)),
        ("Ended", at(task.ended_at)),
        ("Id", ui::mono(task.id.to_string())),
    ]);
    view! { <Card title="About it"><Facts items=items.collect()/></Card> }.into_any()
}
