//! A board: things in lanes, by how far they are.
use super::Slot;
use leptos::prelude::*;

/// The lanes, side by side; they scroll in their own box.
#[component]
pub fn Board(
    /// What is on it: "Integrations by stage".
    #[prop(into)]
    label: String,
    /// [`Lane`]s.
    children: Slot,
) -> AnyView {
    view! { <div class="board" role="region" aria-label=label tabindex="0">{children.0}</div> }.into_any()
}

/// One lane; stands inside [`Board`].
#[component]
pub fn Lane(
    /// What its things have in common.
    #[prop(into)]
    title: String,
    /// How many there are, shown or not.
    count: u64,
    /// A few words on all of them: "EUR 42,000.00".
    #[prop(into, optional)]
    note: String,
    /// The things, each a list item's content.
    cards: Vec<AnyView>,
) -> AnyView {
    let count = super::format::count(count);
    let note = (!note.is_empty()).then(|| view! { <p class="lane-note">{note}</p> });
    let none = cards.is_empty().then(|| view! { <p class="lane-none">"None"</p> });
    let cards = cards.into_iter().map(|card| view! { <li class="lane-card">{card}</li> });
    view! {
        <section class="lane">
            <h2 class="lane-title">{title}<span class="count">{count}</span></h2>
            {note}
            <ul class="lane-list">{cards.collect_view()}</ul>
            {none}
        </section>
    }
    .into_any()
}
