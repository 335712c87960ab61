//! Text that people wrote, as they wrote it: paragraphs, points, quotations; and what stands around a longer text.
use super::{
    Slot,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// Text in its own lines.
pub fn paragraphs(text: &str) -> AnyView {
    view! { <p class="as-written">{text.to_owned()}</p> }.into_any()
}

/// What somebody said, set apart.
pub fn quoted(text: impl Into<String>) -> AnyView {
    view! { <p class="as-written said">{text.into()}</p> }.into_any()
}

/// Some points.
pub fn points(points: Vec<String>) -> AnyView {
    let points = points.into_iter().map(|point| view! { <li>{point}</li> });
    view! { <ul class="points">{points.collect_view()}</ul> }.into_any()
}

/// A state that is neither good nor bad: something is under way.
pub fn progress_badge(word: impl Into<String>) -> AnyView {
    view! { <span class="state state-going">{icon(Icon::Clock)}{word.into()}</span> }.into_any()
}

/// A link in the mono face: a piece of code that leads somewhere.
pub fn mono_link(href: impl Into<String>, label: impl Into<String>) -> AnyView {
    view! { <a class="quiet-link mono" href=href.into()>{label.into()}</a> }.into_any()
}

/// Something that is there when it is looked for.
#[component]
pub fn Fold(
    /// What it is: "Change".
    #[prop(into)]
    summary: String,
    /// Whether it is open as the page opens.
    #[prop(optional)]
    open: bool,
    /// What it holds.
    children: Slot,
) -> AnyView {
    view! { <details class="unfold" open=open><summary>{summary}{icon(Icon::ChevronDown)}</summary><div class="unfold-inner">{children.0}</div></details> }
        .into_any()
}

/// A place of a page that an address can name.
#[component]
pub fn Anchor(
    /// What the address says after its `#`.
    id: &'static str,
    /// What is there.
    children: Slot,
) -> AnyView {
    view! { <div class="anchor" id=id>{children.0}</div> }.into_any()
}

/// A page that is made to be printed: one column, as wide as paper.
#[component]
pub fn Sheet(
    /// What stands on it.
    children: Slot,
) -> AnyView {
    view! { <article class="paper">{children.0}</article> }.into_any()
}

/// A share of a whole, as a bar with its words.
#[component]
pub fn Share(
    /// 0 to 100.
    percent: u64,
    /// What it is: "40 %".
    #[prop(into)]
    words: String,
) -> AnyView {
    let bar = format!(r#"<rect class="share-part" width="{}" height="8" rx="2"/>"#, percent.min(100));
    view! {
        <span class="share">
            <svg class="share-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" inner_html=bar></svg>
            <span>{words}</span>
        </span>
    }
    .into_any()
}

/// A form that only asks: what is typed stands in the address of the page that answers.
#[component]
pub fn AskForm(
    /// The page it asks.
    #[prop(into)]
    action: String,
    /// Fields, and a `FormActions` at the end.
    children: Slot,
) -> AnyView {
    view! { <form class="form" method="get" action=action novalidate>{children.0}</form> }.into_any()
}

/// A line of text, with what is known already to choose from.
#[component]
pub fn Suggest(
    /// Its name and id.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What is known.
    known: Vec<String>,
    /// What helps before one types.
    #[prop(into)]
    hint: String,
) -> AnyView {
    let list = format!("{name}-known");
    let options = known.into_iter().map(|known| view! { <option value=known></option> });
    view! {
        <div class="field">
            <label class="field-label" for=name>{label}</label>
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
            <input
                class="input"
                type="text"
                id=name
                name=name
                list=list.clone()
                autocomplete="off"
                autofocus
                required
                aria-describedby=format!("{name}-hint")
            />
            <datalist id=list>{options.collect_view()}</datalist>
        </div>
    }
    .into_any()
}
