//! What happened, newest first: who, what, when, and why.
use leptos::prelude::*;

/// One thing that happened.
pub struct Event {
    /// When, ready to be read.
    pub when: AnyView,
    /// Who and what, as a sentence.
    pub what: AnyView,
    /// Why; empty: nobody said.
    pub why: String,
    /// Whether it is a turn on the way, and stands out.
    pub turn: bool,
}

/// The list of it.
#[component]
pub fn Timeline(
    /// What happened, newest first.
    events: Vec<Event>,
) -> AnyView {
    let items = events.into_iter().map(|event| {
        let class = if event.turn { "story-item story-turn" } else { "story-item" };
        let why = (!event.why.is_empty()).then(|| view! { <p class="story-why">{event.why}</p> });
        view! { <li class=class><p>{event.what}</p>{why}<p class="story-when">{event.when}</p></li> }
    });
    view! { <ol class="story">{items.collect_view()}</ol> }.into_any()
}
