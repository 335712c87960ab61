//! What is known about one thing: pairs of a name and a value, and figures that stand out.
use super::Slot;
use leptos::prelude::*;

/// Names and their values, as a description list.
#[component]
pub fn Facts(
    /// The pairs, in the order they are read.
    items: Vec<(&'static str, AnyView)>,
) -> AnyView {
    let items = items.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="facts">{items.collect_view()}</dl> }.into_any()
}

/// A row of figures.
#[component]
pub fn Stats(
    /// [`Stat`]s.
    children: Slot,
) -> AnyView {
    view! { <dl class="figures">{children.0}</dl> }.into_any()
}

/// One figure with what it counts; stands inside [`Stats`].
#[component]
pub fn Stat(
    /// What it counts.
    #[prop(into)]
    label: String,
    /// The figure, ready to be read.
    #[prop(into)]
    figure: String,
    /// Where it leads to.
    #[prop(into, optional)]
    href: Option<String>,
    /// A few words on it: "of 1,204 today".
    #[prop(optional)]
    children: Slot,
) -> AnyView {
    let figure = match href {
        Some(href) => view! { <a href=href>{figure}</a> }.into_any(),
        None => figure.into_any(),
    };
    view! { <div><dt>{label}</dt><dd><span class="figure">{figure}</span><span class="figure-note">{children.0}</span></dd></div> }
        .into_any()
}
