//! What is waiting for whom, of all integrations that the viewer may see.
use leptos::prelude::*;

use crate::{
    intake::{Side, Waiting, address},
    ui::{self, Card, Frame, Stat, Stats},
};

/// How many integrations wait for each side, and which of them has waited longest; nothing when none does.
pub(super) fn card(frame: &Frame, waiting: &[Waiting]) -> Option<AnyView> {
    if waiting.is_empty() {
        return None;
    }
    let now = frame.moment();
    let stats = Side::ALL.iter().map(|side| {
        let theirs: Vec<_> = waiting.iter().filter(|one| one.turn == *side).collect();
        let href = (!theirs.is_empty()).then(|| format!("/integrations?turn={}", side.word()));
        // what waits longest comes first
        let note = theirs.first().map_or_else(
            || ui::text("nothing"),
            |one| {
                let link = ui::link(address(one.tenant_id, one.id), one.name.as_str());
                view! { {link}" since "{ui::ago(now, one.turn_since)} }.into_any()
            },
        );
        let (label, figure) = (format!("Waits for {}", side.who()), ui::format::count(theirs.len() as u64));
        match href {
            Some(href) => view! { <Stat label=label figure=figure href=href>{note}</Stat> }.into_any(),
            None => view! { <Stat label=label figure=figure>{note}</Stat> }.into_any(),
        }
    });
    let stats = stats.collect_view();
    let lead = "Integrations on their way, and what has waited longest.";
    Some(view! { <Card title="Whose turn it is" lead=lead><Stats>{stats}</Stats></Card> }.into_any())
}
