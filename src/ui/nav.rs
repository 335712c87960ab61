//! Ways to other views of the same thing: tabs, pages, filters. All of it lives in the address.
use super::{
    Slot,
    action::Tone,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// One tab.
#[derive(Clone, Debug)]
pub struct Tab {
    /// What it is called.
    pub label: String,
    /// Its address.
    pub href: String,
    /// How many things are behind it.
    pub count: Option<u64>,
}

impl Tab {
    /// A tab without a count.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into(), count: None }
    }
}

/// Links to the other views of a thing.
#[component]
pub fn Tabs(
    /// What they are views of: "Event type".
    #[prop(into)]
    label: String,
    /// The tabs.
    tabs: Vec<Tab>,
    /// The address of the one that is shown.
    #[prop(into)]
    current: String,
) -> AnyView {
    let tabs = tabs.into_iter().map(|tab| {
        let here = (tab.href == current).then_some("page");
        let count = tab.count.map(|n| view! { <span class="count">{super::format::count(n)}</span> });
        view! { <li><a href=tab.href aria-current=here>{tab.label}{count}</a></li> }
    });
    view! { <nav class="tabs-bar" aria-label=label><ul>{tabs.collect_view()}</ul></nav> }.into_any()
}

/// The way to newer and older rows, by cursor.
#[component]
pub fn Pager(
    /// Address of the page before, if any.
    #[prop(into)]
    newer: Option<String>,
    /// Address of the page after, if any.
    #[prop(into)]
    older: Option<String>,
    /// What is shown: "50 events, newest first".
    #[prop(into, optional)]
    summary: Option<String>,
) -> AnyView {
    let newer = newer.map(|href| {
        view! { <a class=Tone::Plain.class() rel="prev" href=href>{icon(Icon::ArrowLeft)}"Newer"</a> }
    });
    let older = older.map(|href| {
        view! { <a class=Tone::Plain.class() rel="next" href=href>"Older"{icon(Icon::ArrowRight)}</a> }
    });
    view! { <nav class="pager" aria-label="Pages"><span class="muted">{summary}</span>{newer}{older}</nav> }.into_any()
}

/// A form that only asks: what is chosen stands in the address. Browsers that come back to it must not fill in what
/// was chosen on the way: hence no autocomplete.
#[component]
pub fn Filters(
    /// The page it asks.
    #[prop(into)]
    action: String,
    /// Where everything is shown again; given when something is filtered.
    #[prop(into, optional)]
    clear: Option<String>,
    /// The fields, all of them `optional`.
    children: Slot,
) -> AnyView {
    let clear = clear.map(|href| view! { <a class=Tone::Quiet.class() href=href>"Clear"</a> });
    view! {
        <form class="filters" method="get" action=action role="search" aria-label="Filters" autocomplete="off" novalidate>
            {children.0}
            <div class="filters-go"><button class=Tone::Plain.class() type="submit">"Filter"</button>{clear}</div>
        </form>
    }
    .into_any()
}
