//! What is waiting for whom, of all integrations that the viewer may see: for each side, for the viewer's approval, and
//! which of it is the viewer's own.
use leptos::prelude::*;

use crate::{
    ids::UserId,
    intake::{
        Side, Waiting, address,
        quotation::{self, store::Awaiting},
    },
    ui::{self, Card, Column, DataTable, Frame, LinkButton, Stat, Stats, Tone},
};

/// How many of the viewer's own are told.
const OWN: usize = 5;

/// What waits, as far as the viewer may see it.
pub(super) struct Turns {
    /// All that is on its way, what waits longest first.
    pub waiting: Vec<Waiting>,
    /// Quotations that wait for the viewer's approval; none for who may not approve.
    pub awaiting: Vec<Awaiting>,
    /// Who looks.
    pub viewer: Option<UserId>,
    /// Whether they may approve at all.
    pub approves: bool,
}

/// How many integrations wait for each side, and which of them has waited longest; nothing when none does.
pub(super) fn card(frame: &Frame, turns: &Turns) -> Option<AnyView> {
    if turns.waiting.is_empty() {
        return None;
    }
    let now = frame.moment();
    let stats = Side::ALL.iter().map(|side| {
        let theirs: Vec<_> = turns.waiting.iter().filter(|one| one.turn == *side).collect();
        let href = (!theirs.is_empty()).then(|| format!("/integrations?turn={}", side.word()));
        // what waits longest comes first
        let note = theirs.first().map_or_else(
            || ui::text("nothing"),
            |one| {
                let link = ui::link(address(one.tenant_id, one.id), one.name.as_str());
                view! { {link}" since "{ui::ago(now, one.turn_since)} }.into_any()
            },
        );
        stat(format!("Waits for {}", side.who()), theirs.len(), href, note)
    });
    let stats = stats.collect_view();
    let approvals = turns.approves.then(|| {
        let first = turns.awaiting.first();
        let address = first.map(|one| quotation::address_of(one.tenant_id, one.integration_id, one.id));
        let note = match (first, &address) {
            (Some(one), Some(to)) => {
                view! { {ui::link(to.clone(), one.name.as_str())}" since "{ui::ago(now, one.updated_at)} }.into_any()
            }
            _ => ui::text("nothing"),
        };
        stat("Waits for your approval".into(), turns.awaiting.len(), address, note)
    });
    let lead = "Integrations on their way, and what has waited longest.";
    Some(
        view! { <Card title="Whose turn it is" lead=lead><Stats>{stats}{approvals}</Stats></Card> {own(frame, turns)} }
            .into_any(),
    )
}

fn stat(label: String, count: usize, href: Option<String>, note: AnyView) -> AnyView {
    let figure = ui::format::count(count as u64);
    match href {
        Some(href) => view! { <Stat label=label figure=figure href=href>{note}</Stat> }.into_any(),
        None => view! { <Stat label=label figure=figure>{note}</Stat> }.into_any(),
    }
}

/// What the viewer looks after: what waits for us first, since that is theirs to do.
fn own(frame: &Frame, turns: &Turns) -> Option<AnyView> {
    let viewer = turns.viewer?;
    let mut own: Vec<_> = turns.waiting.iter().filter(|one| one.owner_id == Some(viewer)).collect();
    if own.is_empty() {
        return None;
    }
    // stable: of those, what waits longest stays first
    own.sort_by_key(|one| one.turn != Side::Us);
    let now = frame.moment();
    let columns = vec![Column::text("Integration"), Column::text("Waits for"), Column::text("Next step")];
    let rows = own.iter().take(OWN).map(|one| {
        let since = view! { "since "{ui::ago(now, one.turn_since)} }.into_any();
        vec![
            ui::two_lines(ui::link(address(one.tenant_id, one.id), one.name.as_str()), ui::text(one.stage.title())),
            ui::two_lines(ui::text(one.turn.who()), since),
            ui::text(one.next_step.as_str()),
        ]
    });
    let table = view! { <DataTable caption="Your integrations" columns=columns rows=rows.collect()/> };
    let all = format!("/integrations?owner={viewer}");
    let action = view! { <LinkButton href=all tone=Tone::Quiet>{format!("All {} of yours", own.len())}</LinkButton> };
    let lead = "What is yours to do stands first.";
    Some(
        view! { <Card title="Your integrations" lead=lead flush=true action=action.into_any()>{table}</Card> }
            .into_any(),
    )
}
