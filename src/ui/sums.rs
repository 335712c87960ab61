//! What a table of amounts comes to.
use leptos::prelude::*;

/// Names with their amounts, at the right; the last is the one that counts.
#[component]
pub fn Sums(
    /// The names and the amounts.
    rows: Vec<(String, String)>,
) -> AnyView {
    let rows = rows.into_iter().map(|(name, amount)| view! { <div><dt>{name}</dt><dd>{amount}</dd></div> });
    view! { <dl class="sums">{rows.collect_view()}</dl> }.into_any()
}
