//! The pages of failures: the groups, one group, and mending one event.
mod group;
mod groups;
mod mend;
mod replay;
mod words;

use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;

pub use words::{in_words, title as title_of};

use super::{Group, State, advice::advice};
use crate::{
    app::App,
    event_types::Breach,
    ids::TenantId,
    ui::{self, Badge, Card, Column, DataTable, Tab},
};

/// The routes of these pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/quarantine", get(groups::show))
        .route("/tenants/{tenant}/quarantine/replay", get(replay::ask).post(replay::submit))
        .route("/tenants/{tenant}/quarantine/groups/{group}", get(group::show).post(group::change))
        .route("/tenants/{tenant}/quarantine/groups/{group}/relax", post(group::relax_by_draft))
        .route("/tenants/{tenant}/events/{event}/mend", get(mend::ask).post(mend::submit))
}

/// The two views of a quarantine.
pub fn tabs(tenant: TenantId) -> Vec<Tab> {
    let base = format!("/tenants/{tenant}/quarantine");
    vec![Tab::new("Groups", &base), Tab::new("Events", format!("{base}/events"))]
}

/// The state of a group; one that came back says so.
fn state(group: &Group) -> AnyView {
    let (colour, word) = match group.state {
        State::Open if group.reopened_at.is_some() => (ui::State::Error, "came back"),
        State::Open => (ui::State::Warning, "open"),
        State::Acknowledged => (ui::State::Neutral, "acknowledged"),
        State::Resolved => (ui::State::Ok, "resolved"),
        State::Ignored => (ui::State::Neutral, "ignored"),
    };
    view! { <Badge state=colour word=word/> }.into_any()
}

/// Whether nothing of a group is left to mend, though nobody has said so.
fn is_settled(group: &Group, waiting: u64) -> bool {
    waiting == 0 && matches!(group.state, State::Open | State::Acknowledged)
}

/// What is wrong with an event, and what mends it.
pub fn reasons(title: &'static str, lead: &'static str, breaches: &[Breach]) -> AnyView {
    let columns = vec![Column::text("Where"), Column::text("What is wrong, and what mends it")];
    let rows = breaches.iter().map(|breach| {
        let place = if breach.path.is_empty() { ui::text("the whole event") } else { ui::mono(breach.path.clone()) };
        let what = view! {
            <div>{ui::strong(breach.message.clone())}" "{ui::mono(breach.rule.clone())}</div>
            <div>{advice(&breach.rule).sentence()}</div>
        };
        vec![place, what.into_any()]
    });
    let lead = (!lead.is_empty()).then(|| lead.to_owned());
    view! {
        <Card title=title nostrip:lead=lead flush=true>
            <DataTable caption=title columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}
