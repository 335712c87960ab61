//! The pages of background tasks: the list, and one with its progress.
mod list;
mod show;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;

use super::{Kind, State, Task};
use crate::{
    app::App,
    ui::{self, Badge},
};

/// The routes of this slice.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/tasks", get(list::show))
        .route("/tenants/{tenant}/tasks/{task}", get(show::show))
        .route("/tenants/{tenant}/tasks/{task}/cancel", post(show::cancel))
}

/// How it stands, as a badge.
fn state(task: &Task) -> AnyView {
    let (state, word) = match task.state {
        State::Queued | State::Running if task.cancelling => (ui::State::Neutral, "cancelling"),
        State::Queued => (ui::State::Neutral, "queued"),
        State::Running => (ui::State::Neutral, "running"),
        State::Done => (ui::State::Ok, "done"),
        State::Failed => (ui::State::Error, "failed"),
        State::Cancelled => (ui::State::Warning, "cancelled"),
    };
    view! { <Badge state=state word=word/> }.into_any()
}

/// What it is called: its kind's title, or, when this version does not know the kind, its name.
fn title(kind: Option<&Kind>, task: &Task) -> String {
    kind.map_or_else(|| task.kind.clone(), |kind| kind.title.to_owned())
}

/// How far it is, in words: "1,204 of 4,000 events".
fn how_far(kind: Option<&Kind>, task: &Task) -> String {
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let noun = kind.map_or("thing", |kind| kind.noun);
    match task.total {
        Some(total) if task.state != State::Done || total != task.done => {
            format!("{} of {}", ui::format::count(count(task.done)), ui::format::counted(count(total), noun))
        }
        _ => ui::format::counted(count(task.done), noun),
    }
}
