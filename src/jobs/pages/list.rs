//! The tasks of a tenant, newest first.
use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{how_far, state, title};
use crate::{
    app::App,
    auth::{Permit, ReadPayloads, Session},
    error::Result,
    form::shown,
    ids::TenantId,
    jobs::{self, Jobs, Task, store},
    tenants,
    ui::{self, Card, Column, Crumb, DataTable, Empty, Follow, Frame, Icon, LinkButton, PageHeader, Pager, Section},
};

/// Where the list begins.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let base = format!("/tenants/{tenant}/tasks");
    let before = asked.before.as_deref().and_then(|id| id.parse().ok());
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Tasks, &base).await?;
    let tasks = jobs::list(&app.db, &permit, before).await?;
    Ok(shown(draw(&frame, &app.jobs, tenant, &tasks, before.is_some())))
}

fn draw(frame: &Frame, jobs: &Jobs, tenant: TenantId, tasks: &[Task], is_further: bool) -> String {
    let base = format!("/tenants/{tenant}/tasks");
    let head = |lead: Option<&str>| view! { <PageHeader title="Tasks" nostrip:lead=lead.map(str::to_owned)/> };
    let body = if tasks.is_empty() {
        let back = if is_further {
            view! { <LinkButton href=base.clone()>"Show the newest tasks"</LinkButton> }
        } else {
            view! { <LinkButton href=format!("/tenants/{tenant}/events") icon=Icon::Events>"Go to the events"</LinkButton> }
        };
        view! {
            {head(None)}
            <Empty
                icon=Icon::Tasks
                title="No tasks"
                why="What takes longer than a moment, such as an export of events, goes on in the background and is shown here with its progress."
            >
                {back}
            </Empty>
        }
        .into_any()
    } else {
        let open = tasks.iter().any(|task| task.state.is_open());
        let older = (tasks.len() == store::LISTED).then(|| tasks.last()).flatten();
        let older = older.map(|last| format!("{base}?before={}", last.id));
        let newer = is_further.then(|| base.clone());
        let pager = (older.is_some() || newer.is_some()).then(|| view! { <Pager newer=newer older=older/> });
        view! {
            {head(Some("What goes on in the background, newest first."))}
            <Follow id="tasks" on=open><Card flush=true>{table(frame, jobs, tasks)}</Card></Follow>
            {pager}
        }
        .into_any()
    };
    let crumbs = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    ui::page(frame, "Tasks", crumbs.collect(), body)
}

fn table(frame: &Frame, jobs: &Jobs, tasks: &[Task]) -> AnyView {
    let columns = vec![
        Column::text("Task"),
        Column::text("State"),
        Column::text("Progress"),
        Column::text("Started by").wide_only(),
        Column::text("Started"),
    ];
    let rows = tasks.iter().map(|task| {
        let kind = jobs.kind(&task.kind);
        let far = match (task.state.is_open(), task.percent()) {
            (true, Some(percent)) => format!("{percent} %, {}", how_far(kind, task)),
            _ => how_far(kind, task),
        };
        vec![
            ui::link(jobs::href(task.tenant, task.id), title(kind, task)),
            state(task),
            ui::text(far),
            ui::text(task.started_by.clone()),
            ui::ago(frame.moment(), task.created_at),
        ]
    });
    view! { <DataTable caption="Tasks, newest first" columns=columns rows=rows.collect()/> }.into_any()
}
